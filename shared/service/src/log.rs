//! Logs: one JSON object a line, on standard output, where CloudWatch takes it.
//!
//! Fields: `request_id account_id order_id`, and the id of what else a line is about (`payment_id`, `finding_id`, …). Never a body, key, signature, e-mail
//! address or card.

use std::fmt;
use std::io::Write;

use ledger::{AccountId, OrderId};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterExt, LevelFilter, Targets, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::metrics;

/// Where `LOG_LEVEL` may say `debug` and `trace`: libraries write whole requests at these levels, with keys and bodies.
const OURS: [&str; 2] = ["ledger", "service"];

/// How loud the libraries may be at most: lost races and retries are ordinary work for us.
const OTHERS: [(&str, LevelFilter); 5] = [
    ("aws_config", LevelFilter::WARN),
    ("aws_smithy_runtime", LevelFilter::WARN),
    ("hyper", LevelFilter::WARN),
    ("stripe", LevelFilter::WARN),
    ("dynoxide", LevelFilter::ERROR),
];

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
    Writer: for<'writer> MakeWriter<'writer> + Clone + Send + Sync + 'static,
{
    // Not an `EnvFilter`, which brings an engine for regular expressions into every function.
    let ours = OURS.map(|target| (target, level()));
    let libraries = level().min(LevelFilter::INFO);
    let filter = Targets::new().with_default(libraries).with_targets(OTHERS).with_targets(ours);
    // Without their hints about levels, each disabled event and span of the SDK would be looked up.
    let words = filter_fn(|event| event.target() != metrics::TARGET && !is_said_twice(event))
        .with_max_level_hint(LevelFilter::TRACE);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(writer.clone())
        .with_filter(filter.and(words));
    // However quiet the words are: alarms watch these.
    let of_metrics =
        filter_fn(|event| event.target() == metrics::TARGET).with_max_level_hint(LevelFilter::INFO);
    let figures = Figures(writer).with_filter(of_metrics);
    let started = tracing_subscriber::registry().with(lines).with(figures).try_init();
    if started.is_err() {
        tracing::debug!("logs were started before");
    }
}

/// Whether the runtime says once more, as an error, what a handler answers with. Each handler has logged that as what it
/// is: a table that does not answer for a moment is no broken invariant, for which an alarm rings. A panic is nobody
/// else's to tell, and names its `error`.
fn is_said_twice(event: &Metadata<'_>) -> bool {
    event.target() == "lambda_runtime::layers::panic" && event.fields().field("error").is_none()
}

/// What `LOG_LEVEL` says: `off`, `error`, `warn`, `info`, `debug` or `trace`. Anything else is `info`. No library is louder
/// than `info`.
#[expect(clippy::disallowed_methods, reason = "a level is no amount")]
fn level() -> LevelFilter {
    let said = std::env::var("LOG_LEVEL").ok().filter(|said| !said.is_empty());
    said.and_then(|said| said.parse().ok()).unwrap_or(LevelFilter::INFO)
}

/// Writes the lines of metrics as they are.
struct Figures<Writer>(Writer);

impl<S, Writer> Layer<S> for Figures<Writer>
where
    S: Subscriber,
    Writer: for<'writer> MakeWriter<'writer> + 'static,
{
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        line.0.push('\n');
        // A metric that cannot be written is lost, as any other line of the log.
        drop(self.0.make_writer().write_all(line.0.as_bytes()));
    }
}

struct Line(String);

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == metrics::FIELD {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
