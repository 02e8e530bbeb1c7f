//! The usage queue: charges that nobody waits for, each made once, and none forgotten.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Fault, World, story};

use super::{charge, with_sms};

/// A message with charges of these keys and amounts, of the story's customer.
fn message(charges: &[(&str, &str)]) -> String {
    let charge = |(key, amount): &(&str, &str)| json!({"key": key, "account_id": "demo", "product": "sms", "amount": amount});
    json!({"charges": charges.iter().map(charge).collect::<Vec<Value>>()}).to_string()
}

async fn available(world: &World) -> String {
    super::sms(world).await.split(' ').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_queue_tells_is_charged_once_however_often_it_is_told() {
    story(async |world| {
        with_sms(world).await;
        let told = message(&[("m-1", "0.0075"), ("m-2", "0.0075")]);
        for _ in 0..3 {
            world.meter(&told).await;
        }
        world.drain_usage().await;
        assert_eq!(available(world).await, "99.985");
        // A charge has one key, however it is sent.
        assert!(charge(world, "sms", "0.0075", "m-1").await.expect(200).is_replay());
        world.meter(&message(&[("m-2", "0.0075"), ("m-3", "1")])).await;
        world.drain_usage().await;
        assert_eq!(available(world).await, "98.985");
        assert_eq!(world.dead_usage().await, 0);
        let path = format!("/v1/charges/{}", charge_id(world, "m-3").await);
        assert_eq!(world.get(&path).await.expect(200).text("by"), "usage queue");
    })
    .await;
}

async fn charge_id(world: &World, key: &str) -> String {
    charge(world, "sms", "1", key).await.expect(200).text("charge_id")
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_that_cannot_be_paid_waits_for_a_top_up() {
    story(async |world| {
        let order = world.order("sms", "10.00", "funds").await.expect(201);
        drop(world.pay(&order, tests::world::GOOD_CARD).await.expect(303));
        world.meter(&message(&[("m-1", "6"), ("m-2", "6"), ("m-3", "4")])).await;
        world.until(async || available(world).await == "0.00").await;
        let order = world.order("sms", "10.00", "more").await.expect(201);
        drop(world.pay(&order, tests::world::GOOD_CARD).await.expect(303));
        // It comes again, and only what is missing is charged.
        world.drain_usage().await;
        assert_eq!(available(world).await, "4.00");
        assert_eq!(world.dead_usage().await, 0);
        // What nobody pays for ends where a person sees it.
        world.meter(&message(&[("m-4", "4.01")])).await;
        world.drain_usage().await;
        assert_eq!((world.dead_usage().await, available(world).await.as_str()), (1, "4.00"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_read_hinders_no_other() {
    story(async |world| {
        with_sms(world).await;
        let nameless = json!({"charges": [{"key": "a", "product": "sms", "amount": "1"}]});
        let odd = [
            "no JSON".to_owned(),
            r#"{"charges":[]}"#.to_owned(),
            nameless.to_string(),
            message(&[("a", "1"), ("b", "one")]),
        ];
        let good = r#"{"key":"c","account_id":"demo","product":"sms","amount":"1"}"#;
        let twice = r#"{"key":"d","key":"e","account_id":"demo","product":"sms","amount":"1"}"#;
        let odd = odd.into_iter().chain([format!(r#"{{"charges":[null,{twice},{good}]}}"#)]);
        for body in odd {
            world.meter(&body).await;
        }
        world.meter(&message(&[("good", "1")])).await;
        world.drain_usage().await;
        assert_eq!(world.dead_usage().await, 5);
        // Nor does one charge hinder those beside it: "a" and "c" are made, and the others are seen by a person.
        assert_eq!(available(world).await, "97.00");
        assert!(tests::logs::so_far().contains("a charge that cannot be read"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_outlives_a_table_that_does_not_answer() {
    story(async |world| {
        with_sms(world).await;
        world.wires.fail("TransactWriteItems", Fault::LostAfter, 3);
        for number in 0..20 {
            world.meter(&message(&[(format!("m-{number}").as_str(), "0.5")])).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        world.wires.heal();
        world.drain_usage().await;
        assert_eq!((world.dead_usage().await, available(world).await.as_str()), (0, "90.00"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metered_usage_that_runs_low_is_topped_up_like_any_other() {
    story(async |world| {
        drop(world.top_up("50.00", "wallet").await);
        with_sms(world).await;
        let rule = json!({"alert_below": "6", "top_up_below": "5", "top_up_amount": "20"});
        drop(world.put("/v1/products/sms/thresholds", &rule).await.expect(200));
        world.meter(&message(&[("m-1", "96")])).await;
        world.drain_usage().await;
        world.assert_balances("wallet 30.00, sms 24.00").await;
        let orders = world.get("/v1/orders?method=balance").await.expect(200).json();
        assert_eq!(orders["data"][0]["timeline"][0]["by"], "automatic");
    })
    .await;
}
