//! What else a payment provider tells about a card order. None of it moves money.

use crate::cancel::cancelled;
use crate::{
    Actor, Attempt, AttemptOutcome, IllegalMove, Order, OrderStatus, PaymentId, Reason, Timestamp,
};

/// A card that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempt {
    /// The provider's payment that it was an attempt at.
    pub payment_id: PaymentId,
    /// Why, in the provider's words.
    pub decline_code: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The provider's name for the notice.
    pub reference: String,
}

/// A refused card: kept on the order, which stays payable. `None` if it is known already.
#[must_use]
pub fn attempt_failed(order: &Order, failed: &FailedAttempt) -> Option<Order> {
    let next = order.clone().with_attempt(Attempt {
        at: failed.at,
        payment_id: failed.payment_id.clone(),
        outcome: AttemptOutcome::Declined,
        decline_code: failed.decline_code.clone(),
        reference: failed.reference.clone(),
    });
    (next != *order).then_some(next)
}

/// The customer chose a payment that takes days. `None` if the order has moved on.
///
/// # Errors
/// [`IllegalMove`]: never for an order that awaits its payment.
pub fn payment_processing(order: &Order, now: Timestamp) -> Result<Option<Order>, IllegalMove> {
    if order.status() != OrderStatus::PendingPayment {
        return Ok(None);
    }
    advanced(order, OrderStatus::Processing, Reason::PaymentDelayed, now).map(Some)
}

/// The delayed payment did not come. `None` if the order has moved on.
///
/// # Errors
/// [`IllegalMove`]: never for an order that is open.
pub fn payment_failed(order: &Order, now: Timestamp) -> Result<Option<Order>, IllegalMove> {
    if !matches!(order.status(), OrderStatus::PendingPayment | OrderStatus::Processing) {
        return Ok(None);
    }
    advanced(order, OrderStatus::Failed, Reason::PaymentFailed, now).map(Some)
}

/// The payment page closed without a payment. `None` if the order has moved on.
///
/// An order whose customer had asked to cancel it ends as cancelled.
///
/// # Errors
/// [`IllegalMove`]: never for an order that awaits its payment.
pub fn session_expired(order: &Order, now: Timestamp) -> Result<Option<Order>, IllegalMove> {
    if order.status() != OrderStatus::PendingPayment {
        return Ok(None);
    }
    match &order.cancel_request {
        Some(wish) => {
            let by = wish.by.clone().unwrap_or_else(Actor::stripe);
            cancelled(order, &by, now).map(Some)
        }
        None => advanced(order, OrderStatus::Expired, Reason::PaymentPageExpired, now).map(Some),
    }
}

fn advanced(
    order: &Order,
    to: OrderStatus,
    reason: Reason,
    now: Timestamp,
) -> Result<Order, IllegalMove> {
    let timeline = order.timeline.advance(to, now, reason, Actor::stripe())?;
    Ok(Order { timeline, ..order.clone() })
}
