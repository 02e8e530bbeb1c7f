//! Checking an account alone, from its own journal.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use thiserror::Error;

use crate::{Account, Balance, Currency, Entry, EntryHash, External, Place};

/// A broken invariant of one account: the service must stop and a person must look.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Broken {
    /// The journal is not 1, 2, 3, …
    #[error("entry {found} stands where entry {expected} should")]
    Numbering {
        /// The number that should come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// An entry belongs to another account.
    #[error("entry {number} belongs to another account")]
    Owner {
        /// The entry.
        number: u64,
    },
    /// An entry does not follow from the one before, or was edited.
    #[error("the hash chain breaks at entry {number}")]
    HashChain {
        /// The entry.
        number: u64,
    },
    /// An entry creates or destroys money.
    #[error("the lines of entry {number} do not sum to zero in {currency}")]
    Unbalanced {
        /// The entry.
        number: u64,
        /// The currency that does not sum to zero.
        currency: Currency,
    },
    /// An entry was made before the one before it.
    #[error("entry {number} is older than the entry before it")]
    Time {
        /// The entry.
        number: u64,
    },
    /// A balance is not the sum of its lines.
    #[error("{place} does not follow from the journal at entry {number}")]
    Balance {
        /// The last entry that was read.
        number: u64,
        /// The place.
        place: Place,
    },
    /// The account's counters are not those of its journal.
    #[error("the account's last entry is not the journal's")]
    Head,
}

/// Folds the journal and compares it with the account: numbers without gaps, the hash chain, zero
/// sums, nothing below zero, and every balance.
///
/// `entries` is the whole journal in order.
///
/// # Errors
/// The first invariant that does not hold.
pub fn verify(entries: &[Entry], account: &Account) -> Result<(), Broken> {
    let mut balances: BTreeMap<Place, Decimal> = BTreeMap::new();
    let mut previous: Option<&Entry> = None;
    for entry in entries {
        follows(entry, previous, account)?;
        sums_to_zero(entry)?;
        for line in &entry.lines {
            let sum = balances.entry(line.place.clone()).or_default();
            *sum = sum.saturating_add(line.amount);
        }
        let touched = entry.lines.iter().map(|line| &line.place);
        for place in touched.filter(|place| !matches!(place, Place::External(_))) {
            let sum = balances.get(place).and_then(|sum| Balance::new(*sum).ok());
            if sum.is_none() || sum.as_ref() != entry.balances_after.get(place) {
                return Err(Broken::Balance { number: entry.number, place: place.clone() });
            }
        }
        previous = Some(entry);
    }
    let number = previous.map_or(0, |entry| entry.number);
    let head = previous.map_or(EntryHash::GENESIS, |entry| entry.hash);
    if (account.entries, account.head) != (number, head) {
        return Err(Broken::Head);
    }
    agrees(&balances, account, number)
}

fn follows(entry: &Entry, previous: Option<&Entry>, account: &Account) -> Result<(), Broken> {
    let number = entry.number;
    let expected = previous.map_or(0, |entry| entry.number).saturating_add(1);
    if number != expected {
        return Err(Broken::Numbering { expected, found: number });
    }
    if entry.account != account.id {
        return Err(Broken::Owner { number });
    }
    let previous_hash = previous.map_or(EntryHash::GENESIS, |entry| entry.hash);
    if entry.previous_hash != previous_hash || entry.hash != entry.computed_hash() {
        return Err(Broken::HashChain { number });
    }
    if previous.is_some_and(|previous| previous.at > entry.at) {
        return Err(Broken::Time { number });
    }
    Ok(())
}

fn sums_to_zero(entry: &Entry) -> Result<(), Broken> {
    let mut sums: BTreeMap<Currency, Decimal> = BTreeMap::new();
    for line in &entry.lines {
        let sum = sums.entry(line.currency).or_default();
        *sum = sum.saturating_add(line.amount);
    }
    match sums.into_iter().find(|(_, sum)| !sum.is_zero()) {
        Some((currency, _)) => Err(Broken::Unbalanced { number: entry.number, currency }),
        None => Ok(()),
    }
}

/// Compares what the lines sum to with what the account says, in both directions.
fn agrees(sums: &BTreeMap<Place, Decimal>, account: &Account, number: u64) -> Result<(), Broken> {
    let debt_place = Place::External(External::Debt);
    let sum_of = |place: &Place| sums.get(place).copied().unwrap_or_default();
    if -sum_of(&debt_place) != account.debt.decimal() {
        return Err(Broken::Balance { number, place: debt_place });
    }
    let places = sums.keys().chain(account.balances.keys());
    for place in places.filter(|place| !matches!(place, Place::External(_))) {
        if sum_of(place) != account.balance(place).decimal() {
            return Err(Broken::Balance { number, place: place.clone() });
        }
    }
    Ok(())
}
