//! Webhooks that are not Stripe's, cannot be read, or are not for this deployment.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tests::{Answer, Fault, World, story};

use super::{padded, visible};

/// Sends a body to the webhook with these signatures.
async fn send(world: &World, body: Vec<u8>, signatures: &[&str]) -> Answer {
    let mut request = Request::post("/v1/webhooks/stripe");
    for signature in signatures {
        request = request.header("stripe-signature", *signature);
    }
    world.send(request.body(Body::from(body)).unwrap()).await
}

/// An event with one value in it changed; null takes it out.
fn with(event: &Value, pointer: &str, value: Value) -> Value {
    let mut event = event.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = event.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Value::Null => drop(parent.remove(name)),
        value => drop(parent.insert(name.to_owned(), value)),
    }
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_fresh_signature_of_the_very_bytes_is_taken() {
    story(async |world| {
        let order = world.order("wallet", "50", "order").await.expect(201);
        let event = world.paid_event(&order, "pi_forged");
        let body = event.to_string().into_bytes();
        let other = with(&event, "/data/object/amount_total", json!(1)).to_string();
        let now = world.clock.now().unix_seconds();
        let good = world.signature(&body, now);
        let code = good.rsplit_once("v1=").unwrap().1;
        let before = visible(world).await;
        for (what, signature) in [
            ("301 s old", world.signature(&body, now - 301)),
            ("301 s ahead", world.signature(&body, now + 302)),
            ("of another body", world.signature(other.as_bytes(), now)),
            ("of another second", good.replace(&now.to_string(), &(now - 1).to_string())),
            ("another code", format!("t={now},v1={}", "0".repeat(64))),
            ("a code cut off", format!("t={now},v1={}", &code[..62])),
            ("no code", format!("t={now}")),
            ("an empty code", format!("t={now},v1=")),
            ("no time", format!("v1={code}")),
            ("a time that is none", format!("t=now,v1={code}")),
            ("an old scheme", format!("t={now},v0={code}")),
            ("no fields", code.to_owned()),
            ("empty", String::new()),
            ("not hexadecimal", format!("t={now},v1={}", "zz".repeat(32))),
        ] {
            let answer = send(world, body.clone(), &[&signature]).await;
            assert_eq!(super::refusal(&answer), "400 invalid_signature", "{what}");
        }
        let unsigned = send(world, body.clone(), &[]).await;
        drop(unsigned.expect_problem(400, "invalid_signature"));
        let spaced = [b" ".as_slice(), &body].concat();
        let spaced = send(world, spaced, &[&good]).await;
        drop(spaced.expect_problem(400, "invalid_signature"));
        assert_eq!(visible(world).await, before);
        assert_eq!(world.findings().await, [""; 0]);

        let taken = send(world, body, &[&good]).await.expect(200);
        assert_eq!(taken.text("outcome"), "credited");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_has_at_most_1_mib() {
    story(async |world| {
        let order = world.order("wallet", "50", "order").await.expect(201);
        let event = world.paid_event(&order, "pi_large").to_string();
        for size in [1024 * 1024 + 1, 2 * 1024 * 1024] {
            let answer = world.deliver_bytes(padded(&event, size).as_bytes()).await;
            drop(answer.expect_problem(413, "body_too_large"));
        }
        world.assert_balances("wallet 0.00").await;
        let size = 1024 * 1024;
        let taken = world.deliver_bytes(padded(&event, size).as_bytes()).await;
        assert_eq!(taken.expect(200).text("outcome"), "credited");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_and_cannot_be_read_ends_as_a_dead_letter() {
    story(async |world| {
        let order = world.order("wallet", "50", "order").await.expect(201);
        let event = world.paid_event(&order, "pi_unread");
        let session =
            |name: &str, value: Value| with(&event, &format!("/data/object/{name}"), value);
        let mark = |name: &str, value: Value| session(&format!("metadata/{name}"), value);
        let unreadable = [
            ("not JSON", b"not JSON".to_vec()),
            ("not UTF-8", b"\xff\xfe".to_vec()),
            ("deep", "[".repeat(20_000).into_bytes()),
        ];
        let events = [
            ("an array", json!([])),
            ("nothing", json!({})),
            ("no type", with(&event, "/type", Value::Null)),
            ("no id", with(&event, "/id", Value::Null)),
            ("a number as id", with(&event, "/id", json!(7))),
            ("no account", mark("account_id", Value::Null)),
            ("no order", mark("order_id", Value::Null)),
            ("a malformed account", mark("account_id", json!("a b"))),
            ("a malformed order", mark("order_id", json!("ord_1"))),
            ("no payment", session("payment_intent", Value::Null)),
            ("no amount", session("amount_total", Value::Null)),
            ("an amount of zero", session("amount_total", json!(0))),
            ("a negative amount", session("amount_total", json!(-5_000))),
            ("an amount as text", session("amount_total", json!("5000"))),
            ("no currency", session("currency", Value::Null)),
            ("an unknown currency", session("currency", json!("zzz"))),
            ("no payment status", session("payment_status", Value::Null)),
            ("nothing to pay", session("payment_status", json!("no_payment_required"))),
        ];
        let events = events.map(|(what, event)| (what, event.to_string().into_bytes()));
        let before = visible(world).await;
        let mut letters = 0;
        for (what, body) in unreadable.into_iter().chain(events) {
            let answer = world.deliver_bytes(&body).await;
            let said = (answer.status, answer.text("outcome"));
            assert_eq!(said, (200, "queued".to_owned()), "{what}");
            letters += 1;
        }
        world.drain().await;
        assert_eq!(world.dead_letters().await, letters);
        assert_eq!(visible(world).await, before);
        assert_eq!(world.findings().await, [""; 0]);

        let taken = world.deliver(&event).await.expect(200);
        assert_eq!(taken.text("outcome"), "credited");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_and_not_be_queued_is_sent_again() {
    story(async |world| {
        world.wires.fail("SendMessage", Fault::ServerError, 100);
        let answer = world.deliver_bytes(b"not JSON").await;
        drop(answer.expect_problem(500, "not_taken"));
        world.wires.heal();
        drop(world.deliver_bytes(b"not JSON").await.expect(200));
        world.drain().await;
        assert_eq!(world.dead_letters().await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_for_this_deployment_is_acknowledged_and_ignored() {
    story(async |world| {
        let order = world.order("wallet", "50", "order").await.expect(201);
        let event = world.paid_event(&order, "pi_elsewhere");
        let stage = "/data/object/metadata/topup_stage";
        let before = visible(world).await;
        for (event, why) in [
            (with(&event, "/type", json!("customer.created")), "other_event"),
            (with(&event, "/type", json!("charge.succeeded")), "other_event"),
            (with(&event, "/type", json!("payment_intent.succeeded")), "other_event"),
            (with(&event, "/type", json!("checkout.session.invented")), "other_event"),
            (with(&event, "/type", json!("")), "other_event"),
            (with(&event, "/livemode", json!(true)), "other_mode"),
            (with(&event, "/livemode", json!("false")), "other_mode"),
            (with(&event, "/livemode", Value::Null), "other_mode"),
            (with(&event, stage, json!("production")), "other_stage"),
            (with(&event, stage, json!("")), "other_stage"),
            (with(&event, stage, Value::Null), "not_ours"),
            (with(&event, stage, json!(1)), "not_ours"),
            (with(&event, "/data/object/metadata", json!({})), "not_ours"),
            (with(&event, "/data/object/metadata", Value::Null), "not_ours"),
            (with(&event, "/data/object", Value::Null), "not_ours"),
            (with(&event, "/data", json!("nothing")), "not_ours"),
        ] {
            let answer = world.deliver(&event).await;
            let said = (answer.status, answer.text("outcome"));
            assert_eq!(said, (200, why.to_owned()), "{event}");
        }
        world.drain().await;
        assert_eq!(world.dead_letters().await, 0);
        assert_eq!(world.findings().await, [""; 0]);
        assert_eq!(visible(world).await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_shape_of_an_event_is_still_understood() {
    story(async |world| {
        let order = world.order("wallet", "50", "order").await.expect(201);
        let mut event = world.paid_event(&order, "pi_expanded");
        event["api_version"] = json!("2031-01-01.future");
        event["invented"] = json!({"nested": [1, null, {"deeper": "value"}]});
        event["data"]["previous_attributes"] = json!(null);
        event["data"]["object"]["invented"] = json!(["value"]);
        event["data"]["object"]["metadata"]["invented"] = json!("value");
        let expanded = json!({"id": "pi_expanded", "object": "payment_intent", "amount": 1});
        event["data"]["object"]["payment_intent"] = expanded;
        let answer = world.deliver(&event).await.expect(200);
        assert_eq!(answer.text("outcome"), "credited");
        assert_eq!(world.look_up(&order).await.text("payment_id"), "pi_expanded");
        world.assert_balances("wallet 50.00").await;
    })
    .await;
}
