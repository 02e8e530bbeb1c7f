//! Currencies and how many decimals each of them has.

use std::fmt;

use crate::MoneyError;

/// A currency that Topup can hold money in, with the decimals that its smallest coin has.
///
/// The codes are ISO 4217. The decimals are those by which Stripe counts
/// (<https://docs.stripe.com/currencies#zero-decimal>), because card money crosses that border;
/// they differ from ISO 4217 for `MGA`. A code that is not listed is refused, never guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: &'static str,
    decimals: u32,
}

/// Codes by their number of decimals. `ISK` and `UGX` are left out: Stripe takes both with two
/// decimals that must be zero, which no single number of decimals describes.
const KNOWN: &[(u32, &[&str])] = &[
    (
        0,
        &[
            "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV",
            "XAF", "XOF", "XPF",
        ],
    ),
    (
        2,
        &[
            "AED", "ARS", "AUD", "BDT", "BRL", "CAD", "CHF", "CNY", "COP", "CZK", "DKK", "EGP",
            "EUR", "GBP", "GEL", "GHS", "HKD", "HUF", "IDR", "ILS", "INR", "KES", "KZT", "LKR",
            "MAD", "MXN", "MYR", "NGN", "NOK", "NZD", "PEN", "PHP", "PKR", "PLN", "QAR", "RON",
            "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "TZS", "UAH", "USD", "UYU", "UZS", "ZAR",
        ],
    ),
    (3, &["BHD", "JOD", "KWD", "OMR", "TND"]),
];

impl Currency {
    /// United States dollar, the currency of an account unless its operator says otherwise.
    pub const USD: Self = Self { code: "USD", decimals: 2 };

    /// The currency of an upper-case ISO 4217 code.
    ///
    /// # Errors
    /// [`MoneyError::UnknownCurrency`] for any other text.
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        KNOWN
            .iter()
            .find_map(|(decimals, codes)| {
                let code = codes.iter().find(|known| **known == code)?;
                Some(Self { code, decimals: *decimals })
            })
            .ok_or(MoneyError::UnknownCurrency)
    }

    /// The ISO 4217 code, three upper-case letters.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.code
    }

    /// Decimals of the smallest coin: 2 for the cent of a dollar, 0 for the yen.
    #[must_use]
    pub const fn decimals(self) -> u32 {
        self.decimals
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_follow_the_smallest_coin() {
        for (code, decimals) in [("JPY", 0), ("USD", 2), ("CNY", 2), ("KWD", 3)] {
            assert_eq!(Currency::parse(code).map(Currency::decimals), Ok(decimals), "{code}");
        }
    }

    #[test]
    fn what_is_not_listed_is_refused() {
        for code in ["", "usd", "US", "USDT", "XXX", "ISK", " USD"] {
            assert_eq!(Currency::parse(code), Err(MoneyError::UnknownCurrency), "{code:?}");
        }
    }

    #[test]
    fn no_code_is_listed_twice() {
        let mut codes: Vec<_> = KNOWN.iter().flat_map(|(_, codes)| codes.iter()).collect();
        let listed = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), listed);
    }
}
