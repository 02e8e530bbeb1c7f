//! The daily comparison: what its record may say while it runs, and what it must say of a day once
//! nothing is out of order. Written from the contract and without the product's code.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::bank;
use super::images::{Step, number, text};
use super::micros::{self, Micros};
use super::model::Model;
use super::movements::{Category, Movement};
use super::provider::Provider;

/// Milliseconds that are compared at a time.
const HOUR: u64 = 3_600_000;
/// Milliseconds of a day.
pub const DAY: u64 = 24 * HOUR;

/// A comparison of a day, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparisonImage {
    /// Its id.
    pub id: String,
    /// The number of its writes.
    pub version: u64,
    /// The day, counted from 1970.
    pub day: u64,
    /// Counts the comparisons of this day, from 1.
    pub number: u64,
    /// When it began, in milliseconds.
    pub started_at: u64,
    /// Everything of the day before this moment is compared.
    pub next: u64,
    /// When it ended.
    pub finished_at: Option<u64>,
    /// What it has found.
    pub report: ReportImage,
}

/// What a comparison has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportImage {
    /// How much of what was looked at, by name.
    pub counts: BTreeMap<String, u64>,
    /// What the provider moved, by category and currency: how often, amount, fee and net in cents.
    pub totals: BTreeMap<String, [i64; 4]>,
    /// By currency, in cents: what the provider moved less what the books say.
    pub drift: BTreeMap<String, i64>,
    /// What each finding adds to that.
    pub findings: BTreeMap<String, BTreeMap<String, i64>>,
}

/// Reads a comparison.
pub(super) fn comparison(id: &str, item: &Value) -> Option<ComparisonImage> {
    let report = &item["report"]["M"];
    let entries = |name: &str| report[name]["M"].as_object();
    let counts = report.as_object()?.iter().filter_map(|(name, value)| {
        Some((name.clone(), u64::from_str_radix(value["N"].as_str()?, 10).ok()?))
    });
    let totals = entries("totals")?.iter().map(|(name, total)| {
        let cents = |name: &str| signed(&total["M"][name]);
        Some((name.clone(), [cents("count")?, cents("amount")?, cents("fee")?, cents("net")?]))
    });
    let findings = report["findings"]["L"].as_array()?.iter().map(|finding| {
        let finding = &finding["M"];
        Some((text(finding, "id")?.to_owned(), cents_by_name(&finding["drift"])?))
    });
    Some(ComparisonImage {
        id: id.to_owned(),
        version: number(item, "version")?,
        day: number(item, "day")?,
        number: number(item, "number")?,
        started_at: number(item, "started_at")?,
        next: number(item, "next")?,
        finished_at: number(item, "finished_at"),
        report: ReportImage {
            counts: counts.collect(),
            totals: totals.collect::<Option<_>>()?,
            drift: cents_by_name(&report["drift"])?,
            findings: findings.collect::<Option<_>>()?,
        },
    })
}

fn signed(value: &Value) -> Option<i64> {
    i64::from_str_radix(value["N"].as_str()?, 10).ok()
}

fn cents_by_name(map: &Value) -> Option<BTreeMap<String, i64>> {
    let entries = map["M"].as_object()?.iter();
    entries.map(|(name, cents)| Some((name.clone(), signed(cents)?))).collect()
}

/// What both sides of a day come to, as the model counts it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Expected {
    counts: BTreeMap<&'static str, u64>,
    totals: BTreeMap<String, [i64; 4]>,
    findings: BTreeMap<String, BTreeMap<String, i64>>,
}

impl Expected {
    /// What comes or goes once more adds to the drift of its finding.
    fn moves(&mut self, id: String, cents: i64, currency: &str) {
        let drift = self.findings.entry(id).or_default();
        *drift.entry(currency.to_uppercase()).or_default() += cents;
        drift.retain(|_, cents| *cents != 0);
    }

    /// A finding that adds so many cents of these currencies to the drift. The first time counts.
    fn finds(&mut self, id: String, apart: &[(i64, &str)]) {
        let mut drift = BTreeMap::new();
        for (cents, currency) in apart {
            *drift.entry(currency.to_uppercase()).or_default() += cents;
        }
        drift.retain(|_, cents| *cents != 0);
        self.findings.entry(id).or_insert(drift);
    }
}

impl ReportImage {
    fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or_default()
    }

    /// Drift is what the findings add up to, and no finding is told twice.
    fn adds_up(&self) -> bool {
        let mut sum: BTreeMap<String, i64> = BTreeMap::new();
        for (currency, cents) in self.findings.values().flatten() {
            *sum.entry(currency.clone()).or_default() += cents;
        }
        sum.retain(|_, cents| *cents != 0);
        sum == self.drift && self.count("finding_count") == self.findings.len() as u64
    }
}

impl ComparisonImage {
    fn begins(&self) -> u64 {
        self.day * DAY
    }
}

impl Model {
    /// A comparison was begun, has done one more hour, or has ended; nothing else happens to it.
    pub(super) fn compare(&mut self, step: &Step, provider: &Provider) -> Result<(), String> {
        let Some(run) = &step.comparison else { return Ok(()) };
        let right = match self.comparisons.get(&run.id) {
            None => {
                let before = run.id.rsplit_once('_').map(|(day, _)| day).unwrap_or_default();
                let before = self.comparisons.get(&format!("{before}_{}", run.number - 1));
                let in_turn = before.map_or(run.number == 1, |before| before.finished_at.is_some());
                let nothing = run.report.counts.values().all(|count| *count == 0);
                in_turn && nothing && run.version == 1 && run.next == run.begins()
            }
            Some(known) => {
                let goes_on = ComparisonImage {
                    version: known.version + 1,
                    next: run.next,
                    finished_at: run.finished_at,
                    report: run.report.clone(),
                    ..known.clone()
                };
                let moves = match run.finished_at {
                    None => run.next == known.next + HOUR,
                    Some(_) => run.next == known.next,
                };
                let counts = |name: &str| run.report.count(name) >= known.report.count(name);
                let grows = ["movements", "claims", "credited", "taken"].into_iter().all(counts);
                goes_on == *run && moves && grows && known.finished_at.is_none()
            }
        };
        if !right || !run.report.adds_up() {
            let known = self.comparisons.get(&run.id);
            return Err(format!("{known:?} went on as {run:?}"));
        }
        self.must_have_moved(run, provider)?;
        if let Some(id) = run.report.findings.keys().find(|id| !self.findings.contains_key(*id)) {
            return Err(format!("{} names {id}, which nobody found", run.id));
        }
        self.comparisons.insert(run.id.clone(), run.clone());
        Ok(())
    }

    /// What a comparison says to have read is no more than the provider has.
    fn must_have_moved(&self, run: &ComparisonImage, provider: &Provider) -> Result<(), String> {
        let moved = provider.moved(run.begins(), run.next).count() as u64;
        let settled = self.settled_between(run.begins(), run.next);
        let (movements, claims) = (run.report.count("movements"), run.report.count("claims"));
        match movements <= moved && claims <= settled && run.report.count("unreadable") == 0 {
            true => Ok(()),
            false => Err(format!("{run:?} of {moved} movements and {settled} claims")),
        }
    }

    /// Card payments, refunds and disputes that were claimed in this time.
    fn settled_between(&self, from: u64, to: u64) -> u64 {
        let settled = self.settled.iter().filter(|(name, _)| !name.starts_with("bank_"));
        settled.filter(|(_, at)| (from..to).contains(*at)).count() as u64
    }

    /// The last comparison of a day in calm weather: it has read everything, and what it names is what
    /// a person must still look at.
    ///
    /// # Errors
    /// What it tells otherwise.
    pub fn day_is_explained(&self, day: u64, provider: &Provider) -> Result<(), String> {
        let runs = self.comparisons.values().filter(|run| run.day == day);
        let run = runs.max_by_key(|run| run.number).ok_or("nothing was compared")?;
        if run.finished_at.is_none() {
            return Err(format!("{} did not finish", run.id));
        }
        let mut expected = Expected::default();
        for movement in provider.moved(run.begins(), run.next) {
            let key = format!("{} {}", movement.category.name(), movement.currency.to_uppercase());
            let total = expected.totals.entry(key).or_default();
            let parts = [1, movement.cents, movement.fee, movement.cents - movement.fee];
            total.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
            *expected.counts.entry("movements").or_default() += 1;
            self.expect(movement, provider, &mut expected)?;
        }
        self.expect_claims(run, provider, &mut expected);
        expected.counts.insert("claims", self.settled_between(run.begins(), run.next));
        let told = ["movements", "payments", "reversals", "claims", "unreadable"];
        let differs = told.into_iter().find(|name| {
            run.report.count(name) != expected.counts.get(name).copied().unwrap_or_default()
        });
        let report = &run.report;
        let right = (&report.totals, &report.findings) == (&expected.totals, &expected.findings);
        match differs {
            None if right => Ok(()),
            _ => Err(format!("{} says {report:?}, not {expected:?}", run.id)),
        }
    }

    /// What a movement leaves open for a person.
    fn expect(
        &self,
        movement: &Movement,
        provider: &Provider,
        expected: &mut Expected,
    ) -> Result<(), String> {
        let back = &provider.back;
        match movement.category {
            Category::Payout => Ok(()),
            Category::Charge => {
                *expected.counts.entry("payments").or_default() += 1;
                self.expect_payment(movement, provider, expected)
            }
            Category::Refund | Category::RefundFailure => {
                *expected.counts.entry("reversals").or_default() += 1;
                let refund = back.refund(&movement.of).ok_or("a movement of no refund")?;
                let money = (cents_moved(refund.cents, movement), refund.currency);
                self.expect_reversal(&refund.payment, &refund.id, money, expected)
            }
            Category::Dispute | Category::DisputeReversal => {
                *expected.counts.entry("reversals").or_default() += 1;
                let dispute = back.dispute(&movement.of).ok_or("a movement of no dispute")?;
                let money = (cents_moved(dispute.cents, movement), dispute.currency);
                self.expect_reversal(&dispute.payment, &dispute.id, money, expected)
            }
        }
    }

    fn expect_payment(
        &self,
        movement: &Movement,
        provider: &Provider,
        expected: &mut Expected,
    ) -> Result<(), String> {
        let payment = &movement.of;
        let taken = provider.back.of(payment).ok_or("a charge of nothing")?;
        let paid = (movement.cents, taken.currency);
        let Some(order) = self.credited.get(payment) else {
            let own = self.findings.get(&bank::derived("fnd_", &[&taken.order, payment, ""]));
            // It may be settled with the finding of another order that it was told of.
            let first = self.pointers.get(payment).and_then(|id| self.findings.get(id));
            let finding = own.or(first.filter(|_| self.is_decided(payment)));
            let finding = finding.ok_or_else(|| format!("{payment} has no place: {taken:?}"))?;
            if finding.closed.is_none() {
                expected.finds(finding.id.clone(), &[paid]);
            }
            return Ok(());
        };
        let credited = self.credited_as(payment).ok_or("a credit of nothing")?;
        if !taken.is(credited) {
            let id = bank::derived("fnd_", &[order, payment, ""]);
            if self.is_open(&id)? {
                expected.finds(id, &[paid, (-cents_of(credited), "usd")]);
            }
        }
        Ok(())
    }

    fn expect_reversal(
        &self,
        payment: &str,
        reversal: &str,
        (cents, currency): (i64, &str),
        expected: &mut Expected,
    ) -> Result<(), String> {
        let id = bank::derived("fnd_", &["", payment, reversal]);
        let credited = self.credited.contains_key(payment);
        if credited && currency == "usd" {
            let finding = self.findings.get(&id).filter(|finding| finding.closed.is_none());
            return match finding.filter(|_| self.knows_back(payment, reversal)) {
                Some(finding) => Err(format!("{reversal} is in its place: {finding:?}")),
                None => Ok(()),
            };
        }
        // A refund of a whole payment without a place is told with the finding of the payment.
        let id = match self.pointers.get(payment) {
            Some(leading) if !credited && self.knows_back(payment, reversal) => leading.clone(),
            _ => id,
        };
        if self.is_open(&id)? {
            expected.moves(id, cents, currency);
        }
        Ok(())
    }

    /// What was credited in this day, and not as the provider has it.
    fn expect_claims(&self, run: &ComparisonImage, provider: &Provider, expected: &mut Expected) {
        for (payment, order) in &self.credited {
            let at = self.settled.get(payment).copied().unwrap_or_default();
            let taken = provider.back.of(payment);
            let taken = taken.filter(|_| (run.begins()..run.next).contains(&at));
            let Some((taken, credited)) = taken.zip(self.credited_as(payment)) else { continue };
            let hour = at / HOUR * HOUR;
            let mut known = provider.moved(hour.saturating_sub(HOUR), hour + HOUR);
            let known =
                known.any(|known| known.category == Category::Charge && known.of == *payment);
            let id = bank::derived("fnd_", &[order, payment, ""]);
            if !taken.is(credited) && !known && self.is_open(&id) == Ok(true) {
                expected.finds(id, &[(-cents_of(credited), "usd")]);
            }
        }
    }

    /// How many dollars a card payment was credited as.
    pub(super) fn credited_as(&self, payment: &str) -> Option<Micros> {
        let order = self.orders.get(self.credited.get(payment)?)?.now();
        order.settled.as_ref().map(|settled| settled.received)
    }

    fn is_open(&self, id: &str) -> Result<bool, String> {
        let finding = self.findings.get(id).ok_or_else(|| format!("{id} is not found"))?;
        Ok(finding.closed.is_none())
    }

    /// Whether a comparison of a day was begun and has not ended.
    #[must_use]
    pub fn is_under_way(&self, day: u64) -> bool {
        self.comparisons.values().any(|run| run.day == day && run.finished_at.is_none())
    }

    /// The days of which there is something to compare.
    #[must_use]
    pub fn days(&self, provider: &Provider) -> BTreeSet<u64> {
        let moved = provider.moved(0, u64::MAX).map(|movement| movement.at);
        moved.chain(self.settled.values().copied()).map(|at| at / DAY).collect()
    }
}

fn cents_of(amount: Micros) -> i64 {
    i64::try_from(amount / micros::from_cents(1)).unwrap_or(i64::MAX)
}

/// What a refund or dispute of so many cents moves: back to us, or away.
fn cents_moved(cents: u64, movement: &Movement) -> i64 {
    i64::try_from(cents).unwrap_or(i64::MAX) * movement.cents.signum()
}
