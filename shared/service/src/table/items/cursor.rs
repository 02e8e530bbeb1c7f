//! Where something that runs by the clock stopped.

use serde::{Deserialize, Serialize};

use super::{Keyed, SHARDS, Stored, read, stored};
use crate::error::BrokenRecord;
use crate::sweep::SweepCursor;
use crate::table::{Item, Position};

/// The work of the sweep.
pub(in crate::table) const SWEEP: &str = "sweep";

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct CursorItem {
    version: u64,
    shard: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

impl Keyed for CursorItem {
    const SORT_KEY: &'static str = "CURSOR";
}

pub(in crate::table) fn from_sweep_cursor(cursor: &SweepCursor) -> Item {
    let value = CursorItem {
        version: cursor.version.saturating_add(1),
        shard: cursor.shard,
        after: cursor.after.as_ref().map(|after| after.as_str().to_owned()),
    };
    stored(CursorItem::SORT_KEY, SWEEP, value)
}

pub(in crate::table) fn to_sweep_cursor(item: Item) -> Result<SweepCursor, BrokenRecord> {
    read(item, |stored: Stored<CursorItem>| {
        let value = stored.value;
        Some(SweepCursor {
            version: value.version,
            shard: Some(value.shard).filter(|shard| *shard < SHARDS)?,
            after: match value.after {
                Some(after) => Some(Position::parse(&after)?),
                None => None,
            },
        })
    })
}
