//! Rates between currencies, fixed in an order when it is made.

use std::fmt;

use rust_decimal::Decimal;

use crate::money::parse_plain;
use crate::{Amount, Currency, Money, MoneyError, Refusal};

/// Decimals that a rate can have.
pub const MAX_RATE_DECIMALS: u32 = 8;

/// The largest rate; no pair of the known currencies comes near it.
pub const MAX_RATE: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// A rate is shown with at least so many decimals, as banks write them (`7.2000`).
const SHOWN_DECIMALS: u32 = 4;

/// A rate that is more than one part in so many away from the one before is far from it.
const PARTS: Decimal = Decimal::from_parts(5, 0, 0, false, 0);

/// How many units of the paid currency one unit of the account's currency costs: 7.2000 for
/// `CNY-USD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(Decimal);

impl Rate {
    /// Reads plain digits with an optional fraction.
    ///
    /// # Errors
    /// Anything else, zero, more than [`MAX_RATE_DECIMALS`] decimals, or more than [`MAX_RATE`].
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let value = parse_plain(text, MAX_RATE_DECIMALS)?;
        match value {
            value if value.is_zero() => Err(MoneyError::NotPositive),
            value if value > MAX_RATE => Err(MoneyError::TooLarge),
            value => Ok(Self(value.normalize())),
        }
    }

    /// What `paid` is in `currency`: `paid / rate`, rounded once, half to even, to the smallest
    /// coin.
    ///
    /// Whole numbers are divided and the remainder decides, because a quotient that was rounded to
    /// 28 digits first could look like an exact half.
    ///
    /// # Errors
    /// [`MoneyError::NotPositive`] for what is less than half of the smallest coin;
    /// [`MoneyError::TooLarge`].
    pub fn convert(self, paid: Money, currency: Currency) -> Result<Money, MoneyError> {
        let power = |exponent: u32| 10_i128.checked_pow(exponent).ok_or(MoneyError::TooLarge);
        let times = |one: i128, other: i128| one.checked_mul(other).ok_or(MoneyError::TooLarge);
        let amount = paid.amount.decimal();
        // coins = amount * 10^decimals / rate, both sides as whole numbers.
        let scale = currency.decimals().saturating_add(self.0.scale());
        let numerator = times(amount.mantissa(), power(scale)?)?;
        let denominator = times(self.0.mantissa(), power(amount.scale())?)?;
        let coins = divide_half_to_even(numerator, denominator).ok_or(MoneyError::TooLarge)?;
        let coins = u64::try_from(coins).map_err(|_| MoneyError::TooLarge)?;
        Ok(Money { amount: Amount::from_minor_units(coins, currency)?, currency })
    }

    /// Holds a rate to the one that somebody was shown, if they say which that was.
    ///
    /// # Errors
    /// [`Refusal::RateChanged`] if it is another one.
    pub fn must_be(self, shown: Option<Self>) -> Result<(), Refusal> {
        match shown {
            Some(shown) if shown != self => Err(Refusal::RateChanged { rate: self }),
            _ => Ok(()),
        }
    }

    /// Whether it is more than a fifth away from the rate before it: rates move, and a point in the wrong place moves
    /// them further.
    #[must_use]
    pub fn is_far_from(self, before: Self) -> bool {
        let apart = self.0.saturating_sub(before.0).abs();
        apart.saturating_mul(PARTS) > before.0
    }

    /// What `worth` costs in the paid currency, the way back: `worth * rate`, rounded once, half to
    /// even, to the smallest coin.
    ///
    /// # Errors
    /// As [`Rate::convert`].
    pub fn convert_back(self, worth: Money, currency: Currency) -> Result<Money, MoneyError> {
        let power = |exponent: u32| 10_i128.checked_pow(exponent).ok_or(MoneyError::TooLarge);
        let amount = worth.amount.decimal();
        let product = amount.mantissa().checked_mul(self.0.mantissa());
        let numerator =
            product.and_then(|product| product.checked_mul(power(currency.decimals()).ok()?));
        let denominator = power(amount.scale().saturating_add(self.0.scale()))?;
        let coins = numerator.and_then(|numerator| divide_half_to_even(numerator, denominator));
        let coins =
            coins.and_then(|coins| u64::try_from(coins).ok()).ok_or(MoneyError::TooLarge)?;
        Ok(Money { amount: Amount::from_minor_units(coins, currency)?, currency })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0;
        if shown.scale() < SHOWN_DECIMALS {
            shown.rescale(SHOWN_DECIMALS);
        }
        shown.fmt(formatter)
    }
}

/// `numerator / denominator` of two numbers above zero.
fn divide_half_to_even(numerator: i128, denominator: i128) -> Option<i128> {
    let quotient = numerator.checked_div(denominator)?;
    let rest = numerator.checked_rem(denominator)?;
    let up = match rest.checked_mul(2)?.cmp(&denominator) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient.checked_rem(2)? == 1,
        std::cmp::Ordering::Greater => true,
    };
    quotient.checked_add(i128::from(up))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(paid: &str, from: &str, rate: &str, to: &str, expected: Result<&str, MoneyError>) {
        let currency = |code| Currency::parse(code).unwrap();
        let paid_money = Money::parse(paid, currency(from)).unwrap();
        let converted = Rate::parse(rate).unwrap().convert(paid_money, currency(to));
        let shown = converted.map(|money| money.to_string());
        assert_eq!(shown, expected.map(str::to_owned), "{paid} {from} at {rate}");
    }

    #[test]
    fn money_is_converted_exactly_and_rounded_once_half_to_even() {
        check("720.00", "CNY", "7.2000", "USD", Ok("100.00"));
        check("500.00", "CNY", "7.2", "USD", Ok("69.44"));
        // Exactly half a cent: to the even neighbour.
        check("0.01", "CNY", "2", "USD", Err(MoneyError::NotPositive));
        check("0.03", "CNY", "2", "USD", Ok("0.02"));
        check("0.05", "CNY", "2", "USD", Ok("0.02"));
        // A little more or less than half a cent.
        check("999999999999.99", "CNY", "1.99999999", "USD", Ok("500000002500.00"));
        check("1000000000000", "JPY", "150.12345678", "USD", Ok("6661184210.98"));
        check("100", "USD", "0.00667", "JPY", Ok("14993"));
        check("10.00", "USD", "3.2523", "KWD", Ok("3.075"));
        check("1000000000000", "USD", "0.00000001", "JPY", Err(MoneyError::TooLarge));
        check("0.01", "USD", "1000000000", "JPY", Err(MoneyError::NotPositive));
    }

    #[test]
    fn money_goes_back_by_the_same_rate() {
        for (worth, from, rate, to, expected) in [
            ("100.00", "USD", "7.2000", "CNY", Ok("720.00")),
            ("69.44", "USD", "7.2", "CNY", Ok("499.97")),
            ("0.01", "USD", "0.5", "KWD", Ok("0.005")),
            // Exactly half a coin: to the even neighbour.
            ("0.01", "USD", "0.5", "EUR", Err(MoneyError::NotPositive)),
            ("0.03", "USD", "0.5", "EUR", Ok("0.02")),
            ("1000000000000", "USD", "1000000000", "JPY", Err(MoneyError::TooLarge)),
        ] {
            let currency = |code| Currency::parse(code).unwrap();
            let money = Money::parse(worth, currency(from)).unwrap();
            let back = Rate::parse(rate).unwrap().convert_back(money, currency(to));
            assert_eq!(back.map(|money| money.to_string()), expected.map(str::to_owned), "{worth}");
        }
    }

    #[test]
    fn a_rate_reads_as_it_is_written() {
        for (text, shown) in
            [("7.2000", "7.2000"), ("7", "7.0000"), ("0.00667", "0.00667"), ("7.12345", "7.12345")]
        {
            assert_eq!(Rate::parse(text).unwrap().to_string(), shown);
        }
        for text in ["", "0", "0.0000", "-1", "1e3", "7,2", " 7", "1.123456789", "1000000001"] {
            assert!(Rate::parse(text).is_err(), "{text:?}");
        }
    }
}
