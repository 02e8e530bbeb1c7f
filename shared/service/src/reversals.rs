//! Acting on what the payment provider tells about payments that go back.
//!
//! A payment leads by its claim to the order and the account that it was credited to, or to the
//! finding that says why it was not.

use std::collections::BTreeSet;

use ledger::{
    Account, AccountId, Finding, FindingKind, Money, Order, OrderId, Place, ProviderId, Refund,
    RefundStatus, Refusal, Reversed, Timestamp,
};

use crate::error::{BrokenRecord, Error, Unavailable};
use crate::findings;
use crate::log;
use crate::notice::{ReversalNotice, WhatBack};
use crate::payments::Confirmed;
use crate::record::{ClaimOrFinding, OrderRecord, ReversalClaim};
use crate::table::{
    Commit, Committed, MAX_COMMIT_TRIES, Stale, Table, must_exist, pause_before_retry,
};

/// Acts on a notice: three requests when nobody else writes the account. Repeating it is safe, in any
/// order and at any time.
///
/// # Errors
/// [`Unavailable::NotCredited`] for a payment that nobody knows: it may be on its way.
/// [`Error::Unavailable`] if it must be repeated; other errors if a person must look.
pub async fn confirm(
    table: &Table,
    notice: &ReversalNotice,
    now: Timestamp,
) -> Result<Confirmed, Error> {
    let claim = match table.payment_or_finding(&notice.payment).await? {
        Some(ClaimOrFinding::Claim(claim)) => claim,
        Some(ClaimOrFinding::Finding(id)) => {
            let confirmed = findings::reversed(table, &id, notice, now).await?;
            return confirmed.ok_or_else(|| Unavailable::Busy.into());
        }
        None => return Err(Unavailable::NotCredited(notice.payment.clone()).into()),
    };
    log::about(&claim.account, Some(&claim.order));
    let told = |order: &Order, account: &Account| match &notice.what {
        WhatBack::Refund(refund) => ledger::refund_told(order, account, refund, now),
        WhatBack::Dispute(dispute) => ledger::dispute_told(order, account, dispute, now),
    };
    match Box::pin(change(table, &claim.order, &claim.account, now, told)).await {
        Ok((record, Confirmed::Unchanged)) => {
            let refund = matches!(notice.what, WhatBack::Refund(_));
            if !refund || !record.order.has_lost_and_returned() {
                return Ok(Confirmed::Unchanged);
            }
            // Of its movement the comparison asks what there is to look at. What else was found of it is over.
            let hidden = finding_about(notice, FindingKind::ReversalDiffers, now);
            let found = table.finding(&hidden.id()).await?;
            let found = found.filter(|one| one.state.is_open() && one.finding.kind == hidden.kind);
            Ok(found.map_or(Confirmed::Unchanged, |one| Confirmed::Found(one.finding.kind)))
        }
        Ok((_, confirmed)) => Ok(confirmed),
        Err(Error::Refused(Refusal::CurrencyDiffers { .. })) => {
            let finding = Finding {
                account: Some(claim.account),
                order: Some(claim.order),
                expected: Some(claim.money),
                ..finding_about(notice, FindingKind::ReversalDiffers, now)
            };
            findings::found(table, &finding).await
        }
        Err(error) => Err(error),
    }
}

/// Stores that nobody knows the payment that was taken back: the last thing that is done for a notice
/// that was tried often enough.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn give_up(
    table: &Table,
    notice: &ReversalNotice,
    now: Timestamp,
) -> Result<Confirmed, Error> {
    findings::found(table, &finding_about(notice, FindingKind::UnknownPayment, now)).await
}

/// The finding that a notice is.
pub(crate) fn finding_about(notice: &ReversalNotice, kind: FindingKind, now: Timestamp) -> Finding {
    Finding {
        kind,
        account: None,
        order: None,
        payment: Some(notice.payment.clone()),
        reversal: Some(notice.reversal().clone()),
        expected: None,
        actual: Some(notice.money()),
        found_at: now,
    }
}

fn is_torn(order: &Order, account: &Account) -> bool {
    let aside = Place::Held(order.target.clone());
    // What holds keep is in the same place, and is not the order's.
    let kept = account.kept_by_holds().get(&aside).copied().unwrap_or_default();
    account.balance(&aside).decimal().saturating_sub(kept) < order.reversals.held.decimal()
}

/// Commits what `decide` makes of an order and its account, and what a person must look at of that; `None` leaves all as it
/// is.
pub(crate) async fn change(
    table: &Table,
    order: &OrderId,
    account: &AccountId,
    now: Timestamp,
    decide: impl Fn(&Order, &Account) -> Result<Option<Reversed>, Refusal>,
) -> Result<(OrderRecord, Confirmed), Error> {
    let mut seen = table.seen(order, account).await?;
    for tries in 0..MAX_COMMIT_TRIES {
        let missing = || BrokenRecord::Missing(format!("order {order}"));
        let record = seen.order.clone().ok_or_else(missing)?;
        let known = must_exist(seen.account.clone(), account)?;
        let Some(Reversed { order: next, decision, finding }) = (match decide(&record.order, &known)
        {
            // The account lacks what the order has set aside: the two are not of one moment.
            Err(_) if is_torn(&record.order, &known) => {
                pause_before_retry(tries).await;
                seen = table.seen(order, account).await?;
                continue;
            }
            decided => decided?,
        }) else {
            return Ok((record, Confirmed::Unchanged));
        };
        // An entry guards the account. Without one, the account may be of before the order was
        // credited: it must be as it is after the order was read.
        if decision.is_none()
            && next.lacks_money()
            && table.account(account).await?.as_ref() != Some(&known)
        {
            pause_before_retry(tries).await;
            seen = table.seen(order, account).await?;
            continue;
        }
        let claims = claims(&record.order, &next, now);
        let next = OrderRecord { order: next, ..record };
        // What is told of it is not older than its entry: whoever asks for the balance at that time sees it.
        let entry_at = decision.as_ref().and_then(|decision| decision.account.last_entry_at);
        let now = entry_at.map_or(now, |entry_at| now.max(entry_at));
        let commit = Commit::default().order(&next, now);
        let commit = claims.iter().fold(commit, Commit::reversal);
        let (commit, confirmed) = match &finding {
            // In the heap: it takes no room on the stack of what is told every day.
            Some(finding) => {
                let found = Confirmed::Found(finding.kind);
                (Box::pin(findings::found_by(table, commit, finding)).await?, found)
            }
            None => (commit, Confirmed::Reversed),
        };
        let commit = match &decision {
            Some(decision) => commit.decision(decision),
            None => commit,
        };
        match table.commit(commit).await? {
            Committed::Yes => return Ok((next.written(now), confirmed)),
            // The refusal carries what stands there now: one more try without a read.
            Committed::No(Stale::Order(current)) if tries == 0 => seen.order = Some(*current),
            Committed::No(Stale::Account(current)) if tries == 0 => seen.account = Some(*current),
            Committed::No(_) => {
                pause_before_retry(tries).await;
                seen = table.seen(order, account).await?;
            }
        }
    }
    Err(Unavailable::Busy.into())
}

/// The claims of what is taken now and was not before: each refund or dispute is taken once, though it
/// may return.
fn claims(before: &Order, after: &Order, now: Timestamp) -> Vec<ReversalClaim> {
    let known: BTreeSet<&ProviderId> = taken(before).map(|(id, _)| id).collect();
    let new = taken(after).filter(|(id, _)| !known.contains(id));
    let claims = new.filter_map(|(reversal, money)| {
        Some(ReversalClaim {
            reversal: reversal.clone(),
            payment: after.payment_id.clone()?,
            order: after.id.clone(),
            account: after.account.clone(),
            money,
            settled_at: now,
        })
    });
    claims.collect()
}

/// The refunds and disputes of the provider whose money was ever taken.
fn taken(order: &Order) -> impl Iterator<Item = (&ProviderId, Money)> {
    // One that failed after it was made was claimed when it was made.
    let made = |refund: &&Refund| refund.status == RefundStatus::Succeeded;
    let refunds = order.reversals.refunds.iter().filter(made);
    let refunds = refunds.filter_map(|refund| Some((refund.provider_id.as_ref()?, refund.money)));
    let disputes = order.reversals.disputes.iter().filter(|dispute| dispute.was_taken());
    refunds.chain(disputes.map(|dispute| (&dispute.id, dispute.money)))
}
