//! Which orders were credited: once as the journal tells it, once as the orders do. The two are the
//! same, in whatever order they are read.

use rust_decimal::Decimal;

use crate::credit::movements;
use crate::journal::lines_of;
use crate::{
    Account, Amount, Currency, Entry, EntryKind, External, Line, Method, Money, Movement, Order,
    Place, derive_bytes,
};

/// One credit of an order: 128 bits of SHA-256 over the kind, the order and the lines of its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Credit(u128);

/// The sum of some credits. Two sums are equal if the credits are the same, each as often; that
/// they are equal by chance does not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditSum {
    /// How many there are.
    pub count: u64,
    /// Their sum, modulo 2^128.
    pub sum: u128,
}

impl Credit {
    fn of(kind: EntryKind, order: &str, lines: &[Line]) -> Self {
        let mut parts = vec![kind.name().to_owned(), order.to_owned()];
        for line in lines {
            parts.push(line.place.to_string());
            parts.push(line.currency.code().to_owned());
            parts.push(line.amount.normalize().to_string());
        }
        let parts: Vec<_> = parts.iter().map(String::as_str).collect();
        let bytes = derive_bytes(&parts).into_iter().take(size_of::<u128>());
        Self(bytes.fold(0, |number, byte| (number << 8) | u128::from(byte)))
    }

    /// The part that it falls into when all credits are dealt out to so many.
    #[must_use]
    pub fn part(self, of: u64) -> u64 {
        let part = self.0.checked_rem(of.into()).unwrap_or_default();
        u64::try_from(part).unwrap_or_default()
    }
}

impl CreditSum {
    /// No credits.
    pub const NONE: Self = Self { count: 0, sum: 0 };

    /// These credits and one more.
    #[must_use]
    pub const fn and(self, credit: Credit) -> Self {
        Self { count: self.count.saturating_add(1), sum: self.sum.wrapping_add(credit.0) }
    }
}

impl Entry {
    /// The credit of an order that this entry is; none for any other.
    #[must_use]
    pub fn credit(&self) -> Option<Credit> {
        matches!(self.kind, EntryKind::BankTopUp | EntryKind::CardTopUp | EntryKind::Transfer)
            .then(|| Credit::of(self.kind, &self.document_id, &self.lines))
    }

    /// What this entry brought into balances, and into the debt; none if it brought nothing.
    #[must_use]
    pub fn credited(&self) -> Option<Money> {
        let inside = |line: &&Line| line.place.is_of_account() && line.amount > Decimal::ZERO;
        let brought = self.lines.iter().filter(inside);
        let currency = brought.clone().next()?.currency;
        let sum = brought.fold(Decimal::ZERO, |sum, line| sum.saturating_add(line.amount));
        Some(Money { amount: Amount::new(sum).ok()?, currency })
    }
}

impl Order {
    /// What this order says that it was credited, in an account of this currency.
    #[must_use]
    pub fn credited_money(&self, currency: Currency) -> Option<Money> {
        Some(Money { amount: Amount::new(self.credited?.decimal()).ok()?, currency })
    }

    /// The credit that the entry of this order must be in this account; none if the order was not
    /// credited, or is another account's.
    #[must_use]
    pub fn credit(&self, account: &Account) -> Option<Credit> {
        if self.account != account.id {
            return None;
        }
        let (received, debt_paid) = (self.received?, self.debt_paid?.decimal());
        let worth = self.credited_money(account.currency)?;
        let from = |outside| movements(outside, received, worth, debt_paid, &self.target);
        let (kind, movements) = match self.method {
            Method::Card => (EntryKind::CardTopUp, from(External::Card)),
            Method::Offline => (EntryKind::BankTopUp, from(External::Bank)),
            Method::Balance => {
                let to = Place::Available(self.target.clone());
                let movement = Movement { from: Place::WALLET, to, money: worth };
                (EntryKind::Transfer, vec![movement])
            }
        };
        Some(Credit::of(kind, self.id.as_str(), &lines_of(&movements)))
    }
}
