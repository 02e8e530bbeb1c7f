//! The embedded SQS, and its queues as `infra/queues.yaml` declares them.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::cloud::{address, bind, serve};
use crate::queue::{QueueService, QueueSettings, Redrive};

/// The queue that `confirm-payment` takes from.
pub const CONFIRMATION_QUEUE: &str = "topup-local-confirmation";
/// Where messages end that could not be confirmed.
pub const DEAD_LETTER_QUEUE: &str = "topup-local-confirmation-dead";
/// The queue that `meter-usage` takes from.
pub const USAGE_QUEUE: &str = "topup-local-usage";
/// Where messages end whose usage could not be charged.
pub const USAGE_DEAD_LETTER_QUEUE: &str = "topup-local-usage-dead";
/// The queue that `deliver-event` takes from.
pub const EVENT_QUEUE: &str = "topup-local-events";
/// Where messages end of events that could not even be tried to be told.
pub const EVENT_DEAD_LETTER_QUEUE: &str = "topup-local-events-dead";
/// How long a message that could not be confirmed stays invisible: `infra/queues.yaml` has six times
/// the function's timeout; here nothing runs for so long.
pub const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a message is received before it is given up, as in `infra/queues.yaml`.
pub const MAX_RECEIVE_COUNT: u32 = 10;

const RETENTION: Duration = Duration::from_secs(14 * 24 * 3_600);

/// A running SQS. It stops when this is dropped.
#[derive(Debug)]
pub struct EmbeddedQueue {
    /// Where it listens.
    pub address: SocketAddr,
    server: JoinHandle<()>,
}

impl EmbeddedQueue {
    /// Starts it on the file, or in memory.
    ///
    /// # Errors
    /// The file or the port cannot be used.
    pub async fn start(path: Option<&Path>, clock: &Clock) -> Result<Self, String> {
        let opened = QueueService::open(path, clock.clone());
        let queues = opened.map_err(|error| format!("the queue's file: {error}"))?;
        let settings = |name: &str, redrive| QueueSettings {
            name: name.to_owned(),
            visibility_timeout: VISIBILITY_TIMEOUT,
            retention: RETENTION,
            redrive,
        };
        for (queue, dead_letters) in [
            (CONFIRMATION_QUEUE, DEAD_LETTER_QUEUE),
            (USAGE_QUEUE, USAGE_DEAD_LETTER_QUEUE),
            (EVENT_QUEUE, EVENT_DEAD_LETTER_QUEUE),
        ] {
            let redrive = Redrive {
                dead_letter_queue: dead_letters.to_owned(),
                max_receive_count: MAX_RECEIVE_COUNT,
            };
            for queue in [settings(dead_letters, None), settings(queue, Some(redrive))] {
                queues.create_queue(queue).map_err(|error| format!("the queue's file: {error}"))?;
            }
        }
        let listener = bind(0, "the queue").await?;
        let address = address(&listener)?;
        Ok(Self { address, server: tokio::spawn(serve(listener, queues.router())) })
    }

    /// The endpoint for an SDK client.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for EmbeddedQueue {
    fn drop(&mut self) {
        self.server.abort();
    }
}
