//! Money of an order that goes back to whoever paid: the one rule for refunds and disputes.
//!
//! What the provider tells comes in any order, repeated, or not at all. So an order keeps the *facts*
//! (each refund, each dispute, as far as it is known), and after every new fact its money is put
//! where the facts say that it belongs: so much is *taken* for good, so much is *held*. Facts only
//! ever become more, whatever their order, and the same facts put the money into the same places.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::{
    Account, Actor, Amount, Balance, Currency, Decision, Dispute, DisputeStatus, EntryKind,
    External, Finding, Method, Money, MoneyError, Movement, Order, OrderStatus, Place, ProviderId,
    Rate, Reason, Refund, RefundId, RefundStatus, Refusal, Timestamp, Verdict,
};

/// What of an order's money was given back or asked back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reversals {
    /// Refunds, oldest first, in whatever order they were told.
    pub refunds: Vec<Refund>,
    /// Disputes, oldest first, in whatever order they were told.
    pub disputes: Vec<Dispute>,
    /// What was taken out of the account for them: out of the balance, or as a debt.
    pub taken: Balance,
    /// What is set aside for them now.
    pub held: Balance,
}

impl Reversals {
    /// Where each of its disputes stands.
    #[must_use]
    pub fn dispute_statuses(&self) -> BTreeMap<ProviderId, DisputeStatus> {
        let statuses = self.disputes.iter().map(|dispute| (dispute.id.clone(), dispute.status()));
        statuses.collect()
    }
}

/// An order after a refund or dispute, and what that did to the account: nothing, where only the
/// order tells more than before. All of it belongs into one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversed {
    /// The order.
    pub order: Order,
    /// The account and the entry.
    pub decision: Option<Decision>,
    /// What a person must look at, as less moved here than outside; nearly always none.
    pub finding: Option<Finding>,
}

/// What a new fact is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cause<'fact> {
    /// A refund.
    Refund(&'fact Refund),
    /// A dispute.
    Dispute(&'fact Dispute),
}

/// The kinds of an entry: money is taken, returns, is set aside, is free again.
struct Kinds {
    taken: EntryKind,
    returned: EntryKind,
    held: EntryKind,
    released: EntryKind,
}

impl Order {
    /// What was given back, in the account's currency; never more than was credited.
    #[must_use]
    pub fn refunded(&self) -> Balance {
        within(total(&self.reversals.refunds, Refund::gone), self.credited)
    }

    /// What can still be given back of what came in from outside: what was credited, less every refund that did not
    /// fail and every dispute that was not won.
    #[must_use]
    pub fn refundable(&self) -> Balance {
        let credited = self.credited.unwrap_or_default().decimal();
        let gone = self.wanted_out().saturating_add(self.wanted_held());
        within(credited.saturating_sub(gone), self.credited)
    }

    /// What goes back is counted in the order's currency: in another one it would be a number alone.
    pub(crate) fn must_be_in(&self, offered: Currency) -> Result<(), Refusal> {
        match self.amount.currency {
            own if own == offered => Ok(()),
            account => Err(Refusal::CurrencyDiffers { account, offered }),
        }
    }

    /// Whether less is set aside than the facts ask for, because it was not there.
    #[must_use]
    pub fn lacks_money(&self) -> bool {
        let rest = self.credited.unwrap_or_default().decimal();
        let rest = rest.saturating_sub(self.reversals.taken.decimal());
        self.wanted_held().min(rest) > self.reversals.held.decimal()
    }

    /// Whether what was taken and is set aside for it is what its refunds and disputes say: all that is gone, never more
    /// than came in, and no more aside than may go.
    #[must_use]
    pub fn reversals_follow(&self) -> bool {
        let credited = self.credited.unwrap_or_default().decimal();
        let taken = self.reversals.taken.decimal();
        let rest = self.wanted_held().min(credited.saturating_sub(taken));
        taken == self.wanted_out().min(credited) && self.reversals.held.decimal() <= rest
    }

    /// What the facts say is gone for good, whatever the order brought in.
    pub(crate) fn wanted_out(&self) -> Decimal {
        let refunds = total(&self.reversals.refunds, Refund::gone);
        refunds.saturating_add(total(&self.reversals.disputes, Dispute::taken))
    }

    /// What the facts say may go.
    fn wanted_held(&self) -> Decimal {
        let refunds = total(&self.reversals.refunds, |refund| match refund.status {
            RefundStatus::Pending => refund.amount(),
            RefundStatus::Succeeded | RefundStatus::Failed => Decimal::ZERO,
        });
        refunds.saturating_add(total(&self.reversals.disputes, Dispute::at_risk))
    }

    /// The rate by which it was credited; none for money of the account's currency.
    fn credit_rate(&self) -> Option<Rate> {
        match &self.last_review()?.verdict {
            Verdict::Accepted(acceptance) => acceptance.rate,
            Verdict::Rejected(_) => None,
        }
    }

    /// What so much of the order's credit was when it was paid: all of it is what arrived, a part
    /// goes by the rate.
    pub(crate) fn as_paid(&self, part: Decimal) -> Result<Decimal, MoneyError> {
        let (Some(rate), Some(received)) = (self.credit_rate(), self.received) else {
            return Ok(part);
        };
        if Some(part) == self.credited.map(Balance::decimal) {
            return Ok(received.amount.decimal());
        }
        match Amount::new(part) {
            Ok(amount) => {
                let worth = Money { amount, currency: self.amount.currency };
                Ok(rate.convert_back(worth, received.currency)?.amount.decimal())
            }
            Err(_) => Ok(Decimal::ZERO),
        }
    }

    /// What a part of the order's credit was when it was paid, after so much of it: a difference of sums, so that all
    /// parts together are exactly what arrived.
    fn part_as_paid(&self, after: Decimal, part: Decimal) -> Result<Decimal, MoneyError> {
        let total = self.as_paid(after.saturating_add(part))?;
        Ok(total.saturating_sub(self.as_paid(after)?))
    }

    /// The currency that was paid, in which refunds go back.
    #[must_use]
    pub fn paid_currency(&self) -> Currency {
        self.received.map_or(self.amount.currency, |received| received.currency)
    }

    /// What one of its refunds is in the currency that was paid: what is sent back, as in the journal. None for one
    /// that is not of this order.
    #[must_use]
    pub fn refund_as_paid(&self, id: &RefundId) -> Option<Balance> {
        let refunds = &self.reversals.refunds;
        let position = refunds.iter().position(|refund| refund.id == *id)?;
        let refund = refunds.get(position)?;
        let before = total(refunds.get(..position)?, Refund::gone);
        Balance::new(self.part_as_paid(before, refund.amount()).ok()?).ok()
    }

    /// What can still be given back ([`Order::refundable`]), in the currency that was paid.
    #[must_use]
    pub fn refundable_as_paid(&self) -> Option<Balance> {
        let gone = self.wanted_out().saturating_add(self.wanted_held());
        Balance::new(self.part_as_paid(gone, self.refundable().decimal()).ok()?).ok()
    }
}

/// Puts the money of an order where its facts say that it belongs, in one entry.
///
/// What is taken comes out of the balance that the order topped up, first out of what was set aside;
/// what is not there any more becomes a debt. What returns pays the debt first. Never more is taken
/// than the order brought in.
///
/// # Errors
/// [`Refusal::BalanceTooLarge`], or [`Refusal::NotConvertible`] for a part that is less than the
/// smallest coin of what was paid.
pub(crate) fn rebalance(
    order: Order,
    account: &Account,
    cause: Cause<'_>,
    now: Timestamp,
) -> Result<Reversed, Refusal> {
    let credited = order.credited.unwrap_or_default().decimal();
    let taken = order.wanted_out().min(credited);
    let wanted = order.wanted_held().min(credited.saturating_sub(taken));
    let before = &order.reversals;
    let (taken_before, held_before) = (before.taken.decimal(), before.held.decimal());
    let inside = Place::Available(order.target.clone());
    let aside = Place::Held(order.target.clone());
    let debt = Place::External(External::Debt);
    let outside =
        Place::External(if order.method == Method::Card { External::Card } else { External::Bank });
    let mut move_money = Movements { order: &order, movements: Vec::new() };
    move_money.inside(&aside, &inside, held_before);
    let mut available = account.available(&order.target, now).decimal();
    available = available.saturating_add(held_before);
    let out = taken.saturating_sub(taken_before).max(Decimal::ZERO);
    let back = taken_before.saturating_sub(taken).max(Decimal::ZERO);
    // Out: from the balance, the rest as a debt. Back: into the debt, the rest to the balance.
    let there = out.min(available);
    let owed = out.saturating_sub(there);
    let paid_off = back.min(account.debt.decimal());
    let returned = back.saturating_sub(paid_off);
    move_money.across(&inside, &outside, there, taken_before)?;
    move_money.across(&debt, &outside, owed, taken_before.saturating_add(there))?;
    move_money.across(&outside, &debt, paid_off, taken)?;
    move_money.across(&outside, &inside, returned, taken.saturating_add(paid_off))?;
    available = available.saturating_sub(there).saturating_add(returned);
    let held = wanted.min(available);
    move_money.inside(&inside, &aside, held);
    let movements = move_money.movements;

    let kinds = cause.kinds();
    let kind = match (out > Decimal::ZERO, back > Decimal::ZERO, held >= held_before) {
        (true, ..) => kinds.taken,
        (_, true, _) => kinds.returned,
        (.., true) => kinds.held,
        (.., false) => kinds.released,
    };
    let moves = out > Decimal::ZERO || back > Decimal::ZERO || held != held_before;
    let decision = match moves {
        true => Some(account.post(kind, cause.document(), &movements, now)?),
        false => None,
    };
    let full = |_| Refusal::BalanceTooLarge { place: inside.clone() };
    let (taken, held) = (Balance::new(taken).map_err(full)?, Balance::new(held).map_err(full)?);
    let mut order = order;
    order.reversals.taken = taken;
    order.reversals.held = held;
    let order = with_status(order, cause, now);
    Ok(Reversed { order, decision, finding: None })
}

/// The order in the status that follows from what was credited and what was given back.
fn with_status(order: Order, cause: Cause<'_>, now: Timestamp) -> Order {
    let refunded = order.refunded();
    let to = match refunded {
        nothing if nothing == Balance::ZERO => OrderStatus::Completed,
        all if Some(all) == order.credited => OrderStatus::Refunded,
        _ => OrderStatus::PartiallyRefunded,
    };
    let reason = match cause {
        Cause::Refund(refund) if refund.status == RefundStatus::Failed => Reason::RefundReturned,
        _ => Reason::Refunded,
    };
    match order.timeline.advance(to, now, reason, cause.by()) {
        Ok(timeline) => Order { timeline, ..order },
        // It stands there already.
        Err(_) => order,
    }
}

impl Cause<'_> {
    const fn kinds(self) -> Kinds {
        match self {
            Self::Refund(_) => Kinds {
                taken: EntryKind::Refund,
                returned: EntryKind::RefundReturned,
                held: EntryKind::RefundHeld,
                released: EntryKind::RefundReleased,
            },
            Self::Dispute(_) => Kinds {
                taken: EntryKind::DisputeTaken,
                returned: EntryKind::DisputeReturned,
                held: EntryKind::DisputeHeld,
                released: EntryKind::DisputeReleased,
            },
        }
    }

    fn document(&self) -> &str {
        match self {
            Self::Refund(refund) => refund.id.as_str(),
            Self::Dispute(dispute) => dispute.id.as_str(),
        }
    }

    fn by(self) -> Actor {
        match self {
            Self::Refund(refund) => refund.by.clone(),
            Self::Dispute(_) => Actor::stripe(),
        }
    }
}

/// The movements of one entry.
struct Movements<'order> {
    order: &'order Order,
    movements: Vec<Movement>,
}

impl Movements<'_> {
    fn inside(&mut self, from: &Place, to: &Place, amount: Decimal) {
        self.push(from, to, amount, self.order.amount.currency);
    }

    /// Money that crosses the border, after so much of the order's money is outside: in the
    /// currency that was paid, through `external:fx` if that is another one.
    fn across(
        &mut self,
        from: &Place,
        to: &Place,
        amount: Decimal,
        outside_already: Decimal,
    ) -> Result<(), Refusal> {
        let (order, currency) = (self.order, self.order.amount.currency);
        let paid = order.paid_currency();
        if paid == currency || amount.is_zero() {
            self.push(from, to, amount, currency);
            return Ok(());
        }
        let part = order.part_as_paid(outside_already, amount);
        let part = part.map_err(|_| Refusal::RefundTooSmall { currency: paid })?;
        let exchange = Place::External(External::Fx);
        if matches!(to, Place::External(External::Bank)) {
            self.push(from, &exchange, amount, currency);
            self.push(&exchange, to, part, paid);
        } else {
            self.push(from, &exchange, part, paid);
            self.push(&exchange, to, amount, currency);
        }
        Ok(())
    }

    fn push(&mut self, from: &Place, to: &Place, amount: Decimal, currency: Currency) {
        if let Ok(amount) = Amount::new(amount) {
            let money = Money { amount, currency };
            self.movements.push(Movement { from: from.clone(), to: to.clone(), money });
        }
    }
}

fn total<T>(facts: &[T], amount: impl Fn(&T) -> Decimal) -> Decimal {
    facts.iter().fold(Decimal::ZERO, |sum, fact| sum.saturating_add(amount(fact)))
}

/// An amount that is at least nothing and at most what was credited.
fn within(amount: Decimal, credited: Option<Balance>) -> Balance {
    let credited = credited.unwrap_or_default();
    Balance::new(amount.max(Decimal::ZERO)).map_or(credited, |amount| amount.min(credited))
}
