//! Checking an account alone, from its own journal.
//!
//! The journal is folded entry by entry, in memory that does not grow with it. Wherever the fold has
//! come to is a [`Checkpoint`], and a fold that goes on from there ends as one of the whole journal
//! does.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use thiserror::Error;

use crate::{
    Account, AccountId, Balance, CreditSum, Currency, Entry, EntryHash, External, Line, OrderId,
    Place, ReversalSum, Timestamp,
};

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
    /// Money of another currency is in the account, or the account says that it has another one.
    #[error("the account is not in the currency of its journal at entry {number}")]
    Currency {
        /// The last entry that was read.
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
    /// What was set aside by holds is not what the holds of the account keep.
    #[error("the holds that the account carries do not keep what was set aside in {place}")]
    Holds {
        /// The place.
        place: Place,
    },
    /// An entry brings back what never went.
    #[error("by entry {number} more has come back than went")]
    CameBack {
        /// The entry.
        number: u64,
    },
    /// What an order says that was taken and is set aside is not what its refunds and disputes say.
    #[error("what went back of order {order} does not follow from its refunds and disputes")]
    OrderReversals {
        /// The order.
        order: OrderId,
    },
    /// What went back by the orders is not what went back by the journal.
    #[error(
        "what went back is one thing by the orders and another by the journal: look at {document}"
    )]
    Reversals {
        /// An order that does not say what its entries say, or the refund or dispute of an entry that no order knows.
        document: String,
    },
    /// The account's counters are not those of its journal.
    #[error("the account's last entry is not the journal's")]
    Head,
}

/// What an account was after one of its entries, as its journal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The number of the entry; 0 is the beginning of the journal.
    pub number: u64,
    /// Its hash.
    pub head: EntryHash,
    /// When it was made.
    pub last_entry_at: Option<Timestamp>,
    /// The currency of all balances; none before the first entry.
    pub currency: Option<Currency>,
    /// Money by place. A place that is not listed holds nothing.
    pub balances: BTreeMap<Place, Balance>,
    /// What the customer owed.
    pub debt: Balance,
    /// What holds keep of the balances, by place.
    pub kept: BTreeMap<Place, Balance>,
    /// The orders that were credited by these entries.
    pub credits: CreditSum,
    /// What went back of orders by these entries.
    pub reversals: ReversalSum,
}

/// A journal that is being checked.
///
/// An entry that breaks an invariant ends it: [`Verification::follow`] takes the value and only
/// gives it back if the entry is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    account: AccountId,
    reached: Checkpoint,
}

impl Checkpoint {
    /// Before the first entry.
    #[must_use]
    pub const fn beginning() -> Self {
        Self {
            number: 0,
            head: EntryHash::GENESIS,
            last_entry_at: None,
            currency: None,
            balances: BTreeMap::new(),
            debt: Balance::ZERO,
            kept: BTreeMap::new(),
            credits: CreditSum::NONE,
            reversals: ReversalSum::NONE,
        }
    }
}

impl Verification {
    /// Begins to check an account's journal after this checkpoint.
    #[must_use]
    pub const fn after(account: AccountId, checkpoint: Checkpoint) -> Self {
        Self { account, reached: checkpoint }
    }

    /// How far it has come.
    #[must_use]
    pub const fn reached(&self) -> &Checkpoint {
        &self.reached
    }

    /// Takes the next entry: its number, its owner, the hash chain, its time, zero sums, one currency,
    /// nothing below zero, and the balances that it says it left.
    ///
    /// # Errors
    /// The first invariant that does not hold.
    pub fn follow(mut self, entry: &Entry) -> Result<Self, Broken> {
        follows(entry, &self.reached, &self.account)?;
        sums_to_zero(entry)?;
        let reached = &mut self.reached;
        for line in &entry.lines {
            take(reached, line, entry.number)?;
            if entry.kind.is_of_holds() {
                keep(reached, line)?;
            }
        }
        let touched = entry.lines.iter().map(|line| &line.place);
        for place in touched.filter(|place| !matches!(place, Place::External(_))) {
            if reached.balances.get(place) != entry.balances_after.get(place) {
                return Err(Broken::Balance { number: entry.number, place: place.clone() });
            }
        }
        let came_back = |_| Broken::CameBack { number: entry.number };
        reached.reversals = reached.reversals.and(entry).map_err(came_back)?;
        reached.number = entry.number;
        reached.head = entry.hash;
        reached.last_entry_at = Some(entry.at);
        if let Some(credit) = entry.credit() {
            reached.credits = reached.credits.and(credit);
        }
        Ok(self)
    }

    /// Compares what the journal says with what the account says, in both directions.
    ///
    /// # Errors
    /// The first thing that differs.
    pub fn finish(self, account: &Account) -> Result<Checkpoint, Broken> {
        let reached = self.reached;
        let number = reached.number;
        let told = (account.entries, account.head, account.last_entry_at);
        if told != (number, reached.head, reached.last_entry_at) {
            return Err(Broken::Head);
        }
        if reached.currency.is_some_and(|currency| currency != account.currency) {
            return Err(Broken::Currency { number });
        }
        if reached.debt != account.debt {
            return Err(Broken::Balance { number, place: Place::External(External::Debt) });
        }
        let held = |place: &Place| reached.balances.get(place).copied().unwrap_or_default();
        let mut places = reached.balances.keys().chain(account.balances.keys());
        if let Some(place) = places.find(|place| held(place) != account.balance(place)) {
            return Err(Broken::Balance { number, place: place.clone() });
        }
        let carried = account.kept_by_holds();
        let by_account = |place: &Place| carried.get(place).copied().unwrap_or_default();
        let by_journal =
            |place: &Place| reached.kept.get(place).map_or(Decimal::ZERO, |kept| kept.decimal());
        let mut places = carried.keys().chain(reached.kept.keys());
        match places.find(|place| by_account(place) != by_journal(place)) {
            Some(place) => Err(Broken::Holds { place: place.clone() }),
            None => Ok(reached),
        }
    }
}

/// Folds the journal and compares it with the account: numbers without gaps, the hash chain, zero
/// sums, nothing below zero, and every balance.
///
/// `entries` is the whole journal in order.
///
/// # Errors
/// The first invariant that does not hold.
pub fn verify(entries: &[Entry], account: &Account) -> Result<(), Broken> {
    let begun = Verification::after(account.id.clone(), Checkpoint::beginning());
    let followed = entries.iter().try_fold(begun, Verification::follow)?;
    followed.finish(account).map(drop)
}

fn follows(entry: &Entry, reached: &Checkpoint, account: &AccountId) -> Result<(), Broken> {
    let number = entry.number;
    let expected = reached.number.saturating_add(1);
    if number != expected {
        return Err(Broken::Numbering { expected, found: number });
    }
    if entry.account != *account {
        return Err(Broken::Owner { number });
    }
    if entry.previous_hash != reached.head || entry.hash != entry.computed_hash() {
        return Err(Broken::HashChain { number });
    }
    if reached.last_entry_at.is_some_and(|last| last > entry.at) {
        return Err(Broken::Time { number });
    }
    Ok(())
}

pub(crate) fn sums_to_zero(entry: &Entry) -> Result<(), Broken> {
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

/// Adds a line of a hold to what holds keep.
fn keep(reached: &mut Checkpoint, line: &Line) -> Result<(), Broken> {
    if !matches!(line.place, Place::Held(_)) {
        return Ok(());
    }
    let before = reached.kept.get(&line.place).copied().unwrap_or_default().decimal();
    let kept = Balance::new(before.saturating_add(line.amount));
    let kept = kept.map_err(|_| Broken::Holds { place: line.place.clone() })?;
    reached.kept.insert(line.place.clone(), kept);
    Ok(())
}

/// Adds a line to what was reached, and holds it to the one currency.
fn take(reached: &mut Checkpoint, line: &Line, number: u64) -> Result<(), Broken> {
    add(&mut reached.balances, &mut reached.debt, (&line.place, line.amount), number)?;
    if line.place.is_of_account() && *reached.currency.get_or_insert(line.currency) != line.currency
    {
        return Err(Broken::Currency { number });
    }
    Ok(())
}

/// Adds a change to its balance, or takes it from the debt. Other places are outside of the account.
pub(crate) fn add(
    balances: &mut BTreeMap<Place, Balance>,
    debt: &mut Balance,
    (place, change): (&Place, Decimal),
    number: u64,
) -> Result<(), Broken> {
    let moved = |before: Balance, change: Decimal| {
        let after = Balance::new(before.decimal().saturating_add(change));
        after.map_err(|_| Broken::Balance { number, place: place.clone() })
    };
    match place {
        Place::External(External::Debt) => *debt = moved(*debt, -change)?,
        Place::External(_) => {}
        place => {
            let before = balances.get(place).copied().unwrap_or_default();
            balances.insert(place.clone(), moved(before, change)?);
        }
    }
    Ok(())
}
