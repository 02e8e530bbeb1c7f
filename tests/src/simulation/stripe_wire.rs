//! The wire under the Stripe client: its requests go through the simulated network.

use std::time::Duration;

use axum::body::Bytes;
use service::stripe::Wire;
use stripe::StripeError;
use stripe_client_core::{CustomizedStripeRequest, StripeClient, StripeMethod};
use tokio::time::timeout;

use super::network::{Call, Network};

/// How long the client waits for an answer, as in production.
const PATIENCE: Duration = Duration::from_secs(6);

/// The wire of the Stripe client.
#[derive(Clone, Debug)]
pub struct StripeWire(pub Network);

impl Wire for StripeWire {
    type Client = Self;

    fn client(&self, _: &str) -> Result<Self, StripeError> {
        Ok(self.clone())
    }
}

impl StripeClient for StripeWire {
    type Err = StripeError;

    async fn execute(&self, request: CustomizedStripeRequest) -> Result<Bytes, StripeError> {
        let (request, settings) = request.into_pieces();
        let method = match request.method {
            StripeMethod::Get => "GET",
            StripeMethod::Post => "POST",
            StripeMethod::Delete => "DELETE",
        };
        // A GET says in its query what others say in their bodies.
        let asked = request.body.or(request.query);
        let key = settings.request_strategy.and_then(|strategy| strategy.get_key());
        let call = Call {
            wire: "provider",
            operation: format!("{method} {}", request.path),
            body: asked.unwrap_or_default().into_bytes(),
            key: key.map(|key| key.as_str().to_owned()),
        };
        let answered = timeout(PATIENCE, self.0.send(call)).await;
        let reply = answered.ok().and_then(Result::ok).ok_or(StripeError::Timeout)?;
        if reply.status == 200 {
            return Ok(Bytes::from(reply.body));
        }
        let text = String::from_utf8(reply.body).unwrap_or_default();
        match miniserde::json::from_str::<stripe_shared::Error>(&text) {
            Ok(error) => Err(StripeError::Stripe(error.error, reply.status)),
            Err(_) => Err(StripeError::JSONDeserialize(text)),
        }
    }
}
