//! The payment provider fails while a payment page is made or closed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tests::world::GOOD_CARD;
use tests::{Answer, Fault, World, story};

use super::{expect_unavailable, orders};

const MAKE_PAGE: &str = "POST /v1/checkout/sessions";

/// How often Stripe is called for one request.
const CALLS: usize = 3;

/// The calls for a page that arrived, each as attempt and status: `1: 500, 2: 200`.
///
/// One key has one set of parameters, for ever: Stripe refuses anything else with 400.
async fn attempts(world: &World) -> String {
    let mut parameters: BTreeMap<String, Value> = BTreeMap::new();
    let mut shown = Vec::new();
    for made in world.provider_requests(MAKE_PAGE).await {
        if made["path"] != "/v1/checkout/sessions" {
            continue;
        }
        let key = made["idempotency_key"].as_str().expect("a key").to_owned();
        assert_ne!(made["status"], 400, "{made}");
        let first = parameters.entry(key.clone()).or_insert_with(|| made["params"].clone());
        assert_eq!(*first, made["params"], "one key, one set of parameters");
        let (order, attempt) = key.split_once(':').expect("<order id>:<attempt>");
        assert_eq!(made["params"]["client_reference_id"], order);
        shown.push(format!("{attempt}: {}", made["status"]));
    }
    shown.join(", ")
}

async fn next_calls(world: &World, kind: &str, times: usize) {
    let next = vec![json!({"kind": kind}); times];
    drop(world.control("faults", &json!({"next": next})).await.expect(200));
}

async fn order(world: &World) -> Answer {
    world.order("wallet", "50", "order").await
}

/// The same key again: the same order, now with the page that pays it.
async fn order_again(world: &World) -> Answer {
    let order = order(world).await.expect(200);
    assert!(order.is_replay());
    assert_eq!(order.text("status"), "pending_payment");
    assert_ne!(order.text("checkout_url"), "");
    order
}

/// The order exists and can be paid once it has a page.
async fn expect_open_order_without_page(world: &World) {
    let listed = world.get("/v1/orders").await.expect(200).json();
    assert_eq!(orders(world).await, ["card 50.00 pending_payment"]);
    assert_eq!(listed["data"][0]["checkout_url"], Value::Null);
}

/// The event by which Stripe says that a page closed unpaid.
fn closed_event(world: &World, order: &Answer, session: &str) -> Value {
    let mut event = world.paid_event(order, "pi_none");
    event["type"] = json!("checkout.session.expired");
    let page = &mut event["data"]["object"];
    (page["id"], page["payment_intent"]) = (json!(session), Value::Null);
    (page["status"], page["payment_status"]) = (json!("expired"), json!("unpaid"));
    event
}

async fn expect_to_pay(world: &World, order: &Answer) {
    drop(world.pay(order, GOOD_CARD).await.expect(303));
    world.assert_balances("wallet 50.00").await;
    assert_eq!(orders(world).await, ["card 50.00 completed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_made_at_the_last_call_is_shown_at_once() {
    story(async |world| {
        world.wires.fail(MAKE_PAGE, Fault::LostBefore, CALLS - 1);
        let order = order(world).await.expect(201);
        assert_eq!(attempts(world).await, "1: 200");
        expect_to_pay(world, &order).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_leaves_an_order_that_the_same_key_completes() {
    story(async |world| {
        world.wires.fail(MAKE_PAGE, Fault::LostBefore, CALLS);
        expect_unavailable(order(world).await);
        assert_eq!(attempts(world).await, "");
        expect_open_order_without_page(world).await;
        let order = order_again(world).await;
        assert_eq!(attempts(world).await, "1: 200", "silence costs no attempt");
        expect_to_pay(world, &order).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_500_that_stripe_would_repeat_for_ever_costs_an_attempt() {
    for kind in ["error_500", "error_after"] {
        story(async |world| {
            next_calls(world, kind, 1).await;
            let order = order(world).await.expect(201);
            assert_eq!(attempts(world).await, "1: 500, 2: 200");
            expect_to_pay(world, &order).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_500s_leave_an_order_that_the_same_key_completes_with_the_next_attempt() {
    story(async |world| {
        next_calls(world, "error_500", CALLS).await;
        expect_unavailable(order(world).await);
        assert_eq!(attempts(world).await, "1: 500, 2: 500, 3: 500");
        expect_open_order_without_page(world).await;
        let order = order_again(world).await;
        assert_eq!(attempts(world).await, "1: 500, 2: 500, 3: 500, 4: 200");
        expect_to_pay(world, &order).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_answer_was_lost_is_asked_for_again_and_is_the_same_page() {
    story(async |world| {
        next_calls(world, "lost_response", 1).await;
        let order = order(world).await.expect(201);
        assert_eq!(attempts(world).await, "1: 200, 1: 200");
        expect_to_pay(world, &order).await;
    })
    .await;
    story(async |world| {
        next_calls(world, "lost_response", CALLS).await;
        expect_unavailable(order(world).await);
        expect_open_order_without_page(world).await;
        let order = order_again(world).await;
        assert_eq!(attempts(world).await, "1: 200, 1: 200, 1: 200, 1: 200");
        let again = order_again(world).await;
        assert_eq!(order.text("checkout_url"), again.text("checkout_url"));
        assert_eq!(world.provider_calls(MAKE_PAGE).await, 4, "a page that is there is kept");
        expect_to_pay(world, &order).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_takes_no_more_calls_is_asked_again_with_the_same_attempt() {
    story(async |world| {
        next_calls(world, "rate_limited", CALLS - 1).await;
        let order = order(world).await.expect(201);
        assert_eq!(attempts(world).await, "1: 429, 1: 429, 1: 200");
        expect_to_pay(world, &order).await;
    })
    .await;
    story(async |world| {
        next_calls(world, "rate_limited", CALLS).await;
        expect_unavailable(order(world).await);
        let order = order_again(world).await;
        assert_eq!(attempts(world).await, "1: 429, 1: 429, 1: 429, 1: 200");
        expect_to_pay(world, &order).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_tab_that_orders_while_stripe_is_slow_makes_no_second_page() {
    let world = Arc::new(World::start().await);
    next_calls(&world, "slow", 1).await;
    let first = tokio::spawn({
        let world = Arc::clone(&world);
        async move { order(&world).await }
    });
    while world.wires.exchanges().iter().all(|made| made.operation != "TransactWriteItems") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    // Stripe answers 409 while the first call with a key is under way.
    expect_unavailable(order(&world).await);
    let first = first.await.unwrap().expect(201);
    let second = order_again(&world).await;
    assert_eq!(first.text("checkout_url"), second.text("checkout_url"));
    assert_eq!(attempts(&world).await, "1: 409, 1: 409, 1: 409, 1: 200");
    expect_to_pay(&world, &second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_page_would_close_too_soon_gets_new_parameters_and_a_later_end() {
    story(async |world| {
        world.wires.fail(MAKE_PAGE, Fault::LostBefore, CALLS);
        expect_unavailable(order(world).await);
        let before = world.get("/v1/orders").await.expect(200).json()["data"][0].clone();
        world.clock.advance(Duration::from_secs(23 * 3_600 + 25 * 60));
        let order = order_again(world).await;
        assert_eq!(attempts(world).await, "2: 200");
        assert!(order.text("expires_at").as_str() > before["expires_at"].as_str().unwrap());
        assert_eq!(order.text("created_at"), before["created_at"].as_str().unwrap());
        expect_to_pay(world, &order).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphan_page_that_closes_does_not_close_the_order_that_has_another_page() {
    story(async |world| {
        next_calls(world, "lost_response", CALLS).await;
        expect_unavailable(order(world).await);
        world.clock.advance(Duration::from_secs(23 * 3_600 + 25 * 60));
        let order = order_again(world).await;
        assert_eq!(attempts(world).await, "1: 200, 1: 200, 1: 200, 2: 200");
        // The page of the first attempt, which nobody ever saw, closes, and Stripe says so.
        drop(world.deliver(&closed_event(world, &order, "cs_test_orphan")).await.expect(200));
        assert_eq!(world.look_up(&order).await.text("status"), "pending_payment");
        expect_to_pay(world, &order).await;
        assert_eq!(world.look_up(&order).await.json()["late"], false);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_that_is_shown_closes_its_order() {
    story(async |world| {
        let order = order(world).await.expect(201);
        let page = order.session();
        let closed = world.deliver(&closed_event(world, &order, &page)).await.expect(200);
        assert_eq!(closed.text("outcome"), "recorded");
        let expired = world.look_up(&order).await;
        assert_eq!(expired.text("status"), "expired");
        assert_eq!(expired.json()["checkout_url"], Value::Null);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_that_cannot_close_the_page_is_continued_by_the_next_one() {
    for (kind, status) in [("error_500", 500), ("lost_response", 200), ("rate_limited", 429)] {
        story(async |world| {
            drop(world.control("webhooks", &json!({"mode": "drop"})).await.expect(200));
            let order = order(world).await.expect(201);
            next_calls(world, kind, 1).await;
            expect_unavailable(world.cancel(&order.text("order_id")).await);
            let closing = format!("{MAKE_PAGE}/");
            assert_eq!(world.provider_requests(&closing).await[0]["status"], status);
            // The wish is stored: no page is shown any more, and none is made.
            let wished = world.look_up(&order).await;
            assert_eq!(wished.text("status"), "pending_payment");
            assert_eq!(wished.json()["checkout_url"], Value::Null);
            let cancelled = world.cancel(&order.text("order_id")).await.expect(200);
            assert_eq!(cancelled.text("status"), "cancelled");
            drop(world.pay(&order, GOOD_CARD).await.expect(410));
            world.assert_balances("wallet 0.00").await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_to_be_cancelled_gets_no_page_any_more() {
    story(async |world| {
        world.wires.fail(MAKE_PAGE, Fault::LostBefore, CALLS);
        expect_unavailable(order(world).await);
        let listed = world.get("/v1/orders").await.expect(200).json();
        let id = listed["data"][0]["order_id"].as_str().unwrap();
        drop(world.cancel(id).await.expect(200));
        let again = order(world).await.expect(200);
        assert_eq!(again.text("status"), "cancelled");
        assert_eq!(again.json()["checkout_url"], Value::Null);
        assert_eq!(attempts(world).await, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_puts_a_payment_that_had_no_place_into_its_order() {
    story(async |world| {
        drop(world.control("webhooks", &json!({"mode": "drop"})).await.expect(200));
        let order = order(world).await.expect(201);
        let session = order.session();
        let pay = json!({"card_number": GOOD_CARD});
        let paid = world.control(&format!("sessions/{session}/pay"), &pay).await.expect(200);
        let payment = paid.json()["session"]["payment_intent"].as_str().unwrap().to_owned();
        // It was told of with an order that nobody made.
        let mut event = world.paid_event(&order, &payment);
        event["data"]["object"]["metadata"]["order_id"] = json!("ord_00000000000000000000");
        drop(world.deliver(&event).await.expect(200));
        let findings = async |status: &str| {
            let path = format!("/v1/admin/findings?status={status}");
            let found = world.admin_get(&path).await.expect(200).json();
            found["data"].as_array().unwrap().clone()
        };
        assert_eq!(findings("open").await[0]["type"], "unknown_order");
        let refused = world.cancel(&order.text("order_id")).await;
        drop(refused.expect_problem(409, "order_not_cancellable"));
        world.assert_balances("wallet 50.00").await;
        assert_eq!(findings("open").await, [Value::Null; 0]);
        assert_eq!(findings("closed").await[0]["closed_how"], "cured");
    })
    .await;
}
