//! What is in the books must have been moved by the provider: what was not is a finding.

use ledger::{Finding, FindingKind, Money, RefundStatus, Timestamp};

use super::moved::Known;
use super::{Comparisons, PAGE, count, or_unreadable};
use crate::comparison::Report;
use crate::error::Error;
use crate::findings::found_again;
use crate::record::{PaymentClaim, ReversalClaim};
use crate::stripe::Wire;
use crate::table::{PartOfDay, SHARDS};

impl<W: Wire> Comparisons<W> {
    /// What was credited in this part of the day must have been paid.
    pub(super) async fn compare_payments(
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
    pub(super) async fn compare_reversals(
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
}
