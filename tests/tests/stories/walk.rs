//! The walk that proves it: what a new customer does, step by step, with the amounts as checks.

use serde_json::json;
use tests::story;
use tests::world::{DECLINED_CARD, GOOD_CARD};

#[tokio::test(flavor = "multi_thread")]
async fn the_walk_of_a_new_customer() {
    story(async |world| {
        // 1. A new customer has nothing.
        world.assert_balances("wallet 0.00").await;
        assert_eq!(world.get("/v1/orders").await.expect(200).json()["data"], json!([]));

        // 2. The wallet is topped up by card, and the balance is there when the customer is back.
        let order = world.order("wallet", "100.00", "top-up").await.expect(201);
        assert_eq!(order.text("status"), "pending_payment");
        let back = world.pay(&order, GOOD_CARD).await.expect(303);
        assert!(back.header("location").ends_with(&format!("order_id={}", order.text("order_id"))));
        world.assert_balances("wallet 100.00").await;
        assert_eq!(world.look_up(&order).await.text("status"), "completed");

        // 3. The provider's notice comes five more times; the customer reloads the page.
        let payment = world.look_up(&order).await.text("payment_id");
        for _ in 0..5 {
            let answer = world.deliver(&world.paid_event(&order, &payment)).await.expect(200);
            assert_eq!(answer.text("outcome"), "already_credited");
            assert_eq!(world.look_up(&order).await.text("status"), "completed");
        }
        world.assert_balances("wallet 100.00").await;
        assert_eq!(world.journal("demo").await.1.len(), 1);

        // 4. Money goes from the wallet to WhatsApp, at once.
        let moved = world.transfer("whatsapp", "60", "to-whatsapp").await.expect(201);
        assert_eq!(moved.text("status"), "completed");
        world.assert_balances("wallet 40.00, whatsapp 60.00").await;

        // 5. More than there is: refused, nothing changed, no order.
        let refused = world.transfer("whatsapp", "50", "too-much").await;
        let refused = refused.expect_problem(402, "insufficient_balance");
        assert_eq!(
            (refused.text("available"), refused.text("required")),
            ("40.00".into(), "50.00".into())
        );
        world.assert_balances("wallet 40.00, whatsapp 60.00").await;
        assert_eq!(world.get("/v1/orders").await.json()["data"].as_array().unwrap().len(), 2);

        // 8. A declined card; the same order is paid with a good one.
        let order = world.order("wallet", "30", "second").await.expect(201);
        drop(world.pay(&order, DECLINED_CARD).await);
        world.assert_balances("wallet 40.00, whatsapp 60.00").await;
        let unpaid = world.look_up(&order).await;
        assert_eq!(unpaid.text("status"), "pending_payment");
        drop(world.pay(&unpaid, GOOD_CARD).await.expect(303));
        world.assert_balances("wallet 70.00, whatsapp 60.00").await;
        // Nobody waits for the notice of the refused card.
        let attempts = async || world.look_up(&order).await.json()["attempts"].clone();
        world.until(async || attempts().await.as_array().unwrap().len() == 2).await;
        let paid = world.look_up(&order).await.json();
        assert_eq!(paid["status"], "completed");
        assert_eq!(paid["attempts"][0]["outcome"], "declined");
        assert_eq!(paid["attempts"][0]["decline_code"], "generic_decline");
        assert_eq!(paid["attempts"][1]["outcome"], "succeeded");

        // 9. A product is topped up by card; the wallet is untouched.
        let order = world.order("sms", "20", "sms").await.expect(201);
        drop(world.pay(&order, GOOD_CARD).await.expect(303));
        world.assert_balances("wallet 70.00, whatsapp 60.00, sms 20.00").await;

        // 10. Order Details lists all of it, newest first.
        let orders = world.get("/v1/orders").await.expect(200).json();
        let listed = orders["data"].as_array().unwrap().iter();
        let listed: Vec<_> = listed
            .map(|order| {
                format!(
                    "{} {} {}",
                    order["method"].as_str().unwrap(),
                    order["amount"].as_str().unwrap(),
                    order["status"].as_str().unwrap()
                )
            })
            .collect();
        assert_eq!(
            listed,
            [
                "card 20.00 completed",
                "card 30.00 completed",
                "balance 60.00 completed",
                "card 100.00 completed",
            ]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_not_wanted_any_more_is_cancelled() {
    story(async |world| {
        let order = world.order("wallet", "50", "unwanted").await.expect(201);
        let cancelled = world.cancel(&order.text("order_id")).await.expect(200);
        assert_eq!(cancelled.text("status"), "cancelled");
        assert!(cancelled.json()["checkout_url"].is_null());
        drop(world.pay(&order, GOOD_CARD).await.expect(410));
        assert_eq!(
            world.cancel(&order.text("order_id")).await.expect(200).text("status"),
            "cancelled"
        );
        let again = world.order("wallet", "50", "unwanted").await.expect(200);
        assert_eq!(again.text("status"), "cancelled", "the same key is the same order");
        world.assert_balances("wallet 0.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_was_just_paid_is_credited_instead_of_cancelled() {
    story(async |world| {
        drop(world.control("webhooks", &json!({"mode": "drop"})).await.expect(200));
        let order = world.order("wallet", "50", "paid-unseen").await.expect(201);
        drop(world.pay(&order, GOOD_CARD).await.expect(303));
        world.assert_balances("wallet 0.00").await;
        let refused = world.cancel(&order.text("order_id")).await;
        drop(refused.expect_problem(409, "order_not_cancellable"));
        world.assert_balances("wallet 50.00").await;
        assert_eq!(world.look_up(&order).await.text("status"), "completed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_after_the_order_was_closed_is_credited_and_marked_late() {
    story(async |world| {
        let order = world.order("wallet", "50", "late").await.expect(201);
        drop(world.cancel(&order.text("order_id")).await.expect(200));
        drop(world.deliver(&world.paid_event(&order, "pi_late")).await.expect(200));
        world.assert_balances("wallet 50.00").await;
        let late = world.look_up(&order).await.json();
        assert_eq!(
            (late["status"].as_str(), late["late"].as_bool()),
            (Some("completed"), Some(true))
        );
        assert_eq!(late["status_reason"], "paid_late");
    })
    .await;
}
