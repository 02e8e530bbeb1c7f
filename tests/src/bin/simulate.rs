//! Simulates histories, for seconds or for hours: see [`tests::simulation`].
//!
//! `cargo run -p tests --bin simulate -- --operations 10000000` goes from one fresh seed to the
//! next; with `--seed` it is that one history, the same every time.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tests::simulation::{Engine, Failure, Outcome, Plan, simulate};

/// Simulates customers, a payment provider, a queue and a network in which anything fails, and
/// stops at the first thing that must not be.
#[derive(Parser)]
struct Options {
    /// The one history to simulate; without it, one fresh seed after the other
    #[arg(long)]
    seed: Option<u64>,
    /// How many operations in all
    #[arg(long, default_value_t = 50_000)]
    operations: u64,
    /// How many operations a history has, at most
    #[arg(long, default_value_t = 2_500)]
    per_history: u64,
    /// A DynamoDB Local, such as http://127.0.0.1:8000, in place of the embedded table
    #[arg(long)]
    table: Option<String>,
    /// Where to write every line of the last history
    #[arg(long)]
    history: Option<PathBuf>,
    /// Tell of progress on standard error
    #[arg(long)]
    progress: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut seed = options.seed.unwrap_or_else(|| fastrand::u64(..));
    let (mut done, mut total) = (0_u64, Outcome::default());
    while done < options.operations {
        let operations = options.per_history.min(options.operations.saturating_sub(done));
        match one(&options, seed, operations, done) {
            Ok(outcome) => {
                done = done.saturating_add(operations);
                println!("{}", summary(seed, &outcome));
                total = total.and(&outcome);
            }
            Err(failure) => {
                eprintln!("{}", complaint(&failure, operations));
                return ExitCode::FAILURE;
            }
        }
        seed = seed.wrapping_add(1);
    }
    for (what, count) in &total.seen {
        println!("{count:>9} {what}");
    }
    println!("all: {}", summary(seed.wrapping_sub(1), &total));
    ExitCode::SUCCESS
}

fn one(options: &Options, seed: u64, operations: u64, before: u64) -> Result<Outcome, Failure> {
    let engine = match &options.table {
        // A fresh database each time; its name is no part of the history.
        Some(endpoint) => Engine::remote(endpoint, format!("simulation{:x}", fastrand::u64(..))),
        None => Engine::embedded(),
    };
    let keep_history = options.history.is_some();
    let all = options.operations;
    let plan = Plan { seed, operations, engine, keep_history };
    let simulated = simulate(&plan, &mut |done| {
        if options.progress {
            eprint!("\rseed {seed}: {} of {all} operations", before.saturating_add(done));
            drop(io::stderr().flush());
        }
    });
    if options.progress {
        eprintln!();
    }
    if let Some(path) = &options.history {
        let lines = match &simulated {
            Ok(outcome) => &outcome.lines,
            Err(failure) => &failure.lines,
        };
        if let Err(error) = fs::write(path, lines.join("\n")) {
            eprintln!("{}: {error}", path.display());
        }
    }
    simulated.map_err(|failure| *failure)
}

fn summary(seed: u64, outcome: &Outcome) -> String {
    let Outcome { fingerprint, operations, commits, credited, findings, .. } = outcome;
    let faults = outcome.faults();
    format!(
        "seed {seed}: {operations} operations, {commits} commits, {faults} faults, {credited} \
         credits, {findings} findings {fingerprint}"
    )
}

fn complaint(failure: &Failure, operations: u64) -> String {
    let Failure { seed, operation, violation, .. } = failure;
    format!(
        "seed {seed}, operation {operation}: {violation}\nreplay it: cargo run -p tests --bin \
         simulate -- --seed {seed} --operations {operations} --per-history {operations} \
         --history history.txt"
    )
}
