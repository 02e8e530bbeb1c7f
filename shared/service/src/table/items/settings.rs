//! The items of what the operator says: the catalogue and its past, the profiles of accounts, and
//! uploaded statements; and the claims of reference codes.

use ledger::{AccountId, Actor, Currency, Name, OrderId, ReceivingAccount, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Keyed, Stored, due_at, entry_sort_key, id_of, partition_key, read, shard_of, stored, to_item,
};
use crate::accounts::Profile;
use crate::catalogue::{Catalogue, CatalogueVersion};
use crate::error::BrokenRecord;
use crate::record::{Changed, Reference, Statement, StatementFormat};
use crate::table::Item;

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct CatalogueItem {
    version: u64,
    catalogue: Catalogue,
    #[serde(default)]
    changed_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changed_by: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct ChangedItem {
    at: i64,
    by: String,
    value: String,
}

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct ProfileItem {
    version: u64,
    name: String,
    created_at: i64,
    created_by: String,
    listed_under: String,
    listed_at: String,
}

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct ReferenceItem {
    order_id: String,
    account_id: String,
}

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct StatementItem {
    version: u64,
    content_hash: String,
    account_currency: String,
    account_number: String,
    format: String,
    lines: u32,
    imported_at: i64,
    imported_by: String,
    listed_under: String,
    listed_at: String,
}

impl Keyed for CatalogueItem {
    const SORT_KEY: &'static str = "CATALOGUE";
}
impl Keyed for ProfileItem {
    const SORT_KEY: &'static str = "PROFILE";
}
impl Keyed for ReferenceItem {
    const SORT_KEY: &'static str = "REFERENCE";
}
impl Keyed for StatementItem {
    const SORT_KEY: &'static str = "STATEMENT";
}

/// The partition of the `by_time` index in which uploaded statements are listed.
pub(in crate::table) const STATEMENTS: &str = "STATEMENTS";

/// The partition of the `by_time` index in which the accounts of a shard are listed.
pub(in crate::table) fn accounts_listed_under(shard: u64) -> String {
    format!("ACCOUNTS#{shard:02}")
}

pub(in crate::table) fn from_catalogue(catalogue: &CatalogueVersion) -> Item {
    let value = CatalogueItem {
        version: catalogue.version.saturating_add(1),
        catalogue: catalogue.catalogue.clone(),
        changed_at: catalogue.changed_at.unix_millis(),
        changed_by: Some(catalogue.changed_by.to_string()),
    };
    to_item(CatalogueItem::SORT_KEY.to_owned(), CatalogueItem::SORT_KEY, value)
}

pub(in crate::table) fn to_catalogue(item: Item) -> Result<CatalogueVersion, BrokenRecord> {
    read(item, |stored: Stored<CatalogueItem>| {
        let value = stored.value;
        Some(CatalogueVersion {
            version: value.version,
            catalogue: value.catalogue,
            changed_at: Timestamp::from_unix_millis(value.changed_at),
            changed_by: match value.changed_by {
                Some(by) => Actor::parse(&by).ok()?,
                None => Actor::operator(),
            },
        })
    })
}

/// What something was made at one of its versions, by whom and when: put once, for ever.
pub(in crate::table) fn from_change(what: &str, version: u64, changed: &Changed) -> Item {
    let value = ChangedItem {
        at: changed.at.unix_millis(),
        by: changed.by.to_string(),
        value: changed.value.to_string(),
    };
    to_item(partition_key("CHANGE", what), &entry_sort_key(version), value)
}

pub(in crate::table) fn to_change(item: Item) -> Result<Changed, BrokenRecord> {
    read(item, |stored: Stored<ChangedItem>| {
        let value = stored.value;
        Some(Changed {
            at: Timestamp::from_unix_millis(value.at),
            by: Actor::parse(&value.by).ok()?,
            value: serde_json::from_str::<Value>(&value.value).ok()?,
        })
    })
}

pub(in crate::table) fn from_profile(profile: &Profile) -> Item {
    let id = profile.account.as_str();
    let value = ProfileItem {
        version: profile.version.saturating_add(1),
        name: profile.name.to_string(),
        created_at: profile.created_at.unix_millis(),
        created_by: profile.created_by.to_string(),
        listed_under: accounts_listed_under(shard_of(id)),
        listed_at: due_at(profile.created_at, id),
    };
    to_item(partition_key("ACCOUNT", id), ProfileItem::SORT_KEY, value)
}

pub(in crate::table) fn to_profile(item: Item) -> Result<Profile, BrokenRecord> {
    read(item, |stored: Stored<ProfileItem>| {
        let value = stored.value;
        Some(Profile {
            account: id_of(&stored.pk).and_then(|id| AccountId::parse(id).ok())?,
            version: value.version,
            name: Name::parse(&value.name).ok()?,
            created_at: Timestamp::from_unix_millis(value.created_at),
            created_by: Actor::parse(&value.created_by).ok()?,
        })
    })
}

pub(in crate::table) fn from_reference(reference: &Reference) -> Item {
    let value = ReferenceItem {
        order_id: reference.order.to_string(),
        account_id: reference.account.to_string(),
    };
    stored(ReferenceItem::SORT_KEY, reference.code.as_str(), value)
}

/// The order that a reference code belongs to.
pub(in crate::table) fn to_reference(item: Item) -> Result<OrderId, BrokenRecord> {
    read(item, |stored: Stored<ReferenceItem>| OrderId::parse(&stored.value.order_id).ok())
}

pub(in crate::table) fn from_statement(statement: &Statement) -> Item {
    let value = StatementItem {
        version: statement.version.saturating_add(1),
        content_hash: statement.content_hash.clone(),
        account_currency: statement.account.currency().code().to_owned(),
        account_number: statement.account.number().to_owned(),
        format: statement.format.name().to_owned(),
        lines: statement.lines,
        imported_at: statement.imported_at.unix_millis(),
        imported_by: statement.imported_by.to_string(),
        listed_under: STATEMENTS.to_owned(),
        listed_at: due_at(statement.imported_at, &statement.id),
    };
    stored(StatementItem::SORT_KEY, &statement.id, value)
}

pub(in crate::table) fn to_statement(item: Item) -> Result<Statement, BrokenRecord> {
    read(item, |stored: Stored<StatementItem>| {
        let value = stored.value;
        let currency = Currency::parse(&value.account_currency).ok()?;
        Some(Statement {
            id: id_of(&stored.pk)?.to_owned(),
            version: value.version,
            content_hash: value.content_hash,
            account: ReceivingAccount::new(currency, &value.account_number).ok()?,
            format: StatementFormat::parse(&value.format)?,
            lines: value.lines,
            imported_at: Timestamp::from_unix_millis(value.imported_at),
            imported_by: Actor::parse(&value.imported_by).ok()?,
        })
    })
}
