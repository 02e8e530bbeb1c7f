//! Balances that run low: a product is topped up from the wallet in the commit of the charge that needs
//! it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use service::keys::Scope;
use service::table::Commit;
use tests::{Answer, World, story};

use super::{charge, charge_all, hold, journal, outcomes, sms};
use crate::races::all;

async fn set(world: &World, body: &Value) -> Answer {
    world.put("/v1/products/sms/thresholds", body).await
}

/// 100.00 in the wallet and 10.00 in SMS.
async fn with_money(world: &World) {
    drop(world.top_up("110.00", "wallet").await);
    drop(world.transfer("sms", "10", "sms").await.expect(201));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_runs_low_is_topped_up_by_the_charge_that_crosses_the_threshold() {
    story(async |world| {
        with_money(world).await;
        let rule = json!({"top_up_below": "5", "top_up_amount": "20", "monthly_cap": "50.00"});
        let shown = set(world, &rule).await.expect(200).json();
        let texts = ["balance", "top_up_below", "top_up_amount", "monthly_cap", "moved_this_month"];
        let texts = texts.map(|name| shown[name].as_str().unwrap());
        assert_eq!(texts, ["product:sms", "5.00", "20.00", "50.00", "0.00"]);
        assert_eq!(
            (&shown["set_by"], &shown["top_up_to"]),
            (&json!("demo customer"), &json!(null))
        );
        drop(charge(world, "sms", "5", "a").await.expect(201));
        world.assert_balances("wallet 100.00, sms 5.00").await;

        let made = charge(world, "sms", "0.000001", "b").await.expect(201).json();
        world.assert_balances("wallet 80.00, sms 24.999999").await;
        assert_eq!(
            journal(world).await[..2],
            [
                "charge: product:sms -0.000001, external:usage 0.000001",
                "transfer: wallet -20.00, product:sms 20.00",
            ]
        );
        assert_eq!(made["entry"], 5);
        let orders = world.get("/v1/orders?method=balance&limit=1").await.expect(200).json();
        let order = &orders["data"][0];
        let told = ["method", "status", "amount", "product"].map(|name| order[name].as_str());
        assert_eq!(told, ["balance", "completed", "20.00", "sms"].map(Some));
        assert_eq!(order["timeline"][0]["by"], "automatic");
        assert_eq!(order["timeline"][0]["reason"], "paid_from_wallet");
        // The key of the charge makes the charge and its top-up once.
        assert!(charge(world, "sms", "0.000001", "b").await.expect(200).is_replay());
        world.assert_balances("wallet 80.00, sms 24.999999").await;
        let rules = world.get("/v1/thresholds").await.expect(200).json();
        assert_eq!(rules["data"][0]["moved_this_month"], "20.00");
        let seen = world.admin_get("/v1/admin/accounts/demo/thresholds").await.expect(200).json();
        assert_eq!(seen, rules);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wallet_rescues_a_charge_or_a_hold_within_the_cap_and_no_card_is_asked() {
    story(async |world| {
        with_money(world).await;
        let rule = json!({"top_up_below": "2", "top_up_to": "30", "monthly_cap": "60"});
        drop(set(world, &rule).await.expect(200));
        let sessions = world.provider_calls("POST /v1/checkout/sessions").await;
        // 10.00 there and 60.00 may come: 55.00 are possible, and 15.01 more are not.
        drop(charge(world, "sms", "55", "a").await.expect(201));
        world.assert_balances("wallet 40.00, sms 15.00").await;
        let refused = charge(world, "sms", "15.01", "b").await;
        let refused = refused.expect_problem(402, "insufficient_balance");
        assert_eq!(refused.text("available"), "15.00");
        assert_eq!(refused.text("top_up_held_back_by"), "monthly_cap");
        assert!(
            refused.text("detail").ends_with("; its automatic top-up would pass its monthly cap")
        );
        world.assert_balances("wallet 40.00, sms 15.00").await;
        // What has no automatic top-up is held back by nothing.
        let other = charge(world, "voice", "1", "v").await;
        let other = other.expect_problem(402, "insufficient_balance").json();
        assert_eq!(other.get("top_up_held_back_by"), None);
        // In the next month the wallet helps again, a hold too.
        world.clock.advance(Duration::from_secs(31 * 86_400));
        let placed = hold(world, "35", "h").await.expect(201);
        assert_eq!(placed.text("status"), "open");
        assert_eq!(sms(world).await, "20.00 and 35.00 held");
        world.assert_balances("wallet 0.00, sms 20.00").await;
        assert_eq!(world.provider_calls("POST /v1/checkout/sessions").await, sessions);
        // A month of which the cap has much, and the wallet nothing.
        world.clock.advance(Duration::from_secs(31 * 86_400));
        let refused = charge(world, "sms", "80", "c").await;
        let refused = refused.expect_problem(402, "insufficient_balance");
        assert_eq!(refused.text("top_up_held_back_by"), "wallet");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn charges_of_a_batch_share_one_top_up_a_product() {
    story(async |world| {
        with_money(world).await;
        for product in ["sms", "voice"] {
            let path = format!("/v1/products/{product}/thresholds");
            let rule = json!({"top_up_below": "5", "top_up_amount": "10"});
            drop(world.put(&path, &rule).await.expect(200));
        }
        let answer = charge_all(
            world,
            &[
                ("a", "sms", "30"),
                ("b", "voice", "0.01"),
                ("c", "sms", "80"),
                ("d", "sms", "1"),
                ("e", "voice", "10"),
            ],
        )
        .await
        .expect(200);
        let expected = ["201", "201", "402 insufficient_balance", "201", "201"];
        assert_eq!(outcomes(&answer), expected);
        world.assert_balances("wallet 50.00, sms 9.00, voice 9.99").await;
        let kinds = journal(world).await;
        assert_eq!(
            kinds[..3],
            [
                "charge: product:sms -31.00, product:voice -10.01, external:usage 41.01",
                "transfer: wallet -20.00, product:voice 20.00",
                "transfer: wallet -30.00, product:sms 30.00",
            ]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_charges_race_for_what_wallet_and_cap_allow() {
    let world = Arc::new(World::start().await);
    with_money(&world).await;
    let rule = json!({"top_up_below": "1", "top_up_amount": "5", "monthly_cap": "15"});
    drop(set(&world, &rule).await.expect(200));
    // 10.00 are there and 15.00 may come.
    let charges = (0..40).map(|number| {
        let world = Arc::clone(&world);
        async move { charge(&world, "sms", "1", &format!("race-{number}")).await.status }
    });
    assert_eq!(all(charges).await, BTreeMap::from([(201, 25), (402, 15)]));
    world.assert_balances("wallet 85.00").await;
    let orders = world.get("/v1/orders?method=balance&limit=100").await.expect(200).json();
    let automatic = orders["data"].as_array().unwrap().iter();
    let automatic = automatic.filter(|order| order["timeline"][0]["by"] == "automatic");
    assert_eq!(automatic.count(), 3);
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_can_be_changed_and_turned_off_and_a_closed_product_is_left_alone() {
    story(async |world| {
        with_money(world).await;
        let rule = json!({"alert_below": "3", "top_up_below": "20", "top_up_amount": "20"});
        let shown = set(world, &rule).await.expect(200).json();
        let version = world.get("/v1/balances").await.expect(200).json()["version"].clone();
        assert_eq!((&shown["alert_below"], &shown["alert_given"]), (&json!("3.00"), &json!(false)));
        // The same again changes nothing.
        assert_eq!(set(world, &rule).await.expect(200).json(), shown);
        assert_eq!(world.get("/v1/balances").await.expect(200).json()["version"], version);

        let products = world.get("/v1/products").await.expect(200).json();
        let listed = products["data"].as_array().unwrap().iter();
        let mut product = listed.clone().find(|one| one["product"] == "sms").unwrap().clone();
        product.as_object_mut().unwrap().remove("product");
        product["enabled"] = json!(false);
        drop(world.admin_put("/v1/admin/products/sms", &product).await.expect(200));
        world.clock.advance(Duration::from_secs(61));
        drop(charge(world, "sms", "1", "a").await.expect(201));
        world.assert_balances("wallet 100.00, sms 9.00").await;
        let refused = charge(world, "sms", "9.01", "more").await;
        let refused = refused.expect_problem(402, "insufficient_balance");
        assert_eq!(refused.text("top_up_held_back_by"), "product");
        // What was set stands, and can be set again with another alert; nothing new can be moved.
        assert_eq!(set(world, &rule).await.expect(200).json()["top_up_amount"], "20.00");
        let other_alert = json!({"alert_below": "4", "top_up_below": "20", "top_up_amount": "20"});
        drop(set(world, &other_alert).await.expect(200));
        drop(set(world, &rule).await.expect(200));
        for size in [json!({"top_up_amount": "21"}), json!({"top_up_to": "30"})] {
            let mut new = json!({"top_up_below": "20"});
            new.as_object_mut().unwrap().extend(size.as_object().unwrap().clone());
            set(world, &new).await.expect_problem(422, "product_disabled");
        }
        product["enabled"] = json!(true);
        drop(world.admin_put("/v1/admin/products/sms", &product).await.expect(200));
        world.clock.advance(Duration::from_secs(61));
        drop(charge(world, "sms", "1", "b").await.expect(201));
        world.assert_balances("wallet 80.00, sms 28.00").await;

        // Nor is one that is topped up in other ways only.
        let by_balance = product["methods"]["balance"].take();
        product["methods"].as_object_mut().unwrap().remove("balance");
        drop(world.admin_put("/v1/admin/products/sms", &product).await.expect(200));
        world.clock.advance(Duration::from_secs(61));
        drop(charge(world, "sms", "27", "d").await.expect(201));
        charge(world, "sms", "2", "e").await.expect_problem(402, "insufficient_balance");
        drop(hold(world, "2", "h").await.expect_problem(402, "insufficient_balance"));
        world.assert_balances("wallet 80.00, sms 1.00").await;
        product["methods"]["balance"] = by_balance;
        drop(world.admin_put("/v1/admin/products/sms", &product).await.expect(200));
        world.clock.advance(Duration::from_secs(61));
        drop(charge(world, "sms", "1", "f").await.expect(201));
        world.assert_balances("wallet 60.00, sms 20.00").await;

        let off = set(world, &json!({})).await.expect(200).json();
        assert_eq!((&off["alert_below"], &off["set_by"]), (&json!(null), &json!(null)));
        assert_eq!(world.get("/v1/thresholds").await.expect(200).json()["data"], json!([]));
        drop(charge(world, "sms", "20", "c").await.expect(201));
        world.assert_balances("wallet 60.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_for_sale_any_more_can_be_turned_off_and_emptied() {
    story(async |world| {
        with_money(world).await;
        drop(set(world, &json!({"top_up_below": "5", "top_up_amount": "5"})).await.expect(200));
        let mut known = world.table.catalogue().await.unwrap().unwrap();
        known.catalogue.products.retain(|product| product.product.as_str() != "sms");
        drop(world.table.commit(Commit::default().catalogue(&known)).await.unwrap());
        world.clock.advance(Duration::from_secs(61));
        set(world, &json!({"alert_below": "1"})).await.expect_problem(422, "unknown_product");
        for _ in 0..2 {
            drop(set(world, &json!({})).await.expect(200));
        }
        assert_eq!(world.get("/v1/thresholds").await.json()["data"], json!([]));
        let adjust = async |amount: &str| {
            let body = json!({"balance": "product:sms", "amount": amount, "reason": "not sold"});
            world.admin_post("/v1/admin/accounts/demo/adjustments", amount, &body).await
        };
        adjust("1.00").await.expect_problem(422, "unknown_product");
        drop(adjust("-10.00").await.expect(201));
        world.assert_balances("wallet 100.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_threshold_can_be_changes_nothing() {
    story(async |world| {
        with_money(world).await;
        let below = |more: Value| {
            let mut body = json!({"top_up_below": "5"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let bad: [(Value, &str, &str); 14] = [
            (json!({"alert_below": 5}), "invalid_amount", "alert_below"),
            (json!({"alert_below": "0"}), "amount_out_of_range", "alert_below"),
            (json!({"alert_below": "0.001"}), "invalid_amount", "alert_below"),
            (json!({"alert": "5"}), "unknown_field", "alert"),
            (json!({"top_up_amount": "5"}), "invalid_field", "top_up_amount"),
            (json!({"top_up_to": "5"}), "invalid_field", "top_up_to"),
            (json!({"monthly_cap": "5"}), "invalid_field", "monthly_cap"),
            (below(json!({})), "missing_field", "top_up_amount"),
            (below(json!({"top_up_amount": "9", "top_up_to": "9"})), "invalid_field", "top_up_to"),
            (below(json!({"top_up_to": "5"})), "invalid_field", "top_up_to"),
            (below(json!({"top_up_amount": "9.001"})), "invalid_amount", "top_up_amount"),
            (below(json!({"top_up_amount": "-9"})), "invalid_amount", "top_up_amount"),
            (below(json!({"top_up_amount": "0.01"})), "amount_out_of_range", "top_up_amount"),
            (
                below(json!({"top_up_amount": "9", "monthly_cap": "8.99"})),
                "invalid_field",
                "monthly_cap",
            ),
        ];
        for (body, code, field) in bad {
            let refused = set(world, &body).await.expect_problem(422, code);
            assert_eq!(refused.text("field"), field, "{body}");
        }
        let wallet = below(json!({"top_up_amount": "9"}));
        let refused = world.put("/v1/wallet/thresholds", &wallet).await;
        refused.expect_problem(422, "invalid_field");
        for product in ["pigeons", "No%20Such"] {
            let path = format!("/v1/products/{product}/thresholds");
            let refused = world.put(&path, &json!({"alert_below": "1"})).await;
            refused.expect_problem(422, "unknown_product");
        }
        let reader = world.new_key(Some("demo"), &[Scope::BalancesRead], |key| key).await;
        let refused = world.put_as(&reader, "/v1/wallet/thresholds", &json!({})).await;
        refused.expect_problem(403, "missing_scope");
        let refused = world.admin_put("/v1/wallet/thresholds", &json!({})).await;
        refused.expect_problem(403, "missing_scope");
        assert_eq!(world.get("/v1/thresholds").await.expect(200).json()["data"], json!([]));
        world.assert_balances("wallet 100.00, sms 10.00").await;
        // What another customer sets is that customer's alone.
        let other = world.new_customer("other").await;
        let path = "/v1/wallet/thresholds";
        drop(world.put_as(&other.key, path, &json!({"alert_below": "7"})).await.expect(200));
        assert_eq!(world.get("/v1/thresholds").await.expect(200).json()["data"], json!([]));
        let theirs = world.get_as(&other.key, "/v1/thresholds").await.expect(200).json();
        assert_eq!(theirs["data"][0]["account_id"], "other");
    })
    .await;
}
