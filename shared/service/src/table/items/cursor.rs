//! Where something that runs by the clock stopped.

use ledger::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Keyed, SHARDS, Stored, optional, read, stored};
use crate::error::BrokenRecord;
#[cfg(feature = "stripe")]
use crate::sweep::SweepCursor;
use crate::table::{Item, Position};
use crate::verification::{ShardCursor, Verified};

/// The work of the sweep.
#[cfg(feature = "stripe")]
pub(in crate::table) const SWEEP: &str = "sweep";

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct CursorItem {
    version: u64,
    shard: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    /// Where a sweep stopped with refunds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refunds: Option<String>,
    /// What is kept of work that goes around once and then rests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    round: Option<RoundItem>,
}

#[derive(Serialize, Deserialize)]
struct RoundItem {
    begun_at: i64,
    whole: bool,
    complete: bool,
    accounts: u64,
    entries: u64,
    orders: u64,
    broken: u64,
    cured: u64,
    left: u64,
}

impl Keyed for CursorItem {
    const SORT_KEY: &'static str = "CURSOR";
}

/// The work of verifying the accounts of a shard.
pub(in crate::table) fn verifying(shard: u64) -> String {
    format!("verify-{shard:02}")
}

#[cfg(feature = "stripe")]
pub(in crate::table) fn from_sweep_cursor(cursor: &SweepCursor) -> Item {
    let value = CursorItem {
        version: cursor.version.saturating_add(1),
        shard: cursor.shard,
        after: from_position(cursor.after.as_ref()),
        refunds: from_position(cursor.refunds.as_ref()),
        round: None,
    };
    stored(CursorItem::SORT_KEY, SWEEP, value)
}

#[cfg(feature = "stripe")]
pub(in crate::table) fn to_sweep_cursor(item: Item) -> Result<SweepCursor, BrokenRecord> {
    read(item, |stored: Stored<CursorItem>| {
        let CursorItem { version, shard, after, refunds, .. } = stored.value;
        let (shard, after) = to_place(shard, after.as_deref())?;
        let refunds = optional(refunds.as_deref(), Position::parse)?;
        Some(SweepCursor { version, shard, after, refunds })
    })
}

pub(in crate::table) fn from_shard_cursor(cursor: &ShardCursor) -> Item {
    let Verified { accounts, entries, orders, broken, cured, left, complete } = cursor.done;
    let begun_at = cursor.begun_at.unix_millis();
    let whole = cursor.whole;
    let round =
        RoundItem { begun_at, whole, complete, accounts, entries, orders, broken, cured, left };
    let value = CursorItem {
        version: cursor.version.saturating_add(1),
        shard: cursor.shard,
        after: from_position(cursor.after.as_ref()),
        refunds: None,
        round: Some(round),
    };
    stored(CursorItem::SORT_KEY, &verifying(cursor.shard), value)
}

pub(in crate::table) fn to_shard_cursor(item: Item) -> Result<ShardCursor, BrokenRecord> {
    read(item, |stored: Stored<CursorItem>| {
        let CursorItem { version, shard, after, round, .. } = stored.value;
        let (shard, after) = to_place(shard, after.as_deref())?;
        let RoundItem { begun_at, whole, complete, accounts, entries, orders, broken, cured, left } =
            round?;
        Some(ShardCursor {
            version,
            shard,
            begun_at: Timestamp::from_unix_millis(begun_at),
            whole,
            after,
            done: Verified { accounts, entries, orders, broken, cured, left, complete },
        })
    })
}

fn from_position(after: Option<&Position>) -> Option<String> {
    after.map(|after| after.as_str().to_owned())
}

fn to_place(shard: u64, after: Option<&str>) -> Option<(u64, Option<Position>)> {
    Some((Some(shard).filter(|shard| *shard < SHARDS)?, optional(after, Position::parse)?))
}
