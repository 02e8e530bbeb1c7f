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
#[serde(deny_unknown_fields)]
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
    /// is found by the sweep.
    pub(crate) async fn send_soon(&self, events: &[EventId]) {
        let sending = join_all(events.chunks(MAX_BATCH).map(|some| self.send(some)));
        let taken: usize = match timeout(SEND_TIME, sending).await {
            Ok(taken) => taken.into_iter().fold(0, usize::saturating_add),
            Err(_) => 0,
        };
        let left = events.len().saturating_sub(taken);
        if left > 0 {
            warn!(left, "events that the queue did not take in time: the sweep finds them");
            metrics::events_not_queued(u64::try_from(left).unwrap_or(u64::MAX));
        }
    }

    /// How many of at most ten events the queue took.
    async fn send(&self, events: &[EventId]) -> usize {
        let entries = events.iter().map(|event| {
            let body = EventMessage { event_id: event.to_string() };
            let body = serde_json::json!(body).to_string();
            let entry = SendMessageBatchRequestEntry::builder().id(event.as_str());
            entry.message_body(body).build().ok()
        });
        let request = self.client.send_message_batch().queue_url(&self.url);
        let request = request.set_entries(entries.collect());
        match request.send().await {
            Ok(answer) => answer.successful.len(),
            Err(error) => {
                warn!(cause = in_words(&error), "the queue of events did not answer");
                0
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
