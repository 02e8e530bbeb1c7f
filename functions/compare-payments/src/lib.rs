//! What runs by the clock: compares what the provider moved yesterday with what is in the books.

use std::time::Duration;

use ledger::Timestamp;
use serde_json::Value;
use service::comparing::Comparisons;
use service::comparison::{Comparison, parse_day};
use service::config::ConfigError;
use service::error::{Error, Invalid};
use service::lambda::Runtime;
use service::refunds::Refunds;
use service::stripe::{Https, Stripe, Wire};
use tracing::{error, info, warn};

/// How long a run begins another hour of the day; the function's timeout is 840 s.
const RUN_TIME: Duration = Duration::from_secs(600);

/// The function `compare-payments`.
#[derive(Debug)]
pub struct ComparePayments<W: Wire = Https>(pub Comparisons<W>);

impl ComparePayments {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        let (table, stripe) = (runtime.table()?, Stripe::from_environment(runtime)?);
        Ok(Self(Comparisons { refunds: Refunds { table, stripe } }))
    }
}

impl<W: Wire> ComparePayments<W> {
    /// Compares what is due; `None` if nothing is. An event `{"day":"2026-11-23"}` compares that day, once
    /// more if it was.
    ///
    /// # Errors
    /// Something did not answer, or an item cannot be read: what was done is done, and the next call
    /// goes on.
    pub async fn handle(&self, event: &Value, now: Timestamp) -> Result<Option<Comparison>, Error> {
        let compared = match event.get("day") {
            Some(day) => match day.as_str().and_then(parse_day) {
                Some(day) => self.0.compare(day, RUN_TIME, now).await.map(Some),
                None => Err(Invalid::field("invalid_field", "day", "must be a day").into()),
            },
            None => self.0.run(RUN_TIME, now).await,
        };
        if let Err(cause) = self.0.count_findings().await {
            warn!(%cause, "the findings were not counted");
        }
        match &compared {
            Ok(None) => {}
            Ok(Some(run)) => tell(run),
            Err(Error::Broken(cause)) => error!(%cause, "the comparison stopped"),
            Err(cause) => warn!(%cause, "the comparison stopped"),
        }
        compared
    }
}

fn tell(run: &Comparison) {
    let (run_id, report) = (run.id(), &run.report);
    let (movements, claims, credited) = (report.movements, report.claims, report.credited);
    let (findings, finished) = (report.finding_count, run.finished_at.is_some());
    info!(run_id, movements, claims, credited, findings, finished, "compared");
    if finished && !run.is_green() {
        let drift = format!("{:?}", report.drift);
        error!(run_id, findings, drift, "money and records disagree");
    }
}
