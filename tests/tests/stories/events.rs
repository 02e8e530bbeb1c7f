//! What the platform is told: events that are written with what they are about, and listed to be read
//! after one another.

use std::time::Duration;

use serde_json::{Value, json};
use service::events::LISTED_AFTER;
use service::keys::Scope;
use tests::http::Answer;
use tests::world::GOOD_CARD;
use tests::{World, story};

/// Everything that has happened is old enough to be listed.
fn time_passes(world: &World) {
    world.clock.advance(LISTED_AFTER + Duration::from_secs(1));
}

/// The events after one, oldest first.
async fn events(world: &World, query: &str) -> Vec<Value> {
    let page = world.admin_get(&format!("/v1/events?limit=100{query}")).await.expect(200).json();
    page["data"].as_array().unwrap().clone()
}

/// `order.completed: completed wallet 100.00`, or what of it there is.
fn in_words(event: &Value) -> String {
    let word = |name: &str| event["data"][name].as_str();
    let words = ["status", "target", "amount", "refunded_amount", "available"].map(word);
    let words = words.into_iter().flatten().collect::<Vec<_>>().join(" ");
    format!("{}: {words}", event["type"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_thing_that_the_platform_is_told_of_is_an_event_once() {
    story(async |world| {
        let order = world.order("wallet", "100.00", "paid").await.expect(201);
        drop(world.pay(&order, GOOD_CARD).await.expect(303));
        // What is told again is not an event again.
        drop(world.deliver(&world.paid_event(&order, "pi_other")).await);
        drop(world.transfer("sms", "30", "move").await.expect(201));
        let rule = json!({"alert_below": "25"});
        drop(world.put("/v1/products/sms/thresholds", &rule).await.expect(200));
        let hold = json!({"product": "sms", "amount": "10", "expires_in": 60});
        drop(world.post("/v1/holds", "hold", &hold).await.expect(201));
        let offline = world.order_offline("wallet", "USD 140", "offline").await.expect(201);
        drop(world.report(&offline, "ref 1").await.expect(200));
        drop(world.reject(&offline, "not found").await.expect(200));
        let refund = json!({"amount": "60.00", "reason": "goodwill"});
        let path = format!("/v1/admin/orders/{}/refunds", order.text("order_id"));
        drop(world.admin_post(&path, "refund", &refund).await.expect(201));
        drop(world.order("wallet", "70.00", "forgotten").await.expect(201));
        world.clock.advance(Duration::from_secs(26 * 3_600));
        assert!(world.sweep().await.complete);
        time_passes(world);
        let listed = events(world, "").await;
        let mut told: Vec<_> = listed.iter().map(in_words).collect();
        told.sort();
        assert_eq!(
            told,
            [
                "balance.low: product:sms 20.00",
                "hold.expired: expired product:sms 10.00",
                "order.completed: completed product:sms 30.00 0.00",
                "order.completed: completed wallet 100.00 0.00",
                "order.expired: expired wallet 70.00",
                "order.refunded: partially_refunded wallet 100.00 60.00",
                "order.rejected: rejected wallet 140.00",
            ],
            "{listed:#?}"
        );
        let first = &listed[0];
        assert_eq!(first["data"]["order_id"].as_str(), Some(order.text("order_id").as_str()));
        assert_eq!(first["account_id"], "demo");
        // No personal data and no words of the client are told.
        let text = serde_json::to_string(&listed).unwrap();
        assert!(!text.contains('@') && !text.contains("goodwill") && !text.contains("ref 1"));
        // Another sweep tells nothing again.
        assert!(world.sweep().await.complete);
        time_passes(world);
        assert_eq!(events(world, "").await, listed);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_is_told_where_a_dispute_stands_whenever_that_changes() {
    story(async |world| {
        let (asked, taken) = (world.top_up("10.00", "1").await, world.top_up("100.00", "2").await);
        let stands = async |order: &Answer, status: &str| {
            let shown = async || world.look_up(order).await.json()["disputes"][0].clone();
            world.until(async || shown().await["status"] == status).await;
            shown().await["dispute_id"].as_str().unwrap().to_owned()
        };
        for (order, inquiry, statuses, end) in [
            (&asked, true, ["inquiry", "closed"], "won"),
            (&taken, false, ["withdrawn", "lost"], "lost"),
        ] {
            let payment = order.text("payment_id");
            let asks = json!({"payment_id": payment, "outcome": "open", "inquiry": inquiry});
            drop(world.control("disputes", &asks).await.expect(200));
            let dispute = stands(order, statuses[0]).await;
            let ends = json!({"outcome": end});
            drop(world.control(&format!("disputes/{dispute}"), &ends).await.expect(200));
            stands(order, statuses[1]).await;
        }
        // What the comparison finds as it is known is not told again.
        drop(world.compare().await);
        time_passes(world);
        let listed = events(world, "").await;
        let disputed = listed.iter().filter(|event| event["type"] == "order.disputed");
        let told: Vec<_> = disputed.collect();
        let of = |event: &Value, name: &str| event["data"][name].as_str().unwrap().to_owned();
        let statuses = told.iter().map(|event| of(event, "dispute_status"));
        let mut statuses: Vec<_> = statuses.collect();
        // The events of its opening may come in any order.
        statuses.retain(|status| status != "open");
        assert_eq!(statuses, ["inquiry", "closed", "withdrawn", "lost"], "{listed:#?}");
        let last = told.last().unwrap();
        assert_eq!(of(last, "dispute_id"), stands(&taken, "lost").await);
        assert_eq!(of(last, "dispute_reason"), "fraudulent");
        assert_eq!(of(last, "disputed_amount"), "100.00");
        assert_eq!(of(last, "order_id"), taken.text("order_id"));
        assert_eq!(of(last, "status"), "completed");
        assert_eq!(last["account_id"], "demo");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_lost_a_race_and_knows_an_earlier_time_is_told_of_after_the_winner() {
    story(async |world| {
        let order = world.top_up("100.00", "paid").await;
        let path = format!("/v1/admin/orders/{}/refunds", order.text("order_id"));
        let now = world.clock.unix_millis();
        for (late, amount) in [(5, "40.00"), (7, "25.00")] {
            world.clock.set(now - late);
            let refund = json!({"amount": amount, "reason": "goodwill"});
            drop(world.admin_post(&path, amount, &refund).await.expect(201));
        }
        world.clock.set(now);
        time_passes(world);
        let listed = events(world, "").await;
        let told: Vec<_> = listed.iter().map(in_words).collect();
        assert_eq!(
            told,
            [
                "order.completed: completed wallet 100.00 0.00",
                "order.refunded: partially_refunded wallet 100.00 40.00",
                "order.refunded: partially_refunded wallet 100.00 65.00",
            ]
        );
        let shown = world.look_up(&order).await.json();
        let timeline = shown["timeline"].as_array().unwrap();
        assert!(timeline.is_sorted_by_key(|change| change["at"].as_str().map(str::to_owned)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_on_after_the_last_event_reads_each_one_once() {
    story(async |world| {
        drop(world.top_up("100.00", "funds").await);
        let other = world.new_customer("other").await;
        let body = json!({"target": "wallet", "method": "card", "amount": "20.00"});
        let theirs = world.post_as(&other.key, "/v1/orders", "theirs", &body).await.expect(201);
        drop(world.pay(&theirs, GOOD_CARD).await.expect(303));
        for number in 0..9 {
            drop(world.transfer("sms", "1", &format!("t-{number}")).await.expect(201));
        }
        // What is young may still get an older neighbour, and is not listed.
        assert_eq!(events(world, "").await, Vec::<Value>::new());
        time_passes(world);
        let all = events(world, "").await;
        assert_eq!(all.len(), 11);
        assert!(all.is_sorted_by_key(|event| event["timestamp"].as_str().map(str::to_owned)));
        assert!(all.iter().any(|event| event["account_id"] == "other"));
        let (mut read, mut after) = (Vec::new(), String::new());
        for _ in 0..4 {
            let page = world.admin_get(&format!("/v1/events?limit=3{after}")).await.expect(200);
            let page = page.json();
            read.extend(page["data"].as_array().unwrap().clone());
            if let Some(next) = page["next_after"].as_str() {
                assert_eq!(Some(next), read.last().and_then(|last| last["id"].as_str()));
            }
            after = format!("&after={}", read.last().unwrap()["id"].as_str().unwrap());
        }
        assert_eq!(read, all);
        // Later the reader goes on from there.
        assert_eq!(events(world, &after).await, Vec::<Value>::new());
        drop(world.transfer("sms", "2", "later").await.expect(201));
        time_passes(world);
        let later = events(world, &after).await;
        assert_eq!(later.iter().map(in_words).collect::<Vec<_>>().len(), 1);
        assert_eq!(in_words(&later[0]), "order.completed: completed product:sms 2.00 0.00");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_the_operators_and_nonsense_is_refused() {
    story(async |world| {
        drop(world.get("/v1/events").await.expect_problem(403, "missing_scope"));
        let money = world.new_key(None, &[Scope::OperatorMoney], |key| key).await;
        drop(world.get_as(&money, "/v1/events").await.expect_problem(403, "missing_scope"));
        for query in ["after=evt_00000000000000000000", "after=nonsense", "limit=0", "limit=101"] {
            let refused = world.admin_get(&format!("/v1/events?{query}")).await;
            drop(refused.expect_problem(422, "invalid_parameter"));
        }
        let refused = world.admin_get("/v1/events?account=demo").await;
        drop(refused.expect_problem(422, "unknown_field"));
    })
    .await;
}
