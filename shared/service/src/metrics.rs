//! Figures that alarms watch, in CloudWatch's embedded metric format: lines of the log that CloudWatch
//! turns into metrics by itself
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).
//!
//! A line is one JSON object: `_aws` says what is a metric, `stage` is its dimension, and the figure
//! stands under its own name. `docs/runbook.md` says what each of them means.

use std::sync::OnceLock;
use std::time::Duration;

use ledger::Timestamp;
use serde_json::{Value, json};

/// Where the log takes metrics from: events of this target carry a figure and no words.
pub(crate) const TARGET: &str = "metric";
/// The field of such an event that holds its line.
pub(crate) const FIELD: &str = "line";
/// The namespace of all metrics.
const NAMESPACE: &str = "Topup";

/// The name of the deployment, once `main` has said it.
static STAGE: OnceLock<String> = OnceLock::new();

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    TimeToCredit,
    PaidNotCredited,
    FindingsOpen,
    ReconciliationDrift,
    ConflictRetries,
    EventsNotQueued,
}

impl Figure {
    const fn name(self) -> &'static str {
        match self {
            Self::TimeToCredit => "time_to_credit",
            Self::PaidNotCredited => "paid_not_credited",
            Self::FindingsOpen => "findings_open",
            Self::ReconciliationDrift => "reconciliation_drift",
            Self::ConflictRetries => "conflict_retries",
            Self::EventsNotQueued => "events_not_queued",
        }
    }

    const fn unit(self) -> &'static str {
        match self {
            Self::TimeToCredit => "Milliseconds",
            Self::ReconciliationDrift => "None",
            Self::PaidNotCredited
            | Self::FindingsOpen
            | Self::ConflictRetries
            | Self::EventsNotQueued => "Count",
        }
    }
}

/// Says of which deployment the metrics are; the first word counts.
pub fn of_stage(stage: &str) {
    STAGE.get_or_init(|| stage.to_owned());
}

/// How long after it was paid a payment was credited.
pub fn time_to_credit(waited: Duration) {
    emit(Figure::TimeToCredit, i64::try_from(waited.as_millis()).unwrap_or(i64::MAX), None);
}

/// Payments that were paid and that nobody had told: zero while webhooks arrive.
pub fn paid_not_credited(count: u64) {
    emit(Figure::PaidNotCredited, i64::try_from(count).unwrap_or(i64::MAX), None);
}

/// Findings that a person must look at: of one type, or `all` of them.
pub fn findings_open(kind: &str, count: u64) {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    emit(Figure::FindingsOpen, count, Some(("type", kind)));
}

/// How far the provider and the books are apart, in the smallest coin, over all currencies and without
/// sign: zero or not is what counts.
pub fn reconciliation_drift(units: u64) {
    emit(Figure::ReconciliationDrift, i64::try_from(units).unwrap_or(i64::MAX), None);
}

/// A race that was lost, and is run again.
pub fn conflict_retry() {
    emit(Figure::ConflictRetries, 1, None);
}

/// Events that were committed, and that the queue did not take: the sweep sends them.
pub fn events_not_queued(count: u64) {
    emit(Figure::EventsNotQueued, i64::try_from(count).unwrap_or(i64::MAX), None);
}

fn emit(figure: Figure, value: i64, dimension: Option<(&str, &str)>) {
    let line = line(figure, value, dimension, crate::lambda::now());
    tracing::info!(target: TARGET, line = line.to_string());
}

fn line(figure: Figure, value: i64, dimension: Option<(&str, &str)>, now: Timestamp) -> Value {
    let stage = STAGE.get().map_or("local", String::as_str);
    let mut dimensions = vec!["stage"];
    dimensions.extend(dimension.map(|(name, _)| name));
    let mut line = json!({
        "level": "INFO",
        "message": "metric",
        "_aws": {
            "Timestamp": now.unix_millis(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [dimensions],
                "Metrics": [{"Name": figure.name(), "Unit": figure.unit()}],
            }],
        },
        "stage": stage,
        figure.name(): value,
    });
    if let (Some((name, of)), Some(fields)) = (dimension, line.as_object_mut()) {
        fields.insert(name.to_owned(), json!(of));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_a_metric_in_it() {
        let at = Timestamp::from_unix_millis(1_795_435_200_000);
        let line = line(Figure::FindingsOpen, 2, Some(("type", "unknown_order")), at);
        assert_eq!(line["_aws"]["Timestamp"], 1_795_435_200_000_i64);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([["stage", "type"]]));
        assert_eq!(directive["Metrics"], json!([{"Name": "findings_open", "Unit": "Count"}]));
        // Everything that the directive names is there.
        assert_eq!((&line["findings_open"], &line["type"]), (&json!(2), &json!("unknown_order")));
        assert_eq!(line["stage"], "local");
    }
}
