//! What the operator configures, who did it and when.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use service::keys::Scope;
use tests::story;

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_put_on_sale_and_taken_off_again() {
    story(async |world| {
        let email = json!({
            "name": {"en": "E-mail", "zh": "邮件"},
            "methods": {"card": {"USD": {"min_amount": "10.00", "max_amount": "100.00"}}},
        });
        let made = world.admin_put("/v1/admin/products/email", &email).await.expect(200).json();
        assert_eq!(made["version"], 2);
        assert_eq!(made["changed_by"], "demo operator");
        let again = world.admin_put("/v1/admin/products/email", &email).await.expect(200).json();
        assert_eq!(again["version"], 2, "the same again changes nothing");
        world.clock.advance(Duration::from_secs(61));
        drop(world.order("email", "50", "order").await.expect(201));

        let mut off = email.clone();
        off["enabled"] = json!(false);
        drop(world.admin_put("/v1/admin/products/email", &off).await.expect(200));
        // Functions answer from what they read up to a minute ago, and not longer.
        world.clock.advance(Duration::from_secs(61));
        let refused = world.order("email", "50", "other").await;
        drop(refused.expect_problem(422, "product_disabled"));
        let listed = world.get("/v1/products").await.expect(200).json();
        let listed = listed["data"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(
            (listed["product"].as_str(), listed["enabled"].as_bool()),
            (Some("email"), Some(false))
        );
        assert_eq!(listed["name"]["zh"], "邮件");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_of_the_catalogue_is_kept() {
    story(async |world| {
        let first = world.admin_get("/v1/admin/catalogue").await.expect(200).json();
        drop(
            world.admin_put("/v1/admin/rates/CNY-USD", &json!({"rate": "7.31"})).await.expect(200),
        );
        let now = world.admin_get("/v1/admin/catalogue").await.expect(200).json();
        assert_eq!(now["rates"]["CNY-USD"], "7.3100");
        let before = world.admin_get("/v1/admin/catalogue?version=1").await.expect(200).json();
        assert_eq!(before, first);
        let missing = world.admin_get("/v1/admin/catalogue?version=9").await;
        drop(missing.expect_problem(404, "not_found"));
        let shown = world.get("/v1/products").await.expect(200).json();
        assert_eq!(
            shown["rates"],
            json!([{"pay_currency": "CNY", "currency": "USD", "rate": "7.3100"}])
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_break_the_catalogue_is_refused_with_its_place() {
    story(async |world| {
        let limits = |currency: &str| json!({currency: {"min_amount": "100.00"}});
        let product = |methods| json!({"name": {"en": "Fax", "zh": "传真"}, "methods": methods});
        let account = json!({"holder": "H", "bank": "B", "number": "1234"});
        let with = |field: &str, value: &str| {
            let mut changed = account.clone();
            changed[field] = json!(value);
            changed
        };
        let before = world.admin_get("/v1/admin/catalogue").await.expect(200).json();
        for (path, body, expected) in [
            ("products/fax", product(json!({"offline": limits("EUR")})), "fax.offline.EUR"),
            ("products/fax", product(json!({"card": limits("USD")})), "fax.card.USD"),
            ("products/fax", product(json!({"cash": limits("USD")})), "methods"),
            ("products/fax", product(json!({"balance": {"USD": {"min_amount": 1}}})), "methods"),
            ("products/fax", json!({"methods": {}}), "name"),
            ("products/fax", json!({"name": {"en": "", "zh": "x"}, "methods": {}}), "fax.name.en"),
            ("products/FAX", product(json!({})), "product"),
            ("wallet", json!({"methods": {"balance": limits("USD")}}), "wallet.balance"),
            ("rates/CNY-CNY", json!({"rate": "1"}), "pair"),
            ("rates/CNY", json!({"rate": "1"}), "pair"),
            ("rates/CNY-USD", json!({"rate": "0"}), "rate"),
            ("rates/CNY-USD", json!({"rate": 7.2}), "rate"),
            ("rates/CNY-USD", json!({"rate": "7,2"}), "rate"),
            ("bank-accounts/RMB", account.clone(), "currency"),
            ("bank-accounts/CNY", with("holder", ""), "holder"),
            ("bank-accounts/CNY", with("number", "1"), "number"),
            ("bank-accounts/CNY", with("swift", "x"), "swift"),
            ("bank-accounts/CNY", with("cnaps", "12"), "cnaps"),
            ("bank-accounts/CNY", with("iban", "12"), "iban"),
        ] {
            let answer = world.admin_put(&format!("/v1/admin/{path}"), &body).await;
            assert_eq!(
                (answer.status, answer.text("field").as_str()),
                (422, expected),
                "{path} {body}"
            );
        }
        let after = world.admin_get("/v1/admin/catalogue").await.expect(200).json();
        assert_eq!(after, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_operators_change_two_parts_at_once_and_both_changes_stay() {
    story(async |world| {
        let rates = ["CNY-USD", "EUR-USD", "GBP-USD", "JPY-USD", "HKD-USD", "SGD-USD"];
        let paths = rates.map(|pair| format!("/v1/admin/rates/{pair}"));
        let body = json!({"rate": "6"});
        let changes = paths.iter().map(|path| world.admin_put(path, &body));
        for answer in futures_util::future::join_all(changes).await {
            drop(answer.expect(200));
        }
        let shown = world.admin_get("/v1/admin/catalogue").await.expect(200).json();
        assert_eq!(shown["rates"].as_object().unwrap().len(), rates.len());
        assert_eq!(shown["version"], 1 + rates.len());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_part_of_the_desk_needs_its_own_scope() {
    story(async |world| {
        let order = world.order_offline("wallet", "USD 100.00", "order").await.expect(201);
        let accept = format!("/v1/admin/orders/{}/accept", order.text("order_id"));
        for (scopes, path, body, status) in [
            (Scope::OperatorRead, accept.as_str(), world.found("USD 100.00", "R-1"), 403),
            (Scope::OperatorMoney, accept.as_str(), world.found("USD 100.00", "R-1"), 403),
            (Scope::OperatorReview, "/v1/admin/api-keys", json!({"name": "x"}), 403),
            (Scope::OperatorReview, accept.as_str(), world.found("USD 100.00", "R-1"), 201),
        ] {
            let key = world.new_key(None, &[scopes], |key| key).await;
            let answer = world.post_as(&key, path, "key", &body).await;
            assert_eq!(answer.status, status, "{path} with {scopes:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_newer_program_has_stored_is_read_and_what_somebody_sends_must_be_known() {
    story(async |world| {
        let order = world.order_offline("wallet", "USD 100.00", "order").await.expect(201);
        let more = |value: &mut AttributeValue| {
            let AttributeValue::M(fields) = value else { panic!("{value:?}") };
            drop(fields.insert("of_tomorrow".to_owned(), AttributeValue::S("x".to_owned())));
        };
        let key = format!("ORDER#{}", order.text("order_id"));
        drop(
            world
                .damage("CATALOGUE", "CATALOGUE", |mut item| {
                    more(item.get_mut("catalogue")?);
                    Some(item)
                })
                .await,
        );
        drop(
            world
                .damage(&key, "ORDER", |mut item| {
                    let AttributeValue::M(transfer) = item.get_mut("bank_transfer")? else {
                        return None;
                    };
                    more(transfer.get_mut("instructions")?);
                    Some(item)
                })
                .await,
        );
        world.clock.advance(Duration::from_secs(61));
        drop(world.get("/v1/balances").await.expect(200));
        drop(world.admin_get("/v1/admin/catalogue").await.expect(200));
        assert_eq!(world.look_up(&order).await.json()["status"], "pending_payment");
        let account = json!({
            "holder": "Demo", "bank": "Bank", "number": "12345678", "of_tomorrow": "x",
        });
        let refused = world.admin_put("/v1/admin/bank-accounts/USD", &account).await;
        drop(refused.expect(422));
        let methods = json!({"card": {"USD": {"min_amount": "1", "max_amount": "10", "x": 1}}});
        let refused = world.admin_put("/v1/admin/wallet", &json!({"methods": methods})).await;
        let refused = refused.expect_problem(422, "invalid_field");
        assert_eq!(refused.text("detail"), "methods: unknown field 'card.USD.x'");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_in_the_wrong_place_makes_no_rate() {
    story(async |world| {
        let set = async |body: Value| world.admin_put("/v1/admin/rates/CNY-USD", &body).await;
        for rate in ["720", "0.72", "8.6401", "5.7599"] {
            let refused = set(json!({"rate": rate})).await;
            let refused = refused.expect_problem(422, "difference_not_confirmed");
            assert_eq!(refused.text("field"), "confirm_difference");
        }
        let products = world.get("/v1/products").await.expect(200).json();
        assert_eq!(products["rates"][0]["rate"], "7.2000");
        for rate in ["8.64", "6.912"] {
            drop(set(json!({"rate": rate})).await.expect(200));
        }
        drop(set(json!({"rate": "720", "confirm_difference": true})).await.expect(200));
        // Of a pair that is new nobody knows what is far.
        drop(world.admin_put("/v1/admin/rates/JPY-USD", &json!({"rate": "150"})).await.expect(200));
    })
    .await;
}
