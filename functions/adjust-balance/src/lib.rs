//! `POST` and `GET /v1/admin/accounts/{account_id}/adjustments`: the operator corrects a balance, and
//! looks up what was corrected.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use ledger::{AccountId, Note, Timestamp};
use service::adjustments::{Adjustments, WantedAdjustment};
use service::catalogue::CatalogueCache;
use service::config::{CURSOR_SECRET_ARN, ConfigError};
use service::cursor::Cursors;
use service::error::Error;
use service::http::{self, Call, Parameters, Reply, answer, json_body};
use service::keys::Scope;
use service::lambda::Runtime;
use service::log;

/// The function `adjust-balance`.
#[derive(Debug)]
pub struct AdjustBalance(pub Adjustments);

impl AdjustBalance {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        Ok(Self(Adjustments {
            table: runtime.table()?,
            catalogue: CatalogueCache::default(),
            cursors: Cursors::new(runtime.secret(CURSOR_SECRET_ARN)?),
        }))
    }

    /// Answers one request.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        answer(request, |call| async move {
            let account = http::account_id(request)?;
            log::about(&account, None);
            match *request.method() {
                Method::POST => self.adjust(&call, &account, request, now).await,
                _ => self.list(&call, &account, request, now).await,
            }
        })
        .await
    }

    async fn adjust(
        &self,
        call: &Call,
        account: &AccountId,
        request: &Request,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let operator = call.operator(Scope::OperatorMoney, now)?;
        let key = Call::idempotency_key(request)?;
        let mut fields = json_body(request)?;
        let target = fields.balance("balance")?;
        let (direction, amount) = fields.signed_amount("amount")?;
        let reason = fields.parsed("reason", Note::parse)?;
        fields.finish()?;
        let wanted = WantedAdjustment { target, direction, amount, reason, by: operator.by };
        let (adjusted, currency) = self.0.make(account, &wanted, &key, now).await?;
        Ok(adjusted.reply(|one| http::adjustment(one, currency)))
    }

    async fn list(
        &self,
        call: &Call,
        account: &AccountId,
        request: &Request,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        call.operator(Scope::OperatorRead, now)?;
        let wanted = Parameters::of(request).page(())?;
        let (page, currency) =
            self.0.list(account, wanted.cursor.as_deref(), wanted.limit, now).await?;
        Ok(Reply::Ok(http::adjustments(&page, currency)))
    }
}
