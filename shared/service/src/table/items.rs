//! Items and the values they stand for. Only this module and [`super::items_order`] know the names
//! of attributes.
//!
//! Money is stored as the text of an exact decimal. What is read is parsed by the ledger's own
//! constructors, so an item that was tampered with is a [`BrokenRecord`], never a wrong balance.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ledger::{
    Account, AccountId, AccountStatus, Actor, Balance, Currency, Entry, EntryHash, EntryKind,
    Finding, Line, Money, Place, Timestamp,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Item;
pub(super) use super::items_order::{OrderItem, from_order, to_order};
use crate::catalogue::Catalogue;
use crate::error::BrokenRecord;
use crate::keys::{ApiKey, KeyOwner};
use crate::record::PaymentClaim;
use crate::stamp;

/// An item with a key.
pub(super) trait Keyed: Serialize + DeserializeOwned {
    const SORT_KEY: &'static str;
}

/// Shards of the `by_due` index: one due queue takes as many writes as 16 partitions do.
const DUE_SHARDS: u64 = 16;

/// An item that was read: its partition key and the attributes that belong to its kind.
pub(super) struct Stored<T> {
    pub(super) pk: String,
    pub(super) value: T,
}

#[derive(Serialize, Deserialize)]
pub(super) struct AccountItem {
    version: u64,
    currency: String,
    status: String,
    entries: u64,
    head: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_entry_at: Option<i64>,
    balances: BTreeMap<String, String>,
    debt: String,
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

#[derive(Serialize, Deserialize)]
struct PaymentItem {
    account_id: String,
    order_id: String,
    amount: String,
    currency: String,
    settled_at: i64,
    due_queue: String,
    due_at: String,
}

#[derive(Serialize, Deserialize)]
struct FindingItem {
    kind: String,
    account_id: String,
    order_id: String,
    payment_id: String,
    expected: Option<String>,
    expected_currency: Option<String>,
    actual: String,
    actual_currency: String,
    found_at: i64,
    due_queue: String,
    due_at: String,
}

#[derive(Serialize, Deserialize)]
struct KeyItem {
    version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    name: String,
    scopes: Vec<String>,
    secret_hash: String,
    created_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked_at: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct CatalogueItem {
    version: u64,
    catalogue: Catalogue,
}

impl Keyed for AccountItem {
    const SORT_KEY: &'static str = "ACCOUNT";
}
impl Keyed for PaymentItem {
    const SORT_KEY: &'static str = "PAYMENT";
}
impl Keyed for FindingItem {
    const SORT_KEY: &'static str = "FINDING";
}
impl Keyed for KeyItem {
    const SORT_KEY: &'static str = "KEY";
}
impl Keyed for CatalogueItem {
    const SORT_KEY: &'static str = "CATALOGUE";
}

/// The sort key of an item, which says what it is.
pub(super) fn kind(item: &Item) -> &str {
    item.get("sk").and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

/// The partition key of a thing of that kind.
pub(super) fn partition_key(kind: &str, id: &str) -> String {
    format!("{kind}#{id}")
}

/// The partition key of an account's journal.
pub(super) fn journal_key(account: &AccountId) -> String {
    partition_key("JOURNAL", account.as_str())
}

/// The sort key of an entry: 12 digits, so that text order is number order.
pub(super) fn entry_sort_key(number: u64) -> String {
    format!("{number:012}")
}

/// The shard of a due queue that an id falls into.
pub(super) fn due_queue(queue: &str, id: &str) -> String {
    let sum = id.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    format!("{queue}#{:02}", sum.checked_rem(DUE_SHARDS).unwrap_or_default())
}

/// A position in a due queue: the time and then the id.
pub(super) fn due_at(at: Timestamp, id: &str) -> String {
    format!("{}#{id}", stamp::format(at))
}

pub(super) fn from_account(account: &Account) -> Item {
    let balances =
        account.balances.iter().map(|(place, balance)| (place.to_string(), exact(*balance)));
    let value = AccountItem {
        version: account.version,
        currency: account.currency.code().to_owned(),
        status: status_name(account.status).to_owned(),
        entries: account.entries,
        head: account.head.to_string(),
        last_entry_at: account.last_entry_at.map(Timestamp::unix_millis),
        balances: balances.collect(),
        debt: exact(account.debt),
    };
    stored(AccountItem::SORT_KEY, account.id.as_str(), value)
}

pub(super) fn to_account(item: Item) -> Result<Account, BrokenRecord> {
    read(item, |stored: Stored<AccountItem>| {
        let value = stored.value;
        let balances = value.balances.iter().map(|(place, balance)| {
            Some((Place::parse(place).ok()?, Balance::parse(balance).ok()?))
        });
        Some(Account {
            id: id_of(&stored.pk).and_then(|id| AccountId::parse(id).ok())?,
            currency: Currency::parse(&value.currency).ok()?,
            status: [AccountStatus::Active, AccountStatus::Frozen]
                .into_iter()
                .find(|status| status_name(*status) == value.status)?,
            version: value.version,
            entries: value.entries,
            head: EntryHash::parse(&value.head)?,
            last_entry_at: value.last_entry_at.map(Timestamp::from_unix_millis),
            balances: balances.collect::<Option<_>>()?,
            debt: Balance::parse(&value.debt).ok()?,
        })
    })
}

pub(super) fn from_entry(entry: &Entry) -> Item {
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

pub(super) fn to_entry(item: Item) -> Result<Entry, BrokenRecord> {
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

pub(super) fn from_payment(claim: &PaymentClaim) -> Item {
    let day = stamp::format(claim.settled_at).chars().take(10).collect::<String>();
    let id = claim.payment.as_str();
    let value = PaymentItem {
        account_id: claim.account.to_string(),
        order_id: claim.order.to_string(),
        amount: claim.money.to_string(),
        currency: claim.money.currency.code().to_owned(),
        settled_at: claim.settled_at.unix_millis(),
        due_queue: due_queue(&format!("settled-{day}"), id),
        due_at: due_at(claim.settled_at, id),
    };
    stored(PaymentItem::SORT_KEY, id, value)
}

pub(super) fn from_finding(finding: &Finding) -> Item {
    let id = finding.id();
    let value = FindingItem {
        kind: finding.kind.name().to_owned(),
        account_id: finding.account.to_string(),
        order_id: finding.order.to_string(),
        payment_id: finding.payment.to_string(),
        expected: finding.expected.map(|money| money.to_string()),
        expected_currency: finding.expected.map(|money| money.currency.code().to_owned()),
        actual: finding.actual.to_string(),
        actual_currency: finding.actual.currency.code().to_owned(),
        found_at: finding.found_at.unix_millis(),
        due_queue: due_queue("finding", &id),
        due_at: due_at(finding.found_at, &id),
    };
    stored(FindingItem::SORT_KEY, &id, value)
}

pub(super) fn from_api_key(key: &ApiKey) -> Item {
    let value = KeyItem {
        version: key.version.saturating_add(1),
        account_id: match &key.owner {
            KeyOwner::Account(account) => Some(account.to_string()),
            KeyOwner::Operator => None,
        },
        name: key.name.to_string(),
        scopes: key.scopes.iter().map(|scope| scope.name().to_owned()).collect(),
        secret_hash: key.secret_hash.clone(),
        created_at: key.created_at.unix_millis(),
        expires_at: key.expires_at.map(Timestamp::unix_millis),
        revoked_at: key.revoked_at.map(Timestamp::unix_millis),
    };
    stored(KeyItem::SORT_KEY, &key.id, value)
}

pub(super) fn to_api_key(item: Item) -> Result<ApiKey, BrokenRecord> {
    read(item, |stored: Stored<KeyItem>| {
        let value = stored.value;
        let owner = match value.account_id {
            Some(account) => KeyOwner::Account(AccountId::parse(&account).ok()?),
            None => KeyOwner::Operator,
        };
        let scopes = value.scopes.iter().map(|name| crate::keys::Scope::parse(name));
        Some(ApiKey {
            id: id_of(&stored.pk)?.to_owned(),
            version: value.version,
            owner,
            name: Actor::parse(&value.name).ok()?,
            scopes: scopes.collect::<Option<_>>()?,
            secret_hash: value.secret_hash,
            created_at: Timestamp::from_unix_millis(value.created_at),
            expires_at: value.expires_at.map(Timestamp::from_unix_millis),
            revoked_at: value.revoked_at.map(Timestamp::from_unix_millis),
        })
    })
}

pub(super) fn from_catalogue(catalogue: &Catalogue, version: u64) -> Item {
    let value = CatalogueItem { version, catalogue: catalogue.clone() };
    to_item(CatalogueItem::SORT_KEY.to_owned(), CatalogueItem::SORT_KEY, value)
}

pub(super) fn to_catalogue(item: Item) -> Result<(Catalogue, u64), BrokenRecord> {
    read(item, |stored: Stored<CatalogueItem>| Some((stored.value.catalogue, stored.value.version)))
}

/// Money of a stored amount and currency.
pub(super) fn money(amount: &str, currency: &str) -> Option<Money> {
    Money::parse(amount, Currency::parse(currency).ok()?).ok()
}

/// Every digit of a balance.
pub(super) fn exact(balance: Balance) -> String {
    balance.decimal().to_string()
}

/// What follows the kind in a partition key.
pub(super) fn id_of(partition_key: &str) -> Option<&str> {
    partition_key.split_once('#').map(|(_, id)| id)
}

/// The item of a thing of that kind.
pub(super) fn stored<T: Serialize>(kind: &str, id: &str, value: T) -> Item {
    to_item(partition_key(kind, id), kind, value)
}

/// Reads an item, and says which one when it cannot be read.
pub(super) fn read<T: DeserializeOwned, V>(
    item: Item,
    parse: impl FnOnce(Stored<T>) -> Option<V>,
) -> Result<V, BrokenRecord> {
    let pk = item.get("pk").and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
    let unreadable = |problem: String| BrokenRecord::Unreadable { key: pk.clone(), problem };
    let value = serde_dynamo::from_item(item).map_err(|error| unreadable(error.to_string()))?;
    parse(Stored { pk: pk.clone(), value })
        .ok_or_else(|| unreadable("a value breaks its own rule".to_owned()))
}

fn to_item<T: Serialize>(partition_key: String, sort_key: &str, value: T) -> Item {
    #[expect(clippy::expect_used, reason = "plain structs of texts, numbers, lists and maps")]
    let mut item: Item =
        serde_dynamo::to_item(value).expect("an item of plain values can always be written");
    item.insert("pk".to_owned(), AttributeValue::S(partition_key));
    item.insert("sk".to_owned(), AttributeValue::S(sort_key.to_owned()));
    item
}

const fn status_name(status: AccountStatus) -> &'static str {
    match status {
        AccountStatus::Active => "active",
        AccountStatus::Frozen => "frozen",
    }
}
