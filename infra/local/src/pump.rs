//! What feeds `confirm-payment`, `meter-usage` and `deliver-event`: Lambda's poller of an SQS queue.
//!
//! It receives up to ten messages, calls the function with the event that Lambda sends, and
//! deletes what the function does not name as failed. The rest becomes visible again.

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::SdkError;
use aws_sdk_sqs::operation::receive_message::ReceiveMessageError;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use confirm_payment::ConfirmPayment;
use deliver_event::DeliverEvent;
use ledger::Timestamp;
use meter_usage::MeterUsage;
use serde_json::{Value, json};
use tracing::warn;

use crate::clock::Clock;

/// Messages a call of the function, as the pollers have it.
const BATCH_SIZE: i32 = 10;
/// How long one look at the queue waits for a message.
const LONG_POLL_SECONDS: i32 = 10;
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(500);

/// A function that a queue feeds.
pub trait Fed {
    /// Takes a batch, and names the messages that must come again.
    fn take(
        &self,
        batch: SqsEvent,
        now: Timestamp,
    ) -> impl Future<Output = SqsBatchResponse> + Send;
}

impl Fed for ConfirmPayment {
    fn take(
        &self,
        batch: SqsEvent,
        now: Timestamp,
    ) -> impl Future<Output = SqsBatchResponse> + Send {
        self.handle(batch, now)
    }
}

impl Fed for MeterUsage {
    fn take(
        &self,
        batch: SqsEvent,
        now: Timestamp,
    ) -> impl Future<Output = SqsBatchResponse> + Send {
        self.handle(batch, now)
    }
}

impl Fed for DeliverEvent {
    fn take(
        &self,
        batch: SqsEvent,
        now: Timestamp,
    ) -> impl Future<Output = SqsBatchResponse> + Send {
        self.handle(batch, now)
    }
}

/// Feeds the function for ever.
pub(crate) async fn run(function: &impl Fed, client: Client, queue_url: String, clock: Clock) {
    loop {
        if let Err(error) = feed(function, &client, &queue_url, &clock).await {
            warn!(%error, "the queue does not answer");
            tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
        }
    }
}

/// Feeds the function with what is in the queue, one batch; returns how many messages it had.
///
/// # Errors
/// The queue does not answer.
pub async fn feed(
    function: &impl Fed,
    client: &Client,
    queue_url: &str,
    clock: &Clock,
) -> Result<usize, SdkError<ReceiveMessageError>> {
    let received = client
        .receive_message()
        .queue_url(queue_url)
        .max_number_of_messages(BATCH_SIZE)
        .wait_time_seconds(LONG_POLL_SECONDS)
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .send()
        .await?;
    let messages = received.messages.unwrap_or_default();
    if messages.is_empty() {
        return Ok(0);
    }
    let name = queue_url.rsplit('/').next().unwrap_or_default();
    let records: Vec<Value> = messages.iter().map(|message| record(message, name)).collect();
    let Ok(batch) = serde_json::from_value::<SqsEvent>(json!({"Records": records})) else {
        warn!("a batch that is no event");
        return Ok(messages.len());
    };
    let answer = function.take(batch, clock.now()).await;
    for message in &messages {
        let failed = answer
            .batch_item_failures
            .iter()
            .any(|failure| Some(failure.item_identifier.as_str()) == message.message_id.as_deref());
        if failed {
            continue;
        }
        let handle = message.receipt_handle.clone();
        let deleted = client.delete_message().queue_url(queue_url).set_receipt_handle(handle);
        if let Err(error) = deleted.send().await {
            warn!(%error, "a message that was taken stays in the queue and comes again");
        }
    }
    Ok(messages.len())
}

/// A message as Lambda passes it on.
fn record(message: &Message, queue: &str) -> Value {
    let attributes = message.attributes.iter().flatten();
    let attributes: serde_json::Map<_, _> =
        attributes.map(|(name, value)| (name.as_str().to_owned(), json!(value))).collect();
    json!({
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "md5OfBody": message.md5_of_body,
        "attributes": attributes,
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:000000000000:{queue}"),
        "awsRegion": "us-east-1",
    })
}
