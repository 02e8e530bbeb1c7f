//! The item of an event: put once with what it is about, and replaced at its version by whoever tells
//! it.

use std::collections::BTreeMap;

use ledger::{AccountId, EndpointId, EventId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Keyed, Stored, due_at, id_of, optional, read, shard, shard_of, stored};
use crate::error::BrokenRecord;
use crate::events::{Delivery, DeliveryState, Event, EventKind, EventRecord};
use crate::table::Item;

/// Events of which something is still to be told, by when a sweep may take them up.
pub(in crate::table) const UNTOLD_EVENTS: &str = "untold-event";

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct EventItem {
    version: u64,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    at: i64,
    about: String,
    listed_under: String,
    listed_at: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    deliveries: BTreeMap<String, DeliveryItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_queue: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_at: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct DeliveryItem {
    endpoint: u64,
    attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_outcome: Option<String>,
    state: String,
    at: i64,
}

impl Keyed for EventItem {
    const SORT_KEY: &'static str = "EVENT";
}

/// The partition of the `by_time` index in which the events of a shard are listed.
pub(in crate::table) fn events_listed_under(number: u64) -> String {
    shard("EVENTS", number)
}

/// The shard of an event: its account's, since a busy account does not make the others wait.
fn shard_of_event(event: &Event) -> u64 {
    shard_of(event.account.as_ref().map_or(event.id.as_str(), AccountId::as_str))
}

pub(in crate::table) fn from_event(record: &EventRecord) -> Item {
    let event = &record.event;
    let (id, number) = (event.id.as_str(), shard_of_event(event));
    let value = EventItem {
        version: record.version.saturating_add(1),
        kind: event.kind.name().to_owned(),
        account_id: event.account.as_ref().map(ToString::to_string),
        at: event.at.unix_millis(),
        about: event.about.to_string(),
        listed_under: events_listed_under(number),
        listed_at: due_at(event.at, id),
        deliveries: record.deliveries.iter().map(from_delivery).collect(),
        due: record.due.map(Timestamp::unix_millis),
        due_queue: record.due.map(|_| shard(UNTOLD_EVENTS, number)),
        due_at: record.due.map(|due| due_at(due, id)),
    };
    stored(EventItem::SORT_KEY, id, value)
}

pub(in crate::table) fn to_event(item: Item) -> Result<EventRecord, BrokenRecord> {
    read(item, |stored: Stored<EventItem>| {
        let value = stored.value;
        let event = Event {
            id: id_of(&stored.pk).and_then(|id| EventId::parse(id).ok())?,
            kind: EventKind::stored(value.kind),
            account: optional(value.account_id.as_deref(), |account| {
                AccountId::parse(account).ok()
            })?,
            at: Timestamp::from_unix_millis(value.at),
            about: serde_json::from_str::<Value>(&value.about).ok()?,
        };
        Some(EventRecord {
            event,
            version: value.version,
            deliveries: value.deliveries.into_iter().map(to_delivery).collect::<Option<_>>()?,
            due: value.due.map(Timestamp::from_unix_millis),
        })
    })
}

fn from_delivery((endpoint, delivery): (&EndpointId, &Delivery)) -> (String, DeliveryItem) {
    let (state, at) = match delivery.state {
        DeliveryState::Waiting(at) => ("waiting", at),
        DeliveryState::Delivered(at) => ("delivered", at),
        DeliveryState::GivenUp(at) => ("given_up", at),
    };
    let item = DeliveryItem {
        endpoint: delivery.endpoint,
        attempts: delivery.attempts,
        last_outcome: delivery.last_outcome.clone(),
        state: state.to_owned(),
        at: at.unix_millis(),
    };
    (endpoint.to_string(), item)
}

fn to_delivery((endpoint, item): (String, DeliveryItem)) -> Option<(EndpointId, Delivery)> {
    let at = Timestamp::from_unix_millis(item.at);
    let state = match item.state.as_str() {
        "waiting" => DeliveryState::Waiting(at),
        "delivered" => DeliveryState::Delivered(at),
        "given_up" => DeliveryState::GivenUp(at),
        _ => return None,
    };
    let DeliveryItem { endpoint: number, attempts, last_outcome, .. } = item;
    let delivery = Delivery { endpoint: number, attempts, last_outcome, state };
    Some((EndpointId::parse(&endpoint).ok()?, delivery))
}
