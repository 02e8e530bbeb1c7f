//! Looking again at what a person must look at: what is not so any more closes itself.

use ledger::{Finding, FindingKind, PaymentId, ProviderId, Timestamp};
use tokio::time::Instant;
use tracing::{error, warn};

use super::{Comparisons, MAX_PAGES_OF_FINDINGS, PAGE};
use crate::error::Error;
use crate::findings::{FindingRecord, cured};
use crate::payments::Confirmed;
use crate::record::ClaimOrFinding;
use crate::reversals;
use crate::stripe::Wire;

impl<W: Wire> Comparisons<W> {
    /// Looks at the findings of earlier comparisons again: those that are cured close themselves, and a refund that
    /// was begun goes on. The newest come first, and those that there is no time for wait for another day. What kept
    /// one from being looked at that may be over soon, if something did.
    ///
    /// # Errors
    /// The findings cannot be listed.
    pub(super) async fn look_again(
        &self,
        limit: Option<Instant>,
        now: Timestamp,
    ) -> Result<Option<Error>, Error> {
        let (mut after, mut outage) = (None, None);
        for _ in 0..MAX_PAGES_OF_FINDINGS {
            let page = self.refunds.table.findings(true, after.as_ref(), PAGE).await?;
            after = page.next_position();
            for record in page.items {
                let finding_id = record.finding.id();
                // One that nobody can look at must not hide those behind it.
                match self.look_at(record, now).await {
                    Ok(()) => {}
                    Err(Error::Broken(cause)) => error!(finding_id, %cause, "it is left as it is"),
                    Err(cause) => {
                        warn!(finding_id, %cause, "to be looked at another time");
                        outage = Some(cause);
                    }
                }
            }
            if after.is_none() || limit.is_some_and(|limit| Instant::now() >= limit) {
                break;
            }
        }
        Ok(outage)
    }

    async fn look_at(&self, record: FindingRecord, now: Timestamp) -> Result<(), Error> {
        if self.is_cured(&record.finding, now).await? {
            cured(&self.refunds.table, &record.finding.id(), now).await?;
        } else {
            self.refunds.continue_finding(record, now).await?;
        }
        Ok(())
    }

    async fn is_cured(&self, finding: &Finding, now: Timestamp) -> Result<bool, Error> {
        let (payment, reversal) = (finding.payment.as_ref(), finding.reversal.as_ref());
        match (finding.kind, payment, reversal) {
            (FindingKind::CreditedNotPaid, Some(payment), _) => {
                let paid = self.refunds.stripe.paid_by(payment, now).await?;
                Ok(paid.is_some() && paid == finding.expected)
            }
            (FindingKind::ReversalNotMade, _, Some(reversal)) => {
                let made = self.refunds.stripe.gave_back(reversal, now).await?;
                Ok(made.is_some() && made == finding.expected)
            }
            (FindingKind::PaidNotCredited, Some(payment), _) => {
                let known = self.refunds.table.payment_or_finding(payment).await?;
                Ok(matches!(known, Some(ClaimOrFinding::Claim(_))))
            }
            (FindingKind::UnknownPayment, Some(payment), Some(reversal)) => {
                Ok(self.may_be_known(finding, payment).await?
                    && self.take_back(payment, reversal, now).await?)
            }
            _ => Ok(false),
        }
    }

    /// Whether somebody has the payment who keeps what went back of it: an order keeps all, a finding the refunds
    /// of the whole payment, but for those that were made after a person had settled it.
    async fn may_be_known(&self, back: &Finding, payment: &PaymentId) -> Result<bool, Error> {
        let table = &self.refunds.table;
        Ok(match table.payment_or_finding(payment).await? {
            Some(ClaimOrFinding::Claim(_)) => true,
            Some(ClaimOrFinding::Finding(id)) => {
                let lost = table.finding(&id).await?;
                lost.is_some_and(|record| record.finding.actual == back.actual)
            }
            None => false,
        })
    }

    /// What went back of a payment while it had no place was told to nobody: whoever has it by now is told all that the
    /// provider says of it now, whatever of it they know. Whether they know it by now.
    async fn take_back(
        &self,
        payment: &PaymentId,
        reversal: &ProviderId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let told = self.refunds.stripe.reversal(reversal, now).await?;
        let Some(told) = told.filter(|told| told.payment == *payment) else { return Ok(false) };
        match reversals::confirm(&self.refunds.table, &told, now).await {
            // The finding stays: a person must look.
            Err(Error::Refused(refusal)) => {
                warn!(payment_id = %payment, %refusal, "a reversal cannot be booked");
                Ok(false)
            }
            confirmed => Ok(matches!(confirmed?, Confirmed::Reversed | Confirmed::Unchanged)),
        }
    }
}
