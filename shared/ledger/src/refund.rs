//! Refunds: asked for by the operator, or made at the payment provider.

use std::time::Duration;

use rust_decimal::Decimal;

use crate::reversal::{Cause, rebalance};
use crate::{
    Account, Actor, BankReference, Method, Money, Note, Order, Place, ProviderId, RefundId,
    Refusal, Reversed, Timestamp,
};

/// An order can be given back in so many parts.
pub const MAX_REFUNDS: usize = 100;

/// So long after an answer that says nothing the provider may still do what it was asked for: Stripe mends what its
/// own errors left behind, and says no time for it.
pub const UNCLEAR_FOR: Duration = Duration::from_secs(3_600);

/// Where a refund stands; it only ever moves down this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefundStatus {
    /// The money is set aside, and nobody knows yet whether it will arrive.
    Pending,
    /// The money has left.
    Succeeded,
    /// The money did not arrive: it is the customer's again. That can come late.
    Failed,
}

/// Money of an order that goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Derived from the order and the idempotency key, or from the provider's name for it.
    pub id: RefundId,
    /// How much, in the account's currency.
    pub money: Money,
    /// Where it stands.
    pub status: RefundStatus,
    /// The provider's name for it, once that is known; none for a bank transfer.
    pub provider_id: Option<ProviderId>,
    /// The bank's reference of the outgoing transfer; none for a card.
    pub bank_reference: Option<BankReference>,
    /// Why, in the words of whoever asked for it.
    pub reason: Option<Note>,
    /// Why it failed, in the provider's words.
    pub failure: Option<String>,
    /// Counts the sets of parameters that the provider was asked with; part of the key.
    pub attempt: u32,
    /// When this attempt was first answered so that nobody knows whether the provider makes it yet.
    pub unclear_since: Option<Timestamp>,
    /// Who asked for it.
    pub by: Actor,
    /// When.
    pub created_at: Timestamp,
}

/// A refund that an operator asks for.
#[derive(Debug, Clone)]
pub struct WantedRefund {
    /// Derived from the order and the idempotency key.
    pub id: RefundId,
    /// How much, in the account's currency.
    pub money: Money,
    /// Why.
    pub reason: Note,
    /// The bank's reference of the outgoing transfer, for an order that was paid so.
    pub bank_reference: Option<BankReference>,
    /// Who asks.
    pub by: Actor,
}

/// What the provider says about a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldRefund {
    /// The refund that it was asked for, as it carries it; none if it was not asked from here.
    pub id: Option<RefundId>,
    /// The provider's name for it.
    pub provider_id: ProviderId,
    /// How much.
    pub money: Money,
    /// Where it stands.
    pub status: RefundStatus,
    /// Why it failed, in the provider's words.
    pub failure: Option<String>,
    /// When it was made.
    pub at: Timestamp,
}

impl RefundStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Succeeded, Self::Failed];

    /// The name that is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

impl Refund {
    /// A refund that was not asked for here.
    #[must_use]
    pub fn made_elsewhere(told: &ToldRefund) -> Self {
        Self {
            id: RefundId::of_provider(&told.provider_id),
            money: told.money,
            status: told.status,
            provider_id: Some(told.provider_id.clone()),
            bank_reference: None,
            reason: None,
            failure: told.failure.clone(),
            attempt: 1,
            unclear_since: None,
            by: Actor::stripe(),
            created_at: told.at,
        }
    }

    /// This refund with what the provider tells of it; `None` if that is another one.
    ///
    /// It is known by the provider's own name for it, or, while that is not known, by the id that it
    /// carries. Two refunds that carry the same id are two; and one that was given up here is another
    /// one, if the provider has made it after all.
    #[must_use]
    pub fn told(&self, told: &ToldRefund) -> Option<Self> {
        let same = match &self.provider_id {
            Some(known) => *known == told.provider_id,
            None => {
                self.status == RefundStatus::Pending
                    && told.id.as_ref() == Some(&self.id)
                    && told.money == self.money
            }
        };
        same.then(|| Self {
            provider_id: Some(told.provider_id.clone()),
            status: self.status.max(told.status),
            failure: self.failure.clone().or_else(|| told.failure.clone()),
            ..self.clone()
        })
    }

    /// Whether the provider is not asked with another key yet: this attempt got no clear answer, and not so long ago that
    /// the provider will not make it any more ([`UNCLEAR_FOR`]). Another one could give the money back twice.
    #[must_use]
    pub fn is_unclear(&self, now: Timestamp) -> bool {
        self.unclear_since.is_some_and(|since| now.since(since) < UNCLEAR_FOR)
    }

    /// This attempt, which got no clear answer now; as long as nothing is known of it, and it had none before.
    #[must_use]
    pub fn answered_unclearly(&self, now: Timestamp) -> Option<Self> {
        let first = self.is_unknown() && self.unclear_since.is_none();
        first.then(|| Self { unclear_since: Some(now), ..self.clone() })
    }

    /// Another attempt at it, as long as nothing is known of it.
    #[must_use]
    pub fn with_next_attempt(&self) -> Option<Self> {
        let (attempt, unclear_since) = (self.attempt.saturating_add(1), None);
        self.is_unknown().then(|| Self { attempt, unclear_since, ..self.clone() })
    }

    /// Given up, because the provider refused to make it; as long as nothing is known of it.
    #[must_use]
    pub fn refused(&self, failure: &str) -> Option<Self> {
        let (status, failure) = (RefundStatus::Failed, Some(failure.to_owned()));
        self.is_unknown().then(|| Self { status, failure, ..self.clone() })
    }

    /// Whether the provider has told nothing of it yet.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.status == RefundStatus::Pending && self.provider_id.is_none()
    }

    pub(crate) const fn amount(&self) -> Decimal {
        self.money.amount.decimal()
    }

    /// How much of it has gone back.
    pub(crate) const fn gone(&self) -> Decimal {
        match self.status {
            RefundStatus::Succeeded => self.amount(),
            RefundStatus::Pending | RefundStatus::Failed => Decimal::ZERO,
        }
    }
}

impl Order {
    /// The refund of that id.
    #[must_use]
    pub fn refund(&self, id: &RefundId) -> Option<&Refund> {
        self.reversals.refunds.iter().find(|refund| refund.id == *id)
    }

    /// The refund that waits for the provider since the longest time.
    #[must_use]
    pub fn pending_refund(&self) -> Option<&Refund> {
        let pending = |refund: &&Refund| refund.status == RefundStatus::Pending;
        self.reversals.refunds.iter().find(pending)
    }

    /// The refund that this outgoing transfer made.
    fn refund_by(&self, transfer: Option<&BankReference>) -> Option<&Refund> {
        let made = |refund: &&Refund| {
            refund
                .bank_reference
                .as_ref()
                .zip(transfer)
                .is_some_and(|(made, by)| made.is_same_as(by))
        };
        self.reversals.refunds.iter().find(made)
    }
}

/// Decides to give money of an order back: for a card it is set aside until the provider has done
/// it, for a bank transfer it has left already.
///
/// At most what the order brought in and was not given back or asked back, and at most what is
/// unspent where it was credited.
///
/// # Errors
/// [`Refusal::AccountFrozen`]; [`Refusal::OrderNotRefundable`]; [`Refusal::RefundReferenceUsed`];
/// [`Refusal::RefundTooLarge`]; [`Refusal::InsufficientBalance`]; [`Refusal::RefundTooSmall`]; [`Refusal::TooManyRefunds`].
pub fn request_refund(
    order: &Order,
    account: &Account,
    wanted: &WantedRefund,
    now: Timestamp,
) -> Result<Reversed, Refusal> {
    account.must_be_active()?;
    let (status, method) = (order.status(), order.method);
    if order.credited.is_none() || method == Method::Balance {
        return Err(Refusal::OrderNotRefundable { status, method });
    }
    if let Some(refund) = order.refund_by(wanted.bank_reference.as_ref()) {
        return Err(Refusal::RefundReferenceUsed { refund: refund.id.clone() });
    }
    let refundable = order.refundable();
    let currency = order.amount.currency;
    if wanted.money.amount.decimal() > refundable.decimal() {
        return Err(Refusal::RefundTooLarge { refundable, currency });
    }
    let available = account.available(&order.target, now);
    if wanted.money.amount.decimal() > available.decimal() {
        let (place, required) = (Place::Available(order.target.clone()), wanted.money);
        return Err(Refusal::InsufficientBalance { place, available, required, held_back: None });
    }
    let refund = Refund {
        id: wanted.id.clone(),
        money: wanted.money,
        status: match method {
            Method::Card => RefundStatus::Pending,
            Method::Offline | Method::Balance => RefundStatus::Succeeded,
        },
        provider_id: None,
        bank_reference: wanted.bank_reference.clone(),
        reason: Some(wanted.reason.clone()),
        failure: None,
        attempt: 1,
        unclear_since: None,
        by: wanted.by.clone(),
        created_at: now,
    };
    let order = added(order, refund.clone())?;
    rebalance(order, account, Cause::Refund(&refund), now)
}

/// Decides what the provider's word about a refund changes. `None` if it is known already.
///
/// One that was not asked for here is taken as it is: what is not unspent any more becomes a debt.
///
/// # Errors
/// [`Refusal::CurrencyDiffers`] if it is not in the order's currency; [`Refusal::TooManyRefunds`],
/// [`Refusal::BalanceTooLarge`] or [`Refusal::OrderNotRefundable`]: a person must look.
pub fn refund_told(
    order: &Order,
    account: &Account,
    told: &ToldRefund,
    now: Timestamp,
) -> Result<Option<Reversed>, Refusal> {
    if order.credited.is_none() {
        let (status, method) = (order.status(), order.method);
        return Err(Refusal::OrderNotRefundable { status, method });
    }
    order.must_be_in(told.money.currency)?;
    let known = told_among(&order.reversals.refunds, told);
    let (next, refund) = match known {
        Some((refunds, refund)) => {
            let mut next = order.clone();
            next.reversals.refunds = refunds;
            (next, refund)
        }
        None => {
            let refund = Refund::made_elsewhere(told);
            (added(order, refund.clone())?, refund)
        }
    };
    if next == *order {
        return Ok(None);
    }
    let reversed = rebalance(next, account, Cause::Refund(&refund), now)?;
    let finding = reversed.order.hides_refund(order, told, now);
    Ok(Some(Reversed { finding, ..reversed }))
}

/// The order with this change of how the provider is asked for a refund. `None` if nothing changes, as when it has been
/// told of since.
#[must_use]
pub fn asked_otherwise(
    order: &Order,
    id: &RefundId,
    change: impl FnOnce(&Refund) -> Option<Refund>,
) -> Option<Order> {
    let mut next = order.clone();
    let refund = next.reversals.refunds.iter_mut().find(|refund| refund.id == *id)?;
    *refund = change(refund)?;
    Some(next)
}

/// Decides that the provider will never make a refund: it refused to. `None` if it has been told of
/// since.
///
/// # Errors
/// [`Refusal::BalanceTooLarge`]: a person must look.
pub fn refund_refused(
    order: &Order,
    account: &Account,
    id: &RefundId,
    failure: &str,
    now: Timestamp,
) -> Result<Option<Reversed>, Refusal> {
    let mut next = order.clone();
    let mut refunds = next.reversals.refunds.iter_mut();
    let Some(known) = refunds.find(|refund| refund.id == *id) else { return Ok(None) };
    let Some(refund) = known.refused(failure) else { return Ok(None) };
    known.clone_from(&refund);
    rebalance(next, account, Cause::Refund(&refund), now).map(Some)
}

/// These refunds with what the provider tells of one of them, and that one; `None` if it is none of them.
pub(crate) fn told_among(refunds: &[Refund], told: &ToldRefund) -> Option<(Vec<Refund>, Refund)> {
    let mut next = refunds.to_vec();
    let (known, refund) =
        next.iter_mut().find_map(|known| known.told(told).map(|refund| (known, refund)))?;
    known.clone_from(&refund);
    Some((next, refund))
}

fn added(order: &Order, refund: Refund) -> Result<Order, Refusal> {
    if order.reversals.refunds.len() >= MAX_REFUNDS {
        return Err(Refusal::TooManyRefunds);
    }
    let mut order = order.clone();
    order.reversals.refunds.push(refund);
    // The provider's times are whole seconds, those of refunds that were asked for here are not.
    order.reversals.refunds.sort_by_key(|refund| refund.created_at.unix_seconds());
    Ok(order)
}
