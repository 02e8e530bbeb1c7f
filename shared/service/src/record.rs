//! What is stored beside the ledger's own values.

use std::collections::BTreeMap;

use ledger::{
    Account, AccountId, Actor, Amount, Balance, Charge, Currency, DisputeStatus, Entry, Hold,
    Money, Note, Order, OrderId, PaymentId, ProviderId, ReceivingAccount, Timestamp,
    TransferReference,
};
use serde_json::Value;

use crate::bank_account::BankAccount;
use crate::error::Invalid;
use crate::findings::FindingRecord;

/// An order with everything that the service keeps about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRecord {
    /// The order that the rules see.
    pub order: Order,
    /// How often it was written; 0 before the first time.
    pub version: u64,
    /// How many changes of its timeline are stored: the platform is told of those that follow. 0
    /// before the first time.
    pub stored_changes: usize,
    /// How much of it was given back when it was stored.
    pub stored_refunds: Balance,
    /// Where its disputes stood when it was stored.
    pub stored_disputes: BTreeMap<ProviderId, DisputeStatus>,
    /// The time of the last event about it, if there was one and it was kept.
    pub told_at: Option<Timestamp>,
    /// The words that the customer sent with it.
    pub request: RequestWords,
    /// Its payment page; none for an order that is not paid by card.
    pub checkout: Option<Checkout>,
    /// The bank account as it was shown; none for an order that is not paid by bank transfer.
    pub instructions: Option<BankAccount>,
}

/// The claim of a reference code: it exists once, so it leads to one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What the payer writes into the transfer.
    pub code: TransferReference,
    /// The order.
    pub order: OrderId,
    /// Whose order it is.
    pub account: AccountId,
}

/// What the operator made something: kept for ever beside what it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
    /// All of it, as it was from then on.
    pub value: Value,
}

/// An amount as a client wrote it: how many decimals are right depends on the currency, which is
/// known only once the account was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenAmount {
    /// The value.
    pub amount: Amount,
    /// How many decimals were written, zeros included.
    pub decimals: u32,
}

/// What a client sent with an order besides target and amount. Personal data stays here, out of
/// the journal, so that it can be erased.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestWords {
    /// The e-mail address to put into the payment page.
    pub email: Option<String>,
    /// Where the customer goes after paying.
    pub return_url: Option<String>,
    /// The client's own words.
    pub metadata: BTreeMap<String, String>,
}

/// The parameters of a Stripe Checkout session, stored before the call that makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// Counts the sets of parameters; part of Stripe's idempotency key.
    pub attempt: u32,
    /// What the customer reads on the payment page.
    pub description: String,
    /// Where the page sends the customer afterwards.
    pub return_url: String,
    /// When the page closes.
    pub expires_at: Timestamp,
    /// The session, once it is known.
    pub session: Option<CheckoutSession>,
}

/// A payment page at Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutSession {
    /// Stripe's id of it (`cs_…`).
    pub id: String,
    /// Where the customer pays.
    pub url: String,
}

/// An order, and whether this request made it.
pub type Made = Once<Box<OrderRecord>>;

/// Where the files of an order are in the bucket.
#[must_use]
pub fn proof_folder(order: &OrderId) -> String {
    format!("proofs/{order}")
}

impl OrderRecord {
    /// An order that was never stored, as it stands at first.
    #[must_use]
    pub fn new(order: Order, request: RequestWords) -> Self {
        Self {
            order,
            version: 0,
            stored_changes: 0,
            stored_refunds: Balance::ZERO,
            stored_disputes: BTreeMap::new(),
            told_at: None,
            request,
            checkout: None,
            instructions: None,
        }
    }

    /// This record as it is once a commit of this time has stored it.
    #[must_use]
    pub fn written(self, now: Timestamp) -> Self {
        let told_at = self.told_until(&self.events(now));
        let version = self.version.saturating_add(1);
        let stored_changes = self.order.timeline.changes().len();
        let stored_refunds = self.order.refunded();
        let stored_disputes = self.order.reversals.dispute_statuses();
        Self { version, stored_changes, stored_refunds, stored_disputes, told_at, ..self }
    }
}

impl WrittenAmount {
    /// Refuses more decimals than the currency has.
    ///
    /// # Errors
    /// `invalid_amount`.
    pub fn check(self, currency: Currency) -> Result<(), Invalid> {
        self.in_currency("amount", currency).map(drop)
    }

    /// The money that it is in this currency.
    ///
    /// # Errors
    /// `invalid_amount` of this field for more decimals than the currency has.
    pub fn in_currency(self, field: &str, currency: Currency) -> Result<Money, Invalid> {
        if self.decimals <= currency.decimals() {
            return Ok(Money { amount: self.amount, currency });
        }
        let detail = format!("{currency} has at most {} decimals", currency.decimals());
        Err(Invalid::field("invalid_amount", field, detail))
    }
}

/// How a statement is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementFormat {
    /// Comma-separated values (RFC 4180), with the columns of `docs/statements.md`.
    Csv,
    /// ISO 20022 camt.053, a bank-to-customer statement.
    Camt053,
}

impl Statement {
    /// Whether a text can be the id of one.
    #[must_use]
    pub fn is_id(text: &str) -> bool {
        text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }
}

/// A statement that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Derived from its content and account.
    pub id: String,
    /// 1 once it is stored; it is never changed.
    pub version: u64,
    /// The SHA-256 of the file.
    pub content_hash: String,
    /// The account that it is of.
    pub account: ReceivingAccount,
    /// How it is written.
    pub format: StatementFormat,
    /// How many lines of it are money that arrived.
    pub lines: u32,
    /// When it was first uploaded.
    pub imported_at: Timestamp,
    /// By whom.
    pub imported_by: Actor,
}

impl StatementFormat {
    /// The name that is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Camt053 => "camt.053",
        }
    }

    /// The format of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Csv, Self::Camt053].into_iter().find(|format| format.name() == name)
    }

    /// The format of a media type.
    #[must_use]
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        match media_type {
            "text/csv" => Some(Self::Csv),
            "application/xml" | "text/xml" => Some(Self::Camt053),
            _ => None,
        }
    }
}

/// The claim of one payment: it exists once, so a payment credits once, across all orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentClaim {
    /// The payment.
    pub payment: PaymentId,
    /// The order that it was credited to.
    pub order: OrderId,
    /// The account that it was credited to.
    pub account: AccountId,
    /// What was paid.
    pub money: Money,
    /// When it was credited.
    pub settled_at: Timestamp,
}

/// The claim of a refund or dispute of the provider: put once, when its money is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReversalClaim {
    /// The refund or the dispute, as the provider names it.
    pub reversal: ProviderId,
    /// The payment that went back.
    pub payment: PaymentId,
    /// The order that it was credited to.
    pub order: OrderId,
    /// Whose order it is.
    pub account: AccountId,
    /// How much went back.
    pub money: Money,
    /// When it was taken.
    pub settled_at: Timestamp,
}

/// Where a payment is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimOrFinding {
    /// It was credited.
    Claim(PaymentClaim),
    /// It was not, and this finding says why.
    Finding(String),
}

/// The order and the account that a use case decides on, as one read found them.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The order, if it exists.
    pub order: Option<OrderRecord>,
    /// The account, if it exists.
    pub account: Option<Account>,
    /// The finding that the payment leads to, if it is asked for and there is one.
    pub finding: Option<FindingRecord>,
}

/// A charge with everything that the service keeps about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeRecord {
    /// The charge that the rules made.
    pub charge: Charge,
    /// The words that the client sent with it.
    pub words: UsageWords,
}

/// A hold with everything that the service keeps about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRecord {
    /// The hold that the rules see.
    pub hold: Hold,
    /// How often it was written; 0 before the first time.
    pub version: u64,
    /// The words that the client sent with it.
    pub words: UsageWords,
}

/// What a client sent with a charge or a hold besides product and amount: out of the journal, so
/// that it can be erased.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageWords {
    /// What was used.
    pub description: Option<Note>,
    /// The client's own words.
    pub metadata: BTreeMap<String, String>,
}

/// Something that a key makes once, and whether this request made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Once<T> {
    /// Just now.
    Now(T),
    /// By an earlier request with the same key.
    Before(T),
}

/// What a use of a product is decided on, as one read found it.
#[derive(Debug, Clone)]
pub struct SeenUsage {
    /// The charge, if it is asked for and exists.
    pub charge: Option<ChargeRecord>,
    /// The hold, if it is asked for and exists.
    pub hold: Option<HoldRecord>,
    /// The account, if it exists.
    pub account: Option<Account>,
}

/// One page of a list, and where the next one starts.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What is on the page, in the order of its list.
    pub items: Vec<T>,
    /// The position after the last item that was looked at; none at the end.
    pub next: Option<String>,
}

/// A page of journal entries.
pub type EntryPage = Page<Entry>;
