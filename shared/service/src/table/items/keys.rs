//! The items of whoever may call: API keys, and sessions of the console.

use ledger::{AccountId, Actor, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Keyed, Stored, due_at, id_of, partition_key, read, stored};
use crate::console::{ConsoleSession, Token};
use crate::error::BrokenRecord;
use crate::keys::{ApiKey, KeyOwner, Scope};
use crate::table::Item;

/// How long a session that has ended is kept before DynamoDB may delete it.
const SESSION_KEPT_SECONDS: i64 = 24 * 3_600;

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct KeyItem {
    version: u64,
    #[serde(default)]
    listed_under: String,
    #[serde(default)]
    listed_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    name: String,
    scopes: Vec<String>,
    secret_hash: String,
    created_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_by_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaces: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retires_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked_at: Option<i64>,
}

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct ConsoleSessionItem {
    version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    person: String,
    scopes: Vec<String>,
    code_hash: String,
    code_expires_at: i64,
    created_by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_hash: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_expires_at: Option<i64>,
    /// The table's time-to-live attribute, in seconds: only these items have it.
    delete_after: i64,
}

impl Keyed for KeyItem {
    const SORT_KEY: &'static str = "KEY";
}
impl Keyed for ConsoleSessionItem {
    const SORT_KEY: &'static str = "CONSOLE";
}

/// The partition of the `by_time` index in which the keys of an owner are listed.
pub(in crate::table) fn keys_listed_under(owner: &KeyOwner) -> String {
    match owner {
        KeyOwner::Account(account) => partition_key("KEY", account.as_str()),
        KeyOwner::Operator => "OPERATOR-KEYS".to_owned(),
    }
}

pub(in crate::table) fn from_api_key(key: &ApiKey) -> Item {
    let value = KeyItem {
        version: key.version.saturating_add(1),
        listed_under: keys_listed_under(&key.owner),
        listed_at: due_at(key.created_at, &key.id),
        account_id: from_owner(&key.owner),
        name: key.name.to_string(),
        scopes: from_scopes(&key.scopes),
        secret_hash: key.secret_hash.clone(),
        created_at: key.created_at.unix_millis(),
        created_by: Some(key.created_by.to_string()),
        created_by_key: key.created_by_key.clone(),
        replaces: key.replaces.clone(),
        expires_at: key.expires_at.map(Timestamp::unix_millis),
        retires_at: key.retires_at.map(Timestamp::unix_millis),
        revoked_at: key.revoked_at.map(Timestamp::unix_millis),
    };
    stored(KeyItem::SORT_KEY, &key.id, value)
}

pub(in crate::table) fn to_api_key(item: Item) -> Result<ApiKey, BrokenRecord> {
    read(item, |stored: Stored<KeyItem>| {
        let value = stored.value;
        let name = Actor::parse(&value.name).ok()?;
        Some(ApiKey {
            id: id_of(&stored.pk)?.to_owned(),
            version: value.version,
            owner: to_owner(value.account_id.as_deref())?,
            created_by: match value.created_by {
                Some(by) => Actor::parse(&by).ok()?,
                None => name.clone(),
            },
            created_by_key: value.created_by_key,
            name,
            scopes: to_scopes(&value.scopes)?,
            secret_hash: value.secret_hash,
            created_at: Timestamp::from_unix_millis(value.created_at),
            replaces: value.replaces,
            expires_at: value.expires_at.map(Timestamp::from_unix_millis),
            retires_at: value.retires_at.map(Timestamp::from_unix_millis),
            revoked_at: value.revoked_at.map(Timestamp::from_unix_millis),
            is_console_token: false,
        })
    })
}

pub(in crate::table) fn from_console_session(session: &ConsoleSession) -> Item {
    let token = session.token.as_ref();
    let end = token.map_or(session.code_expires_at, |token| token.expires_at);
    let value = ConsoleSessionItem {
        version: session.version.saturating_add(1),
        account_id: from_owner(&session.owner),
        person: session.person.to_string(),
        scopes: from_scopes(&session.scopes),
        code_hash: session.code_hash.clone(),
        code_expires_at: session.code_expires_at.unix_millis(),
        created_by: session.created_by.to_string(),
        key_id: session.key_id.clone(),
        token_hash: token.map(|token| token.hash.clone()),
        token_expires_at: token.map(|token| token.expires_at.unix_millis()),
        delete_after: end.unix_seconds().saturating_add(SESSION_KEPT_SECONDS),
    };
    stored(ConsoleSessionItem::SORT_KEY, &session.id, value)
}

pub(in crate::table) fn to_console_session(item: Item) -> Result<ConsoleSession, BrokenRecord> {
    read(item, |stored: Stored<ConsoleSessionItem>| {
        let value = stored.value;
        let token = value.token_hash.zip(value.token_expires_at);
        let token =
            token.map(|(hash, end)| Token { hash, expires_at: Timestamp::from_unix_millis(end) });
        Some(ConsoleSession {
            id: id_of(&stored.pk)?.to_owned(),
            version: value.version,
            owner: to_owner(value.account_id.as_deref())?,
            person: Actor::parse(&value.person).ok()?,
            scopes: to_scopes(&value.scopes)?,
            code_hash: value.code_hash,
            code_expires_at: Timestamp::from_unix_millis(value.code_expires_at),
            created_by: Actor::parse(&value.created_by).ok()?,
            key_id: value.key_id,
            token,
        })
    })
}

fn from_owner(owner: &KeyOwner) -> Option<String> {
    match owner {
        KeyOwner::Account(account) => Some(account.to_string()),
        KeyOwner::Operator => None,
    }
}

fn to_owner(account: Option<&str>) -> Option<KeyOwner> {
    match account {
        Some(account) => Some(KeyOwner::Account(AccountId::parse(account).ok()?)),
        None => Some(KeyOwner::Operator),
    }
}

fn from_scopes(scopes: &[Scope]) -> Vec<String> {
    scopes.iter().map(|scope| scope.name().to_owned()).collect()
}

fn to_scopes(names: &[String]) -> Option<Vec<Scope>> {
    names.iter().map(|name| Scope::parse(name)).collect()
}
