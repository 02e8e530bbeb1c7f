//! `POST /v1/orders/{order_id}/cancel`: only for an order that awaits its payment.

use lambda_http::{Body, Request, Response};
use ledger::Timestamp;
use service::cancellations::Cancellations;
use service::config::ConfigError;
use service::http::{self, Reply, answer};
use service::keys::Scope;
use service::lambda::Runtime;
use service::log;
use service::stripe::{Https, Stripe, Wire};

/// The function `cancel-order`.
#[derive(Debug)]
pub struct CancelOrder<W: Wire = Https>(pub Cancellations<W>);

impl CancelOrder {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        let stripe = Stripe::from_environment(runtime)?;
        Ok(Self(Cancellations { table: runtime.table()?, stripe }))
    }
}

impl<W: Wire> CancelOrder<W> {
    /// Answers one request.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        answer(request, |call| async move {
            let caller = call.customer(Scope::OrdersWrite, now)?;
            let id = http::order_id(request)?;
            let record = self.0.cancel(&caller.account, &id, &caller.by, now).await?;
            log::about(&caller.account, Some(&id));
            Ok(Reply::Ok(http::order(&record, now)))
        })
        .await
    }
}
