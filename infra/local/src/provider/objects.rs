//! What the stand-in remembers: sessions, payment intents, charges, refunds, disputes, balance
//! transactions and events. Field values are Stripe's own words, so that lists can be filtered by them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Something with an id that is kept in the store.
pub(super) trait Document: Serialize + DeserializeOwned {
    /// Stripe's `object`.
    const KIND: &'static str;
    fn id(&self) -> &str;
    fn created(&self) -> i64;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SessionStatus {
    Open,
    Complete,
    Expired,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) expires_at: i64,
    pub(super) status: SessionStatus,
    pub(super) currency: String,
    pub(super) amount_total: i64,
    pub(super) items: Vec<Item>,
    pub(super) success_url: String,
    pub(super) cancel_url: Option<String>,
    pub(super) customer_email: Option<String>,
    /// The address that the payer typed.
    pub(super) paid_by: Option<String>,
    pub(super) client_reference_id: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) intent_metadata: BTreeMap<String, String>,
    pub(super) intent_description: Option<String>,
    pub(super) allowed_payment_method_types: Option<Vec<String>>,
    pub(super) adaptive_pricing: bool,
    pub(super) locale: Option<String>,
    pub(super) submit_type: Option<String>,
    /// Stripe makes it with the first attempt to pay, not with the session.
    pub(super) payment_intent: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) unit_amount: i64,
    pub(super) quantity: i64,
    pub(super) amount: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum IntentStatus {
    RequiresPaymentMethod,
    RequiresAction,
    Succeeded,
    Canceled,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PaymentIntent {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) status: IntentStatus,
    pub(super) canceled_at: Option<i64>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) description: Option<String>,
    pub(super) latest_charge: Option<String>,
    pub(super) last_decline: Option<Decline>,
    /// The card of the latest attempt: also what a confirmation step goes on with.
    pub(super) payer: Option<Payer>,
}

/// Who pays and with what: never a card number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Payer {
    pub(super) payment_method: String,
    pub(super) email: String,
    pub(super) last4: String,
    pub(super) exp_month: u8,
    pub(super) exp_year: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Decline {
    Generic,
    InsufficientFunds,
    AuthenticationFailed,
}

impl Decline {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Generic | Self::InsufficientFunds => "card_declined",
            Self::AuthenticationFailed => "payment_intent_authentication_failure",
        }
    }

    pub(super) fn decline_code(self) -> Option<&'static str> {
        match self {
            Self::Generic => Some("generic_decline"),
            Self::InsufficientFunds => Some("insufficient_funds"),
            Self::AuthenticationFailed => None,
        }
    }

    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Generic => "Your card was declined.",
            Self::InsufficientFunds => "Your card has insufficient funds.",
            Self::AuthenticationFailed => {
                "We are unable to authenticate your payment method. Please choose a different \
                 payment method and try again."
            }
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Charge {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) payment_intent: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) payer: Payer,
    pub(super) decline: Option<Decline>,
    pub(super) balance_transaction: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) description: Option<String>,
    /// What all refunds took that neither failed nor were canceled.
    #[serde(default)]
    pub(super) amount_refunded: i64,
    /// The one dispute that a charge can have here.
    #[serde(default)]
    pub(super) dispute: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RefundStatus {
    Pending,
    RequiresAction,
    Succeeded,
    Failed,
    Canceled,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) charge: String,
    pub(super) payment_intent: String,
    pub(super) status: RefundStatus,
    pub(super) reason: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) failure_reason: Option<String>,
    /// The movement that took the money out: none while the refund is pending.
    pub(super) balance_transaction: Option<String>,
    /// The movement that brought the money of a failed refund back.
    pub(super) failure_balance_transaction: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DisputeStatus {
    WarningNeedsResponse,
    WarningClosed,
    NeedsResponse,
    Won,
    Lost,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Dispute {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) charge: String,
    pub(super) payment_intent: String,
    pub(super) status: DisputeStatus,
    pub(super) reason: String,
    pub(super) is_charge_refundable: bool,
    /// The withdrawal, and then the reversal if the dispute was won.
    pub(super) balance_transactions: Vec<String>,
}

/// The `type` of a balance transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Movement {
    Charge,
    Refund,
    RefundFailure,
    Adjustment,
}

/// What a balance transaction counts as in Stripe's reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Category {
    #[default]
    Charge,
    Refund,
    RefundFailure,
    Dispute,
    DisputeReversal,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct BalanceTransaction {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) amount: i64,
    pub(super) fee: i64,
    pub(super) net: i64,
    pub(super) currency: String,
    pub(super) source: String,
    #[serde(rename = "type")]
    pub(super) movement: Movement,
    /// A store from before refunds and disputes holds charges alone.
    #[serde(default)]
    pub(super) reporting_category: Category,
    pub(super) description: Option<String>,
}

/// What happened, with the object as it was then.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) created: i64,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) object: Value,
}

macro_rules! documents {
    ($($document:ty => $kind:literal),+ $(,)?) => {$(
        impl Document for $document {
            const KIND: &'static str = $kind;
            fn id(&self) -> &str {
                &self.id
            }
            fn created(&self) -> i64 {
                self.created
            }
        }
    )+};
}

documents! {
    Session => "checkout.session",
    PaymentIntent => "payment_intent",
    Charge => "charge",
    Refund => "refund",
    Dispute => "dispute",
    BalanceTransaction => "balance_transaction",
    Event => "event",
}

/// An id that looks like Stripe's: a prefix and `length` letters and digits.
pub(super) fn new_id(prefix: &str, length: usize) -> String {
    std::iter::once(prefix.to_owned())
        .chain((0..length).map(|_| fastrand::alphanumeric().to_string()))
        .collect()
}
