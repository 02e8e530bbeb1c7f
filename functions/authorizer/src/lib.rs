//! Who calls: the gateway asks this function before it passes a request on.
//!
//! The answer has the simple form of an HTTP API's Lambda authorizer (payload 2.0):
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>.
//! The gateway keeps it for up to a minute, so the key's end travels with it.

use ledger::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use service::config::ConfigError;
use service::error::Error;
use service::http::authorizer_context;
use service::keys::authenticate;
use service::lambda::Runtime;
use service::table::Table;
use tracing::warn;

/// The function `authorizer`.
#[derive(Debug)]
pub struct Authorizer(pub Table);

/// The part of the gateway's question that matters: the values of the identity sources.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// The `Authorization` header.
    #[serde(default)]
    pub identity_source: Vec<String>,
}

/// The answer to the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Whether the request is passed on.
    pub is_authorized: bool,
    /// What the functions are told about the caller: texts only.
    pub context: Map<String, Value>,
}

impl Authorizer {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        Ok(Self(runtime.table()?))
    }

    /// Answers one question.
    ///
    /// # Errors
    /// The table did not answer: the gateway says 500, and nobody is let in.
    pub async fn handle(&self, question: &Question, now: Timestamp) -> Result<Answer, Error> {
        let header = question.identity_source.first().map_or("", String::as_str);
        let key = match header.split_once(' ') {
            Some((scheme, text)) if scheme.eq_ignore_ascii_case("bearer") => {
                authenticate(&self.0, text.trim(), now).await
            }
            _ => Ok(None),
        };
        match key {
            Ok(Some(key)) => Ok(Answer { is_authorized: true, context: authorizer_context(&key) }),
            Ok(None) => Ok(Answer { is_authorized: false, context: Map::new() }),
            Err(cause) => {
                warn!(%cause, "a key could not be looked up");
                Err(cause)
            }
        }
    }
}
