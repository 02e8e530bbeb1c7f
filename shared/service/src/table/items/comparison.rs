//! The item of a comparison with the provider.

use std::time::Duration;

use ledger::{Day, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Keyed, Stored, due_at, id_of, read, stored};
use crate::comparison::{Comparison, Report};
use crate::error::BrokenRecord;
use crate::table::Item;

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct ComparisonItem {
    version: u64,
    listed_under: String,
    listed_at: String,
    day: i32,
    number: u32,
    started_at: i64,
    next: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    finished_at: Option<i64>,
    worked_millis: u64,
    report: Report,
}

impl Keyed for ComparisonItem {
    const SORT_KEY: &'static str = "COMPARISON";
}

/// The partition of the `by_time` index in which comparisons are listed, by the day that they are of.
pub(in crate::table) const COMPARISONS: &str = "COMPARISONS";

pub(in crate::table) fn from_comparison(run: &Comparison) -> Item {
    let id = run.id();
    let value = ComparisonItem {
        version: run.version.saturating_add(1),
        listed_under: COMPARISONS.to_owned(),
        // The tenth comes after the ninth, which it does not by its id.
        listed_at: due_at(run.day.begins().plus(Duration::from_millis(run.number.into())), &id),
        day: run.day.unix_days(),
        number: run.number,
        started_at: run.started_at.unix_millis(),
        next: run.next.unix_millis(),
        finished_at: run.finished_at.map(Timestamp::unix_millis),
        worked_millis: run.worked_millis,
        report: run.report.clone(),
    };
    stored(ComparisonItem::SORT_KEY, &id, value)
}

pub(in crate::table) fn to_comparison(item: Item) -> Result<Comparison, BrokenRecord> {
    read(item, |stored: Stored<ComparisonItem>| {
        let value = stored.value;
        let run = Comparison {
            version: value.version,
            day: Day::from_unix_days(value.day),
            number: value.number,
            started_at: Timestamp::from_unix_millis(value.started_at),
            next: Timestamp::from_unix_millis(value.next),
            finished_at: value.finished_at.map(Timestamp::from_unix_millis),
            worked_millis: value.worked_millis,
            report: value.report,
        };
        (id_of(&stored.pk)? == run.id()).then_some(run)
    })
}
