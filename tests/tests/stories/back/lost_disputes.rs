//! Disputes that were lost, and whose money came back all the same: what else goes back, or returns, is for a person.

use serde_json::{Value, json};
use tests::{Answer, Fault, World, story};

use super::{DAY, act, becomes, dashboard_refund, dispute, event, listed, webhooks};

/// A dispute ends, and the webhooks tell it.
async fn ends(world: &World, dispute: &Value, outcome: &str) -> Value {
    let path = format!("disputes/{}", dispute["id"].as_str().unwrap());
    let ended = world.control(&path, &json!({"outcome": outcome})).await.expect(200).json();
    world.drain().await;
    ended["dispute"].clone()
}

/// A comparison of the day, once its movements are over.
async fn compared(world: &World) -> bool {
    let run = world.compare().await;
    world.clock.advance(DAY);
    run.is_green()
}

/// What a person must look at: the type, what it is about, and how much moved.
async fn to_look_at(world: &World, about: &str) -> String {
    let found = listed(world, "open").await;
    let of = |one: &&Value| one["reversal_id"] == about;
    let Some(one) = found.iter().find(of) else { return "nothing".to_owned() };
    let text = |value: &Value| value.as_str().unwrap_or("null").to_owned();
    format!("{} {}", text(&one["type"]), text(&one["actual"]["amount"]))
}

async fn adjusted(world: &World, amount: &str, key: &str) {
    let path = format!("/v1/admin/accounts/{}/adjustments", world.customer.account);
    let body =
        json!({"balance": "wallet", "amount": amount, "reason": "the dispute was taken back"});
    drop(world.admin_post(&path, key, &body).await.expect(201));
}

#[tokio::test(flavor = "multi_thread")]
async fn that_a_dispute_was_lost_is_told_after_its_money_came_back() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        let opened = dispute(world, &order, "open").await;
        world.drain().await;
        webhooks(world, "drop").await;
        let lost = ends(world, &opened, "lost").await;
        webhooks(world, "deliver").await;
        let id = opened["id"].as_str().unwrap();
        drop(ends(world, &opened, "won").await);
        world.assert_balances("wallet 100.00").await;
        assert!(compared(world).await);
        // A dead letter is sent again: the books take what Stripe has given back.
        let mut told = lost.clone();
        told["status"] = json!("lost");
        let late = event(world, "charge.dispute.closed", &told);
        for _ in 0..2 {
            drop(world.deliver(&late).await.expect(200));
            world.drain().await;
            world.assert_balances("wallet 0.00").await;
            assert_eq!(to_look_at(world, id).await, "reversal_differs 100.00");
        }
        let found = listed(world, "open").await.remove(0);
        assert_eq!(found["order_id"], order.json()["order_id"]);
    })
    .await;
}

/// An order whose dispute was lost after so much of it was refunded, and came back: what a person had to give back is given.
async fn settled(world: &World, cents: u64, kept: &str) -> (Answer, String) {
    let order = world.top_up("100.00", "k1").await;
    let refund = match cents {
        0 => Value::Null,
        cents => dashboard_refund(world, &order, cents).await,
    };
    world.clock.advance(DAY);
    let lost = dispute(world, &order, "lost").await;
    world.drain().await;
    world.clock.advance(DAY);
    drop(ends(world, &lost, "won").await);
    assert!(!compared(world).await);
    adjusted(world, kept, "a1").await;
    let found = listed(world, "open").await.remove(0);
    drop(act(world, &found, "resolve", &json!({"reason": "adjusted"})).await.expect(200));
    world.assert_balances(&format!("wallet {kept}")).await;
    (order, refund["id"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_fails_after_the_money_of_a_lost_dispute_came_back_is_for_a_person() {
    story(async |world| {
        let (_, refund) = settled(world, 6_000, "40.00").await;
        becomes(world, &refund, "failed").await;
        world.drain().await;
        // The dispute counts for all of it, so that nothing comes back here.
        world.assert_balances("wallet 40.00").await;
        assert_eq!(to_look_at(world, &refund).await, "reversal_differs 60.00");
        assert!(!compared(world).await);
        assert_eq!(listed(world, "open").await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_dies_over_a_refund_which_a_lost_dispute_hides_keeps_both_or_neither() {
    story(async |world| {
        let (_, refund) = settled(world, 6_000, "40.00").await;
        // Whatever writes the finding is cut off, until the last try of the queue.
        world.wires.fail_about("TransactWriteItems", "FINDING#", Fault::LostBefore, 8);
        becomes(world, &refund, "failed").await;
        world.drain().await;
        world.wires.heal();
        drop(world.control("webhooks/resend", &json!({})).await.expect(200));
        world.drain().await;
        assert_eq!(to_look_at(world, &refund).await, "reversal_differs 60.00");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_is_made_after_the_money_of_a_lost_dispute_came_back_is_for_a_person() {
    story(async |world| {
        let (order, _) = settled(world, 0, "100.00").await;
        let made = dashboard_refund(world, &order, 2_500).await;
        world.drain().await;
        world.assert_balances("wallet 100.00").await;
        let refund = made["id"].as_str().unwrap();
        assert_eq!(to_look_at(world, refund).await, "reversal_differs 25.00");
        let run = world.compare().await;
        let path = format!("/v1/admin/reconciliations/{}", run.id());
        let report = world.admin_get(&path).await.expect(200).json();
        assert_eq!(report["drift"], json!([{"currency": "USD", "amount": "-25.00"}]));
        adjusted(world, "-25.00", "a2").await;
        let found = listed(world, "open").await.remove(0);
        drop(act(world, &found, "resolve", &json!({"reason": "taken out"})).await.expect(200));
        assert!(world.compare().await.is_green());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_failed_and_is_not_known_any_more_took_nothing() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        let made = dashboard_refund(world, &order, 3_000).await;
        world.drain().await;
        becomes(world, made["id"].as_str().unwrap(), "failed").await;
        world.drain().await;
        world.assert_balances("wallet 100.00").await;
        drop(world.control("forget", &json!({"id": made["id"]})).await.expect(200));
        assert!(world.compare().await.is_green());
        assert!(listed(world, "open").await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_a_refund_that_a_person_has_looked_at_is_told_once_more() {
    story(async |world| {
        let (order, _) = settled(world, 0, "100.00").await;
        let made = dashboard_refund(world, &order, 4_000).await;
        world.drain().await;
        adjusted(world, "-40.00", "a2").await;
        let found = listed(world, "open").await.remove(0);
        drop(act(world, &found, "resolve", &json!({"reason": "taken out"})).await.expect(200));
        // It fails: what was taken out is the customer's again.
        let refund = made["id"].as_str().unwrap();
        becomes(world, refund, "failed").await;
        world.drain().await;
        world.assert_balances("wallet 60.00").await;
        assert_eq!(to_look_at(world, refund).await, "reversal_differs 40.00");
        // One that was never made moved nothing anywhere.
        let asks =
            json!({"payment_id": order.text("payment_id"), "amount": 1_000, "status": "pending"});
        let pending = world.control("refunds", &asks).await.expect(200).json();
        world.drain().await;
        let pending = pending["refund"]["id"].as_str().unwrap();
        becomes(world, pending, "failed").await;
        world.drain().await;
        assert_eq!(to_look_at(world, pending).await, "nothing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_refund_that_moved_in_part_a_finding_says_how_much_did() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        let payment = order.text("payment_id");
        let asks = json!({"payment_id": payment, "outcome": "lost", "amount": 6_000});
        let lost = world.control("disputes", &asks).await.expect(200).json()["dispute"].clone();
        world.drain().await;
        world.clock.advance(DAY);
        drop(ends(world, &lost, "won").await);
        drop(dashboard_refund(world, &order, 3_000).await);
        world.drain().await;
        world.assert_balances("wallet 10.00").await;
        let made = dashboard_refund(world, &order, 4_000).await;
        world.drain().await;
        world.assert_balances("wallet 0.00").await;
        let found = listed(world, "open").await;
        let found = found.iter().find(|one| one["reversal_id"] == made["id"]).unwrap();
        let sides = (&found["expected"]["amount"], &found["actual"]["amount"]);
        assert_eq!(sides, (&json!("10.00"), &json!("40.00")), "{found}");
        // Of the drift of that day only the rest is this one's.
        let refund = made["id"].as_str().unwrap();
        let run = world.compare().await;
        let id = found["finding_id"].as_str().unwrap();
        let named = run.report.findings.iter().find(|named| named.id == id).unwrap();
        assert_eq!(named.drift.get("USD"), Some(&-3_000), "{refund} in {named:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_a_dispute_was_lost_of_which_nothing_is_kept_is_for_nobody_whenever_it_is_told() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        drop(dashboard_refund(world, &order, 10_000).await);
        world.drain().await;
        let opened = dispute(world, &order, "open").await;
        let lost = ends(world, &opened, "lost").await;
        drop(ends(world, &opened, "won").await);
        let mut told = lost.clone();
        told["status"] = json!("lost");
        drop(world.deliver(&event(world, "charge.dispute.closed", &told)).await.expect(200));
        world.drain().await;
        world.assert_balances("wallet 0.00").await;
        assert!(listed(world, "open").await.is_empty());
    })
    .await;
}
