//! An account and its journal, as the auditor keeps them: written from the description of the journal
//! and without the product's code.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::images::{AccountImage, EntryImage};
use super::micros::{self, Micros};
use super::thresholds::ThresholdImage;
use super::usage_images::OpenHoldImage;

/// An account that the simulation made, and everything that was ever in it.
#[derive(Debug, Clone)]
pub struct Account {
    /// The number of its last write.
    pub version: u64,
    /// All entries, oldest first.
    pub entries: Vec<EntryImage>,
    /// What it had at each version, from version 1 on.
    pub history: Vec<Moment>,
    /// What the customer owes.
    pub debt: Micros,
    /// What open holds keep, by their ids.
    pub holds: BTreeMap<String, OpenHoldImage>,
    /// What is to happen when a balance runs low, by balance.
    pub thresholds: BTreeMap<String, ThresholdImage>,
    /// Balances that the last commit must have told to be low: which, its threshold, what is available.
    pub low: Vec<(String, Micros, Micros)>,
    /// What entries about holds have set aside, by place.
    pub set_aside: BTreeMap<String, Micros>,
    /// The balances between two entries of one commit.
    between: Option<BTreeMap<String, Micros>>,
}

/// What an account had at one version.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    /// The balance of each place.
    pub balances: BTreeMap<String, Micros>,
    /// What open holds kept, by their ids.
    pub holds: BTreeMap<String, OpenHoldImage>,
    /// What was to happen when a balance ran low.
    pub thresholds: BTreeMap<String, ThresholdImage>,
    /// The number of the last entry.
    pub entries: u64,
}

impl Account {
    /// The balances now.
    #[must_use]
    pub fn balances(&self) -> &BTreeMap<String, Micros> {
        let last = self.history.last().map(|moment| &moment.balances);
        self.between.as_ref().or(last).expect("an account begins at version 1")
    }

    /// The balance of a place.
    #[must_use]
    pub fn balance(&self, place: &str) -> Micros {
        self.balances().get(place).copied().unwrap_or_default()
    }

    /// The balance of a place at a version; `None` if it never had that version.
    #[must_use]
    pub fn balance_at(&self, version: u64, place: &str) -> Option<Micros> {
        Some(self.at(version)?.balances.get(place).copied().unwrap_or_default())
    }

    /// What it had at a version; `None` if it never had that version.
    #[must_use]
    pub fn at(&self, version: u64) -> Option<&Moment> {
        self.history.get(usize::try_from(version.checked_sub(1)?).ok()?)
    }

    /// The last version without this entry.
    #[must_use]
    pub fn version_before(&self, entry: u64) -> u64 {
        self.history.iter().take_while(|moment| moment.entries < entry).count() as u64
    }

    /// The account was written once more.
    pub fn write(&mut self, version: u64) {
        self.version = version;
        let balances = self.balances().clone();
        let entries = self.entries.last().map_or(0, |entry| entry.number);
        self.between = None;
        let (holds, thresholds) = (self.holds.clone(), self.thresholds.clone());
        self.history.push(Moment { balances, holds, thresholds, entries });
    }

    /// Puts an entry at the end of the journal that another one follows in the same commit.
    ///
    /// # Errors
    /// What does not follow from the entries before.
    pub fn precede(&mut self, entry: &EntryImage) -> Result<(), String> {
        self.add(entry)?;
        let id = &entry.account;
        let before = self.entries.split_last().and_then(|(_, before)| before.last());
        follows(self, id, entry, before)
    }

    /// Puts an entry at the end of the journal.
    ///
    /// # Errors
    /// What the account that was written with it contradicts.
    pub fn append(&mut self, entry: &EntryImage, written: &AccountImage) -> Result<(), String> {
        let id = &written.id;
        if written.version != self.version + 1 {
            let (was, is) = (self.version, written.version);
            return Err(format!("{id} went from version {was} to {is}"));
        }
        self.add(entry)?;
        self.tell_low_balances();
        self.write(written.version);
        matches_journal(self, written)
    }

    /// Moves what an entry says.
    fn add(&mut self, entry: &EntryImage) -> Result<(), String> {
        let id = &entry.account;
        let mut balances = self.balances().clone();
        for line in &entry.lines {
            if !line.place.starts_with("external:") {
                *balances.entry(line.place.clone()).or_default() += line.amount;
            }
        }
        if let Some((place, balance)) = balances.iter().find(|(_, balance)| **balance < 0) {
            return Err(format!("{id} has {} in {place}", micros::normal(*balance)));
        }
        let owed = entry.lines.iter().filter(|line| line.place == "external:debt");
        self.debt = owed.fold(self.debt, |debt, line| debt - line.amount);
        if self.debt < 0 {
            return Err(format!("{id} has paid {} more than it owed", micros::normal(-self.debt)));
        }
        for line in entry.lines.iter().filter(|_| entry.kind.starts_with("hold_")) {
            if line.place.ends_with(":held") {
                *self.set_aside.entry(line.place.clone()).or_default() += line.amount;
            }
        }
        self.entries.push(entry.clone());
        self.between = Some(balances);
        Ok(())
    }
}

impl Default for Account {
    fn default() -> Self {
        Self {
            version: 1,
            entries: Vec::new(),
            history: vec![Moment::default()],
            debt: 0,
            holds: BTreeMap::new(),
            thresholds: BTreeMap::new(),
            low: Vec::new(),
            set_aside: BTreeMap::new(),
            between: None,
        }
    }
}

/// Balances are the sum of the entries, numbers have no gaps, the hash chain holds, nothing is
/// negative: the account as it is written follows from its last entry and the one before.
///
/// # Errors
/// What does not follow.
pub fn matches_journal(account: &Account, written: &AccountImage) -> Result<(), String> {
    let id = &written.id;
    let full = |balances: &BTreeMap<String, Micros>| {
        let mut balances = balances.clone();
        balances.retain(|_, balance| *balance != 0);
        balances
    };
    if full(&written.balances) != full(account.balances()) || written.debt != account.debt {
        let (stored, expected) = (&written.balances, account.balances());
        return Err(format!("{id} holds {stored:?}, and its entries sum to {expected:?}"));
    }
    if written.holds != account.holds {
        return Err(format!("{id} carries {:?}, not {:?}", written.holds, account.holds));
    }
    if written.thresholds != account.thresholds {
        let (stored, expected) = (&written.thresholds, &account.thresholds);
        return Err(format!("{id} carries {stored:?}, not {expected:?}"));
    }
    let Some((last, before)) = account.entries.split_last() else {
        return Ok(());
    };
    if written.entries != last.number || written.head != last.hash {
        return Err(format!("{id} does not end with its entry {}", last.number));
    }
    follows(account, id, last, before.last())
}

/// The last entry follows from the one before it.
fn follows(
    account: &Account,
    id: &str,
    last: &EntryImage,
    previous: Option<&EntryImage>,
) -> Result<(), String> {
    if last.number != previous.map_or(1, |entry| entry.number + 1) {
        return Err(format!("{id} has a gap before entry {}", last.number));
    }
    let genesis = "0".repeat(64);
    if last.previous_hash != previous.map_or(&genesis, |entry| &entry.hash).as_str()
        || last.hash != hash_of(last)
    {
        return Err(format!("{id}: the hash chain breaks at entry {}", last.number));
    }
    if previous.is_some_and(|entry| entry.at > last.at) {
        return Err(format!("{id}: entry {} is older than the one before", last.number));
    }
    let mut sums: BTreeMap<&str, Micros> = BTreeMap::new();
    for line in &last.lines {
        *sums.entry(&line.currency).or_default() += line.amount;
        if !line.place.starts_with("external:") && line.currency != "USD" {
            return Err(format!(
                "{id}: entry {} puts {} into {}",
                last.number, line.currency, line.place
            ));
        }
    }
    if sums.values().any(|sum| *sum != 0) || last.lines.len() < 2 {
        return Err(format!("{id}: the lines of entry {} sum to {sums:?}", last.number));
    }
    for (place, after) in &last.balances_after {
        if account.balance(place) != *after {
            return Err(format!("{id}: entry {} tells a wrong balance of {place}", last.number));
        }
    }
    Ok(())
}

/// The hash that an entry must carry, from the description of its canonical form.
fn hash_of(entry: &EntryImage) -> String {
    let mut hash = Sha256::new();
    let mut field = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    field("topup-entry-1");
    field(&entry.previous_hash);
    field(&entry.account);
    field(&entry.number.to_string());
    field(&entry.at.to_string());
    field(&entry.kind);
    field(&entry.document);
    field(&entry.lines.len().to_string());
    for line in &entry.lines {
        field(&line.place);
        field(&line.currency);
        field(&micros::normal(line.amount));
    }
    field(&entry.balances_after.len().to_string());
    // What is available comes before what is held, and of each the wallet before the products.
    let mut places: Vec<_> = entry.balances_after.iter().collect();
    places.sort_by_key(|(place, _)| {
        (place.ends_with(":held"), !place.starts_with("wallet"), place.as_str())
    });
    for (place, balance) in places {
        field(place);
        field(&micros::normal(*balance));
    }
    HEXLOWER.encode(&hash.finalize())
}
