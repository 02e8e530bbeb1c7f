//! `dead-letters`: what nobody could take, looked at and left where it is.

use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName,
};
use clap::Args;
use ledger::Timestamp;
use serde_json::{Value, json};
use service::stamp;

use crate::answer::{Answer, tell};
use crate::deployment::Which;
use crate::problem::Problem;
use crate::queues::{Found, Queue, Queues};

/// How long a message that is looked at is out of sight, should this program be killed while it looks.
const LOOK_SECONDS: i32 = 30;
/// Messages of one request.
const BATCH: u16 = 10;
/// Requests that bring nothing new before it is believed that there is no more: SQS asks only some of its
/// servers each time.
const EMPTY_LOOKS: u32 = 3;
/// Characters of a message that are shown as text; JSON has all of it.
const SHOWN_CHARACTERS: usize = 400;

/// Show the dead letters of each queue; they stay where they are
///
/// A message is out of sight for a moment while it is looked at, and is given back at once. SQS counts
/// approximately, and each look counts as one receive, which nothing depends on here.
#[derive(Debug, Args)]
pub(crate) struct DeadLetters {
    /// Only these queues; all of them if none is named
    queues: Vec<Queue>,
    /// Messages of each queue that are shown
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=1_000))]
    show: u16,
}

pub(crate) async fn run(which: &Which, command: DeadLetters) -> Result<Answer, Problem> {
    let queues = Queues::of(which).await?;
    let wanted = if command.queues.is_empty() { Queue::ALL.to_vec() } else { command.queues };
    let (mut lines, mut json) = (Vec::new(), Vec::new());
    for queue in wanted {
        let found = queues.dead_letters(queue).await?;
        let messages = look(&queues, &found, command.show).await?;
        lines.push(format!("{}: {} dead letters ({})", queue.name(), found.messages, found.name));
        if found.in_flight > 0 {
            lines.push(format!("  {} more are being moved or looked at now", found.in_flight));
        }
        lines.extend(messages.iter().map(line));
        json.push(json!({
            "queue": queue.name(),
            "name": found.name,
            "messages": found.messages,
            "in_flight": found.in_flight,
            "shown": messages.iter().map(shown).collect::<Vec<_>>(),
        }));
    }
    Ok(Answer::well(lines.join("\n"), json!({"queues": json})))
}

/// Up to so many of its messages, oldest first, all given back.
async fn look(queues: &Queues, found: &Found, most: u16) -> Result<Vec<Message>, Problem> {
    let mut seen: Vec<Message> = Vec::new();
    let mut empty = 0_u32;
    while seen.len() < usize::from(most) && empty < EMPTY_LOOKS {
        let left = most.saturating_sub(u16::try_from(seen.len()).unwrap_or(most));
        let received = queues
            .client
            .receive_message()
            .queue_url(&found.url)
            .max_number_of_messages(i32::from(left.min(BATCH)))
            .visibility_timeout(LOOK_SECONDS)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await;
        let messages = match received {
            Ok(answer) => answer.messages.unwrap_or_default(),
            Err(error) => {
                give_back(queues, found, &seen).await;
                return Err(Problem::of(error));
            }
        };
        let known = seen.len();
        for message in messages {
            if seen.iter().all(|one| one.message_id != message.message_id) {
                seen.push(message);
            }
        }
        empty = if seen.len() == known { empty.saturating_add(1) } else { 0 };
        // Nothing is out of sight in an empty queue: the first look may be believed.
        if seen.is_empty() && found.messages == 0 {
            break;
        }
    }
    give_back(queues, found, &seen).await;
    seen.sort_by_key(|message| attribute(message, &MessageSystemAttributeName::SentTimestamp));
    Ok(seen)
}

/// Makes messages visible again. One that cannot be given back comes back by itself.
async fn give_back(queues: &Queues, found: &Found, messages: &[Message]) {
    for batch in messages.chunks(BATCH.into()) {
        let entries = batch.iter().enumerate().map(|(index, message)| {
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(index.to_string())
                .receipt_handle(message.receipt_handle.as_deref().unwrap_or_default())
                .visibility_timeout(0)
                .build()
                .ok()
        });
        let request = queues.client.change_message_visibility_batch().queue_url(&found.url);
        if let Err(error) = request.set_entries(entries.collect()).send().await {
            let problem = Problem::of(error);
            let name = &found.name;
            tell(&format!("Messages of {name} are back in {LOOK_SECONDS} s: {problem}"));
        }
    }
}

fn attribute(message: &Message, name: &MessageSystemAttributeName) -> Option<i64> {
    let text = message.attributes.as_ref()?.get(name)?;
    i64::from_str_radix(text, 10).ok()
}

fn sent_at(message: &Message) -> Option<String> {
    let millis = attribute(message, &MessageSystemAttributeName::SentTimestamp)?;
    Some(stamp::format(Timestamp::from_unix_millis(millis)))
}

/// A control character, or one that turns the direction of the text.
fn is_hidden(one: char) -> bool {
    one.is_control()
        || matches!(one, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn line(message: &Message) -> String {
    let body = message.body.as_deref().unwrap_or_default();
    // What anybody may have sent is not to move the cursor, nor to look like a line of its own.
    let shown = |one: char| if is_hidden(one) { '\u{fffd}' } else { one };
    let mut shown: String = body.chars().take(SHOWN_CHARACTERS).map(shown).collect();
    if body.chars().nth(SHOWN_CHARACTERS).is_some() {
        shown.push('…');
    }
    let id = message.message_id.as_deref().unwrap_or_default();
    format!("  {}  {id}  {shown}", sent_at(message).unwrap_or_default())
}

fn shown(message: &Message) -> Value {
    json!({
        "message_id": message.message_id,
        "sent_at": sent_at(message),
        "receives": attribute(message, &MessageSystemAttributeName::ApproximateReceiveCount),
        "body": message.body,
    })
}
