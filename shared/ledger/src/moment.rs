//! What an account was at a moment, as its journal says.
//!
//! Entry times never run backwards, so that a few entries tell which was the last one by then
//! ([`MomentSearch`]). What the account held after it follows from the journal, from whichever end is
//! nearer: from the first entry on, as [`Verification`](crate::Verification) folds it, or back from the
//! account as it is now, entry by entry.

use std::collections::BTreeMap;

use crate::verify::{add, sums_to_zero};
use crate::{
    Account, AccountId, Balance, Broken, Checkpoint, Currency, Entry, EntryHash, Place, Target,
    Timestamp,
};

/// A search for the last entry that was made at or before a moment: each entry that is looked at
/// halves what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MomentSearch {
    moment: Timestamp,
    /// The last entry that is known to be of the moment or older; 0 if none is.
    older: u64,
    /// The first entry that is known to be newer, or the number after the last one.
    newer: u64,
}

/// An end of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalEnd {
    /// Before its first entry.
    First,
    /// The account as it is now.
    Last,
}

/// What an account held after one of its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastBalances {
    /// Whose.
    pub account: AccountId,
    /// The one currency of all of it.
    pub currency: Currency,
    /// The number of the entry; 0 is before the first.
    pub entry: u64,
    /// The hash of the entry.
    pub head: EntryHash,
    /// Money by place. A place that held nothing is not listed.
    pub balances: BTreeMap<Place, Balance>,
    /// What the customer owed.
    pub debt: Balance,
}

impl MomentSearch {
    /// Begins to search the journal of an account.
    #[must_use]
    pub fn new(account: &Account, moment: Timestamp) -> Self {
        let last = account.entries;
        let nothing_since = account.last_entry_at.is_none_or(|at| at <= moment);
        let older = if nothing_since { last } else { 0 };
        // That the last entry is newer is known without looking.
        let newer = if nothing_since { last.saturating_add(1) } else { last };
        Self { moment, older, newer }
    }

    /// The number of the entry to look at next; none once it is found.
    #[must_use]
    pub const fn next(&self) -> Option<u64> {
        let middle = self.older.midpoint(self.newer);
        if middle == self.older { None } else { Some(middle) }
    }

    /// The search after that entry was looked at.
    #[must_use]
    pub fn told(self, number: u64, at: Timestamp) -> Self {
        match at <= self.moment {
            true => Self { older: number, ..self },
            false => Self { newer: number, ..self },
        }
    }

    /// The last entry of the moment or older that is known so far; 0 is before the first.
    #[must_use]
    pub const fn found(&self) -> u64 {
        self.older
    }
}

/// The end of a journal of so many entries from which fewer lead to what was after an entry; none if
/// more than `most` do from both.
#[must_use]
pub fn nearer_end(entry: u64, entries: u64, most: u64) -> Option<JournalEnd> {
    let back = entries.saturating_sub(entry);
    let (end, between) =
        if entry <= back { (JournalEnd::First, entry) } else { (JournalEnd::Last, back) };
    (between <= most).then_some(end)
}

impl PastBalances {
    /// What the account holds after its last entry.
    #[must_use]
    pub fn of(account: &Account) -> Self {
        Self {
            account: account.id.clone(),
            currency: account.currency,
            entry: account.entries,
            head: account.head,
            balances: without_nothing(&account.balances),
            debt: account.debt,
        }
    }

    /// What the account held where a fold of its journal has come to.
    #[must_use]
    pub fn reached(account: &Account, checkpoint: &Checkpoint) -> Self {
        Self {
            entry: checkpoint.number,
            head: checkpoint.head,
            balances: without_nothing(&checkpoint.balances),
            debt: checkpoint.debt,
            ..Self::of(account)
        }
    }

    /// What the account held before this entry, which is the last one that is in here.
    ///
    /// # Errors
    /// The entry is not the one that led here, was edited, or does not say what it left.
    pub fn before(mut self, entry: &Entry) -> Result<Self, Broken> {
        let number = entry.number;
        if number != self.entry {
            return Err(Broken::Numbering { expected: self.entry, found: number });
        }
        if entry.account != self.account {
            return Err(Broken::Owner { number });
        }
        if entry.hash != self.head || entry.hash != entry.computed_hash() {
            return Err(Broken::HashChain { number });
        }
        sums_to_zero(entry)?;
        for line in &entry.lines {
            let said = entry.balances_after.get(&line.place).copied().unwrap_or_default();
            // The debt is no balance, and not among them.
            if !matches!(line.place, Place::External(_)) && said != self.balance(&line.place) {
                return Err(Broken::Balance { number, place: line.place.clone() });
            }
            if line.place.is_of_account() && line.currency != self.currency {
                return Err(Broken::Currency { number });
            }
            add(&mut self.balances, &mut self.debt, (&line.place, -line.amount), number)?;
        }
        self.balances = without_nothing(&self.balances);
        self.entry = number.saturating_sub(1);
        self.head = entry.previous_hash;
        Ok(self)
    }

    /// What was free of a balance.
    #[must_use]
    pub fn available(&self, target: &Target) -> Balance {
        self.balance(&Place::Available(target.clone()))
    }

    /// What the journal had set aside of a balance: also for holds whose time was over, until an entry
    /// released it.
    #[must_use]
    pub fn held(&self, target: &Target) -> Balance {
        self.balance(&Place::Held(target.clone()))
    }

    fn balance(&self, place: &Place) -> Balance {
        self.balances.get(place).copied().unwrap_or_default()
    }
}

fn without_nothing(balances: &BTreeMap<Place, Balance>) -> BTreeMap<Place, Balance> {
    let kept = balances.iter().filter(|(_, balance)| **balance != Balance::ZERO);
    kept.map(|(place, balance)| (place.clone(), *balance)).collect()
}
