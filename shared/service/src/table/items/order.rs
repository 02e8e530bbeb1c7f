//! The item of an order, the largest one there is.

use std::collections::BTreeMap;

use ledger::{
    AccountId, Actor, Attempt, AttemptOutcome, Balance, CancelRequest, Change, Method, Order,
    OrderId, OrderStatus, PaymentId, Rate, Reason, Target, Timeline, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::bank_transfer::{BankTransferItem, from_bank_transfer, to_bank_transfer};
use super::reversal::{ReversalsItem, from_reversals, to_reversals};
use super::{Keyed, Stored, optional};
use crate::error::BrokenRecord;
use crate::record::{Checkout, CheckoutSession, OrderRecord, RequestWords};
use crate::table::Item;

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct OrderItem {
    version: u64,
    account_id: String,
    listed_under: String,
    listed_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_queue: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_at: Option<String>,
    target: String,
    method: String,
    amount: String,
    currency: String,
    payable: String,
    payable_currency: String,
    timeline: Vec<ChangeItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told_at: Option<i64>,
    created_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cancel_requested_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cancel_requested_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settled: Option<SettledItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uncredited: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uncredited_currency: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reversals: Option<ReversalsItem>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<AttemptItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    return_url: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checkout: Option<CheckoutItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bank_transfer: Option<BankTransferItem>,
}

#[derive(Serialize, Deserialize)]
struct ChangeItem {
    at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    to: String,
    reason: String,
    by: String,
}

#[derive(Serialize, Deserialize)]
struct SettledItem {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_id: Option<String>,
    received: String,
    received_currency: String,
    credited: String,
    debt_paid: String,
    late: bool,
    paid_at: i64,
    completed_at: i64,
}

#[derive(Serialize, Deserialize)]
struct AttemptItem {
    at: i64,
    payment_id: String,
    outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decline_code: Option<String>,
    reference: String,
}

#[derive(Serialize, Deserialize)]
struct CheckoutItem {
    attempt: u32,
    description: String,
    return_url: String,
    expires_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_url: Option<String>,
}

impl Keyed for OrderItem {
    const SORT_KEY: &'static str = "ORDER";
}

/// The partition of the `by_time` index in which an account's orders are listed.
pub(in crate::table) fn listed_under(account: &AccountId) -> String {
    super::partition_key(OrderItem::SORT_KEY, account.as_str())
}

/// The item that the next version of an order is stored as, after what is told of it.
pub(in crate::table) fn from_order(record: &OrderRecord, told_at: Option<Timestamp>) -> Item {
    let order = &record.order;
    let id = order.id.as_str();
    let due = due(order);
    let wish = order.cancel_request.as_ref();
    let value = OrderItem {
        version: record.version.saturating_add(1),
        account_id: order.account.to_string(),
        listed_under: listed_under(&order.account),
        listed_at: super::due_at(order.created_at, id),
        due_queue: due.as_ref().map(|(queue, _)| queue.clone()),
        due_at: due.map(|(_, at)| super::due_at(at, id)),
        target: order.target.to_string(),
        method: order.method.name().to_owned(),
        amount: order.amount.to_string(),
        currency: order.amount.currency.code().to_owned(),
        payable: order.payable.to_string(),
        payable_currency: order.payable.currency.code().to_owned(),
        timeline: order.timeline.changes().iter().map(from_change).collect(),
        told_at: told_at.map(Timestamp::unix_millis),
        created_at: order.created_at.unix_millis(),
        expires_at: order.expires_at.map(Timestamp::unix_millis),
        cancel_requested_at: wish.map(|wish| wish.at.unix_millis()),
        cancel_requested_by: wish.and_then(|wish| wish.by.as_ref()).map(Actor::to_string),
        settled: from_settled(order),
        uncredited: order.uncredited.map(|money| money.to_string()),
        uncredited_currency: order.uncredited.map(|money| money.currency.code().to_owned()),
        reversals: from_reversals(&order.reversals),
        attempts: order.attempts.iter().map(from_attempt).collect(),
        email: record.request.email.clone(),
        return_url: record.request.return_url.clone(),
        metadata: record.request.metadata.clone(),
        checkout: record.checkout.as_ref().map(from_checkout),
        rate: order.rate.map(|rate| rate.to_string()),
        bank_transfer: order
            .bank_transfer
            .as_ref()
            .map(|transfer| from_bank_transfer(transfer, record.instructions.as_ref())),
    };
    super::stored(OrderItem::SORT_KEY, id, value)
}

/// Where an order waits for somebody, and since or until when.
fn due(order: &Order) -> Option<(String, Timestamp)> {
    let id = order.id.as_str();
    match (order.status(), order.method) {
        (OrderStatus::PendingReview, _) => {
            Some((super::REVIEWS.to_owned(), order.timeline.changed_at()))
        }
        (OrderStatus::PendingPayment, Method::Offline) => {
            Some((super::due_queue(super::AWAITED_TRANSFERS, id), order.expires_at?))
        }
        (status, _) if status.is_open() => {
            Some((super::due_queue(super::OPEN_ORDERS, id), order.expires_at?))
        }
        _ => {
            let since = order.pending_refund()?.created_at;
            Some((super::PENDING_REFUNDS.to_owned(), since))
        }
    }
}

/// The order that an item stands for.
pub(in crate::table) fn to_order(item: Item) -> Result<OrderRecord, BrokenRecord> {
    super::read(item, |stored: Stored<OrderItem>| {
        let value = stored.value;
        let amount = super::money(&value.amount, &value.currency)?;
        let changes = value.timeline.iter().map(to_change).collect::<Option<Vec<_>>>()?;
        let attempts = value.attempts.into_iter().map(to_attempt);
        let settled = value.settled.as_ref();
        let at = Timestamp::from_unix_millis;
        let timeline = Timeline::restore(changes).ok()?;
        let (bank_transfer, instructions) = match value.bank_transfer {
            Some(transfer) => {
                let (transfer, instructions) = to_bank_transfer(transfer)?;
                (Some(transfer), instructions)
            }
            None => (None, None),
        };
        let order = Order {
            id: super::id_of(&stored.pk).and_then(|id| OrderId::parse(id).ok())?,
            account: AccountId::parse(&value.account_id).ok()?,
            target: Target::parse(&value.target).ok()?,
            method: Method::parse(&value.method)?,
            amount,
            payable: super::money(&value.payable, &value.payable_currency)?,
            rate: optional(value.rate.as_deref(), |rate| Rate::parse(rate).ok())?,
            bank_transfer,
            cancel_request: to_wish(value.cancel_requested_at, value.cancel_requested_by)?,
            timeline,
            payment_id: optional(
                settled.and_then(|settled| settled.payment_id.as_deref()),
                |id| PaymentId::parse(id).ok(),
            )?,
            received: optional(settled, |settled| {
                super::money(&settled.received, &settled.received_currency)
            })?,
            uncredited: optional(
                value.uncredited.zip(value.uncredited_currency),
                |(amount, currency)| super::money(&amount, &currency),
            )?,
            credited: optional(settled, |settled| Balance::parse(&settled.credited).ok())?,
            debt_paid: optional(settled, |settled| Balance::parse(&settled.debt_paid).ok())?,
            reversals: to_reversals(value.reversals.as_ref())?,
            late: settled.is_some_and(|settled| settled.late),
            attempts: attempts.collect::<Option<_>>()?,
            created_at: at(value.created_at),
            expires_at: value.expires_at.map(at),
            paid_at: settled.map(|settled| at(settled.paid_at)),
            completed_at: settled.map(|settled| at(settled.completed_at)),
        };
        Some(OrderRecord {
            version: value.version,
            stored_changes: order.timeline.changes().len(),
            stored_refunds: order.refunded(),
            stored_disputes: order.reversals.dispute_statuses(),
            told_at: value.told_at.map(at),
            order,
            request: RequestWords {
                email: value.email,
                return_url: value.return_url,
                metadata: value.metadata,
            },
            checkout: value.checkout.map(to_checkout),
            instructions,
        })
    })
}

fn from_change(change: &Change) -> ChangeItem {
    ChangeItem {
        at: change.at.unix_millis(),
        from: change.from.map(|from| from.name().to_owned()),
        to: change.to.name().to_owned(),
        reason: change.reason.name().to_owned(),
        by: change.by.to_string(),
    }
}

fn to_change(item: &ChangeItem) -> Option<Change> {
    Some(Change {
        at: Timestamp::from_unix_millis(item.at),
        from: optional(item.from.as_deref(), OrderStatus::parse)?,
        to: OrderStatus::parse(&item.to)?,
        reason: Reason::parse(&item.reason)?,
        by: Actor::parse(&item.by).ok()?,
    })
}

fn from_settled(order: &Order) -> Option<SettledItem> {
    let received = order.received?;
    Some(SettledItem {
        payment_id: order.payment_id.as_ref().map(ToString::to_string),
        received: received.to_string(),
        received_currency: received.currency.code().to_owned(),
        credited: super::exact(order.credited?),
        debt_paid: super::exact(order.debt_paid?),
        late: order.late,
        paid_at: order.paid_at?.unix_millis(),
        completed_at: order.completed_at?.unix_millis(),
    })
}

fn from_attempt(attempt: &Attempt) -> AttemptItem {
    AttemptItem {
        at: attempt.at.unix_millis(),
        payment_id: attempt.payment_id.to_string(),
        outcome: attempt.outcome.name().to_owned(),
        decline_code: attempt.decline_code.clone(),
        reference: attempt.reference.clone(),
    }
}

fn to_attempt(item: AttemptItem) -> Option<Attempt> {
    Some(Attempt {
        at: Timestamp::from_unix_millis(item.at),
        payment_id: PaymentId::parse(&item.payment_id).ok()?,
        outcome: AttemptOutcome::parse(&item.outcome)?,
        decline_code: item.decline_code,
        reference: item.reference,
    })
}

fn from_checkout(checkout: &Checkout) -> CheckoutItem {
    CheckoutItem {
        attempt: checkout.attempt,
        description: checkout.description.clone(),
        return_url: checkout.return_url.clone(),
        expires_at: checkout.expires_at.unix_millis(),
        session_id: checkout.session.as_ref().map(|session| session.id.clone()),
        session_url: checkout.session.as_ref().map(|session| session.url.clone()),
    }
}

fn to_checkout(item: CheckoutItem) -> Checkout {
    Checkout {
        attempt: item.attempt,
        description: item.description,
        return_url: item.return_url,
        expires_at: Timestamp::from_unix_millis(item.expires_at),
        session: item.session_id.zip(item.session_url).map(|(id, url)| CheckoutSession { id, url }),
    }
}

/// A wish to cancel that may not be there; `None` if it is there and cannot be read.
#[expect(clippy::option_option, reason = "absent and unreadable are two different things")]
fn to_wish(at: Option<i64>, by: Option<String>) -> Option<Option<CancelRequest>> {
    let Some(at) = at else { return Some(None) };
    let by = optional(by, |by| Actor::parse(&by).ok())?;
    Some(Some(CancelRequest { at: Timestamp::from_unix_millis(at), by }))
}
