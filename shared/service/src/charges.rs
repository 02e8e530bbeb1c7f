//! Charges: the use of a product is paid out of its balance, at once.
//!
//! One charge is two requests, three when it is refused. Many charges of an account share a commit: each
//! is stored by itself and once, and one entry takes the money of all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use ledger::{Account, AccountId, ChargeId, Decision, Target, Timestamp, WantedCharge};
use tokio::time::{Instant, timeout_at};
use tracing::{error, warn};

use crate::catalogue::{Catalogue, CatalogueCache};
use crate::error::{Error, Unavailable};
use crate::record::{ChargeRecord, Once, UsageWords};
use crate::table::{Commit, Committed, MAX_COMMIT_TRIES, Stale, Table, pause_before_retry_of};

/// Most items of a transaction of DynamoDB.
const MAX_ITEMS: usize = 100;
/// What every commit of charges may have: the account, the entry of the charges, one for holds that have
/// expired, and the event that the wallet has run low.
const ITEMS_OF_A_COMMIT: usize = 4;
/// What each product in it may have: the order of an automatic top-up, its entry and its event, and the
/// event that the product has run low.
const ITEMS_OF_A_PRODUCT: usize = 4;
/// Most charges that are asked for together.
pub const MAX_BATCH: usize = 1_000;
/// How long a commit may take that was begun at the last moment.
const TIME_OF_LAST: Duration = Duration::from_secs(8);
/// Accounts that are charged at a time.
const ACCOUNTS_AT_ONCE: usize = 16;

/// Everything that a charge touches.
#[derive(Debug)]
pub struct Charges {
    /// Where accounts and charges are.
    pub table: Table,
    /// Which products there are.
    pub catalogue: CatalogueCache,
}

/// A charge that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedCharge {
    /// Whose money.
    pub account: AccountId,
    /// What is charged.
    pub wanted: WantedCharge,
    /// The client's words.
    pub words: UsageWords,
}

/// What became of one of many charges. Several may have failed for one and the same reason.
pub type Outcome = Result<Once<ChargeRecord>, Arc<Error>>;

/// What is to become of a charge, before anything is committed.
enum Decided {
    /// This key was used before: for this charge, or for another one.
    Before(Result<Once<ChargeRecord>, Error>),
    /// It is made, if the commit goes through.
    Made(ChargeRecord),
    /// It is not made.
    Refused(Error),
}

impl Charges {
    /// Charges a product once, however often it is asked with this key.
    ///
    /// # Errors
    /// [`Error::KeyReused`] if the key made another charge; `unknown_product`; the refusals of
    /// [`ledger::charge`]; [`Error::Unavailable`] if the same key must be tried again.
    pub async fn make(
        &self,
        asked: &AskedCharge,
        now: Timestamp,
    ) -> Result<Once<ChargeRecord>, Error> {
        let outcomes = self.make_together(std::slice::from_ref(asked), now).await?;
        outcomes.into_iter().next().unwrap_or(Err(Unavailable::Busy.into()))
    }

    /// Makes many charges, of one account or of many, each with an outcome of its own, in the order in
    /// which they are asked for. What is not begun at `end`, or not done
    /// 8 seconds later, has no known outcome: the same keys tell.
    pub async fn make_all(
        &self,
        asked: &[AskedCharge],
        end: Instant,
        now: Timestamp,
    ) -> Vec<Outcome> {
        let mut accounts: BTreeMap<&AccountId, Vec<usize>> = BTreeMap::new();
        for (position, one) in asked.iter().enumerate() {
            accounts.entry(&one.account).or_default().push(position);
        }
        let charging = stream::iter(accounts.into_values()).map(|positions| async move {
            let own = positions.iter().filter_map(|position| asked.get(*position).cloned());
            let outcomes = self.make_in_turn(&own.collect::<Vec<_>>(), end, now).await;
            positions.into_iter().zip(outcomes).collect::<Vec<_>>()
        });
        let mut charging = charging.buffer_unordered(ACCOUNTS_AT_ONCE);
        let mut outcomes = BTreeMap::new();
        while let Some(some) = charging.next().await {
            outcomes.extend(some);
        }
        outcomes.into_values().collect()
    }

    /// One charge of the account.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for somebody else's charge.
    pub async fn one(&self, account: &AccountId, id: &ChargeId) -> Result<ChargeRecord, Error> {
        let record = self.table.charge(id).await?;
        let own = record.filter(|record| record.charge.account == *account);
        own.ok_or(Error::NotFound { what: "charge" })
    }

    /// Makes the charges of one account, commit after commit.
    async fn make_in_turn(
        &self,
        asked: &[AskedCharge],
        end: Instant,
        now: Timestamp,
    ) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(asked.len());
        while let Some(rest) = asked.get(outcomes.len()..).filter(|rest| !rest.is_empty()) {
            let some = first_commit(rest);
            let made = match (Instant::now() < end, end.checked_add(TIME_OF_LAST)) {
                (true, Some(last)) => timeout_at(last, self.make_together(some, now)).await,
                _ => Ok(Err(Unavailable::Slow.into())),
            };
            let made = made.unwrap_or(Err(Unavailable::Slow.into()));
            match made {
                Ok(made) => outcomes.extend(made.into_iter().map(|one| one.map_err(Arc::new))),
                Err(error) => {
                    let account_id = some.first().map(|one| one.account.as_str());
                    match &error {
                        Error::Broken(cause) => error!(account_id, %cause, "invariant broken"),
                        cause => warn!(account_id, %cause, "charges that were not made"),
                    }
                    let error = Arc::new(error);
                    outcomes.extend(some.iter().map(|_| Err(Arc::clone(&error))));
                }
            }
        }
        outcomes
    }

    /// Makes charges of one account, whose ids all differ, in one commit.
    async fn make_together(
        &self,
        asked: &[AskedCharge],
        now: Timestamp,
    ) -> Result<Vec<Result<Once<ChargeRecord>, Error>>, Error> {
        let Some(account_id) = asked.first().map(|one| &one.account) else {
            return Ok(Vec::new());
        };
        let ids: Vec<ChargeId> = asked.iter().map(|one| one.wanted.id.clone()).collect();
        let catalogue = self.catalogue.get(&self.table, now).await?;
        let (mut known, mut account) = self.table.seen_charges(account_id, &ids).await?;
        for tries in 0..MAX_COMMIT_TRIES {
            let current = account.clone().ok_or(Error::NotFound { what: "account" })?;
            let (decided, decision) = decide(asked, &known, &current, &catalogue, now);
            // The read is not a snapshot: before it is refused, a charge is looked up once more.
            let refused = asked.iter().zip(&decided);
            let refused = refused.filter(|(_, decided)| matches!(decided, Decided::Refused(_)));
            let refused: Vec<ChargeId> = refused.map(|(one, _)| one.wanted.id.clone()).collect();
            let since = self.table.charges(&refused).await?;
            if !since.is_empty() {
                known.extend(since);
                continue;
            }
            let committed = match decision {
                Some(decision) => {
                    let made = decided.iter().filter_map(|decided| match decided {
                        Decided::Made(record) => Some(record),
                        Decided::Before(_) | Decided::Refused(_) => None,
                    });
                    let commit = made.fold(Commit::default(), Commit::charge);
                    self.table.commit(commit.decision(&decision)).await?
                }
                None => Committed::Yes,
            };
            match committed {
                Committed::Yes => return Ok(decided.into_iter().map(Decided::outcome).collect()),
                // The refusal carries the account as it is now: one more try without a read.
                Committed::No(Stale::Account(now)) if tries == 0 => account = Some(*now),
                // None of the charges was there: only the account has to be read again.
                Committed::No(Stale::Account(_)) => {
                    pause_before_retry_of(ids.len(), tries).await;
                    account = self.table.account(account_id).await?;
                }
                Committed::No(_) => {
                    pause_before_retry_of(ids.len(), tries).await;
                    (known, account) = self.table.seen_charges(account_id, &ids).await?;
                }
            }
        }
        Err(Unavailable::Busy.into())
    }
}

impl Decided {
    fn outcome(self) -> Result<Once<ChargeRecord>, Error> {
        match self {
            Self::Before(outcome) => outcome,
            Self::Made(record) => Ok(Once::Now(record)),
            Self::Refused(error) => Err(error),
        }
    }
}

/// Decides on charges of an account. Each is looked up before any rule is asked: a repetition whose first
/// try took the last of the balance is told that it is done, never that there is too little.
fn decide(
    asked: &[AskedCharge],
    known: &BTreeMap<ChargeId, ChargeRecord>,
    account: &Account,
    catalogue: &Catalogue,
    now: Timestamp,
) -> (Vec<Decided>, Option<Decision>) {
    let sold =
        |one: &AskedCharge| catalogue.must_know(&Target::Product(one.wanted.product.clone()));
    let fresh = asked.iter().filter(|one| !known.contains_key(&one.wanted.id));
    let fresh: Vec<WantedCharge> =
        fresh.filter(|one| sold(one).is_ok()).map(|one| one.wanted.clone()).collect();
    let closed = catalogue.closed_products(account.currency);
    let charged = ledger::charge(account, &fresh, &closed, now);
    let mut outcomes = charged.outcomes.into_iter();
    let decided = asked.iter().map(|one| {
        if let Some(record) = known.get(&one.wanted.id) {
            return Decided::Before(again(record, one));
        }
        if let Err(unknown) = sold(one) {
            return Decided::Refused(unknown.into());
        }
        match outcomes.next() {
            Some(Ok(charge)) => Decided::Made(ChargeRecord { charge, words: one.words.clone() }),
            Some(Err(refusal)) => Decided::Refused(refusal.into()),
            None => Decided::Refused(Unavailable::Busy.into()),
        }
    });
    (decided.collect(), charged.decision)
}

/// The charges that the first commit of these can make: no more than fit into it, and none twice.
fn first_commit(asked: &[AskedCharge]) -> &[AskedCharge] {
    let (mut ids, mut products) = (BTreeSet::new(), BTreeSet::new());
    let mut fits = |one: &AskedCharge| {
        products.insert(one.wanted.product.clone());
        let items = products.len().saturating_mul(ITEMS_OF_A_PRODUCT);
        let items = items.saturating_add(ITEMS_OF_A_COMMIT).saturating_add(ids.len());
        items < MAX_ITEMS && ids.insert(one.wanted.id.clone())
    };
    let count = asked.iter().take_while(|one| fits(one)).count();
    asked.get(..count).unwrap_or(asked)
}

/// The charge that this key made before, if it is the same one.
fn again(known: &ChargeRecord, asked: &AskedCharge) -> Result<Once<ChargeRecord>, Error> {
    let charge = &known.charge;
    let same = charge.product == asked.wanted.product
        && charge.money.amount == asked.wanted.amount
        && charge.from_hold.is_none()
        && known.words == asked.words;
    if same { Ok(Once::Before(known.clone())) } else { Err(Error::KeyReused) }
}
