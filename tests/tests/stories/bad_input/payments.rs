//! Payments that do not fit their order.

use serde_json::{Value, json};
use tests::{Answer, World, story};

/// The event of an order, of another type.
fn event_of(world: &World, order: &Answer, kind: &str, payment: &str) -> Value {
    let mut event = world.paid_event(order, payment);
    event["type"] = json!(format!("checkout.session.{kind}"));
    event
}

async fn outcome(world: &World, event: &Value) -> String {
    world.deliver(event).await.expect(200).text("outcome")
}

/// The order's status and why it has it.
async fn status(world: &World, order: &Answer) -> String {
    let order = world.look_up(order).await;
    format!("{} {}", order.text("status"), order.text("status_reason"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_for_an_order_that_there_is_not_is_kept_as_a_finding() {
    story(async |world| {
        let order = world.order("wallet", "50", "order").await.expect(201);
        let mut event = world.paid_event(&order, "pi_nowhere");
        event["data"]["object"]["metadata"]["order_id"] = json!("ord_00000000000000000000");
        for _ in 0..3 {
            assert_eq!(outcome(world, &event).await, "unknown_order");
            assert_eq!(world.findings().await, ["unknown_order"]);
        }
        event["data"]["object"]["metadata"]["account_id"] = json!("nobody");
        event["data"]["object"]["payment_intent"] = json!("pi_nobody");
        assert_eq!(outcome(world, &event).await, "unknown_order");
        assert_eq!(world.findings().await, ["unknown_order"; 2]);
        // What moves no money needs no finding.
        event["type"] = json!("checkout.session.expired");
        assert_eq!(outcome(world, &event).await, "unchanged");
        assert_eq!(world.findings().await, ["unknown_order"; 2]);
        world.assert_balances("wallet 0.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_cannot_be_credited_to_the_order_of_another_account() {
    story(async |world| {
        let order = world.order("wallet", "50", "order").await.expect(201);
        let other = world.new_customer("other").await;
        let mut event = world.paid_event(&order, "pi_crossed");
        event["data"]["object"]["metadata"]["account_id"] = json!("other");
        for _ in 0..2 {
            assert_eq!(outcome(world, &event).await, "unknown_order");
        }
        assert_eq!(world.findings().await, ["unknown_order"]);
        world.assert_balances("wallet 0.00").await;
        let theirs = world.get_as(&other.key, "/v1/balances").await.expect(200).json();
        assert_eq!(theirs["wallet"]["available"], "0.00");
        assert_eq!(world.look_up(&order).await.json(), order.json());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_differs_from_its_order_is_not_credited() {
    story(async |world| {
        let differing = [
            ("amount_total", json!(4_999), "amount_differs"),
            ("amount_total", json!(5_001), "amount_differs"),
            ("amount_total", json!(1), "amount_differs"),
            ("amount_total", json!(9_223_372_036_854_775_807_u64), ""),
            ("currency", json!("eur"), "currency_differs"),
            ("currency", json!("jpy"), "currency_differs"),
        ];
        let mut found = Vec::new();
        for (position, (field, value, kind)) in differing.into_iter().enumerate() {
            let key = format!("order-{position}");
            let order = world.order("wallet", "50", &key).await.expect(201);
            let payment = format!("pi_{position}");
            let mut event = world.paid_event(&order, &payment);
            event["data"]["object"][field] = value.clone();
            if kind.is_empty() {
                // More than there can be: nobody can read that as money.
                assert_eq!(outcome(world, &event).await, "queued", "{value}");
                continue;
            }
            found.push(kind);
            for _ in 0..2 {
                let said = outcome(world, &event).await;
                assert!([kind, "order_in_exception"].contains(&said.as_str()), "{said}");
            }
            assert_eq!(status(world, &order).await, "exception payment_differs", "{value}");
            let refused = world.cancel(&order.text("order_id")).await;
            drop(refused.expect_problem(409, "order_not_cancellable"));
        }
        found.sort_unstable();
        assert_eq!(world.findings().await, found);
        world.assert_balances("wallet 0.00").await;
        assert_eq!(world.journal("demo").await.1.len(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_for_an_order_in_exception_is_kept_as_a_finding() {
    story(async |world| {
        let order = world.order("wallet", "50", "order").await.expect(201);
        let mut event = world.paid_event(&order, "pi_short");
        event["data"]["object"]["amount_total"] = json!(1);
        assert_eq!(outcome(world, &event).await, "amount_differs");
        let right = world.paid_event(&order, "pi_right");
        for _ in 0..2 {
            assert_eq!(outcome(world, &right).await, "order_in_exception");
        }
        let found = world.findings().await;
        assert_eq!(found, ["amount_differs", "order_in_exception"]);
        world.assert_balances("wallet 0.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_takes_days_is_credited_when_it_came() {
    story(async |world| {
        let order = world.order("wallet", "50", "order").await.expect(201);
        let mut unpaid = world.paid_event(&order, "pi_slow");
        unpaid["data"]["object"]["payment_status"] = json!("unpaid");
        assert_eq!(outcome(world, &unpaid).await, "recorded");
        assert_eq!(outcome(world, &unpaid).await, "unchanged");
        assert_eq!(status(world, &order).await, "processing payment_delayed");
        world.assert_balances("wallet 0.00").await;
        let refused = world.cancel(&order.text("order_id")).await;
        drop(refused.expect_problem(409, "order_not_cancellable"));

        let succeeded = event_of(world, &order, "async_payment_succeeded", "pi_slow");
        assert_eq!(outcome(world, &succeeded).await, "credited");
        assert_eq!(outcome(world, &succeeded).await, "already_credited");
        assert_eq!(outcome(world, &unpaid).await, "unchanged");
        assert_eq!(status(world, &order).await, "completed paid");
        world.assert_balances("wallet 50.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_takes_days_and_fails_is_not_credited() {
    story(async |world| {
        let order = world.order("wallet", "50", "order").await.expect(201);
        let mut unpaid = world.paid_event(&order, "pi_slow");
        unpaid["data"]["object"]["payment_status"] = json!("unpaid");
        assert_eq!(outcome(world, &unpaid).await, "recorded");
        let failed = event_of(world, &order, "async_payment_failed", "pi_slow");
        assert_eq!(outcome(world, &failed).await, "recorded");
        assert_eq!(outcome(world, &failed).await, "unchanged");
        assert_eq!(outcome(world, &unpaid).await, "unchanged");
        assert_eq!(status(world, &order).await, "failed payment_failed");
        world.assert_balances("wallet 0.00").await;
        assert_eq!(world.findings().await, [""; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_payment_for_a_completed_order_is_kept_as_a_finding() {
    story(async |world| {
        let order = world.order("wallet", "50", "order").await.expect(201);
        assert_eq!(outcome(world, &world.paid_event(&order, "pi_first")).await, "credited");
        let completed = world.look_up(&order).await.json();
        for payment in ["pi_second", "pi_second", "pi_third"] {
            let event = world.paid_event(&order, payment);
            assert_eq!(outcome(world, &event).await, "duplicate_payment");
        }
        assert_eq!(world.findings().await, ["duplicate_payment"; 2]);
        for kind in ["expired", "async_payment_failed"] {
            let event = event_of(world, &order, kind, "pi_first");
            assert_eq!(outcome(world, &event).await, "unchanged", "{kind}");
        }
        assert_eq!(world.look_up(&order).await.json(), completed);
        world.assert_balances("wallet 50.00").await;
        assert_eq!(world.journal("demo").await.1.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_page_that_closed_closes_its_order() {
    story(async |world| {
        let order = world.order("wallet", "50", "order").await.expect(201);
        let mut expired = event_of(world, &order, "expired", "pi_none");
        expired["data"]["object"]["id"] = json!("cs_test_never_shown");
        assert_eq!(outcome(world, &expired).await, "unchanged", "the end of another page");
        assert_eq!(status(world, &order).await, "pending_payment created");
        let page = order.text("checkout_url");
        expired["data"]["object"]["id"] = json!(page.rsplit('/').next().unwrap());
        assert_eq!(outcome(world, &expired).await, "recorded");
        assert_eq!(outcome(world, &expired).await, "unchanged");
        assert_eq!(status(world, &order).await, "expired payment_page_expired");
        assert!(world.look_up(&order).await.json()["checkout_url"].is_null());
        world.assert_balances("wallet 0.00").await;
        assert_eq!(world.findings().await, [""; 0]);
    })
    .await;
}
