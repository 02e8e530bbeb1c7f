//! Logs: one JSON object a line, on standard output, where CloudWatch takes it.
//!
//! Fields: `request_id account_id order_id`, and `payment_id` of a credit. Never a body, key, signature, e-mail
//! address or card.

use ledger::{AccountId, OrderId};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How loud the libraries may be: lost races and retries are ordinary work for us, and the clients
/// log requests at their lower levels.
const OTHERS: &str =
    "aws_config=warn,aws_smithy_runtime=warn,hyper=warn,stripe=warn,dynoxide=error";

/// Says what the current request is about: the names go into every line that it logs.
pub fn about(account_id: &AccountId, order_id: Option<&OrderId>) {
    let span = tracing::Span::current();
    span.record("account_id", account_id.as_str());
    if let Some(order_id) = order_id {
        span.record("order_id", order_id.as_str());
    }
}

/// Writes logs to standard output; a second call changes nothing.
pub fn to_standard_output() {
    to(std::io::stdout);
}

/// Writes logs to somewhere else; only the first call of a process counts.
pub fn to<Writer>(writer: Writer)
where
    Writer: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let level = std::env::var("LOG_LEVEL").unwrap_or_else(|_| "info".to_owned());
    let filter = EnvFilter::new(format!("{level},{OTHERS}"));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(writer);
    let started = tracing_subscriber::registry().with(filter).with(lines).try_init();
    if started.is_err() {
        tracing::debug!("logs were started before");
    }
}
