//! The entry by which money that came in is credited: one way for cards and banks.

use rust_decimal::Decimal;

use crate::{
    Account, Amount, Balance, Decision, EntryKind, External, Money, MoneyError, Movement, OrderId,
    Place, Refusal, Target, Timestamp,
};

/// Money that came in and where it goes.
#[derive(Debug)]
pub(crate) struct Incoming<'order> {
    /// Why the entry is made.
    pub(crate) kind: EntryKind,
    /// Where the money came from.
    pub(crate) from: External,
    /// What came.
    pub(crate) paid: Money,
    /// What that is in the account's currency.
    pub(crate) worth: Money,
    /// What is topped up.
    pub(crate) target: &'order Target,
    /// The order that records it.
    pub(crate) order: &'order OrderId,
}

/// What became of money that came in.
#[derive(Debug)]
pub(crate) struct Credited {
    /// The account and the entry.
    pub(crate) decision: Decision,
    /// All of it.
    pub(crate) credited: Balance,
    /// The part that went into the customer's debt; the rest was added to the target.
    pub(crate) debt_paid: Balance,
}

/// Puts money into an account, debt first, in one entry. Money of another currency goes through
/// `external:fx`, so that the entry sums to zero in each currency.
///
/// # Errors
/// [`Refusal::BalanceTooLarge`], or [`Refusal::CurrencyDiffers`] if `worth` is not in the account's
/// currency.
pub(crate) fn credit(
    account: &Account,
    incoming: &Incoming<'_>,
    now: Timestamp,
) -> Result<Credited, Refusal> {
    let Incoming { from, paid, worth, target, .. } = incoming;
    let debt_paid = account.debt.decimal().min(worth.amount.decimal());
    let movements = movements(*from, *paid, *worth, debt_paid, target);
    let decision = account.post(incoming.kind, incoming.order.as_str(), &movements, now)?;
    let place = || Place::Available((*target).clone());
    let exact = |_: MoneyError| Refusal::BalanceTooLarge { place: place() };
    Ok(Credited {
        decision,
        credited: worth.amount.into(),
        debt_paid: Balance::new(debt_paid).map_err(exact)?,
    })
}

/// The movements by which money that came in is credited, `debt_paid` of it to the debt.
pub(crate) fn movements(
    from: External,
    paid: Money,
    worth: Money,
    debt_paid: Decimal,
    target: &Target,
) -> Vec<Movement> {
    let Money { amount, currency } = worth;
    let rest = amount.decimal().saturating_sub(debt_paid);
    let outside = Place::External(from);
    let exchanged = paid.currency != currency;
    let exchange = exchanged.then(|| Movement {
        from: outside.clone(),
        to: Place::External(External::Fx),
        money: paid,
    });
    let from = if exchanged { Place::External(External::Fx) } else { outside };
    let target = Place::Available(target.clone());
    let parts = [(Place::External(External::Debt), debt_paid), (target, rest)];
    let parts = parts.into_iter().filter_map(|(to, part)| {
        let money = Money { amount: Amount::new(part).ok()?, currency };
        Some(Movement { from: from.clone(), to, money })
    });
    exchange.into_iter().chain(parts).collect()
}
