//! Exact amounts of money.
//!
//! Two newtypes, each with one fallible constructor: [`Amount`] is more than zero, [`Balance`] is
//! zero or more. Both are exact decimals with at most [`MAX_DECIMALS`] decimals. The maxima keep
//! every sum far inside the 28 digits that a `Decimal` holds exactly, so that no addition rounds.

use std::fmt;

use rust_decimal::Decimal;
use thiserror::Error;

use crate::Currency;

/// The decimals that balances and journal lines can carry: message prices are fractions of a cent.
pub const MAX_DECIMALS: u32 = 6;

/// The largest single amount: one million million units of its currency.
pub const MAX_AMOUNT: Decimal = Decimal::from_parts(0xD4A5_1000, 0xE8, 0, false, 0);

/// The largest balance: a thousand times [`MAX_AMOUNT`].
pub const MAX_BALANCE: Decimal = Decimal::from_parts(0xA4C6_8000, 0x3_8D7E, 0, false, 0);

/// Longest text that can be an amount; anything longer is refused unread.
const MAX_TEXT: usize = 32;

/// Why a text or number is not money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Not plain decimal digits with an optional fraction.
    #[error("must be a decimal number in digits, such as \"100.00\"")]
    Malformed,
    /// Zero or less where money must move.
    #[error("must be more than zero")]
    NotPositive,
    /// Less than zero where a balance is kept.
    #[error("must not be negative")]
    Negative,
    /// More decimals than the currency or the place allows.
    #[error("must have at most {allowed} decimals")]
    TooManyDecimals {
        /// How many are allowed.
        allowed: u32,
    },
    /// Above [`MAX_AMOUNT`] or [`MAX_BALANCE`].
    #[error("is larger than this service can hold")]
    TooLarge,
    /// A currency code that is not known.
    #[error("must be the upper-case ISO 4217 code of a supported currency")]
    UnknownCurrency,
}

/// An amount of money that moves: more than zero, at most [`MAX_AMOUNT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(Decimal);

/// An amount of money that sits somewhere: zero or more, at most [`MAX_BALANCE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Balance(Decimal);

/// An amount and its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// How much.
    pub amount: Amount,
    /// Of what.
    pub currency: Currency,
}

impl Amount {
    /// Checks and normalises (no trailing zeros) a decimal.
    ///
    /// # Errors
    /// Not more than zero, above [`MAX_AMOUNT`], or more than [`MAX_DECIMALS`] decimals.
    pub fn new(value: Decimal) -> Result<Self, MoneyError> {
        if value <= Decimal::ZERO {
            return Err(MoneyError::NotPositive);
        }
        checked(value, MAX_AMOUNT).map(Self)
    }

    /// Reads what a client wrote: digits with an optional fraction of at most `decimals` digits.
    /// No sign, exponent, blank, separator or leading zero.
    ///
    /// # Errors
    /// Any text that is not exactly that, and any value that [`Amount::new`] refuses.
    pub fn parse(text: &str, decimals: u32) -> Result<Self, MoneyError> {
        Self::new(parse_plain(text, decimals)?)
    }

    /// Money that crosses the border, in the smallest coin of its currency (`10000` is USD 100).
    ///
    /// # Errors
    /// Zero, or more than [`MAX_AMOUNT`].
    pub fn from_minor_units(units: u64, currency: Currency) -> Result<Self, MoneyError> {
        let units = i64::try_from(units).map_err(|_| MoneyError::TooLarge)?;
        Self::new(Decimal::new(units, currency.decimals()))
    }

    /// The amount in the smallest coin of `currency`; `None` if it is not a whole number of them.
    #[must_use]
    pub fn to_minor_units(self, currency: Currency) -> Option<i64> {
        let mut value = self.0;
        value.rescale(currency.decimals());
        (value == self.0).then_some(value.mantissa())?.try_into().ok()
    }

    /// The exact decimal.
    #[must_use]
    pub const fn decimal(self) -> Decimal {
        self.0
    }
}

impl Balance {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Checks and normalises a decimal.
    ///
    /// # Errors
    /// Below zero, above [`MAX_BALANCE`], or more than [`MAX_DECIMALS`] decimals.
    pub fn new(value: Decimal) -> Result<Self, MoneyError> {
        if value < Decimal::ZERO {
            return Err(MoneyError::Negative);
        }
        checked(value, MAX_BALANCE).map(Self)
    }

    /// Reads what this service wrote.
    ///
    /// # Errors
    /// As [`Amount::parse`], but zero is allowed.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        Self::new(parse_plain(text, MAX_DECIMALS)?)
    }

    /// The exact decimal.
    #[must_use]
    pub const fn decimal(self) -> Decimal {
        self.0
    }
}

impl From<Amount> for Balance {
    fn from(amount: Amount) -> Self {
        Self(amount.0)
    }
}

impl Money {
    /// Reads an amount that crosses the border: at most the decimals of its currency.
    ///
    /// # Errors
    /// As [`Amount::parse`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        Amount::parse(text, currency.decimals()).map(|amount| Self { amount, currency })
    }

    /// What is left of it without so much of the same currency; `None` if nothing is.
    #[must_use]
    pub fn less(self, other: Self) -> Option<Self> {
        let left = self.amount.decimal().saturating_sub(other.amount.decimal());
        let amount = Amount::new(left).ok().filter(|_| self.currency == other.currency)?;
        Some(Self { amount, ..self })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&format_money(self.amount.0, self.currency))
    }
}

/// A decimal as clients see it: at least the digits of its currency, and every digit there is.
#[must_use]
pub(crate) fn format_money(value: Decimal, currency: Currency) -> String {
    let mut value = value.normalize();
    if value.scale() < currency.decimals() {
        value.rescale(currency.decimals());
    }
    value.to_string()
}

impl Balance {
    /// The text that clients see: at least the decimals of the currency (`"100.00"`).
    #[must_use]
    pub fn format(self, currency: Currency) -> String {
        format_money(self.0, currency)
    }
}

fn checked(value: Decimal, maximum: Decimal) -> Result<Decimal, MoneyError> {
    if value > maximum {
        return Err(MoneyError::TooLarge);
    }
    let value = value.normalize();
    if value.scale() > MAX_DECIMALS {
        return Err(MoneyError::TooManyDecimals { allowed: MAX_DECIMALS });
    }
    Ok(value)
}

pub(crate) fn parse_plain(text: &str, decimals: u32) -> Result<Decimal, MoneyError> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if !digits(whole) || leading_zero || fraction.is_some_and(|fraction| !digits(fraction)) {
        return Err(MoneyError::Malformed);
    }
    if fraction.is_some_and(|fraction| fraction.len() > decimals as usize) {
        return Err(MoneyError::TooManyDecimals { allowed: decimals });
    }
    if text.len() > MAX_TEXT {
        return Err(MoneyError::TooLarge);
    }
    Decimal::from_str_exact(text).map_err(|_| MoneyError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, MoneyError>) {
        let parsed = Money::parse(text, Currency::USD).map(|money| money.to_string());
        assert_eq!(parsed, expected.map(str::to_owned), "{text:?}");
    }

    #[test]
    fn the_maxima_are_what_their_names_say() {
        assert_eq!(MAX_AMOUNT, Decimal::from(1_000_000_000_000_u64));
        assert_eq!(MAX_BALANCE, Decimal::from(1_000_000_000_000_000_u64));
    }

    #[test]
    fn what_a_client_writes() {
        check("100", Ok("100.00"));
        check("100.5", Ok("100.50"));
        check("0.01", Ok("0.01"));
        check("1000000000000", Ok("1000000000000.00"));
        for malformed in [
            "", " 1", "1 ", "+1", "-1", "1e3", "NaN", "inf", ".5", "5.", "1,000", "0x10", "01",
            "1.2.3", "١٢", "null",
        ] {
            check(malformed, Err(MoneyError::Malformed));
        }
        check("0", Err(MoneyError::NotPositive));
        check("0.00", Err(MoneyError::NotPositive));
        check("1.001", Err(MoneyError::TooManyDecimals { allowed: 2 }));
        check("1000000000000.01", Err(MoneyError::TooLarge));
        check("123456789012345678901234567890", Err(MoneyError::TooLarge));
        check(&"9".repeat(10_000), Err(MoneyError::TooLarge));
    }

    #[test]
    fn the_smallest_coin() {
        for (text, code, units) in
            [("100.00", "USD", 10_000), ("500", "JPY", 500), ("1.5", "KWD", 1_500)]
        {
            let currency = Currency::parse(code).unwrap();
            let amount = Money::parse(text, currency).unwrap().amount;
            assert_eq!(amount.to_minor_units(currency), Some(units), "{text} {code}");
            assert_eq!(Amount::from_minor_units(units.unsigned_abs(), currency), Ok(amount));
        }
        assert_eq!(Amount::parse("0.005", 6).unwrap().to_minor_units(Currency::USD), None);
    }
}
