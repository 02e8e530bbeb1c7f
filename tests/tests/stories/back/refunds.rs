//! Refunds: asked for here, made in the dashboard, failing late, told before we know.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use service::events::LISTED_AFTER;
use tests::world::GOOD_CARD;
use tests::{Answer, Fault, World, story};

use crate::races::all;

use super::{aside, becomes, dashboard_refund, kinds, listed, no_webhooks, refund, refund_with};

const MAKE: &str = "POST /v1/refunds";
const LIST: &str = "GET /v1/refunds";
/// Longer than a refund is left to its webhook.
const A_WHILE: Duration = Duration::from_secs(5 * 60);

/// The statuses that the stand-in gives to the next refunds.
async fn next_status(world: &World, status: &str) {
    drop(world.control("refund_status", &json!({"next": [status]})).await.expect(200));
}

/// The stand-in's name for the refund of an order.
async fn provider_id(world: &World, order: &Answer) -> String {
    let id = ledger::OrderId::parse(&order.text("order_id")).unwrap();
    let record = world.table.order(&id).await.unwrap().unwrap();
    let refund = record.order.reversals.refunds.last().unwrap();
    refund.provider_id.as_ref().expect("the provider has made it").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_gives_a_part_back_and_the_customer_sees_it() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        let made = refund(world, &order, "40.00", "r1").await.expect(201);
        assert_eq!(
            (made.text("status"), made.text("amount")),
            ("succeeded".into(), "40.00".into())
        );
        world.assert_balances("wallet 60.00").await;
        assert_eq!(aside(world).await, "held 0.00, debt 0.00");
        let shown = world.look_up(&order).await;
        assert_eq!(shown.text("status"), "partially_refunded");
        assert_eq!(shown.text("status_reason"), "refunded");
        assert_eq!(shown.text("refunded_amount"), "40.00");
        assert_eq!(shown.json()["refunds"][0]["refund_id"], made.json()["refund_id"]);
        assert_eq!(kinds(world).await, ["card_top_up", "refund_held", "refund"]);
        let call = world.provider_requests(MAKE).await.remove(0);
        assert_eq!(call["params"]["amount"], "4000");
        assert_eq!(call["params"]["metadata[refund_id]"], made.json()["refund_id"]);
        assert_eq!(call["idempotency_key"], format!("{}:1", made.text("refund_id")));

        // The same key again, and the rest.
        let again = refund(world, &order, "40.00", "r1").await.expect(200);
        assert!(again.is_replay());
        assert_eq!(world.provider_calls(MAKE).await, 1);
        refund(world, &order, "41.00", "r1").await.expect_problem(409, "idempotency_key_reused");
        drop(refund(world, &order, "60.00", "r2").await.expect(201));
        let shown = world.look_up(&order).await;
        assert_eq!(
            (shown.text("status"), shown.text("refunded_amount")),
            ("refunded".into(), "100.00".into())
        );
        world.assert_balances("wallet 0.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_spent_or_given_back_already_is_refused() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        drop(world.transfer("whatsapp", "70.00", "t1").await.expect(201));
        let refused = refund(world, &order, "30.01", "r1").await;
        let refused = refused.expect_problem(402, "insufficient_balance").json();
        assert_eq!(refused["available"], "30.00");
        drop(refund(world, &order, "30.00", "r1").await.expect(201));
        let refused = refund(world, &order, "70.01", "r2").await;
        assert_eq!(refused.expect_problem(409, "refund_too_large").json()["available"], "70.00");

        let moved = world.get("/v1/orders?method=balance").await.expect(200).json();
        let path =
            format!("/v1/admin/orders/{}/refunds", moved["data"][0]["order_id"].as_str().unwrap());
        let body = json!({"amount": "1.00", "reason": "no"});
        world.admin_post(&path, "r3", &body).await.expect_problem(409, "order_not_refundable");
        let unpaid = world.order("wallet", "10.00", "k2").await.expect(201);
        refund(world, &unpaid, "1.00", "r4").await.expect_problem(409, "order_not_refundable");
        for (body, status, code) in [
            (json!({"amount": 1, "reason": "x"}), 422, "invalid_amount"),
            (json!({"amount": "-1.00", "reason": "x"}), 422, "invalid_amount"),
            (json!({"amount": "0.001", "reason": "x"}), 422, "invalid_amount"),
            (json!({"amount": "1.00"}), 422, "missing_field"),
            (
                json!({"amount": "1.00", "reason": "x", "bank_reference": "T1"}),
                422,
                "invalid_field",
            ),
            (json!({"amount": "1.00", "reason": "x", "colour": "red"}), 422, "unknown_field"),
        ] {
            refund_with(world, &order, &body, "r5").await.expect_problem(status, code);
        }
        let path = format!("/v1/admin/orders/{}/refunds", order.text("order_id"));
        let body = json!({"amount": "1.00", "reason": "x"});
        world.post(&path, "r6", &body).await.expect_problem(403, "missing_scope");
        let nobody = "/v1/admin/orders/ord_00000000000000000000/refunds";
        world.admin_post(nobody, "r7", &body).await.expect_problem(404, "order_not_found");
        world.assert_balances("wallet 0.00, whatsapp 70.00").await;
        assert_eq!(world.provider_calls(MAKE).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_account_gives_nothing_back_until_it_is_free() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        let account = format!("/v1/admin/accounts/{}", world.customer.account);
        drop(world.admin_put(&account, &json!({"status": "frozen"})).await.expect(200));
        refund(world, &order, "1.00", "r1").await.expect_problem(403, "account_frozen");
        // What the provider did is taken as it is.
        drop(dashboard_refund(world, &order, 1_000).await);
        world.assert_balances("wallet 90.00").await;
        drop(world.admin_put(&account, &json!({"status": "active"})).await.expect(200));
        drop(refund(world, &order, "1.00", "r1").await.expect(201));
        world.assert_balances("wallet 89.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_goes_back_at_the_rate_of_its_order_with_its_reference() {
    story(async |world| {
        let order = world.order_offline("wallet", "CNY 720.00", "k1").await.expect(201);
        drop(world.accept(&order, "CNY 720.00", "IN-1", "a1").await.expect(201));
        refund(world, &order, "50.00", "r1").await.expect_problem(422, "missing_field");
        let body = json!({"amount": "50.00", "reason": "sent back", "bank_reference": "OUT-1"});
        let made = refund_with(world, &order, &body, "r1").await.expect(201).json();
        assert_eq!(
            (&made["status"], &made["bank_reference"]),
            (&json!("succeeded"), &json!("OUT-1"))
        );
        assert_eq!((&made["pay_amount"], &made["pay_currency"]), (&json!("360.00"), &json!("CNY")));
        world.assert_balances("wallet 50.00").await;
        let entries = world.get("/v1/entries?limit=1").await.expect(200).json();
        let lines = entries["data"][0]["lines"].as_array().unwrap();
        let bank = lines.iter().find(|line| line["place"] == "external:bank").unwrap();
        assert_eq!((&bank["currency"], &bank["amount"]), (&json!("CNY"), &json!("360.00")));
        assert_eq!(world.provider_calls(MAKE).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_a_transfer_back_is_told_how_much_and_the_parts_are_all_that_arrived() {
    story(async |world| {
        let order = world.order_offline("wallet", "CNY 1000.00", "k1").await.expect(201);
        let before = world.look_up(&order).await.json();
        assert_eq!(left(&before), [Value::Null, Value::Null]);
        drop(world.accept(&order, "CNY 1000.00", "IN-1", "a1").await.expect(201));
        // 1000 at 7.2 are 138.888…, and 138.89 at 7.2 would be 1000.008.
        let parts =
            [("46.30", "92.59", "666.64"), ("46.30", "46.29", "333.28"), ("46.29", "0.00", "0.00")];
        let mut sent = Vec::new();
        for (number, (amount, rest, rest_as_paid)) in parts.into_iter().enumerate() {
            let reference = format!("OUT-{number}");
            let body = json!({"amount": amount, "reason": "back", "bank_reference": reference});
            let made = refund_with(world, &order, &body, &reference).await.expect(201).json();
            sent.push(made["pay_amount"].as_str().unwrap().to_owned());
            let after = world.look_up(&order).await.json();
            assert_eq!(left(&after), [rest, rest_as_paid]);
            assert_eq!(after["refunds"][number]["pay_amount"], made["pay_amount"]);
        }
        assert_eq!(sent, ["333.36", "333.36", "333.28"], "together 1000.00");
    })
    .await;
}

/// What can still be given back of an order: in the account's currency, and in the one that was paid.
fn left(order: &Value) -> [Value; 2] {
    ["refundable_amount", "refundable_pay_amount"].map(|field| order[field].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_outgoing_transfer_is_taken_from_an_order_once_however_many_clerks_book_it() {
    let world = Arc::new(World::start().await);
    let order = world.order_offline("wallet", "USD 100.00", "k1").await.expect(201);
    drop(world.accept(&order, "USD 100.00", "IN-1", "a1").await.expect(201));
    let path = format!("/v1/admin/orders/{}/refunds", order.text("order_id"));
    let bookings = (0..4).map(|clerk| {
        let (world, path) = (Arc::clone(&world), path.clone());
        // As it is printed, or as somebody typed it.
        let reference = if clerk % 2 == 0 { "OUT-79" } else { "out- 79" };
        let wanted = json!({"amount": "25.00", "reason": "x", "bank_reference": reference});
        async move { world.admin_post(&path, &format!("clerk-{clerk}"), &wanted).await.status }
    });
    assert_eq!(all(bookings).await, BTreeMap::from([(201, 1), (409, 3)]));
    world.assert_balances("wallet 75.00").await;
    let again = json!({"amount": "25.00", "reason": "x", "bank_reference": "OUT-79"});
    let again = world.admin_post(&path, "later", &again).await;
    again.expect_problem(409, "refund_reference_used");
    let another = json!({"amount": "25.00", "reason": "x", "bank_reference": "OUT-80"});
    drop(world.admin_post(&path, "another", &another).await.expect(201));
    world.assert_balances("wallet 50.00").await;
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_is_pending_is_set_aside_until_the_provider_tells() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        next_status(world, "pending").await;
        let made = refund(world, &order, "100.00", "r1").await.expect(201);
        assert_eq!(made.text("status"), "pending");
        world.assert_balances("wallet 0.00").await;
        assert_eq!(aside(world).await, "held 100.00, debt 0.00");
        assert_eq!(world.look_up(&order).await.text("status"), "completed");
        world.transfer("whatsapp", "1.00", "t1").await.expect_problem(402, "insufficient_balance");
        // How it stands is answered though the provider does not.
        world.wires.fail("GET /v1/refunds", Fault::LostBefore, usize::MAX);
        assert_eq!(refund(world, &order, "100.00", "r1").await.expect(200).json(), made.json());
        world.wires.heal();
        becomes(world, &provider_id(world, &order).await, "succeeded").await;
        assert_eq!(aside(world).await, "held 0.00, debt 0.00");
        assert_eq!(world.look_up(&order).await.text("status"), "refunded");
        let again = refund(world, &order, "100.00", "r1").await.expect(200);
        assert_eq!(again.text("status"), "succeeded");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_fails_even_late_gives_the_money_back() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        next_status(world, "failed").await;
        let made = refund(world, &order, "30.00", "r1").await.expect(201);
        assert_eq!(
            (made.text("status"), made.json()["failure_reason"].clone()),
            ("failed".into(), json!("declined"))
        );
        world.assert_balances("wallet 100.00").await;
        drop(refund(world, &order, "30.00", "r2").await.expect(201));
        world.assert_balances("wallet 70.00").await;
        world.clock.advance(Duration::from_secs(3 * 24 * 3_600));
        becomes(world, &provider_id(world, &order).await, "failed").await;
        world.assert_balances("wallet 100.00").await;
        let shown = world.look_up(&order).await;
        assert_eq!(
            (shown.text("status"), shown.text("status_reason")),
            ("completed".into(), "refund_returned".into())
        );
        assert_eq!(kinds(world).await.last(), Some(&"refund_returned"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_asked_for_again_with_the_same_key() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        let faults = json!({"next": [{"kind": "lost_response"}]});
        drop(world.control("faults", &faults).await.expect(200));
        let made = refund(world, &order, "25.00", "r1").await.expect(201);
        assert_eq!(made.text("status"), "succeeded");
        let calls = world.provider_requests(MAKE).await;
        assert_eq!(calls[0]["idempotency_key"], calls.last().unwrap()["idempotency_key"]);
        world.assert_balances("wallet 75.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_error_that_stripe_keeps_another_attempt_is_made_only_if_none_is_found() {
    for (fault, status, makes) in [("error_after", "succeeded", 1), ("error_500", "pending", 5)] {
        story(async |world| {
            let order = world.top_up("100.00", "k1").await;
            no_webhooks(world).await;
            drop(world.control("faults", &json!({"next": [{"kind": fault}]})).await.expect(200));
            let made = refund(world, &order, "25.00", "r1").await.expect(201);
            assert_eq!(made.text("status"), status, "{fault}");
            assert_eq!(world.provider_calls(MAKE).await, 1, "{fault}");
            assert_eq!(world.provider_calls(LIST).await, 1, "{fault}");
            // What Stripe did not do at once it may do yet: another key is for later.
            world.clock.advance(A_WHILE);
            let _ = world.sweep().await;
            world.clock.advance(ledger::UNCLEAR_FOR - A_WHILE - Duration::from_millis(1));
            let _ = world.sweep().await;
            let keys = world.provider_requests(MAKE).await;
            let first = |one: &Value| one["idempotency_key"].as_str().unwrap().ends_with(":1");
            assert!(keys.iter().all(first), "{fault}: {keys:?}");
            world.clock.advance(A_WHILE);
            let _ = world.sweep().await;
            assert_eq!(world.look_up(&order).await.text("status"), "partially_refunded", "{fault}");
            assert_eq!(world.provider_calls(MAKE).await, makes, "{fault}");
            world.assert_balances("wallet 75.00").await;
            let money_back = world
                .control(
                    "refunds",
                    &json!({"payment_id": order.text("payment_id"), "amount": 7_501}),
                )
                .await;
            assert_eq!(money_back.status, 422, "only 75.00 are left at the provider");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_which_the_provider_cannot_even_be_asked_is_there_and_waits() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        no_webhooks(world).await;
        let both = json!({"next": [{"kind": "error_500"}, {"kind": "error_500"}]});
        drop(world.control("faults", &both).await.expect(200));
        let made = refund(world, &order, "25.00", "r1").await.expect(201);
        assert_eq!(made.text("status"), "pending");
        drop(world.control("faults", &both).await.expect(200));
        let again = refund(world, &order, "25.00", "r1").await.expect(200);
        assert_eq!(again.text("refund_id"), made.text("refund_id"));
        drop(world.control("faults", &json!({"next": []})).await.expect(200));
        // The first sweep hears again what Stripe keeps under the key, and an hour after it another one asks anew.
        for _ in 0..2 {
            world.clock.advance(ledger::UNCLEAR_FOR + A_WHILE);
            let _ = world.sweep().await;
        }
        assert_eq!(world.look_up(&order).await.text("status"), "partially_refunded");
        world.assert_balances("wallet 75.00").await;
    })
    .await;
}

/// The event of one order says so many dollars, and names a payment that was made in euros.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_the_provider_made_in_another_currency_takes_nothing_and_a_person_must_look()
{
    story(async |world| {
        let euros = world.order("wallet", "100.00", "k1").await.expect(201);
        let path = format!("sessions/{}/pay", euros.session());
        drop(world.control(&path, &json!({"currency": "eur"})).await.expect(200));
        let payment = listed(world, "open").await[0]["payment_id"].clone();
        let order = world.order("wallet", "100.00", "k2").await.expect(201);
        let body = json!({"session_id": order.session(), "payment_id": payment});
        drop(world.control("payments", &body).await.expect(200));
        world.assert_balances("wallet 100.00").await;

        let made = refund(world, &order, "40.00", "r1").await.expect(201);
        assert_eq!(
            (made.text("status"), made.text("failure_reason")),
            ("failed".into(), "currency_differs".into())
        );
        assert_eq!(aside(world).await, "held 0.00, debt 0.00");
        world.assert_balances("wallet 100.00").await;
        let shown = world.look_up(&order).await;
        assert_eq!(shown.text("status"), "completed");
        assert_eq!(shown.json()["refunds"].as_array().map(Vec::len), Some(1));
        let open = listed(world, "open").await;
        assert!(open.iter().any(|one| one["type"] == "reversal_differs"), "{open:?}");
        // Whoever asks again hears the same, and no sweep makes another one.
        let again = refund(world, &order, "40.00", "r1").await.expect(200);
        assert_eq!(again.text("status"), "failed");
        world.clock.advance(A_WHILE);
        assert_eq!(world.sweep().await.refunds, 0);
        assert_eq!(world.provider_calls(MAKE).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_does_not_answer_stays_set_aside_and_the_sweep_ends_it() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        world.wires.fail(MAKE, Fault::LostBefore, usize::MAX);
        let made = refund(world, &order, "100.00", "r1").await.expect(201);
        assert_eq!(made.text("status"), "pending");
        assert_eq!(aside(world).await, "held 100.00, debt 0.00");
        world.wires.heal();
        assert_eq!(world.sweep().await.refunds, 0, "it is left to its own request for a while");
        world.clock.advance(A_WHILE);
        let swept = world.sweep().await;
        assert_eq!((swept.refunds, swept.left), (1, 0));
        assert_eq!(world.look_up(&order).await.text("status"), "refunded");
        assert_eq!(aside(world).await, "held 0.00, debt 0.00");
        assert_eq!(world.sweep().await.refunds, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_whose_end_nobody_told_is_found_out_by_the_sweep() {
    for (end, balances) in [("succeeded", "wallet 0.00"), ("failed", "wallet 100.00")] {
        story(async |world| {
            let order = world.top_up("100.00", "k1").await;
            next_status(world, "pending").await;
            drop(refund(world, &order, "100.00", "r1").await.expect(201));
            no_webhooks(world).await;
            becomes(world, &provider_id(world, &order).await, end).await;
            assert_eq!(aside(world).await, "held 100.00, debt 0.00");
            world.clock.advance(A_WHILE);
            assert_eq!(world.sweep().await.refunds, 1);
            world.assert_balances(balances).await;
            assert_eq!(aside(world).await, "held 0.00, debt 0.00");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_of_one_order_that_one_sweep_finds_are_told_one_after_the_other() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        no_webhooks(world).await;
        for number in 0..6 {
            next_status(world, "pending").await;
            drop(refund(world, &order, "10.00", &format!("r{number}")).await.expect(201));
            becomes(world, &provider_id(world, &order).await, "succeeded").await;
        }
        world.clock.advance(A_WHILE);
        assert_eq!(world.sweep().await.refunds, 1);
        world.assert_balances("wallet 40.00").await;
        world.clock.advance(LISTED_AFTER);
        let events = world.admin_get("/v1/events?limit=100").await.expect(200).json();
        let events = events["data"].as_array().unwrap().iter();
        let told = events.map(|event| event["data"]["refunded_amount"].as_str().unwrap());
        assert_eq!(
            told.collect::<Vec<_>>(),
            ["0.00", "10.00", "20.00", "30.00", "40.00", "50.00", "60.00"]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_stripe_refuses_leaves_the_money_where_it_was() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        no_webhooks(world).await;
        drop(dashboard_refund(world, &order, 10_000).await);
        let made = refund(world, &order, "40.00", "r1").await.expect(201);
        assert_eq!(made.text("status"), "failed");
        let failure = made.text("failure_reason");
        assert!(failure.contains("charge_already_refunded"), "{failure}");
        world.assert_balances("wallet 100.00").await;
        // The dashboard's refund was only not told yet.
        drop(world.control("webhooks", &json!({"mode": "deliver"})).await.expect(200));
        drop(world.control("webhooks/resend", &json!({})).await.expect(200));
        world.until(async || world.look_up(&order).await.text("status") == "refunded").await;
        world.assert_balances("wallet 0.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_in_the_dashboard_beyond_the_balance_is_a_debt_that_the_next_top_up_pays() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        drop(world.transfer("whatsapp", "70.00", "t1").await.expect(201));
        drop(dashboard_refund(world, &order, 10_000).await);
        world.assert_balances("wallet 0.00, whatsapp 70.00").await;
        assert_eq!(aside(world).await, "held 0.00, debt 70.00");
        let shown = world.look_up(&order).await;
        assert_eq!(
            (shown.text("status"), shown.text("refunded_amount")),
            ("refunded".into(), "100.00".into())
        );

        let next = world.top_up("50.00", "k2").await;
        assert_eq!(
            (next.text("credited_amount"), next.text("debt_paid")),
            ("50.00".into(), "50.00".into())
        );
        let next = world.top_up("50.00", "k3").await;
        assert_eq!(
            (next.text("credited_amount"), next.text("debt_paid")),
            ("50.00".into(), "20.00".into())
        );
        world.assert_balances("wallet 30.00, whatsapp 70.00").await;
        assert_eq!(aside(world).await, "held 0.00, debt 0.00");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_webhook_of_a_refund_may_come_again_and_again_and_backwards() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        no_webhooks(world).await;
        next_status(world, "pending").await;
        let made = refund(world, &order, "60.00", "r1").await.expect(201);
        let id = provider_id(world, &order).await;
        becomes(world, &id, "succeeded").await;
        becomes(world, &id, "failed").await;
        drop(dashboard_refund(world, &order, 2_000).await);
        let [mode, times] = [json!({"mode": "reorder"}), json!({"times": 3})];
        drop(world.control("webhooks", &mode).await.expect(200));
        drop(world.control("webhooks/resend", &times).await.expect(200));
        world
            .until(async || {
                let refunds = world.look_up(&order).await.json()["refunds"].clone();
                refunds.as_array().unwrap().len() == 2 && refunds[0]["status"] == "failed"
            })
            .await;
        assert_eq!(refund(world, &order, "60.00", "r1").await.expect(200).json(), {
            let mut shown = made.json();
            shown["status"] = json!("failed");
            shown["failure_reason"] = json!("declined");
            shown
        });
        world.assert_balances("wallet 80.00").await;
        assert_eq!(aside(world).await, "held 0.00, debt 0.00");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_refunds_race_for_the_same_money() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        let asked = (0..6).map(|number| {
            let key = format!("r{number}");
            let order = &order;
            async move { refund(world, order, "30.00", &key).await.status }
        });
        let mut statuses = futures_util::future::join_all(asked).await;
        statuses.sort_unstable();
        assert_eq!(statuses[..3], [201, 201, 201]);
        assert!(statuses[3..].iter().all(|status| [402, 409].contains(status)), "{statuses:?}");
        world.assert_balances("wallet 10.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_refund_asked_for_at_once_is_made_once() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        let asked = (0..6).map(|_| refund(world, &order, "100.00", "r1"));
        let answers = futures_util::future::join_all(asked).await;
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(made, 1);
        assert!(answers.iter().all(|answer| [200, 201].contains(&answer.status)));
        world.assert_balances("wallet 0.00").await;
        let made = world.provider_requests(MAKE).await;
        let keys: std::collections::BTreeSet<String> =
            made.iter().map(|call| call["idempotency_key"].to_string()).collect();
        assert_eq!(keys.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_gives_back_what_it_got_and_the_order_is_found_by_its_status() {
    story(async |world| {
        let order = world.order("whatsapp", "20.00", "k1").await.expect(201);
        drop(world.pay(&order, GOOD_CARD).await.expect(303));
        drop(refund(world, &order, "5.50", "r1").await.expect(201));
        world.assert_balances("wallet 0.00, whatsapp 14.50").await;
        let listed = world.get("/v1/orders?status=partially_refunded").await.expect(200).json();
        assert_eq!(listed["data"][0]["order_id"], order.json()["order_id"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_loses_a_race_for_a_refund_goes_on_from_how_it_stands() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        world.wires.fail(MAKE, Fault::LostBefore, usize::MAX);
        drop(refund(world, &order, "40.00", "r1").await.expect(201));
        world.wires.heal();
        // With nothing else to tell, the sweep writes the order alone.
        world.tell().await;
        world.clock.advance(A_WHILE);
        world.wires.fail(MAKE, Fault::ServerError, 1);
        let _ = world.sweep().await;
        world.clock.advance(ledger::UNCLEAR_FOR);
        // An answer that costs an attempt, and then the attempt cannot be counted.
        world.wires.fail(MAKE, Fault::ServerError, 1);
        let id = order.text("order_id");
        world.wires.fail_about("TransactWriteItems", &id, Fault::Conflict, 1);
        let swept = world.sweep().await;
        assert_eq!((swept.refunds, swept.left), (1, 0));
        world.assert_balances("wallet 60.00").await;
        let made = world.provider_requests(MAKE).await.remove(0);
        assert!(made["idempotency_key"].as_str().unwrap().ends_with(":1"), "{made}");
    })
    .await;
}
