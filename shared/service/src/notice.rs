//! What the payment provider tells about an order, in Topup's own words.
//!
//! The webhook makes notices out of Stripe's events, the confirmation queue carries them, and
//! [`crate::payments::confirm`] acts on them.

use ledger::{AccountId, Currency, FailedAttempt, Money, OrderId, Payment, PaymentId, Timestamp};
use serde::{Deserialize, Serialize};

/// Something that happened to the payment of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The provider's id of the notice.
    pub id: String,
    /// The account that the payment names.
    pub account: AccountId,
    /// The order that the payment names.
    pub order: OrderId,
    /// What happened.
    pub what: What,
}

/// What happened to a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The money was taken.
    Paid(Payment),
    /// The money will come later, or not.
    Processing,
    /// The money that was to come later will not come.
    Failed,
    /// A card was refused.
    AttemptFailed(FailedAttempt),
    /// A payment page closed unpaid.
    PageExpired {
        /// The provider's id of the page.
        session: String,
    },
}

/// A notice as it travels through the queue.
#[derive(Serialize, Deserialize)]
struct Message {
    id: String,
    account_id: String,
    order_id: String,
    what: MessageWhat,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum MessageWhat {
    Paid { payment_id: String, amount: String, currency: String, paid_at: i64 },
    Processing,
    Failed,
    AttemptFailed { payment_id: String, decline_code: Option<String>, at: i64 },
    PageExpired { session_id: String },
}

impl Notice {
    /// The payment, if the notice is about one.
    #[must_use]
    pub const fn payment_id(&self) -> Option<&PaymentId> {
        match &self.what {
            What::Paid(payment) => Some(&payment.id),
            What::AttemptFailed(failed) => Some(&failed.payment_id),
            What::Processing | What::Failed | What::PageExpired { .. } => None,
        }
    }

    /// The text that the queue carries.
    #[must_use]
    pub fn to_message(&self) -> String {
        let what = match &self.what {
            What::Paid(payment) => MessageWhat::Paid {
                payment_id: payment.id.to_string(),
                amount: payment.money.to_string(),
                currency: payment.money.currency.code().to_owned(),
                paid_at: payment.paid_at.unix_millis(),
            },
            What::Processing => MessageWhat::Processing,
            What::Failed => MessageWhat::Failed,
            What::AttemptFailed(failed) => MessageWhat::AttemptFailed {
                payment_id: failed.payment_id.to_string(),
                decline_code: failed.decline_code.clone(),
                at: failed.at.unix_millis(),
            },
            What::PageExpired { session } => {
                MessageWhat::PageExpired { session_id: session.clone() }
            }
        };
        let message = Message {
            id: self.id.clone(),
            account_id: self.account.to_string(),
            order_id: self.order.to_string(),
            what,
        };
        serde_json::to_string(&message).unwrap_or_default()
    }

    /// Reads what [`Notice::to_message`] wrote; `None` for anything else.
    #[must_use]
    pub fn from_message(text: &str) -> Option<Self> {
        let message: Message = serde_json::from_str(text).ok()?;
        let what = match message.what {
            MessageWhat::Paid { payment_id, amount, currency, paid_at } => What::Paid(Payment {
                id: PaymentId::parse(&payment_id).ok()?,
                money: Money::parse(&amount, Currency::parse(&currency).ok()?).ok()?,
                paid_at: Timestamp::from_unix_millis(paid_at),
                reference: message.id.clone(),
            }),
            MessageWhat::Processing => What::Processing,
            MessageWhat::Failed => What::Failed,
            MessageWhat::AttemptFailed { payment_id, decline_code, at } => {
                What::AttemptFailed(FailedAttempt {
                    payment_id: PaymentId::parse(&payment_id).ok()?,
                    decline_code,
                    at: Timestamp::from_unix_millis(at),
                    reference: message.id.clone(),
                })
            }
            MessageWhat::PageExpired { session_id } => What::PageExpired { session: session_id },
        };
        Some(Self {
            id: message.id,
            account: AccountId::parse(&message.account_id).ok()?,
            order: OrderId::parse(&message.order_id).ok()?,
            what,
        })
    }
}
