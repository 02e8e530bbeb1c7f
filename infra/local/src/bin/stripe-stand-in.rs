//! The stand-in for Stripe alone, for a deployment that is somewhere else.

use std::process::ExitCode;

use clap::Parser;
use local::clock::Clock;
use local::cloud::{address, bind, serve};
use local::provider::{Provider, ProviderSettings};

/// The stand-in for Stripe, kept in memory: its API, payment page, webhooks and controls.
#[derive(Debug, Parser)]
#[command(name = "stripe-stand-in", version)]
struct Arguments {
    /// The port of its API and its payment pages
    #[arg(long, default_value_t = 8788)]
    port: u16,
    /// Where it sends events: `POST /v1/webhooks/stripe` of the deployment
    #[arg(long)]
    webhook_url: String,
    /// The only key that it takes
    #[arg(long, env = "STRIPE_SECRET_KEY", hide_env_values = true)]
    secret_key: String,
    /// What it signs events with
    #[arg(long, env = "STRIPE_WEBHOOK_SECRET", hide_env_values = true)]
    webhook_secret: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("stripe-stand-in: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let listener = bind(arguments.port, "--port").await?;
    let public_url = format!("http://{}", address(&listener)?);
    let settings = ProviderSettings {
        public_url: public_url.clone(),
        webhook_url: arguments.webhook_url,
        webhook_secret: arguments.webhook_secret,
        secret_key: arguments.secret_key,
    };
    let provider = Provider::open(None, Clock::system(), settings);
    let provider = provider.map_err(|error| error.to_string())?;
    println!("The stand-in for Stripe is ready at {public_url}. Ctrl-C stops it.");
    tokio::select! {
        () = serve(listener, provider.router()) => Err("it has stopped".to_owned()),
        () = provider.run_deliveries() => Err("its webhooks have stopped".to_owned()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}
