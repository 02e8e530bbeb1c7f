//! The items of money that is used: a charge, put once, and a hold, replaced at its version.

use std::collections::BTreeMap;

use ledger::{
    AccountId, Actor, Amount, Balance, Charge, ChargeId, Currency, FromHold, Hold, HoldId,
    HoldStatus, MAX_DECIMALS, Money, Note, ProductCode, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{
    Keyed, OPEN_HOLDS, Stored, due_at, due_queue, exact, id_of, partition_key, read, stored,
};
use crate::error::BrokenRecord;
use crate::record::{ChargeRecord, HoldRecord, UsageWords};
use crate::table::Item;

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct ChargeItem {
    account_id: String,
    product: String,
    amount: String,
    currency: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hold_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_of_hold: Option<bool>,
    entry: u64,
    by: String,
    at: i64,
    #[serde(default, skip_serializing_if = "WordsItem::is_empty")]
    words: WordsItem,
}

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct HoldItem {
    version: u64,
    account_id: String,
    listed_under: String,
    listed_at: String,
    product: String,
    amount: String,
    currency: String,
    captured: String,
    status: String,
    created_at: i64,
    expires_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed_at: Option<i64>,
    by: String,
    #[serde(default, skip_serializing_if = "WordsItem::is_empty")]
    words: WordsItem,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_queue: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_at: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
struct WordsItem {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
}

impl Keyed for ChargeItem {
    const SORT_KEY: &'static str = "CHARGE";
}
impl Keyed for HoldItem {
    const SORT_KEY: &'static str = "HOLD";
}

/// The partition of the `by_time` index in which the holds of an account are listed.
pub(in crate::table) fn holds_listed_under(account: &AccountId) -> String {
    partition_key(HoldItem::SORT_KEY, account.as_str())
}

pub(in crate::table) fn from_charge(record: &ChargeRecord) -> Item {
    let charge = &record.charge;
    let value = ChargeItem {
        account_id: charge.account.to_string(),
        product: charge.product.to_string(),
        amount: charge.money.amount.decimal().to_string(),
        currency: charge.money.currency.code().to_owned(),
        hold_id: charge.from_hold.as_ref().map(|hold| hold.id.to_string()),
        last_of_hold: charge.from_hold.as_ref().map(|hold| hold.last),
        entry: charge.entry,
        by: charge.by.to_string(),
        at: charge.at.unix_millis(),
        words: WordsItem::of(&record.words),
    };
    stored(ChargeItem::SORT_KEY, charge.id.as_str(), value)
}

pub(in crate::table) fn to_charge(item: Item) -> Result<ChargeRecord, BrokenRecord> {
    read(item, |stored: Stored<ChargeItem>| {
        let value = stored.value;
        let from_hold = match (value.hold_id, value.last_of_hold) {
            (None, None) => None,
            (Some(id), Some(last)) => Some(FromHold { id: HoldId::parse(&id).ok()?, last }),
            _ => return None,
        };
        let charge = Charge {
            id: id_of(&stored.pk).and_then(|id| ChargeId::parse(id).ok())?,
            account: AccountId::parse(&value.account_id).ok()?,
            product: ProductCode::parse(&value.product).ok()?,
            money: exact_money(&value.amount, &value.currency)?,
            from_hold,
            entry: value.entry,
            by: Actor::parse(&value.by).ok()?,
            at: Timestamp::from_unix_millis(value.at),
        };
        Some(ChargeRecord { charge, words: value.words.parse()? })
    })
}

pub(in crate::table) fn from_hold(record: &HoldRecord) -> Item {
    let hold = &record.hold;
    let id = hold.id.as_str();
    let is_open = hold.status == HoldStatus::Open;
    let value = HoldItem {
        version: record.version.saturating_add(1),
        account_id: hold.account.to_string(),
        listed_under: holds_listed_under(&hold.account),
        listed_at: due_at(hold.created_at, id),
        product: hold.product.to_string(),
        amount: hold.money.amount.decimal().to_string(),
        currency: hold.money.currency.code().to_owned(),
        captured: exact(hold.captured),
        status: hold.status.name().to_owned(),
        created_at: hold.created_at.unix_millis(),
        expires_at: hold.expires_at.unix_millis(),
        closed_at: hold.closed_at.map(Timestamp::unix_millis),
        by: hold.by.to_string(),
        words: WordsItem::of(&record.words),
        due_queue: is_open.then(|| due_queue(OPEN_HOLDS, id)),
        due_at: is_open.then(|| due_at(hold.expires_at, id)),
    };
    stored(HoldItem::SORT_KEY, id, value)
}

pub(in crate::table) fn to_hold(item: Item) -> Result<HoldRecord, BrokenRecord> {
    read(item, |stored: Stored<HoldItem>| {
        let value = stored.value;
        let hold = Hold {
            id: id_of(&stored.pk).and_then(|id| HoldId::parse(id).ok())?,
            account: AccountId::parse(&value.account_id).ok()?,
            product: ProductCode::parse(&value.product).ok()?,
            money: exact_money(&value.amount, &value.currency)?,
            captured: Balance::parse(&value.captured).ok()?,
            status: HoldStatus::parse(&value.status)?,
            created_at: Timestamp::from_unix_millis(value.created_at),
            expires_at: Timestamp::from_unix_millis(value.expires_at),
            closed_at: value.closed_at.map(Timestamp::from_unix_millis),
            by: Actor::parse(&value.by).ok()?,
        };
        Some(HoldRecord { hold, version: value.version, words: value.words.parse()? })
    })
}

impl WordsItem {
    fn of(words: &UsageWords) -> Self {
        let description = words.description.as_ref().map(ToString::to_string);
        Self { description, metadata: words.metadata.clone() }
    }

    fn is_empty(&self) -> bool {
        self.description.is_none() && self.metadata.is_empty()
    }

    fn parse(self) -> Option<UsageWords> {
        let description = self.description.map(|text| Note::parse(&text)).transpose().ok()?;
        Some(UsageWords { description, metadata: self.metadata })
    }
}

/// Money that does not cross the border: with every decimal that a balance can have.
fn exact_money(amount: &str, currency: &str) -> Option<Money> {
    let amount = Amount::parse(amount, MAX_DECIMALS).ok()?;
    Some(Money { amount, currency: Currency::parse(currency).ok()? })
}
