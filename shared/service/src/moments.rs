//! What an account was at a moment.

use ledger::{
    Account, AccountId, Checkpoint, JournalEnd, MomentSearch, PastBalances, Timestamp,
    Verification, nearer_end,
};

use crate::catalogue::Catalogue;
use crate::error::{BrokenRecord, Error, Invalid};
use crate::queries::Queries;

/// The most entries that are folded for one answer, from the nearer end of the journal. Of one charge
/// each they are 7 MB, which are 1,800 read units in 7 pages; if each names as many charges as a commit
/// makes, seven times as much.
pub const MAX_FOLDED: u64 = 20_000;

impl Queries {
    /// What the account was at a moment, and the catalogue that its balances are listed by.
    ///
    /// The account is read once, and of its journal what that account knows of: entries that are made
    /// meanwhile change nothing. A moment that has just passed can still get an entry, as long as
    /// somebody who read the clock before it has not written yet.
    ///
    /// # Errors
    /// `invalid_parameter` for a moment that is still to come, `moment_too_far` for one that more than
    /// [`MAX_FOLDED`] entries lie between and either end of the journal, no such account, a journal
    /// that the account does not follow from, or the table did not answer.
    pub async fn balances_at(
        &self,
        id: &AccountId,
        moment: Timestamp,
        now: Timestamp,
    ) -> Result<(PastBalances, Catalogue), Error> {
        if moment > now {
            let detail = "must not be a time that is still to come";
            return Err(Invalid::field("invalid_parameter", "at", detail).into());
        }
        let (account, catalogue) = self.balances(id, now).await?;
        let number = self.last_entry_by(&account, moment).await?;
        let past = match nearer_end(number, account.entries, MAX_FOLDED) {
            Some(JournalEnd::First) => self.folded_forward(&account, number).await?,
            Some(JournalEnd::Last) => self.folded_back(&account, number).await?,
            None => return Err(too_far().into()),
        };
        Ok((past, catalogue))
    }

    /// The number of the last entry that was made at or before a moment; 0 if none was. Each entry
    /// that is looked at is one read.
    pub(crate) async fn last_entry_by(
        &self,
        account: &Account,
        moment: Timestamp,
    ) -> Result<u64, Error> {
        let mut search = MomentSearch::new(account, moment);
        while let Some(number) = search.next() {
            let entry = self.table.entry(&account.id, number).await?;
            let entry = entry.ok_or_else(|| missing(&account.id, number))?;
            search = search.told(number, entry.at);
        }
        Ok(search.found())
    }

    /// What the account held after an entry, from the first entry on.
    async fn folded_forward(&self, account: &Account, number: u64) -> Result<PastBalances, Error> {
        let mut fold = Verification::after(account.id.clone(), Checkpoint::beginning());
        loop {
            let reached = fold.reached().number;
            let left = number.saturating_sub(reached);
            if left == 0 {
                return Ok(PastBalances::reached(account, fold.reached()));
            }
            let page = self.table.entries_after(&account.id, reached, as_many_as(left)).await?;
            let followed = page.items.iter().try_fold(fold, Verification::follow);
            fold = followed.map_err(BrokenRecord::Journal)?;
            if page.items.is_empty() {
                return Err(missing(&account.id, reached.saturating_add(1)).into());
            }
        }
    }

    /// What the account held after an entry, back from what it holds now.
    async fn folded_back(&self, account: &Account, number: u64) -> Result<PastBalances, Error> {
        let mut fold = PastBalances::of(account);
        loop {
            let reached = fold.entry;
            let left = reached.saturating_sub(number);
            if left == 0 {
                return Ok(fold);
            }
            let below = Some(reached.saturating_add(1));
            let page = self.table.entries(&account.id, below, as_many_as(left)).await?;
            let undone = page.items.iter().try_fold(fold, PastBalances::before);
            fold = undone.map_err(BrokenRecord::Journal)?;
            if page.items.is_empty() {
                return Err(missing(&account.id, reached).into());
            }
        }
    }
}

/// A page of so many entries, or of what DynamoDB gives at a time: 1 MB.
fn as_many_as(entries: u64) -> u16 {
    u16::try_from(entries).unwrap_or(u16::MAX)
}

fn missing(account: &AccountId, number: u64) -> BrokenRecord {
    BrokenRecord::Missing(format!("entry {number} of account {account}"))
}

fn too_far() -> Invalid {
    let detail = format!(
        "more than {MAX_FOLDED} entries lie between this moment and either end of the journal: read \
         /v1/entries.csv with to= this moment, in which the first balance_after of each place is the \
         balance"
    );
    Invalid::field("moment_too_far", "at", detail)
}
