//! Money that is used: taken out of its product, at once. A busy account is served by deciding on many
//! charges in one commit, not by weaker writes.

use std::collections::BTreeSet;

use crate::spending::Spending;
use crate::{
    Account, AccountId, Actor, Amount, ChargeId, Decision, EntryKind, External, HoldId, Money,
    Movement, Place, ProductCode, Refusal, Target, Timestamp,
};

/// What is to be charged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedCharge {
    /// Derived from the idempotency key.
    pub id: ChargeId,
    /// What was used.
    pub product: ProductCode,
    /// What it costs, in the account's currency.
    pub amount: Amount,
    /// Who asks.
    pub by: Actor,
}

/// The hold that a charge was captured from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromHold {
    /// Which.
    pub id: HoldId,
    /// Whether it was to be the last capture of it.
    pub last: bool,
}

/// A use of a product that was paid out of its balance, or out of a hold on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Derived from account, operation and idempotency key.
    pub id: ChargeId,
    /// Who used it.
    pub account: AccountId,
    /// What was used.
    pub product: ProductCode,
    /// What it cost.
    pub money: Money,
    /// The hold that it was captured from; none if it came straight out of the balance.
    pub from_hold: Option<FromHold>,
    /// The number of the entry that took the money.
    pub entry: u64,
    /// Who asked.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// What became of charges that were decided together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charged {
    /// The charge, or why not, of each that was wanted, in the same order.
    pub outcomes: Vec<Result<Charge, Refusal>>,
    /// The account and the one entry that takes the money of all that were made; none if none was.
    pub decision: Option<Decision>,
}

/// Decides charges of one account together, in order: each takes money of its product, and of no
/// other. One that is refused leaves the others as they are.
///
/// The wallet pays for none of them; but a product that has an automatic top-up is topped up from the
/// wallet, in the same decision, if a charge leaves it below its threshold or needs more than there
/// is, unless it is one of those that are closed to top-ups.
///
/// The ids must differ: a commit stores each charge once.
///
/// # Errors
/// In the outcomes: [`Refusal::AccountFrozen`]; [`Refusal::InsufficientBalance`] of the product.
#[must_use]
pub fn charge(
    account: &Account,
    wanted: &[WantedCharge],
    closed: &BTreeSet<ProductCode>,
    now: Timestamp,
) -> Charged {
    let mut spending = Spending::of(account, closed, now);
    let mut admit = |one: &WantedCharge| {
        let money = spending.admit(&one.product, one.amount, one.id.as_str())?;
        let from = Place::Available(Target::Product(one.product.clone()));
        Ok(Movement { from, to: Place::External(External::Usage), money })
    };
    let admitted: Vec<Result<Movement, Refusal>> = wanted.iter().map(&mut admit).collect();
    let taken = wanted.iter().zip(&admitted).filter(|(_, admitted)| admitted.is_ok());
    let ids: Vec<&str> = taken.map(|(one, _)| one.id.as_str()).collect();
    let movements: Vec<Movement> = admitted.iter().filter_map(|one| one.clone().ok()).collect();
    if movements.is_empty() {
        let outcomes = admitted.into_iter().filter_map(|one| one.err().map(Err)).collect();
        return Charged { outcomes, decision: None };
    }
    match take(account, spending, &ids.join(" "), &movements, now) {
        Ok(decision) => {
            let entry = decision.account.entries;
            let made = |(one, movement): (&WantedCharge, Result<Movement, Refusal>)| {
                Ok(made(account, one, movement?.money, entry, now))
            };
            let outcomes = wanted.iter().zip(admitted).map(made).collect();
            Charged { outcomes, decision: Some(decision) }
        }
        Err(refusal) => {
            let outcomes = wanted.iter().map(|_| Err(refusal.clone())).collect();
            Charged { outcomes, decision: None }
        }
    }
}

/// The automatic top-ups that charges need, and the one entry that takes their money.
fn take(
    account: &Account,
    spending: Spending<'_>,
    charges: &str,
    movements: &[Movement],
    now: Timestamp,
) -> Result<Decision, Refusal> {
    match spending.top_ups()? {
        None => account.post(EntryKind::Charge, charges, movements, now),
        Some(begun) => {
            let taken = begun.account.post(EntryKind::Charge, charges, movements, now)?;
            Ok(begun.and(taken, account, now))
        }
    }
}

fn made(
    account: &Account,
    wanted: &WantedCharge,
    money: Money,
    entry: u64,
    now: Timestamp,
) -> Charge {
    Charge {
        id: wanted.id.clone(),
        account: account.id.clone(),
        product: wanted.product.clone(),
        money,
        from_hold: None,
        entry,
        by: wanted.by.clone(),
        at: now,
    }
}
