//! Moving the messages of a dead-letter queue back: `StartMessageMoveTask` and what came of it.
//!
//! A task moves what can be received when it gets to it, oldest first; what somebody has in flight stays.
//! A moved message is a new one, with another id and the whole of its retention before it, as on SQS.
//! Tasks are in memory: when the process ends they do, and what was not moved is where it was.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::settings::{arn_of, name_of};
use super::wire::{MoveTask, MoveTasks, in_range};
use super::{QueueError, QueueService, StoreError};

/// Messages that one transaction moves when no rate is asked for.
const AT_ONCE: u32 = 500;
/// The highest rate that can be asked for, in messages a second.
const MAXIMUM_RATE: u32 = 500;
const SECOND: Duration = Duration::from_secs(1);
/// Tasks of a queue that are told of, newest first.
const MAXIMUM_RESULTS: u32 = 10;

/// All tasks since the start, oldest first.
pub(super) type Tasks = Arc<Mutex<Vec<Task>>>;

/// A move of the messages of one queue.
pub(super) struct Task {
    handle: String,
    source: String,
    destination: Option<String>,
    rate: Option<u32>,
    started_at: i64,
    to_move: i64,
    moved: i64,
    status: Status,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Running,
    Completed,
    /// A message does not say where it came from, and no destination was named.
    NoSource,
    /// The database failed.
    Failed,
}

/// What one step of a task did.
pub(super) enum Step {
    /// So many were moved; there may be more.
    Moved(usize),
    /// The next message does not say where it came from.
    NoSource,
}

impl QueueService {
    /// Starts a task; it goes on by itself.
    pub(super) async fn start_moving(&self, request: MoveTask) -> Result<Value, QueueError> {
        let source = self.queue_of(&request.source_arn).await?;
        let destination = match &request.destination_arn {
            Some(arn) => Some(self.queue_of(arn).await?),
            None => None,
        };
        let rate = match request.max_number_of_messages_per_second {
            Some(rate) => Some(in_range("MaxNumberOfMessagesPerSecond", rate, 1..=MAXIMUM_RATE)?),
            None => None,
        };
        let (asked, now) = (source.clone(), self.clock.unix_millis());
        let (is_dead_letters, to_move) = self
            .with_store(move |store| {
                Ok((store.is_dead_letters(&asked)?, store.visible(&asked, now)?))
            })
            .await?;
        if !is_dead_letters {
            let reason = "Source queue must be configured as a Dead Letter Queue.";
            return Err(QueueError::InvalidParameterValue(reason.to_owned()));
        }
        let handle = super::message::unique_id().map_err(StoreError::Randomness)?;
        let task = Task {
            handle: handle.clone(),
            source: source.clone(),
            destination: destination.clone(),
            rate,
            started_at: now,
            to_move,
            moved: 0,
            status: Status::Running,
        };
        {
            let mut tasks = lock(&self.tasks);
            if tasks.iter().any(|one| one.source == source && one.status == Status::Running) {
                return Err(QueueError::TaskRuns);
            }
            tasks.push(task);
        }
        let (service, moving) = (self.clone(), handle.clone());
        tokio::spawn(async move { service.move_all(&moving, &source, destination, rate).await });
        Ok(json!({ "TaskHandle": handle }))
    }

    /// The tasks of a queue, newest first.
    pub(super) async fn list_moving(&self, request: MoveTasks) -> Result<Value, QueueError> {
        let source = self.queue_of(&request.source_arn).await?;
        let most = in_range("MaxResults", request.max_results.unwrap_or(1), 1..=MAXIMUM_RESULTS)?;
        let tasks = lock(&self.tasks);
        let of_queue = tasks.iter().rev().filter(|task| task.source == source);
        let shown: Vec<_> = of_queue.take(most as usize).map(Task::shown).collect();
        Ok(json!({ "Results": shown }))
    }

    async fn move_all(
        &self,
        handle: &str,
        source: &str,
        destination: Option<String>,
        rate: Option<u32>,
    ) {
        loop {
            let (from, to) = (source.to_owned(), destination.clone());
            let (most, now) = (rate.unwrap_or(AT_ONCE), self.clock.unix_millis());
            let step =
                self.with_store(move |store| store.move_some(&from, to.as_deref(), most, now));
            let status = match step.await {
                Ok(Step::Moved(count)) => {
                    self.arrivals.notify_waiters();
                    self.count(handle, count);
                    let more = count == most as usize;
                    if more { Status::Running } else { Status::Completed }
                }
                Ok(Step::NoSource) => Status::NoSource,
                Err(_) => Status::Failed,
            };
            if status != Status::Running {
                let mut tasks = lock(&self.tasks);
                if let Some(task) = tasks.iter_mut().find(|task| task.handle == handle) {
                    task.status = status;
                }
                return;
            }
            if rate.is_some() {
                tokio::time::sleep(SECOND).await;
            }
        }
    }

    fn count(&self, handle: &str, moved: usize) {
        let moved = i64::try_from(moved).unwrap_or(i64::MAX);
        let mut tasks = lock(&self.tasks);
        if let Some(task) = tasks.iter_mut().find(|task| task.handle == handle) {
            task.moved = task.moved.saturating_add(moved);
        }
    }

    async fn queue_of(&self, arn: &str) -> Result<String, QueueError> {
        let name = name_of(arn).unwrap_or_default().to_owned();
        let queue = self.with_store(move |store| store.queue(&name)).await?;
        queue.map(|queue| queue.name).ok_or(QueueError::ResourceNotFound)
    }
}

impl Task {
    fn shown(&self) -> Value {
        let running = self.status == Status::Running;
        let (status, reason) = match self.status {
            Status::Running => ("RUNNING", None),
            Status::Completed => ("COMPLETED", None),
            Status::NoSource => ("FAILED", Some("CouldNotDetermineMessageSource")),
            Status::Failed => ("FAILED", Some("InternalError")),
        };
        let known = json!({
            "TaskHandle": running.then_some(&self.handle),
            "Status": status,
            "SourceArn": arn_of(&self.source),
            "DestinationArn": self.destination.as_deref().map(arn_of),
            "MaxNumberOfMessagesPerSecond": self.rate,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "FailureReason": reason,
            "StartedTimestamp": self.started_at,
        });
        let fields = known.as_object().cloned().unwrap_or_default();
        fields.into_iter().filter(|(_, value)| !value.is_null()).collect()
    }
}

fn lock(tasks: &Mutex<Vec<Task>>) -> MutexGuard<'_, Vec<Task>> {
    tasks.lock().unwrap_or_else(PoisonError::into_inner)
}
