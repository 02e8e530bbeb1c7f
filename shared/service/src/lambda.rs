//! What every function's `main` does before it takes requests.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use ledger::Timestamp;

#[cfg(feature = "objects")]
use crate::config::BUCKET_NAME;
use crate::config::{AWS_REGION, ConfigError, EVENT_QUEUE_URL, Environment, STAGE, TABLE_NAME};
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
}

impl Runtime {
    /// Starts logging, and reads the environment and the AWS configuration.
    pub async fn start() -> Self {
        crate::log::to_standard_output();
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build();
        let environment = Environment::of_process();
        let region = environment.text(AWS_REGION).unwrap_or_default();
        let sdk = aws_config::defaults(BehaviorVersion::latest())
            .timeout_config(timeouts)
            .http_client(trust::http_client(&region));
        if let Ok(stage) = environment.text(STAGE) {
            crate::metrics::of_stage(&stage);
        }
        Self { environment, sdk: sdk.load().await }
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
        aws_sdk_sqs::Client::new(&self.sdk)
    }

    /// The secret whose address this variable holds.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn secret(&self, variable: &'static str) -> Result<Secret, ConfigError> {
        let client = aws_sdk_secretsmanager::Client::new(&self.sdk);
        Ok(Secret::managed(client, self.environment.text(variable)?))
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
