//! A plain HTTP client, and answers that are easy to ask.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// A client that opens connections as it needs them.
#[derive(Debug, Clone)]
pub struct HttpClient(Client<HttpConnector, Body>);

impl Default for HttpClient {
    fn default() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self(Client::builder(TokioExecutor::new()).build(connector))
    }
}

impl HttpClient {
    /// Sends a request; an error means that no whole answer came.
    ///
    /// # Errors
    /// The connection failed or broke.
    pub async fn send(&self, request: Request<Body>) -> Result<Answer, String> {
        let response = self.0.request(request).await.map_err(|error| error.to_string())?;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(Body::new(body), usize::MAX).await;
        let body = body.map_err(|error| error.to_string())?;
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
    }
}

impl Answer {
    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// A field of the body as text; empty if it is not there.
    #[must_use]
    pub fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_default().to_owned()
    }

    /// The session of the page on which an order is paid by card, whose name comes last in its address.
    #[must_use]
    pub fn session(&self) -> String {
        self.text("checkout_url").rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// A header; empty if it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> String {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    }

    /// Whether the answer says that the request was seen before.
    #[must_use]
    pub fn is_replay(&self) -> bool {
        self.header("idempotent-replayed") == "true"
    }

    /// Stops the test unless the status is this.
    ///
    /// # Panics
    /// With the whole answer.
    #[track_caller]
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{body}");
        self
    }

    /// Stops the test unless the answer is this problem, with everything that problems have.
    ///
    /// # Panics
    /// With the whole answer.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        let problem = answer.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(problem["status"], status, "{problem}");
        for field in ["type", "title", "detail", "request_id", "retry"] {
            assert!(problem[field].is_string(), "no {field}: {problem}");
        }
        assert_eq!(answer.header("x-request-id"), problem["request_id"].as_str().unwrap());
        answer
    }

    /// Stops the test unless the answer is the gateway's own.
    ///
    /// # Panics
    /// With the whole answer.
    #[track_caller]
    pub fn expect_gateway(self, status: u16, message: &str) {
        let answer = self.expect(status);
        assert_eq!(answer.json(), serde_json::json!({"message": message}));
    }
}
