//! What runs by the clock: what no webhook told is found out, and nothing stays open for ever.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use service::error::{Error, Unavailable};
use service::stamp;
use tests::world::{Damage, GOOD_CARD, Item, card_order};
use tests::{Answer, Fault, World, story};

use super::faults::orders;
use super::usage::{hold, with_sms};

const MAKE_PAGE: &str = "POST /v1/checkout/sessions";
const LOOK_AT_PAGE: &str = "GET /v1/checkout/sessions";
/// How often Stripe is called for one request.
const CALLS: usize = 3;
/// Longer than an order is left to its webhook.
const A_WHILE: Duration = Duration::from_secs(5 * 60);
const A_DAY: Duration = Duration::from_secs(24 * 3_600);

pub(super) async fn no_webhooks(world: &World) {
    drop(world.control("webhooks", &json!({"mode": "drop"})).await.expect(200));
}

/// An order that was paid, and nobody told.
pub(super) async fn paid_unseen(world: &World, amount: &str, key: &str) -> Answer {
    let order = world.order("wallet", amount, key).await.expect(201);
    drop(world.pay(&order, GOOD_CARD).await.expect(303));
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn with_all_webhooks_dropped_a_thousand_payments_are_credited_once_by_one_sweep() {
    let world = Arc::new(World::start().await);
    no_webhooks(&world).await;
    let mut paying = tokio::task::JoinSet::new();
    for number in 0..20 {
        let world = Arc::clone(&world);
        paying.spawn(async move {
            let customer = world.new_customer(&format!("customer-{number}")).await;
            for order in 0..50 {
                let key = format!("order-{order}");
                let body = card_order("wallet", "12.34");
                let made = world.post_as(&customer.key, "/v1/orders", &key, &body).await;
                drop(world.pay(&made.expect(201), GOOD_CARD).await.expect(303));
            }
            customer
        });
    }
    let customers = paying.join_all().await;
    let expect_balances = async |expected: &str| {
        for customer in &customers {
            let balances = world.get_as(&customer.key, "/v1/balances").await.expect(200).json();
            assert_eq!(balances["wallet"]["available"], expected);
        }
    };
    expect_balances("0.00").await;
    world.clock.advance(A_WHILE);
    let swept = world.sweep().await;
    assert_eq!((swept.credited, swept.left, swept.complete), (1_000, 0, true));
    expect_balances("617.00").await;

    // Sweeping again finds nothing, and webhooks that come after all change nothing.
    let again = world.sweep().await;
    assert_eq!((again.looked_at, again.credited), (0, 0));
    drop(world.control("webhooks", &json!({"mode": "deliver"})).await.expect(200));
    drop(world.control("webhooks/resend", &json!({})).await.expect(200));
    for customer in &customers {
        let (account, entries) = world.journal(&customer.account).await;
        assert_eq!(ledger::verify(&entries, &account), Ok(()));
        assert_eq!(entries.len(), 50);
    }
    expect_balances("617.00").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_sweep_finds_out_was_paid_when_the_card_was_charged() {
    story(async |world| {
        no_webhooks(world).await;
        let order = paid_unseen(world, "50", "order").await;
        let charged = stamp::format(world.clock.now());
        world.clock.advance(A_DAY);
        assert_eq!(world.sweep().await.credited, 1);
        let shown = world.look_up(&order).await.json();
        // Stripe counts whole seconds.
        let made = &shown["created_at"].as_str().unwrap()[.."2026-11-23T12:00:00".len()];
        for at in [&shown["paid_at"], &shown["attempts"][0]["at"]] {
            let at = at.as_str().unwrap();
            assert!(
                made <= at && at <= charged.as_str(),
                "{at}, made {made}, charged by {charged}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_young_order_is_left_to_its_webhook() {
    story(async |world| {
        no_webhooks(world).await;
        drop(paid_unseen(world, "50", "order").await);
        world.clock.advance(Duration::from_secs(2 * 60));
        assert_eq!(world.sweep().await.looked_at, 0);
        assert_eq!(world.provider_calls(LOOK_AT_PAGE).await, 0);
        world.clock.advance(Duration::from_secs(60));
        assert_eq!(world.sweep().await.credited, 1);
        world.assert_balances("wallet 50.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_can_still_be_paid_is_looked_at_and_left_as_it_is() {
    story(async |world| {
        let order = world.order("wallet", "50", "order").await.expect(201);
        world.clock.advance(A_WHILE);
        for _ in 0..3 {
            let swept = world.sweep().await;
            assert_eq!((swept.looked_at, swept.recorded, swept.left), (1, 0, 0));
        }
        assert_eq!(world.look_up(&order).await.text("checkout_url"), order.text("checkout_url"));
        drop(world.pay(&order, GOOD_CARD).await.expect(303));
        world.assert_balances("wallet 50.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_page_closed_unseen_expires() {
    story(async |world| {
        no_webhooks(world).await;
        let order = world.order("wallet", "50", "order").await.expect(201);
        world.clock.advance(A_DAY);
        assert_eq!(world.sweep().await.recorded, 1);
        let expired = world.look_up(&order).await;
        assert_eq!(expired.text("status"), "expired");
        assert_eq!(expired.text("status_reason"), "payment_page_expired");
        assert_eq!(world.sweep().await.looked_at, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_of_the_last_minute_is_credited_and_not_called_late() {
    story(async |world| {
        no_webhooks(world).await;
        let order = paid_unseen(world, "50", "order").await;
        world.clock.advance(A_DAY * 3);
        assert_eq!(world.sweep().await.credited, 1);
        let paid = world.look_up(&order).await;
        assert_eq!(
            (paid.text("status"), paid.json()["late"].as_bool()),
            ("completed".into(), Some(false))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_was_made_while_the_sweep_came_is_credited_and_does_not_ring() {
    story(async |world| {
        let order = world.order("wallet", "50", "order").await.expect(201);
        // Somebody took long to find the card: the webhook is on its way.
        world.clock.advance(A_WHILE);
        no_webhooks(world).await;
        drop(world.pay(&order, GOOD_CARD).await.expect(303));
        let swept = world.sweep().await;
        assert_eq!((swept.credited, swept.recorded), (0, 1));
        world.assert_balances("wallet 50.00").await;
    })
    .await;
}

/// Nobody can read it any more, as after a program that knew more has written it.
async fn spoil(world: &World, sk: &str, id: &str) -> Damage {
    let spoilt = |mut item: Item| {
        for name in ["shard", "money", "account_id"] {
            drop(item.insert(name.to_owned(), AttributeValue::S("of tomorrow!".to_owned())));
        }
        Some(item)
    };
    world.damage(&format!("{sk}#{id}"), sk, spoilt).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_an_error_in_the_log_and_hides_nothing_else() {
    story(async |world| {
        with_sms(world).await;
        no_webhooks(world).await;
        let mut damages = Vec::new();
        for number in 0..2 {
            let key = |what: &str| format!("{what}-{number}");
            drop(hold(world, "10", &key("hold")).await.expect(201));
            drop(paid_unseen(world, "50", &key("paid")).await);
            drop(world.order_offline("wallet", "USD 100.00", &key("offline")).await.expect(201));
            let reported = world.order_offline("wallet", "USD 100.00", &key("reported")).await;
            drop(world.report(&reported.expect(201), &key("ref")).await.expect(200));
        }
        let listed = world.get("/v1/orders?limit=100").await.expect(200).json();
        let of = |method: &str, status: &str| {
            let orders = listed["data"].as_array().unwrap().iter();
            let order = orders.filter(|one| one["method"] == method && one["status"] == status);
            order.map(|one| one["order_id"].as_str().unwrap().to_owned()).next().unwrap()
        };
        let orders = [
            of("card", "pending_payment"),
            of("offline", "pending_payment"),
            of("offline", "pending_review"),
        ];
        let listed = world.get("/v1/holds").await.expect(200).json();
        let hold = listed["data"][0]["hold_id"].as_str().unwrap();
        for order in &orders {
            damages.push(spoil(world, "ORDER", order).await);
        }
        damages.push(spoil(world, "HOLD", hold).await);

        let desk = world.admin_get("/v1/admin/reviews").await.expect(200).json();
        assert_eq!(desk["data"].as_array().unwrap().len(), 1);
        world.clock.advance(A_DAY * 20);
        let swept = world.sweep().await;
        assert_eq!((swept.credited, swept.recorded, swept.holds), (1, 1, 1), "{swept:?}");
        assert!(swept.complete);
        let logs = tests::logs::so_far();
        for id in orders.iter().map(String::as_str).chain([hold]) {
            let told = logs.lines().any(|line| line.contains("ERROR") && line.contains(id));
            assert!(told, "{id}");
        }
        for damage in damages {
            world.undo(damage).await;
        }
        let swept = world.sweep().await;
        assert_eq!((swept.credited, swept.recorded, swept.holds), (1, 1, 1), "{swept:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_that_cannot_be_read_stops_no_comparison_and_hides_no_other() {
    story(async |world| {
        for key in ["one", "two"] {
            let order = world.order("wallet", "50", key).await.expect(201);
            let page = order.session();
            let body = json!({"amount": 4_999});
            drop(world.control(&format!("sessions/{page}/pay"), &body).await.expect(200));
        }
        let listed = world.admin_get("/v1/admin/findings").await.expect(200).json();
        assert_eq!(listed["data"].as_array().unwrap().len(), 2);
        let id = listed["data"][0]["finding_id"].as_str().unwrap();
        let damage = spoil(world, "FINDING", id).await;
        let compared = world.compare().await;
        assert_eq!((compared.report.unreadable, compared.report.findings.len()), (1, 1));
        // Told again it is another one, of an order in exception; it is named as it is stored.
        assert_eq!(compared.report.findings[0].kind, "amount_differs");
        assert!(compared.finished_at.is_some());
        let listed = world.admin_get("/v1/admin/findings").await.expect(200).json();
        assert_eq!(listed["data"].as_array().unwrap().len(), 1);
        world.undo(damage).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_comparison_cannot_read_is_counted_and_stops_nothing() {
    story(async |world| {
        let forgotten = world.top_up("50", "forgotten").await;
        let claimed = world.top_up("60", "claimed").await;
        drop(world.top_up("70", "whole").await);
        let payment = async |order: &Answer| world.look_up(order).await.text("payment_id");
        let (forgotten, claimed) = (payment(&forgotten).await, payment(&claimed).await);
        let id = json!({"id": forgotten});
        drop(world.control("forget", &id).await.expect(200));
        let green = world.compare().await.report;
        assert_eq!((green.payments, green.unreadable, green.findings.len()), (2, 0, 1));
        let listed = world.admin_get("/v1/admin/findings").await.expect(200).json();
        let finding = listed["data"][0]["finding_id"].as_str().unwrap();
        let damages =
            [spoil(world, "FINDING", finding).await, spoil(world, "PAYMENT", &claimed).await];
        let run = world.compare().await;
        assert!(run.finished_at.is_some());
        assert_eq!((run.report.payments, run.report.unreadable), (2, 2), "{:?}", run.report);
        for damage in damages {
            world.undo(damage).await;
        }
        drop(world.control("recall", &id).await.expect(200));
        assert!(world.compare().await.is_green());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_run_stopped_is_a_hint_and_one_that_cannot_be_read_stops_none() {
    story(async |world| {
        no_webhooks(world).await;
        drop(paid_unseen(world, "50", "order").await);
        assert!(world.verify().await.complete);
        // A week later another round begins.
        world.clock.advance(A_DAY * 8);
        drop(spoil(world, "CURSOR", "sweep").await);
        drop(spoil(world, "CURSOR", "verify-07").await);
        let swept = world.sweep().await;
        assert_eq!((swept.credited, swept.complete), (1, true));
        let verified = world.verify().await;
        assert_eq!((verified.accounts, verified.broken, verified.complete), (1, 0, true));
        world.clock.advance(A_DAY * 8);
        assert_eq!(world.verify().await.accounts, 1, "what could not be read was replaced");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_holds_of_one_account_are_closed_by_one_sweep() {
    story(async |world| {
        with_sms(world).await;
        for number in 0..40 {
            drop(hold(world, "1", &format!("hold-{number}")).await.expect(201));
        }
        world.clock.advance(A_DAY);
        let swept = world.sweep().await;
        assert_eq!((swept.holds, swept.left), (40, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_nobody_knows_of_is_found_again_by_its_key() {
    story(async |world| {
        let next = vec![json!({"kind": "lost_response"}); CALLS];
        drop(world.control("faults", &json!({"next": next})).await.expect(200));
        drop(world.order("wallet", "50", "order").await.expect_problem(503, "unavailable"));
        world.clock.advance(A_WHILE);
        assert_eq!(world.sweep().await.recorded, 1);
        let calls = world.provider_requests(MAKE_PAGE).await;
        let keys: Vec<_> = calls.iter().map(|call| call["idempotency_key"].clone()).collect();
        assert!(keys.len() == CALLS + 1 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
        // The customer finds it in Order Details, and pays.
        let listed = world.get("/v1/orders").await.expect(200).json();
        let id = listed["data"][0]["order_id"].as_str().unwrap();
        let order = world.get(&format!("/v1/orders/{id}")).await.expect(200);
        drop(world.pay(&order, GOOD_CARD).await.expect(303));
        world.assert_balances("wallet 50.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_never_got_a_page_expires_without_one() {
    story(async |world| {
        world.wires.fail(MAKE_PAGE, Fault::LostBefore, CALLS);
        drop(world.order("wallet", "50", "order").await.expect_problem(503, "unavailable"));
        // Too late for these parameters: a page must be open for half an hour.
        world.clock.advance(Duration::from_secs(23 * 3_600 + 25 * 60));
        assert_eq!(world.sweep().await.recorded, 0);
        world.clock.advance(A_DAY);
        assert_eq!(world.sweep().await.recorded, 1);
        assert_eq!(world.provider_calls(MAKE_PAGE).await, 0);
        assert_eq!(orders(world).await, ["card 50.00 expired"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_that_stopped_halfway_is_finished_page_first() {
    story(async |world| {
        no_webhooks(world).await;
        let order = world.order("wallet", "50", "order").await.expect(201);
        let fault = json!({"next": [{"kind": "error_500"}]});
        drop(world.control("faults", &fault).await.expect(200));
        let stopped = world.cancel(&order.text("order_id")).await;
        drop(stopped.expect_problem(503, "unavailable"));
        assert_eq!(world.look_up(&order).await.text("status"), "pending_payment");
        world.clock.advance(A_WHILE);
        assert_eq!(world.sweep().await.recorded, 1);
        let cancelled = world.look_up(&order).await;
        assert_eq!(cancelled.text("status"), "cancelled");
        assert_eq!(cancelled.text("status_reason"), "cancelled_by_customer");
        drop(world.pay(&order, GOOD_CARD).await.expect(410));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_of_an_order_without_a_page_is_finished() {
    story(async |world| {
        world.wires.fail(MAKE_PAGE, Fault::LostBefore, CALLS);
        drop(world.order("wallet", "50", "order").await.expect_problem(503, "unavailable"));
        let listed = world.get("/v1/orders").await.expect(200).json();
        let id = listed["data"][0]["order_id"].as_str().unwrap();
        // The wish is stored; the second write is lost for good.
        let lost = "cancelled_by_customer";
        world.wires.fail_about("TransactWriteItems", lost, Fault::LostBefore, usize::MAX);
        drop(world.cancel(id).await.expect_problem(503, "unavailable"));
        world.wires.heal();
        world.clock.advance(A_WHILE);
        assert_eq!(world.sweep().await.recorded, 1);
        assert_eq!(orders(world).await, ["card 50.00 cancelled"]);
        assert_eq!(world.provider_calls(MAKE_PAGE).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_payment_that_nobody_told_becomes_a_finding() {
    story(async |world| {
        no_webhooks(world).await;
        let order = world.order("wallet", "50", "order").await.expect(201);
        let page = order.session();
        let paid = world.control(&format!("sessions/{page}/pay"), &json!({"amount": 4_999})).await;
        drop(paid.expect(200));
        world.clock.advance(A_WHILE);
        assert_eq!(world.sweep().await.found, 1);
        assert_eq!(world.look_up(&order).await.text("status"), "exception");
        assert_eq!(world.findings().await, ["amount_differs"]);
        world.assert_balances("wallet 0.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_stripe_does_not_know_is_an_error_in_the_log_and_stops_nothing() {
    const REFUSED: &str = "Stripe refuses the API key";
    story(async |world| {
        no_webhooks(world).await;
        for number in 0..2 {
            drop(paid_unseen(world, "10", &format!("order-{number}")).await);
        }
        world.clock.advance(A_WHILE);
        assert!(!tests::logs::so_far().contains(REFUSED));
        drop(
            world.control("faults", &json!({"next": [{"kind": "unauthorized"}]})).await.expect(200),
        );
        let swept = world.sweep().await;
        assert_eq!((swept.left, swept.credited), (1, 1));
        // The alarm of errors counts such lines.
        let logs = tests::logs::so_far();
        let line = logs.lines().find(|line| line.contains(REFUSED)).expect("a line");
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["level"], "ERROR");
        assert_eq!(world.sweep().await.credited, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_delays_the_sweep_and_stops_nothing() {
    story(async |world| {
        no_webhooks(world).await;
        for number in 0..3 {
            drop(paid_unseen(world, "10", &format!("order-{number}")).await);
        }
        world.clock.advance(A_WHILE);
        world.wires.fail(LOOK_AT_PAGE, Fault::LostBefore, 2);
        let swept = world.sweep().await;
        assert_eq!((swept.looked_at, swept.credited, swept.left), (3, 1, 2));
        assert_eq!(world.sweep().await.credited, 2);
        world.assert_balances("wallet 30.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_is_answered_nothing_at_all_fails_so_that_its_alarm_rings() {
    story(async |world| {
        no_webhooks(world).await;
        for number in 0..2 {
            drop(paid_unseen(world, "10", &format!("order-{number}")).await);
        }
        world.clock.advance(A_WHILE);
        world.wires.fail(LOOK_AT_PAGE, Fault::LostBefore, usize::MAX);
        let swept = world.cloud.functions.reconcile.handle(world.clock.now()).await;
        assert!(matches!(swept, Err(Error::Unavailable(Unavailable::Provider(_)))), "{swept:?}");
        world.wires.heal();
        assert_eq!(world.sweep().await.credited, 2);
        world.assert_balances("wallet 20.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_races_the_sweep() {
    for _ in 0..6 {
        let world = Arc::new(World::start().await);
        no_webhooks(&world).await;
        let order = paid_unseen(&world, "50", "order").await;
        world.clock.advance(A_WHILE);
        let (one, other) = (Arc::clone(&world), Arc::clone(&world));
        let sweeping = tokio::spawn(async move { one.sweep().await });
        drop(other.control("webhooks/resend", &json!({})).await.expect(200));
        assert_eq!(sweeping.await.unwrap().left, 0);
        while world.look_up(&order).await.text("status") != "completed" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        world.assert_balances("wallet 50.00").await;
        assert_eq!(world.journal("demo").await.1.len(), 1);
        world.audit().await;
    }
}
