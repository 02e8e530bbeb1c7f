//! What is stored beside the ledger's own values.

use std::collections::BTreeMap;

use ledger::{Account, Amount, Currency, Entry, Order, OrderId, PaymentId, Timestamp};

use crate::error::Invalid;

/// An order with everything that the service keeps about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRecord {
    /// The order that the rules see.
    pub order: Order,
    /// How often it was written; 0 before the first time.
    pub version: u64,
    /// The words that the customer sent with it.
    pub request: RequestWords,
    /// Its payment page; none for an order that is paid from the wallet.
    pub checkout: Option<Checkout>,
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
#[derive(Debug)]
pub enum Made {
    /// Just now.
    Now(Box<OrderRecord>),
    /// By an earlier request with the same key.
    Before(Box<OrderRecord>),
}

impl WrittenAmount {
    /// Refuses more decimals than the currency has.
    ///
    /// # Errors
    /// `invalid_amount`.
    pub fn check(self, currency: Currency) -> Result<(), Invalid> {
        if self.decimals <= currency.decimals() {
            return Ok(());
        }
        let detail = format!("{currency} has at most {} decimals", currency.decimals());
        Err(Invalid::field("invalid_amount", "amount", detail))
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
    pub account: ledger::AccountId,
    /// What was paid.
    pub money: ledger::Money,
    /// When it was credited.
    pub settled_at: Timestamp,
}

/// The order and the account that a use case decides on, as one read found them.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The order, if it exists.
    pub order: Option<OrderRecord>,
    /// The account, if it exists.
    pub account: Option<Account>,
}

/// One page of a list, and where the next one starts.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What is on the page, newest first.
    pub items: Vec<T>,
    /// The position after the last item that was looked at; none at the end.
    pub next: Option<String>,
}

/// A page of journal entries.
pub type EntryPage = Page<Entry>;
