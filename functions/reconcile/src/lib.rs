//! What runs by the clock: closes the orders that awaited a bank transfer which nobody reported.

use ledger::Timestamp;
use service::config::ConfigError;
use service::error::Error;
use service::lambda::Runtime;
use service::sweep::{Swept, close_overdue_transfers};
use service::table::Table;
use tracing::{error, info, warn};

/// The function `reconcile`.
#[derive(Debug)]
pub struct Reconcile(pub Table);

impl Reconcile {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        Ok(Self(runtime.table()?))
    }

    /// Sweeps once.
    ///
    /// # Errors
    /// The table did not answer, or an order cannot be read: what was done is done, and the next
    /// sweep goes on.
    pub async fn handle(&self, now: Timestamp) -> Result<Swept, Error> {
        let swept = close_overdue_transfers(&self.0, now).await;
        match &swept {
            Ok(Swept { expired, busy }) => info!(expired, busy, "swept"),
            Err(Error::Broken(cause)) => error!(%cause, "the sweep stopped"),
            Err(cause) => warn!(%cause, "the sweep stopped"),
        }
        swept
    }
}
