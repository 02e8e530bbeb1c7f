//! Findings: where money and records disagree, until a person, or the money itself, has set it right.

use ledger::{Actor, Finding, FindingKind, Note, Refund, RefundStatus, Timestamp};

use crate::cursor::{CursorScope, Cursors, OPERATOR};
use crate::error::{BrokenRecord, Error, Unavailable};
use crate::notice::{ReversalNotice, WhatBack};
use crate::payments::Confirmed;
use crate::queries::position_of;
use crate::record::Page;
use crate::reversals::finding_about;
use crate::table::{Commit, Committed, MAX_COMMIT_TRIES, Stale, Table, pause_before_retry};

/// A finding and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingRecord {
    /// What disagrees.
    pub finding: Finding,
    /// How often it was written; 0 before the first time.
    pub version: u64,
    /// The refund of a payment that was credited to no order.
    pub refund: Option<Refund>,
    /// How it ended; none while a person must look.
    pub closed: Option<Closed>,
}

/// How a finding ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// How.
    pub how: How,
    /// Why, in the words of whoever closed it.
    pub reason: Option<Note>,
}

/// The ways in which a finding ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// A person has set it right, or says that nothing is to be done.
    Resolved,
    /// The payment went back to whoever paid it.
    Refunded,
    /// What was found is not so any more.
    Cured,
}

/// Everything that the operator's desk for findings touches.
#[derive(Debug)]
pub struct Findings {
    /// Where findings are.
    pub table: Table,
    /// What makes and checks cursors.
    pub cursors: Cursors,
}

impl How {
    const ALL: [Self; 3] = [Self::Resolved, Self::Refunded, Self::Cured];

    /// The name that is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::Refunded => "refunded",
            Self::Cured => "cured",
        }
    }

    /// The way of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|how| how.name() == name)
    }
}

impl FindingRecord {
    /// A finding that nobody has seen yet.
    #[must_use]
    pub const fn new(finding: Finding) -> Self {
        Self { finding, version: 0, refund: None, closed: None }
    }
}

/// What a person can do about a finding.
#[must_use]
pub const fn next_step(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::AmountDiffers
        | FindingKind::CurrencyDiffers
        | FindingKind::OrderInException
        | FindingKind::NotCreditable => {
            "refund the payment at the provider, or adjust the balance by what was paid, and resolve \
             this with what was done"
        }
        FindingKind::DuplicatePayment => {
            "the customer paid twice: refund this payment at the provider"
        }
        FindingKind::UnknownOrder => {
            "find out whose payment it is: adjust that account's balance, or refund the payment at \
             the provider"
        }
        FindingKind::PaymentAlreadyUsed => {
            "look at both orders of this payment: only the first was credited"
        }
        FindingKind::UnknownPayment => {
            "a payment was taken back that was credited to no order: if it is of this deployment, \
             find out why; if it is not, resolve this"
        }
        FindingKind::ReversalDiffers => {
            "money went back in another currency than it came: adjust the balance"
        }
        FindingKind::JournalBroken => {
            "freeze the account and find out who wrote to the table: the log of verify-accounts says \
             what does not hold, and a backup of the table what was there before. This closes itself \
             once the account follows from its journal again"
        }
        FindingKind::EntryWithoutOrder | FindingKind::OrderWithoutEntry => {
            "compare the order with the account's entries and with the payment: if money is missing \
             or too much, adjust the balance. This closes itself once order and entry say the same"
        }
    }
}

/// Stores a finding. The same one found again is the same one.
///
/// # Errors
/// [`Error::Unavailable`].
pub(crate) async fn found(table: &Table, finding: &Finding) -> Result<Confirmed, Error> {
    for tries in 0..MAX_COMMIT_TRIES {
        match table.commit(Commit::default().new_finding(finding)).await? {
            Committed::Yes | Committed::No(Stale::Exists) => {
                return Ok(Confirmed::Found(finding.kind));
            }
            Committed::No(_) => pause_before_retry(tries).await,
        }
    }
    Err(Unavailable::Busy.into())
}

/// Stores a finding of something that is looked at again and again, or opens it again if it had been
/// cured. One that a person closed stays closed. Returns whether something was written.
///
/// # Errors
/// [`Error::Unavailable`], or the stored one cannot be read.
pub(crate) async fn found_again(table: &Table, finding: &Finding) -> Result<bool, Error> {
    let mut commit = Commit::default().new_finding(finding);
    for tries in 0..MAX_COMMIT_TRIES {
        match table.commit(commit).await? {
            Committed::Yes => return Ok(true),
            Committed::No(Stale::Exists) => {}
            Committed::No(_) => pause_before_retry(tries).await,
        }
        commit = match table.finding(&finding.id()).await? {
            // Its payment leads to another finding already.
            None => Commit::default().finding(&FindingRecord::new(finding.clone())),
            Some(known) if known.closed.as_ref().is_some_and(|closed| closed.how == How::Cured) => {
                let finding = finding.clone();
                Commit::default().finding(&FindingRecord { finding, closed: None, ..known })
            }
            Some(_) => return Ok(false),
        };
    }
    Err(Unavailable::Busy.into())
}

/// Closes a finding because what was found is not so any more. One that is closed, or was never
/// stored, stays as it is. Returns whether something was written.
///
/// # Errors
/// [`Error::Unavailable`], or the stored one cannot be read.
pub(crate) async fn cured(table: &Table, id: &str, now: Timestamp) -> Result<bool, Error> {
    for tries in 0..MAX_COMMIT_TRIES {
        let open = table.finding(id).await?.filter(|record| record.closed.is_none());
        let Some(record) = open else { return Ok(false) };
        let closed = Closed { at: now, by: Actor::schedule(), how: How::Cured, reason: None };
        let next = FindingRecord { closed: Some(closed), ..record };
        match table.commit(Commit::default().finding(&next)).await? {
            Committed::Yes => return Ok(true),
            Committed::No(_) => pause_before_retry(tries).await,
        }
    }
    Err(Unavailable::Busy.into())
}

/// A payment that was credited to no order goes back: once all of it has, its finding is closed; if
/// it comes back after all, it is open again. Anything else is a finding of its own.
pub(crate) async fn reversed(
    table: &Table,
    id: &str,
    notice: &ReversalNotice,
    now: Timestamp,
) -> Result<Confirmed, Error> {
    for tries in 0..MAX_COMMIT_TRIES {
        let missing = || BrokenRecord::Missing(format!("finding {id}"));
        let record = table.finding(id).await?.ok_or_else(missing)?;
        let Some(refund) = refund_of(&record, notice) else {
            let finding = Finding {
                account: record.finding.account,
                order: record.finding.order,
                ..finding_about(notice, FindingKind::UnknownPayment, now)
            };
            return found(table, &finding).await;
        };
        let refunded = record.closed.as_ref().is_some_and(|closed| closed.how == How::Refunded);
        let closed = match refund.status {
            RefundStatus::Succeeded if record.closed.is_none() => {
                let (by, how, reason) = (refund.by.clone(), How::Refunded, refund.reason.clone());
                Some(Closed { at: now, by, how, reason })
            }
            RefundStatus::Failed if refunded => None,
            _ => record.closed.clone(),
        };
        let next = FindingRecord { refund: Some(refund), closed, ..record.clone() };
        if next == record {
            return Ok(Confirmed::Unchanged);
        }
        match table.commit(Commit::default().finding(&next)).await? {
            Committed::Yes => return Ok(Confirmed::Reversed),
            Committed::No(_) => pause_before_retry(tries).await,
        }
    }
    Err(Unavailable::Busy.into())
}

/// The refund of a whole payment, with what is known of it now.
fn refund_of(record: &FindingRecord, notice: &ReversalNotice) -> Option<Refund> {
    let WhatBack::Refund(told) = &notice.what else { return None };
    if record.finding.actual != Some(told.money) {
        return None;
    }
    match &record.refund {
        Some(known) => known.told(told),
        None => Some(Refund::made_elsewhere(told)),
    }
}

impl Findings {
    /// A page of the findings that a person must look at, or of the others, newest first.
    ///
    /// # Errors
    /// `invalid_cursor`, or the table did not answer.
    pub async fn list(
        &self,
        open: bool,
        cursor: Option<&str>,
        limit: u8,
        now: Timestamp,
    ) -> Result<Page<FindingRecord>, Error> {
        let filters = if open { "open" } else { "closed" };
        let scope = CursorScope { owner: OPERATOR, list: "findings", filters };
        let after = position_of(&self.cursors, &scope, cursor, now).await?;
        let page = self.table.findings(open, after.as_ref(), limit).await?;
        let next = self.cursors.sealed(&scope, page.next, now).await?;
        Ok(Page { next, ..page })
    }

    /// Closes a finding for a reason. Closing it again for the same reason changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`]; `finding_closed` if it ended otherwise; [`Error::Unavailable`].
    pub async fn resolve(
        &self,
        id: &str,
        reason: &Note,
        by: &Actor,
        now: Timestamp,
    ) -> Result<FindingRecord, Error> {
        for tries in 0..MAX_COMMIT_TRIES {
            let record = self.one(id).await?;
            if let Some(closed) = &record.closed {
                let same = closed.how == How::Resolved && closed.reason.as_ref() == Some(reason);
                let detail = format!("it was closed by {}: {}", closed.by, closed.how.name());
                let other = Error::Conflict { code: "finding_closed", detail };
                return if same { Ok(record) } else { Err(other) };
            }
            let closed = Closed {
                at: now,
                by: by.clone(),
                how: How::Resolved,
                reason: Some(reason.clone()),
            };
            let next = FindingRecord { closed: Some(closed), ..record };
            match self.table.commit(Commit::default().finding(&next)).await? {
                Committed::Yes => {
                    return Ok(FindingRecord { version: next.version.saturating_add(1), ..next });
                }
                Committed::No(_) => pause_before_retry(tries).await,
            }
        }
        Err(Unavailable::Busy.into())
    }

    /// One finding.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the table did not answer.
    pub async fn one(&self, id: &str) -> Result<FindingRecord, Error> {
        let missing = || Error::NotFound { what: "finding" };
        let plain = id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !plain {
            return Err(missing());
        }
        self.table.finding(id).await?.ok_or_else(missing)
    }
}
