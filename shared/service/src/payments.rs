//! Acting on what the payment provider tells: the one way in which a card payment is credited.

use ledger::{Finding, FindingKind, Order, Payment, Settlement, Timestamp};

use crate::error::Error;
use crate::notice::{Notice, What};
use crate::record::{OrderRecord, PaymentClaim, Seen};
use crate::table::{Commit, Committed, Stale, Table, must_exist, pause_before_retry};

/// What a notice led to. All of it is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// The money was credited now.
    Credited,
    /// The money had been credited before.
    AlreadyCredited,
    /// The order was changed; no money moved.
    Recorded,
    /// The notice tells nothing new.
    Unchanged,
    /// Money and records disagree; the finding is stored.
    Found(FindingKind),
}

impl Confirmed {
    /// The word for logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Credited => "credited",
            Self::AlreadyCredited => "already_credited",
            Self::Recorded => "recorded",
            Self::Unchanged => "unchanged",
            Self::Found(kind) => kind.name(),
        }
    }
}

/// What is left to do for a notice.
enum Step {
    Done(Confirmed),
    Commit(Commit, Confirmed),
}

/// Acts on a notice: two requests when nobody else writes the account. Repeating it is safe, in any
/// order and at any time.
///
/// # Errors
/// [`Error::Unavailable`] if it must be repeated; [`Error::Broken`] if a person must look.
pub async fn confirm(table: &Table, notice: &Notice, now: Timestamp) -> Result<Confirmed, Error> {
    let mut seen = table.seen(&notice.order, &notice.account).await?;
    for tries in 0.. {
        let (commit, confirmed) = match decide(&seen, notice, now)? {
            Step::Done(confirmed) => return Ok(confirmed),
            Step::Commit(commit, confirmed) => (commit, confirmed),
        };
        match table.commit(commit).await? {
            Committed::Yes => return Ok(confirmed),
            Committed::No(Stale::Exists) => return claimed(table, notice, confirmed, now).await,
            // The refusal carries what stands there now: one more try without a read.
            Committed::No(Stale::Order(order)) if tries == 0 => seen.order = Some(*order),
            Committed::No(Stale::Account(account)) if tries == 0 => seen.account = Some(*account),
            Committed::No(_) => {
                pause_before_retry(tries).await?;
                seen = table.seen(&notice.order, &notice.account).await?;
            }
        }
    }
    Ok(Confirmed::Unchanged)
}

fn decide(seen: &Seen, notice: &Notice, now: Timestamp) -> Result<Step, Error> {
    let record = seen.order.as_ref().filter(|record| record.order.account == notice.account);
    match (record, &notice.what) {
        (Some(record), What::Paid(payment)) => decide_payment(seen, record, payment, now),
        (None, What::Paid(payment)) => {
            Ok(found(finding(FindingKind::UnknownOrder, notice, payment, now)))
        }
        (None, _) => Ok(Step::Done(Confirmed::Unchanged)),
        (Some(record), what) => {
            let order = &record.order;
            let next = match what {
                What::AttemptFailed(failed) => ledger::attempt_failed(order, failed),
                What::Processing => ledger::payment_processing(order, now)?,
                What::Failed => ledger::payment_failed(order, now)?,
                What::PageExpired { session } if !closes(record, session, now) => None,
                What::PageExpired { .. } | What::Paid(_) => ledger::session_expired(order, now)?,
            };
            Ok(match next {
                Some(order) => Step::Commit(written(record, order), Confirmed::Recorded),
                None => Step::Done(Confirmed::Unchanged),
            })
        }
    }
}

/// Whether an order cannot be paid any more once this page has closed. An attempt whose answer was
/// lost may have made another page than the one that is shown; its end means nothing.
fn closes(record: &OrderRecord, session: &str, now: Timestamp) -> bool {
    record.checkout.as_ref().is_some_and(|checkout| match &checkout.session {
        Some(shown) => shown.id == session,
        None => checkout.expires_at <= now,
    })
}

fn decide_payment(
    seen: &Seen,
    record: &OrderRecord,
    payment: &Payment,
    now: Timestamp,
) -> Result<Step, Error> {
    let account = must_exist(seen.account.clone(), &record.order.account)?;
    match ledger::settle(&record.order, &account, payment, now)? {
        Settlement::AlreadyCredited => Ok(Step::Done(Confirmed::AlreadyCredited)),
        Settlement::Credited { order, decision } => {
            let claim = PaymentClaim {
                payment: payment.id.clone(),
                order: order.id.clone(),
                account: order.account.clone(),
                money: payment.money,
                settled_at: now,
            };
            let commit = written(record, *order).payment(&claim).decision(&decision);
            Ok(Step::Commit(commit, Confirmed::Credited))
        }
        Settlement::Disputed { order, finding } => {
            let commit = match order {
                Some(order) => written(record, *order),
                None => Commit::default(),
            };
            let kind = finding.kind;
            Ok(Step::Commit(commit.finding(&finding), Confirmed::Found(kind)))
        }
    }
}

/// A payment or a finding that was to be put once exists already.
async fn claimed(
    table: &Table,
    notice: &Notice,
    confirmed: Confirmed,
    now: Timestamp,
) -> Result<Confirmed, Error> {
    let What::Paid(payment) = &notice.what else {
        return Ok(confirmed);
    };
    if confirmed != Confirmed::Credited {
        return Ok(confirmed);
    }
    let order = table.order(&notice.order).await?;
    if order.is_some_and(|record| record.order.payment_id.as_ref() == Some(&payment.id)) {
        return Ok(Confirmed::AlreadyCredited);
    }
    let kind = FindingKind::PaymentAlreadyUsed;
    for tries in 0.. {
        let commit = Commit::default().finding(&finding(kind, notice, payment, now));
        match table.commit(commit).await? {
            Committed::No(Stale::Conflict) => pause_before_retry(tries).await?,
            Committed::Yes | Committed::No(_) => break,
        }
    }
    Ok(Confirmed::Found(kind))
}

fn written(record: &OrderRecord, order: Order) -> Commit {
    Commit::default().order(&OrderRecord { order, ..record.clone() })
}

fn found(finding: Finding) -> Step {
    Step::Commit(Commit::default().finding(&finding), Confirmed::Found(finding.kind))
}

fn finding(kind: FindingKind, notice: &Notice, payment: &Payment, now: Timestamp) -> Finding {
    Finding {
        kind,
        account: notice.account.clone(),
        order: notice.order.clone(),
        payment: payment.id.clone(),
        expected: None,
        actual: payment.money,
        found_at: now,
    }
}
