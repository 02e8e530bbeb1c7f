//! The item of an adjustment: put once.

use ledger::{
    AccountId, Actor, Adjustment, AdjustmentId, Amount, Direction, MAX_DECIMALS, Note, Target,
    Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{Keyed, Stored, due_at, id_of, partition_key, read, stored};
use crate::error::BrokenRecord;
use crate::table::Item;

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct AdjustmentItem {
    account_id: String,
    listed_under: String,
    listed_at: String,
    balance: String,
    taken_out: bool,
    amount: String,
    reason: String,
    by: String,
    at: i64,
}

impl Keyed for AdjustmentItem {
    const SORT_KEY: &'static str = "ADJUSTMENT";
}

/// The partition of the `by_time` index in which the adjustments of an account are listed.
pub(in crate::table) fn adjustments_listed_under(account: &AccountId) -> String {
    partition_key(AdjustmentItem::SORT_KEY, account.as_str())
}

pub(in crate::table) fn from_adjustment(adjustment: &Adjustment) -> Item {
    let id = adjustment.id.as_str();
    let value = AdjustmentItem {
        account_id: adjustment.account.to_string(),
        listed_under: adjustments_listed_under(&adjustment.account),
        listed_at: due_at(adjustment.at, id),
        balance: adjustment.target.to_string(),
        taken_out: adjustment.direction == Direction::Out,
        amount: adjustment.amount.decimal().to_string(),
        reason: adjustment.reason.to_string(),
        by: adjustment.by.to_string(),
        at: adjustment.at.unix_millis(),
    };
    stored(AdjustmentItem::SORT_KEY, id, value)
}

pub(in crate::table) fn to_adjustment(item: Item) -> Result<Adjustment, BrokenRecord> {
    read(item, |stored: Stored<AdjustmentItem>| {
        let value = stored.value;
        Some(Adjustment {
            id: id_of(&stored.pk).and_then(|id| AdjustmentId::parse(id).ok())?,
            account: AccountId::parse(&value.account_id).ok()?,
            target: Target::parse(&value.balance).ok()?,
            direction: if value.taken_out { Direction::Out } else { Direction::In },
            amount: Amount::parse(&value.amount, MAX_DECIMALS).ok()?,
            reason: Note::parse(&value.reason).ok()?,
            by: Actor::parse(&value.by).ok()?,
            at: Timestamp::from_unix_millis(value.at),
        })
    })
}
