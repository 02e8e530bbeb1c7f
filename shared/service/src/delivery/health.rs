//! What attempts say about their endpoints: one that fails for days, or is gone, is switched off.

use ledger::{EventId, Timestamp};
use serde_json::json;

use super::Attempt;
use crate::endpoints::{Endpoint, Endpoints};
use crate::error::Error;
use crate::events::{Event, EventKind};
use crate::stamp;
use crate::table::{Commit, Committed, MAX_COMMIT_TRIES, Table, pause_before_retry};

/// Writes down what attempts say about their endpoints, where that changes anything. Whoever is switched
/// off is told of in the same commit.
///
/// # Errors
/// The table did not answer.
pub(super) async fn note_health(
    table: &Table,
    seen: Endpoints,
    attempts: &[Attempt],
    now: Timestamp,
) -> Result<(), Error> {
    let mut seen = seen;
    for tries in 0..MAX_COMMIT_TRIES {
        let (next, events) = after_attempts(&seen, attempts, now);
        if next == seen {
            return Ok(());
        }
        let commit = Commit::default().endpoints(&next);
        let commit = events.into_iter().fold(commit, Commit::event);
        match table.commit(commit).await? {
            Committed::Yes => return Ok(()),
            Committed::No(_) => pause_before_retry(tries).await,
        }
        seen = table.endpoints().await?;
    }
    // The next attempt says the same.
    Ok(())
}

/// All endpoints after these attempts, and what is told of those that are off now. An attempt at an
/// address that is not the endpoint's any more says nothing about it, and neither does one at an endpoint
/// before it of the same name.
fn after_attempts(
    seen: &Endpoints,
    attempts: &[Attempt],
    now: Timestamp,
) -> (Endpoints, Vec<Event>) {
    let mut next = seen.clone();
    let mut events = Vec::new();
    for attempt in attempts {
        let same = |known: &&Endpoint| known.made == attempt.made && known.url == attempt.url;
        let known = next.find(&attempt.endpoint).filter(same);
        let health = attempt.outcome.health();
        let Some(changed) = known.and_then(|endpoint| endpoint.after(health, now)) else {
            continue;
        };
        events.extend(Event::of_disabled_endpoint(&changed, seen.version.saturating_add(1), now));
        next = next.with(changed);
    }
    (next, events)
}

impl Event {
    /// What is told of an endpoint that is switched off, of all endpoints after that.
    fn of_disabled_endpoint(endpoint: &Endpoint, version: u64, now: Timestamp) -> Option<Self> {
        let (at, reason) = endpoint.disabled?;
        let about = json!({
            "endpoint_id": endpoint.id.as_str(),
            "reason": reason.name(),
            "failing_since": endpoint.failing_since.map(stamp::format),
            "disabled_at": stamp::format(at),
        });
        let (id, kind) = (EventId::of_endpoint(&endpoint.id, version), EventKind::EndpointDisabled);
        Some(Self { id, kind, account: None, at: now, about })
    }
}
