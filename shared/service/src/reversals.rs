//! Acting on what the payment provider tells about payments that go back.
//!
//! A payment leads by its claim to the order and the account that it was credited to, or to the
//! finding that says why it was not.

use std::collections::BTreeSet;

use ledger::{
    Account, AccountId, Amount, Finding, FindingKind, Money, Order, OrderId, Place, ProviderId,
    Refund, RefundStatus, Refusal, Reversed, Timestamp,
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
        Ok((record, before)) => {
            let confirmed = match before {
                Some(_) => Confirmed::Reversed,
                None => Confirmed::Unchanged,
            };
            let Some(finding) = hidden(&record.order, notice, now) else { return Ok(confirmed) };
            // Apart from the rest, so that it takes no room on the stack of what is told every day.
            let found = Box::pin(told_hidden(table, &finding, before.as_deref(), notice)).await?;
            Ok(found.unwrap_or(confirmed))
        }
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

/// The finding that a notice is of which the books show less, or more, because a dispute of the order was lost and its money
/// came back: what moved here, beside what moved outside.
fn hidden(order: &Order, notice: &ReversalNotice, now: Timestamp) -> Option<Finding> {
    let expected = match &notice.what {
        WhatBack::Refund(refund) => {
            let amount = Amount::new(order.hides_refund(refund)?.decimal()).ok();
            amount.map(|amount| Money { amount, currency: refund.money.currency })
        }
        WhatBack::Dispute(dispute) => notice.money().less(order.hides_loss(dispute)?),
    };
    let (account, order) = (Some(order.account.clone()), Some(order.id.clone()));
    let finding = finding_about(notice, FindingKind::ReversalDiffers, now);
    Some(Finding { account, order, expected, ..finding })
}

/// Stores what the books do not show of a notice, and says that it did; none of a dispute, whose movement the comparison
/// looks at by itself, and if there is nothing to look at.
async fn told_hidden(
    table: &Table,
    finding: &Finding,
    before: Option<&Order>,
    notice: &ReversalNotice,
) -> Result<Option<Confirmed>, Error> {
    let found = match (before, &notice.what) {
        (Some(before), what) if !moved_outside(before, what) => return Ok(None),
        (Some(_), _) => findings::found_now(table, finding).await?,
        // Nobody knows any more whether it was ever made: it is the finding that there is.
        (None, WhatBack::Refund(told)) if told.status == RefundStatus::Failed => {
            match table.finding(&finding.id()).await? {
                Some(record) => Confirmed::Found(record.finding.kind),
                None => return Ok(None),
            }
        }
        // A run may have been cut off between the two.
        (None, _) => findings::found(table, finding).await?,
    };
    let is_refund = matches!(notice.what, WhatBack::Refund(_));
    Ok(is_refund.then_some(found))
}

/// Whether money moved outside by this: a refund that fails before it was made moves none.
fn moved_outside(before: &Order, what: &WhatBack) -> bool {
    let WhatBack::Refund(told) = what else { return true };
    let mut known = before.reversals.refunds.iter();
    let known = known.find(|known| known.provider_id.as_ref() == Some(&told.provider_id));
    told.status != RefundStatus::Failed
        || known.is_some_and(|known| known.status == RefundStatus::Succeeded)
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

/// Commits what `decide` makes of an order and its account; `None` leaves both as they are. The
/// second value is the order as it was before that was written; none if nothing was.
pub(crate) async fn change(
    table: &Table,
    order: &OrderId,
    account: &AccountId,
    now: Timestamp,
    decide: impl Fn(&Order, &Account) -> Result<Option<Reversed>, Refusal>,
) -> Result<(OrderRecord, Option<Box<Order>>), Error> {
    let mut seen = table.seen(order, account).await?;
    for tries in 0..MAX_COMMIT_TRIES {
        let missing = || BrokenRecord::Missing(format!("order {order}"));
        let record = seen.order.clone().ok_or_else(missing)?;
        let known = must_exist(seen.account.clone(), account)?;
        let Some(Reversed { order: next, decision }) = (match decide(&record.order, &known) {
            // The account lacks what the order has set aside: the two are not of one moment.
            Err(_) if is_torn(&record.order, &known) => {
                pause_before_retry(tries).await;
                seen = table.seen(order, account).await?;
                continue;
            }
            decided => decided?,
        }) else {
            return Ok((record, None));
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
        let before = Box::new(record.order.clone());
        let next = OrderRecord { order: next, ..record };
        // What is told of it is not older than its entry: whoever asks for the balance at that time sees it.
        let entry_at = decision.as_ref().and_then(|decision| decision.account.last_entry_at);
        let now = entry_at.map_or(now, |entry_at| now.max(entry_at));
        let commit = Commit::default().order(&next, now);
        let commit = claims.iter().fold(commit, Commit::reversal);
        let commit = match &decision {
            Some(decision) => commit.decision(decision),
            None => commit,
        };
        match table.commit(commit).await? {
            Committed::Yes => {
                return Ok((next.written(now), Some(before)));
            }
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
