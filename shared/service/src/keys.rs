//! API keys: `tk_<id>_<secret>`, stored only as a hash of the secret, shown once.

use data_encoding::HEXLOWER;
use ledger::{Account, AccountId, Actor, Currency, Timestamp};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::error::{BrokenRecord, Error, Unavailable};
use crate::table::{Commit, Committed, MAX_COMMIT_TRIES, Stale, Table, pause_before_retry};

/// Bytes of randomness in a secret: 256 bits.
pub const SECRET_BYTES: usize = 32;
/// Bytes of randomness in a key's id: 80 bits.
pub const ID_BYTES: usize = 10;

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Read balances and the journal.
    BalancesRead,
    /// Read orders and the catalogue.
    OrdersRead,
    /// Make and cancel orders.
    OrdersWrite,
    /// Move money from the wallet to a product.
    TransfersWrite,
    /// Take money out of a product by using it.
    UsageWrite,
    /// Read everything of every account.
    OperatorRead,
    /// Decide on bank transfers.
    OperatorReview,
    /// Give money back and adjust balances.
    OperatorMoney,
    /// Change the catalogue, rates and bank accounts.
    OperatorConfigure,
    /// Make and revoke keys.
    OperatorKeys,
}

/// Whose key it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyOwner {
    /// A customer's: it sees one account.
    Account(AccountId),
    /// The platform's own.
    Operator,
}

/// A key as it is stored: without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The part between `tk_` and the secret.
    pub id: String,
    /// How often it was written; 0 before the first time.
    pub version: u64,
    /// Whose key it is.
    pub owner: KeyOwner,
    /// Who uses it, as orders will name them.
    pub name: Actor,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// SHA-256 of the secret in lower-case hexadecimal.
    pub secret_hash: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was stopped.
    pub revoked_at: Option<Timestamp>,
}

/// A new key and the only moment at which its text exists.
pub struct NewKey {
    /// What is stored.
    pub key: ApiKey,
    /// What its user is given.
    pub text: String,
}

impl Scope {
    /// What a customer's key can have.
    pub const CUSTOMER: [Self; 5] = [
        Self::BalancesRead,
        Self::OrdersRead,
        Self::OrdersWrite,
        Self::TransfersWrite,
        Self::UsageWrite,
    ];

    /// What the operator's key can have.
    pub const OPERATOR: [Self; 5] = [
        Self::OperatorRead,
        Self::OperatorReview,
        Self::OperatorMoney,
        Self::OperatorConfigure,
        Self::OperatorKeys,
    ];

    /// The name that is stored and sent.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BalancesRead => "balances:read",
            Self::OrdersRead => "orders:read",
            Self::OrdersWrite => "orders:write",
            Self::TransfersWrite => "transfers:write",
            Self::UsageWrite => "usage:write",
            Self::OperatorRead => "operator:read",
            Self::OperatorReview => "operator:review",
            Self::OperatorMoney => "operator:money",
            Self::OperatorConfigure => "operator:configure",
            Self::OperatorKeys => "operator:keys",
        }
    }

    /// The scope of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let all = Self::CUSTOMER.into_iter().chain(Self::OPERATOR);
        all.into_iter().find(|scope| scope.name() == name)
    }
}

impl NewKey {
    /// Makes a key out of random bytes that the caller drew.
    #[must_use]
    pub fn new(
        random: &[u8; ID_BYTES + SECRET_BYTES],
        owner: KeyOwner,
        name: Actor,
        scopes: Vec<Scope>,
        now: Timestamp,
    ) -> Self {
        let (id, secret) = random.split_at(ID_BYTES);
        let (id, secret) = (HEXLOWER.encode(id), HEXLOWER.encode(secret));
        let text = format!("tk_{id}_{secret}");
        let secret_hash = hash(&secret);
        let (version, expires_at, revoked_at) = (0, None, None);
        let created_at = now;
        let key = ApiKey {
            id,
            version,
            owner,
            name,
            scopes,
            secret_hash,
            created_at,
            expires_at,
            revoked_at,
        };
        Self { key, text }
    }
}

/// Who holds this key text: the stored key, if the secret is right and it may be used now.
///
/// # Errors
/// The table did not answer. A key that is wrong, expired or revoked is `Ok(None)`.
pub async fn authenticate(
    table: &Table,
    text: &str,
    now: Timestamp,
) -> Result<Option<ApiKey>, Error> {
    let Some((id, secret)) = text.strip_prefix("tk_").and_then(|rest| rest.split_once('_')) else {
        return Ok(None);
    };
    let hexadecimal = |part: &str, bytes: usize| {
        part.len() == bytes.saturating_mul(2) && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    if !hexadecimal(id, ID_BYTES) || !hexadecimal(secret, SECRET_BYTES) {
        return Ok(None);
    }
    let Some(key) = table.api_key(id).await? else {
        return Ok(None);
    };
    let right = hash(secret).as_bytes().ct_eq(key.secret_hash.as_bytes());
    let usable = key.revoked_at.is_none() && key.expires_at.is_none_or(|end| now < end);
    Ok((bool::from(right) && usable).then_some(key))
}

/// Stores a key; a customer's first key also brings the account into being.
///
/// # Errors
/// The table did not answer, or the account is busy.
pub async fn store(table: &Table, key: &ApiKey, currency: Currency) -> Result<(), Error> {
    for tries in 0..MAX_COMMIT_TRIES {
        let commit = Commit::default().api_key(key);
        let commit = match &key.owner {
            KeyOwner::Operator => commit,
            KeyOwner::Account(id) => match table.account(id).await? {
                Some(_) => commit,
                None => {
                    let account = Account::open(id.clone(), currency);
                    commit.account(&Account { version: 1, ..account })
                }
            },
        };
        match table.commit(commit).await? {
            Committed::Yes => return Ok(()),
            Committed::No(Stale::Exists) => {
                // The same random id twice: this very write, seen by its own repetition.
                return match table.api_key(&key.id).await? {
                    Some(stored) if stored.secret_hash == key.secret_hash => Ok(()),
                    _ => Err(BrokenRecord::Missing(format!("key {}", key.id)).into()),
                };
            }
            Committed::No(_) => pause_before_retry(tries).await,
        }
    }
    Err(Unavailable::Busy.into())
}

fn hash(secret: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(secret.as_bytes()))
}
