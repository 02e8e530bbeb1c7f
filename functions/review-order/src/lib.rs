//! The review desk: `POST /v1/admin/orders/{order_id}/accept` and `/reject`, and
//! `POST /v1/admin/accounts/{account_id}/received-payments` for a transfer without an order.

use lambda_http::{Body, Request, Response};
use ledger::{BankReference, Currency, Note, ProductCode, Target, Timestamp};
use service::catalogue::CatalogueCache;
use service::config::ConfigError;
use service::error::{Error, Invalid};
use service::http::{self, Call, Fields, Reply, answer, json_body};
use service::keys::Scope;
use service::lambda::Runtime;
use service::log;
use service::reviews::{ArrivedAt, FoundTransfer, Reviewer, Reviews, review_id};

/// The function `review-order`.
#[derive(Debug)]
pub struct ReviewOrder(pub Reviews);

impl ReviewOrder {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        Ok(Self(Reviews { table: runtime.table()?, catalogue: CatalogueCache::default() }))
    }

    /// Answers one request.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        answer(request, |call| async move {
            let operator = call.operator(Scope::OperatorReview, now)?;
            let reviewer = Reviewer { by: operator.by, now };
            match http::last_part(request) {
                "accept" => self.accept(request, &reviewer).await,
                "reject" => self.reject(request, &reviewer).await,
                "received-payments" => self.book(request, &reviewer).await,
                _ => Err(Error::NotFound { what: "route" }),
            }
        })
        .await
    }

    async fn accept(&self, request: &Request, reviewer: &Reviewer) -> Result<Reply, Error> {
        let id = http::order_id(request)?;
        let key = Call::idempotency_key(request)?;
        let mut fields = json_body(request)?;
        let mut found = found(&mut fields)?;
        found.difference_confirmed = fields.flag("confirm_difference")?;
        found.report_seen = fields.optional_moment("reported_at")?;
        fields.finish()?;
        let made = self.0.accept(&id, &found, &review_id(&id, &key), reviewer).await?;
        Ok(Reply::made(&made, reviewer.now))
    }

    async fn reject(&self, request: &Request, reviewer: &Reviewer) -> Result<Reply, Error> {
        let id = http::order_id(request)?;
        let mut fields = json_body(request)?;
        let reason = fields.parsed("reason", Note::parse)?;
        let report_seen = fields.optional_moment("reported_at")?;
        fields.finish()?;
        let record = self.0.reject(&id, &reason, report_seen, reviewer).await?;
        log::about(&record.order.account, Some(&id));
        Ok(Reply::Ok(http::order(&record, reviewer.now)))
    }

    async fn book(&self, request: &Request, reviewer: &Reviewer) -> Result<Reply, Error> {
        let account = http::account_id(request)?;
        let key = Call::idempotency_key(request)?;
        let mut fields = json_body(request)?;
        let target = match fields.optional_text("product")? {
            None => Target::Wallet,
            Some(code) => Target::Product(ProductCode::parse(&code).map_err(|_| {
                let detail = "there is no such product";
                Invalid::field("unknown_product", "product", detail)
            })?),
        };
        let arrived_at = fields.optional_text("statement_id")?.map(ArrivedAt::Statement);
        let found = found(&mut fields)?;
        let found = FoundTransfer { arrived_at: arrived_at.unwrap_or(found.arrived_at), ..found };
        fields.finish()?;
        let made = self.0.book(&account, &target, &found, &key, reviewer).await?;
        Ok(Reply::made(&made, reviewer.now))
    }
}

/// The transfer that a person found at the bank.
fn found(fields: &mut Fields) -> Result<FoundTransfer, Error> {
    let currency = fields.text("received_currency")?;
    Ok(FoundTransfer {
        amount: fields.amount("received_amount")?,
        currency: Currency::parse(&currency).map_err(|error| {
            Invalid::field("unknown_currency", "received_currency", error.to_string())
        })?,
        bank_reference: fields.parsed("bank_reference", BankReference::parse)?,
        received_on: fields.day("received_on")?,
        arrived_at: ArrivedAt::Expected,
        difference_confirmed: false,
        report_seen: None,
    })
}
