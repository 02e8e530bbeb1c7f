//! `keys`: the operator's and customers' API keys, past the API, for whoever has no key yet.

use std::time::Duration;

use clap::Subcommand;
use data_encoding::HEXLOWER;
use ledger::{AccountId, Actor, Currency, IdempotencyKey};
use serde_json::{Value, json};
use service::api_keys::{ApiKeys, Minted, Minter};
use service::cursor::Cursors;
use service::error::Error;
use service::http;
use service::keys::{self, ApiKey, ID_BYTES, KeyOwner, NewKey, SECRET_BYTES, Scope, draw_secret};
use service::lambda::now;
use service::secret::Secret;
use service::stamp;
use service::table::Table;

use crate::answer::{Answer, table, text};
use crate::deployment::{Which, variable};
use crate::problem::Problem;

const DAY_SECONDS: u64 = 86_400;
/// Keys a page of the list.
const LISTED: u8 = 100;
/// Said with every secret.
const KEEP: &str = "Keep it: only its hash is stored, and it is not shown again.";

/// API keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make a key and print it, once: the operator's, or with --account a customer's
    ///
    /// If the answer is lost, `keys list` shows the key, and `keys revoke` stops it.
    Create {
        /// Who will use it, as orders and decisions will name them [default: operator, or the account]
        #[arg(long)]
        name: Option<String>,
        /// Make a customer's key for this account; the account comes into being with its first key
        #[arg(long)]
        account: Option<String>,
        /// The currency of a new account [env: CURRENCY] [default: USD]
        #[arg(long)]
        currency: Option<String>,
        /// Only this scope, such as operator:read; several times for several
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// Let it stop by itself after so many days
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
        days: Option<u16>,
    },
    /// List the operator's keys, or with --account a customer's, newest first, without secrets
    ///
    /// One that cannot be read lets nobody in, and is left out: LOG_LEVEL=error says which.
    List {
        /// The customer's account
        #[arg(long)]
        account: Option<String>,
    },
    /// Make a key that takes the place of another, which goes on for a day
    Rotate {
        /// The whole key, tk_ID_SECRET, or only its ID
        key: String,
    },
    /// Stop a key: it is of no use any more within a minute
    Revoke {
        /// The whole key, tk_ID_SECRET, or only its ID
        key: String,
    },
}

pub(crate) async fn run(which: &Which, command: Keys) -> Result<Answer, Problem> {
    match command {
        Keys::Create { name, account, currency, scopes, days } => {
            let name = name.or_else(|| account.clone()).map(|name| Actor::parse(&name));
            let name = name.transpose().map_err(|error| Problem::asked("--name", error))?;
            let parsed = |code: Option<String>| {
                let parsed = code.map(|code| Currency::parse(&code)).transpose();
                parsed.map_err(|error| Problem::asked("--currency", error))
            };
            let asked = parsed(currency)?;
            let currency = match asked {
                Some(asked) => asked,
                None => parsed(variable("CURRENCY"))?.unwrap_or(Currency::USD),
            };
            let owner = owner(account.as_deref())?;
            let scopes = wanted_scopes(&owner, &scopes)?;
            let name = name.unwrap_or_else(Actor::operator);
            let wanted = Wanted { name, scopes, currency, is_asked: asked.is_some(), days };
            let (table, _) = which.table().await?;
            create(&table, owner, wanted).await
        }
        Keys::List { account } => {
            let owner = owner(account.as_deref())?;
            let (table, _) = which.table().await?;
            must_be_there(&table, &owner).await?;
            list(&api_keys(table)?, &owner).await
        }
        Keys::Rotate { key } => {
            let (table, _) = which.table().await?;
            rotate(&api_keys(table)?, id_of(&key)).await
        }
        Keys::Revoke { key } => {
            let (table, _) = which.table().await?;
            let revoked = api_keys(table)?.revoke(id_of(&key), now()).await?;
            let text =
                format!("Key {} is stopped; the gateway forgets it in a minute.", revoked.id);
            Ok(Answer::well(text, shown(&revoked)))
        }
    }
}

/// The key to be made.
struct Wanted {
    name: Actor,
    scopes: Vec<Scope>,
    /// Of an account that is not there yet.
    currency: Currency,
    /// Whether the command line says so: then one that is there must not be kept in another.
    is_asked: bool,
    days: Option<u16>,
}

async fn create(table: &Table, owner: KeyOwner, wanted: Wanted) -> Result<Answer, Problem> {
    let mut random = [0; ID_BYTES + SECRET_BYTES];
    getrandom::fill(&mut random).map_err(|error| Problem::Asked(error.to_string()))?;
    let now = now();
    let currency = wanted.currency;
    let comes_into_being = match owner.account() {
        None => None,
        Some(id) => match table.account(id).await {
            Ok(Some(known)) if wanted.is_asked && known.currency != currency => {
                let problem = format!("account '{id}' is kept in {}", known.currency);
                return Err(Problem::asked("--currency", problem));
            }
            Ok(None) => Some(id.clone()),
            // One that cannot be read is there.
            Ok(Some(_)) | Err(Error::Broken(_)) => None,
            Err(cause) => return Err(cause.into()),
        },
    };
    let mut new = NewKey::new(&random, owner, wanted.name, wanted.scopes, now);
    let ends = |days| now.plus(Duration::from_secs(DAY_SECONDS.saturating_mul(u64::from(days))));
    new.key.expires_at = wanted.days.map(ends);
    // Whoever will use it has not made it.
    new.key.created_by = Actor::operator();
    keys::store(table, &new.key, currency).await?;
    let json = http::api_key(&new.key, Some(&new.text));
    let note = match comes_into_being {
        Some(account) => format!("{KEEP} Account '{account}' is new, in {currency}."),
        None => KEEP.to_owned(),
    };
    Ok(Answer::well(new.text.clone(), json).noted(note))
}

/// Whoever looks for the keys of a customer who is leaving must not be told that there are none of another name.
async fn must_be_there(table: &Table, owner: &KeyOwner) -> Result<(), Problem> {
    let Some(id) = owner.account() else { return Ok(()) };
    match table.account(id).await {
        Ok(None) => Err(Problem::Asked(format!("there is no account '{id}'"))),
        // One that cannot be read is there, and has its keys.
        Ok(Some(_)) | Err(Error::Broken(_)) => Ok(()),
        Err(cause) => Err(cause.into()),
    }
}

async fn list(keys: &ApiKeys, owner: &KeyOwner) -> Result<Answer, Problem> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = keys.list(owner, cursor.as_deref(), LISTED, now()).await?;
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let json = json!({"data": found.iter().map(shown).collect::<Vec<_>>()});
    let head = ["ID", "NAME", "STATE", "MADE", "BY", "REPLACES", "SCOPES"].map(str::to_owned);
    let rows = found.iter().map(row);
    let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
    Ok(Answer::well(if found.is_empty() { "No keys.".to_owned() } else { table(&rows) }, json))
}

async fn rotate(keys: &ApiKeys, old: &str) -> Result<Answer, Problem> {
    // Each command line is a wish of its own: a second one is told that the key was replaced.
    let once = HEXLOWER.encode(&draw_secret().map_err(Error::from)?);
    let once = IdempotencyKey::parse(&once).map_err(|error| Problem::asked("the key", error))?;
    let by = Minter { by: Actor::operator(), key_id: None, scopes: Scope::OPERATOR.to_vec() };
    match keys.rotate(&by, old, &once, now()).await? {
        Minted::Now(key, secret) => {
            // The new secret is shown whatever becomes of this look: it is shown once.
            let before = keys.table.api_key(old).await.ok().flatten();
            let end = before.and_then(|before| before.ends_at()).map(stamp::format);
            let goes_on = end.map(|end| format!(" Key {old} goes on until {end}."));
            let note = format!("{KEEP}{}", goes_on.unwrap_or_default());
            let json = http::api_key(&key, Some(&secret));
            Ok(Answer::well(secret.clone(), json).noted(note))
        }
        Minted::Before(key) => Ok(Answer::well(format!("Key {} was made.", key.id), shown(&key))),
    }
}

/// Lists need cursors, and none of this process is ever handed to anybody: any secret will do. No account is made by them.
fn api_keys(table: Table) -> Result<ApiKeys, Problem> {
    let secret = HEXLOWER.encode(&draw_secret().map_err(Error::from)?);
    let cursors = Cursors::new(Secret::given(secret));
    Ok(ApiKeys { table, draw: draw_secret, cursors, currency: Currency::USD })
}

fn owner(account: Option<&str>) -> Result<KeyOwner, Problem> {
    let Some(account) = account else { return Ok(KeyOwner::Operator) };
    let id = AccountId::parse(account).map_err(|error| Problem::asked("--account", error))?;
    Ok(KeyOwner::Account(id))
}

/// The scopes that are named; all that suit the owner if none is.
fn wanted_scopes(owner: &KeyOwner, names: &[String]) -> Result<Vec<Scope>, Problem> {
    let possible = match owner {
        KeyOwner::Operator => Scope::OPERATOR,
        KeyOwner::Account(_) => Scope::CUSTOMER,
    };
    if names.is_empty() {
        return Ok(possible.to_vec());
    }
    let of_name = |name: &String| {
        let scope = Scope::parse(name).filter(|scope| possible.contains(scope));
        let known = possible.map(Scope::name).join(", ");
        scope.ok_or_else(|| Problem::asked("--scope", format!("must be one of {known}")))
    };
    names.iter().map(of_name).collect()
}

/// Whoever has a whole key at hand, as from a leak, may give it as it is.
fn id_of(key: &str) -> &str {
    let inner = key.strip_prefix("tk_").unwrap_or(key);
    inner.split('_').next().unwrap_or(inner)
}

fn shown(key: &ApiKey) -> Value {
    let mut shown = http::api_key(key, None);
    shown.as_object_mut().and_then(|shown| shown.remove("secret"));
    shown
}

fn row(key: &ApiKey) -> [String; 7] {
    let json = http::api_key(key, None);
    let at = |field: &str| text(&json, field).to_owned();
    let state = match key.ends_at() {
        _ if !key.is_usable(now()) => "ended".to_owned(),
        Some(end) => format!("until {}", stamp::format(end)),
        None => "active".to_owned(),
    };
    let scopes = key.scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(" ");
    let [name, by] = [&key.name, &key.created_by].map(|who| who.as_str().to_owned());
    let replaces = key.replaces.clone().unwrap_or_else(|| "-".to_owned());
    [key.id.clone(), name, state, at("created_at"), by, replaces, scopes]
}
