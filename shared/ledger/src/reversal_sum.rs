//! What went back of the orders of an account: once as the journal tells it, once as the orders do. The two are the
//! same.

use rust_decimal::Decimal;

use crate::{Balance, Entry, MoneyError, Order, Place};

/// What went back of some orders, in the account's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReversalSum {
    /// What was taken out of the account: out of the balance, or as a debt.
    pub taken: Balance,
    /// What is set aside for what may go back.
    pub held: Balance,
}

impl ReversalSum {
    /// Nothing went back.
    pub const NONE: Self = Self { taken: Balance::ZERO, held: Balance::ZERO };

    /// This and so much more; below zero for what came back, or is free again.
    fn plus(self, taken: Decimal, held: Decimal) -> Result<Self, MoneyError> {
        let taken = self.taken.decimal().saturating_add(taken);
        let held = self.held.decimal().saturating_add(held);
        Ok(Self { taken: Balance::new(taken)?, held: Balance::new(held)? })
    }

    /// This and what an entry says that went back, or came back.
    ///
    /// # Errors
    /// By that entry more has come back than ever went.
    pub fn and(self, entry: &Entry) -> Result<Self, MoneyError> {
        if !entry.kind.is_of_reversals() {
            return Ok(self);
        }
        let sum = |counts: fn(&Place) -> bool| {
            let lines = entry.lines.iter().filter(|line| counts(&line.place));
            lines.fold(Decimal::ZERO, |sum, line| sum.saturating_add(line.amount))
        };
        let aside = sum(|place| matches!(place, Place::Held(_)));
        self.plus(Decimal::ZERO.saturating_sub(sum(Place::is_of_account)), aside)
    }

    /// This and what an order says that went back of it.
    ///
    /// # Errors
    /// It is more than there can be.
    pub fn and_of(self, order: &Order) -> Result<Self, MoneyError> {
        self.plus(order.reversals.taken.decimal(), order.reversals.held.decimal())
    }
}
