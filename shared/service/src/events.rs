//! What the platform is told: events, written in the same commit as what they are about.
//!
//! An event says what happened in a few words, with ids, amounts and no personal data; whoever needs
//! more reads the document. Its id is derived from what it is about, so that nothing is told twice.

use std::collections::BTreeMap;
use std::time::Duration;

use ledger::{
    Account, AccountId, Balance, Change, Dispute, EndpointId, EventId, Hold, HoldStatus,
    LowBalance, Order, OrderStatus, Reason, Timestamp,
};
use serde_json::{Value, json};

use crate::error::{Error, Invalid};
use crate::record::{OrderRecord, Page};
use crate::table::{Position, Table};

/// What can happen that the platform is told of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// An order was paid and credited.
    OrderCompleted,
    /// A delayed payment of an order failed for good.
    OrderFailed,
    /// An order was not paid in time.
    OrderExpired,
    /// A person did not find the reported transfer of an order.
    OrderRejected,
    /// The money of an order was given back, in part or all of it; or it was, and has returned.
    OrderRefunded,
    /// The bank of a cardholder asks the payment of an order back, or where that stands has changed.
    OrderDisputed,
    /// A balance fell below what its customer set for it.
    BalanceLow,
    /// The time of a hold is over, and what it kept is free again.
    HoldExpired,
    /// An endpoint failed for so long, or said that it is gone, that nothing is sent to it any more.
    EndpointDisabled,
    /// Something that only a newer program tells: it is stored, listed and sent under this name, and nothing more.
    Other(String),
}

/// Something that the platform is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Derived from what it is about.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// To whom; none for what is the operator's own.
    pub account: Option<AccountId>,
    /// When it was decided: the time of the request or run that made it so, and after the event before it of
    /// the same order.
    pub at: Timestamp,
    /// A few words of it, an object.
    pub about: Value,
}

/// An event, and what became of telling it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// The event, which never changes.
    pub event: Event,
    /// How often it was written; 0 before the first time.
    pub version: u64,
    /// What became of it at each endpoint that it is for; none before it was sent the first time.
    pub deliveries: BTreeMap<EndpointId, Delivery>,
    /// From when on a sweep may take it up; none once there is nothing left to be done.
    pub due: Option<Timestamp>,
}

/// What became of an event at one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The number of the endpoint that it is for: one that is made again under the same name is another.
    pub endpoint: u64,
    /// How often it was sent.
    pub attempts: u32,
    /// What came of the last time: an HTTP status, or why there is none.
    pub last_outcome: Option<String>,
    /// Where it stands.
    pub state: DeliveryState,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is sent at this time or later.
    Waiting(Timestamp),
    /// The endpoint took it.
    Delivered(Timestamp),
    /// It is not sent any more.
    GivenUp(Timestamp),
}

/// How long an event is left to the queue before a sweep takes it up.
pub(crate) const QUEUE_TIME: Duration = Duration::from_secs(60);

impl EventRecord {
    /// An event that was never stored.
    #[must_use]
    pub fn new(event: Event) -> Self {
        let due = Some(event.at.plus(QUEUE_TIME));
        Self { event, version: 0, deliveries: BTreeMap::new(), due }
    }
}

impl EventKind {
    /// All that this program tells.
    pub const ALL: [Self; 9] = [
        Self::OrderCompleted,
        Self::OrderFailed,
        Self::OrderExpired,
        Self::OrderRejected,
        Self::OrderRefunded,
        Self::OrderDisputed,
        Self::BalanceLow,
        Self::HoldExpired,
        Self::EndpointDisabled,
    ];

    /// The name that is stored and shown.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::OrderCompleted => "order.completed",
            Self::OrderFailed => "order.failed",
            Self::OrderExpired => "order.expired",
            Self::OrderRejected => "order.rejected",
            Self::OrderRefunded => "order.refunded",
            Self::OrderDisputed => "order.disputed",
            Self::BalanceLow => "balance.low",
            Self::HoldExpired => "hold.expired",
            Self::EndpointDisabled => "endpoint.disabled",
            Self::Other(name) => name,
        }
    }

    /// The kind of that name; none for what this program does not tell.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind that is stored under that name, maybe by a newer program.
    pub(crate) fn stored(name: String) -> Self {
        Self::parse(&name).unwrap_or(Self::Other(name))
    }

    /// What a change of an order's status is told as; none if it is not told.
    ///
    /// Money that was given back and has returned is told as [`Self::OrderRefunded`] with less that is
    /// refunded, not as completed once more: a platform delivers for what was completed. An order whose wrong
    /// payment went back is completed by the right one.
    #[must_use]
    pub const fn of_change(change: &Change) -> Option<Self> {
        match (change.to, change.reason) {
            (OrderStatus::PartiallyRefunded | OrderStatus::Refunded, _)
            | (_, Reason::RefundReturned) => Some(Self::OrderRefunded),
            (OrderStatus::Completed, _) => Some(Self::OrderCompleted),
            (OrderStatus::Failed, _) => Some(Self::OrderFailed),
            (OrderStatus::Expired, _) => Some(Self::OrderExpired),
            (OrderStatus::Rejected, _) => Some(Self::OrderRejected),
            _ => None,
        }
    }
}

/// How old an event is before it is listed. Its time is not before that of the request or run that made it so, which
/// commits until its function's timeout: by then no older event can come, so whoever reads on after the last
/// one misses nothing.
pub const LISTED_AFTER: Duration = Duration::from_secs(15 * 60);

/// What lists events, for whoever was not told of them.
#[derive(Debug)]
pub struct Events(pub Table);

impl Events {
    /// The events after this one, of all accounts, the oldest first; from the first one on if none is
    /// named. Those of the last quarter of an hour are not listed yet.
    ///
    /// # Errors
    /// `invalid_parameter` if there is no such event; the table did not answer.
    pub async fn list(
        &self,
        after: Option<&EventId>,
        limit: u8,
        now: Timestamp,
    ) -> Result<Page<Event>, Error> {
        let after = match after {
            Some(id) => Some(self.position(id).await?),
            None => None,
        };
        let page = self.0.events(after.as_ref(), now.minus(LISTED_AFTER), limit).await?;
        let events = page.items;
        let next = events.last().filter(|_| page.next.is_some());
        Ok(Page { next: next.map(|last| last.id.to_string()), items: events })
    }

    async fn position(&self, id: &EventId) -> Result<Position, Error> {
        let found = self.0.event(id).await?;
        let found = found.map(|record| Position::of(record.event.at, id.as_str()));
        let detail = "there is no such event";
        Ok(found.ok_or_else(|| Invalid::field("invalid_parameter", "after", detail))?)
    }
}

impl OrderRecord {
    /// What it has to tell that was not stored with it yet. Each event has a time after that of the one before:
    /// whoever keeps what was told last goes by that.
    pub(crate) fn events(&self, now: Timestamp) -> Vec<Event> {
        let order = &self.order;
        let changes = order.timeline.changes();
        let stored = changes.get(..self.stored_changes).unwrap_or(changes);
        let new = changes.iter().enumerate().skip(self.stored_changes);
        let told = new.filter_map(|(number, change)| {
            let id = EventId::of_change(&order.id, number);
            Some(Event::about_order(id, EventKind::of_change(change)?, order, change))
        });
        let mut told: Vec<_> = told.collect();
        // A further part that is given back leaves the status as it is.
        let back = EventKind::OrderRefunded;
        let is_told = told.iter().any(|event| event.kind == back);
        if order.refunded() != self.stored_refunds && !is_told {
            let id = EventId::of_refunds(&order.id, self.version.saturating_add(1));
            told.extend(order.last_change().map(|last| Event::about_order(id, back, order, last)));
        }
        // No dispute changes the status either.
        let moved = order.reversals.disputes.iter().filter(|dispute| {
            self.stored_disputes.get(&dispute.id).copied() != Some(dispute.status())
        });
        told.extend(moved.filter_map(|dispute| Event::of_dispute(order, dispute)));
        // Not every record knows when it was told of: no change was told before it was made.
        let mut told_at = self.told_at.max(stored.last().map(|change| change.at));
        let events = told.into_iter().map(|event| {
            let at = now.max(event.at);
            let at = told_at.map_or(at, |told_at| at.after(told_at));
            told_at = Some(at);
            Event { at, ..event }
        });
        events.collect()
    }

    /// The time of the last event about it, once these are stored.
    pub(crate) fn told_until(&self, events: &[Event]) -> Option<Timestamp> {
        events.last().map(|event| event.at).or(self.told_at)
    }
}

impl Event {
    /// What is told of an order after a change of its status, at the time of that.
    fn about_order(id: EventId, kind: EventKind, order: &Order, change: &Change) -> Self {
        let currency = order.amount.currency;
        let shown = |balance: Balance| balance.format(currency);
        let about = json!({
            "order_id": order.id.as_str(),
            "status": change.to.name(),
            "reason": change.reason.name(),
            "target": order.target.to_string(),
            "method": order.method.name(),
            "amount": order.amount.to_string(),
            "currency": currency.code(),
            "credited_amount": order.credited.map(shown),
            "refunded_amount": order.given_back().map(shown),
        });
        Self { id, kind, account: Some(order.account.clone()), at: change.at, about }
    }

    /// What is told of a dispute of an order's payment, wherever it stands now. `None` only for an order without a change,
    /// which there is not.
    fn of_dispute(order: &Order, dispute: &Dispute) -> Option<Self> {
        let status = dispute.status();
        let id = EventId::of_dispute(&order.id, &dispute.id, status);
        let mut event =
            Self::about_order(id, EventKind::OrderDisputed, order, order.last_change()?);
        let dispute = [
            ("dispute_id", json!(dispute.id.as_str())),
            ("dispute_status", json!(status.name())),
            ("dispute_reason", json!(dispute.reason)),
            ("disputed_amount", json!(dispute.money.to_string())),
        ];
        event.about.as_object_mut()?.extend(dispute.map(|(name, value)| (name.to_owned(), value)));
        Some(event)
    }

    /// What is told of a balance that has run low, of the account after that.
    pub(crate) fn of_low_balance(account: &Account, low: &LowBalance) -> Self {
        let about = json!({
            "target": low.target.to_string(),
            "available": low.available.format(account.currency),
            "alert_below": low.below.to_string(),
            "currency": account.currency.code(),
        });
        Self {
            id: EventId::of_low_balance(&account.id, account.version, &low.target),
            kind: EventKind::BalanceLow,
            account: Some(account.id.clone()),
            at: low.at,
            about,
        }
    }

    /// What is told of a hold whose time is over, when that is written down.
    pub(crate) fn of_expired_hold(hold: &Hold, now: Timestamp) -> Self {
        let currency = hold.money.currency;
        let kept = Hold { status: HoldStatus::Open, ..hold.clone() }.left();
        let about = json!({
            "hold_id": hold.id.as_str(),
            "status": hold.status.name(),
            "target": format!("product:{}", hold.product),
            "amount": hold.money.to_string(),
            "captured_amount": hold.captured.format(currency),
            "released_amount": kept.format(currency),
            "currency": currency.code(),
        });
        Self {
            id: EventId::of_expired_hold(&hold.id),
            kind: EventKind::HoldExpired,
            account: Some(hold.account.clone()),
            at: now,
            about,
        }
    }
}
