//! What runs by the clock: what no webhook ever told is found out, and orders whose time is over are
//! closed. Dropping every webhook only delays a credit.
//!
//! Work is found in the `by_due` index, in shards and bounded pages; each order is read again and
//! decided on by its own rule, so that it does not matter how often, or how late, the sweep comes.
//! When its time is up it stores where it stopped, and the next sweep goes on from there: in turn,
//! every order is looked at, however many there are.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use ledger::{AccountId, HoldId, Method, OrderId, Timestamp};
use tokio::time::{Instant, timeout};
use tracing::{error, info, warn};

use crate::error::{Error, Unavailable};
use crate::events::EventRecord;
use crate::holds;
use crate::metrics;
use crate::notice::{Notice, What};
use crate::pages::{ORDER_TIME, SHORTEST_PAGE_TIME, with_page};
use crate::payments::{self, Confirmed};
use crate::record::{HoldRecord, OrderRecord};
use crate::refunds::Refunds;
use crate::stripe::{Closed, Https, PageState, Stripe, Wire};
use crate::table::{Commit, Committed, Position, SHARDS, Table};

/// How long an open card order is left to its webhook.
const QUIET_TIME: Duration = Duration::from_secs(3 * 60);
/// Awaited transfers or holds a page.
const PAGE: u8 = 50;
/// Card orders, refunds or events a page, and how many of them are asked for at a time. With the time of one order,
/// a page ends within 40 seconds after the sweep's own time is up.
const CARD_PAGE: u8 = 16;
const AT_ONCE: usize = 8;
const TIME_OF_ONE: Duration = Duration::from_secs(20);

/// How long an event that a sweep gave the queue is left to it.
const TOLD_AGAIN_AFTER: Duration = Duration::from_secs(15 * 60);

/// Everything that a sweep touches.
#[derive(Debug)]
pub struct Sweeps<W: Wire = Https> {
    /// Where refunds are continued, with its table and its way to Stripe.
    pub refunds: Refunds<W>,
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Open card orders that were looked at.
    pub looked_at: u32,
    /// Payments that were credited, and that nobody had told in the minutes that a webhook is left.
    pub credited: u32,
    /// Orders whose time was over, or which were to be cancelled, and that were closed unpaid; or to
    /// which something else happened that nobody had told, as a payment of a moment ago.
    pub recorded: u32,
    /// Payments that disagree with their order.
    pub found: u32,
    /// Holds whose time was over, and that were closed.
    pub holds: u32,
    /// Orders with refunds that waited for the provider, and that it told more about now.
    pub refunds: u32,
    /// Events that were still to be told, and that the queue was given again.
    pub told: u32,
    /// Orders and holds that could not be finished now: a later sweep sees them again.
    pub left: u32,
    /// Whether everything that was due was looked at, by this sweep and those that it went on from; if not, the
    /// next one goes on.
    pub complete: bool,
}

/// Where a sweep stopped: of card orders and, apart from them, of refunds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SweepCursor {
    /// How often it was written; 0 before the first time.
    pub version: u64,
    /// The shard that comes next.
    pub shard: u64,
    /// The position in it after which the sweep goes on; none is its beginning.
    pub after: Option<Position>,
    /// The refund after which the next sweep goes on; none is the oldest.
    pub refunds: Option<Position>,
}

/// Whether the provider said how anything stands.
#[derive(Debug, Default)]
struct Answers {
    /// Whether it did so for an order.
    given: bool,
    /// Why it did not for another one.
    missing: Option<Unavailable>,
}

impl Answers {
    /// Notes what stood in the way of an answer, if it was one of the provider's.
    fn lack(&mut self, cause: Error) {
        if let Error::Unavailable(cause) = cause
            && is_outage(&cause)
        {
            self.missing = Some(cause);
        }
    }

    /// Why the sweep has failed: there was something to ask, and nothing was answered.
    fn outage(self) -> Option<Unavailable> {
        self.missing.filter(|_| !self.given)
    }
}

/// Whether the provider said how it stands, whatever became of that.
fn was_answered<T>(outcome: &Result<T, Error>) -> bool {
    !matches!(outcome, Err(Error::Unavailable(cause)) if is_outage(cause))
}

/// Whether the provider was not reached, or did not say.
const fn is_outage(cause: &Unavailable) -> bool {
    matches!(cause, Unavailable::Provider(_) | Unavailable::Secret(_) | Unavailable::Slow)
}

/// A part's share of a sweep's time: when it is used up, the part stops at its next page.
#[derive(Debug)]
struct Share {
    until: Option<Instant>,
    begun: bool,
}

impl Share {
    /// The time divided by so many, from now on.
    fn of(time: Duration, parts: u32) -> Self {
        let share = time.checked_div(parts).unwrap_or_default();
        Self { until: Instant::now().checked_add(share), begun: false }
    }

    /// Whether there is time for a page. There always is for the first.
    fn has_time(&mut self) -> bool {
        let begun = std::mem::replace(&mut self.begun, true);
        !begun || self.until.is_none_or(|until| Instant::now() < until)
    }
}

impl<W: Wire> Sweeps<W> {
    /// Sweeps for so long, and at least one page of card orders.
    ///
    /// # Errors
    /// The table did not answer, or an item cannot be read, or nothing was answered of all that the provider was asked
    /// for: what was done is done, and the next sweep goes on.
    pub async fn run(&self, time: Duration, now: Timestamp) -> Result<Swept, Error> {
        let cards = Share::of(time, 1);
        let (mut swept, mut answers) = (Swept::default(), Answers::default());
        let told = self.tell_events(Share::of(time, 5), now, &mut swept).await;
        let transfers = self.close_overdue_transfers(Share::of(time, 5), now, &mut swept).await?;
        let begun = self.table().sweep_cursor().await?;
        let share = Share::of(time, 3);
        let from = begun.refunds.clone();
        let refunds = self.continue_refunds(from, share, now, &mut swept, &mut answers).await?;
        let stopped = self.sweep_cards(&begun, cards, now, &mut swept, &mut answers).await?;
        metrics::paid_not_credited(swept.credited.into());
        swept.complete = told && transfers && refunds.is_none() && stopped.is_none();
        let (shard, after) = stopped.unwrap_or_default();
        let next = SweepCursor { version: begun.version, shard, after, refunds };
        if next != begun {
            // If another sweep has stored its own place, that one is as good.
            drop(self.table().commit(Commit::default().sweep_cursor(&next)).await?);
        }
        // After that: a sweep that is stopped here has not lost its place.
        let holds = self.close_overdue_holds(Share::of(time, 5), now, &mut swept).await;
        swept.complete = swept.complete && holds;
        match answers.outage() {
            Some(outage) => Err(outage.into()),
            None => Ok(swept),
        }
    }

    /// Closes the orders that awaited a bank transfer which nobody reported in time. Each sweep begins with another
    /// shard. Returns whether that was all of them.
    async fn close_overdue_transfers(
        &self,
        mut share: Share,
        now: Timestamp,
        swept: &mut Swept,
    ) -> Result<bool, Error> {
        for shard in shards_from(now) {
            let mut after = None;
            loop {
                if !share.has_time() {
                    return Ok(false);
                }
                let page = self.table().awaited_transfers(shard, Some(now), after.as_ref(), PAGE);
                let page = page.await?;
                after = page.next_position();
                let closing = stream::iter(page.items).map(|record| async move {
                    let (account, order) = (record.order.account.clone(), record.order.id.clone());
                    (account, order, self.overdue(record, now).await)
                });
                let mut closing = closing.buffer_unordered(AT_ONCE);
                while let Some((account, order, closed)) = closing.next().await {
                    count_transfer(&account, &order, closed, swept);
                }
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(true)
    }

    /// Closes the holds whose time is over, last: nobody waits for it, since every rule counts their money as
    /// free. Each sweep begins with another shard. Returns whether that was all of them.
    async fn close_overdue_holds(
        &self,
        mut share: Share,
        now: Timestamp,
        swept: &mut Swept,
    ) -> bool {
        let mut all = true;
        for shard in shards_from(now) {
            let mut after = None;
            loop {
                if !share.has_time() {
                    return false;
                }
                let page = self.table().overdue_holds(shard, now, after.as_ref(), PAGE).await;
                let page = match page {
                    Ok(page) => page,
                    Err(cause) => {
                        // Those of this shard wait; the others, and all that came before, do not.
                        skipped(shard, "holds", &cause);
                        all = false;
                        break;
                    }
                };
                after = page.next_position();
                let mut accounts = BTreeSet::new();
                let new = |record: &HoldRecord| accounts.insert(record.hold.account.clone());
                // The first of an account writes it, for all of them; the others have nothing left to win a race for.
                let (first, others): (Vec<_>, Vec<_>) = page.items.into_iter().partition(new);
                self.close_holds(first, now, swept).await;
                self.close_holds(others, now, swept).await;
                if after.is_none() {
                    break;
                }
            }
        }
        all
    }

    async fn close_holds(&self, records: Vec<HoldRecord>, now: Timestamp, swept: &mut Swept) {
        let closing = stream::iter(records).map(|record| async move {
            let (account, hold) = (record.hold.account.clone(), record.hold.id.clone());
            (account, hold, holds::expire(self.table(), record, now).await)
        });
        let mut closing = closing.buffer_unordered(AT_ONCE);
        while let Some((account, hold, closed)) = closing.next().await {
            count_hold(&account, &hold, closed, swept);
        }
    }

    /// Gives the queue the events that are still to be told: it did not take them, it lost them, or they wait
    /// longer than a message can. First of all, since nothing else that fails may stop it; each sweep begins with
    /// another shard. Returns whether that was all of them.
    async fn tell_events(&self, mut share: Share, now: Timestamp, swept: &mut Swept) -> bool {
        if !self.table().tells() {
            return true;
        }
        let mut all = true;
        for shard in shards_from(now) {
            let mut after = None;
            loop {
                if !share.has_time() {
                    return false;
                }
                let page = self.table().untold_events(shard, now, after.as_ref(), CARD_PAGE).await;
                let page = match page {
                    Ok(page) => page,
                    Err(cause) => {
                        skipped(shard, "events", &cause);
                        all = false;
                        break;
                    }
                };
                after = page.next_position();
                self.tell_page(page.items, now, swept).await;
                if after.is_none() {
                    break;
                }
            }
        }
        all
    }

    async fn tell_page(&self, records: Vec<EventRecord>, now: Timestamp, swept: &mut Swept) {
        let mut untold = records;
        // The index may still name what has ended.
        untold.retain(|record| record.due.is_some_and(|due| due <= now));
        let ids: Vec<_> = untold.iter().map(|record| record.event.id.clone()).collect();
        let taken = self.table().tell(&ids).await;
        untold.retain(|record| taken.contains(&record.event.id));
        // For a while no other sweep sees them: a queue that is behind is not filled with the same again.
        let due = Some(now.plus(TOLD_AGAIN_AFTER));
        let telling = stream::iter(untold).map(|record| async move {
            let next = EventRecord { due, ..record };
            let committed = self.table().commit(Commit::default().told(&next)).await;
            (next.event.id, committed)
        });
        let mut telling = telling.buffer_unordered(AT_ONCE);
        while let Some((event_id, committed)) = telling.next().await {
            match committed {
                Ok(Committed::Yes) => swept.told = swept.told.saturating_add(1),
                // Whoever wrote it meanwhile has told it.
                Ok(Committed::No(_)) => {}
                Err(cause) => warn!(%event_id, %cause, "an event that the next sweep tells again"),
            }
        }
    }

    /// Closes one order whose transfer nobody reported in time; `None` if its time is not over.
    async fn overdue(
        &self,
        record: OrderRecord,
        now: Timestamp,
    ) -> Result<Option<Committed>, Error> {
        let Some(order) = ledger::transfer_overdue(&record.order, now)? else { return Ok(None) };
        let next = OrderRecord { order, ..record };
        self.table().commit(Commit::default().order(&next, now)).await.map(Some)
    }

    /// Goes once around all shards from where the last sweep stopped. Returns where this one stopped,
    /// if its time was up before.
    async fn sweep_cards(
        &self,
        begun: &SweepCursor,
        mut share: Share,
        now: Timestamp,
        swept: &mut Swept,
        answers: &mut Answers,
    ) -> Result<Option<(u64, Option<Position>)>, Error> {
        // An order's time ends so long after it was made, or got new parameters.
        let until = now.plus(ORDER_TIME.saturating_sub(QUIET_TIME));
        let mut after = begun.after.clone();
        // A shard that is begun in its middle comes once more at the end, from its beginning.
        let rounds = if after.is_some() { SHARDS.saturating_add(1) } else { SHARDS };
        for round in 0..rounds {
            let shard = begun.shard.saturating_add(round).checked_rem(SHARDS).unwrap_or_default();
            loop {
                if !share.has_time() {
                    return Ok(Some((shard, after)));
                }
                let page =
                    self.table().open_card_orders(shard, until, after.as_ref(), CARD_PAGE).await?;
                after = page.next_position();
                self.sweep_page(page.items, now, swept, answers).await;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(None)
    }

    /// Sweeps some orders side by side. One that fails does not stop the others.
    async fn sweep_page(
        &self,
        records: Vec<OrderRecord>,
        now: Timestamp,
        swept: &mut Swept,
        answers: &mut Answers,
    ) {
        let sweeping = stream::iter(records).map(|record| async move {
            let (account, order) = (record.order.account.clone(), record.order.id.clone());
            let checkout = record.checkout.as_ref();
            let asks = record.order.status().is_open()
                && checkout.is_some_and(|checkout| checkout.session.is_some());
            let late = |_| Err(Unavailable::Slow.into());
            let outcome = timeout(TIME_OF_ONE, self.sweep_card(record, now)).await;
            (account, order, asks, outcome.unwrap_or_else(late))
        });
        let mut sweeping = sweeping.buffer_unordered(AT_ONCE);
        while let Some((account_id, order_id, asks, outcome)) = sweeping.next().await {
            swept.looked_at = swept.looked_at.saturating_add(1);
            // Others end without a word of the provider.
            answers.given = answers.given || asks && was_answered(&outcome);
            let count = match outcome {
                Ok(
                    Confirmed::Unchanged | Confirmed::AlreadyCredited | Confirmed::LeftToItsFinding,
                ) => {
                    continue;
                }
                Ok(Confirmed::Found(kind)) => {
                    let finding = kind.name();
                    error!(%account_id, %order_id, finding, "money and records disagree");
                    &mut swept.found
                }
                Ok(confirmed) => {
                    let outcome = confirmed.name();
                    info!(%account_id, %order_id, outcome, "found out by the sweep");
                    match confirmed {
                        Confirmed::Credited => &mut swept.credited,
                        _ => &mut swept.recorded,
                    }
                }
                Err(Error::Broken(cause)) => {
                    error!(%account_id, %order_id, %cause, "the order cannot be swept");
                    &mut swept.left
                }
                Err(cause) => {
                    warn!(%account_id, %order_id, %cause, "to be swept later");
                    answers.lack(cause);
                    &mut swept.left
                }
            };
            *count = count.saturating_add(1);
        }
    }

    /// Asks Stripe how one order stands, and acts on it as on a webhook. Its page is closed before
    /// the order is.
    async fn sweep_card(&self, record: OrderRecord, now: Timestamp) -> Result<Confirmed, Error> {
        let order = &record.order;
        // The index may still name what has ended.
        let open = order.method == Method::Card && order.status().is_open();
        let Some(checkout) = record.checkout.as_ref().filter(|_| open) else {
            return Ok(Confirmed::Unchanged);
        };
        let ends = checkout.expires_at <= now || order.cancel_request.is_some();
        let Some(session) = checkout.session.as_ref().map(|session| session.id.clone()) else {
            if ends {
                return self.page_expired(&record, String::new(), now).await;
            }
            // Whether a page was made was never told: the same parameters with the same key tell.
            // An order that nobody comes back for must not be given new ones for ever.
            let young = now < order.created_at.plus(ORDER_TIME);
            let possible = checkout.expires_at >= now.plus(SHORTEST_PAGE_TIME);
            return match young && possible {
                true => {
                    with_page(self.table(), self.stripe(), record, now).await?;
                    Ok(Confirmed::Recorded)
                }
                false => Ok(Confirmed::Unchanged),
            };
        };
        let state = match self.stripe().look(&record, &session, now).await? {
            PageState::Open if ends => match self.stripe().close(&record, &session, now).await? {
                Closed::Unpaid => PageState::Expired,
                Closed::Completed(notice) => PageState::Completed(notice),
            },
            state => state,
        };
        match state {
            PageState::Open => Ok(Confirmed::Unchanged),
            PageState::Expired => self.page_expired(&record, session, now).await,
            PageState::Completed(notice) => {
                let confirmed = payments::confirm(self.table(), &notice, now).await?;
                Ok(match confirmed {
                    // Its webhook may still be on its way: that is nothing to ring for.
                    Confirmed::Credited if paid_just_now(&notice, now) => {
                        let order_id = &record.order.id;
                        info!(%order_id, "credited by the sweep, moments after it was paid");
                        Confirmed::Recorded
                    }
                    confirmed => confirmed,
                })
            }
        }
    }

    /// Finds out how the refunds stand that wait for the provider, the oldest first, from where the last sweep
    /// stopped: some that hang keep no other from its turn. Returns where this one stopped, if its time was up before.
    async fn continue_refunds(
        &self,
        begun: Option<Position>,
        mut share: Share,
        now: Timestamp,
        swept: &mut Swept,
        answers: &mut Answers,
    ) -> Result<Option<Position>, Error> {
        let until = now.minus(QUIET_TIME);
        let mut after = begun;
        while share.has_time() {
            let page = self.table().pending_refunds(until, after.as_ref(), CARD_PAGE).await?;
            after = page.next_position();
            self.continue_page(page.items, now, swept, answers).await;
            if after.is_none() {
                break;
            }
        }
        Ok(after)
    }

    async fn continue_page(
        &self,
        records: Vec<OrderRecord>,
        now: Timestamp,
        swept: &mut Swept,
        answers: &mut Answers,
    ) {
        // The index may still name what has ended.
        let waiting = records.into_iter().filter(|record| record.order.pending_refund().is_some());
        let continuing = stream::iter(waiting).map(|record| async move {
            let (order, version) = (record.order.clone(), record.version);
            let late = |_| Err(Unavailable::Slow.into());
            let outcome = timeout(TIME_OF_ONE, self.refunds.continue_all(record, now)).await;
            (order, version, outcome.unwrap_or_else(late))
        });
        let mut continuing = continuing.buffer_unordered(AT_ONCE);
        while let Some((order, version, outcome)) = continuing.next().await {
            let (account_id, order_id) = (&order.account, &order.id);
            answers.given = answers.given || was_answered(&outcome);
            let count = match outcome {
                Ok(record) if record.version == version => continue,
                Ok(_) => {
                    info!(%account_id, %order_id, "a refund was continued by the sweep");
                    &mut swept.refunds
                }
                Err(Error::Broken(cause)) => {
                    error!(%account_id, %order_id, %cause, "the refund cannot be continued");
                    &mut swept.left
                }
                Err(cause) => {
                    warn!(%account_id, %order_id, %cause, "a refund to be continued later");
                    answers.lack(cause);
                    &mut swept.left
                }
            };
            *count = count.saturating_add(1);
        }
    }

    const fn table(&self) -> &Table {
        &self.refunds.table
    }

    const fn stripe(&self) -> &Stripe<W> {
        &self.refunds.stripe
    }

    async fn page_expired(
        &self,
        record: &OrderRecord,
        session: String,
        now: Timestamp,
    ) -> Result<Confirmed, Error> {
        let notice = Notice {
            id: format!("sweep:{}", record.order.id),
            account: record.order.account.clone(),
            order: record.order.id.clone(),
            what: What::PageExpired { session },
        };
        payments::confirm(self.table(), &notice, now).await
    }
}

/// Says that a page of a shard could not be read; the next sweep reads it.
fn skipped(shard: u64, of: &str, cause: &Error) {
    match cause {
        Error::Unavailable(cause) => warn!(shard, of, %cause, "a shard to be swept later"),
        cause => error!(shard, of, %cause, "a shard cannot be swept"),
    }
}

fn paid_just_now(notice: &Notice, now: Timestamp) -> bool {
    matches!(&notice.what, What::Paid(payment) if payment.paid_at > now.minus(QUIET_TIME))
}

/// All shards, from another one on in each sweep: if the time is up before the last, it is not always the same ones that wait.
fn shards_from(now: Timestamp) -> impl Iterator<Item = u64> {
    let minutes = u64::try_from(now.unix_millis().div_euclid(60_000)).unwrap_or_default();
    let of = move |round: u64| minutes.wrapping_add(round).checked_rem(SHARDS).unwrap_or_default();
    (0..SHARDS).map(of)
}

fn count_transfer(
    account_id: &AccountId,
    order_id: &OrderId,
    closed: Result<Option<Committed>, Error>,
    swept: &mut Swept,
) {
    let count = match closed {
        Ok(None) => return,
        Ok(Some(Committed::Yes)) => &mut swept.recorded,
        Ok(Some(Committed::No(_))) => &mut swept.left,
        Err(Error::Broken(cause)) => {
            error!(%account_id, %order_id, %cause, "the order cannot be closed");
            &mut swept.left
        }
        Err(cause) => {
            warn!(%account_id, %order_id, %cause, "an order to be closed later");
            &mut swept.left
        }
    };
    *count = count.saturating_add(1);
}

fn count_hold(
    account_id: &AccountId,
    hold_id: &HoldId,
    closed: Result<bool, Error>,
    swept: &mut Swept,
) {
    let count = match closed {
        Ok(false) => return,
        Ok(true) => &mut swept.holds,
        Err(Error::Unavailable(cause)) => {
            warn!(%account_id, %hold_id, %cause, "a hold to be closed later");
            &mut swept.left
        }
        Err(cause) => {
            error!(%account_id, %hold_id, %cause, "the hold cannot be closed");
            &mut swept.left
        }
    };
    *count = count.saturating_add(1);
}
