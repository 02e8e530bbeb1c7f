//! `GET /v1/admin/findings` and `POST /v1/admin/findings/{finding_id}/resolve`: where money and records
//! disagree, and what became of it.

use lambda_http::http::Method;
use lambda_http::{Body, Request, RequestExt, Response};
use ledger::{Note, Timestamp};
use service::config::{CURSOR_SECRET_ARN, ConfigError};
use service::cursor::Cursors;
use service::findings::Findings;
use service::http::{self, Parameters, Reply, answer, json_body};
use service::keys::Scope;
use service::lambda::Runtime;

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
        Ok(Self(Findings { table: runtime.table()?, cursors }))
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
