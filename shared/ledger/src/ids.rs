//! Names of things: accounts, products, orders, payments, and how an order's id is derived.

use std::fmt;

use data_encoding::{Encoding, Specification};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{DisputeStatus, Target};

/// A text that cannot be the id it was offered as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be {rule}")]
pub struct InvalidId {
    /// What the text must be.
    pub rule: &'static str,
}

/// Enough bytes for the bits of a derived id.
const DERIVED_BYTES: usize = 13;
/// 20 characters of 5 bits: 100 bits, so that a million ids a second for a thousand years do not collide.
const DERIVED_CHARACTERS: usize = 20;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks the text.
            ///
            /// # Errors
            /// [`InvalidId`] with the rule that the text breaks.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let valid: fn(&str) -> bool = $valid;
                valid(text).then(|| Self(text.to_owned())).ok_or(InvalidId { rule: $rule })
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// A customer of the platform, as the platform names it.
    AccountId,
    "1 to 64 letters, digits, '-' or '_'",
    |text| bounded(text, 64)
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
);

text_id!(
    /// A product that the platform sells, such as `whatsapp`.
    ProductCode,
    "1 to 32 lower-case letters, digits or '-', starting with a letter",
    |text| named(text)
);

text_id!(
    /// An order: derived from account, operation and idempotency key, so that the order is its own
    /// idempotency record.
    OrderId,
    "'ord_' and 20 characters of Crockford's base32",
    |text| derived(text, "ord_")
);

text_id!(
    /// A refund: derived from its order and idempotency key, or from the provider's name for it.
    RefundId,
    "'rfd_' and 20 characters of Crockford's base32",
    |text| derived(text, "rfd_")
);

text_id!(
    /// An adjustment: derived from account and idempotency key.
    AdjustmentId,
    "'adj_' and 20 characters of Crockford's base32",
    |text| derived(text, "adj_")
);

text_id!(
    /// A charge: derived from account, operation and idempotency key.
    ChargeId,
    "'chg_' and 20 characters of Crockford's base32",
    |text| derived(text, "chg_")
);

text_id!(
    /// A hold: derived from account and idempotency key.
    HoldId,
    "'hold_' and 20 characters of Crockford's base32",
    |text| derived(text, "hold_")
);

text_id!(
    /// Something that the platform is told: derived from what it is about, so that it exists once.
    EventId,
    "'evt_' and 20 characters of Crockford's base32",
    |text| derived(text, "evt_")
);

text_id!(
    /// A place where the platform is told of events, as its operator names it.
    EndpointId,
    "1 to 32 lower-case letters, digits or '-', starting with a letter",
    |text| named(text)
);

text_id!(
    /// A payment, as the payment provider names it (Stripe: the payment intent, `pi_…`).
    PaymentId,
    "1 to 255 visible ASCII characters",
    |text| bounded(text, 255) && text.bytes().all(|byte| byte.is_ascii_graphic())
);

text_id!(
    /// Something else that the payment provider has a name for: a refund (`re_…`), a dispute
    /// (`dp_…`).
    ProviderId,
    "1 to 255 visible ASCII characters",
    |text| bounded(text, 255) && text.bytes().all(|byte| byte.is_ascii_graphic())
);

text_id!(
    /// What a client sends to say that a request is the same one again.
    IdempotencyKey,
    "1 to 255 visible ASCII characters",
    |text| bounded(text, 255) && text.bytes().all(|byte| byte.is_ascii_graphic())
);

text_id!(
    /// A name in one line: of a payer, an account, a bank. Personal: documents hold it, never the
    /// journal.
    Name,
    "1 to 140 characters, none of them a control character",
    |text| sentence(text, 140) && !text.contains('\n')
);

text_id!(
    /// A few sentences of a person: a note, the reason of a rejection.
    Note,
    "1 to 500 characters, none of them a control character",
    |text| sentence(text, 500)
);

impl PaymentId {
    /// Whether it is a bank transfer, which no provider knows.
    #[must_use]
    pub fn is_bank_transfer(&self) -> bool {
        self.0.starts_with("bank_")
    }

    /// An id that [`derive_id`] made.
    pub(crate) const fn derived(id: String) -> Self {
        Self(id)
    }
}

impl OrderId {
    /// The id of the order that this request of an account makes, today and in ten years.
    #[must_use]
    pub fn of_request(account: &AccountId, key: &IdempotencyKey) -> Self {
        Self::derive(account, "order", key.as_str())
    }

    /// The id of the order that records a transfer with this key.
    #[must_use]
    pub fn of_transfer(account: &AccountId, key: &IdempotencyKey) -> Self {
        Self::derive(account, "transfer", key.as_str())
    }

    /// The id of the order that records a bank transfer which came without one.
    #[must_use]
    pub fn of_received_payment(account: &AccountId, key: &IdempotencyKey) -> Self {
        Self::derive(account, "received-payment", key.as_str())
    }

    /// The id of the order that the payment of a finding becomes.
    #[must_use]
    pub fn of_finding(account: &AccountId, finding: &str) -> Self {
        Self::derive(account, "finding", finding)
    }

    /// The id of the automatic top-up that this charge or hold needs first.
    #[must_use]
    pub fn of_automatic_top_up(account: &AccountId, document_id: &str) -> Self {
        Self::derive(account, "automatic", document_id)
    }

    fn derive(account: &AccountId, operation: &str, name: &str) -> Self {
        Self(derive_id("ord_", &[account.as_str(), operation, name]))
    }
}

impl RefundId {
    /// The id of a refund that this request asks for.
    #[must_use]
    pub fn derive(order: &OrderId, key: &IdempotencyKey) -> Self {
        Self(derive_id("rfd_", &[order.as_str(), "refund", key.as_str()]))
    }

    /// The id of the refund of a payment that no order could take; another one once that has failed.
    #[must_use]
    pub fn of_finding(finding: &str, failed: Option<&Self>) -> Self {
        Self(derive_id("rfd_", &["finding", finding, failed.map_or("", Self::as_str)]))
    }

    /// The id of a refund that was made at the provider, not here.
    #[must_use]
    pub fn of_provider(name: &ProviderId) -> Self {
        Self(derive_id("rfd_", &["provider", name.as_str()]))
    }
}

impl AdjustmentId {
    /// The id of the adjustment that this request makes.
    #[must_use]
    pub fn derive(account: &AccountId, key: &IdempotencyKey) -> Self {
        Self(derive_id("adj_", &[account.as_str(), "adjustment", key.as_str()]))
    }
}

impl ChargeId {
    /// The id of the charge that this request makes.
    #[must_use]
    pub fn derive(account: &AccountId, key: &IdempotencyKey) -> Self {
        Self(derive_id("chg_", &[account.as_str(), "charge", key.as_str()]))
    }

    /// The id of the charge by which this request captures a part of a hold.
    #[must_use]
    pub fn of_capture(account: &AccountId, key: &IdempotencyKey) -> Self {
        Self(derive_id("chg_", &[account.as_str(), "capture", key.as_str()]))
    }
}

impl HoldId {
    /// The id of the hold that this request places.
    #[must_use]
    pub fn derive(account: &AccountId, key: &IdempotencyKey) -> Self {
        Self(derive_id("hold_", &[account.as_str(), "hold", key.as_str()]))
    }
}

impl EventId {
    /// The id of what is told of a change of an order's status: the number counts the changes of its
    /// timeline from 0.
    #[must_use]
    pub fn of_change(order: &OrderId, number: usize) -> Self {
        Self(derive_id("evt_", &["order", order.as_str(), &number.to_string()]))
    }

    /// The id of what is told of money of an order that was given back or has returned without a change
    /// of its status: the version counts the writes of the order.
    #[must_use]
    pub fn of_refunds(order: &OrderId, version: u64) -> Self {
        Self(derive_id("evt_", &["refunds", order.as_str(), &version.to_string()]))
    }

    /// The id of what is told of a dispute of an order's payment: it stands at each status once.
    #[must_use]
    pub fn of_dispute(order: &OrderId, dispute: &ProviderId, status: DisputeStatus) -> Self {
        let parts = ["dispute", order.as_str(), dispute.as_str(), status.name()];
        Self(derive_id("evt_", &parts))
    }

    /// The id of what is told of a hold when its time is over.
    #[must_use]
    pub fn of_expired_hold(hold: &HoldId) -> Self {
        Self(derive_id("evt_", &["hold", hold.as_str(), "expired"]))
    }

    /// The id of what is told of a balance that has run low: the version counts the writes of its
    /// account.
    #[must_use]
    pub fn of_low_balance(account: &AccountId, version: u64, target: &Target) -> Self {
        let (version, target) = (version.to_string(), target.to_string());
        Self(derive_id("evt_", &["balance", account.as_str(), &version, &target]))
    }

    /// The id of what is told of an endpoint that is switched off: the version counts the writes of all
    /// endpoints.
    #[must_use]
    pub fn of_endpoint(endpoint: &EndpointId, version: u64) -> Self {
        Self(derive_id("evt_", &["endpoint", endpoint.as_str(), &version.to_string()]))
    }

    /// The id of the test that this request sends.
    #[must_use]
    pub fn of_test(endpoint: &EndpointId, key: &IdempotencyKey) -> Self {
        Self(derive_id("evt_", &["test", endpoint.as_str(), key.as_str()]))
    }
}

/// `prefix` and 100 bits of SHA-256 over the length-prefixed parts, in Crockford's base32.
///
/// The length prefixes keep `("ab", "c")` and `("a", "bc")` apart.
#[must_use]
pub fn derive_id(prefix: &str, parts: &[&str]) -> String {
    let digest = derive_bytes(parts);
    let mut encoded = crockford().encode(digest.get(..DERIVED_BYTES).unwrap_or_default());
    encoded.truncate(DERIVED_CHARACTERS);
    format!("{prefix}{encoded}")
}

/// SHA-256 over the length-prefixed parts.
#[must_use]
pub fn derive_bytes(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

/// <https://www.crockford.com/base32.html>, in lower case: no I, L, O, U.
const CROCKFORD: &[u8] = b"0123456789abcdefghjkmnpqrstvwxyz";

fn crockford() -> Encoding {
    let mut specification = Specification::new();
    specification.symbols.extend(CROCKFORD.iter().map(|byte| char::from(*byte)));
    #[expect(clippy::expect_used, reason = "a constant alphabet of 32 distinct ASCII characters")]
    specification.encoding().expect("the alphabet is valid")
}

fn derived(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        rest.len() == DERIVED_CHARACTERS && rest.bytes().all(|byte| CROCKFORD.contains(&byte))
    })
}

fn bounded(text: &str, longest: usize) -> bool {
    !text.is_empty() && text.len() <= longest
}

fn named(text: &str) -> bool {
    bounded(text, 32)
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn sentence(text: &str, longest: usize) -> bool {
    let printable = |character: char| !character.is_control() || character == '\n';
    !text.trim().is_empty() && text.chars().count() <= longest && text.chars().all(printable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_id_is_the_same_for_ever() {
        let account = AccountId::parse("acme").unwrap();
        let key = IdempotencyKey::parse("first").unwrap();
        let id = OrderId::of_request(&account, &key);
        assert_eq!(OrderId::parse(id.as_str()), Ok(id.clone()));
        assert_ne!(id, OrderId::of_transfer(&account, &key));
        assert_eq!(id.as_str(), "ord_jt397vere7tffkphxzmp");
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(derive_id("", &["ab", "c"]), derive_id("", &["a", "bc"]));
    }

    #[test]
    fn every_id_is_bounded_and_plain() {
        for text in ["", "a b", "a#b", "ä", &"x".repeat(65)] {
            assert!(AccountId::parse(text).is_err(), "{text:?}");
        }
        for text in ["", "WhatsApp", "sms:held", "1sms", &"x".repeat(33)] {
            assert!(ProductCode::parse(text).is_err(), "{text:?}");
        }
        for text in ["", "ord_", "ord_00000000000000000000x", "ord_0000000000000000000U"] {
            assert!(OrderId::parse(text).is_err(), "{text:?}");
        }
        for text in ["", "with blank", "tab\t", "ümlaut", &"k".repeat(256)] {
            assert!(IdempotencyKey::parse(text).is_err(), "{text:?}");
        }
    }
}
