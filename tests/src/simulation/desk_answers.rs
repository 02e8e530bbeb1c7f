//! What the review desk and those who report transfers are answered.

use super::answers::{Before, is_current, is_used_by_another};
use super::bank::{Received, derived};
use super::cloud::Cloud;
use super::images::OrderImage;
use crate::Answer;

/// Every state that an order had since somebody asked, the one of then included.
pub(super) fn states<'cloud>(
    cloud: &'cloud Cloud,
    before: &Before,
    id: &str,
) -> &'cloud [OrderImage] {
    let history = cloud.model.orders.get(id).map_or(&[][..], |known| &known.history);
    let first = usize::try_from(before.order_version.saturating_sub(1)).unwrap_or(usize::MAX);
    history.get(first..).unwrap_or_default()
}

/// The answer to an acceptance with this key.
///
/// # Errors
/// What it must not be.
pub fn accepted(
    cloud: &mut Cloud,
    before: &Before,
    (id, key): (&str, &str),
    found: &Received,
    answer: &Answer,
) -> Result<(), String> {
    let states = states(cloud, before, id);
    let known = cloud.model.orders.get(id);
    let now = known.map(super::model::Order::now);
    let own = derived("rev_", &[id, "accept", key]);
    let by_this = now.is_some_and(|now| now.acceptance.as_deref() == Some(own.as_str()));
    let same = now.and_then(|now| now.settled.as_ref()).is_some_and(|settled| {
        settled.payment.as_deref() == Some(found.payment().as_str())
            && settled.received == found.amount
            && settled.received_currency == found.currency
    });
    let code = answer.text("code");
    match (answer.status, code.as_str()) {
        (200 | 201, _) => {
            let replay = answer.is_replay() == (answer.status == 200);
            if !by_this || !same || !replay {
                return Err(format!("answered {}, and the table has {now:?}", answer.json()));
            }
            is_current(known, before.order_version, &answer.json())?;
            if answer.status == 201 && !cloud.model.accepted.insert(id.to_owned()) {
                return Err(format!("{id} was accepted twice"));
            }
            Ok(())
        }
        (409, "already_reviewed") if !by_this => {
            // Credited, or decided on by somebody else meanwhile.
            let decided = states.iter().any(|state| state.settled.is_some())
                || states.iter().skip(1).any(|state| state.status() == "rejected");
            decided.then_some(()).ok_or_else(|| format!("nobody reviewed {now:?}"))
        }
        (409, "bank_reference_used") if is_used_by_another(cloud, found, id) => Ok(()),
        (409, "idempotency_key_reused") if by_this && !same => Ok(()),
        (422, "difference_not_confirmed")
            if !found.confirmed && states.iter().any(|state| found.differs_from(state)) =>
        {
            Ok(())
        }
        (409, "order_not_reviewable") if now.is_some_and(|now| now.method != "offline") => Ok(()),
        (404, "order_not_found") if before.order_version == 0 => Ok(()),
        _ => Err(format!("answered {}, and the table has {now:?}", answer.json())),
    }
}

/// The answer to a rejection.
///
/// # Errors
/// What it must not be.
pub fn rejected(cloud: &Cloud, before: &Before, id: &str, answer: &Answer) -> Result<(), String> {
    let states = states(cloud, before, id);
    let was = |wanted: &[&str]| states.iter().any(|state| wanted.contains(&state.status()));
    match (answer.status, answer.text("code").as_str()) {
        (200, _) if was(&["rejected"]) => Ok(()),
        (409, "already_reviewed")
            if was(&["rejected"]) || states.iter().any(|state| state.settled.is_some()) =>
        {
            Ok(())
        }
        (409, "order_not_reviewable")
            if was(&["expired", "cancelled"])
                || states.iter().any(|state| state.method != "offline") =>
        {
            Ok(())
        }
        (404, "order_not_found") if before.order_version == 0 => Ok(()),
        _ => Err(format!("answered {}, and it was {states:?}", answer.json())),
    }
}

/// The answer to a report, or to a file for one.
///
/// # Errors
/// What it must not be.
pub fn reported(cloud: &Cloud, before: &Before, id: &str, answer: &Answer) -> Result<(), String> {
    let states = states(cloud, before, id);
    let open = ["pending_payment", "pending_review", "rejected"];
    let file = answer.text("proof_id");
    let kept = || cloud.objects.contains_key(&format!("/files/proofs/{id}/{file}"));
    match (answer.status, answer.text("code").as_str()) {
        (200, _) if !file.is_empty() && kept() => Ok(()),
        (200, _) if states.iter().any(|state| state.status() == "pending_review") => Ok(()),
        (409, "too_many_proofs" | "too_many_reports") => Ok(()),
        (409, "order_not_reportable")
            if states
                .iter()
                .any(|state| state.method != "offline" || !open.contains(&state.status())) =>
        {
            Ok(())
        }
        (404, "order_not_found") if before.order_version == 0 => Ok(()),
        _ => Err(format!("answered {}, and it was {states:?}", answer.json())),
    }
}

/// The answer to a statement's exact lines: each was accepted, or refused for a reason.
///
/// # Errors
/// What it must not be.
pub fn accepted_lines(cloud: &Cloud, answer: &Answer) -> Result<(), String> {
    for result in answer.json()["results"].as_array().into_iter().flatten() {
        let id = result["order_id"].as_str().unwrap_or_default();
        let settled = cloud.model.orders.get(id).is_some_and(|known| known.now().settled.is_some());
        let fits = match result["outcome"].as_str() {
            Some("accepted") => settled,
            _ => ["already_reviewed", "bank_reference_used", "unavailable"]
                .contains(&result["code"].as_str().unwrap_or_default()),
        };
        if !fits {
            return Err(format!("answered {result}"));
        }
    }
    Ok(())
}
