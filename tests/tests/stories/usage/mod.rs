//! Stories of money that is used: charges, and holds that are captured, released or forgotten; and of
//! what can be looked up of it afterwards.

mod batches;
mod charges;
mod exports;
mod holds;
mod metering;
mod moment;
mod thresholds;

use serde_json::{Value, json};
use tests::{Answer, World};

/// A quarter of an hour, in seconds.
const TIME: u64 = 900;

async fn charge(world: &World, product: &str, amount: &str, key: &str) -> Answer {
    world.post("/v1/charges", key, &json!({"product": product, "amount": amount})).await
}

pub(crate) async fn hold(world: &World, amount: &str, key: &str) -> Answer {
    let body = json!({"product": "sms", "amount": amount, "expires_in": TIME});
    world.post("/v1/holds", key, &body).await
}

async fn capture(world: &World, hold: &Answer, amount: &str, last: bool, key: &str) -> Answer {
    let path = format!("/v1/holds/{}/capture", hold.text("hold_id"));
    world.post(&path, key, &json!({"amount": amount, "final": last})).await
}

async fn release(world: &World, hold: &Answer) -> Answer {
    world.post(&format!("/v1/holds/{}/release", hold.text("hold_id")), "unused", &json!({})).await
}

/// Puts 100.00 into SMS, by card.
pub(crate) async fn with_sms(world: &World) {
    let order = world.order("sms", "100.00", "funds").await.expect(201);
    drop(world.pay(&order, tests::world::GOOD_CARD).await.expect(303));
}

/// What of SMS is available and what is held.
async fn sms(world: &World) -> String {
    let balances = world.get("/v1/balances").await.expect(200).json();
    let products = balances["products"].as_array().unwrap();
    let sms = products.iter().find(|product| product["product"] == "sms").unwrap();
    let text = |name: &str| sms[name].as_str().unwrap();
    format!("{} and {} held", text("available"), text("held"))
}

/// The journal, newest first: `charge chg_…: product:sms -1.00, external:usage 1.00`.
async fn journal(world: &World) -> Vec<String> {
    let entries = world.get("/v1/entries?limit=100").await.expect(200).json();
    let line = |line: &Value| {
        format!("{} {}", line["place"].as_str().unwrap(), line["amount"].as_str().unwrap())
    };
    let entry = |entry: &Value| {
        let lines: Vec<_> = entry["lines"].as_array().unwrap().iter().map(line).collect();
        format!("{}: {}", entry["kind"].as_str().unwrap(), lines.join(", "))
    };
    entries["data"].as_array().unwrap().iter().map(entry).collect()
}

/// Many charges in one request, each `(key, product, amount)`.
async fn charge_all(world: &World, charges: &[(&str, &str, &str)]) -> Answer {
    let charges: Vec<_> = charges
        .iter()
        .map(|(key, product, amount)| json!({"key": key, "product": product, "amount": amount}))
        .collect();
    world.post("/v1/charges/batch", "unused", &json!({"charges": charges})).await
}

/// What became of each charge of a batch: `201`, or `402 insufficient_balance`.
fn outcomes(answer: &Answer) -> Vec<String> {
    let outcome = |one: &Value| match one["problem"]["code"].as_str() {
        Some(code) => format!("{} {code}", one["status"]),
        None => one["status"].to_string(),
    };
    answer.json()["data"].as_array().unwrap().iter().map(outcome).collect()
}
