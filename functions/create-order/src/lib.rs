//! `POST /v1/orders`: a top-up of the wallet or of a product, by card or by bank transfer.

use lambda_http::{Body, Request, Response};
use ledger::{Currency, Method, OrderId, ProductCode, Rate, Target, Timestamp};
use service::catalogue::CatalogueCache;
use service::config::ConfigError;
use service::error::{Error, Invalid};
use service::http::{Call, Fields, Reply, answer, json_body};
use service::keys::{Scope, draw_secret};
use service::lambda::Runtime;
use service::orders::{Orders, WantedOrder};
use service::record::RequestWords;
use service::stripe::{Https, Stripe, Wire};

/// The function `create-order`.
#[derive(Debug)]
pub struct CreateOrder<W: Wire = Https>(pub Orders<W>);

impl CreateOrder {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        Ok(Self(Orders {
            table: runtime.table()?,
            stripe: Stripe::from_environment(runtime)?,
            catalogue: CatalogueCache::default(),
            return_urls: runtime.environment.return_urls()?,
            draw: draw_secret,
        }))
    }
}

impl<W: Wire> CreateOrder<W> {
    /// Answers one request.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        answer(request, |call| async move {
            let wanted = parse(request, &call, now)?;
            let made = self.0.make(&wanted, now).await?;
            Ok(Reply::made(&made, now))
        })
        .await
    }
}

fn parse(request: &Request, call: &Call, now: Timestamp) -> Result<WantedOrder, Error> {
    let caller = call.customer(Scope::OrdersWrite, now)?;
    let key = Call::idempotency_key(request)?;
    let mut fields = json_body(request)?;
    let target = target(&mut fields)?;
    let method = fields.text("method")?;
    let amount = fields.amount("amount")?;
    let currency = fields.optional_text("currency")?;
    let fx_rate = fields.optional_parsed("fx_rate", Rate::parse)?;
    let words = RequestWords {
        email: fields.optional_text("email")?,
        return_url: fields.optional_text("return_url")?,
        metadata: fields.metadata()?,
    };
    fields.finish()?;
    let method = Method::parse(&method)
        .ok_or_else(|| Invalid::field("unknown_method", "method", "must be 'card' or 'offline'"))?;
    if method == Method::Balance {
        let detail = "is not taken here: a product is topped up from the wallet by POST \
                      /v1/transfers";
        return Err(Invalid::field("method_not_allowed", "method", detail).into());
    }
    if words.email.as_ref().is_some_and(|email| !plausible_email(email)) {
        return Err(Invalid::field("invalid_field", "email", "must be an e-mail address").into());
    }
    let currency = currency
        .map(|code| Currency::parse(&code))
        .transpose()
        .map_err(|error| Invalid::field("unknown_currency", "currency", error.to_string()))?;
    let id = OrderId::of_request(&caller.account, &key);
    let (account, by) = (caller.account, caller.by);
    Ok(WantedOrder { id, account, target, method, amount, currency, fx_rate, words, by })
}

fn target(fields: &mut Fields) -> Result<Target, Error> {
    let target = fields.text("target")?;
    let product = fields.optional_text("product")?;
    let wrong =
        |field: &str, detail: &str| Error::from(Invalid::field("invalid_field", field, detail));
    match (target.as_str(), product) {
        ("wallet", None) => Ok(Target::Wallet),
        ("wallet", Some(_)) => Err(wrong("product", "belongs to target 'product' only")),
        ("product", Some(code)) => ProductCode::parse(&code).map(Target::Product).map_err(|_| {
            let detail = "there is no such product; GET /v1/products lists them";
            Invalid::field("unknown_product", "product", detail).into()
        }),
        ("product", None) => Err(Invalid::field("missing_field", "product", "is required").into()),
        _ => Err(wrong("target", "must be 'wallet' or 'product'")),
    }
}

/// Enough that Stripe takes it: it refuses a page with an address that cannot be one. The part
/// before the '@' is an RFC 5322 dot-atom, the part after it a host name.
fn plausible_email(email: &str) -> bool {
    let atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let name = |name: &str| name.split('.').all(|part| !part.is_empty() && part.bytes().all(atom));
    let label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let host = |host: &str| host.contains('.') && host.split('.').all(label);
    email.len() <= 254
        && email.split_once('@').is_some_and(|(before, after)| name(before) && host(after))
}
