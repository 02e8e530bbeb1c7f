//! Comparing what the provider moved with what is in the books, both ways, a day at a time.
//!
//! A day is compared hour by hour, so that memory depends on an hour and not on the day, and after each
//! hour the report so far is stored: a comparison that was stopped anywhere goes on from there, and
//! ends with the same report. What is missing in the books is completed by the same rules as a webhook;
//! what cannot be is a finding. Nothing is edited or removed.

mod books;
mod looking_again;
mod moved;
mod provider;

use std::collections::BTreeMap;
use std::time::Duration;

use ledger::{Day, FindingKind, Timestamp};
use tokio::time::Instant;
use tracing::error;

use self::moved::Known;
use crate::comparison::{Comparison, Report, run_id};
use crate::error::{Error, Invalid};
use crate::metrics;
use crate::refunds::Refunds;
use crate::stripe::{Https, Movement, Wire};
use crate::table::{Commit, Committed, PartOfDay};

/// So much of a day is compared at a time.
const PART: Duration = Duration::from_secs(3_600);
/// A payment that was credited in an hour was mostly made in it or in the hour before.
const OVERLAP: Duration = Duration::from_secs(3_600);
/// Claims or findings a page.
const PAGE: u8 = 100;
/// Most pages of open findings that are looked at again; one has a hundred.
const MAX_PAGES_OF_FINDINGS: usize = 20;
/// A day is compared so long after it is over: what its last seconds brought has been told by then.
/// Stripe books a movement within an hour
/// (<https://docs.stripe.com/payments/payment-intents/asynchronous-capture>).
const AFTER_MIDNIGHT: Duration = Duration::from_secs(90 * 60);
/// Days back from yesterday that are compared if they were not.
const DAYS_BACK: i32 = 7;
/// So long after it began, a comparison does not end as long as a finding cannot be looked at again because
/// something does not answer: a refund of it may wait. One that nobody can ever look at stops no day for good.
const PATIENCE: Duration = Duration::from_secs(6 * 3_600);
/// Comparisons of one day that can be asked for.
const MAX_NUMBER: u32 = 99;

/// Everything that a comparison touches.
#[derive(Debug)]
pub struct Comparisons<W: Wire = Https> {
    /// Where refunds are continued, with its table and its way to Stripe.
    pub refunds: Refunds<W>,
}

fn too_many() -> Error {
    let detail = format!("this day was compared {MAX_NUMBER} times");
    Error::Conflict { code: "too_many_comparisons", detail }
}

/// When the next day begins.
fn end_of(day: Day) -> Timestamp {
    day.begins().plus(Duration::from_secs(24 * 3_600))
}

impl<W: Wire> Comparisons<W> {
    /// Compares what is due: goes on with the comparison of yesterday, or begins it; if it is done, the
    /// same for a day of the week before that was stopped or missed. `None` if nothing is due.
    ///
    /// # Errors
    /// As [`Comparisons::compare`].
    pub async fn run(&self, time: Duration, now: Timestamp) -> Result<Option<Comparison>, Error> {
        let yesterday = Day::of(now.minus(AFTER_MIDNIGHT).minus(Duration::from_secs(24 * 3_600)));
        let mut missed = None;
        for back in 0..DAYS_BACK {
            let day = Day::from_unix_days(yesterday.unix_days().saturating_sub(back));
            let (known, number) = self.counting(day).await?;
            let due = match (known, missed) {
                (Some(Comparison { finished_at: Some(_), .. }), None) => continue,
                (None, None) if day != yesterday && number == 1 => {
                    missed = Some(day);
                    continue;
                }
                (None, Some(_)) if number == 1 => continue,
                (None, None) => self.stored(Comparison::begun(day, number, now)).await?,
                // A day before it was compared: it is not one of before there was anything to compare.
                (_, Some(missed)) => self.stored(Comparison::begun(missed, 1, now)).await?,
                (Some(begun), None) => begun,
            };
            return self.go_on(due, time, now).await.map(Some);
        }
        Ok(None)
    }

    /// The comparison of a day that counts, and its number; none if it has not begun. One that was begun before the day
    /// was over, because somebody asked for it, has not seen all of the day.
    async fn counting(&self, day: Day) -> Result<(Option<Comparison>, u32), Error> {
        for number in 1..=MAX_NUMBER {
            match self.refunds.table.comparison(&run_id(day, number)).await? {
                Some(early) if early.finished_at.is_some() && early.started_at < end_of(day) => {}
                known => return Ok((known, number)),
            }
        }
        Err(too_many())
    }

    /// Compares a day once more, or goes on with the comparison of it that was stopped. Of a day that is not over the
    /// hours that have begun are compared; that counts for nothing later.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a day that has not begun; [`Error::Unavailable`] if something did not answer, or
    /// somebody else compares the same day: what is done is done, and the next call goes on.
    pub async fn compare(
        &self,
        day: Day,
        time: Duration,
        now: Timestamp,
    ) -> Result<Comparison, Error> {
        if day.begins() > now {
            return Err(Invalid::field("invalid_field", "day", "has not begun").into());
        }
        for number in 1..=MAX_NUMBER {
            let begun = match self.refunds.table.comparison(&run_id(day, number)).await? {
                Some(Comparison { finished_at: Some(_), .. }) => continue,
                Some(begun) => begun,
                None => self.stored(Comparison::begun(day, number, now)).await?,
            };
            return self.go_on(begun, time, now).await;
        }
        Err(too_many())
    }

    async fn go_on(
        &self,
        begun: Comparison,
        time: Duration,
        now: Timestamp,
    ) -> Result<Comparison, Error> {
        let began = Instant::now();
        let limit = began.checked_add(time);
        // Of a day that is not over, the hours that have begun.
        let end = end_of(begun.day).min(now.plus(Duration::from_millis(1)));
        let (mut run, mut before) = (begun, None);
        while run.next < end {
            let part = PartOfDay { from: run.next, to: run.next.plus(PART) };
            let part_began = Instant::now();
            let mut report = run.report.clone();
            before = Some(self.compare_part(part, before, &run, &mut report, now).await?);
            let worked = part_began.elapsed().as_millis();
            let worked = u64::try_from(worked).unwrap_or(u64::MAX);
            let worked_millis = run.worked_millis.saturating_add(worked);
            run = self.stored(Comparison { report, next: part.to, worked_millis, ..run }).await?;
            if run.next < end && limit.is_some_and(|limit| Instant::now() >= limit) {
                return Ok(run);
            }
        }
        if let Some(outage) = self.look_again(limit, now).await?
            && now.since(run.started_at) < PATIENCE
        {
            return Err(outage);
        }
        let report = self.at_last(run.report.clone()).await?;
        let finished_at = Some(now.plus(began.elapsed()));
        let run = self.stored(Comparison { finished_at, report, ..run }).await?;
        // One that was begun before the day was over says nothing of the whole day, and must not end an alarm.
        if run.started_at >= end_of(run.day) {
            let apart = run.report.drift.values().map(|units| units.unsigned_abs());
            metrics::reconciliation_drift(apart.fold(0, u64::saturating_add));
        }
        metrics::paid_not_credited(run.report.credited);
        Ok(run)
    }

    /// The report as the findings stand at its end: without a payment without a place that went back
    /// later on the same day, and with one that came back after it was left out.
    async fn at_last(&self, mut report: Report) -> Result<Report, Error> {
        for named in report.findings.clone() {
            if !self.is_open(&named.id).await? {
                report.settles(&named.id);
            }
        }
        for named in std::mem::take(&mut report.left_out) {
            if self.is_open(&named.id).await? {
                report.names(named);
            }
        }
        Ok(report)
    }

    async fn is_open(&self, finding: &str) -> Result<bool, Error> {
        match self.refunds.table.finding(finding).await {
            // Nobody can have closed one that cannot be read.
            Err(Error::Broken(_)) => Ok(true),
            record => Ok(record?.is_none_or(|record| record.state.is_open())),
        }
    }

    /// Counts the findings that a person must look at, for the alarm on them.
    ///
    /// # Errors
    /// The table did not answer, or an item cannot be read.
    pub async fn count_findings(&self) -> Result<(), Error> {
        let mut counts: BTreeMap<FindingKind, u64> =
            FindingKind::ALL.into_iter().map(|kind| (kind, 0)).collect();
        let mut after = None;
        for _ in 0..MAX_PAGES_OF_FINDINGS {
            let page = self.refunds.table.findings(true, after.as_ref(), PAGE).await?;
            for record in &page.items {
                count(counts.entry(record.finding.kind).or_default());
            }
            after = page.next_position();
            if after.is_none() {
                break;
            }
        }
        // Each type, also those of which there is none: an alarm must be able to end.
        for (kind, open) in &counts {
            metrics::findings_open(kind.name(), *open);
        }
        metrics::findings_open("all", counts.values().fold(0, |sum, one| sum.saturating_add(*one)));
        Ok(())
    }

    /// Compares a part of a day both ways, and tells what the provider knows of it. `before` is what it
    /// knows of the hour before.
    async fn compare_part(
        &self,
        part: PartOfDay,
        before: Option<Known>,
        run: &Comparison,
        report: &mut Report,
        now: Timestamp,
    ) -> Result<Known, Error> {
        let mut earlier = match before {
            Some(earlier) => earlier,
            None => self.known(part.from.minus(OVERLAP), part.from, now).await?,
        };
        let (mut known, mut reversals) = (Known::default(), Vec::new());
        let mut after: Option<String> = None;
        loop {
            let page =
                self.refunds.stripe.movements(part.from, part.to, after.as_deref(), now).await?;
            page.items.iter().for_each(|movement| known.learn(movement));
            self.compare_movements(&page.items, run, report, now).await?;
            reversals.extend(page.items.into_iter().filter_map(Movement::into_reversal));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        // The newest come first, and what goes back came before: each after its payment.
        for back in reversals.iter().rev() {
            count(&mut report.reversals);
            let compared = self.compare_reversal(back, run, report, now).await;
            or_unreadable(compared, &back.notice.id, report)?;
        }
        earlier.payments.extend(known.payments.iter().cloned());
        earlier.reversals.extend(known.reversals.iter().cloned());
        self.compare_payments(part, &earlier, report, now).await?;
        self.compare_reversals(part, &earlier, report, now).await?;
        Ok(known)
    }

    /// What the provider knows of an hour.
    async fn known(&self, from: Timestamp, to: Timestamp, now: Timestamp) -> Result<Known, Error> {
        let mut known = Known::default();
        let mut after: Option<String> = None;
        loop {
            let page = self.refunds.stripe.movements(from, to, after.as_deref(), now).await?;
            page.items.iter().for_each(|movement| known.learn(movement));
            after = page.next;
            if after.is_none() {
                return Ok(known);
            }
        }
    }

    async fn stored(&self, run: Comparison) -> Result<Comparison, Error> {
        match self.refunds.table.commit(Commit::default().comparison(&run)).await? {
            Committed::Yes => Ok(Comparison { version: run.version.saturating_add(1), ..run }),
            Committed::No(_) => {
                let detail = "this day is being compared by somebody else: ask again in a minute";
                Err(Error::Conflict { code: "comparison_under_way", detail: detail.to_owned() })
            }
        }
    }
}

/// A movement of which our own records cannot be read is none that agrees; the others are compared.
fn or_unreadable(
    compared: Result<(), Error>,
    told: &str,
    report: &mut Report,
) -> Result<(), Error> {
    match compared {
        Err(Error::Broken(cause)) => {
            count(&mut report.unreadable);
            error!(told, %cause, "what the provider or the books tell of cannot be compared");
            Ok(())
        }
        compared => compared,
    }
}

const fn count(number: &mut u64) {
    *number = number.saturating_add(1);
}
