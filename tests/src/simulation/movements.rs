//! What moves the balance at the provider, and what it tells about that: each payment that was taken,
//! each refund that left or came back, each dispute whose money was withdrawn or reinstated.

use serde_json::{Value, json};

use super::engine::Reply;
use super::going_back::{Refund, Standing, Taken};
use super::network::Call;
use super::provider::{Form, Provider, field, number, read_form, refuse_for, reply};

/// Most movements of a page, however many are asked for.
const MOST: u64 = 40;

/// What the bank keeps of a dispute, in cents.
const DISPUTE_FEE: i64 = 1_500;

/// Something that moved the balance.
#[derive(Debug, Clone)]
pub struct Movement {
    /// When, in milliseconds of a whole second.
    pub at: u64,
    /// Why.
    pub category: Category,
    /// The payment, the refund or the dispute.
    pub of: String,
    /// Into the balance, in cents; below zero for what went out.
    pub cents: i64,
    /// What the provider kept of it.
    pub fee: i64,
    /// In what, in lower case.
    pub currency: &'static str,
}

/// Why the balance moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// A payment was taken.
    Charge,
    /// A refund left.
    Refund,
    /// A refund came back.
    RefundFailure,
    /// A bank took a disputed payment.
    Dispute,
    /// A bank gave it back.
    DisputeReversal,
    /// Money went to the merchant's own bank account.
    Payout,
}

impl Category {
    /// The provider's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::RefundFailure => "refund_failure",
            Self::Dispute => "dispute",
            Self::DisputeReversal => "dispute_reversal",
            Self::Payout => "payout",
        }
    }

    /// What moves for so many cents, and what is kept of it.
    const fn moves(self, cents: i64) -> (i64, i64) {
        match self {
            Self::Charge => (cents, cents / 40 + 30),
            Self::Refund | Self::Payout => (-cents, 0),
            Self::Dispute => (-cents, DISPUTE_FEE),
            Self::RefundFailure | Self::DisputeReversal => (cents, 0),
        }
    }
}

impl Provider {
    /// What moved from one moment on and before another, oldest first.
    pub fn moved(&self, from: u64, to: u64) -> impl Iterator<Item = &Movement> {
        self.movements.iter().filter(move |movement| (from..to).contains(&movement.at))
    }

    /// The balance moves.
    pub(super) fn book(
        &mut self,
        category: Category,
        of: &str,
        cents: u64,
        currency: &'static str,
    ) {
        let at = u64::try_from(self.now()).unwrap_or_default() * 1_000;
        let (cents, fee) = category.moves(i64::try_from(cents).unwrap_or(i64::MAX));
        let of = of.to_owned();
        self.movements.push(Movement { at, category, of, cents, fee, currency });
    }

    /// A refund moves the balance when it has left, and when it comes back after that.
    pub(super) fn book_refund(&mut self, index: usize, before: Standing) {
        let Refund { id, cents, currency, standing, .. } = self.back.refunds[index].clone();
        match (before, standing) {
            (Standing::Pending, Standing::Succeeded) => {
                self.back.refunds[index].moved = true;
                self.book(Category::Refund, &id, cents, currency);
            }
            (Standing::Succeeded, Standing::Failed) => {
                self.book(Category::RefundFailure, &id, cents, currency);
            }
            _ => {}
        }
    }

    /// A page of what moved the balance, newest first.
    pub(super) fn list_movements(&self, call: &Call) -> Reply {
        let form = read_form(&call.body);
        let bound = |name: &str| number(field(&form, name)).map(|seconds| seconds * 1_000);
        let from = bound("created[gte]").unwrap_or_default();
        let to = bound("created[lt]").unwrap_or(u64::MAX);
        let numbered = self.movements.iter().enumerate();
        let mut found: Vec<_> =
            numbered.filter(|(_, movement)| (from..to).contains(&movement.at)).collect();
        found.sort_by_key(|(index, movement)| (movement.at, *index));
        found.reverse();
        if let Some(after) = form.get("starting_after") {
            let position = found.iter().position(|(index, _)| name_of(*index) == *after);
            let Some(position) = position else { return refuse_for("resource_missing") };
            found.drain(..=position);
        }
        let most = number(field(&form, "limit")).unwrap_or(10).min(MOST);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let has_more = found.len() > most;
        found.truncate(most);
        let data: Vec<Value> =
            found.iter().map(|(index, movement)| self.shape(*index, movement, &form)).collect();
        reply(200, &json!({"object": "list", "data": data, "has_more": has_more, "url": "/v1/x"}))
    }

    /// What was ever charged for a payment: a card that was refused, and then one that was not.
    pub(super) fn list_charges(&self, call: &Call) -> Reply {
        let form = read_form(&call.body);
        let Some(taken) = self.back.of(field(&form, "payment_intent")) else {
            return refuse_for("resource_missing");
        };
        let charge = charge(taken);
        let mut refused = charge.clone();
        (refused["status"], refused["id"]) = (json!("failed"), json!("ch_refused"));
        let data = [charge, refused];
        reply(200, &json!({"object": "list", "data": data, "has_more": false, "url": "/v1/x"}))
    }

    fn shape(&self, index: usize, movement: &Movement, form: &Form) -> Value {
        let expanded = |path: &str| form.values().any(|value| value == path);
        let source = match movement.category {
            Category::Payout => json!(movement.of),
            _ if !expanded("data.source") => json!(movement.of),
            Category::Charge => self.charge_of(&movement.of),
            Category::Refund
            | Category::RefundFailure
            | Category::Dispute
            | Category::DisputeReversal => {
                let (mut shape, payment) = self.back.shape_of(&movement.of);
                shape["charge"] = match expanded("data.source.charge") {
                    true => self.charge_of(&payment),
                    false => json!(format!("ch_{payment}")),
                };
                shape
            }
        };
        json!({
            "id": name_of(index),
            "object": "balance_transaction",
            "amount": movement.cents,
            "created": movement.at / 1_000,
            "currency": movement.currency,
            "fee": movement.fee,
            "net": movement.cents - movement.fee,
            "reporting_category": movement.category.name(),
            "source": source,
        })
    }

    fn charge_of(&self, payment: &str) -> Value {
        self.back.of(payment).map(charge).unwrap_or_default()
    }
}

fn name_of(index: usize) -> String {
    format!("txn_{}", index + 1)
}

fn charge(taken: &Taken) -> Value {
    json!({
        "id": format!("ch_{}", taken.payment),
        "object": "charge",
        "amount": taken.cents,
        "created": taken.created,
        "currency": taken.currency,
        "metadata": {
            "topup_stage": "local", "account_id": taken.account, "order_id": taken.order,
        },
        "payment_intent": taken.payment,
        "status": "succeeded",
    })
}
