//! The gateway: an API Gateway HTTP API, as `template.yaml` declares it and what is nested in it.
//!
//! A request becomes the event that API Gateway sends (payload 2.0), the authorizer is asked, and
//! the function's answer becomes the response. The gateway's own refusals have the gateway's own
//! bodies. Unlike AWS it asks the authorizer every time: a revoked key stops at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use authorizer::Question;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Value, json};
use service::error::Error;
use service::stripe::{Https, Wire};
use tracing::error;

use crate::clock::Clock;
use crate::docs;
use crate::functions::Functions;
use crate::paid_page;

/// A route of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The HTTP method.
    pub method: &'static str,
    /// The path, with parameters in braces; one with a plus is last and takes all that is left.
    pub path: &'static str,
    /// The function that answers.
    pub function: &'static str,
    /// Whether the authorizer is asked first.
    pub authorized: bool,
}

/// All routes. A test holds them and those of `infra/*.yaml` together.
pub const ROUTES: &[Route] = &[
    route("POST", "/v1/orders", "create-order"),
    route("POST", "/v1/orders/{order_id}/cancel", "cancel-order"),
    route("POST", "/v1/orders/{order_id}/transfer-report", "report-transfer"),
    route("POST", "/v1/orders/{order_id}/proofs", "report-transfer"),
    route("POST", "/v1/transfers", "transfer"),
    route("POST", "/v1/charges", "charge"),
    route("POST", "/v1/charges/batch", "charge"),
    route("GET", "/v1/charges/{charge_id}", "charge"),
    route("POST", "/v1/holds", "hold"),
    route("GET", "/v1/holds", "hold"),
    route("GET", "/v1/holds/{hold_id}", "hold"),
    route("POST", "/v1/holds/{hold_id}/capture", "hold"),
    route("POST", "/v1/holds/{hold_id}/release", "hold"),
    route("PUT", "/v1/wallet/thresholds", "set-thresholds"),
    route("PUT", "/v1/products/{product}/thresholds", "set-thresholds"),
    route("GET", "/v1/thresholds", "query-orders"),
    route("GET", "/v1/balances", "query-orders"),
    route("GET", "/v1/products", "query-orders"),
    route("GET", "/v1/orders", "query-orders"),
    route("GET", "/v1/orders/{order_id}", "query-orders"),
    route("GET", "/v1/entries", "query-orders"),
    route("GET", "/v1/orders.csv", "query-orders"),
    route("GET", "/v1/entries.csv", "query-orders"),
    route("GET", "/v1/events", "query-accounts"),
    route("POST", "/v1/admin/orders/{order_id}/accept", "review-order"),
    route("POST", "/v1/admin/orders/{order_id}/reject", "review-order"),
    route("POST", "/v1/admin/accounts/{account_id}/received-payments", "review-order"),
    route("POST", "/v1/admin/orders/{order_id}/refunds", "refund-order"),
    route("POST", "/v1/admin/accounts/{account_id}/adjustments", "adjust-balance"),
    route("GET", "/v1/admin/accounts/{account_id}/adjustments", "adjust-balance"),
    route("GET", "/v1/admin/reconciliations", "query-accounts"),
    route("GET", "/v1/admin/reconciliations/{run_id}", "query-accounts"),
    route("GET", "/v1/admin/findings", "resolve-finding"),
    route("GET", "/v1/admin/findings/{finding_id}", "resolve-finding"),
    route("POST", "/v1/admin/findings/{finding_id}/resolve", "resolve-finding"),
    route("POST", "/v1/admin/findings/{finding_id}/credit", "resolve-finding"),
    route("POST", "/v1/admin/findings/{finding_id}/refund", "refund-order"),
    route("POST", "/v1/admin/statements", "import-statement"),
    route("GET", "/v1/admin/statements", "import-statement"),
    route("GET", "/v1/admin/statements/{statement_id}", "import-statement"),
    route("POST", "/v1/admin/statements/{statement_id}/accept", "import-statement"),
    route("GET", "/v1/admin/reviews", "query-accounts"),
    route("GET", "/v1/admin/accounts", "query-accounts"),
    route("GET", "/v1/admin/accounts/{account_id}", "query-accounts"),
    route("GET", "/v1/admin/accounts/{account_id}/balances", "query-accounts"),
    route("GET", "/v1/admin/accounts/{account_id}/thresholds", "query-accounts"),
    route("GET", "/v1/admin/accounts/{account_id}/orders", "query-accounts"),
    route("GET", "/v1/admin/accounts/{account_id}/entries", "query-accounts"),
    route("GET", "/v1/admin/accounts/{account_id}/orders.csv", "query-accounts"),
    route("GET", "/v1/admin/accounts/{account_id}/entries.csv", "query-accounts"),
    route("GET", "/v1/admin/accounts/{account_id}/holds", "query-accounts"),
    route("GET", "/v1/admin/accounts/{account_id}/holds/{hold_id}", "query-accounts"),
    route("GET", "/v1/admin/accounts/{account_id}/charges/{charge_id}", "query-accounts"),
    route("GET", "/v1/admin/orders/{order_id}", "query-accounts"),
    route("GET", "/v1/admin/orders/{order_id}/proofs/{proof_id}", "query-accounts"),
    route("GET", "/v1/admin/catalogue", "configure"),
    route("PUT", "/v1/admin/products/{product}", "configure"),
    route("PUT", "/v1/admin/wallet", "configure"),
    route("PUT", "/v1/admin/rates/{pair}", "configure"),
    route("PUT", "/v1/admin/bank-accounts/{currency}", "configure"),
    route("GET", "/v1/admin/endpoints", "manage-endpoints"),
    route("PUT", "/v1/admin/endpoints/{endpoint_id}", "manage-endpoints"),
    route("DELETE", "/v1/admin/endpoints/{endpoint_id}", "manage-endpoints"),
    route("POST", "/v1/admin/endpoints/{endpoint_id}/rotate", "manage-endpoints"),
    route("POST", "/v1/admin/endpoints/{endpoint_id}/test", "manage-endpoints"),
    route("PUT", "/v1/admin/accounts/{account_id}", "manage-accounts"),
    route("POST", "/v1/admin/api-keys", "manage-accounts"),
    route("GET", "/v1/admin/api-keys", "manage-accounts"),
    route("GET", "/v1/admin/accounts/{account_id}/api-keys", "manage-accounts"),
    route("POST", "/v1/admin/api-keys/{key_id}/rotate", "manage-accounts"),
    route("DELETE", "/v1/admin/api-keys/{key_id}", "manage-accounts"),
    route("POST", "/v1/admin/console-sessions", "manage-accounts"),
    open_route("POST", "/v1/console-tokens", "exchange-code"),
    open_route("POST", "/v1/console-tokens/revoke", "exchange-code"),
    open_route("POST", "/v1/webhooks/stripe", "payment-webhook"),
    open_route("GET", "/v1/openapi.json", "describe-api"),
    open_route("GET", "/", "console"),
    open_route("GET", "/assets/{version}/{proxy+}", "console"),
];

/// Longest body that API Gateway passes on.
const MAX_BODY: usize = 10 * 1024 * 1024;
/// Longest request line and headers together.
const MAX_HEAD: usize = 10_240;

/// The functions, as clients and Stripe reach them.
#[derive(Clone, Debug)]
pub struct Gateway<W: Wire = Https> {
    /// What is behind it.
    pub functions: Arc<Functions<W>>,
    /// What time it is.
    pub clock: Clock,
}

/// A request on its way to a function.
struct Passing {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    request_id: String,
}

const fn route(method: &'static str, path: &'static str, function: &'static str) -> Route {
    Route { method, path, function, authorized: true }
}

/// A route on which something else than a key authorizes, a signature or a one-time code, or on which
/// there is nothing to guard.
const fn open_route(method: &'static str, path: &'static str, function: &'static str) -> Route {
    Route { authorized: false, ..route(method, path, function) }
}

impl<W: Wire> Gateway<W> {
    /// The API, and what the local runner has beside it.
    pub fn router(self) -> Router {
        Router::new()
            .route("/healthz", axum::routing::get(async || "ready\n"))
            .route("/_control/sweep", axum::routing::post(sweep))
            .route("/_control/compare", axum::routing::post(compare))
            .route("/_control/verify", axum::routing::post(verify))
            .route(paid_page::PATH, axum::routing::get(paid_page::show))
            .merge(docs::router())
            .fallback(serve)
            .with_state(self)
    }

    /// Answers one request. Dropping it stops the function where it is.
    pub async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
            return refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        };
        if head_size(&parts.uri, &parts.headers) > MAX_HEAD {
            return refusal(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "Request Header Fields Too Large",
            );
        }
        let found = ROUTES.iter().find_map(|route| {
            let same = route.method == parts.method.as_str();
            let parameters = matched(route.path, parts.uri.path()).filter(|_| same)?;
            Some((route, parameters))
        });
        let Some((route, parameters)) = found else {
            return refusal(StatusCode::NOT_FOUND, "Not Found");
        };
        let context = match route.authorized {
            true => match self.authorize(&parts.headers).await {
                Ok(context) => context,
                Err(refused) => return refused,
            },
            false => Value::Null,
        };
        let request_id = format!("{:016x}", fastrand::u64(..));
        let (method, uri, headers) = (parts.method, parts.uri, parts.headers);
        let passing = Passing { method, uri, headers, body, request_id };
        let event = event(route, &parameters, &passing, &context, self.clock.unix_millis());
        self.invoke(route, &event).await.unwrap_or_else(internal_error)
    }

    async fn invoke(&self, route: &Route, event: &Value) -> Option<Response> {
        let request = lambda_http::request::from_str(&event.to_string()).ok()?;
        let now = self.clock.now();
        let functions = &self.functions;
        // Boxed, or this future would be as large as the largest of them.
        let answer = match route.function {
            "create-order" => Box::pin(functions.create_order.handle(&request, now)).await,
            "cancel-order" => Box::pin(functions.cancel_order.handle(&request, now)).await,
            "report-transfer" => Box::pin(functions.report_transfer.handle(&request, now)).await,
            "transfer" => Box::pin(functions.transfer.handle(&request, now)).await,
            "set-thresholds" => Box::pin(functions.set_thresholds.handle(&request, now)).await,
            "charge" => Box::pin(functions.charge.handle(&request, now)).await,
            "hold" => Box::pin(functions.hold.handle(&request, now)).await,
            "query-orders" => Box::pin(functions.query_orders.handle(&request, now)).await,
            "review-order" => Box::pin(functions.review_order.handle(&request, now)).await,
            "refund-order" => Box::pin(functions.refund_order.handle(&request, now)).await,
            "adjust-balance" => Box::pin(functions.adjust_balance.handle(&request, now)).await,
            "resolve-finding" => Box::pin(functions.resolve_finding.handle(&request, now)).await,
            "import-statement" => Box::pin(functions.import_statement.handle(&request, now)).await,
            "query-accounts" => Box::pin(functions.query_accounts.handle(&request, now)).await,
            "configure" => Box::pin(functions.configure.handle(&request, now)).await,
            "manage-endpoints" => Box::pin(functions.manage_endpoints.handle(&request, now)).await,
            "manage-accounts" => Box::pin(functions.manage_accounts.handle(&request, now)).await,
            "describe-api" => describe_api::handle(&request),
            "console" => console::handle(&request),
            "exchange-code" => Box::pin(functions.exchange_code.handle(&request, now)).await,
            "payment-webhook" => Box::pin(functions.payment_webhook.handle(&request, now)).await,
            _ => return None,
        };
        let (parts, body) = answer.into_parts();
        Some((parts.status, parts.headers, body.to_vec()).into_response())
    }

    /// What the authorizer tells the function, or the gateway's refusal.
    async fn authorize(&self, headers: &HeaderMap) -> Result<Value, Response> {
        let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(header) = header.filter(|value| !value.is_empty()) else {
            return Err(refusal(StatusCode::UNAUTHORIZED, "Unauthorized"));
        };
        let question = Question { identity_source: vec![header.to_owned()] };
        match self.functions.authorizer.handle(&question, self.clock.now()).await {
            Ok(answer) if answer.is_authorized => Ok(Value::Object(answer.context)),
            Ok(_) => Err(refusal(StatusCode::FORBIDDEN, "Forbidden")),
            Err(_) => Err(internal_error()),
        }
    }
}

/// Answers a request in a task of its own: a panic fails one invocation, and a client that goes away
/// does not stop it, as on AWS.
async fn serve<W: Wire>(State(gateway): State<Gateway<W>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let answering = tokio::spawn(async move { gateway.answer(request).await });
    answering.await.unwrap_or_else(|_| {
        error!(path, "the function failed");
        internal_error()
    })
}

/// What runs by the clock runs now: a control for demonstrations, which no deployment has.
async fn sweep<W: Wire>(State(gateway): State<Gateway<W>>) -> Response {
    match gateway.functions.reconcile.handle(gateway.clock.now()).await {
        Ok(swept) => Json(reconcile::summary(&swept)).into_response(),
        Err(_) => refusal(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
    }
}

/// A day that is to be compared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DayToCompare {
    day: String,
}

/// A day is compared now, today's too: a control for demonstrations, which no deployment has.
async fn compare<W: Wire>(
    State(gateway): State<Gateway<W>>,
    Json(wanted): Json<DayToCompare>,
) -> Response {
    let Some(day) = service::comparison::parse_day(&wanted.day) else {
        return refusal(StatusCode::UNPROCESSABLE_ENTITY, "day must be a day such as 2026-11-23");
    };
    let comparisons = &gateway.functions.compare_payments.0;
    match comparisons.compare(day, Duration::from_secs(600), gateway.clock.now()).await {
        Ok(run) => Json(service::http::reconciliation(&run)).into_response(),
        Err(Error::Invalid(wrong)) => refusal(StatusCode::UNPROCESSABLE_ENTITY, &wrong.detail),
        Err(error) => refusal(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

/// Every account is derived again from its journal now, from the first entry: a control as well.
async fn verify<W: Wire>(State(gateway): State<Gateway<W>>) -> Response {
    match gateway.functions.verify_accounts.whole_round(gateway.clock.now()).await {
        Ok(verified) => Json(verify_accounts::summary(&verified)).into_response(),
        Err(_) => refusal(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
    }
}

/// The event of a request, as API Gateway sends it.
fn event(
    route: &Route,
    parameters: &BTreeMap<String, String>,
    request: &Passing,
    context: &Value,
    now_millis: i64,
) -> Value {
    let query = request.uri.query().unwrap_or_default();
    let mut query_parameters: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let known = query_parameters.entry(name.into_owned()).or_default();
        *known = if known.is_empty() { value.into_owned() } else { format!("{known},{value}") };
    }
    let route_key = format!("{} {}", route.method, route.path);
    let as_text = service::http::passes_as_text(&service::http::media_type(&request.headers));
    // As damaged as it may be there.
    let body = match as_text {
        true => String::from_utf8_lossy(&request.body).into_owned(),
        false => BASE64.encode(&request.body),
    };
    let encoded = !as_text && !body.is_empty();
    // What a request does not have, its event does not have either.
    let unless = |absent: bool, value: Value| (!absent).then_some(value);
    let about = json!({
        "accountId": "000000000000",
        "apiId": "local",
        "domainName": "127.0.0.1",
        "domainPrefix": "127",
        "http": {
            "method": request.method.as_str(),
            "path": request.uri.path(),
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "",
        },
        "requestId": request.request_id,
        "routeKey": route_key,
        "stage": "$default",
        "timeEpoch": now_millis,
    });
    let event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": request.uri.path(),
        "rawQueryString": query,
        "headers": joined(&request.headers),
        "isBase64Encoded": encoded,
    });
    let authorizer = unless(context.is_null(), json!({"lambda": context}));
    let sometimes = [
        ("queryStringParameters", unless(query_parameters.is_empty(), json!(query_parameters))),
        ("pathParameters", unless(parameters.is_empty(), json!(parameters))),
        ("body", unless(body.is_empty(), json!(body))),
        ("requestContext", Some(with(about, [("authorizer", authorizer)]))),
    ];
    with(event, sometimes)
}

/// An object with more fields, of which some are not there.
fn with<const MORE: usize>(mut object: Value, more: [(&str, Option<Value>); MORE]) -> Value {
    if let Some(fields) = object.as_object_mut() {
        let there = more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        fields.extend(there);
    }
    object
}

/// Headers as API Gateway sends them: names in lower case, repeated ones joined by commas.
fn joined(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for name in headers.keys() {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        all.insert(name.as_str().to_owned(), values.collect::<Vec<_>>().join(","));
    }
    all
}

/// The path parameters, if the path is of this form.
fn matched(form: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let mut parameters = BTreeMap::new();
    let (mut form, mut left) = (form.split('/'), Some(path));
    loop {
        match (form.next(), left) {
            (None, None) => return Some(parameters),
            (Some(part), Some(path)) => {
                let name = part.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
                let greedy = name.and_then(|name| name.strip_suffix('+'));
                let (text, after) = match (greedy, path.split_once('/')) {
                    (None, Some((text, after))) => (text, Some(after)),
                    _ => (path, None),
                };
                match greedy.or(name) {
                    Some(name) if !text.is_empty() => {
                        parameters.insert(name.to_owned(), text.to_owned());
                    }
                    None if part == text => {}
                    _ => return None,
                }
                left = after;
            }
            _ => return None,
        }
    }
}

fn head_size(uri: &Uri, headers: &HeaderMap) -> usize {
    let line = uri.path_and_query().map_or(0, |path| path.as_str().len());
    headers.iter().fold(line, |size, (name, value): (_, &HeaderValue)| {
        size.saturating_add(name.as_str().len()).saturating_add(value.len()).saturating_add(4)
    })
}

fn refusal(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"message": message}))).into_response()
}

fn internal_error() -> Response {
    refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}
