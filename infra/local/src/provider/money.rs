//! Amounts as Stripe counts them: integers in the currency's smallest unit.

use super::failure::Failure;

/// Stripe takes at most eight digits.
const MAXIMUM: i64 = 99_999_999;

const CURRENCIES: &str = "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd \
    bnd bob brl bsd bwp byn bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur \
    fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr \
    kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn \
    nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek \
    sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf \
    xcd xof xpf yer zar zmw";
const ZERO_DECIMAL: &str = "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf";
const THREE_DECIMAL: &str = "bhd jod kwd omr tnd";

pub(super) fn is_currency(code: &str) -> bool {
    contains(CURRENCIES, code)
}

/// Refuses what Stripe would not charge.
pub(super) fn check_amount(amount: i64, currency: &str) -> Result<(), Failure> {
    if amount > MAXIMUM {
        let limit = display(MAXIMUM, currency);
        let message =
            format!("The Checkout Session's total amount due must be no more than {limit}.");
        return Err(Failure::invalid(message).code("amount_too_large"));
    }
    let least = minimum(currency);
    if amount < least {
        let limit = display(least, currency);
        let message = format!("The Checkout Session's total amount must be at least {limit}.");
        return Err(Failure::invalid(message).code("amount_too_small"));
    }
    Ok(())
}

/// Stripe's price of a card payment: 2.9 % and 30 of the smallest unit, rounded half up.
pub(super) fn fee(amount: i64) -> i64 {
    let thousandths = amount.saturating_mul(29).saturating_add(500);
    (thousandths / 1000).saturating_add(30)
}

/// The amount for people: `USD 100.00`.
pub(super) fn display(amount: i64, currency: &str) -> String {
    format!("{} {}", currency.to_uppercase(), digits(amount, currency))
}

/// The amount as Stripe's refusals write it: `$100.00`.
pub(super) fn with_sign(amount: i64, currency: &str) -> String {
    let sign = match currency {
        "usd" => "$",
        "eur" => "€",
        "gbp" => "£",
        "jpy" => "¥",
        _ => return display(amount, currency),
    };
    format!("{sign}{}", digits(amount, currency))
}

fn digits(amount: i64, currency: &str) -> String {
    let (unit, digits) = match currency {
        zero if contains(ZERO_DECIMAL, zero) => return amount.to_string(),
        three if contains(THREE_DECIMAL, three) => (1000_u64, 3),
        _ => (100_u64, 2),
    };
    let minor = amount.unsigned_abs();
    let whole = minor.checked_div(unit).unwrap_or_default();
    let rest = minor.checked_rem(unit).unwrap_or_default();
    format!("{whole}.{rest:0digits$}")
}

fn contains(codes: &str, code: &str) -> bool {
    codes.split_ascii_whitespace().any(|known| known == code)
}

/// Stripe's published minimums; where there is none, about what 0.50 USD is.
fn minimum(currency: &str) -> i64 {
    match currency {
        "gbp" => 30,
        "aed" | "myr" | "pln" | "ron" => 200,
        "bgn" => 100,
        "cop" => 200_000,
        "czk" => 1500,
        "dkk" => 250,
        "hkd" | "cny" => 400,
        "huf" => 17_500,
        "mxn" | "thb" => 1000,
        "nok" | "sek" => 300,
        "krw" => 700,
        "vnd" => 13_000,
        "bhd" | "jod" | "kwd" | "omr" => 150,
        "tnd" => 1500,
        _ => 50,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fee_is_rounded_half_up() {
        assert_eq!(fee(10_000), 320);
        assert_eq!(fee(1050), 60, "30.45 is rounded down, and 30");
        assert_eq!(fee(500), 45, "14.5 is rounded up, and 30");
    }

    #[test]
    fn amounts_are_shown_with_the_currencys_digits() {
        assert_eq!(display(123_405, "usd"), "USD 1234.05");
        assert_eq!(display(500, "jpy"), "JPY 500");
        assert_eq!(display(5005, "kwd"), "KWD 5.005");
        assert_eq!(with_sign(123_405, "usd"), "$1234.05");
        assert_eq!(with_sign(500, "jpy"), "¥500");
        assert_eq!(with_sign(5005, "kwd"), "KWD 5.005");
    }

    #[test]
    fn limits_are_stripes() {
        assert!(check_amount(50, "usd").is_ok());
        assert!(check_amount(49, "usd").is_err());
        assert!(check_amount(99_999_999, "usd").is_ok());
        assert!(check_amount(100_000_000, "usd").is_err());
        assert!(is_currency("kwd") && !is_currency("xyz"));
    }
}
