//! Cancelling an order that awaits its payment.
//!
//! For a card in three steps, because a payment page may be open somewhere: the wish is stored, the
//! page is closed at the provider, and only then is the order cancelled. With the wish stored, no
//! page is made or shown any more.

use crate::{Actor, IllegalMove, Method, Order, OrderStatus, Reason, Refusal, Timestamp};

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
    match (order.status(), order.method, order.cancel_requested_at) {
        (OrderStatus::Cancelled, ..) => Ok(CancelStep::Done),
        (OrderStatus::PendingPayment, Method::Card, None) => {
            let requested = Order { cancel_requested_at: Some(now), ..order.clone() };
            Ok(CancelStep::Request(Box::new(requested)))
        }
        // No page is open for a bank transfer.
        (OrderStatus::PendingPayment, Method::Card, Some(_))
        | (OrderStatus::PendingPayment | OrderStatus::Rejected, Method::Offline, _) => {
            let cancelled = |_: IllegalMove| refused;
            let timeline = order
                .timeline
                .advance(OrderStatus::Cancelled, now, Reason::CancelledByCustomer, by.clone())
                .map_err(cancelled)?;
            Ok(CancelStep::Close(Box::new(Order { timeline, ..order.clone() })))
        }
        _ => Err(refused),
    }
}
