//! `GET /v1/openapi.json`: what the API is, for programs and people.
//!
//! Nobody is authorized: it says nothing of anybody. This function reaches nothing.

use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Request, Response};
use service::http::{self, Call, CompiledIn};
use tracing::info;

/// The document, as it is committed.
const DOCUMENT: CompiledIn = CompiledIn {
    media_type: "application/json",
    identity: include_bytes!("../../../infra/openapi/openapi.json"),
    gzip: include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.gzip")),
};
/// What this document is told from another one by; weak, because compressed or not is the same.
const ETAG: &str = concat!("W/\"", env!("DOCUMENT_HASH"), "\"");
/// How long it may be kept without asking again: it changes with a deployment only.
const CACHE_CONTROL: &str = "public, max-age=300";

/// Answers one request: with the document, or with 304 if the client has it.
#[must_use]
pub fn handle(request: &Request) -> Response<Body> {
    let request_id = Call::of(request).request_id;
    let mut response = Response::new(Body::Empty);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE_CONTROL));
    headers.insert(header::ETAG, HeaderValue::from_static(ETAG));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(request_id) = HeaderValue::from_str(&request_id) {
        headers.insert("x-request-id", request_id);
    }
    let (status, body) = match http::has(request.headers(), ETAG) {
        true => (StatusCode::NOT_MODIFIED, Body::Empty),
        false => (StatusCode::OK, DOCUMENT.answer(request.headers(), headers)),
    };
    info!(%request_id, status = status.as_u16(), "answered");
    *response.status_mut() = status;
    *response.body_mut() = body;
    response
}
