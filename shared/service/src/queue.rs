//! The queues that this service sends to: of payments that could not be confirmed at once, and of
//! events that the platform is to be told.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures_util::future::join_all;
use ledger::EventId;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use tracing::warn;

use crate::error::{Unavailable, in_words};
use crate::metrics;

/// The most messages of one request.
const MAX_BATCH: usize = 10;
/// How long whoever committed an event waits for the queue: the sweep finds what it did not take.
const SEND_TIME: Duration = Duration::from_secs(1);

/// The queue that `deliver-event` takes from.
#[derive(Debug, Clone)]
pub struct EventQueue {
    client: Client,
    url: String,
}

/// What travels through it: the event itself is in the table.
#[derive(Debug, Serialize, Deserialize)]
struct EventMessage {
    event_id: String,
}

/// The queue that `confirm-payment` takes from.
#[derive(Debug, Clone)]
pub struct ConfirmationQueue {
    client: Client,
    url: String,
}

impl ConfirmationQueue {
    /// The queue at that address.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Puts a message into the queue; when this returns, the message is durable.
    ///
    /// The account, or the payment while the account is not known, is the message group of SQS's fair
    /// queues: one busy customer does not delay the others.
    ///
    /// # Errors
    /// [`Unavailable::Queue`]: the message may or may not be in the queue.
    pub async fn send(&self, body: &str, group: Option<&str>) -> Result<(), Unavailable> {
        let message = self.client.send_message().queue_url(&self.url).message_body(body);
        let message = message.set_message_group_id(group.map(str::to_owned));
        let sent = message.send().await;
        sent.map(drop).map_err(|error| Unavailable::Queue(in_words(&error)))
    }
}

impl EventQueue {
    /// The queue at that address.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Tells of events that were committed, and waits for at most a second. What the queue does not take
    /// is found by the sweep. Returns what it took.
    pub(crate) async fn send_soon(&self, events: &[EventId]) -> Vec<EventId> {
        let sending = join_all(events.chunks(MAX_BATCH).map(|some| self.send(some, 0)));
        let taken = timeout(SEND_TIME, sending).await.unwrap_or_default();
        let taken: Vec<_> = taken.into_iter().flatten().collect();
        let left = events.len().saturating_sub(taken.len());
        if left > 0 {
            warn!(left, "events that the queue did not take in time: the sweep finds them");
            metrics::events_not_queued(u64::try_from(left).unwrap_or(u64::MAX));
        }
        taken
    }

    /// Brings an event up again after so long, at most a quarter of an hour. If the queue does not take it,
    /// the sweep finds it.
    #[cfg(feature = "endpoints")]
    pub(crate) async fn send_later(&self, event: &EventId, wait: Duration) {
        // Not before its time: whole seconds, rounded up.
        let seconds = i32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(i32::MAX);
        self.send(std::slice::from_ref(event), seconds).await;
    }

    /// Which of at most ten events the queue took.
    async fn send(&self, events: &[EventId], delay_seconds: i32) -> Vec<EventId> {
        let entries = events.iter().map(|event| {
            let body = EventMessage { event_id: event.to_string() };
            let body = serde_json::json!(body).to_string();
            let entry = SendMessageBatchRequestEntry::builder().id(event.as_str());
            entry.message_body(body).delay_seconds(delay_seconds).build().ok()
        });
        let request = self.client.send_message_batch().queue_url(&self.url);
        let request = request.set_entries(entries.collect());
        match request.send().await {
            Ok(answer) => {
                for failed in &answer.failed {
                    warn!(event_id = failed.id, code = failed.code, "an event was not queued");
                }
                let taken = answer.successful.iter().map(|sent| EventId::parse(&sent.id).ok());
                taken.flatten().collect()
            }
            Err(error) => {
                warn!(cause = in_words(&error), "the queue of events did not answer");
                Vec::new()
            }
        }
    }
}

/// The event that a message of the queue is about.
#[must_use]
pub fn event_of(body: &str) -> Option<EventId> {
    let message: EventMessage = serde_json::from_str(body).ok()?;
    EventId::parse(&message.event_id).ok()
}
