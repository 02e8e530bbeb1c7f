//! `POST` and `GET /v1/holds`, `GET /v1/holds/{hold_id}`, and `POST` to its `/capture` and `/release`:
//! money of a product is set aside for what is going to be used.

use std::time::Duration;

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use ledger::{Capture, ChargeId, HoldId, MAX_HOLD_TIME, MIN_HOLD_TIME, Timestamp, WantedHold};
use service::catalogue::CatalogueCache;
use service::config::{CURSOR_SECRET_ARN, ConfigError};
use service::cursor::Cursors;
use service::error::Error;
use service::holds::{self, Holds};
use service::http::{self, Call, Fields, Parameters, Reply, answer, json_body};
use service::keys::Scope;
use service::lambda::Runtime;

/// The function `hold`.
#[derive(Debug)]
pub struct HoldMoney(pub Holds);

impl HoldMoney {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        let cursors = Cursors::new(runtime.secret(CURSOR_SECRET_ARN)?);
        let catalogue = CatalogueCache::default();
        Ok(Self(Holds { table: runtime.table()?, catalogue, cursors }))
    }

    /// Answers one request.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        answer(request, |call| async move {
            match (request.method(), http::last_part(request)) {
                (&Method::POST, "holds") => self.place(&call, request, now).await,
                (&Method::POST, "capture") => self.capture(&call, request, now).await,
                (&Method::POST, _) => self.release(&call, request, now).await,
                (_, "holds") => self.list(&call, request, now).await,
                _ => self.look_up(&call, request, now).await,
            }
        })
        .await
    }

    async fn place(&self, call: &Call, request: &Request, now: Timestamp) -> Result<Reply, Error> {
        let caller = call.customer(Scope::UsageWrite, now)?;
        let id = HoldId::derive(&caller.account, &Call::idempotency_key(request)?);
        let mut fields = json_body(request)?;
        let product = fields.product("product")?;
        let amount = fields.amount("amount")?.amount;
        let time = time_of(&mut fields)?;
        let words = fields.usage_words()?;
        fields.finish()?;
        let wanted = WantedHold { id, product, amount, time, by: caller.by };
        let placed = self.0.place(&caller.account, &wanted, &words, now).await?;
        Ok(placed.reply(http::hold))
    }

    async fn capture(
        &self,
        call: &Call,
        request: &Request,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let caller = call.customer(Scope::UsageWrite, now)?;
        let id = ChargeId::of_capture(&caller.account, &Call::idempotency_key(request)?);
        let mut fields = json_body(request)?;
        let amount = fields.amount("amount")?.amount;
        let last = fields.flag("final")?;
        fields.finish()?;
        let wanted = Capture { id, amount, last, by: caller.by };
        let captured =
            self.0.capture(&caller.account, &http::hold_id(request)?, &wanted, now).await?;
        Ok(captured.reply(|(charge, hold)| http::capture(charge, hold)))
    }

    async fn release(
        &self,
        call: &Call,
        request: &Request,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let caller = call.customer(Scope::UsageWrite, now)?;
        // A hold is given up as a whole: an amount would be dropped in silence.
        http::no_body(request)?;
        let released = self.0.release(&caller.account, &http::hold_id(request)?, now).await?;
        Ok(Reply::Ok(http::hold(&released)))
    }

    async fn look_up(
        &self,
        call: &Call,
        request: &Request,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let caller = call.customer(Scope::BalancesRead, now)?;
        Parameters::of(request).finish()?;
        let hold = self.0.one(&caller.account, &http::hold_id(request)?, now).await?;
        Ok(Reply::Ok(http::hold(&hold)))
    }

    async fn list(&self, call: &Call, request: &Request, now: Timestamp) -> Result<Reply, Error> {
        let caller = call.customer(Scope::BalancesRead, now)?;
        let mut parameters = Parameters::of(request);
        let status = holds::status_of(&mut parameters)?;
        let wanted = parameters.page(status)?;
        Ok(Reply::Ok(http::holds(&self.0.list(&caller.account, &wanted, now).await?)))
    }
}

/// For how long money is to be set aside, in seconds.
fn time_of(fields: &mut Fields) -> Result<Duration, Error> {
    let among = MIN_HOLD_TIME.as_secs()..=MAX_HOLD_TIME.as_secs();
    fields.whole("expires_in", &among).map(Duration::from_secs)
}
