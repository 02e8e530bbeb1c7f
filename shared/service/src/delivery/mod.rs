//! Telling the platform: an event is sent to every endpoint that wants it, until that takes it.
//!
//! What became of it is kept with the event, so that it does not matter which message of the queue, or
//! which sweep, brings it up again. An event may arrive twice and out of order; it is never lost: whoever
//! was down for longer reads it in the list of events.

mod address;
mod health;
mod sender;

use std::time::Duration;

use futures_util::future::join_all;
use ledger::{EndpointId, EventId, Timestamp};
use serde_json::json;
use tracing::{error, info, warn};
use url::Url;

pub use sender::{ATTEMPT_TIME, Outcome, Sender};

use crate::endpoints::{Endpoint, EndpointSecrets, Endpoints, Health};
use crate::error::{BrokenRecord, Error, Unavailable};
use crate::events::{Delivery, DeliveryState, EventRecord, QUEUE_TIME};
use crate::http;
use crate::table::{Commit, Committed, MAX_COMMIT_TRIES, Table, pause_before_retry};
use health::note_health;
use sender::Message;

/// How long an endpoint is left alone after each attempt that failed; after the last one it is given up.
/// These are the waits that Standard Webhooks recommends.
pub const WAITS: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3_600),
    Duration::from_secs(5 * 3_600),
    Duration::from_secs(10 * 3_600),
    Duration::from_secs(10 * 3_600),
];
/// The longest time that a message waits in the queue (SQS); who waits longer is found by a sweep.
const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);

/// What tells events.
#[derive(Debug)]
pub struct Deliveries {
    /// Where they are, and the queue that brings them up again.
    pub table: Table,
    /// What they are signed with.
    pub secrets: EndpointSecrets,
    /// What sends them.
    pub sender: Sender,
}

/// What came of an attempt at one endpoint.
struct Attempt {
    endpoint: EndpointId,
    /// The endpoint's number: one that is made again under the same name is another.
    made: u64,
    url: Url,
    /// How often it was sent before.
    attempts: u32,
    outcome: Outcome,
}

impl Delivery {
    fn new(endpoint: u64, now: Timestamp) -> Self {
        Self { endpoint, attempts: 0, last_outcome: None, state: DeliveryState::Waiting(now) }
    }

    fn is_due(&self, now: Timestamp) -> bool {
        matches!(self.state, DeliveryState::Waiting(at) if at <= now)
    }

    /// What it is after an attempt.
    fn after(&self, outcome: &Outcome, now: Timestamp) -> Self {
        let wait = usize::try_from(self.attempts).ok().and_then(|made| WAITS.get(made));
        let state = match (outcome.health(), wait) {
            (Health::Well, _) => DeliveryState::Delivered(now),
            (Health::Failing, Some(wait)) => DeliveryState::Waiting(now.plus(*wait)),
            (Health::Failing, None) | (Health::Gone, _) => DeliveryState::GivenUp(now),
        };
        let attempts = self.attempts.saturating_add(1);
        let last_outcome = Some(outcome.to_string());
        Self { endpoint: self.endpoint, attempts, last_outcome, state }
    }

    fn given_up(&self, why: &str, now: Timestamp) -> Self {
        let state = DeliveryState::GivenUp(now);
        Self { last_outcome: Some(why.to_owned()), state, ..self.clone() }
    }
}

impl EventRecord {
    /// Decides for whom it is, the first time, and gives up whom nothing is sent to any more.
    fn planned(&self, endpoints: &Endpoints, now: Timestamp) -> Self {
        let mut next = self.clone();
        if next.deliveries.is_empty() {
            let wanting = endpoints.all.iter().filter(|one| one.wants(&self.event.kind));
            let deliveries = wanting.map(|one| (one.id.clone(), Delivery::new(one.made, now)));
            next.deliveries = deliveries.collect();
        }
        for (id, delivery) in &mut next.deliveries {
            let waits = matches!(delivery.state, DeliveryState::Waiting(_));
            let wants = |endpoint: &Endpoint| {
                endpoint.made == delivery.endpoint && endpoint.wants(&self.event.kind)
            };
            if waits && !endpoints.find(id).is_some_and(wants) {
                *delivery = delivery.given_up("nothing is sent to this endpoint any more", now);
            }
        }
        next
    }

    /// What it is after these attempts. Of two that were made at the same time, one that arrived counts.
    fn after(&self, attempts: &[Attempt], now: Timestamp) -> Self {
        let mut next = self.clone();
        for attempt in attempts {
            let known = next.deliveries.get_mut(&attempt.endpoint);
            let Some(delivery) = known.filter(|known| known.endpoint == attempt.made) else {
                continue;
            };
            let taken = attempt.outcome.health() == Health::Well;
            let delivered = matches!(delivery.state, DeliveryState::Delivered(_));
            if !delivered && (taken || delivery.attempts == attempt.attempts) {
                *delivery = delivery.after(&attempt.outcome, now);
            }
        }
        next.due = next.next_attempt().map(|at| match at.since(now) <= LONGEST_DELAY {
            true => at.plus(QUEUE_TIME),
            false => at,
        });
        next
    }

    fn next_attempt(&self) -> Option<Timestamp> {
        let waiting = self.deliveries.values().filter_map(|delivery| match delivery.state {
            DeliveryState::Waiting(at) => Some(at),
            DeliveryState::Delivered(_) | DeliveryState::GivenUp(_) => None,
        });
        waiting.min()
    }
}

impl Deliveries {
    /// Sends an event to every endpoint that waits for it now, and writes down what came of it.
    ///
    /// # Errors
    /// The table or a secret could not be read. It may have been sent, and is sent again.
    pub async fn deliver(&self, id: &EventId, now: Timestamp) -> Result<(), Error> {
        let Some(stored) = self.table.event(id).await? else {
            // It was committed before its message was sent: the table was restored to a moment before that, and
            // what the event told of has not happened. Another message would find no more.
            error!(event_id = %id, "there is no such event any more");
            return Ok(());
        };
        if stored.due.is_none() {
            return Ok(());
        }
        let endpoints = self.table.endpoints().await?;
        let planned = stored.planned(&endpoints, now);
        let waiting = planned.deliveries.iter().filter(|(_, delivery)| delivery.is_due(now));
        let waiting = waiting.filter_map(|(id, delivery)| Some((endpoints.find(id)?, delivery)));
        let mut sending = Vec::new();
        for (endpoint, delivery) in waiting {
            // All of them before anything is sent: what cannot be signed must not hide what was sent.
            let secrets = self.secrets.of(endpoint, now).await?;
            sending.push(self.attempt(&planned, endpoint, delivery, secrets, now));
        }
        let attempts = join_all(sending).await;
        let told = self.write_down(stored, &endpoints, &attempts, now).await?;
        // Only who wrote something down: copies of a message must not each bring up another one.
        if let Some(at) = told.and_then(|told| told.next_attempt()) {
            let wait = at.since(now);
            if wait <= LONGEST_DELAY {
                self.table.tell_later(id, wait).await;
            }
        }
        note_health(&self.table, endpoints, &attempts, now).await
    }

    /// Sends a message that means nothing, so that an operator sees what comes of it. Nothing is kept.
    ///
    /// # Errors
    /// The secret could not be loaded.
    pub async fn test(
        &self,
        endpoint: &Endpoint,
        id: &EventId,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        let body = json!({
            "id": id.as_str(),
            "type": "endpoint.test",
            "timestamp": crate::stamp::format(now),
            "account_id": null,
            "data": {"endpoint_id": endpoint.id.as_str()},
        });
        let message = Message { id: id.to_string(), body: body.to_string(), at: now };
        let secrets = self.secrets.of(endpoint, now).await?;
        Ok(self.sender.send(&endpoint.url, &secrets, &message).await)
    }

    async fn stored(&self, id: &EventId) -> Result<EventRecord, Error> {
        let stored = self.table.event(id).await?;
        Ok(stored.ok_or_else(|| BrokenRecord::Missing(format!("event {id}")))?)
    }

    async fn attempt(
        &self,
        record: &EventRecord,
        endpoint: &Endpoint,
        delivery: &Delivery,
        secrets: Vec<String>,
        now: Timestamp,
    ) -> Attempt {
        let event = &record.event;
        let body = http::event(event).to_string();
        let message = Message { id: event.id.to_string(), body, at: now };
        let outcome = self.sender.send(&endpoint.url, &secrets, &message).await;
        let (event_id, endpoint_id, kind) = (&event.id, &endpoint.id, event.kind.name());
        let attempts = delivery.attempts;
        match outcome.health() {
            Health::Well => info!(%event_id, %endpoint_id, kind, attempts, "delivered"),
            Health::Failing | Health::Gone => {
                warn!(%event_id, %endpoint_id, kind, attempts, %outcome, "not delivered");
            }
        }
        let (id, made, url) = (endpoint.id.clone(), endpoint.made, endpoint.url.clone());
        Attempt { endpoint: id, made, url, attempts, outcome }
    }

    /// Writes down what came of it, on top of what others may have written meanwhile. `None` if that changes
    /// nothing.
    async fn write_down(
        &self,
        stored: EventRecord,
        endpoints: &Endpoints,
        attempts: &[Attempt],
        now: Timestamp,
    ) -> Result<Option<EventRecord>, Error> {
        let (mut stored, mut endpoints) = (stored, endpoints.clone());
        for tries in 0..MAX_COMMIT_TRIES {
            let next = stored.planned(&endpoints, now).after(attempts, now);
            let ends = stored.due.is_some() && next.due.is_none();
            if next.deliveries == stored.deliveries && !ends {
                return Ok(None);
            }
            match self.table.commit(Commit::default().told(&next)).await? {
                Committed::Yes => return Ok(Some(next)),
                Committed::No(_) => pause_before_retry(tries).await,
            }
            // An endpoint of which this message does not know may be waiting by now.
            stored = self.stored(&next.event.id).await?;
            endpoints = self.table.endpoints().await?;
        }
        Err(Unavailable::Busy.into())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ledger::Timestamp;

    use super::{Delivery, DeliveryState, Outcome};

    #[test]
    fn eight_attempts_are_made_in_a_day_and_a_quarter() {
        let begin = Timestamp::from_unix_millis(0);
        let (mut now, mut delivery) = (begin, Delivery::new(1, begin));
        let mut waits = Vec::new();
        while let DeliveryState::Waiting(at) = delivery.state {
            waits.push(at.since(now).as_secs());
            now = at;
            delivery = delivery.after(&Outcome::Answered(500), now);
        }
        assert_eq!(waits, [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 36_000]);
        assert_eq!(delivery.state, DeliveryState::GivenUp(now));
        assert_eq!(delivery.attempts, 8);
        assert_eq!(now.since(begin), Duration::from_secs(99_305));
    }

    #[test]
    fn what_is_no_answer_of_two_hundred_is_tried_again_and_410_is_the_end() {
        let now = Timestamp::from_unix_millis(0);
        for (outcome, waits) in [
            (Outcome::Answered(200), false),
            (Outcome::Answered(204), false),
            (Outcome::Answered(301), true),
            (Outcome::Answered(304), true),
            (Outcome::Answered(400), true),
            (Outcome::Answered(410), false),
            (Outcome::Answered(500), true),
            (Outcome::Slow, true),
            (Outcome::Unreachable("the name has no public address".to_owned()), true),
        ] {
            let after = Delivery::new(1, now).after(&outcome, now);
            assert_eq!(matches!(after.state, DeliveryState::Waiting(_)), waits, "{outcome}");
        }
    }
}
