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
//! | `REFERENCE#<code>` | `REFERENCE` | the claim of a reference code, put once |
//! | `PAYMENT#<payment>` | `FOUND` | what leads from a payment that was credited to no order to its finding, put once |
//! | `REVERSAL#<name>` | `REVERSAL` | the claim of a refund or dispute of the provider, put once |
//! | `ADJUSTMENT#<adjustment>` | `ADJUSTMENT` | a correction of a balance, put once |
//! | `CHARGE#<charge>` | `CHARGE` | a use of a product, put once |
//! | `HOLD#<hold>` | `HOLD` | money that is set aside for a use, replaced at its version |
//! | `EVENT#<event>` | `EVENT` | what the platform is told and what became of that, replaced at its version |
//! | `FINDING#<finding>` | `FINDING` | a discrepancy and what became of it, replaced at its version |
//! | `COMPARISON#<run>` | `COMPARISON` | a comparison with the provider and its report, replaced at its version |
//! | `ACCOUNT#<account>` | `PROFILE` | an account's name, replaced at its version |
//! | `KEY#<key>` | `KEY` | an API key, replaced at its version |
//! | `CONSOLE#<session>` | `CONSOLE` | a session of the console; the only item that expires |
//! | `CATALOGUE` | `CATALOGUE` | what can be topped up, its limits, rates and bank accounts |
//! | `STATEMENT#<statement>` | `STATEMENT` | an uploaded bank statement, put once |
//! | `CURSOR#<work>` | `CURSOR` | where something that runs by the clock stopped, replaced at its version |
//! | `CHECKPOINT#<account>` | `CHECKPOINT` | how far an account was verified, replaced at its version |
//! | `ENDPOINTS` | `ENDPOINTS` | where the platform is told what happens, replaced at its version |
//! | `CHANGE#<what>` | 12 digits | what the operator made a catalogue, a profile or the endpoints, put once |
//!
//! Two indexes hold keys only. `by_time` lists an account's orders, adjustments and holds, an owner's API
//! keys, all accounts and all events (in 16 shards each), statements, comparisons, and findings, open and
//! closed, by when they were made. `by_due` lists what waits: open card orders and awaited bank transfers by when their time
//! ends (in 16 shards), reported transfers by when they were reported, refunds that wait for the
//! provider; open holds by when their time is over (in 16 shards); events that are still to be told (in 16
//! shards); and of each day the payments that were credited and the refunds and disputes that were
//! taken (in 16 shards).

mod commit;
mod items;
mod lists;
mod read;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_types::SdkConfig;

pub(crate) use commit::pause_before_retry_of;
pub use commit::{Commit, Committed, Guard, MAX_COMMIT_TRIES, Stale, pause_before_retry};
pub use items::SHARDS;
#[cfg(feature = "stripe")]
pub use lists::PartOfDay;
pub use lists::{OrderRange, Position};
pub use read::must_exist;

use crate::error::{Unavailable, in_words};
use crate::queue::EventQueue;

pub(crate) type Item = std::collections::HashMap<String, AttributeValue>;

/// The one table of a deployment.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    name: String,
    outbox: Option<EventQueue>,
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
        Self { client, name: name.into(), outbox: None }
    }

    /// This table, whose events go to a queue once they are committed; without one they wait for the
    /// sweep.
    #[must_use]
    pub fn with_outbox(self, outbox: EventQueue) -> Self {
        Self { outbox: Some(outbox), ..self }
    }
}

fn unavailable<E>(error: E) -> Unavailable
where
    E: std::error::Error + 'static,
{
    Unavailable::Table(in_words(&error))
}
