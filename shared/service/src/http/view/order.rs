//! Orders as clients see them: what does not apply is null.

use ledger::{
    Attempt, Balance, BankTransfer, Change, Currency, Dispute, Method, Order, OrderStatus,
    ProductCode, Proof, Refund, Report, Review, Timestamp, Verdict,
};
use serde_json::{Value, json};

use crate::queries::TargetKind;
use crate::record::{OrderRecord, Page};
use crate::stamp;

/// How long a person may take to find a transfer.
const REVIEW_TIME: &str = "1 to 3 working days";

/// An order.
#[must_use]
pub fn order(record: &OrderRecord, now: Timestamp) -> Value {
    let (order, checkout) = (&record.order, record.checkout.as_ref());
    let currency = order.amount.currency;
    let transfer = order.bank_transfer.as_ref();
    // What was moved out of the wallet is moved back by nobody.
    let refundable =
        Some(order).filter(|order| order.credited.is_some() && order.method != Method::Balance);
    let page = checkout.filter(|page| order.is_payable() && now < page.expires_at);
    json!({
        "order_id": order.id.as_str(),
        "account_id": order.account.as_str(),
        "target": TargetKind::of(&order.target).name(),
        "product": order.target.product().map(ProductCode::as_str),
        "method": order.method.name(),
        "status": order.status().name(),
        "status_reason": status_reason(order),
        "amount": order.amount.to_string(),
        "currency": currency.code(),
        "pay_amount": order.payable.to_string(),
        "pay_currency": order.payable.currency.code(),
        "fx_rate": order.rate.map(|rate| rate.to_string()),
        "received_amount": order.arrived().map(|money| money.to_string()),
        "received_currency": order.arrived().map(|money| money.currency.code()),
        "credited_amount": shown(order.credited, currency),
        "debt_paid": shown(order.debt_paid, currency),
        "refunded_amount": shown(order.given_back(), currency),
        "taken_back_amount": shown(order.credited.map(|_| order.reversals.taken), currency),
        "refundable_amount": shown(refundable.map(Order::refundable), currency),
        "refundable_pay_amount": shown(refundable.and_then(Order::refundable_as_paid), order.paid_currency()),
        "refunds": order.reversals.refunds.iter().map(|one| refund(one, record)).collect::<Vec<_>>(),
        "disputes": order.reversals.disputes.iter().map(dispute).collect::<Vec<_>>(),
        "email": record.request.email,
        "checkout_url": page.and_then(|page| page.session.as_ref()).map(|session| &session.url),
        "payment_id": order.payment_id.as_ref().map(ToString::to_string),
        "card_brand": null,
        "card_last4": null,
        "late": order.late,
        "attempts": order.attempts.iter().map(attempt).collect::<Vec<_>>(),
        "transfer_instructions": instructions(record),
        "transfer_report": transfer.and_then(BankTransfer::last_report).map(reported),
        "transfer_reviews": transfer.map_or_else(Vec::new, |transfer| {
            transfer.reviews.iter().map(review).collect::<Vec<_>>()
        }),
        "metadata": record.request.metadata,
        "created_at": stamp::format(order.created_at),
        "expires_at": order.expires_at.map(stamp::format),
        "paid_at": order.paid_at.map(stamp::format),
        "completed_at": order.completed_at.map(stamp::format),
        "timeline": order.timeline.changes().iter().map(moved).collect::<Vec<_>>(),
    })
}

/// A refund of an order. Who asked for it is in the timeline.
#[must_use]
pub fn refund(refund: &Refund, record: &OrderRecord) -> Value {
    let (order, paid) = (&record.order, record.order.paid_currency());
    json!({
        "refund_id": refund.id.as_str(),
        "order_id": order.id.as_str(),
        "account_id": order.account.as_str(),
        "status": refund.status.name(),
        "amount": refund.money.to_string(),
        "currency": refund.money.currency.code(),
        "pay_amount": shown(order.refund_as_paid(&refund.id), paid),
        "pay_currency": paid.code(),
        "reason": refund.reason.as_ref().map(|reason| reason.as_str()),
        "bank_reference": refund.bank_reference.as_ref().map(|reference| reference.as_str()),
        "failure_reason": refund.failure,
        "created_at": stamp::format(refund.created_at),
    })
}

fn dispute(dispute: &Dispute) -> Value {
    json!({
        "dispute_id": dispute.id.as_str(),
        "status": dispute.status().name(),
        "amount": dispute.money.to_string(),
        "currency": dispute.money.currency.code(),
        "reason": dispute.reason,
        "created_at": stamp::format(dispute.created_at),
    })
}

/// A page of orders.
#[must_use]
pub fn orders(page: &Page<OrderRecord>, now: Timestamp) -> Value {
    let orders = page.items.iter().map(|record| order(record, now));
    json!({"data": orders.collect::<Vec<_>>(), "next_cursor": page.next})
}

/// Why an order stands where it does: a code, or the words of the person who rejected it.
fn status_reason(order: &Order) -> Option<String> {
    if let (OrderStatus::Rejected, Some(review)) = (order.status(), order.last_review())
        && let Verdict::Rejected(rejection) = &review.verdict
    {
        return Some(rejection.reason.to_string());
    }
    Some(order.last_change()?.reason.name().to_owned())
}

/// What a payer must know; none for a transfer that came without an order.
fn instructions(record: &OrderRecord) -> Option<Value> {
    let (order, account) = (&record.order, record.instructions.as_ref()?);
    let reference = order.bank_transfer.as_ref()?.reference.as_ref()?;
    Some(json!({
        "reference_code": reference.to_string(),
        "amount": order.payable.to_string(),
        "currency": order.payable.currency.code(),
        "deadline": order.expires_at.map(stamp::format),
        "receiving_account": account,
        "review_time": REVIEW_TIME,
    }))
}

fn reported((report, proofs): (&Report, &[Proof])) -> Value {
    json!({
        "payer_name": report.payer_name.as_str(),
        "bank_reference": report.bank_reference.as_str(),
        "paid_on": stamp::format_day(report.paid_on),
        "amount": report.amount.to_string(),
        "currency": report.amount.currency.code(),
        "note": report.note.as_ref().map(|note| note.as_str()),
        "proofs": proofs.iter().map(proof).collect::<Vec<_>>(),
        "reported_at": stamp::format(report.at),
        "by": report.by.as_str(),
    })
}

fn proof(proof: &Proof) -> Value {
    json!({
        "proof_id": proof.id.as_str(),
        "media_type": proof.media_type.name(),
        "size": proof.size,
    })
}

fn review(review: &Review) -> Value {
    let (at, by) = (stamp::format(review.at), review.by.as_str());
    match &review.verdict {
        Verdict::Rejected(rejection) => json!({
            "outcome": "rejected",
            "at": at,
            "by": by,
            "reason": rejection.reason.as_str(),
            "report": rejection.report.as_ref().map(|report| reported((report, &rejection.proofs))),
        }),
        Verdict::Accepted(acceptance) => {
            let transfer = &acceptance.transfer;
            json!({
                "outcome": "accepted",
                "at": at,
                "by": by,
                "received_amount": transfer.money.to_string(),
                "received_currency": transfer.money.currency.code(),
                "bank_reference": transfer.bank_reference.as_str(),
                "received_on": stamp::format_day(transfer.received_on),
                "receiving_account": transfer.receiving_account.number(),
                "fx_rate": acceptance.rate.map(|rate| rate.to_string()),
                "difference_confirmed": transfer.difference_confirmed,
            })
        }
    }
}

fn shown(balance: Option<Balance>, currency: Currency) -> Option<String> {
    balance.map(|balance| balance.format(currency))
}

fn attempt(attempt: &Attempt) -> Value {
    json!({
        "at": stamp::format(attempt.at),
        "payment_id": attempt.payment_id.as_str(),
        "outcome": attempt.outcome.name(),
        "decline_code": attempt.decline_code,
    })
}

fn moved(change: &Change) -> Value {
    json!({
        "at": stamp::format(change.at),
        "from": change.from.map(|from| from.name()),
        "to": change.to.name(),
        "reason": change.reason.name(),
        "by": change.by.as_str(),
    })
}
