//! Adjustments: the operator corrects a balance, for a reason, once.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Answer, World, story};

async fn adjust(world: &World, body: &Value, key: &str) -> Answer {
    let path = format!("/v1/admin/accounts/{}/adjustments", world.customer.account);
    world.admin_post(&path, key, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_is_corrected_in_both_directions_and_once_a_key() {
    story(async |world| {
        let goodwill =
            json!({"balance": "product:sms", "amount": "5.000001", "reason": "goodwill"});
        let made = adjust(world, &goodwill, "a1").await.expect(201);
        assert_eq!(
            (made.text("amount"), made.text("balance")),
            ("5.000001".into(), "product:sms".into())
        );
        let again = adjust(world, &goodwill, "a1").await.expect(200);
        assert!(again.is_replay());
        assert_eq!(again.json(), made.json());
        let other = json!({"balance": "product:sms", "amount": "5.00", "reason": "goodwill"});
        adjust(world, &other, "a1").await.expect_problem(409, "idempotency_key_reused");
        world.assert_balances("wallet 0.00, sms 5.000001").await;

        let back = json!({"balance": "product:sms", "amount": "-5.000001", "reason": "a mistake"});
        let made = adjust(world, &back, "a2").await.expect(201);
        assert_eq!(made.text("amount"), "-5.000001");
        world.assert_balances("wallet 0.00").await;
        // A repetition of what emptied the balance is told that it is done.
        drop(adjust(world, &back, "a2").await.expect(200));
        let more = json!({"balance": "product:sms", "amount": "-0.01", "reason": "too much"});
        let refused =
            adjust(world, &more, "a3").await.expect_problem(402, "insufficient_balance").json();
        assert_eq!((&refused["available"], &refused["required"]), (&json!("0.00"), &json!("0.01")));

        let entries = world.get("/v1/entries").await.expect(200).json();
        assert_eq!(entries["data"][0]["kind"], "adjustment");
        assert_eq!(entries["data"][0]["document_id"], made.json()["adjustment_id"]);
        let places: Vec<&Value> = entries["data"][0]["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| &line["place"])
            .collect();
        assert_eq!(places, [&json!("product:sms"), &json!("external:adjustment")]);
        let path = format!("/v1/admin/accounts/{}/adjustments", world.customer.account);
        let listed = world.admin_get(&path).await.expect(200).json();
        let reasons: Vec<&Value> =
            listed["data"].as_array().unwrap().iter().map(|one| &one["reason"]).collect();
        assert_eq!(reasons, [&json!("a mistake"), &json!("goodwill")]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_adjustment_changes_nothing() {
    story(async |world| {
        let ok = json!({"balance": "wallet", "amount": "1.00", "reason": "x"});
        for (field, value, status, code) in [
            ("amount", json!("0"), 422, "amount_out_of_range"),
            ("amount", json!("-0"), 422, "amount_out_of_range"),
            ("amount", json!("--1"), 422, "invalid_amount"),
            ("amount", json!("+1"), 422, "invalid_amount"),
            ("amount", json!(-1), 422, "invalid_amount"),
            ("amount", json!("0.0000001"), 422, "invalid_amount"),
            ("balance", json!("product:unheard-of"), 422, "unknown_product"),
            ("balance", json!("wallet:held"), 422, "invalid_field"),
            ("balance", json!("external:card"), 422, "invalid_field"),
            ("reason", json!(""), 422, "invalid_field"),
            ("reason", json!(null), 422, "missing_field"),
        ] {
            let mut body = ok.clone();
            body[field] = value;
            adjust(world, &body, "a1").await.expect_problem(status, code);
        }
        let nobody = "/v1/admin/accounts/nobody/adjustments";
        world.admin_post(nobody, "a1", &ok).await.expect_problem(404, "not_found");
        world.admin_get(nobody).await.expect_problem(404, "not_found");
        let own = format!("/v1/admin/accounts/{}/adjustments", world.customer.account);
        world.post(&own, "a1", &ok).await.expect_problem(403, "missing_scope");
        world.assert_balances("wallet 0.00").await;
        drop(adjust(world, &ok, "a1").await.expect(201));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_adjustment_asked_for_at_once_is_made_once() {
    story(async |world| {
        let body = json!({"balance": "wallet", "amount": "10.00", "reason": "x"});
        let asked = (0..8).map(|_| adjust(world, &body, "a1"));
        let answers = futures_util::future::join_all(asked).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        assert!(answers.iter().all(|answer| [200, 201].contains(&answer.status)));
        world.assert_balances("wallet 10.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_that_is_corrected_below_its_alert_is_told_of() {
    story(async |world| {
        drop(world.put("/v1/wallet/thresholds", &json!({"alert_below": "5"})).await.expect(200));
        let goodwill = json!({"balance": "wallet", "amount": "6.00", "reason": "goodwill"});
        drop(adjust(world, &goodwill, "a1").await.expect(201));
        let back = json!({"balance": "wallet", "amount": "-2.00", "reason": "too much"});
        drop(adjust(world, &back, "a2").await.expect(201));
        // Events are listed once none that is older can come.
        world.clock.advance(service::events::LISTED_AFTER + Duration::from_secs(1));
        let told = world.admin_get("/v1/events").await.expect(200).json();
        let told: Vec<&Value> = told["data"].as_array().unwrap().iter().collect();
        assert_eq!(told.last().unwrap()["type"], "balance.low");
    })
    .await;
}
