//! What was used, and what is set aside for a use, as clients see it.

use lambda_http::http::StatusCode;
use ledger::{Account, Balance, HoldStatus, Target, Timestamp, TopUpSize, WantedThresholds};
use serde_json::{Value, json};

use crate::charges::Outcome;
use crate::http::{AskedItem, Problem};
use crate::record::{ChargeRecord, HoldRecord, Once, Page, UsageWords};
use crate::stamp;

/// A charge.
#[must_use]
pub fn charge(record: &ChargeRecord) -> Value {
    let ChargeRecord { charge, words } = record;
    let UsageWords { description, metadata } = words;
    json!({
        "charge_id": charge.id.as_str(),
        "account_id": charge.account.as_str(),
        "product": charge.product.as_str(),
        "amount": charge.money.to_string(),
        "currency": charge.money.currency.code(),
        "hold_id": charge.from_hold.as_ref().map(|hold| hold.id.as_str()),
        "entry": charge.entry,
        "description": description.as_ref().map(|words| words.as_str()),
        "metadata": metadata,
        "by": charge.by.as_str(),
        "created_at": stamp::format(charge.at),
    })
}

/// What became of each charge of a batch, in the order in which they were asked for.
#[must_use]
pub fn charge_outcomes(outcomes: &[(AskedItem, Outcome)], request_id: &str) -> Value {
    let shown = outcomes.iter().map(|(item, outcome)| {
        let (status, made, problem) = match outcome {
            Ok(Once::Now(record)) => (StatusCode::CREATED, charge(record), Value::Null),
            Ok(Once::Before(record)) => (StatusCode::OK, charge(record), Value::Null),
            Err(error) => {
                let problem = Problem::of(error);
                (problem.status, Value::Null, problem.body(request_id))
            }
        };
        json!({
            "key": item.key,
            "account_id": item.account_id,
            "status": status.as_u16(),
            "charge": made,
            "problem": problem,
        })
    });
    json!({"data": shown.collect::<Vec<_>>()})
}

/// A charge that was captured from a hold, and the hold after it.
#[must_use]
pub fn capture(captured: &ChargeRecord, from: &HoldRecord) -> Value {
    let mut shown = charge(captured);
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("hold".to_owned(), hold(from));
    }
    shown
}

/// A hold, as it stands now.
#[must_use]
pub fn hold(record: &HoldRecord) -> Value {
    let HoldRecord { hold, words, .. } = record;
    let UsageWords { description, metadata } = words;
    let currency = hold.money.currency;
    let expired = (hold.status == HoldStatus::Expired).then_some(hold.expires_at);
    json!({
        "hold_id": hold.id.as_str(),
        "account_id": hold.account.as_str(),
        "product": hold.product.as_str(),
        "amount": hold.money.to_string(),
        "captured_amount": hold.captured.format(currency),
        "remaining_amount": hold.left().format(currency),
        "currency": currency.code(),
        "status": hold.status.name(),
        "description": description.as_ref().map(|words| words.as_str()),
        "metadata": metadata,
        "by": hold.by.as_str(),
        "created_at": stamp::format(hold.created_at),
        "expires_at": stamp::format(hold.expires_at),
        "closed_at": hold.closed_at.or(expired).map(|at: Timestamp| stamp::format(at)),
    })
}

/// A page of holds.
#[must_use]
pub fn holds(page: &Page<HoldRecord>) -> Value {
    let holds: Vec<_> = page.items.iter().map(hold).collect();
    json!({"data": holds, "next_cursor": page.next})
}

/// All thresholds of an account.
#[must_use]
pub fn thresholds(account: &Account, now: Timestamp) -> Value {
    // One that is off is kept only for what it has moved.
    let on =
        account.thresholds.iter().filter(|(_, set)| set.wanted() != WantedThresholds::default());
    let set: Vec<_> = on.map(|(target, _)| threshold(account, target, now)).collect();
    json!({"data": set, "next_cursor": null})
}

/// What is to happen when a balance runs low; what is off is null.
#[must_use]
pub fn threshold(account: &Account, target: &Target, now: Timestamp) -> Value {
    let show = |balance: Balance| balance.format(account.currency);
    let set = account.thresholds.get(target);
    let set = set.filter(|set| set.wanted() != WantedThresholds::default());
    let alert = set.and_then(|set| set.alert.as_ref());
    let automatic = account.automatic_top_up(target);
    let (amount, up_to) = match automatic.map(|automatic| automatic.size) {
        Some(TopUpSize::Fixed(amount)) => (Some(show(amount.into())), None),
        Some(TopUpSize::UpTo(balance)) => (None, Some(show(balance.into()))),
        None => (None, None),
    };
    let cap = automatic.and_then(|automatic| automatic.monthly_cap);
    json!({
        "account_id": account.id.as_str(),
        "balance": target.to_string(),
        "currency": account.currency.code(),
        "alert_below": alert.map(|alert| show(alert.below.into())),
        "alert_given": alert.map(|alert| alert.given),
        "top_up_below": automatic.map(|automatic| show(automatic.below.into())),
        "top_up_amount": amount,
        "top_up_to": up_to,
        "monthly_cap": cap.map(|cap| show(cap.into())),
        "moved_this_month": automatic.map(|_| show(account.moved_this_month(target, now))),
        "set_by": set.map(|set| set.set_by.as_str()),
        "set_at": set.map(|set| stamp::format(set.set_at)),
    })
}
