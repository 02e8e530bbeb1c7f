//! The daily comparison of what the provider moved with what is in the books: its report.

use std::collections::BTreeMap;

use ledger::{Currency, Day, FindingKind, Money, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cursor::{CursorScope, Cursors, OPERATOR};
use crate::error::Error;
use crate::record::Page;
use crate::stamp;
use crate::table::Table;

/// Most findings that a report names; it counts all of them.
pub const MAX_NAMED_FINDINGS: usize = 200;

/// One comparison of one day: what is done of it, and what it has found so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// How often it was written; 0 before the first time.
    pub version: u64,
    /// The day, in UTC.
    pub day: Day,
    /// Counts the comparisons of this day, from 1.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// Everything of the day before this moment is compared.
    pub next: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How long it was at work, in milliseconds; what a killed run did is not in it.
    pub worked_millis: u64,
    /// What it has found.
    pub report: Report,
}

/// What a comparison found. It depends on the day, the books and the provider alone: a comparison that
/// was killed and goes on ends with the same report.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Report {
    /// Movements of the provider's balance that were read.
    pub movements: u64,
    /// Payments of ours among them.
    pub payments: u64,
    /// Refunds and disputes of ours among them.
    pub reversals: u64,
    /// Payments and reversals in the books of this day that were looked for at the provider.
    pub claims: u64,
    /// Payments that nobody had told, and that were credited now.
    pub credited: u64,
    /// Refunds and disputes that nobody had told, and that are in the books now.
    pub taken: u64,
    /// Movements that may be of this deployment and cannot be read, or of which our own records cannot.
    pub unreadable: u64,
    /// What the provider moved, by category and currency (`charge USD`), in the smallest coin.
    pub totals: BTreeMap<String, Total>,
    /// By currency: what the provider moved for us less what the books say, in the smallest coin.
    /// Currencies in which both agree are not here.
    pub drift: BTreeMap<String, i64>,
    /// How many findings there are about this day.
    pub finding_count: u64,
    /// The first of them.
    pub findings: Vec<Named>,
    /// Payments, and what went back of them, that were left out since their finding was closed. While the comparison runs, some may
    /// come back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Named>,
}

/// A finding that a report names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// What it adds to the drift.
    pub drift: BTreeMap<String, i64>,
}

/// What the provider moved in one category and currency, in the smallest coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Total {
    /// How many movements.
    pub count: u64,
    /// Into the balance; below zero for what went out.
    pub amount: i64,
    /// What the provider kept of it.
    pub fee: i64,
    /// Amount less fee.
    pub net: i64,
}

/// Everything that reading reports touches.
#[derive(Debug)]
pub struct Reports {
    /// Where they are.
    pub table: Table,
    /// What makes and checks cursors.
    pub cursors: Cursors,
}

impl Comparison {
    /// A comparison of which nothing is done.
    #[must_use]
    pub fn begun(day: Day, number: u32, now: Timestamp) -> Self {
        Self {
            version: 0,
            day,
            number,
            started_at: now,
            next: day.begins(),
            finished_at: None,
            worked_millis: 0,
            report: Report::default(),
        }
    }

    /// Its id: the day and its number.
    #[must_use]
    pub fn id(&self) -> String {
        run_id(self.day, self.number)
    }

    /// Whether money and records agree to the last coin.
    #[must_use]
    pub fn is_green(&self) -> bool {
        let report = &self.report;
        self.finished_at.is_some()
            && report.drift.is_empty()
            && report.finding_count == 0
            && report.unreadable == 0
    }
}

/// Reads a day of this century, `2026-11-23`.
#[must_use]
pub fn parse_day(text: &str) -> Option<Day> {
    stamp::parse_day(text)
}

/// The id of a comparison.
#[must_use]
pub fn run_id(day: Day, number: u32) -> String {
    format!("cmp_{}_{number}", stamp::format_day(day))
}

impl Report {
    /// Names a finding, once, and what it adds to the drift: below zero for money that the books have
    /// and the provider has not.
    pub fn finds(&mut self, id: String, kind: FindingKind, apart: &[(Money, i64)]) {
        if !self.findings.iter().any(|known| known.id == id) {
            self.adds(id, kind, apart);
        }
    }

    /// Names a finding about something that moves more than once, and what one more movement adds to the drift.
    pub fn adds(&mut self, id: String, kind: FindingKind, apart: &[(Money, i64)]) {
        self.names(Named::new(id, kind, apart));
    }

    /// Names a finding, with what it adds to the drift.
    pub fn names(&mut self, named: Named) {
        if let Some(known) = self.findings.iter_mut().find(|known| known.id == named.id) {
            for (code, units) in named.drift {
                add(&mut known.drift, &code, units);
                add(&mut self.drift, &code, units);
            }
            return;
        }
        named.drift.iter().for_each(|(code, units)| add(&mut self.drift, code, *units));
        self.finding_count = self.finding_count.saturating_add(1);
        if self.findings.len() < MAX_NAMED_FINDINGS {
            self.findings.push(named);
        }
    }

    /// Leaves out a payment whose finding is closed, or what went back of it, for as long as it is.
    pub fn leaves_out(&mut self, id: String, kind: FindingKind, apart: &[(Money, i64)]) {
        let named = Named::new(id, kind, apart);
        let room = self.left_out.len() < MAX_NAMED_FINDINGS;
        match self.left_out.iter_mut().find(|known| known.id == named.id) {
            Some(known) => {
                named.drift.iter().for_each(|(code, units)| add(&mut known.drift, code, *units));
            }
            None if room => self.left_out.push(named),
            None => {}
        }
    }

    /// Takes back a finding that has closed since it was named.
    pub fn settles(&mut self, id: &str) {
        let Some(position) = self.findings.iter().position(|known| known.id == id) else { return };
        let settled = self.findings.remove(position);
        self.finding_count = self.finding_count.saturating_sub(1);
        settled.drift.iter().for_each(|(code, units)| {
            add(&mut self.drift, code, units.saturating_neg());
        });
    }
}

impl Named {
    fn new(id: String, kind: FindingKind, apart: &[(Money, i64)]) -> Self {
        let mut drift = BTreeMap::new();
        for (money, direction) in apart {
            let units = money.amount.to_minor_units(money.currency).unwrap_or_default();
            add(&mut drift, money.currency.code(), units.saturating_mul(*direction));
        }
        Self { id, kind: kind.name().to_owned(), drift }
    }
}

/// Adds to a currency's sum; one that is nothing is not there.
fn add(sums: &mut BTreeMap<String, i64>, code: &str, units: i64) {
    let sum = sums.entry(code.to_owned()).or_default();
    *sum = sum.saturating_add(units);
    if *sum == 0 {
        sums.remove(code);
    }
}

impl Total {
    /// Adds one movement.
    pub const fn add(&mut self, amount: i64, fee: i64, net: i64) {
        self.count = self.count.saturating_add(1);
        self.amount = self.amount.saturating_add(amount);
        self.fee = self.fee.saturating_add(fee);
        self.net = self.net.saturating_add(net);
    }
}

/// So many of the smallest coin of a currency, as money is written; in two decimals for a currency that
/// we do not know.
#[must_use]
pub fn in_units(units: i64, code: &str) -> String {
    let decimals = Currency::parse(code).map_or(2, Currency::decimals);
    let digits =
        format!("{:0>width$}", units.unsigned_abs(), width = (decimals as usize).saturating_add(1));
    let (whole, part) = digits.split_at(digits.len().saturating_sub(decimals as usize));
    let sign = if units < 0 { "-" } else { "" };
    let point = if part.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{part}")
}

impl Reports {
    /// A page of the comparisons, the latest day first.
    ///
    /// # Errors
    /// `invalid_cursor`, or the table did not answer.
    pub async fn list(
        &self,
        cursor: Option<&str>,
        limit: u8,
        now: Timestamp,
    ) -> Result<Page<Comparison>, Error> {
        let scope = CursorScope { owner: OPERATOR, list: "reconciliations", filters: "" };
        let table = &self.table;
        self.cursors
            .page(&scope, cursor, now, |after| async move {
                table.comparisons(after.as_ref(), limit).await
            })
            .await
    }

    /// One comparison.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the table did not answer.
    pub async fn one(&self, id: &str) -> Result<Comparison, Error> {
        let missing = || Error::NotFound { what: "reconciliation" };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if id.len() > 64 || !id.bytes().all(plain) {
            return Err(missing());
        }
        self.table.comparison(id).await?.ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coins_are_written_as_money() {
        for (units, code, text) in [
            (10_000, "USD", "100.00"),
            (-5, "USD", "-0.05"),
            (0, "USD", "0.00"),
            (500, "JPY", "500"),
            (1, "KWD", "0.001"),
            (7, "ISK", "0.07"),
        ] {
            assert_eq!(in_units(units, code), text, "{units} {code}");
        }
    }

    #[test]
    fn a_finding_adds_its_drift_once_and_takes_it_back_when_it_is_settled() {
        let money = |text: &str| Money::parse(text, Currency::USD).unwrap();
        let mut report = Report::default();
        let kind = FindingKind::AmountDiffers;
        let apart = [(money("1.25"), 1), (money("1.00"), -1)];
        report.finds("a".to_owned(), kind, &apart);
        report.finds("a".to_owned(), kind, &apart);
        report.finds("b".to_owned(), kind, &[(money("0.25"), -1)]);
        assert_eq!((report.finding_count, report.drift.len()), (2, 0));
        report.settles("a");
        assert_eq!((report.finding_count, report.drift.get("USD")), (1, Some(&-25)));
        report.settles("a");
        report.settles("b");
        assert_eq!(report, Report::default());
    }
}
