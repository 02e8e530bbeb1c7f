//! The item of a finding, and what leads from a payment to it.

use ledger::{
    AccountId, Actor, Finding, FindingEnd, FindingKind, FindingOutcome, FindingState, Money, Note,
    OrderId, PaymentId, ProviderId, Timestamp, WholeRefunds,
};
use serde::{Deserialize, Serialize};

use super::reversal::{RefundItem, from_refund, to_refund};
use super::{Keyed, Stored, due_at, id_of, money, optional, partition_key, read, stored, to_item};
use crate::error::BrokenRecord;
use crate::findings::FindingRecord;
use crate::table::Item;

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct FindingItem {
    version: u64,
    listed_under: String,
    listed_at: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reversal_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expected: Option<MoneyItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actual: Option<MoneyItem>,
    found_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refund: Option<RefundItem>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    other_refunds: Vec<RefundItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed: Option<ClosedItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resolved_before: Option<ClosedItem>,
}

#[derive(Serialize, Deserialize)]
struct MoneyItem {
    amount: String,
    currency: String,
}

#[derive(Serialize, Deserialize)]
struct ClosedItem {
    at: i64,
    by: String,
    how: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// What leads from a payment that was credited to no order to its finding.
#[derive(Serialize, Deserialize)]
pub(in crate::table) struct FoundItem {
    finding_id: String,
}

impl Keyed for FindingItem {
    const SORT_KEY: &'static str = "FINDING";
}
impl Keyed for FoundItem {
    const SORT_KEY: &'static str = "FOUND";
}

/// The partition of the `by_time` index in which findings are listed: those that a person must look
/// at, and the others.
pub(in crate::table) const fn findings_listed_under(open: bool) -> &'static str {
    if open { "FINDINGS#open" } else { "FINDINGS#closed" }
}

pub(in crate::table) fn from_finding(record: &FindingRecord) -> Item {
    let (finding, state) = (&record.finding, &record.state);
    let id = finding.id();
    let value = FindingItem {
        version: record.version.saturating_add(1),
        listed_under: findings_listed_under(state.is_open()).to_owned(),
        listed_at: due_at(finding.found_at, &id),
        kind: finding.kind.name().to_owned(),
        account_id: finding.account.as_ref().map(ToString::to_string),
        order_id: finding.order.as_ref().map(ToString::to_string),
        payment_id: finding.payment.as_ref().map(ToString::to_string),
        reversal_id: finding.reversal.as_ref().map(ToString::to_string),
        expected: finding.expected.map(from_money),
        actual: finding.actual.map(from_money),
        found_at: finding.found_at.unix_millis(),
        refund: state.refunds.deciding().map(from_refund),
        other_refunds: state.refunds.others().iter().map(from_refund).collect(),
        closed: state.closed.as_ref().map(from_closed),
        resolved_before: state.resolved_before.as_ref().map(from_closed),
    };
    stored(FindingItem::SORT_KEY, &id, value)
}

pub(in crate::table) fn to_finding(item: Item) -> Result<FindingRecord, BrokenRecord> {
    read(item, |stored: Stored<FindingItem>| {
        let value = stored.value;
        let finding = Finding {
            kind: FindingKind::parse(&value.kind)?,
            account: optional(value.account_id.as_deref(), |id| AccountId::parse(id).ok())?,
            order: optional(value.order_id.as_deref(), |id| OrderId::parse(id).ok())?,
            payment: optional(value.payment_id.as_deref(), |id| PaymentId::parse(id).ok())?,
            reversal: optional(value.reversal_id.as_deref(), |id| ProviderId::parse(id).ok())?,
            expected: optional(value.expected.as_ref(), to_money)?,
            actual: optional(value.actual.as_ref(), to_money)?,
            found_at: Timestamp::from_unix_millis(value.found_at),
        };
        let closed = optional(value.closed.as_ref(), to_closed)?;
        let resolved_before = optional(value.resolved_before.as_ref(), to_closed)?;
        let refunds = value.other_refunds.iter().chain(&value.refund);
        let refunds = WholeRefunds::new(refunds.map(to_refund).collect::<Option<_>>()?);
        let known = id_of(&stored.pk)? == finding.id();
        let version = value.version;
        let state = FindingState { refunds, closed, resolved_before };
        known.then_some(FindingRecord { finding, version, state })
    })
}

/// The pointer from a payment to its finding; none for a finding that is not about a payment.
pub(in crate::table) fn from_found(finding: &Finding) -> Option<Item> {
    let payment = finding.payment.as_ref().filter(|_| finding.reversal.is_none())?;
    let key = partition_key("PAYMENT", payment.as_str());
    Some(to_item(key, FoundItem::SORT_KEY, FoundItem { finding_id: finding.id() }))
}

/// The finding that a payment leads to.
pub(in crate::table) fn to_found(item: Item) -> Result<String, BrokenRecord> {
    read(item, |stored: Stored<FoundItem>| Some(stored.value.finding_id))
}

fn from_closed(closed: &FindingEnd) -> ClosedItem {
    ClosedItem {
        at: closed.at.unix_millis(),
        by: closed.by.to_string(),
        how: closed.how.name().to_owned(),
        reason: closed.reason.as_ref().map(ToString::to_string),
    }
}

fn to_closed(item: &ClosedItem) -> Option<FindingEnd> {
    Some(FindingEnd {
        at: Timestamp::from_unix_millis(item.at),
        by: Actor::parse(&item.by).ok()?,
        how: FindingOutcome::parse(&item.how)?,
        reason: optional(item.reason.as_deref(), |reason| Note::parse(reason).ok())?,
    })
}

fn from_money(money: Money) -> MoneyItem {
    MoneyItem { amount: money.to_string(), currency: money.currency.code().to_owned() }
}

fn to_money(item: &MoneyItem) -> Option<Money> {
    money(&item.amount, &item.currency)
}
