//! The process is killed between any two of its steps, and the customer or Stripe tries again.
//!
//! Every use case is run once untouched, which tells its steps and its result. Then, in a fresh
//! world for each step, the request of that step is lost on its way there or on its way back and
//! nothing that comes after it arrives; the wires heal, the same request comes again, and the
//! result must be the one of the untouched run.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::wire::is_of_poller;
use tests::world::GOOD_CARD;
use tests::{Answer, Fault, World};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::FOR_EVER;

/// Worlds at a time; they mostly wait for the pauses between the tries of the SDK.
const AT_ONCE: usize = 16;

/// Steps of all use cases, twice: each is lost there and lost back.
const MEASURED_CELLS: usize = 70;

const USE_CASES: [UseCase; 8] = [
    UseCase::CreateOrder,
    UseCase::CreateOrderAfterSilence,
    UseCase::Webhook,
    UseCase::WebhookOfDecline,
    UseCase::WebhookIntoQueue,
    UseCase::Transfer,
    UseCase::Cancel,
    UseCase::CancelOfPaidOrder,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UseCase {
    CreateOrder,
    /// The order exists; its page could not be made.
    CreateOrderAfterSilence,
    Webhook,
    WebhookOfDecline,
    /// The table cannot be read, so that the payment goes to the queue.
    WebhookIntoQueue,
    /// It empties the wallet.
    Transfer,
    Cancel,
    /// The order was paid, and no webhook told so.
    CancelOfPaidOrder,
}

impl UseCase {
    /// What was there before; the order that the use case is about, if there is one.
    async fn prepare(self, world: &World) -> Option<Answer> {
        if self == Self::Transfer {
            drop(world.top_up("50", "funds").await);
        }
        // Only the story's own requests are to be on the wires.
        drop(world.control("webhooks", &json!({"mode": "drop"})).await.expect(200));
        match self {
            Self::CreateOrder | Self::Transfer => None,
            Self::CreateOrderAfterSilence => {
                world.wires.fail("POST /v1/checkout", Fault::LostBefore, FOR_EVER);
                drop(world.order("wallet", "50", "killed").await.expect(503));
                world.wires.heal();
                None
            }
            Self::Webhook | Self::WebhookOfDecline | Self::WebhookIntoQueue | Self::Cancel => {
                Some(world.order("wallet", "50", "order").await.expect(201))
            }
            Self::CancelOfPaidOrder => {
                let order = world.order("wallet", "50", "order").await.expect(201);
                drop(world.pay(&order, GOOD_CARD).await.expect(303));
                Some(order)
            }
        }
    }

    /// One request of the customer or of Stripe.
    async fn run(self, world: &World, order: Option<&Answer>) -> Answer {
        match (self, order) {
            (Self::CreateOrder | Self::CreateOrderAfterSilence, _) => {
                world.order("wallet", "50", "killed").await
            }
            (Self::Transfer, _) => world.transfer("sms", "50", "killed").await,
            (Self::Webhook | Self::WebhookIntoQueue, Some(order)) => {
                world.deliver(&world.paid_event(order, "pi_killed")).await
            }
            (Self::WebhookOfDecline, Some(order)) => {
                world.deliver(&declined_event(world, order)).await
            }
            (_, order) => world.cancel(&order.expect("an order").text("order_id")).await,
        }
    }

    /// Whether this is how the use case is answered, now or again.
    fn succeeds_with(self, answer: &Answer) -> bool {
        match self {
            Self::CancelOfPaidOrder => answer.text("code") == "order_not_cancellable",
            Self::CreateOrder | Self::Transfer => {
                [200, 201].contains(&answer.status) && answer.is_replay() == (answer.status == 200)
            }
            _ => answer.status == 200,
        }
    }
}

/// The event by which Stripe says that a card was refused.
fn declined_event(world: &World, order: &Answer) -> Value {
    let mut event = world.paid_event(order, "pi_declined");
    event["type"] = json!("payment_intent.payment_failed");
    event["data"]["object"]["id"] = json!("pi_declined");
    event["data"]["object"]["last_payment_error"] = json!({"decline_code": "generic_decline"});
    event
}

/// Everything that a customer can see, and what the provider was asked for.
async fn result(world: &World) -> Value {
    let mut seen = json!({
        "balances": world.get("/v1/balances").await.expect(200).json(),
        "orders": world.get("/v1/orders").await.expect(200).json()["data"],
        "entries": world.get("/v1/entries").await.expect(200).json()["data"],
        "findings": world.findings().await,
        "dead_letters": world.dead_letters().await,
    });
    without_chance(&mut seen);
    let made = world.provider_requests("POST /v1/checkout/sessions").await;
    let mut keys: Vec<_> = made.iter().map(|made| made["idempotency_key"].clone()).collect();
    keys.retain(Value::is_string);
    keys.sort_by_key(Value::to_string);
    keys.dedup();
    seen["attempts"] = json!(keys);
    seen
}

/// Replaces what differs between any two runs: times, hashes, and ids that others gave.
fn without_chance(value: &mut Value) {
    let chance = |name: &str| {
        let names = ["at", "as_of", "hash", "previous_hash", "checkout_url", "payment_id"];
        names.contains(&name) || name.ends_with("_at")
    };
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match chance(name) && value.is_string() {
                    true => *value = json!("is there"),
                    false => without_chance(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_chance),
        _ => {}
    }
}

/// Breaks what the use case finds broken before it begins.
fn break_first(use_case: UseCase, world: &World) {
    if use_case == UseCase::WebhookIntoQueue {
        world.wires.fail("BatchGetItem", Fault::ServerError, FOR_EVER);
    }
}

/// The untouched run: how many requests it makes, and its result.
async fn untouched(use_case: UseCase) -> (usize, Value) {
    let world = World::start().await;
    let order = use_case.prepare(&world).await;
    break_first(use_case, &world);
    world.wires.forget();
    let answer = use_case.run(&world, order.as_ref()).await;
    assert!(use_case.succeeds_with(&answer), "{use_case:?}: {answer:?}");
    let exchanges = world.wires.exchanges();
    let steps = exchanges.iter().filter(|made| !is_of_poller(&made.operation)).count();
    world.wires.heal();
    world.drain().await;
    (steps, result(&world).await)
}

/// One cell: killed at this step in this way, and tried again.
async fn killed(use_case: UseCase, step: usize, fault: Fault, expected: &Value) {
    let cell = format!("{use_case:?}, killed at step {step}, {fault:?}");
    let world = World::start().await;
    let order = use_case.prepare(&world).await;
    break_first(use_case, &world);
    world.wires.kill_at(step, fault);
    let died = use_case.run(&world, order.as_ref()).await;
    assert!(died.status >= 500, "{cell}: {died:?}");
    world.wires.heal();
    let answer = use_case.run(&world, order.as_ref()).await;
    assert!(use_case.succeeds_with(&answer), "{cell}: {answer:?}");
    world.drain().await;
    assert_eq!(result(&world).await, *expected, "{cell}");
    let once_more = use_case.run(&world, order.as_ref()).await;
    assert!(use_case.succeeds_with(&once_more), "{cell}: {once_more:?}");
    assert_eq!(result(&world).await, *expected, "{cell}, and once more");
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_between_any_two_steps_leaves_nothing_that_the_next_try_does_not_finish() {
    let began = tokio::time::Instant::now();
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    let mut cells = JoinSet::new();
    let mut untouched_runs = JoinSet::new();
    for use_case in USE_CASES {
        untouched_runs.spawn(async move { (use_case, untouched(use_case).await) });
    }
    for (use_case, (steps, expected)) in untouched_runs.join_all().await {
        println!("{use_case:?}: {steps} steps");
        let expected = Arc::new(expected);
        for step in 0..steps {
            for fault in [Fault::LostBefore, Fault::LostAfter] {
                let (at_once, expected) = (Arc::clone(&at_once), Arc::clone(&expected));
                cells.spawn(async move {
                    let _turn = at_once.acquire().await.unwrap();
                    killed(use_case, step, fault, &expected).await;
                });
            }
        }
    }
    let covered = cells.join_all().await.len();
    println!("{covered} cells of use case, step and fault in {:?}", began.elapsed());
    assert!(covered >= MEASURED_CELLS);
}
