//! Faults: what customers see while something that Topup depends on fails, and after it.

mod payment_page;
mod queue;
mod table;

use tests::{Answer, World};

/// As often as anybody asks, until the wires are healed.
const FOR_EVER: usize = usize::MAX;

/// The SDK's own tries of one request.
const TRIES_OF_THE_SDK: usize = 3;

/// Stops the story unless the answer is "try again with the same key, a little later".
#[track_caller]
fn expect_unavailable(answer: Answer) {
    let answer = answer.expect_problem(503, "unavailable");
    assert_eq!(answer.text("retry"), "same_key");
    assert_eq!(answer.header("retry-after"), "2");
}

/// How many entries the customer's journal has, read past the wires.
async fn entries(world: &World) -> usize {
    world.journal("demo").await.1.len()
}

/// The customer's orders, newest first, as `card 50.00 completed`.
pub(super) async fn orders(world: &World) -> Vec<String> {
    let listed = world.get("/v1/orders").await.expect(200).json();
    let word = |order: &serde_json::Value, name: &str| order[name].as_str().unwrap().to_owned();
    let shown = |order| ["method", "amount", "status"].map(|name| word(order, name)).join(" ");
    listed["data"].as_array().unwrap().iter().map(shown).collect()
}
