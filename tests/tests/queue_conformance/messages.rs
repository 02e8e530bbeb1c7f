//! The life of a message: sent, received, out of sight, received again, deleted or moved away.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName};

use crate::world::{Checked, World, body_of, code_of, handle_of, receive_count, system_attribute};

/// A little more than the visibility timeout of a second that these queues have.
const PAST_ONE_SECOND: Duration = Duration::from_millis(1_200);
const ONE_SECOND: (QueueAttributeName, &str) = (QueueAttributeName::VisibilityTimeout, "1");

#[tokio::test]
async fn a_message_is_sent_received_and_deleted() -> Checked {
    let world = World::start().await?;
    let queue = world.queue("plain").await?;
    let sent = queue.sending("hello").send().await?;
    let digest = "5d41402abc4b2a76b9719d911017c592";
    assert_eq!(sent.md5_of_message_body(), Some(digest));
    assert_eq!(sent.md5_of_message_attributes(), None);

    let message = queue.receive_one().await?;
    assert_eq!(body_of(&message), "hello");
    assert_eq!(message.message_id(), sent.message_id());
    assert_eq!(message.md5_of_body(), Some(digest));
    assert_eq!(receive_count(&message), Some("1"));
    assert_eq!(queue.counts().await?, ["0", "1", "0"]);

    queue.delete(&message).await?;
    queue.delete(&message).await?;
    assert_eq!(queue.counts().await?, ["0", "0", "0"]);
    Ok(())
}

#[tokio::test]
async fn attributes_and_the_group_come_back_when_asked_for() -> Checked {
    let world = World::start().await?;
    let queue = world.queue_with("attributes", &[]).await?;
    let text = MessageAttributeValue::builder().data_type("String").string_value("x");
    let bytes = MessageAttributeValue::builder().data_type("Binary").binary_value(Blob::new("x"));
    let request = queue
        .sending("hello")
        .message_attributes("kind", text.clone().build()?)
        .message_attributes("blob", bytes.build()?)
        .message_group_id("account-1");
    let sent = request.send().await?;
    let digest = "5efff992c914424686f8fce2556ad12f";
    assert_eq!(sent.md5_of_message_attributes(), Some(digest));

    let bare = queue.receiving().visibility_timeout(0).send().await?;
    let bare = bare.messages().first().ok_or("a message should be visible")?;
    assert_eq!(bare.attributes().map_or(0, HashMap::len), 0);
    assert_eq!(bare.message_attributes().map_or(0, HashMap::len), 0);

    let message = queue.receive_one().await?;
    let group = system_attribute(&message, MessageSystemAttributeName::MessageGroupId);
    assert_eq!(group, Some("account-1"));
    assert_eq!(message.md5_of_message_attributes(), sent.md5_of_message_attributes());
    let attributes = message.message_attributes().ok_or("the message has attributes")?;
    assert_eq!(attributes.get("kind"), Some(&text.build()?));
    assert_eq!(attributes.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_message_not_deleted_comes_again_with_a_new_handle() -> Checked {
    let world = World::start().await?;
    let queue = world.queue_with("again", &[ONE_SECOND]).await?;
    queue.send("hello").await?;
    let first = queue.receive_one().await?;
    assert!(queue.receive().await?.is_empty());
    world.pass(PAST_ONE_SECOND).await;

    assert_eq!(queue.counts().await?, ["1", "0", "0"]);
    let second = queue.receive_one().await?;
    assert_eq!(second.message_id(), first.message_id());
    assert_ne!(second.receipt_handle(), first.receipt_handle());
    assert_eq!(receive_count(&second), Some("2"));
    let first_receive = |message| {
        system_attribute(message, MessageSystemAttributeName::ApproximateFirstReceiveTimestamp)
    };
    assert!(first_receive(&first).is_some());
    assert_eq!(first_receive(&second), first_receive(&first));
    Ok(())
}

#[tokio::test]
async fn a_stale_handle_still_deletes() -> Checked {
    let world = World::start().await?;
    let queue = world.queue_with("stale", &[ONE_SECOND]).await?;
    queue.send("hello").await?;
    let first = queue.receive_one().await?;
    world.pass(PAST_ONE_SECOND).await;
    queue.receive_one().await?;

    queue.delete(&first).await?;
    assert_eq!(queue.counts().await?, ["0", "0", "0"]);
    Ok(())
}

#[tokio::test]
async fn visibility_can_be_ended_and_extended() -> Checked {
    let world = World::start().await?;
    let queue = world.queue_with("extend", &[ONE_SECOND]).await?;
    queue.send("hello").await?;
    let message = queue.receive_one().await?;
    queue.hiding(handle_of(&message), 0).send().await?;
    let message = queue.receive_one().await?;
    assert_eq!(receive_count(&message), Some("2"));

    queue.hiding(handle_of(&message), 3).send().await?;
    world.pass(PAST_ONE_SECOND).await;
    assert!(queue.receive().await?.is_empty());
    world.pass(Duration::from_secs(2)).await;
    assert_eq!(receive_count(&queue.receive_one().await?), Some("3"));
    Ok(())
}

#[tokio::test]
async fn a_receiver_can_ask_for_another_visibility() -> Checked {
    let world = World::start().await?;
    let queue = world.queue("own-timeout").await?;
    queue.send("hello").await?;
    assert_eq!(queue.receiving().visibility_timeout(1).send().await?.messages().len(), 1);
    assert!(queue.receive().await?.is_empty());
    world.pass(PAST_ONE_SECOND).await;
    queue.receive_one().await?;
    Ok(())
}

#[tokio::test]
async fn a_delayed_message_is_not_received_before_its_time() -> Checked {
    let world = World::start().await?;
    let queue = world.queue("delay").await?;
    queue.sending("later").delay_seconds(1).send().await?;
    assert!(queue.receive().await?.is_empty());
    assert_eq!(queue.counts().await?, ["0", "0", "1"]);

    world.pass(PAST_ONE_SECOND).await;
    assert_eq!(body_of(&queue.receive_one().await?), "later");
    Ok(())
}

#[tokio::test]
async fn a_message_received_too_often_moves_to_the_dead_letter_queue() -> Checked {
    let world = World::start().await?;
    let dead = world.queue("dead").await?;
    let dead_arn = dead.attribute(QueueAttributeName::QueueArn).await?;
    let policy = format!(r#"{{"deadLetterTargetArn":"{dead_arn}","maxReceiveCount":2}}"#);
    let redrive = (QueueAttributeName::RedrivePolicy, policy.as_str());
    let source = world.queue_with("source", &[ONE_SECOND, redrive]).await?;
    assert!(source.attribute(QueueAttributeName::RedrivePolicy).await?.contains(&dead_arn));

    let id = source.send("poison").await?;
    let first = source.receive_one().await?;
    world.pass(PAST_ONE_SECOND).await;
    assert_eq!(receive_count(&source.receive_one().await?), Some("2"));
    assert!(dead.receive().await?.is_empty());
    world.pass(PAST_ONE_SECOND).await;
    assert!(source.receive().await?.is_empty());
    assert_eq!(source.counts().await?, ["0", "0", "0"]);

    let moved = dead.receive_one().await?;
    assert_eq!(moved.message_id(), Some(id.as_str()));
    assert_eq!(body_of(&moved), "poison");
    let sent_at = |message| system_attribute(message, MessageSystemAttributeName::SentTimestamp);
    assert!(sent_at(&first).is_some());
    assert_eq!(sent_at(&moved), sent_at(&first));

    // Whether the source queue now refuses its handle is open; the message it must not touch.
    code_of(source.deleting(handle_of(&first)).send().await);
    assert_eq!(dead.counts().await?, ["0", "1", "0"]);
    Ok(())
}
