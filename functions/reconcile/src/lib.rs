//! What runs by the clock: finds out what no webhook told, and closes orders whose time is over.

use std::time::Duration;

use ledger::Timestamp;
use serde_json::{Value, json};
use service::config::ConfigError;
use service::error::Error;
use service::lambda::Runtime;
use service::refunds::Refunds;
use service::stripe::{Https, Stripe, Wire};
use service::sweep::{Sweeps, Swept};
use tracing::{error, info, warn};

/// How long one sweep takes on new work; the function's timeout is 240 s.
const SWEEP_TIME: Duration = Duration::from_secs(150);

/// The function `reconcile`.
#[derive(Debug)]
pub struct Reconcile<W: Wire = Https>(pub Sweeps<W>);

impl Reconcile {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        let (table, stripe) = (runtime.table()?, Stripe::from_environment(runtime)?);
        Ok(Self(Sweeps { refunds: Refunds { table, stripe } }))
    }
}

impl<W: Wire> Reconcile<W> {
    /// Sweeps once.
    ///
    /// # Errors
    /// The table did not answer, an item cannot be read, or the provider answered nothing that it was asked: what was
    /// done is done, and the next sweep goes on.
    pub async fn handle(&self, now: Timestamp) -> Result<Swept, Error> {
        let swept = self.0.run(SWEEP_TIME, now).await;
        match &swept {
            Ok(Swept {
                looked_at,
                credited,
                recorded,
                found,
                holds,
                refunds,
                told,
                left,
                complete,
            }) => {
                info!(
                    looked_at,
                    credited, recorded, found, holds, refunds, told, left, complete, "swept"
                );
            }
            Err(Error::Broken(cause)) => error!(%cause, "the sweep stopped"),
            Err(cause) => warn!(%cause, "the sweep stopped, or was answered nothing"),
        }
        swept
    }
}

/// What a sweep did, for whoever called the function by hand.
#[must_use]
pub fn summary(swept: &Swept) -> Value {
    json!({
        "looked_at": swept.looked_at,
        "credited": swept.credited,
        "recorded": swept.recorded,
        "found": swept.found,
        "holds": swept.holds,
        "refunds": swept.refunds,
        "told": swept.told,
        "left": swept.left,
        "complete": swept.complete,
    })
}
