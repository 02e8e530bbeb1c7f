//! Sessions of the console: how a platform sends a signed-in person there without an API key in a
//! browser.
//!
//! The platform's server asks for a session and gets an address with a one-time code in its
//! fragment, which browsers do not send to servers. The console exchanges the code, within a minute
//! and once, for a token that the authorizer takes for half an hour. Session, code and token are one
//! item, and the only one that DynamoDB may delete.

use std::time::Duration;

use data_encoding::HEXLOWER;
use ledger::{Actor, IdempotencyKey, Timestamp, derive_id};
use url::Url;

use crate::error::{Error, Invalid, Unavailable};
use crate::keys::{ApiKey, Draw, KeyOwner, Scope, is_secret, secret_hash};
use crate::table::{Commit, Committed, MAX_COMMIT_TRIES, Table, pause_before_retry};

/// How long a code can be exchanged.
const CODE_TIME: Duration = Duration::from_secs(60);
/// How long a token is good for.
const TOKEN_TIME: Duration = Duration::from_secs(30 * 60);
/// What a token begins with, where an API key has `tk_`.
const TOKEN_PREFIX: &str = "ct_";

/// What a person can do who came as a customer: everything but using up what was bought, which
/// products do and people do not.
const CUSTOMER_SCOPES: [Scope; 4] =
    [Scope::BalancesRead, Scope::OrdersRead, Scope::OrdersWrite, Scope::TransfersWrite];

/// A session, from its code to the end of its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleSession {
    /// Derived from the idempotency key.
    pub id: String,
    /// How often it was written; 0 before the first time.
    pub version: u64,
    /// Whose console it is.
    pub owner: KeyOwner,
    /// Who sits before it.
    pub person: Actor,
    /// What the token may be used for.
    pub scopes: Vec<Scope>,
    /// SHA-256 of the code's secret.
    pub code_hash: String,
    /// When the code ends.
    pub code_expires_at: Timestamp,
    /// Who asked for it.
    pub created_by: Actor,
    /// The id of the API key that asked for it: with that key the session ends.
    pub key_id: Option<String>,
    /// What the code was exchanged for.
    pub token: Option<Token>,
}

/// What a code was exchanged for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// SHA-256 of its secret.
    pub hash: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What a platform asks for.
#[derive(Debug, Clone)]
pub struct WantedSession {
    /// Whose console.
    pub owner: KeyOwner,
    /// Who will sit before it.
    pub person: Actor,
    /// Who asks.
    pub by: Actor,
    /// The id of the key that asks; none where nobody needs one, as on a laptop.
    pub key_id: Option<String>,
    /// The scopes of the key that asks.
    pub scopes: Vec<Scope>,
}

/// Everything that opening a session touches.
#[derive(Debug)]
pub struct ConsoleSessions {
    /// Where sessions are.
    pub table: Table,
    /// Where secrets come from.
    pub draw: Draw,
    /// Where the console is.
    pub console: Url,
}

/// A session that was asked for.
#[derive(Debug)]
pub enum Opened {
    /// Just now; this is the only moment at which the address exists.
    Now(Url),
    /// By an earlier request with the same key.
    Before,
}

/// A token, at the only moment at which its text exists.
#[derive(Debug)]
pub struct IssuedToken {
    /// What the console sends from now on.
    pub text: String,
    /// The session that it belongs to.
    pub session: ConsoleSession,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl ConsoleSessions {
    /// Opens a session. A token never has more than the key that asked for it: an operator's token
    /// has that key's scopes.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an account that does not exist; [`Error::KeyReused`];
    /// [`Error::Unavailable`].
    pub async fn open(
        &self,
        wanted: &WantedSession,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Opened, Error> {
        let id = derive_id("", &["operator", "console-session", key.as_str()]);
        let scopes = match &wanted.owner {
            KeyOwner::Operator => wanted.scopes.clone(),
            KeyOwner::Account(_) => CUSTOMER_SCOPES.to_vec(),
        };
        for tries in 0..MAX_COMMIT_TRIES {
            if let Some(known) = self.table.console_session(&id).await? {
                let same = known.owner == wanted.owner && known.person == wanted.person;
                return if same { Ok(Opened::Before) } else { Err(Error::KeyReused) };
            }
            if let KeyOwner::Account(account) = &wanted.owner
                && self.table.account(account).await?.is_none()
            {
                return Err(Error::NotFound { what: "account" });
            }
            let secret = HEXLOWER.encode(&(self.draw)()?);
            let session = ConsoleSession {
                id: id.clone(),
                version: 0,
                owner: wanted.owner.clone(),
                person: wanted.person.clone(),
                scopes: scopes.clone(),
                code_hash: secret_hash(&secret),
                code_expires_at: now.plus(CODE_TIME),
                created_by: wanted.by.clone(),
                key_id: wanted.key_id.clone(),
                token: None,
            };
            match self.table.commit(Commit::default().console_session(&session)).await? {
                Committed::Yes => {
                    let mut url = self.console.clone();
                    url.set_fragment(Some(&format!("code={id}.{secret}")));
                    return Ok(Opened::Now(url));
                }
                Committed::No(_) => pause_before_retry(tries).await,
            }
        }
        Err(Unavailable::Busy.into())
    }
}

/// Exchanges a code for a token, once.
///
/// # Errors
/// `invalid_code` for a code that is wrong, used or ended: all the same, so that nobody learns
/// which. [`Error::Unavailable`] if it may have been exchanged without an answer: the person signs in
/// again.
pub async fn exchange_code(
    table: &Table,
    draw: Draw,
    code: &str,
    now: Timestamp,
) -> Result<IssuedToken, Error> {
    let refused = || {
        let detail = "this code is not good any more: sign in again";
        Error::from(Invalid::field("invalid_code", "code", detail))
    };
    let (id, secret) = code.split_once('.').ok_or_else(refused)?;
    if !is_session_id(id) {
        return Err(refused());
    }
    let session = table.console_session(id).await?.ok_or_else(refused)?;
    let good = is_secret(secret, &session.code_hash)
        && session.token.is_none()
        && now < session.code_expires_at;
    if !good {
        return Err(refused());
    }
    let secret = HEXLOWER.encode(&draw()?);
    let expires_at = now.plus(TOKEN_TIME);
    let token = Some(Token { hash: secret_hash(&secret), expires_at });
    let session = ConsoleSession { token, ..session };
    match table.commit(Commit::default().console_session(&session)).await? {
        Committed::Yes => {
            let text = format!("{TOKEN_PREFIX}{id}_{secret}");
            Ok(IssuedToken { text, session, expires_at })
        }
        // Somebody else used it in between.
        Committed::No(_) => Err(refused()),
    }
}

/// Ends a token before its time: whoever sat there has left. The gateway keeps what it knows for up to a minute. One that
/// is none, or has ended, is left as it is: as RFC 7009 has it, nobody is told
/// (<https://www.rfc-editor.org/rfc/rfc7009#section-2.2>).
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn revoke_token(table: &Table, text: &str, now: Timestamp) -> Result<(), Error> {
    let Some((id, secret)) = parts_of(text) else { return Ok(()) };
    for tries in 0..MAX_COMMIT_TRIES {
        let Some(session) = table.console_session(id).await? else { return Ok(()) };
        let Some(token) = session.good_token(secret, now) else { return Ok(()) };
        let ended = Token { expires_at: now, ..token };
        let session = ConsoleSession { token: Some(ended), ..session };
        match table.commit(Commit::default().console_session(&session)).await? {
            Committed::Yes => return Ok(()),
            Committed::No(_) => pause_before_retry(tries).await,
        }
    }
    Err(Unavailable::Busy.into())
}

/// Who holds this token, as a key that ends with it, if it may be used now: not once the key that asked for the session
/// has ended.
///
/// # Errors
/// The table did not answer.
pub async fn authenticate_token(
    table: &Table,
    text: &str,
    now: Timestamp,
) -> Result<Option<ApiKey>, Error> {
    let Some((id, secret)) = parts_of(text) else { return Ok(None) };
    let Some(session) = table.console_session(id).await? else { return Ok(None) };
    let Some(token) = session.good_token(secret, now) else { return Ok(None) };
    let mut ends = Some(token.expires_at);
    if let Some(key) = &session.key_id {
        match table.api_key(key).await?.filter(|key| key.is_usable(now)) {
            Some(key) => ends = ends.into_iter().chain(key.ends_at()).min(),
            None => return Ok(None),
        }
    }
    Ok(Some(ApiKey {
        id: session.id,
        version: session.version,
        owner: session.owner,
        name: session.person,
        scopes: session.scopes,
        secret_hash: token.hash,
        created_at: session.code_expires_at,
        created_by: session.created_by,
        created_by_key: session.key_id,
        replaces: None,
        expires_at: ends,
        retires_at: None,
        revoked_at: None,
        is_console_token: true,
    }))
}

/// The session that a token names, and the secret that it shows for it.
fn parts_of(text: &str) -> Option<(&str, &str)> {
    let parts = text.strip_prefix(TOKEN_PREFIX)?.split_once('_')?;
    is_session_id(parts.0).then_some(parts)
}

impl ConsoleSession {
    /// Its token, if that has this secret and has not ended.
    fn good_token(&self, secret: &str, now: Timestamp) -> Option<Token> {
        let good = |token: &&Token| is_secret(secret, &token.hash) && now < token.expires_at;
        self.token.as_ref().filter(good).cloned()
    }
}

/// Whether a text can be the id of a session: anything else is not asked for.
fn is_session_id(text: &str) -> bool {
    text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
