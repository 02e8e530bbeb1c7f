//! The table conflicts, leaves keys unread, loses answers, or cannot be read.

use serde_json::json;
use tests::world::GOOD_CARD;
use tests::{Fault, story};

use super::{FOR_EVER, TRIES_OF_THE_SDK, entries, expect_unavailable, orders};

/// A request that stores a payment page, and no other, contains this.
const A_STORED_PAGE: &str = "session_url";

#[tokio::test(flavor = "multi_thread")]
async fn conflicts_are_decided_again_and_every_use_case_happens_once() {
    for times in [1, 7] {
        story(async |world| {
            let conflict = |about: &str| {
                let wires = &world.wires;
                wires.fail_about("TransactWriteItems", about, Fault::Conflict, times);
            };
            conflict("");
            let order = world.order("wallet", "50", "order").await.expect(201);
            conflict(A_STORED_PAGE);
            let unwanted = world.order("wallet", "19", "unwanted").await.expect(201);
            conflict("");
            let event = world.paid_event(&order, "pi_conflict");
            let credited = world.deliver(&event).await.expect(200);
            assert_eq!(credited.text("outcome"), "credited");
            conflict("");
            drop(world.transfer("sms", "50", "move").await.expect(201));
            conflict("");
            drop(world.cancel(&unwanted.text("order_id")).await.expect(200));
            let exchanges = world.wires.exchanges();
            let conflicts = exchanges.iter().filter(|made| made.status == 500);
            assert_eq!(conflicts.count(), 5 * times);
            world.assert_balances("wallet 0.00, sms 50.00").await;
            assert_eq!(entries(world).await, 2);
            assert_eq!(world.provider_calls("POST /v1/checkout/sessions").await, 3);
            let listed =
                ["balance 50.00 completed", "card 19.00 cancelled", "card 50.00 completed"];
            assert_eq!(orders(world).await, listed);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_that_does_not_end_moves_nothing_and_the_same_key_works_afterwards() {
    story(async |world| {
        drop(world.top_up("50", "funds").await);
        world.wires.forget();
        world.wires.fail("TransactWriteItems", Fault::Conflict, FOR_EVER);
        expect_unavailable(world.transfer("sms", "20", "move").await);
        let exchanges = world.wires.exchanges();
        let tries = exchanges.iter().filter(|made| made.operation == "TransactWriteItems");
        let bound = usize::try_from(service::table::MAX_COMMIT_TRIES).unwrap();
        assert_eq!(tries.count(), bound);
        world.assert_balances("wallet 50.00").await;
        assert_eq!(entries(world).await, 1);
        world.wires.heal();
        drop(world.transfer("sms", "20", "move").await.expect(201));
        drop(world.transfer("sms", "20", "move").await.expect(200));
        world.assert_balances("wallet 30.00, sms 20.00").await;
        assert_eq!(entries(world).await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_left_unread_once_are_read_then() {
    story(async |world| {
        let unread = || world.wires.fail("BatchGetItem", Fault::Unprocessed, 1);
        unread();
        let order = world.order("wallet", "50", "order").await.expect(201);
        unread();
        let credited = world.deliver(&world.paid_event(&order, "pi_unread")).await.expect(200);
        assert_eq!(credited.text("outcome"), "credited");
        unread();
        drop(world.transfer("sms", "50", "move").await.expect(201));
        unread();
        assert!(world.transfer("sms", "50", "move").await.expect(200).is_replay());
        unread();
        assert_eq!(orders(world).await, ["balance 50.00 completed", "card 50.00 completed"]);
        world.assert_balances("wallet 0.00, sms 50.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_stay_unread_are_never_taken_for_absent() {
    story(async |world| {
        drop(world.top_up("50", "funds").await);
        drop(world.transfer("sms", "50", "move").await.expect(201));
        world.wires.fail("BatchGetItem", Fault::Unprocessed, FOR_EVER);
        // Not "insufficient", not "there is no such account", not an empty list.
        expect_unavailable(world.transfer("sms", "50", "move").await);
        expect_unavailable(world.transfer("sms", "50", "another").await);
        expect_unavailable(world.order("wallet", "50", "funds").await);
        expect_unavailable(world.order("wallet", "50", "another").await);
        expect_unavailable(world.get("/v1/orders").await);
        world.wires.heal();
        assert!(world.transfer("sms", "50", "move").await.expect(200).is_replay());
        assert!(world.order("wallet", "50", "funds").await.expect(200).is_replay());
        assert_eq!(orders(world).await.len(), 2);
        assert_eq!(entries(world).await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_once_is_recognised_by_its_token() {
    story(async |world| {
        drop(world.top_up("50", "funds").await);
        world.wires.fail("TransactWriteItems", Fault::LostAfter, 1);
        let moved = world.transfer("sms", "50", "move").await.expect(201);
        assert!(!moved.is_replay());
        world.assert_balances("wallet 0.00, sms 50.00").await;
        assert_eq!(entries(world).await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_whose_answer_was_lost_and_that_emptied_the_wallet_is_replayed() {
    story(async |world| {
        drop(world.top_up("50", "funds").await);
        world.wires.fail("TransactWriteItems", Fault::LostAfter, TRIES_OF_THE_SDK);
        expect_unavailable(world.transfer("sms", "50", "move").await);
        world.assert_balances("wallet 0.00, sms 50.00").await;
        for _ in 0..2 {
            let again = world.transfer("sms", "50", "move").await.expect(200);
            assert!(again.is_replay());
            assert_eq!(again.text("status"), "completed");
        }
        let other = world.transfer("sms", "50", "other").await;
        drop(other.expect_problem(402, "insufficient_balance"));
        assert_eq!(entries(world).await, 2);
        assert_eq!(orders(world).await, ["balance 50.00 completed", "card 50.00 completed"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalogue_that_cannot_be_read_is_no_empty_catalogue() {
    story(async |world| {
        let wires = &world.wires;
        wires.fail_about("GetItem", "CATALOGUE", Fault::ServerError, FOR_EVER);
        let (order, transfer, products, balances) = tokio::join!(
            world.order("whatsapp", "50", "order"),
            world.transfer("whatsapp", "50", "move"),
            world.get("/v1/products"),
            world.get("/v1/balances"),
        );
        for answer in [order, transfer, products, balances] {
            expect_unavailable(answer);
        }
        world.wires.heal();
        drop(world.order("whatsapp", "50", "order").await.expect(201));
        let refused = world.transfer("whatsapp", "50", "move").await;
        drop(refused.expect_problem(402, "insufficient_balance"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_let_in_while_keys_cannot_be_looked_up() {
    story(async |world| {
        let (known, secret) = world.customer.key.rsplit_once('_').unwrap();
        let wrong_secret = format!("{known}_{}", secret.chars().rev().collect::<String>());
        world.wires.forget();
        for fault in [Fault::ServerError, Fault::LostBefore] {
            world.wires.heal();
            world.wires.fail_about("GetItem", "KEY#", fault, FOR_EVER);
            let (own, wrong) = tokio::join!(
                world.order("wallet", "50", "order"),
                world.get_as(&wrong_secret, "/v1/balances"),
            );
            for answer in [own, wrong] {
                answer.expect_gateway(500, "Internal Server Error");
            }
        }
        let exchanges = world.wires.exchanges();
        let of_table = exchanges.iter().filter(|made| made.wire == "table");
        let others: Vec<_> = of_table.filter(|made| !made.request.contains("KEY#")).collect();
        assert!(others.is_empty(), "{others:?}");
        world.wires.heal();
        world.get_as(&wrong_secret, "/v1/balances").await.expect_gateway(403, "Forbidden");
        drop(world.order("wallet", "50", "order").await.expect(201));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_that_is_overtaken_again_and_again_is_decided_on_the_account_as_it_is() {
    story(async |world| {
        let order = world.order("sms", "10.00", "funds").await.expect(201);
        drop(world.pay(&order, GOOD_CARD).await.expect(303));
        let overtaken = |about: &str| {
            let wires = &world.wires;
            wires.fail_about("TransactWriteItems", about, Fault::Overtaken, 2);
        };
        overtaken("CHARGE#");
        let charge = json!({"product": "sms", "amount": "1"});
        drop(world.post("/v1/charges", "asked", &charge).await.expect(201));
        overtaken("usage queue");
        let charge =
            json!({"key": "metered", "account_id": "demo", "product": "sms", "amount": "2"});
        world.meter(&json!({"charges": [charge]}).to_string()).await;
        world.drain_usage().await;
        world.assert_balances("wallet 0.00, sms 7.00").await;
        assert_eq!(entries(world).await, 3);
        let exchanges = world.wires.exchanges();
        assert_eq!(exchanges.iter().filter(|made| made.status == 500).count(), 4);
    })
    .await;
}
