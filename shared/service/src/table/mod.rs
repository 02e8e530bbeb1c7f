//! The table: the only code that knows DynamoDB and the names of its attributes.
//!
//! Reads are strongly consistent. Writes are transactions of conditional puts and nothing else
//! ([`Commit`]); there is no update, no delete and no unconditional write.
//!
//! | `pk` | `sk` | what |
//! |---|---|---|
//! | `ACCOUNT#<account>` | `ACCOUNT` | the account, replaced at its version |
//! | `JOURNAL#<account>` | 12 digits | an entry, put once |
//! | `ORDER#<order>` | `ORDER` | an order, replaced at its version |
//! | `PAYMENT#<payment>` | `PAYMENT` | the claim of a payment, put once |
//! | `FINDING#<finding>` | `FINDING` | a discrepancy, put once |
//! | `KEY#<key>` | `KEY` | an API key |
//! | `CATALOGUE` | `CATALOGUE` | what can be topped up, and its limits |

mod commit;
mod items;
mod items_order;
mod read;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;

pub use commit::{Commit, Committed, Guard, MAX_COMMIT_TRIES, Stale, pause_before_retry};
pub use read::{OrderPosition, OrderRange, must_exist};

use crate::error::{Unavailable, in_words};

pub(crate) type Item = std::collections::HashMap<String, AttributeValue>;

/// The one table of a deployment.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    name: String,
}

impl Table {
    /// The table of that name, reached as this configuration says.
    #[must_use]
    pub fn connect(configuration: &SdkConfig, name: impl Into<String>) -> Self {
        Self::new(Client::new(configuration), name)
    }

    /// The table of that name, reached by that client.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }
}

fn unavailable<E>(error: E) -> Unavailable
where
    E: std::error::Error + 'static,
{
    Unavailable::Table(in_words(&error))
}
