//! The journal: numbered, hash-chained, immutable records of every change of a balance.

use std::collections::BTreeMap;
use std::fmt;

use data_encoding::HEXLOWER;
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use crate::{AccountId, Balance, Currency, MAX_DECIMALS, Money, Place, Timestamp};

/// Why an entry was made. A closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// The operator put money in or took it out, for a reason that is on record.
    Adjustment,
    /// Money came in by bank transfer.
    BankTopUp,
    /// Money came in by card.
    CardTopUp,
    /// A product was used.
    Charge,
    /// Money of a disputed payment was set aside.
    DisputeHeld,
    /// Money of a disputed payment that was set aside is free again.
    DisputeReleased,
    /// The bank of a cardholder took a disputed payment back.
    DisputeTaken,
    /// The bank of a cardholder gave a disputed payment back.
    DisputeReturned,
    /// Money was set aside for what is going to be used.
    HoldPlaced,
    /// What was used was taken out of a hold; what is not needed any more is free again.
    HoldCaptured,
    /// The money of a hold is free again.
    HoldReleased,
    /// The money of holds is free again because their time is over.
    HoldExpired,
    /// Money went back to whoever paid.
    Refund,
    /// Money was set aside that is to go back.
    RefundHeld,
    /// Money that was set aside to go back is free again.
    RefundReleased,
    /// Money that had gone back did not arrive, and returned.
    RefundReturned,
    /// Money went from the wallet to a product.
    Transfer,
}

/// Money that leaves one place and arrives at another.
///
/// Entries are made of movements, so an entry that does not sum to zero cannot be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Where the money leaves.
    pub from: Place,
    /// Where it arrives.
    pub to: Place,
    /// How much of what.
    pub money: Money,
}

/// A signed amount on one place: below zero where money left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The place.
    pub place: Place,
    /// The currency of the amount.
    pub currency: Currency,
    /// What was added; never zero.
    pub amount: Decimal,
}

/// One immutable journal record of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose journal it is in.
    pub account: AccountId,
    /// Its number: 1, 2, 3, … without gaps.
    pub number: u64,
    /// When it was made; never before the entry before it.
    pub at: Timestamp,
    /// Why it was made.
    pub kind: EntryKind,
    /// The order or other document that it belongs to. Charges that were made together, and holds that
    /// expired together, are all named, with a blank between them.
    pub document_id: String,
    /// Two or more lines that sum to zero in each currency, ordered by place.
    pub lines: Vec<Line>,
    /// The balance of every place of the account that a line touches.
    pub balances_after: BTreeMap<Place, Balance>,
    /// The hash of the entry before it.
    pub previous_hash: EntryHash,
    /// SHA-256 over `previous_hash` and everything above.
    pub hash: EntryHash,
}

/// A SHA-256 that ties an entry to all entries before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EntryHash([u8; 32]);

/// Names the canonical form below; a changed form gets a new number.
const CANONICAL_FORMAT: &str = "topup-entry-1";

impl EntryKind {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Adjustment,
        Self::BankTopUp,
        Self::CardTopUp,
        Self::Charge,
        Self::DisputeHeld,
        Self::DisputeReleased,
        Self::DisputeTaken,
        Self::DisputeReturned,
        Self::HoldPlaced,
        Self::HoldCaptured,
        Self::HoldReleased,
        Self::HoldExpired,
        Self::Refund,
        Self::RefundHeld,
        Self::RefundReleased,
        Self::RefundReturned,
        Self::Transfer,
    ];

    /// The name that is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Adjustment => "adjustment",
            Self::BankTopUp => "bank_top_up",
            Self::CardTopUp => "card_top_up",
            Self::Charge => "charge",
            Self::DisputeHeld => "dispute_held",
            Self::DisputeReleased => "dispute_released",
            Self::DisputeTaken => "dispute_taken",
            Self::DisputeReturned => "dispute_returned",
            Self::HoldPlaced => "hold_placed",
            Self::HoldCaptured => "hold_captured",
            Self::HoldReleased => "hold_released",
            Self::HoldExpired => "hold_expired",
            Self::Refund => "refund",
            Self::RefundHeld => "refund_held",
            Self::RefundReleased => "refund_released",
            Self::RefundReturned => "refund_returned",
            Self::Transfer => "transfer",
        }
    }

    /// Whether what it sets aside or frees is what holds keep.
    #[must_use]
    pub const fn is_of_holds(self) -> bool {
        matches!(
            self,
            Self::HoldPlaced | Self::HoldCaptured | Self::HoldReleased | Self::HoldExpired
        )
    }

    /// Whether it is about money of an order that goes back, or may.
    #[must_use]
    pub const fn is_of_reversals(self) -> bool {
        matches!(
            self,
            Self::Refund
                | Self::RefundHeld
                | Self::RefundReleased
                | Self::RefundReturned
                | Self::DisputeHeld
                | Self::DisputeReleased
                | Self::DisputeTaken
                | Self::DisputeReturned
        )
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl EntryHash {
    /// What the first entry of a journal follows.
    pub const GENESIS: Self = Self([0; 32]);

    /// Reads 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()?))
    }
}

impl fmt::Display for EntryHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for EntryHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Entry {
    /// The hash that this entry must carry.
    ///
    /// The canonical form is a sequence of length-prefixed fields: the format, the previous hash,
    /// account, number, time in milliseconds, kind, document, then a count and place, currency and
    /// amount for each line, then a count and place and amount for each balance. Amounts have no
    /// trailing zeros. Free text and personal data stay in documents, so that they can be erased
    /// while the journal stays whole.
    #[must_use]
    pub fn computed_hash(&self) -> EntryHash {
        let mut form = CanonicalForm(Sha256::new());
        form.field(CANONICAL_FORMAT);
        form.field(&self.previous_hash.to_string());
        form.field(self.account.as_str());
        form.field(&self.number.to_string());
        form.field(&self.at.unix_millis().to_string());
        form.field(self.kind.name());
        form.field(&self.document_id);
        form.field(&self.lines.len().to_string());
        for line in &self.lines {
            form.field(&line.place.to_string());
            form.field(line.currency.code());
            form.field(&line.amount.normalize().to_string());
        }
        form.field(&self.balances_after.len().to_string());
        for (place, balance) in &self.balances_after {
            form.field(&place.to_string());
            form.field(&balance.decimal().to_string());
        }
        EntryHash(form.0.finalize().into())
    }

    /// This entry with the hash that it must carry.
    pub(crate) fn sealed(mut self) -> Self {
        self.hash = self.computed_hash();
        self
    }
}

impl Line {
    /// Reads a line's signed amount: what [`Line::amount_text`] writes.
    #[must_use]
    pub fn parse_amount(text: &str) -> Option<Decimal> {
        let amount = Decimal::from_str_exact(text).ok()?;
        (amount.scale() <= MAX_DECIMALS && !amount.is_zero()).then(|| amount.normalize())
    }

    /// The signed amount with at least the decimals of its currency.
    #[must_use]
    pub fn amount_text(&self) -> String {
        crate::money::format_money(self.amount, self.currency)
    }
}

/// The lines of some movements: one a place and currency, in order of place, zeros left out.
pub(crate) fn lines_of(movements: &[Movement]) -> Vec<Line> {
    let mut sums: BTreeMap<(&Place, Currency), Decimal> = BTreeMap::new();
    for movement in movements {
        let amount = movement.money.amount.decimal();
        for (place, change) in [(&movement.from, -amount), (&movement.to, amount)] {
            let sum = sums.entry((place, movement.money.currency)).or_default();
            *sum = sum.saturating_add(change);
        }
    }
    sums.into_iter()
        .filter(|(_, amount)| !amount.is_zero())
        .map(|((place, currency), amount)| Line { place: place.clone(), currency, amount })
        .collect()
}

struct CanonicalForm(Sha256);

impl CanonicalForm {
    fn field(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text.as_bytes());
    }
}
