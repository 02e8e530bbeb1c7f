//! Bodies that are not what a request needs.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use tests::{World, story};

use super::{
    Bad, KEY, assert_orders_refused, assert_refused, assert_transfers_refused, changed, order_with,
    padded, post,
};

const MAKERS: [&str; 2] = ["/v1/orders", "/v1/transfers"];

/// A request that makes something, with this media type.
fn of_type(world: &World, path: &str, media_type: Option<&str>) -> Request<Body> {
    let mut request = post(world, path, KEY, order_with(json!({})).to_string());
    request.headers_mut().remove("content-type");
    if let Some(media_type) = media_type {
        let media_type = media_type.try_into().unwrap();
        request.headers_mut().insert("content-type", media_type);
    }
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_must_be_a_json_object() {
    story(async |world| {
        drop(world.top_up("40", "funds").await);
        let good = order_with(json!({})).to_string();
        let deep = format!("{{\"metadata\":{}1", "[".repeat(20_000));
        let deep_and_closed = format!("{{\"a\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
        let bodies: [(&str, Vec<u8>); 16] = [
            ("empty", b"".to_vec()),
            ("blank", b"  \n".to_vec()),
            ("cut off", good.as_bytes()[..good.len() - 1].to_vec()),
            ("two objects", format!("{good}{good}").into_bytes()),
            ("a comma too many", good.replace('}', ",}").into_bytes()),
            ("single quotes", good.replace('"', "'").into_bytes()),
            ("a form", b"target=wallet&method=card&amount=100".to_vec()),
            ("an array", format!("[{good}]").into_bytes()),
            ("null", b"null".to_vec()),
            ("a text", b"\"wallet\"".to_vec()),
            ("a number", b"100".to_vec()),
            ("a huge number", b"{\"amount\":1e999}".to_vec()),
            ("half a surrogate", br#"{"email":"\ud800"}"#.to_vec()),
            ("not UTF-8", b"{\"target\":\xff\xfe}".to_vec()),
            ("deep", deep.into_bytes()),
            ("deep and closed", deep_and_closed.into_bytes()),
        ];
        for path in MAKERS {
            let bad = bodies.clone().map(|(what, body)| -> Bad {
                let request = post(world, path, KEY, body);
                (format!("{path} {what}"), request, "400 invalid_json")
            });
            assert_refused(world, bad).await;
        }
        drop(world.order("wallet", "100", KEY).await.expect(201));
        drop(world.transfer("sms", "1", KEY).await.expect(201));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_must_say_that_it_is_json() {
    story(async |world| {
        drop(world.top_up("40", "funds").await);
        let types = [
            None,
            Some(""),
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
            Some("application/jsonp"),
            Some("application/xml; charset=application/json"),
        ];
        for path in MAKERS {
            let bad = types.map(|media_type| -> Bad {
                let request = of_type(world, path, media_type);
                let what = format!("{path} {media_type:?}");
                (what, request, "415 unsupported_media_type")
            });
            assert_refused(world, bad).await;
        }
        for good in ["application/json; charset=utf-8", "Application/JSON"] {
            let mut request = of_type(world, "/v1/orders", Some(good));
            let key = format!("{}", good.len()).try_into().unwrap();
            request.headers_mut().insert("idempotency-key", key);
            drop(world.send(request).await.expect(201));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_has_at_most_64_kib() {
    story(async |world| {
        drop(world.top_up("40", "funds").await);
        let good = order_with(json!({})).to_string();
        for path in MAKERS {
            let sizes = [64 * 1024 + 1, 65 * 1024, 1024 * 1024].map(|size| -> Bad {
                let body = padded(&good, size);
                let request = post(world, path, KEY, body);
                (format!("{path} {size} bytes"), request, "413 body_too_large")
            });
            assert_refused(world, sizes).await;
        }
        let body = padded(&good, 64 * 1024);
        let request = post(world, "/v1/orders", KEY, body);
        drop(world.send(request).await.expect(201));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_has_the_fields_that_it_needs_and_no_others() {
    story(async |world| {
        let bad = [
            (json!({"target": null}), "422 missing_field target"),
            (json!({"method": null}), "422 missing_field method"),
            (json!({"amount": null}), "422 missing_field amount"),
            (json!({"target": "product"}), "422 missing_field product"),
            (json!({"product": "sms"}), "422 invalid_field product"),
            (json!({"Amount": "100"}), "422 unknown_field Amount"),
            (json!({"account_id": "other"}), "422 unknown_field account_id"),
            (json!({"order_id": "ord_0"}), "422 unknown_field order_id"),
            (json!({"": ""}), "422 unknown_field"),
            (json!({"target": 1}), "422 invalid_field target"),
            (json!({"target": ["wallet"]}), "422 invalid_field target"),
            (json!({"method": true}), "422 invalid_field method"),
            (json!({"amount": ["100"]}), "422 invalid_field amount"),
            (json!({"amount": {"value": "1"}}), "422 invalid_field amount"),
            (json!({"amount": true}), "422 invalid_field amount"),
            (json!({"currency": 840}), "422 invalid_field currency"),
            (json!({"email": {}}), "422 invalid_field email"),
            (json!({"return_url": 1}), "422 invalid_field return_url"),
        ];
        let bad =
            bad.map(|(changes, expected)| (changes.to_string(), order_with(changes), expected));
        let mut bad = bad.to_vec();
        let null = json!({"target": "wallet", "method": "card", "amount": null});
        bad.push(("null amount".to_owned(), null, "422 missing_field amount"));
        assert_orders_refused(world, bad).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_has_the_fields_that_it_needs_and_no_others() {
    story(async |world| {
        drop(world.top_up("40", "funds").await);
        let bad = [
            (json!({"product": null}), "422 missing_field product"),
            (json!({"amount": null}), "422 missing_field amount"),
            (json!({"product": 7}), "422 invalid_field product"),
            (json!({"amount": []}), "422 invalid_field amount"),
            (json!({"currency": "USD"}), "422 unknown_field currency"),
            (json!({"target": "wallet"}), "422 unknown_field target"),
            (json!({"from": "other"}), "422 unknown_field from"),
        ];
        let good = json!({"product": "sms", "amount": "1"});
        let bad = bad.map(|(changes, expected)| {
            (changes.to_string(), changed(good.clone(), changes), expected)
        });
        assert_transfers_refused(world, bad.to_vec()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_is_there_twice_is_refused() {
    story(async |world| {
        drop(world.top_up("40", "funds").await);
        let twice = [
            ("/v1/orders", r#"{"target":"wallet","method":"card","amount":"10","amount":"99"}"#),
            ("/v1/transfers", r#"{"product":"sms","amount":"1","amount":"9"}"#),
            (
                "/v1/orders",
                r#"{"target":"wallet","method":"card","amount":"10","metadata":{"a":"1","a":"2"}}"#,
            ),
            ("/v1/transfers", r#"{"product":"sms","amount":"1","x":[{"a":[],"a":{}}]}"#),
        ];
        let twice = twice.map(|(path, body)| -> Bad {
            let request = post(world, path, KEY, body);
            (path.to_owned(), request, "400 invalid_json")
        });
        assert_refused(world, twice).await;
    })
    .await;
}
