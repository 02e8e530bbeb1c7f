//! What operators are answered who give money back, correct balances and look into findings.

use super::answers::Before;
use super::cloud::Cloud;
use super::desk_answers::states;
use super::images::AdjustmentImage;
use super::micros;
use super::reversals::WantedRefund;
use crate::Answer;

/// The answer to a refund that was asked for under this id.
///
/// # Errors
/// What it must not be.
pub fn refunded(
    cloud: &mut Cloud,
    before: &Before,
    id: &str,
    wanted: &WantedRefund,
    answer: &Answer,
) -> Result<(), String> {
    let states = states(cloud, before, &wanted.order);
    let known = states.last().and_then(|now| now.reversals.refund(id));
    let same = known.is_some_and(|known| {
        known.amount == wanted.amount && known.bank_reference == wanted.bank_reference
    });
    let was = |fits: &dyn Fn(&super::images::OrderImage) -> bool| states.iter().any(fits);
    let code = answer.text("code");
    match (answer.status, code.as_str()) {
        (200 | 201, _) => {
            let status = answer.text("status");
            let shown = was(&|state| {
                state.reversals.refund(id).is_some_and(|refund| refund.status == status)
            });
            let replay = answer.is_replay() == (answer.status == 200);
            let amount = micros::parse(&answer.text("amount")) == Some(wanted.amount);
            if !same || !shown || !replay || !amount || answer.text("refund_id") != id {
                return Err(format!("answered {}, and the table has {known:?}", answer.json()));
            }
            done_once(cloud, id, answer)
        }
        (409, "idempotency_key_reused") if known.is_some() && !same => Ok(()),
        (409, "refund_reference_used")
            if was(&|state| {
                let refunds = &state.reversals.refunds;
                let by = wanted.bank_reference.as_ref();
                refunds.iter().any(|one| by.is_some() && one.bank_reference.as_ref() == by)
            }) =>
        {
            Ok(())
        }
        (409, "refund_too_large") if was(&|state| wanted.amount > state.refundable()) => Ok(()),
        (402, "insufficient_balance") => {
            let target = states.first().map(|state| state.target.clone()).unwrap_or_default();
            let account = before.account(cloud);
            let told = micros::parse(&answer.text("available"));
            let lacked = told < Some(wanted.amount)
                && account.lacked(before.version(), &target, wanted.amount);
            lacked.then_some(()).ok_or_else(|| format!("refused with {}", answer.json()))
        }
        (409, "order_not_refundable")
            if was(&|state| state.settled.is_none() || state.method == "balance") =>
        {
            Ok(())
        }
        (422, "invalid_field")
            if wanted.bank_reference.is_some() && was(&|state| state.method == "card") =>
        {
            Ok(())
        }
        (422, "missing_field")
            if wanted.bank_reference.is_none() && was(&|state| state.method == "offline") =>
        {
            Ok(())
        }
        (404, "order_not_found") if before.order_version == 0 => Ok(()),
        _ => Err(format!("answered {}, and the table has {states:?}", answer.json())),
    }
}

/// The answer to an adjustment.
///
/// # Errors
/// What it must not be.
pub fn adjusted(
    cloud: &mut Cloud,
    before: &Before,
    wanted: &AdjustmentImage,
    answer: &Answer,
) -> Result<(), String> {
    let known = cloud.model.adjustments.get(&wanted.id);
    let same = known == Some(wanted);
    match (answer.status, answer.text("code").as_str()) {
        (200 | 201, _) => {
            let replay = answer.is_replay() == (answer.status == 200);
            let amount = micros::parse(&answer.text("amount")) == Some(wanted.amount);
            if !same || !replay || !amount || answer.text("adjustment_id") != wanted.id {
                return Err(format!("answered {}, and the table has {known:?}", answer.json()));
            }
            done_once(cloud, &wanted.id, answer)
        }
        (409, "idempotency_key_reused") if known.is_some() && !same => Ok(()),
        (402, "insufficient_balance") => {
            let account = before.account(cloud);
            let lacked = account.lacked(before.version(), &wanted.balance, -wanted.amount);
            lacked.then_some(()).ok_or_else(|| format!("refused with {}", answer.json()))
        }
        _ => Err(format!("answered {}, and the table has {known:?}", answer.json())),
    }
}

/// The answer to who closes a finding.
///
/// # Errors
/// What it must not be.
pub fn resolved(cloud: &Cloud, id: &str, reason: &str, answer: &Answer) -> Result<(), String> {
    let known = cloud.model.findings.get(id).ok_or("a finding that is not in the table")?;
    let closed = known.closed.as_ref();
    // It can be open again since.
    let by_this = cloud.model.resolved.contains(&(id.to_owned(), reason.to_owned()));
    let stands = closed.is_some_and(|(how, why)| how == "resolved" && why == reason);
    match (answer.status, answer.text("code").as_str()) {
        (200, _) if by_this => Ok(()),
        (409, "refund_under_way") if known.refund.is_some() => Ok(()),
        (409, "payment_undecided") if known.kind == "unknown_payment" => {
            let named = answer.text("detail");
            let first = cloud.model.pointers.get(&known.payment).filter(|first| *first != id);
            let names = first.is_some_and(|first| named.contains(first.as_str()));
            names.then_some(()).ok_or_else(|| format!("nobody decides about {known:?}: {named}"))
        }
        // What was refunded can be open again; and what was resolved, and credited since.
        (409, "finding_closed") if !stands && (closed.is_some() || known.refund.is_some()) => {
            Ok(())
        }
        _ => Err(format!("answered {}, and the table has {known:?}", answer.json())),
    }
}

/// What is made is answered 201 once.
fn done_once(cloud: &mut Cloud, id: &str, answer: &Answer) -> Result<(), String> {
    match answer.status == 201 && !cloud.model.done.insert(id.to_owned()) {
        true => Err(format!("{id} was made twice")),
        false => Ok(()),
    }
}
