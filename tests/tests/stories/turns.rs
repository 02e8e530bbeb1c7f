//! A sweep whose time is up: what it leaves has its turn in the next, whatever else waits.

use std::time::Duration;

use serde_json::json;
use service::sweep::Swept;
use tests::{Fault, World, story};

use super::back::refund;
use super::sweep::{no_webhooks, paid_unseen};

const LIST_REFUNDS: &str = "GET /v1/refunds";
/// Longer than an order, or a refund, is left to its webhook.
const A_WHILE: Duration = Duration::from_secs(5 * 60);
const A_DAY: Duration = Duration::from_secs(24 * 3_600);

/// A sweep that does one page of each of its parts.
async fn sweep_without_time(world: &World) -> Swept {
    let sweeps = &world.cloud.functions.reconcile.0;
    sweeps.run(Duration::ZERO, world.clock.now()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_whose_time_is_up_goes_on_where_it_stopped() {
    story(async |world| {
        no_webhooks(world).await;
        for number in 0..40 {
            drop(paid_unseen(world, "10", &format!("order-{number}")).await);
        }
        world.clock.advance(A_WHILE);
        let mut credited = 0;
        // As many pages as there are shards, and one shard may have two.
        for run in 0..17 {
            let swept = sweep_without_time(world).await;
            assert!(swept.looked_at <= 16 && !swept.complete, "one page: {swept:?}");
            credited += swept.credited;
            // What comes meanwhile has its turn, and keeps nobody from theirs.
            drop(world.order("wallet", "10", &format!("new-{run}")).await.expect(201));
        }
        assert_eq!(credited, 40);
        world.clock.advance(A_WHILE);
        let swept = world.sweep().await;
        assert_eq!((swept.looked_at, swept.told, swept.complete), (17, 40, true));
        let again = Swept { told: 0, ..swept };
        assert_eq!(world.sweep().await, again, "from the beginning again");
        world.assert_balances("wallet 400.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_that_hang_keep_no_other_from_its_turn() {
    story(async |world| {
        // Two pages of sixteen and one more.
        let next = vec!["pending"; 33];
        drop(world.control("refund_status", &json!({"next": next})).await.expect(200));
        for number in 0..33 {
            let order = world.top_up("10.00", &format!("order-{number}")).await;
            let made = refund(world, &order, "5.00", &format!("refund-{number}")).await;
            assert_eq!(made.expect(201).text("status"), "pending");
        }
        world.clock.advance(A_WHILE);
        for looks in [16, 32, 33, 49] {
            sweep_without_time(world).await;
            assert_eq!(world.provider_calls(LIST_REFUNDS).await, looks);
        }
        assert!(world.sweep().await.complete);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_a_busy_account_was_not_told_is_told_by_one_sweep() {
    story(async |world| {
        const ORDERS: u32 = 352;
        no_webhooks(world).await;
        for number in 0..ORDERS {
            drop(world.order("wallet", "10", &format!("order-{number}")).await.expect(201));
        }
        world.clock.advance(A_DAY);
        world.wires.fail("SendMessageBatch", Fault::ServerError, usize::MAX);
        let swept = world.sweep().await;
        assert_eq!((swept.recorded, swept.left), (ORDERS, 0), "{swept:?}");
        world.wires.heal();
        world.clock.advance(A_WHILE);
        let first = sweep_without_time(world).await;
        assert!(first.told <= 16 && !first.complete, "one page: {first:?}");
        let rest = world.sweep().await;
        assert_eq!((rest.told, rest.complete), (ORDERS - first.told, true));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_that_nobody_reported_are_closed_by_later_sweeps_if_time_is_up() {
    story(async |world| {
        for number in 0..60 {
            let made =
                world.order_offline("wallet", "USD 100.00", &format!("order-{number}")).await;
            drop(made.expect(201));
        }
        world.clock.advance(A_DAY * 30);
        let first = sweep_without_time(world).await;
        assert!(first.recorded <= 50 && !first.complete, "one page: {first:?}");
        let rest = world.sweep().await;
        assert_eq!((rest.recorded, rest.complete), (60 - first.recorded, true));
    })
    .await;
}
