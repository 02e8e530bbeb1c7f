//! Making an order: by card, with its payment page, or by bank transfer, with its instructions.
//!
//! A card order takes three requests to the table and one to Stripe: read; store the order with the
//! parameters of its page; make the page; store the page. A repetition continues where the first try
//! stopped. An order by bank transfer takes two: read; store the order with the claim of its
//! reference code.

use std::time::Duration;

use ledger::{
    AccountId, Actor, BankTransfer, Currency, Method, Money, NewOrder, Order, OrderId, Rate,
    Target, Timestamp, TransferReference,
};

use crate::catalogue::{Catalogue, CatalogueCache};
use crate::error::{Error, Invalid, Unavailable};
use crate::keys::Draw;
use crate::pages::{ORDER_TIME, PAGE_TIME, with_page};
use crate::record::{Checkout, Made, OrderRecord, Reference, RequestWords, WrittenAmount};
use crate::return_urls::ReturnUrls;
use crate::stripe::{Https, Stripe, Wire, is_chargeable};
use crate::table::{
    Commit, Committed, MAX_COMMIT_TRIES, Stale, Table, must_exist, pause_before_retry,
};

/// How long an order waits for a bank transfer that nobody reports.
const TRANSFER_TIME: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Everything that making an order touches.
#[derive(Debug)]
pub struct Orders<W: Wire = Https> {
    /// Where orders are stored.
    pub table: Table,
    /// Where payment pages are made.
    pub stripe: Stripe<W>,
    /// What can be topped up.
    pub catalogue: CatalogueCache,
    /// Where customers may be sent after paying.
    pub return_urls: ReturnUrls,
    /// Where reference codes come from.
    pub draw: Draw,
}

/// What a customer asks for.
#[derive(Debug, Clone)]
pub struct WantedOrder {
    /// Derived from the idempotency key.
    pub id: OrderId,
    /// Whose order it is.
    pub account: AccountId,
    /// What is topped up.
    pub target: Target,
    /// How it will be paid.
    pub method: Method,
    /// How much.
    pub amount: WrittenAmount,
    /// In what; none means the account's currency.
    pub currency: Option<Currency>,
    /// The rate that the customer was shown, if the client says so.
    pub fx_rate: Option<Rate>,
    /// The client's own words.
    pub words: RequestWords,
    /// Who asks.
    pub by: Actor,
}

impl<W: Wire> Orders<W> {
    /// Makes the order, or continues the one that this key made before.
    ///
    /// # Errors
    /// [`Error::KeyReused`] if the key made another order; [`Error::Invalid`] for what the
    /// catalogue or the configuration does not allow; [`Error::Unavailable`] if the same key must
    /// be tried again: the order may exist, without its page.
    pub async fn make(&self, wanted: &WantedOrder, now: Timestamp) -> Result<Made, Error> {
        for tries in 0..MAX_COMMIT_TRIES {
            let seen = self.table.seen(&wanted.id, &wanted.account).await?;
            let account = must_exist(seen.account, &wanted.account)?;
            let money = Money {
                amount: wanted.amount.amount,
                currency: wanted.currency.unwrap_or(account.currency),
            };
            if let Some(record) = seen.order {
                return self.again(wanted, money, record, now).await;
            }
            let record = match self.compose(wanted, money, account.currency, now).await {
                Ok(record) => record,
                // The read is not a snapshot: a refusal asks for the order once more.
                Err(refused) => match self.table.order(&wanted.id).await? {
                    Some(record) => return self.again(wanted, money, record, now).await,
                    None => return Err(refused),
                },
            };
            let commit = Commit::default().order(&record, now);
            let commit = match &reference_of(&record) {
                Some(reference) => commit.reference(reference),
                None => commit,
            };
            match self.table.commit(commit).await? {
                Committed::Yes => {
                    let stored = record.written(now);
                    return Ok(Made::Now(Box::new(
                        with_page(&self.table, &self.stripe, stored, now).await?,
                    )));
                }
                Committed::No(Stale::Order(record)) => {
                    return self.again(wanted, money, *record, now).await;
                }
                // Another order has this reference code: the next one is drawn.
                Committed::No(Stale::Exists) => {}
                Committed::No(_) => pause_before_retry(tries).await,
            }
        }
        Err(Unavailable::Busy.into())
    }

    /// The order that this key made before, if it is the same one, with its page.
    async fn again(
        &self,
        wanted: &WantedOrder,
        money: Money,
        record: OrderRecord,
        now: Timestamp,
    ) -> Result<Made, Error> {
        let order = &record.order;
        let same = order.account == wanted.account
            && order.method == wanted.method
            && order.target == wanted.target
            // Without a currency it was that of the account, which may have another one since.
            && order.payable.amount == money.amount
            && wanted.currency.unwrap_or(order.amount.currency) == order.payable.currency
            && (wanted.fx_rate.is_none() || wanted.fx_rate == order.rate)
            && record.request == wanted.words;
        if !same {
            return Err(Error::KeyReused);
        }
        Ok(Made::Before(Box::new(with_page(&self.table, &self.stripe, record, now).await?)))
    }

    /// The order with everything that it will show, as it will be stored.
    async fn compose(
        &self,
        wanted: &WantedOrder,
        money: Money,
        account_currency: Currency,
        now: Timestamp,
    ) -> Result<OrderRecord, Error> {
        let kept = self.catalogue.get(&self.table, now).await?;
        // What the customer was shown may be newer than what is kept here.
        let catalogue = match wanted.fx_rate {
            Some(shown) if kept.rate(money.currency, account_currency) != Some(shown) => {
                self.catalogue.read(&self.table, now).await?
            }
            _ => kept,
        };
        catalogue.admit(&wanted.target, wanted.method, money)?;
        wanted.amount.check(money.currency)?;
        let new = NewOrder {
            id: wanted.id.clone(),
            account: wanted.account.clone(),
            target: wanted.target.clone(),
            by: wanted.by.clone(),
            created_at: now,
        };
        match wanted.method {
            Method::Card => self.compose_card(wanted, new, money, account_currency, &catalogue),
            Method::Offline => {
                let reference = TransferReference::drawn(&(self.draw)()?);
                compose_offline(wanted, new, money, reference, account_currency, &catalogue)
            }
            Method::Balance => {
                let detail = "a product is topped up from the wallet by POST /v1/transfers";
                Err(Invalid::field("method_not_allowed", "method", detail).into())
            }
        }
    }

    /// A card order and the parameters of its page: stored before Stripe is called.
    fn compose_card(
        &self,
        wanted: &WantedOrder,
        new: NewOrder,
        money: Money,
        account_currency: Currency,
        catalogue: &Catalogue,
    ) -> Result<OrderRecord, Error> {
        let now = new.created_at;
        no_rate(wanted)?;
        if money.currency != account_currency {
            let detail = format!("a card pays in the currency of the account, {account_currency}");
            return Err(Invalid::field("unknown_currency", "currency", detail).into());
        }
        if !is_chargeable(money) {
            let detail = "a card cannot be charged exactly so much in this currency";
            return Err(Invalid::field("invalid_amount", "amount", detail).into());
        }
        let return_url =
            self.return_urls.resolve(wanted.words.return_url.as_deref(), &wanted.id)?;
        let checkout = Checkout {
            attempt: 1,
            description: catalogue.describe(&wanted.target),
            return_url,
            expires_at: now.plus(PAGE_TIME),
            session: None,
        };
        let order = Order::by_card(new, money, now.plus(ORDER_TIME));
        let record = OrderRecord::new(order, wanted.words.clone());
        Ok(OrderRecord { checkout: Some(checkout), ..record })
    }
}

/// An order by bank transfer: rate, credit and receiving account are those of this moment, and stay.
fn compose_offline(
    wanted: &WantedOrder,
    new: NewOrder,
    payable: Money,
    reference: TransferReference,
    account_currency: Currency,
    catalogue: &Catalogue,
) -> Result<OrderRecord, Error> {
    if wanted.words.return_url.is_some() {
        let detail = "belongs to orders by card: nobody is sent away for a bank transfer";
        return Err(Invalid::field("invalid_field", "return_url", detail).into());
    }
    let quote = catalogue.quote(payable, account_currency)?;
    match quote {
        (_, Some(rate)) => rate.must_be(wanted.fx_rate)?,
        (_, None) => no_rate(wanted)?,
    }
    let account = catalogue.bank_account(payable.currency);
    let known = account.and_then(|account| account.receiving_account(payable.currency));
    let (Some(account), Some(receiving_account)) = (account, known) else {
        let detail = format!("there is no bank account for {}", payable.currency);
        return Err(Invalid::field("unknown_currency", "currency", detail).into());
    };
    let transfer = BankTransfer::awaited(reference, receiving_account);
    let expires_at = new.created_at.plus(TRANSFER_TIME);
    let order = Order::by_bank_transfer(new, payable, quote, transfer, expires_at);
    let record = OrderRecord::new(order, wanted.words.clone());
    Ok(OrderRecord { instructions: Some(account.clone()), ..record })
}

fn no_rate(wanted: &WantedOrder) -> Result<(), Invalid> {
    let detail = "belongs to orders that are paid in another currency than that of the account";
    let refused = || Invalid::field("invalid_field", "fx_rate", detail);
    wanted.fx_rate.map_or(Ok(()), |_| Err(refused()))
}

/// The claim of the reference code of a new order.
fn reference_of(record: &OrderRecord) -> Option<Reference> {
    let order = &record.order;
    let code = order.bank_transfer.as_ref()?.reference.clone()?;
    Some(Reference { code, order: order.id.clone(), account: order.account.clone() })
}
