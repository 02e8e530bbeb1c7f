//! Places where money sits, and the outside places that it comes from and goes to.

use std::fmt;

use crate::{InvalidId, ProductCode};

/// What an order tops up: the wallet, or one product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// Money that can be moved to any product.
    Wallet,
    /// Money that is usable only in this product.
    Product(ProductCode),
}

/// One end of a movement: a balance of the account, or a place outside of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Money that the customer can use: `wallet`, `product:sms`.
    Available(Target),
    /// Money set aside out of it: `wallet:held`, `product:sms:held`.
    Held(Target),
    /// The world outside of the account: `external:card`.
    External(External),
}

/// Where money comes from and goes to, outside of an account. A closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum External {
    /// Where the operator's adjustments come from and go to.
    Adjustment,
    /// Money that came by bank transfer, in the currency in which it came.
    Bank,
    /// Money taken from or given back to a card.
    Card,
    /// Money that the customer owes: used when a payment is taken back after it was spent.
    Debt,
    /// Where one currency is given for another: each of the two sums to zero by itself.
    Fx,
    /// What was used of a product.
    Usage,
}

impl Target {
    /// Reads the form that [`fmt::Display`] writes.
    ///
    /// # Errors
    /// [`InvalidId`] for any other text.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        match Place::parse(text) {
            Ok(Place::Available(target)) => Ok(target),
            _ => Err(InvalidId { rule: "'wallet' or 'product:<code>'" }),
        }
    }

    /// The product, if the target is one.
    #[must_use]
    pub const fn product(&self) -> Option<&ProductCode> {
        match self {
            Self::Wallet => None,
            Self::Product(code) => Some(code),
        }
    }
}

impl Place {
    /// The wallet.
    pub const WALLET: Self = Self::Available(Target::Wallet);

    /// Whether what is there is the account's: its balances, what is set aside of them, and its debt, all of one currency.
    /// Outside there is money of any.
    pub(crate) const fn is_of_account(&self) -> bool {
        matches!(self, Self::Available(_) | Self::Held(_) | Self::External(External::Debt))
    }

    /// Reads the form that [`fmt::Display`] writes.
    ///
    /// # Errors
    /// [`InvalidId`] for any other text.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        const RULE: InvalidId = InvalidId { rule: "a place, such as 'wallet' or 'product:sms'" };
        let mut parts = text.split(':');
        let (target, held) = match (parts.next(), parts.next(), parts.next()) {
            (Some("wallet"), held, None) => (Target::Wallet, held),
            (Some("product"), Some(code), held) => {
                (Target::Product(ProductCode::parse(code).map_err(|_| RULE)?), held)
            }
            (Some("external"), Some(name), None) => {
                let external = External::ALL.into_iter().find(|external| external.name() == name);
                return external.map(Self::External).ok_or(RULE);
            }
            _ => return Err(RULE),
        };
        match (held, parts.next()) {
            (None, None) => Ok(Self::Available(target)),
            (Some("held"), None) => Ok(Self::Held(target)),
            _ => Err(RULE),
        }
    }
}

impl External {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Adjustment, Self::Bank, Self::Card, Self::Debt, Self::Fx, Self::Usage];

    /// The name that is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Adjustment => "adjustment",
            Self::Bank => "bank",
            Self::Card => "card",
            Self::Debt => "debt",
            Self::Fx => "fx",
            Self::Usage => "usage",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wallet => formatter.write_str("wallet"),
            Self::Product(code) => write!(formatter, "product:{code}"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Available(target) => write!(formatter, "{target}"),
            Self::Held(target) => write!(formatter, "{target}:held"),
            Self::External(external) => write!(formatter, "external:{}", external.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_as_they_are_written() {
        for text in [
            "wallet",
            "wallet:held",
            "product:sms",
            "product:sms:held",
            "external:adjustment",
            "external:bank",
            "external:card",
            "external:debt",
            "external:fx",
            "external:usage",
        ] {
            assert_eq!(Place::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "Wallet",
            "wallet:",
            "wallet:x",
            "product",
            "product:",
            "product:sms:x",
            "product:sms:held:x",
            "external",
            "external:moon",
            "external:card:held",
            "wallet:held:x",
        ] {
            assert!(Place::parse(text).is_err(), "{text:?}");
        }
    }
}
