//! The usage queue: charges that nobody waits for, as `POST /v1/charges/batch` takes them, each with its
//! `account_id`.
//!
//! All messages of a batch are charged together, account by account, so that a busy account needs few
//! commits. A message is acknowledged only when each of its charges is made; one that is not, because the
//! product has too little or the charge is none, comes again and in the end is a dead letter, where an
//! alarm rings. What was made of it is never made twice.

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use ledger::{AccountId, Actor, Timestamp};
use service::catalogue::CatalogueCache;
use service::charges::{AskedCharge, Charges, MAX_BATCH};
use service::config::ConfigError;
use service::error::Error;
use service::http;
use service::lambda::Runtime;
use tokio::time::Instant;
use tracing::{error, info, warn};

/// How long commits are begun; the function's timeout is 60 s.
const BATCH_TIME: Duration = Duration::from_secs(45);

/// The function `meter-usage`.
#[derive(Debug)]
pub struct MeterUsage(pub Charges);

impl MeterUsage {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        Ok(Self(Charges { table: runtime.table()?, catalogue: CatalogueCache::default() }))
    }

    /// Charges what a batch of messages tells, and names the messages that must come again.
    pub async fn handle(&self, batch: SqsEvent, now: Timestamp) -> SqsBatchResponse {
        let began = Instant::now();
        let read: Vec<Option<Vec<Option<AskedCharge>>>> = batch.records.iter().map(read).collect();
        let asked: Vec<AskedCharge> = read.iter().flatten().flatten().flatten().cloned().collect();
        let end = began.checked_add(BATCH_TIME).unwrap_or(began);
        let mut outcomes = self.0.make_all(&asked, end, now).await.into_iter();
        let mut response = SqsBatchResponse::default();
        for (message, charges) in batch.records.iter().zip(read) {
            let message_id = message.message_id.as_deref().unwrap_or_default();
            let done = charges.is_some_and(|charges| {
                // What is counted is what was made: a charge without an outcome is not done.
                let mut made = 0_usize;
                for (charge, outcome) in charges.iter().flatten().zip(outcomes.by_ref()) {
                    match outcome {
                        Ok(_) => made = made.saturating_add(1),
                        Err(error) => tell(message_id, charge, &error),
                    }
                }
                info!(message_id, charges = charges.len(), made, "metered");
                made == charges.len()
            });
            if !done {
                response.add_failure(message_id);
            }
        }
        response
    }
}

/// The charges of a message, those that can be read; none of what is no list of charges at all. A message with one that
/// cannot be read comes again until a person has seen it, and what was charged of it is charged once.
fn read(message: &SqsMessage) -> Option<Vec<Option<AskedCharge>>> {
    let message_id = message.message_id.as_deref().unwrap_or_default();
    let body = message.body.as_deref().unwrap_or_default();
    // Not in words: they can have some of the message in them, and that tells of people.
    let items = match http::charge_items(body.as_bytes(), MAX_BATCH) {
        Ok(items) => items,
        Err(error) => {
            let (code, field) = in_short(&error);
            error!(message_id, code, field, "usage that cannot be read");
            return None;
        }
    };
    let by = Actor::usage_queue();
    let charges = items.into_iter().zip(1_usize..).map(|(item, position)| {
        let (said, asked) = http::asked_charge(item, None, &by);
        if let Err(error) = &asked {
            let account = said.account_id.and_then(|id| AccountId::parse(&id).ok());
            let account_id = account.as_ref().map(AccountId::as_str);
            let (code, field) = in_short(error);
            error!(message_id, position, account_id, code, field, "a charge that cannot be read");
        }
        asked.ok()
    });
    Some(charges.collect())
}

fn in_short(error: &Error) -> (&str, Option<&str>) {
    match error {
        Error::Invalid(invalid) => (invalid.code, invalid.field.as_deref()),
        _ => ("unreadable", None),
    }
}

fn tell(message_id: &str, charge: &AskedCharge, cause: &Error) {
    let (account_id, charge_id) = (&charge.account, &charge.wanted.id);
    match cause {
        Error::Broken(_) => error!(message_id, %account_id, %charge_id, %cause, "invariant broken"),
        // A customer who used more than there is rings no alarm of ours, until it is a dead letter.
        _ => warn!(message_id, %account_id, %charge_id, %cause, "usage that is not charged yet"),
    }
}
