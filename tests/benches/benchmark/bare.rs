//! The baseline: a handler that answers 204 to an event and does nothing else.
//!
//! Behind HTTP it has what the gateway has: the same server, the same listener, a task of its own
//! for each request, the same form of event, the same parser of it. It asks no authorizer.

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use lambda_http::{Body, Response};
use serde_json::Value;

use crate::calls::{Parts, event};

/// Answers an event.
pub(crate) fn handle(event: &str) -> Response<Body> {
    let request = lambda_http::request::from_str(event).expect("an event");
    drop(request);
    let answer = Response::builder().status(204).body(Body::Empty);
    answer.expect("an answer")
}

/// Answers any HTTP request.
pub(crate) fn router() -> Router {
    Router::new().fallback(async |request: Request| {
        let answering = tokio::spawn(answer(request));
        answering.await.expect("a bare handler does not stop")
    })
}

async fn answer(request: Request) -> StatusCode {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
    let headers = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let event = event(&Parts {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: headers.collect(),
        body: std::str::from_utf8(&body).expect("a text"),
        context: &Value::Null,
    });
    let answer = handle(&event);
    StatusCode::from_u16(answer.status().as_u16()).expect("a status")
}
