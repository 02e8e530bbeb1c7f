//! What the product must do, written from the contract and without any of the product's code.
//!
//! Accounts are plain maps from places to millionths. The model is told three kinds of things: what
//! clients *wished*, what the payment provider says about *payments*, and what the table *committed*.
//! It answers whether that commit was allowed, and remembers every state that was ever true, so that
//! an answer to a client can be held against it.

use std::collections::{BTreeMap, BTreeSet};

use super::bank::{self, Received, dollars};
use super::comparing::ComparisonImage;
use super::events::EventImage;
use super::going_back::GoneBack;
use super::images::{
    AccountImage, AdjustmentImage, ClaimImage, EntryImage, FindingImage, OrderImage, RefundImage,
    Step,
};
use super::journal::{Account, matches_journal};
use super::micros::{self, Micros};
use super::provider::Provider;
use super::reversals::WantedRefund;
use super::usage::Usage;
pub use super::wishes::Wish;
use super::wishes::moves;

/// An order, and every state it ever had.
#[derive(Debug, Clone)]
pub struct Order {
    /// What it was at each version, from version 1 on.
    pub history: Vec<OrderImage>,
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
    /// What of it nobody ever tells: only a sweep can find it.
    pub untold: BTreeSet<Payment>,
    /// What operators said to have found for which order.
    pub found: BTreeMap<String, BTreeSet<Received>>,
    /// Reference code to order.
    pub references: BTreeMap<String, String>,
    /// Payment to order.
    pub credited: BTreeMap<String, String>,
    /// Refunds and disputes whose money was taken, as the provider names them.
    pub taken: BTreeSet<String>,
    /// By id.
    pub findings: BTreeMap<String, FindingImage>,
    /// How often a finding that was closed was opened again.
    pub opened_again: u64,
    /// Payment to finding.
    pub pointers: BTreeMap<String, String>,
    /// Payments in the order of their credits.
    pub credits: Vec<String>,
    /// When what is claimed was settled, in milliseconds: by payment, refund or dispute.
    pub settled: BTreeMap<String, u64>,
    /// By id.
    pub comparisons: BTreeMap<String, ComparisonImage>,
    /// Where operators said that the payment of a finding belongs: finding, account and balance.
    pub credits_asked: BTreeSet<(String, String, String)>,
    /// Findings whose payment operators said to give back.
    pub refunds_asked: BTreeSet<String>,
    /// Refunds that findings ever had, by id, with their payment: as last seen.
    pub set_aside: BTreeMap<String, (String, RefundImage)>,
    /// By the id that they must get; several if a key is used for several requests.
    pub wanted_refunds: BTreeMap<String, Vec<WantedRefund>>,
    /// By the id that they must get; several if a key is used for several requests.
    pub wanted_adjustments: BTreeMap<String, Vec<AdjustmentImage>>,
    /// By id.
    pub adjustments: BTreeMap<String, AdjustmentImage>,
    /// Finding and reason, as operators say them.
    pub resolutions: BTreeSet<(String, String)>,
    /// What became of it: findings that were closed by a person, and why.
    pub resolved: BTreeSet<(String, String)>,
    /// Charges and holds.
    pub usage: Usage,
    /// What the platform is told, by id.
    pub events: BTreeMap<String, EventImage>,
    /// The time of the last event of each order.
    pub told_at: BTreeMap<String, u64>,
    /// Refunds, adjustments, charges and holds whose making was answered 201.
    pub done: BTreeSet<String>,
    /// Orders whose making was answered 201.
    pub made: BTreeSet<String>,
    /// Orders whose acceptance was answered 201.
    pub accepted: BTreeSet<String>,
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
        for order in step.order.iter().chain(&step.follower) {
            let before = self.known(order).map_or("nothing", OrderImage::status);
            if before != order.status() {
                meaning.push(format!("{}: {before} to {}", order.method, order.status()));
            }
        }
        if let Some(entry) = &step.entry {
            let debt = entry.lines.iter().find(|line| line.place == "external:debt");
            let debt = debt.map(|line| if line.amount < 0 { ", owed" } else { ", pays a debt" });
            meaning.push(format!("entry: {}{}", entry.kind, debt.unwrap_or_default()));
        }
        if let Some(released) = &step.released {
            let then = step.entry.as_ref().map(|entry| format!("then {}", entry.kind));
            let then = then.as_deref().unwrap_or("alone");
            meaning.push(format!("entry: {}, {then}", released.kind));
        }
        for (order, _) in &step.top_ups {
            let then = step.entry.as_ref().map_or("nothing", |entry| &entry.kind);
            let there =
                self.accounts.get(&order.account).map(|account| account.balance(&order.target));
            let used = step.charges.iter().fold(0, |sum, charge| sum + charge.made.amount);
            let rescued = if there.is_some_and(|there| there < used) { ", rescued" } else { "" };
            meaning.push(format!("automatic top-up, then {then}{rescued}"));
        }
        if step.charges.len() > 1 {
            meaning.push("charges that share a commit".to_owned());
        }
        if let Some(hold) = &step.hold {
            let before = self.usage.hold(&hold.id).map_or("nothing", |known| &known.status);
            meaning.push(format!("hold: {before} to {}", hold.status));
        }
        meaning.extend(step.events.iter().map(|event| format!("event: {}", event.kind)));
        if let Some(finding) = &step.finding {
            let how =
                |finding: &FindingImage| finding.closed.as_ref().map(|closed| closed.0.clone());
            let known = self.findings.get(&finding.id);
            meaning.push(match (known.and_then(how), how(finding)) {
                (None, None) if known.is_none() => format!("finding: {}", finding.kind),
                (Some(_), None) => "finding opened again".to_owned(),
                (_, Some(how)) => format!("finding closed: {how}"),
                _ => "finding with a refund".to_owned(),
            });
        }
        meaning
    }

    /// Something was committed.
    ///
    /// # Errors
    /// What must not be.
    pub fn commit(&mut self, step: &Step, provider: &Provider) -> Result<(), String> {
        let back = &provider.back;
        self.accounts.values_mut().for_each(|account| account.low.clear());
        self.tell(step)?;
        self.holds_end(step)?;
        match (&step.entry, &step.account) {
            _ if step.uses_money() => self.use_money(step)?,
            (None, None) if step.others > 0 && step.order.is_none() => {}
            (None, None) if step.comparison.is_some() && step.order.is_none() => {}
            (None, None) => self.change_order(step, back)?,
            (None, Some(account)) if step.profile.as_ref() == Some(&account.id) => {
                self.change_account(account)?;
            }
            (Some(entry), Some(account)) => match (&step.adjustment, entry.kind.as_str()) {
                (Some(adjustment), _) => self.adjust(adjustment, entry, account)?,
                (_, kind) if kind.starts_with("refund") || kind.starts_with("dispute") => {
                    self.move_back(step, entry, account, back)?;
                }
                _ => self.move_money(step, entry, account)?,
            },
            (Some(_), None) => return Err("an entry without its account".to_owned()),
            (None, Some(account)) if step.is_of_account_alone() => self.set_thresholds(account)?,
            (None, Some(_)) => return Err("an account was written without an entry".to_owned()),
        }
        if let Some(account) = &step.account {
            self.holds_keep(&account.id)?;
        }
        self.tell_low_balances(step)?;
        self.claim_taken(step)?;
        self.settled.extend(step.settled.iter().cloned());
        self.must_follow(step)?;
        for order in step.order.iter().chain(&step.follower) {
            let history = self.orders.entry(order.id.clone());
            history.or_insert(Order { history: Vec::new() }).history.push(order.clone());
        }
        if let Some(finding) = &step.finding {
            self.keep_finding(finding, step, back)?;
        }
        self.compare(step, provider)
    }

    /// The operator opened or changed an account: no money may have moved.
    fn change_account(&mut self, written: &AccountImage) -> Result<(), String> {
        let Some(known) = self.accounts.get_mut(&written.id) else {
            let empty = written.version == 1 && written.balances.is_empty();
            self.open(&written.id);
            return empty.then_some(()).ok_or_else(|| format!("{written:?} begins with money"));
        };
        if written.version != known.version + 1 {
            return Err(format!("{} went to version {}", written.id, written.version));
        }
        known.write(written.version);
        matches_journal(known, written)
    }

    /// A commit that moves no money.
    fn change_order(&mut self, step: &Step, back: &GoneBack) -> Result<(), String> {
        if step.claim.is_some() || step.adjustment.is_some() {
            return Err("a payment was claimed without an entry".to_owned());
        }
        let Some(order) = &step.order else {
            let nothing = || "a commit of nothing".to_owned();
            return step.finding.is_some().then_some(()).ok_or_else(nothing);
        };
        self.follows(step, order)?;
        self.is_referenced(step, order)?;
        self.tell_only(order, back)?;
        if order.settled.is_some() && self.known(order).is_none_or(|known| known.settled.is_none())
        {
            return Err(format!("{} is completed without an entry", order.id));
        }
        Ok(())
    }

    /// An order by bank transfer begins with the claim of a code that leads to it alone.
    fn is_referenced(&mut self, step: &Step, order: &OrderImage) -> Result<(), String> {
        let begins = order.version == 1 && order.method == "offline";
        match (&step.reference, &order.reference) {
            (None, _) if !begins => Ok(()),
            (Some((code, to)), Some(shown)) if begins && code == shown && *to == order.id => {
                let right = bank::is_reference(code);
                let new = self.references.insert(code.clone(), to.clone()).is_none();
                match right && new {
                    true => Ok(()),
                    false => Err(format!("{to} has the reference {code}")),
                }
            }
            (claim, shown) => Err(format!("{} shows {shown:?} and claims {claim:?}", order.id)),
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
        self.follows(step, order)?;
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
        let worth = dollars(settled.received, &settled.received_currency);
        let debt = self.accounts.get(&order.account).map_or(0, |account| account.debt);
        let debt = if order.method == "balance" { 0 } else { debt };
        if settled.credited != worth || settled.debt_paid != debt.min(worth) {
            return Err(format!("{} credited {:?}, owing {debt}", order.id, settled));
        }
        if !self.is_remembered(order) {
            return Err(format!("{} went back as it came: {:?}", order.id, order.reversals));
        }
        if order.method != "offline" && settled.credited != order.amount {
            return Err(format!("{} credited {:?}", order.id, settled));
        }
        let dollar = |place: &str| (place.to_owned(), "USD".to_owned());
        let expected = match entry.kind.as_str() {
            "card_top_up" if step.books().is_some() => self.must_be_booked(order, step)?,
            "card_top_up" => self.must_be_credited(order, step.claim.as_ref())?,
            "bank_top_up" => self.must_be_found(order, step.claim.as_ref())?,
            "transfer" => {
                if step.claim.is_some() || order.method != "balance" {
                    return Err(format!("{} is no transfer", order.id));
                }
                BTreeMap::from([
                    (dollar("wallet"), -order.amount),
                    (dollar(&order.target), order.amount),
                ])
            }
            other => return Err(format!("entry {} is of kind {other}", entry.number)),
        };
        if entry.lines_by_name() != expected {
            return Err(format!("{} moved {:?}, not {expected:?}", order.id, entry.lines));
        }
        let account = self.accounts.get_mut(&order.account).ok_or("an account nobody made")?;
        account.append(entry, written)
    }

    /// The lines of a credit, if the provider took exactly this money and it was never credited.
    fn must_be_credited(
        &mut self,
        order: &OrderImage,
        claim: Option<&ClaimImage>,
    ) -> Result<BTreeMap<(String, String), Micros>, String> {
        let claim = claim_of(order, claim)?;
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
        if self.is_decided(&claim.payment) {
            let ClaimImage { payment, order } = claim;
            return Err(format!("{payment} is settled, and is credited to {order}"));
        }
        self.credit_once(claim)?;
        let debt_paid = order.settled.as_ref().map_or(0, |settled| settled.debt_paid);
        Ok(bank::incoming("external:card", &order.target, order.amount, debt_paid))
    }

    /// The lines of a credit, if an operator said to have found exactly this transfer for this order,
    /// and it was never credited.
    fn must_be_found(
        &mut self,
        order: &OrderImage,
        claim: Option<&ClaimImage>,
    ) -> Result<BTreeMap<(String, String), Micros>, String> {
        let claim = claim_of(order, claim)?;
        let settled = order.settled.as_ref().ok_or("a credit of an order that is not settled")?;
        let known = self.known(order).cloned();
        let found = self.found.get(&order.id).into_iter().flatten().find(|found| {
            let meant =
                found.confirmed || known.as_ref().is_none_or(|known| !found.differs_from(known));
            found.payment() == claim.payment
                && found.amount == settled.received
                && found.currency == settled.received_currency
                && meant
        });
        let found = found.cloned().filter(|_| order.method == "offline");
        let found = found.ok_or_else(|| {
            format!("{} was credited, but nobody found exactly {settled:?} for it", order.id)
        })?;
        self.credit_once(claim)?;
        Ok(found.lines(&order.target, settled.debt_paid))
    }

    pub(super) fn credit_once(&mut self, claim: &ClaimImage) -> Result<(), String> {
        let ClaimImage { payment, order } = claim;
        match self.credited.insert(payment.clone(), order.clone()) {
            Some(other) => Err(format!("{payment} was credited to {other} and to {order}")),
            None => {
                self.credits.push(payment.clone());
                Ok(())
            }
        }
    }

    /// In the end every payment is credited once, or there is a finding about it; and the right
    /// payment of an order is credited unless a wrong one came first. No order is left open.
    ///
    /// # Errors
    /// What was lost.
    pub fn everything_is_settled(&self) -> Result<(), String> {
        self.payments_are_settled(|_, _| false)?;
        let open = self
            .orders
            .iter()
            .find(|(_, order)| ["pending_payment", "processing"].contains(&order.now().status()));
        // A reported transfer waits for a person, for as long as that takes.
        match open {
            Some((id, order)) => Err(format!("{id} is left open: {:?}", order.now())),
            None => Ok(()),
        }
    }

    /// Whether an order shows this page, and awaits that it is paid.
    #[must_use]
    pub fn awaits(&self, order: &str, session: &str) -> bool {
        let now = self.orders.get(order).map(Order::now);
        now.is_some_and(|now| {
            now.status() == "pending_payment" && now.session.as_deref() == Some(session)
        })
    }

    /// Every payment but the excepted ones is credited once, or there is a finding about it.
    ///
    /// # Errors
    /// What was lost.
    pub fn payments_are_settled(
        &self,
        except: impl Fn(&Self, &Payment) -> bool,
    ) -> Result<(), String> {
        for payment in self.payments.iter().filter(|payment| !except(self, payment)) {
            let Payment { id, order, .. } = payment;
            let credited = self.credited.get(id).is_some_and(|to| to == order);
            let found = self.is_found(order, id);
            match (credited, found) {
                (true, false) => {}
                (true, true) => self.must_be_overtaken(order, id)?,
                (false, false) if self.was_decided(id) => {}
                (false, false) => return Err(format!("{id} for {order} is lost")),
                (false, true) => self.must_be_wrong(payment)?,
            }
        }
        Ok(())
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

    pub(super) fn known(&self, order: &OrderImage) -> Option<&OrderImage> {
        self.orders.get(&order.id).map(Order::now)
    }

    /// An order is what somebody wished, keeps its words, and only moves forward.
    pub(super) fn follows(&self, step: &Step, order: &OrderImage) -> Result<(), String> {
        let id = &order.id;
        let Some(known) = self.known(order) else {
            let wished = self.wishes.get(id);
            let wished = wished.is_some_and(|wishes| wishes.iter().any(|wish| wish.is_of(order)));
            return match (wished, order.version) {
                (true, 1) => moves(order, &[], None),
                (true, version) => Err(format!("{id} begins at version {version}")),
                (false, _) => Err(format!("nobody asked for {id}: {order:?}")),
            };
        };
        if order.version != known.version + 1 {
            return Err(format!("{id} went from version {} to {}", known.version, order.version));
        }
        let words = |order: &OrderImage| {
            let whose = (order.account.clone(), order.method.clone(), order.target.clone());
            let what = (order.amount, order.payable, order.payable_currency.clone());
            (whose, what, order.reference.clone())
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
        let finding = step.finding.as_ref().filter(|finding| finding.order == *id);
        moves(order, &known.statuses, finding.and_then(FindingImage::became))
    }
}

/// The claim by which an order was credited: of its own payment.
pub(super) fn claim_of<'claim>(
    order: &OrderImage,
    claim: Option<&'claim ClaimImage>,
) -> Result<&'claim ClaimImage, String> {
    let claim = claim.ok_or_else(|| format!("{} was credited without a claim", order.id))?;
    let settled = order.settled.as_ref().and_then(|settled| settled.payment.as_deref());
    match settled == Some(claim.payment.as_str()) && claim.order == order.id {
        true => Ok(claim),
        false => Err(format!("{} was credited by another payment's claim", order.id)),
    }
}

/// The id that an order with this key must have.
#[must_use]
pub fn order_id(account: &str, operation: &str, key: &str) -> String {
    bank::derived("ord_", &[account, operation, key])
}
