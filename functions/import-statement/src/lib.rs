//! Bank statements: `POST /v1/admin/statements`, what their lines may pay, and
//! `POST /v1/admin/statements/{statement_id}/accept`.

use lambda_http::{Body, Request, RequestExt, Response};
use ledger::{OrderId, Timestamp};
use serde::Deserialize;
use service::catalogue::CatalogueCache;
use service::config::{CURSOR_SECRET_ARN, ConfigError};
use service::cursor::Cursors;
use service::error::{Error, Invalid};
use service::http::{self, Parameters, Reply, answer, json_body};
use service::keys::Scope;
use service::lambda::Runtime;
use service::record::StatementFormat;
use service::reviews::{Reviewer, Reviews};
use service::statements::{Choice, ChosenLine, MAX_ACCEPTED, MAX_STATEMENT_BYTES, Statements};

/// The function `import-statement`.
#[derive(Debug)]
pub struct ImportStatement(pub Statements);

/// A line that a person chose, as it is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    line: u32,
    order_id: String,
    #[serde(default)]
    confirm_difference: bool,
}

impl ImportStatement {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        let reviews = Reviews { table: runtime.table()?, catalogue: CatalogueCache::default() };
        Ok(Self(Statements {
            objects: runtime.objects()?,
            reviews,
            cursors: Cursors::new(runtime.secret(CURSOR_SECRET_ARN)?),
        }))
    }

    /// Answers one request.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        answer(request, |call| async move {
            let operator = call.operator(Scope::OperatorReview, now)?;
            let reviewer = Reviewer { by: operator.by, now };
            let id = request.path_parameters().first("statement_id").map(str::to_owned);
            match (request.method().as_str(), id) {
                ("POST", None) => self.import(request, &reviewer).await,
                ("GET", None) => {
                    let wanted = Parameters::of(request).page(())?;
                    let page = self.0.list(wanted.cursor.as_deref(), wanted.limit, now).await?;
                    Ok(Reply::Ok(http::statements(&page)))
                }
                ("POST", Some(id)) => self.accept(request, &id, &reviewer).await,
                (_, Some(id)) => {
                    Parameters::of(request).finish()?;
                    Ok(Reply::Ok(http::statement(&self.0.show(&id).await?)))
                }
                _ => Err(Error::NotFound { what: "route" }),
            }
        })
        .await
    }

    async fn import(&self, request: &Request, reviewer: &Reviewer) -> Result<Reply, Error> {
        Parameters::of(request).finish()?;
        let format = StatementFormat::of_media_type(&http::media_type(request.headers()));
        let format = format.ok_or_else(|| Invalid {
            code: "unsupported_media_type",
            field: None,
            detail: "send Content-Type: text/csv, or application/xml for camt.053".to_owned(),
        })?;
        let bytes = http::bytes(request, MAX_STATEMENT_BYTES)?;
        let (statement, new) = self.0.import(bytes, format, reviewer).await?;
        let shown = http::statement(&statement);
        Ok(if new { Reply::Created(shown) } else { Reply::Ok(shown) })
    }

    async fn accept(
        &self,
        request: &Request,
        id: &str,
        reviewer: &Reviewer,
    ) -> Result<Reply, Error> {
        let mut fields = json_body(request)?;
        let exact = fields.flag("exact")?;
        let lines = fields.optional_value::<Vec<Chosen>>("lines")?;
        fields.finish()?;
        let wrong = |detail: &str| Error::from(Invalid::field("invalid_field", "lines", detail));
        let choice = match (exact, lines) {
            (true, None) => Choice::Exact,
            (false, Some(lines)) if (1..=MAX_ACCEPTED).contains(&lines.len()) => {
                let chosen = lines.into_iter().map(|one| {
                    let order = OrderId::parse(&one.order_id);
                    Ok(ChosenLine {
                        line: one.line,
                        order: order.map_err(|_| wrong("an order_id is none"))?,
                        difference_confirmed: one.confirm_difference,
                    })
                });
                Choice::Lines(chosen.collect::<Result<_, Error>>()?)
            }
            _ => return Err(wrong("send \"exact\": true, or 1 to 100 \"lines\"")),
        };
        let accepted = self.0.accept(id, &choice, reviewer).await?;
        Ok(Reply::Ok(http::accepted_lines(&accepted)))
    }
}
