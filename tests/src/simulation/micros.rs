//! Money as the auditor counts it: whole millionths, so that nothing is ever rounded.
//!
//! Written without the product's code, so that the two can disagree.

/// An amount in millionths of the currency.
pub type Micros = i128;

const DECIMALS: usize = 6;
const ONE: Micros = 1_000_000;

/// Reads a decimal text with at most six decimals; `None` for anything else.
#[must_use]
pub fn parse(text: &str) -> Option<Micros> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > DECIMALS || !all(whole) || !all(fraction) {
        return None;
    }
    let padded = format!("{whole}{fraction:0<DECIMALS$}");
    Some(sign * Micros::from_str_radix(&padded, 10).ok()?)
}

/// The amount of so many cents.
#[must_use]
pub const fn from_cents(cents: u64) -> Micros {
    cents as Micros * (ONE / 100)
}

/// The text without trailing zeros.
#[must_use]
pub fn normal(amount: Micros) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let digits = amount.unsigned_abs();
    let (whole, fraction) = (digits / ONE.unsigned_abs(), digits % ONE.unsigned_abs());
    let fraction = format!("{fraction:0DECIMALS$}");
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

/// The text with two decimals, as clients write dollars.
#[must_use]
pub fn dollars(amount: Micros) -> String {
    let cents = amount / (ONE / 100);
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// The text as it is shown: every decimal that there is, and at least two.
#[must_use]
pub fn shown(amount: Micros) -> String {
    let normal = normal(amount);
    match normal.split_once('.').map_or(0, |(_, fraction)| fraction.len()) {
        0 => format!("{normal}.00"),
        1 => format!("{normal}0"),
        _ => normal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_they_are_written() {
        for (text, amount, shown) in [
            ("0", 0, "0"),
            ("10.00", 10_000_000, "10"),
            ("-0.05", -50_000, "-0.05"),
            ("1234.000001", 1_234_000_001, "1234.000001"),
        ] {
            assert_eq!(parse(text), Some(amount), "{text}");
            assert_eq!(normal(amount), shown);
        }
        for text in ["", "-", ".5", "1.0000001", "1e3", "+1", " 1", "1,0"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
        assert_eq!(dollars(from_cents(1_005)), "10.05");
    }
}
