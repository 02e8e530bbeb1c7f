//! Requests on the wire, counted: what each use case costs.

use serde_json::json;
use tests::world::GOOD_CARD;
use tests::{Answer, Cost, Receiver, World, story};

/// What a use case costs, in words.
async fn cost(world: &World, work: impl AsyncFnOnce() -> Answer) -> String {
    Cost::of(&world.wires, async || drop(work().await)).await.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_use_case_costs_what_the_architecture_says() {
    story(async |world| {
        // Warm the catalogue that functions keep for a minute.
        drop(world.get("/v1/products").await.expect(200));
        drop(world.top_up("100", "warm").await);
        drop(world.transfer("sms", "1", "warm").await.expect(201));

        let mut table = Vec::new();
        let mut order = None;
        table.push((
            "create card order",
            cost(world, async || {
                let made = world.order("wallet", "100", "order").await.expect(201);
                order = Some(made.clone());
                made
            })
            .await,
        ));
        let order = order.unwrap();
        table.push((
            "webhook credit",
            cost(world, async || {
                world.deliver(&world.paid_event(&order, "pi_1")).await.expect(200)
            })
            .await,
        ));
        table.push((
            "webhook repeated",
            cost(world, async || {
                world.deliver(&world.paid_event(&order, "pi_1")).await.expect(200)
            })
            .await,
        ));
        table.push((
            "transfer",
            cost(world, async || world.transfer("sms", "5", "move").await.expect(201)).await,
        ));
        table.push((
            "transfer repeated",
            cost(world, async || world.transfer("sms", "5", "move").await.expect(200)).await,
        ));
        table.push((
            "transfer refused",
            cost(world, async || world.transfer("sms", "5000", "too-much").await.expect(402)).await,
        ));
        table.push((
            "balances",
            cost(world, async || world.get("/v1/balances").await.expect(200)).await,
        ));
        table.push(("one order", cost(world, async || world.look_up(&order).await).await));
        table.push((
            "page of orders",
            cost(world, async || world.get("/v1/orders").await.expect(200)).await,
        ));
        table.push((
            "page of entries",
            cost(world, async || world.get("/v1/entries").await.expect(200)).await,
        ));
        // Of four entries the second: two that are looked at, and the first two are folded.
        let (_, entries) = world.journal("demo").await;
        let moment = entries[1].at.unix_millis() % 86_400_000 - 43_200_000;
        let moment = format!("2026-11-23T12:00:{:02}.{:03}Z", moment / 1_000, moment % 1_000);
        let path = format!("/v1/balances?at={moment}");
        table.push((
            "balances at a moment",
            cost(world, async || world.get(&path).await.expect(200)).await,
        ));
        table.push((
            "export of orders",
            cost(world, async || world.get("/v1/orders.csv").await.expect(200)).await,
        ));
        table.push((
            "export of entries",
            cost(world, async || world.get("/v1/entries.csv").await.expect(200)).await,
        ));
        // Stripe tells of the page that was closed; here it keeps quiet, to count the cancellation alone.
        drop(world.control("webhooks", &json!({"mode": "drop"})).await.expect(200));
        let open = world.order("wallet", "10", "open").await.expect(201);
        table.push((
            "cancel",
            cost(world, async || world.cancel(&open.text("order_id")).await.expect(200)).await,
        ));

        let shown: Vec<_> = table.iter().map(|(name, cost)| format!("{name}: {cost}")).collect();
        assert_eq!(shown, EXPECTED, "{shown:#?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bank_transfers_cost_what_the_architecture_says() {
    story(async |world| {
        // Warm the catalogue that functions keep for a minute.
        let warm = world.order_offline("wallet", "CNY 720.00", "warm").await.expect(201);
        drop(world.accept(&warm, "CNY 720.00", "WARM", "warm").await.expect(201));

        let mut table = Vec::new();
        let mut order = None;
        table.push((
            "create offline order",
            cost(world, async || {
                let made = world.order_offline("wallet", "CNY 720.00", "order").await.expect(201);
                order = Some(made.clone());
                made
            })
            .await,
        ));
        let order = order.unwrap();
        let other = world.order_offline("wallet", "CNY 720.00", "other").await.expect(201);
        table.push((
            "report",
            cost(world, async || world.report(&order, "R-1").await.expect(200)).await,
        ));
        table.push((
            "page of reviews",
            cost(world, async || world.admin_get("/v1/admin/reviews").await.expect(200)).await,
        ));
        let accept =
            async |order: &Answer, key: &str| world.accept(order, "CNY 720.00", "R-1", key).await;
        table.push(("accept", cost(world, async || accept(&order, "a").await.expect(201)).await));
        table.push((
            "accept repeated",
            cost(world, async || accept(&order, "a").await.expect(200)).await,
        ));
        table.push((
            "bank reference used",
            cost(world, async || accept(&other, "b").await.expect(409)).await,
        ));
        table.push((
            "reject",
            cost(world, async || world.reject(&other, "not found").await.expect(200)).await,
        ));
        let shown: Vec<_> = table.iter().map(|(name, cost)| format!("{name}: {cost}")).collect();
        assert_eq!(shown, EXPECTED_OF_BANK_TRANSFERS, "{shown:#?}");
    })
    .await;
}

const EXPECTED_OF_BANK_TRANSFERS: [&str; 7] = [
    "create offline order: 1 BatchGetItem, 1 TransactWriteItems, 2.0 read units, 6.0 write units",
    "report: 1 GetItem, 1 TransactWriteItems, 1.0 read units, 4.0 write units",
    "page of reviews: 1 BatchGetItem, 1 Query, 1.5 read units, 0.0 write units",
    "accept: 2 GetItem, 1 TransactWriteItems, 2.0 read units, 16.0 write units",
    "accept repeated: 1 GetItem, 1.0 read units, 0.0 write units",
    "bank reference used: 2 GetItem, 1 TransactWriteItems, 2.0 read units, 0.0 write units",
    "reject: 1 GetItem, 1 TransactWriteItems, 1.0 read units, 7.0 write units",
];

/// Two read units are a consistent read of two items of at most 4 KB each. A transaction costs two
/// write units an item, and one for each index that lists it, as the embedded table counts. What the
/// platform is told costs four: an item that two indexes list.
const EXPECTED: [&str; 14] = [
    "create card order: 1 BatchGetItem, 2 TransactWriteItems, 1 Stripe, 2.0 read units, 6.0 write units",
    "webhook credit: 1 BatchGetItem, 1 TransactWriteItems, 3.0 read units, 14.0 write units",
    "webhook repeated: 1 BatchGetItem, 3.0 read units, 0.0 write units",
    "transfer: 1 BatchGetItem, 1 TransactWriteItems, 2.0 read units, 11.0 write units",
    "transfer repeated: 1 BatchGetItem, 2.0 read units, 0.0 write units",
    "transfer refused: 1 GetItem, 1 BatchGetItem, 3.0 read units, 0.0 write units",
    "balances: 1 GetItem, 1.0 read units, 0.0 write units",
    "one order: 1 GetItem, 1.0 read units, 0.0 write units",
    "page of orders: 1 BatchGetItem, 1 Query, 4.5 read units, 0.0 write units",
    "page of entries: 1 Query, 1.0 read units, 0.0 write units",
    "balances at a moment: 3 GetItem, 1 Query, 4.0 read units, 0.0 write units",
    "export of orders: 1 BatchGetItem, 1 Query, 4.5 read units, 0.0 write units",
    "export of entries: 1 Query, 1.0 read units, 0.0 write units",
    "cancel: 1 GetItem, 2 TransactWriteItems, 1 Stripe, 1.0 read units, 5.0 write units",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_costs_what_the_architecture_says() {
    story(async |world| {
        drop(world.control("webhooks", &json!({"mode": "drop"})).await.expect(200));
        let nothing = Cost::of(&world.wires, async || {
            world.sweep().await;
        })
        .await;
        let order = world.order("wallet", "10", "order").await.expect(201);
        world.clock.advance(std::time::Duration::from_secs(300));
        let open = Cost::of(&world.wires, async || {
            world.sweep().await;
        })
        .await;
        drop(world.pay(&order, GOOD_CARD).await.expect(303));
        let paid = Cost::of(&world.wires, async || {
            world.sweep().await;
        })
        .await;
        let shown = [nothing, open, paid].map(|cost| cost.to_string());
        assert_eq!(shown, EXPECTED_OF_SWEEPS);
    })
    .await;
}

/// A sweep of nothing, of one open order, and of one whose payment nobody told. A query of an index
/// that finds nothing costs half a unit.
const EXPECTED_OF_SWEEPS: [&str; 3] = [
    "1 GetItem, 65 Query, 33.5 read units, 0.0 write units",
    "1 GetItem, 1 BatchGetItem, 65 Query, 1 Stripe, 34.5 read units, 0.0 write units",
    "1 GetItem, 2 BatchGetItem, 65 Query, 1 TransactWriteItems, 1 Stripe, 37.5 read units, 14.0 write units",
];

#[tokio::test(flavor = "multi_thread")]
async fn money_that_goes_back_costs_what_the_architecture_says() {
    story(async |world| {
        let order = world.top_up("100.00", "order").await;
        let path = format!("/v1/admin/orders/{}/refunds", order.text("order_id"));
        let body = json!({"amount": "10.00", "reason": "asked for it"});
        drop(world.control("webhooks", &json!({"mode": "drop"})).await.expect(200));
        let refund = async |status| world.admin_post(&path, "r1", &body).await.expect(status);
        let mut table = vec![("refund", cost(world, async || refund(201).await).await)];
        table.push(("refund repeated", cost(world, async || refund(200).await).await));
        drop(world.control("webhooks", &json!({"mode": "deliver"})).await.expect(200));
        let body = json!({"payment_id": order.text("payment_id"), "amount": 500});
        let told = async || world.control("refunds", &body).await.expect(200);
        table.push(("refund in the dashboard", cost(world, told).await));
        let path = format!("/v1/admin/accounts/{}/adjustments", world.customer.account);
        let body = json!({"balance": "wallet", "amount": "-1.00", "reason": "a mistake"});
        drop(world.admin_post(&path, "warm", &body).await.expect(201));
        let adjust = async |status| world.admin_post(&path, "a1", &body).await.expect(status);
        table.push(("adjustment", cost(world, async || adjust(201).await).await));
        table.push(("adjustment repeated", cost(world, async || adjust(200).await).await));
        let shown: Vec<_> = table.iter().map(|(name, cost)| format!("{name}: {cost}")).collect();
        assert_eq!(shown, EXPECTED_OF_MONEY_BACK, "{shown:#?}");
    })
    .await;
}

const EXPECTED_OF_MONEY_BACK: [&str; 5] = [
    "refund: 1 GetItem, 2 BatchGetItem, 2 TransactWriteItems, 1 Stripe, 5.0 read units, 25.0 write units",
    "refund repeated: 1 GetItem, 1 BatchGetItem, 3.0 read units, 0.0 write units",
    "refund in the dashboard: 2 BatchGetItem, 1 TransactWriteItems, 4.0 read units, 15.0 write units",
    "adjustment: 2 GetItem, 1 TransactWriteItems, 2.0 read units, 7.0 write units",
    "adjustment repeated: 2 GetItem, 2.0 read units, 0.0 write units",
];

#[tokio::test(flavor = "multi_thread")]
async fn money_that_is_used_costs_what_the_architecture_says() {
    story(async |world| {
        let order = world.order("sms", "100.00", "order").await.expect(201);
        drop(world.pay(&order, GOOD_CARD).await.expect(303));
        let charge = async |amount: &str, key: &str, status| {
            let body = json!({"product": "sms", "amount": amount});
            world.post("/v1/charges", key, &body).await.expect(status)
        };
        drop(charge("1", "warm", 201).await);
        let mut table = vec![("charge", cost(world, async || charge("1", "c1", 201).await).await)];
        table.push(("charge repeated", cost(world, async || charge("1", "c1", 200).await).await));
        table.push(("charge refused", cost(world, async || charge("99", "c2", 402).await).await));
        let rule = json!({"top_up_below": "95", "top_up_amount": "5", "alert_below": "90"});
        drop(world.top_up("50", "wallet").await);
        let path = "/v1/products/sms/thresholds";
        let setting = async || world.put(path, &rule).await.expect(200);
        table.push(("thresholds", cost(world, setting).await));
        let crossing = async || charge("3.5", "c3", 201).await;
        table.push(("charge with an automatic top-up", cost(world, crossing).await));
        drop(world.put(path, &json!({})).await.expect(200));
        let place = async |key: &str| {
            let body = json!({"product": "sms", "amount": "10", "expires_in": 900});
            world.post("/v1/holds", key, &body).await.expect(201)
        };
        let hold = place("warm").await;
        table.push(("hold", cost(world, async || place("h1").await).await));
        let path = format!("/v1/holds/{}", hold.text("hold_id"));
        let capture = async |status| {
            let path = format!("{path}/capture");
            world.post(&path, "x1", &json!({"amount": "4"})).await.expect(status)
        };
        table.push(("capture", cost(world, async || capture(201).await).await));
        table.push(("capture repeated", cost(world, async || capture(200).await).await));
        let release =
            async || world.post(&format!("{path}/release"), "unused", &json!({})).await.expect(200);
        table.push(("release", cost(world, release).await));
        let list = async || world.get("/v1/holds").await.expect(200);
        table.push(("page of holds", cost(world, list).await));
        world.tell().await;
        world.clock.advance(std::time::Duration::from_secs(900));
        let swept = Cost::of(&world.wires, async || assert_eq!(world.sweep().await.holds, 1));
        table.push(("sweep of an expired hold", swept.await.to_string()));
        let shown: Vec<_> = table.iter().map(|(name, cost)| format!("{name}: {cost}")).collect();
        assert_eq!(shown, EXPECTED_OF_USAGE, "{shown:#?}");
    })
    .await;
}

const EXPECTED_OF_USAGE: [&str; 11] = [
    "charge: 1 BatchGetItem, 1 TransactWriteItems, 2.0 read units, 6.0 write units",
    "charge repeated: 1 BatchGetItem, 2.0 read units, 0.0 write units",
    "charge refused: 2 BatchGetItem, 3.0 read units, 0.0 write units",
    "thresholds: 1 GetItem, 1 TransactWriteItems, 1.0 read units, 2.0 write units",
    "charge with an automatic top-up: 1 BatchGetItem, 1 TransactWriteItems, 2.0 read units, 15.0 write units",
    "hold: 1 BatchGetItem, 1 TransactWriteItems, 2.0 read units, 8.0 write units",
    "capture: 1 BatchGetItem, 1 TransactWriteItems, 3.0 read units, 8.0 write units",
    "capture repeated: 2 BatchGetItem, 5.0 read units, 0.0 write units",
    "release: 1 BatchGetItem, 1 TransactWriteItems, 2.0 read units, 7.0 write units",
    "page of holds: 1 GetItem, 1 BatchGetItem, 1 Query, 3.5 read units, 0.0 write units",
    "sweep of an expired hold: 2 GetItem, 1 BatchGetItem, 65 Query, 1 TransactWriteItems, 35.5 read units, 11.0 write units",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_costs_what_the_architecture_says() {
    story(async |world| {
        let nothing = Cost::of(&world.wires, async || drop(world.compare().await)).await;
        drop(world.top_up("10.00", "k1").await);
        let one = Cost::of(&world.wires, async || drop(world.compare().await)).await;
        let shown = [nothing, one].map(|cost| cost.to_string());
        assert_eq!(shown, EXPECTED_OF_COMPARISONS);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn telling_an_event_costs_what_the_architecture_says() {
    story(async |world| {
        drop(world.top_up("10", "first").await);
        let nobody = Cost::of(&world.wires, async || world.tell().await).await;
        let receiver = Receiver::start().await;
        let body = json!({"url": receiver.url});
        let path = "/v1/admin/endpoints/shop";
        let made = Cost::of(&world.wires, async || drop(world.admin_put(path, &body).await)).await;
        drop(world.top_up("10", "second").await);
        let told = Cost::of(&world.wires, async || world.tell().await).await;
        let shown = [nobody, made, told].map(|cost| cost.to_string());
        assert_eq!(shown, EXPECTED_OF_EVENTS);
    })
    .await;
}

/// Nobody is to be told; an endpoint is made; it takes an event.
const EXPECTED_OF_EVENTS: [&str; 3] = [
    "2 GetItem, 1 TransactWriteItems, 2.0 read units, 3.0 write units",
    "1 GetItem, 1 TransactWriteItems, 1.0 read units, 4.0 write units",
    "2 GetItem, 1 TransactWriteItems, 2.0 read units, 3.0 write units",
];

/// Thirteen hours in which nothing happened, or one payment.
const EXPECTED_OF_COMPARISONS: [&str; 2] = [
    "1 GetItem, 417 Query, 15 TransactWriteItems, 14 Stripe, 209.5 read units, 31.0 write units",
    "2 GetItem, 2 BatchGetItem, 417 Query, 15 TransactWriteItems, 14 Stripe, 212.5 read units, 31.0 write units",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_authorizer_asks_the_table_once() {
    story(async |world| {
        world.wires.forget();
        drop(world.get("/v1/balances").await.expect(200));
        let exchanges = world.wires.exchanges();
        let of_key = exchanges.iter().filter(|exchange| exchange.request.contains("KEY#"));
        let asked: Vec<_> = of_key.map(|exchange| exchange.operation.as_str()).collect();
        assert_eq!(asked, ["GetItem"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_paid_once_however_often_the_form_is_sent() {
    story(async |world| {
        let order = world.order("wallet", "25", "order").await.expect(201);
        drop(world.pay(&order, GOOD_CARD).await.expect(303));
        drop(world.pay(&order, GOOD_CARD).await);
        drop(world.control("webhooks/resend", &json!({"times": 3})).await);
        world.assert_balances("wallet 25.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_function_asks_for_its_role_is_asked_first() {
    story(async |world| {
        let before = world.wires.held();
        world.wires.forget();
        drop(world.get("/v1/balances").await.expect(200));
        let asked = world.wires.exchanges().len();
        // The key, the catalogue and the account.
        assert_eq!((asked, world.wires.held() - before), (3, 3));
    })
    .await;
}
