//! Business answers of "no".

use thiserror::Error;

use crate::{
    Actor, Balance, Currency, HoldStatus, Method, Money, OrderStatus, Place, Rate, RefundId,
    Timestamp,
};

/// Why an automatic top-up does not bring what a use lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldBack {
    /// The wallet has too little.
    Wallet,
    /// Its monthly cap leaves too little.
    MonthlyCap,
    /// The product cannot be topped up now.
    Product,
    /// A transfer or a balance would be larger than one can be.
    Limit,
}

impl HeldBack {
    /// Its name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wallet => "wallet",
            Self::MonthlyCap => "monthly_cap",
            Self::Product => "product",
            Self::Limit => "limit",
        }
    }
}

fn in_words(held_back: Option<HeldBack>) -> &'static str {
    match held_back {
        None => "",
        Some(HeldBack::Wallet) => "; its automatic top-up would take more than the wallet has",
        Some(HeldBack::MonthlyCap) => "; its automatic top-up would pass its monthly cap",
        Some(HeldBack::Product) => "; its automatic top-up waits, as the product takes none now",
        Some(HeldBack::Limit) => "; its automatic top-up would be larger than a balance may be",
    }
}

/// A rule said no. Nothing was changed, and the same command may succeed later.
///
/// A refusal is never an infrastructure error, and never a broken invariant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The place that money should leave does not have enough.
    #[error("{place} has {} {} available and {required} {} is required{}",
        available.format(required.currency), required.currency, required.currency, in_words(*held_back))]
    InsufficientBalance {
        /// Where the money should have come from.
        place: Place,
        /// What is there.
        available: Balance,
        /// What was asked for.
        required: Money,
        /// Why the automatic top-up of the product did not help, if it has one.
        held_back: Option<HeldBack>,
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
    /// An order that no bank transfer is awaited for cannot have one reported.
    #[error("a bank transfer cannot be reported for an order that is {}", status.name())]
    OrderNotReportable {
        /// Where the order stands.
        status: OrderStatus,
    },
    /// An order that no bank transfer can pay, or that is closed, cannot be accepted or rejected.
    #[error("an order that is {} and paid by {} has no bank transfer to decide on",
        status.name(), method.name())]
    OrderNotReviewable {
        /// Where the order stands.
        status: OrderStatus,
        /// How it is paid.
        method: Method,
    },
    /// Somebody else has decided on this bank transfer.
    #[error("already handled by {by}")]
    AlreadyReviewed {
        /// Who.
        by: Actor,
        /// When.
        at: Timestamp,
    },
    /// The customer has sent another report than the one that a person decides on.
    #[error("the report was replaced since: look at the order again")]
    ReportChanged,
    /// What arrived is so far from what was ordered that a person must say that it is meant.
    #[error("{} {received} arrived for an order of {} {ordered}: send \"confirm_difference\": true \
        if that is right", received.currency, ordered.currency)]
    DifferenceNotConfirmed {
        /// What was to be paid.
        ordered: Money,
        /// What arrived.
        received: Money,
    },
    /// There is no rate from the currency that arrived to the account's.
    #[error("there is no rate {from}-{to}: set it first")]
    NoRate {
        /// What arrived.
        from: Currency,
        /// What the account holds.
        to: Currency,
    },
    /// The rate is not the one that the customer was shown.
    #[error("the rate is {rate} now, and not the one that was shown")]
    RateChanged {
        /// What it is.
        rate: Rate,
    },
    /// What arrived is worth less than the smallest coin of the account's currency, or more than
    /// an account can hold.
    #[error("{} {received} cannot be credited in {to}", received.currency)]
    NotConvertible {
        /// What arrived.
        received: Money,
        /// What the account holds.
        to: Currency,
    },
    /// This order has as many files as a report can have, or has had too many.
    #[error("at most {most} files can be attached to a report")]
    TooManyProofs {
        /// How many it can have.
        most: usize,
    },
    /// A report names a file that was not uploaded for its order.
    #[error("'{0}' was not uploaded for this order")]
    UnknownProof(String),
    /// An order can be rejected and reported again only so often.
    #[error("this order was rejected too often: make a new one")]
    TooManyReports,
    /// An account keeps the currency that its first entry was in.
    #[error("the account has had money in {currency}: its currency cannot change any more")]
    CurrencyFixed {
        /// What the account holds.
        currency: Currency,
    },
    /// An order that nothing was paid for, or that was paid out of the wallet, has nothing to give
    /// back.
    #[error("an order that is {} and paid by {} has nothing to give back",
        status.name(), method.name())]
    OrderNotRefundable {
        /// Where the order stands.
        status: OrderStatus,
        /// How it is paid.
        method: Method,
    },
    /// More than the order brought in, less what was given back or asked back.
    #[error("of this order {} {} can be given back",
        refundable.format(*currency), currency)]
    RefundTooLarge {
        /// What is left of it.
        refundable: Balance,
        /// Of what.
        currency: Currency,
    },
    /// One outgoing transfer gives money of an order back once.
    #[error("the refund {refund} of this order has this bank reference already")]
    RefundReferenceUsed {
        /// Which it gave back.
        refund: RefundId,
    },
    /// What would go back is less than the smallest coin of what was paid.
    #[error("so little cannot be given back in {currency}")]
    RefundTooSmall {
        /// What was paid.
        currency: Currency,
    },
    /// An order can be given back in so many parts.
    #[error("this order was given back in too many parts: adjust the balance instead")]
    TooManyRefunds,
    /// An account can have so many open holds.
    #[error("the account has {most} open holds: capture or release some")]
    TooManyHolds {
        /// How many it can have.
        most: usize,
    },
    /// A hold that is over keeps no money that could be captured or released.
    #[error("the hold is {}", status.name())]
    HoldClosed {
        /// How it ended.
        status: HoldStatus,
    },
    /// More than a hold still keeps.
    #[error("the hold keeps {left} {}", left.currency)]
    CaptureTooLarge {
        /// What it keeps.
        left: Money,
        /// What was to be captured.
        wanted: Money,
    },
    /// Only an order that awaits its payment can be cancelled.
    #[error("an order that is {} cannot be cancelled", status.name())]
    OrderNotCancellable {
        /// Where the order stands.
        status: OrderStatus,
    },
}
