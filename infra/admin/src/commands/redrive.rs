//! `redrive`: dead letters back to the queue that they came from.
//!
//! SQS moves them (`StartMessageMoveTask`), one task a queue at a time: this program starts the task, or
//! joins the one that runs, and watches it. So it does not matter when it is killed, nor how often it is called.

use std::time::Duration;

use aws_sdk_sqs::types::ListMessageMoveTasksResultEntry as Task;
use clap::Args;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::answer::{Answer, Outcome, tell};
use crate::deployment::Which;
use crate::problem::Problem;
use crate::progress;
use crate::queues::{Found, Queue, Queues};

/// How often SQS is asked how far it is, and for how long at most: its own limit of a task is 36 hours.
const PAUSE: Duration = Duration::from_secs(1);
const MOST_LOOKS: u32 = 36 * 3_600;
/// For how long a task that was started is waited for in the list of them.
const MOST_LOOKS_FOR_IT: u32 = 30;

/// Send dead letters back to the queue that they came from, once their cause is mended
///
/// Everything that reads these queues does its work once, however often a message comes: to redrive
/// twice is safe. What still fails is a dead letter again after half an hour to an hour. Ctrl-C stops watching and not
/// the task; the same command watches on.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  topup-admin --stage prod dead-letters                    look first
  topup-admin --stage prod redrive confirmation
  topup-admin --stage prod redrive usage --per-second 50   gently")]
pub(crate) struct Redrive {
    /// The queues whose dead letters go back
    #[arg(required = true)]
    queues: Vec<Queue>,
    /// Messages a second, at most 500; as fast as SQS can if it is not said
    #[arg(long, value_parser = clap::value_parser!(i32).range(1..=500))]
    per_second: Option<i32>,
}

/// What became of the dead letters of a queue.
struct Moved {
    queue: Queue,
    status: String,
    moved: i64,
    /// Dead letters that somebody looked at when it began: they are not among those that went back.
    out_of_sight: u64,
    problem: Option<String>,
}

pub(crate) async fn run(which: &Which, command: Redrive) -> Result<Answer, Problem> {
    let queues = Queues::of(which).await?;
    let mut wanted = command.queues;
    wanted.sort_unstable();
    wanted.dedup();
    let mut all = Vec::new();
    for queue in wanted {
        let (from, to) = (queues.dead_letters(queue).await?, queues.source(queue).await?);
        let older = start(&queues, &from, &to, command.per_second).await?;
        all.push(watch(&queues, queue, &from, older).await?);
    }
    let complete = all.iter().all(|one| one.status == "COMPLETED" && one.out_of_sight == 0);
    let text: Vec<_> = all.iter().map(line).collect();
    let json = json!({"queues": all.iter().map(shown).collect::<Vec<_>>()});
    let outcome = if complete { Outcome::Well } else { Outcome::MustLook };
    Ok(Answer::new(text.join("\n"), json, outcome))
}

/// Starts the task, unless one runs; returns when the task before it was started, so that it is not taken
/// for this one.
async fn start(
    queues: &Queues,
    from: &Found,
    to: &Found,
    per_second: Option<i32>,
) -> Result<Option<i64>, Problem> {
    let older = newest(queues, from).await?;
    let started = queues
        .client
        .start_message_move_task()
        .source_arn(&from.arn)
        // Said and not left to each message: one that somebody put there by hand knows no source.
        .destination_arn(&to.arn)
        .set_max_number_of_messages_per_second(per_second)
        .send()
        .await;
    match started {
        Ok(_) => {
            tell(&format!("{} goes back to {}.", from.name, to.name));
            Ok(older.map(|task| task.started_timestamp()))
        }
        // A queue has one task at a time, and what SQS says to a second one it says of other things, too.
        Err(error) => match newest(queues, from).await? {
            Some(task) if runs(&task) => {
                tell(&format!("{} is going back already: watching.", from.name));
                Ok(None)
            }
            _ => Err(Problem::of(error)),
        },
    }
}

/// Watches the newest task of a queue until it ends.
async fn watch(
    queues: &Queues,
    queue: Queue,
    from: &Found,
    older: Option<i64>,
) -> Result<Moved, Problem> {
    let bar = progress::bar(from.messages, "dead letters");
    let task = watched(queues, from, older, &bar).await;
    bar.finish_and_clear();
    let task = task?;
    Ok(Moved {
        queue,
        status: task.as_ref().and_then(Task::status).unwrap_or("UNKNOWN").to_owned(),
        moved: task.as_ref().map(Task::approximate_number_of_messages_moved).unwrap_or_default(),
        out_of_sight: from.in_flight,
        problem: task.and_then(|task| task.failure_reason),
    })
}

async fn watched(
    queues: &Queues,
    from: &Found,
    older: Option<i64>,
    bar: &ProgressBar,
) -> Result<Option<Task>, Problem> {
    let mut last = None;
    for look in 0..MOST_LOOKS {
        let found = newest(queues, from).await?;
        // A list can be behind a task that was started just now.
        last = found.filter(|task| Some(task.started_timestamp()) != older);
        match &last {
            Some(task) => {
                show(task, bar);
                if !runs(task) {
                    break;
                }
            }
            None if look >= MOST_LOOKS_FOR_IT => break,
            None => {}
        }
        sleep(PAUSE).await;
    }
    Ok(last)
}

/// The task that was started last.
async fn newest(queues: &Queues, from: &Found) -> Result<Option<Task>, Problem> {
    let asked = queues.client.list_message_move_tasks().source_arn(&from.arn).max_results(1);
    let answer = asked.send().await.map_err(Problem::of)?;
    Ok(answer.results.unwrap_or_default().into_iter().next())
}

fn runs(task: &Task) -> bool {
    matches!(task.status(), Some("RUNNING" | "CANCELLING"))
}

fn show(task: &Task, bar: &ProgressBar) {
    if let Some(all) = task.approximate_number_of_messages_to_move {
        bar.set_length(u64::try_from(all).unwrap_or_default());
    }
    let moved = task.approximate_number_of_messages_moved();
    bar.set_position(u64::try_from(moved).unwrap_or_default());
}

fn line(one: &Moved) -> String {
    let Moved { queue, status, moved, out_of_sight, problem } = one;
    let why = problem.as_ref().map(|why| format!(", {why}")).unwrap_or_default();
    match status.as_str() {
        "COMPLETED" if *out_of_sight > 0 => format!(
            "{}: {moved} messages went back. {out_of_sight} were being looked at and stay: do it again in a \
             minute.",
            queue.name()
        ),
        "COMPLETED" => format!("{}: {moved} messages went back.", queue.name()),
        _ => format!("{}: {moved} messages went back, then {status}{why}.", queue.name()),
    }
}

fn shown(one: &Moved) -> Value {
    json!({
        "queue": one.queue.name(),
        "status": one.status.to_lowercase(),
        "moved": one.moved,
        "out_of_sight": one.out_of_sight,
        "problem": one.problem,
    })
}
