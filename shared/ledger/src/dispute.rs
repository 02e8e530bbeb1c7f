//! Disputes: the bank of a cardholder asks a payment back.
//!
//! What is known of a dispute is a set of facts that only grows, so that it does not matter in which
//! order, how often, or whether at all the provider tells them
//! (<https://docs.stripe.com/disputes/how-disputes-work>).

use rust_decimal::Decimal;

use crate::reversal::{Cause, rebalance};
use crate::{
    Account, Amount, Finding, FindingKind, Method, Money, Order, ProviderId, Refund, RefundStatus,
    Refusal, Reversed, Timestamp, ToldRefund,
};

/// A payment can be disputed so often.
const MAX_DISPUTES: usize = 20;

/// How a dispute ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DisputeOutcome {
    /// The payment stands.
    Won,
    /// The payment is the cardholder's again.
    Lost,
}

/// Where a dispute stands, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisputeStatus {
    /// A question of the bank: no money is asked for yet.
    Inquiry,
    /// A question that is answered: no money was asked for.
    Closed,
    /// The money is asked for; what is left of it is set aside.
    Open,
    /// The bank has taken the money, and may give it back.
    Withdrawn,
    /// The bank has given the money back.
    Reinstated,
    /// It ended well.
    Won,
    /// It did not.
    Lost,
}

/// A payment that was asked back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// The provider's name for it.
    pub id: ProviderId,
    /// How much is asked back, in the account's currency.
    pub money: Money,
    /// Why, in the provider's words (`fraudulent`).
    pub reason: Option<String>,
    /// Whether it is more than a question.
    pub contested: bool,
    /// Whether it is a question that was answered; the bank may ask for the money all the same.
    pub closed: bool,
    /// Whether the money was taken.
    pub withdrawn: bool,
    /// Whether it was given back.
    pub reinstated: bool,
    /// How it ended.
    pub outcome: Option<DisputeOutcome>,
    /// When it was opened.
    pub created_at: Timestamp,
}

/// What the provider says about a dispute: what is true of it, and nothing that is not.
pub type ToldDispute = Dispute;

impl DisputeOutcome {
    /// The name that is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// The outcome of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Won, Self::Lost].into_iter().find(|outcome| outcome.name() == name)
    }
}

impl DisputeStatus {
    /// The name that is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inquiry => "inquiry",
            Self::Closed => "closed",
            Self::Open => "open",
            Self::Withdrawn => "withdrawn",
            Self::Reinstated => "reinstated",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

impl Dispute {
    /// Where it stands.
    #[must_use]
    pub const fn status(&self) -> DisputeStatus {
        match (self.outcome, self.reinstated, self.withdrawn, self.contested) {
            (Some(DisputeOutcome::Lost), ..) => DisputeStatus::Lost,
            (Some(DisputeOutcome::Won), ..) => DisputeStatus::Won,
            (None, true, ..) => DisputeStatus::Reinstated,
            (None, _, true, _) => DisputeStatus::Withdrawn,
            (None, _, _, true) => DisputeStatus::Open,
            _ if self.closed => DisputeStatus::Closed,
            _ => DisputeStatus::Inquiry,
        }
    }

    /// Whether its money was ever taken; it may have been given back since.
    #[must_use]
    pub fn was_taken(&self) -> bool {
        self.withdrawn || self.outcome == Some(DisputeOutcome::Lost)
    }

    /// Whether it was lost, and its money came back all the same.
    fn is_lost_and_returned(&self) -> bool {
        self.reinstated && self.outcome == Some(DisputeOutcome::Lost)
    }

    /// What it took. A dispute that was lost has taken its money, whether or not that was told.
    pub(crate) const fn taken(&self) -> Decimal {
        match self.status() {
            DisputeStatus::Withdrawn | DisputeStatus::Lost => self.money.amount.decimal(),
            _ => Decimal::ZERO,
        }
    }

    /// What it may take.
    pub(crate) const fn at_risk(&self) -> Decimal {
        match self.status() {
            DisputeStatus::Open => self.money.amount.decimal(),
            _ => Decimal::ZERO,
        }
    }

    /// This dispute and everything else that is known of it.
    fn with(&self, told: &ToldDispute) -> Self {
        Self {
            reason: self.reason.clone().or_else(|| told.reason.clone()),
            contested: self.contested || told.contested,
            closed: self.closed || told.closed,
            withdrawn: self.withdrawn || told.withdrawn,
            reinstated: self.reinstated || told.reinstated,
            outcome: self.outcome.max(told.outcome),
            created_at: self.created_at.min(told.created_at),
            ..self.clone()
        }
    }
}

impl Order {
    /// What is kept of the money that a dispute gave back after it was lost, as when its cardholder takes it back
    /// (<https://support.stripe.com/questions/lost-dispute-faq>): a person must look. What comes back because it had been
    /// refunded before was only taken once. If it is not known how much came back, it is all, unless some was refunded.
    #[must_use]
    pub fn kept_of_returned(&self, id: &ProviderId, returned: Option<Money>) -> Option<Money> {
        let dispute = self.reversals.disputes.iter().find(|dispute| dispute.id == *id)?;
        if !dispute.is_lost_and_returned() {
            return None;
        }
        let credited = self.credited.unwrap_or_default().decimal();
        let twice = self.wanted_out().saturating_sub(credited).max(Decimal::ZERO);
        let kept = match returned {
            Some(returned) => returned.amount.decimal().saturating_sub(twice),
            None if twice.is_zero() => dispute.money.amount.decimal(),
            None => Decimal::ZERO,
        };
        let currency = self.amount.currency;
        Amount::new(kept).ok().map(|amount| Money { amount, currency })
    }
}

impl Order {
    /// Whether a dispute of it was lost and gave its money back all the same: what else is told of the order may have a
    /// finding beside it.
    #[must_use]
    pub fn has_lost_and_returned(&self) -> bool {
        self.lost_and_returned().is_some()
    }

    /// A dispute that was lost, and whose money came back all the same: all of it counts as taken, so that nothing else of
    /// the order moves. How much of it is kept only a person knows, so they must look at whatever else is told.
    fn lost_and_returned(&self) -> Option<&Dispute> {
        self.reversals.disputes.iter().find(|one| one.is_lost_and_returned())
    }

    /// The finding about a refund that was made after such a dispute, or that failed after it: less than all of it moved here,
    /// as the rest had gone by the dispute. None if all of it moved. `before` is the order without this news.
    pub(crate) fn hides_refund(
        &self,
        before: &Self,
        told: &ToldRefund,
        now: Timestamp,
    ) -> Option<Finding> {
        let dispute = self.lost_and_returned()?;
        let credited = self.credited.unwrap_or_default().decimal();
        let amount = told.money.amount.decimal();
        let made = |known: &&Refund| known.status == RefundStatus::Succeeded;
        let mut made = before.reversals.refunds.iter().filter(made);
        let was_made = made.any(|known| known.provider_id.as_ref() == Some(&told.provider_id));
        let with = match (told.status, was_made) {
            (RefundStatus::Succeeded, false) if told.at > dispute.created_at => self.wanted_out(),
            (RefundStatus::Failed, true) => self.wanted_out().saturating_add(amount),
            // It moves nothing outside now, or did so before the dispute.
            _ => return None,
        };
        let moved = with.min(credited).saturating_sub(with.saturating_sub(amount).min(credited));
        let expected = Amount::new(moved).ok();
        let expected = expected.map(|amount| Money { amount, ..told.money });
        (moved < amount).then(|| self.hidden(&told.provider_id, expected, told.money, now))
    }

    /// The finding about a dispute that is told to be lost after its money had come back, or both at once: what is taken here
    /// by that was perhaps not lost outside. Told in turn, nothing moves here when the money comes back, and the comparison
    /// says how much did.
    fn hides_loss(&self, before: &Self, told: &ToldDispute, now: Timestamp) -> Option<Finding> {
        let both = |order: &Self| {
            let mut disputes = order.reversals.disputes.iter();
            disputes.any(|one| one.id == told.id && one.is_lost_and_returned())
        };
        if both(before) || !both(self) {
            return None;
        }
        let (taken, before) = (self.reversals.taken.decimal(), before.reversals.taken.decimal());
        let taken = Amount::new(taken.saturating_sub(before)).ok()?;
        let expected = told.money.less(Money { amount: taken, ..told.money });
        Some(self.hidden(&told.id, expected, told.money, now))
    }

    /// What moved here, beside what moved outside.
    fn hidden(
        &self,
        reversal: &ProviderId,
        expected: Option<Money>,
        actual: Money,
        now: Timestamp,
    ) -> Finding {
        Finding {
            kind: FindingKind::ReversalDiffers,
            account: Some(self.account.clone()),
            order: Some(self.id.clone()),
            payment: self.payment_id.clone(),
            reversal: Some(reversal.clone()),
            expected,
            actual: Some(actual),
            found_at: now,
        }
    }
}

/// Decides what the provider's word about a dispute changes. `None` if it is known already.
///
/// While it is open, what is left of the order's money is set aside; what the bank takes and is not
/// there any more becomes a debt; what it gives back returns.
///
/// # Errors
/// [`Refusal::CurrencyDiffers`] if it is not in the order's currency; [`Refusal::OrderNotRefundable`],
/// [`Refusal::TooManyRefunds`] or [`Refusal::BalanceTooLarge`]: a person must look.
pub fn dispute_told(
    order: &Order,
    account: &Account,
    told: &ToldDispute,
    now: Timestamp,
) -> Result<Option<Reversed>, Refusal> {
    if order.credited.is_none() || order.method != Method::Card {
        let (status, method) = (order.status(), order.method);
        return Err(Refusal::OrderNotRefundable { status, method });
    }
    order.must_be_in(told.money.currency)?;
    let mut next = order.clone();
    let disputes = &mut next.reversals.disputes;
    let known = disputes.iter().position(|dispute| dispute.id == told.id);
    let dispute = match known.map(|position| disputes.remove(position)) {
        Some(dispute) => dispute.with(told),
        None if disputes.len() >= MAX_DISPUTES => return Err(Refusal::TooManyRefunds),
        None => told.clone(),
    };
    disputes.insert(known.unwrap_or(disputes.len()), dispute.clone());
    disputes.sort_by_key(|dispute| dispute.created_at);
    if next == *order {
        return Ok(None);
    }
    let reversed = rebalance(next, account, Cause::Dispute(&dispute), now)?;
    let finding = reversed.order.hides_loss(order, told, now);
    Ok(Some(Reversed { finding, ..reversed }))
}
