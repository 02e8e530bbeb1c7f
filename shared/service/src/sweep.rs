//! What runs by the clock: orders whose time is over are closed.
//!
//! Work is found in the `by_due` index, in shards and bounded pages; each order is read again and
//! decided on by its own rule, so that it does not matter how often, or how late, the sweep comes.

use ledger::Timestamp;

use crate::error::Error;
use crate::record::OrderRecord;
use crate::table::{Commit, Committed, Position, SHARDS, Table};

/// Orders a page.
const PAGE: u8 = 50;
/// Most pages of a shard in one sweep; what is left is found by the next.
const MAX_PAGES: usize = 20;

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Orders that awaited a bank transfer and were closed.
    pub expired: u32,
    /// Orders that somebody else was writing: the next sweep sees them again.
    pub busy: u32,
}

/// Closes the orders that awaited a bank transfer which nobody reported in time.
///
/// # Errors
/// The table did not answer: what was done is done, and the next sweep goes on.
pub async fn close_overdue_transfers(table: &Table, now: Timestamp) -> Result<Swept, Error> {
    let mut swept = Swept::default();
    for shard in 0..SHARDS {
        let mut after = None;
        for _ in 0..MAX_PAGES {
            let page = table.awaited_transfers(shard, Some(now), after.as_ref(), PAGE).await?;
            for record in &page.items {
                close(table, record, now, &mut swept).await?;
            }
            after = page.next.as_deref().and_then(Position::parse);
            if after.is_none() {
                break;
            }
        }
    }
    Ok(swept)
}

async fn close(
    table: &Table,
    record: &OrderRecord,
    now: Timestamp,
    swept: &mut Swept,
) -> Result<(), Error> {
    let Some(order) = ledger::transfer_overdue(&record.order, now)? else { return Ok(()) };
    let next = OrderRecord { order, ..record.clone() };
    match table.commit(Commit::default().order(&next)).await? {
        Committed::Yes => swept.expired = swept.expired.saturating_add(1),
        Committed::No(_) => swept.busy = swept.busy.saturating_add(1),
    }
    Ok(())
}
