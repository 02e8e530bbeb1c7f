//! Lists that are asked for in a wrong way, and cursors that were not made for them.

use axum::body::Body;
use axum::http::Request;
use data_encoding::BASE64URL_NOPAD;
use tests::{Answer, World, story};

use super::{Bad, assert_refused, refusal};

fn get(world: &World, path: &str) -> Request<Body> {
    Request::get(path)
        .header("authorization", format!("Bearer {}", world.customer.key))
        .body(Body::empty())
        .unwrap()
}

/// Two orders and two entries, so that a page of one has a next one.
async fn some_orders(world: &World) {
    drop(world.top_up("40", "first").await);
    drop(world.top_up("50", "second").await);
}

/// The cursor for the page after the first order or entry.
async fn cursor(world: &World, path: &str) -> String {
    let page = world.get(path).await.expect(200);
    assert_ne!(page.text("next_cursor"), "", "{path} has a next page");
    page.text("next_cursor")
}

fn assert_invalid(what: &str, answer: &Answer) {
    assert_eq!(refusal(answer), "400 invalid_cursor cursor", "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_refuses_parameters_that_it_does_not_understand() {
    story(async |world| {
        some_orders(world).await;
        let limit = "422 invalid_parameter limit";
        let both = [
            ("limit=0", limit),
            ("limit=101", limit),
            ("limit=abc", limit),
            ("limit=-1", limit),
            ("limit=1.5", limit),
            ("limit=1e1", limit),
            ("limit=256", limit),
            ("limit=", limit),
            ("limit", limit),
            ("limit=1&limit=2", limit),
            ("limit=99999999999999999999", limit),
            ("page=2", "422 unknown_field page"),
            ("Limit=2", "422 unknown_field Limit"),
            ("account_id=other", "422 unknown_field account_id"),
            ("from=yesterday", "422 invalid_parameter from"),
            ("from=2026-11-23", "422 invalid_parameter from"),
            ("from=1795435200", "422 invalid_parameter from"),
            ("to=", "422 invalid_parameter to"),
            ("to=2026-02-30T00:00:00Z", "422 invalid_parameter to"),
            ("to=2026-11-23T12:00:00", "422 invalid_parameter to"),
            ("to=9999-12-31T23:59:59-23:59", "422 invalid_parameter to"),
        ];
        let orders = [
            ("status=paid", "422 invalid_parameter status"),
            ("status=Completed", "422 invalid_parameter status"),
            ("status=completed&status=failed", "422 invalid_parameter status"),
            ("target=sms", "422 invalid_parameter target"),
            ("product=SMS", "422 invalid_parameter product"),
            ("method=cash", "422 invalid_parameter method"),
            ("balance=wallet", "422 unknown_field balance"),
        ];
        let entries = [
            ("balance=sms", "422 invalid_parameter balance"),
            ("balance=product:", "422 invalid_parameter balance"),
            ("balance=product:SMS", "422 invalid_parameter balance"),
            ("balance=external:card", "422 invalid_parameter balance"),
            ("balance=", "422 invalid_parameter balance"),
            ("status=completed", "422 unknown_field status"),
        ];
        let of = |path: &str, queries: &[(&str, &'static str)]| -> Vec<Bad> {
            let bad = queries.iter().map(|(query, expected)| {
                let path = format!("{path}?{query}");
                (path.clone(), get(world, &path), *expected)
            });
            bad.collect()
        };
        assert_refused(world, of("/v1/orders", &both)).await;
        assert_refused(world, of("/v1/orders", &orders)).await;
        assert_refused(world, of("/v1/entries", &both)).await;
        assert_refused(world, of("/v1/entries", &entries)).await;
        let unknown = [("limit=1", "422 unknown_field limit")];
        assert_refused(world, of("/v1/balances", &unknown)).await;
        assert_refused(world, of("/v1/products", &unknown)).await;
        let order = world.get("/v1/orders?limit=1").await.json();
        let id = order["data"][0]["order_id"].as_str().unwrap();
        assert_refused(world, of(&format!("/v1/orders/{id}"), &unknown)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_was_changed_is_refused_wherever_it_was_changed() {
    story(async |world| {
        some_orders(world).await;
        for list in ["/v1/orders", "/v1/entries"] {
            let good = cursor(world, &format!("{list}?limit=1")).await;
            let bytes = BASE64URL_NOPAD.decode(good.as_bytes()).unwrap();
            for position in 0..bytes.len() {
                let mut bytes = bytes.clone();
                bytes[position] ^= 1;
                let cursor = BASE64URL_NOPAD.encode(&bytes);
                let answer = world.get(&format!("{list}?limit=1&cursor={cursor}")).await;
                assert_invalid(&format!("{list} byte {position}"), &answer);
            }
            let malformed = [
                "x".to_owned(),
                "!".to_owned(),
                String::new(),
                "x".repeat(40),
                "x".repeat(401),
                "A".repeat(5_000),
                format!("{good}="),
                format!("{good}A"),
                format!("A{good}"),
                good[..good.len() - 1].to_owned(),
                good[1..].to_owned(),
                good.to_lowercase(),
                format!("{good}&cursor={good}"),
                BASE64URL_NOPAD.encode(&bytes[bytes.len() - 32..]),
            ];
            for cursor in malformed {
                let answer = world.get(&format!("{list}?limit=1&cursor={cursor}")).await;
                assert_invalid(&format!("{list} {cursor}"), &answer);
            }
            drop(world.get(&format!("{list}?cursor={good}")).await.expect(200));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_is_good_for_one_list_of_one_account_with_its_filters() {
    story(async |world| {
        some_orders(world).await;
        let other = world.new_customer("other").await;
        let orders = cursor(world, "/v1/orders?limit=1").await;
        let entries = cursor(world, "/v1/entries?limit=1").await;
        let filtered = cursor(world, "/v1/orders?limit=1&status=completed").await;
        let wallet = cursor(world, "/v1/entries?limit=1&balance=wallet").await;

        for (list, cursor) in [("orders", &orders), ("entries", &entries)] {
            let path = format!("/v1/{list}?limit=1&cursor={cursor}");
            assert_invalid("of another account", &world.get_as(&other.key, &path).await);
        }
        for path in [
            format!("/v1/orders?cursor={entries}"),
            format!("/v1/entries?cursor={orders}"),
            format!("/v1/orders?status=completed&cursor={orders}"),
            format!("/v1/orders?method=card&cursor={orders}"),
            format!("/v1/orders?target=wallet&cursor={orders}"),
            format!("/v1/orders?from=2020-01-01T00:00:00Z&cursor={orders}"),
            format!("/v1/orders?to=2030-01-01T00:00:00Z&cursor={orders}"),
            format!("/v1/orders?cursor={filtered}"),
            format!("/v1/orders?status=failed&cursor={filtered}"),
            format!("/v1/orders?status=completed&method=card&cursor={filtered}"),
            format!("/v1/entries?cursor={wallet}"),
            format!("/v1/entries?balance=product:sms&cursor={wallet}"),
            format!("/v1/entries?balance=wallet&cursor={entries}"),
        ] {
            assert_invalid(&path, &world.get(&path).await);
        }
        // The size of the pages may change between them.
        for path in [
            format!("/v1/orders?limit=7&cursor={orders}"),
            format!("/v1/entries?limit=7&cursor={entries}"),
            format!("/v1/orders?limit=7&cursor={filtered}&status=completed"),
            format!("/v1/entries?cursor={wallet}&balance=wallet"),
        ] {
            drop(world.get(&path).await.expect(200));
        }
    })
    .await;
}
