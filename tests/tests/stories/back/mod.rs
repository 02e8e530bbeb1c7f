//! Stories of money that goes back: refunds, disputes, and what the operator does about the rest.

mod adjustments;
mod comparison;
mod disputes;
mod every_finding;
mod findings;
mod lost_disputes;
mod lost_refunds;
mod refunds;
mod reports;
mod spent;

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Answer, World};

const DAY: Duration = Duration::from_secs(86_400);

/// The operator asks for a refund of an order.
pub(super) async fn refund(world: &World, order: &Answer, amount: &str, key: &str) -> Answer {
    refund_with(world, order, &json!({"amount": amount, "reason": "asked for it"}), key).await
}

/// The operator asks for a refund of an order in these words.
async fn refund_with(world: &World, order: &Answer, body: &Value, key: &str) -> Answer {
    let path = format!("/v1/admin/orders/{}/refunds", order.text("order_id"));
    world.admin_post(&path, key, body).await
}

/// A refund is made in Stripe's dashboard, in cents.
async fn dashboard_refund(world: &World, order: &Answer, cents: u64) -> Value {
    let body = json!({"payment_id": order.text("payment_id"), "amount": cents});
    world.control("refunds", &body).await.expect(200).json()["refund"].clone()
}

/// The bank of the cardholder asks the payment of an order back.
async fn dispute(world: &World, order: &Answer, outcome: &str) -> Value {
    let body = json!({"payment_id": order.text("payment_id"), "outcome": outcome});
    world.control("disputes", &body).await.expect(200).json()["dispute"].clone()
}

/// The provider says of a refund of its that it stands so by now.
async fn becomes(world: &World, refund: &str, status: &str) {
    let body = json!({"status": status});
    drop(world.control(&format!("refunds/{refund}"), &body).await.expect(200));
}

/// The findings that are `open`, or `closed`, newest first.
async fn listed(world: &World, status: &str) -> Vec<Value> {
    let path = format!("/v1/admin/findings?status={status}");
    world.admin_get(&path).await.expect(200).json()["data"].as_array().unwrap().clone()
}

/// Somebody does something about a finding: `resolve`, `credit`, `refund`.
async fn act(world: &World, finding: &Value, what: &str, body: &Value) -> Answer {
    let path = format!("/v1/admin/findings/{}/{what}", finding["finding_id"].as_str().unwrap());
    world.admin_post(&path, "unused", body).await
}

async fn no_webhooks(world: &World) {
    webhooks(world, "drop").await;
}

/// What becomes of the provider's webhooks from now on: `deliver`, `drop`.
async fn webhooks(world: &World, mode: &str) {
    drop(world.control("webhooks", &json!({"mode": mode})).await.expect(200));
}

/// An event that nobody else tells.
fn event(world: &World, kind: &str, object: &Value) -> Value {
    json!({
        "id": "evt_by_hand",
        "object": "event",
        "api_version": "2026-09-30.endive",
        "created": world.clock.now().unix_seconds(),
        "livemode": false,
        "type": kind,
        "data": {"object": object},
    })
}

/// What is set aside in the wallet, and what the customer owes: `held 30.00, debt 0.00`.
async fn aside(world: &World) -> String {
    let balances = world.get("/v1/balances").await.expect(200).json();
    let [held, debt] = [&balances["wallet"]["held"], &balances["debt"]];
    format!("held {}, debt {}", held.as_str().unwrap(), debt.as_str().unwrap())
}

/// The kinds of the customer's entries, oldest first.
async fn kinds(world: &World) -> Vec<&'static str> {
    let (_, entries) = world.journal(&world.customer.account).await;
    entries.iter().map(|entry| entry.kind.name()).collect()
}
