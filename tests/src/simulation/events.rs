//! What the platform is told, as the auditor knows it: each change that it is told of has one event,
//! written together with it, and no event is written without its cause. Written without the product's
//! code.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::bank::derived;
use super::images::{DisputeImage, OrderImage, Step, number, text};
use super::micros::{self, Micros};
use super::model::Model;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventImage {
    /// Its id.
    pub id: String,
    /// The number of its writes.
    pub version: u64,
    /// What happened.
    pub kind: String,
    /// To whom.
    pub account: String,
    /// When, in milliseconds.
    pub at: u64,
    /// What it says.
    pub about: Value,
}

/// What is told of a balance that has run low.
const LOW: &str = "balance.low";

/// What an event must say.
#[derive(Debug, PartialEq, Eq)]
struct Expected {
    kind: &'static str,
    account: String,
    about: BTreeMap<&'static str, String>,
}

pub(super) fn event(id: &str, item: &Value) -> Option<EventImage> {
    Some(EventImage {
        id: id.to_owned(),
        version: number(item, "version")?,
        kind: text(item, "kind")?.to_owned(),
        account: text(item, "account_id")?.to_owned(),
        at: number(item, "at")?,
        about: serde_json::from_str(text(item, "about")?).ok()?,
    })
}

/// What a move to a status for a reason is told as.
fn kind_of_move(to: &str, reason: &str) -> Option<&'static str> {
    match to {
        "completed" | "exception" if reason == "refund_returned" => Some("order.refunded"),
        "completed" => Some("order.completed"),
        "failed" => Some("order.failed"),
        "expired" => Some("order.expired"),
        "rejected" => Some("order.rejected"),
        "partially_refunded" | "refunded" => Some("order.refunded"),
        _ => None,
    }
}

impl OrderImage {
    /// What of its money was given back: never more than it brought in.
    fn given_back(&self) -> Micros {
        let made = self.reversals.refunds.iter().filter(|refund| refund.status == "succeeded");
        let given = made.fold(0, |sum, refund| sum + refund.amount);
        given.min(self.settled.as_ref().map_or(0, |settled| settled.credited))
    }
}

impl DisputeImage {
    /// Where it stands: what is known latest, and of a lost one that it is lost whatever came after.
    fn stands(&self) -> &str {
        let known = ["lost", "won", "reinstated", "withdrawn", "contested", "closed"];
        match known.into_iter().find(|fact| self.facts.contains(*fact)) {
            Some("contested") => "open",
            Some(fact) => fact,
            None => "inquiry",
        }
    }
}

impl Model {
    /// Each told change of a step has its event, and each event is of such a change; none is known.
    pub(super) fn tell(&mut self, step: &Step) -> Result<(), String> {
        let mut expected = BTreeMap::new();
        let moved = step.top_ups.iter().map(|(order, _)| order);
        for order in step.order.iter().chain(&step.follower).chain(moved) {
            expected.extend(self.told_of_order(order));
        }
        if let Some(hold) = step.hold.as_ref().filter(|hold| hold.status == "expired") {
            let about =
                BTreeMap::from([("hold_id", hold.id.clone()), ("status", hold.status.clone())]);
            let account = hold.placed.account.clone();
            let id = derived("evt_", &["hold", &hold.id, "expired"]);
            expected.insert(id, Expected { kind: "hold.expired", account, about });
        }
        let events = step.events.iter().filter(|event| event.kind != LOW);
        self.are_told(&expected, &events.collect::<Vec<_>>())
    }

    /// Each balance that has run low by this step has its event; comes after what it did to accounts.
    pub(super) fn tell_low_balances(&mut self, step: &Step) -> Result<(), String> {
        let mut expected = BTreeMap::new();
        for (id, account) in self.accounts.iter().filter(|(_, account)| !account.low.is_empty()) {
            for (target, below, available) in &account.low {
                let dollars = |amount: Micros| micros::shown(amount);
                let version = account.version.to_string();
                let event = derived("evt_", &["balance", id, &version, target]);
                // Who sets thresholds closes no hold whose time is over: what it kept is available all the same.
                let kept = account.holds.values().filter(|hold| hold.target == *target);
                let more = kept.fold(0, |sum, hold| sum + hold.left);
                let told = step.events.iter().find(|told| told.id == event);
                let told =
                    told.and_then(|told| told.about["available"].as_str()).unwrap_or_default();
                let with_holds = step.entry.is_none()
                    && micros::parse(told)
                        .is_some_and(|told| (*available..=*available + more).contains(&told));
                let available = if with_holds { told.to_owned() } else { dollars(*available) };
                let about = BTreeMap::from([
                    ("target", target.clone()),
                    ("alert_below", dollars(*below)),
                    ("available", available),
                ]);
                expected.insert(event, Expected { kind: LOW, account: id.clone(), about });
            }
        }
        let events = step.events.iter().filter(|event| event.kind == LOW);
        self.are_told(&expected, &events.collect::<Vec<_>>())
    }

    fn are_told(
        &mut self,
        expected: &BTreeMap<String, Expected>,
        events: &[&EventImage],
    ) -> Result<(), String> {
        let ids: BTreeSet<_> = events.iter().map(|event| &event.id).collect();
        if ids != expected.keys().collect() || ids.len() != events.len() {
            return Err(format!("{expected:?} was to be told, and is told as {events:?}"));
        }
        let mut in_time: Vec<_> = events.iter().collect();
        in_time.sort_by_key(|event| event.at);
        for event in in_time {
            // Whoever keeps what was told last of an order goes by the time: no two are of one moment.
            if let Some(order) = event.about["order_id"].as_str()
                && self.told_at.insert(order.to_owned(), event.at) >= Some(event.at)
            {
                return Err(format!("not told after what was told before: {event:?}"));
            }
            let wanted = expected.get(&event.id).ok_or("an event without its cause")?;
            let says = |(name, value): (&&str, &String)| event.about[*name] == **value;
            let right = event.kind == wanted.kind
                && event.account == wanted.account
                && wanted.about.iter().all(says)
                && event.version == 1;
            if !right || self.events.insert(event.id.clone(), (*event).clone()).is_some() {
                return Err(format!("{wanted:?} is told as {event:?}"));
            }
        }
        Ok(())
    }

    fn told_of_order(&self, order: &OrderImage) -> BTreeMap<String, Expected> {
        let known = self.known(order);
        let stored = known.map_or(0, |known| known.statuses.len());
        let expected = |kind, status: &str| Expected {
            kind,
            account: order.account.clone(),
            about: BTreeMap::from([("order_id", order.id.clone()), ("status", status.to_owned())]),
        };
        let mut told = BTreeMap::new();
        for (number, status) in order.statuses.iter().enumerate().skip(stored) {
            if let Some(kind) = kind_of_move(status, &order.reasons[number]) {
                let id = derived("evt_", &["order", &order.id, &number.to_string()]);
                told.insert(id, expected(kind, status));
            }
        }
        let is_told = told.values().any(|told| told.kind == "order.refunded");
        if order.given_back() != known.map_or(0, OrderImage::given_back) && !is_told {
            let id = derived("evt_", &["refunds", &order.id, &order.version.to_string()]);
            told.insert(id, expected("order.refunded", order.status()));
        }
        for dispute in &order.reversals.disputes {
            let mut known = known.iter().flat_map(|known| &known.reversals.disputes);
            let before = known.find(|known| known.id == dispute.id).map(DisputeImage::stands);
            let stands = dispute.stands();
            if before != Some(stands) {
                let id = derived("evt_", &["dispute", &order.id, &dispute.id, stands]);
                let mut expected = expected("order.disputed", order.status());
                let more = [
                    ("dispute_id", dispute.id.clone()),
                    ("dispute_status", stands.to_owned()),
                    ("disputed_amount", micros::shown(dispute.amount)),
                ];
                expected.about.extend(more);
                told.insert(id, expected);
            }
        }
        told
    }
}
