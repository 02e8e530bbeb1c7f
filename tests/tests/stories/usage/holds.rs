//! Holds: money is set aside, and then captured, released, or free again because its time is over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tests::{Answer, Fault, World, story};

use super::{TIME, capture, charge, hold, journal, release, sms, with_sms};
use crate::races::all;

async fn status(world: &World, hold: &Answer) -> String {
    let path = format!("/v1/holds/{}", hold.text("hold_id"));
    world.get(&path).await.expect(200).text("status")
}

/// The time of every hold passes.
fn time_passes(world: &World) {
    world.clock.advance(Duration::from_secs(TIME));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_paid_out_of_money_that_was_set_aside_for_it() {
    story(async |world| {
        with_sms(world).await;
        let body = json!({
            "product": "sms", "amount": "10", "expires_in": TIME, "description": "a call",
            "metadata": {"call": "c-1"},
        });
        let placed = world.post("/v1/holds", "h1", &body).await.expect(201);
        let shown = placed.json();
        let texts = ["status", "amount", "captured_amount", "remaining_amount", "description"];
        let texts = texts.map(|name| shown[name].as_str().unwrap());
        assert_eq!(texts, ["open", "10.00", "0.00", "10.00", "a call"]);
        assert_eq!(shown["closed_at"], json!(null));
        assert!(world.post("/v1/holds", "h1", &body).await.expect(200).is_replay());
        assert_eq!(sms(world).await, "90.00 and 10.00 held");
        charge(world, "sms", "90.01", "c").await.expect_problem(402, "insufficient_balance");

        let first = capture(world, &placed, "4.25", false, "m1").await.expect(201).json();
        assert_eq!(first["hold_id"], shown["hold_id"]);
        assert_eq!(first["hold"]["remaining_amount"], "5.75");
        assert_eq!(sms(world).await, "90.00 and 5.75 held");
        let too_much = capture(world, &placed, "5.750001", false, "m2").await;
        let too_much = too_much.expect_problem(409, "capture_too_large");
        assert_eq!(
            (too_much.text("available"), too_much.text("required")),
            ("5.75".into(), "5.750001".into())
        );
        let last = capture(world, &placed, "0.75", true, "m2").await.expect(201).json();
        let end = ["status", "captured_amount", "remaining_amount"];
        let end = end.map(|name| last["hold"][name].as_str().unwrap());
        assert_eq!(end, ["captured", "5.00", "0.00"]);
        assert_eq!(sms(world).await, "95.00 and 0.00 held");
        assert_eq!(
            journal(world).await[..3],
            [
                "hold_captured: product:sms 5.00, product:sms:held -5.75, external:usage 0.75",
                "hold_captured: product:sms:held -4.25, external:usage 4.25",
                "hold_placed: product:sms -10.00, product:sms:held 10.00",
            ]
        );
        // Each key captured once, and says so also after the end.
        let again = capture(world, &placed, "4.25", false, "m1").await.expect(200);
        assert!(again.is_replay());
        assert_eq!(again.json()["hold"]["status"], "captured");
        capture(world, &placed, "4.25", true, "m1")
            .await
            .expect_problem(409, "idempotency_key_reused");
        capture(world, &placed, "4", false, "m1")
            .await
            .expect_problem(409, "idempotency_key_reused");
        let path = format!("/v1/charges/{}", first["charge_id"].as_str().unwrap());
        assert_eq!(world.get(&path).await.expect(200).json()["hold_id"], shown["hold_id"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_is_not_needed_is_released() {
    story(async |world| {
        with_sms(world).await;
        let placed = hold(world, "100", "h1").await.expect(201);
        hold(world, "0.000001", "h2").await.expect_problem(402, "insufficient_balance");
        // Who means to give up a part of it is told that it is all or nothing.
        let path = format!("/v1/holds/{}/release", placed.text("hold_id"));
        let part = world.post(&path, "unused", &json!({"amount": "2.00"})).await;
        assert_eq!(part.expect_problem(422, "unknown_field").text("field"), "amount");
        assert_eq!(sms(world).await, "0.00 and 100.00 held");
        let released = release(world, &placed).await.expect(200);
        assert_eq!(released.text("status"), "released");
        assert_eq!(release(world, &placed).await.expect(200).json(), released.json());
        assert_eq!(sms(world).await, "100.00 and 0.00 held");
        capture(world, &placed, "1", false, "c").await.expect_problem(409, "hold_closed");
        assert_eq!(
            journal(world).await[0],
            "hold_released: product:sms 100.00, product:sms:held -100.00"
        );
        // What was captured for the last time is not released.
        let used = hold(world, "5", "h3").await.expect(201);
        drop(capture(world, &used, "5", false, "c").await.expect(201));
        release(world, &used).await.expect_problem(409, "hold_closed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_hold_is_free_when_its_time_is_over_whether_or_not_anything_runs() {
    story(async |world| {
        with_sms(world).await;
        let forgotten = hold(world, "60", "h1").await.expect(201);
        time_passes(world);
        // Nothing has run, and the balance says what can be used.
        assert_eq!(sms(world).await, "100.00 and 0.00 held");
        let shown = world.get(&format!("/v1/holds/{}", forgotten.text("hold_id"))).await;
        let shown = shown.expect(200).json();
        assert_eq!(
            (&shown["status"], &shown["closed_at"]),
            (&json!("expired"), &shown["expires_at"])
        );
        assert_eq!(shown["remaining_amount"], "0.00");
        capture(world, &forgotten, "1", false, "c").await.expect_problem(409, "hold_closed");
        assert_eq!(release(world, &forgotten).await.expect(200).text("status"), "expired");
        assert_eq!(world.journal("demo").await.1.len(), 2);
        // The next commit releases the money first.
        drop(charge(world, "sms", "100", "all").await.expect(201));
        assert_eq!(
            journal(world).await[..2],
            [
                "charge: product:sms -100.00, external:usage 100.00",
                "hold_expired: product:sms 60.00, product:sms:held -60.00",
            ]
        );
        assert_eq!(status(world, &forgotten).await, "expired");
        // The sweep writes it down, once, without another entry.
        assert_eq!(world.sweep().await.holds, 1);
        assert_eq!(world.sweep().await.holds, 0);
        assert_eq!(world.journal("demo").await.1.len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_releases_what_nobody_used() {
    story(async |world| {
        with_sms(world).await;
        let mut holds = Vec::new();
        for number in 0..5 {
            holds.push(hold(world, "10", &format!("h{number}")).await.expect(201));
        }
        assert_eq!(world.sweep().await.holds, 0);
        time_passes(world);
        assert_eq!(world.sweep().await.holds, 5);
        assert_eq!(sms(world).await, "100.00 and 0.00 held");
        let (account, entries) = world.journal("demo").await;
        // One entry for all of them, that names each.
        assert_eq!((entries.len(), account.holds.len()), (7, 0));
        assert_eq!(entries[6].document_id.split(' ').count(), 5);
        for hold in &holds {
            assert_eq!(status(world, hold).await, "expired");
        }
        assert_eq!(world.verify_whole().await.broken, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_may_take_what_an_expired_hold_kept() {
    story(async |world| {
        with_sms(world).await;
        let orders = world.get("/v1/orders").await.expect(200).json();
        let path =
            format!("/v1/admin/orders/{}/refunds", orders["data"][0]["order_id"].as_str().unwrap());
        drop(hold(world, "60", "h1").await.expect(201));
        let body = json!({"amount": "100.00", "reason": "asked for it"});
        let refused = world.admin_post(&path, "r1", &body).await;
        let refused = refused.expect_problem(402, "insufficient_balance");
        assert_eq!(refused.text("available"), "40.00");
        time_passes(world);
        drop(world.admin_post(&path, "r1", &body).await.expect(201));
        assert_eq!(sms(world).await, "0.00 and 0.00 held");
        assert_eq!(world.sweep().await.holds, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_are_listed_newest_first_as_they_stand() {
    story(async |world| {
        with_sms(world).await;
        let captured = hold(world, "1", "h1").await.expect(201);
        drop(capture(world, &captured, "1", false, "c").await.expect(201));
        let released = hold(world, "2", "h2").await.expect(201);
        drop(release(world, &released).await.expect(200));
        drop(hold(world, "3", "h3").await.expect(201));
        time_passes(world);
        drop(hold(world, "4", "h4").await.expect(201));
        let listed = async |query: &str| {
            let page = world.get(&format!("/v1/holds{query}")).await.expect(200).json();
            let shown = page["data"].as_array().unwrap().iter().map(|hold| {
                let text = |name: &str| hold[name].as_str().unwrap().to_owned();
                format!("{} {}", text("amount"), text("status"))
            });
            (shown.collect::<Vec<_>>().join(", "), page["next_cursor"].clone())
        };
        let all = "4.00 open, 3.00 expired, 2.00 released, 1.00 captured";
        assert_eq!(listed("").await, (all.to_owned(), json!(null)));
        for status in ["open", "expired", "released", "captured"] {
            let (shown, _) = listed(&format!("?status={status}")).await;
            assert!(shown.ends_with(status) && !shown.contains(','), "{shown}");
        }
        let (first, next) = listed("?limit=2").await;
        assert_eq!(first, "4.00 open, 3.00 expired");
        let (second, _) = listed(&format!("?limit=2&cursor={}", next.as_str().unwrap())).await;
        assert_eq!(second, "2.00 released, 1.00 captured");
        world.get("/v1/holds?status=lost").await.expect_problem(422, "invalid_parameter");
        let cursor = next.as_str().unwrap();
        let other = format!("/v1/holds?limit=2&status=open&cursor={cursor}");
        world.get(&other).await.expect_problem(400, "invalid_cursor");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_sees_holds_and_charges_of_an_account_as_its_customer_does() {
    story(async |world| {
        with_sms(world).await;
        let placed = hold(world, "3", "h1").await.expect(201);
        let captured = capture(world, &placed, "1", false, "c1").await.expect(201);
        let forgotten = hold(world, "2", "h2").await.expect(201);
        time_passes(world);
        let kept = hold(world, "4", "h3").await.expect(201);
        let paths = [
            format!("/holds/{}", forgotten.text("hold_id")),
            format!("/holds/{}", kept.text("hold_id")),
            format!("/charges/{}", captured.text("charge_id")),
            "/holds".to_owned(),
            "/holds?status=expired".to_owned(),
        ];
        for path in &paths {
            let shown = world.get(&format!("/v1{path}")).await.expect(200).json();
            let seen = world.admin_get(&format!("/v1/admin/accounts/demo{path}")).await;
            assert_eq!(seen.expect(200).json(), shown, "{path}");
        }
        let first = world.admin_get("/v1/admin/accounts/demo/holds?limit=1").await.expect(200);
        assert_eq!(first.json()["data"][0]["hold_id"], kept.json()["hold_id"]);
        let next =
            format!("/v1/admin/accounts/demo/holds?limit=1&cursor={}", first.text("next_cursor"));
        let second = world.admin_get(&next).await.expect(200).json();
        assert_eq!(second["data"][0]["hold_id"], forgotten.json()["hold_id"]);
        // Of another account they are not, and of an account that is none there is nothing.
        drop(world.new_customer("other").await);
        for path in &paths[..3] {
            let path = format!("/v1/admin/accounts/other{path}");
            world.admin_get(&path).await.expect_problem(404, "not_found");
        }
        let theirs = world.admin_get("/v1/admin/accounts/other/holds").await.expect(200).json();
        assert_eq!(theirs["data"], json!([]));
        world.admin_get("/v1/admin/accounts/nobody/holds").await.expect_problem(404, "not_found");
        let refused = world.admin_get("/v1/admin/accounts/demo/holds?status=lost").await;
        refused.expect_problem(422, "invalid_parameter");
        let refused = world.admin_get("/v1/admin/accounts/demo/charges/nonsense").await;
        refused.expect_problem(404, "not_found");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_hold_changes_nothing() {
    story(async |world| {
        with_sms(world).await;
        for (time, code) in [
            (json!(59), "invalid_field"),
            (json!(2_678_401), "invalid_field"),
            (json!(-1), "invalid_field"),
            (json!(60.5), "invalid_field"),
            (json!("900"), "invalid_field"),
            (json!(null), "missing_field"),
        ] {
            let body = json!({"product": "sms", "amount": "1", "expires_in": time});
            let refused = world.post("/v1/holds", "bad", &body).await.expect_problem(422, code);
            assert_eq!(refused.text("field"), "expires_in");
        }
        let body = json!({"product": "pigeons", "amount": "1", "expires_in": TIME});
        world.post("/v1/holds", "bad", &body).await.expect_problem(422, "unknown_product");
        let placed = hold(world, "1", "h1").await.expect(201);
        let other = json!({"product": "sms", "amount": "1", "expires_in": TIME + 1});
        world.post("/v1/holds", "h1", &other).await.expect_problem(409, "idempotency_key_reused");
        // Nobody else's, and nothing that is none.
        let stranger = world.new_customer("other").await;
        let path = format!("/v1/holds/{}", placed.text("hold_id"));
        world.get_as(&stranger.key, &path).await.expect_problem(404, "not_found");
        for (what, body) in [("capture", json!({"amount": "1"})), ("release", json!({}))] {
            let path = format!("{path}/{what}");
            let refused = world.post_as(&stranger.key, &path, "k", &body).await;
            refused.expect_problem(404, "not_found");
            let path = format!("/v1/holds/nonsense/{what}");
            world.post(&path, "k", &body).await.expect_problem(404, "not_found");
        }
        assert_eq!(sms(world).await, "99.00 and 1.00 held");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_can_have_a_hundred_open_holds() {
    story(async |world| {
        with_sms(world).await;
        for number in 0..100 {
            drop(hold(world, "0.01", &format!("h{number}")).await.expect(201));
        }
        let refused = hold(world, "0.01", "one-more").await;
        refused.expect_problem(409, "too_many_holds");
        time_passes(world);
        // All hundred are released by the next commit, in one entry.
        drop(hold(world, "100", "one-more").await.expect(201));
        assert_eq!(world.journal("demo").await.1.len(), 103);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_was_set_aside_is_captured_from_a_frozen_account_too() {
    story(async |world| {
        with_sms(world).await;
        let placed = hold(world, "10", "h1").await.expect(201);
        let frozen = json!({"name": "demo", "currency": "USD", "status": "frozen"});
        drop(world.admin_put("/v1/admin/accounts/demo", &frozen).await.expect(200));
        hold(world, "1", "h2").await.expect_problem(403, "account_frozen");
        drop(capture(world, &placed, "4", false, "c1").await.expect(201));
        drop(release(world, &placed).await.expect(200));
        assert_eq!(sms(world).await, "96.00 and 0.00 held");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_captures_race_for_a_hold_of_twenty_five() {
    let world = Arc::new(World::start().await);
    with_sms(&world).await;
    let placed = hold(&world, "25", "h1").await.expect(201);
    let captures = (0..40).map(|number| {
        let (world, placed) = (Arc::clone(&world), placed.clone());
        async move {
            loop {
                let key = format!("race-{number}");
                match capture(&world, &placed, "1", false, &key).await.status {
                    503 => {}
                    200 => return 201,
                    status => return status,
                }
            }
        }
    });
    assert_eq!(all(captures).await, BTreeMap::from([(201, 25), (409, 15)]));
    assert_eq!(sms(&world).await, "75.00 and 0.00 held");
    assert_eq!(status(&world, &placed).await, "captured");
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn captures_race_with_the_end_of_the_hold_and_the_sweep() {
    let world = Arc::new(World::start().await);
    with_sms(&world).await;
    let placed = hold(&world, "50", "h1").await.expect(201);
    // Every request takes ten milliseconds of the story: the time is over somewhere in between.
    world.clock.advance(Duration::from_secs(TIME) - Duration::from_millis(120));
    let captures = (0..24).map(|number| {
        let (world, placed) = (Arc::clone(&world), placed.clone());
        async move {
            if number % 6 == 5 {
                let _ = world.sweep().await;
                return 200;
            }
            loop {
                let key = format!("race-{number}");
                match capture(&world, &placed, "1", false, &key).await.status {
                    503 => {}
                    200 => return 201,
                    status => return status,
                }
            }
        }
    });
    let statuses = all(captures).await;
    let captured = statuses.get(&201).copied().unwrap_or_default();
    let closed = statuses.get(&409).copied().unwrap_or_default();
    assert_eq!(captured + closed, 20, "{statuses:?}");
    time_passes(&world);
    let _ = world.sweep().await;
    assert_eq!(sms(&world).await, format!("{}.00 and 0.00 held", 100 - captured));
    assert_eq!(status(&world, &placed).await, "expired");
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_about_a_hold_can_be_lost() {
    for fault in [Fault::LostAfter, Fault::LostBefore] {
        story(async |world| {
            with_sms(world).await;
            let lose = || world.wires.fail("TransactWriteItems", fault, usize::MAX);
            lose();
            hold(world, "10", "h1").await.expect_problem(503, "unavailable");
            world.wires.heal();
            let placed = hold(world, "10", "h1").await;
            assert_eq!(placed.status, if fault == Fault::LostAfter { 200 } else { 201 });
            lose();
            capture(world, &placed, "4", false, "c1").await.expect_problem(503, "unavailable");
            world.wires.heal();
            drop(capture(world, &placed, "4", false, "c1").await);
            assert_eq!(sms(world).await, "90.00 and 6.00 held");
            lose();
            release(world, &placed).await.expect_problem(503, "unavailable");
            world.wires.heal();
            assert_eq!(release(world, &placed).await.expect(200).text("status"), "released");
            assert_eq!(sms(world).await, "96.00 and 0.00 held");
        })
        .await;
    }
}
