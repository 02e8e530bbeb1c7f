//! Cancelling an order. Of one by card the wish is stored, the page is closed, and then it is cancelled.

use ledger::{AccountId, Actor, CancelStep, Order, OrderId, Timestamp};

use crate::error::{Error, Unavailable};
use crate::payments;
use crate::record::OrderRecord;
use crate::stripe::{Closed, Https, Stripe, Wire};
use crate::table::{Commit, Committed, MAX_COMMIT_TRIES, Stale, Table, pause_before_retry};

/// Everything that a cancellation touches.
#[derive(Debug)]
pub struct Cancellations<W: Wire = Https> {
    /// Where orders are.
    pub table: Table,
    /// Where payment pages are closed.
    pub stripe: Stripe<W>,
}

impl<W: Wire> Cancellations<W> {
    /// Cancels an order that awaits its payment; one that is cancelled already is answered as it
    /// is. If it turns out to have been paid, it is credited and the cancellation refused.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`ledger::Refusal::OrderNotCancellable`], or [`Error::Unavailable`]:
    /// the wish is stored, and the same request continues.
    pub async fn cancel(
        &self,
        account: &AccountId,
        id: &OrderId,
        by: &Actor,
        now: Timestamp,
    ) -> Result<OrderRecord, Error> {
        let mut record = self.table.owned_order(account, id).await?;
        for tries in 0..MAX_COMMIT_TRIES {
            let next = match ledger::cancel(&record.order, by, now)? {
                CancelStep::Done => return Ok(record),
                CancelStep::Request(order) => *order,
                CancelStep::Close(order) => match self.close_page(&record, now).await? {
                    Closed::Unpaid => *order,
                    Closed::Completed(notice) => {
                        payments::confirm(&self.table, &notice, now).await?;
                        pause_before_retry(tries).await;
                        record = self.table.owned_order(account, id).await?;
                        continue;
                    }
                },
            };
            record = match self.write(&record, next, now).await? {
                Ok(written) => written,
                Err(Stale::Order(current)) => {
                    pause_before_retry(tries).await;
                    *current
                }
                Err(_) => {
                    pause_before_retry(tries).await;
                    self.table.owned_order(account, id).await?
                }
            };
        }
        Err(Unavailable::Busy.into())
    }

    /// Closes the page that was shown; a page that never was cannot be paid.
    async fn close_page(&self, record: &OrderRecord, now: Timestamp) -> Result<Closed, Error> {
        let session = record.checkout.as_ref().and_then(|checkout| checkout.session.as_ref());
        match session {
            Some(session) => self.stripe.close(record, &session.id, now).await,
            None => Ok(Closed::Unpaid),
        }
    }

    async fn write(
        &self,
        record: &OrderRecord,
        order: Order,
        now: Timestamp,
    ) -> Result<Result<OrderRecord, Stale>, Error> {
        let next = OrderRecord { order, ..record.clone() };
        Ok(match self.table.commit(Commit::default().order(&next, now)).await? {
            Committed::Yes => Ok(next.written(now)),
            Committed::No(stale) => Err(stale),
        })
    }
}
