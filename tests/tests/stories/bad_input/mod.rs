//! Bad input: each bad request is refused for its own reason and leaves nothing behind.

mod bodies;
mod idempotency;
mod keys;
mod lists;
mod money;
mod orders;
mod paging;
mod payments;
mod webhooks;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tests::{Answer, World};

/// What every refused order of a table has as its idempotency key.
const KEY: &str = "used-for-every-bad-request";

/// A request that goes wrong: what about it is wrong, the request, and the refusal as
/// [`refusal`] shows it.
type Bad = (String, Request<Body>, &'static str);

/// Everything that the customer can see, without the time.
async fn visible(world: &World) -> Value {
    let mut balances = world.get("/v1/balances").await.expect(200).json();
    balances["as_of"] = Value::Null;
    let orders = world.get("/v1/orders?limit=100").await.expect(200).json();
    let entries = world.get("/v1/entries?limit=100").await.expect(200).json();
    json!([balances, orders["data"], entries["data"]])
}

/// Status, code and field: `422 invalid_amount amount`.
fn refusal(answer: &Answer) -> String {
    let (status, problem) = (answer.status, answer.json());
    let word = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    let shown = format!("{status} {} {}", word("code"), word("field"));
    shown.trim_end().to_owned()
}

/// Sends all of them, and stops the story unless each is refused as it says and leaves nothing.
async fn assert_refused(world: &World, all: impl IntoIterator<Item = Bad>) {
    let before = visible(world).await;
    let mut wrong = Vec::new();
    for (what, request, expected) in all {
        let answer = world.send(request).await;
        if refusal(&answer) == expected {
            let (status, code) = (answer.status, answer.text("code"));
            drop(answer.expect_problem(status, &code));
        } else {
            let body = String::from_utf8_lossy(&answer.body);
            wrong.push(format!("{what}: {}, not {expected}: {body}", answer.status));
        }
        if visible(world).await != before {
            wrong.push(format!("{what}: leaves something behind"));
            break;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Refused orders, all with one idempotency key, which a good order can use afterwards.
async fn assert_orders_refused(world: &World, all: Vec<(String, Value, &'static str)>) {
    let all = all.into_iter().map(|(what, body, expected)| {
        let request = post(world, "/v1/orders", KEY, body.to_string());
        (what, request, expected)
    });
    assert_refused(world, all).await;
    drop(world.order("wallet", "100", KEY).await.expect(201));
}

/// The same for transfers, of a wallet that has money.
async fn assert_transfers_refused(world: &World, all: Vec<(String, Value, &'static str)>) {
    let all = all.into_iter().map(|(what, body, expected)| {
        let request = post(world, "/v1/transfers", KEY, body.to_string());
        (what, request, expected)
    });
    assert_refused(world, all).await;
    drop(world.transfer("sms", "1", KEY).await.expect(201));
}

/// A request of the story's customer that makes something.
fn post(world: &World, path: &str, key: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path)
        .header("authorization", format!("Bearer {}", world.customer.key))
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .body(body.into())
        .unwrap()
}

/// A good card order with some of its fields changed; null takes a field out.
fn order_with(changes: Value) -> Value {
    changed(json!({"target": "wallet", "method": "card", "amount": "100.00"}), changes)
}

fn changed(good: Value, changes: Value) -> Value {
    let (Value::Object(mut fields), Value::Object(changes)) = (good, changes) else {
        panic!("objects")
    };
    for (name, value) in changes {
        match value {
            Value::Null => drop(fields.remove(&name)),
            value => drop(fields.insert(name, value)),
        }
    }
    Value::Object(fields)
}

/// A text of this many bytes that means the same to who reads JSON.
fn padded(text: &str, size: usize) -> String {
    format!("{text}{}", " ".repeat(size - text.len()))
}
