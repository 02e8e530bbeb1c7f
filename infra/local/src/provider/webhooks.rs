//! Sends the events to the merchant's endpoint, signed as Stripe signs them.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use sha2::Sha256;
use tokio::task::JoinSet;

use super::deliveries::Delivery;
use super::store::{Books, StoreError};
use super::{Provider, shapes};

/// How long the endpoint may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the loop looks for sessions that the clock has closed.
const TICK: Duration = Duration::from_millis(250);

/// An HTTP client for one endpoint on this machine.
pub(super) type Sender = Client<HttpConnector, Body>;

impl Provider {
    /// Sends what is due, forever. Deliveries under way stop when this future is dropped; they are
    /// sent again by the next run.
    pub(super) async fn deliver(&self) {
        let mut under_way = JoinSet::new();
        loop {
            match self.claim() {
                Ok(due) => due.into_iter().for_each(|delivery| {
                    let provider = self.clone();
                    under_way.spawn(async move { provider.attempt(delivery).await });
                }),
                Err(error) => tracing::error!(%error, "webhook deliveries cannot be read"),
            }
            tokio::select! {
                Some(_) = under_way.join_next() => {}
                () = self.0.wake.notified() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Waits until the endpoint has answered an event once, well or badly. Stripe too holds the
    /// payer's redirect for this, and for at most ten seconds.
    pub(super) async fn first_answer(&self, event: &str) {
        self.until_answered(|books| books.awaits_first_answer(event)).await;
    }

    /// Waits until the endpoint has answered each time that an event is sent now.
    pub(super) async fn every_answer(&self, event: &str) {
        self.until_answered(|books| books.awaits_answer(event)).await;
    }

    async fn until_answered(&self, waits: impl Fn(&Books<'_>) -> Result<bool, StoreError>) {
        let answered = async {
            loop {
                let next = self.0.answered.notified();
                let waits = self.0.store.transaction(|books| waits(books));
                if !waits.unwrap_or(false) {
                    return;
                }
                next.await;
            }
        };
        // The time being up is no failure: the payer goes on and the event is tried again.
        tokio::time::timeout(PATIENCE, answered).await.unwrap_or_default();
    }

    fn claim(&self) -> Result<Vec<Delivery>, StoreError> {
        self.transact(|announcer| announcer.books.claim_due(announcer.wall))
    }

    async fn attempt(&self, delivery: Delivery) {
        let taken = tokio::time::timeout(PATIENCE, self.send(&delivery)).await.unwrap_or(false);
        let written = self.0.store.transaction(|books| match taken {
            true => books.accepted(delivery.id),
            false => books.refused(delivery.id, self.0.wall.unix_millis()),
        });
        if let Err(error) = written {
            tracing::error!(%error, "the outcome of a webhook delivery was not written");
        }
        self.0.answered.notify_waiters();
    }

    /// Whether the endpoint took the event.
    async fn send(&self, delivery: &Delivery) -> bool {
        let payload = shapes::event(&delivery.event, 1).to_string();
        let settings = &self.0.settings;
        let Some(signature) = sign(&settings.webhook_secret, self.now(), &payload) else {
            return false;
        };
        let request = Request::post(&settings.webhook_url)
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .header(header::USER_AGENT, "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
            .header("stripe-signature", signature)
            .body(Body::from(payload));
        let Ok(request) = request else { return false };
        let answer = self.0.sender.request(request).await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }
}

/// The value of `Stripe-Signature`, or nothing if the secret cannot be a key.
fn sign(secret: &str, at: i64, payload: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(format!("{at}.{payload}").as_bytes());
    Some(format!("t={at},v1={}", HEXLOWER.encode(&mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_an_hmac_over_the_time_and_the_payload() {
        // Computed with Python's hmac module.
        assert_eq!(
            sign("whsec_test", 1_700_000_000, "{}").as_deref(),
            Some(
                "t=1700000000,v1=35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91"
            )
        );
    }
}
