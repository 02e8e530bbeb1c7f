//! The balance rules of Topup.
//!
//! Everything here is a pure function of its arguments: an [`Account`] and a command come in, the
//! next account and the [`Entry`] that explains it come out. Time and ids are arguments.
//!
//! **Architecture invariant:** this crate performs no I/O, reads no clock, draws no random number
//! and cannot await. Its `Cargo.toml` is the proof: no serde, no tokio, no AWS, no Stripe.
//!
//! Reading order: [`money`](crate::Amount) and ids, the [`Account`] and its journal, the
//! [`Timeline`] that holds every legal move of an [`Order`], and then the rules themselves:
//! [`settle()`] for money that comes in and [`transfer()`] for money that changes place.

mod account;
mod cancel;
mod card;
mod currency;
mod finding;
mod ids;
mod journal;
mod money;
mod order;
mod place;
mod refusal;
mod settle;
mod time;
mod timeline;
mod transfer;
mod verify;

pub use account::{Account, AccountStatus};
pub use cancel::{CancelStep, cancel};
pub use card::{
    FailedAttempt, attempt_failed, payment_failed, payment_processing, session_expired,
};
pub use currency::Currency;
pub use finding::{Finding, FindingKind};
pub use ids::{AccountId, IdempotencyKey, InvalidId, OrderId, PaymentId, ProductCode, derive_id};
pub use journal::{Entry, EntryHash, EntryKind, Line, Movement};
pub use money::{Amount, Balance, MAX_AMOUNT, MAX_BALANCE, MAX_DECIMALS, Money, MoneyError};
pub use order::{Attempt, AttemptOutcome, MAX_ATTEMPTS, Method, Order};
pub use place::{External, Place, Target};
pub use refusal::Refusal;
pub use settle::{Payment, Settlement, dispute, settle};
pub use time::Timestamp;
pub use timeline::{Actor, Change, IllegalMove, OrderStatus, Reason, Timeline};
pub use transfer::{Transfer, transfer};
pub use verify::{Broken, verify};

/// What a rule decided: the next account and the entry that explains the difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The account after the entry; its version is one above the account that was asked.
    pub account: Account,
    /// The journal record of the movement.
    pub entry: Entry,
}
