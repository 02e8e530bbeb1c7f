//! The item of how far an account's journal was verified.

use std::collections::BTreeMap;

use ledger::{
    AccountId, Balance, Checkpoint, CreditSum, Currency, EntryHash, Place, ReversalSum, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{Keyed, Stored, exact, id_of, optional, read, stored};
use crate::error::BrokenRecord;
use crate::table::Item;
use crate::verification::CheckpointRecord;

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct CheckpointItem {
    version: u64,
    begun_at: i64,
    number: u64,
    head: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_entry_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    balances: BTreeMap<String, String>,
    debt: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    kept: BTreeMap<String, String>,
    credits: u64,
    credit_sum: String,
    /// Older code did not store it: what it verified is verified again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reversals: Option<ReversalSumItem>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    findings: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct ReversalSumItem {
    taken: String,
    held: String,
}

impl Keyed for CheckpointItem {
    const SORT_KEY: &'static str = "CHECKPOINT";
}

pub(in crate::table) fn from_checkpoint(record: &CheckpointRecord) -> Item {
    let checkpoint = &record.checkpoint;
    let value = CheckpointItem {
        version: record.version.saturating_add(1),
        begun_at: record.begun_at.unix_millis(),
        number: checkpoint.number,
        head: checkpoint.head.to_string(),
        last_entry_at: checkpoint.last_entry_at.map(Timestamp::unix_millis),
        currency: checkpoint.currency.map(|currency| currency.code().to_owned()),
        balances: by_place(&checkpoint.balances),
        debt: exact(checkpoint.debt),
        kept: by_place(&checkpoint.kept),
        credits: checkpoint.credits.count,
        credit_sum: format!("{:032x}", checkpoint.credits.sum),
        reversals: Some(ReversalSumItem {
            taken: exact(checkpoint.reversals.taken),
            held: exact(checkpoint.reversals.held),
        }),
        findings: record.findings.iter().cloned().collect(),
    };
    stored(CheckpointItem::SORT_KEY, record.account.as_str(), value)
}

pub(in crate::table) fn to_checkpoint(item: Item) -> Result<CheckpointRecord, BrokenRecord> {
    read(item, |stored: Stored<CheckpointItem>| {
        let value = stored.value;
        let currency = optional(value.currency.as_deref(), |code| Currency::parse(code).ok())?;
        let credits = CreditSum {
            count: value.credits,
            sum: u128::from_str_radix(&value.credit_sum, 16).ok()?,
        };
        let checkpoint = match &value.reversals {
            Some(reversals) => Checkpoint {
                number: value.number,
                head: EntryHash::parse(&value.head)?,
                last_entry_at: value.last_entry_at.map(Timestamp::from_unix_millis),
                currency,
                balances: to_balances(&value.balances)?,
                debt: Balance::parse(&value.debt).ok()?,
                kept: to_balances(&value.kept)?,
                credits,
                reversals: ReversalSum {
                    taken: Balance::parse(&reversals.taken).ok()?,
                    held: Balance::parse(&reversals.held).ok()?,
                },
            },
            None => Checkpoint::beginning(),
        };
        Some(CheckpointRecord {
            account: id_of(&stored.pk).and_then(|id| AccountId::parse(id).ok())?,
            version: value.version,
            begun_at: Timestamp::from_unix_millis(value.begun_at),
            checkpoint,
            findings: value.findings.into_iter().collect(),
        })
    })
}

fn by_place(balances: &BTreeMap<Place, Balance>) -> BTreeMap<String, String> {
    balances.iter().map(|(place, balance)| (place.to_string(), exact(*balance))).collect()
}

fn to_balances(stored: &BTreeMap<String, String>) -> Option<BTreeMap<Place, Balance>> {
    let balance = |(place, balance): (&String, &String)| {
        Some((Place::parse(place).ok()?, Balance::parse(balance).ok()?))
    };
    stored.iter().map(balance).collect()
}
