//! Money that is asked back when it is spent: nothing can be set aside, and nothing is until the provider
//! says that it is gone.
//!
//! Such a fact moves no money, so that no entry guards the account that it was decided on: whoever writes
//! it down reads the account once more.

use serde_json::json;
use tests::{Answer, Fault, World, story};

use super::{aside, no_webhooks, refund};

/// An order whose money is spent.
async fn spent(world: &World) -> Answer {
    let order = world.top_up("100.00", "k1").await;
    drop(world.transfer("whatsapp", "100.00", "t1").await.expect(201));
    order
}

/// A refund in the dashboard that the bank has not made yet, in cents. Its name at the provider.
async fn ask_back(world: &World, order: &Answer, cents: u64) -> String {
    let payment = order.text("payment_id");
    let body = json!({"payment_id": payment, "amount": cents, "status": "pending"});
    let made = world.control("refunds", &body).await.expect(200).json();
    made["refund"]["id"].as_str().unwrap().to_owned()
}

/// The refunds of the order, oldest first: `40.00 pending`.
async fn refunds(world: &World, order: &Answer) -> Vec<String> {
    let shown = world.look_up(order).await.json();
    let refunds = shown["refunds"].as_array().unwrap().iter();
    let words =
        refunds.map(|one| ["amount", "status"].map(|name| one[name].as_str().unwrap().to_owned()));
    words.map(|words| words.join(" ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_refund_of_spent_money_waits_and_is_a_debt_once_it_is_made() {
    story(async |world| {
        let order = spent(world).await;
        let id = ask_back(world, &order, 4_000).await;
        assert_eq!(refunds(world, &order).await, ["40.00 pending"]);
        assert_eq!(aside(world).await, "held 0.00, debt 0.00");
        let made = json!({"status": "succeeded"});
        drop(world.control(&format!("refunds/{id}"), &made).await.expect(200));
        assert_eq!(refunds(world, &order).await, ["40.00 succeeded"]);
        assert_eq!(aside(world).await, "held 0.00, debt 40.00");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_refund_of_spent_money_is_told_by_the_queue_as_well() {
    story(async |world| {
        let order = spent(world).await;
        world.wires.fail("TransactWriteItems", Fault::ServerError, usize::MAX);
        drop(ask_back(world, &order, 4_000).await);
        assert_eq!(refunds(world, &order).await, [""; 0]);
        world.wires.heal();
        world.drain().await;
        assert_eq!(refunds(world, &order).await, ["40.00 pending"]);
        assert_eq!(aside(world).await, "held 0.00, debt 0.00");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_gives_back_what_came_since_to_an_order_that_lacks_money() {
    story(async |world| {
        let order = spent(world).await;
        drop(ask_back(world, &order, 4_000).await);
        drop(world.top_up("50.00", "k2").await);
        no_webhooks(world).await;
        drop(world.control("refund_status", &json!({"next": ["pending"]})).await.expect(200));
        let made = refund(world, &order, "50.00", "r1").await.expect(201);
        assert_eq!(made.text("status"), "pending");
        assert_eq!(refunds(world, &order).await, ["40.00 pending", "50.00 pending"]);
        assert_eq!(aside(world).await, "held 50.00, debt 0.00");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_notes_a_refund_that_came_and_went_unseen_while_another_waits() {
    story(async |world| {
        let order = spent(world).await;
        drop(ask_back(world, &order, 4_000).await);
        no_webhooks(world).await;
        let body = json!({"payment_id": order.text("payment_id"), "amount": 3_000});
        let made = world.control("refunds", &body).await.expect(200).json();
        let path = format!("refunds/{}", made["refund"]["id"].as_str().unwrap());
        drop(world.control(&path, &json!({"status": "failed"})).await.expect(200));
        assert_eq!(refunds(world, &order).await, ["40.00 pending"]);
        assert!(world.compare().await.is_green());
        assert_eq!(refunds(world, &order).await, ["40.00 pending", "30.00 failed"]);
        assert_eq!(aside(world).await, "held 0.00, debt 0.00");
    })
    .await;
}
