//! What Topup costs in time, requests, capacity, memory and money: `cargo bench -p tests`.
//!
//! Progress goes to stderr, markdown tables to stdout, ready for `docs/benchmark.md`. Figures are
//! compared with a baseline of the same run (see [`bare`]), because the machine is never the same.
//! Nothing here asserts a time. `cargo bench -p tests -- --quick` takes less than a minute and
//! shows that everything still works; its figures mean little. `cargo bench -p tests -- hot costs`
//! measures these sections only.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark may stop at the first surprise"
)]

mod bare;
mod calls;
mod costs;
mod history;
mod hot;
mod in_process;
mod measure;
mod place;
mod prices;
mod report;
mod runner;
mod speed;
mod tokens;

/// What is measured, in this order, unless some are named. The costs come last: a story's world
/// keeps the logs, which all other sections do without.
const SECTIONS: [&str; 5] = ["speed", "hot", "history", "runner", "costs"];

/// How much is measured.
struct Scale {
    /// Samples of each operation by one client.
    samples: usize,
    /// Orders, and as many entries, of the accounts whose cost is compared.
    histories: [usize; 3],
    /// Samples of each operation on each of them.
    history_samples: usize,
    /// Transfers on one account, by all clients together.
    hot_transfers: usize,
    /// Charges that are asked for at once, of an account with money for seven of ten.
    at_once: usize,
    /// Orders that the runner takes before its memory is read again.
    runner_orders: usize,
}

impl Scale {
    const FULL: Self = Self {
        samples: 2_000,
        histories: [10, 1_000, 100_000],
        history_samples: 400,
        hot_transfers: 1_280,
        at_once: 1_000,
        runner_orders: 100_000,
    };
    const QUICK: Self = Self {
        samples: 80,
        histories: [10, 100, 1_000],
        history_samples: 40,
        hot_transfers: 128,
        at_once: 100,
        runner_orders: 800,
    };
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if let Some(folder) = runner::folder(&arguments) {
        return runner::serve(&folder).await;
    }
    if !has("--bench") {
        // `cargo test --all-targets` runs benchmarks too, without this argument.
        eprintln!("nothing is measured: run `cargo bench -p tests`");
        return;
    }
    let scale = if has("--quick") { Scale::QUICK } else { Scale::FULL };
    let named = SECTIONS.iter().any(|section| has(section));
    for section in SECTIONS.into_iter().filter(|section| !named || has(section)) {
        match section {
            "speed" => speed::report(&scale).await,
            "hot" => hot::report(&scale).await,
            "history" => history::report(&scale).await,
            "runner" => runner::report(&scale).await,
            _ => costs::report().await,
        }
    }
}

/// Tells on stderr what is being done.
fn progress(what: &str) {
    eprintln!("benchmark: {what}");
}
