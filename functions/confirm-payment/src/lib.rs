//! The confirmation queue: what the webhook could not commit is confirmed here.
//!
//! A message is acknowledged only when its effect or its finding is durable. One that fails is
//! taken again, and after its last time SQS moves it to the dead-letter queue, where an alarm
//! rings; one bad message never fails the others.

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use ledger::Timestamp;
use service::config::ConfigError;
use service::lambda::Runtime;
use service::notice::Notice;
use service::payments;
use service::table::Table;
use tracing::{error, info, warn};

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
    pub async fn handle(&self, batch: SqsEvent, now: Timestamp) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        for message in batch.records {
            if self.confirm(&message, now).await.is_none() {
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = message.message_id.unwrap_or_default();
                response.batch_item_failures.push(failure);
            }
        }
        response
    }

    /// Confirms one message; `None` if it must come again.
    async fn confirm(&self, message: &SqsMessage, now: Timestamp) -> Option<()> {
        let message_id = message.message_id.as_deref().unwrap_or_default();
        let Some(notice) = message.body.as_deref().and_then(Notice::from_message) else {
            error!(message_id, "a message that cannot be read goes to the dead-letter queue");
            return None;
        };
        let (account_id, order_id) = (&notice.account, &notice.order);
        match payments::confirm(&self.0, &notice, now).await {
            Ok(confirmed) => {
                let outcome = confirmed.name();
                info!(message_id, %account_id, %order_id, outcome, "confirmed");
                Some(())
            }
            Err(cause) => {
                warn!(message_id, %account_id, %order_id, %cause, "to be confirmed later");
                None
            }
        }
    }
}
