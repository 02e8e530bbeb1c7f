//! Races at the review desk.

use std::collections::BTreeMap;
use std::sync::Arc;

use tests::World;

use crate::races::all;

#[tokio::test(flavor = "multi_thread")]
async fn twenty_operators_accept_one_order_at_once() {
    let world = Arc::new(World::start().await);
    let order = world.order_offline("wallet", "CNY 720.00", "order").await.expect(201);
    drop(world.report(&order, "R-1").await.expect(200));
    let accepts = (0..20).map(|number| {
        let (world, order) = (Arc::clone(&world), order.clone());
        async move {
            let key = format!("operator-{number}");
            let reference = format!("R-{number}");
            let answer = world.accept(&order, "CNY 720.00", &reference, &key).await;
            if answer.status == 409 {
                assert_eq!(answer.text("code"), "already_reviewed");
                assert_eq!(answer.text("reviewed_by"), "demo operator");
            }
            answer.status
        }
    });
    assert_eq!(all(accepts).await, BTreeMap::from([(201, 1), (409, 19)]));
    world.assert_balances("wallet 100.00").await;
    assert_eq!(world.journal("demo").await.1.len(), 1);
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bank_reference_is_accepted_for_two_orders_at_once() {
    for round in 0..8 {
        let world = Arc::new(World::start().await);
        let mut accepts = Vec::new();
        for key in ["one", "other"] {
            let order = world.order_offline("wallet", "USD 100.00", key).await.expect(201);
            let world = Arc::clone(&world);
            accepts.push(async move {
                world.accept(&order, "USD 100.00", "THE-SAME", key).await.status
            });
        }
        assert_eq!(all(accepts).await, BTreeMap::from([(201, 1), (409, 1)]), "round {round}");
        world.assert_balances("wallet 100.00").await;
        world.audit().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_races_a_rejection() {
    for round in 0..8 {
        let world = Arc::new(World::start().await);
        let order = world.order_offline("wallet", "USD 100.00", "order").await.expect(201);
        drop(world.report(&order, "R-1").await.expect(200));
        let (one, other) = (Arc::clone(&world), Arc::clone(&world));
        let (accepted, rejected) = (order.clone(), order.clone());
        let accepting =
            tokio::spawn(async move { one.accept(&accepted, "USD 100.00", "R-1", "a").await });
        let rejecting = tokio::spawn(async move { other.reject(&rejected, "not found").await });
        let (accepted, rejected) = (accepting.await.unwrap(), rejecting.await.unwrap());
        let status = world.look_up(&order).await.text("status");
        match (accepted.status, rejected.status) {
            (201, 409) => assert_eq!(status, "completed"),
            (409, 200) => assert_eq!(status, "rejected"),
            // One after the other: what was rejected can be accepted.
            (201, 200) => assert_eq!(status, "completed"),
            other => panic!("round {round}: {other:?}"),
        }
        let credited = if status == "completed" { "wallet 100.00" } else { "wallet 0.00" };
        world.assert_balances(credited).await;
        world.audit().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_races_transfers_of_the_same_account() {
    let world = Arc::new(World::start().await);
    drop(world.top_up("20", "funds").await);
    let order = world.order_offline("wallet", "USD 100.00", "order").await.expect(201);
    let accepting = {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.accept(&order, "USD 100.00", "R-1", "a").await.status })
    };
    let transfers = (0..12).map(|number| {
        let world = Arc::clone(&world);
        async move { world.transfer("sms", "1", &format!("race-{number}")).await.status }
    });
    assert_eq!(all(transfers).await, BTreeMap::from([(201, 12)]));
    assert_eq!(accepting.await.unwrap(), 201);
    world.assert_balances("wallet 108.00, sms 12.00").await;
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_races_the_end_of_its_order() {
    for round in 0..6 {
        let world = Arc::new(World::start().await);
        let order = world.order_offline("wallet", "USD 100.00", "order").await.expect(201);
        world.clock.advance(std::time::Duration::from_secs(7 * 24 * 3_600 + 1));
        let (one, other, told) = (Arc::clone(&world), Arc::clone(&world), order.clone());
        let body = serde_json::json!({
            "payer_name": "Li Lei", "bank_reference": "R-1", "paid_on": "2026-11-24",
            "amount": "100.00",
        });
        let reporting = tokio::spawn(async move { one.report_with(&told, &body).await.status });
        let sweeping = tokio::spawn(async move { other.sweep().await.recorded });
        let (reported, swept) = (reporting.await.unwrap(), sweeping.await.unwrap());
        let status = world.look_up(&order).await.text("status");
        match (reported, swept) {
            (200, 0) => assert_eq!(status, "pending_review", "round {round}"),
            (409, 1) => assert_eq!(status, "expired", "round {round}"),
            other => panic!("round {round}: {other:?} {status}"),
        }
    }
}
