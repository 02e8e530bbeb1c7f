//! The confirmation queue: what could not be committed now is confirmed later.

use aws_sdk_sqs::Client;

use crate::error::{Unavailable, in_words};

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
