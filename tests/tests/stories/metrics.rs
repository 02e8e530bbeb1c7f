//! The figures that alarms watch, as CloudWatch reads them out of the log.

use std::time::Duration;

use serde_json::{Value, json};
use tests::story;
use tests::world::GOOD_CARD;

/// The values of a metric that were logged since a place in the log, by this dimension.
fn logged(since: usize, name: &str, of: Option<&str>) -> Vec<Value> {
    let logs = tests::logs::so_far();
    let lines = logs.get(since..).unwrap_or_default().lines();
    let lines = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let metrics = lines.filter(|line| line["_aws"].is_object() && line["type"].as_str() == of);
    metrics.filter_map(|line| line.get(name).cloned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_a_figure() {
    story(async |world| {
        let since = tests::logs::so_far().len();
        let order = world.order("wallet", "100.00", "k1").await.expect(201);
        drop(world.control("webhooks", &json!({"mode": "drop"})).await.expect(200));
        drop(world.pay(&order, GOOD_CARD).await.expect(303));
        drop(world.deliver(&world.paid_event(&order, "pi_nobody_paid")).await.expect(200));
        world.clock.advance(Duration::from_secs(14 * 3_600));
        drop(
            world
                .cloud
                .functions
                .compare_payments
                .handle(&json!({}), world.clock.now())
                .await
                .unwrap(),
        );
        drop(
            world
                .cloud
                .functions
                .compare_payments
                .handle(&json!({}), world.clock.now())
                .await
                .unwrap(),
        );
        // Other stories log beside this one: what is here is at least there.
        assert!(!logged(since, "time_to_credit", None).is_empty());
        let open = logged(since, "findings_open", Some("credited_not_paid"));
        assert!(open.contains(&json!(1)), "{open:?}");
        let all = logged(since, "findings_open", Some("all"));
        assert!(all.contains(&json!(2)), "{all:?}");
        // 100.00 that were paid and are a duplicate, and 100.00 that nobody paid.
        let drift = logged(since, "reconciliation_drift", None);
        assert!(!drift.is_empty(), "{drift:?}");
    })
    .await;
}
