//! What the items of money that is used say, read without the product's code.

use std::collections::BTreeMap;

use serde_json::Value;

use super::images::{number, text};
use super::micros::{self, Micros};

/// A charge that a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedCharge {
    /// Whose money.
    pub account: String,
    /// `product:<code>`.
    pub target: String,
    /// How much.
    pub amount: Micros,
    /// The hold that it is captured from, and whether it is the last one of it.
    pub from: Option<(String, bool)>,
}

/// A hold that a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedHold {
    /// Whose money.
    pub account: String,
    /// `product:<code>`.
    pub target: String,
    /// How much.
    pub amount: Micros,
    /// For how long, in milliseconds.
    pub time: u64,
}

/// A charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeImage {
    /// Its id.
    pub id: String,
    /// What it is.
    pub made: WantedCharge,
    /// The number of the entry that took its money.
    pub entry: u64,
    /// When, in milliseconds.
    pub at: u64,
}

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldImage {
    /// Its id.
    pub id: String,
    /// The number of its writes.
    pub version: u64,
    /// What it is.
    pub placed: WantedHold,
    /// What was captured of it.
    pub captured: Micros,
    /// `open`, `captured`, `released` or `expired`.
    pub status: String,
    /// When it was placed, in milliseconds.
    pub created_at: u64,
    /// When it was captured for the last time or released.
    pub closed_at: Option<u64>,
    /// Whether a sweep looks at it.
    pub is_due: bool,
}

/// What a hold still keeps, as its account carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenHoldImage {
    /// `product:<code>`.
    pub target: String,
    /// How much.
    pub left: Micros,
    /// From then on it keeps nothing, in milliseconds.
    pub expires_at: u64,
}

impl WantedCharge {
    /// Whether a charge is what was wanted; the product of a capture is the one of its hold.
    #[must_use]
    pub fn is_of(&self, made: &Self) -> bool {
        let target = if self.from.is_some() { &made.target } else { &self.target };
        Self { target: target.clone(), ..self.clone() } == *made
    }
}

impl HoldImage {
    /// From then on it keeps nothing.
    #[must_use]
    pub const fn expires_at(&self) -> u64 {
        self.created_at.saturating_add(self.placed.time)
    }
}

pub(super) fn charge(id: &str, item: &Value) -> Option<ChargeImage> {
    let from = match (text(item, "hold_id"), item["last_of_hold"]["BOOL"].as_bool()) {
        (None, None) => None,
        (Some(hold), Some(last)) => Some((hold.to_owned(), last)),
        _ => return None,
    };
    Some(ChargeImage {
        id: id.to_owned(),
        made: WantedCharge {
            account: text(item, "account_id")?.to_owned(),
            target: target(item)?,
            amount: dollars(item, "amount")?,
            from,
        },
        entry: number(item, "entry")?,
        at: number(item, "at")?,
    })
}

pub(super) fn hold(id: &str, item: &Value) -> Option<HoldImage> {
    let created_at = number(item, "created_at")?;
    Some(HoldImage {
        id: id.to_owned(),
        version: number(item, "version")?,
        placed: WantedHold {
            account: text(item, "account_id")?.to_owned(),
            target: target(item)?,
            amount: dollars(item, "amount")?,
            time: number(item, "expires_at")?.checked_sub(created_at)?,
        },
        captured: micros::parse(text(item, "captured")?)?,
        status: text(item, "status")?.to_owned(),
        created_at,
        closed_at: number(item, "closed_at"),
        is_due: text(item, "due_queue").is_some(),
    })
}

/// What an account carries of its holds; nothing if it has none.
pub(super) fn open_holds(item: &Value) -> Option<BTreeMap<String, OpenHoldImage>> {
    let holds = item["holds"]["M"].as_object().into_iter().flatten();
    let holds = holds.map(|(id, open)| {
        let open = &open["M"];
        let left = micros::parse(text(open, "left")?)?;
        let (target, expires_at) = (target(open)?, number(open, "expires_at")?);
        Some((id.clone(), OpenHoldImage { target, left, expires_at }))
    });
    holds.collect()
}

fn target(item: &Value) -> Option<String> {
    Some(format!("product:{}", text(item, "product")?))
}

fn dollars(item: &Value, name: &str) -> Option<Micros> {
    micros::parse(text(item, name).filter(|_| text(item, "currency") == Some("USD"))?)
}
