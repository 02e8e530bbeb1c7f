//! The card form of the payment page and Stripe's test cards.

use serde::Deserialize;
use time::OffsetDateTime;

use super::objects::{Decline, Payer, new_id};
use super::sessions::is_email;

const DECIMAL: u32 = 10;

/// What the payer typed, or chose in the confirmation step. It holds a card number: it is neither
/// stored nor shown in a log.
#[derive(Clone, Default, Deserialize)]
pub(super) struct CardForm {
    #[serde(default)]
    pub(super) email: String,
    #[serde(default)]
    pub(super) card_number: String,
    #[serde(default)]
    pub(super) expiry: String,
    #[serde(default)]
    pub(super) cvc: String,
    pub(super) confirmation: Option<Confirmation>,
}

impl CardForm {
    /// What a payer types whose card is good.
    pub(super) fn good() -> Self {
        Self {
            email: "payer@example.com".to_owned(),
            card_number: "4242424242424242".to_owned(),
            expiry: "12/34".to_owned(),
            cvc: "123".to_owned(),
            confirmation: None,
        }
    }
}

/// A form without mistakes.
pub(super) struct Submission {
    pub(super) payer: Payer,
    pub(super) card: TestCard,
}

/// What Stripe's test cards do.
#[derive(Clone, Copy)]
pub(super) enum TestCard {
    Pays,
    Declined(Decline),
    AsksForConfirmation,
}

/// A mistake in the form: nothing is attempted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    Email,
    CardNumber,
    Expiry,
    Expired,
    SecurityCode,
}

impl Mistake {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Email => "email_invalid",
            Self::CardNumber => "incorrect_number",
            Self::Expiry => "invalid_expiry",
            Self::Expired => "expired_card",
            Self::SecurityCode => "invalid_cvc",
        }
    }

    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Email => "Your email address is incomplete.",
            Self::CardNumber => "Your card number is incorrect.",
            Self::Expiry => "Your card's expiration date is incomplete.",
            Self::Expired => "Your card has expired.",
            Self::SecurityCode => "Your card's security code is invalid.",
        }
    }
}

/// The payer's answer to the confirmation step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Confirmation {
    Complete,
    Fail,
}

/// Checks the form; `now` is in seconds.
pub(super) fn read(form: &CardForm, now: i64) -> Result<Submission, Mistake> {
    let email = form.email.trim();
    if !is_email(email) {
        return Err(Mistake::Email);
    }
    let number: String = form.card_number.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let card = match number.as_str() {
        "4242424242424242" => TestCard::Pays,
        "4000000000000002" => TestCard::Declined(Decline::Generic),
        "4000000000009995" => TestCard::Declined(Decline::InsufficientFunds),
        "4000002500003155" => TestCard::AsksForConfirmation,
        _ => return Err(Mistake::CardNumber),
    };
    let (exp_month, exp_year) = read_expiry(&form.expiry).ok_or(Mistake::Expiry)?;
    let today = OffsetDateTime::from_unix_timestamp(now).map_err(|_| Mistake::Expiry)?;
    if (exp_year, exp_month) < (today.year(), u8::from(today.month())) {
        return Err(Mistake::Expired);
    }
    let cvc = form.cvc.trim();
    if cvc.len() != 3 || !cvc.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Mistake::SecurityCode);
    }
    let last4 = number.get(12..).unwrap_or_default().to_owned();
    let payment_method = new_id("pm_1", 23);
    let payer = Payer { payment_method, email: email.to_owned(), last4, exp_month, exp_year };
    Ok(Submission { payer, card })
}

/// Month and year of `12/34`, `12 / 2034` or `1234`.
fn read_expiry(text: &str) -> Option<(u8, i32)> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '/' | '-')).collect();
    let (month, year) = digits.split_at_checked(2)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let month = u8::from_str_radix(month, DECIMAL).ok().filter(|month| (1..=12).contains(month))?;
    let short = year.len() == 2;
    let year = i32::from_str_radix(year, DECIMAL).ok().filter(|_| short || year.len() == 4)?;
    Some((month, if short { year.checked_add(2000)? } else { year }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOVEMBER_2026: i64 = 1_794_000_000;

    fn form(card_number: &str, expiry: &str, cvc: &str) -> CardForm {
        CardForm {
            email: "payer@example.com".into(),
            card_number: card_number.into(),
            expiry: expiry.into(),
            cvc: cvc.into(),
            confirmation: None,
        }
    }

    fn mistake(form: &CardForm) -> Option<Mistake> {
        read(form, NOVEMBER_2026).err()
    }

    #[test]
    fn mistakes_in_the_form_are_found_before_an_attempt() {
        let good = "4242 4242 4242 4242";
        assert_eq!(mistake(&form(good, "11/26", "123")), None);
        assert_eq!(mistake(&form(good, "12 / 2034", "123")), None);
        assert_eq!(mistake(&form("4242424242424241", "12/34", "123")), Some(Mistake::CardNumber));
        assert_eq!(mistake(&form(good, "10/26", "123")), Some(Mistake::Expired));
        assert_eq!(mistake(&form(good, "13/34", "123")), Some(Mistake::Expiry));
        assert_eq!(mistake(&form(good, "é/34", "123")), Some(Mistake::Expiry));
        assert_eq!(mistake(&form(good, "12/34", "12")), Some(Mistake::SecurityCode));
        let nobody = CardForm { email: "nobody".into(), ..form(good, "12/34", "123") };
        assert_eq!(mistake(&nobody), Some(Mistake::Email));
    }

    #[test]
    fn only_the_last_four_digits_are_kept() {
        let submission = read(&form("4000002500003155", "12/34", "123"), NOVEMBER_2026);
        let kept = submission.map(|kept| (kept.payer.last4, kept.payer.exp_month));
        assert_eq!(kept.ok(), Some(("3155".to_owned(), 12)));
    }
}
