//! The embedded SQS: standard queues over the AmazonSQS JSON 1.0 protocol, kept in SQLite.
//!
//! It does what this service and its tests use of SQS, and refuses the rest instead of ignoring
//! it. Signatures are not checked. Where SQS leaves a choice, the choice here is:
//! - Messages come in the order in which they were sent, as far as they are visible. Message
//!   groups are stored and shown; they do not change that order.
//! - A receipt handle of an earlier receive still deletes its message and still changes its
//!   visibility, as on SQS, as long as the message is in the queue that issued the handle.
//!   Deleting what is gone succeeds.
//! - In a dead-letter queue a message keeps its id, its sent timestamp (so its retention counts
//!   from there) and its receive count, which SQS counts "across all queues".
//! - Every message that was received too often moves at the next receive, whatever its limit.
//! - A task that moves dead letters back ends when nothing can be received, and with the process.

mod actions;
mod error;
mod message;
mod moving;
mod settings;
mod store;
mod wire;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::sync::Notify;

pub use error::{QueueError, StoreError};
pub use settings::{QueueSettings, Redrive};

use crate::clock::Clock;
use moving::Tasks;
use store::Store;

/// The embedded SQS: any number of queues in one database. Clones share it.
#[derive(Clone)]
pub struct QueueService {
    store: Arc<Mutex<Store>>,
    /// Wakes the long polls when there may be something to receive.
    arrivals: Arc<Notify>,
    tasks: Tasks,
    clock: Clock,
}

impl QueueService {
    /// Opens the database in the file, creating it when it is new, but not its folder; `None`
    /// keeps it in memory.
    pub fn open(path: Option<&Path>, clock: Clock) -> Result<QueueService, StoreError> {
        Ok(QueueService {
            store: Arc::new(Mutex::new(Store::open(path)?)),
            arrivals: Arc::new(Notify::new()),
            tasks: Tasks::default(),
            clock,
        })
    }

    /// Declares a queue, as a deployment does: one that exists takes on these settings and keeps
    /// its messages. The dead-letter queue must exist already.
    pub fn create_queue(&self, settings: QueueSettings) -> Result<(), QueueError> {
        let store = lock(&self.store);
        if let Some(redrive) = &settings.redrive
            && store.queue(&redrive.dead_letter_queue)?.is_none()
        {
            return Err(wire::refused("Dead letter target does not exist.".to_owned()));
        }
        Ok(store.put_queue(&settings)?)
    }

    /// The HTTP interface; it answers at `/` as the SDKs expect.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/", post(answer))
            // The largest batch leaves room here for being escaped.
            .layer(DefaultBodyLimit::max(wire::MAXIMUM_MESSAGE_BYTES.saturating_mul(8)))
            .with_state(self.clone())
    }

    /// Runs one transaction where it may wait for the disk.
    async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = Arc::clone(&self.store);
        tokio::task::spawn_blocking(move || work(&mut lock(&store))).await?
    }
}

async fn answer(State(service): State<QueueService>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let action = text("x-amz-target").unwrap_or_default();
    let host = text("host").unwrap_or("localhost");
    let outcome = match serde_json::from_slice(&body) {
        Ok(members) => service.act(action, members, host).await,
        Err(error) => Err(QueueError::Malformed(error)),
    };
    match outcome {
        Ok(value) => json_response(&value).into_response(),
        Err(error) => {
            let (name, query_code) = error.names();
            let fault = if error.status().is_client_error() { "Sender" } else { "Receiver" };
            let query_error = [("x-amzn-query-error", format!("{query_code};{fault}"))];
            let body = json!({
                "__type": format!("com.amazonaws.sqs#{name}"),
                "message": error.to_string(),
            });
            (error.status(), query_error, json_response(&body)).into_response()
        }
    }
}

fn json_response(body: &Value) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body.to_string())
}

/// A panic under the lock rolled its transaction back, so the store behind it is whole.
fn lock(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}
