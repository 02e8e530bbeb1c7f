//! How far long work is, on standard error: drawn on a terminal, and nowhere else.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often what has no measure shows that it goes on.
const TICK: Duration = Duration::from_millis(120);

/// A bar of so many things.
pub(crate) fn bar(of: u64, things: &str) -> ProgressBar {
    let form = format!("{{bar:40}} {{pos}} of {{len}} {things}, {{elapsed}}, {{eta}} left {{msg}}");
    styled(ProgressBar::new(of), &form)
}

/// Something that takes an unknown time.
pub(crate) fn spinner(what: impl Into<String>) -> ProgressBar {
    let bar = styled(ProgressBar::new_spinner(), "{spinner} {msg}, {elapsed}");
    bar.set_message(what.into());
    bar.enable_steady_tick(TICK);
    bar
}

fn styled(bar: ProgressBar, form: &str) -> ProgressBar {
    match ProgressStyle::with_template(form) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
