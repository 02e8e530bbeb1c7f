//! Adjustments: the operator puts money into a balance or takes it out, for a reason.

use ledger::{
    Account, AccountId, Actor, Adjustment, AdjustmentId, Amount, Currency, Direction,
    IdempotencyKey, Note, Target, Timestamp,
};

use crate::catalogue::CatalogueCache;
use crate::cursor::{CursorScope, Cursors, OPERATOR};
use crate::error::{Error, Invalid, Unavailable};
use crate::record::{Once, Page};
use crate::table::{Commit, Committed, MAX_COMMIT_TRIES, Stale, Table, pause_before_retry};

/// Everything that an adjustment touches.
#[derive(Debug)]
pub struct Adjustments {
    /// Where accounts are.
    pub table: Table,
    /// Which products there are.
    pub catalogue: CatalogueCache,
    /// What makes and checks cursors.
    pub cursors: Cursors,
}

/// What the operator asks for.
#[derive(Debug, Clone)]
pub struct WantedAdjustment {
    /// Which balance.
    pub target: Target,
    /// Whether money is put in or taken out.
    pub direction: Direction,
    /// How much, in the account's currency.
    pub amount: Amount,
    /// Why.
    pub reason: Note,
    /// Who asks.
    pub by: Actor,
}

impl Adjustments {
    /// Adjusts a balance once, however often it is asked with this key; the second value is the
    /// account's currency.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an account that does not exist; `unknown_product`;
    /// [`Error::KeyReused`]; the refusals of [`ledger::adjust`]; [`Error::Unavailable`].
    pub async fn make(
        &self,
        account_id: &AccountId,
        wanted: &WantedAdjustment,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<(Once<Adjustment>, Currency), Error> {
        let id = AdjustmentId::derive(account_id, key);
        for tries in 0..MAX_COMMIT_TRIES {
            let known = self.table.adjustment(&id).await?;
            let account = self.account(account_id).await?;
            let currency = account.currency;
            if let Some(known) = known {
                return Ok((again(known, wanted)?, currency));
            }
            // Money can be taken out of what is not for sale any more.
            if wanted.direction == Direction::In {
                let known = self.catalogue.get(&self.table, now).await?.must_know(&wanted.target);
                let field = || Some("balance".to_owned());
                known.map_err(|invalid| Invalid { field: field(), ..invalid })?;
            }
            let adjustment = Adjustment {
                id: id.clone(),
                account: account_id.clone(),
                target: wanted.target.clone(),
                direction: wanted.direction,
                amount: wanted.amount,
                reason: wanted.reason.clone(),
                by: wanted.by.clone(),
                at: now,
            };
            let decision = match ledger::adjust(&account, &adjustment, now) {
                Ok(decision) => decision,
                // The two reads are not of one moment: a refusal asks for the document once more.
                Err(refused) => match self.table.adjustment(&id).await? {
                    Some(known) => return Ok((again(known, wanted)?, currency)),
                    None => return Err(refused.into()),
                },
            };
            let commit = Commit::default().adjustment(&adjustment).decision(&decision);
            match self.table.commit(commit).await? {
                Committed::Yes => return Ok((Once::Now(adjustment), currency)),
                // It exists: this very key has made it.
                Committed::No(Stale::Exists) => {}
                Committed::No(_) => pause_before_retry(tries).await,
            }
        }
        Err(Unavailable::Busy.into())
    }

    /// A page of the adjustments of an account, newest first, and the account's currency.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an account that does not exist; `invalid_cursor`; the table did not
    /// answer.
    pub async fn list(
        &self,
        account: &AccountId,
        cursor: Option<&str>,
        limit: u8,
        now: Timestamp,
    ) -> Result<(Page<Adjustment>, Currency), Error> {
        let currency = self.account(account).await?.currency;
        let filters = account.as_str();
        let scope = CursorScope { owner: OPERATOR, list: "adjustments", filters };
        let table = &self.table;
        let page = self.cursors.page(&scope, cursor, now, |after| async move {
            table.adjustments(account, after.as_ref(), limit).await
        });
        Ok((page.await?, currency))
    }

    async fn account(&self, id: &AccountId) -> Result<Account, Error> {
        self.table.account(id).await?.ok_or(Error::NotFound { what: "account" })
    }
}

/// The adjustment that this key made before, if it is the same one.
fn again(known: Adjustment, wanted: &WantedAdjustment) -> Result<Once<Adjustment>, Error> {
    let same = known.target == wanted.target
        && known.direction == wanted.direction
        && known.amount == wanted.amount
        && known.reason == wanted.reason;
    if same { Ok(Once::Before(known)) } else { Err(Error::KeyReused) }
}
