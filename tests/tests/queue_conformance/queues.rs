//! Queues as a whole: how they are found, how they are waited on, how they are emptied.

use std::time::{Duration, Instant};

use aws_sdk_sqs::types::QueueAttributeName;

use crate::world::{Checked, World, code_of};

/// How long a poll may wait at most: one that wakes ends before that, however slow the machine is.
const LONGEST_POLL: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_queue_is_created_once_and_found_by_its_name() -> Checked {
    let world = World::start().await?;
    let visibility = QueueAttributeName::VisibilityTimeout;
    let queue = world.queue_with("created", &[(visibility.clone(), "7")]).await?;
    let again = world.queue_with("created", &[(visibility.clone(), "7")]).await?;
    assert_eq!(queue.url, again.url);
    let name = format!("created-{}", std::process::id());
    let other = world.client.create_queue().queue_name(&name).attributes(visibility.clone(), "8");
    assert_eq!(code_of(other.send().await), "QueueAlreadyExists");

    let found = world.client.get_queue_url().queue_name(&name).send().await?;
    assert_eq!(found.queue_url(), Some(queue.url.as_str()));
    let listed = world.client.list_queues().queue_name_prefix(&name).send().await?;
    assert_eq!(listed.queue_urls(), [queue.url.as_str()]);
    assert_eq!(queue.attribute(visibility).await?, "7");
    let retention = QueueAttributeName::MessageRetentionPeriod;
    assert_eq!(queue.attribute(retention).await?, "345600");
    assert!(queue.attribute(QueueAttributeName::QueueArn).await?.ends_with(&name));
    Ok(())
}

#[tokio::test]
async fn a_purged_queue_is_empty() -> Checked {
    let world = World::start().await?;
    let queue = world.queue("purged").await?;
    queue.send("one").await?;
    queue.send("two").await?;
    world.client.purge_queue().queue_url(&queue.url).send().await?;
    assert!(queue.receive().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_long_poll_wakes_when_a_message_arrives() -> Checked {
    let world = World::start().await?;
    let queue = world.queue("poll").await?;
    let started = Instant::now();
    let (received, sent) = tokio::join!(queue.receiving().wait_time_seconds(20).send(), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        queue.send("hello").await
    });
    sent?;
    assert_eq!(received?.messages().len(), 1);
    let waited = started.elapsed();
    assert!(waited >= Duration::from_millis(300) && waited < LONGEST_POLL, "{waited:?}");
    Ok(())
}

#[tokio::test]
async fn a_long_poll_wakes_when_a_delay_ends() -> Checked {
    let world = World::start().await?;
    let queue = world.queue("poll-delay").await?;
    queue.sending("later").delay_seconds(1).send().await?;
    let started = Instant::now();
    let (received, ()) = tokio::join!(queue.receiving().wait_time_seconds(20).send(), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        world.pass(Duration::from_millis(1_100)).await;
    });
    assert_eq!(received?.messages().len(), 1);
    assert!(started.elapsed() < LONGEST_POLL);
    Ok(())
}

#[tokio::test]
async fn a_long_poll_ends_empty_after_its_wait() -> Checked {
    let world = World::start().await?;
    let queue = world.queue("poll-empty").await?;
    let started = Instant::now();
    let received = queue.receiving().wait_time_seconds(1).send().await?;
    assert_eq!(received.messages().len(), 0);
    let waited = started.elapsed();
    assert!(waited >= Duration::from_secs(1) && waited < LONGEST_POLL, "{waited:?}");
    Ok(())
}
