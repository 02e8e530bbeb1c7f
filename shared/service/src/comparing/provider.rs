//! What the provider moved must be in the books: what nobody told is completed, and what cannot be is a finding.

use std::collections::BTreeMap;

use ledger::{Finding, FindingKind, Money, PaymentId, Timestamp};
use tracing::{error, warn};

use super::moved::MovedBack;
use super::{Comparisons, count, or_unreadable};
use crate::comparison::{Comparison, Report};
use crate::error::{Error, Unavailable};
use crate::findings::{FindingRecord, found_again};
use crate::notice::{Notice, ReversalNotice, Told, What, WhatBack};
use crate::payments::{self, Confirmed};
use crate::record::{ClaimOrFinding, PaymentClaim, ReversalClaim};
use crate::reversals;
use crate::stripe::event::Reading;
use crate::stripe::{Movement, Wire};

impl<W: Wire> Comparisons<W> {
    /// What the provider moved must be in the books.
    pub(super) async fn compare_movements(
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

    pub(super) async fn compare_reversal(
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
}
