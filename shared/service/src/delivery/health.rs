//! What attempts say about their endpoints: one that fails for days, or is gone, is switched off.

use ledger::{EndpointId, EventId, Timestamp};
use serde_json::json;
use url::Url;

use crate::endpoints::{Endpoint, Endpoints, Health};
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
    outcomes: &[(EndpointId, Url, Health)],
    now: Timestamp,
) -> Result<(), Error> {
    let mut seen = seen;
    for tries in 0..MAX_COMMIT_TRIES {
        let (next, events) = after_attempts(&seen, outcomes, now);
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
/// address that is not the endpoint's any more says nothing about it.
fn after_attempts(
    seen: &Endpoints,
    outcomes: &[(EndpointId, Url, Health)],
    now: Timestamp,
) -> (Endpoints, Vec<Event>) {
    let mut next = seen.clone();
    let mut events = Vec::new();
    for (id, url, health) in outcomes {
        let known = next.find(id).filter(|endpoint| endpoint.url == *url);
        let Some(changed) = known.and_then(|endpoint| endpoint.after(*health, now)) else {
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
