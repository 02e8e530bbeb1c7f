//! Idempotency keys: missing, malformed, used for something else, and used again.

use axum::body::Body;
use axum::http::{HeaderValue, Request};
use serde_json::{Value, json};
use tests::{World, story};

use super::{Bad, assert_refused, order_with, post};

/// What makes something, and a good body for it.
fn makers() -> [(&'static str, Value); 2] {
    [
        ("/v1/orders", order_with(json!({}))),
        ("/v1/transfers", json!({"product": "sms", "amount": "5"})),
    ]
}

/// A good request but for its idempotency keys.
fn with_keys(world: &World, path: &str, body: &Value, keys: &[&[u8]]) -> Request<Body> {
    let mut request = post(world, path, "", body.to_string());
    request.headers_mut().remove("idempotency-key");
    for key in keys {
        let value = HeaderValue::from_bytes(key).unwrap();
        request.headers_mut().append("idempotency-key", value);
    }
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_makes_something_needs_a_good_idempotency_key() {
    story(async |world| {
        drop(world.top_up("40", "funds").await);
        let long = "k".repeat(256);
        let malformed: [(&str, &[u8]); 7] = [
            ("empty", b""),
            ("too long", long.as_bytes()),
            ("with a blank", b"a key"),
            ("with a tab", b"a\tkey"),
            ("UTF-8", "schl\u{fc}ssel".as_bytes()),
            ("Latin-1", b"schl\xfcssel"),
            ("Chinese", "\u{94a5}".as_bytes()),
        ];
        for (path, body) in makers() {
            let none = with_keys(world, path, &body, &[]);
            let none: Bad = ("no key".to_owned(), none, "400 idempotency_key_required");
            let malformed = malformed.map(|(what, key)| -> Bad {
                let request = with_keys(world, path, &body, &[key]);
                (format!("{path} {what}"), request, "400 invalid_idempotency_key")
            });
            assert_refused(world, [none].into_iter().chain(malformed)).await;
        }
        for (path, body) in makers() {
            let longest = "k".repeat(255);
            let request = with_keys(world, path, &body, &[longest.as_bytes()]);
            drop(world.send(request).await.expect(201));
            let request = with_keys(world, path, &body, &[b"!\"#$%&'()*+-./:;<=>?@[]^_`{|}~"]);
            drop(world.send(request).await.expect(201));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_idempotency_keys_are_refused_also_as_the_one_that_the_gateway_makes_of_them() {
    story(async |world| {
        drop(world.top_up("40", "funds").await);
        for (path, body) in makers() {
            for keys in [&[&b"first"[..], b"second"][..], &[b"first,second"], &[b"first,"]] {
                let request = with_keys(world, path, &body, keys);
                let bad = (path.to_owned(), request, "400 invalid_idempotency_key");
                assert_refused(world, [bad]).await;
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_made_something_makes_nothing_else() {
    story(async |world| {
        drop(world.top_up("40", "funds").await);
        let words = json!({
            "email": "ann@example.com",
            "return_url": "https://localhost/back",
            "metadata": {"basket": "1"},
        });
        let order = post(world, "/v1/orders", "used", order_with(words.clone()).to_string());
        drop(world.send(order).await.expect(201));
        drop(world.transfer("sms", "5", "used").await.expect(201));
        let orders = [
            json!({"amount": "100.01"}),
            json!({"target": "product", "product": "sms"}),
            json!({"email": "bob@example.com"}),
            json!({"email": null}),
            json!({"return_url": "https://localhost/elsewhere"}),
            json!({"metadata": {"basket": "2"}}),
            json!({"metadata": {"basket": "1", "more": ""}}),
            json!({"metadata": null}),
        ];
        let orders = orders.map(|changes| {
            let body = super::changed(order_with(words.clone()), changes.clone());
            let request = post(world, "/v1/orders", "used", body.to_string());
            (changes.to_string(), request, "409 idempotency_key_reused")
        });
        assert_refused(world, orders).await;
        let transfers = [
            json!({"product": "sms", "amount": "5.01"}),
            json!({"product": "voice", "amount": "5"}),
            json!({"product": "sms", "amount": "5000"}),
            json!({"product": "unheard-of", "amount": "5"}),
        ];
        let transfers = transfers.map(|body| {
            let request = post(world, "/v1/transfers", "used", body.to_string());
            (body.to_string(), request, "409 idempotency_key_reused")
        });
        assert_refused(world, transfers).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_again_is_the_same_order() {
    story(async |world| {
        let order = world.order("wallet", "40", "again").await.expect(201);
        assert!(!order.is_replay());
        for same in [
            json!({"amount": "40"}),
            json!({"amount": "40.00", "currency": "USD"}),
            json!({"amount": "40.0", "metadata": {}}),
        ] {
            let body = order_with(same.clone());
            let again = world.post("/v1/orders", "again", &body).await.expect(200);
            assert!(again.is_replay(), "{same}");
            assert_eq!(again.json(), order.json(), "{same}");
        }
        drop(world.pay(&order, tests::world::GOOD_CARD).await.expect(303));
        let again = world.order("wallet", "40", "again").await.expect(200);
        assert_eq!(again.text("status"), "completed", "as it is now");

        let moved = world.transfer("sms", "40", "again").await.expect(201);
        assert!(!moved.is_replay());
        assert_ne!(moved.text("order_id"), order.text("order_id"));
        let again = world.transfer("sms", "40.00", "again").await.expect(200);
        assert!(again.is_replay(), "done, although the wallet is empty");
        assert_eq!(again.json(), moved.json());
        world.assert_balances("wallet 0.00, sms 40.00").await;
    })
    .await;
}
