//! An account and its journal, as the auditor keeps them: written from the description of the journal
//! and without the product's code.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::images::{AccountImage, EntryImage};
use super::micros::{self, Micros};

/// An account that the simulation made, and every balance it ever had.
#[derive(Debug, Clone)]
pub struct Account {
    /// The number of its last write.
    pub version: u64,
    /// All entries, oldest first.
    pub entries: Vec<EntryImage>,
    /// Available balances by version, from version 1 on.
    pub history: Vec<BTreeMap<String, Micros>>,
    /// What the customer owes.
    pub debt: Micros,
}

impl Account {
    /// The balances now.
    #[must_use]
    pub fn balances(&self) -> &BTreeMap<String, Micros> {
        self.history.last().expect("an account begins at version 1")
    }

    /// The balance of a place.
    #[must_use]
    pub fn balance(&self, place: &str) -> Micros {
        self.balances().get(place).copied().unwrap_or_default()
    }

    /// The balance of a place at a version; `None` if it never had that version.
    #[must_use]
    pub fn balance_at(&self, version: u64, place: &str) -> Option<Micros> {
        let index = usize::try_from(version.checked_sub(1)?).ok()?;
        Some(self.history.get(index)?.get(place).copied().unwrap_or_default())
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
        self.version = written.version;
        self.entries.push(entry.clone());
        self.history.push(balances);
        matches_journal(self, written)
    }
}

impl Default for Account {
    fn default() -> Self {
        Self { version: 1, entries: Vec::new(), history: vec![BTreeMap::new()], debt: 0 }
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
    let Some((last, before)) = account.entries.split_last() else {
        return Ok(());
    };
    let previous = before.last();
    if written.entries != last.number || written.head != last.hash {
        return Err(format!("{id} does not end with its entry {}", last.number));
    }
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
    // The wallet comes before the products.
    let mut places: Vec<_> = entry.balances_after.iter().collect();
    places.sort_by_key(|(place, _)| (place.as_str() != "wallet", place.as_str()));
    for (place, balance) in places {
        field(place);
        field(&micros::normal(*balance));
    }
    HEXLOWER.encode(&hash.finalize())
}
