//! HTTP: the only code that knows status codes and the shapes of requests and answers.

mod body;
mod caller;
mod compiled_in;
mod parameters;
mod problem;
mod sheet;
mod usage;
mod view;

use std::future::Future;
use std::time::Duration;

use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};
use tracing::field::Empty;
use tracing::{Instrument, error, info, info_span, warn};

pub use body::{
    Fields, binary, bytes, charge_items, json_body, json_charges, media_type, no_body,
    passes_as_text,
};
pub use caller::{Call, Caller, Operator, authorizer_context};
pub use compiled_in::{CompiledIn, has};
pub use parameters::{Parameters, account_id, charge_id, hold_id, last_part, order_id};
pub use problem::Problem;
pub use sheet::{Column, Content, Sheet};
pub use usage::{AskedItem, asked_charge, thresholds_of};
#[cfg(feature = "objects")]
pub use view::{accepted_lines, statement, statements};
pub use view::{
    account, accounts, add_entry, add_order, adjustment, adjustments, api_key, api_keys, balances,
    balances_at, capture, catalogue, charge, charge_outcomes, console_session, credited_finding,
    endpoint, endpoints, entries, entries_sheet, event, events, finding, findings, hold, holds,
    issued_token, order, orders, orders_sheet, products, reconciliation, reconciliation_csv,
    reconciliations, refund, revoked_token, threshold, thresholds,
};

use crate::error::{Error, Unavailable};
use crate::exports::Export;
use crate::log;
use crate::record::{Made, Once};

/// How long a request may take before its client is told to ask again: less than the function's
/// timeout and the gateway's 30 s, whose answers could not say so.
const REQUEST_TIME: Duration = Duration::from_secs(22);

/// What a handler answers when nothing went wrong.
#[derive(Debug)]
pub enum Reply {
    /// 200 with this body.
    Ok(Value),
    /// 201 with this body: it was made just now.
    Created(Value),
    /// 200 with this body and `Idempotent-Replayed: true`: it was made before.
    Replayed(Value),
    /// 200 with a file, for saving and never for showing: somebody else wrote it.
    File {
        /// What it is.
        media_type: &'static str,
        /// What it is saved as.
        name: String,
        /// Its content.
        content: Vec<u8>,
    },
    /// 200 with a part of an export, and `X-Next-Cursor` if there is another one.
    Export(Export),
}

impl Reply {
    /// The answer to a request that makes an order.
    #[must_use]
    pub fn made(made: &Made, now: ledger::Timestamp) -> Self {
        let (Made::Now(record) | Made::Before(record)) = made;
        log::about(&record.order.account, Some(&record.order.id));
        match made {
            Made::Now(record) => Self::Created(order(record, now)),
            Made::Before(record) => Self::Replayed(order(record, now)),
        }
    }
}

impl<T> Once<T> {
    /// The answer to a request that makes something else, as it is shown.
    #[must_use]
    pub fn reply(&self, shown: impl FnOnce(&T) -> Value) -> Reply {
        match self {
            Self::Now(made) => Reply::Created(shown(made)),
            Self::Before(made) => Reply::Replayed(shown(made)),
        }
    }
}

/// Runs a handler: every answer carries the request's id, every failure becomes a problem, and
/// what happened is logged once.
pub async fn answer<Work>(request: &Request, work: impl FnOnce(Call) -> Work) -> Response<Body>
where
    Work: Future<Output = Result<Reply, Error>>,
{
    let call = Call::of(request);
    let request_id = call.request_id.clone();
    let span =
        info_span!("request", request_id = %request_id, account_id = Empty, order_id = Empty);
    async {
        let working = tokio::time::timeout(REQUEST_TIME, work(call)).await;
        match working.unwrap_or(Err(Unavailable::Slow.into())) {
            Ok(reply) => {
                let (status, replayed, body) = match reply {
                    Reply::Ok(body) => (StatusCode::OK, false, body),
                    Reply::Created(body) => (StatusCode::CREATED, false, body),
                    Reply::Replayed(body) => (StatusCode::OK, true, body),
                    Reply::File { media_type, name, content } => {
                        info!(status = 200, media_type, "answered");
                        return attach(media_type, &name, content, &request_id);
                    }
                    Reply::Export(export) => {
                        info!(status = 200, more = export.next.is_some(), "answered");
                        return hand_out(export, &request_id);
                    }
                };
                info!(status = status.as_u16(), replayed, "answered");
                respond(status, "application/json", &request_id, replayed, &body)
            }
            Err(failure) => {
                let problem = Problem::of(&failure);
                let (status, code) = (problem.status.as_u16(), problem.code);
                match &failure {
                    Error::Broken(_) => error!(status, code, cause = %failure, "invariant broken"),
                    Error::Unavailable(_) | Error::NotTaken(_) => {
                        warn!(status, code, cause = %failure, "unavailable");
                    }
                    _ => info!(status, code, "refused"),
                }
                let body = problem.body(&request_id);
                respond(problem.status, "application/problem+json", &request_id, false, &body)
            }
        }
    }
    .instrument(span)
    .await
}

fn respond(
    status: StatusCode,
    media_type: &str,
    request_id: &str,
    replayed: bool,
    body: &Value,
) -> Response<Body> {
    let response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, media_type)
        .header(header::CACHE_CONTROL, "no-store")
        .header("x-request-id", request_id);
    let response = match replayed {
        true => response.header("idempotent-replayed", "true"),
        false => response,
    };
    let response = match status {
        StatusCode::SERVICE_UNAVAILABLE => response.header(header::RETRY_AFTER, "2"),
        _ => response,
    };
    response.body(Body::from(body.to_string())).unwrap_or_else(|_| broken())
}

/// A file that a stranger wrote: saved, not shown, and not taken for what it is not.
fn attach(media_type: &str, name: &str, content: Vec<u8>, request_id: &str) -> Response<Body> {
    Response::builder()
        .status(StatusCode::OK)
        .header(header::CONTENT_TYPE, media_type)
        .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox")
        .header(header::CACHE_CONTROL, "no-store")
        .header("x-request-id", request_id)
        .body(Body::from(content))
        .unwrap_or_else(|_| broken())
}

/// A part of an export: a file too, since its words are a stranger's.
fn hand_out(export: Export, request_id: &str) -> Response<Body> {
    let Export { name, content, first, next, .. } = export;
    let media_type = match first {
        true => "text/csv; charset=utf-8; header=present",
        false => "text/csv; charset=utf-8; header=absent",
    };
    let mut response = attach(media_type, &name, content.into_bytes(), request_id);
    if let Some(next) = next.and_then(|next| HeaderValue::try_from(next).ok()) {
        response.headers_mut().insert("x-next-cursor", next);
    }
    response
}

fn broken() -> Response<Body> {
    let mut broken = Response::new(Body::from(json!({}).to_string()));
    *broken.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    broken
}
