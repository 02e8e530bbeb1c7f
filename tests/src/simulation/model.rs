//! What the product must do, written from the contract and without any of the product's code.
//!
//! Accounts are plain maps from places to millionths. The model is told three kinds of things: what
//! clients *wished*, what the payment provider says about *payments*, and what the table *committed*.
//! It answers whether that commit was allowed, and remembers every state that was ever true, so that
//! an answer to a client can be held against it.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::images::{AccountImage, ClaimImage, EntryImage, FindingImage, OrderImage, Step};
use super::journal::Account;
use super::micros::{self, Micros};

/// An order, and every state it ever had.
#[derive(Debug, Clone)]
pub struct Order {
    /// What it was at each version, from version 1 on.
    pub history: Vec<OrderImage>,
}

/// What a client asked for, by the id that the product must give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// A top-up by card.
    Card {
        /// Whose.
        account: String,
        /// `wallet` or `product:<code>`.
        target: String,
        /// How much.
        amount: Micros,
    },
    /// Money from the wallet to a product.
    Transfer {
        /// Whose.
        account: String,
        /// `product:<code>`.
        target: String,
        /// How much.
        amount: Micros,
    },
}

/// Money that the provider took, or says it took.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Payment {
    /// The provider's id.
    pub id: String,
    /// The order that it names.
    pub order: String,
    /// How much, in cents.
    pub cents: u64,
    /// In what, in lower case.
    pub currency: String,
}

/// All that must be true.
#[derive(Debug, Default)]
pub struct Model {
    /// By id.
    pub accounts: BTreeMap<String, Account>,
    /// By id.
    pub orders: BTreeMap<String, Order>,
    /// By the order id that they must get; several if a key is used for several requests.
    pub wishes: BTreeMap<String, Vec<Wish>>,
    /// What really was paid.
    pub payments: BTreeSet<Payment>,
    /// Payment to order.
    pub credited: BTreeMap<String, String>,
    /// Order and payment.
    pub findings: BTreeSet<(String, String)>,
    /// Orders whose making was answered 201.
    pub made: BTreeSet<String>,
}

impl Order {
    /// As it is now.
    #[must_use]
    pub fn now(&self) -> &OrderImage {
        self.history.last().expect("an order begins at version 1")
    }

    /// The number of its last write.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.history.len() as u64
    }
}

impl Wish {
    /// Method, account, target and amount.
    #[must_use]
    pub fn parts(&self) -> (&str, &str, &str, Micros) {
        match self {
            Self::Card { account, target, amount } => ("card", account, target, *amount),
            Self::Transfer { account, target, amount } => ("balance", account, target, *amount),
        }
    }
}

impl Model {
    /// An account as the simulation found it after making it: empty.
    pub fn open(&mut self, account: &str) {
        self.accounts.insert(account.to_owned(), Account::default());
    }

    /// A client asks for this, and the product must record it under this id if it does it.
    pub fn wish(&mut self, order_id: &str, wish: Wish) {
        let wishes = self.wishes.entry(order_id.to_owned()).or_default();
        if !wishes.contains(&wish) {
            wishes.push(wish);
        }
    }

    /// What a step, which is not committed yet, means for an order and for a payment.
    #[must_use]
    pub fn meaning(&self, step: &Step) -> Vec<String> {
        let mut meaning = Vec::new();
        if let Some(order) = &step.order {
            let before = self.known(order).map_or("nothing", OrderImage::status);
            if before != order.status() {
                meaning.push(format!("{}: {before} to {}", order.method, order.status()));
            }
        }
        meaning.extend(step.finding.iter().map(|finding| format!("finding: {}", finding.kind)));
        meaning
    }

    /// Something was committed.
    ///
    /// # Errors
    /// What must not be.
    pub fn commit(&mut self, step: &Step) -> Result<(), String> {
        match (&step.entry, &step.account) {
            (None, None) => self.change_order(step)?,
            (Some(entry), Some(account)) => self.move_money(step, entry, account)?,
            (Some(_), None) => return Err("an entry without its account".to_owned()),
            (None, Some(_)) => return Err("an account was written without an entry".to_owned()),
        }
        if let Some(order) = &step.order {
            let history = self.orders.entry(order.id.clone());
            history.or_insert(Order { history: Vec::new() }).history.push(order.clone());
        }
        if let Some(FindingImage { order, payment, .. }) = &step.finding
            && !self.findings.insert((order.clone(), payment.clone()))
        {
            return Err(format!("a second finding about {payment} and {order}"));
        }
        Ok(())
    }

    /// A commit that moves no money.
    fn change_order(&self, step: &Step) -> Result<(), String> {
        if step.claim.is_some() {
            return Err("a payment was claimed without an entry".to_owned());
        }
        let Some(order) = &step.order else {
            return match &step.finding {
                Some(finding) => self.must_be_paid(finding),
                None => Err("a commit of nothing".to_owned()),
            };
        };
        self.follows(order)?;
        if order.settled.is_some() && self.known(order).is_none_or(|known| known.settled.is_none())
        {
            return Err(format!("{} is completed without an entry", order.id));
        }
        match &step.finding {
            Some(finding) => self.must_be_paid(finding),
            None => Ok(()),
        }
    }

    fn must_be_paid(&self, finding: &FindingImage) -> Result<(), String> {
        let about =
            |payment: &&Payment| payment.id == finding.payment && payment.order == finding.order;
        match self.payments.iter().any(|payment| about(&payment)) {
            true => Ok(()),
            false => Err(format!("a finding about {} which nobody paid", finding.payment)),
        }
    }

    /// A commit that moves money: order, entry and account belong together.
    fn move_money(
        &mut self,
        step: &Step,
        entry: &EntryImage,
        written: &AccountImage,
    ) -> Result<(), String> {
        let order = step.order.as_ref().ok_or("money moved without an order")?;
        self.follows(order)?;
        let settled = order.settled.as_ref().ok_or("money moved for an order that is not done")?;
        if order.status() != "completed" || entry.document != order.id {
            return Err(format!("money moved for {} in status {}", order.id, order.status()));
        }
        if entry.account != order.account || written.id != order.account {
            return Err(format!("{} moved money of {}", order.id, entry.account));
        }
        if self.known(order).is_some_and(|known| known.settled.is_some()) {
            return Err(format!("{} moved money twice", order.id));
        }
        if settled.credited != order.amount || settled.debt_paid != 0 {
            return Err(format!("{} credited {:?}", order.id, settled));
        }
        let expected = match entry.kind.as_str() {
            "card_top_up" => self.must_be_credited(order, step.claim.as_ref())?,
            "transfer" => {
                if step.claim.is_some() || order.method != "balance" {
                    return Err(format!("{} is no transfer", order.id));
                }
                BTreeMap::from([
                    ("wallet".to_owned(), -order.amount),
                    (order.target.clone(), order.amount),
                ])
            }
            other => return Err(format!("entry {} is of kind {other}", entry.number)),
        };
        let lines: Vec<_> = expected.into_iter().collect();
        if entry.lines_by_name() != lines {
            return Err(format!("{} moved {:?}, not {lines:?}", order.id, entry.lines));
        }
        let account = self.accounts.get_mut(&order.account).ok_or("an account nobody made")?;
        account.append(entry, written)
    }

    /// The lines of a credit, if the provider took exactly this money and it was never credited.
    fn must_be_credited(
        &mut self,
        order: &OrderImage,
        claim: Option<&ClaimImage>,
    ) -> Result<BTreeMap<String, Micros>, String> {
        let claim = claim.ok_or_else(|| format!("{} was credited without a claim", order.id))?;
        let settled = order.settled.as_ref().and_then(|settled| settled.payment.as_deref());
        if settled != Some(claim.payment.as_str()) || claim.order != order.id {
            return Err(format!("{} was credited by another payment's claim", order.id));
        }
        let paid = self.payments.iter().any(|payment| {
            payment.id == claim.payment
                && payment.order == order.id
                && micros::from_cents(payment.cents) == order.amount
                && payment.currency == "usd"
        });
        if order.method != "card" || !paid {
            let id = &order.id;
            return Err(format!("{id} was credited, but {} did not pay exactly it", claim.payment));
        }
        if let Some(other) = self.credited.insert(claim.payment.clone(), order.id.clone()) {
            return Err(format!("{} was credited to {other} and to {}", claim.payment, order.id));
        }
        Ok(BTreeMap::from([
            ("external:card".to_owned(), -order.amount),
            (order.target.clone(), order.amount),
        ]))
    }

    /// In the end every payment is credited once, or there is a finding about it; and the right
    /// payment of an order is credited unless a wrong one came first. No order is left open.
    ///
    /// # Errors
    /// What was lost.
    pub fn everything_is_settled(&self) -> Result<(), String> {
        for payment in &self.payments {
            let Payment { id, order, .. } = payment;
            let credited = self.credited.get(id).is_some_and(|to| to == order);
            let found = self.findings.contains(&(order.clone(), id.clone()));
            match (credited, found) {
                (true, false) => {}
                (true, true) => return Err(format!("{id} was credited and is a finding")),
                (false, false) => return Err(format!("{id} for {order} is lost")),
                (false, true) => self.must_be_wrong(payment)?,
            }
        }
        let open = self
            .orders
            .iter()
            .find(|(_, order)| ["pending_payment", "processing"].contains(&order.now().status()));
        match open {
            Some((id, order)) => Err(format!("{id} is left open: {:?}", order.now())),
            None => Ok(()),
        }
    }

    /// A payment that was not credited is not the only one of its order, or not the right one.
    fn must_be_wrong(&self, payment: &Payment) -> Result<(), String> {
        let Some(order) = self.orders.get(&payment.order) else { return Ok(()) };
        let right = payment.currency == "usd"
            && micros::from_cents(payment.cents) == order.now().amount
            && order.now().method == "card"
            && !self.credited.contains_key(&payment.id);
        let alone =
            self.payments.iter().all(|other| other.order != payment.order || other == payment);
        match right && alone {
            true => Err(format!("{} is a finding, and was right", payment.id)),
            false => Ok(()),
        }
    }

    fn known(&self, order: &OrderImage) -> Option<&OrderImage> {
        self.orders.get(&order.id).map(Order::now)
    }

    /// An order is what somebody wished, keeps its words, and only moves forward.
    fn follows(&self, order: &OrderImage) -> Result<(), String> {
        let id = &order.id;
        let Some(known) = self.known(order) else {
            let wished = self.wishes.get(id).is_some_and(|wishes| {
                let same = (
                    order.method.as_str(),
                    order.account.as_str(),
                    order.target.as_str(),
                    order.amount,
                );
                wishes.iter().any(|wish| wish.parts() == same)
            });
            return match (wished, order.version) {
                (true, 1) => moves(id, &[], &order.statuses),
                (true, version) => Err(format!("{id} begins at version {version}")),
                (false, _) => Err(format!("nobody asked for {id}: {order:?}")),
            };
        };
        if order.version != known.version + 1 {
            return Err(format!("{id} went from version {} to {}", known.version, order.version));
        }
        let words = |order: &OrderImage| {
            (order.account.clone(), order.method.clone(), order.target.clone(), order.amount)
        };
        if words(order) != words(known) {
            return Err(format!("{id} changed what was ordered"));
        }
        if !order.statuses.starts_with(&known.statuses) {
            return Err(format!("{id} changed its past: {:?}", order.statuses));
        }
        if known.cancel_requested && !order.cancel_requested {
            return Err(format!("{id} forgot that it is to be cancelled"));
        }
        moves(id, &known.statuses, &order.statuses)
    }
}

/// The moves of an order that the contract knows.
fn moves(id: &str, before: &[String], after: &[String]) -> Result<(), String> {
    for index in before.len()..after.len() {
        let to = after[index].as_str();
        let from = index.checked_sub(1).map(|index| after[index].as_str());
        let legal = match from {
            None => ["pending_payment", "completed"].contains(&to),
            Some("pending_payment") => {
                ["processing", "completed", "failed", "cancelled", "expired", "exception"]
                    .contains(&to)
            }
            Some("processing") => ["completed", "failed", "exception"].contains(&to),
            Some("failed" | "cancelled" | "expired") => ["completed", "exception"].contains(&to),
            Some(_) => false,
        };
        if !legal {
            return Err(format!("{id} went from {from:?} to {to}"));
        }
    }
    Ok(())
}

/// The id that an order with this key must have: 100 bits of SHA-256 over the length-prefixed
/// account, operation and key, in Crockford's base32.
#[must_use]
pub fn order_id(account: &str, operation: &str, key: &str) -> String {
    let mut hash = Sha256::new();
    for part in [account, operation, key] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let alphabet = b"0123456789abcdefghjkmnpqrstvwxyz";
    let bit = |index: usize| digest[index / 8] >> (7 - index % 8) & 1;
    let symbol = |index: usize| {
        let value = (0..5).fold(0, |value, offset| value << 1 | bit(index * 5 + offset));
        char::from(alphabet[usize::from(value)])
    };
    format!("ord_{}", (0..20).map(symbol).collect::<String>())
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_order_id_is_what_the_ledger_makes_it() {
        assert_eq!(super::order_id("acme", "order", "first"), "ord_jt397vere7tffkphxzmp");
    }
}
