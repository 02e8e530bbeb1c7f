//! Holds: money of a product is set aside for a use, then captured or released.

use ledger::{
    Account, AccountId, Capture, ChargeId, Decision, FromHold, Hold, HoldId, HoldStatus, Target,
    Timestamp, WantedHold,
};

use crate::catalogue::CatalogueCache;
use crate::cursor::{CursorScope, Cursors};
use crate::error::{Error, Unavailable};
use crate::http::Parameters;
use crate::queries::PageRequest;
use crate::record::{ChargeRecord, HoldRecord, Once, Page, SeenUsage, UsageWords};
use crate::table::{
    Commit, Committed, MAX_COMMIT_TRIES, Stale, Table, must_exist, pause_before_retry,
};

/// Everything that a hold touches.
#[derive(Debug)]
pub struct Holds {
    /// Where accounts, holds and charges are.
    pub table: Table,
    /// Which products there are.
    pub catalogue: CatalogueCache,
    /// What makes and checks cursors.
    pub cursors: Cursors,
}

/// The status that these parameters of a list ask for.
///
/// # Errors
/// `invalid_parameter` with the rule.
pub fn status_of(parameters: &mut Parameters) -> Result<Option<HoldStatus>, Error> {
    let rule = "'open', 'captured', 'released' or 'expired'";
    parameters.take("status", rule, HoldStatus::parse)
}

/// A charge that was captured, and its hold.
pub type Captured = (ChargeRecord, HoldRecord);

impl Holds {
    /// Sets money aside once, however often it is asked with this key.
    ///
    /// # Errors
    /// [`Error::KeyReused`] if the key placed another hold; `unknown_product`; the refusals of
    /// [`ledger::place_hold`]; [`Error::Unavailable`] if the same key must be tried again.
    pub async fn place(
        &self,
        account_id: &AccountId,
        wanted: &WantedHold,
        words: &UsageWords,
        now: Timestamp,
    ) -> Result<Once<HoldRecord>, Error> {
        let mut seen = self.seen(account_id, None, &wanted.id, now).await?;
        for tries in 0..MAX_COMMIT_TRIES {
            let account = must_exist(seen.account.clone(), account_id)?;
            if let Some(known) = seen.hold {
                return placed_again(&known, wanted, words, &account, now);
            }
            let (hold, decision) = match self.decide(&account, wanted, now).await {
                Ok(decided) => decided,
                // The read is not a snapshot: a refusal asks for the hold once more.
                Err(refused) => {
                    seen = self.seen(account_id, None, &wanted.id, now).await?;
                    if seen.hold.is_some() {
                        continue;
                    }
                    return Err(refused);
                }
            };
            let record = HoldRecord { hold, version: 0, words: words.clone() };
            match self
                .table
                .commit(Commit::default().hold(&record, now).decision(&decision))
                .await?
            {
                Committed::Yes => return Ok(Once::Now(HoldRecord { version: 1, ..record })),
                // The refusal carries the account as it is now: one more try without a read.
                Committed::No(Stale::Account(account)) if tries == 0 => {
                    seen.account = Some(*account);
                }
                Committed::No(_) => {
                    pause_before_retry(tries).await;
                    seen = self.seen(account_id, None, &wanted.id, now).await?;
                }
            }
        }
        Err(Unavailable::Busy.into())
    }

    /// Takes what was used out of a hold, once a key.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for somebody else's hold; [`Error::KeyReused`] if the key captured
    /// something else; the refusals of [`ledger::capture_hold`]; [`Error::Unavailable`].
    pub async fn capture(
        &self,
        account_id: &AccountId,
        hold_id: &HoldId,
        wanted: &Capture,
        now: Timestamp,
    ) -> Result<Once<Captured>, Error> {
        for tries in 0..MAX_COMMIT_TRIES {
            let seen = self.seen(account_id, Some(&wanted.id), hold_id, now).await?;
            let (account, known) = own(&seen, account_id)?;
            if let Some(charge) = seen.charge {
                return self.captured_again(charge, known, wanted, now).await;
            }
            let decided = ledger::capture_hold(&account, &known.hold, wanted, now);
            let (hold, charge, decision) = match decided {
                Ok(decided) => decided,
                // The read is not a snapshot: a refusal asks for the charge once more.
                Err(refused) => match self.table.charge(&wanted.id).await? {
                    Some(charge) => return self.captured_again(charge, known, wanted, now).await,
                    None => return Err(refused.into()),
                },
            };
            let charge = ChargeRecord { charge, words: UsageWords::default() };
            let next = HoldRecord { hold, ..known };
            let commit = Commit::default().charge(&charge).hold(&next, now).decision(&decision);
            match self.table.commit(commit).await? {
                Committed::Yes => {
                    let version = next.version.saturating_add(1);
                    return Ok(Once::Now((charge, HoldRecord { version, ..next })));
                }
                Committed::No(_) => pause_before_retry(tries).await,
            }
        }
        Err(Unavailable::Busy.into())
    }

    /// Gives up a hold. Doing it again, or after its time, changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for somebody else's hold; the refusals of
    /// [`ledger::release_hold`]; [`Error::Unavailable`].
    pub async fn release(
        &self,
        account_id: &AccountId,
        id: &HoldId,
        now: Timestamp,
    ) -> Result<HoldRecord, Error> {
        for tries in 0..MAX_COMMIT_TRIES {
            let seen = self.seen(account_id, None, id, now).await?;
            let (account, known) = own(&seen, account_id)?;
            let Some((hold, decision)) = ledger::release_hold(&account, &known.hold, now)? else {
                return Ok(as_of(known, &account, now));
            };
            let next = HoldRecord { hold, ..known };
            match self.table.commit(Commit::default().hold(&next, now).decision(&decision)).await? {
                Committed::Yes => {
                    let version = next.version.saturating_add(1);
                    return Ok(HoldRecord { version, ..next });
                }
                Committed::No(_) => pause_before_retry(tries).await,
            }
        }
        Err(Unavailable::Busy.into())
    }

    /// One hold of the account, as it stands now.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for somebody else's hold.
    pub async fn one(
        &self,
        account_id: &AccountId,
        id: &HoldId,
        now: Timestamp,
    ) -> Result<HoldRecord, Error> {
        let seen = self.seen(account_id, None, id, now).await?;
        let (account, known) = own(&seen, account_id)?;
        Ok(as_of(known, &account, now))
    }

    /// A page of the account's holds, newest first, each as it stands now: all of them, or those of
    /// one status. A filtered page may be short and still have a next one.
    ///
    /// # Errors
    /// `invalid_cursor`, or the table did not answer.
    pub async fn list(
        &self,
        account_id: &AccountId,
        wanted: &PageRequest<Option<HoldStatus>>,
        now: Timestamp,
    ) -> Result<Page<HoldRecord>, Error> {
        let filters = wanted.filter.map_or("", HoldStatus::name);
        let scope = CursorScope { owner: account_id.as_str(), list: "holds", filters };
        let after = self.cursors.position(&scope, wanted.cursor.as_deref(), now).await?;
        let page = self.table.holds(account_id, after.as_ref(), wanted.limit).await?;
        // Read after the holds: one that it does not carry any more has ended since.
        let account = self.table.account(account_id).await?;
        let account = account.ok_or(Error::NotFound { what: "account" })?;
        let mut items = Vec::with_capacity(page.items.len());
        for record in page.items.into_iter().filter(|one| one.hold.account == *account_id) {
            let record = match is_torn(&record, &account, now) {
                true => self.one(account_id, &record.hold.id, now).await?,
                false => as_of(record, &account, now),
            };
            if wanted.filter.is_none_or(|status| record.hold.status == status) {
                items.push(record);
            }
        }
        Ok(Page { items, next: self.cursors.sealed(&scope, page.next, now).await? })
    }

    /// The account, and the charge and the hold that a use is decided on. They are read in one request,
    /// which is not a snapshot: an open hold that its account does not carry, though its time is not over,
    /// was placed, captured or released in between. Then the account is read first, and the rest after it.
    async fn seen(
        &self,
        account_id: &AccountId,
        charge: Option<&ChargeId>,
        hold: &HoldId,
        now: Timestamp,
    ) -> Result<SeenUsage, Error> {
        let seen = self.table.seen_usage(account_id, charge, Some(hold)).await?;
        let torn = match (&seen.account, &seen.hold) {
            (Some(account), Some(record)) => is_torn(record, account, now),
            _ => false,
        };
        if !torn {
            return Ok(seen);
        }
        let account = self.table.account(account_id).await?;
        let seen = self.table.seen_usage(account_id, charge, Some(hold)).await?;
        Ok(SeenUsage { account, ..seen })
    }

    /// The charge that this key captured before, if it is the same one, and its hold after it.
    async fn captured_again(
        &self,
        charge: ChargeRecord,
        known: HoldRecord,
        wanted: &Capture,
        now: Timestamp,
    ) -> Result<Once<Captured>, Error> {
        let from = FromHold { id: known.hold.id.clone(), last: wanted.last };
        let same = charge.charge.from_hold.as_ref() == Some(&from)
            && charge.charge.money.amount == wanted.amount;
        if !same {
            return Err(Error::KeyReused);
        }
        // The hold may have been read before the charge was made.
        let hold = self.one(&known.hold.account, &known.hold.id, now).await?;
        Ok(Once::Before((charge, hold)))
    }

    async fn decide(
        &self,
        account: &Account,
        wanted: &WantedHold,
        now: Timestamp,
    ) -> Result<(Hold, Decision), Error> {
        let target = Target::Product(wanted.product.clone());
        let catalogue = self.catalogue.get(&self.table, now).await?;
        catalogue.must_know(&target)?;
        let closed = catalogue.closed_products(account.currency);
        Ok(ledger::place_hold(account, wanted, &closed, now)?)
    }
}

/// Writes down that the time of a hold is over, and releases its money if no entry has done so.
/// Whether that was to be done, and by this call.
///
/// # Errors
/// [`Error::Unavailable`]: the next sweep finds it again.
#[cfg(feature = "stripe")]
pub(crate) async fn expire(
    table: &Table,
    record: HoldRecord,
    now: Timestamp,
) -> Result<bool, Error> {
    let account = table.account(&record.hold.account).await?;
    let account = must_exist(account, &record.hold.account)?;
    let Some((hold, decision)) = ledger::expire_hold(&account, &record.hold, now)? else {
        return Ok(false);
    };
    let commit = Commit::default().hold(&HoldRecord { hold, ..record }, now);
    let commit = match &decision {
        Some(decision) => commit.decision(decision),
        None => commit,
    };
    match table.commit(commit).await? {
        Committed::Yes => Ok(true),
        Committed::No(_) => Err(Unavailable::Busy.into()),
    }
}

/// The hold that this key placed before, if it is the same one.
fn placed_again(
    known: &HoldRecord,
    wanted: &WantedHold,
    words: &UsageWords,
    account: &Account,
    now: Timestamp,
) -> Result<Once<HoldRecord>, Error> {
    let hold = &known.hold;
    let same = hold.product == wanted.product
        && hold.money.amount == wanted.amount
        && hold.expires_at == hold.created_at.plus(wanted.time)
        && known.words == *words;
    if same { Ok(Once::Before(as_of(known.clone(), account, now))) } else { Err(Error::KeyReused) }
}

/// A hold as it stands now.
fn as_of(record: HoldRecord, account: &Account, now: Timestamp) -> HoldRecord {
    HoldRecord { hold: record.hold.as_of(account, now), ..record }
}

/// Whether hold and account are not of one moment.
fn is_torn(record: &HoldRecord, account: &Account, now: Timestamp) -> bool {
    let hold = &record.hold;
    let carried = account.open_hold(&hold.id, now).is_some();
    hold.status == HoldStatus::Open && !carried && now < hold.expires_at
}

/// The account, and its own hold.
fn own(seen: &SeenUsage, account_id: &AccountId) -> Result<(Account, HoldRecord), Error> {
    let hold = seen.hold.clone().filter(|record| record.hold.account == *account_id);
    let hold = hold.ok_or(Error::NotFound { what: "hold" })?;
    Ok((must_exist(seen.account.clone(), account_id)?, hold))
}
