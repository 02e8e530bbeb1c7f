//! Stored discrepancies: money and records disagree, and a person must see it.

use crate::{AccountId, Money, OrderId, PaymentId, ProviderId, Timestamp, derive_id};

/// How money and records disagree. A closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    /// A refund or a dispute of a payment that was credited to no order.
    UnknownPayment,
    /// A refund or a dispute of another currency or amount than the books have, or one whose money came back after it
    /// was lost.
    ReversalDiffers,
    /// The provider was paid, and it could not be credited.
    PaidNotCredited,
    /// A payment was credited that the provider does not know.
    CreditedNotPaid,
    /// Money went back by a refund or a dispute that the provider does not know.
    ReversalNotMade,
    /// An account does not follow from its journal, what went back of its orders is not what its entries say, or something
    /// of it cannot be read.
    JournalBroken,
    /// An entry says that an order was credited, and the order does not say the same.
    EntryWithoutOrder,
    /// An order says that it was credited, and no entry says the same.
    OrderWithoutEntry,
}

/// A discrepancy. The same one found again has the same id, and so is stored once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How money and records disagree.
    pub kind: FindingKind,
    /// The account that it is about, as far as that is known.
    pub account: Option<AccountId>,
    /// The order.
    pub order: Option<OrderId>,
    /// The payment.
    pub payment: Option<PaymentId>,
    /// The refund or the dispute, as the provider names it.
    pub reversal: Option<ProviderId>,
    /// What our records say.
    pub expected: Option<Money>,
    /// What the outside says.
    pub actual: Option<Money>,
    /// When it was found.
    pub found_at: Timestamp,
}

impl FindingKind {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::AmountDiffers,
        Self::CurrencyDiffers,
        Self::DuplicatePayment,
        Self::OrderInException,
        Self::UnknownOrder,
        Self::PaymentAlreadyUsed,
        Self::NotCreditable,
        Self::UnknownPayment,
        Self::ReversalDiffers,
        Self::PaidNotCredited,
        Self::CreditedNotPaid,
        Self::ReversalNotMade,
        Self::JournalBroken,
        Self::EntryWithoutOrder,
        Self::OrderWithoutEntry,
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
            Self::UnknownPayment => "unknown_payment",
            Self::ReversalDiffers => "reversal_differs",
            Self::PaidNotCredited => "paid_not_credited",
            Self::CreditedNotPaid => "credited_not_paid",
            Self::ReversalNotMade => "reversal_not_made",
            Self::JournalBroken => "journal_broken",
            Self::EntryWithoutOrder => "entry_without_order",
            Self::OrderWithoutEntry => "order_without_entry",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Finding {
    /// The payment that was credited to no order, if that is what this is about.
    #[must_use]
    pub fn lost_payment(&self) -> Option<(&PaymentId, Money)> {
        let lost = match self.kind {
            FindingKind::AmountDiffers
            | FindingKind::CurrencyDiffers
            | FindingKind::DuplicatePayment
            | FindingKind::OrderInException
            | FindingKind::UnknownOrder
            | FindingKind::NotCreditable
            | FindingKind::PaidNotCredited => true,
            FindingKind::PaymentAlreadyUsed
            | FindingKind::UnknownPayment
            | FindingKind::ReversalDiffers
            | FindingKind::CreditedNotPaid
            | FindingKind::ReversalNotMade
            | FindingKind::JournalBroken
            | FindingKind::EntryWithoutOrder
            | FindingKind::OrderWithoutEntry => false,
        };
        self.payment.as_ref().zip(self.actual).filter(|_| lost)
    }

    /// The id, derived from what disagrees: the order and the payment, or the payment and its refund or
    /// dispute; the account, if it is about none of them. Not from the kind, which can look different
    /// once the order has become an exception, and not from when it was seen.
    #[must_use]
    pub fn id(&self) -> String {
        // Whose payment went back may be known later only.
        let order = self.order.as_ref().filter(|_| self.reversal.is_none());
        let order = order.map_or("", OrderId::as_str);
        let payment = self.payment.as_ref().map_or("", PaymentId::as_str);
        let reversal = self.reversal.as_ref().map_or("", ProviderId::as_str);
        match (&self.account, order, payment, reversal) {
            (Some(account), "", "", "") => derive_id("fnd_", &["account", account.as_str()]),
            _ => derive_id("fnd_", &[order, payment, reversal]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_discrepancy_has_the_same_id_for_ever() {
        let nothing = Finding {
            kind: FindingKind::JournalBroken,
            account: Some(AccountId::parse("acme").unwrap()),
            order: None,
            payment: None,
            reversal: None,
            expected: None,
            actual: None,
            found_at: Timestamp::from_unix_millis(0),
        };
        let of_order = Finding {
            kind: FindingKind::EntryWithoutOrder,
            order: Some(OrderId::parse("ord_jt397vere7tffkphxzmp").unwrap()),
            ..nothing.clone()
        };
        let paid = PaymentId::parse("pi_1").unwrap();
        let of_payment = Finding { payment: Some(paid), ..of_order.clone() };
        let ids = [nothing, of_order, of_payment].map(|finding| finding.id());
        assert_eq!(
            ids,
            ["fnd_64y06ta3hq37qg4p3qhh", "fnd_b6566wwyf4crmzmsqxcv", "fnd_fc59ny93ffbrw5msw40p",]
        );
    }
}
