//! The confirmation queue: what it takes over from the table, and what it cannot read.

use std::time::Duration;

use serde_json::{Value, json};
use tests::wire::Exchange;
use tests::{Answer, Fault, World, story};
use tokio::task::JoinSet;

use super::{FOR_EVER, TRIES_OF_THE_SDK, entries, orders};

async fn deliver(world: &World, order: &Answer, payment: &str) -> Answer {
    world.deliver(&world.paid_event(order, payment)).await
}

async fn expect_one_credit(world: &World) {
    world.assert_balances("wallet 100.00").await;
    assert_eq!(entries(world).await, 1);
    assert_eq!(orders(world).await, ["card 100.00 completed"]);
    assert_eq!(world.findings().await, [""; 0]);
    assert_eq!(world.dead_letters().await, 0);
    world.audit().await;
}

async fn is_queued_and_credited_later(operation: &'static str, fault: Fault) {
    let world = World::start().await;
    let order = world.order("wallet", "100", "order").await.expect(201);
    world.wires.fail(operation, fault, FOR_EVER);
    let answer = deliver(&world, &order, "pi_queued").await.expect(200);
    assert_eq!(answer.text("outcome"), "queued", "{operation} {fault:?}");
    let took_effect = usize::from(fault == Fault::LostAfter && operation == "TransactWriteItems");
    assert_eq!(entries(&world).await, took_effect, "{operation} {fault:?}");
    world.wires.heal();
    world.drain().await;
    expect_one_credit(&world).await;
    let again = deliver(&world, &order, "pi_queued").await.expect(200);
    assert_eq!(again.text("outcome"), "already_credited");
    expect_one_credit(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_the_table_does_not_take_is_queued_and_credited_later() {
    let mut stories = JoinSet::new();
    for operation in ["BatchGetItem", "TransactWriteItems"] {
        for fault in [Fault::Throttled, Fault::ServerError, Fault::LostBefore, Fault::LostAfter] {
            stories.spawn(is_queued_and_credited_later(operation, fault));
        }
    }
    stories.spawn(is_queued_and_credited_later("BatchGetItem", Fault::Unprocessed));
    assert_eq!(stories.join_all().await.len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_neither_table_nor_queue_takes_is_sent_again_and_credited_once() {
    story(async |world| {
        let order = world.order("wallet", "100", "order").await.expect(201);
        world.wires.fail("TransactWriteItems", Fault::ServerError, FOR_EVER);
        world.wires.fail("SendMessage", Fault::ServerError, FOR_EVER);
        let refused = deliver(world, &order, "pi_refused").await;
        drop(refused.expect_problem(500, "not_taken"));
        assert_eq!(entries(world).await, 0);
        world.wires.heal();
        let taken = deliver(world, &order, "pi_refused").await.expect(200);
        assert_eq!(taken.text("outcome"), "credited");
        world.drain().await;
        expect_one_credit(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_is_queued_and_also_sent_again_is_credited_once() {
    story(async |world| {
        let order = world.order("wallet", "100", "order").await.expect(201);
        world.wires.fail("TransactWriteItems", Fault::Throttled, FOR_EVER);
        world.wires.fail("SendMessage", Fault::LostAfter, TRIES_OF_THE_SDK);
        // The queue took it, three times, but nobody knows.
        let refused = deliver(world, &order, "pi_twice").await;
        drop(refused.expect_problem(500, "not_taken"));
        world.wires.heal();
        drop(deliver(world, &order, "pi_twice").await.expect(200));
        world.drain().await;
        expect_one_credit(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_message_that_stays_in_the_queue_comes_again_and_credits_nothing() {
    story(async |world| {
        let order = world.order("wallet", "100", "order").await.expect(201);
        world.wires.fail("TransactWriteItems", Fault::ServerError, TRIES_OF_THE_SDK);
        world.wires.fail("DeleteMessage", Fault::LostBefore, TRIES_OF_THE_SDK);
        let queued = deliver(world, &order, "pi_stays").await.expect(200);
        assert_eq!(queued.text("outcome"), "queued");
        world.drain().await;
        let exchanges = world.wires.exchanges();
        let deletions = exchanges.iter().filter(|made| made.operation == "DeleteMessage");
        assert_eq!(deletions.count(), TRIES_OF_THE_SDK + 1);
        expect_one_credit(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_message_ends_in_the_dead_letter_queue_and_harms_none_beside_it() {
    story(async |world| {
        let first = world.order("wallet", "60", "first").await.expect(201);
        let second = world.order("sms", "40", "second").await.expect(201);
        stop_the_poller(world).await;
        for (order, payment) in [(&first, "pi_first"), (&second, "pi_second")] {
            let wires = &world.wires;
            wires.fail("TransactWriteItems", Fault::ServerError, TRIES_OF_THE_SDK);
            let queued = deliver(world, order, payment).await.expect(200);
            assert_eq!(queued.text("outcome"), "queued");
            world.enqueue("{\"id\":\"evt\",\"what\":{\"kind\":\"paid\"}}").await;
        }
        assert_eq!(entries(world).await, 0);
        // The next poll takes all of them in one batch.
        world.wires.heal();
        world.drain().await;
        world.assert_balances("wallet 60.00, sms 40.00").await;
        assert_eq!(entries(world).await, 2);
        assert_eq!(world.dead_letters().await, 3);
        assert_eq!(world.findings().await, [""; 0]);
    })
    .await;
}

/// Lets the queue's poller fail from now on. The poll that is under way takes the message that is
/// put there for it; only the next one fails.
async fn stop_the_poller(world: &World) {
    world.wires.forget();
    world.wires.fail("ReceiveMessage", Fault::ServerError, FOR_EVER);
    world.enqueue("not a notice").await;
    let stopped = |made: &Exchange| made.operation == "ReceiveMessage" && made.status == 500;
    while !world.wires.exchanges().iter().any(stopped) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_of_ours_that_cannot_be_read_waits_for_a_person() {
    story(async |world| {
        let order = world.order("wallet", "100", "order").await.expect(201);
        let mut event = world.paid_event(&order, "pi_odd");
        event["data"]["object"]["amount_total"] = Value::Null;
        world.wires.fail("SendMessage", Fault::ServerError, FOR_EVER);
        drop(world.deliver(&event).await.expect_problem(500, "not_taken"));
        world.wires.heal();
        let queued = world.deliver(&event).await.expect(200);
        assert_eq!(queued.json(), json!({"received": true, "outcome": "queued"}));
        world.drain().await;
        assert_eq!(world.dead_letters().await, 1);
        assert_eq!(entries(world).await, 0);
    })
    .await;
}
