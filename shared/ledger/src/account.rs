//! The account: the unit of consistency.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::journal::{Entry, EntryHash, EntryKind, Movement, lines_of};
use crate::{
    AccountId, Balance, Currency, Decision, HoldId, Money, OpenHold, Place, Refusal, Target,
    Thresholds, Timestamp,
};

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountStatus {
    /// Everything.
    Active,
    /// Nothing that spends: money that comes in is still taken.
    Frozen,
}

/// A customer's money at one moment.
///
/// A value: rules take it by reference and answer with the next one. `version` guards every write
/// of it, so two decisions about the same account can never both be committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Whose account it is.
    pub id: AccountId,
    /// The one currency of all of its balances.
    pub currency: Currency,
    /// What it may do.
    pub status: AccountStatus,
    /// How often it was written; 0 means that it never was.
    pub version: u64,
    /// The number of its last entry; 0 means that the journal is empty.
    pub entries: u64,
    /// The hash of its last entry.
    pub head: EntryHash,
    /// When its last entry was made.
    pub last_entry_at: Option<Timestamp>,
    /// Money by place. A place that is not listed holds nothing.
    pub balances: BTreeMap<Place, Balance>,
    /// What the customer owes: minus the sum of the lines on `external:debt`.
    pub debt: Balance,
    /// The holds that keep money of its products, also those whose time is over and whose money the
    /// journal has not released yet.
    pub holds: BTreeMap<HoldId, OpenHold>,
    /// What is to happen when a balance runs low. At most one for the wallet and for each product.
    pub thresholds: BTreeMap<Target, Thresholds>,
}

impl AccountStatus {
    /// The name that is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Frozen => "frozen",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Active, Self::Frozen].into_iter().find(|status| status.name() == name)
    }
}

impl Account {
    /// An account that nothing has happened to yet.
    #[must_use]
    pub fn open(id: AccountId, currency: Currency) -> Self {
        Self {
            id,
            currency,
            status: AccountStatus::Active,
            version: 0,
            entries: 0,
            head: EntryHash::GENESIS,
            last_entry_at: None,
            balances: BTreeMap::new(),
            debt: Balance::ZERO,
            holds: BTreeMap::new(),
            thresholds: BTreeMap::new(),
        }
    }

    /// What is in a place.
    #[must_use]
    pub fn balance(&self, place: &Place) -> Balance {
        self.balances.get(place).copied().unwrap_or_default()
    }

    /// Refuses what spends from a frozen account.
    ///
    /// # Errors
    /// [`Refusal::AccountFrozen`].
    pub fn must_be_active(&self) -> Result<(), Refusal> {
        match self.status {
            AccountStatus::Active => Ok(()),
            AccountStatus::Frozen => Err(Refusal::AccountFrozen),
        }
    }

    /// This account with another currency or status, as the operator says. `None` if it has both.
    ///
    /// # Errors
    /// [`Refusal::CurrencyFixed`] for another currency once there is an entry.
    pub fn changed(
        &self,
        currency: Currency,
        status: AccountStatus,
    ) -> Result<Option<Self>, Refusal> {
        if currency != self.currency && self.entries > 0 {
            return Err(Refusal::CurrencyFixed { currency: self.currency });
        }
        let version = self.version.saturating_add(1);
        let changed = (currency, status) != (self.currency, self.status);
        // Amounts of another currency mean nothing in this one.
        let thresholds = match currency == self.currency {
            true => self.thresholds.clone(),
            false => BTreeMap::new(),
        };
        Ok(changed.then(|| Self { currency, status, version, thresholds, ..self.clone() }))
    }

    /// Makes the next entry. Holds whose time is over are released by an entry before it, so that no rule misses
    /// their money.
    ///
    /// The entry sums to zero because every [`Movement`] takes from one place what it gives to
    /// another. Its time never runs backwards: `at = max(now, time of the entry before)`.
    ///
    /// # Errors
    /// [`Refusal::InsufficientBalance`] if a place would go below zero,
    /// [`Refusal::BalanceTooLarge`] if one would pass [`crate::MAX_BALANCE`], and
    /// [`Refusal::CurrencyDiffers`] for money of another currency.
    pub fn post(
        &self,
        kind: EntryKind,
        document_id: &str,
        movements: &[Movement],
        now: Timestamp,
    ) -> Result<Decision, Refusal> {
        let mut next = self.clone();
        let released = next.release_expired_holds(now)?;
        let entry = next.append(kind, document_id, movements, now)?;
        Ok(next.decided(self, released.into_iter().chain([entry]).collect(), now))
    }

    /// Refuses a balance that could not take back what is set aside of it: that would be refused for ever, and with it
    /// all that comes after.
    fn must_have_room(&self, place: &Place) -> Result<(), Refusal> {
        let (Place::Available(target) | Place::Held(target)) = place else { return Ok(()) };
        let inside = Place::Available(target.clone());
        let aside = self.balance(&Place::Held(target.clone()));
        let all = self.balance(&inside).decimal().saturating_add(aside.decimal());
        Balance::new(all).map(drop).map_err(|_| Refusal::BalanceTooLarge { place: inside })
    }

    /// What was decided: this account, which was that one before these entries.
    pub(crate) fn decided(
        mut self,
        before: &Self,
        entries: Vec<Entry>,
        now: Timestamp,
    ) -> Decision {
        self.version = before.version.saturating_add(1);
        let low = self.tell_low_balances(before, now);
        Decision { account: self, entries, top_ups: Vec::new(), low }
    }

    /// Makes this the account after one more entry: the only way in which a balance changes.
    pub(crate) fn append(
        &mut self,
        kind: EntryKind,
        document_id: &str,
        movements: &[Movement],
        now: Timestamp,
    ) -> Result<Entry, Refusal> {
        let mut balances_after = BTreeMap::new();
        let lines = lines_of(movements);
        for line in &lines {
            // Outside of the account there is money of any currency; inside there is one.
            if !line.place.is_of_account() {
                continue;
            }
            if line.currency != self.currency {
                let (account, offered) = (self.currency, line.currency);
                return Err(Refusal::CurrencyDiffers { account, offered });
            }
            match &line.place {
                Place::External(_) => {
                    self.debt = moved(self.debt, -line.amount, &line.place, self.currency)?;
                }
                place => {
                    let after = moved(self.balance(place), line.amount, place, self.currency)?;
                    self.balances.insert(place.clone(), after);
                    balances_after.insert(place.clone(), after);
                }
            }
        }
        for line in lines.iter().filter(|line| line.amount > Decimal::ZERO) {
            self.must_have_room(&line.place)?;
        }
        let entry = Entry {
            account: self.id.clone(),
            number: self.entries.saturating_add(1),
            at: self.last_entry_at.map_or(now, |last| last.max(now)),
            kind,
            document_id: document_id.to_owned(),
            lines,
            balances_after,
            previous_hash: self.head,
            hash: EntryHash::GENESIS,
        }
        .sealed();
        self.entries = entry.number;
        self.head = entry.hash;
        self.last_entry_at = Some(entry.at);
        Ok(entry)
    }
}

/// A balance after a signed change.
fn moved(
    before: Balance,
    change: Decimal,
    place: &Place,
    currency: Currency,
) -> Result<Balance, Refusal> {
    let too_large = || Refusal::BalanceTooLarge { place: place.clone() };
    let after = before.decimal().checked_add(change).ok_or_else(too_large)?;
    if after >= Decimal::ZERO {
        return Balance::new(after).map_err(|_| too_large());
    }
    let amount = crate::Amount::new(change.abs()).map_err(|_| too_large())?;
    Err(Refusal::InsufficientBalance {
        place: place.clone(),
        available: before,
        required: Money { amount, currency },
        held_back: None,
    })
}
