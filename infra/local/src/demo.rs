//! What a fresh local cloud comes with: secrets of its own, a demo account and its keys.

use std::fmt;
use std::fs;
use std::path::Path;

use data_encoding::HEXLOWER;
use ledger::{AccountId, Actor, Currency, Timestamp};
use serde::{Deserialize, Serialize};
use service::catalogue::Catalogue;
use service::configuration::{CatalogueChange, change_catalogue};
use service::keys::{self, ID_BYTES, KeyOwner, NewKey, SECRET_BYTES, Scope};
use service::table::Table;

/// The account that a fresh local cloud has.
pub const DEMO_ACCOUNT: &str = "demo";

const CATALOGUE: &str = include_str!("../../catalogue.json");
const FILE_NAME: &str = "secrets.json";

/// Secrets of one local cloud, drawn once and kept beside its data.
#[derive(Clone, Serialize, Deserialize)]
pub struct Secrets {
    customer_key: String,
    operator_key: String,
    /// Authenticates cursors.
    pub cursor: String,
    /// Signs webhooks.
    pub webhook: String,
    /// Is the stand-in's API key.
    pub provider: String,
}

/// The keys that a fresh local cloud prints.
#[derive(Clone)]
pub struct DemoKeys {
    /// A customer's, with every scope of a customer.
    pub customer: String,
    /// The operator's, with every scope of the operator.
    pub operator: String,
}

impl fmt::Debug for DemoKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DemoKeys")
    }
}

impl Secrets {
    /// The secrets in this folder; drawn and stored if there are none.
    ///
    /// # Errors
    /// The file cannot be read or written, or there is no source of randomness.
    pub fn load(folder: Option<&Path>) -> Result<Self, String> {
        let Some(folder) = folder else {
            return Self::draw();
        };
        let path = folder.join(FILE_NAME);
        let shown = path.display();
        if path.exists() {
            let text = fs::read_to_string(&path).map_err(|error| format!("{shown}: {error}"))?;
            return serde_json::from_str(&text).map_err(|error| format!("{shown}: {error}"));
        }
        let secrets = Self::draw()?;
        let text = serde_json::to_string_pretty(&secrets).map_err(|error| error.to_string())?;
        let partial = path.with_extension("new");
        write_private(&partial, &text).map_err(|error| format!("{shown}: {error}"))?;
        fs::rename(&partial, &path).map_err(|error| format!("{shown}: {error}"))?;
        Ok(secrets)
    }

    fn draw() -> Result<Self, String> {
        let key = || random::<{ ID_BYTES + SECRET_BYTES }>();
        let secret = || random::<32>();
        Ok(Self {
            customer_key: key()?,
            operator_key: key()?,
            cursor: secret()?,
            webhook: format!("whsec_{}", secret()?),
            provider: format!("sk_test_{}", secret()?),
        })
    }
}

/// Puts the demo account, its keys and the catalogue into the table, unless they are there.
///
/// # Errors
/// The table did not answer, or the secrets' file was edited.
pub async fn seed(table: &Table, secrets: &Secrets, now: Timestamp) -> Result<DemoKeys, String> {
    let account = AccountId::parse(DEMO_ACCOUNT).map_err(|error| error.to_string())?;
    let customer = (KeyOwner::Account(account), "demo customer", Scope::CUSTOMER);
    let operator = (KeyOwner::Operator, "demo operator", Scope::OPERATOR);
    let customer = seed_key(table, &secrets.customer_key, customer, now).await?;
    let operator = seed_key(table, &secrets.operator_key, operator, now).await?;
    let stored = table.catalogue().await.map_err(|error| error.to_string())?;
    if stored.is_none() {
        let everything = CatalogueChange::Everything {
            catalogue: Catalogue::parse(CATALOGUE)?,
            confirmed: false,
        };
        let changed = change_catalogue(table, &everything, &Actor::operator(), now).await;
        changed.map_err(|error| error.to_string())?;
    }
    Ok(DemoKeys { customer, operator })
}

async fn seed_key(
    table: &Table,
    random: &str,
    (owner, name, scopes): (KeyOwner, &str, [Scope; 5]),
    now: Timestamp,
) -> Result<String, String> {
    let random = HEXLOWER.decode(random.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    let random = random.ok_or_else(|| format!("{FILE_NAME} was edited: use --reset"))?;
    let name = Actor::parse(name).map_err(|error| error.to_string())?;
    let new = NewKey::new(&random, owner, name, scopes.to_vec(), now);
    let stored = table.api_key(&new.key.id).await.map_err(|error| error.to_string())?;
    if stored.is_none() {
        let stored = keys::store(table, &new.key, Currency::USD).await;
        stored.map_err(|error| error.to_string())?;
    }
    Ok(new.text)
}

/// A text of so many random bytes that nobody can guess.
///
/// # Errors
/// There is no source of randomness.
pub(crate) fn random<const BYTES: usize>() -> Result<String, String> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| error.to_string())?;
    Ok(HEXLOWER.encode(&bytes))
}

/// Writes a file that only its owner can read.
///
/// # Errors
/// The file cannot be written.
#[cfg(unix)]
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Writes a file that only its owner can read, as far as this system can.
///
/// # Errors
/// The file cannot be written.
#[cfg(not(unix))]
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    fs::write(path, text)
}
