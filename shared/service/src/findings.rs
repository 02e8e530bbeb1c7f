//! Findings: where money and records disagree, until a person, or the money itself, has set it right.

use ledger::{
    AccountId, Actor, Finding, FindingEnd, FindingKind, FindingOutcome, FindingState, LostPayment,
    NewOrder, Note, OrderId, Payment, PaymentId, RefundStatus, Target, Timestamp, WholeRefunds,
};
use tracing::error;

use crate::catalogue::CatalogueCache;
use crate::cursor::{CursorScope, Cursors, OPERATOR};
use crate::error::{BrokenRecord, Error, Invalid, Unavailable};
use crate::notice::{ReversalNotice, WhatBack};
use crate::payments::Confirmed;
use crate::record::{ClaimOrFinding, OrderRecord, Page, PaymentClaim, RequestWords};
use crate::reversals::finding_about;
use crate::table::{Commit, Committed, MAX_COMMIT_TRIES, Stale, Table, pause_before_retry};

/// A finding and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingRecord {
    /// What disagrees.
    pub finding: Finding,
    /// How often it was written; 0 before the first time.
    pub version: u64,
    /// What became of it.
    pub state: FindingState,
}

/// Where the payment of a finding is to be credited.
#[derive(Debug, Clone)]
pub struct Credit {
    /// The account; the finding's own unless something else is said.
    pub account: Option<AccountId>,
    /// What is topped up.
    pub target: Target,
}

/// Everything that the operator's desk for findings touches.
#[derive(Debug)]
pub struct Findings {
    /// Where findings are.
    pub table: Table,
    /// Which products there are.
    pub catalogue: CatalogueCache,
    /// What makes and checks cursors.
    pub cursors: Cursors,
}

impl FindingRecord {
    /// A finding that nobody has seen yet.
    #[must_use]
    pub fn new(finding: Finding) -> Self {
        Self { finding, version: 0, state: FindingState::default() }
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
            "credit what was paid to an account, or refund it; both from here, and both only once"
        }
        FindingKind::DuplicatePayment => {
            "the customer paid twice: refund this payment, or credit it"
        }
        FindingKind::UnknownOrder => {
            "find out whose payment it is, and credit it to that account; else refund it"
        }
        FindingKind::PaymentAlreadyUsed => {
            "look at both orders of this payment: only the first was credited"
        }
        FindingKind::UnknownPayment => {
            "a payment was taken back that was credited to no order, or to one that cannot be read (then the log has \
             an error about it): if it is of this deployment, find out why; if it is not, resolve this"
        }
        FindingKind::ReversalDiffers => {
            "what went back is not what the books have: it was of another currency or amount, or came \
             back after its dispute was lost, or after that. Compare all of the payment at the provider, and \
             adjust the balance by the difference"
        }
        FindingKind::PaidNotCredited => {
            "the provider was paid and the order cannot be completed: look at the logs, and credit or \
             refund the payment"
        }
        FindingKind::CreditedNotPaid => {
            "a balance was credited for a payment that the provider does not know: find out how, and \
             adjust the balance"
        }
        FindingKind::ReversalNotMade => {
            "money was taken for a refund or dispute that the provider does not know: find out how, and \
             adjust the balance"
        }
        FindingKind::JournalBroken => {
            "freeze the account, book nothing on it, and find out who wrote to the table: the log of \
             verify-accounts says what does not hold, and a backup of the table what was there before. \
             This closes itself once the account follows from its journal again"
        }
        FindingKind::EntryWithoutOrder | FindingKind::OrderWithoutEntry => {
            "compare the order with the account's entries and with the payment: if money is missing \
             or too much, adjust the balance. This closes itself once order and entry say the same"
        }
    }
}

/// The answer to who would do something else about a finding that has ended.
pub(crate) fn closed_already(closed: &FindingEnd) -> Error {
    let detail = format!("it was closed by {}: {}", closed.by, closed.how.name());
    Error::Conflict { code: "finding_closed", detail }
}

/// The answer to who would give money a place that has one.
pub(crate) fn not_lost(record: &FindingRecord) -> Error {
    let kind = record.finding.kind.name();
    let detail = format!("a finding of type {kind} is not about a payment without a place");
    Error::Conflict { code: "finding_not_creditable", detail }
}

/// One finding.
pub(crate) async fn known(table: &Table, id: &str) -> Result<FindingRecord, Error> {
    let missing = || Error::NotFound { what: "finding" };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if id.len() > 64 || !id.bytes().all(plain) {
        return Err(missing());
    }
    table.finding(id).await?.ok_or_else(missing)
}

/// A payment has one place, and is put there from the finding that it leads to: a second finding about
/// the same payment is for a person to close.
///
/// # Errors
/// `finding_not_creditable`; [`Error::Unavailable`].
pub(crate) async fn has_no_place(
    table: &Table,
    payment: &PaymentId,
    finding: &str,
) -> Result<(), Error> {
    let detail = match table.payment_or_finding(payment).await? {
        Some(ClaimOrFinding::Claim(claim)) => {
            format!("this payment was credited to order {}", claim.order)
        }
        Some(ClaimOrFinding::Finding(first)) if first != finding => {
            format!("what becomes of this payment is decided with finding {first}")
        }
        _ => return Ok(()),
    };
    Err(Error::Conflict { code: "finding_not_creditable", detail })
}

/// Writes a finding as it is from now on; `None` if somebody else did.
pub(crate) async fn stored(
    table: &Table,
    next: FindingRecord,
) -> Result<Option<FindingRecord>, Error> {
    let version = next.version.saturating_add(1);
    let committed = table.commit(Commit::default().finding(&next)).await?;
    let went = matches!(committed, Committed::Yes);
    Ok(went.then_some(FindingRecord { version, ..next }))
}

/// Stores a finding. The same one found again is the same one.
///
/// # Errors
/// [`Error::Unavailable`].
pub(crate) async fn found(table: &Table, finding: &Finding) -> Result<Confirmed, Error> {
    let mut commit = Commit::default().new_finding(finding);
    for tries in 0..MAX_COMMIT_TRIES {
        match table.commit(commit).await? {
            Committed::Yes | Committed::No(Stale::Exists) => {
                return Ok(Confirmed::Found(finding.kind));
            }
            // Its payment leads to another finding already.
            Committed::No(Stale::Found) => commit = Commit::default().further_finding(finding),
            Committed::No(_) => {
                pause_before_retry(tries).await;
                commit = Commit::default().new_finding(finding);
            }
        }
    }
    Err(Unavailable::Busy.into())
}

/// The commit of something that happens, with the finding about the refund or dispute that it is. One that is closed is open
/// again: a person had looked at something else.
///
/// # Errors
/// [`Error::Unavailable`].
pub(crate) async fn found_by(
    table: &Table,
    commit: Commit,
    finding: &Finding,
) -> Result<Commit, Error> {
    let known = match table.finding(&finding.id()).await {
        // Its money does not wait for it: it is there, for a person to find out what it is.
        Err(Error::Broken(cause)) => {
            error!(finding_id = finding.id(), %cause, "a finding cannot be opened again");
            return Ok(commit);
        }
        known => known?,
    };
    let Some(record) = known else { return Ok(commit.new_finding(finding)) };
    // What an open one says stands: a person may have begun to set it right.
    let stands = record.state.is_open() && record.finding.kind == finding.kind;
    let finding = if stands { record.finding } else { finding.clone() };
    let state = record.state.open_again();
    Ok(commit.finding(&FindingRecord { finding, state, version: record.version }))
}

/// Stores a finding of something that is looked at again and again, and returns it as a person must look at it:
/// `None` for one that a person has closed. One that was cured is open again.
///
/// # Errors
/// [`Error::Unavailable`], or the stored one cannot be read.
pub(crate) async fn found_again(
    table: &Table,
    finding: &Finding,
) -> Result<Option<Finding>, Error> {
    for tries in 0..MAX_COMMIT_TRIES {
        let record = match table.finding(&finding.id()).await? {
            None => {
                found(table, finding).await?;
                return Ok(Some(finding.clone()));
            }
            Some(record) => match record.state.outcome() {
                None => return Ok(Some(record.finding)),
                Some(FindingOutcome::Cured) => record,
                Some(_) => return Ok(None),
            },
        };
        let state = FindingState { closed: None, ..record.state };
        let again = FindingRecord { finding: finding.clone(), state, ..record };
        if stored(table, again).await?.is_some() {
            return Ok(Some(finding.clone()));
        }
        pause_before_retry(tries).await;
    }
    Err(Unavailable::Busy.into())
}

/// Closes a finding because what was found is not so any more. One that is closed, or was never
/// stored, stays as it is. Returns whether it was closed by this.
///
/// # Errors
/// [`Error::Unavailable`], or the stored one cannot be read.
#[cfg(feature = "stripe")]
pub(crate) async fn cured(table: &Table, id: &str, now: Timestamp) -> Result<bool, Error> {
    end_as_cured(table, id, FindingState::is_open, now).await
}

/// As [`cured`], of what is looked at again and again whether or not a person has closed it: what they closed is over
/// with this, so that they are told of the next time.
///
/// # Errors
/// As [`cured`].
pub(crate) async fn holds_again(table: &Table, id: &str, now: Timestamp) -> Result<bool, Error> {
    let lasts =
        |state: &FindingState| matches!(state.outcome(), None | Some(FindingOutcome::Resolved));
    end_as_cured(table, id, lasts, now).await
}

async fn end_as_cured(
    table: &Table,
    id: &str,
    lasts: fn(&FindingState) -> bool,
    now: Timestamp,
) -> Result<bool, Error> {
    for tries in 0..MAX_COMMIT_TRIES {
        let known = table.finding(id).await?.filter(|record| lasts(&record.state));
        let Some(record) = known else { return Ok(false) };
        let state = record.state.cured(&Actor::schedule(), now);
        if stored(table, FindingRecord { state, ..record }).await?.is_some() {
            return Ok(true);
        }
        pause_before_retry(tries).await;
    }
    Err(Unavailable::Busy.into())
}

/// A payment that was credited to no order goes back: once all of it has, its finding is closed; if
/// it comes back after all, it is open again. Anything else is a finding of its own. `None` if the payment was credited
/// at the same moment: its order keeps what goes back.
pub(crate) async fn reversed(
    table: &Table,
    id: &str,
    notice: &ReversalNotice,
    now: Timestamp,
) -> Result<Option<Confirmed>, Error> {
    for tries in 0..MAX_COMMIT_TRIES {
        let missing = || BrokenRecord::Missing(format!("finding {id}"));
        let record = table.finding(id).await?.ok_or_else(missing)?;
        let credited = matches!(
            record.state.outcome(),
            Some(FindingOutcome::Credited | FindingOutcome::Cured)
        );
        if credited {
            let known = table.payment_or_finding(&notice.payment).await?;
            if matches!(known, Some(ClaimOrFinding::Claim(_))) {
                return Ok(None);
            }
        }
        let Some(refunds) = refunds_after(&record, notice) else {
            let finding = Finding {
                account: record.finding.account,
                order: record.finding.order,
                ..finding_about(notice, FindingKind::UnknownPayment, now)
            };
            return found_apart(table, &finding, notice).await.map(Some);
        };
        let state = record.state.with_refunds(refunds, now);
        if state == record.state {
            return Ok(Some(Confirmed::Unchanged));
        }
        let commit = match (state.became(&record.state), state.refunds.deciding()) {
            (Some(became), Some(refund)) => {
                followed(table, &record.finding, became, &refund.by, now).await?
            }
            _ => Commit::default(),
        };
        match table.commit(commit.finding(&FindingRecord { state, ..record })).await? {
            Committed::Yes => return Ok(Some(Confirmed::Reversed)),
            Committed::No(_) => pause_before_retry(tries).await,
        }
    }
    Err(Unavailable::Busy.into())
}

/// Stores that something went back of a payment without a place which the finding of the payment does not keep. Once a
/// refund has failed that a person had closed, they must look again: once, as what they knew was another thing.
async fn found_apart(
    table: &Table,
    finding: &Finding,
    notice: &ReversalNotice,
) -> Result<Confirmed, Error> {
    let failed =
        matches!(&notice.what, WhatBack::Refund(told) if told.status == RefundStatus::Failed);
    for tries in 0..MAX_COMMIT_TRIES {
        let known = if failed { table.finding(&finding.id()).await? } else { None };
        let Some(record) = known.filter(|record| record.state.waits_for_failure()) else {
            return found(table, finding).await;
        };
        let next = FindingRecord { state: record.state.open_again(), ..record };
        if stored(table, next).await?.is_some() {
            return Ok(Confirmed::Found(finding.kind));
        }
        pause_before_retry(tries).await;
    }
    Err(Unavailable::Busy.into())
}

/// The commit of the order that could not take the payment, if what became of it is news for the order.
async fn followed(
    table: &Table,
    finding: &Finding,
    became: LostPayment,
    by: &Actor,
    now: Timestamp,
) -> Result<Commit, Error> {
    let Some(id) = &finding.order else { return Ok(Commit::default()) };
    let record = match table.order(id).await {
        // What became of the payment is stored all the same: its order has a finding already.
        Err(Error::Broken(cause)) => {
            error!(order_id = %id, %cause, "an order cannot follow its payment");
            None
        }
        read => read?,
    };
    let record = record.filter(|record| Some(&record.order.account) == finding.account.as_ref());
    let Some(record) = record else { return Ok(Commit::default()) };
    Ok(match ledger::follow_lost_payment(&record.order, finding, became, by, now) {
        Some(order) => Commit::default().order(&OrderRecord { order, ..record }, now),
        None => Commit::default(),
    })
}

/// The refunds of a payment without a place, with what is told of one. `None` if the finding does not keep it: a
/// dispute, a refund of a part, or one that was made after a person had settled the payment.
fn refunds_after(record: &FindingRecord, notice: &ReversalNotice) -> Option<WholeRefunds> {
    let WhatBack::Refund(told) = &notice.what else { return None };
    if !record.state.keeps_refund(told) {
        return None;
    }
    record.state.refunds.told(told, record.finding.actual?).ok().flatten()
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
        let table = &self.table;
        self.cursors
            .page(&scope, cursor, now, |after| async move {
                table.findings(open, after.as_ref(), limit).await
            })
            .await
    }

    /// Closes a finding for a reason. Closing it again for the same reason changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`]; `finding_closed` if it ended otherwise; `refund_under_way`; `payment_undecided`;
    /// [`Error::Unavailable`].
    pub async fn resolve(
        &self,
        id: &str,
        reason: &Note,
        by: &Actor,
        now: Timestamp,
    ) -> Result<FindingRecord, Error> {
        for tries in 0..MAX_COMMIT_TRIES {
            let record = self.one(id).await?;
            if let Some(closed) = &record.state.closed {
                let same = closed.how == FindingOutcome::Resolved
                    && closed.reason.as_ref() == Some(reason);
                let other = closed_already(closed);
                return if same { Ok(record) } else { Err(other) };
            }
            if record.state.refunds.status() == Some(RefundStatus::Pending) {
                // Only open findings are continued: the refund would stop halfway.
                let detail =
                    "its payment is on its way back: it closes itself, or the refund fails";
                return Err(Error::Conflict {
                    code: "refund_under_way",
                    detail: detail.to_owned(),
                });
            }
            self.must_be_decided(&record.finding).await?;
            let state = record.state.ended(FindingOutcome::Resolved, by, Some(reason), now);
            let next = FindingRecord { state, ..record };
            if let Some(stored) = stored(&self.table, next).await? {
                return Ok(stored);
            }
            pause_before_retry(tries).await;
        }
        Err(Unavailable::Busy.into())
    }

    /// What went back in part of a payment that has no place yet is taken by the order that the payment becomes, for as long
    /// as its own finding is open: the payment comes first.
    async fn must_be_decided(&self, finding: &Finding) -> Result<(), Error> {
        let (FindingKind::UnknownPayment, Some(payment)) = (finding.kind, &finding.payment) else {
            return Ok(());
        };
        let known = self.table.payment_or_finding(payment).await?;
        let Some(ClaimOrFinding::Finding(first)) = known else { return Ok(()) };
        match self.table.finding(&first).await? {
            Some(record) if record.state.is_open() => {
                let detail = format!("decide first about finding {first}, which is the payment");
                Err(Error::Conflict { code: "payment_undecided", detail })
            }
            _ => Ok(()),
        }
    }

    /// Credits the payment of a finding to an account, once: as an order that is completed as it is made.
    /// Doing it again changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for the account; `finding_closed`; `finding_not_creditable`;
    /// `unknown_product`; [`ledger::Refusal::CurrencyDiffers`]; [`Error::Unavailable`].
    pub async fn credit(
        &self,
        id: &str,
        place: &Credit,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(FindingRecord, OrderRecord), Error> {
        for tries in 0..MAX_COMMIT_TRIES {
            let record = self.one(id).await?;
            let (payment, money) =
                record.finding.lost_payment().ok_or_else(|| not_lost(&record))?;
            let account = place.account.clone().or_else(|| record.finding.account.clone());
            let missing = || Invalid::field("missing_field", "account_id", "is required");
            let account_id = account.ok_or_else(missing)?;
            let order_id = OrderId::of_finding(&account_id, id);
            if let Some(closed) = &record.state.closed {
                let made = self.table.order(&order_id).await?;
                let made = made.filter(|made| made.order.target == place.target);
                let credited = closed.how == FindingOutcome::Credited;
                return made
                    .filter(|_| credited)
                    .map(|made| (record.clone(), made))
                    .ok_or_else(|| closed_already(closed));
            }
            if record.state.refunds.goes_back() {
                let detail = "a refund of this payment is under way".to_owned();
                return Err(Error::Conflict { code: "finding_not_creditable", detail });
            }
            if let Err(refused) = has_no_place(&self.table, payment, id).await {
                // The two reads are not of one moment: it may have been closed since, by this very credit.
                match self.one(id).await?.state.closed {
                    Some(_) => continue,
                    None => return Err(refused),
                }
            }
            let account = self.table.account(&account_id).await?;
            let account = account.ok_or(Error::NotFound { what: "account" })?;
            self.catalogue.get(&self.table, now).await?.must_know(&place.target)?;
            let new = NewOrder {
                id: order_id,
                account: account_id,
                target: place.target.clone(),
                by: by.clone(),
                created_at: now,
            };
            let (paid_at, reference) = (record.finding.found_at, id.to_owned());
            let paid = Payment { id: payment.clone(), money, paid_at, reference };
            let (order, decision) =
                ledger::book_payment(&account, &new, &paid, &record.state.refunds, now)?;
            let claim = PaymentClaim {
                payment: paid.id,
                order: order.id.clone(),
                account: order.account.clone(),
                money,
                settled_at: now,
            };
            let made = OrderRecord::new(order, RequestWords::default());
            let state = record.state.ended(FindingOutcome::Credited, by, None, now);
            let next = FindingRecord { state, ..record };
            let commit = followed(&self.table, &next.finding, LostPayment::Booked, by, now).await?;
            let commit =
                commit.order(&made, now).payment(&claim).finding(&next).decision(&decision);
            match self.table.commit(commit).await? {
                Committed::Yes => {
                    let version = next.version.saturating_add(1);
                    return Ok((FindingRecord { version, ..next }, made));
                }
                Committed::No(Stale::Payment(claim)) => {
                    let detail = format!("this payment was credited to order {}", claim.order);
                    return Err(Error::Conflict { code: "finding_not_creditable", detail });
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
        known(&self.table, id).await
    }
}
