//! What a customer asked for.

use crate::{
    AccountId, Actor, Balance, BankTransfer, Change, Money, OrderId, OrderStatus, PaymentId, Rate,
    Reversals, Target, Timeline, Timestamp,
};

/// At most so many attempts are kept on an order; the newest push out the oldest refused ones.
pub const MAX_ATTEMPTS: usize = 20;

/// How an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// By card, on the provider's payment page.
    Card,
    /// By bank transfer, which a person finds on the bank account.
    Offline,
    /// Out of the customer's own wallet: a transfer.
    Balance,
}

/// What became of an attempt to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The money arrived.
    Succeeded,
    /// The card was refused; the order stays payable.
    Declined,
}

/// One attempt to pay an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When the provider saw it.
    pub at: Timestamp,
    /// The provider's payment that it was an attempt at.
    pub payment_id: PaymentId,
    /// What became of it.
    pub outcome: AttemptOutcome,
    /// Why a card was refused, in the provider's words (`insufficient_funds`).
    pub decline_code: Option<String>,
    /// The provider's name for this attempt, by which a repeated notice is recognised.
    pub reference: String,
}

/// A wish to cancel an order, which ends the order once its payment page is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelRequest {
    /// When.
    pub at: Timestamp,
    /// Who, if that was kept: whoever sees the page closed writes down that they cancelled.
    pub by: Option<Actor>,
}

/// An order: a top-up of the wallet or of a product, by card, by bank transfer or from the wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Derived from the account, the operation and the idempotency key.
    pub id: OrderId,
    /// Whose order it is.
    pub account: AccountId,
    /// What it tops up.
    pub target: Target,
    /// How it is paid.
    pub method: Method,
    /// What is to be credited, in the account's currency.
    pub amount: Money,
    /// What is to be paid.
    pub payable: Money,
    /// The rate by which the one follows from the other, if they differ in currency: fixed when
    /// the order was made.
    pub rate: Option<Rate>,
    /// What belongs to a bank transfer only.
    pub bank_transfer: Option<BankTransfer>,
    /// Everything that happened to its status.
    pub timeline: Timeline,
    /// The customer's wish to cancel it.
    pub cancel_request: Option<CancelRequest>,
    /// The payment that paid it.
    pub payment_id: Option<PaymentId>,
    /// What arrived.
    pub received: Option<Money>,
    /// What arrived and could not be credited to it, by which it became an exception; once another payment has paid
    /// it, that is what counts.
    pub uncredited: Option<Money>,
    /// What the payment is worth in the account's currency, all of it.
    pub credited: Option<Balance>,
    /// The part of it that went into the customer's debt; the rest was added to the target.
    pub debt_paid: Option<Balance>,
    /// What of it was given back, or asked back.
    pub reversals: Reversals,
    /// Whether it was paid after it had been closed.
    pub late: bool,
    /// Attempts to pay, oldest first, a success last; at most [`MAX_ATTEMPTS`].
    pub attempts: Vec<Attempt>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it closes unpaid; none for an order that was never open.
    pub expires_at: Option<Timestamp>,
    /// When the provider took the money.
    pub paid_at: Option<Timestamp>,
    /// When the money was credited.
    pub completed_at: Option<Timestamp>,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Card, Self::Offline, Self::Balance];

    /// The name that is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Offline => "offline",
            Self::Balance => "balance",
        }
    }

    /// The method of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

impl AttemptOutcome {
    /// The name that is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Declined => "declined",
        }
    }

    /// The outcome of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Succeeded, Self::Declined].into_iter().find(|outcome| outcome.name() == name)
    }
}

/// What every new order says.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// Derived from the account, the operation and the idempotency key.
    pub id: OrderId,
    /// Whose order it is.
    pub account: AccountId,
    /// What it tops up.
    pub target: Target,
    /// Who asked.
    pub by: Actor,
    /// When.
    pub created_at: Timestamp,
}

impl Order {
    /// A new order to be paid by card. What is paid is what is credited.
    #[must_use]
    pub fn by_card(new: NewOrder, amount: Money, expires_at: Timestamp) -> Self {
        let timeline = Timeline::awaiting_payment(new.created_at, new.by.clone());
        let expires_at = Some(expires_at);
        Self { expires_at, ..Self::begun(new, Method::Card, amount, timeline) }
    }

    /// A new order to be paid by bank transfer: `payable` is to be paid, and is `amount` in the
    /// account's currency, by `rate` if the currencies differ.
    #[must_use]
    pub fn by_bank_transfer(
        new: NewOrder,
        payable: Money,
        (amount, rate): (Money, Option<Rate>),
        bank_transfer: BankTransfer,
        expires_at: Timestamp,
    ) -> Self {
        let timeline = Timeline::awaiting_payment(new.created_at, new.by.clone());
        Self {
            payable,
            rate,
            bank_transfer: Some(bank_transfer),
            expires_at: Some(expires_at),
            ..Self::begun(new, Method::Offline, amount, timeline)
        }
    }

    pub(crate) fn begun(new: NewOrder, method: Method, amount: Money, timeline: Timeline) -> Self {
        Self {
            id: new.id,
            account: new.account,
            target: new.target,
            method,
            amount,
            payable: amount,
            rate: None,
            bank_transfer: None,
            timeline,
            cancel_request: None,
            payment_id: None,
            received: None,
            uncredited: None,
            credited: None,
            debt_paid: None,
            reversals: Reversals::default(),
            late: false,
            attempts: Vec::new(),
            created_at: new.created_at,
            expires_at: None,
            paid_at: None,
            completed_at: None,
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn status(&self) -> OrderStatus {
        self.timeline.status()
    }

    /// The last change of its status.
    #[must_use]
    pub fn last_change(&self) -> Option<&Change> {
        self.timeline.changes().last()
    }

    /// What arrived, whether or not it could be credited.
    #[must_use]
    pub fn arrived(&self) -> Option<Money> {
        self.received.or(self.uncredited)
    }

    /// What went back of it, in the account's currency; none if nothing could be credited or went back, or if that was
    /// in another currency.
    #[must_use]
    pub fn given_back(&self) -> Option<Balance> {
        match (self.credited, self.uncredited) {
            (Some(_), _) => Some(self.refunded()),
            (None, Some(all))
                if self.status() == OrderStatus::Refunded
                    && all.currency == self.amount.currency =>
            {
                Some(Balance::from(all.amount))
            }
            (None, _) => None,
        }
    }

    /// Whether the customer may be sent to a payment page for it.
    #[must_use]
    pub fn is_payable(&self) -> bool {
        self.status() == OrderStatus::PendingPayment && self.cancel_request.is_none()
    }

    /// Adds an attempt where it belongs, unless its notice was seen before: notices come in any order.
    ///
    /// A success is the last one whatever the clocks say, as a payment that was made cannot be tried
    /// again. It is never pushed out.
    #[must_use]
    pub(crate) fn with_attempt(mut self, attempt: Attempt) -> Self {
        if self.attempts.iter().any(|known| known.reference == attempt.reference) {
            return self;
        }
        self.attempts.push(attempt);
        self.attempts.sort_by_key(|known| (known.outcome == AttemptOutcome::Succeeded, known.at));
        if self.attempts.len() > MAX_ATTEMPTS {
            self.attempts.remove(0);
        }
        self
    }
}
