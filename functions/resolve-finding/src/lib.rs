//! `GET /v1/admin/findings`, and `POST /v1/admin/findings/{finding_id}/resolve` and `/credit`: where money
//! and records disagree, and what became of it.

use lambda_http::http::Method;
use lambda_http::{Body, Request, RequestExt, Response};
use ledger::{AccountId, Note, Timestamp};
use service::catalogue::CatalogueCache;
use service::config::{CURSOR_SECRET_ARN, ConfigError};
use service::cursor::Cursors;
use service::findings::{Credit, Findings};
use service::http::{self, Parameters, Reply, answer, json_body};
use service::keys::Scope;
use service::lambda::Runtime;
use service::log;

/// The function `resolve-finding`.
#[derive(Debug)]
pub struct ResolveFinding(pub Findings);

impl ResolveFinding {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        let cursors = Cursors::new(runtime.secret(CURSOR_SECRET_ARN)?);
        let catalogue = CatalogueCache::default();
        Ok(Self(Findings { table: runtime.table()?, catalogue, cursors }))
    }

    /// Answers one request.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        answer(request, |call| async move {
            let parameters = request.path_parameters();
            let id = parameters.first("finding_id");
            match (request.method(), id) {
                (&Method::POST, Some(id)) => {
                    let operator = call.operator(Scope::OperatorMoney, now)?;
                    let mut fields = json_body(request)?;
                    if http::last_part(request) == "credit" {
                        let account = fields.optional_parsed("account_id", AccountId::parse)?;
                        let target = fields.balance("balance")?;
                        fields.finish()?;
                        let place = Credit { account, target };
                        let (record, made) = self.0.credit(id, &place, &operator.by, now).await?;
                        log::about(&made.order.account, Some(&made.order.id));
                        return Ok(Reply::Ok(http::credited_finding(&record, &made, now)));
                    }
                    let reason = fields.parsed("reason", Note::parse)?;
                    fields.finish()?;
                    let record = self.0.resolve(id, &reason, &operator.by, now).await?;
                    Ok(Reply::Ok(http::finding(&record)))
                }
                (_, Some(id)) => {
                    call.operator(Scope::OperatorRead, now)?;
                    Parameters::of(request).finish()?;
                    Ok(Reply::Ok(http::finding(&self.0.one(id).await?)))
                }
                (_, None) => {
                    call.operator(Scope::OperatorRead, now)?;
                    let mut parameters = Parameters::of(request);
                    let open =
                        parameters.take("status", "'open' or 'closed'", |text| match text {
                            "open" => Some(true),
                            "closed" => Some(false),
                            _ => None,
                        })?;
                    let wanted = parameters.page(open.unwrap_or(true))?;
                    let cursor = wanted.cursor.as_deref();
                    let page = self.0.list(wanted.filter, cursor, wanted.limit, now).await?;
                    Ok(Reply::Ok(http::findings(&page)))
                }
            }
        })
        .await
    }
}
