//! A queue as hostile as SQS may be: messages come in any order and sometimes twice.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::engine::Reply;

/// How long a received message is invisible: much shorter than on AWS, so that a message often comes
/// again while the first try is still at work.
pub const VISIBILITY: Duration = Duration::from_secs(2);
/// How often a message is received before it is given up, as in `infra/queues.yaml`.
const MAX_RECEIVES: u32 = 10;
/// What goes back of a payment that nobody knows is received so often, at least: it ends by itself.
const MIN_RECEIVES_OF_REVERSALS: u32 = 8;
/// One message of so many is delivered a second time at once.
const DOUBLED: u32 = 20;

/// A queue and its dead-letter queue.
pub struct Queue {
    random: fastrand::Rng,
    messages: BTreeMap<u64, Message>,
    dead: Vec<String>,
    last: u64,
    /// How often a message is received before it is given up.
    pub max_receives: u32,
}

struct Message {
    body: String,
    visible_at: Instant,
    receives: u32,
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub fn new(random: fastrand::Rng) -> Self {
        let (messages, dead) = (BTreeMap::new(), Vec::new());
        Self { random, messages, dead, last: 0, max_receives: MAX_RECEIVES }
    }

    /// Messages that are not done.
    #[must_use]
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether everything is done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// What was given up.
    #[must_use]
    pub fn dead(&self) -> &[String] {
        &self.dead
    }

    /// Puts what was given up back into the queue, except for what can never be confirmed: what an
    /// operator does once the alarm has rung and the outage is over.
    pub fn redrive(&mut self, is_poison: impl Fn(&str) -> bool) -> usize {
        let (poison, genuine) =
            std::mem::take(&mut self.dead).into_iter().partition(|body: &String| is_poison(body));
        self.dead = poison;
        let genuine: Vec<String> = genuine;
        let count = genuine.len();
        for body in genuine {
            self.push(body);
        }
        count
    }

    /// Adds a message.
    pub fn push(&mut self, body: String) {
        self.last += 1;
        let message = Message { body, visible_at: Instant::now(), receives: 0 };
        self.messages.insert(self.last, message);
    }

    /// Does what a request asks for.
    ///
    /// # Panics
    /// If the product uses what it must not.
    #[must_use]
    pub fn answer(&mut self, operation: &str, body: &[u8]) -> Reply {
        let request: Value = serde_json::from_slice(body).expect("JSON");
        let answer = match operation {
            "SendMessage" => {
                let body = request["MessageBody"].as_str().expect("a body").to_owned();
                self.push(body);
                json!({"MessageId": self.last.to_string()})
            }
            "ReceiveMessage" => {
                let most = request["MaxNumberOfMessages"].as_u64().unwrap_or(1);
                json!({"Messages": self.receive(usize::try_from(most).unwrap_or(1))})
            }
            "DeleteMessage" => {
                let handle = request["ReceiptHandle"].as_str().unwrap_or_default();
                let id = u64::from_str_radix(handle, 10).expect("a handle");
                self.messages.remove(&id);
                json!({})
            }
            other => panic!("{other} must not be used"),
        };
        Reply { status: 200, body: answer.to_string().into_bytes() }
    }

    fn receive(&mut self, most: usize) -> Vec<Value> {
        let now = Instant::now();
        let limit = |message: &Message| match message.body.contains("\"reversal\"") {
            true => self.max_receives.max(MIN_RECEIVES_OF_REVERSALS),
            false => self.max_receives,
        };
        let exhausted =
            |message: &Message| message.visible_at <= now && message.receives >= limit(message);
        let given_up: Vec<u64> = self
            .messages
            .iter()
            .filter(|(_, message)| exhausted(message))
            .map(|(id, _)| *id)
            .collect();
        for id in given_up {
            self.dead.extend(self.messages.remove(&id).map(|message| message.body));
        }
        let visible = self.messages.iter().filter(|(_, message)| message.visible_at <= now);
        let mut visible: Vec<u64> = visible.map(|(id, _)| *id).collect();
        self.random.shuffle(&mut visible);
        visible.truncate(self.random.usize(1..=most));
        let mut received = Vec::new();
        for id in visible {
            let doubled = self.random.u32(0..DOUBLED) == 0;
            let Some(message) = self.messages.get_mut(&id) else { continue };
            message.receives += 1;
            if !doubled {
                message.visible_at = now + VISIBILITY;
            }
            received.push(json!({
                "MessageId": id.to_string(),
                "ReceiptHandle": id.to_string(),
                "Body": message.body,
                "Attributes": {"ApproximateReceiveCount": message.receives.to_string()},
            }));
        }
        received
    }
}
