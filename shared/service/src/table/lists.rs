//! Lists: a page of an index that names items, and those items as they are now.

use std::cmp::Reverse;
use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use ledger::{AccountId, Adjustment, OrderStatus, Timestamp};
use tracing::error;

use super::items::{
    self, AccountItem, AdjustmentItem, COMPARISONS, ComparisonItem, EventItem, FindingItem,
    HoldItem, KeyItem, Keyed, OrderItem, ProfileItem, SHARDS, STATEMENTS, StatementItem,
    adjustments_listed_under, findings_listed_under, holds_listed_under,
};
#[cfg(feature = "stripe")]
use super::items::{PaymentItem, ReversalItem};
use super::read::key;
use super::{Item, Table, unavailable};
use crate::accounts::KnownAccount;
use crate::comparison::Comparison;
use crate::error::{BrokenRecord, Error};
use crate::events::Event;
#[cfg(feature = "stripe")]
use crate::events::EventRecord;
use crate::findings::FindingRecord;
use crate::keys::{ApiKey, KeyOwner};
use crate::record::{EntryPage, HoldRecord, OrderRecord, Page, Statement};
#[cfg(feature = "stripe")]
use crate::record::{PaymentClaim, ReversalClaim};
use crate::stamp;

/// Where a page starts: the index position after which it continues, a time and an id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(String);

impl<T> Page<T> {
    /// Where the next page starts, for whoever reads on; none at the end.
    pub(crate) fn next_position(&self) -> Option<Position> {
        self.next.as_deref().and_then(Position::parse)
    }
}

/// The moments between which orders are listed, both included.
#[derive(Debug, Clone, Copy, Default)]
pub struct OrderRange {
    /// No order older than this.
    pub from: Option<Timestamp>,
    /// No order newer than this.
    pub to: Option<Timestamp>,
}

/// A part of one day, from a moment on and before another.
#[cfg(feature = "stripe")]
#[derive(Debug, Clone, Copy)]
pub struct PartOfDay {
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

#[cfg(feature = "stripe")]
impl PartOfDay {
    fn listing(self, partition: String, kind: (&'static str, &'static str)) -> Listing {
        // What is of the last millisecond has an id behind it, which sorts before the next.
        let (from, to) = (stamp::format(self.from), stamp::format(self.to));
        Listing { index: BY_DUE, partition, kind, from, to, newest_first: false }
    }
}

/// An index and the names of its key.
#[derive(Clone, Copy)]
struct Index {
    name: &'static str,
    partition: &'static str,
    sort: &'static str,
}

const BY_TIME: Index = Index { name: "by_time", partition: "listed_under", sort: "listed_at" };
const BY_DUE: Index = Index { name: "by_due", partition: "due_queue", sort: "due_at" };

/// What of an index is read, in which order.
struct Listing {
    index: Index,
    partition: String,
    /// The kind of the items' partition key, and their sort key.
    kind: (&'static str, &'static str),
    from: String,
    to: String,
    newest_first: bool,
}

/// A page of an index: the keys of items with their positions, and where the next page starts.
struct Keys {
    found: Vec<(Position, Item)>,
    next: Option<Position>,
}

/// Sorts before every position, and after every position.
const FIRST: &str = "!";
const LAST: &str = "~";

impl Position {
    /// Reads a position that a [`Page`] gave out.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (at, id) = text.split_once('#')?;
        (stamp::parse(at).is_some() && !id.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The text that [`Position::parse`] reads.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The position of what was made at this time and has this id.
    #[must_use]
    pub(crate) fn of(at: Timestamp, id: &str) -> Self {
        Self(items::due_at(at, id))
    }

    fn start_key(&self, listing: &Listing) -> Item {
        let id = self.0.split_once('#').map_or("", |(_, id)| id);
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let (kind, sort_key) = listing.kind;
        HashMap::from([
            ("pk".to_owned(), text(&items::partition_key(kind, id))),
            ("sk".to_owned(), text(sort_key)),
            (listing.index.partition.to_owned(), text(&listing.partition)),
            (listing.index.sort.to_owned(), text(&self.0)),
        ])
    }
}

impl Listing {
    /// Everything that was made, newest first.
    fn by_time(partition: String, kind: (&'static str, &'static str)) -> Self {
        let (from, to) = (FIRST.to_owned(), LAST.to_owned());
        Self { index: BY_TIME, partition, kind, from, to, newest_first: true }
    }

    /// All accounts of a shard, newest first.
    fn accounts(shard: u64) -> Self {
        let kind = (AccountItem::SORT_KEY, ProfileItem::SORT_KEY);
        Self::by_time(items::accounts_listed_under(shard), kind)
    }

    /// Everything that waits, first what comes first; orders, unless the kind is replaced.
    fn by_due(partition: String) -> Self {
        let (from, to) = (FIRST.to_owned(), LAST.to_owned());
        let kind = (OrderItem::SORT_KEY, OrderItem::SORT_KEY);
        Self { index: BY_DUE, partition, kind, from, to, newest_first: false }
    }
}

impl Table {
    /// A page of an account's orders, newest first.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`] or an unreadable item.
    pub async fn orders(
        &self,
        account: &AccountId,
        range: OrderRange,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Page<OrderRecord>, Error> {
        let from = stamp::format(range.from.unwrap_or(Timestamp::from_unix_millis(0)));
        // '~' sorts after every id, so that the last millisecond is included.
        let to = range.to.map_or_else(|| LAST.to_owned(), |to| stamp::format(to) + LAST);
        // DynamoDB refuses a range that ends before it begins.
        if to < from {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let kind = (OrderItem::SORT_KEY, OrderItem::SORT_KEY);
        let listing = Listing::by_time(items::listed_under(account), kind);
        let (found, next) = self.page(&Listing { from, to, ..listing }, after, limit).await?;
        let orders = found.into_iter().map(items::to_order);
        let mut orders = orders.collect::<Result<Vec<_>, _>>()?;
        orders.sort_by_key(|record| Reverse((record.order.created_at, record.order.id.clone())));
        Ok(Page { items: orders, next })
    }

    /// A page of the bank transfers that a person must look at, oldest first.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`]; an item that cannot be read is left out, and rings.
    pub async fn reviews(
        &self,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Page<OrderRecord>, Error> {
        let listing = Listing::by_due(items::REVIEWS.to_owned());
        let (found, next) = self.page(&listing, after, limit).await?;
        let mut items = readable(found, items::to_order);
        // The index may still name what was decided a moment ago.
        items.retain(|record| record.order.status() == OrderStatus::PendingReview);
        let reported_at = |record: &OrderRecord| record.order.timeline.changed_at();
        items.sort_by_key(|record| (reported_at(record), record.order.id.clone()));
        Ok(Page { items, next })
    }

    /// A page of the orders in one of the 16 shards that await a bank transfer, those first whose
    /// time ends first, up to a moment.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`]; an item that cannot be read is left out, and rings.
    pub async fn awaited_transfers(
        &self,
        shard: u64,
        until: Option<Timestamp>,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Page<OrderRecord>, Error> {
        let queue = items::shard(items::AWAITED_TRANSFERS, shard);
        self.waiting(queue, until, after, limit).await
    }

    /// A page of the open card orders in one of the 16 shards, those first whose time ends first, up
    /// to a moment.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`]; an item that cannot be read is left out, and rings.
    #[cfg(feature = "stripe")]
    pub async fn open_card_orders(
        &self,
        shard: u64,
        until: Timestamp,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Page<OrderRecord>, Error> {
        let queue = items::shard(items::OPEN_ORDERS, shard);
        self.waiting(queue, Some(until), after, limit).await
    }

    /// A page of the orders with a refund that waits for the provider, the oldest first, up to a
    /// moment.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`]; an item that cannot be read is left out, and rings.
    #[cfg(feature = "stripe")]
    pub async fn pending_refunds(
        &self,
        until: Timestamp,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Page<OrderRecord>, Error> {
        self.waiting(items::PENDING_REFUNDS.to_owned(), Some(until), after, limit).await
    }

    /// A page of what waits in a due queue until a moment.
    async fn waiting(
        &self,
        queue: String,
        until: Option<Timestamp>,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Page<OrderRecord>, Error> {
        let listing = Listing::by_due(queue);
        let to = until.map_or_else(|| LAST.to_owned(), |until| stamp::format(until) + LAST);
        let (found, next) = self.page(&Listing { to, ..listing }, after, limit).await?;
        Ok(Page { items: readable(found, items::to_order), next })
    }

    /// A page of an owner's API keys, newest first.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`]; an item that cannot be read is left out, and rings.
    pub async fn api_keys(
        &self,
        owner: &KeyOwner,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Page<ApiKey>, Error> {
        let kind = (KeyItem::SORT_KEY, KeyItem::SORT_KEY);
        let listing = Listing::by_time(items::keys_listed_under(owner), kind);
        let (found, next) = self.page(&listing, after, limit).await?;
        // One that cannot be read lets nobody in, and must not hide those that somebody wants to stop.
        let mut keys = readable(found, items::to_api_key);
        keys.sort_by_key(|key| Reverse((key.created_at, key.id.clone())));
        Ok(Page { items: keys, next })
    }

    /// A page of the findings that a person must look at, or of the others, newest first.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`]; an item that cannot be read is left out, and rings.
    pub async fn findings(
        &self,
        open: bool,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Page<FindingRecord>, Error> {
        let kind = (FindingItem::SORT_KEY, FindingItem::SORT_KEY);
        let listing = Listing::by_time(findings_listed_under(open).to_owned(), kind);
        let (found, next) = self.page(&listing, after, limit).await?;
        let mut findings = readable(found, items::to_finding);
        // The index may still name what was closed a moment ago.
        findings.retain(|record| record.state.is_open() == open);
        findings.sort_by_key(|one| Reverse((one.finding.found_at, one.finding.id())));
        Ok(Page { items: findings, next })
    }

    /// A page of the adjustments of an account, newest first.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`] or an unreadable item.
    pub async fn adjustments(
        &self,
        account: &AccountId,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Page<Adjustment>, Error> {
        let kind = (AdjustmentItem::SORT_KEY, AdjustmentItem::SORT_KEY);
        let listing = Listing::by_time(adjustments_listed_under(account), kind);
        let (found, next) = self.page(&listing, after, limit).await?;
        let adjustments = found.into_iter().map(items::to_adjustment);
        let mut adjustments = adjustments.collect::<Result<Vec<_>, _>>()?;
        adjustments.sort_by_key(|one| Reverse((one.at, one.id.clone())));
        Ok(Page { items: adjustments, next })
    }

    /// A page of the holds of an account, newest first.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`] or an unreadable item.
    pub async fn holds(
        &self,
        account: &AccountId,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Page<HoldRecord>, Error> {
        let kind = (HoldItem::SORT_KEY, HoldItem::SORT_KEY);
        let listing = Listing::by_time(holds_listed_under(account), kind);
        let (found, next) = self.page(&listing, after, limit).await?;
        let holds = found.into_iter().map(items::to_hold);
        let mut holds = holds.collect::<Result<Vec<_>, _>>()?;
        holds.sort_by_key(|one| Reverse((one.hold.created_at, one.hold.id.clone())));
        Ok(Page { items: holds, next })
    }

    /// A page of the holds in one of the 16 shards whose time is over at a moment, and that nobody has
    /// closed.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`]; an item that cannot be read is left out, and rings.
    #[cfg(feature = "stripe")]
    pub async fn overdue_holds(
        &self,
        shard: u64,
        now: Timestamp,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Page<HoldRecord>, Error> {
        let listing = Listing {
            kind: (HoldItem::SORT_KEY, HoldItem::SORT_KEY),
            to: stamp::format(now) + LAST,
            ..Listing::by_due(items::shard(items::OPEN_HOLDS, shard))
        };
        let (found, next) = self.page(&listing, after, limit).await?;
        Ok(Page { items: readable(found, items::to_hold), next })
    }

    /// A page of the events of a shard that are still to be told, and whose time with the queue is over.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`].
    #[cfg(feature = "stripe")]
    pub(crate) async fn untold_events(
        &self,
        shard: u64,
        now: Timestamp,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Page<EventRecord>, Error> {
        let listing = Listing {
            kind: (EventItem::SORT_KEY, EventItem::SORT_KEY),
            to: stamp::format(now) + LAST,
            ..Listing::by_due(items::shard(items::UNTOLD_EVENTS, shard))
        };
        let (found, next) = self.page(&listing, after, limit).await?;
        Ok(Page { items: readable(found, items::to_event), next })
    }

    /// A page of the payments in one of the 16 shards that were credited in a part of a day, the oldest
    /// first.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`]; an item that cannot be read is left out, and rings.
    #[cfg(feature = "stripe")]
    pub async fn settled(
        &self,
        shard: u64,
        part: PartOfDay,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Page<PaymentClaim>, Error> {
        let kind = (PaymentItem::SORT_KEY, PaymentItem::SORT_KEY);
        let listing = part.listing(items::settled_shard(part.from, shard), kind);
        let (found, next) = self.page(&listing, after, limit).await?;
        Ok(Page { items: readable(found, items::to_payment), next })
    }

    /// A page of the refunds and disputes in one of the 16 shards whose money was taken in a part of a
    /// day, the oldest first.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`]; an item that cannot be read is left out, and rings.
    #[cfg(feature = "stripe")]
    pub async fn reversed(
        &self,
        shard: u64,
        part: PartOfDay,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Page<ReversalClaim>, Error> {
        let kind = (ReversalItem::SORT_KEY, ReversalItem::SORT_KEY);
        let listing = part.listing(items::reversed_shard(part.from, shard), kind);
        let (found, next) = self.page(&listing, after, limit).await?;
        Ok(Page { items: readable(found, items::to_reversal), next })
    }

    /// A page of the comparisons with the provider, the latest day first.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`] or an unreadable item.
    pub async fn comparisons(
        &self,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Page<Comparison>, Error> {
        let kind = (ComparisonItem::SORT_KEY, ComparisonItem::SORT_KEY);
        let listing = Listing::by_time(COMPARISONS.to_owned(), kind);
        let (found, next) = self.page(&listing, after, limit).await?;
        let runs = found.into_iter().map(items::to_comparison);
        let mut runs = runs.collect::<Result<Vec<_>, _>>()?;
        runs.sort_by_key(|run| Reverse((run.day, run.number)));
        Ok(Page { items: runs, next })
    }

    /// A page of the uploaded statements, newest first.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`] or an unreadable item.
    pub async fn statements(
        &self,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Page<Statement>, Error> {
        let kind = (StatementItem::SORT_KEY, StatementItem::SORT_KEY);
        let listing = Listing::by_time(STATEMENTS.to_owned(), kind);
        let (found, next) = self.page(&listing, after, limit).await?;
        let statements = found.into_iter().map(items::to_statement);
        let mut statements = statements.collect::<Result<Vec<_>, _>>()?;
        statements.sort_by_key(|one| Reverse((one.imported_at, one.id.clone())));
        Ok(Page { items: statements, next })
    }

    /// A page of all accounts, newest first: the shards of the list are read side by side.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`]; an item that cannot be read is left out, and rings.
    pub async fn accounts(
        &self,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Page<KnownAccount>, Error> {
        let shards = (0..SHARDS).map(|shard| self.accounts_of(shard, after, limit));
        let shards = try_join_all(shards).await?;
        // Beyond the place where the first shard stops, it is not known what comes next.
        let mut next = shards.iter().filter_map(|keys| keys.next.clone()).max();
        let mut found: Vec<_> = shards.into_iter().flat_map(|keys| keys.found).collect();
        found.retain(|(position, _)| Some(position) != after && Some(position) >= next.as_ref());
        found.sort_by(|(one, _), (other, _)| other.cmp(one));
        if found.len() > limit.into() {
            found.truncate(limit.into());
            next = found.last().map(|(position, _)| position.clone());
        }
        let profiles = found.into_iter().map(|(_, key)| key);
        let keys: Vec<Item> =
            profiles.flat_map(|profile| [account_of(&profile), profile]).collect();
        let found = self.batch(keys).await?.into_iter();
        let (profiles, accounts) =
            found.partition(|item| items::kind(item) == ProfileItem::SORT_KEY);
        let mut profiles = readable(profiles, items::to_profile);
        let accounts = readable(accounts, items::to_account).into_iter();
        let mut accounts: HashMap<_, _> =
            accounts.map(|account| (account.id.clone(), account)).collect();
        profiles.sort_by_key(|profile| Reverse((profile.created_at, profile.account.clone())));
        let items = profiles.into_iter().filter_map(|profile| {
            let account = accounts.remove(&profile.account)?;
            Some(KnownAccount { profile, account })
        });
        Ok(Page { items: items.collect(), next: next.map(|next| next.0) })
    }

    /// A page of the events of all accounts until a moment, oldest first: the shards of the list are read
    /// side by side.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`] or an unreadable item.
    pub async fn events(
        &self,
        after: Option<&Position>,
        until: Timestamp,
        limit: u8,
    ) -> Result<Page<Event>, Error> {
        let from = after.map_or_else(|| FIRST.to_owned(), |after| after.0.clone());
        let to = stamp::format(until) + LAST;
        // DynamoDB refuses a range that ends before it begins.
        if to < from {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let shards = (0..SHARDS).map(|shard| self.events_of(shard, &from, &to, limit));
        let shards = try_join_all(shards).await?;
        // Beyond the place where the first shard stops, it is not known what comes next.
        let mut next = shards.iter().filter_map(|keys| keys.next.clone()).min();
        let mut found: Vec<_> = shards.into_iter().flat_map(|keys| keys.found).collect();
        let is_known = |position: &Position| next.as_ref().is_none_or(|next| position <= next);
        found.retain(|(position, _)| Some(position) != after && is_known(position));
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        if found.len() > limit.into() {
            found.truncate(limit.into());
            next = found.last().map(|(position, _)| position.clone());
        }
        let keys = found.into_iter().map(|(_, key)| key).collect();
        let events = self.batch(keys).await?.into_iter().map(items::to_event);
        let events = events.map(|record| record.map(|record| record.event));
        let mut events = events.collect::<Result<Vec<_>, _>>()?;
        events.sort_by_key(|one| Position::of(one.at, one.id.as_str()));
        Ok(Page { items: events, next: next.map(|next| next.0) })
    }

    /// One key more than the page, since the position after which it starts may be found again.
    async fn events_of(&self, shard: u64, from: &str, to: &str, limit: u8) -> Result<Keys, Error> {
        let kind = (EventItem::SORT_KEY, EventItem::SORT_KEY);
        let listing = Listing::by_time(items::events_listed_under(shard), kind);
        let (from, to) = (from.to_owned(), to.to_owned());
        let listing = Listing { from, to, newest_first: false, ..listing };
        self.keys(&listing, None, limit.saturating_add(1)).await
    }

    async fn accounts_of(
        &self,
        shard: u64,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Keys, Error> {
        let listing = Listing::accounts(shard);
        // A position of another shard is none of this one's keys, but it is a place in its order. In
        // its own shard it is found again, and one more key makes up for it.
        let to = after.map_or(listing.to, |after| after.0.clone());
        self.keys(&Listing { to, ..listing }, None, limit.saturating_add(1)).await
    }

    /// A page of the accounts of a shard, oldest first, each with its position: those that are made
    /// meanwhile come last.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`].
    pub async fn accounts_of_shard(
        &self,
        shard: u64,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Page<(Position, AccountId)>, Error> {
        let listing = Listing { newest_first: false, ..Listing::accounts(shard) };
        let keys = self.keys(&listing, after, limit).await?;
        let found = keys.found.into_iter().filter_map(|(position, profile)| {
            let account = items::id_of(profile.get("pk")?.as_s().ok()?)?;
            Some((position, AccountId::parse(account).ok()?))
        });
        Ok(Page { items: found.collect(), next: keys.next.map(|next| next.0) })
    }

    /// A page of an account's journal, oldest first, after an entry number.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`] or an unreadable item.
    pub async fn entries_after(
        &self,
        account: &AccountId,
        number: u64,
        limit: u16,
    ) -> Result<EntryPage, Error> {
        let after = AttributeValue::S(items::entry_sort_key(number));
        let page = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :journal AND sk > :after")
            .expression_attribute_values(":journal", AttributeValue::S(items::journal_key(account)))
            .expression_attribute_values(":after", after)
            .consistent_read(true)
            .limit(limit.into())
            .send()
            .await
            .map_err(unavailable)?;
        let entries = page.items.unwrap_or_default().into_iter().map(items::to_entry);
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let last = entries.last().filter(|_| page.last_evaluated_key.is_some());
        let next = last.map(|last| last.number.to_string());
        Ok(Page { items: entries, next })
    }

    /// A page of an account's journal, newest first, below an entry number.
    ///
    /// # Errors
    /// [`crate::error::Unavailable`] or an unreadable item.
    pub async fn entries(
        &self,
        account: &AccountId,
        below: Option<u64>,
        limit: u16,
    ) -> Result<EntryPage, Error> {
        let below = items::entry_sort_key(below.unwrap_or(999_999_999_999));
        let page = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :journal AND sk < :below")
            .expression_attribute_values(":journal", AttributeValue::S(items::journal_key(account)))
            .expression_attribute_values(":below", AttributeValue::S(below))
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(limit.into())
            .send()
            .await
            .map_err(unavailable)?;
        let entries = page.items.unwrap_or_default().into_iter().map(items::to_entry);
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let more = page.last_evaluated_key.is_some();
        let next = entries.last().filter(|last| more && last.number > 1);
        let next = next.map(|last| last.number.to_string());
        Ok(Page { items: entries, next })
    }

    /// The items that a page of an index names, as they are now and in any order, and where the
    /// next page starts.
    async fn page(
        &self,
        listing: &Listing,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<(Vec<Item>, Option<String>), Error> {
        let keys = self.keys(listing, after, limit).await?;
        let next = keys.next.map(|next| next.0);
        let keys = keys.found.into_iter().map(|(_, key)| key).collect();
        Ok((self.batch(keys).await?, next))
    }

    async fn keys(
        &self,
        listing: &Listing,
        after: Option<&Position>,
        limit: u8,
    ) -> Result<Keys, Error> {
        let Index { name, partition, sort } = listing.index;
        let condition = format!("{partition} = :partition AND {sort} BETWEEN :from AND :to");
        let page = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(name)
            .key_condition_expression(condition)
            .expression_attribute_values(":partition", text(&listing.partition))
            .expression_attribute_values(":from", text(&listing.from))
            .expression_attribute_values(":to", text(&listing.to))
            .scan_index_forward(!listing.newest_first)
            .limit(limit.into())
            .set_exclusive_start_key(after.map(|position| position.start_key(listing)))
            .send()
            .await
            .map_err(unavailable)?;
        let position = |item: &Item| Some(Position(item.get(sort)?.as_s().ok()?.clone()));
        let found = page.items.unwrap_or_default();
        let found = found.iter().filter_map(|item| Some((position(item)?, key_of(item))));
        // Only a missing LastEvaluatedKey ends a list; an index may name nothing for a whole page.
        let next = page.last_evaluated_key.as_ref().and_then(position);
        Ok(Keys { found: found.collect(), next })
    }
}

/// What can be read of what waits for somebody. One that cannot must not hide the others: it is an error of its own,
/// which rings.
pub(super) fn readable<T>(
    found: Vec<Item>,
    read: impl Fn(Item) -> Result<T, BrokenRecord>,
) -> Vec<T> {
    let readable = found.into_iter().map(read).filter_map(|read| match read {
        Ok(record) => Some(record),
        Err(cause) => {
            error!(%cause, "it is left out");
            None
        }
    });
    readable.collect()
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn key_of(item: &Item) -> Item {
    let names = ["pk", "sk"].into_iter();
    names.filter_map(|name| Some((name.to_owned(), item.get(name)?.clone()))).collect()
}

/// The key of the account that a profile belongs to.
fn account_of(profile: &Item) -> Item {
    let partition = profile.get("pk").and_then(|pk| pk.as_s().ok()).map_or("", String::as_str);
    key(AccountItem::SORT_KEY, items::id_of(partition).unwrap_or_default())
}
