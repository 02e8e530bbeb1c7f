//! The platform's own endpoint: what it is sent, and how it behaves.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use crate::document::check_told;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// How an endpoint behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It answers with this status; a redirect leads to a place that takes everything.
    Answers(u16),
    /// It never answers.
    Hangs,
    /// It answers once it behaves otherwise, and then like that.
    Waits,
}

/// What an endpoint was sent.
#[derive(Debug, Clone)]
pub struct Received {
    /// Where to.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as it came.
    pub body: Bytes,
}

/// An endpoint of a platform, on this machine. It is down once this is dropped.
#[derive(Debug)]
pub struct Receiver {
    /// Where it is.
    pub url: String,
    state: Arc<Mutex<Behaviour>>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Behaviour {
    manner: Manner,
    otherwise: Arc<Notify>,
    received: Vec<Received>,
}

type Shared = Arc<Mutex<Behaviour>>;

impl Receiver {
    /// One that takes everything.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/events", listener.local_addr().expect("an address"));
        let behaviour = Behaviour {
            manner: Manner::Answers(200),
            otherwise: Arc::new(Notify::new()),
            received: Vec::new(),
        };
        let state = Arc::new(Mutex::new(behaviour));
        let router = Router::new().fallback(receive).with_state(Arc::clone(&state));
        let server = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Self { url, state, server }
    }

    /// It behaves like this from now on.
    pub fn behave(&self, manner: Manner) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.manner = manner;
        state.otherwise.notify_waiters();
    }

    /// Whether it was sent anything since it was asked last.
    #[must_use]
    pub fn has_received(&self) -> bool {
        !self.state.lock().unwrap_or_else(PoisonError::into_inner).received.is_empty()
    }

    /// What it was sent since it was asked last.
    pub fn received(&self) -> Vec<Received> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let received = std::mem::take(&mut state.received);
        drop(state);
        received.iter().for_each(|one| check_told(&one.json()));
        received
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Received {
    /// A header; empty if it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The event.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Whether one of its signatures was made with this secret, as Standard Webhooks says: HMAC-SHA256 over
    /// the id, the timestamp and the body. Written without the crate that signs.
    ///
    /// # Panics
    /// If the secret is none.
    #[must_use]
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = secret.strip_prefix("whsec_").expect("a secret");
        let key = BASE64.decode(key.as_bytes()).expect("base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        let (id, time) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        mac.update(format!("{id}.{time}.").as_bytes());
        mac.update(&self.body);
        let expected = format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()));
        self.header("webhook-signature").split(' ').any(|signature| signature == expected)
    }
}

async fn receive(State(state): State<Shared>, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 65_536).await.unwrap_or_default();
    let path = parts.uri.path().to_owned();
    let received = Received { path: path.clone(), headers: parts.headers, body };
    let (mut manner, otherwise) = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.received.push(received);
        (state.manner, Arc::clone(&state.otherwise).notified_owned())
    };
    if manner == Manner::Waits {
        otherwise.await;
        manner = state.lock().unwrap_or_else(PoisonError::into_inner).manner;
    }
    match manner {
        Manner::Answers(_) if path == "/elsewhere" => StatusCode::OK.into_response(),
        Manner::Answers(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
            (status, [(header::LOCATION, "/elsewhere")], "what it says is not read").into_response()
        }
        Manner::Hangs | Manner::Waits => std::future::pending().await,
    }
}
