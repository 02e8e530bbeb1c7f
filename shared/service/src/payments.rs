//! Acting on what the payment provider tells: the one way in which a card payment is credited.

use ledger::{Finding, FindingKind, Order, Payment, Settlement, Timestamp};

use crate::error::{Error, Unavailable};
use crate::findings::FindingRecord;
use crate::metrics;
use crate::notice::{Notice, Told, What};
use crate::record::{OrderRecord, PaymentClaim, Seen};
use crate::reversals;
use crate::table::{
    Commit, Committed, MAX_COMMIT_TRIES, Stale, Table, must_exist, pause_before_retry,
};

/// What a notice led to. All of it is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// The money was credited now.
    Credited,
    /// The money had been credited before.
    AlreadyCredited,
    /// The order was changed; no money moved.
    Recorded,
    /// A payment that goes back is in the books now.
    Reversed,
    /// The notice tells nothing new.
    Unchanged,
    /// The payment is on its way back to whoever paid it, or went back, or a person has settled it: the finding
    /// that it leads to knows. Nothing is credited.
    LeftToItsFinding,
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
            Self::Reversed => "reversed",
            Self::Unchanged => "unchanged",
            Self::LeftToItsFinding => "left_to_its_finding",
            Self::Found(kind) => kind.name(),
        }
    }
}

/// What earlier tries have met.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    /// The payment was credited, to this order or to another one.
    claimed: bool,
    /// The payment leads to a finding about another order.
    found: bool,
}

/// What is left to do for a notice.
enum Step {
    Done(Confirmed),
    Commit(Commit, Confirmed),
}

/// Acts on what the provider tells.
///
/// # Errors
/// As [`confirm`] and [`reversals::confirm`].
pub async fn act(table: &Table, told: &Told, now: Timestamp) -> Result<Confirmed, Error> {
    match told {
        Told::Payment(notice) => confirm(table, notice, now).await,
        Told::Reversal(notice) => reversals::confirm(table, notice, now).await,
    }
}

/// Acts on a notice: two requests when nobody else writes the account. Repeating it is safe, in any
/// order and at any time.
///
/// # Errors
/// [`Error::Unavailable`] if it must be repeated; [`Error::Broken`] if a person must look.
pub async fn confirm(table: &Table, notice: &Notice, now: Timestamp) -> Result<Confirmed, Error> {
    let mut seen = read(table, notice).await?;
    let mut met = Met::default();
    for tries in 0..MAX_COMMIT_TRIES {
        let (commit, confirmed) = match decide(&seen, notice, met, now)? {
            Step::Done(confirmed) => return Ok(confirmed),
            Step::Commit(commit, confirmed) => (commit, confirmed),
        };
        match table.commit(commit).await? {
            Committed::Yes => {
                if let (Confirmed::Credited, What::Paid(payment)) = (confirmed, &notice.what) {
                    metrics::time_to_credit(now.since(payment.paid_at));
                }
                return Ok(confirmed);
            }
            // The claim of the payment exists: by this order's own credit, or by another order's.
            Committed::No(Stale::Payment(_)) => {
                met.claimed = true;
                seen = read(table, notice).await?;
            }
            Committed::No(Stale::Found) => met.found = true,
            // The same finding is stored already; it is not what else a commit may write of one.
            Committed::No(Stale::Exists) if matches!(confirmed, Confirmed::Found(_)) => {
                return Ok(confirmed);
            }
            // The refusal carries what stands there now: one more try without a read.
            Committed::No(Stale::Order(order)) if tries == 0 => seen.order = Some(*order),
            Committed::No(Stale::Account(account)) if tries == 0 => seen.account = Some(*account),
            Committed::No(_) => {
                pause_before_retry(tries).await;
                seen = read(table, notice).await?;
            }
        }
    }
    Err(Unavailable::Busy.into())
}

/// What a notice is decided on. A payment that had no place may be on its way back: its finding knows.
async fn read(table: &Table, notice: &Notice) -> Result<Seen, Error> {
    match &notice.what {
        What::Paid(payment) => table.seen_paid(&notice.order, &notice.account, &payment.id).await,
        _ => table.seen(&notice.order, &notice.account).await,
    }
}

fn decide(seen: &Seen, notice: &Notice, met: Met, now: Timestamp) -> Result<Step, Error> {
    let record = seen.order.as_ref().filter(|record| record.order.account == notice.account);
    let Some(record) = record else {
        return Ok(match &notice.what {
            What::Paid(payment) => {
                found(Commit::default(), &unknown_order(notice, payment, now), met)
            }
            _ => Step::Done(Confirmed::Unchanged),
        });
    };
    let order = &record.order;
    let next = match &notice.what {
        What::Paid(payment) => return decide_payment(seen, record, payment, met, now),
        What::AttemptFailed(failed) => ledger::attempt_failed(order, failed),
        What::Processing => ledger::payment_processing(order, now)?,
        What::Failed => ledger::payment_failed(order, now)?,
        What::PageExpired { session } if closes(record, session, now) => {
            ledger::session_expired(order, now)?
        }
        What::PageExpired { .. } => None,
    };
    Ok(match next {
        Some(order) => Step::Commit(written(record, order, now), Confirmed::Recorded),
        None => Step::Done(Confirmed::Unchanged),
    })
}

/// Whether an order cannot be paid any more once this page has closed. An attempt whose answer was
/// lost may have made another page than the one that is shown; its end means nothing. No page will be
/// shown for an order that is to be cancelled.
fn closes(record: &OrderRecord, session: &str, now: Timestamp) -> bool {
    record.checkout.as_ref().is_some_and(|checkout| match &checkout.session {
        Some(shown) => shown.id == session,
        None => checkout.expires_at <= now || record.order.cancel_request.is_some(),
    })
}

fn decide_payment(
    seen: &Seen,
    record: &OrderRecord,
    payment: &Payment,
    met: Met,
    now: Timestamp,
) -> Result<Step, Error> {
    let account = must_exist(seen.account.clone(), &record.order.account)?;
    let known = seen.finding.as_ref();
    let state = known.map(|known| &known.state);
    let settlement = match ledger::settle(&record.order, &account, payment, state, now)? {
        Settlement::Credited { .. } if met.claimed => {
            ledger::not_credited(&record.order, payment, FindingKind::PaymentAlreadyUsed, now)?
        }
        settlement => settlement,
    };
    match settlement {
        Settlement::AlreadyCredited => Ok(Step::Done(Confirmed::AlreadyCredited)),
        Settlement::LeftToItsFinding { order: None } => Ok(Step::Done(Confirmed::LeftToItsFinding)),
        Settlement::LeftToItsFinding { order: Some(order) } => {
            Ok(Step::Commit(written(record, *order, now), Confirmed::LeftToItsFinding))
        }
        Settlement::Credited { order, decision, cured } => {
            let claim = PaymentClaim {
                payment: payment.id.clone(),
                order: order.id.clone(),
                account: order.account.clone(),
                money: payment.money,
                settled_at: now,
            };
            let commit = written(record, *order, now).payment(&claim);
            let commit = match (known, cured) {
                (Some(known), Some(state)) => {
                    commit.finding(&FindingRecord { state: *state, ..known.clone() })
                }
                _ => commit,
            };
            Ok(Step::Commit(commit.decision(&decision), Confirmed::Credited))
        }
        Settlement::Found { order, finding } => {
            let commit = match order {
                Some(order) => written(record, *order, now),
                None => Commit::default(),
            };
            Ok(found(commit, &finding, met))
        }
    }
}

fn written(record: &OrderRecord, order: Order, now: Timestamp) -> Commit {
    Commit::default().order(&OrderRecord { order, ..record.clone() }, now)
}

fn found(commit: Commit, finding: &Finding, met: Met) -> Step {
    let commit = match met.found {
        true => commit.further_finding(finding),
        false => commit.new_finding(finding),
    };
    Step::Commit(commit, Confirmed::Found(finding.kind))
}

fn unknown_order(notice: &Notice, payment: &Payment, now: Timestamp) -> Finding {
    Finding {
        kind: FindingKind::UnknownOrder,
        account: Some(notice.account.clone()),
        order: Some(notice.order.clone()),
        payment: Some(payment.id.clone()),
        reversal: None,
        expected: None,
        actual: Some(payment.money),
        found_at: now,
    }
}
