//! Payment pages: made from parameters that were stored before, by whoever comes first.

use std::time::Duration;

use ledger::{Order, Timestamp};

use crate::error::{BrokenRecord, Error, Unavailable};
use crate::record::{Checkout, OrderRecord};
use crate::stripe::{CallFailed, Stripe, Wire};
use crate::table::{Commit, Committed, MAX_COMMIT_TRIES, Stale, Table, pause_before_retry};

/// How long a payment page is open. Stripe's limit is 24 hours from when it *receives* the request.
pub(crate) const PAGE_TIME: Duration = Duration::from_secs(23 * 3_600 + 50 * 60);
/// How long a card order can be paid; never shorter than its page is open.
pub(crate) const ORDER_TIME: Duration = Duration::from_secs(24 * 3_600);
/// Stripe refuses a page that closes within 30 minutes; a minute more, for the clocks.
pub(crate) const SHORTEST_PAGE_TIME: Duration = Duration::from_secs(31 * 60);
/// How often Stripe is called for one request.
const MAX_CALLS: u32 = 3;
const PAUSE_BETWEEN_CALLS: Duration = Duration::from_millis(200);

/// The order with its payment page, if it can still be paid.
///
/// Whatever is sent to Stripe was stored before. A 5xx answer is kept by Stripe under its key,
/// so it costs an attempt; silence does not.
///
/// # Errors
/// [`Error::Unavailable`]: the page may exist, and the next call goes on. [`Error::Broken`] if Stripe
/// refuses what this service composed.
pub(crate) async fn with_page<W: Wire>(
    table: &Table,
    stripe: &Stripe<W>,
    record: OrderRecord,
    now: Timestamp,
) -> Result<OrderRecord, Error> {
    let mut record = record;
    let mut last = Unavailable::Busy;
    let mut calls = 0;
    while let Some(checkout) = unfinished(&record) {
        if checkout.expires_at < now.plus(SHORTEST_PAGE_TIME) {
            record = stored(table, with_next_attempt(&record, now), now).await?;
            continue;
        }
        if calls == MAX_CALLS {
            return Err(last.into());
        }
        if calls > 0 {
            tokio::time::sleep(PAUSE_BETWEEN_CALLS.saturating_mul(calls)).await;
        }
        calls = calls.saturating_add(1);
        match stripe.create_session(&record, now).await {
            Ok(session) => {
                let checkout = Checkout { session: Some(session), ..checkout.clone() };
                let next = OrderRecord { checkout: Some(checkout), ..record.clone() };
                record = stored(table, next, now).await?;
            }
            Err(CallFailed::Repeat(why)) => last = Unavailable::Provider(why),
            // Of two pages, the customer is shown one.
            Err(CallFailed::NextAttempt(why) | CallFailed::Unclear(why)) => {
                last = Unavailable::Provider(why);
                record = stored(table, with_next_attempt(&record, now), now).await?;
            }
            Err(CallFailed::Missing(why) | CallFailed::Refused(why)) => {
                return Err(BrokenRecord::Provider(why).into());
            }
        }
    }
    Ok(record)
}

/// Writes an order; if somebody else did, theirs is the one that counts.
async fn stored(table: &Table, record: OrderRecord, now: Timestamp) -> Result<OrderRecord, Error> {
    for tries in 0..MAX_COMMIT_TRIES {
        match table.commit(Commit::default().order(&record, now)).await? {
            Committed::Yes => return Ok(record.written(now)),
            Committed::No(Stale::Order(current)) => return Ok(*current),
            Committed::No(_) => pause_before_retry(tries).await,
        }
    }
    Err(Unavailable::Busy.into())
}

/// The parameters of a page that is to be made.
fn unfinished(record: &OrderRecord) -> Option<&Checkout> {
    let checkout = record.checkout.as_ref()?;
    (record.order.is_payable() && checkout.session.is_none()).then_some(checkout)
}

/// The order with other parameters, which need another key. The page that the earlier ones may
/// have made was never shown to anybody.
fn with_next_attempt(record: &OrderRecord, now: Timestamp) -> OrderRecord {
    let checkout = record.checkout.as_ref().map(|checkout| Checkout {
        attempt: checkout.attempt.saturating_add(1),
        expires_at: now.plus(PAGE_TIME),
        session: None,
        ..checkout.clone()
    });
    let order = Order { expires_at: Some(now.plus(ORDER_TIME)), ..record.order.clone() };
    OrderRecord { order, checkout, ..record.clone() }
}
