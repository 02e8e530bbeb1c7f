//! The one commit: how every change of the table is made.
//!
//! A commit is one DynamoDB transaction of conditional puts, always in this order: the documents
//! (put if absent, or replaced at the version that was read), the journal entries (put if absent),
//! the account (replaced at the version that was read), and what is told of all that: its events (put
//! if absent). Its answer is decoded in the same order, so a repeated command is recognised by its
//! document before any balance is looked at.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use data_encoding::HEXLOWER;
use ledger::{Account, Adjustment, Decision, EventId, Finding, HoldStatus, Timestamp};

use super::items::{self, Keyed};
use super::{Item, Table, unavailable};
use crate::accounts::Profile;
use crate::catalogue::CatalogueVersion;
use crate::comparison::Comparison;
use crate::console::ConsoleSession;
use crate::endpoints::Endpoints;
use crate::error::{BrokenRecord, Error, Unavailable};
use crate::events::{Event, EventRecord};
use crate::findings::FindingRecord;
use crate::keys::ApiKey;
use crate::metrics;
use crate::record::{
    Changed, ChargeRecord, HoldRecord, OrderRecord, PaymentClaim, Reference, RequestWords,
    ReversalClaim, Statement,
};
#[cfg(feature = "stripe")]
use crate::sweep::SweepCursor;
use crate::verification::{CheckpointRecord, ShardCursor};

/// How often a use case decides again after losing a race, before it answers "busy".
///
/// With the pauses below that is about nine seconds for one document, well inside a function's timeout. A commit of
/// many documents waits longer; whoever makes one bounds its time.
pub const MAX_COMMIT_TRIES: u32 = 24;

/// The longest that a commit waits after its first lost race, for each document that it writes.
const FIRST_PAUSE: Duration = Duration::from_millis(4);
/// How often that doubles: to about a second, in which 64 clients of one account get through one by one.
const MAX_DOUBLINGS: u32 = 8;
/// The longest that any commit waits.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// DynamoDB takes a token of at most 36 characters; these are 32.
const TOKEN_BYTES: usize = 16;

/// What must be true of an item for its put to go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// The item does not exist.
    Absent,
    /// The item was last written at this version.
    Version(u64),
}

/// Conditional puts that go through together or not at all.
#[derive(Debug, Default)]
pub struct Commit {
    puts: Vec<(Item, Guard)>,
    documents: usize,
    events: Vec<Event>,
}

/// Whether a commit went through.
#[derive(Debug)]
pub enum Committed {
    /// All of it did.
    Yes,
    /// None of it did.
    No(Stale),
}

/// What the decision had not seen. Every case is decided again, none is an error.
#[derive(Debug)]
pub enum Stale {
    /// The order was written in between, or exists already: this is how it stands.
    Order(Box<OrderRecord>),
    /// The payment was claimed before: by this order, or by another one.
    Payment(Box<PaymentClaim>),
    /// The payment leads to a finding about another order already.
    Found,
    /// Another document was written in between, or exists already.
    Exists,
    /// The account was written in between: this is how it stands.
    Account(Box<Account>),
    /// An event of it was stored before, so what it tells of has happened before: read again.
    Told,
    /// Somebody is writing one of the items right now: read again.
    Conflict,
}

impl Guard {
    /// The guard of a record that was read at this version; 0 means that there was none.
    #[must_use]
    pub const fn seen(version: u64) -> Self {
        match version {
            0 => Self::Absent,
            version => Self::Version(version),
        }
    }
}

impl Commit {
    /// Writes an order at the version after the one that was read, and the events of every change that
    /// was not stored with it yet.
    #[must_use]
    pub fn order(self, record: &OrderRecord, now: Timestamp) -> Self {
        let events = record.events(now);
        let item = items::from_order(record, record.told_until(&events));
        let commit = self.document(item, Guard::seen(record.version));
        events.into_iter().fold(commit, Self::event)
    }

    /// Stores an event, once, beside what it is about; the platform is told after the commit.
    #[must_use]
    pub fn event(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }

    /// Writes what became of an event at the version after the one that was read.
    #[must_use]
    pub fn told(self, record: &EventRecord) -> Self {
        self.document(items::from_event(record), Guard::seen(record.version))
    }

    /// Claims a payment, once.
    #[must_use]
    pub fn payment(self, claim: &PaymentClaim) -> Self {
        self.document(items::from_payment(claim), Guard::Absent)
    }

    /// Claims a refund or dispute whose money is taken, once.
    #[must_use]
    pub fn reversal(self, claim: &ReversalClaim) -> Self {
        self.document(items::from_reversal(claim), Guard::Absent)
    }

    /// Writes a comparison at the version after the one that was read.
    #[must_use]
    pub fn comparison(self, comparison: &Comparison) -> Self {
        self.document(items::from_comparison(comparison), Guard::seen(comparison.version))
    }

    /// Writes all endpoints at the version after the one that was read.
    #[must_use]
    pub fn endpoints(self, endpoints: &Endpoints) -> Self {
        self.document(items::from_endpoints(endpoints), Guard::seen(endpoints.version))
    }

    /// Stores what the operator made the endpoints.
    #[must_use]
    pub fn endpoints_changed(self, endpoints: &Endpoints, changed: &Changed) -> Self {
        self.change("endpoints", endpoints.version, changed)
    }

    /// Stores a new finding, once, and what leads from its payment to it.
    #[must_use]
    pub fn new_finding(self, finding: &Finding) -> Self {
        let commit = self.further_finding(finding);
        match items::from_found(finding) {
            Some(found) => commit.document(found, Guard::Absent),
            None => commit,
        }
    }

    /// Stores a new finding, once, about a payment that leads to an earlier one already.
    #[must_use]
    pub fn further_finding(self, finding: &Finding) -> Self {
        self.finding(&FindingRecord::new(finding.clone()))
    }

    /// Writes a finding at the version after the one that was read.
    #[must_use]
    pub fn finding(self, record: &FindingRecord) -> Self {
        self.document(items::from_finding(record), Guard::seen(record.version))
    }

    /// Stores an adjustment, once.
    #[must_use]
    pub fn adjustment(self, adjustment: &Adjustment) -> Self {
        self.document(items::from_adjustment(adjustment), Guard::Absent)
    }

    /// Stores a charge, once.
    #[must_use]
    pub fn charge(self, record: &ChargeRecord) -> Self {
        self.document(items::from_charge(record), Guard::Absent)
    }

    /// Writes a hold at the version after the one that was read, and an event if its time is over.
    #[must_use]
    pub fn hold(self, record: &HoldRecord, now: Timestamp) -> Self {
        let commit = self.document(items::from_hold(record), Guard::seen(record.version));
        match record.hold.status {
            HoldStatus::Expired => commit.event(Event::of_expired_hold(&record.hold, now)),
            HoldStatus::Open | HoldStatus::Captured | HoldStatus::Released => commit,
        }
    }

    /// Stores an API key at the version after the one that was read.
    #[must_use]
    pub fn api_key(self, key: &ApiKey) -> Self {
        self.document(items::from_api_key(key), Guard::seen(key.version))
    }

    /// Claims a reference code, once.
    #[must_use]
    pub fn reference(self, reference: &Reference) -> Self {
        self.document(items::from_reference(reference), Guard::Absent)
    }

    /// Writes a session of the console at the version after the one that was read.
    #[must_use]
    pub fn console_session(self, session: &ConsoleSession) -> Self {
        self.document(items::from_console_session(session), Guard::seen(session.version))
    }

    /// Writes the catalogue at the version after the one that was read, and what it was made.
    #[must_use]
    pub fn catalogue(self, catalogue: &CatalogueVersion) -> Self {
        let (version, changed) = (catalogue.version, catalogue.changed());
        self.document(items::from_catalogue(catalogue), Guard::seen(version)).change(
            "catalogue",
            version,
            &changed,
        )
    }

    /// Writes an account's profile at the version after the one that was read, and what it was
    /// made.
    #[must_use]
    pub fn profile(self, profile: &Profile, changed: &Changed) -> Self {
        let what = format!("account:{}", profile.account);
        self.document(items::from_profile(profile), Guard::seen(profile.version)).change(
            &what,
            profile.version,
            changed,
        )
    }

    /// Stores an uploaded statement, once.
    #[must_use]
    pub fn statement(self, statement: &Statement) -> Self {
        self.document(items::from_statement(statement), Guard::Absent)
    }

    /// Writes where the sweep stopped, at the version after the one that was read.
    #[cfg(feature = "stripe")]
    #[must_use]
    pub fn sweep_cursor(self, cursor: &SweepCursor) -> Self {
        self.document(items::from_sweep_cursor(cursor), Guard::seen(cursor.version))
    }

    /// Writes where the verification of a shard stopped, at the version after the one that was read.
    #[must_use]
    pub fn shard_cursor(self, cursor: &ShardCursor) -> Self {
        self.document(items::from_shard_cursor(cursor), Guard::seen(cursor.version))
    }

    /// Writes how far an account was verified, at the version after the one that was read.
    #[must_use]
    pub fn checkpoint(self, record: &CheckpointRecord) -> Self {
        self.document(items::from_checkpoint(record), Guard::seen(record.version))
    }

    /// Writes the entries and the account of a decision, first the orders of its automatic top-ups, and
    /// the events of balances that have run low. Comes after the other documents.
    #[must_use]
    pub fn decision(mut self, decision: &Decision) -> Self {
        for order in &decision.top_ups {
            let record = OrderRecord::new(order.clone(), RequestWords::default());
            self = self.order(&record, order.created_at);
        }
        let account = &decision.account;
        self.events.extend(decision.low.iter().map(|low| Event::of_low_balance(account, low)));
        let entries = decision.entries.iter().map(items::from_entry);
        self.puts.extend(entries.map(|entry| (entry, Guard::Absent)));
        self.account(&decision.account)
    }

    /// Writes an account; its version is already the next one. Comes last.
    #[must_use]
    pub fn account(mut self, account: &Account) -> Self {
        let guard = Guard::seen(account.version.saturating_sub(1));
        self.puts.push((items::from_account(account), guard));
        self
    }

    fn change(self, what: &str, seen_version: u64, changed: &Changed) -> Self {
        let version = seen_version.saturating_add(1);
        self.document(items::from_change(what, version, changed), Guard::Absent)
    }

    fn document(mut self, item: Item, guard: Guard) -> Self {
        self.puts.push((item, guard));
        self.documents = self.puts.len();
        self
    }
}

impl Table {
    /// Commits all of it or nothing. Whoever tells the platform hears of its events at once, if the
    /// queue takes them; if not, the sweep finds them.
    ///
    /// The SDK repeats throttled and failed requests with the same token, but never a cancelled
    /// transaction: deciding again is the caller's, at most [`MAX_COMMIT_TRIES`] times. The token is ours:
    /// the SDK's own come of numbers that two functions could share, being seeded by a clock.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: the commit may or may not have gone through.
    /// [`BrokenRecord`] if an item that stands in the way cannot be read.
    pub async fn commit(&self, commit: Commit) -> Result<Committed, Error> {
        let Commit { puts, documents, events } = commit;
        let (written, ids) = (puts.len(), events.iter().map(|event| event.id.clone()));
        let ids: Vec<EventId> = ids.collect();
        let events = events
            .into_iter()
            .map(|event| (items::from_event(&EventRecord::new(event)), Guard::Absent));
        let puts = puts.into_iter().chain(events).map(|(item, guard)| self.put(item, guard));
        let puts: Vec<_> = puts.collect::<Result<_, _>>().map_err(unavailable)?;
        let transaction = self.client.transact_write_items().set_transact_items(Some(puts));
        match transaction.client_request_token(draw_token()?).send().await {
            Ok(_) => {
                self.tell(&ids).await;
                Ok(Committed::Yes)
            }
            Err(error) => match cancellation_reasons(&error) {
                Some(reasons) => decode(reasons, documents, written).map(Committed::No),
                None => Err(unavailable(error).into()),
            },
        }
    }

    /// Brings an event up again after so long, if the queue takes it.
    #[cfg(feature = "endpoints")]
    pub(crate) async fn tell_later(&self, event: &EventId, wait: Duration) {
        if let Some(outbox) = &self.outbox {
            outbox.send_later(event, wait).await;
        }
    }

    /// Whether there is a queue that events go to.
    #[cfg(feature = "stripe")]
    pub(crate) const fn tells(&self) -> bool {
        self.outbox.is_some()
    }

    /// Gives the queue events, as far as it takes them; returns those.
    pub(crate) async fn tell(&self, events: &[EventId]) -> Vec<EventId> {
        match &self.outbox {
            Some(outbox) if !events.is_empty() => outbox.send_soon(events).await,
            _ => Vec::new(),
        }
    }

    fn put(
        &self,
        item: Item,
        guard: Guard,
    ) -> Result<TransactWriteItem, aws_sdk_dynamodb::error::BuildError> {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match guard {
            Guard::Absent => put.condition_expression("attribute_not_exists(pk)"),
            Guard::Version(version) => put
                .condition_expression("version = :seen")
                .expression_attribute_values(":seen", AttributeValue::N(version.to_string())),
        };
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }
}

/// By what DynamoDB knows a transaction that is sent again, for ten minutes.
fn draw_token() -> Result<String, Unavailable> {
    let mut token = [0; TOKEN_BYTES];
    getrandom::fill(&mut token)?;
    Ok(HEXLOWER.encode(&token))
}

/// Waits before a lost race is decided again: longer each time, and never as long as another
/// loser of the same race.
pub async fn pause_before_retry(tries: u32) {
    pause_before_retry_of(1, tries).await;
}

/// The same for a commit of so many documents. The more there are, the longer is a try in which it can
/// lose again, and the more is lost with it: so it waits longer.
pub(crate) async fn pause_before_retry_of(documents: usize, tries: u32) {
    metrics::conflict_retry();
    // After the last one there is nothing to wait for.
    if tries.saturating_add(1) >= MAX_COMMIT_TRIES {
        return;
    }
    let first = FIRST_PAUSE.saturating_mul(u32::try_from(documents).unwrap_or(u32::MAX));
    let longest = first.saturating_mul(1 << tries.min(MAX_DOUBLINGS)).min(LONGEST_PAUSE);
    let pause = fastrand::u64(0..=u64::try_from(longest.as_millis()).unwrap_or(u64::MAX));
    tokio::time::sleep(Duration::from_millis(pause)).await;
}

fn cancellation_reasons(
    error: &SdkError<TransactWriteItemsError>,
) -> Option<&[CancellationReason]> {
    match error.as_service_error()? {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            Some(cancelled.cancellation_reasons())
        }
        _ => None,
    }
}

/// Reads why a transaction was cancelled, in the order of its puts.
fn decode(
    reasons: &[CancellationReason],
    documents: usize,
    written: usize,
) -> Result<Stale, Error> {
    let code = |reason: &CancellationReason| reason.code().unwrap_or("None").to_owned();
    let passing = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    if reasons.iter().any(|reason| passing.contains(&code(reason).as_str())) {
        return Ok(Stale::Conflict);
    }
    let failed = |reason: &&CancellationReason| code(reason) == "ConditionalCheckFailed";
    if let Some(reason) = reasons.iter().take(documents).find(failed) {
        let item = reason.item().cloned().unwrap_or_default();
        return match items::kind(&item) {
            items::OrderItem::SORT_KEY => Ok(Stale::Order(Box::new(items::to_order(item)?))),
            items::PaymentItem::SORT_KEY => Ok(Stale::Payment(Box::new(items::to_payment(item)?))),
            items::FoundItem::SORT_KEY => Ok(Stale::Found),
            _ => Ok(Stale::Exists),
        };
    }
    let moved = reasons.get(documents..written).unwrap_or_default();
    let moved = moved.iter().rfind(failed);
    if moved.is_none() && reasons.iter().skip(written).any(|reason| failed(&reason)) {
        return Ok(Stale::Told);
    }
    match moved.and_then(CancellationReason::item) {
        Some(item) if items::kind(item) == items::AccountItem::SORT_KEY => {
            Ok(Stale::Account(Box::new(items::to_account(item.clone())?)))
        }
        _ => {
            let problem = format!("refused for {:?}", reasons.iter().map(code).collect::<Vec<_>>());
            Err(BrokenRecord::Unreadable { key: "the commit".to_owned(), problem }.into())
        }
    }
}
