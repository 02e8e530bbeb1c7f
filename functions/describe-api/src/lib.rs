//! `GET /v1/openapi.json`: what the API is, for programs and people.
//!
//! Nobody is authorized: it says nothing of anybody. This function reaches nothing.

use data_encoding::HEXLOWER;
use lambda_http::http::{StatusCode, header};
use lambda_http::{Body, Request, Response};
use service::http::Call;
use sha2::{Digest, Sha256};
use tracing::info;

/// The document, as it is committed.
const DOCUMENT: &str = include_str!("../../../infra/openapi/openapi.json");
/// How long it may be kept without asking again: it changes with a deployment only.
const CACHE_CONTROL: &str = "public, max-age=300";

/// The function `describe-api`.
#[derive(Debug)]
pub struct DescribeApi {
    /// What this document is told from another one by.
    etag: String,
}

impl Default for DescribeApi {
    fn default() -> Self {
        let digest = Sha256::digest(DOCUMENT.as_bytes());
        Self { etag: format!("\"{}\"", HEXLOWER.encode(&digest)) }
    }
}

impl DescribeApi {
    /// Answers one request: with the document, or with 304 if the client has it.
    #[must_use]
    pub fn handle(&self, request: &Request) -> Response<Body> {
        let request_id = Call::of(request).request_id;
        let known = request.headers().get(header::IF_NONE_MATCH);
        let known = known.and_then(|known| known.to_str().ok()).is_some_and(|known| {
            known.split(',').any(|one| one.trim().trim_start_matches("W/") == self.etag)
        });
        let (status, body) = match known {
            true => (StatusCode::NOT_MODIFIED, Body::Empty),
            false => (StatusCode::OK, Body::from(DOCUMENT)),
        };
        info!(%request_id, status = status.as_u16(), "answered");
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, CACHE_CONTROL),
            (header::ETAG, &self.etag),
            (header::HeaderName::from_static("x-request-id"), &request_id),
        ];
        for (name, value) in headers {
            if let Ok(value) = header::HeaderValue::from_str(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
