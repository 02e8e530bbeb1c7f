//! Races: many at once, and exactly the right number of them succeeds.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use tests::world::{DECLINED_CARD, GOOD_CARD};
use tests::{Fault, World, story};

pub(crate) async fn all<Work>(works: impl IntoIterator<Item = Work>) -> BTreeMap<u16, usize>
where
    Work: Future<Output = u16> + Send + 'static,
{
    let running: Vec<_> = works.into_iter().map(tokio::spawn).collect();
    let mut statuses = BTreeMap::new();
    for running in running {
        *statuses.entry(running.await.unwrap()).or_default() += 1;
    }
    statuses
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_transfers_race_for_forty_dollars() {
    let world = Arc::new(World::start().await);
    drop(world.top_up("40", "funds").await);
    let transfers = (0..64).map(|number| {
        let world = Arc::clone(&world);
        async move {
            // A client that is told to try the same key again does so, a few times.
            let mut again = false;
            for _ in 0..4 {
                match world.transfer("sms", "1", &format!("race-{number}")).await.status {
                    503 => again = true,
                    200 if again => return 201,
                    status => return status,
                }
            }
            503
        }
    });
    assert_eq!(all(transfers).await, BTreeMap::from([(201, 40), (402, 24)]));
    world.assert_balances("wallet 0.00, sms 40.00").await;
    let (account, entries) = world.journal("demo").await;
    assert_eq!(entries.len(), 41);
    assert_eq!(account.entries, 41);
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_posts_with_one_key_make_one_order() {
    let world = Arc::new(World::start().await);
    let posts = (0..32).map(|_| {
        let world = Arc::clone(&world);
        async move { world.order("wallet", "100", "one-key").await.status }
    });
    assert_eq!(all(posts).await, BTreeMap::from([(200, 31), (201, 1)]));
    let orders = world.get("/v1/orders").await.expect(200).json();
    assert_eq!(orders["data"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_deliveries_of_one_webhook_make_one_credit() {
    let world = Arc::new(World::start().await);
    let order = world.order("wallet", "100", "order").await.expect(201);
    let event = world.paid_event(&order, "pi_race");
    let deliveries = (0..16).map(|_| {
        let (world, event) = (Arc::clone(&world), event.clone());
        async move { world.deliver(&event).await.status }
    });
    assert_eq!(all(deliveries).await, BTreeMap::from([(200, 16)]));
    world.assert_balances("wallet 100.00").await;
    assert_eq!(world.journal("demo").await.1.len(), 1);
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_claims_two_orders_is_credited_to_one() {
    let world = Arc::new(World::start().await);
    let first = world.order("wallet", "100", "first").await.expect(201);
    let second = world.order("wallet", "100", "second").await.expect(201);
    let deliveries = [first, second].into_iter().map(|order| {
        let world = Arc::clone(&world);
        async move { world.deliver(&world.paid_event(&order, "pi_same")).await.status }
    });
    assert_eq!(all(deliveries).await, BTreeMap::from([(200, 2)]));
    world.assert_balances("wallet 100.00").await;
    assert_eq!(world.findings().await, ["payment_already_used"]);
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_notice_of_a_good_card_overtakes_that_of_the_refused_one_before_it() {
    story(async |world| {
        let order = world.order("wallet", "30", "order").await.expect(201);
        // The page waits for no notice of a refused card, and three are sent at a time, newest first.
        drop(world.control("webhooks", &json!({"mode": "reorder"})).await.expect(200));
        drop(world.pay(&order, DECLINED_CARD).await);
        drop(world.pay(&order, GOOD_CARD).await.expect(303));
        let attempts = async || world.look_up(&order).await.json()["attempts"].clone();
        world.until(async || attempts().await.as_array().unwrap().len() == 2).await;
        let attempts = attempts().await;
        assert_eq!(
            (&attempts[0]["outcome"], &attempts[1]["outcome"]),
            (&json!("declined"), &json!("succeeded"))
        );
        world.assert_balances("wallet 30.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_races_its_own_payment() {
    for round in 0..8 {
        let world = Arc::new(World::start().await);
        let order = world.order("wallet", "50", "order").await.expect(201);
        let id = order.text("order_id");
        let event = world.paid_event(&order, "pi_race");
        let (canceller, payer) = (Arc::clone(&world), Arc::clone(&world));
        let cancelling = tokio::spawn(async move { canceller.cancel(&id).await.status });
        let paying = tokio::spawn(async move { payer.deliver(&event).await.status });
        let (cancelled, paid) = (cancelling.await.unwrap(), paying.await.unwrap());
        assert!([200, 409].contains(&cancelled), "round {round}: {cancelled}");
        assert_eq!(paid, 200, "round {round}");
        // Whoever won, the money was taken, so it is credited once.
        world.assert_balances("wallet 50.00").await;
        assert_eq!(world.look_up(&order).await.text("status"), "completed");
        world.audit().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_told_again_races_what_a_person_does_about_its_finding() {
    for (round, what) in ["resolve", "refund"].into_iter().cycle().take(16).enumerate() {
        let world = Arc::new(World::start().await);
        let order = world.order("wallet", "100.00", "order").await.expect(201);
        let mut wrong = world.paid_event(&order, "pi_wrong");
        wrong["data"]["object"]["amount_total"] = json!(9_000);
        let right = world.paid_event(&order, "pi_right");
        drop(world.deliver(&wrong).await.expect(200));
        drop(world.deliver(&right).await.expect(200));
        let found = world.admin_get("/v1/admin/findings").await.expect(200).json();
        let id = |payment: &str| {
            let found = found["data"].as_array().unwrap().iter();
            let mut of = found.filter(|one| one["payment_id"] == payment);
            of.next().unwrap()["finding_id"].as_str().unwrap().to_owned()
        };
        // The wrong one is credited elsewhere, so that the order can take the right one.
        let credit = format!("/v1/admin/findings/{}/credit", id("pi_wrong"));
        let place = json!({"balance": "product:sms"});
        drop(world.admin_post(&credit, "unused", &place).await.expect(200));
        // Nobody answers a refund, so that only what is stored decides.
        world.wires.fail("POST /v1/refunds", Fault::LostBefore, usize::MAX);
        let path = format!("/v1/admin/findings/{}/{what}", id("pi_right"));
        let (teller, person) = (Arc::clone(&world), Arc::clone(&world));
        let telling = tokio::spawn(async move { teller.deliver(&right).await.status });
        let acting = tokio::spawn(async move {
            person.admin_post(&path, "unused", &json!({"reason": "looked into"})).await.status
        });
        let (told, acted) = (telling.await.unwrap(), acting.await.unwrap());
        assert_eq!(told, 200, "round {round}");
        // Either it is credited, or it is as the person says.
        let wallet =
            if acted == 200 { "wallet 0.00, sms 90.00" } else { "wallet 100.00, sms 90.00" };
        world.assert_balances(wallet).await;
        world.audit().await;
    }
}
