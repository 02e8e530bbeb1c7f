//! The review desk: a person found a bank transfer, or did not.
//!
//! Accepting takes three requests: the order, the account, one commit of order, claim, entry and
//! account. The claim is keyed by where the money arrived and by the bank's reference of it, so one
//! transfer is credited once, whoever accepts it for whatever order.

use ledger::{
    AccountId, Actor, BankReference, Booking, Currency, Day, Decision, IdempotencyKey, Method,
    NewOrder, Note, Order, OrderId, ReceivedTransfer, ReceivingAccount, Refusal, Review, Target,
    Timestamp, Verdict, derive_id,
};

use crate::catalogue::CatalogueCache;
use crate::error::{Error, Invalid, Unavailable};
use crate::record::{Made, OrderRecord, PaymentClaim, RequestWords, Statement, WrittenAmount};
use crate::table::{
    Commit, Committed, MAX_COMMIT_TRIES, Stale, Table, must_exist, pause_before_retry,
};

/// Everything that a review touches.
#[derive(Debug)]
pub struct Reviews {
    /// Where orders and accounts are.
    pub table: Table,
    /// Where the rates and bank accounts of the day are.
    pub catalogue: CatalogueCache,
}

/// A transfer that a person found at the bank.
#[derive(Debug, Clone)]
pub struct FoundTransfer {
    /// How much arrived.
    pub amount: WrittenAmount,
    /// Of what.
    pub currency: Currency,
    /// The bank's reference of it.
    pub bank_reference: BankReference,
    /// When the bank booked it.
    pub received_on: Day,
    /// At which account.
    pub arrived_at: ArrivedAt,
    /// Whether the person accepts that it is not what was ordered.
    pub difference_confirmed: bool,
    /// When the report was sent that the person looked at, if they say so.
    pub report_seen: Option<Timestamp>,
}

/// At which account a transfer arrived: its bank reference tells it apart there, and nowhere else.
#[derive(Debug, Clone)]
pub enum ArrivedAt {
    /// At the one that the order showed, or the one that its currency has now.
    Expected,
    /// At the one that this statement is of; that currency may have another one since.
    Statement(String),
    /// At this one.
    Account(ReceivingAccount),
}

/// Who decides, when, and by which request.
#[derive(Debug, Clone)]
pub struct Reviewer {
    /// Who.
    pub by: Actor,
    /// When.
    pub now: Timestamp,
}

/// The id by which a review is known again that is repeated.
#[must_use]
pub fn review_id(order: &OrderId, key: &IdempotencyKey) -> String {
    derive_id("rev_", &[order.as_str(), "accept", key.as_str()])
}

impl Reviews {
    /// Accepts a transfer for an order, whose account is credited with what arrived.
    ///
    /// If somebody else decides on the order at the same moment, one of the two wins and the other
    /// hears who did.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::KeyReused`]; [`Error::BankReferenceUsed`]; the refusals of
    /// [`ledger::accept_transfer`]; [`Refusal::ReportChanged`]; [`Error::Unavailable`].
    pub async fn accept(
        &self,
        id: &OrderId,
        found: &FoundTransfer,
        review: &str,
        reviewer: &Reviewer,
    ) -> Result<Made, Error> {
        let Reviewer { by, now } = reviewer;
        let mut record = self.order(id).await?;
        let reviewed_before = record.order.last_review().cloned();
        let mut account = None;
        for tries in 0..MAX_COMMIT_TRIES {
            let transfer = self.received(found, Some(&record), *now).await?;
            if let Some(outcome) = again(&record, review, &transfer, &found.arrived_at) {
                return outcome;
            }
            must_be_undecided(&record.order, reviewed_before.as_ref())?;
            let owner = record.order.account.clone();
            let known = match account.take() {
                Some(known) => known,
                None => must_exist(self.table.account(&owner).await?, &owner)?,
            };
            let own_rate = record.order.rate.is_some()
                && record.order.payable.currency == transfer.money.currency;
            let transfer = match own_rate {
                true => transfer,
                false => self.with_rate(transfer, known.currency, *now).await?,
            };
            let (order, decision) =
                ledger::accept_transfer(&record.order, &known, review, &transfer, by, *now)?;
            found.report_seen.map_or(Ok(()), |seen| record.order.must_have_report_of(seen))?;
            let next = OrderRecord { order, ..record.clone() };
            match self.table.commit(credit(&next, &transfer, &decision, *now)).await? {
                Committed::Yes => return Ok(Made::Now(Box::new(next.written(*now)))),
                Committed::No(Stale::Payment(claim)) => {
                    return Err(Error::BankReferenceUsed(claim));
                }
                // The refusal carries what stands there now: one more try without a read.
                Committed::No(Stale::Order(current)) if tries == 0 => record = *current,
                Committed::No(Stale::Account(current)) if tries == 0 => account = Some(*current),
                Committed::No(_) => {
                    pause_before_retry(tries).await;
                    record = self.order(id).await?;
                }
            }
        }
        Err(Unavailable::Busy.into())
    }

    /// Rejects what was reported for an order, with a reason that the customer sees. `report_seen` is when the
    /// report was sent that the person looked at, if they say so.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Refusal::AlreadyReviewed`]; [`Refusal::OrderNotReviewable`];
    /// [`Refusal::ReportChanged`]; [`Error::Unavailable`].
    pub async fn reject(
        &self,
        id: &OrderId,
        reason: &Note,
        report_seen: Option<Timestamp>,
        reviewer: &Reviewer,
    ) -> Result<OrderRecord, Error> {
        let Reviewer { by, now } = reviewer;
        let mut record = self.order(id).await?;
        for tries in 0..MAX_COMMIT_TRIES {
            let Some(order) = ledger::reject_transfer(&record.order, reason, by, *now)? else {
                return Ok(record);
            };
            report_seen.map_or(Ok(()), |seen| record.order.must_have_report_of(seen))?;
            let next = OrderRecord { order, ..record.clone() };
            record = match self.table.commit(Commit::default().order(&next, *now)).await? {
                Committed::Yes => return Ok(next.written(*now)),
                Committed::No(Stale::Order(current)) if tries == 0 => *current,
                Committed::No(_) => {
                    pause_before_retry(tries).await;
                    self.order(id).await?
                }
            };
        }
        Err(Unavailable::Busy.into())
    }

    /// Books a transfer that came without an order: as an order that is completed as it is made.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an account that does not exist; `unknown_product`;
    /// [`Error::KeyReused`]; [`Error::BankReferenceUsed`]; the refusals of
    /// [`ledger::book_transfer`]; [`Error::Unavailable`].
    pub async fn book(
        &self,
        account_id: &AccountId,
        target: &Target,
        found: &FoundTransfer,
        key: &IdempotencyKey,
        reviewer: &Reviewer,
    ) -> Result<Made, Error> {
        let Reviewer { by, now } = reviewer;
        let id = OrderId::of_received_payment(account_id, key);
        let review = review_id(&id, key);
        for tries in 0..MAX_COMMIT_TRIES {
            let seen = self.table.seen(&id, account_id).await?;
            let transfer = self.received(found, seen.order.as_ref(), *now).await?;
            if let Some(record) = seen.order {
                let same = record.order.target == *target;
                let known = again(&record, &review, &transfer, &found.arrived_at).filter(|_| same);
                return known.unwrap_or(Err(Error::KeyReused));
            }
            let account = seen.account.ok_or(Error::NotFound { what: "account" })?;
            self.catalogue.get(&self.table, *now).await?.must_know(target)?;
            let transfer = self.with_rate(transfer, account.currency, *now).await?;
            let order = NewOrder {
                id: id.clone(),
                account: account_id.clone(),
                target: target.clone(),
                by: by.clone(),
                created_at: *now,
            };
            let booking = Booking { order, transfer };
            let booked = ledger::book_transfer(&account, &review, &booking, *now);
            let (order, decision) = match booked {
                Ok(booked) => booked,
                // The read is not a snapshot: a refusal asks for the order once more.
                Err(refused) => match self.table.order(&id).await? {
                    Some(_) => continue,
                    None => return Err(refused.into()),
                },
            };
            let record = OrderRecord::new(order, RequestWords::default());
            match self.table.commit(credit(&record, &booking.transfer, &decision, *now)).await? {
                Committed::Yes => return Ok(Made::Now(Box::new(record.written(*now)))),
                Committed::No(Stale::Payment(claim)) => {
                    return Err(Error::BankReferenceUsed(claim));
                }
                Committed::No(_) => pause_before_retry(tries).await,
            }
        }
        Err(Unavailable::Busy.into())
    }

    async fn order(&self, id: &OrderId) -> Result<OrderRecord, Error> {
        self.table.order(id).await?.ok_or(Error::NotFound { what: "order" })
    }

    /// What was found, and where.
    async fn received(
        &self,
        found: &FoundTransfer,
        record: Option<&OrderRecord>,
        now: Timestamp,
    ) -> Result<ReceivedTransfer, Error> {
        let money = found.amount.in_currency("received_amount", found.currency)?;
        if !found.received_on.has_begun(now) {
            let detail = "must not be in the future";
            return Err(Invalid::field("invalid_field", "received_on", detail).into());
        }
        let receiving_account = match &found.arrived_at {
            ArrivedAt::Account(account) => account.clone(),
            ArrivedAt::Statement(id) => self.account_of_statement(id, found.currency).await?,
            ArrivedAt::Expected => self.expected(record, found.currency, now).await?,
        };
        Ok(ReceivedTransfer {
            money,
            bank_reference: found.bank_reference.clone(),
            receiving_account,
            received_on: found.received_on,
            rate: None,
            difference_confirmed: found.difference_confirmed,
        })
    }

    async fn expected(
        &self,
        record: Option<&OrderRecord>,
        currency: Currency,
        now: Timestamp,
    ) -> Result<ReceivingAccount, Error> {
        let shown = record.and_then(|record| record.order.bank_transfer.as_ref());
        let shown = shown.map(|transfer| &transfer.receiving_account);
        if let Some(shown) = shown.filter(|account| account.currency() == currency) {
            return Ok(shown.clone());
        }
        let catalogue = self.catalogue.get(&self.table, now).await?;
        let account = catalogue.bank_account(currency);
        let account = account.and_then(|account| account.receiving_account(currency));
        let detail = || format!("there is no bank account for {currency}");
        let missing = || Invalid::field("unknown_currency", "received_currency", detail());
        Ok(account.ok_or_else(missing)?)
    }

    async fn account_of_statement(
        &self,
        id: &str,
        currency: Currency,
    ) -> Result<ReceivingAccount, Error> {
        let known = match Statement::is_id(id) {
            true => self.table.statement(id).await?,
            false => None,
        };
        let missing = || {
            let detail = format!("there is no such statement of an account for {currency}");
            Invalid::field("invalid_field", "statement_id", detail)
        };
        let account = known.map(|statement| statement.account);
        Ok(account.filter(|account| account.currency() == currency).ok_or_else(missing)?)
    }

    /// The transfer with the rate of the day, if its currency is not the account's.
    async fn with_rate(
        &self,
        transfer: ReceivedTransfer,
        currency: Currency,
        now: Timestamp,
    ) -> Result<ReceivedTransfer, Error> {
        if transfer.money.currency == currency {
            return Ok(transfer);
        }
        let catalogue = self.catalogue.get(&self.table, now).await?;
        let rate = catalogue.rate(transfer.money.currency, currency);
        Ok(ReceivedTransfer { rate, ..transfer })
    }
}

/// What a review that was made before is answered, if it was: the same request gets the order as it
/// is, another one with the same key is refused.
fn again(
    record: &OrderRecord,
    review: &str,
    transfer: &ReceivedTransfer,
    arrived_at: &ArrivedAt,
) -> Option<Result<Made, Error>> {
    let order = &record.order;
    let reviews = order.bank_transfer.iter().flat_map(|transfer| &transfer.reviews);
    let mut known = reviews.filter_map(|known| match &known.verdict {
        Verdict::Accepted(acceptance) if acceptance.id == review => Some(acceptance),
        _ => None,
    });
    let known = known.next()?;
    // Which account is expected may have been configured anew; who repeats a request means the first.
    let receiving_account = match arrived_at {
        ArrivedAt::Expected => transfer.receiving_account.clone(),
        ArrivedAt::Statement(_) | ArrivedAt::Account(_) => known.transfer.receiving_account.clone(),
    };
    // A line of a statement is known by its number, and not by a key that meant another request: it is accepted, whether
    // or not a difference is confirmed once more.
    let difference_confirmed = match arrived_at {
        ArrivedAt::Account(_) => transfer.difference_confirmed,
        ArrivedAt::Expected | ArrivedAt::Statement(_) => known.transfer.difference_confirmed,
    };
    let known = known.transfer.clone();
    let made = ReceivedTransfer { rate: None, receiving_account, difference_confirmed, ..known };
    Some(match order.method == Method::Offline && made == *transfer {
        true => Ok(Made::Before(Box::new(record.clone()))),
        false => Err(Error::KeyReused),
    })
}

/// Refuses to decide on an order that somebody decided on since it was first read.
fn must_be_undecided(order: &Order, seen: Option<&Review>) -> Result<(), Refusal> {
    match order.last_review() {
        Some(review) if Some(review) != seen => {
            Err(Refusal::AlreadyReviewed { by: review.by.clone(), at: review.at })
        }
        _ => Ok(()),
    }
}

/// The one commit by which a transfer becomes a credit.
fn credit(
    record: &OrderRecord,
    transfer: &ReceivedTransfer,
    decision: &Decision,
    now: Timestamp,
) -> Commit {
    let claim = PaymentClaim {
        payment: transfer.payment_id(),
        order: record.order.id.clone(),
        account: record.order.account.clone(),
        money: transfer.money,
        settled_at: now,
    };
    Commit::default().order(record, now).payment(&claim).decision(decision)
}
