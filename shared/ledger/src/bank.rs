//! Bank transfers as the outside knows them: where they arrive, and by which reference a bank tells
//! one from all others.

use std::fmt;
use std::ops::RangeInclusive;

use unicode_normalization::UnicodeNormalization;

use crate::{Currency, Day, InvalidId, Money, PaymentId, Rate, derive_id};

/// Longest bank reference; ISO 20022 has 35 characters, other banks more.
const MAX_REFERENCE: usize = 70;
/// The Latin letters beside those of ASCII that banks of Europe write (Latin-1 Supplement and Latin Extended-A).
const LATIN_LETTERS: RangeInclusive<char> = 'À'..='ſ';
/// Longest account number; an IBAN has at most 34 characters.
const MAX_NUMBER: usize = 40;

/// The reference that a bank gave to one transfer, as somebody wrote it down.
///
/// Two of them are the same transfer if they are the same text once compatible characters are
/// unified (Unicode NFKC), letters are capitals and blanks are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankReference {
    written: String,
    compared: String,
}

/// One bank account of the platform: its currency and its number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReceivingAccount {
    currency: Currency,
    number: String,
}

/// A transfer that arrived, as whoever looked at the bank account says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedTransfer {
    /// How much of what arrived.
    pub money: Money,
    /// The bank's reference of it.
    pub bank_reference: BankReference,
    /// Where it arrived.
    pub receiving_account: ReceivingAccount,
    /// When the bank booked it.
    pub received_on: Day,
    /// The rate of the day from its currency to the account's, for money that the order has no
    /// rate of its own for.
    pub rate: Option<Rate>,
    /// Whether the person saw and accepts that it is not what was ordered.
    pub difference_confirmed: bool,
}

impl BankReference {
    /// Checks a reference.
    ///
    /// # Errors
    /// [`InvalidId`] unless it is 1 to 70 Latin letters, digits and ASCII punctuation, with or without
    /// blanks. Of other scripts some letters look like these, and some like nothing: they would make two
    /// references out of one, and whoever compares them with the bank's sees no difference.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        const RULE: InvalidId = InvalidId {
            rule: "1 to 70 Latin letters, digits and punctuation, as the bank shows it",
        };
        let written = text.trim();
        if written.chars().count() > MAX_REFERENCE {
            return Err(RULE);
        }
        let unified = written.nfkc().filter(|character| *character != ' ').collect::<String>();
        let visible = |character: char| {
            character.is_ascii_graphic()
                || character.is_alphabetic() && LATIN_LETTERS.contains(&character)
        };
        if unified.is_empty() || !unified.chars().all(visible) {
            return Err(RULE);
        }
        let compared = unified.to_uppercase().nfkc().collect();
        Ok(Self { written: written.to_owned(), compared })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The form by which two are compared.
    #[must_use]
    pub fn compared(&self) -> &str {
        &self.compared
    }

    /// Whether both are the same transfer, if they arrived at the same account.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.compared == other.compared
    }
}

impl fmt::Display for BankReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.written)
    }
}

impl ReceivingAccount {
    /// The account of that number, which people write with and without blanks and hyphens.
    ///
    /// # Errors
    /// [`InvalidId`] unless there are 4 to 40 letters and digits.
    pub fn new(currency: Currency, number: &str) -> Result<Self, InvalidId> {
        let plain = number.chars().filter(|character| !" -.".contains(*character));
        let number: String = plain.collect::<String>().to_ascii_uppercase();
        let valid = (4..=MAX_NUMBER).contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let rule = "4 to 40 letters and digits, with or without blanks and hyphens";
        valid.then_some(Self { currency, number }).ok_or(InvalidId { rule })
    }

    /// What money arrives there.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The number, letters and digits only.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.number
    }
}

impl ReceivedTransfer {
    /// The id of this payment: the same for everybody who writes down the same transfer, so that
    /// its claim lets it be credited once.
    #[must_use]
    pub fn payment_id(&self) -> PaymentId {
        let account = &self.receiving_account;
        let parts = [account.currency.code(), &account.number, &self.bank_reference.compared];
        PaymentId::derived(derive_id("bank_", &parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bank_reference_is_compared_as_people_mean_it() {
        let read = |text: &str| BankReference::parse(text).unwrap();
        let one = read("TRF 2026-11/0042");
        for same in ["trf2026-11/0042", " TRF 2026-11/0042 ", "ＴＲＦ２０２６－１１／００４２"]
        {
            assert!(one.is_same_as(&read(same)), "{same}");
        }
        assert!(read("straße ﬁ").is_same_as(&read("STRASSE FI")));
        assert!(read("Überweisung ŁÓDŹ").is_same_as(&read("überweisung łódź")));
        assert!(!one.is_same_as(&read("TRF 2026-11/0043")));
        assert_eq!(one.as_str(), "TRF 2026-11/0042");
        // What has no width; what is a letter to Unicode and nothing to the eye; what looks like a Latin letter or a dash:
        // Greek, Cyrillic, Cherokee, Lisu, Armenian, a click, Japanese, Chinese.
        for text in ["", "   ", "a\u{200b}b", "a\nb", "a\u{202e}b", &"9".repeat(71)]
            .into_iter()
            .chain([
                "ab\u{3164}",
                "a\u{ffa0}b",
                "a\u{115f}b",
                "a\u{345}b",
                "a\u{5b0}b",
                "a\u{13441}b",
            ])
            .chain(["ΑBC", "АВС", "Ϲ", "Ӏ", "Ꮋ", "ꓲ", "Հ", "ǀ", "ー", "一"])
        {
            assert!(BankReference::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_payment_is_known_by_account_and_reference() {
        let transfer = |number: &str, code: &str, reference: &str| ReceivedTransfer {
            money: Money::parse("1", Currency::USD).unwrap(),
            bank_reference: BankReference::parse(reference).unwrap(),
            receiving_account: ReceivingAccount::new(Currency::parse(code).unwrap(), number)
                .unwrap(),
            received_on: Day::from_unix_days(20_000),
            rate: None,
            difference_confirmed: false,
        };
        let id = |number, code, reference| transfer(number, code, reference).payment_id();
        let one = id("6222 0000-1234", "CNY", "A 1");
        assert_eq!(one, id("622200001234", "CNY", "a1"));
        for other in [
            id("622200001234", "USD", "a1"),
            id("6222000012345", "CNY", "a1"),
            id("622200001234", "CNY", "a2"),
        ] {
            assert_ne!(one, other);
        }
    }
}
