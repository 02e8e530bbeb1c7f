//! The items of an account and its journal.

use std::collections::BTreeMap;

use ledger::{
    Account, AccountId, AccountStatus, Amount, Balance, Currency, Entry, EntryHash, EntryKind,
    HoldId, Line, MAX_DECIMALS, OpenHold, Place, ProductCode, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::thresholds::{ThresholdsItem, from_thresholds, to_thresholds};
use super::{Keyed, Stored, entry_sort_key, exact, id_of, journal_key, read, stored, to_item};
use crate::error::BrokenRecord;
use crate::table::Item;

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct AccountItem {
    version: u64,
    currency: String,
    status: String,
    entries: u64,
    head: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_entry_at: Option<i64>,
    balances: BTreeMap<String, String>,
    debt: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    holds: BTreeMap<String, OpenHoldItem>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    thresholds: BTreeMap<String, ThresholdsItem>,
}

#[derive(Serialize, Deserialize)]
struct OpenHoldItem {
    product: String,
    left: String,
    expires_at: i64,
}

#[derive(Serialize, Deserialize)]
struct EntryItem {
    number: u64,
    at: i64,
    kind: String,
    document_id: String,
    lines: Vec<LineItem>,
    balances_after: BTreeMap<String, String>,
    previous_hash: String,
    hash: String,
}

#[derive(Serialize, Deserialize)]
struct LineItem {
    place: String,
    currency: String,
    amount: String,
}

impl Keyed for AccountItem {
    const SORT_KEY: &'static str = "ACCOUNT";
}

pub(in crate::table) fn from_account(account: &Account) -> Item {
    let balances =
        account.balances.iter().map(|(place, balance)| (place.to_string(), exact(*balance)));
    let value = AccountItem {
        version: account.version,
        currency: account.currency.code().to_owned(),
        status: account.status.name().to_owned(),
        entries: account.entries,
        head: account.head.to_string(),
        last_entry_at: account.last_entry_at.map(Timestamp::unix_millis),
        balances: balances.collect(),
        debt: exact(account.debt),
        holds: account.holds.iter().map(from_open_hold).collect(),
        thresholds: account.thresholds.iter().map(from_thresholds).collect(),
    };
    stored(AccountItem::SORT_KEY, account.id.as_str(), value)
}

pub(in crate::table) fn to_account(item: Item) -> Result<Account, BrokenRecord> {
    read(item, |stored: Stored<AccountItem>| {
        let value = stored.value;
        let balances = value.balances.iter().map(|(place, balance)| {
            Some((Place::parse(place).ok()?, Balance::parse(balance).ok()?))
        });
        Some(Account {
            id: id_of(&stored.pk).and_then(|id| AccountId::parse(id).ok())?,
            currency: Currency::parse(&value.currency).ok()?,
            status: AccountStatus::parse(&value.status)?,
            version: value.version,
            entries: value.entries,
            head: EntryHash::parse(&value.head)?,
            last_entry_at: value.last_entry_at.map(Timestamp::from_unix_millis),
            balances: balances.collect::<Option<_>>()?,
            debt: Balance::parse(&value.debt).ok()?,
            holds: value.holds.iter().map(to_open_hold).collect::<Option<_>>()?,
            thresholds: value.thresholds.iter().map(to_thresholds).collect::<Option<_>>()?,
        })
    })
}

fn from_open_hold((id, hold): (&HoldId, &OpenHold)) -> (String, OpenHoldItem) {
    let value = OpenHoldItem {
        product: hold.product.to_string(),
        left: hold.left.decimal().to_string(),
        expires_at: hold.expires_at.unix_millis(),
    };
    (id.to_string(), value)
}

fn to_open_hold((id, value): (&String, &OpenHoldItem)) -> Option<(HoldId, OpenHold)> {
    let hold = OpenHold {
        product: ProductCode::parse(&value.product).ok()?,
        left: Amount::parse(&value.left, MAX_DECIMALS).ok()?,
        expires_at: Timestamp::from_unix_millis(value.expires_at),
    };
    Some((HoldId::parse(id).ok()?, hold))
}

pub(in crate::table) fn from_entry(entry: &Entry) -> Item {
    let lines = entry.lines.iter().map(|line| LineItem {
        place: line.place.to_string(),
        currency: line.currency.code().to_owned(),
        amount: line.amount_text(),
    });
    let after = entry.balances_after.iter();
    let value = EntryItem {
        number: entry.number,
        at: entry.at.unix_millis(),
        kind: entry.kind.name().to_owned(),
        document_id: entry.document_id.clone(),
        lines: lines.collect(),
        balances_after: after.map(|(place, after)| (place.to_string(), exact(*after))).collect(),
        previous_hash: entry.previous_hash.to_string(),
        hash: entry.hash.to_string(),
    };
    to_item(journal_key(&entry.account), &entry_sort_key(entry.number), value)
}

pub(in crate::table) fn to_entry(item: Item) -> Result<Entry, BrokenRecord> {
    read(item, |stored: Stored<EntryItem>| {
        let value = stored.value;
        let lines = value.lines.iter().map(|line| {
            Some(Line {
                place: Place::parse(&line.place).ok()?,
                currency: Currency::parse(&line.currency).ok()?,
                amount: Line::parse_amount(&line.amount)?,
            })
        });
        let after = value.balances_after.iter().map(|(place, balance)| {
            Some((Place::parse(place).ok()?, Balance::parse(balance).ok()?))
        });
        Some(Entry {
            account: id_of(&stored.pk).and_then(|id| AccountId::parse(id).ok())?,
            number: value.number,
            at: Timestamp::from_unix_millis(value.at),
            kind: EntryKind::parse(&value.kind)?,
            document_id: value.document_id,
            lines: lines.collect::<Option<_>>()?,
            balances_after: after.collect::<Option<_>>()?,
            previous_hash: EntryHash::parse(&value.previous_hash)?,
            hash: EntryHash::parse(&value.hash)?,
        })
    })
}
