//! The confirmation queue: what the webhook could not commit is confirmed here.
//!
//! A message is acknowledged only when its effect or its finding is durable. One that fails is
//! taken again, and after its last time SQS moves it to the dead-letter queue, where an alarm
//! rings; one bad message never fails the others.

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::future::join_all;
use ledger::Timestamp;
use service::config::ConfigError;
use service::error::{Error, Unavailable};
use service::lambda::Runtime;
use service::notice::Told;
use service::payments::{self, Confirmed};
use service::reversals;
use service::table::Table;
use tracing::{error, info, warn};

/// How long one message may take; the function's timeout is 30 s.
const MESSAGE_TIME: Duration = Duration::from_secs(25);

/// A refund or dispute of a payment that nobody knows is tried so often before it becomes a finding;
/// after ten receives the message would be a dead letter.
const RECEIVES_BEFORE_FINDING: u32 = 6;

/// The function `confirm-payment`.
#[derive(Debug)]
pub struct ConfirmPayment(pub Table);

impl ConfirmPayment {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        Ok(Self(runtime.table()?))
    }

    /// Confirms a batch, and names the messages that must come again.
    ///
    /// All at once and each with its own time, so that a slow one cannot use up the time of the
    /// others, receive after receive, until all of them are given up.
    pub async fn handle(&self, batch: SqsEvent, now: Timestamp) -> SqsBatchResponse {
        let confirming = batch.records.iter().map(|message| async move {
            let confirmed = tokio::time::timeout(MESSAGE_TIME, self.confirm(message, now)).await;
            match confirmed.ok().flatten() {
                Some(()) => None,
                None => message.message_id.clone(),
            }
        });
        let mut response = SqsBatchResponse::default();
        response.set_failures(join_all(confirming).await.into_iter().flatten());
        response
    }

    /// Confirms one message; `None` if it must come again.
    async fn confirm(&self, message: &SqsMessage, now: Timestamp) -> Option<()> {
        let message_id = message.message_id.as_deref().unwrap_or_default();
        let Some(told) = message.body.as_deref().and_then(Told::from_message) else {
            error!(message_id, "a message that cannot be read goes to the dead-letter queue");
            return None;
        };
        let event = told.id();
        let confirmed = match (payments::act(&self.0, &told, now).await, &told) {
            // Often enough: nobody will tell whose payment that was.
            (Err(Error::Unavailable(Unavailable::NotCredited(_))), Told::Reversal(notice))
                if receives(message) >= RECEIVES_BEFORE_FINDING =>
            {
                reversals::give_up(&self.0, notice, now).await
            }
            (confirmed, _) => confirmed,
        };
        match confirmed {
            Ok(Confirmed::Found(kind)) => {
                let finding = kind.name();
                error!(
                    message_id,
                    event,
                    group = told.group(),
                    finding,
                    "money and records disagree"
                );
                Some(())
            }
            Ok(confirmed) => {
                let outcome = confirmed.name();
                info!(message_id, event, group = told.group(), outcome, "confirmed");
                Some(())
            }
            Err(cause) => {
                warn!(message_id, event, group = told.group(), %cause, "to be confirmed later");
                None
            }
        }
    }
}

/// How often a message was received, this time included.
fn receives(message: &SqsMessage) -> u32 {
    let count = message.attributes.get("ApproximateReceiveCount");
    count.and_then(|count| serde_json::from_str(count).ok()).unwrap_or_default()
}
