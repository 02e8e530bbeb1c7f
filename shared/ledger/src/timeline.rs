//! The states of an order and every legal move between them.
//!
//! An order's status is the end of its [`Timeline`], and a timeline grows only by
//! [`Timeline::advance`], so a move that the table does not list cannot be written down.

use thiserror::Error;

use crate::{Actor, Timestamp};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OrderStatus {
    /// Awaits money, by card or bank.
    PendingPayment,
    /// A delayed payment is under way.
    Processing,
    /// A bank transfer was reported.
    PendingReview,
    /// Paid and credited, in one commit.
    Completed,
    /// The operator did not find the reported transfer.
    Rejected,
    /// A delayed payment failed for good.
    Failed,
    /// Called off by the customer.
    Cancelled,
    /// Not paid in time.
    Expired,
    /// Money and order disagree: a person must look.
    Exception,
    /// Part of the credited money was given back.
    PartiallyRefunded,
    /// All of the credited money was given back.
    Refunded,
}

/// Why a status changed. A closed list of codes; [`Reason::name`] is what is stored and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The order was made.
    Created,
    /// The payment arrived.
    Paid,
    /// The payment arrived after the order had been closed.
    PaidLate,
    /// The customer chose a payment method that takes days.
    PaymentDelayed,
    /// The delayed payment did not come.
    PaymentFailed,
    /// Money was moved out of the wallet.
    PaidFromWallet,
    /// The customer cancelled.
    CancelledByCustomer,
    /// The payment page was open for as long as it could be.
    PaymentPageExpired,
    /// What was paid is not what was ordered.
    PaymentDiffers,
    /// What was paid could not be put into the account.
    NotCreditable,
    /// The customer says that the bank transfer is on its way.
    TransferReported,
    /// A person found the bank transfer.
    TransferAccepted,
    /// A person found the bank transfer of an order that had been closed.
    TransferAcceptedLate,
    /// A person did not find the bank transfer.
    TransferRejected,
    /// No bank transfer was reported in time.
    TransferOverdue,
    /// A person booked a bank transfer that came without an order.
    TransferBooked,
    /// A person credited a payment that no order could take.
    PaymentBooked,
    /// Money was given back.
    Refunded,
    /// Money that had been given back did not arrive, and returned.
    RefundReturned,
}

/// One change of an order's status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// The status before; none for the first.
    pub from: Option<OrderStatus>,
    /// The status after.
    pub to: OrderStatus,
    /// Why.
    pub reason: Reason,
    /// Who.
    pub by: Actor,
}

/// Everything that happened to an order's status, oldest first; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    changes: Vec<Change>,
    status: OrderStatus,
    changed_at: Timestamp,
}

/// A move that the table does not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an order cannot go from {from:?} to {to:?}")]
pub struct IllegalMove {
    /// The status before; none where an order begins.
    pub from: Option<OrderStatus>,
    /// The status that was asked for.
    pub to: OrderStatus,
}

use OrderStatus::{
    Cancelled, Completed, Exception, Expired, Failed, PartiallyRefunded, PendingPayment,
    PendingReview, Processing, Refunded, Rejected,
};

/// Where an order can begin.
const BEGINNINGS: &[OrderStatus] = &[PendingPayment, Completed];

/// Every legal move. Late money is never dropped: closed orders can still be completed.
const MOVES: &[(OrderStatus, &[OrderStatus])] = &[
    (
        PendingPayment,
        &[Processing, PendingReview, Completed, Rejected, Failed, Cancelled, Expired, Exception],
    ),
    (Processing, &[Completed, Failed, Exception]),
    (PendingReview, &[Completed, Rejected, Exception]),
    (Rejected, &[PendingReview, Completed, Expired, Cancelled, Exception]),
    (Failed, &[Completed, Exception]),
    (Cancelled, &[Completed, Exception]),
    (Expired, &[Completed, Exception]),
    (Exception, &[Completed, Cancelled, Refunded]),
    (Completed, &[PartiallyRefunded, Refunded]),
    (PartiallyRefunded, &[Refunded, Completed]),
    (Refunded, &[PartiallyRefunded, Completed, Exception]),
];

impl OrderStatus {
    /// All of them.
    pub const ALL: [Self; 11] = [
        PendingPayment,
        Processing,
        PendingReview,
        Completed,
        Rejected,
        Failed,
        Cancelled,
        Expired,
        Exception,
        PartiallyRefunded,
        Refunded,
    ];

    /// The name that is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            PendingPayment => "pending_payment",
            Processing => "processing",
            PendingReview => "pending_review",
            Completed => "completed",
            Rejected => "rejected",
            Failed => "failed",
            Cancelled => "cancelled",
            Expired => "expired",
            Exception => "exception",
            PartiallyRefunded => "partially_refunded",
            Refunded => "refunded",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether the order awaits something that will come by itself or expire.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, PendingPayment | Processing | PendingReview)
    }

    /// Whether the table lists a move from here to there.
    #[must_use]
    pub fn may_become(self, to: Self) -> bool {
        MOVES.iter().any(|(from, targets)| *from == self && targets.contains(&to))
    }
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::Created,
        Self::Paid,
        Self::PaidLate,
        Self::PaymentDelayed,
        Self::PaymentFailed,
        Self::PaidFromWallet,
        Self::CancelledByCustomer,
        Self::PaymentPageExpired,
        Self::PaymentDiffers,
        Self::NotCreditable,
        Self::TransferReported,
        Self::TransferAccepted,
        Self::TransferAcceptedLate,
        Self::TransferRejected,
        Self::TransferOverdue,
        Self::TransferBooked,
        Self::PaymentBooked,
        Self::Refunded,
        Self::RefundReturned,
    ];

    /// The code that is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Paid => "paid",
            Self::PaidLate => "paid_late",
            Self::PaymentDelayed => "payment_delayed",
            Self::PaymentFailed => "payment_failed",
            Self::PaidFromWallet => "paid_from_wallet",
            Self::CancelledByCustomer => "cancelled_by_customer",
            Self::PaymentPageExpired => "payment_page_expired",
            Self::PaymentDiffers => "payment_differs",
            Self::NotCreditable => "not_creditable",
            Self::TransferReported => "transfer_reported",
            Self::TransferAccepted => "transfer_accepted",
            Self::TransferAcceptedLate => "transfer_accepted_late",
            Self::TransferRejected => "transfer_rejected",
            Self::TransferOverdue => "transfer_overdue",
            Self::TransferBooked => "transfer_booked",
            Self::PaymentBooked => "payment_booked",
            Self::Refunded => "refunded",
            Self::RefundReturned => "refund_returned",
        }
    }

    /// The reason of that code.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

impl Timeline {
    /// The timeline of an order whose money was there as it was made.
    pub(crate) fn completed_at_once(at: Timestamp, reason: Reason, by: Actor) -> Self {
        let change = Change { at, from: None, to: Completed, reason, by };
        Self { changes: vec![change], status: Completed, changed_at: at }
    }

    /// The timeline of an order that awaits its payment.
    pub(crate) fn awaiting_payment(at: Timestamp, by: Actor) -> Self {
        let change = Change { at, from: None, to: PendingPayment, reason: Reason::Created, by };
        Self { changes: vec![change], status: PendingPayment, changed_at: at }
    }

    /// A timeline as it was stored.
    ///
    /// # Errors
    /// [`IllegalMove`] at the first change that does not follow from the one before.
    pub fn restore(changes: Vec<Change>) -> Result<Self, IllegalMove> {
        let mut last: Option<&Change> = None;
        for change in &changes {
            let status = last.map(|last| last.to);
            let legal = match status {
                None => BEGINNINGS.contains(&change.to),
                Some(from) => OrderStatus::may_become(from, change.to),
            };
            if change.from != status || !legal {
                return Err(IllegalMove { from: status, to: change.to });
            }
            last = Some(change);
        }
        let &Change { to: status, at: changed_at, .. } =
            last.ok_or(IllegalMove { from: None, to: PendingPayment })?;
        Ok(Self { changes, status, changed_at })
    }

    /// This timeline with one more change, whose time is never before that of the last one.
    ///
    /// # Errors
    /// [`IllegalMove`] if the table does not list the move.
    pub fn advance(
        &self,
        to: OrderStatus,
        at: Timestamp,
        reason: Reason,
        by: Actor,
    ) -> Result<Self, IllegalMove> {
        let from = self.status;
        if !from.may_become(to) {
            return Err(IllegalMove { from: Some(from), to });
        }
        let mut changes = self.changes.clone();
        let at = at.not_before(self.changed_at);
        changes.push(Change { at, from: Some(from), to, reason, by });
        Ok(Self { changes, status: to, changed_at: at })
    }

    /// Where the order stands.
    #[must_use]
    pub const fn status(&self) -> OrderStatus {
        self.status
    }

    /// Since when it stands there.
    #[must_use]
    pub const fn changed_at(&self) -> Timestamp {
        self.changed_at
    }

    /// All changes, oldest first.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_unix_millis(1);

    fn advance(from: OrderStatus, to: OrderStatus) -> Result<OrderStatus, IllegalMove> {
        let timeline = Timeline { changes: Vec::new(), status: from, changed_at: AT };
        timeline.advance(to, AT, Reason::Paid, Actor::stripe()).map(|timeline| timeline.status())
    }

    #[test]
    fn every_listed_move_is_made_and_every_other_one_refused() {
        let legal = "
            pending_payment: processing pending_review completed rejected failed cancelled expired exception
            processing: completed failed exception
            pending_review: completed rejected exception
            completed: partially_refunded refunded
            rejected: pending_review completed expired cancelled exception
            failed: completed exception
            cancelled: completed exception
            expired: completed exception
            exception: completed cancelled refunded
            partially_refunded: refunded completed
            refunded: partially_refunded completed exception";
        let mut checked = 0;
        for line in legal.trim().lines() {
            let (from, targets) = line.trim().split_once(": ").unwrap();
            let from = OrderStatus::parse(from).unwrap();
            for to in OrderStatus::ALL {
                let expected = if targets.split(' ').any(|name| name == to.name()) {
                    Ok(to)
                } else {
                    Err(IllegalMove { from: Some(from), to })
                };
                assert_eq!(advance(from, to), expected);
                checked += 1;
            }
        }
        assert_eq!(checked, 11 * 11);
    }

    #[test]
    fn an_order_begins_unpaid_or_completed() {
        for status in OrderStatus::ALL {
            let first = Change {
                at: AT,
                from: None,
                to: status,
                reason: Reason::Created,
                by: Actor::stripe(),
            };
            assert_eq!(
                Timeline::restore(vec![first]).is_ok(),
                matches!(status, PendingPayment | Completed),
                "{status:?}"
            );
        }
    }

    #[test]
    fn times_never_run_backwards_whoever_loses_a_race_knows_an_earlier_one() {
        let at = Timestamp::from_unix_millis;
        let begun = Timeline::awaiting_payment(at(100), Actor::stripe());
        for (decided, written) in [(99, 101), (100, 100), (105, 105)] {
            let paid = begun.advance(Completed, at(decided), Reason::Paid, Actor::stripe());
            let times = paid.unwrap().changes().iter().map(|change| change.at).collect::<Vec<_>>();
            assert_eq!(times, [at(100), at(written)]);
        }
    }

    #[test]
    fn a_stored_timeline_that_was_edited_is_refused() {
        let change =
            |from, to| Change { at: AT, from, to, reason: Reason::Paid, by: Actor::stripe() };
        assert!(Timeline::restore(Vec::new()).is_err());
        assert!(Timeline::restore(vec![change(None, Refunded)]).is_err());
        let skipped = vec![change(None, PendingPayment), change(Some(Completed), Refunded)];
        assert!(Timeline::restore(skipped).is_err());
        let legal = vec![change(None, PendingPayment), change(Some(PendingPayment), Completed)];
        assert_eq!(Timeline::restore(legal).map(|timeline| timeline.status()), Ok(Completed));
    }
}
