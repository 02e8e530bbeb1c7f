//! `POST /v1/admin/orders/{order_id}/refunds`: gives money of an order back; and
//! `POST /v1/admin/findings/{finding_id}/refund` a payment that no order could take.
//!
//! 201 with the refund, `pending` if nobody knows yet whether the provider has made it: the money is
//! set aside, and the provider's notice, a repetition or the sweep ends it.

use lambda_http::{Body, Request, RequestExt, Response};
use ledger::{BankReference, Note, RefundId, Timestamp};
use service::config::ConfigError;
use service::error::Error;
use service::http::{self, Call, Reply, answer, json_body};
use service::keys::Scope;
use service::lambda::Runtime;
use service::log;
use service::record::Once;
use service::refunds::{RefundRequest, Refunds};
use service::stripe::{Https, Stripe, Wire};

/// The function `refund-order`.
#[derive(Debug)]
pub struct RefundOrder<W: Wire = Https>(pub Refunds<W>);

impl RefundOrder {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        let (table, stripe) = (runtime.table()?, Stripe::from_environment(runtime)?);
        Ok(Self(Refunds { table, stripe }))
    }
}

impl<W: Wire> RefundOrder<W> {
    /// Answers one request.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        answer(request, |call| async move {
            let parameters = request.path_parameters();
            match parameters.first("finding_id") {
                Some(finding) => self.give_back(&call, finding, request, now).await,
                None => self.refund(&call, request, now).await,
            }
        })
        .await
    }

    /// Gives the payment of a finding back.
    async fn give_back(
        &self,
        call: &Call,
        finding: &str,
        request: &Request,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let operator = call.operator(Scope::OperatorMoney, now)?;
        let mut fields = json_body(request)?;
        let reason = fields.parsed("reason", Note::parse)?;
        fields.finish()?;
        let record = self.0.give_back(finding, &reason, &operator.by, now).await?;
        Ok(Reply::Ok(http::finding(&record)))
    }

    async fn refund(&self, call: &Call, request: &Request, now: Timestamp) -> Result<Reply, Error> {
        let operator = call.operator(Scope::OperatorMoney, now)?;
        let order = http::order_id(request)?;
        let id = RefundId::derive(&order, &Call::idempotency_key(request)?);
        let mut fields = json_body(request)?;
        let wanted = RefundRequest {
            order,
            id,
            amount: fields.amount("amount")?,
            reason: fields.parsed("reason", Note::parse)?,
            bank_reference: fields.optional_parsed("bank_reference", BankReference::parse)?,
            by: operator.by,
        };
        fields.finish()?;
        let made = self.0.make(&wanted, now).await?;
        let (Once::Now((record, _)) | Once::Before((record, _))) = &made;
        log::about(&record.order.account, Some(&wanted.order));
        Ok(made.reply(|(record, refund)| http::refund(refund, record)))
    }
}
