//! What the payment provider tells, in Topup's own words: of the payment of an order, or of a payment
//! that goes back.
//!
//! The webhook makes them out of Stripe's events, the confirmation queue carries them, and
//! [`crate::payments::confirm`] and [`crate::reversals::confirm`] act on them.

use ledger::{
    AccountId, Currency, Dispute, DisputeOutcome, FailedAttempt, Money, OrderId, Payment,
    PaymentId, ProviderId, RefundId, RefundStatus, Timestamp, ToldDispute, ToldRefund,
};
use serde::{Deserialize, Serialize};

/// Something that the payment provider tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Of the payment of an order.
    Payment(Notice),
    /// Of a payment that goes back.
    Reversal(ReversalNotice),
}

/// Something that happened to a payment after it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReversalNotice {
    /// The provider's id of the notice.
    pub id: String,
    /// The payment.
    pub payment: PaymentId,
    /// What happened.
    pub what: WhatBack,
}

/// How a payment goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhatBack {
    /// Whoever was paid gives it back.
    Refund(ToldRefund),
    /// The bank of the cardholder asks it back.
    Dispute(ToldDispute),
}

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

/// What travels through the queue.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Message {
    Payment(PaymentMessage),
    Reversal(ReversalMessage),
}

#[derive(Serialize, Deserialize)]
struct ReversalMessage {
    id: String,
    payment_id: String,
    reversal: MessageBack,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum MessageBack {
    Refund {
        refund_id: Option<String>,
        provider_id: String,
        amount: String,
        currency: String,
        status: String,
        failure: Option<String>,
        at: i64,
    },
    Dispute {
        provider_id: String,
        amount: String,
        currency: String,
        reason: Option<String>,
        contested: bool,
        #[serde(default)]
        closed: bool,
        withdrawn: bool,
        reinstated: bool,
        outcome: Option<String>,
        at: i64,
    },
}

#[derive(Serialize, Deserialize)]
struct PaymentMessage {
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

    fn to_message(&self) -> PaymentMessage {
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
        PaymentMessage {
            id: self.id.clone(),
            account_id: self.account.to_string(),
            order_id: self.order.to_string(),
            what,
        }
    }

    fn from_message(message: PaymentMessage) -> Option<Self> {
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

impl Told {
    /// The provider's id of the notice.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Payment(notice) => &notice.id,
            Self::Reversal(notice) => &notice.id,
        }
    }

    /// The payment, if it is about one.
    #[must_use]
    pub const fn payment_id(&self) -> Option<&PaymentId> {
        match self {
            Self::Payment(notice) => notice.payment_id(),
            Self::Reversal(notice) => Some(&notice.payment),
        }
    }

    /// Whose messages stand in one line: the account's, or the payment's while the account is not
    /// known.
    #[must_use]
    pub fn group(&self) -> &str {
        match self {
            Self::Payment(notice) => notice.account.as_str(),
            Self::Reversal(notice) => notice.payment.as_str(),
        }
    }

    /// The text that the queue carries.
    #[must_use]
    pub fn to_message(&self) -> String {
        let message = match self {
            Self::Payment(notice) => Message::Payment(notice.to_message()),
            Self::Reversal(notice) => Message::Reversal(notice.to_message()),
        };
        serde_json::to_string(&message).unwrap_or_default()
    }

    /// Reads what [`Told::to_message`] wrote; `None` for anything else.
    #[must_use]
    pub fn from_message(text: &str) -> Option<Self> {
        Some(match serde_json::from_str(text).ok()? {
            Message::Payment(message) => Self::Payment(Notice::from_message(message)?),
            Message::Reversal(message) => Self::Reversal(ReversalNotice::from_message(message)?),
        })
    }
}

impl ReversalNotice {
    /// The refund or the dispute, as the provider names it.
    #[must_use]
    pub const fn reversal(&self) -> &ProviderId {
        match &self.what {
            WhatBack::Refund(refund) => &refund.provider_id,
            WhatBack::Dispute(dispute) => &dispute.id,
        }
    }

    /// How much goes back.
    #[must_use]
    pub const fn money(&self) -> Money {
        match &self.what {
            WhatBack::Refund(refund) => refund.money,
            WhatBack::Dispute(dispute) => dispute.money,
        }
    }

    fn to_message(&self) -> ReversalMessage {
        let reversal = match &self.what {
            WhatBack::Refund(refund) => MessageBack::Refund {
                refund_id: refund.id.as_ref().map(ToString::to_string),
                provider_id: refund.provider_id.to_string(),
                amount: refund.money.to_string(),
                currency: refund.money.currency.code().to_owned(),
                status: refund.status.name().to_owned(),
                failure: refund.failure.clone(),
                at: refund.at.unix_millis(),
            },
            WhatBack::Dispute(dispute) => MessageBack::Dispute {
                provider_id: dispute.id.to_string(),
                amount: dispute.money.to_string(),
                currency: dispute.money.currency.code().to_owned(),
                reason: dispute.reason.clone(),
                contested: dispute.contested,
                closed: dispute.closed,
                withdrawn: dispute.withdrawn,
                reinstated: dispute.reinstated,
                outcome: dispute.outcome.map(|outcome| outcome.name().to_owned()),
                at: dispute.created_at.unix_millis(),
            },
        };
        ReversalMessage { id: self.id.clone(), payment_id: self.payment.to_string(), reversal }
    }

    fn from_message(message: ReversalMessage) -> Option<Self> {
        let money = |amount: &str, currency: &str| {
            Money::parse(amount, Currency::parse(currency).ok()?).ok()
        };
        let what = match message.reversal {
            MessageBack::Refund {
                refund_id,
                provider_id,
                amount,
                currency,
                status,
                failure,
                at,
            } => WhatBack::Refund(ToldRefund {
                id: match refund_id {
                    Some(id) => Some(RefundId::parse(&id).ok()?),
                    None => None,
                },
                provider_id: ProviderId::parse(&provider_id).ok()?,
                money: money(&amount, &currency)?,
                status: RefundStatus::parse(&status)?,
                failure,
                at: Timestamp::from_unix_millis(at),
            }),
            MessageBack::Dispute {
                provider_id,
                amount,
                currency,
                reason,
                contested,
                closed,
                withdrawn,
                reinstated,
                outcome,
                at,
            } => WhatBack::Dispute(Dispute {
                id: ProviderId::parse(&provider_id).ok()?,
                money: money(&amount, &currency)?,
                reason,
                contested,
                closed,
                withdrawn,
                reinstated,
                outcome: match outcome {
                    Some(outcome) => Some(DisputeOutcome::parse(&outcome)?),
                    None => None,
                },
                created_at: Timestamp::from_unix_millis(at),
            }),
        };
        let payment = PaymentId::parse(&message.payment_id).ok()?;
        Some(Self { id: message.id, payment, what })
    }
}
