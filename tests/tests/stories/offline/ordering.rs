//! Ordering by bank transfer: what is shown is fixed.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tests::story;

#[tokio::test(flavor = "multi_thread")]
async fn an_order_keeps_the_rate_and_the_account_that_it_showed() {
    story(async |world| {
        let before = world.order_offline("wallet", "CNY 720.00", "before").await.expect(201);
        drop(world.admin_put("/v1/admin/rates/CNY-USD", &json!({"rate": "8"})).await.expect(200));
        let account = json!({"holder": "新公司", "bank": "新银行", "number": "9999 0000 1111"});
        drop(world.admin_put("/v1/admin/bank-accounts/CNY", &account).await.expect(200));
        world.clock.advance(Duration::from_secs(61));

        let after = world.order_offline("wallet", "CNY 720.00", "after").await.expect(201);
        assert_eq!(
            (after.text("fx_rate"), after.text("amount")),
            ("8.0000".into(), "90.00".into())
        );
        let shown = &after.json()["transfer_instructions"]["receiving_account"];
        assert_eq!(shown["number"], "9999 0000 1111");

        let kept = world.look_up(&before).await;
        assert_eq!(kept.json()["transfer_instructions"], before.json()["transfer_instructions"]);
        drop(world.accept(&before, "CNY 720.00", "R-1", "a").await.expect(201));
        drop(world.accept(&after, "CNY 720.00", "R-2", "b").await.expect(201));
        world.assert_balances("wallet 190.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_order_is_the_same_order_whatever_the_rate_is_by_now() {
    story(async |world| {
        let first = world.order_offline("sms", "CNY 500.00", "key").await.expect(201);
        drop(world.admin_put("/v1/admin/rates/CNY-USD", &json!({"rate": "8"})).await.expect(200));
        world.clock.advance(Duration::from_secs(61));
        let again = world.order_offline("sms", "CNY 500.00", "key").await.expect(200);
        assert!(again.is_replay());
        assert_eq!(again.json(), first.json());
        let other = world.order_offline("sms", "CNY 501.00", "key").await;
        drop(other.expect_problem(409, "idempotency_key_reused"));
        let other = world.order_offline("sms", "USD 500.00", "key").await;
        drop(other.expect_problem(409, "idempotency_key_reused"));
        let other = world.order("sms", "500", "key").await;
        drop(other.expect_problem(409, "idempotency_key_reused"));
        // Without a currency it is of the account's.
        let bare =
            json!({"target": "product", "product": "sms", "method": "offline", "amount": "500"});
        let other = world.post("/v1/orders", "key", &bare).await;
        drop(other.expect_problem(409, "idempotency_key_reused"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_order_is_the_same_order_whatever_the_currency_of_its_account_is_by_now() {
    story(async |world| {
        let bare = json!({"target": "wallet", "method": "card", "amount": "100"});
        let first = world.post("/v1/orders", "key", &bare).await.expect(201);
        let account = format!("/v1/admin/accounts/{}", world.customer.account);
        drop(world.admin_put(&account, &json!({"currency": "EUR"})).await.expect(200));
        let again = world.post("/v1/orders", "key", &bare).await.expect(200);
        assert_eq!(again.text("order_id"), first.text("order_id"));
        drop(world.admin_put(&account, &json!({"currency": "USD"})).await.expect(200));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_has_a_reference_of_its_own() {
    story(async |world| {
        let mut references = BTreeSet::new();
        for number in 0..40 {
            let order = world.order_offline("wallet", "USD 100.00", &number.to_string()).await;
            let order = order.expect(201).json();
            let reference = order["transfer_instructions"]["reference_code"].as_str().unwrap();
            references.insert(reference.to_owned());
        }
        assert_eq!(references.len(), 40);
    })
    .await;
}

/// Who can compute their code beforehand looks for a key whose code stands in the transfers of somebody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_reference_code_follows_from_nothing_that_a_customer_chooses() {
    let mut shown = Vec::new();
    for _ in 0..2 {
        let world = tests::World::start().await;
        let order = world.order_offline("wallet", "USD 100.00", "same-key").await.expect(201);
        let code = &order.json()["transfer_instructions"]["reference_code"];
        shown.push((order.text("order_id"), code.as_str().unwrap().to_owned()));
    }
    assert_eq!(shown[0].0, shown[1].0, "the same order");
    assert_ne!(shown[0].1, shown[1].1, "and another code");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_nobody_reports_expires_after_seven_days() {
    story(async |world| {
        let order = world.order_offline("wallet", "USD 100.00", "forgotten").await.expect(201);
        let reported = world.order_offline("wallet", "USD 100.00", "reported").await.expect(201);
        drop(world.report(&reported, "R-1").await.expect(200));
        let rejected = world.order_offline("wallet", "USD 100.00", "rejected").await.expect(201);
        drop(world.reject(&rejected, "nothing arrived").await.expect(200));
        world.clock.advance(Duration::from_secs(7 * 24 * 3_600 - 60));
        assert_eq!(world.sweep().await.recorded, 0);
        world.clock.advance(Duration::from_secs(60));
        assert_eq!(world.sweep().await.recorded, 1);
        assert_eq!(world.sweep().await.recorded, 0);
        let expired = world.look_up(&order).await;
        assert_eq!(expired.text("status"), "expired");
        assert_eq!(expired.text("status_reason"), "transfer_overdue");
        assert_eq!(world.look_up(&reported).await.text("status"), "pending_review");
        assert_eq!(world.look_up(&rejected).await.text("status"), "rejected");

        // Money that comes later is accepted and marked late.
        let accepted = world.accept(&order, "USD 100.00", "R-2", "late").await.expect(201);
        assert_eq!(accepted.json()["late"], true);
        assert_eq!(accepted.text("status_reason"), "transfer_accepted_late");
        world.assert_balances("wallet 100.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_by_bank_transfer_can_be_cancelled_until_it_is_reported() {
    story(async |world| {
        let order = world.order_offline("wallet", "USD 100.00", "unwanted").await.expect(201);
        let id = order.text("order_id");
        assert_eq!(world.cancel(&id).await.expect(200).text("status"), "cancelled");
        assert_eq!(world.cancel(&id).await.expect(200).text("status"), "cancelled");
        assert_eq!(world.provider_calls("POST").await, 0, "there is no page to close");
        drop(world.report(&order, "R-1").await.expect_problem(409, "order_not_reportable"));

        let order = world.order_offline("wallet", "USD 100.00", "wanted").await.expect(201);
        drop(world.report(&order, "R-2").await.expect(200));
        let refused = world.cancel(&order.text("order_id")).await;
        drop(refused.expect_problem(409, "order_not_cancellable"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_shown_a_rate_is_given_that_one_or_none() {
    story(async |world| {
        let order = async |key: &str, currency: &str, rate: Value| {
            let body = json!({
                "target": "wallet", "method": "offline", "amount": "720.00",
                "currency": currency, "fx_rate": rate,
            });
            world.post("/v1/orders", key, &body).await
        };
        let made = order("shown", "CNY", json!("7.2")).await.expect(201);
        assert_eq!((made.text("fx_rate"), made.text("amount")), ("7.2000".into(), "100.00".into()));
        // The rate changes: the function that makes orders has the old one for a minute, the one that shows it may not.
        drop(world.admin_put("/v1/admin/rates/CNY-USD", &json!({"rate": "7.5"})).await.expect(200));
        let made = order("new", "CNY", json!("7.5000")).await.expect(201);
        assert_eq!(made.text("amount"), "96.00");
        let refused = order("old", "CNY", json!("7.2")).await.expect_problem(409, "rate_changed");
        assert_eq!(
            (refused.text("fx_rate"), refused.text("field")),
            ("7.5000".into(), "fx_rate".into())
        );
        drop(order("old", "CNY", json!("7.50")).await.expect(201));
        // What was made stays what it is, whoever asks once more.
        assert_eq!(order("shown", "CNY", json!("7.2")).await.expect(200).text("amount"), "100.00");
        order("shown", "CNY", json!("7.5")).await.expect_problem(409, "idempotency_key_reused");
        for (currency, rate) in [("USD", json!("7.5")), ("CNY", json!("0")), ("CNY", json!(7.5))] {
            let refused = order("none", currency, rate.clone()).await;
            let refused = refused.expect_problem(422, "invalid_field");
            assert_eq!(refused.text("field"), "fx_rate", "{currency} {rate}");
        }
        let card = json!({"target": "wallet", "method": "card", "amount": "50", "fx_rate": "7.5"});
        let refused = world.post("/v1/orders", "card", &card).await;
        assert_eq!(refused.expect_problem(422, "invalid_field").text("field"), "fx_rate");
    })
    .await;
}
