//! Items and the values they stand for. Only this module knows the names of attributes.
//!
//! Money is stored as the text of an exact decimal. What is read is parsed by the ledger's own
//! constructors, so an item that was tampered with is a [`BrokenRecord`], never a wrong balance.

mod account;
mod adjustment;
mod bank_transfer;
mod checkpoint;
mod comparison;
mod cursor;
mod endpoints;
mod event;
mod finding;
mod keys;
mod order;
mod payment;
mod reversal;
mod settings;
mod thresholds;
mod usage;

use aws_sdk_dynamodb::types::AttributeValue;
use ledger::{AccountId, Balance, Currency, Money, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) use account::{AccountItem, from_account, from_entry, to_account, to_entry};
pub(super) use adjustment::{
    AdjustmentItem, adjustments_listed_under, from_adjustment, to_adjustment,
};
pub(super) use checkpoint::{CheckpointItem, from_checkpoint, to_checkpoint};
pub(super) use comparison::{COMPARISONS, ComparisonItem, from_comparison, to_comparison};
pub(super) use cursor::{CursorItem, from_shard_cursor, to_shard_cursor, verifying};
#[cfg(feature = "stripe")]
pub(super) use cursor::{SWEEP, from_sweep_cursor, to_sweep_cursor};
pub(super) use endpoints::{EndpointsItem, from_endpoints, to_endpoints};
#[cfg(feature = "stripe")]
pub(super) use event::UNTOLD_EVENTS;
pub(super) use event::{EventItem, events_listed_under, from_event, to_event};
pub(super) use finding::{
    FindingItem, FoundItem, findings_listed_under, from_finding, from_found, to_finding, to_found,
};
pub(super) use keys::{
    ConsoleSessionItem, KeyItem, from_api_key, from_console_session, keys_listed_under, to_api_key,
    to_console_session,
};
pub(super) use order::{OrderItem, from_order, listed_under, to_order};
pub(super) use payment::{PaymentItem, from_payment, from_reversal, to_payment};
#[cfg(feature = "stripe")]
pub(super) use payment::{ReversalItem, reversed_shard, settled_shard, to_reversal};
pub(super) use settings::{
    CatalogueItem, ProfileItem, ReferenceItem, STATEMENTS, StatementItem, accounts_listed_under,
    from_catalogue, from_change, from_profile, from_reference, from_statement, to_catalogue,
    to_change, to_profile, to_reference, to_statement,
};

pub(super) use usage::{
    ChargeItem, HoldItem, from_charge, from_hold, holds_listed_under, to_charge, to_hold,
};

use super::Item;
use crate::error::BrokenRecord;
use crate::stamp;

/// An item with a key.
pub(super) trait Keyed: Serialize + DeserializeOwned {
    const SORT_KEY: &'static str;
}

/// Shards of a due queue that machines work off, and of the list of all accounts: each takes as
/// many writes as 16 partitions do.
pub const SHARDS: u64 = 16;

/// Bank transfers that are awaited, by the end of their order's time.
pub(super) const AWAITED_TRANSFERS: &str = "awaited-transfer";
/// Bank transfers that a person must look at, by when they were reported. In one shard: no more
/// arrive than people send, and people work off one list, oldest first.
pub(super) const REVIEWS: &str = "review";
/// Card orders that are open, by the end of their time.
pub(super) const OPEN_ORDERS: &str = "open-order";

/// Orders with a refund that waits for the provider, by when it was asked for. In one shard: no more
/// wait than people ask for in a few minutes.
pub(super) const PENDING_REFUNDS: &str = "pending-refund";

/// Holds that are open, by when their time is over.
pub(super) const OPEN_HOLDS: &str = "open-hold";

/// An item that was read: its partition key and the attributes that belong to its kind.
struct Stored<T> {
    pk: String,
    value: T,
}

/// The sort key of an item, which says what it is.
pub(super) fn kind(item: &Item) -> &str {
    item.get("sk").and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

/// The partition key of a thing of that kind.
pub(super) fn partition_key(kind: &str, id: &str) -> String {
    format!("{kind}#{id}")
}

/// The partition key of an account's journal.
pub(super) fn journal_key(account: &AccountId) -> String {
    partition_key("JOURNAL", account.as_str())
}

/// The sort key of an entry: 12 digits, so that text order is number order.
pub(super) fn entry_sort_key(number: u64) -> String {
    format!("{number:012}")
}

/// The shard of a due queue that an id falls into.
pub(super) fn due_queue(queue: &str, id: &str) -> String {
    shard(queue, shard_of(id))
}

/// A shard of a due queue.
pub(super) fn shard(queue: &str, number: u64) -> String {
    format!("{queue}#{number:02}")
}

/// The number of the shard that an id falls into.
pub(super) fn shard_of(id: &str) -> u64 {
    let sum = id.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    sum.checked_rem(SHARDS).unwrap_or_default()
}

/// A position in a due queue: the time and then the id.
pub(super) fn due_at(at: Timestamp, id: &str) -> String {
    format!("{}#{id}", stamp::format(at))
}

/// Money of a stored amount and currency.
pub(super) fn money(amount: &str, currency: &str) -> Option<Money> {
    Money::parse(amount, Currency::parse(currency).ok()?).ok()
}

/// Every digit of a balance.
pub(super) fn exact(balance: Balance) -> String {
    balance.decimal().to_string()
}

/// What follows the kind in a partition key.
pub(super) fn id_of(partition_key: &str) -> Option<&str> {
    partition_key.split_once('#').map(|(_, id)| id)
}

/// The item of a thing of that kind.
pub(super) fn stored<T: Serialize>(kind: &str, id: &str, value: T) -> Item {
    to_item(partition_key(kind, id), kind, value)
}

/// Reads an item, and says which one when it cannot be read.
fn read<T: DeserializeOwned, V>(
    item: Item,
    parse: impl FnOnce(Stored<T>) -> Option<V>,
) -> Result<V, BrokenRecord> {
    let pk = item.get("pk").and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
    let unreadable = |problem: String| BrokenRecord::Unreadable { key: pk.clone(), problem };
    let value = serde_dynamo::from_item(item).map_err(|error| unreadable(error.to_string()))?;
    parse(Stored { pk: pk.clone(), value })
        .ok_or_else(|| unreadable("a value breaks its own rule".to_owned()))
}

fn to_item<T: Serialize>(partition_key: String, sort_key: &str, value: T) -> Item {
    #[expect(clippy::expect_used, reason = "plain structs of texts, numbers, lists and maps")]
    let mut item: Item =
        serde_dynamo::to_item(value).expect("an item of plain values can always be written");
    item.insert("pk".to_owned(), AttributeValue::S(partition_key));
    item.insert("sk".to_owned(), AttributeValue::S(sort_key.to_owned()));
    item
}

/// What may not be there; `None` if it is there and cannot be read.
#[expect(clippy::option_option, reason = "absent and unreadable are two different things")]
fn optional<Stored, Value>(
    stored: Option<Stored>,
    read: impl FnOnce(Stored) -> Option<Value>,
) -> Option<Option<Value>> {
    match stored {
        Some(stored) => read(stored).map(Some),
        None => Some(None),
    }
}
