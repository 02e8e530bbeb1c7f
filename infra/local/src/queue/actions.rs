//! What each action of SQS does.

use std::pin::pin;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::message::{chosen, prepared, shown};
use super::settings::{arn_of, url_of};
use super::store::VisibilityOutcome;
use super::wire::{
    AttributeQuery, Deletion, Listing, MAXIMUM_MESSAGE_BYTES, Members, NamedQueue, Outgoing,
    Receive, VisibilityChange, batch_answer, in_range, is_name, message_of_handle, read, refused,
    seconds, take_entries, take_text,
};
use super::{QueueError, QueueService, QueueSettings, StoreError};

/// What became of one message of an action: what its sender is told, or why it is refused.
type Outcome = Result<Members, QueueError>;

const MAXIMUM_VISIBILITY_SECONDS: u32 = 43_200;
const MAXIMUM_WAIT_SECONDS: u32 = 20;

/// A long poll looks again after this time: no notice comes when a delay or a visibility timeout
/// ends, nor when a test moves the clock.
const RECHECK_INTERVAL: Duration = Duration::from_millis(50);

impl QueueService {
    /// Does what the request asks for; `target` is the value of its `X-Amz-Target`.
    pub(super) async fn act(
        &self,
        target: &str,
        mut members: Members,
        host: &str,
    ) -> Result<Value, QueueError> {
        let action = target.strip_prefix("AmazonSQS.").unwrap_or(target);
        match action {
            "CreateQueue" => return self.declare(read(members)?, host).await,
            "GetQueueUrl" => return self.queue_url(read(members)?, host).await,
            "ListQueues" => return self.list_queues(read(members)?, host).await,
            "StartMessageMoveTask" => return self.start_moving(read(members)?).await,
            "ListMessageMoveTasks" => return self.list_moving(read(members)?).await,
            _ => {}
        }
        // Not asked for yet: an unknown action is told before an unknown queue.
        let queue = self.addressed_queue(&mut members).await;
        match action {
            "SendMessage" => single(self.send(&queue?.name, vec![read(members)?]).await?),
            "SendMessageBatch" => {
                let (ids, messages) = take_entries(&mut members)?;
                check_batch_weight(&messages)?;
                Ok(batch_answer(ids, self.send(&queue?.name, messages).await?))
            }
            "ReceiveMessage" => self.receive(queue?, read(members)?).await,
            "DeleteMessage" => single(self.delete(&queue?.name, vec![read(members)?]).await?),
            "DeleteMessageBatch" => {
                let (ids, deletions) = take_entries(&mut members)?;
                Ok(batch_answer(ids, self.delete(&queue?.name, deletions).await?))
            }
            "ChangeMessageVisibility" => {
                single(self.change_visibility(&queue?.name, vec![read(members)?]).await?)
            }
            "ChangeMessageVisibilityBatch" => {
                let (ids, changes) = take_entries(&mut members)?;
                Ok(batch_answer(ids, self.change_visibility(&queue?.name, changes).await?))
            }
            "GetQueueAttributes" => self.attributes(queue?, read(members)?).await,
            "PurgeQueue" => self.purge(queue?).await,
            _ => Err(QueueError::UnknownOperation(action.to_owned())),
        }
    }

    async fn declare(&self, request: NamedQueue, host: &str) -> Result<Value, QueueError> {
        let name = request.queue_name;
        if !is_name(&name) {
            return Err(refused(
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in \
                 length"
                    .to_owned(),
            ));
        }
        let answer = json!({ "QueueUrl": url_of(&name, host) });
        let existing = self.find_queue(name.clone()).await?;
        let declared = existing
            .clone()
            .unwrap_or_else(|| QueueSettings::of_new_queue(name))
            .with_attributes(request.attributes)?;
        match existing {
            Some(existing) if existing == declared => {}
            Some(_) => return Err(QueueError::QueueNameExists),
            None => self.create_queue(declared)?,
        }
        Ok(answer)
    }

    async fn queue_url(&self, request: NamedQueue, host: &str) -> Result<Value, QueueError> {
        let queue = self.find_queue(request.queue_name).await?;
        let queue = queue.ok_or(QueueError::QueueDoesNotExist)?;
        Ok(json!({ "QueueUrl": url_of(&queue.name, host) }))
    }

    async fn list_queues(&self, request: Listing, host: &str) -> Result<Value, QueueError> {
        let prefix = request.queue_name_prefix;
        let names = self.with_store(move |store| store.queue_names(&prefix)).await?;
        let urls: Vec<String> = names.iter().map(|name| url_of(name, host)).collect();
        Ok(json!({ "QueueUrls": urls }))
    }

    async fn send(&self, queue: &str, messages: Vec<Outgoing>) -> Result<Vec<Outcome>, QueueError> {
        let mut accepted = Vec::new();
        let outcomes = messages
            .into_iter()
            .map(|message| {
                let (message, answer) = prepared(message)?;
                accepted.push(message);
                Ok(answer)
            })
            .collect();
        let (queue, now) = (queue.to_owned(), self.clock.unix_millis());
        self.with_store(move |store| store.send(&queue, &accepted, now)).await?;
        self.arrivals.notify_waiters();
        Ok(outcomes)
    }

    async fn receive(&self, queue: QueueSettings, request: Receive) -> Result<Value, QueueError> {
        let limit =
            in_range("MaxNumberOfMessages", request.max_number_of_messages.unwrap_or(1), 1..=10)?;
        let wait = request.wait_time_seconds.unwrap_or(0);
        let wait = seconds("WaitTimeSeconds", wait, MAXIMUM_WAIT_SECONDS)?;
        let visibility = match request.visibility_timeout {
            Some(value) => seconds("VisibilityTimeout", value, MAXIMUM_VISIBILITY_SECONDS)?,
            None => queue.visibility_timeout,
        };
        let started = Instant::now();
        loop {
            // Listens before it looks, so that it misses no arrival in between.
            let mut arrival = pin!(self.arrivals.notified());
            arrival.as_mut().enable();
            let (asked, now) = (queue.clone(), self.clock.unix_millis());
            let messages =
                self.with_store(move |store| store.receive(&asked, limit, visibility, now)).await?;
            let left = wait.saturating_sub(started.elapsed());
            if !messages.is_empty() || left.is_zero() {
                let shown =
                    messages.into_iter().map(|message| shown(&queue.name, message, &request));
                return Ok(json!({ "Messages": shown.collect::<Result<Vec<_>, _>>()? }));
            }
            // Woken or not, it looks again.
            let _ = timeout(left.min(RECHECK_INTERVAL), arrival).await;
        }
    }

    async fn delete(
        &self,
        queue: &str,
        deletions: Vec<Deletion>,
    ) -> Result<Vec<Outcome>, QueueError> {
        let mut ids = Vec::new();
        let outcomes = deletions
            .into_iter()
            .map(|deletion| {
                ids.push(message_of_handle(&deletion.receipt_handle, queue)?);
                Ok(Members::new())
            })
            .collect();
        let queue = queue.to_owned();
        self.with_store(move |store| store.delete(&queue, &ids)).await?;
        Ok(outcomes)
    }

    async fn change_visibility(
        &self,
        queue: &str,
        changes: Vec<VisibilityChange>,
    ) -> Result<Vec<Outcome>, QueueError> {
        let requested: Vec<Result<(String, Duration), QueueError>> = changes
            .into_iter()
            .map(|change| {
                let id = message_of_handle(&change.receipt_handle, queue)?;
                let visibility = change
                    .visibility_timeout
                    .ok_or(QueueError::MissingParameter("VisibilityTimeout"))?;
                let visibility =
                    seconds("VisibilityTimeout", visibility, MAXIMUM_VISIBILITY_SECONDS)?;
                Ok((id, visibility))
            })
            .collect();
        let valid: Vec<(String, Duration)> = requested.iter().flatten().cloned().collect();
        let (queue, now) = (queue.to_owned(), self.clock.unix_millis());
        let mut changed = self
            .with_store(move |store| store.change_visibility(&queue, &valid, now))
            .await?
            .into_iter();
        self.arrivals.notify_waiters();
        let outcome = |request: Result<(String, Duration), QueueError>| {
            request?;
            match changed.next() {
                Some(VisibilityOutcome::Changed) => Ok(Members::new()),
                Some(VisibilityOutcome::NotInFlight) => Err(QueueError::MessageNotInflight),
                Some(VisibilityOutcome::Gone) | None => Err(refused(
                    "The value for parameter ReceiptHandle is invalid. Reason: Message does not \
                     exist or is not available for visibility timeout change."
                        .to_owned(),
                )),
            }
        };
        Ok(requested.into_iter().map(outcome).collect())
    }

    async fn attributes(
        &self,
        queue: QueueSettings,
        request: AttributeQuery,
    ) -> Result<Value, QueueError> {
        let (counted, now) = (queue.clone(), self.clock.unix_millis());
        let counts = self.with_store(move |store| store.counts(&counted, now)).await?;
        let redrive = queue.redrive.as_ref().map(|redrive| {
            json!({
                "deadLetterTargetArn": arn_of(&redrive.dead_letter_queue),
                "maxReceiveCount": redrive.max_receive_count,
            })
        });
        let known = [
            ("ApproximateNumberOfMessages", Some(counts.visible.to_string())),
            ("ApproximateNumberOfMessagesNotVisible", Some(counts.in_flight.to_string())),
            ("ApproximateNumberOfMessagesDelayed", Some(counts.delayed.to_string())),
            ("MaximumMessageSize", Some(MAXIMUM_MESSAGE_BYTES.to_string())),
            ("MessageRetentionPeriod", Some(queue.retention.as_secs().to_string())),
            ("QueueArn", Some(arn_of(&queue.name))),
            ("RedrivePolicy", redrive.map(|policy| policy.to_string())),
            ("VisibilityTimeout", Some(queue.visibility_timeout.as_secs().to_string())),
        ];
        let is_unknown =
            |asked: &&String| *asked != "All" && known.iter().all(|(name, _)| name != asked);
        match request.attribute_names.iter().find(is_unknown) {
            Some(unknown) => Err(QueueError::InvalidAttributeName(unknown.clone())),
            None => Ok(json!({ "Attributes": chosen(known, &request.attribute_names) })),
        }
    }

    async fn purge(&self, queue: QueueSettings) -> Result<Value, QueueError> {
        self.with_store(move |store| store.purge(&queue.name)).await?;
        Ok(json!({}))
    }

    /// The queue that the request's URL names: the last part of its path.
    async fn addressed_queue(&self, members: &mut Members) -> Result<QueueSettings, QueueError> {
        let url = take_text(members, "QueueUrl")?;
        let name = url.rsplit('/').next().unwrap_or_default().to_owned();
        self.find_queue(name).await?.ok_or(QueueError::QueueDoesNotExist)
    }

    async fn find_queue(&self, name: String) -> Result<Option<QueueSettings>, StoreError> {
        self.with_store(move |store| store.queue(&name)).await
    }
}

fn check_batch_weight(messages: &[Outgoing]) -> Result<(), QueueError> {
    let sent = messages.iter().fold(0_usize, |sum, message| sum.saturating_add(message.weight()));
    match sent > MAXIMUM_MESSAGE_BYTES {
        true => Err(QueueError::BatchRequestTooLong { limit: MAXIMUM_MESSAGE_BYTES, sent }),
        false => Ok(()),
    }
}

/// The answer to an action on one message, which is done as a batch of one.
fn single(outcomes: Vec<Outcome>) -> Result<Value, QueueError> {
    let outcome = outcomes.into_iter().next().unwrap_or(Err(QueueError::EmptyBatchRequest));
    outcome.map(Value::Object)
}
