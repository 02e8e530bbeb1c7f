//! The queue of events: what was committed is told to the platform.
//!
//! An endpoint that does not take an event does not fail the message: what came of it is written down, and
//! another message or a sweep brings it up again. A message fails only when nobody knows what came of it.

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::future::join_all;
use ledger::Timestamp;
use service::config::{ConfigError, ENDPOINT_SECRET_ARN, EVENT_QUEUE_URL};
use service::delivery::{Deliveries, Sender};
use service::endpoints::{EndpointSecrets, Reach};
use service::error::Error;
use service::lambda::Runtime;
use service::queue::event_of;
use tokio::time::timeout;
use tracing::{error, warn};

/// How long one message may take; the function's timeout is 30 s, and an attempt takes at most 10 s.
const MESSAGE_TIME: Duration = Duration::from_secs(25);

/// The function `deliver-event`.
#[derive(Debug)]
pub struct DeliverEvent(pub Deliveries);

impl DeliverEvent {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        // Without it nothing would be sent again.
        runtime.environment.text(EVENT_QUEUE_URL)?;
        let secrets = EndpointSecrets(runtime.secret(ENDPOINT_SECRET_ARN)?);
        let sender = Sender::new(Reach::Public);
        Ok(Self(Deliveries { table: runtime.table()?, secrets, sender }))
    }

    /// Tells the events of a batch side by side, and names the messages that must come again.
    pub async fn handle(&self, batch: SqsEvent, now: Timestamp) -> SqsBatchResponse {
        let telling = batch.records.iter().map(|message| async move {
            let told = timeout(MESSAGE_TIME, self.tell(message, now)).await;
            match told.unwrap_or(false) {
                true => None,
                false => message.message_id.clone(),
            }
        });
        let mut response = SqsBatchResponse::default();
        response.set_failures(join_all(telling).await.into_iter().flatten());
        response
    }

    async fn tell(&self, message: &SqsMessage, now: Timestamp) -> bool {
        let message_id = message.message_id.as_deref().unwrap_or_default();
        let Some(event_id) = message.body.as_deref().and_then(event_of) else {
            error!(message_id, "a message that cannot be read goes to the dead-letter queue");
            return false;
        };
        match self.0.deliver(&event_id, now).await {
            Ok(()) => true,
            Err(Error::Broken(cause)) => {
                error!(message_id, %event_id, %cause, "the event cannot be told");
                false
            }
            Err(cause) => {
                warn!(message_id, %event_id, %cause, "to be told later");
                false
            }
        }
    }
}
