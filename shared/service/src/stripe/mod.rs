//! Stripe: the only code that knows the payment provider's words.
//!
//! [`event`] reads what Stripe sends; [`signature`] proves that Stripe sent it. Only functions that
//! *call* Stripe link its client (`client`, behind the feature `stripe`).

pub mod event;
pub mod signature;

#[cfg(feature = "stripe")]
mod client;
#[cfg(feature = "stripe")]
mod movements;
#[cfg(feature = "stripe")]
mod refunds;

use ledger::Money;

#[cfg(feature = "stripe")]
pub use client::{CallFailed, Closed, Https, PageState, Stripe, StripeSettings, Wire};
#[cfg(feature = "stripe")]
pub use movements::{Movement, Movements};
#[cfg(feature = "stripe")]
pub use refunds::Refunded;

/// The largest charge: eight digits of the smallest coin
/// (<https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts>).
const MAX_MINOR_UNITS: i64 = 99_999_999;

/// Whether Stripe can charge exactly this: a whole number of the smallest coin, of at most eight
/// digits, and in currencies of three decimals a multiple of ten of them
/// (<https://docs.stripe.com/currencies#three-decimal>).
#[must_use]
pub fn is_chargeable(money: Money) -> bool {
    let Money { amount, currency } = money;
    let step = if currency.decimals() == 3 { 10 } else { 1 };
    let whole = |units: i64| units <= MAX_MINOR_UNITS && units.checked_rem(step) == Some(0);
    amount.to_minor_units(currency).is_some_and(whole)
}

#[cfg(test)]
mod tests {
    use ledger::Currency;

    use super::*;

    #[test]
    fn what_a_card_can_be_charged() {
        for (amount, code, chargeable) in [
            ("10.00", "USD", true),
            ("999999.99", "USD", true),
            ("1000000.00", "USD", false),
            ("500", "JPY", true),
            ("5.120", "KWD", true),
            ("5.124", "KWD", false),
        ] {
            let money = Money::parse(amount, Currency::parse(code).unwrap()).unwrap();
            assert_eq!(is_chargeable(money), chargeable, "{amount} {code}");
        }
    }
}
