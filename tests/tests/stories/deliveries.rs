//! The platform is told: signed, again and again until it takes an event, and never where it must not be.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use ledger::{EventId, OrderId};
use serde_json::{Value, json};
use service::delivery::WAITS;
use service::events::LISTED_AFTER;
use tests::http::Answer;
use tests::receiver::Received;
use tests::world::Item;
use tests::{Fault, Manner, Receiver, World, story};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// An endpoint of the platform, which is told of everything.
async fn endpoint(world: &World, name: &str, receiver: &Receiver) -> Answer {
    let body = json!({"url": receiver.url});
    world.admin_put(&format!("/v1/admin/endpoints/{name}"), &body).await.expect(200)
}

async fn shown(world: &World, name: &str) -> Value {
    let page = world.admin_get("/v1/admin/endpoints").await.expect(200).json();
    let mut all = page["data"].as_array().unwrap().iter();
    all.find(|one| one["endpoint_id"] == name).cloned().unwrap_or_default()
}

/// Something that the platform is told of: an order that is completed.
async fn something_happens(world: &World) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let key = format!("order-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    drop(world.top_up("50", &key).await);
}

fn types(received: &[Received]) -> Vec<String> {
    let name = |one: &Received| one.json()["type"].as_str().unwrap().to_owned();
    received.iter().map(name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_sent_at_once_and_signed_so_that_the_receiver_can_check_it() {
    story(async |world| {
        let receiver = Receiver::start().await;
        let made = endpoint(world, "shop", &receiver).await;
        something_happens(world).await;
        drop(world.transfer("sms", "1", "move").await.expect(201));
        world.tell().await;
        let received = receiver.received();
        assert_eq!(types(&received), ["order.completed", "order.completed"]);
        let one = &received[0];
        assert_eq!(one.path, "/events");
        assert_eq!(one.header("content-type"), "application/json");
        assert_eq!(one.header("webhook-id"), one.json()["id"].as_str().unwrap());
        assert_eq!(one.header("webhook-timestamp"), "1795435200");
        assert!(one.is_signed_with(&made.text("secret")), "{:?}", one.headers);
        assert!(!one.is_signed_with("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
        // What is sent is what is listed.
        world.clock.advance(LISTED_AFTER + Duration::from_secs(1));
        let listed = world.admin_get("/v1/events").await.expect(200).json();
        let listed = listed["data"].as_array().unwrap();
        assert!(listed.contains(&one.json()), "{listed:#?}");
        // Nothing is sent again, by a message that comes twice or by a sweep.
        world.enqueue_event(&json!({"event_id": one.header("webhook-id")}).to_string()).await;
        assert_eq!(world.sweep().await.told, 0);
        world.tell().await;
        assert!(receiver.received().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_was_down_is_told_when_it_is_back() {
    story(async |world| {
        let receiver = Receiver::start().await;
        endpoint(world, "shop", &receiver).await;
        receiver.behave(Manner::Answers(500));
        something_happens(world).await;
        world.tell().await;
        let first = receiver.received();
        assert_eq!(types(&first), ["order.completed"]);
        // The waits up to a quarter of an hour are the queue's, the longer ones the sweep's.
        for wait in WAITS {
            world.clock.advance(wait - Duration::from_secs(1));
            assert_eq!(world.sweep().await.told, 0, "{wait:?}");
            world.tell().await;
            assert!(receiver.received().is_empty(), "before {wait:?}");
            world.clock.advance(Duration::from_secs(1));
            let swept = world.sweep().await.told;
            assert_eq!(swept, u32::from(wait > 15 * MINUTE), "{wait:?}");
            world.tell().await;
            let again = receiver.received();
            assert_eq!(types(&again), ["order.completed"], "after {wait:?}");
            // The receiver knows it by its id, and sees when it was sent.
            assert_eq!(again[0].header("webhook-id"), first[0].header("webhook-id"));
            assert_eq!(again[0].body, first[0].body);
            assert_ne!(again[0].header("webhook-timestamp"), first[0].header("webhook-timestamp"));
            if wait == WAITS[3] {
                receiver.behave(Manner::Answers(204));
            }
            if wait == WAITS[4] {
                break;
            }
        }
        world.clock.advance(2 * DAY);
        assert_eq!(world.sweep().await.told, 0);
        world.tell().await;
        assert!(receiver.received().is_empty());
        assert!(shown(world, "shop").await["failing_since"].is_null());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_given_up_after_eight_attempts_and_stays_in_the_list() {
    story(async |world| {
        let receiver = Receiver::start().await;
        endpoint(world, "shop", &receiver).await;
        receiver.behave(Manner::Answers(503));
        something_happens(world).await;
        world.tell().await;
        for wait in WAITS {
            world.clock.advance(wait);
            world.sweep().await;
            world.tell().await;
        }
        assert_eq!(receiver.received().len(), 8);
        receiver.behave(Manner::Answers(200));
        world.clock.advance(2 * DAY);
        assert_eq!(world.sweep().await.told, 0);
        world.tell().await;
        assert!(receiver.received().is_empty());
        let listed = world.admin_get("/v1/events").await.expect(200).json();
        assert_eq!(listed["data"][0]["type"], "order.completed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_hangs_or_redirects_did_not_take_it_and_holds_up_no_other() {
    story(async |world| {
        let (slow, elsewhere, well) =
            (Receiver::start().await, Receiver::start().await, Receiver::start().await);
        for (name, receiver) in [("slow", &slow), ("elsewhere", &elsewhere), ("well", &well)] {
            endpoint(world, name, receiver).await;
        }
        slow.behave(Manner::Hangs);
        elsewhere.behave(Manner::Answers(307));
        something_happens(world).await;
        world.tell().await;
        assert_eq!(types(&well.received()), ["order.completed"]);
        let redirected = elsewhere.received();
        assert_eq!(redirected.len(), 1, "a redirect is not followed: {redirected:?}");
        assert_eq!(slow.received().len(), 1);
        slow.behave(Manner::Answers(200));
        elsewhere.behave(Manner::Answers(200));
        world.clock.advance(WAITS[0]);
        world.tell().await;
        assert_eq!(types(&slow.received()), ["order.completed"]);
        assert_eq!(types(&elsewhere.received()), ["order.completed"]);
        assert!(well.received().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_queue_the_sweep_tells() {
    story(async |world| {
        let receiver = Receiver::start().await;
        endpoint(world, "shop", &receiver).await;
        world.wires.fail("SendMessageBatch", Fault::ServerError, 50);
        // The commit has happened: whoever asked for it is told so.
        something_happens(world).await;
        world.wires.heal();
        world.tell().await;
        assert!(receiver.received().is_empty());
        assert_eq!(world.sweep().await.told, 0, "its time with the queue is not over");
        world.clock.advance(MINUTE);
        assert_eq!(world.sweep().await.told, 1);
        assert_eq!(world.sweep().await.told, 0, "the queue is not filled with the same again");
        world.tell().await;
        assert_eq!(types(&receiver.received()), ["order.completed"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_lost_is_found_by_the_sweep() {
    story(async |world| {
        let receiver = Receiver::start().await;
        endpoint(world, "shop", &receiver).await;
        something_happens(world).await;
        // The function takes it, and dies with what it knows.
        world.wires.fail("GetItem", Fault::ServerError, 50);
        world.tell().await;
        world.wires.heal();
        assert!(receiver.received().is_empty());
        world.clock.advance(MINUTE);
        assert_eq!(world.sweep().await.told, 1);
        world.tell().await;
        // The message that failed has come back too: the receiver knows an event by its id.
        let received = receiver.received();
        assert!(matches!(received.len(), 1 | 2), "{:?}", types(&received));
        let first = received[0].header("webhook-id");
        assert!(received.iter().all(|one| one.header("webhook-id") == first));
        assert_eq!(world.dead_events().await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_fails_for_five_days_is_switched_off_and_the_others_are_told_of_it() {
    story(async |world| {
        let (broken, well) = (Receiver::start().await, Receiver::start().await);
        endpoint(world, "broken", &broken).await;
        endpoint(world, "well", &well).await;
        broken.behave(Manner::Answers(500));
        for day in 0..=5 {
            something_happens(world).await;
            world.tell().await;
            let state = shown(world, "broken").await;
            assert_eq!(state["enabled"], day < 5, "day {day}: {state}");
            let since = state["failing_since"].as_str().unwrap();
            assert!(
                since.starts_with("2026-11-23T12:00:00"),
                "the first failure, not the last: {since}"
            );
            if day < 5 {
                world.clock.advance(DAY);
            }
        }
        let state = shown(world, "broken").await;
        assert_eq!(state["disabled_reason"], "failing");
        drop(broken.received());
        let told = well.received();
        let off: Vec<_> =
            told.iter().filter(|one| one.json()["type"] == "endpoint.disabled").collect();
        assert_eq!(off.len(), 1, "{:?}", types(&told));
        assert_eq!(off[0].json()["data"]["endpoint_id"], "broken");
        assert!(off[0].json()["account_id"].is_null());
        // Nothing is sent to it any more, not even what waited.
        world.clock.advance(DAY);
        world.sweep().await;
        something_happens(world).await;
        world.tell().await;
        assert!(broken.received().is_empty());
        // Switched on again it is told of what happens from then on; what it missed is in the list.
        broken.behave(Manner::Answers(200));
        let on = endpoint(world, "broken", &broken).await.json();
        assert_eq!((&on["enabled"], &on["failing_since"]), (&json!(true), &Value::Null));
        something_happens(world).await;
        world.tell().await;
        assert_eq!(types(&broken.received()), ["order.completed"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_says_it_is_gone_is_switched_off_at_once() {
    story(async |world| {
        let receiver = Receiver::start().await;
        endpoint(world, "shop", &receiver).await;
        receiver.behave(Manner::Answers(410));
        something_happens(world).await;
        world.tell().await;
        let state = shown(world, "shop").await;
        assert_eq!((&state["enabled"], &state["disabled_reason"]), (&json!(false), &json!("gone")));
        assert_eq!(receiver.received().len(), 1);
        world.clock.advance(DAY);
        assert_eq!(world.sweep().await.told, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_endpoint_before_it_answers_late_is_nothing_of_the_one_of_its_name() {
    story(async |world| {
        let receiver = Receiver::start().await;
        endpoint(world, "shop", &receiver).await;
        receiver.behave(Manner::Waits);
        something_happens(world).await;
        let remade = async {
            world.until(async || receiver.has_received()).await;
            drop(world.admin_delete("/v1/admin/endpoints/shop").await.expect(200));
            endpoint(world, "shop", &receiver).await;
            receiver.behave(Manner::Answers(410));
        };
        let ((), ()) = tokio::join!(world.tell(), remade);
        assert_eq!(shown(world, "shop").await["enabled"], true);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_secret_is_rotated_both_sign() {
    story(async |world| {
        let receiver = Receiver::start().await;
        let old = endpoint(world, "shop", &receiver).await.text("secret");
        let path = "/v1/admin/endpoints/shop/rotate";
        let rotated = world.admin_post(path, "unused", &json!({})).await.expect(200);
        let new = rotated.text("secret");
        assert_ne!(old, new);
        let again = world.admin_post(path, "unused", &json!({})).await.expect(409);
        assert_eq!(again.text("code"), "rotation_in_progress");
        something_happens(world).await;
        world.tell().await;
        let both = receiver.received();
        assert!(both[0].is_signed_with(&old) && both[0].is_signed_with(&new));
        world.clock.advance(DAY);
        something_happens(world).await;
        world.tell().await;
        let one = receiver.received();
        assert!(!one[0].is_signed_with(&old) && one[0].is_signed_with(&new));
        // The secret is shown to whoever makes the endpoint what it is, and in no list.
        assert_eq!(endpoint(world, "shop", &receiver).await.text("secret"), new);
        assert!(shown(world, "shop").await.get("secret").is_none());
        // One that is made again has another one.
        drop(world.admin_delete("/v1/admin/endpoints/shop").await.expect(200));
        assert_ne!(endpoint(world, "shop", &receiver).await.text("secret"), new);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_made_again_under_a_name_is_not_told_what_the_one_before_waited_for() {
    story(async |world| {
        let (before, after) = (Receiver::start().await, Receiver::start().await);
        endpoint(world, "shop", &before).await;
        before.behave(Manner::Answers(500));
        something_happens(world).await;
        world.tell().await;
        drop(world.admin_delete("/v1/admin/endpoints/shop").await.expect(200));
        endpoint(world, "shop", &after).await;
        world.clock.advance(WAITS[0]);
        world.tell().await;
        assert!(after.received().is_empty(), "it was not there when this happened");
        assert_eq!(before.received().len(), 1);
        something_happens(world).await;
        world.tell().await;
        assert_eq!(types(&after.received()), ["order.completed"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_sent_only_what_it_wants() {
    story(async |world| {
        let (picky, off) = (Receiver::start().await, Receiver::start().await);
        let body = json!({"url": picky.url, "types": ["balance.low", "order.refunded"]});
        drop(world.admin_put("/v1/admin/endpoints/picky", &body).await.expect(200));
        let body = json!({"url": off.url, "enabled": false});
        drop(world.admin_put("/v1/admin/endpoints/off", &body).await.expect(200));
        something_happens(world).await;
        drop(world.put("/v1/wallet/thresholds", &json!({"alert_below": "100"})).await.expect(200));
        world.tell().await;
        assert_eq!(types(&picky.received()), ["balance.low"]);
        assert!(off.received().is_empty());
        world.clock.advance(DAY);
        assert_eq!(world.sweep().await.told, 0, "nothing waits");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_of_a_newer_program_keeps_what_it_wants_and_stops_no_other() {
    story(async |world| {
        let (newer, older) = (Receiver::start().await, Receiver::start().await);
        endpoint(world, "newer", &newer).await;
        endpoint(world, "older", &older).await;
        let told_of = AttributeValue::L(vec![AttributeValue::S("order.of_tomorrow".to_owned())]);
        let newer_stored = |mut item: Item| {
            let AttributeValue::L(endpoints) = item.get_mut("endpoints")? else { return None };
            let AttributeValue::M(first) = endpoints.first_mut()? else { return None };
            drop(first.insert("kinds".to_owned(), told_of.clone()));
            Some(item)
        };
        drop(world.damage("ENDPOINTS", "ENDPOINTS", newer_stored).await);
        something_happens(world).await;
        world.tell().await;
        assert_eq!(types(&older.received()), ["order.completed"]);
        assert!(newer.received().is_empty());
        // Whatever is done about another one, it is still told of that; until its operator says otherwise.
        drop(
            world.admin_post("/v1/admin/endpoints/older/rotate", "r", &json!({})).await.expect(200),
        );
        assert_eq!(shown(world, "newer").await["types"], json!(["order.of_tomorrow"]));
        endpoint(world, "newer", &newer).await;
        something_happens(world).await;
        world.tell().await;
        assert_eq!(types(&newer.received()), ["order.completed"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_newer_program_is_sent_and_listed_and_hides_no_other() {
    story(async |world| {
        let receiver = Receiver::start().await;
        endpoint(world, "shop", &receiver).await;
        let order = world.top_up("50", "newer").await;
        let id = OrderId::parse(&order.text("order_id")).unwrap();
        let stored = format!("EVENT#{}", EventId::of_change(&id, 1));
        let of_tomorrow = |mut item: Item| {
            let kind = AttributeValue::S("order.of_tomorrow".to_owned());
            item.insert("kind".to_owned(), kind).map(|_| item)
        };
        drop(world.damage(&stored, "EVENT", of_tomorrow).await);
        something_happens(world).await;
        world.tell().await;
        let mut sent = types(&receiver.received());
        sent.sort();
        assert_eq!(sent, ["order.completed", "order.of_tomorrow"]);
        world.clock.advance(LISTED_AFTER + Duration::from_secs(1));
        let listed = world.admin_get("/v1/events").await.expect(200).json();
        let listed = listed["data"].as_array().unwrap().iter();
        let listed: Vec<_> = listed.map(|one| one["type"].as_str().unwrap()).collect();
        assert_eq!(listed, ["order.of_tomorrow", "order.completed"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_says_what_comes_of_it_and_leaves_nothing_behind() {
    story(async |world| {
        let receiver = Receiver::start().await;
        let secret = endpoint(world, "shop", &receiver).await.text("secret");
        let path = "/v1/admin/endpoints/shop/test";
        let sent = world.admin_post(path, "test", &json!({})).await.expect(200).json();
        assert_eq!(sent, json!({"delivered": true, "outcome": "HTTP 200"}));
        let received = receiver.received();
        assert_eq!(types(&received), ["endpoint.test"]);
        assert!(received[0].is_signed_with(&secret));
        receiver.behave(Manner::Answers(302));
        let sent = world.admin_post(path, "again", &json!({})).await.expect(200).json();
        assert_eq!(sent, json!({"delivered": false, "outcome": "HTTP 302"}));
        drop(receiver);
        let sent = world.admin_post(path, "down", &json!({})).await.expect(200).json();
        assert_eq!(sent["delivered"], false);
        assert!(sent["outcome"].as_str().unwrap().starts_with("not reached: "), "{sent}");
        world.clock.advance(DAY);
        assert_eq!(world.admin_get("/v1/events").await.expect(200).json()["data"], json!([]));
        assert!(shown(world, "shop").await["failing_since"].is_null());
        let missing = world.admin_post("/v1/admin/endpoints/other/test", "x", &json!({})).await;
        assert_eq!(missing.status, 404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_into_a_network_of_ones_own_is_not_sent_to() {
    story(async |world| {
        // As everywhere, 'localhost' is this machine; a deployment does not even take its name.
        let receiver = Receiver::start().await;
        let port = receiver.url.trim_end_matches("/events").rsplit(':').next().unwrap();
        for (url, status) in [
            (format!("http://localhost:{port}/events"), 200),
            ("http://10.0.0.1/".to_owned(), 422),
            ("https://169.254.169.254/latest/meta-data".to_owned(), 422),
            ("https://[::ffff:7f00:1]/".to_owned(), 422),
            ("http://platform.example/".to_owned(), 422),
            ("https://user:word@platform.example/".to_owned(), 422),
            ("file:///etc/passwd".to_owned(), 422),
        ] {
            let answer = world.admin_put("/v1/admin/endpoints/shop", &json!({"url": url})).await;
            assert_eq!(answer.status, status, "{url}: {}", answer.json());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_are_few_named_and_the_operators_own() {
    story(async |world| {
        let receiver = Receiver::start().await;
        for number in 1..=8 {
            endpoint(world, &format!("shop-{number}"), &receiver).await;
        }
        let body = json!({"url": receiver.url});
        let ninth = world.admin_put("/v1/admin/endpoints/shop-9", &body).await.expect(409);
        assert_eq!(ninth.text("code"), "too_many_endpoints");
        // One that is there can still be changed.
        endpoint(world, "shop-8", &receiver).await;
        drop(world.admin_delete("/v1/admin/endpoints/shop-1").await.expect(200));
        drop(world.admin_delete("/v1/admin/endpoints/shop-1").await.expect(404));
        for (path, body, field) in [
            ("Shop!", json!({"url": receiver.url}), "endpoint_id"),
            ("shop", json!({"url": receiver.url, "types": ["order.paid"]}), "types"),
            ("shop", json!({"url": receiver.url, "secret": "mine"}), "secret"),
            ("shop", json!({}), "url"),
        ] {
            let refused = world.admin_put(&format!("/v1/admin/endpoints/{path}"), &body).await;
            assert_eq!((refused.status, refused.text("field").as_str()), (422, field), "{body}");
        }
        let customer = world.put("/v1/admin/endpoints/shop", &body).await;
        assert_eq!(customer.status, 403);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_about_an_event_that_a_restored_table_forgot_is_done() {
    story(async |world| {
        let forgotten = format!("evt_{}", "0".repeat(20));
        world.enqueue_event(&json!({"event_id": forgotten}).to_string()).await;
        for _ in 0..12 {
            world.tell().await;
            world.clock.advance(MINUTE);
        }
        assert_eq!(world.dead_events().await, 0);
        let logs = tests::logs::so_far();
        assert_eq!(logs.lines().filter(|line| line.contains(&forgotten)).count(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_none_ends_among_the_dead_letters() {
    story(async |world| {
        for body in ["{}", "not json", r#"{"event_id":"evt_000000000000000000000"}"#] {
            world.enqueue_event(body).await;
        }
        for _ in 0..12 {
            world.tell().await;
            world.clock.advance(MINUTE);
        }
        assert_eq!(world.dead_events().await, 3);
    })
    .await;
}
