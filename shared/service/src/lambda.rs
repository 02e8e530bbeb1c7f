//! What every function's `main` does before it takes requests.

use std::cell::OnceCell;
use std::time::Duration;

use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::config::{
    BehaviorVersion, Credentials, IdentityCache, Region, SharedCredentialsProvider,
};
use aws_types::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use ledger::Timestamp;

#[cfg(feature = "objects")]
use crate::config::BUCKET_NAME;
use crate::config::{
    AWS_ACCESS_KEY_ID, AWS_REGION, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
    AWS_USE_DUALSTACK_ENDPOINT, AWS_USE_FIPS_ENDPOINT, ConfigError, EVENT_QUEUE_URL, Environment,
    STAGE, TABLE_NAME,
};
#[cfg(feature = "objects")]
use crate::objects::Objects;
use crate::queue::EventQueue;
use crate::secret::Secret;
use crate::table::Table;
use crate::trust;

/// How long one attempt of a request to AWS may take, and all of its attempts together.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// The clients and the configuration of one function, built once, outside of the handler.
#[derive(Debug)]
pub struct Runtime {
    /// The environment variables.
    pub environment: Environment,
    sdk: SdkConfig,
    queues: OnceCell<aws_sdk_sqs::Client>,
    secrets: OnceCell<aws_sdk_secretsmanager::Client>,
}

impl Runtime {
    /// Starts logging, and reads the environment.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that Lambda should have set.
    pub fn start() -> Result<Self, ConfigError> {
        crate::log::to_standard_output();
        let environment = Environment::of_process();
        let sdk = sdk(&environment)?;
        if let Ok(stage) = environment.text(STAGE) {
            crate::metrics::of_stage(&stage);
        }
        Ok(Self { environment, sdk, queues: OnceCell::new(), secrets: OnceCell::new() })
    }

    /// The table of this deployment. A function that commits events has the queue that they go to.
    ///
    /// # Errors
    /// [`ConfigError`] naming `TABLE_NAME`.
    pub fn table(&self) -> Result<Table, ConfigError> {
        let table = Table::connect(&self.sdk, self.environment.text(TABLE_NAME)?);
        Ok(match self.environment.text(EVENT_QUEUE_URL) {
            Ok(url) => table.with_outbox(EventQueue::new(self.queues(), url)),
            Err(_) => table,
        })
    }

    /// The bucket of uploaded files.
    ///
    /// # Errors
    /// [`ConfigError`] naming `BUCKET_NAME`.
    #[cfg(feature = "objects")]
    pub fn objects(&self) -> Result<Objects, ConfigError> {
        let client = aws_sdk_s3::Client::new(&self.sdk);
        Ok(Objects::new(client, self.environment.text(BUCKET_NAME)?))
    }

    /// A client of the queue service.
    #[must_use]
    pub fn queues(&self) -> aws_sdk_sqs::Client {
        self.queues.get_or_init(|| aws_sdk_sqs::Client::new(&self.sdk)).clone()
    }

    /// The secret whose address this variable holds.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn secret(&self, variable: &'static str) -> Result<Secret, ConfigError> {
        let client = self.secrets.get_or_init(|| aws_sdk_secretsmanager::Client::new(&self.sdk));
        Ok(Secret::managed(client.clone(), self.environment.text(variable)?))
    }
}

/// How AWS is reached, of nothing but what Lambda sets and the addresses of an emulator: the SDK's own search, of
/// profiles, roles and the services of other machines, is a megabyte of code that would find the same. What it
/// would take beyond this from the environment, such as `AWS_MAX_ATTEMPTS`, is not read.
fn sdk(environment: &Environment) -> Result<SdkConfig, ConfigError> {
    let region = environment.text(AWS_REGION)?;
    let credentials = Credentials::new(
        environment.text(AWS_ACCESS_KEY_ID)?,
        environment.text(AWS_SECRET_ACCESS_KEY)?,
        environment.text(AWS_SESSION_TOKEN).ok(),
        None,
        "Environment",
    );
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    // Each client adds the defaults of this behaviour: how it sleeps, knows the time and gives up stalled streams.
    let mut sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(trust::http_client(&region))
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .identity_cache(IdentityCache::lazy().build())
        .retry_config(RetryConfig::standard())
        .timeout_config(timeouts)
        .service_config(Addresses(environment.clone()));
    let switch =
        |variable| environment.value(variable).map(|_| environment.truth(variable)).transpose();
    sdk.set_use_fips(switch(AWS_USE_FIPS_ENDPOINT)?);
    sdk.set_use_dual_stack(switch(AWS_USE_DUALSTACK_ENDPOINT)?);
    Ok(sdk.build())
}

/// Where a service is, if the environment says so: `AWS_ENDPOINT_URL_SQS`, else `AWS_ENDPOINT_URL`.
#[derive(Debug)]
struct Addresses(Environment);

impl LoadServiceConfig for Addresses {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        let of_service = self.0.value(&format!("{}_{service}", key.env()));
        of_service.or_else(|| self.0.value(key.env())).map(str::to_owned)
    }
}

/// The time, for a `main` to hand to its handler.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a main function is where time comes in")]
pub fn now() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let millis = since_epoch.map(|elapsed| elapsed.as_millis()).unwrap_or_default();
    Timestamp::from_unix_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_LAMBDA: [(&str, &str); 4] = [
        (AWS_REGION, "eu-north-1"),
        (AWS_ACCESS_KEY_ID, "id"),
        (AWS_SECRET_ACCESS_KEY, "secret"),
        (AWS_SESSION_TOKEN, "token"),
    ];

    #[test]
    fn what_lambda_sets_is_all_that_a_client_needs() {
        let sdk = sdk(&Environment::of(&OF_LAMBDA)).unwrap();
        let client = aws_sdk_sqs::Client::new(&sdk);
        let configuration = client.config();
        assert_eq!(configuration.region().unwrap().as_ref(), "eu-north-1");
        assert_eq!(configuration.retry_config().unwrap().max_attempts(), 3);
        let timeouts = configuration.timeout_config().unwrap();
        assert_eq!(timeouts.operation_attempt_timeout(), Some(ATTEMPT_TIMEOUT));
        assert_eq!(timeouts.operation_timeout(), Some(OPERATION_TIMEOUT));
        assert_eq!(sdk.use_fips(), None);
    }

    #[test]
    fn what_lambda_should_have_set_is_named() {
        for missing in [AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY] {
            let others = OF_LAMBDA.into_iter().filter(|(name, _)| *name != missing);
            let environment = Environment::of(&others.collect::<Vec<_>>());
            assert_eq!(sdk(&environment).unwrap_err().variable, missing);
        }
    }

    #[test]
    fn a_switch_that_is_neither_on_nor_off_is_named() {
        for variable in [AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT] {
            let with = |value| {
                let all = [&OF_LAMBDA[..], &[(variable, value)]].concat();
                sdk(&Environment::of(&all))
            };
            assert_eq!(with("yes").unwrap_err().variable, variable);
            assert!(with("true").is_ok());
        }
        let both = [(AWS_USE_FIPS_ENDPOINT, "true"), (AWS_USE_DUALSTACK_ENDPOINT, "false")];
        let sdk = sdk(&Environment::of(&[&OF_LAMBDA[..], &both].concat())).unwrap();
        assert_eq!((sdk.use_fips(), sdk.use_dual_stack()), (Some(true), Some(false)));
    }

    #[test]
    fn a_service_is_where_its_own_variable_says_or_that_of_all() {
        let address = |variables: &[(&str, &str)]| {
            let key = ServiceConfigKey::builder()
                .service_id("Secrets Manager")
                .env("AWS_ENDPOINT_URL")
                .profile("endpoint_url")
                .build();
            Addresses(Environment::of(variables)).load_config(key.unwrap())
        };
        let of_all = ("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
        let own = ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:2");
        assert_eq!(address(&[]), None);
        assert_eq!(address(&[of_all]).as_deref(), Some(of_all.1));
        assert_eq!(address(&[own, of_all]).as_deref(), Some(own.1));
    }
}
