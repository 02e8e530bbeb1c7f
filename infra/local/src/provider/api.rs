//! The API's entrance: who calls, which call it is, what was answered to it before, and the
//! faults that the controls ask for.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use data_encoding::BASE64;
use http_body::Frame;
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::control::{Fault, LoggedRequest};
use super::events::Announcer;
use super::failure::{Failure, Stage};
use super::idempotency::{KeyInUse, Keyed};
use super::objects::new_id;
use super::parameters::Parameters;
use super::reading::Shape;
use super::store::StoredResult;
use super::{API_VERSION, Provider, reading, refunds, sessions};

/// A session with all its metadata stays far below this.
const LARGEST_BODY: usize = 1 << 20;

const INVALID_KEY: &str = "Invalid API Key provided: ****";

/// How long the fault `slow` holds a call.
const SLOWNESS: Duration = Duration::from_secs(4);

pub(super) fn router() -> Router<Provider> {
    Router::new().route("/v1/{*path}", any(call))
}

/// A call that came through the door.
struct Incoming {
    method: Method,
    path: String,
    parameters: Parameters,
    key: Option<String>,
    request_id: String,
}

/// What is sent back, or was sent back to the same request before.
struct Answer {
    status: StatusCode,
    body: String,
    original_request: Option<String>,
    should_retry: Option<&'static str>,
}

pub(super) async fn call(State(provider): State<Provider>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_BODY).await.unwrap_or_default();
    let key = parts.headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let incoming = Incoming {
        parameters: match parts.method {
            Method::POST => Parameters::parse(&body),
            _ => Parameters::parse(parts.uri.query().unwrap_or_default().as_bytes()),
        },
        path: parts.uri.path().to_owned(),
        key: key.filter(|_| parts.method == Method::POST).map(str::to_owned),
        method: parts.method,
        request_id: new_id("req_", 14),
    };
    let admitted = admit(&provider, &parts.headers);
    let fault = if admitted.is_ok() { provider.controls().next_fault() } else { None };
    let answer = match admitted {
        Ok(()) => perform(&provider, &incoming, fault).await,
        Err(failure) => Answer::from(failure),
    };
    provider.0.wake.notify_one();
    provider.controls().log(LoggedRequest {
        method: incoming.method.to_string(),
        path: incoming.path.clone(),
        parameters: incoming.parameters.to_json(),
        idempotency_key: incoming.key.clone(),
        status: answer.status.as_u16(),
        request_id: incoming.request_id.clone(),
        fault,
    });
    match fault {
        Some(Fault::LostResponse) => Response::new(Body::new(Severed)),
        _ => answer.into_response(&incoming),
    }
}

/// Checks the key and the API version.
fn admit(provider: &Provider, headers: &HeaderMap) -> Result<(), Failure> {
    let given = api_key(headers).ok_or_else(|| {
        Failure::unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization \
             header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        )
    })?;
    let expected = provider.0.settings.secret_key.as_bytes();
    if !bool::from(given.as_bytes().ct_eq(expected)) {
        return Err(Failure::unauthorized(INVALID_KEY));
    }
    match headers.get("stripe-version").map(HeaderValue::as_bytes) {
        None => Ok(()),
        Some(version) if version == API_VERSION.as_bytes() => Ok(()),
        Some(_) => {
            let message = format!("The local payment provider only speaks {API_VERSION}.");
            Err(Failure::invalid(message))
        }
    }
}

/// The key of `Bearer key`, or of `Basic` with the key as the name.
fn api_key(headers: &HeaderMap) -> Option<String> {
    let (scheme, value) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(value.trim().to_owned());
    }
    let pair = BASE64.decode(value.trim().as_bytes()).ok()?;
    let pair = String::from_utf8(pair).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    Some(pair.split(':').next().unwrap_or_default().to_owned())
}

async fn perform(provider: &Provider, incoming: &Incoming, fault: Option<Fault>) -> Answer {
    match fault {
        Some(Fault::RateLimited) => return Failure::too_many_requests().into(),
        Some(Fault::Unauthorized) => return Failure::unauthorized(INVALID_KEY).into(),
        _ => {}
    }
    let keyed = incoming
        .key
        .as_deref()
        .map(|key| Keyed::new(key, &incoming.path, &incoming.parameters))
        .transpose();
    let keyed = match keyed {
        Ok(keyed) => keyed,
        Err(failure) => return failure.into(),
    };
    let claim = keyed.as_ref().map(|keyed| KeyInUse::claim(provider, &keyed.key)).transpose();
    let _claim = match claim {
        Ok(claim) => claim,
        Err(failure) => return failure.into(),
    };
    if fault == Some(Fault::Slow) {
        tokio::time::sleep(SLOWNESS).await;
    }
    let answered = provider
        .transact(|announcer| answer_once(provider, announcer, incoming, keyed.as_ref(), fault));
    answered.unwrap_or_else(Answer::from)
}

/// Answers, keeps the answer under the key, and does neither a second time.
fn answer_once(
    provider: &Provider,
    announcer: &Announcer<'_>,
    incoming: &Incoming,
    keyed: Option<&Keyed>,
    fault: Option<Fault>,
) -> Result<Answer, Failure> {
    if let Some(keyed) = keyed
        && let Some(result) = keyed.replay(announcer.books, announcer.now)?
    {
        return Ok(result.into());
    }
    let result = match fault {
        Some(Fault::Error500) => Err(Failure::internal()),
        _ => execute(provider, announcer, incoming),
    };
    let result = match (result, fault) {
        (Ok(_), Some(Fault::ErrorAfter)) => Err(Failure::internal()),
        (result, _) => result,
    };
    let answer = match result {
        Err(failure) if failure.stage == Stage::Validation => return Err(failure),
        Err(failure) => Answer::from(failure),
        Ok(body) => Answer::ok(&body),
    };
    if let Some(keyed) = keyed {
        let stored = StoredResult {
            path: keyed.path.clone(),
            fingerprint: keyed.fingerprint.clone(),
            request_id: incoming.request_id.clone(),
            status: answer.status.as_u16(),
            body: answer.body.clone(),
        };
        announcer.books.store_result(&keyed.key, &stored, announcer.now)?;
    }
    Ok(answer)
}

fn execute(
    provider: &Provider,
    announcer: &Announcer<'_>,
    incoming: &Incoming,
) -> Result<Value, Failure> {
    let mut parameters = incoming.parameters.clone();
    let segments: Vec<&str> = incoming.path.split('/').skip(2).collect();
    let unknown = || Failure::unknown_route(incoming.method.as_str(), &incoming.path);
    if incoming.method == Method::GET {
        let answer = reading::answer(announcer, &segments, parameters);
        return answer.unwrap_or_else(|| Err(unknown()));
    }
    let paths = parameters.list("expand");
    match (incoming.method.as_str(), segments.as_slice()) {
        ("POST", ["checkout", "sessions"]) => {
            let session = sessions::create(announcer.books, announcer.now, parameters)?;
            shown(announcer, &session, &paths)
        }
        ("POST", ["checkout", "sessions", id, "expire"]) => {
            parameters.finish(&["expand"])?;
            shown(announcer, &sessions::expire(announcer, id)?, &paths)
        }
        ("POST", ["refunds"]) => {
            let status = || provider.controls().next_refund_status();
            shown(announcer, &refunds::create(announcer, parameters, status)?, &paths)
        }
        _ => Err(unknown()),
    }
}

fn shown<D: Shape>(
    announcer: &Announcer<'_>,
    document: &D,
    paths: &[String],
) -> Result<Value, Failure> {
    reading::expanded(announcer, document.shape(announcer)?, paths)
}

impl Answer {
    fn ok(body: &Value) -> Self {
        Self {
            status: StatusCode::OK,
            body: format!("{body:#}"),
            original_request: None,
            should_retry: None,
        }
    }

    fn into_response(self, incoming: &Incoming) -> Response {
        let mut response = (self.status, self.body).into_response();
        let replayed = self.original_request.is_some();
        let original = self.original_request.unwrap_or_else(|| incoming.request_id.clone());
        let keyed = incoming.key.as_deref();
        let fields = [
            ("content-type", Some("application/json")),
            ("cache-control", Some("no-cache, no-store")),
            ("stripe-version", Some(API_VERSION)),
            ("request-id", Some(incoming.request_id.as_str())),
            ("idempotency-key", keyed),
            ("original-request", keyed.map(|_| original.as_str())),
            ("idempotent-replayed", replayed.then_some("true")),
            ("stripe-should-retry", self.should_retry),
            ("www-authenticate", (self.status == 401).then_some("Basic realm=\"Stripe\"")),
        ];
        for (name, value) in fields {
            if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self {
            status: failure.status,
            body: format!("{:#}", failure.body()),
            original_request: None,
            should_retry: match failure.status {
                StatusCode::CONFLICT => Some("true"),
                // Trying again with the same key would only bring back the same answer.
                StatusCode::INTERNAL_SERVER_ERROR => Some("false"),
                _ => None,
            },
        }
    }
}

impl From<StoredResult> for Answer {
    fn from(result: StoredResult) -> Self {
        Self {
            status: StatusCode::from_u16(result.status).unwrap_or_default(),
            body: result.body,
            original_request: Some(result.request_id),
            should_retry: (result.status >= 500).then_some("false"),
        }
    }
}

/// A body that fails at once: the server closes the connection without sending anything.
struct Severed;

impl HttpBody for Severed {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionAborted.into())))
    }
}
