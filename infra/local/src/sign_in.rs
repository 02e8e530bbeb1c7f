//! The platform, as far as it signs people in and sends them to the console.
//!
//! In a deployment the platform's own server asks for a session with
//! `POST /v1/admin/console-sessions` and redirects the browser to it. Its code lives for a minute,
//! so nobody can be handed an address with one in advance. Here are two addresses that make one
//! whenever they are opened, as a platform's link "Balance" would. Whoever knows one is signed in:
//! each start draws them anew, and they are told to whoever has the keys as well.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ledger::{AccountId, Actor, IdempotencyKey};
use serde::Deserialize;
use service::console::{Opened, WantedSession};
use service::error::Error;
use service::keys::{KeyOwner, Scope};
use subtle::ConstantTimeEq;
use url::Url;

use crate::clock::Clock;
use crate::demo::{DEMO_ACCOUNT, random};
use crate::functions::Functions;

const PATH: &str = "/sign-in/{secret}/{role}";
/// Random bytes of the secret in the addresses.
const SECRET_BYTES: usize = 32;

/// The addresses that sign a person in.
#[derive(Clone)]
pub struct SignInLinks {
    /// As a customer: of the demo account, or of the one that the query names as `account_id`.
    pub customer: String,
    /// As the operator, with every scope.
    pub operator: String,
}

/// Who asks for sessions here.
struct Platform {
    functions: Arc<Functions>,
    clock: Clock,
    secret: String,
}

/// What a person may add to the address.
#[derive(Deserialize)]
struct Wanted {
    account_id: Option<String>,
}

impl fmt::Debug for SignInLinks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SignInLinks")
    }
}

/// The addresses, with a secret that was never used before, and what answers there.
///
/// # Errors
/// There is no source of randomness.
pub(crate) fn open(
    base_url: &str,
    functions: &Arc<Functions>,
    clock: &Clock,
) -> Result<(SignInLinks, Router), String> {
    let secret = random::<SECRET_BYTES>()?;
    let link = |role| format!("{base_url}/sign-in/{secret}/{role}");
    let links = SignInLinks { customer: link("customer"), operator: link("operator") };
    let (functions, clock) = (Arc::clone(functions), clock.clone());
    let platform = Arc::new(Platform { functions, clock, secret });
    Ok((links, Router::new().route(PATH, get(sign_in)).with_state(platform)))
}

async fn sign_in(
    State(platform): State<Arc<Platform>>,
    Path((secret, role)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let known = secret.as_bytes().ct_eq(platform.secret.as_bytes());
    if !bool::from(known) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let session = match role.as_str() {
        "customer" => customer(wanted.account_id.as_deref().unwrap_or(DEMO_ACCOUNT)),
        "operator" => session(KeyOwner::Operator, "demo operator"),
        _ => None,
    };
    let Some(session) = session else { return StatusCode::NOT_FOUND.into_response() };
    match platform.open(&session).await {
        // The code and this address are for this browser alone: nothing keeps or passes them on.
        Ok(Some(console)) => {
            let headers = [
                (header::LOCATION, console.as_str()),
                (header::CACHE_CONTROL, "no-store"),
                (header::REFERRER_POLICY, "no-referrer"),
            ];
            (StatusCode::SEE_OTHER, headers).into_response()
        }
        Err(Error::NotFound { .. }) => StatusCode::NOT_FOUND.into_response(),
        Ok(None) | Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

impl Platform {
    /// Opens a session that nobody asked for before, and returns where it begins, at the host that
    /// the browser came by. There is none without randomness, or for a key that was drawn twice.
    async fn open(&self, session: &WantedSession) -> Result<Option<String>, Error> {
        let key = random::<SECRET_BYTES>().ok().and_then(|key| IdempotencyKey::parse(&key).ok());
        let Some(key) = key else { return Ok(None) };
        let sessions = &self.functions.manage_accounts.sessions;
        let opened = sessions.open(session, &key, self.clock.now()).await?;
        Ok(match opened {
            Opened::Now(url) => Some(below_host(&url)),
            Opened::Before => None,
        })
    }
}

fn customer(account: &str) -> Option<WantedSession> {
    session(KeyOwner::Account(AccountId::parse(account).ok()?), "demo customer")
}

fn session(owner: KeyOwner, person: &str) -> Option<WantedSession> {
    let person = Actor::parse(person).ok()?;
    let by = Actor::parse("local platform").ok()?;
    Some(WantedSession { owner, person, by, key_id: None, scopes: Scope::OPERATOR.to_vec() })
}

/// The part of an address that a browser keeps to when it stays at the same host.
fn below_host(url: &Url) -> String {
    format!("{}#{}", url.path(), url.fragment().unwrap_or_default())
}
