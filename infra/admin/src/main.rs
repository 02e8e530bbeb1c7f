//! `topup-admin`: what an operator does by hand, by AWS credentials of their own.
//!
//! `cargo run -p admin -- --help` lists it. It works on a deployment and on the local runner alike:
//! the endpoints of the latter are environment variables of the AWS SDK, which the runner prints.

mod answer;
mod commands;
mod deployment;
mod problem;
mod progress;
mod queues;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use answer::{Answer, Form};
use commands::{catalogue, dead_letters, erase, keys, reconcile, redrive, verify};
use deployment::Which;
use problem::Problem;

/// What an operator of Topup does by hand: first steps, keys, verification, dead letters.
///
/// Say which deployment with --stage, and be signed in to its AWS account as for the AWS CLI. Nothing
/// here edits money; `reconcile` credits what Stripe says was paid. What it works on is told on standard error; answers are on
/// standard output.
#[derive(Debug, Parser)]
#[command(name = "topup-admin", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Print one JSON document in place of text
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  topup-admin --stage prod keys create --name 'ann, finance'
  topup-admin --stage prod dead-letters
  topup-admin --stage prod redrive confirmation
  topup-admin --table topup-prod-restored verify

It exits with 0 if all is well, 1 if it could not do what it was asked, 2 if the command line could not
be read, and 3 if it did and found something that a person must look at. docs/operate.md tells the rest.";

#[derive(Debug, Subcommand)]
enum Command {
    /// API keys: made, listed, replaced, stopped
    #[command(subcommand)]
    Keys(keys::Keys),
    /// What can be topped up, its limits, rates and bank accounts
    #[command(subcommand)]
    Catalogue(catalogue::Catalogue),
    Verify(verify::Verify),
    Reconcile(reconcile::Reconcile),
    DeadLetters(dead_letters::DeadLetters),
    Redrive(redrive::Redrive),
    Erase(erase::Erase),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if std::env::var_os("LOG_LEVEL").is_some() {
        service::log::to(std::io::stderr);
    }
    let form = if arguments.json { Form::Json } else { Form::Text };
    match run(arguments).await {
        Ok(answer) => answer.print(form),
        Err(problem) => answer::fail(&problem, form),
    }
}

async fn run(arguments: Arguments) -> Result<Answer, Problem> {
    let which = arguments.which;
    match arguments.command {
        Command::Keys(command) => keys::run(&which, command).await,
        Command::Catalogue(command) => catalogue::run(&which, command).await,
        Command::Verify(command) => verify::run(&which, command).await,
        Command::Reconcile(command) => reconcile::run(&which, command).await,
        Command::DeadLetters(command) => dead_letters::run(&which, command).await,
        Command::Redrive(command) => redrive::run(&which, command).await,
        Command::Erase(command) => erase::run(&which, command).await,
    }
}
