//! Comparing what the provider moved with what is in the books, both ways, a day at a time.
//!
//! A day is compared hour by hour, so that memory depends on an hour and not on the day, and after each
//! hour the report so far is stored: a comparison that was stopped anywhere goes on from there, and
//! ends with the same report. What is missing in the books is completed by the same rules as a webhook;
//! what cannot be is a finding. Nothing is edited or removed.

use std::collections::BTreeMap;
use std::time::Duration;

use ledger::{Day, Finding, FindingKind, Money, PaymentId, RefundStatus, Timestamp};
use tokio::time::Instant;
use tracing::{error, warn};

use crate::comparison::{Comparison, Report, run_id};
use crate::error::{Error, Invalid, Unavailable};
use crate::findings::{FindingRecord, found_again};
use crate::metrics;
use crate::moved::{Known, MovedBack};
use crate::notice::{Notice, ReversalNotice, Told, What, WhatBack};
use crate::payments::{self, Confirmed};
use crate::record::{ClaimOrFinding, PaymentClaim, ReversalClaim};
use crate::refunds::Refunds;
use crate::reversals;
use crate::stripe::event::Reading;
use crate::stripe::{Https, Movement, Wire};
use crate::table::{Commit, Committed, PartOfDay, SHARDS};

/// So much of a day is compared at a time.
const PART: Duration = Duration::from_secs(3_600);
/// A payment that was credited in an hour was mostly made in it or in the hour before.
const OVERLAP: Duration = Duration::from_secs(3_600);
/// Claims or findings a page.
pub(crate) const PAGE: u8 = 100;
/// Most pages of open findings that are looked at again; one has a hundred.
pub(crate) const MAX_PAGES_OF_FINDINGS: usize = 20;
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

    /// What the provider moved must be in the books.
    async fn compare_movements(
        &self,
        movements: &[Movement],
        run: &Comparison,
        report: &mut Report,
        now: Timestamp,
    ) -> Result<(), Error> {
        let payments = movements.iter().filter_map(Movement::payment);
        let ids: Vec<PaymentId> =
            payments.filter_map(|notice| notice.payment_id().cloned()).collect();
        let claims = match self.refunds.table.payments(&ids).await {
            // Of one that cannot be read the others are not the worse: each asks for its own.
            Err(Error::Broken(_)) => None,
            claims => {
                let claims = claims?.into_iter().map(|claim| (claim.payment.clone(), claim));
                Some(claims.collect::<BTreeMap<_, _>>())
            }
        };
        for movement in movements {
            count(&mut report.movements);
            let key = format!("{} {}", movement.category, movement.currency);
            let total = report.totals.entry(key).or_default();
            total.add(movement.amount, movement.fee, movement.net);
            match &movement.of {
                Reading::Told(Told::Payment(notice)) => {
                    count(&mut report.payments);
                    let compared = self.compare_payment(notice, claims.as_ref(), run, report, now);
                    let compared = compared.await;
                    or_unreadable(compared, &notice.id, report)?;
                }
                Reading::Unreadable { event, why } => {
                    count(&mut report.unreadable);
                    error!(movement = event, why, "a movement of ours cannot be read");
                }
                Reading::Told(Told::Reversal(_)) | Reading::Ignored(_) | Reading::OtherMode => {}
            }
        }
        Ok(())
    }

    async fn compare_payment(
        &self,
        notice: &Notice,
        claims: Option<&BTreeMap<PaymentId, PaymentClaim>>,
        run: &Comparison,
        report: &mut Report,
        now: Timestamp,
    ) -> Result<(), Error> {
        let What::Paid(payment) = &notice.what else { return Ok(()) };
        let claim = match claims {
            Some(claims) => claims.get(&payment.id).cloned(),
            None => self.refunds.table.payments(std::slice::from_ref(&payment.id)).await?.pop(),
        };
        let (claim, by_this) = match claim {
            Some(claim) => (Some(claim), false),
            None => (self.credit(notice, payment.money, report, now).await?, true),
        };
        let Some(claim) = claim else { return Ok(()) };
        // Nobody had told: it is credited by this, or was by this comparison before it was stopped.
        let before = payment.paid_at <= run.started_at && claim.settled_at >= run.started_at;
        if by_this || before {
            count(&mut report.credited);
        }
        if claim.money != payment.money {
            let same = claim.money.currency == payment.money.currency;
            let differs = FindingKind::AmountDiffers;
            let finding = Finding {
                kind: if same { differs } else { FindingKind::CurrencyDiffers },
                account: Some(claim.account.clone()),
                order: Some(claim.order.clone()),
                payment: Some(payment.id.clone()),
                reversal: None,
                expected: Some(claim.money),
                actual: Some(payment.money),
                found_at: now,
            };
            if let Some(found) = found_again(&self.refunds.table, &finding).await? {
                let apart = [(payment.money, 1), (claim.money, -1)];
                report.finds(finding.id(), found.kind, &apart);
            }
        }
        Ok(())
    }

    /// Credits a payment that nobody told, by the rule of the webhook. The claim, if it is credited.
    async fn credit(
        &self,
        notice: &Notice,
        paid: Money,
        report: &mut Report,
        now: Timestamp,
    ) -> Result<Option<PaymentClaim>, Error> {
        let payment = notice.payment_id().cloned();
        let finding = |kind| Finding {
            kind,
            account: Some(notice.account.clone()),
            order: Some(notice.order.clone()),
            payment: payment.clone(),
            reversal: None,
            expected: None,
            actual: Some(paid),
            found_at: now,
        };
        let kind = match payments::confirm(&self.refunds.table, notice, now).await {
            Ok(Confirmed::Found(kind)) => kind,
            Ok(Confirmed::LeftToItsFinding) => {
                self.name_leading(notice.payment_id(), (paid, 1), report).await?;
                return Ok(None);
            }
            Ok(_) => {
                let ids: Vec<_> = payment.into_iter().collect();
                return Ok(self.refunds.table.payments(&ids).await?.pop());
            }
            Err(Error::Broken(cause)) => {
                error!(order_id = %notice.order, %cause, "a payment cannot be credited");
                FindingKind::PaidNotCredited
            }
            Err(other) => return Err(other),
        };
        // One that a person has closed is settled in another way.
        let finding = finding(kind);
        match found_again(&self.refunds.table, &finding).await? {
            Some(found) => report.finds(finding.id(), found.kind, &[(paid, 1)]),
            None => report.leaves_out(finding.id(), kind, &[(paid, 1)]),
        }
        Ok(None)
    }

    /// Names the finding that a payment leads to which no order took, perhaps one of another order; leaves it out while it is
    /// closed.
    async fn name_leading(
        &self,
        payment: Option<&PaymentId>,
        apart: (Money, i64),
        report: &mut Report,
    ) -> Result<(), Error> {
        let Some(payment) = payment else { return Ok(()) };
        let known = self.refunds.table.payment_or_finding(payment).await?;
        let Some(ClaimOrFinding::Finding(id)) = known else { return Ok(()) };
        if let Some(FindingRecord { finding, state, .. }) = self.refunds.table.finding(&id).await? {
            match state.is_open() {
                true => report.adds(id, finding.kind, &[apart]),
                false => report.leaves_out(id, finding.kind, &[apart]),
            }
        }
        Ok(())
    }

    async fn compare_reversal(
        &self,
        back: &MovedBack,
        run: &Comparison,
        report: &mut Report,
        now: Timestamp,
    ) -> Result<(), Error> {
        let notice = &back.notice;
        let kind = match reversals::confirm(&self.refunds.table, notice, now).await {
            // What was taken of a dispute is compared by movement, as it is by a run that finds it taken.
            Ok(Confirmed::Found(FindingKind::ReversalDiffers))
                if self.is_taken_dispute(notice).await? =>
            {
                return self.compare_taken(back, run, report, now).await;
            }
            Ok(Confirmed::Found(kind)) => kind,
            Ok(_) => return self.compare_taken(back, run, report, now).await,
            Err(Error::Unavailable(Unavailable::NotCredited(_))) => {
                reversals::give_up(&self.refunds.table, notice, now).await?;
                FindingKind::UnknownPayment
            }
            Err(Error::Refused(refusal)) => {
                warn!(payment_id = %notice.payment, %refusal, "a reversal cannot be booked");
                FindingKind::UnknownPayment
            }
            Err(Error::Broken(cause)) => {
                error!(payment_id = %notice.payment, %cause, "a reversal cannot be booked");
                FindingKind::UnknownPayment
            }
            Err(other) => return Err(other),
        };
        let finding = reversals::finding_about(notice, kind, now);
        if let Some(found) = found_again(&self.refunds.table, &finding).await? {
            let mut apart = vec![(notice.money(), back.direction)];
            // What moved here as well, as of a refund of which a lost dispute hides a part.
            let here = found.expected.filter(|here| here.currency == notice.money().currency);
            apart.extend(here.map(|here| (here, back.direction.saturating_neg())));
            report.adds(finding.id(), found.kind, &apart);
        }
        Ok(())
    }

    async fn is_taken_dispute(&self, notice: &ReversalNotice) -> Result<bool, Error> {
        let dispute = matches!(notice.what, WhatBack::Dispute(_));
        Ok(dispute && self.refunds.table.reversal(notice.reversal()).await?.is_some())
    }

    /// What the books have of a refund or dispute that they know.
    async fn compare_taken(
        &self,
        back: &MovedBack,
        run: &Comparison,
        report: &mut Report,
        now: Timestamp,
    ) -> Result<(), Error> {
        let MovedBack { direction, money: returned, notice } = back;
        let moved = (notice.money(), *direction);
        let Some(claim) = self.refunds.table.reversal(notice.reversal()).await? else {
            // Of a payment that no order took: once such a refund has failed, its finding is open again.
            return self.name_leading(Some(&notice.payment), moved, report).await;
        };
        if claim.settled_at >= run.started_at {
            count(&mut report.taken);
        }
        let kept = match *direction > 0 {
            true => self.kept_of_returned(&claim, *returned).await?,
            false => None,
        };
        let apart = match (kept, claim.money == notice.money()) {
            (Some(kept), _) => vec![(kept, *direction)],
            (None, false) => vec![moved, (claim.money, direction.saturating_neg())],
            (None, true) => return Ok(()),
        };
        // Both sides of what is apart: of what came back, the part that may be kept and all of it.
        let expected = match kept {
            Some(kept) => notice.money().less(kept),
            None => Some(claim.money),
        };
        let finding = Finding {
            account: Some(claim.account),
            order: Some(claim.order),
            expected,
            ..reversals::finding_about(notice, FindingKind::ReversalDiffers, now)
        };
        if let Some(found) = found_again(&self.refunds.table, &finding).await? {
            report.adds(finding.id(), found.kind, &apart);
        }
        Ok(())
    }

    /// What the books keep of the money of a dispute that came back.
    async fn kept_of_returned(
        &self,
        claim: &ReversalClaim,
        returned: Option<Money>,
    ) -> Result<Option<Money>, Error> {
        let record = self.refunds.table.order(&claim.order).await?;
        Ok(record.and_then(|record| record.order.kept_of_returned(&claim.reversal, returned)))
    }

    /// What was credited in this part of the day must have been paid.
    async fn compare_payments(
        &self,
        part: PartOfDay,
        known: &Known,
        report: &mut Report,
        now: Timestamp,
    ) -> Result<(), Error> {
        for shard in 0..SHARDS {
            let mut after = None;
            loop {
                let page = self.refunds.table.settled(shard, part, after.as_ref(), PAGE).await?;
                for claim in page.items.iter().filter(|claim| !claim.payment.is_bank_transfer()) {
                    count(&mut report.claims);
                    if known.payments.contains(&claim.payment) {
                        continue;
                    }
                    let never_paid = self.never_paid(claim, now).await?;
                    let compared = self.finds(never_paid, (claim.money, -1), report).await;
                    or_unreadable(compared, claim.payment.as_str(), report)?;
                }
                after = page.next_position();
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Stores what was found, if anything was, and names it unless a person has closed it.
    async fn finds(
        &self,
        found: Option<Finding>,
        apart: (Money, i64),
        report: &mut Report,
    ) -> Result<(), Error> {
        let Some(finding) = found else { return Ok(()) };
        if let Some(found) = found_again(&self.refunds.table, &finding).await? {
            report.finds(finding.id(), found.kind, &[apart]);
        }
        Ok(())
    }

    async fn never_paid(
        &self,
        claim: &PaymentClaim,
        now: Timestamp,
    ) -> Result<Option<Finding>, Error> {
        let paid = self.refunds.stripe.paid_by(&claim.payment, now).await?;
        Ok((paid != Some(claim.money)).then(|| Finding {
            kind: FindingKind::CreditedNotPaid,
            account: Some(claim.account.clone()),
            order: Some(claim.order.clone()),
            payment: Some(claim.payment.clone()),
            reversal: None,
            expected: Some(claim.money),
            actual: paid,
            found_at: now,
        }))
    }

    /// What was taken in this part of the day must have gone back.
    async fn compare_reversals(
        &self,
        part: PartOfDay,
        known: &Known,
        report: &mut Report,
        now: Timestamp,
    ) -> Result<(), Error> {
        for shard in 0..SHARDS {
            let mut after = None;
            loop {
                let page = self.refunds.table.reversed(shard, part, after.as_ref(), PAGE).await?;
                for claim in &page.items {
                    count(&mut report.claims);
                    if known.reversals.contains(&claim.reversal) {
                        continue;
                    }
                    let never_made = self.never_made(claim, now).await?;
                    let compared = self.finds(never_made, (claim.money, 1), report).await;
                    or_unreadable(compared, claim.reversal.as_str(), report)?;
                }
                after = page.next_position();
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn never_made(
        &self,
        claim: &ReversalClaim,
        now: Timestamp,
    ) -> Result<Option<Finding>, Error> {
        let made = self.refunds.stripe.gave_back(&claim.reversal, now).await?;
        if made.is_none() && self.has_failed(claim).await? {
            return Ok(None);
        }
        Ok((made != Some(claim.money)).then(|| Finding {
            kind: FindingKind::ReversalNotMade,
            account: Some(claim.account.clone()),
            order: Some(claim.order.clone()),
            payment: Some(claim.payment.clone()),
            reversal: Some(claim.reversal.clone()),
            expected: Some(claim.money),
            actual: made,
            found_at: now,
        }))
    }

    /// Whether a refund that was made has failed since: nothing of it is taken any more.
    async fn has_failed(&self, claim: &ReversalClaim) -> Result<bool, Error> {
        let record = self.refunds.table.order(&claim.order).await?;
        let refunds = record.into_iter().flat_map(|record| record.order.reversals.refunds);
        let mut of_claim = refunds.filter(|one| one.provider_id.as_ref() == Some(&claim.reversal));
        Ok(of_claim.any(|refund| refund.status == RefundStatus::Failed))
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
