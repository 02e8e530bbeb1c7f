//! Orders and transfers of what there is not, or not now.

use std::time::Duration;

use serde_json::{Map, Value, json};
use service::table::Commit;
use tests::story;

use super::{
    Bad, assert_orders_refused, assert_refused, assert_transfers_refused, order_with, post,
};

fn for_orders<const COUNT: usize>(
    bad: [(Value, &'static str); COUNT],
) -> Vec<(String, Value, &'static str)> {
    let shown = |changes: &Value| changes.to_string().chars().take(80).collect::<String>();
    bad.into_iter()
        .map(|(changes, expected)| (shown(&changes), order_with(changes), expected))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_for_something_that_can_be_topped_up() {
    story(async |world| {
        let product = |code: &str| json!({"target": "product", "product": code});
        let bad = for_orders([
            (product("unheard-of"), "422 unknown_product product"),
            (product(""), "422 unknown_product product"),
            (product("WhatsApp"), "422 unknown_product product"),
            (product("sms:held"), "422 unknown_product product"),
            (product("wallet"), "422 unknown_product product"),
            (json!({"target": ""}), "422 invalid_field target"),
            (json!({"target": "sms"}), "422 invalid_field target"),
            (json!({"target": "Wallet"}), "422 invalid_field target"),
            (json!({"method": "cash"}), "422 unknown_method method"),
            (json!({"method": "Card"}), "422 unknown_method method"),
            (json!({"method": "balance"}), "422 method_not_allowed method"),
            (json!({"currency": "usd"}), "422 unknown_currency currency"),
            (json!({"currency": "XXX"}), "422 unknown_currency currency"),
            (json!({"currency": ""}), "422 unknown_currency currency"),
            (json!({"currency": "EUR"}), "422 unknown_currency currency"),
            (json!({"currency": "JPY"}), "422 unknown_currency currency"),
        ]);
        assert_orders_refused(world, bad).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_names_an_address_that_mail_can_reach() {
    story(async |world| {
        let long = format!("ann@{}.com", "x".repeat(250));
        let bad = [
            "",
            "ann",
            "@example.com",
            "ann@",
            "ann@b@example.com",
            "ann @example.com",
            "ann@example.com ",
            "ann@exam ple.com",
            "ann@example.com\n",
            "ann@example",
            &long,
            "ann@.com",
            "ann@example.",
            "<ann@example.com>",
        ];
        let bad = bad.map(|email| (json!({"email": email}), "422 invalid_field email"));
        assert_orders_refused(world, for_orders(bad)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_sent_back_only_where_the_configuration_allows() {
    story(async |world| {
        let long = format!("https://localhost/{}", "x".repeat(6_000));
        let bad = [
            "",
            "/orders",
            "orders",
            "//localhost/orders",
            "localhost/orders",
            "http://example.com/",
            "https://example.com/",
            "https://localhost.example.com/",
            "https://localhost@example.com/",
            "https://example.com/?localhost",
            "https://example.com#@localhost/",
            "https://example.com\\@localhost/",
            "javascript:alert(1)",
            "javascript://localhost/%0aalert(1)",
            "data:text/html,<script>alert(1)</script>",
            "ftp://localhost/",
            "file://localhost/",
            "https://",
            "https:///orders",
            "https://local host/",
            &long,
        ];
        let refused = "422 invalid_return_url return_url";
        let bad = bad.map(|url| (json!({"return_url": url}), refused));
        assert_orders_refused(world, for_orders(bad)).await;
        let body = order_with(json!({"return_url": "http://localhost:3000/back?from=topup#end"}));
        drop(world.post("/v1/orders", "good", &body).await.expect(201));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_is_a_few_short_texts() {
    story(async |world| {
        let many = |count: usize| {
            let fields = (0..count).map(|number| (format!("key {number}"), json!("value")));
            Value::Object(fields.collect::<Map<_, _>>())
        };
        let nested = (0..100).fold(json!("value"), |inner, _| json!({"a": inner}));
        let refused = "422 invalid_field metadata";
        let bad = [
            many(41),
            json!({"k".repeat(41): "value"}),
            json!({"": "value"}),
            json!({"key": "v".repeat(501)}),
            json!({"key": 1}),
            json!({"key": true}),
            json!({"key": null}),
            json!({"key": ["value"]}),
            nested,
            json!(["value"]),
            json!("value"),
            json!(false),
        ];
        let bad = bad.map(|metadata| (json!({"metadata": metadata}), refused));
        assert_orders_refused(world, for_orders(bad)).await;
        let largest = json!({"metadata": many(40)});
        let wide = json!({"metadata": {"\u{952e}".repeat(40): "\u{503c}".repeat(500)}});
        for (key, changes) in [("largest", largest), ("wide", wide)] {
            let made = world.post("/v1/orders", key, &order_with(changes.clone())).await;
            assert_eq!(made.expect(201).json()["metadata"], changes["metadata"]);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_goes_to_a_product_that_there_is() {
    story(async |world| {
        drop(world.top_up("40", "funds").await);
        let bad = ["unheard-of", "", "SMS", "wallet", "sms:held", "product:sms", "sms "];
        let bad = bad.map(|code| {
            let body = json!({"product": code, "amount": "5"});
            (code.to_owned(), body, "422 unknown_product product")
        });
        assert_transfers_refused(world, bad.to_vec()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_catalogue_takes_away_cannot_be_topped_up_any_more() {
    story(async |world| {
        drop(world.top_up("40", "funds").await);
        let kept = world.order("sms", "20", "before").await.expect(201);
        let mut known = world.table.catalogue().await.unwrap().unwrap();
        for product in &mut known.catalogue.products {
            match product.product.as_str() {
                "sms" => product.enabled = false,
                "voice" => product.methods.card.clear(),
                "otp" => product.methods.balance.clear(),
                _ => {}
            }
        }
        let commit = Commit::default().catalogue(&known);
        drop(world.table.commit(commit).await.unwrap());
        // Functions answer from the catalogue that they read for up to a minute.
        world.clock.advance(Duration::from_secs(61));

        let order = |product: &str| {
            let body = order_with(json!({"target": "product", "product": product}));
            post(world, "/v1/orders", "order", body.to_string())
        };
        let transfer = |product: &str| {
            let body = json!({"product": product, "amount": "5"});
            post(world, "/v1/transfers", "transfer", body.to_string())
        };
        let bad: [(&str, _, _); 4] = [
            ("a disabled product by card", order("sms"), "422 product_disabled product"),
            ("a disabled product", transfer("sms"), "422 product_disabled product"),
            ("not by card", order("voice"), "422 method_not_allowed method"),
            ("not from the wallet", transfer("otp"), "422 method_not_allowed method"),
        ];
        let bad =
            bad.map(|(what, request, expected)| -> Bad { (what.to_owned(), request, expected) });
        assert_refused(world, bad).await;
        drop(world.order("otp", "100", "order").await.expect(201));
        drop(world.transfer("voice", "5", "transfer").await.expect(201));

        // What was ordered before is still the same order, and is credited when it is paid.
        let again = world.order("sms", "20", "before").await.expect(200);
        assert_eq!(again.text("order_id"), kept.text("order_id"));
        drop(world.deliver(&world.paid_event(&kept, "pi_kept")).await.expect(200));
        world.assert_balances("wallet 35.00, sms 20.00, voice 5.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_there_is_not_cannot_be_read_or_cancelled() {
    story(async |world| {
        for id in [
            "ord_00000000000000000000",
            "ord_0",
            "ord_0000000000000000000U",
            "x",
            "%20",
            "..%2Forders",
            "%00",
            &"9".repeat(2_000),
        ] {
            let read = world.get(&format!("/v1/orders/{id}")).await;
            drop(read.expect_problem(404, "order_not_found"));
            drop(world.cancel(id).await.expect_problem(404, "order_not_found"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_cannot_be_cancelled() {
    story(async |world| {
        let paid = world.top_up("40", "funds").await;
        let moved = world.transfer("sms", "5", "moved").await.expect(201);
        for done in [paid, moved] {
            let refused = world.cancel(&done.text("order_id")).await;
            drop(refused.expect_problem(409, "order_not_cancellable"));
            assert_eq!(world.look_up(&done).await.json(), done.json());
        }
        world.assert_balances("wallet 35.00, sms 5.00").await;
    })
    .await;
}
