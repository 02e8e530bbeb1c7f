//! Stored discrepancies: money and records disagree, and a person must see it.

use crate::{AccountId, Money, OrderId, PaymentId, Timestamp, derive_id};

/// How money and records disagree. A closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingKind {
    /// A payment arrived that is not the amount of its order.
    AmountDiffers,
    /// A payment arrived in another currency than its order's.
    CurrencyDiffers,
    /// A second payment arrived for an order that was paid already.
    DuplicatePayment,
    /// A payment arrived for an order that is already being looked into.
    OrderInException,
    /// A payment arrived for an order that does not exist, or is another account's.
    UnknownOrder,
    /// A payment that was credited to one order claims another one too.
    PaymentAlreadyUsed,
    /// A payment cannot be put into its account.
    NotCreditable,
}

/// A discrepancy. The same one found again has the same id, and so is stored once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How money and records disagree.
    pub kind: FindingKind,
    /// The account that the payment names.
    pub account: AccountId,
    /// The order that the payment names.
    pub order: OrderId,
    /// The payment.
    pub payment: PaymentId,
    /// What our records say should have been paid.
    pub expected: Option<Money>,
    /// What was paid.
    pub actual: Money,
    /// When it was found.
    pub found_at: Timestamp,
}

impl FindingKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::AmountDiffers,
        Self::CurrencyDiffers,
        Self::DuplicatePayment,
        Self::OrderInException,
        Self::UnknownOrder,
        Self::PaymentAlreadyUsed,
        Self::NotCreditable,
    ];

    /// The name that is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AmountDiffers => "amount_differs",
            Self::CurrencyDiffers => "currency_differs",
            Self::DuplicatePayment => "duplicate_payment",
            Self::OrderInException => "order_in_exception",
            Self::UnknownOrder => "unknown_order",
            Self::PaymentAlreadyUsed => "payment_already_used",
            Self::NotCreditable => "not_creditable",
        }
    }
}

impl Finding {
    /// The id, derived from what disagrees: the order and the payment. Not from the kind, which can
    /// look different once the order has become an exception, and not from when it was seen.
    #[must_use]
    pub fn id(&self) -> String {
        derive_id("fnd_", &[self.order.as_str(), self.payment.as_str()])
    }
}
