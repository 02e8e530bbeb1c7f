//! The endpoints of the platform: where events are sent to, and whether they still are.
//!
//! All of them are one record, since they are few and read together. A secret is derived from one that
//! Secrets Manager keeps and is stored nowhere; to rotate it is to count on.

use std::time::Duration;

use data_encoding::BASE64;
use hmac::Mac;
use lambda_http::http::Uri;
use ledger::{Actor, EndpointId, Timestamp};
use serde_json::{Value, json};
use url::{Host, Url};

use crate::error::{Error, Invalid, Unavailable};
use crate::events::EventKind;
use crate::record::Changed;
use crate::secret::{self, Secret};
use crate::table::{Commit, Committed, MAX_COMMIT_TRIES, Table, pause_before_retry};

/// How many endpoints there can be.
const MAX_ENDPOINTS: usize = 8;
/// How long what is sent is also signed with the secret before, so that a receiver can change in peace.
pub const OVERLAP: Duration = Duration::from_secs(24 * 3_600);
/// How long an endpoint may fail, every time, before nothing is sent to it any more.
pub const DISABLED_AFTER: Duration = Duration::from_secs(5 * 24 * 3_600);

const MAX_URL: usize = 500;

/// A place where the platform is told of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// As its operator names it.
    pub id: EndpointId,
    /// Its number: no other endpoint ever has it, not even one of the same name.
    pub made: u64,
    /// Where it is.
    pub url: Url,
    /// What it is told of; nothing means everything.
    pub kinds: Vec<EventKind>,
    /// Since when nothing is sent to it, and why.
    pub disabled: Option<(Timestamp, DisabledReason)>,
    /// Since when it has failed every time.
    pub failing_since: Option<Timestamp>,
    /// The number of its secret.
    pub secret: u64,
    /// The number of the secret before, and until when it counts.
    pub previous: Option<(u64, Timestamp)>,
}

/// Why nothing is sent to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisabledReason {
    /// The operator said so.
    Operator,
    /// It failed every time for [`DISABLED_AFTER`].
    Failing,
    /// It answered 410.
    Gone,
}

/// All endpoints, as they are at a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// How often they were written; 0 before the first time.
    pub version: u64,
    /// Each of them, in the order of their names.
    pub all: Vec<Endpoint>,
}

/// What an endpoint is to be.
#[derive(Debug, Clone)]
pub struct WantedEndpoint {
    /// Its name.
    pub id: EndpointId,
    /// Where it is.
    pub url: Url,
    /// What it is told of.
    pub kinds: Vec<EventKind>,
    /// Whether anything is sent to it.
    pub enabled: bool,
}

/// Which addresses may be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Public ones, by https and by name.
    Public,
    /// Those, and this machine: for a developer, never in a deployment.
    ThisMachineToo,
}

/// What an attempt to tell an endpoint says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It took the event.
    Well,
    /// It did not.
    Failing,
    /// It said that it is gone for good.
    Gone,
}

/// The secrets that endpoints are signed with.
#[derive(Debug)]
pub struct EndpointSecrets(pub Secret);

/// What changes endpoints.
#[derive(Debug)]
pub struct ManageEndpoints {
    /// Where they are kept.
    pub table: Table,
    /// What their secrets are derived from.
    pub secrets: EndpointSecrets,
}

impl DisabledReason {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Operator, Self::Failing, Self::Gone];

    /// The name that is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Failing => "failing",
            Self::Gone => "gone",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

impl Endpoint {
    /// Whether it is to be told of this.
    #[must_use]
    pub fn wants(&self, kind: &EventKind) -> bool {
        self.disabled.is_none() && (self.kinds.is_empty() || self.kinds.contains(kind))
    }

    /// The numbers of the secrets that count at this moment, the newest first.
    pub fn secrets(&self, now: Timestamp) -> impl Iterator<Item = u64> {
        let previous = self.previous.filter(|(_, until)| now < *until).map(|(number, _)| number);
        std::iter::once(self.secret).chain(previous)
    }

    /// What it is after an attempt, if that changes it.
    #[must_use]
    pub fn after(&self, health: Health, now: Timestamp) -> Option<Self> {
        let off = |reason| Some(Self { disabled: Some((now, reason)), ..self.clone() });
        match (health, self.failing_since) {
            _ if self.disabled.is_some() => None,
            (Health::Gone, _) => off(DisabledReason::Gone),
            (Health::Well, None) => None,
            (Health::Well, Some(_)) => Some(Self { failing_since: None, ..self.clone() }),
            (Health::Failing, None) => Some(Self { failing_since: Some(now), ..self.clone() }),
            (Health::Failing, Some(since)) if now.since(since) >= DISABLED_AFTER => {
                off(DisabledReason::Failing)
            }
            (Health::Failing, Some(_)) => None,
        }
    }
}

impl Endpoints {
    /// The endpoint of that name.
    #[must_use]
    pub fn find(&self, id: &EndpointId) -> Option<&Endpoint> {
        self.all.iter().find(|endpoint| endpoint.id == *id)
    }

    /// These endpoints with one of them as it is now.
    #[must_use]
    pub fn with(&self, changed: Endpoint) -> Self {
        let mut next = self.clone();
        next.all.retain(|endpoint| endpoint.id != changed.id);
        next.all.push(changed);
        next.all.sort_by(|one, other| one.id.cmp(&other.id));
        next
    }

    fn without(&self, id: &EndpointId) -> Self {
        let mut next = self.clone();
        next.all.retain(|endpoint| endpoint.id != *id);
        next
    }

    /// The number of an endpoint or a secret that is made now: no other one ever has it.
    const fn new_number(&self) -> u64 {
        self.version.saturating_add(1)
    }

    fn wanted(&self, wanted: &WantedEndpoint, now: Timestamp) -> Result<Self, Error> {
        let known = self.find(&wanted.id);
        if known.is_none() && self.all.len() >= MAX_ENDPOINTS {
            let detail = format!("there are {MAX_ENDPOINTS} endpoints already: remove one first");
            return Err(Error::Conflict { code: "too_many_endpoints", detail });
        }
        let moved = known.is_none_or(|known| known.url != wanted.url);
        let was_off = known.and_then(|known| known.disabled);
        Ok(self.with(Endpoint {
            id: wanted.id.clone(),
            made: known.map_or_else(|| self.new_number(), |known| known.made),
            url: wanted.url.clone(),
            kinds: wanted.kinds.clone(),
            disabled: match wanted.enabled {
                true => None,
                false => Some(was_off.unwrap_or((now, DisabledReason::Operator))),
            },
            // Another place, or another try: its time begins again.
            failing_since: match moved || was_off.is_some() {
                true => None,
                false => known.and_then(|known| known.failing_since),
            },
            secret: known.map_or_else(|| self.new_number(), |known| known.secret),
            previous: known.and_then(|known| known.previous),
        }))
    }

    /// What they are as a document, for the record of changes. No secret is in it.
    fn as_value(&self) -> Value {
        let one = |endpoint: &Endpoint| {
            json!({
                "id": endpoint.id.as_str(),
                "url": endpoint.url.as_str(),
                "types": endpoint.kinds.iter().map(EventKind::name).collect::<Vec<_>>(),
                "disabled": endpoint.disabled.map(|(_, reason)| reason.name()),
                "secret": endpoint.secret,
            })
        };
        self.all.iter().map(one).collect()
    }
}

impl EndpointSecrets {
    /// The secrets that count for this endpoint, the newest first, as the receiver writes them down:
    /// `whsec_` and 32 bytes in base64 (Standard Webhooks).
    ///
    /// # Errors
    /// What they are derived from could not be loaded.
    pub async fn of(&self, endpoint: &Endpoint, now: Timestamp) -> Result<Vec<String>, Error> {
        let root = self.0.get(now).await?;
        let derived = endpoint.secrets(now).map(|number| derive(&root, &endpoint.id, number));
        Ok(derived.collect())
    }
}

/// One secret. The length of the name stands before it, so that no two endpoints share one.
fn derive(root: &str, id: &EndpointId, number: u64) -> String {
    let mut mac = secret::authenticator(root);
    mac.update(format!("endpoint {} {id} {number}", id.as_str().len()).as_bytes());
    format!("whsec_{}", BASE64.encode(&mac.finalize().into_bytes()))
}

impl Reach {
    /// An address that events can be sent to.
    ///
    /// # Errors
    /// `invalid_field` that says what it must be.
    pub fn check(self, text: &str) -> Result<Url, Invalid> {
        let wrong = |detail: &str| Invalid::field("invalid_field", "url", detail);
        let must = "must be an https address, such as https://example.com/events";
        let url = Url::parse(text).map_err(|_| wrong(must))?;
        // As it is sent to, which can be longer than what was typed.
        if url.as_str().len() > MAX_URL {
            return Err(wrong("must have at most 500 characters, encoded"));
        }
        if Uri::try_from(url.as_str()).is_err() {
            return Err(wrong(must));
        }
        let is_here = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        let here = self == Self::ThisMachineToo && is_here;
        if url.scheme() != "https" && !(here && url.scheme() == "http") {
            return Err(wrong(must));
        }
        if !here && !matches!(url.host(), Some(Host::Domain(_))) {
            return Err(wrong("must name a host, not an IP address"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(wrong("must not have a user, a password or a fragment"));
        }
        Ok(url)
    }
}

impl ManageEndpoints {
    /// All endpoints.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn all(&self) -> Result<Endpoints, Error> {
        self.table.endpoints().await
    }

    /// One endpoint.
    ///
    /// # Errors
    /// [`Error::NotFound`]; the table did not answer.
    pub async fn one(&self, id: &EndpointId) -> Result<Endpoint, Error> {
        found(&self.table.endpoints().await?, id)
    }

    /// Makes an endpoint, or makes it what it is to be from now on; its secret stays.
    ///
    /// # Errors
    /// `too_many_endpoints`; [`Error::Unavailable`].
    pub async fn put(
        &self,
        wanted: &WantedEndpoint,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Endpoint, Error> {
        let changed = self.change(by, now, |known| known.wanted(wanted, now)).await?;
        found(&changed, &wanted.id)
    }

    /// Gives an endpoint another secret; the one before counts for [`OVERLAP`] longer.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a secret before the last one still counts; [`Error::Unavailable`].
    pub async fn rotate(
        &self,
        id: &EndpointId,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Endpoint, Error> {
        let rotated = |known: &Endpoints| {
            let endpoint = found(known, id)?;
            if let Some((_, until)) = endpoint.previous.filter(|(_, until)| now < *until) {
                let until = crate::stamp::format(until);
                let detail = format!("the secret before the last one counts until {until}");
                return Err(Error::Conflict { code: "rotation_in_progress", detail });
            }
            let previous = Some((endpoint.secret, now.plus(OVERLAP)));
            Ok(known.with(Endpoint { secret: known.new_number(), previous, ..endpoint }))
        };
        found(&self.change(by, now, rotated).await?, id)
    }

    /// Removes an endpoint. What it was not told yet, it is not told any more.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn remove(&self, id: &EndpointId, by: &Actor, now: Timestamp) -> Result<(), Error> {
        let removed = |known: &Endpoints| found(known, id).map(|_| known.without(id));
        self.change(by, now, removed).await.map(drop)
    }

    async fn change(
        &self,
        by: &Actor,
        now: Timestamp,
        decide: impl Fn(&Endpoints) -> Result<Endpoints, Error>,
    ) -> Result<Endpoints, Error> {
        for tries in 0..MAX_COMMIT_TRIES {
            let seen = self.table.endpoints().await?;
            let next = decide(&seen)?;
            if next == seen {
                return Ok(seen);
            }
            let changed = Changed { at: now, by: by.clone(), value: next.as_value() };
            let commit = Commit::default().endpoints(&next).endpoints_changed(&next, &changed);
            match self.table.commit(commit).await? {
                Committed::Yes => return Ok(next),
                Committed::No(_) => pause_before_retry(tries).await,
            }
        }
        Err(Unavailable::Busy.into())
    }
}

fn found(endpoints: &Endpoints, id: &EndpointId) -> Result<Endpoint, Error> {
    endpoints.find(id).cloned().ok_or(Error::NotFound { what: "endpoint" })
}

#[cfg(test)]
mod tests {
    use super::Reach;

    #[test]
    fn only_https_addresses_with_a_name_are_taken() {
        let taken = ["https://example.com/events", "https://example.com:8443/a?b=c"];
        let here = [
            "http://127.0.0.1:9/x",
            "http://localhost/x",
            "http://[::1]:9/",
            "https://127.0.0.1/",
            "https://2130706433/",
        ];
        let refused = [
            "http://example.com/",
            "ftp://example.com/",
            "https://10.0.0.1/",
            "https://[::ffff:10.0.0.1]/",
            "https://user:secret@example.com/",
            "https://example.com/#x",
            "example.com",
            "https://exa{mple.com/",
            "https://",
            "",
        ];
        for text in taken {
            assert!(Reach::Public.check(text).is_ok(), "{text}");
        }
        for text in here {
            assert!(Reach::Public.check(text).is_err(), "{text}");
            assert!(Reach::ThisMachineToo.check(text).is_ok(), "{text}");
        }
        for text in refused {
            assert!(Reach::Public.check(text).is_err(), "{text}");
            assert!(Reach::ThisMachineToo.check(text).is_err(), "{text}");
        }
        for long in ["a".repeat(500), "\u{e9}".repeat(200)] {
            assert!(Reach::Public.check(&format!("https://example.com/?q={long}")).is_err());
        }
    }
}
