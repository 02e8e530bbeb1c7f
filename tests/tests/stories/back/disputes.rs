//! Disputes: the bank of the cardholder asks a payment back.

use serde_json::json;
use tests::story;

use super::{aside, dashboard_refund, dispute, kinds, no_webhooks, refund};

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_takes_what_is_left_and_the_rest_is_owed() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        drop(world.transfer("whatsapp", "70.00", "t1").await.expect(201));
        let opened = dispute(world, &order, "open").await;
        world.assert_balances("wallet 0.00, whatsapp 70.00").await;
        assert_eq!(aside(world).await, "held 0.00, debt 70.00");
        let shown = world.look_up(&order).await.json();
        assert_eq!(shown["status"], "completed");
        assert_eq!(shown["disputes"][0]["status"], "withdrawn");
        assert_eq!(shown["disputes"][0]["dispute_id"], opened["id"]);
        let refused = refund(world, &order, "1.00", "r1").await;
        assert_eq!(refused.expect_problem(409, "refund_too_large").json()["available"], "0.00");

        let path = format!("disputes/{}", opened["id"].as_str().unwrap());
        drop(world.control(&path, &json!({"outcome": "won"})).await.expect(200));
        world.assert_balances("wallet 30.00, whatsapp 70.00").await;
        assert_eq!(aside(world).await, "held 0.00, debt 0.00");
        assert_eq!(world.look_up(&order).await.json()["disputes"][0]["status"], "won");
        // The events of its opening may come in any order.
        let entries = kinds(world).await;
        assert!(entries.ends_with(&["dispute_taken", "dispute_returned"]), "{entries:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_dispute_stays_taken_and_an_inquiry_only_marks() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        drop(dispute(world, &order, "lost").await);
        world.assert_balances("wallet 0.00").await;
        assert_eq!(world.look_up(&order).await.json()["disputes"][0]["status"], "lost");

        let other = world.top_up("50.00", "k2").await;
        let body =
            json!({"payment_id": other.text("payment_id"), "outcome": "open", "inquiry": true});
        let asked = world.control("disputes", &body).await.expect(200).json();
        world.assert_balances("wallet 50.00").await;
        let status = async || world.look_up(&other).await.json()["disputes"][0]["status"].clone();
        assert_eq!(status().await, "inquiry");
        let answered = format!("disputes/{}", asked["dispute"]["id"].as_str().unwrap());
        drop(world.control(&answered, &json!({"outcome": "won"})).await.expect(200));
        world.until(async || status().await == "closed").await;
        world.assert_balances("wallet 50.00").await;
        drop(refund(world, &other, "50.00", "r1").await.expect(201));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_and_a_dispute_together_take_no_more_than_the_order_gave() {
    story(async |world| {
        drop(world.top_up("500.00", "k0").await);
        let order = world.top_up("100.00", "k1").await;
        drop(dashboard_refund(world, &order, 6_000).await);
        drop(dispute(world, &order, "lost").await);
        world.assert_balances("wallet 500.00").await;
        assert_eq!(aside(world).await, "held 0.00, debt 0.00");
        let shown = world.look_up(&order).await;
        let taken = ["refunded_amount", "taken_back_amount"].map(|field| shown.text(field));
        assert_eq!(taken, ["60.00", "100.00"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_dispute_in_any_order_end_in_the_same_balances() {
    for mode in ["reorder", "duplicate", "deliver"] {
        story(async |world| {
            let order = world.top_up("100.00", "k1").await;
            drop(world.transfer("whatsapp", "45.00", "t1").await.expect(201));
            no_webhooks(world).await;
            drop(dashboard_refund(world, &order, 1_000).await);
            drop(dispute(world, &order, "won").await);
            world.assert_balances("wallet 55.00, whatsapp 45.00").await;
            drop(world.control("webhooks", &json!({"mode": mode})).await.expect(200));
            drop(world.control("webhooks/resend", &json!({"times": 2})).await.expect(200));
            world
                .until(async || {
                    let shown = world.look_up(&order).await.json();
                    shown["refunds"][0]["status"] == "succeeded"
                        && shown["disputes"][0]["status"] == "won"
                })
                .await;
            world.assert_balances("wallet 45.00, whatsapp 45.00").await;
            assert_eq!(aside(world).await, "held 0.00, debt 0.00");
        })
        .await;
    }
}
