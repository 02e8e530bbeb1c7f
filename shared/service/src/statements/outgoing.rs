//! Money that left the account on the same statement: it may be what had arrived.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{BankReference, Money};

/// What left is a fee, and not the payment, if it is less than one part in so many of it.
const PARTS: i64 = 5;

/// Money that left.
pub(super) struct Outgoing {
    /// The references under which the bank booked it.
    pub references: Vec<BankReference>,
    pub money: Money,
    /// Whether the bank says that it takes back what it had booked.
    pub reverses: bool,
}

/// Money that arrived.
pub(super) struct Arrived {
    /// The references under which the bank booked it.
    pub references: Vec<BankReference>,
    pub money: Money,
    /// The entry of which it is a part, or all.
    pub whole: Money,
}

/// Which of what arrived may have left again: under its reference, unless that is as little as a fee; or as much as a
/// reversal whose reference is none of them.
pub(super) fn left_again(arrived: &[Arrived], outgoing: &[Outgoing]) -> BTreeSet<usize> {
    let (mut by_reference, mut by_amount) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::new());
    for (position, one) in arrived.iter().enumerate() {
        for reference in &one.references {
            by_reference.entry(reference.compared()).or_default().push(position);
        }
        for amount in BTreeSet::from([units(one.money), units(one.whole)]) {
            by_amount.entry(amount).or_insert_with(Vec::new).push(position);
        }
    }
    let mut left = BTreeSet::new();
    for out in outgoing {
        let named = out.references.iter().filter_map(|one| by_reference.get(one.compared()));
        let named: BTreeSet<usize> = named.flatten().copied().collect();
        let is_fee = |position: &usize| {
            arrived
                .get(*position)
                .is_some_and(|one| units(out.money).saturating_mul(PARTS) < units(one.money))
        };
        let equal = by_amount.get(&units(out.money)).into_iter().flatten();
        left.extend(equal.filter(|_| out.reverses && named.is_empty()));
        left.extend(named.into_iter().filter(|position| !is_fee(position)));
    }
    left
}

fn units(money: Money) -> i64 {
    money.amount.to_minor_units(money.currency).unwrap_or(i64::MAX)
}
