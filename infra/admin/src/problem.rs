//! Why a command could not do what it was asked, and what to do about it.

use std::error::Error as StdError;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use service::error::{Error, in_words};
use thiserror::Error;

/// What AWS says of credentials that it does not know, or not any more.
const REFUSED_CREDENTIALS: [&str; 6] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "UnrecognizedClientException",
];
/// What it says of credentials that may not do this.
const REFUSED_ACTIONS: [&str; 3] =
    ["AccessDenied", "AccessDeniedException", "AWS.SimpleQueueService.AccessDenied"];

/// Why it could not be done.
#[derive(Debug, Error)]
pub(crate) enum Problem {
    #[error(
        "which deployment? Give --stage (as it was given to `sam deploy`; `local` for the local \
         runner), or set STAGE{}", .0.map(|or| format!(", or {or}")).unwrap_or_default()
    )]
    WhichDeployment(Option<&'static str>),
    #[error(
        "no AWS region: give --region, or set AWS_REGION to the region that the deployment is in"
    )]
    NoRegion,
    #[error(
        "no AWS credentials: sign in as for the AWS CLI (`aws sso login`, AWS_PROFILE or \
         --profile); for the local runner copy the `export` line that it prints ({0})"
    )]
    NoCredentials(String),
    #[error("AWS refuses these credentials ({0}): sign in again, or name another --profile")]
    CredentialsRefused(String),
    #[error("these AWS credentials may not do this ({0}): docs/operate.md has the policy it needs")]
    NotAllowed(String),
    #[error(
        "there is no {what} '{name}' in {region}: look at --stage, --table and --region, and at the \
         outputs of the stack"
    )]
    Missing { what: &'static str, name: String, region: String },
    #[error(
        "table '{name}' is {status}: wait until it is ACTIVE \
         (aws dynamodb wait table-exists --table-name {name})"
    )]
    NotReady { name: String, status: String },
    #[error("AWS says no ({0})")]
    Refused(String),
    #[error("AWS did not answer: {0}")]
    Unreachable(String),
    #[error("{file}: {problem}")]
    File { file: String, problem: String },
    #[error("{0}")]
    Asked(String),
    #[error(transparent)]
    Service(#[from] Error),
    #[error("the function {name} failed: {message}. Its log says why")]
    Function { name: String, message: String },
}

impl Problem {
    /// What AWS answered to a request that is none of this program's own refusals.
    pub(crate) fn of<E>(error: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let code = error.code().unwrap_or_default().to_owned();
        let message = error.message().unwrap_or_default();
        if REFUSED_CREDENTIALS.contains(&code.as_str()) {
            Self::CredentialsRefused(code)
        } else if REFUSED_ACTIONS.contains(&code.as_str()) {
            Self::NotAllowed(format!("{code}: {message}"))
        } else if !code.is_empty() {
            Self::Refused(format!("{code}: {message}"))
        } else {
            Self::Unreachable(in_words(&error))
        }
    }

    /// A value of the command line that cannot be.
    pub(crate) fn asked(option: &str, why: impl std::fmt::Display) -> Self {
        Self::Asked(format!("{option} {why}"))
    }
}
