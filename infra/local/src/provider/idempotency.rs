//! Idempotency keys: a result is kept for 24 hours and survives a restart; a key in use is refused.

use std::sync::PoisonError;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::Provider;
use super::failure::Failure;
use super::parameters::Parameters;
use super::store::{Books, StoredResult};

/// Seconds after which a key may be used for something else.
const RETENTION: i64 = 86_400;

/// A key while its first call is being answered. Dropping it frees the key.
pub(super) struct KeyInUse<'a> {
    provider: &'a Provider,
    key: String,
}

/// A keyed request: the key, and what makes another request with it a different one.
#[derive(Clone)]
pub(super) struct Keyed {
    pub(super) key: String,
    pub(super) path: String,
    pub(super) fingerprint: String,
}

impl Keyed {
    pub(super) fn new(key: &str, path: &str, parameters: &Parameters) -> Result<Self, Failure> {
        if key.is_empty() || key.len() > 255 {
            let message = "Idempotency keys must be between 1 and 255 characters long.";
            return Err(Failure::idempotency(message.to_owned()));
        }
        Ok(Self {
            key: key.to_owned(),
            path: path.to_owned(),
            fingerprint: HEXLOWER.encode(&Sha256::digest(parameters.canonical())),
        })
    }

    /// The stored result, if this request was answered before.
    pub(super) fn replay(
        &self,
        books: &Books<'_>,
        now: i64,
    ) -> Result<Option<StoredResult>, Failure> {
        let Some(result) = books.result(&self.key, now.saturating_sub(RETENTION))? else {
            return Ok(None);
        };
        let (key, path) = (&self.key, &self.path);
        if result.path != self.path {
            let first = &result.path;
            return Err(Failure::idempotency(format!(
                "Keys for idempotent requests can only be used for the same endpoint they were \
                 first used for ('{path}' vs '{first}'). Try using a key other than '{key}' if you \
                 meant to execute a different request."
            )));
        }
        if result.fingerprint != self.fingerprint {
            return Err(Failure::idempotency(format!(
                "Keys for idempotent requests can only be used with the same parameters they were \
                 first used with. Try using a key other than '{key}' if you meant to execute a \
                 different request."
            )));
        }
        Ok(Some(result))
    }
}

impl<'a> KeyInUse<'a> {
    /// Takes the key, unless another call with it is under way.
    pub(super) fn claim(provider: &'a Provider, key: &str) -> Result<Self, Failure> {
        let mut keys = provider.0.keys_in_use.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.insert(key.to_owned()) {
            Ok(Self { provider, key: key.to_owned() })
        } else {
            Err(Failure::key_in_use(key))
        }
    }
}

impl Drop for KeyInUse<'_> {
    fn drop(&mut self) {
        let keys = &self.provider.0.keys_in_use;
        keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
