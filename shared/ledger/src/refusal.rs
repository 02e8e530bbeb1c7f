//! Business answers of "no".

use thiserror::Error;

use crate::{Balance, Currency, Money, OrderStatus, Place};

/// A rule said no. Nothing was changed, and the same command may succeed later.
///
/// A refusal is never an infrastructure error, and never a broken invariant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The place that money should leave does not have enough.
    #[error("{place} has {} {} available and {required} {} is required",
        available.format(required.currency), required.currency, required.currency)]
    InsufficientBalance {
        /// Where the money should have come from.
        place: Place,
        /// What is there.
        available: Balance,
        /// What was asked for.
        required: Money,
    },
    /// The operator froze the account: nothing leaves it. Money that comes in is still taken.
    #[error("the account is frozen; ask the operator of the platform")]
    AccountFrozen,
    /// The balance would pass [`crate::MAX_BALANCE`].
    #[error("{place} cannot hold that much money")]
    BalanceTooLarge {
        /// The place that is full.
        place: Place,
    },
    /// Money of one currency cannot be put into an account of another.
    #[error("the account holds {account}, not {offered}")]
    CurrencyDiffers {
        /// What the account holds.
        account: Currency,
        /// What was offered.
        offered: Currency,
    },
    /// Only an order that awaits its payment can be cancelled.
    #[error("an order that is {} cannot be cancelled", status.name())]
    OrderNotCancellable {
        /// Where the order stands.
        status: OrderStatus,
    },
}
