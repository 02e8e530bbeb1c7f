//! What Stripe sends: proven, read, and acted on or queued before it is acknowledged.

use std::time::Duration;

use ledger::Timestamp;
use serde_json::json;

use crate::error::{Error, Unavailable};
use crate::notice::Told;
use crate::payments::{self, Confirmed};
use crate::queue::ConfirmationQueue;
use crate::secret::{Secret, each};
use crate::stripe::event::{self, Reading};
use crate::stripe::signature;
use crate::table::Table;

/// How long a payment may take to be committed before it goes to the queue. Stripe holds the
/// customer's redirect for ten seconds.
const CONFIRM_TIME: Duration = Duration::from_secs(8);

/// The receiving end of Stripe's webhooks.
#[derive(Debug)]
pub struct WebhookReceiver {
    /// Where confirmed payments are committed.
    pub table: Table,
    /// Where they go when that cannot be done now.
    pub queue: ConfirmationQueue,
    /// Signing secrets, separated by blanks or commas; more than one while they are rotated.
    pub secrets: Secret,
    /// Whose events these are.
    pub stage: String,
    /// Whether real money is expected.
    pub live_mode: bool,
}

/// What became of a webhook. Everything but [`Received::Forged`] is acknowledged.
#[derive(Debug)]
pub enum Received {
    /// The signature is not Stripe's: nothing was read.
    Forged,
    /// Nothing for this deployment, and why.
    Ignored(&'static str),
    /// For this deployment, but of the other mode than is configured.
    OtherMode,
    /// Its effect is durable.
    Confirmed(Box<Told>, Confirmed),
    /// It is in the queue, because of this.
    Queued(Option<Box<Told>>, String),
}

impl WebhookReceiver {
    /// Takes one webhook.
    ///
    /// # Errors
    /// [`Error::NotTaken`] if neither the table nor the queue took it: Stripe sends it again.
    pub async fn receive(
        &self,
        body: &[u8],
        signature: Option<&str>,
        now: Timestamp,
    ) -> Result<Received, Error> {
        let Some(signature) = signature else {
            return Ok(Received::Forged);
        };
        if !self.is_genuine(body, signature, now).await? {
            return Ok(Received::Forged);
        }
        match event::read(body, &self.stage, self.live_mode) {
            Reading::Ignored(why) => Ok(Received::Ignored(why)),
            Reading::OtherMode => Ok(Received::OtherMode),
            Reading::Told(told) => self.act(told, now).await,
            Reading::Unreadable { event, why } => {
                // A message that cannot be confirmed ends in the dead-letter queue, where an alarm
                // rings. It names the event, which Stripe's dashboard can send again once the code
                // can read it; the event itself tells about people.
                let message = json!({"unreadable": why, "event": event}).to_string();
                self.queue(&message, None, why).await?;
                Ok(Received::Queued(None, format!("unreadable: {why}")))
            }
        }
    }

    async fn act(&self, told: Told, now: Timestamp) -> Result<Received, Error> {
        let confirming = payments::act(&self.table, &told, now);
        let confirmed = tokio::time::timeout(CONFIRM_TIME, confirming).await;
        // Given up halfway, it may have been committed: confirming again is safe.
        let late = |_| Err(Unavailable::Table("no answer in time".to_owned()).into());
        match confirmed.unwrap_or_else(late) {
            Ok(confirmed) => Ok(Received::Confirmed(Box::new(told), confirmed)),
            Err(error) => {
                let cause = error.to_string();
                self.queue(&told.to_message(), Some(told.group()), &cause).await?;
                Ok(Received::Queued(Some(Box::new(told)), cause))
            }
        }
    }

    async fn queue(&self, message: &str, group: Option<&str>, cause: &str) -> Result<(), Error> {
        let sent = self.queue.send(message, group).await;
        sent.map_err(|error| Error::NotTaken(format!("{cause}; {error}")))
    }

    /// A signature that fails is tried once more with freshly loaded secrets: one was rotated.
    async fn is_genuine(&self, body: &[u8], header: &str, now: Timestamp) -> Result<bool, Error> {
        let secrets = self.secrets.get(now).await?;
        if signature::is_genuine(body, header, each(&secrets), now) {
            return Ok(true);
        }
        let fresh = self.secrets.get_again(now).await?;
        Ok(fresh != secrets && signature::is_genuine(body, header, each(&fresh), now))
    }
}
