//! `POST /v1/charges`, `POST /v1/charges/batch` and `GET /v1/charges/{charge_id}`: what is used is paid
//! out of the balance of its product, at once.

use std::sync::Arc;
use std::time::Duration;

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use ledger::{ChargeId, Timestamp, WantedCharge};
use service::catalogue::CatalogueCache;
use service::charges::{AskedCharge, Charges, MAX_BATCH};
use service::config::ConfigError;
use service::error::{Error, Unavailable};
use service::http::{self, Call, Parameters, Reply, answer, json_body};
use service::keys::Scope;
use service::lambda::Runtime;
use tokio::time::Instant;

/// Longest body of a batch.
const MAX_BATCH_BODY: usize = 1024 * 1024;
/// How long a batch may begin commits; the request may take 22 s.
const BATCH_TIME: Duration = Duration::from_secs(12);

/// The function `charge`.
#[derive(Debug)]
pub struct ChargeUsage(pub Charges);

impl ChargeUsage {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        Ok(Self(Charges { table: runtime.table()?, catalogue: CatalogueCache::default() }))
    }

    /// Answers one request.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        answer(request, |call| async move {
            match (request.method(), http::last_part(request)) {
                (&Method::POST, "batch") => self.charge_all(&call, request, now).await,
                (&Method::POST, _) => self.charge(&call, request, now).await,
                _ => self.look_up(&call, request, now).await,
            }
        })
        .await
    }

    async fn charge(&self, call: &Call, request: &Request, now: Timestamp) -> Result<Reply, Error> {
        let caller = call.customer(Scope::UsageWrite, now)?;
        let id = ChargeId::derive(&caller.account, &Call::idempotency_key(request)?);
        let mut fields = json_body(request)?;
        let product = fields.product("product")?;
        let amount = fields.amount("amount")?.amount;
        let words = fields.usage_words()?;
        fields.finish()?;
        let wanted = WantedCharge { id, product, amount, by: caller.by };
        let asked = AskedCharge { account: caller.account, wanted, words };
        let made = self.0.make(&asked, now).await?;
        Ok(made.reply(http::charge))
    }

    async fn charge_all(
        &self,
        call: &Call,
        request: &Request,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let began = Instant::now();
        let (own, by) = call.meter(now)?;
        let fields = http::json_charges(request, MAX_BATCH, MAX_BATCH_BODY)?;
        let read: Vec<_> =
            fields.into_iter().map(|one| http::asked_charge(one, own.as_ref(), &by)).collect();
        let asked: Vec<AskedCharge> =
            read.iter().filter_map(|(_, asked)| asked.as_ref().ok().cloned()).collect();
        let end = began.checked_add(BATCH_TIME).unwrap_or(began);
        let mut made = self.0.make_all(&asked, end, now).await.into_iter();
        let outcomes = read.into_iter().map(|(item, asked)| {
            let unknown = || Err(Arc::new(Unavailable::Slow.into()));
            let outcome = match asked {
                Ok(_) => made.next().unwrap_or_else(unknown),
                Err(error) => Err(Arc::new(error)),
            };
            (item, outcome)
        });
        let outcomes: Vec<_> = outcomes.collect();
        Ok(Reply::Ok(http::charge_outcomes(&outcomes, &call.request_id)))
    }

    async fn look_up(
        &self,
        call: &Call,
        request: &Request,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let caller = call.customer(Scope::BalancesRead, now)?;
        Parameters::of(request).finish()?;
        let id = http::charge_id(request)?;
        Ok(Reply::Ok(http::charge(&self.0.one(&caller.account, &id).await?)))
    }
}
