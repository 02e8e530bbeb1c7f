//! The full run: every account is derived again from its journal, and its orders are compared with
//! its entries, in both directions.
//!
//! A round goes once through all accounts, several shards of their list side by side. Each shard
//! stores its place, so that a round goes on where its time ran out or where it was killed. How far an
//! account's journal was folded is stored too: the next round goes on after it. A whole round reads
//! every journal from its first entry.

mod gone_back;
mod untouched;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use ledger::{
    Account, AccountId, Broken, Checkpoint, Credit, CreditSum, Entry, Finding, FindingKind, Order,
    OrderId, Timestamp, Verification,
};
use tokio::time::{Instant, timeout};
use tracing::{error, info, warn};

use gone_back::{Compared, GoneBack};
pub use untouched::{Examined, Wrong};

use crate::error::{Error, Unavailable};
use crate::findings;
use crate::table::{
    Commit, Committed, MAX_COMMIT_TRIES, OrderRange, Position, Table, must_exist,
    pause_before_retry,
};

/// A round begins when the one before began so long ago.
const ROUND: Duration = Duration::from_secs(7 * 24 * 3_600);
/// Shards that are worked on at a time.
const SHARDS_AT_ONCE: usize = 8;
/// Accounts a page: a shard's place is stored after each.
const ACCOUNTS: u8 = 25;
/// Entries a page.
const ENTRIES: u16 = 500;
/// Orders a page: as many as one batch reads.
const ORDERS: u8 = 100;
/// Pages of a long journal after which it is stored how far it was folded.
const PAGES_TO_SAVE: u32 = 100;
/// Longest time for one account: about a million orders. A larger one is named in the log and left.
const TIME_OF_ONE: Duration = Duration::from_secs(200);
/// Most findings of an account at a time; more are stored once these are cured or closed.
const MAX_FINDINGS: usize = 100;
/// Credits of one account that are held in memory at a time while it is found out which differ.
const CREDITS_HELD: u64 = 500_000;

/// Everything that a full run touches.
#[derive(Debug)]
pub struct Verifications {
    /// Where accounts, entries, orders and findings are.
    pub table: Table,
}

/// What a round has verified so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Accounts.
    pub accounts: u64,
    /// Entries that were folded.
    pub entries: u64,
    /// Orders that were compared with them.
    pub orders: u64,
    /// Accounts of which something does not hold.
    pub broken: u64,
    /// Findings that were closed because they are not so any more.
    pub cured: u64,
    /// Accounts that could not be verified: each is in the log, and a person must look.
    pub left: u64,
    /// Whether the round is complete; if not, the next run goes on.
    pub complete: bool,
}

/// Where the verification of a shard of the accounts stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardCursor {
    /// How often it was written; 0 before the first time.
    pub version: u64,
    /// The shard.
    pub shard: u64,
    /// When the round began.
    pub begun_at: Timestamp,
    /// Whether the round reads every journal from its first entry.
    pub whole: bool,
    /// The position of the last account that was verified; none is the beginning.
    pub after: Option<Position>,
    /// What the round has verified of this shard.
    pub done: Verified,
}

/// How far an account was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRecord {
    /// The account.
    pub account: AccountId,
    /// How often it was written; 0 before the first time.
    pub version: u64,
    /// When the fold was begun at the first entry.
    pub begun_at: Timestamp,
    /// What the journal says so far.
    pub checkpoint: Checkpoint,
    /// What did not hold when it was last looked at: each is cured once it does.
    pub findings: BTreeSet<String>,
}

impl ShardCursor {
    /// The place in a shard that was never verified.
    #[must_use]
    pub fn never(shard: u64) -> Self {
        Self {
            version: 0,
            shard,
            begun_at: Timestamp::from_unix_millis(0),
            whole: false,
            after: None,
            done: Verified::NOTHING,
        }
    }

    /// The beginning of the next round.
    fn next_round(&self, whole: bool, now: Timestamp) -> Self {
        let done = Verified { complete: false, ..Verified::NOTHING };
        Self { version: self.version, shard: self.shard, begun_at: now, whole, after: None, done }
    }
}

impl Verified {
    const NOTHING: Self =
        Self { accounts: 0, entries: 0, orders: 0, broken: 0, cured: 0, left: 0, complete: true };

    const fn and(self, other: Self) -> Self {
        Self {
            accounts: self.accounts.saturating_add(other.accounts),
            entries: self.entries.saturating_add(other.entries),
            orders: self.orders.saturating_add(other.orders),
            broken: self.broken.saturating_add(other.broken),
            cured: self.cured.saturating_add(other.cured),
            left: self.left.saturating_add(other.left),
            complete: self.complete && other.complete,
        }
    }
}

impl Verifications {
    /// Goes on with the round for so long, and at least one account of each shard. If the round is
    /// complete, the next one begins seven days after it began.
    ///
    /// # Errors
    /// The table did not answer: what was verified is stored, and the next run goes on.
    pub async fn run(&self, time: Duration, now: Timestamp) -> Result<Verified, Error> {
        let end = Instant::now().checked_add(time);
        let known = self.table.shard_cursors().await?;
        let is_over =
            |cursor: &ShardCursor| cursor.done.complete && now.since(cursor.begun_at) >= ROUND;
        let cursors = match known.iter().all(is_over) {
            true => self.begin(known, false, now).await?,
            false => known,
        };
        self.go_on(cursors, end, now).await
    }

    /// Begins a whole round now, wherever the last one stands, and goes on with it for so long.
    ///
    /// # Errors
    /// As [`Verifications::run`].
    pub async fn run_whole(&self, time: Duration, now: Timestamp) -> Result<Verified, Error> {
        let end = Instant::now().checked_add(time);
        let known = self.table.shard_cursors().await?;
        let cursors = self.begin(known, true, now).await?;
        self.go_on(cursors, end, now).await
    }

    /// Begins a round in all shards at once.
    async fn begin(
        &self,
        mut known: Vec<ShardCursor>,
        whole: bool,
        now: Timestamp,
    ) -> Result<Vec<ShardCursor>, Error> {
        for tries in 0..MAX_COMMIT_TRIES {
            let mut begun: Vec<_> =
                known.iter().map(|cursor| cursor.next_round(whole, now)).collect();
            let commit = begun.iter().fold(Commit::default(), Commit::shard_cursor);
            match self.table.commit(commit).await? {
                Committed::Yes => {
                    for cursor in &mut begun {
                        cursor.version = cursor.version.saturating_add(1);
                    }
                    return Ok(begun);
                }
                Committed::No(_) => pause_before_retry(tries).await,
            }
            known = self.table.shard_cursors().await?;
        }
        Err(Unavailable::Busy.into())
    }

    async fn go_on(
        &self,
        cursors: Vec<ShardCursor>,
        end: Option<Instant>,
        now: Timestamp,
    ) -> Result<Verified, Error> {
        let running = cursors.into_iter().map(|cursor| self.run_shard(cursor, end, now));
        let mut running = stream::iter(running).buffer_unordered(SHARDS_AT_ONCE);
        let mut verified = Ok(Verified::NOTHING);
        // One shard that fails does not stop the others.
        while let Some(of_shard) = running.next().await {
            verified = verified.and_then(|sum| Ok(sum.and(of_shard?)));
        }
        verified
    }

    async fn run_shard(
        &self,
        mut cursor: ShardCursor,
        end: Option<Instant>,
        now: Timestamp,
    ) -> Result<Verified, Error> {
        while !cursor.done.complete {
            let before = cursor.after.clone();
            let outcome = self.run_page(&mut cursor, end, now).await;
            if cursor.done.complete || cursor.after != before {
                match self.table.commit(Commit::default().shard_cursor(&cursor)).await? {
                    Committed::Yes => cursor.version = cursor.version.saturating_add(1),
                    // Another run has stored its place: that one goes on.
                    Committed::No(_) => return Ok(cursor.done),
                }
            }
            outcome?;
            if is_up(end) {
                break;
            }
        }
        Ok(cursor.done)
    }

    /// Verifies a page of accounts, one after the other.
    async fn run_page(
        &self,
        cursor: &mut ShardCursor,
        end: Option<Instant>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let after = cursor.after.as_ref();
        let page = self.table.accounts_of_shard(cursor.shard, after, ACCOUNTS).await?;
        let next = page.next_position();
        let mut accounts = page.items.into_iter().peekable();
        while let Some((position, account)) = accounts.next() {
            let whole_since = cursor.whole.then_some(cursor.begun_at);
            let of_account = self.verify_in_time(&account, whole_since, now).await?;
            cursor.done = cursor.done.and(of_account);
            cursor.after = Some(position);
            if accounts.peek().is_some() && is_up(end) {
                return Ok(());
            }
        }
        match next {
            Some(next) => cursor.after = Some(next),
            None => cursor.done.complete = true,
        }
        Ok(())
    }

    /// Verifies an account. One that cannot be verified does not stop the run.
    async fn verify_in_time(
        &self,
        account_id: &AccountId,
        whole_since: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Verified, Error> {
        let left = Verified { accounts: 1, left: 1, ..Verified::NOTHING };
        match timeout(TIME_OF_ONE, self.verify(account_id, whole_since, now)).await {
            Ok(Err(Error::Broken(cause))) => {
                error!(%account_id, %cause, "what was found of the account cannot be stored");
                Ok(left)
            }
            Ok(verified) => verified,
            Err(_) => {
                error!(%account_id, "the account takes too long to be verified");
                Ok(left)
            }
        }
    }

    async fn verify(
        &self,
        id: &AccountId,
        whole_since: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Verified, Error> {
        // Read before the account: so it is never ahead of it.
        let stored = match self.table.checkpoint(id).await {
            Err(Error::Broken(cause)) => {
                error!(account_id = %id, %cause, "how far the account was verified is lost");
                findings::found_again(&self.table, &finding(id, FindingKind::JournalBroken, now))
                    .await?;
                return Ok(Verified { accounts: 1, broken: 1, ..Verified::NOTHING });
            }
            stored => stored?,
        };
        let begun_at = whole_since.unwrap_or(now);
        let mut record =
            stored.clone().unwrap_or_else(|| CheckpointRecord::new(id.clone(), begun_at));
        if whole_since.is_some_and(|since| record.begun_at != since) {
            record.checkpoint = Checkpoint::beginning();
            record.begun_at = begun_at;
        }
        let seen = Verified { accounts: 1, ..Verified::NOTHING };
        let (table, trace) = (&self.table, Trace::Stored);
        let mut examination = Examination { table, stored, record, trace, seen, now };
        let found = examination.examine().await?;
        examination.report(found, whole_since.is_some()).await?;
        Ok(examination.seen)
    }
}

impl CheckpointRecord {
    const fn new(account: AccountId, begun_at: Timestamp) -> Self {
        let checkpoint = Checkpoint::beginning();
        Self { account, version: 0, begun_at, checkpoint, findings: BTreeSet::new() }
    }
}

/// One account that is being verified.
struct Examination<'run> {
    table: &'run Table,
    /// As it is in the table.
    stored: Option<CheckpointRecord>,
    /// As it is to be.
    record: CheckpointRecord,
    trace: Trace,
    seen: Verified,
    now: Timestamp,
}

/// Whether it is stored how far an account was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trace {
    Stored,
    None,
}

/// What does not hold of an account.
struct Found {
    findings: Vec<Finding>,
    /// How orders and journal are apart in what went back.
    apart: Option<Broken>,
    /// Whether that could not be found out, as something went back all the time.
    uncompared: bool,
    /// Whether nothing else may be wrong: only then is what was found before cured.
    everything: bool,
}

/// Entries and orders of an account that have no counterpart.
#[derive(Default)]
struct Unmatched {
    /// The numbers of entries.
    entries: BTreeSet<u64>,
    /// The numbers of entries that say again what another one said.
    repeated: BTreeSet<u64>,
    orders: BTreeMap<Credit, Order>,
}

impl Examination<'_> {
    async fn examine(&mut self) -> Result<Found, Error> {
        let mut found = match self.compare().await {
            Err(Error::Broken(cause)) => {
                let account_id = &self.record.account;
                error!(%account_id, %cause, "the account does not follow from its journal");
                let broken = finding(account_id, FindingKind::JournalBroken, self.now);
                return Ok(Found {
                    findings: vec![broken],
                    apart: None,
                    uncompared: false,
                    everything: false,
                });
            }
            found => found?,
        };
        if let Some(cause) = &found.apart {
            let account_id = &self.record.account;
            error!(%account_id, %cause, "the account does not follow from its journal");
            found.findings.push(finding(account_id, FindingKind::JournalBroken, self.now));
        }
        Ok(found)
    }

    /// Folds what is new in the journal, compares it with the account, and then the orders with it.
    async fn compare(&mut self) -> Result<Found, Error> {
        let account = self.follow().await?;
        let (mut told, mut back, mut orders) = (CreditSum::NONE, GoneBack::default(), 0_u64);
        self.each_order(&mut |order| {
            orders = orders.saturating_add(1);
            if let Some(credit) = order.credit(&account) {
                told = told.and(credit);
            }
            back.take(&order, &account.id);
        })
        .await?;
        self.seen.orders = orders;
        let agrees = |journal: &Checkpoint| told == journal.credits && back.agrees(journal);
        let nothing =
            Found { findings: Vec::new(), apart: None, uncompared: false, everything: true };
        if agrees(&self.record.checkpoint) {
            return Ok(nothing);
        }
        // Something may have been completed in between.
        let account = self.follow().await?;
        if agrees(&self.record.checkpoint) {
            return Ok(nothing);
        }
        let mut found = nothing;
        if told != self.record.checkpoint.credits {
            found.findings = self.disagreements(&account).await?;
            found.everything = found.findings.len() <= MAX_FINDINGS;
            found.findings.truncate(MAX_FINDINGS);
        }
        if !back.agrees(&self.record.checkpoint) {
            match self.gone_back().await? {
                Compared::Same => {}
                Compared::Apart(apart) => found.apart = Some(apart),
                Compared::Unknown => {
                    let account_id = &self.record.account;
                    warn!(%account_id, "money goes back all the time: compared by the next round");
                    found.uncompared = true;
                }
            }
        }
        found.everything = found.everything && !found.uncompared;
        Ok(found)
    }

    /// Folds the journal from where it was left to the account's last entry.
    async fn follow(&mut self) -> Result<Account, Error> {
        let account = self.account().await?;
        let id = account.id.clone();
        let mut verification = Verification::after(id.clone(), self.record.checkpoint.clone());
        let mut pages = 0_u32;
        let beyond = loop {
            let number = verification.reached().number;
            let page = self.table.entries_after(&id, number, ENTRIES).await?;
            let beyond = page.items.iter().map(|entry| entry.number).find(|n| *n > account.entries);
            for entry in page.items.iter().filter(|entry| entry.number <= account.entries) {
                verification = verification.follow(entry).map_err(broken)?;
                self.seen.entries = self.seen.entries.saturating_add(1);
            }
            self.record.checkpoint = verification.reached().clone();
            if beyond.is_some() || page.next.is_none() {
                break beyond;
            }
            pages = pages.saturating_add(1);
            if pages.checked_rem(PAGES_TO_SAVE) == Some(0) {
                self.save().await?;
            }
        };
        drop(verification.finish(&account).map_err(broken)?);
        // An entry that the account did not know was committed meanwhile, together with the account.
        if let Some(beyond) = beyond
            && self.account().await?.entries < beyond
        {
            return Err(broken(Broken::Head));
        }
        Ok(account)
    }

    async fn account(&self) -> Result<Account, Error> {
        let id = &self.record.account;
        Ok(must_exist(self.table.account(id).await?, id)?)
    }

    async fn each_order(&self, take: &mut (impl FnMut(Order) + Send)) -> Result<(), Error> {
        let mut after = None;
        loop {
            let (account, range) = (&self.record.account, OrderRange::default());
            let page = self.table.orders(account, range, after.as_ref(), ORDERS).await?;
            after = page.next_position();
            page.items.into_iter().for_each(|record| take(record.order));
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn each_entry(
        &self,
        mut after: u64,
        until: u64,
        take: &mut (impl FnMut(&Entry) + Send),
    ) -> Result<(), Error> {
        while after < until {
            let page = self.table.entries_after(&self.record.account, after, ENTRIES).await?;
            page.items.iter().filter(|entry| entry.number <= until).for_each(&mut *take);
            match page.items.last() {
                Some(last) => after = last.number,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Finds out which entries and orders differ. What was completed or listed meanwhile is asked for
    /// once more, so that nothing is found that was only seen at two moments.
    async fn disagreements(&self, account: &Account) -> Result<Vec<Finding>, Error> {
        let parts = account.entries.checked_div(CREDITS_HELD).unwrap_or_default().saturating_add(1);
        let mut found = Vec::new();
        for part in 0..parts {
            let unmatched = self.unmatched(account, |credit| credit.part(parts) == part).await?;
            for number in unmatched.entries.union(&unmatched.repeated) {
                // One more tells that there are more.
                if found.len() > MAX_FINDINGS {
                    break;
                }
                let repeated = unmatched.repeated.contains(number);
                found.extend(self.entry_without_order(account, *number, repeated).await?);
            }
            for order in unmatched.orders.values() {
                found.push(Finding {
                    order: Some(order.id.clone()),
                    expected: order.credited_money(account.currency),
                    ..finding(&account.id, FindingKind::OrderWithoutEntry, self.now)
                });
            }
        }
        // An entry and an order that differ in what was credited are one finding.
        let mut known = BTreeSet::new();
        found.retain(|finding| known.insert(finding.id()));
        Ok(found)
    }

    /// The entries and orders without counterpart, of those that this function chooses.
    async fn unmatched(
        &self,
        account: &Account,
        chosen: impl Fn(Credit) -> bool + Send + Sync,
    ) -> Result<Unmatched, Error> {
        let mut unmatched = Unmatched::default();
        let mut entries = HashMap::new();
        self.each_entry(0, account.entries, &mut |entry| {
            if let Some(credit) = entry.credit().filter(|credit| chosen(*credit))
                && entries.insert(credit, entry.number).is_some()
            {
                unmatched.repeated.insert(entry.number);
            }
        })
        .await?;
        self.each_order(&mut |order| {
            let credit = order.credit(account).filter(|credit| chosen(*credit));
            if let Some(credit) = credit
                && entries.remove(&credit).is_none()
                && unmatched.orders.len() <= MAX_FINDINGS
            {
                unmatched.orders.insert(credit, order);
            }
        })
        .await?;
        unmatched.entries.extend(entries.into_values());
        if !unmatched.orders.is_empty() {
            let until = self.account().await?.entries;
            self.each_entry(account.entries, until, &mut |entry| {
                if let Some(credit) = entry.credit() {
                    unmatched.orders.remove(&credit);
                }
            })
            .await?;
        }
        Ok(unmatched)
    }

    /// The finding that an entry is, unless its order says the same after all.
    async fn entry_without_order(
        &self,
        account: &Account,
        number: u64,
        repeated: bool,
    ) -> Result<Option<Finding>, Error> {
        let page = self.table.entries_after(&account.id, number.saturating_sub(1), 1).await?;
        let Some(entry) = page.items.first() else { return Ok(None) };
        let id = OrderId::parse(&entry.document_id).ok();
        let order = match &id {
            Some(id) => self.table.order(id).await?.map(|record| record.order),
            None => None,
        };
        let order = order.filter(|order| order.account == account.id);
        let told = order.as_ref().and_then(|order| order.credit(account));
        if told == entry.credit() && !repeated {
            return Ok(None);
        }
        Ok(Some(Finding {
            order: id,
            expected: order.and_then(|order| order.credited_money(account.currency)),
            actual: entry.credited(),
            ..finding(&account.id, FindingKind::EntryWithoutOrder, self.now)
        }))
    }

    /// Stores what was found, and cures what was found before and is not so any more. What is about to
    /// be stored is noted first, so that it is cured some day even if this run ends here. The round from the first entry also
    /// looks for what a checkpoint could not note, as it could not be read.
    async fn report(&mut self, found: Found, whole: bool) -> Result<(), Error> {
        let ids: BTreeSet<String> = found.findings.iter().map(Finding::id).collect();
        if found.everything {
            let unnoted = finding(&self.record.account, FindingKind::JournalBroken, self.now).id();
            let mut before = self.record.findings.clone();
            before.extend(whole.then_some(unnoted));
            for id in before.difference(&ids) {
                if findings::holds_again(self.table, id, self.now).await? {
                    let account_id = &self.record.account;
                    info!(%account_id, finding_id = %id, "what was found is not so any more");
                    self.seen.cured = self.seen.cured.saturating_add(1);
                }
            }
            self.record.findings = ids;
        } else {
            self.record.findings.extend(ids);
        }
        self.save().await?;
        for finding in &found.findings {
            let (account_id, order_id) = (&self.record.account, &finding.order);
            let order_id = order_id.as_ref().map(OrderId::as_str);
            error!(%account_id, order_id, finding = finding.kind.name(), "the books disagree");
            findings::found_again(self.table, finding).await?;
        }
        self.seen.broken = u64::from(!found.findings.is_empty());
        Ok(())
    }

    /// Stores how far the account was verified, if that is news.
    async fn save(&mut self) -> Result<(), Error> {
        let nothing = CheckpointRecord::new(self.record.account.clone(), self.record.begun_at);
        if self.trace == Trace::None || *self.stored.as_ref().unwrap_or(&nothing) == self.record {
            return Ok(());
        }
        // If another run has stored how far it came, that is as good.
        if let Committed::Yes =
            self.table.commit(Commit::default().checkpoint(&self.record)).await?
        {
            self.record.version = self.record.version.saturating_add(1);
            self.stored = Some(self.record.clone());
        }
        Ok(())
    }
}

fn finding(account: &AccountId, kind: FindingKind, now: Timestamp) -> Finding {
    Finding {
        kind,
        account: Some(account.clone()),
        order: None,
        payment: None,
        reversal: None,
        expected: None,
        actual: None,
        found_at: now,
    }
}

fn broken(cause: Broken) -> Error {
    Error::Broken(cause.into())
}

fn is_up(end: Option<Instant>) -> bool {
    end.is_some_and(|end| Instant::now() >= end)
}
