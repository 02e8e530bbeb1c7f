//! What needs the clock or the file of the embedded queue, and what SQS leaves open.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use local::clock::Clock;
use local::queue::{QueueError, QueueService, QueueSettings, Redrive};

use crate::world::{
    Checked, Queue, START, World, body_of, code_of, entry, handle_of, receive_count,
    system_attribute,
};

/// Tells the process that is to be killed where its database is.
const FILE_VARIABLE: &str = "TOPUP_TEST_QUEUE_FILE";

#[tokio::test]
async fn timestamps_are_those_of_the_clock() -> Checked {
    let world = World::embedded(None, Clock::manual(START)).await?;
    let queue = world.queue("clock").await?;
    queue.send("hello").await?;
    world.pass(Duration::from_secs(5)).await;
    let message = queue.receive_one().await?;
    let sent_at = system_attribute(&message, MessageSystemAttributeName::SentTimestamp);
    assert_eq!(sent_at, Some("1800000000000"));
    let first_receive = MessageSystemAttributeName::ApproximateFirstReceiveTimestamp;
    assert_eq!(system_attribute(&message, first_receive), Some("1800000005000"));
    Ok(())
}

#[tokio::test]
async fn a_message_expires_with_its_retention() -> Checked {
    let world = World::embedded(None, Clock::manual(START)).await?;
    let retention = (QueueAttributeName::MessageRetentionPeriod, "60");
    let queue = world.queue_with("expiry", &[retention]).await?;
    queue.send("hello").await?;
    world.pass(Duration::from_secs(59)).await;
    assert_eq!(queue.counts().await?, ["1", "0", "0"]);
    world.pass(Duration::from_secs(1)).await;
    assert_eq!(queue.counts().await?, ["0", "0", "0"]);
    assert!(queue.receive().await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_two_receivers_get_one_message() -> Checked {
    let world = World::embedded(None, Clock::manual(START)).await?;
    let queue = world.queue("crowd").await?;
    for round in 0..8 {
        let mut request = world.client.send_message_batch().queue_url(&queue.url);
        for number in 0..10 {
            request = request.entries(entry(&number.to_string(), &format!("{round}-{number}"))?);
        }
        request.send().await?;
    }
    let receivers: Vec<_> = (0..8)
        .map(|_| {
            let receive = queue.receiving().max_number_of_messages(7);
            tokio::spawn(async move {
                let mut ids = Vec::new();
                loop {
                    let messages = receive.clone().send().await?.messages.unwrap_or_default();
                    if messages.is_empty() {
                        return Ok::<_, aws_sdk_sqs::Error>(ids);
                    }
                    ids.extend(messages.into_iter().filter_map(|message| message.message_id));
                }
            })
        })
        .collect();
    let mut received = Vec::new();
    for receiver in receivers {
        received.extend(receiver.await??);
    }
    assert_eq!(received.len(), 80);
    assert_eq!(received.into_iter().collect::<BTreeSet<_>>().len(), 80);
    Ok(())
}

#[tokio::test]
async fn the_visibility_of_a_deleted_message_cannot_be_changed() -> Checked {
    let world = World::embedded(None, Clock::manual(START)).await?;
    let queue = world.queue("gone").await?;
    queue.send("hello").await?;
    let message = queue.receive_one().await?;
    queue.delete(&message).await?;
    let changed = queue.hiding(handle_of(&message), 5).send().await;
    assert_eq!(code_of(changed), "InvalidParameterValue");
    Ok(())
}

#[tokio::test]
async fn what_is_not_implemented_is_refused() -> Checked {
    let world = World::embedded(None, Clock::manual(START)).await?;
    let queue = world.queue("actions").await?;
    let tags = world.client.list_queue_tags().queue_url(&queue.url).send().await;
    assert_eq!(code_of(tags), "InvalidAction");
    let ordered = queue.sending("hello").message_deduplication_id("once").send().await;
    assert_eq!(code_of(ordered), "MalformedInput");
    Ok(())
}

#[tokio::test]
async fn a_declared_queue_takes_on_new_settings_and_keeps_its_messages() -> Checked {
    let clock = Clock::manual(START);
    let service = QueueService::open(None, clock.clone())?;
    let settings = |name: &str, redrive| QueueSettings {
        name: name.to_owned(),
        visibility_timeout: Duration::from_secs(5),
        retention: Duration::from_secs(600),
        redrive,
    };
    let redrive = Redrive { dead_letter_queue: "dead".to_owned(), max_receive_count: 3 };
    let too_early = service.create_queue(settings("work", Some(redrive.clone())));
    assert!(matches!(too_early, Err(QueueError::InvalidParameterValue(_))));
    service.create_queue(settings("dead", None))?;
    service.create_queue(settings("work", None))?;

    let world = World::serving(service.router(), clock).await?;
    let found = world.client.get_queue_url().queue_name("work").send().await?;
    let url = found.queue_url.ok_or("a queue has an address")?;
    let queue = Queue { client: &world.client, url };
    queue.send("hello").await?;
    service.create_queue(settings("work", Some(redrive)))?;
    assert_eq!(queue.counts().await?, ["1", "0", "0"]);
    let policy = queue.attribute(QueueAttributeName::RedrivePolicy).await?;
    assert!(policy.contains(r#""maxReceiveCount":3"#), "{policy}");
    Ok(())
}

#[tokio::test]
async fn messages_in_flight_come_back_in_their_time_after_a_restart() -> Checked {
    let file = new_file("restart")?;
    let clock = Clock::manual(START);
    let world = World::embedded(Some(&file), clock.clone()).await?;
    let queue = world.queue("kept").await?;
    let in_flight = queue.send("in flight").await?;
    let message = queue.receive_one().await?;
    queue.send("waiting").await?;

    // The first service still has the file open: the second sees only what was written to it.
    let world = World::embedded(Some(&file), clock).await?;
    let queue = world.queue("kept").await?;
    assert_eq!(body_of(&queue.receive_one().await?), "waiting");
    world.pass(Duration::from_secs(30)).await;
    let again = queue.receive().await?;
    let again = again.first().ok_or("the message in flight should be visible")?;
    assert_eq!(again.message_id(), Some(in_flight.as_str()));
    assert_eq!(receive_count(again), Some("2"));
    queue.delete(&message).await?;
    assert_eq!(queue.counts().await?, ["0", "1", "0"]);
    Ok(())
}

#[tokio::test]
async fn no_answered_message_is_lost_when_the_process_is_killed() -> Checked {
    let file = new_file("killed")?;
    let mut sender = Command::new(std::env::current_exe()?)
        .args(["--exact", "embedded::sends_until_it_is_killed", "--ignored", "--nocapture"])
        .env(FILE_VARIABLE, &file)
        .stdout(Stdio::piped())
        .spawn()?;
    let output = sender.stdout.take().ok_or("the output is piped")?;
    let lines = BufReader::new(output).lines().map_while(Result::ok);
    let mut answered = lines.filter_map(|line| Some(line.split_once("answered ")?.1.to_owned()));
    let mut expected: Vec<String> = answered.by_ref().take(50).collect();
    sender.kill()?;
    sender.wait()?;
    expected.extend(answered);
    assert!(expected.len() >= 50);

    let world = World::embedded(Some(&file), Clock::manual(START)).await?;
    let queue = open_queue(&world).await?;
    let mut found = Vec::new();
    loop {
        let messages = queue.receive().await?;
        if messages.is_empty() {
            break;
        }
        found.extend(messages.into_iter().filter_map(|message| message.message_id));
    }
    // One more may have been stored whose answer did not arrive.
    assert!(found.starts_with(&expected) && found.len() <= expected.len() + 1);
    Ok(())
}

#[tokio::test]
#[ignore = "the process that the test above starts and kills"]
async fn sends_until_it_is_killed() -> Checked {
    let Some(file) = std::env::var_os(FILE_VARIABLE) else {
        return Ok(());
    };
    let world = World::embedded(Some(Path::new(&file)), Clock::manual(START)).await?;
    let queue = open_queue(&world).await?;
    loop {
        println!("answered {}", queue.send("hello").await?);
    }
}

/// A queue that two processes know by the same name.
async fn open_queue(world: &World) -> Checked<Queue<'_>> {
    let created = world.client.create_queue().queue_name("shared").send().await?;
    let url = created.queue_url.ok_or("a queue has an address")?;
    Ok(Queue { client: &world.client, url })
}

/// A file for a database, in a folder of its own that cargo's target folder keeps.
fn new_file(name: &str) -> Checked<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("queue-{name}"));
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder.join("queue.db"))
}
