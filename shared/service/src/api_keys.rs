//! API keys by API: made, replaced, listed, stopped.

use std::time::Duration;

use data_encoding::HEXLOWER;
use ledger::{Actor, Currency, IdempotencyKey, Timestamp, derive_bytes};

use crate::cursor::{CursorScope, Cursors, OPERATOR};
use crate::error::{Error, Invalid, Unavailable};
use crate::keys::{
    ApiKey, Draw, ID_BYTES, KeyOwner, NewKey, SECRET_BYTES, Scope, is_hexadecimal, with_account,
};
use crate::record::Page;
use crate::table::{Commit, Committed, MAX_COMMIT_TRIES, Table, pause_before_retry};

/// How long a key goes on after another took its place, so that nobody is cut off who still has it.
pub const OVERLAP: Duration = Duration::from_secs(24 * 3_600);

/// Everything that making and stopping keys touches.
#[derive(Debug)]
pub struct ApiKeys {
    /// Where keys and accounts are.
    pub table: Table,
    /// Where secrets come from.
    pub draw: Draw,
    /// What makes and checks cursors.
    pub cursors: Cursors,
    /// The currency of an account that a key makes.
    pub currency: Currency,
}

/// Who asks for a key, and what that key may be used for.
#[derive(Debug, Clone)]
pub struct Minter {
    /// Who.
    pub by: Actor,
    /// The id of the key that asks; none where nobody needs one, as on a laptop.
    pub key_id: Option<String>,
    /// The scopes of the key that asks.
    pub scopes: Vec<Scope>,
}

/// The key that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedKey {
    /// Whose it will be.
    pub owner: KeyOwner,
    /// Who will use it.
    pub name: Actor,
    /// What for.
    pub scopes: Vec<Scope>,
    /// When it stops.
    pub expires_at: Option<Timestamp>,
}

/// A key that was asked for.
#[derive(Debug)]
pub enum Minted {
    /// Just now: the text exists at no other moment.
    Now(ApiKey, String),
    /// By an earlier request with the same idempotency key.
    Before(ApiKey),
}

impl ApiKeys {
    /// Makes a key; a customer's first one also makes the account.
    ///
    /// # Errors
    /// `scope_not_yours` for operator scopes that the asking key lacks; `invalid_field` for scopes
    /// that do not suit the owner or an end that has passed; [`Error::KeyReused`];
    /// [`Error::Unavailable`].
    pub async fn mint(
        &self,
        minter: &Minter,
        wanted: &WantedKey,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Minted, Error> {
        may_mint(minter, &wanted.scopes)?;
        check_scopes(wanted)?;
        let id = derived_id(&["operator", "api-key", key.as_str()]);
        for tries in 0..MAX_COMMIT_TRIES {
            if let Some(known) = self.table.api_key(&id).await? {
                return again(known, wanted, None);
            }
            if wanted.expires_at.is_some_and(|end| end <= now) {
                let detail = "must be in the future";
                return Err(Invalid::field("invalid_field", "expires_at", detail).into());
            }
            let new = self.draw(&id, wanted, minter, None, now)?;
            let commit = Commit::default().api_key(&new.key);
            let commit = with_account(&self.table, commit, &new.key, self.currency).await?;
            match self.table.commit(commit).await? {
                Committed::Yes => return Ok(Minted::Now(new.key, new.text)),
                Committed::No(_) => pause_before_retry(tries).await,
            }
        }
        Err(Unavailable::Busy.into())
    }

    /// Makes a key that takes the place of another: same owner, name, scopes and end. The other one
    /// goes on for [`OVERLAP`], unless it is revoked or ends before.
    ///
    /// # Errors
    /// [`Error::NotFound`]; `key_not_active` for one that has ended or was replaced already;
    /// `scope_not_yours`; [`Error::KeyReused`]; [`Error::Unavailable`].
    pub async fn rotate(
        &self,
        minter: &Minter,
        old: &str,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Minted, Error> {
        let id = derived_id(&["operator", "rotate", old, key.as_str()]);
        for tries in 0..MAX_COMMIT_TRIES {
            let known = self.known(old).await?;
            may_mint(minter, &known.scopes)?;
            let wanted = WantedKey {
                owner: known.owner.clone(),
                name: known.name.clone(),
                scopes: known.scopes.clone(),
                expires_at: known.expires_at,
            };
            if let Some(successor) = self.table.api_key(&id).await? {
                return again(successor, &wanted, Some(old));
            }
            if known.retires_at.is_some() || !known.is_usable(now) {
                let detail = "it has ended, or another key has taken its place: look at the list of keys for the one that \
                              replaces it";
                let detail = detail.to_owned();
                return Err(Error::Conflict { code: "key_not_active", detail });
            }
            let new = self.draw(&id, &wanted, minter, Some(old), now)?;
            let retired = ApiKey { retires_at: Some(now.plus(OVERLAP)), ..known };
            let commit = Commit::default().api_key(&new.key).api_key(&retired);
            match self.table.commit(commit).await? {
                Committed::Yes => return Ok(Minted::Now(new.key, new.text)),
                Committed::No(_) => pause_before_retry(tries).await,
            }
        }
        Err(Unavailable::Busy.into())
    }

    /// Stops a key; it is of no use any more once the gateway asks again, within a minute. One that
    /// was stopped before stays as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn revoke(&self, id: &str, now: Timestamp) -> Result<ApiKey, Error> {
        for tries in 0..MAX_COMMIT_TRIES {
            let known = self.known(id).await?;
            if known.revoked_at.is_some() {
                return Ok(known);
            }
            let revoked = ApiKey { revoked_at: Some(now), ..known };
            match self.table.commit(Commit::default().api_key(&revoked)).await? {
                Committed::Yes => return Ok(revoked),
                Committed::No(_) => pause_before_retry(tries).await,
            }
        }
        Err(Unavailable::Busy.into())
    }

    /// A page of an owner's keys, newest first, without their secrets.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an account that does not exist; `invalid_cursor`, or the table did not answer.
    pub async fn list(
        &self,
        owner: &KeyOwner,
        cursor: Option<&str>,
        limit: u8,
        now: Timestamp,
    ) -> Result<Page<ApiKey>, Error> {
        let of = owner.account().map_or(OPERATOR, |account| account.as_str());
        let scope = CursorScope { owner: of, list: "api-keys", filters: "" };
        let table = &self.table;
        let page = self.cursors.page(&scope, cursor, now, |after| async move {
            table.api_keys(owner, after.as_ref(), limit).await
        });
        let page = page.await?;
        // The first key of an account brings it into being: only one without keys may not exist.
        let (true, Some(account)) = (page.items.is_empty(), owner.account()) else {
            return Ok(page);
        };
        match table.account(account).await {
            Ok(None) => Err(Error::NotFound { what: "account" }),
            // One that cannot be read is there.
            Ok(Some(_)) | Err(Error::Broken(_)) => Ok(page),
            Err(error) => Err(error),
        }
    }

    async fn known(&self, id: &str) -> Result<ApiKey, Error> {
        let missing = Error::NotFound { what: "API key" };
        if !is_hexadecimal(id, ID_BYTES) {
            return Err(missing);
        }
        self.table.api_key(id).await?.ok_or(missing)
    }

    fn draw(
        &self,
        id: &str,
        wanted: &WantedKey,
        minter: &Minter,
        replaces: Option<&str>,
        now: Timestamp,
    ) -> Result<NewKey, Error> {
        let secret: [u8; SECRET_BYTES] = (self.draw)()?;
        let key = ApiKey {
            id: id.to_owned(),
            version: 0,
            owner: wanted.owner.clone(),
            name: wanted.name.clone(),
            scopes: wanted.scopes.clone(),
            secret_hash: String::new(),
            created_at: now,
            created_by: minter.by.clone(),
            created_by_key: minter.key_id.clone(),
            replaces: replaces.map(str::to_owned),
            expires_at: wanted.expires_at,
            retires_at: None,
            revoked_at: None,
            is_console_token: false,
        };
        Ok(NewKey::with_secret(key, &secret))
    }
}

/// No key can hand on what it does not have. What a customer's key can do, everybody may hand on who
/// may make keys.
fn may_mint(minter: &Minter, scopes: &[Scope]) -> Result<(), Error> {
    let lacks = |scope: &&Scope| Scope::OPERATOR.contains(scope) && !minter.scopes.contains(scope);
    match scopes.iter().find(lacks) {
        Some(scope) => Err(Error::ScopeNotYours { scope: scope.name() }),
        None => Ok(()),
    }
}

fn check_scopes(wanted: &WantedKey) -> Result<(), Invalid> {
    let (possible, of) = match wanted.owner {
        KeyOwner::Account(_) => (Scope::CUSTOMER, "a customer"),
        KeyOwner::Operator => (Scope::OPERATOR, "the operator"),
    };
    let names: Vec<_> = possible.iter().map(|scope| scope.name()).collect();
    let suits =
        !wanted.scopes.is_empty() && wanted.scopes.iter().all(|scope| possible.contains(scope));
    let detail = || format!("a key of {of} has one or more of {}", names.join(", "));
    suits.then_some(()).ok_or_else(|| Invalid::field("invalid_field", "scopes", detail()))
}

/// The key that this idempotency key made before, if it is the same one.
fn again(known: ApiKey, wanted: &WantedKey, replaces: Option<&str>) -> Result<Minted, Error> {
    let made = WantedKey {
        owner: known.owner.clone(),
        name: known.name.clone(),
        scopes: known.scopes.clone(),
        expires_at: known.expires_at,
    };
    match made == *wanted && known.replaces.as_deref() == replaces {
        true => Ok(Minted::Before(known)),
        false => Err(Error::KeyReused),
    }
}

/// The id that the key of a request has: not random, so that a repetition finds it; not secret.
fn derived_id(parts: &[&str]) -> String {
    HEXLOWER.encode(derive_bytes(parts).get(..ID_BYTES).unwrap_or_default())
}
