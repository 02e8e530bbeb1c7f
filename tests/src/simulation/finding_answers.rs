//! What operators are answered who credit the payment of a finding or give it back.

use super::cloud::Cloud;
use super::images::FindingImage;
use crate::Answer;

/// The answer to who credits the payment of a finding to a balance of an account.
///
/// # Errors
/// What it must not be.
pub fn credited(
    cloud: &Cloud,
    id: &str,
    (account, balance): (&str, &str),
    answer: &Answer,
) -> Result<(), String> {
    let known = cloud.model.findings.get(id).ok_or("a finding that is not in the table")?;
    let order = known.booked_as(account);
    let booked = cloud.model.orders.get(&order).map(super::model::Order::now);
    let by_this = known.how() == "credited" && booked.is_some_and(|order| order.target == balance);
    let answered = || Err(format!("answered {}, and the table has {known:?}", answer.json()));
    match (answer.status, answer.text("code").as_str()) {
        (200, _) => {
            let shown = answer.json();
            let shown = (shown["closed_how"].as_str(), shown["order"]["order_id"].as_str());
            match by_this && shown == (Some("credited"), Some(&order)) {
                true => Ok(()),
                false => answered(),
            }
        }
        (409, "finding_closed") if !by_this && was_closed(known) => Ok(()),
        (409, "finding_not_creditable") if has_place(cloud, known) => Ok(()),
        (422, "currency_differs")
            if known.actual.as_ref().is_some_and(|(_, currency)| currency != "USD") =>
        {
            Ok(())
        }
        _ => answered(),
    }
}

/// The answer to who gives the payment of a finding back.
///
/// # Errors
/// What it must not be.
pub fn given_back(cloud: &Cloud, id: &str, answer: &Answer) -> Result<(), String> {
    let known = cloud.model.findings.get(id).ok_or("a finding that is not in the table")?;
    let shown = &answer.json()["refund"]["refund_id"];
    let ever = |(_, refund): &(String, super::images::RefundImage)| *shown == *refund.id;
    match (answer.status, answer.text("code").as_str()) {
        (200, _) if cloud.model.set_aside.values().any(ever) => Ok(()),
        (409, "finding_closed") if was_closed(known) => Ok(()),
        (409, "finding_not_creditable") if has_place(cloud, known) => Ok(()),
        _ => Err(format!("answered {}, and the table has {known:?}", answer.json())),
    }
}

/// Whether a finding is closed, or may have been: what was refunded or cured can be open again.
fn was_closed(known: &FindingImage) -> bool {
    known.closed.is_some() || known.refund.is_some() || known.version > 2
}

/// Whether its payment has a place that is not this finding, or had one on its way back.
fn has_place(cloud: &Cloud, known: &FindingImage) -> bool {
    let model = &cloud.model;
    let leads = model.pointers.get(&known.payment);
    !known.is_lost()
        || known.refund.is_some()
        || model.credited.contains_key(&known.payment)
        || leads.is_some_and(|first| *first != known.id)
}
