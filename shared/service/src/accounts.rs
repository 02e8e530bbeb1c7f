//! Accounts as the operator sees and changes them: their names, their currency, whether they may
//! spend.

use ledger::{Account, AccountId, AccountStatus, Actor, Currency, Name, Timestamp};
use serde_json::json;

use crate::error::{Error, Unavailable};
use crate::record::Changed;
use crate::table::{Commit, Committed, MAX_COMMIT_TRIES, Table, pause_before_retry};

/// What is known of an account besides its money. Personal: it can be erased, and the journal stays
/// whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The account.
    pub account: AccountId,
    /// How often it was written; 0 before the first time.
    pub version: u64,
    /// The customer's name.
    pub name: Name,
    /// When the account came into being.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: Actor,
}

/// What the operator wants an account to be; what is not said stays as it is.
#[derive(Debug, Clone, Default)]
pub struct AccountChange {
    /// The customer's name; the account's id unless something else is said.
    pub name: Option<Name>,
    /// The one currency of all of its balances; that of the deployment (`CURRENCY`) unless something else is said.
    pub currency: Option<Currency>,
    /// What it may do.
    pub status: Option<AccountStatus>,
}

/// An account and its profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAccount {
    /// Its name and when it was made.
    pub profile: Profile,
    /// Its money.
    pub account: Account,
}

impl Profile {
    /// The profile of an account that nobody named.
    #[must_use]
    pub fn nameless(account: &AccountId, by: &Actor, now: Timestamp) -> Self {
        #[expect(clippy::expect_used, reason = "an account id is shorter and plainer than a name")]
        let name = Name::parse(account.as_str()).expect("an id is a name");
        let (created_at, created_by) = (now, by.clone());
        Self { account: account.clone(), version: 0, name, created_at, created_by }
    }

    /// The record of what an account and its profile are from now on.
    #[must_use]
    pub fn changed(&self, account: &Account, by: &Actor, now: Timestamp) -> Changed {
        let value = json!({
            "name": self.name.as_str(),
            "currency": account.currency.code(),
            "status": account.status.name(),
        });
        Changed { at: now, by: by.clone(), value }
    }
}

/// An account and its profile.
///
/// # Errors
/// [`Error::NotFound`], or the table did not answer.
pub async fn known_account(table: &Table, id: &AccountId) -> Result<KnownAccount, Error> {
    let (account, profile) = table.account_with_profile(id).await?;
    let account = account.ok_or(Error::NotFound { what: "account" })?;
    let nameless = || Profile::nameless(id, &Actor::operator(), Timestamp::from_unix_millis(0));
    Ok(KnownAccount { profile: profile.unwrap_or_else(nameless), account })
}

/// Makes an account, in the usual currency unless another one is wanted, or changes one; what it is then, who said so and
/// when, is on record. Saying the same again changes nothing.
///
/// # Errors
/// [`ledger::Refusal::CurrencyFixed`], or the table did not answer.
pub async fn change_account(
    table: &Table,
    id: &AccountId,
    wanted: &AccountChange,
    usual: Currency,
    by: &Actor,
    now: Timestamp,
) -> Result<KnownAccount, Error> {
    for tries in 0..MAX_COMMIT_TRIES {
        let (account, profile) = table.account_with_profile(id).await?;
        let currency = wanted.currency.unwrap_or(usual);
        let known = account.unwrap_or_else(|| Account::open(id.clone(), currency));
        let seen = profile.unwrap_or_else(|| Profile::nameless(id, by, now));
        let name = wanted.name.clone().unwrap_or_else(|| seen.name.clone());
        let profile = Profile { name, ..seen.clone() };
        let status = wanted.status.unwrap_or(known.status);
        let changed = known.changed(wanted.currency.unwrap_or(known.currency), status)?;
        let opened = (known.version == 0).then(|| Account { version: 1, ..known.clone() });
        let next = changed.or(opened);
        if next.is_none() && profile == seen && seen.version > 0 {
            return Ok(KnownAccount { profile, account: known });
        }
        let account = next.clone().unwrap_or(known);
        let commit = Commit::default().profile(&profile, &profile.changed(&account, by, now));
        let commit = match &next {
            Some(account) => commit.account(account),
            None => commit,
        };
        match table.commit(commit).await? {
            Committed::Yes => {
                let version = profile.version.saturating_add(1);
                return Ok(KnownAccount { profile: Profile { version, ..profile }, account });
            }
            Committed::No(_) => pause_before_retry(tries).await,
        }
    }
    Err(Unavailable::Busy.into())
}
