//! Charges: from one product's balance, exactly, once a key, and never more than there is.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use service::keys::Scope;
use tests::{Fault, World, story};

use super::{charge, journal, with_sms};
use crate::races::all;

#[tokio::test(flavor = "multi_thread")]
async fn using_a_product_takes_fractions_of_a_cent_from_it_alone() {
    story(async |world| {
        drop(world.top_up("50.00", "wallet").await);
        with_sms(world).await;
        let body = json!({
            "product": "sms", "amount": "0.004512", "description": "one message to +44",
            "metadata": {"message": "m-1"},
        });
        let made = world.post("/v1/charges", "m-1", &body).await.expect(201).json();
        assert!(made["charge_id"].as_str().unwrap().starts_with("chg_"));
        let shown = ["product", "amount", "currency", "description", "by", "account_id"];
        let shown = shown.map(|name| made[name].as_str().unwrap_or("null"));
        assert_eq!(
            shown,
            ["sms", "0.004512", "USD", "one message to +44", "demo customer", "demo"]
        );
        assert_eq!((&made["metadata"]["message"], &made["hold_id"]), (&json!("m-1"), &json!(null)));
        world.assert_balances("wallet 50.00, sms 99.995488").await;
        assert_eq!(
            journal(world).await[0],
            "charge: product:sms -0.004512, external:usage 0.004512"
        );
        let entries = world.get("/v1/entries").await.expect(200).json();
        assert_eq!(entries["data"][0]["number"], made["entry"]);
        assert_eq!(entries["data"][0]["document_id"], made["charge_id"]);
        let path = format!("/v1/charges/{}", made["charge_id"].as_str().unwrap());
        assert_eq!(world.get(&path).await.expect(200).json(), made);
        // A repetition is told what was done; another request needs another key.
        let again = world.post("/v1/charges", "m-1", &body).await.expect(200);
        assert!(again.is_replay());
        assert_eq!(again.json(), made);
        let different = [
            json!({"product": "sms", "amount": "0.004513"}),
            json!({"product": "sms", "amount": "0.004512"}),
            json!({"product": "voice", "amount": "0.004512"}),
        ];
        for other in different {
            let other = world.post("/v1/charges", "m-1", &other).await;
            other.expect_problem(409, "idempotency_key_reused");
        }
        world.assert_balances("wallet 50.00, sms 99.995488").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn step_nine_of_the_walk_more_than_the_product_has_is_refused_and_nothing_helps_out() {
    story(async |world| {
        drop(world.top_up("70.00", "wallet").await);
        drop(world.transfer("whatsapp", "60", "move").await.expect(201));
        let order = world.order("sms", "20", "sms").await.expect(201);
        drop(world.pay(&order, tests::world::GOOD_CARD).await.expect(303));
        let refused = charge(world, "sms", "25", "use").await;
        let refused = refused.expect_problem(402, "insufficient_balance");
        let told = ["product", "available", "required", "retry"].map(|name| refused.text(name));
        assert_eq!(told, ["sms", "20.00", "25.00", "same_key"]);
        world.assert_balances("wallet 10.00, whatsapp 60.00, sms 20.00").await;
        assert_eq!(world.journal("demo").await.1.len(), 3);
        // Nothing was kept of it: the key is free, and the last of the balance can be used.
        drop(charge(world, "sms", "20", "use").await.expect(201));
        // A repetition of what emptied the balance is told that it is done.
        assert!(charge(world, "sms", "20", "use").await.expect(200).is_replay());
        world.assert_balances("wallet 10.00, whatsapp 60.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_charge_changes_nothing() {
    story(async |world| {
        with_sms(world).await;
        let bad: [(Value, u16, &str); 9] = [
            (json!({"amount": "1"}), 422, "missing_field"),
            (json!({"product": "sms"}), 422, "missing_field"),
            (json!({"product": "pigeons", "amount": "1"}), 422, "unknown_product"),
            (json!({"product": "wallet", "amount": "1"}), 422, "unknown_product"),
            (json!({"product": "No Such", "amount": "1"}), 422, "unknown_product"),
            (json!({"product": "sms", "amount": 1}), 422, "invalid_amount"),
            (json!({"product": "sms", "amount": "0.0000001"}), 422, "invalid_amount"),
            (json!({"product": "sms", "amount": "0"}), 422, "amount_out_of_range"),
            (json!({"product": "sms", "amount": "1", "wallet": true}), 422, "unknown_field"),
        ];
        for (body, status, code) in bad {
            world.post("/v1/charges", "bad", &body).await.expect_problem(status, code);
        }
        for description in [json!(""), json!("x".repeat(501)), json!(7)] {
            let body = json!({"product": "sms", "amount": "1", "description": description});
            let refused = world.post("/v1/charges", "bad", &body).await;
            refused.expect_problem(422, "invalid_field");
        }
        let missing = world.get("/v1/charges/chg_00000000000000000000").await;
        missing.expect_problem(404, "not_found");
        drop(world.get("/v1/charges/nonsense").await.expect_problem(404, "not_found"));
        let reader = world.new_key(Some("demo"), &[Scope::BalancesRead], |key| key).await;
        let body = json!({"product": "sms", "amount": "1"});
        let refused = world.post_as(&reader, "/v1/charges", "k", &body).await;
        refused.expect_problem(403, "missing_scope");
        let refused = world.admin_post("/v1/charges", "k", &body).await;
        refused.expect_problem(403, "missing_scope");
        world.assert_balances("wallet 0.00, sms 100.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_customer_neither_sees_nor_repeats_the_charge_of_another() {
    story(async |world| {
        with_sms(world).await;
        let made = charge(world, "sms", "1", "same-key").await.expect(201);
        let other = world.new_customer("other").await;
        let path = format!("/v1/charges/{}", made.text("charge_id"));
        world.get_as(&other.key, &path).await.expect_problem(404, "not_found");
        let body = json!({"product": "sms", "amount": "1"});
        let own = world.post_as(&other.key, "/v1/charges", "same-key", &body).await;
        own.expect_problem(402, "insufficient_balance");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_account_uses_nothing() {
    story(async |world| {
        with_sms(world).await;
        let frozen = json!({"name": "demo", "currency": "USD", "status": "frozen"});
        drop(world.admin_put("/v1/admin/accounts/demo", &frozen).await.expect(200));
        charge(world, "sms", "1", "k").await.expect_problem(403, "account_frozen");
        world.assert_balances("wallet 0.00, sms 100.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_charges_race_for_forty() {
    let world = Arc::new(World::start().await);
    let order = world.order("sms", "40", "funds").await.expect(201);
    drop(world.pay(&order, tests::world::GOOD_CARD).await.expect(303));
    let charges = (0..64).map(|number| {
        let world = Arc::clone(&world);
        async move {
            // A client that is told to try the same key again does so.
            loop {
                match charge(&world, "sms", "1", &format!("race-{number}")).await.status {
                    503 => {}
                    200 => return 201,
                    status => return status,
                }
            }
        }
    });
    assert_eq!(all(charges).await, BTreeMap::from([(201, 40), (402, 24)]));
    world.assert_balances("wallet 0.00").await;
    let (account, _) = world.journal("demo").await;
    assert_eq!(account.entries, 41);
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_whose_answer_was_lost_is_made_once() {
    for fault in [Fault::LostAfter, Fault::LostBefore, Fault::ServerError] {
        story(async |world| {
            with_sms(world).await;
            world.wires.fail("TransactWriteItems", fault, usize::MAX);
            charge(world, "sms", "30", "k").await.expect_problem(503, "unavailable");
            world.wires.heal();
            let status = charge(world, "sms", "30", "k").await.status;
            assert_eq!(status, if fault == Fault::LostAfter { 200 } else { 201 }, "{fault:?}");
            world.assert_balances("wallet 0.00, sms 70.00").await;
        })
        .await;
    }
}
