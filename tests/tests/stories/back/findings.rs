//! Findings: listed, closed by a person or by the money itself.

use serde_json::{Value, json};
use tests::world::GOOD_CARD;
use tests::{World, story};

use super::dashboard_refund;

async fn listed(world: &World, status: &str) -> Vec<Value> {
    let path = format!("/v1/admin/findings?status={status}");
    world.admin_get(&path).await.expect(200).json()["data"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_payment_is_found_and_closed_by_a_person() {
    story(async |world| {
        let order = world.order("wallet", "100.00", "k1").await.expect(201);
        let mut event = world.paid_event(&order, "pi_wrong");
        event["data"]["object"]["amount_total"] = json!(9_999);
        drop(world.deliver(&event).await.expect(200));
        let found = listed(world, "open").await.remove(0);
        assert_eq!(found["type"], "amount_differs");
        assert_eq!(found["expected"], json!({"amount": "100.00", "currency": "USD"}));
        assert_eq!(found["actual"], json!({"amount": "99.99", "currency": "USD"}));
        assert_eq!(found["order_id"], order.json()["order_id"]);
        assert!(found["next_step"].as_str().unwrap().contains("refund"));
        drop(world.deliver(&event).await.expect(200));
        assert_eq!(listed(world, "open").await.len(), 1);

        let id = found["finding_id"].as_str().unwrap();
        let path = format!("/v1/admin/findings/{id}/resolve");
        let body = json!({"reason": "a cent was given as goodwill"});
        world.post(&path, "unused", &body).await.expect_problem(403, "missing_scope");
        let empty = json!({"reason": " "});
        world.admin_post(&path, "unused", &empty).await.expect_problem(422, "invalid_field");
        let closed = world.admin_post(&path, "unused", &body).await.expect(200).json();
        assert_eq!(
            (&closed["status"], &closed["closed_how"]),
            (&json!("closed"), &json!("resolved"))
        );
        drop(world.admin_post(&path, "unused", &body).await.expect(200));
        let other = json!({"reason": "something else"});
        world.admin_post(&path, "unused", &other).await.expect_problem(409, "finding_closed");
        assert!(listed(world, "open").await.is_empty());
        assert_eq!(listed(world, "closed").await, std::slice::from_ref(&closed));
        let one = world.admin_get(&format!("/v1/admin/findings/{id}")).await.expect(200).json();
        assert_eq!(one, closed);
        for missing in ["fnd_00000000000000000000", "no%20id"] {
            let path = format!("/v1/admin/findings/{missing}");
            world.admin_get(&path).await.expect_problem(404, "not_found");
        }
        let path = "/v1/admin/findings?status=lost";
        world.admin_get(path).await.expect_problem(422, "invalid_parameter");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_was_credited_to_no_order_is_closed_by_its_refund() {
    story(async |world| {
        let order = world.order("wallet", "100.00", "k1").await.expect(201);
        let session = order.text("checkout_url").rsplit('/').next().unwrap().to_owned();
        let pay = json!({"card_number": GOOD_CARD, "amount": 9_000});
        drop(world.control(&format!("sessions/{session}/pay"), &pay).await.expect(200));
        world.until(async || !listed(world, "open").await.is_empty()).await;
        let found = listed(world, "open").await.remove(0);
        let body = json!({"payment_id": found["payment_id"]});
        let made = world.control("refunds", &body).await.expect(200).json();
        let closed = listed(world, "closed").await.remove(0);
        assert_eq!(closed["closed_how"], "refunded");
        assert_eq!(closed["closed_by"], "stripe");
        world.assert_balances("wallet 0.00").await;

        // It comes back: a person must look again.
        let path = format!("refunds/{}", made["refund"]["id"].as_str().unwrap());
        drop(world.control(&path, &json!({"status": "failed"})).await.expect(200));
        assert_eq!(listed(world, "open").await[0]["finding_id"], found["finding_id"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_before_its_payment_waits_for_it() {
    story(async |world| {
        let order = world.order("wallet", "100.00", "k1").await.expect(201);
        drop(world.control("webhooks", &json!({"mode": "drop"})).await.expect(200));
        let session = order.text("checkout_url").rsplit('/').next().unwrap().to_owned();
        let pay = json!({"card_number": GOOD_CARD});
        let paid = world.control(&format!("sessions/{session}/pay"), &pay).await.expect(200);
        let payment = paid.json()["session"]["payment_intent"].as_str().unwrap().to_owned();
        drop(world.control("webhooks", &json!({"mode": "deliver"})).await.expect(200));
        let body = json!({"payment_id": payment, "amount": 4_000});
        drop(world.control("refunds", &body).await.expect(200));
        assert!(listed(world, "open").await.is_empty());
        world.assert_balances("wallet 0.00").await;
        // The payment is told: the refund comes out of the queue and finds it.
        drop(world.deliver(&world.paid_event(&order, &payment)).await.expect(200));
        world.drain().await;
        world.assert_balances("wallet 60.00").await;
        assert!(listed(world, "open").await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_a_payment_that_nobody_knows_becomes_a_finding() {
    story(async |world| {
        let event = json!({
            "id": "evt_stranger",
            "object": "event",
            "created": world.clock.now().unix_seconds(),
            "livemode": false,
            "type": "refund.created",
            "data": {"object": {
                "id": "re_stranger", "object": "refund", "amount": 500, "currency": "usd",
                "payment_intent": "pi_stranger", "status": "succeeded", "metadata": {},
                "created": world.clock.now().unix_seconds(),
            }},
        });
        drop(world.deliver(&event).await.expect(200));
        world.drain().await;
        let found = listed(world, "open").await.remove(0);
        assert_eq!(
            (&found["type"], &found["payment_id"]),
            (&json!("unknown_payment"), &json!("pi_stranger"))
        );
        assert_eq!(found["reversal_id"], "re_stranger");
        assert_eq!(world.dead_letters().await, 0);

        let mut other_stage = event.clone();
        other_stage["data"]["object"]["metadata"] = json!({"topup_stage": "other"});
        let ignored = world.deliver(&other_stage).await.expect(200);
        assert_eq!(ignored.json()["outcome"], "other_stage");
        for (field, value) in
            [("status", json!("sideways")), ("amount", json!(-1)), ("id", json!(null))]
        {
            let mut odd = event.clone();
            odd["data"]["object"][field] = value;
            assert_eq!(world.deliver(&odd).await.expect(200).json()["outcome"], "queued");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_in_another_currency_is_a_finding_and_moves_nothing() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        let event = json!({
            "id": "evt_odd",
            "object": "event",
            "created": world.clock.now().unix_seconds(),
            "livemode": false,
            "type": "refund.created",
            "data": {"object": {
                "id": "re_odd", "object": "refund", "amount": 500, "currency": "eur",
                "payment_intent": order.text("payment_id"), "status": "succeeded", "metadata": null,
                "created": world.clock.now().unix_seconds(),
            }},
        });
        drop(world.deliver(&event).await.expect(200));
        assert_eq!(listed(world, "open").await[0]["type"], "reversal_differs");
        world.assert_balances("wallet 100.00").await;
        drop(dashboard_refund(world, &order, 500).await);
        world.assert_balances("wallet 95.00").await;
    })
    .await;
}
