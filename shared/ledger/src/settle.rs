//! Money that comes in: the one rule by which a payment becomes a credit.
//!
//! Every way in which Topup learns of a payment ends here: the webhook, its retry from the queue, a cancellation
//! that came too late, the sweep, and the daily comparison.

use crate::credit::{Credited, Incoming, credit};
use crate::{
    Account, Actor, Attempt, AttemptOutcome, Decision, EntryKind, External, Finding, FindingKind,
    FindingOutcome, FindingState, IllegalMove, Method, Money, NewOrder, Order, OrderStatus,
    PaymentId, Reason, Refusal, Timeline, Timestamp, WholeRefunds, payment_failed, session_expired,
};

/// Money that the provider says it has taken for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The provider's id of it. One payment is credited once, across all orders.
    pub id: PaymentId,
    /// How much of what.
    pub money: Money,
    /// When the provider took it.
    pub paid_at: Timestamp,
    /// The provider's name for the notice, kept with the attempt.
    pub reference: String,
}

/// What became of the payment of an order that could not take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostPayment {
    /// It was credited, as an order of its own.
    Booked,
    /// It went back to whoever paid it.
    Refunded,
    /// It had gone back, and came back: its refund failed.
    Returned,
}

/// What a payment means for its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// The money is to be credited: order and decision belong into one commit.
    Credited {
        /// The order, completed.
        order: Box<Order>,
        /// The account and the entry.
        decision: Box<Decision>,
        /// The finding that the payment leads to, cured by this: it belongs into the same commit, so that nobody
        /// begins to give the payment back meanwhile. None if no person must look at it.
        cured: Option<Box<FindingState>>,
    },
    /// This payment was credited to this order before. Nothing is to be done.
    AlreadyCredited,
    /// What becomes of this payment is decided with the finding that it leads to. Nothing is credited.
    LeftToItsFinding {
        /// The order, which nobody can pay any more: its page is closed, and the money is not for it. None if it
        /// stays as it is.
        order: Option<Box<Order>>,
    },
    /// Money and order disagree. Nothing is credited; a person must look.
    Found {
        /// The order in exception; none if the order stays as it is.
        order: Option<Box<Order>>,
        /// What to store for a person.
        finding: Box<Finding>,
    },
}

/// Decides what a payment means that leads to this finding, or to none.
///
/// Only what the order says is credited, and only after amount and currency were compared. A debt
/// is paid first, in the same entry. Money that comes after the order was closed is credited and
/// marked late. A payment that goes back, or that a person has settled, is credited by nobody but a person.
///
/// # Errors
/// [`IllegalMove`] if the table of moves does not let the order complete: a broken invariant.
pub fn settle(
    order: &Order,
    account: &Account,
    payment: &Payment,
    found: Option<&FindingState>,
    now: Timestamp,
) -> Result<Settlement, IllegalMove> {
    if order.payment_id.as_ref() == Some(&payment.id) {
        return Ok(Settlement::AlreadyCredited);
    }
    if let Some(kind) = disagreement(order, payment) {
        return not_credited(order, payment, kind, now);
    }
    let incoming = Incoming {
        kind: EntryKind::CardTopUp,
        from: External::Card,
        paid: payment.money,
        worth: order.amount,
        target: &order.target,
        order: &order.id,
    };
    match credit(account, &incoming, now) {
        Ok(_) if found.is_some_and(FindingState::keeps_payment) => {
            let closed = session_expired(order, now)?;
            let closed =
                closed.map_or_else(|| payment_failed(order, now), |order| Ok(Some(order)))?;
            Ok(Settlement::LeftToItsFinding { order: closed.map(Box::new) })
        }
        Ok(Credited { decision, debt_paid, credited }) => {
            let late = !order.status().is_open();
            let reason = if late { Reason::PaidLate } else { Reason::Paid };
            let timeline =
                order.timeline.advance(OrderStatus::Completed, now, reason, Actor::stripe())?;
            let attempt = Attempt {
                at: payment.paid_at,
                payment_id: payment.id.clone(),
                outcome: AttemptOutcome::Succeeded,
                decline_code: None,
                reference: payment.reference.clone(),
            };
            let order = Order {
                completed_at: Some(timeline.changed_at()),
                timeline,
                late,
                payment_id: Some(payment.id.clone()),
                received: Some(payment.money),
                credited: Some(credited),
                debt_paid: Some(debt_paid),
                paid_at: Some(payment.paid_at),
                ..order.clone()
            };
            let order = order.with_attempt(attempt);
            let order = match found {
                Some(found) => order.with_failed_refunds(&found.refunds),
                None => order,
            };
            let cured = found.filter(|found| found.is_open());
            let cured =
                cured.map(|found| found.ended(FindingOutcome::Cured, &Actor::stripe(), None, now));
            let (order, decision) = (Box::new(order), Box::new(decision));
            Ok(Settlement::Credited { order, decision, cured: cured.map(Box::new) })
        }
        Err(_) => not_credited(order, payment, FindingKind::NotCreditable, now),
    }
}

/// Decides to credit a payment that no order could take, as a person says: an order that is completed as
/// it is made, with the refunds of the payment that failed before, and the decision, for one commit with the claim
/// of the payment.
///
/// # Errors
/// [`Refusal::CurrencyDiffers`] for money that the account does not hold;
/// [`Refusal::BalanceTooLarge`].
pub fn book_payment(
    account: &Account,
    new: &NewOrder,
    payment: &Payment,
    before: &WholeRefunds,
    now: Timestamp,
) -> Result<(Order, Decision), Refusal> {
    let incoming = Incoming {
        kind: EntryKind::CardTopUp,
        from: External::Card,
        paid: payment.money,
        worth: payment.money,
        target: &new.target,
        order: &new.id,
    };
    let Credited { decision, debt_paid, credited } = credit(account, &incoming, now)?;
    let timeline = Timeline::completed_at_once(now, Reason::PaymentBooked, new.by.clone());
    let begun = Order::begun(new.clone(), Method::Card, payment.money, timeline);
    let order = Order {
        payment_id: Some(payment.id.clone()),
        received: Some(payment.money),
        credited: Some(credited),
        debt_paid: Some(debt_paid),
        paid_at: Some(payment.paid_at),
        completed_at: Some(now),
        ..begun
    };
    Ok((order.with_failed_refunds(before), decision))
}

/// The order that could not take its payment, after what became of that: cancelled if it was booked as
/// an order of its own, refunded if it went back, an exception again if it came back. `None` if the
/// order does not wait for it: it is not the payment that made the order an exception, another one completed it,
/// or it was followed before.
#[must_use]
pub fn follow_lost_payment(
    order: &Order,
    finding: &Finding,
    became: LostPayment,
    by: &Actor,
    now: Timestamp,
) -> Option<Order> {
    if finding.kind == FindingKind::OrderInException {
        return None;
    }
    let (from, to, reason) = match became {
        LostPayment::Booked => {
            (OrderStatus::Exception, OrderStatus::Cancelled, Reason::PaymentBooked)
        }
        LostPayment::Refunded => (OrderStatus::Exception, OrderStatus::Refunded, Reason::Refunded),
        LostPayment::Returned => {
            (OrderStatus::Refunded, OrderStatus::Exception, Reason::RefundReturned)
        }
    };
    if order.status() != from || order.credited.is_some() {
        return None;
    }
    let timeline = order.timeline.advance(to, now, reason, by.clone()).ok()?;
    Some(Order { timeline, ..order.clone() })
}

/// What a payment means that must not be credited, for this reason: a finding, and the order in
/// exception unless it was credited by another payment.
///
/// # Errors
/// [`IllegalMove`] if the table of moves does not allow it: a broken invariant.
pub fn not_credited(
    order: &Order,
    payment: &Payment,
    kind: FindingKind,
    now: Timestamp,
) -> Result<Settlement, IllegalMove> {
    let finding = Box::new(Finding {
        kind,
        account: Some(order.account.clone()),
        order: Some(order.id.clone()),
        payment: Some(payment.id.clone()),
        reversal: None,
        expected: Some(order.payable),
        actual: Some(payment.money),
        found_at: now,
    });
    let reason = match kind {
        FindingKind::AmountDiffers | FindingKind::CurrencyDiffers => Reason::PaymentDiffers,
        _ => Reason::NotCreditable,
    };
    if order.credited.is_some() || order.status() == OrderStatus::Exception {
        return Ok(Settlement::Found { order: None, finding });
    }
    let timeline = order.timeline.advance(OrderStatus::Exception, now, reason, Actor::stripe())?;
    let order = Order { timeline, uncredited: Some(payment.money), ..order.clone() };
    Ok(Settlement::Found { order: Some(Box::new(order)), finding })
}

/// How payment and order disagree, if they do.
fn disagreement(order: &Order, payment: &Payment) -> Option<FindingKind> {
    if order.credited.is_some() {
        return Some(FindingKind::DuplicatePayment);
    }
    if order.status() == OrderStatus::Exception {
        return Some(FindingKind::OrderInException);
    }
    if order.method != Method::Card {
        return Some(FindingKind::NotCreditable);
    }
    if payment.money.currency != order.payable.currency {
        return Some(FindingKind::CurrencyDiffers);
    }
    (payment.money != order.payable).then_some(FindingKind::AmountDiffers)
}
