//! Reading Stripe's events: leniently, and only the fields that Topup uses.
//!
//! A newer API version or an unknown event never fails; a payment of ours that cannot be read
//! never vanishes ([`Reading::Unreadable`]).

use ledger::{
    AccountId, Amount, Currency, Dispute, DisputeOutcome, FailedAttempt, Money, OrderId, Payment,
    PaymentId, ProviderId, RefundId, RefundStatus, Timestamp, ToldRefund,
};
use serde_json::Value;

use crate::notice::{Notice, ReversalNotice, Told, What, WhatBack};

/// The name under which a session and a payment carry the stage of the deployment.
pub const STAGE_MARK: &str = "topup_stage";
/// The name under which they carry the account.
pub const ACCOUNT_MARK: &str = "account_id";
/// The name under which they carry the order.
pub const ORDER_MARK: &str = "order_id";
/// The name under which a refund carries the id by which it was asked for.
pub const REFUND_MARK: &str = "refund_id";

/// Longest words of Stripe that are kept: a decline code, the reason of a dispute.
const MAX_WORDS: usize = 100;

/// What a genuine event means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// Something happened to the payment of an order of this deployment, or to a payment that may be
    /// of this deployment.
    Told(Told),
    /// Nothing for this deployment, and why.
    Ignored(&'static str),
    /// Something for this deployment, but of the other mode: real money where none is expected, or
    /// the reverse. The configuration is wrong.
    OtherMode,
    /// Perhaps something for this deployment, but it cannot be read: a person must look.
    Unreadable {
        /// Stripe's id of the event, if it has one.
        event: Option<String>,
        /// What cannot be read.
        why: &'static str,
    },
}

/// Reads an event that Stripe is known to have sent.
#[must_use]
pub fn read(body: &[u8], stage: &str, live_mode: bool) -> Reading {
    let Ok(event) = serde_json::from_slice::<Value>(body) else {
        return Reading::Unreadable { event: None, why: "not_json" };
    };
    let id = text(&event, "/id").map(|id| id.chars().take(255).collect::<String>());
    let unreadable = |why| Reading::Unreadable { event: id.clone(), why };
    let (Some(kind), Some(id)) = (text(&event, "/type"), id.as_deref()) else {
        return unreadable("not_an_event");
    };
    if let Some(change) = kind.strip_prefix("refund.") {
        return of_reversal(&event, id, stage, live_mode, |object| of_refund(change, object));
    }
    if let Some(change) = kind.strip_prefix("charge.dispute.") {
        return of_reversal(&event, id, stage, live_mode, |object| of_dispute(change, object));
    }
    let session = kind.strip_prefix("checkout.session.");
    if session.is_none() && kind != "payment_intent.payment_failed" {
        return Reading::Ignored("other_event");
    }
    let object = event.pointer("/data/object").unwrap_or(&Value::Null);
    let mark = |name: &str| object.get("metadata")?.get(name)?.as_str();
    match (mark(STAGE_MARK), mark(ACCOUNT_MARK), mark(ORDER_MARK)) {
        (None, ..) => Reading::Ignored("not_ours"),
        (Some(other), ..) if other != stage => Reading::Ignored("other_stage"),
        _ if event.pointer("/livemode").and_then(Value::as_bool) != Some(live_mode) => {
            Reading::OtherMode
        }
        (Some(_), Some(account), Some(order)) => {
            let (account, order) = (AccountId::parse(account), OrderId::parse(order));
            let (Ok(account), Ok(order)) = (account, order) else {
                return unreadable("marks");
            };
            let what = match session {
                Some(change) => of_session(change, id, created(&event), object),
                None => of_attempt(id, created(&event), object),
            };
            match what {
                Ok(Some(what)) => {
                    let notice = Notice { id: id.to_owned(), account, order, what };
                    Reading::Told(Told::Payment(notice))
                }
                Ok(None) => Reading::Ignored("other_event"),
                Err(field) => unreadable(field),
            }
        }
        _ => unreadable("marks"),
    }
}

/// What a payment page that was filled in says, read together with the charge of its card; an error names
/// the field that cannot be read.
#[cfg(feature = "stripe")]
pub(super) fn of_page(session: &Value, now: Timestamp) -> Result<What, &'static str> {
    let payment_status = text(session, "/payment_status").ok_or("payment_status")?;
    let charged = session.pointer("/payment_intent/latest_charge/created").and_then(Value::as_i64);
    let id = text(session, "/id").ok_or("id")?;
    of_payment(payment_status, session, charged.map_or(now, moment), id)
}

/// What a session says about its payment; an error names the field that cannot be read.
fn of_payment(
    payment_status: &str,
    session: &Value,
    paid_at: Timestamp,
    notice: &str,
) -> Result<What, &'static str> {
    match payment_status {
        "paid" => {}
        "unpaid" => return Ok(What::Processing),
        _ => return Err("payment_status"),
    }
    let id = reference(session, "payment_intent").and_then(|id| PaymentId::parse(id).ok());
    let id = id.ok_or("payment_intent")?;
    let units = session.get("amount_total").and_then(Value::as_i64);
    let money = money(units, text(session, "/currency"))?;
    Ok(What::Paid(Payment { id, money, paid_at, reference: notice.to_owned() }))
}

fn of_session(
    change: &str,
    id: &str,
    at: Timestamp,
    session: &Value,
) -> Result<Option<What>, &'static str> {
    let payment_status = match change {
        "completed" => text(session, "/payment_status").ok_or("payment_status")?,
        "async_payment_succeeded" => "paid",
        "async_payment_failed" => return Ok(Some(What::Failed)),
        "expired" => {
            let session = text(session, "/id").ok_or("id")?.to_owned();
            return Ok(Some(What::PageExpired { session }));
        }
        _ => return Ok(None),
    };
    of_payment(payment_status, session, at, id).map(Some)
}

fn of_attempt(id: &str, at: Timestamp, payment: &Value) -> Result<Option<What>, &'static str> {
    let payment_id = text(payment, "/id").and_then(|id| PaymentId::parse(id).ok());
    let error = payment.get("last_payment_error");
    let code = |name: &str| error.and_then(|error| error.get(name)).and_then(Value::as_str);
    let decline_code = code("decline_code").or_else(|| code("code"));
    Ok(Some(What::AttemptFailed(FailedAttempt {
        payment_id: payment_id.ok_or("payment_intent")?,
        decline_code: decline_code.map(words),
        at,
        reference: id.to_owned(),
    })))
}

/// What a refund says about itself, in Stripe's words.
pub(super) struct RefundFields<'refund> {
    /// Stripe's name for it.
    pub(super) id: Option<&'refund str>,
    /// The id by which it was asked for.
    pub(super) mark: Option<&'refund str>,
    /// How much.
    pub(super) minor_units: Option<i64>,
    /// Of what.
    pub(super) currency: Option<&'refund str>,
    /// Where it stands.
    pub(super) status: Option<&'refund str>,
    /// Why it failed.
    pub(super) failure: Option<&'refund str>,
    /// When it was made, in seconds.
    pub(super) created: Option<i64>,
}

/// A refund in our words; an error names the field that cannot be read.
pub(super) fn told_refund(fields: &RefundFields<'_>) -> Result<ToldRefund, &'static str> {
    let status = match fields.status {
        Some("pending" | "requires_action") => RefundStatus::Pending,
        Some("succeeded") => RefundStatus::Succeeded,
        Some("failed" | "canceled") => RefundStatus::Failed,
        _ => return Err("status"),
    };
    let failed = status == RefundStatus::Failed;
    Ok(ToldRefund {
        id: fields.mark.and_then(|mark| RefundId::parse(mark).ok()),
        provider_id: fields.id.and_then(|id| ProviderId::parse(id).ok()).ok_or("id")?,
        money: money(fields.minor_units, fields.currency)?,
        status,
        failure: fields.failure.or(fields.status).filter(|_| failed).map(words),
        at: moment(fields.created.ok_or("created")?),
    })
}

/// What a movement of the provider's balance is about, by its category and its source.
#[cfg(feature = "stripe")]
#[must_use]
pub(super) fn of_movement(category: &str, source: &Value, stage: &str) -> Reading {
    let mark = |object: &Value, name: &str| {
        object.get("metadata").and_then(|marks| marks.get(name)?.as_str()).map(str::to_owned)
    };
    // A refund made in the dashboard and a dispute have no marks; the charge that they are of has.
    let charge = if category == "charge" { source } else { &source["charge"] };
    let marked = mark(source, STAGE_MARK).or_else(|| mark(charge, STAGE_MARK));
    match marked {
        None => return Reading::Ignored("not_ours"),
        Some(marked) if marked != stage => return Reading::Ignored("other_stage"),
        Some(_) => {}
    }
    let id = text(source, "/id").unwrap_or_default();
    let unreadable = |why| Reading::Unreadable { event: Some(id.to_owned()), why };
    let back = match category {
        "charge" => None,
        "refund" | "refund_failure" => Some(of_refund("updated", source)),
        "dispute" => Some(of_dispute("funds_withdrawn", source)),
        "dispute_reversal" => Some(of_dispute("funds_reinstated", source)),
        _ => return Reading::Ignored("other_movement"),
    };
    let payment = reference(source, "payment_intent").and_then(|id| PaymentId::parse(id).ok());
    let Some(payment) = payment else { return unreadable("payment_intent") };
    match back {
        Some(Ok(Some(what))) => {
            Reading::Told(Told::Reversal(ReversalNotice { id: id.to_owned(), payment, what }))
        }
        Some(Ok(None)) => Reading::Ignored("other_movement"),
        Some(Err(why)) => unreadable(why),
        None => {
            let account = mark(source, ACCOUNT_MARK).and_then(|id| AccountId::parse(&id).ok());
            let order = mark(source, ORDER_MARK).and_then(|id| OrderId::parse(&id).ok());
            let (Some(account), Some(order)) = (account, order) else { return unreadable("marks") };
            let Some(money) = charged(source) else { return unreadable("amount") };
            let paid_at = moment(source.get("created").and_then(Value::as_i64).unwrap_or_default());
            let what =
                What::Paid(Payment { id: payment, money, paid_at, reference: id.to_owned() });
            Reading::Told(Told::Payment(Notice { id: id.to_owned(), account, order, what }))
        }
    }
}

/// What a refund or a dispute that was looked at says: of a dispute its own movements of the balance, at most two, tell
/// whether its money left and returned. An error names the field that cannot be read.
#[cfg(feature = "stripe")]
pub(super) fn of_standing(is_refund: bool, found: &Value) -> Result<ReversalNotice, &'static str> {
    let what = match is_refund {
        true => of_refund("updated", found)?,
        false => of_dispute("updated", found)?,
    };
    let moved = |into: bool| {
        let movements = found.get("balance_transactions").and_then(Value::as_array);
        let amounts = movements.into_iter().flatten().filter_map(|one| one.get("amount")?.as_i64());
        amounts.into_iter().any(|amount| if into { amount > 0 } else { amount < 0 })
    };
    let what = match what.ok_or("object")? {
        WhatBack::Dispute(dispute) => WhatBack::Dispute(Dispute {
            withdrawn: moved(false),
            reinstated: moved(true),
            ..dispute
        }),
        refund @ WhatBack::Refund(_) => refund,
    };
    let payment = reference(found, "payment_intent").and_then(|id| PaymentId::parse(id).ok());
    let id = text(found, "/id").ok_or("id")?.to_owned();
    Ok(ReversalNotice { id, payment: payment.ok_or("payment_intent")?, what })
}

/// Whether a charge took money.
#[cfg(feature = "stripe")]
pub(super) fn is_paid(charge: &Value) -> bool {
    text(charge, "/status") == Some("succeeded")
}

/// What a refund or a dispute gave back: a refund that failed did, before.
#[cfg(feature = "stripe")]
pub(super) fn gave_back(is_refund: bool, reversal: &Value) -> Option<Money> {
    let made = matches!(text(reversal, "/status"), Some("succeeded" | "failed"));
    charged(reversal).filter(|_| made || !is_refund)
}

/// What a charge took.
#[cfg(feature = "stripe")]
pub(super) fn charged(charge: &Value) -> Option<Money> {
    money(charge.get("amount").and_then(Value::as_i64), text(charge, "/currency")).ok()
}

/// An event about a payment that goes back. A refund made in Stripe's dashboard and a dispute do not
/// say of which deployment they are: the payment does.
fn of_reversal(
    event: &Value,
    id: &str,
    stage: &str,
    live_mode: bool,
    read: impl FnOnce(&Value) -> Result<Option<WhatBack>, &'static str>,
) -> Reading {
    let object = event.pointer("/data/object").unwrap_or(&Value::Null);
    let marked = object.pointer("/metadata").and_then(|marks| marks.get(STAGE_MARK)?.as_str());
    if marked.is_some_and(|marked| marked != stage) {
        return Reading::Ignored("other_stage");
    }
    if event.pointer("/livemode").and_then(Value::as_bool) != Some(live_mode) {
        return if marked.is_some() { Reading::OtherMode } else { Reading::Ignored("other_mode") };
    }
    // Every payment of ours is made on a payment page, which makes a payment intent.
    let Some(payment) =
        reference(object, "payment_intent").and_then(|id| PaymentId::parse(id).ok())
    else {
        return Reading::Ignored("not_ours");
    };
    match read(object) {
        Ok(Some(what)) => {
            let notice = ReversalNotice { id: id.to_owned(), payment, what };
            Reading::Told(Told::Reversal(notice))
        }
        Ok(None) => Reading::Ignored("other_event"),
        // We never take a currency that we do not know.
        Err("currency") => Reading::Ignored("not_ours"),
        Err(why) => Reading::Unreadable { event: Some(id.to_owned()), why },
    }
}

fn of_refund(change: &str, refund: &Value) -> Result<Option<WhatBack>, &'static str> {
    if !matches!(change, "created" | "updated" | "failed") {
        return Ok(None);
    }
    let number = |name: &str| refund.get(name).and_then(Value::as_i64);
    let mark = refund.pointer("/metadata").and_then(|marks| marks.get(REFUND_MARK)?.as_str());
    let told = told_refund(&RefundFields {
        id: text(refund, "/id"),
        mark,
        minor_units: number("amount"),
        currency: text(refund, "/currency"),
        status: text(refund, "/status"),
        failure: text(refund, "/failure_reason"),
        created: number("created"),
    })?;
    Ok(Some(WhatBack::Refund(told)))
}

/// What a dispute says is true, by its event and its status
/// (<https://docs.stripe.com/api/disputes/object#dispute_object-status>). What is not told is not
/// known: a fact is never taken back.
fn of_dispute(change: &str, dispute: &Value) -> Result<Option<WhatBack>, &'static str> {
    let (withdrawn, reinstated) = match change {
        "created" | "updated" | "closed" => (false, false),
        "funds_withdrawn" => (true, false),
        "funds_reinstated" => (false, true),
        _ => return Ok(None),
    };
    let status = text(dispute, "/status").ok_or("status")?;
    let created = dispute.get("created").and_then(Value::as_i64);
    Ok(Some(WhatBack::Dispute(Dispute {
        id: text(dispute, "/id").and_then(|id| ProviderId::parse(id).ok()).ok_or("id")?,
        money: money(dispute.get("amount").and_then(Value::as_i64), text(dispute, "/currency"))?,
        reason: text(dispute, "/reason").map(words),
        contested: matches!(status, "needs_response" | "under_review" | "won" | "lost"),
        closed: status == "warning_closed",
        withdrawn,
        reinstated,
        outcome: DisputeOutcome::parse(status),
        created_at: moment(created.ok_or("created")?),
    })))
}

fn money(minor_units: Option<i64>, currency: Option<&str>) -> Result<Money, &'static str> {
    let currency = currency.and_then(|code| Currency::parse(&code.to_ascii_uppercase()).ok());
    let currency = currency.ok_or("currency")?;
    let units = minor_units.and_then(|units| u64::try_from(units).ok()).ok_or("amount")?;
    let amount = Amount::from_minor_units(units, currency).map_err(|_| "amount")?;
    Ok(Money { amount, currency })
}

/// The id in a reference, which may be expanded.
fn reference<'value>(object: &'value Value, name: &str) -> Option<&'value str> {
    let value = object.get(name)?;
    value.as_str().or_else(|| text(value, "/id"))
}

fn words(text: &str) -> String {
    text.chars().take(MAX_WORDS).collect()
}

fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(seconds.saturating_mul(1_000))
}

fn created(event: &Value) -> Timestamp {
    let seconds = event.pointer("/created").and_then(Value::as_i64).unwrap_or_default();
    moment(seconds)
}

fn text<'value>(value: &'value Value, pointer: &str) -> Option<&'value str> {
    value.pointer(pointer).and_then(Value::as_str)
}
