//! Calling Stripe: making, closing and looking at payment pages.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ledger::Timestamp;
use serde::Serialize;
use serde_json::Value;
use stripe::{ApiErrorsType, Client, ClientBuilder, IdempotencyKey, RequestStrategy, StripeError};
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionAdaptivePricing,
    CreateCheckoutSessionAllowedPaymentMethodTypes, CreateCheckoutSessionLineItems,
    CreateCheckoutSessionLineItemsPriceData, CreateCheckoutSessionPaymentIntentData,
    ExpireCheckoutSession, ProductData,
};
use stripe_client_core::{
    CustomizableStripeRequest, RequestBuilder, StripeClient, StripeMethod, StripeRequest,
};
use stripe_shared::CheckoutSessionMode;
use tracing::error;

use super::event::{self, ACCOUNT_MARK, ORDER_MARK, STAGE_MARK};
use crate::config::{
    ConfigError, Environment, STAGE, STRIPE_LIVE_MODE, STRIPE_SECRET_KEY_ARN, STRIPE_URL,
};
use crate::error::{BrokenRecord, Error, Unavailable};
use crate::lambda::Runtime;
use crate::notice::Notice;
use crate::record::{CheckoutSession, OrderRecord};
use crate::secret::Secret;

/// How long one call may take. Three of them and their pauses fit into a function's timeout.
const CALL_TIMEOUT: Duration = Duration::from_secs(6);

/// What is asked for with a payment page.
#[derive(Serialize)]
struct Expanded {
    expand: [&'static str; 1],
}

/// When the card was charged, only the charge itself knows.
const CHARGE: Expanded = Expanded { expand: ["payment_intent.latest_charge"] };

/// Stripe, as one deployment uses it.
pub struct Stripe<W: Wire = Https> {
    settings: StripeSettings,
    wire: W,
    /// The client of the key that was used last: making one copies every root certificate.
    client: Mutex<Option<(String, W::Client)>>,
}

/// What leads to Stripe.
pub trait Wire: Clone + fmt::Debug + Send + Sync + 'static {
    /// What sends the requests.
    type Client: StripeClient<Err = StripeError> + Clone + Send + Sync;

    /// A client that authenticates with this key.
    ///
    /// # Errors
    /// [`StripeError::ConfigError`] for a key that cannot be one.
    fn client(&self, key: &str) -> Result<Self::Client, StripeError>;
}

/// HTTPS, to Stripe itself or to what stands in for it.
#[derive(Debug, Clone, Default)]
pub struct Https {
    /// What stands in for Stripe, with a slash at its end; none is Stripe itself.
    pub base_url: Option<String>,
}

/// What a deployment says about Stripe.
#[derive(Debug)]
pub struct StripeSettings {
    /// The API key.
    pub secret: Secret,
    /// The name of the deployment, which every session and payment carries.
    pub stage: String,
    /// Whether real money is expected.
    pub live_mode: bool,
}

/// Why a call did not succeed, by what may be done next.
#[derive(Debug)]
pub enum CallFailed {
    /// Nobody knows whether it happened: the same call with the same key will tell.
    Repeat(String),
    /// This key will answer so for ever: other parameters need another key.
    NextAttempt(String),
    /// This key will answer so for ever, and it may have happened, or happen yet: another key can do it twice
    /// (<https://docs.stripe.com/error-low-level#server-errors>).
    Unclear(String),
    /// There is no such thing at Stripe.
    Missing(String),
    /// It can never succeed: the request or the configuration is wrong.
    Refused(String),
}

/// What became of a payment page that was to be closed.
#[derive(Debug)]
pub enum Closed {
    /// It is closed, and was not paid.
    Unpaid,
    /// It had been paid: this must be acted on instead.
    Completed(Box<Notice>),
}

/// Where a payment page stands.
#[derive(Debug)]
pub enum PageState {
    /// It can be paid.
    Open,
    /// It is closed, and was not paid.
    Expired,
    /// It was filled in: this must be acted on.
    Completed(Box<Notice>),
}

impl Https {
    fn from_environment(environment: &Environment, live_mode: bool) -> Result<Self, ConfigError> {
        match environment.text(STRIPE_URL) {
            Err(_) => Ok(Self::default()),
            Ok(url) if !live_mode => Ok(Self { base_url: Some(url) }),
            Ok(_) => Err(ConfigError {
                variable: STRIPE_URL,
                problem: format!("is set, and {STRIPE_LIVE_MODE} is true: unset one"),
            }),
        }
    }
}

impl Wire for Https {
    type Client = Client;

    fn client(&self, key: &str) -> Result<Client, StripeError> {
        let builder = ClientBuilder::new(key).timeout(CALL_TIMEOUT);
        match &self.base_url {
            Some(_) if key.contains("_live_") => {
                let problem = format!("{STRIPE_URL} is set, and the key is one of live mode");
                return Err(StripeError::ConfigError(problem));
            }
            Some(url) => builder.url(url),
            None => builder,
        }
        .build()
    }
}

impl Stripe {
    /// Stripe as a function's environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn from_environment(runtime: &Runtime) -> Result<Self, ConfigError> {
        let settings = StripeSettings {
            secret: runtime.secret(STRIPE_SECRET_KEY_ARN)?,
            stage: runtime.environment.text(STAGE)?,
            live_mode: runtime.environment.truth(STRIPE_LIVE_MODE)?,
        };
        let wire = Https::from_environment(&runtime.environment, settings.live_mode)?;
        Ok(Self::new(settings, wire))
    }
}

impl<W: Wire> Stripe<W> {
    /// Stripe, so configured, at the end of this wire.
    #[must_use]
    pub const fn new(settings: StripeSettings, wire: W) -> Self {
        Self { settings, wire, client: Mutex::new(None) }
    }

    /// Makes the payment page of an order's stored parameters.
    ///
    /// The parameters depend on nothing else, so the same attempt is always the same request.
    ///
    /// # Errors
    /// [`CallFailed`], by what may be done next.
    pub async fn create_session(
        &self,
        record: &OrderRecord,
        now: Timestamp,
    ) -> Result<CheckoutSession, CallFailed> {
        let refused = |what: &str| CallFailed::Refused(what.to_owned());
        let checkout = record.checkout.as_ref().ok_or_else(|| refused("no parameters"))?;
        let key = format!("{}:{}", record.order.id, checkout.attempt);
        let key = IdempotencyKey::new(key).map_err(|error| refused(&error.to_string()))?;
        let request = self.parameters(record).ok_or_else(|| refused("amount or currency"))?;
        let request = request.customize().request_strategy(RequestStrategy::Idempotent(key));
        let session = self.send(request, now).await?;
        if session.livemode != self.settings.live_mode {
            return Err(refused("STRIPE_LIVE_MODE does not fit the API key"));
        }
        let url = session.url.ok_or_else(|| refused("a session without an address"))?;
        Ok(CheckoutSession { id: session.id.to_string(), url })
    }

    /// Closes a payment page, unless it was paid before.
    ///
    /// # Errors
    /// [`Unavailable::Provider`] or a refusal that only a wrong configuration can bring.
    pub async fn close(
        &self,
        record: &OrderRecord,
        id: &str,
        now: Timestamp,
    ) -> Result<Closed, Error> {
        match self.send(ExpireCheckoutSession::new(id).customize(), now).await {
            Ok(_) => return Ok(Closed::Unpaid),
            // Stripe refuses to close what is not open: look at it.
            Err(CallFailed::Refused(_)) => {}
            Err(failed) => return Err(failed.into()),
        }
        match self.look(record, id, now).await? {
            PageState::Expired => Ok(Closed::Unpaid),
            PageState::Completed(notice) => Ok(Closed::Completed(notice)),
            PageState::Open => {
                Err(Unavailable::Provider(format!("{id} could not be closed")).into())
            }
        }
    }

    /// Looks at a payment page of an order.
    ///
    /// # Errors
    /// [`Unavailable::Provider`] or a refusal that only a wrong configuration can bring.
    pub async fn look(
        &self,
        record: &OrderRecord,
        id: &str,
        now: Timestamp,
    ) -> Result<PageState, Error> {
        let request = get(&format!("/checkout/sessions/{id}")).query(&CHARGE);
        let session = self.call(request, now).await?;
        if session.get("id").and_then(Value::as_str) != Some(id) {
            return Err(
                Unavailable::Provider(format!("what is no page was answered for {id}")).into()
            );
        }
        match session.get("status").and_then(Value::as_str) {
            Some("expired") => Ok(PageState::Expired),
            Some("complete") => {
                let what = event::of_page(&session, now)
                    .map_err(|field| BrokenRecord::Provider(format!("{id}: {field}")))?;
                Ok(PageState::Completed(Box::new(Notice {
                    id: id.to_owned(),
                    account: record.order.account.clone(),
                    order: record.order.id.clone(),
                    what,
                })))
            }
            _ => Ok(PageState::Open),
        }
    }

    /// The name of the deployment.
    pub(super) fn stage(&self) -> &str {
        &self.settings.stage
    }

    /// Reads something leniently, field by field, as events are read: what we do not know of it never fails.
    pub(super) async fn call(
        &self,
        request: RequestBuilder,
        now: Timestamp,
    ) -> Result<Value, CallFailed> {
        let answer = self.send(request.customize::<miniserde::json::Value>(), now).await?;
        serde_json::from_str(&miniserde::json::to_string(&answer))
            .map_err(|error| CallFailed::Repeat(error.to_string()))
    }

    /// Makes one call. A key that is refused may have been rotated: it is loaded again. If that brings no other,
    /// nothing will go on by itself, and somebody must hear of it.
    pub(super) async fn send<Answer: miniserde::Deserialize>(
        &self,
        request: CustomizableStripeRequest<Answer>,
        now: Timestamp,
    ) -> Result<Answer, CallFailed> {
        let (key, client) = self.client(now).await?;
        let error = match request.send(&client).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if !matches!(error, StripeError::Stripe(_, 401)) {
            return Err(failed(error));
        }
        // Loaded or not, the next call asks for it again.
        if self.settings.secret.get_again(now).await.is_ok_and(|found| found == key) {
            error!("Stripe refuses the API key, and its secret holds no other");
        }
        Err(CallFailed::Repeat(failed(error).to_string()))
    }

    fn parameters(&self, record: &OrderRecord) -> Option<CreateCheckoutSession> {
        let (order, checkout) = (&record.order, record.checkout.as_ref()?);
        let currency = order.payable.currency;
        let marks = HashMap::from([
            (STAGE_MARK.to_owned(), self.settings.stage.clone()),
            (ACCOUNT_MARK.to_owned(), order.account.to_string()),
            (ORDER_MARK.to_owned(), order.id.to_string()),
        ]);
        let mut price = CreateCheckoutSessionLineItemsPriceData::new(currency_of(currency.code())?);
        price.unit_amount = Some(order.payable.amount.to_minor_units(currency)?);
        price.product_data = Some(ProductData::new(checkout.description.clone()));
        let mut item = CreateCheckoutSessionLineItems::new();
        item.price_data = Some(price);
        item.quantity = Some(1);
        // Session metadata does not reach the payment: it carries the marks itself.
        let mut payment = CreateCheckoutSessionPaymentIntentData::new();
        payment.metadata = Some(marks.clone());
        let mut localised = CreateCheckoutSessionAdaptivePricing::new();
        localised.enabled = Some(false);
        let request = CreateCheckoutSession::new()
            .mode(CheckoutSessionMode::Payment)
            .line_items(vec![item])
            .allowed_payment_method_types(vec![
                CreateCheckoutSessionAllowedPaymentMethodTypes::Card,
            ])
            .adaptive_pricing(localised)
            .success_url(&checkout.return_url)
            .cancel_url(&checkout.return_url)
            .client_reference_id(order.id.as_str())
            .metadata(marks)
            .payment_intent_data(payment)
            .expires_at(checkout.expires_at.unix_seconds());
        Some(match &record.request.email {
            Some(email) => request.customer_email(email),
            None => request,
        })
    }

    /// The key of the next call, and its client.
    async fn client(&self, now: Timestamp) -> Result<(String, W::Client), CallFailed> {
        let secret = self.settings.secret.get(now).await;
        let secret = secret.map_err(|error| CallFailed::Repeat(error.to_string()))?;
        let mut known = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((key, client)) = known.as_ref()
            && *key == secret
        {
            return Ok((secret, client.clone()));
        }
        let client = self.wire.client(&secret).map_err(failed)?;
        *known = Some((secret.clone(), client.clone()));
        Ok((secret, client))
    }
}

impl<W: Wire> fmt::Debug for Stripe<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Stripe").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl fmt::Display for CallFailed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeat(why)
            | Self::NextAttempt(why)
            | Self::Unclear(why)
            | Self::Missing(why)
            | Self::Refused(why) => formatter.write_str(why),
        }
    }
}

impl From<CallFailed> for Error {
    fn from(failed: CallFailed) -> Self {
        match failed {
            CallFailed::Repeat(why) | CallFailed::NextAttempt(why) | CallFailed::Unclear(why) => {
                Unavailable::Provider(why).into()
            }
            CallFailed::Missing(why) | CallFailed::Refused(why) => {
                BrokenRecord::Provider(why).into()
            }
        }
    }
}

/// What a failed call means. Stripe's own sentence stays out: it can repeat an e-mail address.
fn failed(error: StripeError) -> CallFailed {
    match error {
        StripeError::Stripe(answer, status) => {
            let code = answer.code.as_ref().map(ToString::to_string).unwrap_or_default();
            let more = [Some(code.as_str()), answer.param.as_deref()];
            let more = more.into_iter().flatten().filter(|word| !word.is_empty());
            let why = more.fold(format!("{status} {}", answer.type_), |why, word| why + " " + word);
            match status {
                // 424: what Stripe itself depends on failed.
                409 | 424 | 429 => CallFailed::Repeat(why),
                // Stripe keeps a 5xx answer under its key and gives it again.
                500.. => CallFailed::Unclear(why),
                404 => CallFailed::Missing(why),
                _ if code == "resource_missing" => CallFailed::Missing(why),
                _ if answer.type_ == ApiErrorsType::IdempotencyError => {
                    CallFailed::NextAttempt(why)
                }
                _ => CallFailed::Refused(why),
            }
        }
        StripeError::Timeout | StripeError::ClientError(_) => {
            CallFailed::Repeat("no answer".to_owned())
        }
        // A 5xx whose body is not JSON arrives here without its status.
        StripeError::JSONDeserialize(why) => CallFailed::Unclear(format!("unreadable: {why}")),
        StripeError::ConfigError(why) => CallFailed::Refused(why),
    }
}

pub(super) fn get(path: &str) -> RequestBuilder {
    RequestBuilder::new(StripeMethod::Get, path)
}

fn currency_of(code: &str) -> Option<stripe_types::Currency> {
    #[expect(clippy::disallowed_methods, reason = "the only way to name a currency of the crate")]
    code.to_ascii_lowercase().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_money_goes_to_stripe_itself() {
        let stand_in = Environment::of(&[(STRIPE_URL, "http://127.0.0.1:8788/")]);
        let none = Environment::default();
        for (environment, live_mode, expected) in [
            (&none, true, Ok(None)),
            (&none, false, Ok(None)),
            (&stand_in, false, Ok(Some("http://127.0.0.1:8788/"))),
            (&stand_in, true, Err(STRIPE_URL)),
        ] {
            let wire = Https::from_environment(environment, live_mode);
            let found = wire.as_ref().map(|wire| wire.base_url.as_deref());
            assert_eq!(found.map_err(|error| error.variable), expected);
        }
        let stand_in = Https { base_url: Some("http://127.0.0.1:8788/".to_owned()) };
        assert!(stand_in.client("sk_test_1").is_ok());
        assert!(stand_in.client("sk_live_1").is_err());
        assert!(Https::default().client("sk_live_1").is_ok());
    }
}
