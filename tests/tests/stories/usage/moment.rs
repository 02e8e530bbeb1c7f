//! Balances at a moment: what they were then, whatever happened since.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use ledger::{Account, AccountId, Currency, MomentSearch, Timestamp};
use serde_json::{Value, json};
use service::moments::MAX_FOLDED;
use tests::world::Item;
use tests::{World, story};

use super::{TIME, capture, charge, hold, release, with_sms};
use crate::races::all;

/// Balances without what tells when they were asked for.
fn money(balances: &Value) -> Value {
    let mut money = balances.clone();
    money["as_of"] = Value::Null;
    money["version"] = Value::Null;
    money
}

async fn at(world: &World, moment: &str) -> Value {
    world.get(&format!("/v1/balances?at={moment}")).await.expect(200).json()
}

/// What was shown after everything that happened, with the moment at which it was shown.
struct Notes<'story> {
    world: &'story World,
    shown: Vec<Value>,
}

impl Notes<'_> {
    async fn take(&mut self) {
        self.shown.push(self.world.get("/v1/balances").await.expect(200).json());
        self.world.clock.advance(Duration::from_secs(1));
    }
}

/// A history with every kind of place: balances, holds, a debt, other currencies.
async fn history(world: &World) -> Vec<Value> {
    let mut notes = Notes { world, shown: Vec::new() };
    notes.take().await;
    let order = world.top_up("50.00", "wallet").await;
    notes.take().await;
    with_sms(world).await;
    notes.take().await;
    drop(charge(world, "sms", "0.004512", "charge").await.expect(201));
    notes.take().await;
    let held = hold(world, "30.00", "hold").await.expect(201);
    notes.take().await;
    drop(capture(world, &held, "10.00", false, "capture").await.expect(201));
    notes.take().await;
    drop(release(world, &held).await.expect(200));
    notes.take().await;
    let yuan = world.order_offline("wallet", "CNY 720.00", "yuan").await.expect(201);
    drop(world.accept(&yuan, "CNY 719.00", "ICBC-1", "accept").await.expect(201));
    notes.take().await;
    // A dispute of what was spent leaves a debt, which the next top-up pays first.
    drop(world.transfer("voice", "140.00", "spend").await.expect(201));
    notes.take().await;
    let body = json!({"payment_id": order.text("payment_id"), "outcome": "open"});
    drop(world.control("disputes", &body).await.expect(200));
    notes.take().await;
    drop(world.top_up("40.00", "again").await);
    notes.take().await;
    notes.shown
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_at_a_moment_are_what_was_shown_then() {
    story(async |world| {
        let shown = history(world).await;
        assert!(shown.iter().any(|one| one["debt"] != "0.00"), "there was a debt");
        for then in &shown {
            let moment = then["as_of"].as_str().unwrap();
            let told = at(world, moment).await;
            assert_eq!(money(&told), money(then), "at {moment}");
            assert_eq!((&told["as_of"], &told["version"]), (&then["as_of"], &Value::Null));
            let path = format!("/v1/admin/accounts/demo/balances?at={moment}");
            assert_eq!(world.admin_get(&path).await.expect(200).json(), told);
        }
        // What is asked for in another time zone is the same moment.
        let then = shown[3]["as_of"].as_str().unwrap();
        let elsewhere = then.replace("T12:", "T20:").replace('Z', "%2B08:00");
        assert_eq!(at(world, &elsewhere).await, at(world, then).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_moment_of_an_entry_has_it_and_the_millisecond_before_does_not() {
    story(async |world| {
        drop(history(world).await);
        let (_, entries) = world.journal("demo").await;
        for entry in &entries {
            let millis = entry.at.unix_millis();
            for (moment, includes) in [(millis, true), (millis - 1, false)] {
                let last = entries.iter().rfind(|one| one.at.unix_millis() <= moment);
                let last = last.map_or(0, |last| last.number);
                let told = at(world, &text(moment)).await;
                assert_eq!(told["entry"], last, "at {moment}");
                assert_eq!(last >= entry.number, includes);
            }
        }
        // Before anything happened there was nothing, and every product is listed.
        let nothing = at(world, "2020-01-01T00:00:00Z").await;
        assert_eq!((&nothing["entry"], &nothing["debt"]), (&json!(0), &json!("0.00")));
        let nil = json!({"available": "0.00", "held": "0.00"});
        assert_eq!(nothing["wallet"], nil);
        let products = nothing["products"].as_array().unwrap();
        assert_eq!(products.len(), 4);
        assert!(products.iter().all(|one| one["available"] == "0.00" && one["held"] == "0.00"));
        // An account that nothing ever happened to has no other moment.
        let fresh = world.new_customer("fresh").await;
        let path = "/v1/balances?at=2026-11-23T12:00:00Z";
        let told = world.get_as(&fresh.key, path).await.expect(200).json();
        assert_eq!((&told["account_id"], &told["entry"]), (&json!("fresh"), &json!(0)));
        assert_eq!(told["wallet"], nil);
    })
    .await;
}

/// A moment as it is asked for.
fn text(unix_millis: i64) -> String {
    // Every story is of the same day.
    let day_millis = unix_millis.rem_euclid(86_400_000);
    let (seconds, millis) = (day_millis / 1_000, day_millis % 1_000);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("2026-11-23T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_whose_time_is_over_is_held_until_the_journal_says_otherwise() {
    story(async |world| {
        with_sms(world).await;
        drop(hold(world, "30.00", "hold").await.expect(201));
        world.clock.advance(Duration::from_secs(TIME));
        let now = world.get("/v1/balances").await.expect(200).json();
        let then = at(world, now["as_of"].as_str().unwrap()).await;
        let sms = |balances: &Value| {
            let products = balances["products"].as_array().unwrap();
            let sms = products.iter().find(|one| one["product"] == "sms").unwrap();
            format!("{} and {}", sms["available"].as_str().unwrap(), sms["held"].as_str().unwrap())
        };
        assert_eq!((sms(&now), sms(&then)), ("100.00 and 0.00".into(), "70.00 and 30.00".into()));
        drop(charge(world, "sms", "1.00", "charge").await.expect(201));
        let now = world.get("/v1/balances").await.expect(200).json();
        assert_eq!(sms(&at(world, now["as_of"].as_str().unwrap()).await), "99.00 and 0.00");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_being_used_was_still_what_it_was() {
    let world = Arc::new(World::start().await);
    with_sms(&world).await;
    for number in 0..6 {
        drop(charge(&world, "sms", "0.01", &format!("before-{number}")).await.expect(201));
    }
    let (_, entries) = world.journal("demo").await;
    let moment = text(entries[4].at.unix_millis());
    let before = at(&world, &moment).await;
    let answers = all((0..24).map(|number| {
        let (world, moment, before) = (Arc::clone(&world), moment.clone(), before.clone());
        async move {
            if number % 2 == 0 {
                assert_eq!(at(&world, &moment).await, before);
                return 200;
            }
            charge(&world, "sms", "0.01", &format!("race-{number}")).await.status
        }
    }));
    assert_eq!(answers.await, BTreeMap::from([(200, 12), (201, 12)]));
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_that_is_none_or_is_still_to_come_is_refused() {
    story(async |world| {
        drop(world.top_up("50.00", "wallet").await);
        for (asked, field) in [
            ("at=yesterday", "at"),
            ("at=", "at"),
            ("at", "at"),
            ("at=2026-11-23", "at"),
            ("at=1795435200", "at"),
            ("at=2026-11-23T12:00:00", "at"),
            ("at=2026-02-30T00:00:00Z", "at"),
            ("at=2026-11-23T20:00:00+08:00", "at"),
            ("at=2026-11-23T12:00:00Z&at=2026-11-23T12:00:00Z", "at"),
            ("at=2026-11-23T13:00:00Z", "at"),
            ("at=9998-12-31T00:00:00Z", "at"),
        ] {
            for path in ["/v1/balances", "/v1/admin/accounts/demo/balances"] {
                let path = format!("{path}?{asked}");
                let answer = match path.contains("admin") {
                    true => world.admin_get(&path).await,
                    false => world.get(&path).await,
                };
                let answer = answer.expect_problem(422, "invalid_parameter");
                assert_eq!(answer.text("field"), field, "{path}");
            }
        }
        let moment = "at=2026-11-23T12:00:00Z";
        let answer = world.get(&format!("/v1/balances?{moment}&limit=1")).await;
        assert_eq!(answer.expect_problem(422, "unknown_field").text("field"), "limit");
        let answer = world.admin_get(&format!("/v1/admin/accounts/nobody/balances?{moment}")).await;
        drop(answer.expect_problem(404, "not_found"));
    })
    .await;
}

/// An entry like this one, with another number and made at another time.
fn copied(entry: &Item, number: u64, at: i64) -> Item {
    let mut copy = entry.clone();
    copy.insert("sk".to_owned(), AttributeValue::S(format!("{number:012}")));
    copy.insert("number".to_owned(), AttributeValue::N(number.to_string()));
    copy.insert("at".to_owned(), AttributeValue::N(at.to_string()));
    copy
}

/// Of a journal of 40,001 entries those are made up that are looked at; entry 20,001 is the last by
/// the moment, and one fewer would be near enough to its end.
#[tokio::test(flavor = "multi_thread")]
async fn a_moment_that_is_too_far_from_both_ends_is_refused_with_a_way_out() {
    story(async |world| {
        drop(world.top_up("50.00", "wallet").await);
        let first = world.item("JOURNAL#demo", "000000000001").await.unwrap();
        let moment = world.clock.now().unix_millis() - 1;
        let (wanted, entries) = (MAX_FOLDED + 1, 2 * MAX_FOLDED + 2);
        let account = Account {
            entries,
            last_entry_at: Some(Timestamp::from_unix_millis(moment + 1)),
            ..Account::open(AccountId::parse("demo").unwrap(), Currency::USD)
        };
        let mut damages = Vec::new();
        let mut search = MomentSearch::new(&account, Timestamp::from_unix_millis(moment));
        while let Some(number) = search.next() {
            let at = if number <= wanted { moment } else { moment + 1 };
            let sort = format!("{number:012}");
            let damage = world.damage("JOURNAL#demo", &sort, |_| Some(copied(&first, number, at)));
            damages.push(damage.await);
            search = search.told(number, Timestamp::from_unix_millis(at));
        }
        assert_eq!((search.found(), damages.len()), (wanted, 15));
        let longer = |mut item: Item| {
            item.insert("entries".to_owned(), AttributeValue::N(entries.to_string()));
            item.insert("last_entry_at".to_owned(), AttributeValue::N((moment + 1).to_string()));
            Some(item)
        };
        let grown = world.damage("ACCOUNT#demo", "ACCOUNT", longer).await;

        let answer = world.get(&format!("/v1/balances?at={}", text(moment))).await;
        let problem = answer.expect_problem(422, "moment_too_far");
        assert_eq!(problem.text("field"), "at");
        let detail = problem.text("detail");
        assert!(detail.contains("20000") && detail.contains("/v1/entries.csv"), "{detail}");

        // A journal that lacks an entry is no answer, but an alarm.
        let one = damages.pop().unwrap();
        world.undo(one).await;
        let answer = world.get(&format!("/v1/balances?at={}", text(moment))).await;
        drop(answer.expect_problem(500, "internal_error"));
        world.undo(grown).await;
        for damage in damages {
            world.undo(damage).await;
        }
    })
    .await;
}

/// An entry that was edited is on the way from both ends.
#[tokio::test(flavor = "multi_thread")]
async fn balances_that_do_not_follow_from_the_journal_are_not_told() {
    story(async |world| {
        drop(history(world).await);
        let (_, entries) = world.journal("demo").await;
        let edited = |mut item: Item| {
            item.insert("document_id".to_owned(), AttributeValue::S("another".to_owned()));
            Some(item)
        };
        let last = entries.len() - 1;
        for (number, asked) in [(1, 2), (last, last - 2)] {
            let sort = format!("{number:012}");
            let damage = world.damage("JOURNAL#demo", &sort, edited).await;
            let moment = text(entries[asked - 1].at.unix_millis());
            let answer = world.get(&format!("/v1/balances?at={moment}")).await;
            drop(answer.expect_problem(500, "internal_error"));
            world.undo(damage).await;
            drop(world.get(&format!("/v1/balances?at={moment}")).await.expect(200));
        }
    })
    .await;
}
