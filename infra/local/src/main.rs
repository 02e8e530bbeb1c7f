//! `cargo run`: the whole of Topup on this machine.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use local::clock::Clock;
use local::cloud::{Cloud, RealStripe, STAGE, SWEEP_PAUSE, Settings, remove_data};
use local::demo::{DEMO_ACCOUNT, write_private};
use serde_json::json;

/// Topup on this machine: the API, an embedded table, queue and payment provider.
///
/// STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET put the real Stripe in place of the stand-in;
/// AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_SQS and AWS_ENDPOINT_URL_S3 put another table, queue
/// or object storage in place of the embedded ones.
#[derive(Debug, Parser)]
#[command(name = "topup", version)]
struct Arguments {
    /// The port of the API; the payment provider takes the next one; 0 takes free ones
    #[arg(long, default_value_t = 8787, value_parser = clap::value_parser!(u16).range(..65_535))]
    port: u16,
    /// Where the data is kept
    #[arg(long, default_value = ".topup")]
    data_dir: PathBuf,
    /// Remove the data first
    #[arg(long)]
    reset: bool,
    /// Keep the data in memory only
    #[arg(long, conflicts_with = "data_dir")]
    in_memory: bool,
    /// No logs, only the addresses and keys
    #[arg(long)]
    quiet: bool,
    /// Write addresses and keys into this JSON file once everything is ready; remove an old one
    /// before waiting for it
    #[arg(long)]
    ready_file: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if !arguments.quiet {
        service::log::to(std::io::stderr);
    }
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("topup: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let data_dir = (!arguments.in_memory).then_some(arguments.data_dir);
    if let Some(folder) = data_dir.as_deref().filter(|_| arguments.reset) {
        remove_data(folder)?;
    }
    let mut cloud = Cloud::start(Settings {
        port: arguments.port,
        data_dir: data_dir.clone(),
        clock: Clock::system(),
        sweep_pause: SWEEP_PAUSE,
        tell_events: true,
        table_endpoint: variable("AWS_ENDPOINT_URL_DYNAMODB"),
        queue_endpoint: variable("AWS_ENDPOINT_URL_SQS"),
        objects_endpoint: variable("AWS_ENDPOINT_URL_S3"),
        stripe: real_stripe()?,
        provider_endpoint: None,
    })
    .await?;
    print(&cloud, data_dir.as_ref());
    if let Some(path) = &arguments.ready_file {
        write_ready_file(path, &cloud).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    tokio::select! {
        () = stopped() => {}
        () = cloud.run() => return Err("a part of it has stopped".to_owned()),
    }
    drop(std::io::stdout().write_all(b"Stopped.\n"));
    Ok(())
}

fn print(cloud: &Cloud, data_dir: Option<&PathBuf>) {
    let kept = data_dir.map_or("memory only".to_owned(), |folder| folder.display().to_string());
    let provider = cloud.provider_url.as_deref().unwrap_or("Stripe itself");
    let keys = &cloud.keys;
    let lines = [
        "Topup is ready.".to_owned(),
        format!("  API               {}", cloud.base_url),
        format!("  payment provider  {provider}"),
        format!("  usage queue       {}", cloud.usage_queue_url),
        format!("  data              {kept}"),
        format!("  demo account      {DEMO_ACCOUNT}"),
        format!("  customer key      {}", keys.customer),
        format!("  operator key      {}", keys.operator),
        format!("  console           {}", cloud.sign_in.customer),
        format!("  operator's desk   {}", cloud.sign_in.operator),
        "Use it from another terminal:".to_owned(),
        format!("  export API={} KEY={}", cloud.base_url, keys.customer),
        "Operate it (cargo run -p admin -- --help) from one more:".to_owned(),
        format!("  {}", operating(cloud)),
        "Ctrl-C stops it.\n".to_owned(),
    ];
    // Nobody may be reading: the service runs all the same.
    drop(std::io::stdout().write_all(lines.join("\n").as_bytes()));
}

/// What leads the AWS clients of the operator's command to this process, which checks no signature.
fn operating(cloud: &Cloud) -> String {
    format!(
        "export STAGE={STAGE} AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local \
         AWS_ENDPOINT_URL_DYNAMODB={} AWS_ENDPOINT_URL_SQS={} AWS_ENDPOINT_URL_LAMBDA={}",
        cloud.table_url, cloud.queues_url, cloud.functions_url
    )
}

fn write_ready_file(path: &PathBuf, cloud: &Cloud) -> std::io::Result<()> {
    let ready = json!({
        "base_url": cloud.base_url,
        "provider_url": cloud.provider_url,
        "table_url": cloud.table_url,
        "queue_url": cloud.queues_url,
        "functions_url": cloud.functions_url,
        "customer_key": cloud.keys.customer,
        "operator_key": cloud.keys.operator,
        "account_id": DEMO_ACCOUNT,
        "customer_console_url": cloud.sign_in.customer,
        "operator_console_url": cloud.sign_in.operator,
    });
    // Whoever waits for the file must never read half of it.
    let partial = path.with_extension("new");
    write_private(&partial, &ready.to_string())?;
    std::fs::rename(&partial, path)
}

fn real_stripe() -> Result<Option<RealStripe>, String> {
    match (variable("STRIPE_SECRET_KEY"), variable("STRIPE_WEBHOOK_SECRET")) {
        (None, None) => Ok(None),
        (Some(secret_key), Some(webhook_secret)) => {
            Ok(Some(RealStripe { secret_key, webhook_secret }))
        }
        _ => Err("set both STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET, or neither".to_owned()),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Ctrl-C, or the signal by which service managers stop a process.
async fn stopped() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    drop(interrupted.await);
}
