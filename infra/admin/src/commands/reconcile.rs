//! `reconcile`: what runs by the clock, now. The deployed functions do it, by their own roles: this
//! program never sees Stripe's key, and an old copy of it never does money by old rules.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use clap::Args;
use serde_json::{Value, json};
use service::comparison::parse_day;
use service::lambda::now;

use crate::answer::{Answer, Outcome, count, is_so, tell, text};
use crate::deployment::Which;
use crate::problem::Problem;
use crate::progress;

/// Longer than any function runs: the longest has 840 s.
const LONGEST: Duration = Duration::from_secs(900);
/// Calls of the function that compares a day: each takes on new hours for 600 s.
const MOST_CALLS: u32 = 48;

/// Do now what runs by the clock: sweep, or with --day compare a day with Stripe
///
/// Without --day the function `reconcile` asks Stripe for every open card order that is older than three minutes, and
/// credits, expires and finishes what is due, as it does every five minutes. With --day the function `compare-payments`
/// compares that day with the books, once more if it was. Both complete what is missing by the rules of
/// the webhook and are safe to repeat. Ends with code 3 if a comparison is not green, or orders are left.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  topup-admin --stage prod reconcile
  topup-admin --stage prod reconcile --day 2026-11-23")]
pub(crate) struct Reconcile {
    /// The day (UTC) to compare with Stripe
    #[arg(long)]
    day: Option<String>,
}

/// The functions of a stage.
struct Functions {
    client: Client,
    stage: String,
    region: String,
}

pub(crate) async fn run(which: &Which, command: Reconcile) -> Result<Answer, Problem> {
    if let Some(day) = command.day.as_deref() {
        match parse_day(day) {
            Some(known) if known.begins() <= now() => {}
            Some(_) => {
                let problem = format!("{day} has not begun: days are in UTC");
                return Err(Problem::asked("--day", problem));
            }
            None => {
                let problem = format!("must be a day such as 2026-11-23, not {day}");
                return Err(Problem::asked("--day", problem));
            }
        }
    }
    let functions = Functions::of(which).await?;
    match command.day {
        None => functions.sweep().await,
        Some(day) => functions.compare(&day).await,
    }
}

impl Functions {
    async fn of(which: &Which) -> Result<Self, Problem> {
        let stage = which.stage()?;
        let deployment = which.deployment().await?;
        // A call that takes long is not called again because it takes long.
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(LONGEST)
            .operation_timeout(LONGEST)
            .build();
        let configuration = aws_sdk_lambda::config::Builder::from(&deployment.sdk)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::disabled())
            .build();
        let region = deployment.region;
        tell(&format!("Functions of stage {stage} in {region}."));
        Ok(Self { client: Client::from_conf(configuration), stage, region })
    }

    async fn sweep(&self) -> Result<Answer, Problem> {
        let swept = self.invoke("reconcile", &json!({})).await?;
        let count = |name: &str| count(&swept, name);
        let told = format!(
            "{} open orders were looked at: {} payments credited that nobody had told, {} closed or \
             recorded, {} findings; {} refunds, {} holds and {} events; {} left for the next sweep.{}",
            count("looked_at"),
            count("credited"),
            count("recorded"),
            count("found"),
            count("refunds"),
            count("holds"),
            count("told"),
            count("left"),
            if is_so(&swept, "complete") { "" } else { " There is more: run it again." },
        );
        let look = count("found") > 0 || count("left") > 0 || !is_so(&swept, "complete");
        let outcome = if look { Outcome::MustLook } else { Outcome::Well };
        Ok(Answer::new(told, swept, outcome))
    }

    /// Compares until the day is done: one call that ends early is gone on with by the next.
    async fn compare(&self, day: &str) -> Result<Answer, Problem> {
        for _ in 0..MOST_CALLS {
            let run = self.invoke("compare-payments", &json!({"day": day})).await?;
            let until = text(&run, "compared_until");
            if text(&run, "status") != "finished" {
                tell(&format!("Compared until {until}; going on."));
                continue;
            }
            let count = |name: &str| count(&run, name);
            let (green, id) = (is_so(&run, "green"), text(&run, "run_id").to_owned());
            let told = format!(
                "{day} ({id}): {} movements of Stripe and {} claims of the books, {} credited now, {} \
                 findings. {}",
                count("movements"),
                count("claims"),
                count("credited"),
                count("finding_count"),
                if green { "Green.".to_owned() } else { not_green(&run) },
            );
            let outcome = if green { Outcome::Well } else { Outcome::MustLook };
            return Ok(Answer::new(told, run, outcome));
        }
        let problem =
            format!("{day} is not compared after {MOST_CALLS} calls: see the function's log");
        Err(Problem::Asked(problem))
    }

    /// Calls a function, and waits for what it answers.
    async fn invoke(&self, function: &str, event: &Value) -> Result<Value, Problem> {
        let name = format!("topup-{}-{function}", self.stage);
        let waiting = progress::spinner(format!("{name} is at work"));
        let payload = Blob::new(event.to_string());
        let invoked = self.client.invoke().function_name(&name).payload(payload).send().await;
        waiting.finish_and_clear();
        let answer = match invoked {
            Ok(answer) => answer,
            Err(error) => {
                let known = error.as_service_error();
                return Err(match known.is_some_and(|it| it.is_resource_not_found_exception()) {
                    true => {
                        Problem::Missing { what: "function", name, region: self.region.clone() }
                    }
                    false => Problem::of(error),
                });
            }
        };
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        let said: Value = serde_json::from_slice(&payload).unwrap_or_default();
        if answer.function_error.is_some() || !said.is_object() {
            let message = match text(&said, "errorMessage") {
                "" => "it answered nothing".to_owned(),
                message => message.to_owned(),
            };
            return Err(Problem::Function { name, message });
        }
        Ok(said)
    }
}

/// What a comparison found, in lines.
fn not_green(run: &Value) -> String {
    let listed = |field: &str| run.get(field).and_then(Value::as_array).into_iter().flatten();
    let drift = listed("drift").map(|one| {
        let (amount, currency) = (text(one, "amount"), text(one, "currency"));
        format!("  drift {amount} {currency}")
    });
    let findings = listed("findings")
        .map(|one| format!("  {} {}", text(one, "finding_id"), text(one, "type")));
    let unreadable = count(run, "unreadable");
    let unreadable =
        (unreadable > 0).then(|| format!("  {unreadable} that cannot be read: see the log"));
    let head = std::iter::once("Not green:".to_owned());
    let lines: Vec<_> = head.chain(drift).chain(findings).chain(unreadable).collect();
    lines.join("\n")
}
