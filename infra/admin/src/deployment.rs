//! Which deployment a command works on, and the clients that lead to it.

use std::time::Duration;

use aws_config::default_provider::region::DefaultRegionChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_dynamodb::types::TableStatus;
use clap::Args;
use service::error::in_words;
use service::table::Table;

use crate::answer::tell;
use crate::problem::Problem;

/// How long one attempt of a request may take, and all of them together: an operator may be far away
/// from the region, and has more patience than a function.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(60);
/// Tries of a request that is throttled or not answered, and the longest pause between two of them: some ten
/// seconds in all.
const ATTEMPTS: u32 = 5;
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// Which deployment. What is said on the command line goes before what the environment says: whoever
/// types `--stage prod` means it, whatever TABLE_NAME is left over from another day.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The stage that was given to `sam deploy`; `local` for the local runner [env: STAGE]
    #[arg(long, global = true)]
    stage: Option<String>,
    /// A table that is not the stage's own, such as a restored one; not for what works with functions and queues
    /// [env: TABLE_NAME]
    #[arg(long, global = true)]
    table: Option<String>,
    /// The AWS region [env: AWS_REGION]
    #[arg(long, global = true)]
    region: Option<String>,
    /// The profile of the AWS CLI whose credentials are used [env: AWS_PROFILE]
    #[arg(long, global = true)]
    profile: Option<String>,
}

/// The clients that lead to a deployment.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) sdk: SdkConfig,
    pub(crate) region: String,
}

impl Which {
    /// The name of the table.
    pub(crate) fn table_name(&self) -> Result<String, Problem> {
        let of_stage = |stage: &String| format!("topup-{stage}");
        let asked = self.table.clone().or_else(|| self.stage.as_ref().map(of_stage));
        let set = || variable("TABLE_NAME").or_else(|| variable("STAGE").as_ref().map(of_stage));
        asked.or_else(set).ok_or(Problem::WhichDeployment(Some("name a table with --table")))
    }

    /// The stage: queues and functions are named after it, and use its own table.
    pub(crate) fn stage(&self) -> Result<String, Problem> {
        let stage = self.stage.clone().or_else(|| variable("STAGE"));
        let own = stage.as_ref().map(|stage| format!("topup-{stage}"));
        let set = variable("TABLE_NAME").filter(|_| self.stage.is_none());
        let other = self.table.clone().or(set).filter(|other| own.as_ref() != Some(other));
        if let Some(table) = other {
            let problem = format!(
                "this works with the functions and queues of a stage, and so with its own table, not with {table}. \
                 Leave --table and TABLE_NAME out, and name the stage with --stage"
            );
            return Err(Problem::Asked(problem));
        }
        stage.ok_or(Problem::WhichDeployment(None))
    }

    /// The clients, as the AWS CLI would be configured. Whoever is not signed in hears so before
    /// anything is asked.
    pub(crate) async fn deployment(&self) -> Result<Deployment, Problem> {
        must_have_endpoints()?;
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build();
        let retries =
            RetryConfig::standard().with_max_attempts(ATTEMPTS).with_max_backoff(LONGEST_PAUSE);
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .timeout_config(timeouts)
            .retry_config(retries);
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &self.profile {
            // As the AWS CLI has it: keys that are left over in the environment are not those of the profile.
            let region = match &self.region {
                Some(region) => Some(Region::new(region.clone())),
                None => DefaultRegionChain::builder().profile_name(profile).build().region().await,
            };
            // A role of the profile is taken on in that region.
            let in_region = ProviderConfig::without_region().with_region(region);
            let of_profile = ProfileFileCredentialsProvider::builder();
            let of_profile = of_profile.configure(&in_region).profile_name(profile).build();
            loader = loader.profile_name(profile).credentials_provider(of_profile);
        }
        let sdk = loader.load().await;
        let region = sdk.region().map(ToString::to_string).ok_or(Problem::NoRegion)?;
        let provider = sdk
            .credentials_provider()
            .ok_or_else(|| Problem::NoCredentials("there is no provider of them".to_owned()))?;
        let found = provider.provide_credentials().await;
        found.map_err(|error| Problem::NoCredentials(in_words(&error)))?;
        Ok(Deployment { sdk, region })
    }

    /// The table, once it is known that it is there; what is worked on is told.
    pub(crate) async fn table(&self) -> Result<(Table, String), Problem> {
        let (name, deployment) = (self.table_name()?, self.deployment().await?);
        let client = aws_sdk_dynamodb::Client::new(&deployment.sdk);
        let described = client.describe_table().table_name(&name).send().await;
        let region = deployment.region;
        let table = match described {
            Ok(described) => described.table,
            Err(error) => {
                let known = error.as_service_error();
                let missing = known.is_some_and(|known| known.is_resource_not_found_exception());
                return Err(match missing {
                    true => Problem::Missing { what: "table", name, region },
                    false => Problem::of(error),
                });
            }
        };
        // With several AWS accounts that each have this stage, the account is what tells them apart.
        let arn = table.as_ref().and_then(|table| table.table_arn.clone()).unwrap_or_default();
        let owner = arn.split(':').nth(4).map(|account| format!(", AWS account {account}"));
        match table.and_then(|table| table.table_status) {
            None | Some(TableStatus::Active | TableStatus::Updating) => {}
            Some(status) => return Err(Problem::NotReady { name, status: status.to_string() }),
        }
        tell(&format!("Table {name} in {region}{}.", owner.unwrap_or_default()));
        Ok((Table::new(client, &name), name))
    }
}

/// Refuses an endpoint that is set to nothing, as by a script whose runner was not ready: the SDK panics at it.
fn must_have_endpoints() -> Result<(), Problem> {
    let empty = std::env::vars_os().find_map(|(name, value)| {
        let name = name.into_string().ok()?;
        (name.starts_with("AWS_ENDPOINT_URL") && value.is_empty()).then_some(name)
    });
    match empty {
        Some(name) => {
            Err(Problem::Asked(format!("{name} is set to nothing: unset it, or say where")))
        }
        None => Ok(()),
    }
}

/// A variable of the environment; an empty one is none.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
