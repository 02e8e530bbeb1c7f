//! Bank transfers that arrived: the one rule by which a person's word becomes a credit.

use rust_decimal::Decimal;

use crate::bank_transfer::{decided, is_overdue};
use crate::credit::{Credited, Incoming, credit};
use crate::{
    Acceptance, Account, Actor, BankTransfer, Decision, EntryKind, External, Method, Money,
    NewOrder, Order, OrderStatus, Rate, Reason, ReceivedTransfer, Refusal, Review, Timeline,
    Timestamp, Verdict,
};

/// What arrived may differ from what was ordered by one part in so many before a person must say
/// that it is meant: by a fifth.
const PART_THAT_MAY_DIFFER: u8 = 5;

/// Decides to accept a bank transfer for an order: the completed order and the decision that belong
/// into one commit, together with the claim of [`ReceivedTransfer::payment_id`].
///
/// What *arrived* is credited, at the order's rate, whatever was ordered or reported. Money for an
/// order that was closed is credited and marked late. `id` tells this review from all others.
///
/// # Errors
/// [`Refusal::OrderNotReviewable`]; [`Refusal::AlreadyReviewed`] if it was credited before;
/// [`Refusal::CurrencyDiffers`] once the account has another currency than the order;
/// [`Refusal::DifferenceNotConfirmed`]; [`Refusal::NoRate`]; [`Refusal::NotConvertible`];
/// [`Refusal::BalanceTooLarge`].
pub fn accept_transfer(
    order: &Order,
    account: &Account,
    id: &str,
    transfer: &ReceivedTransfer,
    by: &Actor,
    now: Timestamp,
) -> Result<(Order, Decision), Refusal> {
    let refused = || Refusal::OrderNotReviewable { status: order.status(), method: order.method };
    if order.bank_transfer.is_none() {
        return Err(refused());
    }
    if order.credited.is_some() {
        let review = decided(order).ok_or_else(refused)?;
        return Err(Refusal::AlreadyReviewed { by: review.by.clone(), at: review.at });
    }
    // The account was given another currency since: what the order says of money would be of neither.
    if account.currency != order.amount.currency {
        let (account, offered) = (account.currency, order.amount.currency);
        return Err(Refusal::CurrencyDiffers { account, offered });
    }
    if differs(order.payable, transfer.money) && !transfer.difference_confirmed {
        let (ordered, received) = (order.payable, transfer.money);
        return Err(Refusal::DifferenceNotConfirmed { ordered, received });
    }
    let own = order.rate.filter(|_| transfer.money.currency == order.payable.currency);
    let (worth, rate) = worth(account, transfer, own.or(transfer.rate))?;
    let closed = matches!(order.status(), OrderStatus::Expired | OrderStatus::Cancelled);
    let late = closed || is_overdue(order, now);
    let reason = if late { Reason::TransferAcceptedLate } else { Reason::TransferAccepted };
    let timeline = match order.status() {
        // Money and order disagree here: not a matter of one transfer.
        OrderStatus::Exception | OrderStatus::Failed => return Err(refused()),
        _ => order.timeline.advance(OrderStatus::Completed, now, reason, by.clone()),
    };
    let open = Order { timeline: timeline.map_err(|_| refused())?, late, ..order.clone() };
    let acceptance = Acceptance { id: id.to_owned(), transfer: transfer.clone(), rate };
    completed(open, account, acceptance, worth, by, now)
}

/// A transfer that came without an order, as a person books it.
#[derive(Debug, Clone)]
pub struct Booking {
    /// The order that will record it.
    pub order: NewOrder,
    /// What arrived.
    pub transfer: ReceivedTransfer,
}

/// Decides to book a transfer that came without an order: an order that is completed as it is made,
/// and the decision, for one commit with the claim of the transfer.
///
/// # Errors
/// [`Refusal::NoRate`]; [`Refusal::NotConvertible`]; [`Refusal::BalanceTooLarge`].
pub fn book_transfer(
    account: &Account,
    id: &str,
    booking: &Booking,
    now: Timestamp,
) -> Result<(Order, Decision), Refusal> {
    let Booking { order: new, transfer } = booking;
    let (worth, rate) = worth(account, transfer, transfer.rate)?;
    let by = &new.by;
    let timeline = Timeline::completed_at_once(now, Reason::TransferBooked, by.clone());
    let known = BankTransfer {
        reference: None,
        receiving_account: transfer.receiving_account.clone(),
        report: None,
        proofs: Vec::new(),
        uploads: 0,
        reviews: Vec::new(),
    };
    let begun = Order::begun(new.clone(), Method::Offline, worth, timeline);
    let bank_transfer = Some(known);
    let order = Order { payable: transfer.money, rate, bank_transfer, ..begun };
    let acceptance = Acceptance { id: id.to_owned(), transfer: transfer.clone(), rate };
    completed(order, account, acceptance, worth, by, now)
}

/// What a transfer is in the account's currency, and the rate that says so.
fn worth(
    account: &Account,
    transfer: &ReceivedTransfer,
    rate: Option<Rate>,
) -> Result<(Money, Option<Rate>), Refusal> {
    let (received, to) = (transfer.money, account.currency);
    if received.currency == to {
        return Ok((received, None));
    }
    let rate = rate.ok_or(Refusal::NoRate { from: received.currency, to })?;
    let converted = rate.convert(received, to);
    let worth = converted.map_err(|_| Refusal::NotConvertible { received, to })?;
    Ok((worth, Some(rate)))
}

/// Whether a person must confirm that what arrived is for this order.
fn differs(ordered: Money, received: Money) -> bool {
    if ordered.currency != received.currency {
        return true;
    }
    let ordered = ordered.amount.decimal();
    let difference = received.amount.decimal().saturating_sub(ordered).abs();
    difference.saturating_mul(Decimal::from(PART_THAT_MAY_DIFFER)) > ordered
}

/// The order with its money in the account.
fn completed(
    order: Order,
    account: &Account,
    acceptance: Acceptance,
    worth: Money,
    by: &Actor,
    now: Timestamp,
) -> Result<(Order, Decision), Refusal> {
    let transfer = acceptance.transfer.clone();
    let incoming = Incoming {
        kind: EntryKind::BankTopUp,
        from: External::Bank,
        paid: transfer.money,
        worth,
        target: &order.target,
        order: &order.id,
    };
    let Credited { decision, debt_paid, credited } = credit(account, &incoming, now)?;
    let verdict = Verdict::Accepted(Box::new(acceptance));
    let at = order.timeline.changed_at();
    let review = Review { at, by: by.clone(), verdict };
    let bank_transfer = order.bank_transfer.clone().map(|mut known| {
        known.reviews.push(review);
        known
    });
    let order = Order {
        bank_transfer,
        payment_id: Some(transfer.payment_id()),
        received: Some(transfer.money),
        credited: Some(credited),
        debt_paid: Some(debt_paid),
        paid_at: Some(transfer.received_on.begins()),
        completed_at: Some(at),
        ..order
    };
    Ok((order, decision))
}
