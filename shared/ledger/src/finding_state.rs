//! What became of a finding, and of the payment that it is about.

use crate::{Actor, LostPayment, Note, RefundStatus, Timestamp, ToldRefund, WholeRefunds};

/// What became of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FindingState {
    /// The refunds of a payment that was credited to no order.
    pub refunds: WholeRefunds,
    /// How it ended; none while a person must look.
    pub closed: Option<FindingEnd>,
    /// How a person had closed it before it was opened again, or cured: what was done about its payment then, only they know.
    pub resolved_before: Option<FindingEnd>,
}

/// How a finding ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingEnd {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// How.
    pub how: FindingOutcome,
    /// Why, in the words of whoever closed it.
    pub reason: Option<Note>,
}

/// The ways in which a finding ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingOutcome {
    /// A person has set it right, or says that nothing is to be done.
    Resolved,
    /// The payment went back to whoever paid it.
    Refunded,
    /// The payment was credited, as an order of its own.
    Credited,
    /// What was found is not so any more.
    Cured,
}

impl FindingOutcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Resolved, Self::Refunded, Self::Credited, Self::Cured];

    /// The name that is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::Refunded => "refunded",
            Self::Credited => "credited",
            Self::Cured => "cured",
        }
    }

    /// The outcome of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

impl FindingState {
    /// Whether a person must look.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// How it ended; none while a person must look.
    #[must_use]
    pub fn outcome(&self) -> Option<FindingOutcome> {
        self.closed.as_ref().map(|end| end.how)
    }

    /// As it is once it has ended so.
    #[must_use]
    pub fn ended(
        &self,
        how: FindingOutcome,
        by: &Actor,
        reason: Option<&Note>,
        now: Timestamp,
    ) -> Self {
        let end = FindingEnd { at: now, by: by.clone(), how, reason: reason.cloned() };
        Self { closed: Some(end), ..self.clone() }
    }

    /// As it is once what was found is not so any more. Of one that a person had closed that is kept: if it is so once more, that
    /// is another thing, of which they must hear.
    #[must_use]
    pub fn cured(&self, by: &Actor, now: Timestamp) -> Self {
        let resolved_before = self.closed.clone().or_else(|| self.resolved_before.clone());
        Self { resolved_before, ..self.ended(FindingOutcome::Cured, by, None, now) }
    }

    /// As it is once a person must look again; how they had closed it is kept.
    #[must_use]
    pub fn open_again(&self) -> Self {
        let resolved_before = self.closed.clone().or_else(|| self.resolved_before.clone());
        Self { closed: None, resolved_before, ..self.clone() }
    }

    /// Whether a person has closed it, and must hear if what went back comes back: once.
    #[must_use]
    pub fn waits_for_failure(&self) -> bool {
        self.outcome() == Some(FindingOutcome::Resolved) && self.resolved_before.is_none()
    }

    /// Whether its payment is not to be credited by itself: it went back to whoever paid it or is on its way,
    /// or a person has settled it. One that was credited has its claim, which decides.
    #[must_use]
    pub fn keeps_payment(&self) -> bool {
        match self.outcome() {
            Some(FindingOutcome::Resolved | FindingOutcome::Refunded) => true,
            Some(FindingOutcome::Credited | FindingOutcome::Cured) => false,
            None => self.resolved_before.is_some() || self.refunds.goes_back(),
        }
    }

    /// Whether it keeps what is told of a refund of its whole payment: not of one that is made after a person has settled the
    /// payment in another way, as they must hear of it.
    #[must_use]
    pub fn keeps_refund(&self, told: &ToldRefund) -> bool {
        let resolved = |end: &&FindingEnd| end.how == FindingOutcome::Resolved;
        let settled = self.closed.as_ref().filter(resolved);
        settled.is_none_or(|end| told.at <= end.at || self.refunds.knows(told))
    }

    /// As it is once the refunds of its payment are these. Once all of the payment has gone back it is closed; once
    /// that has failed a person must look, also at one that a person had closed: what they knew was another thing.
    #[must_use]
    pub fn with_refunds(&self, refunds: WholeRefunds, now: Timestamp) -> Self {
        let gone = refunds.status() == Some(RefundStatus::Succeeded);
        let failed = refunds.status() == Some(RefundStatus::Failed)
            && refunds.failed() > self.refunds.failed();
        let next = Self { refunds, ..self.clone() };
        match (self.outcome(), next.refunds.deciding()) {
            (None, Some(refund)) if gone => {
                next.ended(FindingOutcome::Refunded, &refund.by, refund.reason.as_ref(), now)
            }
            (Some(FindingOutcome::Refunded), _) if !gone => Self { closed: None, ..next },
            (Some(FindingOutcome::Resolved), _) if failed => next.open_again(),
            _ => next,
        }
    }

    /// What became of its payment, for the order that could not take it, since it stood as before.
    #[must_use]
    pub fn became(&self, before: &Self) -> Option<LostPayment> {
        match (before.refunds.status(), self.refunds.status()) {
            (_, Some(RefundStatus::Succeeded)) => Some(LostPayment::Refunded),
            (Some(RefundStatus::Succeeded), _) | (_, Some(RefundStatus::Failed)) => {
                Some(LostPayment::Returned)
            }
            _ => None,
        }
    }
}
