//! Events as the platform sees them.

use ledger::AccountId;
use serde_json::{Value, json};

use crate::events::Event;
use crate::record::Page;
use crate::stamp;

/// An event, in a list and on its way to an endpoint.
#[must_use]
pub fn event(event: &Event) -> Value {
    json!({
        "id": event.id.as_str(),
        "type": event.kind.name(),
        "timestamp": stamp::format(event.at),
        "account_id": event.account.as_ref().map(AccountId::as_str),
        "data": event.about,
    })
}

/// A page of events; what comes next is asked for as `after`.
#[must_use]
pub fn events(page: &Page<Event>) -> Value {
    let events: Vec<_> = page.items.iter().map(event).collect();
    json!({"data": events, "next_after": page.next})
}
