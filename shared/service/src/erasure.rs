//! Personal data of an account, erased while its journal stays whole: the journal holds none.
//!
//! What customers wrote is in documents beside it: the words of their orders, their reports of bank
//! transfers, the files that they uploaded, and the account's name. What the books need stays: amounts,
//! times, statuses, the references of payments, who decided.

use std::collections::BTreeSet;

use ledger::{
    Account, AccountId, AccountStatus, Actor, Dispute, DisputeStatus, OrderId, OrderStatus,
    Timestamp, Verdict,
};

use crate::accounts::{AccountChange, Profile, change_account, known_account};
use crate::error::{Error, Unavailable};
use crate::record::{OrderRecord, RequestWords, proof_folder};
use crate::table::{
    Commit, Committed, MAX_COMMIT_TRIES, OrderRange, Position, Table, pause_before_retry,
};

/// Orders or findings a page: as many as one batch reads.
const ORDERS: u8 = 100;

/// What of an account is personal, or was.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Personal {
    /// Whether the account has, or had, a name that is not its id.
    pub named: bool,
    /// Orders with words of the customer's.
    pub orders: Vec<OrderId>,
    /// Folders of the bucket with files that they uploaded, removed from it or not.
    pub folders: Vec<String>,
    /// Orders that still wait for the customer or for somebody else, or whose refund or dispute is under way: nothing
    /// of them is erased before that is over.
    pub open: Vec<OrderId>,
}

/// What is personal in the orders of an account; nothing is changed.
///
/// # Errors
/// The table did not answer, or there is no such account.
pub async fn personal(table: &Table, account: &AccountId) -> Result<Personal, Error> {
    let mut found = Personal::default();
    let mut after: Option<Position> = None;
    drop(known(table, account).await?);
    found.named = match known_account(table, account).await {
        Ok(found) => found.profile.name.as_str() != account.as_str(),
        // One that cannot be read may have a name.
        Err(Error::Broken(_)) => true,
        Err(cause) => return Err(cause),
    };
    let unsettled = unsettled_orders(table).await?;
    loop {
        let range = OrderRange::default();
        let page = table.orders(account, range, after.as_ref(), ORDERS).await?;
        after = page.next_position();
        for record in page.items {
            let order = record.order.id.clone();
            if is_open(&record, &unsettled) {
                found.open.push(order);
                continue;
            }
            // Also of files that no report names any more.
            if record.order.bank_transfer.as_ref().is_some_and(|transfer| transfer.uploads > 0) {
                found.folders.push(proof_folder(&order));
            }
            if cleared(&record) != record {
                found.orders.push(order);
            }
        }
        if after.is_none() {
            return Ok(found);
        }
    }
}

/// Erases it: the account's name becomes its id, and the closed orders lose the words and reports of the customer.
/// Returns what there was, and what is still open. The files stay in the bucket until somebody removes their folders.
///
/// # Errors
/// `account_not_frozen`, so that nothing is erased of an account that is in use; the table did not answer: what
/// was erased is, and the same call goes on.
pub async fn erase(
    table: &Table,
    account: &AccountId,
    by: &Actor,
    now: Timestamp,
) -> Result<Personal, Error> {
    let known = known(table, account).await?;
    if known.status != AccountStatus::Frozen {
        let detail = format!("account {account} is in use: freeze it first");
        return Err(Error::Conflict { code: "account_not_frozen", detail });
    }
    let mut found = personal(table, account).await?;
    let unsettled = unsettled_orders(table).await?;
    for order in std::mem::take(&mut found.orders) {
        let list = match clear(table, &order, &unsettled, now).await? {
            true => &mut found.orders,
            false => &mut found.open,
        };
        list.push(order);
    }
    let name = Profile::nameless(account, by, now).name;
    let nameless = AccountChange { name: Some(name), ..AccountChange::default() };
    drop(change_account(table, account, &nameless, known.currency, by, now).await?);
    Ok(found)
}

async fn known(table: &Table, id: &AccountId) -> Result<Account, Error> {
    let account = table.account(id).await?;
    account.ok_or(Error::NotFound { what: "account" })
}

/// Writes an order without what is personal, at the version that was read; `false` if it was opened again meanwhile.
async fn clear(
    table: &Table,
    id: &OrderId,
    unsettled: &BTreeSet<OrderId>,
    now: Timestamp,
) -> Result<bool, Error> {
    for tries in 0..MAX_COMMIT_TRIES {
        let Some(record) = table.order(id).await? else {
            return Err(Error::NotFound { what: "order" });
        };
        let cleared = cleared(&record);
        // One that has become an exception meanwhile has a finding that was not looked for.
        let is_new = record.order.timeline.changed_at() > now
            && record.order.status() == OrderStatus::Exception;
        if is_new || is_open(&record, unsettled) {
            return Ok(false);
        }
        // Somebody else has cleared it.
        if cleared == record {
            return Ok(true);
        }
        match table.commit(Commit::default().order(&cleared, now)).await? {
            Committed::Yes => return Ok(true),
            Committed::No(_) => pause_before_retry(tries).await,
        }
    }
    Err(Unavailable::Busy.into())
}

/// The same order without the customer's words, reports and files.
fn cleared(record: &OrderRecord) -> OrderRecord {
    let mut record = record.clone();
    record.request = RequestWords::default();
    // Only a payment page that can still be made leads there.
    if let Some(checkout) = &mut record.checkout {
        checkout.return_url.clear();
    }
    if let Some(transfer) = &mut record.order.bank_transfer {
        transfer.report = None;
        transfer.proofs.clear();
        for review in &mut transfer.reviews {
            if let Verdict::Rejected(rejection) = &mut review.verdict {
                rejection.report = None;
                rejection.proofs.clear();
            }
        }
    }
    record
}

/// The orders that open findings are about.
async fn unsettled_orders(table: &Table) -> Result<BTreeSet<OrderId>, Error> {
    let (mut unsettled, mut after) = (BTreeSet::new(), None);
    loop {
        let page = table.findings(true, after.as_ref(), ORDERS).await?;
        after = page.next_position();
        unsettled.extend(page.items.into_iter().filter_map(|record| record.finding.order));
        if after.is_none() {
            return Ok(unsettled);
        }
    }
}

/// Whether the customer or somebody else may still do something about it. An exception is over once a person has
/// closed its finding, whatever they did about it.
fn is_open(record: &OrderRecord, unsettled: &BTreeSet<OrderId>) -> bool {
    let reversals = &record.order.reversals;
    let disputed =
        |one: &Dispute| matches!(one.status(), DisputeStatus::Inquiry | DisputeStatus::Open);
    if record.order.pending_refund().is_some() || reversals.disputes.iter().any(disputed) {
        return true;
    }
    match record.order.status() {
        OrderStatus::PendingPayment | OrderStatus::Processing | OrderStatus::PendingReview => true,
        OrderStatus::Exception => unsettled.contains(&record.order.id),
        OrderStatus::Completed
        | OrderStatus::Rejected
        | OrderStatus::Failed
        | OrderStatus::Cancelled
        | OrderStatus::Expired
        | OrderStatus::PartiallyRefunded
        | OrderStatus::Refunded => false,
    }
}
