//! The SQS under test, and the verbs of its users.

use std::error::Error;
use std::fmt::Debug;
use std::path::Path;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{Config, Credentials, Region};
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::operation::change_message_visibility::builders::ChangeMessageVisibilityFluentBuilder;
use aws_sdk_sqs::operation::delete_message::builders::DeleteMessageFluentBuilder;
use aws_sdk_sqs::operation::receive_message::builders::ReceiveMessageFluentBuilder;
use aws_sdk_sqs::operation::send_message::builders::SendMessageFluentBuilder;
use aws_sdk_sqs::types::{
    Message, MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
};
use axum::serve::ListenerExt;
use local::clock::Clock;
use local::queue::QueueService;
use tokio::net::TcpListener;

/// The outcome of a check.
pub(crate) type Checked<T = ()> = Result<T, Box<dyn Error>>;

/// When the embedded clock starts.
pub(crate) const START: i64 = 1_800_000_000_000;
/// The largest message, in bytes.
pub(crate) const MEBIBYTE: usize = 1_048_576;

/// An SQS and, when it is the embedded one, its clock.
pub(crate) struct World {
    pub(crate) client: Client,
    clock: Option<Clock>,
}

/// One queue of that SQS.
pub(crate) struct Queue<'a> {
    pub(crate) client: &'a Client,
    pub(crate) url: String,
}

impl World {
    /// The SQS of `TOPUP_SQS_ENDPOINT`, or an embedded one in memory.
    pub(crate) async fn start() -> Checked<World> {
        match std::env::var("TOPUP_SQS_ENDPOINT") {
            Ok(endpoint) => Ok(World { client: client_of(&endpoint), clock: None }),
            Err(_) => World::embedded(None, Clock::manual(START)).await,
        }
    }

    /// An embedded queue, in the file or in memory.
    pub(crate) async fn embedded(file: Option<&Path>, clock: Clock) -> Checked<World> {
        let router = QueueService::open(file, clock.clone())?.router();
        World::serving(router, clock).await
    }

    /// Serves the embedded queue on a port of its own.
    pub(crate) async fn serving(router: axum::Router, clock: Clock) -> Checked<World> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap_or_default());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(World { client: client_of(&endpoint), clock: Some(clock) })
    }

    /// Lets time pass: on the clock of the embedded queue, or really.
    pub(crate) async fn pass(&self, time: Duration) {
        match &self.clock {
            Some(clock) => clock.advance(time),
            None => tokio::time::sleep(time).await,
        }
    }

    pub(crate) async fn queue(&self, name: &str) -> Checked<Queue<'_>> {
        self.queue_with(name, &[]).await
    }

    /// Creates a queue that no other run has used.
    pub(crate) async fn queue_with(
        &self,
        name: &str,
        attributes: &[(QueueAttributeName, &str)],
    ) -> Checked<Queue<'_>> {
        let mut request =
            self.client.create_queue().queue_name(format!("{name}-{}", std::process::id()));
        for (name, value) in attributes {
            request = request.attributes(name.clone(), *value);
        }
        let url = request.send().await?.queue_url.ok_or("a queue has an address")?;
        Ok(Queue { client: &self.client, url })
    }
}

impl Queue<'_> {
    pub(crate) fn sending(&self, body: &str) -> SendMessageFluentBuilder {
        self.client.send_message().queue_url(&self.url).message_body(body)
    }

    pub(crate) fn receiving(&self) -> ReceiveMessageFluentBuilder {
        self.client.receive_message().queue_url(&self.url)
    }

    pub(crate) fn deleting(&self, handle: &str) -> DeleteMessageFluentBuilder {
        self.client.delete_message().queue_url(&self.url).receipt_handle(handle)
    }

    pub(crate) fn hiding(
        &self,
        handle: &str,
        seconds: i32,
    ) -> ChangeMessageVisibilityFluentBuilder {
        let change = self.client.change_message_visibility().queue_url(&self.url);
        change.receipt_handle(handle).visibility_timeout(seconds)
    }

    /// Sends a message; its id.
    pub(crate) async fn send(&self, body: &str) -> Checked<String> {
        let sent = self.sending(body).send().await?;
        Ok(sent.message_id.ok_or("a message has an id")?)
    }

    /// What is visible, with everything that can be asked for.
    pub(crate) async fn receive(&self) -> Checked<Vec<Message>> {
        let request = self
            .receiving()
            .max_number_of_messages(10)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        Ok(request.send().await?.messages.unwrap_or_default())
    }

    /// The only visible message.
    pub(crate) async fn receive_one(&self) -> Checked<Message> {
        let mut messages = self.receive().await?;
        let message = messages.pop().ok_or("a message should be visible")?;
        assert!(messages.is_empty(), "one message should be visible");
        Ok(message)
    }

    pub(crate) async fn delete(&self, message: &Message) -> Checked {
        self.deleting(handle_of(message)).send().await?;
        Ok(())
    }

    pub(crate) async fn attribute(&self, name: QueueAttributeName) -> Checked<String> {
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let answer = request.attribute_names(name.clone()).send().await?;
        let value = answer.attributes.and_then(|mut attributes| attributes.remove(&name));
        Ok(value.ok_or("the queue should have the attribute")?)
    }

    /// How many messages are visible, in flight, and delayed.
    pub(crate) async fn counts(&self) -> Checked<[String; 3]> {
        Ok([
            self.attribute(QueueAttributeName::ApproximateNumberOfMessages).await?,
            self.attribute(QueueAttributeName::ApproximateNumberOfMessagesNotVisible).await?,
            self.attribute(QueueAttributeName::ApproximateNumberOfMessagesDelayed).await?,
        ])
    }
}

/// The handle of a message that was received.
pub(crate) fn handle_of(message: &Message) -> &str {
    message.receipt_handle().unwrap_or_default()
}
/// The body, empty when there is none.
pub(crate) fn body_of(message: &Message) -> &str {
    message.body().unwrap_or_default()
}

/// What the queue itself says about the message.
pub(crate) fn system_attribute(
    message: &Message,
    name: MessageSystemAttributeName,
) -> Option<&str> {
    message.attributes()?.get(&name).map(String::as_str)
}

/// How often the message has been received, in digits.
pub(crate) fn receive_count(message: &Message) -> Option<&str> {
    system_attribute(message, MessageSystemAttributeName::ApproximateReceiveCount)
}

/// The code with which a request was refused.
pub(crate) fn code_of<T: Debug, E: ProvideErrorMetadata>(outcome: Result<T, E>) -> String {
    match outcome {
        Ok(answer) => format!("accepted: {answer:?}"),
        Err(error) => error.code().unwrap_or("no code").to_owned(),
    }
}

/// An entry of a batch to send.
pub(crate) fn entry(id: &str, body: &str) -> Checked<SendMessageBatchRequestEntry> {
    Ok(SendMessageBatchRequestEntry::builder().id(id).message_body(body).build()?)
}

fn client_of(endpoint: &str) -> Client {
    Client::from_conf(
        Config::builder()
            .endpoint_url(endpoint)
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
            .build(),
    )
}
