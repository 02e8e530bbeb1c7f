//! Configuration: environment variables, read once, with errors that name the variable.

use std::collections::HashMap;
use std::fmt;

use ledger::Currency;
use thiserror::Error;
use url::Url;

use crate::return_urls::ReturnUrls;

/// Every variable that any function reads, but [`STRIPE_URL`], which no deployment sets, and those that begin with
/// `AWS_`, which are Lambda's.
pub const VARIABLES: &[&str] = &[
    TABLE_NAME,
    STAGE,
    CONFIRMATION_QUEUE_URL,
    EVENT_QUEUE_URL,
    STRIPE_SECRET_KEY_ARN,
    STRIPE_WEBHOOK_SECRET_ARN,
    STRIPE_LIVE_MODE,
    CURSOR_SECRET_ARN,
    ENDPOINT_SECRET_ARN,
    RETURN_URL,
    RETURN_URL_HOSTS,
    BUCKET_NAME,
    CONSOLE_URL,
    CURRENCY,
];

/// The table's name.
pub const TABLE_NAME: &str = "TABLE_NAME";
/// The name of the deployment, carried by every payment, so that two of them never take each
/// other's money.
pub const STAGE: &str = "STAGE";
/// The address of the confirmation queue.
pub const CONFIRMATION_QUEUE_URL: &str = "CONFIRMATION_QUEUE_URL";
/// The address of the queue of events.
pub const EVENT_QUEUE_URL: &str = "EVENT_QUEUE_URL";
/// Where Secrets Manager keeps the Stripe key.
pub const STRIPE_SECRET_KEY_ARN: &str = "STRIPE_SECRET_KEY_ARN";
/// Where it keeps the signing secrets of the webhook.
pub const STRIPE_WEBHOOK_SECRET_ARN: &str = "STRIPE_WEBHOOK_SECRET_ARN";
/// `true` for real money, `false` for Stripe's test mode.
pub const STRIPE_LIVE_MODE: &str = "STRIPE_LIVE_MODE";
/// A stand-in for Stripe, where there is one. Only test mode may have it.
pub const STRIPE_URL: &str = "STRIPE_URL";
/// Where the function is, as Lambda says.
pub const AWS_REGION: &str = "AWS_REGION";
/// What the function signs with, from its role, as Lambda says.
pub const AWS_ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// The secret of it.
pub const AWS_SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
/// What says that it is borrowed from a role.
pub const AWS_SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
/// `true` for AWS's endpoints with FIPS 140; no deployment sets it.
pub const AWS_USE_FIPS_ENDPOINT: &str = "AWS_USE_FIPS_ENDPOINT";
/// `true` for those that have an address of IPv6, too; no deployment sets it.
pub const AWS_USE_DUALSTACK_ENDPOINT: &str = "AWS_USE_DUALSTACK_ENDPOINT";
/// Where Secrets Manager keeps the secret of the cursors.
pub const CURSOR_SECRET_ARN: &str = "CURSOR_SECRET_ARN";
/// Where it keeps the secret that those of endpoints are derived from.
pub const ENDPOINT_SECRET_ARN: &str = "ENDPOINT_SECRET_ARN";
/// Where customers go after paying, unless their order says otherwise.
pub const RETURN_URL: &str = "RETURN_URL";
/// The hosts that an order may send them to, separated by commas.
pub const RETURN_URL_HOSTS: &str = "RETURN_URL_HOSTS";

/// The bucket of uploaded files.
pub const BUCKET_NAME: &str = "BUCKET_NAME";
/// Where the console is; sessions of it are opened there.
pub const CONSOLE_URL: &str = "CONSOLE_URL";
/// The currency of a new account, unless whoever makes it says another one.
pub const CURRENCY: &str = "CURRENCY";

/// A variable that is missing or cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("environment variable {variable} {problem}")]
pub struct ConfigError {
    /// Its name.
    pub variable: &'static str,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// The environment of a process, as it was at its start.
#[derive(Clone, Default)]
pub struct Environment(HashMap<String, String>);

/// Names alone: among the values is what the function signs with.
impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self(std::env::vars().collect())
    }

    /// An environment of these variables.
    #[must_use]
    pub fn of(variables: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self(variables.iter().map(owned).collect())
    }

    /// The value of a variable.
    ///
    /// # Errors
    /// [`ConfigError`] if it is not set or empty.
    pub fn text(&self, variable: &'static str) -> Result<String, ConfigError> {
        let missing = || ConfigError { variable, problem: "is not set".to_owned() };
        self.value(variable).map(str::to_owned).ok_or_else(missing)
    }

    /// The value of a variable of any name, unless it is empty.
    pub(crate) fn value(&self, variable: &str) -> Option<&str> {
        self.0.get(variable).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// The value of a variable that is `true` or `false`.
    ///
    /// # Errors
    /// [`ConfigError`] for anything else.
    pub fn truth(&self, variable: &'static str) -> Result<bool, ConfigError> {
        match self.text(variable)?.as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(ConfigError { variable, problem: "must be 'true' or 'false'".to_owned() }),
        }
    }

    /// The value of a variable that is the ISO 4217 code of a currency.
    ///
    /// # Errors
    /// [`ConfigError`] for anything else.
    pub fn currency(&self, variable: &'static str) -> Result<Currency, ConfigError> {
        let unknown = |error| ConfigError { variable, problem: format!("cannot be used: {error}") };
        Currency::parse(&self.text(variable)?).map_err(unknown)
    }

    /// The value of a variable that is an https address.
    ///
    /// # Errors
    /// [`ConfigError`] for anything else.
    pub fn url(&self, variable: &'static str) -> Result<Url, ConfigError> {
        let wrong = |problem: &str| ConfigError { variable, problem: problem.to_owned() };
        let url = Url::parse(&self.text(variable)?).map_err(|_| {
            wrong("must be an absolute address, such as 'https://example.com/paid'")
        })?;
        match url.scheme() {
            "https" => Ok(url),
            _ => Err(wrong("must be an https address")),
        }
    }

    /// Where customers may be sent after paying: to the configured hosts, and back to the console.
    ///
    /// # Errors
    /// [`ConfigError`] if an address is none, or is not https.
    pub fn return_urls(&self) -> Result<ReturnUrls, ConfigError> {
        let (default, console) = (self.url(RETURN_URL)?, self.url(CONSOLE_URL)?);
        let hosts = self.text(RETURN_URL_HOSTS).unwrap_or_default();
        let hosts = hosts.split(',').map(str::trim).filter(|host| !host.is_empty());
        let own = [&default, &console].into_iter().filter_map(Url::host_str);
        Ok(ReturnUrls { hosts: hosts.chain(own).map(str::to_owned).collect(), default })
    }
}
