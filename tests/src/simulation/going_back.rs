//! Payments that go back, at the provider: refunds that are asked for by its API or made in its
//! dashboard, and disputes of the payers' banks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::engine::Reply;
use super::micros::{self, Micros};
use super::model::{Model, Order};
use super::movements::Category;
use super::network::Call;
use super::provider::{Provider, field, number, read_form, refuse_for, reply};

/// Refunds and disputes of one payment, at most.
const MOST: usize = 4;

/// What the provider knows about payments that go back.
#[derive(Debug, Default)]
pub struct GoneBack {
    /// All refunds, oldest first.
    pub refunds: Vec<Refund>,
    /// All disputes, oldest first.
    pub disputes: Vec<Dispute>,
    /// How the next refund that is asked for stands at once.
    pub next: Standing,
    /// What was paid, oldest first.
    pub taken: Vec<Taken>,
}

/// A payment as it was first taken.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The payment.
    pub payment: String,
    /// The account that it names.
    pub account: String,
    /// The order that it names.
    pub order: String,
    /// How much, in cents.
    pub cents: u64,
    /// In what, in lower case.
    pub currency: &'static str,
    /// When, in seconds.
    pub created: i64,
}

/// Where a refund stands; it only ever moves down this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Standing {
    /// It is on its way.
    Pending,
    /// It has left.
    #[default]
    Succeeded,
    /// It came back.
    Failed,
}

/// A refund.
#[derive(Debug, Clone)]
pub struct Refund {
    /// Its id.
    pub id: String,
    /// Of which payment.
    pub payment: String,
    /// How much, in cents.
    pub cents: u64,
    /// In what, in lower case.
    pub currency: &'static str,
    /// Where it stands.
    pub standing: Standing,
    /// What the endpoint is told of that, sooner or later; nothing if every event of it is lost.
    pub told: Option<Standing>,
    /// Whether it moved the balance: its money had left, whatever came of that.
    pub moved: bool,
    /// The marks that it carries; none if it was made in the dashboard.
    pub marks: BTreeMap<String, String>,
    created: i64,
}

/// A dispute.
#[derive(Debug, Clone)]
pub struct Dispute {
    /// Its id.
    pub id: String,
    /// Of which payment.
    pub payment: String,
    /// How much, in cents.
    pub cents: u64,
    /// In what, in lower case.
    pub currency: &'static str,
    /// What is true of it: `contested`, `closed`, `withdrawn`, `reinstated`, `won`, `lost`.
    pub facts: BTreeSet<&'static str>,
    /// What of that the endpoint is told, sooner or later.
    pub told: BTreeSet<&'static str>,
    created: i64,
}

impl Standing {
    /// The provider's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

impl Taken {
    /// Whether it is exactly so many dollars.
    #[must_use]
    pub fn is(&self, dollars: Micros) -> bool {
        self.currency == "usd" && micros::from_cents(self.cents) == dollars
    }
}

impl Refund {
    /// The id of the request that it was made for.
    #[must_use]
    pub fn asked(&self) -> Option<&str> {
        self.marks.get("refund_id").map(String::as_str)
    }
}

impl Dispute {
    fn shape(&self) -> Value {
        let cents = i64::try_from(self.cents).unwrap_or(i64::MAX);
        let facts = [("withdrawn", -cents), ("reinstated", cents)].into_iter();
        let moved = facts.filter(|(fact, _)| self.facts.contains(fact));
        let moved: Vec<_> = moved.map(|(_, amount)| json!({"amount": amount})).collect();
        json!({
            "id": self.id, "object": "dispute", "payment_intent": self.payment,
            "amount": self.cents, "currency": self.currency, "status": self.status(),
            "reason": "fraudulent", "created": self.created, "metadata": {},
            "balance_transactions": moved,
        })
    }

    fn status(&self) -> &'static str {
        let is = |fact| self.facts.contains(fact);
        match () {
            () if is("lost") => "lost",
            () if is("won") => "won",
            () if is("withdrawn") => "under_review",
            () if is("contested") => "needs_response",
            () if is("closed") => "warning_closed",
            () => "warning_needs_response",
        }
    }

    /// What comes next, if anything does.
    fn next(&self, chance: u32) -> Option<&'static str> {
        let is = |fact| self.facts.contains(fact);
        match chance % 4 {
            _ if is("lost") || is("reinstated") || is("closed") => None,
            _ if is("won") => is("withdrawn").then_some("reinstated"),
            0 if !is("contested") => Some("closed"),
            _ if !is("contested") => Some("contested"),
            0 if is("withdrawn") => Some("lost"),
            3 if is("withdrawn") => Some("reinstated"),
            0 | 1 => Some("won"),
            _ if is("withdrawn") => None,
            _ => Some("withdrawn"),
        }
    }
}

impl GoneBack {
    /// The refund of that id.
    #[must_use]
    pub fn refund(&self, id: &str) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.id == id)
    }

    /// The dispute of that id.
    #[must_use]
    pub fn dispute(&self, id: &str) -> Option<&Dispute> {
        self.disputes.iter().find(|dispute| dispute.id == id)
    }

    /// The refund that was made for a request.
    #[must_use]
    pub fn made_for(&self, request: &str) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.asked() == Some(request))
    }

    /// A payment that was really taken.
    #[must_use]
    pub fn of(&self, payment: &str) -> Option<&Taken> {
        self.taken.iter().find(|taken| taken.payment == payment)
    }

    /// A refund or a dispute in the provider's shape, and its payment.
    pub(super) fn shape_of(&self, id: &str) -> (Value, String) {
        let refund = self.refund(id).map(|refund| (shape(refund), refund.payment.clone()));
        let dispute = self.dispute(id).map(|dispute| (dispute.shape(), dispute.payment.clone()));
        refund.or(dispute).unwrap_or_default()
    }

    /// A dispute that is looked at.
    pub(super) fn answer_dispute(&self, id: &str) -> Reply {
        match self.dispute(id) {
            Some(dispute) => reply(200, &dispute.shape()),
            None => refuse_for("resource_missing"),
        }
    }

    /// Why so much of a payment cannot be given back now, in the provider's words.
    fn refusal(&self, payment: &str, cents: u64) -> Option<&'static str> {
        let Some(taken) = self.of(payment) else { return Some("resource_missing") };
        let disputed = |dispute: &Dispute| {
            let is = |fact| dispute.facts.contains(fact);
            dispute.payment == payment && is("contested") && !is("won")
        };
        let refunds = self.refunds.iter();
        let gone = refunds
            .filter(|refund| refund.payment == payment && refund.standing != Standing::Failed)
            .fold(0, |sum, refund| sum + refund.cents);
        match cents {
            _ if self.disputes.iter().any(disputed) => Some("charge_disputed"),
            cents if cents == 0 || gone + cents > taken.cents => Some("charge_already_refunded"),
            _ => None,
        }
    }
}

impl Provider {
    /// Whether a refund may be asked for: it was set aside before, its key belongs to it alone, and it
    /// was not made under another key.
    pub(super) fn check_refund(&self, call: &Call, model: &Model) -> Result<(), String> {
        let form = read_form(&call.body);
        let (order, id) = (field(&form, "metadata[order_id]"), field(&form, "metadata[refund_id]"));
        let image = model.orders.get(order).map(Order::now);
        let of_order = image.and_then(|image| {
            let payment = image.settled.as_ref()?.payment.as_deref()?;
            Some((payment, image.reversals.refund(id)?))
        });
        // One of a finding may have been overtaken by another one since it was set aside.
        let of_finding = model.set_aside.get(id);
        let of_finding = of_finding.map(|(payment, refund)| (payment.as_str(), refund));
        let set_aside = of_order.or(of_finding);
        let (payment, refund) = set_aside.ok_or_else(|| format!("{id} is not set aside"))?;
        let cents = number(field(&form, "amount")).unwrap_or_default();
        if payment != field(&form, "payment_intent") || micros::from_cents(cents) != refund.amount {
            return Err(format!("{id} was asked for as {form:?}, and is {refund:?}"));
        }
        let key = call.key.as_deref().unwrap_or_default();
        let (prefix, attempt) = key.rsplit_once(':').unwrap_or_default();
        if prefix != id || number(attempt).is_none_or(|attempt| attempt > refund.attempt) {
            return Err(format!("{id} was asked for with the key {key}"));
        }
        match self.back.made_for(id) {
            Some(made) if self.kept(key, &form).is_none() => {
                Err(format!("{id} is made again with the key {key}, and is {}", made.id))
            }
            _ => Ok(()),
        }
    }

    /// Does what a request about refunds asks for.
    pub(super) fn answer_refunds(&mut self, call: &Call, method: &str, path: &str) -> Reply {
        match (method, path) {
            ("POST", "") => self.refund(call),
            ("GET", "") => {
                // The newest comes first.
                let query = read_form(&call.body);
                let payment = field(&query, "payment_intent");
                let refunds = self.back.refunds.iter().rev();
                let found = refunds.filter(|refund| refund.payment == payment);
                let data: Vec<Value> = found.map(shape).collect();
                reply(200, &json!({"data": data, "has_more": false, "url": "/v1/refunds"}))
            }
            ("GET", id) => match self.back.refund(id.trim_start_matches('/')) {
                Some(refund) => reply(200, &shape(refund)),
                None => refuse_for("resource_missing"),
            },
            _ => refuse_for("resource_missing"),
        }
    }

    fn refund(&mut self, call: &Call) -> Reply {
        let key = call.key.clone().unwrap_or_default();
        let form = read_form(&call.body);
        if let Some(kept) = self.kept(&key, &form) {
            return kept;
        }
        let payment = field(&form, "payment_intent").to_owned();
        let cents = number(field(&form, "amount")).unwrap_or_default();
        let made = match self.back.refusal(&payment, cents) {
            Some(why) => refuse_for(why),
            None => {
                let mark = |name: &str| {
                    let value = field(&form, &format!("metadata[{name}]"));
                    (name.to_owned(), value.to_owned())
                };
                let names = ["topup_stage", "account_id", "order_id", "refund_id"];
                let marks = names.into_iter().map(mark).collect();
                let standing = self.back.next;
                let lost = self.loses();
                let index = self.make_refund(&payment, cents, standing, marks);
                self.tell_refund(index, "refund.created", lost);
                reply(200, &shape(&self.back.refunds[index]))
            }
        };
        self.keep(key, form, &made);
        made
    }

    /// Somebody gives so much of a payment back in the dashboard, if the provider lets them.
    pub fn refund_in_dashboard(
        &mut self,
        payment: &str,
        cents: u64,
        standing: Standing,
        lost: bool,
    ) -> bool {
        let of_payment = |refund: &&Refund| refund.payment == payment;
        let many = self.back.refunds.iter().filter(of_payment).count() >= MOST;
        if many || self.back.refusal(payment, cents).is_some() {
            return false;
        }
        let index = self.make_refund(payment, cents, standing, BTreeMap::new());
        self.tell_refund(index, "refund.created", lost);
        true
    }

    /// A refund arrives, or comes back. Whether it could.
    pub fn refund_ends(&mut self, index: usize, standing: Standing, lost: bool) -> bool {
        let refund = &mut self.back.refunds[index];
        let before = refund.standing;
        if before >= standing {
            return false;
        }
        refund.standing = standing;
        self.book_refund(index, before);
        let failed = standing == Standing::Failed;
        self.tell_refund(index, if failed { "refund.failed" } else { "refund.updated" }, lost);
        true
    }

    /// The payer's bank asks for so much of a payment, or only has a question. Whether it could.
    pub fn dispute(&mut self, payment: &str, cents: u64, question: bool, lost: bool) -> bool {
        let Some(taken) = self.back.of(payment).cloned() else { return false };
        let of_payment = |dispute: &&Dispute| dispute.payment == payment;
        if self.back.disputes.iter().filter(of_payment).count() >= MOST {
            return false;
        }
        let contested = (!question).then_some("contested");
        let created = self.now();
        self.back.disputes.push(Dispute {
            id: format!("du_{}", self.back.disputes.len() + 1),
            payment: taken.payment,
            cents: cents.min(taken.cents),
            currency: taken.currency,
            facts: contested.into_iter().collect(),
            told: BTreeSet::new(),
            created,
        });
        self.tell_dispute(self.back.disputes.len() - 1, "created", lost);
        true
    }

    /// A dispute goes its way. Whether anything was left to happen.
    pub fn dispute_goes_on(&mut self, index: usize, chance: u32, lost: bool) -> bool {
        let dispute = &mut self.back.disputes[index];
        let Some(next) = dispute.next(chance) else { return false };
        let event = match next {
            "withdrawn" => "funds_withdrawn",
            "reinstated" => "funds_reinstated",
            "contested" => "updated",
            _ => "closed",
        };
        dispute.facts.insert(next);
        let Dispute { id, cents, currency, .. } = dispute.clone();
        match next {
            "withdrawn" => self.book(Category::Dispute, &id, cents, currency),
            "reinstated" => self.book(Category::DisputeReversal, &id, cents, currency),
            _ => {}
        }
        self.tell_dispute(index, event, lost);
        true
    }

    fn make_refund(
        &mut self,
        payment: &str,
        cents: u64,
        standing: Standing,
        marks: BTreeMap<String, String>,
    ) -> usize {
        let currency = self.back.of(payment).map_or("usd", |taken| taken.currency);
        let id = format!("re_{}", self.back.refunds.len() + 1);
        let payment = payment.to_owned();
        let (told, moved, created) = (None, false, self.now());
        let refund = Refund { id, payment, cents, currency, standing, told, moved, marks, created };
        self.back.refunds.push(refund);
        let index = self.back.refunds.len() - 1;
        self.book_refund(index, Standing::Pending);
        index
    }

    fn tell_refund(&mut self, index: usize, kind: &str, lost: bool) {
        let refund = self.back.refunds[index].clone();
        self.tell(kind, shape(&refund));
        match lost {
            true => self.lose_last(),
            false => self.back.refunds[index].told = refund.told.max(Some(refund.standing)),
        }
    }

    fn tell_dispute(&mut self, index: usize, change: &str, lost: bool) {
        let dispute = self.back.disputes[index].clone();
        self.tell(&format!("charge.dispute.{change}"), dispute.shape());
        if lost {
            return self.lose_last();
        }
        // That money moved is only told by the event that says so.
        let says = |fact: &&'static str| match *fact {
            "withdrawn" => change == "funds_withdrawn",
            "reinstated" => change == "funds_reinstated",
            _ => true,
        };
        self.back.disputes[index].told.extend(dispute.facts.into_iter().filter(says));
    }
}

fn shape(refund: &Refund) -> Value {
    let failed = refund.standing == Standing::Failed;
    json!({
        "id": refund.id,
        "object": "refund",
        "amount": refund.cents,
        "created": refund.created,
        "currency": refund.currency,
        "failure_reason": failed.then_some("expired_or_canceled_card"),
        "metadata": refund.marks,
        "payment_intent": refund.payment,
        "reason": "requested_by_customer",
        "status": refund.standing.name(),
    })
}
