//! Corrections by the operator: money put into a balance or taken out of it, for a reason.

use rust_decimal::Decimal;

use crate::{
    Account, AccountId, Actor, AdjustmentId, Amount, Decision, EntryKind, External, Money,
    Movement, Note, Place, Refusal, Target, Timestamp,
};

/// A correction of one balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// Derived from account and idempotency key.
    pub id: AdjustmentId,
    /// Whose balance.
    pub account: AccountId,
    /// Which balance.
    pub target: Target,
    /// Whether money is put in or taken out.
    pub direction: Direction,
    /// How much, in the account's currency.
    pub amount: Amount,
    /// Why, for whoever reads the books later. Never shown to the customer.
    pub reason: Note,
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// The sign of an adjustment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The balance grows.
    In,
    /// The balance shrinks.
    Out,
}

impl Adjustment {
    /// The change of the balance: below zero if money is taken out.
    #[must_use]
    pub fn signed(&self) -> Decimal {
        match self.direction {
            Direction::In => self.amount.decimal(),
            Direction::Out => -self.amount.decimal(),
        }
    }
}

/// Decides an adjustment. A frozen account can be corrected too; a debt stays what it is.
///
/// # Errors
/// [`Refusal::InsufficientBalance`] if more is taken out than is there;
/// [`Refusal::BalanceTooLarge`].
pub fn adjust(
    account: &Account,
    adjustment: &Adjustment,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let money = Money { amount: adjustment.amount, currency: account.currency };
    let inside = Place::Available(adjustment.target.clone());
    let outside = Place::External(External::Adjustment);
    let (from, to) = match adjustment.direction {
        Direction::In => (outside, inside),
        Direction::Out => (inside, outside),
    };
    let movement = Movement { from, to, money };
    account.post(EntryKind::Adjustment, adjustment.id.as_str(), &[movement], now)
}
