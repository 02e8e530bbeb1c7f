//! The four ways in which a request can fail, kept apart by type.
//!
//! A *refusal* is a rule's "no". An *invalid* request broke the contract. *Unavailable* means that
//! nobody knows yet and the same key will tell. *Broken* means that an invariant does not hold:
//! the request stops, and an alarm must ring.

use ledger::{Broken, IllegalMove, Refusal};
use thiserror::Error;

use crate::record::PaymentClaim;

/// Why a use case did not do what it was asked.
#[derive(Debug, Error)]
pub enum Error {
    /// A balance rule said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The request is not one that this service takes.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// No such thing, or not the caller's.
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// The idempotency key was used for another request.
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// It cannot be done with what is there, and the same request will not change that.
    #[error("{detail}")]
    Conflict {
        /// The stable code of the contract.
        code: &'static str,
        /// What stands in the way, and what to do.
        detail: String,
    },
    /// The bank transfer was credited before, to this order or to another one.
    #[error("this bank reference was credited before, to order {} of account {}",
        .0.order, .0.account)]
    BankReferenceUsed(Box<PaymentClaim>),
    /// The caller's key lacks a scope.
    #[error("this API key does not have the scope '{scope}'")]
    MissingScope {
        /// The scope that is needed.
        scope: &'static str,
    },
    /// A token of the console asked for what only an API key may.
    #[error("a token of the console cannot open another session: it ends by itself")]
    TokenNotKey,
    /// A key was asked for that could do what the asking one cannot.
    #[error("this API key does not have the scope '{scope}', and cannot hand it on")]
    ScopeNotYours {
        /// The scope.
        scope: &'static str,
    },
    /// The caller's key has ended since the gateway last asked.
    #[error("this API key has expired")]
    KeyExpired,
    /// Neither the table nor the queue took a webhook: whoever sent it must send it again.
    #[error("neither the table nor the queue took it: {0}")]
    NotTaken(String),
    /// Something that this service depends on did not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// An invariant does not hold.
    #[error(transparent)]
    Broken(#[from] BrokenRecord),
}

/// A request that breaks the contract: which field, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{detail}")]
pub struct Invalid {
    /// The stable code of the contract.
    pub code: &'static str,
    /// The field of the body or the query.
    pub field: Option<String>,
    /// What is wrong and what would be right.
    pub detail: String,
}

/// Who did not answer. The work may or may not have been done: the same key tells.
#[derive(Debug, Error)]
pub enum Unavailable {
    /// DynamoDB failed after the client's own retries.
    #[error("the table did not answer: {0}")]
    Table(String),
    /// SQS failed after the client's own retries.
    #[error("the queue did not answer: {0}")]
    Queue(String),
    /// The payment provider failed after the bounded retries.
    #[error("the payment provider gave no answer that can be used: {0}")]
    Provider(String),
    /// A secret could not be loaded.
    #[error("a secret could not be loaded: {0}")]
    Secret(String),
    /// S3 failed after the client's own retries.
    #[error("the object storage did not answer: {0}")]
    Objects(String),
    /// The machine gave no random bytes.
    #[error("no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// It took too long.
    #[error("the request took too long")]
    Slow,
    /// A payment is taken back that was credited to no order yet.
    #[error("payment {0} was credited to no order yet")]
    NotCredited(ledger::PaymentId),
    /// Too many others were writing the same account.
    #[error("the account is busy")]
    Busy,
}

/// A stored record that cannot be, or a move that no rule allows.
#[derive(Debug, Error)]
pub enum BrokenRecord {
    /// An item of the table does not read as what its key says.
    #[error("item {key} cannot be read: {problem}")]
    Unreadable {
        /// The item's partition key.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A record that must exist does not.
    #[error("{0} does not exist")]
    Missing(String),
    /// The order states do not allow what happened.
    #[error(transparent)]
    Move(#[from] IllegalMove),
    /// An account does not follow from its journal.
    #[error(transparent)]
    Journal(#[from] Broken),
    /// The payment provider refused a request that this service composed.
    #[error("the payment provider refused a request: {0}")]
    Provider(String),
}

/// An error and what caused it, in words. Never its `Debug` form, which can show a whole answer.
#[must_use]
pub fn in_words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let words: Vec<_> = causes.map(ToString::to_string).collect();
    words.join(": ")
}

impl Invalid {
    /// A field whose value cannot be taken.
    #[must_use]
    pub fn field(code: &'static str, field: &str, detail: impl Into<String>) -> Self {
        Self { code, field: Some(field.to_owned()), detail: detail.into() }
    }
}

impl From<IllegalMove> for Error {
    fn from(illegal: IllegalMove) -> Self {
        Self::Broken(BrokenRecord::Move(illegal))
    }
}
