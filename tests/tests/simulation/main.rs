//! The money path under every fault, one at a time and all together.
#![recursion_limit = "256"]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

mod back_steps;
mod desk_steps;
mod every_step;
mod histories;
mod usage_steps;

use std::io::Write;

/// The stack of a thread in which a whole deployment runs: futures that nobody optimized are large.
const STACK: usize = 16 * 1_024 * 1_024;

/// Says something past what the test harness captures: a green run tells what it covered.
fn say(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}
