//! The part of an order's item that belongs to its refunds and disputes.

use ledger::{
    Actor, BankReference, Dispute, DisputeOutcome, Note, ProviderId, Refund, RefundId,
    RefundStatus, Reversals, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{exact, money, optional};

#[derive(Serialize, Deserialize)]
pub(super) struct ReversalsItem {
    taken: String,
    held: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<RefundItem>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    disputes: Vec<DisputeItem>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct RefundItem {
    id: String,
    amount: String,
    currency: String,
    status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bank_reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    attempt: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unclear_since: Option<i64>,
    by: String,
    created_at: i64,
}

#[derive(Serialize, Deserialize)]
struct DisputeItem {
    id: String,
    amount: String,
    currency: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    contested: bool,
    #[serde(default)]
    closed: bool,
    withdrawn: bool,
    reinstated: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    created_at: i64,
}

pub(super) fn from_reversals(reversals: &Reversals) -> Option<ReversalsItem> {
    (*reversals != Reversals::default()).then(|| ReversalsItem {
        taken: exact(reversals.taken),
        held: exact(reversals.held),
        refunds: reversals.refunds.iter().map(from_refund).collect(),
        disputes: reversals.disputes.iter().map(from_dispute).collect(),
    })
}

pub(super) fn to_reversals(item: Option<&ReversalsItem>) -> Option<Reversals> {
    let Some(item) = item else { return Some(Reversals::default()) };
    Some(Reversals {
        taken: ledger::Balance::parse(&item.taken).ok()?,
        held: ledger::Balance::parse(&item.held).ok()?,
        refunds: item.refunds.iter().map(to_refund).collect::<Option<_>>()?,
        disputes: item.disputes.iter().map(to_dispute).collect::<Option<_>>()?,
    })
}

pub(super) fn from_refund(refund: &Refund) -> RefundItem {
    RefundItem {
        id: refund.id.to_string(),
        amount: refund.money.to_string(),
        currency: refund.money.currency.code().to_owned(),
        status: refund.status.name().to_owned(),
        provider_id: refund.provider_id.as_ref().map(ToString::to_string),
        bank_reference: refund.bank_reference.as_ref().map(ToString::to_string),
        reason: refund.reason.as_ref().map(ToString::to_string),
        failure: refund.failure.clone(),
        attempt: refund.attempt,
        unclear_since: refund.unclear_since.map(Timestamp::unix_millis),
        by: refund.by.to_string(),
        created_at: refund.created_at.unix_millis(),
    }
}

pub(super) fn to_refund(item: &RefundItem) -> Option<Refund> {
    Some(Refund {
        id: RefundId::parse(&item.id).ok()?,
        money: money(&item.amount, &item.currency)?,
        status: RefundStatus::parse(&item.status)?,
        provider_id: optional(item.provider_id.as_deref(), |id| ProviderId::parse(id).ok())?,
        bank_reference: optional(item.bank_reference.as_deref(), |reference| {
            BankReference::parse(reference).ok()
        })?,
        reason: optional(item.reason.as_deref(), |reason| Note::parse(reason).ok())?,
        failure: item.failure.clone(),
        attempt: item.attempt,
        unclear_since: item.unclear_since.map(Timestamp::from_unix_millis),
        by: Actor::parse(&item.by).ok()?,
        created_at: Timestamp::from_unix_millis(item.created_at),
    })
}

fn from_dispute(dispute: &Dispute) -> DisputeItem {
    DisputeItem {
        id: dispute.id.to_string(),
        amount: dispute.money.to_string(),
        currency: dispute.money.currency.code().to_owned(),
        reason: dispute.reason.clone(),
        contested: dispute.contested,
        closed: dispute.closed,
        withdrawn: dispute.withdrawn,
        reinstated: dispute.reinstated,
        outcome: dispute.outcome.map(|outcome| outcome.name().to_owned()),
        created_at: dispute.created_at.unix_millis(),
    }
}

fn to_dispute(item: &DisputeItem) -> Option<Dispute> {
    Some(Dispute {
        id: ProviderId::parse(&item.id).ok()?,
        money: money(&item.amount, &item.currency)?,
        reason: item.reason.clone(),
        contested: item.contested,
        closed: item.closed,
        withdrawn: item.withdrawn,
        reinstated: item.reinstated,
        outcome: optional(item.outcome.as_deref(), DisputeOutcome::parse)?,
        created_at: Timestamp::from_unix_millis(item.created_at),
    })
}
