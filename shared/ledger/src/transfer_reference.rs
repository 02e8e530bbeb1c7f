//! What a payer writes into a bank transfer, so that it finds its order.

use std::{fmt, iter};

use unicode_normalization::UnicodeNormalization;

/// No 0, O, 1 or I: they are read wrongly off a paper and misheard on a telephone.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// 40 bits: collisions are refused by a claim, so they only have to be rare.
const DRAWN_CHARACTERS: usize = 8;
/// With the check character.
const CHARACTERS: usize = DRAWN_CHARACTERS + 1;
/// Shown in groups of so many: `ABC-DEF-GH2`.
const GROUP: usize = 3;
/// Longest text that is searched for a reference: a bank's remittance information is shorter.
const MAX_SEARCHED: usize = 1_000;

/// A reference code: eight characters that are drawn at random, and a check character.
///
/// It follows from nothing that a customer can choose: who could choose a code would take one that stands in somebody
/// else's transfers.
///
/// The check is the remainder of a polynomial over GF(32), so every single wrong character and every
/// swap of two neighbours is noticed. A code is the same with or without its hyphens, in capitals or
/// not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferReference(String);

impl TransferReference {
    /// The reference that these random bits make: five of each of the first eight bytes.
    #[must_use]
    pub fn drawn(random: &[u8; 32]) -> Self {
        let symbols = random.iter().take(DRAWN_CHARACTERS).map(|byte| byte & 31);
        let mut symbols: Vec<u8> = symbols.collect();
        symbols.push(times_x(remainder(&symbols)));
        let characters = symbols.iter().filter_map(|symbol| ALPHABET.get(usize::from(*symbol)));
        Self(characters.map(|character| char::from(*character)).collect())
    }

    /// Reads a reference as a person writes it. `None` for a text that has another length, another character, or a check
    /// that does not fit.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::of_plain(&written(text).map(|one| one.character).collect::<String>())
    }

    /// Every reference that stands somewhere in a text, such as a bank's remittance information,
    /// in which banks may have dropped or added separators. Most of what looks like one is none:
    /// only a claim says which order has it.
    #[must_use]
    pub fn all_in(text: &str) -> Vec<Self> {
        Self::found_in(text, |_| true)
    }

    /// Those of [`TransferReference::all_in`] that begin and end where a word does: others may be made of parts of words
    /// that the payer wrote for another reason.
    #[must_use]
    pub fn alone_in(text: &str) -> Vec<Self> {
        Self::found_in(text, |is_alone| is_alone)
    }

    fn found_in(text: &str, counts: impl Fn(bool) -> bool) -> Vec<Self> {
        // One more than is searched: it tells whether a word goes on.
        let plain: Vec<Written> = written(text).take(MAX_SEARCHED.saturating_add(1)).collect();
        let mut found = Vec::new();
        for (begin, window) in plain.windows(CHARACTERS).enumerate() {
            let begins = window.first().is_some_and(|first| first.begins);
            let next = plain.get(begin.saturating_add(CHARACTERS));
            let ends = next.is_none_or(|next| next.begins || !next.is_of_word);
            if counts(begins && ends) {
                let plain: String = window.iter().map(|one| one.character).collect();
                let reference = Self::of_plain(&plain);
                found.extend(reference.filter(|reference| !found.contains(reference)));
            }
        }
        found
    }

    /// The nine characters without hyphens.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of_plain(plain: &str) -> Option<Self> {
        let symbol = |byte: u8| ALPHABET.iter().position(|known| *known == byte);
        let symbols = plain.bytes().map(|byte| u8::try_from(symbol(byte)?).ok());
        let symbols = symbols.collect::<Option<Vec<u8>>>()?;
        let right = symbols.len() == CHARACTERS && remainder(&symbols) == 0;
        right.then(|| Self(plain.to_owned()))
    }
}

impl fmt::Display for TransferReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, character) in self.0.chars().enumerate() {
            if position > 0 && position.checked_rem(GROUP) == Some(0) {
                formatter.write_str("-")?;
            }
            write!(formatter, "{character}")?;
        }
        Ok(())
    }
}

/// A character of a text as a code has it.
struct Written {
    /// In capitals, of any width (Unicode NFKC).
    character: char,
    /// Whether a word begins with it.
    begins: bool,
    /// Whether it is of a word: a letter or digit, and not a sign that Unicode takes apart into some, as `№`.
    is_of_word: bool,
}

/// The characters of a text without what people, banks and word processors put between the groups of a code: blanks, ends
/// of lines and dashes of all kinds, and what is not seen at all.
fn written(text: &str) -> impl Iterator<Item = Written> {
    let is_separator = |character: &char| {
        character.is_whitespace()
            || matches!(character, '-' | '.' | '/' | '_' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{feff}')
    };
    let mut begins = true;
    let characters = text.chars().flat_map(|raw| {
        let is_plain = raw.is_ascii() || matches!(raw, '\u{ff01}'..='\u{ff5e}');
        iter::once(raw).nfkc().map(move |character| (character.to_ascii_uppercase(), is_plain))
    });
    characters.filter_map(move |(character, is_plain)| {
        let is_of_word = is_plain && character.is_ascii_alphanumeric();
        let written = Written { character, begins, is_of_word };
        begins = !is_of_word;
        (!is_separator(&character)).then_some(written)
    })
}

/// The symbols as coefficients of a polynomial, at x = the generator of GF(32).
fn remainder(symbols: &[u8]) -> u8 {
    symbols.iter().fold(0, |sum, symbol| times_x(sum) ^ symbol)
}

/// Multiplies by the generator of GF(32), whose field polynomial is x^5 + x^2 + 1.
const fn times_x(symbol: u8) -> u8 {
    let shifted = symbol << 1;
    if shifted & 32 == 0 { shifted } else { shifted ^ 0b10_0101 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(random: [u8; 8]) -> TransferReference {
        let mut drawn = [0; 32];
        drawn[..8].copy_from_slice(&random);
        TransferReference::drawn(&drawn)
    }

    /// `GWY-RW5-X33`.
    fn gwy() -> TransferReference {
        reference([14, 28, 30, 23, 28, 3, 29, 1])
    }

    #[test]
    fn a_reference_is_as_long_as_it_must_be_and_easy_to_dictate() {
        let one = gwy();
        assert_eq!(one.to_string(), "GWY-RW5-X33");
        assert_eq!(one, reference([14, 28, 30, 23, 28, 3, 29, 33]), "five bits");
        assert_ne!(one, reference([14, 28, 30, 23, 28, 3, 29, 2]));
        for text in ["GWY-RW5-X33", "gwyrw5x33", " GWY RW5 X33 ", "GWY/RW5.X33"] {
            assert_eq!(TransferReference::parse(text), Some(one.clone()), "{text}");
        }
    }

    #[test]
    fn one_wrong_character_or_two_that_were_swapped_are_noticed() {
        for number in 0..200_u64 {
            let random = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let good: Vec<char> = reference(random.to_be_bytes()).as_str().chars().collect();
            for position in 0..good.len() {
                for other in ALPHABET.map(char::from) {
                    let mut wrong = good.clone();
                    wrong[position] = other;
                    let read = TransferReference::parse(&wrong.iter().collect::<String>());
                    assert_eq!(read.is_some(), wrong == good, "{wrong:?}");
                }
                let mut swapped = good.clone();
                swapped.swap(position, (position + 1).min(good.len() - 1));
                let read = TransferReference::parse(&swapped.iter().collect::<String>());
                assert_eq!(read.is_some(), swapped == good, "{swapped:?}");
            }
        }
    }

    #[test]
    fn what_is_no_reference_is_none() {
        for text in ["", "GWY-RW5-X3", "GWY-RW5-X333", "GWY-RW5-X34", "GWY-RW5-X3O", "ÄWYRW5X33"] {
            assert_eq!(TransferReference::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_reference_is_found_in_whatever_a_bank_made_of_it() {
        let one = gwy();
        for text in [
            "GWY-RW5-X33",
            "/RFB/GWYRW5X33 INVOICE 12",
            "topup gwy rw5 x33 thank you",
            "SALARY.GWY-RW5-X33",
            "付款 GWY-RW5-X33 充值",
            "ＧＷＹ－ＲＷ５－Ｘ３３",
            "gwy–rw5—x33",
            "GWY\u{2011}RW5\u{2010}X33",
            "GWY\u{3000}RW5\u{a0}X33",
            "INVOICE 12 GWY-R\nW5-X33",
        ] {
            assert!(TransferReference::all_in(text).contains(&one), "{text}");
        }
        for (text, is_alone) in [
            ("GWY-RW5-X33", true),
            ("/RFB/GWYRW5X33 INVOICE 12", true),
            ("付款GWY-RW5-X33充值", true),
            ("INVOICE 12 GWY-R\nW5-X33.", true),
            ("№GWY-RW5-X33", true),
            ("REF.NºGWY-RW5-X33②", true),
            ("ＧＷＹ－ＲＷ５－Ｘ３３Ａ", false),
            ("REFGWYRW5X33", false),
            ("GWY RW5 X33RD FLOOR", false),
            ("GWY-RW5-X33X GWY-RW5-X33", true),
        ] {
            assert_eq!(TransferReference::alone_in(text).contains(&one), is_alone, "{text}");
            assert!(TransferReference::all_in(text).contains(&one), "{text}");
        }
        // One that a payer's own words make up, if somebody has it.
        assert!(TransferReference::alone_in("SEPA JADE HARVEST LTD").is_empty());
        assert!(TransferReference::all_in("GWY RW5 X34").is_empty());
        assert!(TransferReference::all_in(&"GWY".repeat(10_000)).len() < 40);
        // Where the search ends a word may go on.
        let before = format!("{} ", "A".repeat(MAX_SEARCHED - CHARACTERS));
        for (after, is_alone) in [("", true), (" ", true), ("XYZ", false)] {
            let found = TransferReference::alone_in(&format!("{before}GWYRW5X33{after}"));
            assert_eq!(!found.is_empty(), is_alone, "{after:?}");
        }
    }
}
