//! The items of money that came in or went back: the claim of a payment, and of a refund or dispute.

#[cfg(feature = "stripe")]
use ledger::ProviderId;
use ledger::{AccountId, OrderId, PaymentId, Timestamp};
use serde::{Deserialize, Serialize};

#[cfg(feature = "stripe")]
use super::shard;
use super::{Keyed, Stored, due_at, due_queue, id_of, money, read, stored};
use crate::error::BrokenRecord;
use crate::record::{PaymentClaim, ReversalClaim};
use crate::stamp;
use crate::table::Item;

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct PaymentItem {
    account_id: String,
    order_id: String,
    amount: String,
    currency: String,
    settled_at: i64,
    due_queue: String,
    due_at: String,
}

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct ReversalItem {
    payment_id: String,
    account_id: String,
    order_id: String,
    amount: String,
    currency: String,
    settled_at: i64,
    due_queue: String,
    due_at: String,
}

impl Keyed for PaymentItem {
    const SORT_KEY: &'static str = "PAYMENT";
}
impl Keyed for ReversalItem {
    const SORT_KEY: &'static str = "REVERSAL";
}

/// Payments that were credited on the day of a moment.
fn settled_queue(at: Timestamp) -> String {
    format!("settled-{}", day_of(at))
}

/// Refunds and disputes whose money was taken on the day of a moment.
fn reversed_queue(at: Timestamp) -> String {
    format!("reversed-{}", day_of(at))
}

fn day_of(at: Timestamp) -> String {
    stamp::format(at).chars().take(10).collect()
}

/// A shard of the payments that were credited on the day of a moment.
#[cfg(feature = "stripe")]
pub(in crate::table) fn settled_shard(at: Timestamp, number: u64) -> String {
    shard(&settled_queue(at), number)
}

/// A shard of the refunds and disputes whose money was taken on the day of a moment.
#[cfg(feature = "stripe")]
pub(in crate::table) fn reversed_shard(at: Timestamp, number: u64) -> String {
    shard(&reversed_queue(at), number)
}

pub(in crate::table) fn from_payment(claim: &PaymentClaim) -> Item {
    let id = claim.payment.as_str();
    let value = PaymentItem {
        account_id: claim.account.to_string(),
        order_id: claim.order.to_string(),
        amount: claim.money.to_string(),
        currency: claim.money.currency.code().to_owned(),
        settled_at: claim.settled_at.unix_millis(),
        due_queue: due_queue(&settled_queue(claim.settled_at), id),
        due_at: due_at(claim.settled_at, id),
    };
    stored(PaymentItem::SORT_KEY, id, value)
}

pub(in crate::table) fn to_payment(item: Item) -> Result<PaymentClaim, BrokenRecord> {
    read(item, |stored: Stored<PaymentItem>| {
        let value = stored.value;
        Some(PaymentClaim {
            payment: id_of(&stored.pk).and_then(|id| PaymentId::parse(id).ok())?,
            order: OrderId::parse(&value.order_id).ok()?,
            account: AccountId::parse(&value.account_id).ok()?,
            money: money(&value.amount, &value.currency)?,
            settled_at: Timestamp::from_unix_millis(value.settled_at),
        })
    })
}

pub(in crate::table) fn from_reversal(claim: &ReversalClaim) -> Item {
    let id = claim.reversal.as_str();
    let value = ReversalItem {
        payment_id: claim.payment.to_string(),
        account_id: claim.account.to_string(),
        order_id: claim.order.to_string(),
        amount: claim.money.to_string(),
        currency: claim.money.currency.code().to_owned(),
        settled_at: claim.settled_at.unix_millis(),
        due_queue: due_queue(&reversed_queue(claim.settled_at), id),
        due_at: due_at(claim.settled_at, id),
    };
    stored(ReversalItem::SORT_KEY, id, value)
}

#[cfg(feature = "stripe")]
pub(in crate::table) fn to_reversal(item: Item) -> Result<ReversalClaim, BrokenRecord> {
    read(item, |stored: Stored<ReversalItem>| {
        let value = stored.value;
        Some(ReversalClaim {
            reversal: id_of(&stored.pk).and_then(|id| ProviderId::parse(id).ok())?,
            payment: PaymentId::parse(&value.payment_id).ok()?,
            order: OrderId::parse(&value.order_id).ok()?,
            account: AccountId::parse(&value.account_id).ok()?,
            money: money(&value.amount, &value.currency)?,
            settled_at: Timestamp::from_unix_millis(value.settled_at),
        })
    })
}
