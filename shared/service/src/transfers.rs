//! Moving money from the wallet to a product: two requests, three when it is refused.

use ledger::{AccountId, Actor, Method, Money, OrderId, ProductCode, Target, Timestamp, Transfer};

use crate::catalogue::CatalogueCache;
use crate::error::{Error, Unavailable};
use crate::record::{Made, OrderRecord, RequestWords, WrittenAmount};
use crate::table::{
    Commit, Committed, MAX_COMMIT_TRIES, Stale, Table, must_exist, pause_before_retry,
};

/// Everything that a transfer touches.
#[derive(Debug)]
pub struct Transfers {
    /// Where accounts and orders are.
    pub table: Table,
    /// What can be topped up.
    pub catalogue: CatalogueCache,
}

/// What a customer asks for.
#[derive(Debug, Clone)]
pub struct TransferOrder {
    /// Derived from the idempotency key.
    pub order_id: OrderId,
    /// Where the money goes.
    pub product: ProductCode,
    /// How much.
    pub amount: WrittenAmount,
    /// Who asks.
    pub by: Actor,
}

impl Transfers {
    /// Moves the money, or answers with the order by which this key moved it before.
    ///
    /// The order is compared before any rule is asked: a repetition whose first try emptied the
    /// wallet answers "done", never "insufficient".
    ///
    /// # Errors
    /// [`Error::KeyReused`] if the key made another order; [`Error::Invalid`] for what the
    /// catalogue does not allow; [`Error::Refused`] by the ledger; [`Error::Unavailable`] if the
    /// same key must be tried again.
    pub async fn make(
        &self,
        account_id: &AccountId,
        wanted: &TransferOrder,
        now: Timestamp,
    ) -> Result<Made, Error> {
        let written = wanted.amount;
        let wanted = &Transfer {
            order_id: wanted.order_id.clone(),
            product: wanted.product.clone(),
            amount: written.amount,
            by: wanted.by.clone(),
        };
        let mut seen = self.table.seen(&wanted.order_id, account_id).await?;
        for tries in 0..MAX_COMMIT_TRIES {
            if let Some(record) = seen.order {
                return again(account_id, wanted, record);
            }
            let account = must_exist(seen.account.clone(), account_id)?;
            let money = Money { amount: wanted.amount, currency: account.currency };
            let decided = match self.admit(wanted, written, money, now).await {
                Ok(()) => ledger::transfer(&account, wanted, now).map_err(Error::from),
                Err(refused) => Err(refused),
            };
            let (order, decision) = match decided {
                Ok(decided) => decided,
                // The read is not a snapshot: a refusal asks for the order once more.
                Err(refused) => match self.table.order(&wanted.order_id).await? {
                    Some(record) => return again(account_id, wanted, record),
                    None => return Err(refused),
                },
            };
            let record = OrderRecord::new(order, RequestWords::default());
            match self
                .table
                .commit(Commit::default().order(&record, now).decision(&decision))
                .await?
            {
                Committed::Yes => {
                    return Ok(Made::Now(Box::new(record.written(now))));
                }
                Committed::No(Stale::Order(record)) => return again(account_id, wanted, *record),
                // The refusal carries the account as it is now: one more try without a read.
                Committed::No(Stale::Account(account)) if tries == 0 => {
                    seen.account = Some(*account);
                }
                Committed::No(_) => {
                    pause_before_retry(tries).await;
                    seen = self.table.seen(&wanted.order_id, account_id).await?;
                }
            }
        }
        Err(Unavailable::Busy.into())
    }

    async fn admit(
        &self,
        wanted: &Transfer,
        written: WrittenAmount,
        money: Money,
        now: Timestamp,
    ) -> Result<(), Error> {
        let catalogue = self.catalogue.get(&self.table, now).await?;
        let target = Target::Product(wanted.product.clone());
        catalogue.admit(&target, Method::Balance, money)?;
        Ok(written.check(money.currency)?)
    }
}

/// The order by which this key moved money before, if it is the same transfer.
fn again(account: &AccountId, wanted: &Transfer, record: OrderRecord) -> Result<Made, Error> {
    let order = &record.order;
    let same = order.account == *account
        && order.method == Method::Balance
        && order.target == Target::Product(wanted.product.clone())
        && order.amount.amount == wanted.amount;
    match same {
        true => Ok(Made::Before(Box::new(record))),
        false => Err(Error::KeyReused),
    }
}
