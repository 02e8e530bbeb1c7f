//! API keys: `tk_<id>_<secret>`, stored only as a hash of the secret, shown once.

use data_encoding::HEXLOWER;
use ledger::{Account, AccountId, Actor, Currency, Timestamp};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::accounts::Profile;
use crate::console::authenticate_token;
use crate::error::{BrokenRecord, Error, Unavailable};
use crate::table::{Commit, Committed, MAX_COMMIT_TRIES, Stale, Table, pause_before_retry};

/// Where secrets come from: 256 random bits. A simulation draws them from its seed.
pub type Draw = fn() -> Result<[u8; SECRET_BYTES], Unavailable>;

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
    /// Who made it.
    pub created_by: Actor,
    /// The id of the key with which it was made, also at the console; none if it was made by the operator's command, or
    /// before this was kept. A name can be anybody's.
    pub created_by_key: Option<String>,
    /// The id of the key whose place it takes.
    pub replaces: Option<String>,
    /// When it stops by itself, as was said when it was made.
    pub expires_at: Option<Timestamp>,
    /// When it stops because another key takes its place.
    pub retires_at: Option<Timestamp>,
    /// When it was stopped.
    pub revoked_at: Option<Timestamp>,
    /// Whether it is a token of the console, which is never stored as a key.
    pub is_console_token: bool,
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
        let key = ApiKey {
            id: HEXLOWER.encode(id),
            version: 0,
            owner,
            created_by: name.clone(),
            created_by_key: None,
            name,
            scopes,
            secret_hash: String::new(),
            created_at: now,
            replaces: None,
            expires_at: None,
            retires_at: None,
            revoked_at: None,
            is_console_token: false,
        };
        Self::with_secret(key, secret)
    }

    /// This key with this secret.
    #[must_use]
    pub fn with_secret(key: ApiKey, secret: &[u8]) -> Self {
        let secret = HEXLOWER.encode(secret);
        let text = format!("tk_{}_{secret}", key.id);
        Self { key: ApiKey { secret_hash: secret_hash(&secret), ..key }, text }
    }
}

impl ApiKey {
    /// When it stops, if it does.
    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        [self.expires_at, self.retires_at, self.revoked_at].into_iter().flatten().min()
    }

    /// Whether it may be used now.
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.ends_at().is_none_or(|end| now < end)
    }
}

impl KeyOwner {
    /// The account, for a customer's key.
    #[must_use]
    pub const fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Account(account) => Some(account),
            Self::Operator => None,
        }
    }
}

/// 256 bits from the machine.
///
/// # Errors
/// [`Unavailable::Random`].
pub fn draw_secret() -> Result<[u8; SECRET_BYTES], Unavailable> {
    let mut secret = [0; SECRET_BYTES];
    getrandom::fill(&mut secret)?;
    Ok(secret)
}

/// Who holds this text, an API key's or a console token's: the stored key, if the secret is right
/// and it may be used now.
///
/// # Errors
/// The table did not answer. A key that is wrong, expired or revoked is `Ok(None)`.
pub async fn authenticate(
    table: &Table,
    text: &str,
    now: Timestamp,
) -> Result<Option<ApiKey>, Error> {
    let Some((id, secret)) = text.strip_prefix("tk_").and_then(|rest| rest.split_once('_')) else {
        return authenticate_token(table, text, now).await;
    };
    if !is_hexadecimal(id, ID_BYTES) || !is_hexadecimal(secret, SECRET_BYTES) {
        return Ok(None);
    }
    let Some(key) = table.api_key(id).await? else {
        return Ok(None);
    };
    Ok((is_secret(secret, &key.secret_hash) && key.is_usable(now)).then_some(key))
}

/// Whether a text is the secret of this hash, found out in a time that tells nothing.
pub(crate) fn is_secret(text: &str, hash: &str) -> bool {
    let right = secret_hash(text).as_bytes().ct_eq(hash.as_bytes());
    is_hexadecimal(text, SECRET_BYTES) && bool::from(right)
}

pub(crate) fn is_hexadecimal(text: &str, bytes: usize) -> bool {
    text.len() == bytes.saturating_mul(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What is stored of a secret.
pub(crate) fn secret_hash(secret: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(secret.as_bytes()))
}

/// Stores a key; a customer's first key also brings the account into being.
///
/// # Errors
/// The table did not answer, or the account is busy.
pub async fn store(table: &Table, key: &ApiKey, currency: Currency) -> Result<(), Error> {
    for tries in 0..MAX_COMMIT_TRIES {
        let commit = Commit::default().api_key(key);
        let commit = with_account(table, commit, key, currency).await?;
        match table.commit(commit).await? {
            Committed::Yes => return Ok(()),
            Committed::No(Stale::Exists) => {
                match table.api_key(&key.id).await? {
                    // The same random id twice: this very write, seen by its own repetition.
                    Some(stored) if stored.secret_hash == key.secret_hash => return Ok(()),
                    Some(_) => {
                        let problem = "another key has this id".to_owned();
                        return Err(
                            BrokenRecord::Unreadable { key: key.id.clone(), problem }.into()
                        );
                    }
                    // Another first key of the account has brought it into being.
                    None => pause_before_retry(tries).await,
                }
            }
            Committed::No(_) => pause_before_retry(tries).await,
        }
    }
    Err(Unavailable::Busy.into())
}

/// The commit of a key, and of its account if there is none.
pub(crate) async fn with_account(
    table: &Table,
    commit: Commit,
    key: &ApiKey,
    currency: Currency,
) -> Result<Commit, Error> {
    let Some(id) = key.owner.account() else { return Ok(commit) };
    if table.account(id).await?.is_some() {
        return Ok(commit);
    }
    let account = Account { version: 1, ..Account::open(id.clone(), currency) };
    let profile = Profile::nameless(id, &key.created_by, key.created_at);
    let changed = profile.changed(&account, &key.created_by, key.created_at);
    Ok(commit.profile(&profile, &changed).account(&account))
}
