//! Every refusal of bank transfers: each for its own reason, and nothing is left behind.

use serde_json::{Value, json};
use tests::{Answer, World, story};

/// A good body with some of its fields changed; null takes a field out.
fn with(good: &Value, changes: &Value) -> Value {
    let mut fields = good.clone();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(fields.as_object_mut().unwrap().remove(name)),
            value => fields[name] = value.clone(),
        }
    }
    fields
}

/// Status, code and field: `422 invalid_amount amount`.
fn refusal(answer: &Answer) -> String {
    let shown = format!("{} {} {}", answer.status, answer.text("code"), answer.text("field"));
    shown.trim_end().to_owned()
}

async fn state(world: &World, order: &Answer) -> Value {
    let balances = world.get("/v1/balances").await.expect(200).json();
    json!([balances["wallet"], world.look_up(order).await.json()])
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_no_bank_transfer_can_pay() {
    story(async |world| {
        let good = json!({
            "target": "wallet", "method": "offline", "amount": "500.00", "currency": "CNY",
        });
        for (changes, expected) in [
            (json!({"amount": "499.99"}), "422 amount_out_of_range amount"),
            (json!({"amount": "500.001"}), "422 invalid_amount amount"),
            (json!({"amount": 500}), "422 invalid_amount amount"),
            (json!({"currency": "USD", "amount": "99.99"}), "422 amount_out_of_range amount"),
            (json!({"currency": "EUR"}), "422 unknown_currency currency"),
            (json!({"currency": "cny"}), "422 unknown_currency currency"),
            (json!({"return_url": "http://127.0.0.1/x"}), "422 invalid_field return_url"),
            (json!({"target": "product", "product": "fax"}), "422 unknown_product product"),
            (json!({"method": "cash"}), "422 unknown_method method"),
            (json!({"method": "balance"}), "422 method_not_allowed method"),
            (json!({"method": "card"}), "422 unknown_currency currency"),
            (json!({"rate": "1"}), "422 unknown_field rate"),
        ] {
            let answer = world.post("/v1/orders", "key", &with(&good, &changes)).await;
            assert_eq!(refusal(&answer), expected, "{changes}");
        }
        assert_eq!(world.get("/v1/orders").await.json()["data"], json!([]));
        drop(world.post("/v1/orders", "key", &good).await.expect(201));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_that_say_nothing() {
    story(async |world| {
        let order = world.order_offline("wallet", "USD 100.00", "order").await.expect(201);
        let before = state(world, &order).await;
        let good = json!({
            "payer_name": "Li Lei", "bank_reference": "R-1", "paid_on": world.today(),
            "amount": "100.00",
        });
        for (changes, expected) in [
            (json!({"payer_name": null}), "422 missing_field payer_name"),
            (json!({"payer_name": "  "}), "422 invalid_field payer_name"),
            (json!({"payer_name": "x".repeat(141)}), "422 invalid_field payer_name"),
            (json!({"payer_name": "a\u{7}b"}), "422 invalid_field payer_name"),
            (json!({"bank_reference": null}), "422 missing_field bank_reference"),
            (json!({"bank_reference": "a\u{200b}b"}), "422 invalid_field bank_reference"),
            (json!({"bank_reference": "9".repeat(71)}), "422 invalid_field bank_reference"),
            (json!({"paid_on": "2026-02-30"}), "422 invalid_field paid_on"),
            (json!({"paid_on": "23.11.2026"}), "422 invalid_field paid_on"),
            (json!({"paid_on": "2026-11-25"}), "422 invalid_field paid_on"),
            (json!({"amount": "1.001"}), "422 invalid_amount amount"),
            (json!({"amount": "-1"}), "422 invalid_amount amount"),
            (json!({"amount": "0"}), "422 amount_out_of_range amount"),
            (json!({"note": "x".repeat(501)}), "422 invalid_field note"),
            (json!({"proofs": ["x"]}), "422 invalid_field proofs"),
            (json!({"proofs": "x"}), "422 invalid_field proofs"),
            (json!({"proofs": vec!["0".repeat(64); 4]}), "422 invalid_field proofs"),
            (json!({"proofs": ["0".repeat(64)]}), "422 unknown_proof proofs"),
            (json!({"credited_amount": "9"}), "422 unknown_field credited_amount"),
        ] {
            let answer = world.report_with(&order, &with(&good, &changes)).await;
            assert_eq!(refusal(&answer), expected, "{changes}");
        }
        assert_eq!(state(world, &order).await, before);
        drop(world.report_with(&order, &good).await.expect(200));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acceptances_that_credit_nothing() {
    story(async |world| {
        let order = world.order_offline("wallet", "CNY 720.00", "order").await.expect(201);
        let before = state(world, &order).await;
        let good = world.found("CNY 720.00", "R-1");
        for (changes, expected) in [
            (json!({"received_amount": null}), "422 missing_field received_amount"),
            (json!({"received_amount": 720}), "422 invalid_amount received_amount"),
            (json!({"received_amount": "720.001"}), "422 invalid_amount received_amount"),
            (json!({"received_amount": "0"}), "422 amount_out_of_range received_amount"),
            (json!({"received_currency": null}), "422 missing_field received_currency"),
            (json!({"received_currency": "RMB"}), "422 unknown_currency received_currency"),
            (json!({"received_currency": "EUR"}), "422 unknown_currency received_currency"),
            (json!({"bank_reference": " "}), "422 invalid_field bank_reference"),
            (json!({"received_on": "2026-11-25"}), "422 invalid_field received_on"),
            (json!({"confirm_difference": "yes"}), "422 invalid_field confirm_difference"),
            (json!({"received_amount": "1"}), "422 difference_not_confirmed confirm_difference"),
            (json!({"credit": "1"}), "422 unknown_field credit"),
        ] {
            let answer = world.accept_with(&order, &with(&good, &changes), "key").await;
            assert_eq!(refusal(&answer), expected, "{changes}");
        }
        let path = format!("/v1/admin/orders/{}/reject", order.text("order_id"));
        for (body, expected) in [
            (json!({}), "422 missing_field reason"),
            (json!({"reason": ""}), "422 invalid_field reason"),
            (json!({"reason": "x".repeat(501)}), "422 invalid_field reason"),
        ] {
            assert_eq!(refusal(&world.admin_post(&path, "x", &body).await), expected);
        }
        assert_eq!(state(world, &order).await, before);

        let card = world.order("wallet", "50", "card").await.expect(201);
        let answer = world.accept(&card, "USD 50.00", "R-2", "card").await;
        drop(answer.expect_problem(409, "order_not_reviewable"));
        drop(world.reject(&card, "no").await.expect_problem(409, "order_not_reviewable"));
        for id in ["ord_00000000000000000000", "nonsense"] {
            let path = format!("/v1/admin/orders/{id}/accept");
            let answer = world.admin_post(&path, "key", &good).await;
            drop(answer.expect_problem(404, "order_not_found"));
        }
        let keyless = axum::http::Request::post(format!(
            "/v1/admin/orders/{}/accept",
            order.text("order_id")
        ));
        let keyless = keyless
            .header("authorization", format!("Bearer {}", world.cloud.keys.operator))
            .header("content-type", "application/json")
            .body(good.to_string().into());
        let answer = world.send(keyless.unwrap()).await;
        drop(answer.expect_problem(400, "idempotency_key_required"));
        drop(world.accept_with(&order, &good, "key").await.expect(201));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_of_another_currency_needs_a_rate() {
    story(async |world| {
        let order = world.order_offline("wallet", "USD 100.00", "order").await.expect(201);
        let account =
            json!({"holder": "Topup Demo Ltd", "bank": "Demo Bank", "number": "DE02 1203"});
        drop(world.admin_put("/v1/admin/bank-accounts/EUR", &account).await.expect(200));
        world.clock.advance(std::time::Duration::from_secs(61));
        let mut found = world.found("EUR 90.00", "R-1");
        found["confirm_difference"] = json!(true);
        let answer = world.accept_with(&order, &found, "key").await;
        drop(answer.expect_problem(422, "unknown_rate"));
        drop(world.admin_put("/v1/admin/rates/EUR-USD", &json!({"rate": "0.9"})).await.expect(200));
        world.clock.advance(std::time::Duration::from_secs(61));
        let accepted = world.accept_with(&order, &found, "key").await.expect(201);
        assert_eq!(accepted.text("credited_amount"), "100.00");
    })
    .await;
}
