//! What is to happen when a balance runs low, as its account carries it.

use ledger::{
    Actor, Alert, Amount, AutomaticTopUp, Balance, MAX_DECIMALS, Moved, Target, Thresholds,
    Timestamp, TopUpSize,
};
use serde::{Deserialize, Serialize};

use super::{exact, optional};

#[derive(Serialize, Deserialize)]
pub(super) struct ThresholdsItem {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alert: Option<AlertItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    automatic: Option<AutomaticItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moved: Option<MovedItem>,
    set_by: String,
    set_at: i64,
}

#[derive(Serialize, Deserialize)]
struct AlertItem {
    below: String,
    given: bool,
}

#[derive(Serialize, Deserialize)]
struct AutomaticItem {
    below: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    up_to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    monthly_cap: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct MovedItem {
    sum: String,
    at: i64,
}

pub(super) fn from_thresholds(
    (target, thresholds): (&Target, &Thresholds),
) -> (String, ThresholdsItem) {
    let text = |amount: Amount| amount.decimal().to_string();
    let automatic = thresholds.automatic.as_ref().map(|automatic| {
        let (amount, up_to) = match automatic.size {
            TopUpSize::Fixed(amount) => (Some(text(amount)), None),
            TopUpSize::UpTo(balance) => (None, Some(text(balance))),
        };
        AutomaticItem {
            below: text(automatic.below),
            amount,
            up_to,
            monthly_cap: automatic.monthly_cap.map(text),
        }
    });
    let alert = thresholds.alert.as_ref();
    let value = ThresholdsItem {
        alert: alert.map(|alert| AlertItem { below: text(alert.below), given: alert.given }),
        automatic,
        moved: thresholds
            .moved
            .map(|moved| MovedItem { sum: exact(moved.sum), at: moved.at.unix_millis() }),
        set_by: thresholds.set_by.to_string(),
        set_at: thresholds.set_at.unix_millis(),
    };
    (target.to_string(), value)
}

pub(super) fn to_thresholds(
    (target, value): (&String, &ThresholdsItem),
) -> Option<(Target, Thresholds)> {
    let alert = optional(value.alert.as_ref(), |alert| {
        Some(Alert { below: amount(&alert.below)?, given: alert.given })
    })?;
    let automatic = optional(value.automatic.as_ref(), to_automatic)?;
    let moved = optional(value.moved.as_ref(), |moved| {
        let at = Timestamp::from_unix_millis(moved.at);
        Some(Moved { sum: Balance::parse(&moved.sum).ok()?, at })
    })?;
    let set_by = Actor::parse(&value.set_by).ok()?;
    let set_at = Timestamp::from_unix_millis(value.set_at);
    Some((Target::parse(target).ok()?, Thresholds { alert, automatic, moved, set_by, set_at }))
}

fn to_automatic(value: &AutomaticItem) -> Option<AutomaticTopUp> {
    let size = match (&value.amount, &value.up_to) {
        (Some(text), None) => TopUpSize::Fixed(amount(text)?),
        (None, Some(text)) => TopUpSize::UpTo(amount(text)?),
        _ => return None,
    };
    let monthly_cap = optional(value.monthly_cap.as_deref(), amount)?;
    Some(AutomaticTopUp { below: amount(&value.below)?, size, monthly_cap })
}

fn amount(text: &str) -> Option<Amount> {
    Amount::parse(text, MAX_DECIMALS).ok()
}
