//! Reading Stripe's events: leniently, and only the fields that Topup uses.
//!
//! A newer API version or an unknown event never fails; a payment of ours that cannot be read
//! never vanishes ([`Reading::Unreadable`]).

use ledger::{
    AccountId, Amount, Currency, FailedAttempt, Money, OrderId, Payment, PaymentId, Timestamp,
};
use serde_json::Value;

use crate::notice::{Notice, What};

/// The name under which a session and a payment carry the stage of the deployment.
pub const STAGE_MARK: &str = "topup_stage";
/// The name under which they carry the account.
pub const ACCOUNT_MARK: &str = "account_id";
/// The name under which they carry the order.
pub const ORDER_MARK: &str = "order_id";

/// What a genuine event means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// Something happened to the payment of an order of this deployment.
    Notice(Notice),
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
                    Reading::Notice(Notice { id: id.to_owned(), account, order, what })
                }
                Ok(None) => Reading::Ignored("other_event"),
                Err(field) => unreadable(field),
            }
        }
        _ => unreadable("marks"),
    }
}

/// What a session says about its payment; an error names the field that cannot be read.
pub(super) fn of_payment(
    payment_status: &str,
    payment_id: Option<&str>,
    minor_units: Option<i64>,
    currency: Option<&str>,
    paid_at: Timestamp,
    reference: &str,
) -> Result<What, &'static str> {
    match payment_status {
        "paid" => {}
        "unpaid" => return Ok(What::Processing),
        _ => return Err("payment_status"),
    }
    let id = payment_id.and_then(|id| PaymentId::parse(id).ok()).ok_or("payment_intent")?;
    let currency = currency.and_then(|code| Currency::parse(&code.to_ascii_uppercase()).ok());
    let currency = currency.ok_or("currency")?;
    let units = minor_units.and_then(|units| u64::try_from(units).ok()).ok_or("amount_total")?;
    let amount = Amount::from_minor_units(units, currency).map_err(|_| "amount_total")?;
    let money = Money { amount, currency };
    Ok(What::Paid(Payment { id, money, paid_at, reference: reference.to_owned() }))
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
    let payment = session.get("payment_intent");
    let payment = payment.and_then(|payment| payment.as_str().or_else(|| text(payment, "/id")));
    let units = session.get("amount_total").and_then(Value::as_i64);
    of_payment(payment_status, payment, units, text(session, "/currency"), at, id).map(Some)
}

fn of_attempt(id: &str, at: Timestamp, payment: &Value) -> Result<Option<What>, &'static str> {
    let payment_id = text(payment, "/id").and_then(|id| PaymentId::parse(id).ok());
    let error = payment.get("last_payment_error");
    let code = |name: &str| error.and_then(|error| error.get(name)).and_then(Value::as_str);
    let decline_code = code("decline_code").or_else(|| code("code"));
    Ok(Some(What::AttemptFailed(FailedAttempt {
        payment_id: payment_id.ok_or("payment_intent")?,
        decline_code: decline_code.map(|code| code.chars().take(100).collect()),
        at,
        reference: id.to_owned(),
    })))
}

fn created(event: &Value) -> Timestamp {
    let seconds = event.pointer("/created").and_then(Value::as_i64).unwrap_or_default();
    Timestamp::from_unix_millis(seconds.saturating_mul(1_000))
}

fn text<'value>(value: &'value Value, pointer: &str) -> Option<&'value str> {
    value.pointer(pointer).and_then(Value::as_str)
}
