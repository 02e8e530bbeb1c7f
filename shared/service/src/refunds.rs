//! Refunds that the operator asks for.
//!
//! For a card: the money is set aside, then the provider is asked, then it is gone. A repetition, and
//! the sweep, continue where an earlier try stopped. What is not known stays set aside until the
//! provider tells.

use std::time::Duration;

use ledger::{
    Account, Actor, BankReference, Method, Note, Order, OrderId, Refund, RefundId, RefundStatus,
    Refusal, Timestamp, ToldRefund, WantedRefund,
};

use crate::error::{BrokenRecord, Error, Invalid};
use crate::record::{OrderRecord, WrittenAmount};
use crate::reversals::change;
use crate::stripe::{CallFailed, Https, Stripe, Wire, is_chargeable};
use crate::table::{Commit, Committed, Table};

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

/// A refund with its order, and whether this request made it.
#[derive(Debug)]
pub struct MadeRefund {
    /// The order.
    pub record: OrderRecord,
    /// The refund.
    pub refund: Refund,
    /// Whether an earlier request with the same key made it.
    pub before: bool,
}

impl<W: Wire> Refunds<W> {
    /// Gives money of an order back, or continues the refund that this key made before.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::KeyReused`]; [`Error::Invalid`] for what the order's method does
    /// not have; the refusals of [`ledger::request_refund`]; [`Error::Unavailable`].
    pub async fn make(&self, wanted: &RefundRequest, now: Timestamp) -> Result<MadeRefund, Error> {
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
        let (record, made) = match change(&self.table, &order.id, &order.account, now, decide).await
        {
            // The read is not a snapshot: a refusal asks for the order once more.
            Err(refused @ Error::Refused(_)) => match self.table.order(&order.id).await? {
                Some(record) if record.order.refund(&asked.id).is_some() => (record, false),
                _ => return Err(refused),
            },
            outcome => outcome?,
        };
        let refund = refund_in(&record, &asked.id)?;
        let same = refund.money == asked.money
            && refund.reason.as_ref() == Some(&asked.reason)
            && refund.bank_reference == asked.bank_reference;
        if !same {
            return Err(Error::KeyReused);
        }
        let record = match made {
            true => record,
            // The provider forgets a key after a day, and would then make the refund again.
            false => self.look(record, &asked.id, now).await?,
        };
        let record = self.drive(record, &asked.id, now).await?;
        let refund = refund_in(&record, &asked.id)?;
        Ok(MadeRefund { record, refund, before: !made })
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
            record = self.look(record, &id, now).await?;
            record = self.drive(record, &id, now).await?;
        }
        Ok(record)
    }

    /// Asks the provider to make a refund, as long as it is not known to have done so.
    async fn drive(
        &self,
        record: OrderRecord,
        id: &RefundId,
        now: Timestamp,
    ) -> Result<OrderRecord, Error> {
        let mut record = record;
        for call in 0..MAX_CALLS {
            let refund = refund_in(&record, id)?;
            if refund.status != RefundStatus::Pending || refund.provider_id.is_some() {
                break;
            }
            if call > 0 {
                tokio::time::sleep(PAUSE_BETWEEN_CALLS.saturating_mul(call)).await;
            }
            match self.stripe.create_refund(&record.order, &refund, now).await {
                Ok(told) => record = self.tell(&record, &told, now).await?,
                Err(CallFailed::Repeat(_)) => {}
                Err(CallFailed::NextAttempt(_)) => {
                    record = self.next_attempt(record, id, now).await?;
                }
                Err(CallFailed::Refused(why)) => {
                    record = self.refused(record, id, &why, now).await?;
                }
            }
        }
        Ok(record)
    }

    /// Another attempt has another key, under which the provider would make the refund again: only
    /// once it is sure that it has not made it.
    async fn next_attempt(
        &self,
        record: OrderRecord,
        id: &RefundId,
        now: Timestamp,
    ) -> Result<OrderRecord, Error> {
        let record = self.look(record, id, now).await?;
        let Some(order) = ledger::next_attempt(&record.order, id) else { return Ok(record) };
        let next = OrderRecord { order, ..record };
        match self.table.commit(Commit::default().order(&next)).await? {
            Committed::Yes => {
                let version = next.version.saturating_add(1);
                Ok(OrderRecord { version, ..next })
            }
            // Somebody else continues the same refund: theirs is the one that counts.
            Committed::No(_) => {
                let missing = || BrokenRecord::Missing(format!("order {}", next.order.id));
                Ok(self.table.order(&next.order.id).await?.ok_or_else(missing)?)
            }
        }
    }

    /// The provider will not make it, unless it has.
    async fn refused(
        &self,
        record: OrderRecord,
        id: &RefundId,
        why: &str,
        now: Timestamp,
    ) -> Result<OrderRecord, Error> {
        let record = self.look(record, id, now).await?;
        let given_up =
            |order: &Order, account: &Account| ledger::refund_refused(order, account, id, why, now);
        self.change(&record, now, given_up).await
    }

    /// Asks the provider how a refund stands that waits for it. One that it does not know stays as it
    /// is.
    async fn look(
        &self,
        record: OrderRecord,
        id: &RefundId,
        now: Timestamp,
    ) -> Result<OrderRecord, Error> {
        if refund_in(&record, id)?.status != RefundStatus::Pending {
            return Ok(record);
        }
        match self.stripe.find_refund(&record.order, &refund_in(&record, id)?, now).await? {
            Some(told) => self.tell(&record, &told, now).await,
            None => Ok(record),
        }
    }

    async fn tell(
        &self,
        record: &OrderRecord,
        told: &ToldRefund,
        now: Timestamp,
    ) -> Result<OrderRecord, Error> {
        let decide =
            |order: &Order, account: &Account| ledger::refund_told(order, account, told, now);
        self.change(record, now, decide).await
    }

    async fn change(
        &self,
        record: &OrderRecord,
        now: Timestamp,
        decide: impl Fn(&Order, &Account) -> Result<Option<ledger::Reversed>, Refusal>,
    ) -> Result<OrderRecord, Error> {
        let order = &record.order;
        Ok(change(&self.table, &order.id, &order.account, now, decide).await?.0)
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

fn refund_in(record: &OrderRecord, id: &RefundId) -> Result<Refund, BrokenRecord> {
    let missing = || BrokenRecord::Missing(format!("refund {id}"));
    record.order.refund(id).cloned().ok_or_else(missing)
}
