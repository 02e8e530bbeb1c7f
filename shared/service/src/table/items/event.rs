//! The item of an event: put once.

use ledger::{AccountId, EventId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Keyed, Stored, due_at, id_of, read, shard, shard_of, stored};
use crate::error::BrokenRecord;
use crate::events::{Event, EventKind};
use crate::table::Item;

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct EventItem {
    version: u64,
    kind: String,
    account_id: String,
    at: i64,
    about: String,
    listed_under: String,
    listed_at: String,
}

impl Keyed for EventItem {
    const SORT_KEY: &'static str = "EVENT";
}

/// The partition of the `by_time` index in which the events of a shard are listed.
pub(in crate::table) fn events_listed_under(number: u64) -> String {
    shard("EVENTS", number)
}

/// The item of an event, in the shard of its account.
pub(in crate::table) fn from_event(event: &Event) -> Item {
    let id = event.id.as_str();
    let value = EventItem {
        version: 1,
        kind: event.kind.name().to_owned(),
        account_id: event.account.to_string(),
        at: event.at.unix_millis(),
        about: event.about.to_string(),
        listed_under: events_listed_under(shard_of(event.account.as_str())),
        listed_at: due_at(event.at, id),
    };
    stored(EventItem::SORT_KEY, id, value)
}

pub(in crate::table) fn to_event(item: Item) -> Result<Event, BrokenRecord> {
    read(item, |stored: Stored<EventItem>| {
        let value = stored.value;
        Some(Event {
            id: id_of(&stored.pk).and_then(|id| EventId::parse(id).ok())?,
            kind: EventKind::parse(&value.kind)?,
            account: AccountId::parse(&value.account_id).ok()?,
            at: Timestamp::from_unix_millis(value.at),
            about: serde_json::from_str::<Value>(&value.about).ok()?,
        })
    })
}
