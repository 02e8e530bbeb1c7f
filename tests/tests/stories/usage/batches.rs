//! Many charges in one request: each once, each with its own answer, many in one commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Cost, Fault, World, story};

use super::{charge, charge_all, journal, outcomes, with_sms};

/// So many charges of 0.01, with these keys.
fn cents(keys: std::ops::Range<usize>) -> Value {
    let one = |key| json!({"key": format!("m-{key}"), "product": "sms", "amount": "0.01"});
    json!({"charges": keys.map(one).collect::<Vec<_>>()})
}

/// How many of a batch came to each status.
fn counted(answer: &tests::Answer) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for outcome in outcomes(answer) {
        *counts.entry(outcome).or_default() += 1;
    }
    counts
}

fn all(status: &str, count: usize) -> BTreeMap<String, usize> {
    BTreeMap::from([(status.to_owned(), count)])
}

#[tokio::test(flavor = "multi_thread")]
async fn each_charge_of_a_batch_has_its_own_answer() {
    story(async |world| {
        with_sms(world).await;
        drop(charge(world, "sms", "1", "before").await.expect(201));
        let answer = charge_all(
            world,
            &[
                ("before", "sms", "1"),
                ("before", "sms", "2"),
                ("a", "sms", "60"),
                ("b", "sms", "39.01"),
                ("c", "sms", "39"),
                ("d", "voice", "0.01"),
                ("e", "pigeons", "1"),
                ("f", "sms", "1.0000001"),
                ("g h", "sms", "1"),
                ("a", "sms", "60"),
            ],
        )
        .await
        .expect(200);
        assert_eq!(
            outcomes(&answer),
            [
                "200",
                "409 idempotency_key_reused",
                "201",
                "402 insufficient_balance",
                "201",
                "402 insufficient_balance",
                "422 unknown_product",
                "422 invalid_amount",
                "400 invalid_idempotency_key",
                "200",
            ]
        );
        let data = answer.json()["data"].clone();
        assert_eq!((&data[2]["key"], &data[2]["account_id"]), (&json!("a"), &json!("demo")));
        assert_eq!(data[3]["problem"]["available"], "39.00");
        assert_eq!(
            (&data[2]["charge"]["entry"], &data[4]["charge"]["entry"]),
            (&json!(3), &json!(3))
        );
        let entries = world.get("/v1/entries").await.expect(200).json();
        let named = entries["data"][0]["document_id"].as_str().unwrap().to_owned();
        let made = [2, 4].map(|index| data[index]["charge"]["charge_id"].as_str().unwrap());
        assert_eq!(named, made.join(" "));
        assert_eq!(journal(world).await[0], "charge: product:sms -99.00, external:usage 99.00");
        // One of a batch is one of its own: the same key by itself tells the same.
        assert!(charge(world, "sms", "39", "c").await.expect(200).is_replay());
        world.assert_balances("wallet 0.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_charges_are_eleven_commits_and_a_repeated_or_overlapping_batch_adds_what_is_new()
 {
    story(async |world| {
        with_sms(world).await;
        drop(world.get("/v1/products").await.expect(200));
        drop(charge(world, "sms", "1", "warm").await.expect(201));
        let cost = Cost::of(&world.wires, async || {
            let answer = world.post("/v1/charges/batch", "k", &cents(0..1_000)).await.expect(200);
            assert_eq!(counted(&answer), all("201", 1_000));
        })
        .await;
        assert_eq!(
            cost.to_string(),
            "11 BatchGetItem, 11 TransactWriteItems, 1011.0 read units, 2088.0 write units"
        );
        world.assert_balances("wallet 0.00, sms 89.00").await;
        assert_eq!(world.journal("demo").await.1.len(), 13);
        let again = world.post("/v1/charges/batch", "k", &cents(0..1_000)).await.expect(200);
        assert_eq!(counted(&again), all("200", 1_000));
        let overlapping =
            world.post("/v1/charges/batch", "k", &cents(500..1_100)).await.expect(200);
        let expected = BTreeMap::from([("200".to_owned(), 500), ("201".to_owned(), 100)]);
        assert_eq!(counted(&overlapping), expected);
        world.assert_balances("wallet 0.00, sms 88.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_that_overlap_race_and_nothing_is_charged_twice() {
    let world = Arc::new(World::start().await);
    with_sms(&world).await;
    let posts = (0..8).map(|number| {
        let world = Arc::clone(&world);
        async move {
            // Each shares half of its keys with the next.
            let keys = number * 75..number * 75 + 150;
            loop {
                let answer = world.post("/v1/charges/batch", "k", &cents(keys.clone())).await;
                let done = outcomes(&answer.expect(200));
                if done.iter().all(|outcome| outcome == "200" || outcome == "201") {
                    return 200;
                }
            }
        }
    });
    assert_eq!(crate::races::all(posts).await, BTreeMap::from([(200, 8)]));
    // 8 * 75 and the last half: 675 cents.
    world.assert_balances("wallet 0.00, sms 93.25").await;
    let (_, entries) = world.journal("demo").await;
    let ids: Vec<&str> =
        entries[1..].iter().flat_map(|entry| entry.document_id.split(' ')).collect();
    assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (675, 675));
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_charges_race_for_seven_hundred() {
    let world = Arc::new(World::start().await);
    let order = world.order("sms", "700", "funds").await.expect(201);
    drop(world.pay(&order, tests::world::GOOD_CARD).await.expect(303));
    let batches = (0..20).map(|batch| {
        let world = Arc::clone(&world);
        async move {
            let keys = (0..50).map(|number| format!("race-{batch}-{number}"));
            let charges: Vec<_> =
                keys.map(|key| json!({"key": key, "product": "sms", "amount": "1"})).collect();
            let body = json!({"charges": charges});
            loop {
                let answer = world.post("/v1/charges/batch", "unused", &body).await.expect(200);
                let done = outcomes(&answer);
                if !done.iter().any(|outcome| outcome.starts_with("503")) {
                    return done;
                }
            }
        }
    });
    let mut counts = BTreeMap::new();
    for outcome in futures_util::future::join_all(batches).await.into_iter().flatten() {
        let made = outcome == "200" || outcome == "201";
        *counts.entry(if made { "made".to_owned() } else { outcome }).or_insert(0) += 1;
    }
    let refused = "402 insufficient_balance".to_owned();
    assert_eq!(counts, BTreeMap::from([("made".to_owned(), 700), (refused, 300)]));
    world.assert_balances("wallet 0.00").await;
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_charges_many_accounts_at_once_and_a_customer_only_its_own() {
    story(async |world| {
        with_sms(world).await;
        let mut charges = Vec::new();
        for number in 0..5 {
            let account = format!("customer-{number}");
            drop(world.new_customer(&account).await);
            let path = format!("/v1/admin/accounts/{account}/adjustments");
            let body = json!({"balance": "product:sms", "amount": "1.00", "reason": "gift"});
            drop(world.admin_post(&path, "gift", &body).await.expect(201));
            for (key, amount) in [("a", "0.75"), ("b", "0.50")] {
                charges.push(json!({
                    "key": key, "account_id": account, "product": "sms", "amount": amount,
                }));
            }
        }
        charges.push(json!({"key": "a", "account_id": "nobody", "product": "sms", "amount": "1"}));
        charges.push(json!({"key": "a", "product": "sms", "amount": "1"}));
        let body = json!({"charges": charges});
        let answer = world.admin_post("/v1/charges/batch", "k", &body).await.expect(200);
        let mut expected = ["201", "402 insufficient_balance"].repeat(5);
        expected.extend(["404 not_found", "422 missing_field"]);
        assert_eq!(outcomes(&answer), expected);

        let other = json!({"charges": [
            {"key": "x", "account_id": "customer-1", "product": "sms", "amount": "0.01"},
            {"key": "y", "account_id": "demo", "product": "sms", "amount": "0.01"},
        ]});
        let answer = world.post("/v1/charges/batch", "k", &other).await.expect(200);
        assert_eq!(outcomes(&answer), ["404 not_found", "201"]);
        world.assert_balances("wallet 0.00, sms 99.99").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_batch_is_refused_as_a_whole() {
    story(async |world| {
        with_sms(world).await;
        for (body, status, code) in [
            ("{}".to_owned(), 422, "missing_field"),
            (r#"{"charges":[]}"#.to_owned(), 422, "invalid_field"),
            (cents(0..1_001).to_string(), 422, "invalid_field"),
            (r#"{"charges":[],"more":[]}"#.to_owned(), 422, "unknown_field"),
            (r#"{"charges":[{}],"dry_run":true}"#.to_owned(), 422, "unknown_field"),
            (r#"{"charges":null}"#.to_owned(), 422, "missing_field"),
            (r#"{"charges":{}}"#.to_owned(), 422, "invalid_field"),
            (r#"{"charges":["a"]"#.to_owned(), 400, "invalid_json"),
            (
                format!("{{\"charges\":[{{\"key\":\"{}\"}}]}}", "x".repeat(1 << 20)),
                413,
                "body_too_large",
            ),
        ] {
            let request = axum::http::Request::post("/v1/charges/batch")
                .header("authorization", format!("Bearer {}", world.customer.key))
                .header("content-type", "application/json");
            let answer = world.send(request.body(body.into()).unwrap()).await;
            answer.expect_problem(status, code);
        }
        world.assert_balances("wallet 0.00, sms 100.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_a_batch_that_cannot_be_read_stops_no_other() {
    story(async |world| {
        with_sms(world).await;
        for (key, broken, status, code) in [
            ("a", "7", 422, "invalid_field"),
            ("b", "null", 422, "invalid_field"),
            ("c", r#"{"key":"x","key":"y"}"#, 400, "invalid_json"),
        ] {
            let good = format!(r#"{{"key":"{key}","product":"sms","amount":"1"}}"#);
            let body = format!(r#"{{"charges":[{good},{broken},{good}]}}"#);
            let request = axum::http::Request::post("/v1/charges/batch")
                .header("authorization", format!("Bearer {}", world.customer.key))
                .header("content-type", "application/json");
            let answer = world.send(request.body(body.into()).unwrap()).await.expect(200).json();
            let statuses: Vec<_> =
                [0, 1, 2].map(|one| answer["data"][one]["status"].clone()).into();
            assert_eq!(statuses, [json!(201), json!(status), json!(200)], "{answer}");
            let refused = &answer["data"][1];
            assert_eq!(refused["key"], json!(null));
            let problem = &refused["problem"];
            assert_eq!((&problem["code"], &problem["field"]), (&json!(code), &json!("charges[1]")));
        }
        world.assert_balances("wallet 0.00, sms 97.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_answers_were_lost_is_charged_once() {
    for fault in [Fault::LostAfter, Fault::LostBefore, Fault::Throttled] {
        story(async |world| {
            with_sms(world).await;
            // The first commit goes through, the others do not, or nobody is told.
            world.wires.fail_after("TransactWriteItems", fault, 1, usize::MAX);
            let answer = world.post("/v1/charges/batch", "k", &cents(0..200)).await.expect(200);
            let expected =
                BTreeMap::from([("201".to_owned(), 92), ("503 unavailable".to_owned(), 108)]);
            assert_eq!(counted(&answer), expected, "{fault:?}");
            world.wires.heal();
            let again = world.post("/v1/charges/batch", "k", &cents(0..200)).await.expect(200);
            let made = counted(&again);
            assert_eq!(made.values().fold(0, |sum, count| sum + count), 200);
            assert!(made.keys().all(|status| status == "200" || status == "201"), "{made:?}");
            world.assert_balances("wallet 0.00, sms 98.00").await;
        })
        .await;
    }
}
