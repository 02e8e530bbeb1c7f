//! `POST /v1/webhooks/stripe`: the payment provider tells what happened.
//!
//! 200 once the effect is durable, queued, or nothing for this deployment; 400 for a signature
//! that is not Stripe's; 500 only when neither the table nor the queue took it, so that Stripe
//! sends it again.

use lambda_http::{Body, Request, Response};
use ledger::{PaymentId, Timestamp};
use service::config::{
    CONFIRMATION_QUEUE_URL, ConfigError, STAGE, STRIPE_LIVE_MODE, STRIPE_WEBHOOK_SECRET_ARN,
};
use service::error::{Error, Invalid};
use service::http::{self, Reply, answer};
use service::lambda::Runtime;
use service::log;
use service::notice::Told;
use service::payments::Confirmed;
use service::queue::ConfirmationQueue;
use service::webhook::{Received, WebhookReceiver};
use tracing::{error, info, warn};

/// Longest webhook that is looked at.
const MAX_BODY: usize = 1024 * 1024;

/// The function `payment-webhook`.
#[derive(Debug)]
pub struct PaymentWebhook(pub WebhookReceiver);

impl PaymentWebhook {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        let environment = &runtime.environment;
        let url = environment.text(CONFIRMATION_QUEUE_URL)?;
        Ok(Self(WebhookReceiver {
            table: runtime.table()?,
            queue: ConfirmationQueue::new(runtime.queues(), url),
            secrets: runtime.secret(STRIPE_WEBHOOK_SECRET_ARN)?,
            stage: environment.text(STAGE)?,
            live_mode: environment.truth(STRIPE_LIVE_MODE)?,
        }))
    }

    /// Answers one webhook.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        answer(request, |_| async move {
            let body = http::bytes(request, MAX_BODY)?;
            let signature = request.headers().get("stripe-signature");
            let signature = signature.and_then(|value| value.to_str().ok());
            let received = self.0.receive(body, signature, now).await?;
            tell(&received);
            acknowledge(&received)
        })
        .await
    }
}

fn acknowledge(received: &Received) -> Result<Reply, Error> {
    let outcome = match received {
        Received::Forged => {
            let detail = "the Stripe-Signature header does not fit the body".to_owned();
            return Err(Invalid { code: "invalid_signature", field: None, detail }.into());
        }
        Received::Ignored(why) => why,
        Received::OtherMode => "other_mode",
        Received::Confirmed(_, confirmed) => confirmed.name(),
        Received::Queued(..) => "queued",
    };
    Ok(Reply::Ok(serde_json::json!({"received": true, "outcome": outcome})))
}

fn tell(received: &Received) {
    match received {
        Received::Forged => warn!("a webhook without a genuine signature"),
        Received::Ignored(why) => info!(why, "webhook ignored"),
        Received::OtherMode => error!("STRIPE_LIVE_MODE does not fit the events that arrive"),
        Received::Confirmed(told, Confirmed::Found(kind)) => {
            about(told);
            error!(event = told.id(), finding = kind.name(), "money and records disagree");
        }
        Received::Confirmed(told, confirmed) => {
            about(told);
            let payment_id = told.payment_id().map(PaymentId::as_str);
            info!(payment_id, event = told.id(), outcome = confirmed.name(), "webhook");
        }
        Received::Queued(Some(told), cause) => {
            about(told);
            warn!(event = told.id(), cause, "webhook queued");
        }
        Received::Queued(None, cause) => error!(cause, "unreadable webhook queued"),
    }
}

/// What goes back says so itself, once its payment is known.
fn about(told: &Told) {
    if let Told::Payment(notice) = told {
        log::about(&notice.account, Some(&notice.order));
    }
}
