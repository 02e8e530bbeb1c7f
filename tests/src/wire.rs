//! The wires between the functions and the table, the queue, the files and the payment provider: every
//! request is counted, any of them can be made to fail, and what a role does not allow is refused.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, Uri, header};
use axum::serve::ListenerExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::http::{Answer, HttpClient};
use crate::roles::Asked;

/// What the names of the table's errors begin with.
const TABLE_ERRORS: &str = "com.amazonaws.dynamodb.v20120810#";

/// How a request can fail on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It never arrives.
    LostBefore,
    /// It arrives and takes effect; the answer never comes.
    LostAfter,
    /// It is answered 500 and has no effect.
    ServerError,
    /// It is refused because there are too many; no effect.
    Throttled,
    /// Somebody else writes one of the items right now; no effect. Only for transactions.
    Conflict,
    /// Somebody else has just written the account, as it stands in the table; no effect. Only for
    /// transactions that write an account.
    Overtaken,
    /// None of the keys is read. Only for batch reads.
    Unprocessed,
    /// The key may not do it; no effect. Only for the provider.
    Forbidden,
}

/// One request and its answer, as the wire saw them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// `table`, `queue`, `objects` or `provider`.
    pub wire: &'static str,
    /// The operation, such as `TransactWriteItems` or `POST /v1/checkout/sessions`.
    pub operation: String,
    /// The request's body.
    pub request: String,
    /// The status of the answer.
    pub status: u16,
    /// Consumed capacity in tenths of a unit, as the table reports it.
    pub capacity_tenths: u64,
}

/// All wires of one world.
#[derive(Debug, Clone, Default)]
pub struct Wires(Arc<Mutex<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    exchanges: Vec<Exchange>,
    faults: Vec<PlannedFault>,
    denied: Vec<String>,
    /// Requests of functions, which their roles were asked about.
    held: usize,
}

#[derive(Debug)]
struct PlannedFault {
    operation: String,
    about: String,
    fault: Fault,
    /// So many pass before.
    skipped: usize,
    times: usize,
}

/// Where a wire leads; it can be said after the wire was laid.
#[derive(Debug, Clone, Default)]
pub struct Upstream {
    endpoint: Arc<OnceLock<String>>,
    access_key: Option<String>,
}

#[derive(Clone)]
struct Tap {
    wires: Wires,
    wire: &'static str,
    upstream: Upstream,
    client: HttpClient,
}

impl Upstream {
    /// A wire to this endpoint.
    #[must_use]
    pub fn to(endpoint: String) -> Self {
        Self { endpoint: Arc::new(OnceLock::from(endpoint)), access_key: None }
    }

    /// A wire to the database that DynamoDB Local keeps for this access key.
    #[must_use]
    pub fn to_database(endpoint: String, access_key: String) -> Self {
        Self { access_key: Some(access_key), ..Self::to(endpoint) }
    }

    /// Says where the wire leads, once.
    pub fn lead_to(&self, endpoint: String) {
        self.endpoint.set(endpoint).expect("a wire leads to one place");
    }
}

impl Wires {
    /// Puts a wire in front of an endpoint and returns the wire's own endpoint.
    pub async fn tap(&self, wire: &'static str, upstream: Upstream) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address: SocketAddr = listener.local_addr().expect("an address");
        let tap = Tap { wires: self.clone(), wire, upstream, client: HttpClient::default() };
        let router = axum::Router::new().fallback(pass).with_state(tap);
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    /// Lets the next `times` requests whose operation contains this text fail.
    pub fn fail(&self, operation: &str, fault: Fault, times: usize) {
        self.fail_about(operation, "", fault, times);
    }

    /// Like [`Wires::fail`], for requests whose body contains `about` as well.
    pub fn fail_about(&self, operation: &str, about: &str, fault: Fault, times: usize) {
        let (operation, about) = (operation.to_owned(), about.to_owned());
        let skipped = 0;
        self.plan(|plan| {
            plan.faults.push(PlannedFault { operation, about, fault, skipped, times })
        });
    }

    /// Like [`Wires::fail`], once so many of these requests have passed.
    pub fn fail_after(&self, operation: &str, fault: Fault, skipped: usize, times: usize) {
        let (operation, about) = (operation.to_owned(), String::new());
        self.plan(|plan| {
            plan.faults.push(PlannedFault { operation, about, fault, skipped, times })
        });
    }

    /// Ends all faults.
    pub fn heal(&self) {
        self.plan(|plan| plan.faults.clear());
    }

    /// Forgets what was seen so far.
    pub fn forget(&self) {
        self.plan(|plan| plan.exchanges.clear());
    }

    /// What was seen since the last [`Wires::forget`].
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.plan(|plan| plan.exchanges.clone())
    }

    /// What functions asked for that their roles do not allow.
    #[must_use]
    pub fn denied(&self) -> Vec<String> {
        self.plan(|plan| plan.denied.clone())
    }

    /// How many requests their roles were asked about.
    #[must_use]
    pub fn held(&self) -> usize {
        self.plan(|plan| plan.held)
    }

    fn plan<T>(&self, work: impl FnOnce(&mut Plan) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The fault for this request, if one is planned.
    fn next_fault(&self, operation: &str, body: &str) -> Option<Fault> {
        self.plan(|plan| {
            let planned = plan.faults.iter_mut();
            let mut planned = planned.filter(|planned| planned.times > 0);
            let planned = planned.find(|planned| {
                operation.contains(&planned.operation) && body.contains(&planned.about)
            })?;
            if planned.skipped > 0 {
                planned.skipped -= 1;
                return None;
            }
            planned.times -= 1;
            Some(planned.fault)
        })
    }
}

async fn pass(State(tap): State<Tap>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
    let operation = operation(&parts.headers, parts.method.as_str(), &parts.uri);
    let text = String::from_utf8_lossy(&body).into_owned();
    if let Some(forbidden) = forbidden(&tap, &operation, &parts.headers, &body) {
        return forbidden;
    }
    let fault = tap.wires.next_fault(&operation, &text);
    let asked = with_capacity(&tap, &body);
    let (answer, status) = match fault {
        Some(Fault::LostBefore) => (broken(), 0),
        Some(Fault::LostAfter) => {
            drop(forward(&tap, &parts, asked.clone()).await);
            (broken(), 0)
        }
        Some(Fault::Overtaken) => (overtaken(&tap, &parts, &body).await, 500),
        Some(fault) => {
            (refused(&tap, fault, &body), if fault == Fault::Unprocessed { 200 } else { 500 })
        }
        None => match forward(&tap, &parts, asked.clone()).await {
            Ok(answer) => {
                record(&tap, &operation, &body, &answer);
                return respond(answer);
            }
            Err(_) => (broken(), 0),
        },
    };
    let (wire, capacity_tenths) = (tap.wire, 0);
    let exchange = Exchange { wire, operation, request: text, status, capacity_tenths };
    tap.wires.plan(|plan| plan.exchanges.push(exchange));
    answer
}

/// The answer to a function whose role does not allow this, as IAM gives it.
fn forbidden(
    tap: &Tap,
    operation: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> Option<Response<Body>> {
    let asked = Asked::read(tap.wire, operation, headers, body)?;
    tap.wires.plan(|plan| plan.held += 1);
    let denied = asked.check().err()?;
    let answer = json!({"__type": "AccessDeniedException", "message": denied});
    tap.wires.plan(|plan| plan.denied.push(denied));
    Some(json_response(400, &answer))
}

fn operation(headers: &HeaderMap, method: &str, uri: &Uri) -> String {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    match target.and_then(|target| target.split_once('.')) {
        Some((_, operation)) => operation.to_owned(),
        None => format!("{method} {}", uri.path()),
    }
}

/// Asks the table to report what a request consumes.
fn with_capacity(tap: &Tap, body: &Bytes) -> Bytes {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(body) else {
        return body.clone();
    };
    if tap.wire != "table" {
        return body.clone();
    }
    fields.insert("ReturnConsumedCapacity".to_owned(), json!("TOTAL"));
    Bytes::from(Value::Object(fields).to_string())
}

async fn forward(
    tap: &Tap,
    parts: &axum::http::request::Parts,
    body: Bytes,
) -> Result<Answer, String> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = axum::http::Request::builder()
        .method(parts.method.clone())
        .uri(format!("{}{path}", tap.upstream.endpoint.get().expect("the wire leads somewhere")));
    for (name, value) in &parts.headers {
        request = match &tap.upstream.access_key {
            _ if *name == header::CONTENT_LENGTH => request,
            Some(key) if *name == header::AUTHORIZATION => request.header(name, by(key, value)),
            _ => request.header(name, value),
        };
    }
    tap.client.send(request.body(Body::from(body)).expect("a request")).await
}

/// An authorization by another access key. Its signature is wrong then, but nobody looks at it.
fn by(access_key: &str, authorization: &HeaderValue) -> String {
    let signed = authorization.to_str().expect("text");
    let (algorithm, rest) = signed.split_once("Credential=").expect("a signed request");
    let (_, scope) = rest.split_once('/').expect("a scope");
    format!("{algorithm}Credential={access_key}/{scope}")
}

fn record(tap: &Tap, operation: &str, body: &Bytes, answer: &Answer) {
    let exchange = Exchange {
        wire: tap.wire,
        operation: operation.to_owned(),
        request: String::from_utf8_lossy(body).into_owned(),
        status: answer.status,
        capacity_tenths: capacity_tenths(&answer.json()["ConsumedCapacity"]),
    };
    tap.wires.plan(|plan| plan.exchanges.push(exchange));
}

/// Reported capacity, of one table or of several.
fn capacity_tenths(consumed: &Value) -> u64 {
    let all = consumed.as_array().cloned().unwrap_or_else(|| vec![consumed.clone()]);
    let tenths = |one: &Value| {
        let text = one["CapacityUnits"].to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
        let digit = |text: &str| u64::from_str_radix(text, 10).unwrap_or_default();
        digit(whole) * 10 + digit(fraction.get(..1).unwrap_or("0"))
    };
    all.iter().map(tenths).fold(0, |sum, units| sum + units)
}

fn respond(answer: Answer) -> Response<Body> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        if *name != header::CONTENT_LENGTH && *name != header::TRANSFER_ENCODING {
            response = response.header(name, value);
        }
    }
    response.body(Body::from(answer.body)).expect("a response")
}

/// An answer that breaks off: the client sees a connection that closed.
fn broken() -> Response<Body> {
    let failing = Body::new(BreaksOff);
    Response::builder().header(header::CONTENT_LENGTH, "100").body(failing).expect("a response")
}

struct BreaksOff;

impl http_body::Body for BreaksOff {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Ready(Some(Err(std::io::Error::other("the connection broke"))))
    }
}

/// The refusal of a transaction whose account is not as it was read: it carries the account as it is now.
async fn overtaken(tap: &Tap, parts: &axum::http::request::Parts, body: &Bytes) -> Response<Body> {
    let request: Value = serde_json::from_slice(body).expect("a transaction is JSON");
    let writes = request["TransactItems"].as_array().expect("a transaction writes");
    let is_account = |write: &&Value| write["Put"]["Item"]["sk"]["S"] == "ACCOUNT";
    let put = &writes.iter().find(is_account).expect("it writes an account")["Put"];
    let key = json!({"pk": put["Item"]["pk"], "sk": put["Item"]["sk"]});
    let read = json!({"TableName": put["TableName"], "Key": key, "ConsistentRead": true});
    let mut parts = parts.clone();
    let target = HeaderValue::from_static("DynamoDB_20120810.GetItem");
    parts.headers.insert("x-amz-target", target);
    let found = forward(tap, &parts, Bytes::from(read.to_string())).await.expect("an account");
    let reason = |write: &Value| match is_account(&write) {
        true => json!({"Code": "ConditionalCheckFailed", "Item": found.json()["Item"]}),
        false => json!({"Code": "None"}),
    };
    let cancelled = cancelled(&writes.iter().map(reason).collect::<Vec<_>>());
    json_response(400, &cancelled)
}

fn refused(tap: &Tap, fault: Fault, body: &Bytes) -> Response<Body> {
    let (status, answer) = refusal(tap.wire, fault, body);
    json_response(status, &answer)
}

fn json_response(status: u16, answer: &Value) -> Response<Body> {
    let response = Response::builder().status(status);
    let response = response.header(header::CONTENT_TYPE, "application/x-amz-json-1.0");
    response.body(Body::from(answer.to_string())).expect("a response")
}

fn cancelled(reasons: &[Value]) -> Value {
    json!({
        "__type": format!("{TABLE_ERRORS}TransactionCanceledException"),
        "Message": "Transaction cancelled",
        "CancellationReasons": reasons,
    })
}

/// The answer of something that refuses without doing anything: status and JSON.
#[must_use]
pub fn refusal(wire: &str, fault: Fault, body: &[u8]) -> (u16, Value) {
    let request: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    match (wire, fault) {
        ("provider", Fault::Throttled) => (
            429,
            json!({"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "slow"}}),
        ),
        ("provider", Fault::Forbidden) => {
            (403, json!({"error": {"type": "invalid_request_error", "message": "may not"}}))
        }
        ("provider", _) => (500, json!({"error": {"type": "api_error", "message": "down"}})),
        ("queue", _) => {
            (500, json!({"__type": "com.amazonaws.sqs#InternalError", "message": "down"}))
        }
        (_, Fault::Throttled) => (
            400,
            json!({"__type": format!("{TABLE_ERRORS}ProvisionedThroughputExceededException"), "message": "slow"}),
        ),
        (_, Fault::Conflict) => {
            let puts = request["TransactItems"].as_array().map_or(1, Vec::len);
            let mut reasons = vec![json!({"Code": "None"}); puts];
            reasons[puts - 1] = json!({"Code": "TransactionConflict", "Message": "conflict"});
            (400, cancelled(&reasons))
        }
        (_, Fault::Unprocessed) => {
            (200, json!({"Responses": {}, "UnprocessedKeys": request["RequestItems"]}))
        }
        _ => (
            500,
            json!({"__type": format!("{TABLE_ERRORS}InternalServerError"), "message": "down"}),
        ),
    }
}
