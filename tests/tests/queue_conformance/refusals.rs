//! What SQS refuses, and how it says so.

use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
};

use crate::world::{Checked, MEBIBYTE, World, body_of, code_of, entry, handle_of};

#[tokio::test]
async fn an_unknown_queue_is_refused() -> Checked {
    let world = World::start().await?;
    let mut queue = world.queue("known").await?;
    queue.url.push_str("-not");
    let nowhere = "AWS.SimpleQueueService.NonExistentQueue";
    let sent = queue.sending("hello").send().await;
    let is_typed = sent.as_ref().is_err_and(|error| {
        error.as_service_error().is_some_and(|error| error.is_queue_does_not_exist())
    });
    assert!(is_typed, "the SDK should know the error");
    assert_eq!(code_of(sent), nowhere);
    assert_eq!(code_of(queue.receiving().send().await), nowhere);
    assert_eq!(code_of(queue.deleting("x").send().await), nowhere);
    assert_eq!(code_of(world.client.get_queue_url().queue_name("none").send().await), nowhere);
    Ok(())
}

#[tokio::test]
async fn a_handle_of_another_queue_or_none_is_refused() -> Checked {
    let world = World::start().await?;
    let (queue, other) = (world.queue("handles").await?, world.queue("other-handles").await?);
    queue.send("hello").await?;
    let message = queue.receive_one().await?;
    let refused = "ReceiptHandleIsInvalid";
    assert_eq!(code_of(other.deleting(handle_of(&message)).send().await), refused);
    assert_eq!(code_of(queue.deleting("fake").send().await), refused);
    assert_eq!(code_of(queue.hiding("fake", 1).send().await), refused);
    assert_eq!(queue.counts().await?, ["0", "1", "0"]);
    Ok(())
}

#[tokio::test]
async fn the_visibility_of_a_visible_message_cannot_be_changed() -> Checked {
    let world = World::start().await?;
    let queue = world.queue("visible").await?;
    queue.send("hello").await?;
    let message = queue.receive_one().await?;
    queue.hiding(handle_of(&message), 0).send().await?;
    let changed = queue.hiding(handle_of(&message), 5).send().await;
    assert_eq!(code_of(changed), "AWS.SimpleQueueService.MessageNotInflight");
    Ok(())
}

#[tokio::test]
async fn an_empty_message_is_refused() -> Checked {
    let world = World::start().await?;
    let queue = world.queue("empty").await?;
    assert_eq!(code_of(queue.sending("").send().await), "MissingParameter");
    Ok(())
}

#[tokio::test]
async fn characters_that_xml_does_not_have_are_refused() -> Checked {
    let world = World::start().await?;
    let queue = world.queue("characters").await?;
    for body in ["\u{0}", "a\u{1}b", "\u{1f}", "\u{fffe}", "\u{ffff}"] {
        assert_eq!(code_of(queue.sending(body).send().await), "InvalidMessageContents");
    }
    let allowed = "\t\n\r \u{7f}\u{d7ff}\u{e000}\u{fffd}\u{10000}\u{10ffff}";
    queue.send(allowed).await?;
    assert_eq!(body_of(&queue.receive_one().await?), allowed);
    Ok(())
}

#[tokio::test]
async fn a_message_has_at_most_one_mebibyte() -> Checked {
    let world = World::start().await?;
    let queue = world.queue("size").await?;
    let too_long = "x".repeat(MEBIBYTE + 1);
    assert_eq!(code_of(queue.sending(&too_long).send().await), "InvalidParameterValue");
    // Escaping makes a body of quotes larger on the wire, which does not count.
    for character in ["x", "\""] {
        let longest = character.repeat(MEBIBYTE);
        queue.send(&longest).await?;
        assert!(body_of(&queue.receive_one().await?) == longest);
    }
    Ok(())
}

#[tokio::test]
async fn a_number_out_of_its_range_is_refused() -> Checked {
    let world = World::start().await?;
    let queue = world.queue("ranges").await?;
    let refused = "InvalidParameterValue";
    let receive = || queue.receiving();
    assert_eq!(code_of(receive().max_number_of_messages(11).send().await), refused);
    assert_eq!(code_of(receive().max_number_of_messages(0).send().await), refused);
    assert_eq!(code_of(receive().wait_time_seconds(21).send().await), refused);
    assert_eq!(code_of(receive().visibility_timeout(43_201).send().await), refused);
    assert_eq!(code_of(queue.sending("hello").delay_seconds(901).send().await), refused);
    assert_eq!(code_of(queue.sending("hello").delay_seconds(-1).send().await), refused);
    Ok(())
}

#[tokio::test]
async fn a_batch_is_sent_entry_by_entry() -> Checked {
    let world = World::start().await?;
    let queue = world.queue("batch").await?;
    let request = world.client.send_message_batch().queue_url(&queue.url);
    let sent = request
        .entries(entry("good", "one")?)
        .entries(entry("bad", "\u{1}")?)
        .entries(entry("also-good", "two")?)
        .send()
        .await?;
    let successful: Vec<&str> = sent.successful().iter().map(|entry| entry.id()).collect();
    assert_eq!(successful, ["good", "also-good"]);
    assert_eq!(failures(sent.failed()), [("bad", "InvalidMessageContents")]);
    assert_eq!(queue.receive().await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_batch_is_hidden_and_deleted_entry_by_entry() -> Checked {
    let world = World::start().await?;
    let queue = world.queue("batch-handles").await?;
    queue.send("hello").await?;
    let message = queue.receive_one().await?;
    let entries = [("good", handle_of(&message)), ("bad", "no-handle")];

    let mut request = world.client.change_message_visibility_batch().queue_url(&queue.url);
    for (id, handle) in entries {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id);
        request = request.entries(entry.receipt_handle(handle).visibility_timeout(60).build()?);
    }
    let hidden = request.send().await?;
    let successful: Vec<&str> = hidden.successful().iter().map(|entry| entry.id()).collect();
    assert_eq!(successful, ["good"]);
    assert_eq!(failures(hidden.failed()), [("bad", "ReceiptHandleIsInvalid")]);

    let mut request = world.client.delete_message_batch().queue_url(&queue.url);
    for (id, handle) in entries {
        let entry = DeleteMessageBatchRequestEntry::builder().id(id);
        request = request.entries(entry.receipt_handle(handle).build()?);
    }
    let deleted = request.send().await?;
    let successful: Vec<&str> = deleted.successful().iter().map(|entry| entry.id()).collect();
    assert_eq!(successful, ["good"]);
    assert_eq!(failures(deleted.failed()), [("bad", "ReceiptHandleIsInvalid")]);
    assert_eq!(queue.counts().await?, ["0", "0", "0"]);
    Ok(())
}

#[tokio::test]
async fn a_batch_that_breaks_its_limits_is_refused_whole() -> Checked {
    let world = World::start().await?;
    let queue = world.queue("batch-limits").await?;
    let half = "x".repeat(MEBIBYTE / 2 + 1);
    let eleven = (0..11).map(|number| entry(&format!("id-{number}"), "one"));
    let cases = [
        (vec![], "EmptyBatchRequest"),
        (eleven.collect::<Checked<Vec<_>>>()?, "TooManyEntriesInBatchRequest"),
        (vec![entry("same", "one")?, entry("same", "two")?], "BatchEntryIdsNotDistinct"),
        (vec![entry("not an id", "one")?], "InvalidBatchEntryId"),
        (vec![entry("one", &half)?, entry("two", &half)?], "BatchRequestTooLong"),
    ];
    for (entries, code) in cases {
        let request = world.client.send_message_batch().queue_url(&queue.url);
        let outcome = request.set_entries(Some(entries)).send().await;
        assert_eq!(code_of(outcome), format!("AWS.SimpleQueueService.{code}"));
    }
    assert!(queue.receive().await?.is_empty());
    Ok(())
}

fn failures(failed: &[BatchResultErrorEntry]) -> Vec<(&str, &str)> {
    failed.iter().map(|entry| (entry.id(), entry.code())).collect()
}
