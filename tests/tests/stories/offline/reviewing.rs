//! The review desk: what waits, what is accepted, what is rejected, what comes without an order.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Answer, World, story};

/// The references of what waits, in the order in which it is shown.
async fn waiting(world: &World) -> Vec<String> {
    let shown = world.admin_get("/v1/admin/reviews").await.expect(200).json();
    let references = shown["data"].as_array().unwrap().iter();
    let reference = |order: &Value| order["transfer_report"]["bank_reference"].to_string();
    references.map(reference).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_listed_oldest_first_and_leaves_the_list_when_it_is_decided_on() {
    story(async |world| {
        let mut orders = Vec::new();
        for number in 0..5 {
            let order = world.order_offline("wallet", "USD 100.00", &number.to_string()).await;
            orders.push(order.expect(201));
        }
        // Reported in another order than they were made in.
        for number in [2, 0, 4, 1, 3] {
            drop(world.report(&orders[number], &number.to_string()).await.expect(200));
        }
        assert_eq!(waiting(world).await, ["\"2\"", "\"0\"", "\"4\"", "\"1\"", "\"3\""]);
        // A corrected report keeps its place.
        drop(world.report(&orders[0], "0 corrected").await.expect(200));
        drop(world.accept(&orders[4], "USD 100.00", "4", "a").await.expect(201));
        drop(world.reject(&orders[2], "not found").await.expect(200));
        assert_eq!(waiting(world).await, ["\"0 corrected\"", "\"1\"", "\"3\""]);

        let first = world.admin_get("/v1/admin/reviews?limit=2").await.expect(200).json();
        let cursor = first["next_cursor"].as_str().unwrap();
        let path = format!("/v1/admin/reviews?limit=2&cursor={cursor}");
        let second = world.admin_get(&path).await.expect(200).json();
        assert_eq!(second["data"][0]["transfer_report"]["bank_reference"], "3");
        assert_eq!(second["data"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_shows_its_reason_and_can_be_answered() {
    story(async |world| {
        let order = world.order_offline("wallet", "USD 100.00", "order").await.expect(201);
        drop(world.report(&order, "R-1").await.expect(200));
        let rejected = world.reject(&order, "No such transfer on 23 November").await.expect(200);
        assert_eq!(rejected.text("status"), "rejected");
        let seen = world.look_up(&order).await.json();
        assert_eq!(seen["status_reason"], "No such transfer on 23 November");
        assert_eq!(seen["transfer_reviews"][0]["reason"], "No such transfer on 23 November");
        assert_eq!(seen["transfer_report"]["bank_reference"], "R-1");
        // The same rejection again is the same; another one is too late.
        drop(world.reject(&order, "No such transfer on 23 November").await.expect(200));
        let other = world.reject(&order, "Something else").await;
        drop(other.expect_problem(409, "already_reviewed"));

        drop(world.report(&order, "R-2").await.expect(200));
        let accepted = world.accept(&order, "USD 100.00", "R-2", "a").await.expect(201).json();
        let outcomes: Vec<_> = accepted["transfer_reviews"].as_array().unwrap().iter().collect();
        assert_eq!(outcomes[0]["outcome"], "rejected");
        assert_eq!(outcomes[1]["outcome"], "accepted");
        let moves: Vec<_> = accepted["timeline"].as_array().unwrap().iter().collect();
        let moves: Vec<_> = moves.iter().map(|change| change["to"].as_str().unwrap()).collect();
        assert_eq!(
            moves,
            ["pending_payment", "pending_review", "rejected", "pending_review", "completed"]
        );
        world.assert_balances("wallet 100.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_was_replaced_while_finance_looked_at_it_is_not_decided_on() {
    story(async |world| {
        let order = world.order_offline("wallet", "USD 100.00", "order").await.expect(201);
        let seen =
            world.report(&order, "WRONG").await.expect(200).json()["transfer_report"].clone();
        world.clock.advance(Duration::from_secs(60));
        let now = world.report(&order, "RIGHT").await.expect(200).json()["transfer_report"].clone();
        let rejection =
            |report: &Value| json!({"reason": "?", "reported_at": report["reported_at"]});
        let acceptance = |report: &Value| {
            let mut body = world.found("USD 100.00", "RIGHT");
            body["reported_at"] = report["reported_at"].clone();
            body
        };
        let reject = format!("/v1/admin/orders/{}/reject", order.text("order_id"));
        let refused = world.admin_post(&reject, "unused", &rejection(&seen)).await;
        assert_eq!(refused.expect_problem(409, "report_changed").text("field"), "reported_at");
        let refused = world.accept_with(&order, &acceptance(&seen), "a").await;
        drop(refused.expect_problem(409, "report_changed"));
        assert_eq!(world.look_up(&order).await.text("status"), "pending_review");
        world.assert_balances("wallet 0.00").await;
        // What stands now can be decided on, also once it was rejected: it is shown as before.
        let rejected = world.admin_post(&reject, "unused", &rejection(&now)).await.expect(200);
        assert_eq!(rejected.json()["transfer_report"], now);
        drop(world.admin_post(&reject, "unused", &rejection(&now)).await.expect(200));
        drop(world.accept_with(&order, &acceptance(&now), "b").await.expect(201));
        world.assert_balances("wallet 100.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_acceptance_is_the_same_and_another_with_its_key_is_refused() {
    story(async |world| {
        let order = world.order_offline("wallet", "USD 100.00", "order").await.expect(201);
        let accepted = world.accept(&order, "USD 100.00", "R-1", "key").await.expect(201);
        let again = world.accept(&order, "USD 100.00", "R-1", "key").await.expect(200);
        assert!(again.is_replay());
        assert_eq!(again.json(), accepted.json());
        let other = world.accept(&order, "USD 99.00", "R-1", "key").await;
        drop(other.expect_problem(409, "idempotency_key_reused"));
        let other = world.accept(&order, "USD 100.00", "R-1", "other").await;
        drop(other.expect_problem(409, "already_reviewed"));
        world.assert_balances("wallet 100.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_must_be_confirmed_and_the_same_key_confirms_it() {
    story(async |world| {
        let order = world.order_offline("wallet", "CNY 720.00", "order").await.expect(201);
        for (money, credited) in [("CNY 72.00", "10.00"), ("USD 72.00", "72.00")] {
            let refused = world.accept(&order, money, "R-1", "key").await;
            let refused = refused.expect_problem(422, "difference_not_confirmed");
            assert_eq!(refused.text("field"), "confirm_difference");
            assert!(refused.text("detail").contains("720.00"), "{}", refused.text("detail"));
            world.assert_balances("wallet 0.00").await;
            let _ = credited;
        }
        let mut body = world.found("USD 72.00", "R-1");
        body["confirm_difference"] = json!(true);
        let accepted = world.accept_with(&order, &body, "key").await.expect(201);
        assert_eq!(accepted.text("credited_amount"), "72.00");
        assert_eq!(accepted.text("received_currency"), "USD");
        world.assert_balances("wallet 72.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn yuan_for_a_dollar_order_are_credited_at_the_rate_of_the_day() {
    story(async |world| {
        let order = world.order_offline("wallet", "USD 100.00", "order").await.expect(201);
        let mut body = world.found("CNY 360.00", "R-1");
        body["confirm_difference"] = json!(true);
        let accepted = world.accept_with(&order, &body, "key").await.expect(201).json();
        assert_eq!(accepted["credited_amount"], "50.00");
        assert!(accepted["fx_rate"].is_null(), "the order had no rate");
        assert_eq!(accepted["transfer_reviews"][0]["fx_rate"], "7.2000");
        let entries = world.get("/v1/entries").await.expect(200).json();
        let lines: Vec<_> = entries["data"][0]["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| {
                let text = |field: &str| line[field].as_str().unwrap().to_owned();
                format!("{} {} {}", text("place"), text("currency"), text("amount"))
            })
            .collect();
        assert_eq!(
            lines,
            [
                "wallet USD 50.00",
                "external:bank CNY -360.00",
                "external:fx CNY 360.00",
                "external:fx USD -50.00",
            ]
        );
        assert_eq!(entries["data"][0]["kind"], "bank_top_up");
    })
    .await;
}

/// Books a transfer that came without an order.
async fn book(world: &World, body: &Value, key: &str) -> Answer {
    world.admin_post("/v1/admin/accounts/demo/received-payments", key, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_without_an_order_is_booked_once_and_the_customer_sees_it() {
    story(async |world| {
        let booked = book(world, &world.found("CNY 72.00", "R-1"), "key").await.expect(201);
        assert_eq!(booked.text("status"), "completed");
        assert_eq!(booked.text("status_reason"), "transfer_booked");
        let again = book(world, &world.found("CNY 72.00", "R-1"), "key").await.expect(200);
        assert!(again.is_replay());
        let other = book(world, &world.found("CNY 73.00", "R-1"), "key").await;
        drop(other.expect_problem(409, "idempotency_key_reused"));
        let used = book(world, &world.found("CNY 72.00", "r - 1"), "other").await;
        let used = used.expect_problem(409, "bank_reference_used");
        assert_eq!(used.text("order_id"), booked.text("order_id"));
        let mut to_sms = world.found("USD 25.00", "R-2");
        to_sms["product"] = json!("sms");
        drop(book(world, &to_sms, "sms").await.expect(201));
        world.assert_balances("wallet 10.00, sms 25.00").await;
        let seen = world.look_up(&booked).await.json();
        assert!(seen["transfer_instructions"].is_null());
        assert_eq!(seen["pay_amount"], "72.00");
        assert_eq!(seen["received_amount"], "72.00");

        let nobody = "/v1/admin/accounts/nobody/received-payments";
        let found = world.found("USD 25.00", "R-3");
        drop(world.admin_post(nobody, "x", &found).await.expect_problem(404, "not_found"));
        let mut unknown = found.clone();
        unknown["product"] = json!("fax");
        drop(book(world, &unknown, "x").await.expect_problem(422, "unknown_product"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bank_reference_is_credited_once_at_the_account_where_it_arrived() {
    story(async |world| {
        let order = async |key: &str, money: &str| {
            world.order_offline("wallet", money, key).await.expect(201)
        };
        let first = order("first", "USD 100.00").await;
        let second = order("second", "USD 100.00").await;
        drop(world.accept(&first, "USD 100.00", "TRF 2026-0042", "a").await.expect(201));
        let used = world.accept(&second, "USD 100.00", "trf2026-0042", "b").await;
        let used = used.expect_problem(409, "bank_reference_used");
        assert_eq!(used.text("order_id"), first.text("order_id"));
        assert_eq!(world.look_up(&second).await.text("status"), "pending_payment");
        // The refused key is free, and the same reference at another account is another transfer.
        drop(world.accept(&second, "USD 100.00", "TRF 2026-0043", "b").await.expect(201));
        let yuan = order("yuan", "CNY 720.00").await;
        drop(world.accept(&yuan, "CNY 720.00", "TRF 2026-0042", "c").await.expect(201));
        world.assert_balances("wallet 300.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_is_credited_once_however_its_reference_is_spelled() {
    story(async |world| {
        let orders = ["one", "two"].map(|key| world.order_offline("wallet", "USD 100.00", key));
        let [one, two] = orders.map(async |order| order.await.expect(201));
        let (one, two) = (one.await, two.await);
        drop(world.accept(&one, "USD 100.00", "ICBC-1", "a").await.expect(201));
        let again = world.accept(&two, "USD 100.00", " icbc - １ ", "b").await;
        drop(again.expect_problem(409, "bank_reference_used"));
        // With letters that nobody sees, and with those of Greek and Cyrillic that look the same.
        for spelled in ["ICBC-1\u{3164}", "IC\u{115f}BC-1", "ICBC\u{345}-1", "IСВС-1", "ΙCΒC-1"]
        {
            let report = world.report(&two, spelled).await;
            drop(report.expect_problem(422, "invalid_field"));
            let again = world.accept(&two, "USD 100.00", spelled, "c").await;
            drop(again.expect_problem(422, "invalid_field"));
        }
        world.assert_balances("wallet 100.00").await;
    })
    .await;
}
