//! Refunds that the operator asks for.
//!
//! For a card: the money is set aside, then the provider is asked, then it is gone. A repetition, and
//! the sweep, continue where an earlier try stopped. What is not known stays set aside until the
//! provider tells.

use std::time::Duration;

use ledger::{
    Account, Actor, BankReference, FindingState, Method, Note, Order, OrderId, Refund, RefundId,
    RefundStatus, Refusal, Timestamp, ToldRefund, WantedRefund,
};
use tracing::warn;

use crate::error::{BrokenRecord, Error, Invalid, Unavailable};
use crate::findings::{self, FindingRecord};
use crate::notice::{ReversalNotice, WhatBack};
use crate::payments::Confirmed;
use crate::record::{Once, OrderRecord, WrittenAmount};
use crate::reversals::{self, change};
use crate::stripe::{CallFailed, Https, Refunded, Stripe, Wire, is_chargeable};
use crate::table::{Commit, Committed, MAX_COMMIT_TRIES, Table, pause_before_retry};

/// How often Stripe is asked to make a refund for one request.
const MAX_CALLS: u32 = 3;
const PAUSE_BETWEEN_CALLS: Duration = Duration::from_millis(200);

/// Everything that a refund touches.
#[derive(Debug)]
pub struct Refunds<W: Wire = Https> {
    /// Where orders and accounts are.
    pub table: Table,
    /// Who gives money back to cards.
    pub stripe: Stripe<W>,
}

/// What the operator asks for.
#[derive(Debug, Clone)]
pub struct RefundRequest {
    /// The order.
    pub order: OrderId,
    /// Derived from the order and the idempotency key.
    pub id: RefundId,
    /// How much, in the account's currency.
    pub amount: WrittenAmount,
    /// Why.
    pub reason: Note,
    /// The bank's reference of the outgoing transfer, for an order that was paid so.
    pub bank_reference: Option<BankReference>,
    /// Who asks.
    pub by: Actor,
}

impl<W: Wire> Refunds<W> {
    /// Gives money of an order back, or continues the refund that this key made before.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::KeyReused`]; [`Error::Invalid`] for what the order's method does
    /// not have; the refusals of [`ledger::request_refund`]; [`Error::Unavailable`].
    pub async fn make(
        &self,
        wanted: &RefundRequest,
        now: Timestamp,
    ) -> Result<Once<(OrderRecord, Refund)>, Error> {
        let missing = || Error::NotFound { what: "order" };
        let order = self.table.order(&wanted.order).await?.ok_or_else(missing)?.order;
        let asked = WantedRefund {
            id: wanted.id.clone(),
            money: wanted.amount.in_currency("amount", order.amount.currency)?,
            reason: wanted.reason.clone(),
            bank_reference: wanted.bank_reference.clone(),
            by: wanted.by.clone(),
        };
        suits(&order, &asked)?;
        let decide = |order: &Order, account: &Account| match order.refund(&asked.id) {
            Some(_) => Ok(None),
            None => ledger::request_refund(order, account, &asked, now).map(Some),
        };
        // In the heap: what refunds keep of orders and accounts on their way would take much of a stack.
        let changed = Box::pin(change(&self.table, &order.id, &order.account, now, decide)).await;
        let (record, made) =
            match changed.map(|(record, how)| (record, how != Confirmed::Unchanged)) {
                // The read is not a snapshot: a refusal asks for the order once more.
                Err(refused @ Error::Refused(_)) => match self.table.order(&order.id).await? {
                    Some(record) if record.order.refund(&asked.id).is_some() => (record, false),
                    _ => return Err(refused),
                },
                outcome => outcome?,
            };
        let holder = Holder::Order(Box::new(record));
        let refund = holder.refund(&asked.id)?;
        let same = refund.money == asked.money
            && refund.reason.as_ref() == Some(&asked.reason)
            && refund.bank_reference == asked.bank_reference;
        if !same {
            return Err(Error::KeyReused);
        }
        // How one goes on that the provider has made, it tells, or a sweep finds out.
        let holder = match made || refund.is_unknown() {
            true => self.asked(holder, &asked.id, made, now).await?,
            false => holder,
        };
        let refund = holder.refund(&asked.id)?;
        match (holder, made) {
            (Holder::Order(record), true) => Ok(Once::Now((*record, refund))),
            (Holder::Order(record), false) => Ok(Once::Before((*record, refund))),
            (Holder::Finding(_), _) => Err(missing()),
        }
    }

    /// Gives the payment of a finding back, all of it and once, or continues the refund that was begun
    /// before. The finding is closed once the money has left.
    ///
    /// # Errors
    /// [`Error::NotFound`]; `finding_closed`; `finding_not_creditable`; [`Error::Unavailable`].
    pub async fn give_back(
        &self,
        id: &str,
        reason: &Note,
        by: &Actor,
        now: Timestamp,
    ) -> Result<FindingRecord, Error> {
        for tries in 0..MAX_COMMIT_TRIES {
            let record = findings::known(&self.table, id).await?;
            let last = record.state.refunds.deciding();
            if let Some(begun) = last.filter(|_| record.state.refunds.goes_back()) {
                let refund = begun.id.clone();
                let holder = Holder::Finding(Box::new(record));
                return self.asked(holder, &refund, false, now).await?.finding();
            }
            if let Some(closed) = &record.state.closed {
                return Err(findings::closed_already(closed));
            }
            let lost = record.finding.lost_payment();
            let (payment, money) = lost.ok_or_else(|| findings::not_lost(&record))?;
            findings::has_no_place(&self.table, payment, id).await?;
            let refund = Refund {
                id: RefundId::of_finding(id, last.map(|failed| &failed.id)),
                money,
                status: RefundStatus::Pending,
                provider_id: None,
                bank_reference: None,
                reason: Some(reason.clone()),
                failure: None,
                attempt: 1,
                unclear_since: None,
                by: by.clone(),
                created_at: now,
            };
            let refund_id = refund.id.clone();
            let refunds = record.state.refunds.and(refund)?;
            let state = FindingState { refunds, ..record.state };
            let next = FindingRecord { state, ..record };
            if let Some(next) = findings::stored(&self.table, next).await? {
                let holder = Holder::Finding(Box::new(next));
                return self.asked(holder, &refund_id, true, now).await?.finding();
            }
            pause_before_retry(tries).await;
        }
        Err(Unavailable::Busy.into())
    }

    /// Finds out how every refund of an order stands that waits for the provider, and continues
    /// those that the provider does not know.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if a later sweep must try again; [`Error::Broken`].
    pub async fn continue_all(
        &self,
        record: OrderRecord,
        now: Timestamp,
    ) -> Result<OrderRecord, Error> {
        let pending = |refund: &&Refund| refund.status == RefundStatus::Pending;
        let refunds = record.order.reversals.refunds.iter().filter(pending);
        let ids: Vec<_> = refunds.map(|refund| refund.id.clone()).collect();
        let mut record = record;
        for id in ids {
            let holder = Holder::Order(Box::new(record));
            record = self.end(holder, &id, false, now).await?.order()?;
        }
        Ok(record)
    }

    /// Finds out how the refund of a finding stands that waits for the provider, and continues it if the
    /// provider does not know it.
    ///
    /// # Errors
    /// As [`Refunds::continue_all`]; also if the provider was asked for it and has not answered.
    pub(crate) async fn continue_finding(
        &self,
        record: FindingRecord,
        now: Timestamp,
    ) -> Result<(), Error> {
        let Some(id) = record.state.refunds.deciding().map(|refund| refund.id.clone()) else {
            return Ok(());
        };
        let holder = Holder::Finding(Box::new(record));
        let holder = self.end(holder, &id, false, now).await?;
        match holder.refund(&id)?.is_unknown() && !holder.went_another_way(&id) {
            true => Err(Unavailable::Provider(format!("{id} is not made yet")).into()),
            false => Ok(()),
        }
    }

    /// As [`Refunds::end`], for who asks for it: a refund of which the provider does not say what became is there, and
    /// waits. They are told so, and not to ask again.
    async fn asked(
        &self,
        holder: Holder,
        id: &RefundId,
        just_begun: bool,
        now: Timestamp,
    ) -> Result<Holder, Error> {
        let known = holder.clone();
        match self.end(holder, id, just_begun, now).await {
            Err(Error::Unavailable(Unavailable::Provider(cause))) => {
                warn!(refund_id = %id, %cause, "a refund waits for the provider");
                Ok(known)
            }
            ended => ended,
        }
    }

    /// Brings a refund to its end, as far as the provider lets it. One that was not begun just now is
    /// looked up first: the provider forgets a key after a day, and would make the refund again.
    async fn end(
        &self,
        holder: Holder,
        id: &RefundId,
        just_begun: bool,
        now: Timestamp,
    ) -> Result<Holder, Error> {
        let mut holder = if just_begun { holder } else { self.look(holder, id, now).await? };
        for call in 0..MAX_CALLS {
            if holder.went_another_way(id) {
                break;
            }
            let refund = holder.refund(id)?;
            if refund.status != RefundStatus::Pending || refund.provider_id.is_some() {
                break;
            }
            if call > 0 {
                tokio::time::sleep(PAUSE_BETWEEN_CALLS.saturating_mul(call)).await;
            }
            match self.stripe.create_refund(&holder.of()?, &refund, now).await {
                Ok(told) => holder = self.tell(holder, id, &told, now).await?,
                Err(CallFailed::Repeat(_)) => {}
                // It may be made yet: it is asked for under another key much later.
                Err(CallFailed::Unclear(_)) if refund.unclear_since.is_none() => {
                    let unclear = |refund: &Refund| refund.answered_unclearly(now);
                    return Box::pin(self.ask_otherwise(holder, id, unclear, now)).await;
                }
                Err(CallFailed::NextAttempt(_) | CallFailed::Unclear(_))
                    if refund.is_unclear(now) =>
                {
                    break;
                }
                Err(CallFailed::NextAttempt(_) | CallFailed::Unclear(_)) => {
                    let next = Refund::with_next_attempt;
                    holder = Box::pin(self.ask_otherwise(holder, id, next, now)).await?;
                }
                Err(CallFailed::Missing(why) | CallFailed::Refused(why)) => {
                    holder = self.refused(holder, id, &why, now).await?;
                }
            }
        }
        Ok(holder)
    }

    /// Changes how the provider is asked. Another attempt has another key, under which the provider would make the
    /// refund again: only once it is sure that it has not made it.
    async fn ask_otherwise(
        &self,
        holder: Holder,
        id: &RefundId,
        change: impl FnOnce(&Refund) -> Option<Refund> + Send,
        now: Timestamp,
    ) -> Result<Holder, Error> {
        match self.look(holder, id, now).await? {
            Holder::Order(record) => {
                let Some(order) = ledger::asked_otherwise(&record.order, id, change) else {
                    return Ok(Holder::Order(record));
                };
                let next = OrderRecord { order, ..*record };
                let committed = self.table.commit(Commit::default().order(&next, now)).await?;
                if matches!(committed, Committed::Yes) {
                    return Ok(Holder::Order(Box::new(next.written(now))));
                }
                // Somebody else continues the same refund: theirs is the one that counts.
                let missing = || BrokenRecord::Missing(format!("order {}", next.order.id));
                let current = self.table.order(&next.order.id).await?.ok_or_else(missing)?;
                Ok(Holder::Order(Box::new(current)))
            }
            Holder::Finding(record) => self.change_finding(*record, id, change).await,
        }
    }

    /// The provider will not make it, unless it has.
    async fn refused(
        &self,
        holder: Holder,
        id: &RefundId,
        why: &str,
        now: Timestamp,
    ) -> Result<Holder, Error> {
        match self.look(holder, id, now).await? {
            Holder::Order(record) => {
                let given_up = |order: &Order, account: &Account| {
                    ledger::refund_refused(order, account, id, why, now)
                };
                self.change(&record, now, given_up).await
            }
            Holder::Finding(record) => {
                self.change_finding(*record, id, |refund| refund.refused(why)).await
            }
        }
    }

    /// Asks the provider how a refund stands that waits for it. One that it does not know stays as it
    /// is.
    async fn look(&self, holder: Holder, id: &RefundId, now: Timestamp) -> Result<Holder, Error> {
        let refund = holder.refund(id)?;
        if refund.status != RefundStatus::Pending {
            return Ok(holder);
        }
        match self.stripe.find_refund(holder.of()?.payment, &refund, now).await? {
            Some(told) => self.tell(holder, id, &told, now).await,
            None => Ok(holder),
        }
    }

    async fn tell(
        &self,
        holder: Holder,
        id: &RefundId,
        told: &ToldRefund,
        now: Timestamp,
    ) -> Result<Holder, Error> {
        match holder {
            Holder::Order(record) => {
                let decide = |order: &Order, account: &Account| {
                    ledger::refund_told(order, account, told, now)
                };
                match self.change(&record, now, decide).await {
                    Err(Error::Refused(Refusal::CurrencyDiffers { .. })) => {
                        // On the heap, as what hardly ever happens.
                        Box::pin(self.not_as_asked(&record, id, told, now)).await
                    }
                    changed => changed,
                }
            }
            Holder::Finding(record) => {
                let finding = record.finding.id();
                let missing = || BrokenRecord::Missing(format!("payment of finding {finding}"));
                let notice = ReversalNotice {
                    id: told.provider_id.to_string(),
                    payment: record.finding.payment.clone().ok_or_else(missing)?,
                    what: WhatBack::Refund(told.clone()),
                };
                findings::reversed(&self.table, &finding, &notice, now).await?;
                Ok(Holder::Finding(Box::new(findings::known(&self.table, &finding).await?)))
            }
        }
    }

    /// The provider has made something else of what it was asked for: a finding says so, and what was set aside is free
    /// again, as nothing of it has left.
    async fn not_as_asked(
        &self,
        record: &OrderRecord,
        id: &RefundId,
        told: &ToldRefund,
        now: Timestamp,
    ) -> Result<Holder, Error> {
        let missing = || BrokenRecord::Missing(format!("payment of order {}", record.order.id));
        let notice = ReversalNotice {
            id: told.provider_id.to_string(),
            payment: record.order.payment_id.clone().ok_or_else(missing)?,
            what: WhatBack::Refund(told.clone()),
        };
        reversals::confirm(&self.table, &notice, now).await?;
        let given_up = |order: &Order, account: &Account| {
            ledger::refund_refused(order, account, id, "currency_differs", now)
        };
        self.change(record, now, given_up).await
    }

    async fn change(
        &self,
        record: &OrderRecord,
        now: Timestamp,
        decide: impl Fn(&Order, &Account) -> Result<Option<ledger::Reversed>, Refusal>,
    ) -> Result<Holder, Error> {
        let order = &record.order;
        let changing = change(&self.table, &order.id, &order.account, now, decide);
        let changed = Box::pin(changing).await?;
        Ok(Holder::Order(Box::new(changed.0)))
    }

    /// Stores what has become of the refund of a finding; what somebody else has stored meanwhile counts.
    async fn change_finding(
        &self,
        record: FindingRecord,
        id: &RefundId,
        change: impl FnOnce(&Refund) -> Option<Refund>,
    ) -> Result<Holder, Error> {
        let Some(refunds) = record.state.refunds.changed(id, change) else {
            return Ok(Holder::Finding(Box::new(record)));
        };
        let finding = record.finding.id();
        let state = FindingState { refunds, ..record.state };
        let next = FindingRecord { state, ..record };
        let stored = match findings::stored(&self.table, next).await? {
            Some(stored) => stored,
            None => findings::known(&self.table, &finding).await?,
        };
        Ok(Holder::Finding(Box::new(stored)))
    }
}

/// What has a refund: an order, or a finding about a payment that no order could take.
#[derive(Clone)]
enum Holder {
    Order(Box<OrderRecord>),
    Finding(Box<FindingRecord>),
}

impl Holder {
    /// Whether all of a payment has gone back meanwhile, or goes, and not by this refund: it is not asked for as
    /// long as that one stands.
    fn went_another_way(&self, id: &RefundId) -> bool {
        match self {
            Self::Order(_) => false,
            Self::Finding(record) => {
                record.state.refunds.deciding().is_some_and(|other| other.id != *id)
            }
        }
    }

    fn refund(&self, id: &RefundId) -> Result<Refund, BrokenRecord> {
        let refund = match self {
            Self::Order(record) => record.order.refund(id),
            Self::Finding(record) => record.state.refunds.get(id),
        };
        refund.cloned().ok_or_else(|| BrokenRecord::Missing(format!("refund {id}")))
    }

    /// What its refunds are of.
    fn of(&self) -> Result<Refunded<'_>, BrokenRecord> {
        let (payment, account, order) = match self {
            Self::Order(record) => {
                let order = &record.order;
                (order.payment_id.as_ref(), Some(&order.account), Some(&order.id))
            }
            Self::Finding(record) => {
                let finding = &record.finding;
                (finding.payment.as_ref(), finding.account.as_ref(), finding.order.as_ref())
            }
        };
        let payment = payment.ok_or_else(|| BrokenRecord::Missing("a payment".to_owned()))?;
        Ok(Refunded { payment, account, order })
    }

    fn order(self) -> Result<OrderRecord, Error> {
        match self {
            Self::Order(record) => Ok(*record),
            Self::Finding(_) => Err(Error::NotFound { what: "order" }),
        }
    }

    fn finding(self) -> Result<FindingRecord, Error> {
        match self {
            Self::Finding(record) => Ok(*record),
            Self::Order(_) => Err(Error::NotFound { what: "finding" }),
        }
    }
}

/// Whether the order can be given back in this way.
fn suits(order: &Order, wanted: &WantedRefund) -> Result<(), Invalid> {
    match (order.method, &wanted.bank_reference) {
        (Method::Card, Some(_)) => {
            let detail = "belongs to orders that were paid by bank transfer";
            Err(Invalid::field("invalid_field", "bank_reference", detail))
        }
        (Method::Card, None) if !is_chargeable(wanted.money) => {
            let detail = "a card cannot be given back exactly so much in this currency";
            Err(Invalid::field("invalid_amount", "amount", detail))
        }
        (Method::Offline, None) => {
            let detail = "is required: the reference of the outgoing transfer";
            Err(Invalid::field("missing_field", "bank_reference", detail))
        }
        _ => Ok(()),
    }
}
