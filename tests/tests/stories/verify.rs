//! The full run: every account follows from its journal, orders and entries say the same, and what
//! does not hold is found, once, until it holds again.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use axum::body::Body;
use axum::http::Request;
use ledger::{
    AccountId, Actor, Amount, External, IdempotencyKey, Money, Movement, OrderId, Place,
    ProductCode, Transfer, transfer,
};
use serde_json::{Value, json};
use service::record::{OrderRecord, RequestWords};
use service::table::{Commit, Committed};
use service::verification::Verified;
use tests::world::{Damage, GOOD_CARD, Item, card_order};
use tests::{Answer, Cost, Customer, Fault, World, story};

/// As long as one round is away from the next.
const A_ROUND: Duration = Duration::from_secs(7 * 24 * 3_600);
/// The demo account's, which every story has.
const ACCOUNT: &str = "ACCOUNT#demo";
const JOURNAL: &str = "JOURNAL#demo";

/// Figures in words: accounts, entries, orders, and what is wrong.
fn figures(verified: Verified) -> String {
    let Verified { accounts, entries, orders, broken, cured, left, complete } = verified;
    assert_eq!(left, 0);
    let complete = if complete { "complete" } else { "to go on" };
    format!(
        "{accounts} accounts, {entries} entries, {orders} orders, {broken} broken, {cured} cured, {complete}"
    )
}

/// The findings that a person must look at, or those that are closed: `journal_broken demo`.
async fn found(world: &World, status: &str) -> Vec<String> {
    let path = format!("/v1/admin/findings?status={status}");
    let listed = world.admin_get(&path).await.expect(200).json();
    let in_words = |one: &Value| {
        let part = |name: &str| one[name].as_str().map(|text| format!(" {text}"));
        let closed = part("closed_how").unwrap_or_default();
        format!(
            "{}{}{}{closed}",
            one["type"].as_str().unwrap(),
            part("account_id").unwrap(),
            part("order_id").unwrap_or_default()
        )
    };
    listed["data"].as_array().unwrap().iter().map(in_words).collect()
}

/// A customer with a paid order and a transfer.
async fn busy_customer(world: &World, account: &str) -> Customer {
    let customer = world.new_customer(account).await;
    let body = card_order("wallet", "50.00");
    let order = world.post_as(&customer.key, "/v1/orders", "order", &body).await.expect(201);
    drop(world.pay(&order, GOOD_CARD).await.expect(303));
    let body = json!({"product": "sms", "amount": "20.00"});
    drop(world.post_as(&customer.key, "/v1/transfers", "move", &body).await.expect(201));
    customer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_world_verifies() {
    story(async |world| {
        drop(busy_customer(world, "acme").await);
        let order = world.top_up("100.00", "order").await;
        drop(world.transfer("sms", "30.00", "move").await.expect(201));
        let yuan = world.order_offline("wallet", "CNY 720.00", "yuan").await.expect(201);
        drop(world.accept(&yuan, "CNY 719.00", "ICBC-1", "accept").await.expect(201));
        let path = format!("/v1/admin/orders/{}/refunds", order.text("order_id"));
        let body = json!({"amount": "10.00", "reason": "asked for it"});
        drop(world.admin_post(&path, "refund", &body).await.expect(201));
        // A dispute of what was spent leaves a debt, which the next top-up pays first.
        drop(world.transfer("voice", "150.00", "spend").await.expect(201));
        let body = json!({"payment_id": order.text("payment_id"), "outcome": "open"});
        drop(world.control("disputes", &body).await.expect(200));
        drop(world.top_up("40.00", "again").await);
        // One that nobody pays has no entry, and needs none.
        drop(world.order("wallet", "10.00", "open").await.expect(201));

        let control = Request::post("/_control/verify").body(Body::empty()).unwrap();
        let answer = world.send(control).await.expect(200).json();
        let entries = world.journal("demo").await.0.entries + 2;
        let expected = json!({
            "accounts": 2, "entries": entries, "orders": 8,
            "broken": 0, "cured": 0, "left": 0, "complete": true,
        });
        assert_eq!(answer, expected);
        assert!(found(world, "open").await.is_empty() && found(world, "closed").await.is_empty());

        // A complete round rests until seven days after its beginning.
        world.clock.advance(A_ROUND - Duration::from_secs(1));
        let rest = Cost::of(&world.wires, async || {
            world.verify().await;
        })
        .await;
        assert_eq!(rest.to_string(), "1 BatchGetItem, 16.0 read units, 0.0 write units");
        world.clock.advance(Duration::from_secs(1));
        let next = world.verify().await;
        assert_eq!(figures(next), "2 accounts, 0 entries, 8 orders, 0 broken, 0 cured, complete");
    })
    .await;
}

/// Changes an attribute of an item.
fn with(item: Item, name: &str, change: impl FnOnce(&mut AttributeValue)) -> Option<Item> {
    let mut item = item;
    change(item.get_mut(name).expect("the item has it"));
    Some(item)
}

fn set(value: &str) -> impl FnOnce(&mut AttributeValue) {
    let value = value.to_owned();
    move |attribute| {
        *attribute = match attribute {
            AttributeValue::N(_) => AttributeValue::N(value),
            _ => AttributeValue::S(value),
        };
    }
}

/// Changes an attribute inside of a map.
fn inside(name: &'static str, value: &'static str) -> impl FnOnce(&mut AttributeValue) {
    move |attribute| match attribute {
        AttributeValue::M(map) => set(value)(map.get_mut(name).expect("the map has it")),
        other => panic!("no map: {other:?}"),
    }
}

/// The demo account moves a cent so many times, past the API; returns the orders, oldest first.
async fn many_transfers(world: &World, count: usize) -> Vec<OrderId> {
    let id = AccountId::parse("demo").unwrap();
    let mut account = world.table.account(&id).await.unwrap().unwrap();
    let mut made = Vec::new();
    for number in 0..count {
        let key = IdempotencyKey::parse(&format!("bulk-{number}")).unwrap();
        let command = Transfer {
            order_id: OrderId::of_transfer(&id, &key),
            product: ProductCode::parse("sms").unwrap(),
            amount: Amount::parse("0.01", 2).unwrap(),
            by: Actor::parse("test").unwrap(),
        };
        let (order, decision) = transfer(&account, &command, world.clock.now()).unwrap();
        made.push(order.id.clone());
        let record = OrderRecord::new(order, RequestWords::default());
        let commit = Commit::default().order(&record, world.clock.now()).decision(&decision);
        assert!(matches!(world.table.commit(commit).await.unwrap(), Committed::Yes));
        account = decision.account;
    }
    made
}

/// Looks at damage that was done: it is found once, and cured once it is undone.
async fn is_found(world: &World, what: &str, damage: Damage, expected: &str) {
    let before = found(world, "closed").await.len();
    for _ in 0..2 {
        let verified = world.verify_whole().await;
        assert_eq!((verified.broken, verified.cured, verified.complete), (1, 0, true), "{what}");
        assert_eq!(found(world, "open").await, [expected], "{what}");
    }
    world.undo(damage).await;
    let verified = world.verify_whole().await;
    assert_eq!((verified.broken, verified.cured), (0, 1), "{what}");
    assert!(found(world, "open").await.is_empty(), "{what}");
    let closed = found(world, "closed").await;
    assert!(closed.contains(&format!("{expected} cured")), "{what}: {closed:?}");
    assert!(closed.len() <= before + 1, "{what}: the same one is the same one");
    assert_eq!(world.verify_whole().await.cured, 0, "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_account_or_entry_is_found_and_cured() {
    story(async |world| {
        drop(busy_customer(world, "acme").await);
        drop(world.top_up("100.00", "order").await);
        drop(world.transfer("sms", "30.00", "move").await.expect(201));
        drop(world.transfer("sms", "10.00", "more").await.expect(201));
        let (first, second) = ("000000000001", "000000000002");
        let last = "000000000003";
        let broken = "journal_broken demo";

        let edited = |item| with(item, "document_id", set("ord_00000000000000000000"));
        let damage = world.damage(JOURNAL, second, edited).await;
        is_found(world, "an edited entry", damage, broken).await;
        let skipped = |item| with(item, "number", set("3"));
        let damage = world.damage(JOURNAL, second, skipped).await;
        is_found(world, "a skipped number", damage, broken).await;
        let damage = world.damage(JOURNAL, first, |_| None).await;
        is_found(world, "a lost entry", damage, broken).await;
        let damage = world.damage(JOURNAL, last, |_| None).await;
        is_found(world, "a lost last entry", damage, broken).await;
        let unreadable = |item| with(item, "kind", set("gift"));
        let damage = world.damage(JOURNAL, second, unreadable).await;
        is_found(world, "an entry that cannot be read", damage, broken).await;

        let richer = |item| with(item, "balances", inside("wallet", "1000"));
        let damage = world.damage(ACCOUNT, "ACCOUNT", richer).await;
        is_found(world, "a changed balance", damage, broken).await;
        let owing = |item| with(item, "debt", set("5"));
        let damage = world.damage(ACCOUNT, "ACCOUNT", owing).await;
        is_found(world, "a changed debt", damage, broken).await;
        let yen = |item| with(item, "currency", set("KWD"));
        let damage = world.damage(ACCOUNT, "ACCOUNT", yen).await;
        is_found(world, "another currency", damage, broken).await;
        let negative = |item| with(item, "balances", inside("wallet", "-1"));
        let damage = world.damage(ACCOUNT, "ACCOUNT", negative).await;
        is_found(world, "an account that cannot be read", damage, broken).await;
        let damage = world.damage(ACCOUNT, "ACCOUNT", |_| None).await;
        is_found(world, "a lost account", damage, broken).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_was_put_back_to_what_it_was_is_found() {
    story(async |world| {
        drop(world.top_up("100.00", "order").await);
        let before = world.item(ACCOUNT, "ACCOUNT").await.unwrap();
        drop(world.transfer("sms", "30.00", "move").await.expect(201));
        // It follows from its first entry, but there is another one.
        let damage = world.damage(ACCOUNT, "ACCOUNT", |_| Some(before)).await;
        is_found(world, "an older account", damage, "journal_broken demo").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_and_entries_that_disagree_are_found_and_cured() {
    story(async |world| {
        drop(busy_customer(world, "acme").await);
        let paid = world.top_up("100.00", "order").await.text("order_id");
        let moved = world.transfer("sms", "30.00", "move").await.expect(201).text("order_id");
        let open = world.order("wallet", "25.00", "open").await.expect(201).text("order_id");
        let [paid_key, moved_key, open_key] =
            [&paid, &moved, &open].map(|id| format!("ORDER#{id}"));

        // Credited, it says, and no entry knows of it.
        let settled = world.item(&paid_key, "ORDER").await.unwrap()["settled"].clone();
        let claimed = |mut item: Item| {
            item.insert("settled".to_owned(), settled);
            Some(item)
        };
        let damage = world.damage(&open_key, "ORDER", claimed).await;
        let expected = format!("order_without_entry demo {open}");
        is_found(world, "a credit without an entry", damage, &expected).await;

        let expected = format!("entry_without_order demo {paid}");
        let uncredited = |mut item: Item| {
            drop(item.remove("settled"));
            Some(item)
        };
        let damage = world.damage(&paid_key, "ORDER", uncredited).await;
        is_found(world, "an order that was not credited", damage, &expected).await;
        let damage = world.damage(&paid_key, "ORDER", |_| None).await;
        is_found(world, "an order that is lost", damage, &expected).await;
        let more = |item| with(item, "settled", inside("credited", "1000"));
        let damage = world.damage(&paid_key, "ORDER", more).await;
        is_found(world, "an order of another amount", damage, &expected).await;
        let elsewhere = |item| with(item, "target", set("product:sms"));
        let damage = world.damage(&paid_key, "ORDER", elsewhere).await;
        is_found(world, "an order of another target", damage, &expected).await;

        let expected = format!("entry_without_order demo {moved}");
        let bank = |item| with(item, "method", set("offline"));
        let damage = world.damage(&moved_key, "ORDER", bank).await;
        is_found(world, "an order paid in another way", damage, &expected).await;
        let unreadable = |item| with(item, "method", set("cash"));
        let damage = world.damage(&moved_key, "ORDER", unreadable).await;
        is_found(world, "an order that cannot be read", damage, "journal_broken demo").await;
        let credit = world.admin_get("/v1/admin/findings?status=closed").await.expect(200).json();
        let of_open =
            credit["data"].as_array().unwrap().iter().find(|one| one["order_id"] == *open);
        let expected = json!({"amount": "100.00", "currency": "USD"});
        assert_eq!(of_open.unwrap()["expected"], expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_back_of_an_order_that_its_entries_do_not_say_is_found_and_cured() {
    story(async |world| {
        let order = world.top_up("100.00", "order").await;
        let id = order.text("order_id");
        let key = format!("ORDER#{id}");
        let refund = format!("/v1/admin/orders/{id}/refunds");
        let body = json!({"amount": "30.00", "reason": "asked for it"});
        drop(world.admin_post(&refund, "refund", &body).await.expect(201));
        let body =
            json!({"payment_id": order.text("payment_id"), "amount": 1000, "outcome": "open"});
        drop(world.control("disputes", &body).await.expect(200));
        assert_eq!(world.verify().await.broken, 0);

        let change = |name: &'static str, value: &'static str| {
            move |item| with(item, "reversals", inside(name, value))
        };
        let broken = "journal_broken demo";
        let damage = world.damage(&key, "ORDER", change("taken", "20")).await;
        is_found(world, "less was taken", damage, broken).await;
        let damage = world.damage(&key, "ORDER", change("held", "5")).await;
        is_found(world, "more is aside than may go", damage, broken).await;
        let forgotten = |mut item: Item| {
            drop(item.remove("reversals"));
            Some(item)
        };
        let damage = world.damage(&key, "ORDER", forgotten).await;
        // And by a round that begins where the last one stopped.
        world.clock.advance(A_ROUND);
        assert_eq!(world.verify().await.broken, 1);
        is_found(world, "nothing went back", damage, broken).await;
        let unlisted = |mut item: Item| {
            let Some(AttributeValue::M(reversals)) = item.get_mut("reversals") else {
                panic!("nothing went back: {item:?}")
            };
            drop(reversals.remove("refunds").unwrap());
            Some(item)
        };
        let damage = world.damage(&key, "ORDER", unlisted).await;
        is_found(world, "a refund that is not there", damage, broken).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_order_and_a_second_entry_for_one_are_found() {
    story(async |world| {
        drop(busy_customer(world, "acme").await);
        let paid = world.top_up("100.00", "order").await.text("order_id");
        let theirs = |item| with(item, "account_id", set("acme"));
        let damage = world.damage(&format!("ORDER#{paid}"), "ORDER", theirs).await;
        let expected = format!("entry_without_order demo {paid}");
        is_found(world, "somebody else's order", damage, &expected).await;

        // A second credit of the same order, by somebody who can make an entry that follows.
        let (account, entries) = world.journal("demo").await;
        let movement = Movement {
            from: Place::External(External::Card),
            to: Place::WALLET,
            money: Money::parse("100", account.currency).unwrap(),
        };
        let (kind, order) = (entries[0].kind, &entries[0].document_id);
        let forged = account.post(kind, order, &[movement], world.clock.now()).unwrap();
        let commit = Commit::default().decision(&forged);
        let before = world.item(ACCOUNT, "ACCOUNT").await.unwrap();
        let committed = world.table.commit(commit).await.unwrap();
        assert!(matches!(committed, Committed::Yes));
        let verified = world.verify_whole().await;
        assert_eq!((verified.broken, found(world, "open").await), (1, vec![expected]));
        drop(world.damage(JOURNAL, "000000000002", |_| None).await);
        drop(world.damage(ACCOUNT, "ACCOUNT", |_| Some(before)).await);
        assert_eq!(world.verify_whole().await.cured, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cured_and_breaks_again_is_open_again_also_if_a_person_had_closed_it() {
    story(async |world| {
        drop(world.top_up("100.00", "order").await);
        let richer = |item| with(item, "balances", inside("wallet", "1000"));
        let damage = world.damage(ACCOUNT, "ACCOUNT", richer).await;
        assert_eq!(world.verify_whole().await.broken, 1);
        world.undo(damage).await;
        assert_eq!(world.verify_whole().await.cured, 1);
        let damage = world.damage(ACCOUNT, "ACCOUNT", richer).await;
        assert_eq!(world.verify_whole().await.broken, 1);
        assert_eq!(found(world, "open").await, ["journal_broken demo"]);
        assert!(found(world, "closed").await.is_empty());

        let listed = world.admin_get("/v1/admin/findings?status=open").await.expect(200).json();
        let one = &listed["data"][0];
        assert!(one["next_step"].as_str().unwrap().contains("freeze the account"));
        let path = format!("/v1/admin/findings/{}/resolve", one["finding_id"].as_str().unwrap());
        let reason = json!({"reason": "it is known"});
        drop(world.admin_post(&path, "unused", &reason).await.expect(200));
        // Nobody is told again of what a person has closed, for as long as it lasts.
        assert_eq!(world.verify_whole().await.broken, 1);
        assert_eq!(found(world, "closed").await, ["journal_broken demo resolved"]);
        world.undo(damage).await;
        assert_eq!(world.verify_whole().await.cured, 1);
        assert_eq!(found(world, "closed").await, ["journal_broken demo cured"]);
        assert_eq!(world.verify_whole().await.cured, 0);
        let damage = world.damage(ACCOUNT, "ACCOUNT", richer).await;
        assert_eq!(world.verify_whole().await.broken, 1);
        let listed = world.admin_get("/v1/admin/findings?status=open").await.expect(200).json();
        assert_eq!(listed["data"][0]["resolved_before"]["reason"], reason["reason"], "{listed}");
        world.undo(damage).await;
        assert_eq!(world.verify_whole().await.cured, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_time_is_up_goes_on_where_it_stopped() {
    story(async |world| {
        for number in 0..20 {
            drop(busy_customer(world, &format!("customer-{number}")).await);
        }
        drop(world.top_up("100.00", "order").await);
        let at_once = world.verify_whole().await;
        assert_eq!(
            figures(at_once),
            "21 accounts, 41 entries, 41 orders, 0 broken, 0 cured, complete"
        );
        world.clock.advance(Duration::from_secs(1));
        let verifications = &world.cloud.functions.verify_accounts.0;
        let mut verified =
            verifications.run_whole(Duration::ZERO, world.clock.now()).await.unwrap();
        // Sixteen shards of which each has at least one account verified, if it has one.
        assert!(verified.accounts > 0 && !verified.complete, "{verified:?}");
        while !verified.complete {
            let next = verifications.run(Duration::ZERO, world.clock.now()).await.unwrap();
            assert!(next.accounts > verified.accounts || next.complete, "{next:?}");
            verified = next;
        }
        assert_eq!(verified, at_once);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_dies_goes_on_where_it_stopped() {
    story(async |world| {
        for number in 0..6 {
            drop(busy_customer(world, &format!("customer-{number}")).await);
        }
        world.wires.fail_about("Query", "JOURNAL#customer-3", Fault::LostBefore, usize::MAX);
        let verifications = &world.cloud.functions.verify_accounts.0;
        let now = world.clock.now();
        assert!(verifications.run(Duration::MAX, now).await.is_err());
        world.wires.heal();
        world.wires.forget();
        let verified = world.verify().await;
        assert_eq!(
            figures(verified),
            "7 accounts, 12 entries, 12 orders, 0 broken, 0 cured, complete"
        );
        // The other shards were done before.
        let exchanges = world.wires.exchanges();
        let journals = exchanges.iter().filter(|one| one.request.contains("JOURNAL#"));
        assert!(journals.count() < 7);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_checkpoint_only_what_is_new_is_read() {
    story(async |world| {
        drop(world.top_up("100.00", "order").await);
        for number in 0..3 {
            drop(world.transfer("sms", "10.00", &format!("move-{number}")).await.expect(201));
        }
        assert_eq!(world.verify().await.entries, 4);
        drop(world.transfer("sms", "10.00", "new").await.expect(201));
        world.clock.advance(A_ROUND);
        world.wires.forget();
        assert_eq!(
            figures(world.verify().await),
            "1 accounts, 1 entries, 5 orders, 0 broken, 0 cured, complete"
        );
        let exchanges = world.wires.exchanges();
        let journal: Vec<_> =
            exchanges.iter().filter(|one| one.request.contains(JOURNAL)).collect();
        assert_eq!(journal.len(), 1);
        assert!(journal[0].request.contains("sk > :after"), "{}", journal[0].request);
        assert!(journal[0].request.contains("000000000004"), "{}", journal[0].request);
        assert_eq!(journal[0].capacity_tenths, 10);

        // So what is done to an old entry is found by a whole round.
        let edited = |item| with(item, "at", set("0"));
        let damage = world.damage(JOURNAL, "000000000002", edited).await;
        world.clock.advance(A_ROUND);
        assert_eq!(world.verify().await.broken, 0);
        assert_eq!(world.verify_whole().await.broken, 1);
        // And by every round after it, until it is undone.
        world.clock.advance(A_ROUND);
        assert_eq!(world.verify().await.broken, 1);
        world.undo(damage).await;
        world.clock.advance(A_ROUND);
        assert_eq!(
            figures(world.verify().await),
            "1 accounts, 5 entries, 5 orders, 0 broken, 1 cured, complete"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_verified_by_a_version_that_did_not_sum_what_went_back_is_verified_again() {
    story(async |world| {
        drop(world.top_up("100.00", "order").await);
        assert_eq!(world.verify().await.entries, 1);
        let unsummed = |mut item: Item| {
            drop(item.remove("reversals").expect("the sum"));
            Some(item)
        };
        drop(world.damage("CHECKPOINT#demo", "CHECKPOINT", unsummed).await);
        for entries in [1, 0] {
            world.clock.advance(A_ROUND);
            let verified = world.verify().await;
            assert_eq!((verified.entries, verified.broken), (entries, 0));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_cannot_be_read_is_found_and_stops_nobody() {
    story(async |world| {
        drop(busy_customer(world, "acme").await);
        drop(world.top_up("100.00", "order").await);
        assert_eq!(world.verify().await.broken, 0);
        let unreadable = |item| with(item, "credit_sum", set("none"));
        let damage = world.damage("CHECKPOINT#demo", "CHECKPOINT", unreadable).await;
        world.clock.advance(A_ROUND);
        let verified = world.verify().await;
        assert_eq!((verified.accounts, verified.broken), (2, 1));
        assert_eq!(found(world, "open").await, ["journal_broken demo"]);
        world.undo(damage).await;
        let verified = world.verify_whole().await;
        assert_eq!(
            (verified.broken, verified.cured),
            (0, 1),
            "it could not be noted, and is cured"
        );
        assert_eq!(found(world, "closed").await, ["journal_broken demo cured"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_being_used_is_never_called_broken() {
    let world = Arc::new(World::start().await);
    let order = world.top_up("1000.00", "order").await;
    let mut using: Vec<_> = (0..4)
        .map(|who| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                for number in 0..25 {
                    let key = format!("move-{who}-{number}");
                    drop(world.transfer("sms", "1.00", &key).await.expect(201));
                }
            })
        })
        .collect();
    let (refunding, path) =
        (Arc::clone(&world), format!("/v1/admin/orders/{}/refunds", order.text("order_id")));
    using.push(tokio::spawn(async move {
        let body = json!({"amount": "1.00", "reason": "asked for it"});
        for number in 0..25 {
            let key = format!("refund-{number}");
            // One that lost every race to the others is asked for again.
            while refunding.admin_post(&path, &key, &body).await.status != 201 {}
        }
    }));
    let mut rounds = 0;
    while !using.iter().all(tokio::task::JoinHandle::is_finished) {
        // One that begins in the same moment as the last one would only go on with it.
        world.clock.advance(Duration::from_millis(1));
        let verified = world.verify_whole().await;
        assert_eq!((verified.broken, verified.left), (0, 0));
        rounds += 1;
    }
    assert!(rounds > 1, "they ran side by side");
    for one in using {
        one.await.unwrap();
    }
    world.clock.advance(Duration::from_millis(1));
    let verified = world.verify_whole().await;
    assert_eq!(
        figures(verified),
        "1 accounts, 151 entries, 101 orders, 0 broken, 0 cured, complete"
    );
    assert!(world.findings().await.is_empty());
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_journal_is_read_in_pages() {
    story(async |world| {
        drop(world.top_up("1000.00", "order").await);
        let ids = many_transfers(world, 1_200).await;
        world.wires.forget();
        assert_eq!(
            figures(world.verify().await),
            "1 accounts, 1201 entries, 1201 orders, 0 broken, 0 cured, complete"
        );
        let exchanges = world.wires.exchanges();
        let journals = exchanges.iter().filter(|one| one.request.contains(JOURNAL));
        assert_eq!(journals.count(), 3);
        // One of many is damaged: it is that one which is found.
        let id = &ids[700];
        let more = |item| with(item, "settled", inside("credited", "0.02"));
        let damage = world.damage(&format!("ORDER#{id}"), "ORDER", more).await;
        is_found(world, "one of many", damage, &format!("entry_without_order demo {id}")).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_a_hundred_findings_at_a_time_and_none_is_cured_by_there_being_more() {
    story(async |world| {
        drop(world.top_up("1000.00", "order").await);
        let ids = many_transfers(world, 130).await;
        let mut damages = Vec::new();
        for id in &ids {
            let more = |item| with(item, "settled", inside("credited", "0.02"));
            damages.push(world.damage(&format!("ORDER#{id}"), "ORDER", more).await);
        }
        for _ in 0..2 {
            let verified = world.verify_whole().await;
            assert_eq!((verified.broken, verified.cured), (1, 0));
            assert_eq!(world.findings().await.len(), 100);
        }
        // Thirty are put right, of those that were found first: the others come after them.
        for damage in damages.drain(..30) {
            world.undo(damage).await;
        }
        let verified = world.verify_whole().await;
        assert_eq!((verified.broken, verified.cured), (1, 30));
        assert_eq!(world.findings().await.len(), 130);
        for damage in damages {
            world.undo(damage).await;
        }
        assert_eq!(world.verify_whole().await.cured, 100);
        assert!(found(world, "open").await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_costs_what_the_architecture_says() {
    story(async |world| {
        let round = async || {
            let cost = Cost::of(&world.wires, async || {
                world.verify().await;
            })
            .await;
            world.clock.advance(A_ROUND);
            cost.to_string()
        };
        let empty = round().await;
        let order: Answer = world.top_up("100.00", "order").await;
        assert_eq!(order.text("status"), "completed");
        let first = round().await;
        let idle = round().await;
        assert_eq!([empty, first, idle], EXPECTED);
    })
    .await;
}

/// A round of one account: without an entry, with a new one, and with one that was verified before.
/// All need one read of the places of the 16 shards and one write that begins the round, and of each
/// shard one page and one write.
const EXPECTED: [&str; 3] = [
    "2 GetItem, 1 BatchGetItem, 18 Query, 17 TransactWriteItems, 27.5 read units, 64.0 write units",
    "2 GetItem, 2 BatchGetItem, 18 Query, 18 TransactWriteItems, 28.5 read units, 66.0 write units",
    "2 GetItem, 2 BatchGetItem, 18 Query, 17 TransactWriteItems, 28.5 read units, 64.0 write units",
];
