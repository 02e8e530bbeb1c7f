//! What runs by the clock: derives every account again from its journal, and compares its orders with
//! its entries.

use std::time::Duration;

use ledger::Timestamp;
use serde_json::{Value, json};
use service::error::Error;
use service::verification::{Verifications, Verified};
use tracing::{error, info, warn};

/// How long one run takes on new accounts; the function's timeout is 840 s.
const RUN_TIME: Duration = Duration::from_secs(600);

/// The function `verify-accounts`.
#[derive(Debug)]
pub struct VerifyAccounts(pub Verifications);

impl VerifyAccounts {
    /// Goes on with the round. An event `{"round":"whole"}` begins a whole one first.
    ///
    /// # Errors
    /// The table did not answer: what was verified is stored, and the next run goes on.
    pub async fn handle(&self, event: &Value, now: Timestamp) -> Result<Verified, Error> {
        told(match event["round"] == "whole" {
            true => self.0.run_whole(RUN_TIME, now).await,
            false => self.0.run(RUN_TIME, now).await,
        })
    }

    /// A whole round at once, however long it takes.
    ///
    /// # Errors
    /// As [`VerifyAccounts::handle`].
    pub async fn whole_round(&self, now: Timestamp) -> Result<Verified, Error> {
        told(self.0.run_whole(Duration::MAX, now).await)
    }
}

fn told(verified: Result<Verified, Error>) -> Result<Verified, Error> {
    match &verified {
        Ok(Verified { accounts, entries, orders, broken, cured, left, complete }) => {
            info!(accounts, entries, orders, broken, cured, left, complete, "verified");
        }
        Err(Error::Broken(cause)) => error!(%cause, "the verification stopped"),
        Err(cause) => warn!(%cause, "the verification stopped"),
    }
    verified
}

/// What a round has verified so far, for whoever called the function by hand.
#[must_use]
pub fn summary(verified: &Verified) -> Value {
    json!({
        "accounts": verified.accounts,
        "entries": verified.entries,
        "orders": verified.orders,
        "broken": verified.broken,
        "cured": verified.cured,
        "left": verified.left,
        "complete": verified.complete,
    })
}
