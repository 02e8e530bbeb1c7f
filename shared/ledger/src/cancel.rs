//! Cancelling an order that awaits its payment.
//!
//! For a card in three steps, because a payment page may be open somewhere: the wish is stored, the
//! page is closed at the provider, and only then is the order cancelled. With the wish stored, no
//! page is made or shown any more.

use crate::{
    Actor, CancelRequest, IllegalMove, Method, Order, OrderStatus, Reason, Refusal, Timestamp,
};

/// What is left to do for a cancellation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelStep {
    /// Store this order: it carries the wish.
    Request(Box<Order>),
    /// The wish is stored: close the payment page, then store this order.
    Close(Box<Order>),
    /// It is cancelled.
    Done,
}

/// The next step of a cancellation.
///
/// # Errors
/// [`Refusal::OrderNotCancellable`] unless the order awaits a card payment, awaits a bank transfer
/// that nobody reported or that was not found, or is cancelled.
pub fn cancel(order: &Order, by: &Actor, now: Timestamp) -> Result<CancelStep, Refusal> {
    let refused = Refusal::OrderNotCancellable { status: order.status() };
    let by = match (order.status(), order.method, &order.cancel_request) {
        (OrderStatus::Cancelled, ..) => return Ok(CancelStep::Done),
        (OrderStatus::PendingPayment, Method::Card, None) => {
            let wish = CancelRequest { at: now, by: Some(by.clone()) };
            let requested = Order { cancel_request: Some(wish), ..order.clone() };
            return Ok(CancelStep::Request(Box::new(requested)));
        }
        (OrderStatus::PendingPayment, Method::Card, Some(wish)) => wish.by.as_ref().unwrap_or(by),
        // No page is open for a bank transfer.
        (OrderStatus::PendingPayment | OrderStatus::Rejected, Method::Offline, _) => by,
        _ => return Err(refused),
    };
    let cancelled = cancelled(order, by, now).map_err(|_| refused)?;
    Ok(CancelStep::Close(Box::new(cancelled)))
}

/// The order, cancelled as its customer wished.
pub(crate) fn cancelled(order: &Order, by: &Actor, now: Timestamp) -> Result<Order, IllegalMove> {
    let (to, reason) = (OrderStatus::Cancelled, Reason::CancelledByCustomer);
    let timeline = order.timeline.advance(to, now, reason, by.clone())?;
    Ok(Order { timeline, ..order.clone() })
}
