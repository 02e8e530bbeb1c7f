//! Bank transfers as the model knows them: what an operator said to have found, what that is worth,
//! and under which names it must be recorded. Written without the product's code.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::images::OrderImage;
use super::micros::{Micros, from_cents};

/// Numbers of the accounts at which transfers arrive, from the catalogue of the simulation.
const ACCOUNTS: [(&str, &str); 2] = [("USD", "808000000001"), ("CNY", "6222000000000001")];
/// Tenths of a yuan that a dollar costs.
const RATE_TENTHS: i128 = 72;

/// A transfer that an operator said to have found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Received {
    /// How much.
    pub amount: Micros,
    /// Of what.
    pub currency: String,
    /// The bank's reference, as it was written.
    pub reference: String,
    /// Whether a difference from the order was confirmed.
    pub confirmed: bool,
}

impl Received {
    /// The dollars that it is credited as: half to even, to the cent.
    #[must_use]
    pub fn worth(&self) -> Micros {
        dollars(self.amount, &self.currency)
    }

    /// The id that its payment must have: 100 bits of SHA-256 over the length-prefixed currency,
    /// account number and reference, the last one in capitals and without blanks.
    #[must_use]
    pub fn payment(&self) -> String {
        let number = ACCOUNTS.iter().find(|(code, _)| *code == self.currency);
        let number = number.expect("an account of this currency").1;
        derived("bank_", &[&self.currency, number, &compared(&self.reference)])
    }

    /// Whether it needs a confirmation: another currency than ordered, or more than a fifth away.
    #[must_use]
    pub fn differs_from(&self, order: &OrderImage) -> bool {
        order.payable_currency != self.currency
            || (self.amount - order.payable).abs() * 5 > order.payable
    }

    /// What it moves, by place and currency, if so much of it pays a debt.
    #[must_use]
    pub fn lines(&self, target: &str, debt_paid: Micros) -> BTreeMap<(String, String), Micros> {
        let line =
            |place: &str, currency: &str, amount| ((place.to_owned(), currency.to_owned()), amount);
        let mut lines = incoming("external:bank", target, self.worth(), debt_paid);
        if self.currency != "USD" {
            lines.extend([
                line("external:bank", &self.currency, -self.amount),
                line("external:fx", &self.currency, self.amount),
                line("external:fx", "USD", -self.worth()),
            ]);
            lines.remove(&("external:bank".to_owned(), "USD".to_owned()));
        }
        lines
    }
}

/// What dollars move that come in, by place and currency, if so much of them pays a debt.
#[must_use]
pub fn incoming(
    from: &str,
    target: &str,
    amount: Micros,
    debt_paid: Micros,
) -> BTreeMap<(String, String), Micros> {
    let dollar = |place: &str, amount| ((place.to_owned(), "USD".to_owned()), amount);
    let mut lines = BTreeMap::from([
        dollar(from, -amount),
        dollar("external:debt", debt_paid),
        dollar(target, amount - debt_paid),
    ]);
    lines.retain(|_, amount| *amount != 0);
    lines
}

/// What so much of a currency is in dollars, half to even, to the cent.
#[must_use]
pub fn dollars(amount: Micros, currency: &str) -> Micros {
    if currency == "USD" {
        return amount;
    }
    half_to_even(amount * 10, RATE_TENTHS * from_cents(1)) * from_cents(1)
}

/// What so many dollars cost in yuan, half to even, to the fen.
#[must_use]
pub fn yuan(amount: Micros) -> Micros {
    let (numerator, denominator) = (amount * RATE_TENTHS, 10 * from_cents(1));
    half_to_even(numerator, denominator) * from_cents(1)
}

fn half_to_even(numerator: i128, denominator: i128) -> i128 {
    let (quotient, rest) = (numerator / denominator, numerator % denominator);
    let up = rest * 2 > denominator || rest * 2 == denominator && quotient % 2 == 1;
    quotient + i128::from(up)
}

/// The form in which two references are compared.
#[must_use]
pub fn compared(reference: &str) -> String {
    reference.to_uppercase().replace(' ', "")
}

/// Whether a code can be a reference: eight symbols, and the one that makes the whole a multiple of the
/// generator's polynomial.
#[must_use]
pub fn is_reference(code: &str) -> bool {
    let alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let value = |symbol: char| alphabet.find(symbol).unwrap_or(usize::MAX);
    let symbols: Vec<usize> = code.chars().map(value).collect();
    // Powers of x modulo x^5 + x^2 + 1: the last symbol has the lowest.
    let powers = [1, 2, 4, 8, 16, 5, 10, 20, 13];
    let check = symbols.iter().rev().zip(powers).fold(0, |sum, (symbol, power)| {
        sum ^ (0..5).filter(|bit| symbol >> bit & 1 == 1).fold(0, |product, bit| {
            product
                ^ (0..bit).fold(
                    power,
                    |power: usize, _| {
                        if power >= 16 { (power * 2) ^ 37 } else { power * 2 }
                    },
                )
        })
    });
    symbols.len() == 9 && symbols.iter().all(|symbol| *symbol < 32) && check == 0
}

/// `prefix` and 100 bits of SHA-256 over the length-prefixed parts, in Crockford's base32.
#[must_use]
pub fn derived(prefix: &str, parts: &[&str]) -> String {
    let digest = hash(parts);
    let alphabet = b"0123456789abcdefghjkmnpqrstvwxyz";
    let bit = |index: usize| digest[index / 8] >> (7 - index % 8) & 1;
    let symbol = |index: usize| {
        let value = (0..5).fold(0, |value, offset| value << 1 | bit(index * 5 + offset));
        char::from(alphabet[usize::from(value)])
    };
    format!("{prefix}{}", (0..20).map(symbol).collect::<String>())
}

fn hash(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_amounts_are_what_the_ledger_makes_them() {
        assert_eq!(derived("ord_", &["acme", "order", "first"]), "ord_jt397vere7tffkphxzmp");
        assert!(is_reference("GWYRW5X33"));
        for wrong in ["GWYRW5X34", "WGYRW5X33", "GWYRW5X3", "GWYRW5XOO", ""] {
            assert!(!is_reference(wrong), "{wrong}");
        }
        assert_eq!(dollars(from_cents(72_000), "CNY"), from_cents(10_000));
        assert_eq!(dollars(from_cents(50_000), "CNY"), from_cents(6_944));
        assert_eq!(yuan(from_cents(6_944)), from_cents(49_997));
        assert_eq!(yuan(from_cents(1)), from_cents(7));
    }
}
