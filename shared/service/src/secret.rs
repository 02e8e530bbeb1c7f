//! Secrets: loaded on first use, kept for a while, never logged.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use hmac::{Hmac, KeyInit};
use ledger::Timestamp;
use sha2::Sha256;

use crate::error::{Unavailable, in_words};

/// How long a loaded secret is used before it is loaded again.
const CACHE_TIME: Duration = Duration::from_secs(300);
/// How soon a secret that seems to be wrong may be loaded again: a stranger who sends wrong
/// signatures cannot make this service call Secrets Manager for each of them.
const RELOAD_PAUSE: Duration = Duration::from_secs(30);

/// A text that must not be seen.
#[derive(Clone)]
pub struct Secret(Source);

#[derive(Clone)]
enum Source {
    Given(String),
    Managed(std::sync::Arc<Managed>),
}

struct Managed {
    client: Client,
    arn: String,
    loaded: Mutex<Option<(String, Timestamp)>>,
}

/// What authenticates with this secret.
#[must_use]
pub fn authenticator(secret: &str) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    Hmac::new_from_slice(secret.as_bytes()).expect("any length")
}

impl Secret {
    /// A secret whose text is known, as on a developer's machine.
    #[must_use]
    pub fn given(text: impl Into<String>) -> Self {
        Self(Source::Given(text.into()))
    }

    /// A secret that AWS Secrets Manager keeps.
    #[must_use]
    pub fn managed(client: Client, arn: impl Into<String>) -> Self {
        let (arn, loaded) = (arn.into(), Mutex::new(None));
        Self(Source::Managed(std::sync::Arc::new(Managed { client, arn, loaded })))
    }

    /// The text, at most five minutes old.
    ///
    /// # Errors
    /// [`Unavailable::Secret`] without the text, of course.
    pub async fn get(&self, now: Timestamp) -> Result<String, Unavailable> {
        self.get_unless_older_than(CACHE_TIME, now).await
    }

    /// The text after a rotation was noticed, at most half a minute old.
    ///
    /// # Errors
    /// As [`Secret::get`].
    pub async fn get_again(&self, now: Timestamp) -> Result<String, Unavailable> {
        self.get_unless_older_than(RELOAD_PAUSE, now).await
    }

    async fn get_unless_older_than(
        &self,
        age: Duration,
        now: Timestamp,
    ) -> Result<String, Unavailable> {
        let managed = match &self.0 {
            Source::Given(text) => return Ok(text.clone()),
            Source::Managed(managed) => managed,
        };
        if let Some((text, loaded_at)) = managed.lock().as_ref()
            && now.since(*loaded_at) < age
        {
            return Ok(text.clone());
        }
        let asked = managed.client.get_secret_value().secret_id(&managed.arn).send().await;
        let answer = asked.map_err(|error| Unavailable::Secret(in_words(&error)))?;
        let missing = || Unavailable::Secret("it holds no text".to_owned());
        let text = answer.secret_string.ok_or_else(missing)?;
        *managed.lock() = Some((text.clone(), now));
        Ok(text)
    }
}

/// The texts of a secret that is being rotated, separated by blanks, commas or lines; the newest
/// first.
pub fn each(secret: &str) -> impl Iterator<Item = &str> {
    secret.split([',', ' ', '\r', '\n']).filter(|text| !text.is_empty())
}

impl Managed {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(String, Timestamp)>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}
