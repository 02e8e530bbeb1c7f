//! Accounts and their keys, as the operator makes and stops them.

use std::time::Duration;

use serde_json::{Value, json};
use service::keys::Scope;
use tests::{Answer, World, story};

async fn mint(world: &World, body: &Value, key: &str) -> Answer {
    world.admin_post("/v1/admin/api-keys", key, body).await
}

async fn delete(world: &World, key_id: &str) -> Answer {
    let request = axum::http::Request::delete(format!("/v1/admin/api-keys/{key_id}"))
        .header("authorization", format!("Bearer {}", world.cloud.keys.operator));
    world.send(request.body(axum::body::Body::empty()).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_comes_into_being_with_its_first_key() {
    story(async |world| {
        let wanted = json!({"account_id": "acme", "name": "acme backend"});
        let made = mint(world, &wanted, "first").await.expect(201);
        let secret = made.text("secret");
        assert!(secret.starts_with(&format!("tk_{}_", made.text("key_id"))));
        let balances = world.get_as(&secret, "/v1/balances").await.expect(200);
        assert_eq!(balances.text("account_id"), "acme");

        // The same request again is the same key, and its secret is not shown again.
        let again = mint(world, &wanted, "first").await.expect(200);
        assert!(again.is_replay());
        assert!(again.json()["secret"].is_null());
        assert_eq!(again.text("key_id"), made.text("key_id"));
        let other = json!({"account_id": "acme", "name": "another"});
        drop(mint(world, &other, "first").await.expect_problem(409, "idempotency_key_reused"));

        let shown = world.admin_get("/v1/admin/accounts/acme").await.expect(200).json();
        assert_eq!(
            (shown["name"].as_str(), shown["currency"].as_str(), shown["status"].as_str()),
            (Some("acme"), Some("USD"), Some("active"))
        );
        let keys = world.admin_get("/v1/admin/accounts/acme/api-keys").await.expect(200).json();
        let keys = keys["data"].as_array().unwrap();
        assert_eq!(keys.len(), 1);
        assert!(keys[0].get("secret").is_none());
        assert_eq!(keys[0]["created_by"], "demo operator");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_named_frozen_and_thawed() {
    story(async |world| {
        drop(world.top_up("40", "funds").await);
        let change = async |body: Value| world.admin_put("/v1/admin/accounts/demo", &body).await;
        drop(change(json!({"name": "Demo GmbH", "status": "frozen"})).await.expect(200));
        let refused = world.transfer("sms", "5", "move").await;
        drop(refused.expect_problem(403, "account_frozen"));
        // Money that comes in is still taken.
        let order = world.order_offline("wallet", "USD 100.00", "order").await.expect(201);
        drop(world.accept(&order, "USD 100.00", "R-1", "a").await.expect(201));
        drop(world.top_up("10", "more").await);
        world.assert_balances("wallet 150.00").await;
        let thawed = change(json!({"status": "active"})).await.expect(200).json();
        assert_eq!(thawed["name"], "Demo GmbH", "what is not said stays");
        drop(world.transfer("sms", "5", "move").await.expect(201));

        let fixed = change(json!({"currency": "EUR"})).await;
        drop(fixed.expect_problem(409, "currency_fixed"));
        for (body, field) in [
            (json!({"status": "closed"}), "status"),
            (json!({"currency": "eur"}), "currency"),
            (json!({"name": ""}), "name"),
            (json!({"balance": "9"}), "balance"),
        ] {
            let answer = change(body).await;
            assert_eq!((answer.status, answer.text("field").as_str()), (422, field));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_in_another_currency_is_topped_up_in_it() {
    story(async |world| {
        let euros = json!({"name": "Acme", "currency": "EUR"});
        drop(world.admin_put("/v1/admin/accounts/acme", &euros).await.expect(200));
        drop(world.admin_put("/v1/admin/rates/CNY-EUR", &json!({"rate": "8"})).await.expect(200));
        let key = json!({"account_id": "acme", "name": "backend"});
        let key = mint(world, &key, "key").await.expect(201).text("secret");
        world.clock.advance(Duration::from_secs(61));
        let body = json!({
            "target": "wallet", "method": "offline", "amount": "800.00", "currency": "CNY",
        });
        let order = world.post_as(&key, "/v1/orders", "order", &body).await.expect(201);
        assert_eq!((order.text("amount"), order.text("currency")), ("100.00".into(), "EUR".into()));
        drop(world.accept(&order, "CNY 800.00", "R-1", "a").await.expect(201));
        let balances = world.get_as(&key, "/v1/balances").await.expect(200).json();
        assert_eq!(balances["wallet"]["available"], "100.00");
        assert_eq!(balances["currency"], "EUR");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_before_its_account_had_another_currency_takes_no_money() {
    story(async |world| {
        let order = world.order_offline("wallet", "CNY 720.00", "order").await.expect(201);
        for currency in ["CNY", "EUR"] {
            let path = "/v1/admin/accounts/demo";
            drop(world.admin_put(path, &json!({"currency": currency})).await.expect(200));
            let accepted = world.accept(&order, "CNY 720.00", "R-1", currency).await;
            let refused = accepted.expect_problem(422, "currency_differs");
            assert_eq!(refused.text("detail"), format!("the account holds {currency}, not USD"));
        }
        assert_eq!(world.look_up(&order).await.text("status"), "pending_payment");
        // It is not lost: it is booked as what it is.
        drop(world.admin_put("/v1/admin/rates/CNY-EUR", &json!({"rate": "8"})).await.expect(200));
        world.clock.advance(Duration::from_secs(61));
        let body = json!({
            "received_amount": "720.00", "received_currency": "CNY",
            "bank_reference": "R-1", "received_on": world.today(),
        });
        let path = "/v1/admin/accounts/demo/received-payments";
        let booked = world.admin_post(path, "booked", &body).await.expect(201).json();
        assert_eq!(booked["credited_amount"], "90.00");
        assert_eq!(booked["currency"], "EUR");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_may_be_named_as_what_it_has() {
    story(async |world| {
        for name in ["orders", "entries", "balances", "thresholds", "holds", "api-keys", "accounts"]
        {
            let path = format!("/v1/admin/accounts/{name}");
            world.admin_get(&path).await.expect_problem(404, "not_found");
            drop(world.admin_put(&path, &json!({"name": "Acme"})).await.expect(200));
            assert_eq!(world.admin_get(&path).await.expect(200).text("account_id"), name);
            let orders = world.admin_get(&format!("{path}/orders")).await.expect(200).json();
            assert_eq!(orders["data"], json!([]));
        }
        // What cannot be a name is not an account that is not there: this is how one is made.
        let refused = world.admin_put("/v1/admin/accounts/acme.eu", &json!({})).await;
        assert_eq!(refused.expect_problem(422, "invalid_field").text("field"), "account_id");
        drop(world.admin_get("/v1/admin/reconciliations/accounts").await.expect(404));
        drop(world.get("/v1/holds/holds").await.expect(404));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_listed_newest_first_over_pages() {
    story(async |world| {
        // Those of two equal letters fall into one shard of the list, the others into any.
        let others = (0..8).map(|number| format!("customer-{number}"));
        let names: Vec<String> =
            ('a'..='z').map(|letter| format!("{letter}{letter}")).chain(others).collect();
        for name in &names {
            let path = format!("/v1/admin/accounts/{name}");
            drop(world.admin_put(&path, &json!({})).await.expect(200));
        }
        let mut expected: Vec<String> = names.into_iter().rev().collect();
        expected.push("demo".to_owned());
        for limit in [1, 2, 5, 35, 100] {
            let (mut listed, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
            loop {
                let path = format!("/v1/admin/accounts?limit={limit}{cursor}");
                let page = world.admin_get(&path).await.expect(200).json();
                let ids = page["data"].as_array().unwrap().iter();
                listed
                    .extend(ids.map(|account| account["account_id"].as_str().unwrap().to_owned()));
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
                pages += 1;
                assert!(pages < 100, "the list does not end");
            }
            assert_eq!(listed, expected, "{limit} a page");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_sees_what_the_customer_sees() {
    story(async |world| {
        let order = world.top_up("40", "funds").await;
        drop(world.transfer("sms", "5", "move").await.expect(201));
        for (own, admin) in [
            ("/v1/orders", "/v1/admin/accounts/demo/orders"),
            ("/v1/orders?method=card", "/v1/admin/accounts/demo/orders?method=card"),
            ("/v1/entries", "/v1/admin/accounts/demo/entries"),
        ] {
            let seen = world.get(own).await.expect(200).json();
            assert_eq!(world.admin_get(admin).await.expect(200).json(), seen, "{admin}");
        }
        let path = format!("/v1/admin/orders/{}", order.text("order_id"));
        assert_eq!(world.admin_get(&path).await.expect(200).json(), order.json());
        let balances = world.admin_get("/v1/admin/accounts/demo/balances").await.expect(200);
        assert_eq!(balances.json()["wallet"]["available"], "35.00");
        let lists = ["/orders", "/entries", "/orders.csv", "/entries.csv"];
        for path in ["", "/balances", "/api-keys"].into_iter().chain(lists) {
            let missing = world.admin_get(&format!("/v1/admin/accounts/nobody{path}")).await;
            drop(missing.expect_problem(404, "not_found"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_rotated_with_an_overlap_and_revoked_at_once() {
    story(async |world| {
        let wanted = json!({"account_id": "demo", "name": "backend", "scopes": ["balances:read"]});
        let first = mint(world, &wanted, "key").await.expect(201);
        let (old, old_id) = (first.text("secret"), first.text("key_id"));
        let path = format!("/v1/admin/api-keys/{old_id}/rotate");
        let rotated = world.admin_post(&path, "rotate", &json!({})).await.expect(201);
        let new = rotated.text("secret");
        assert_eq!(rotated.text("replaces"), old_id);
        let again = world.admin_post(&path, "rotate", &json!({})).await.expect(200);
        assert!(again.is_replay() && again.json()["secret"].is_null());
        let twice = world.admin_post(&path, "other", &json!({})).await;
        drop(twice.expect_problem(409, "key_not_active"));
        for key in [&old, &new] {
            drop(world.get_as(key, "/v1/balances").await.expect(200));
        }
        world.clock.advance(Duration::from_secs(24 * 3_600));
        drop(world.get_as(&old, "/v1/balances").await.expect(403));
        drop(world.get_as(&new, "/v1/balances").await.expect(200));

        let revoked = delete(world, &rotated.text("key_id")).await.expect(200);
        assert!(!revoked.json()["revoked_at"].is_null());
        assert_eq!(delete(world, &rotated.text("key_id")).await.expect(200).json(), revoked.json());
        drop(world.get_as(&new, "/v1/balances").await.expect(403));
        drop(delete(world, &"0".repeat(20)).await.expect_problem(404, "not_found"));
        drop(delete(world, "nonsense").await.expect_problem(404, "not_found"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_be_read_lets_nobody_in_and_hides_no_other() {
    story(async |world| {
        let (mut ids, mut secrets) = (Vec::new(), Vec::new());
        for name in ["first", "second"] {
            let wanted = json!({"account_id": "acme", "name": name});
            let made = mint(world, &wanted, name).await.expect(201);
            ids.push(made.text("key_id"));
            secrets.push(made.text("secret"));
        }
        let damage = world
            .damage(&format!("KEY#{}", ids[0]), "KEY", |mut item| {
                item.remove("secret_hash");
                Some(item)
            })
            .await;
        drop(world.get_as(&secrets[0], "/v1/balances").await.expect(500));
        let listed = world.admin_get("/v1/admin/accounts/acme/api-keys").await.expect(200).json();
        assert_eq!(listed["data"].as_array().unwrap().len(), 1);
        assert_eq!(listed["data"][0]["key_id"], json!(ids[1]));
        drop(delete(world, &ids[1]).await.expect(200));
        world.undo(damage).await;
        drop(world.get_as(&secrets[0], "/v1/balances").await.expect(200));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_hands_on_what_it_lacks() {
    story(async |world| {
        let keys_only = world.new_key(None, &[Scope::OperatorKeys], |key| key).await;
        let ask = async |body: Value, key: &str| {
            world.post_as(&keys_only, "/v1/admin/api-keys", key, &body).await
        };
        let operator = |scopes: Value| json!({"name": "x", "scopes": scopes});
        for scopes in [json!(["operator"]), json!(["operator:keys", "operator:money"])] {
            let refused = ask(operator(scopes), "a").await;
            drop(refused.expect_problem(403, "scope_not_yours"));
        }
        drop(ask(operator(json!(["operator:keys"])), "a").await.expect(201));
        drop(ask(json!({"name": "x", "account_id": "demo"}), "b").await.expect(201));
        for (body, field) in [
            (operator(json!(["balances:read"])), "scopes"),
            (operator(json!([])), "scopes"),
            (operator(json!(["root"])), "scopes"),
            (json!({"name": "x"}), "scopes"),
            (json!({"name": "x", "account_id": "demo", "scopes": ["operator:keys"]}), "scopes"),
            (json!({"name": "", "account_id": "demo"}), "name"),
            (json!({"name": "x", "account_id": "no such id"}), "account_id"),
            (
                json!({"name": "x", "account_id": "demo", "expires_at": "2020-01-01T00:00:00Z"}),
                "expires_at",
            ),
        ] {
            let answer = ask(body.clone(), "c").await;
            assert_eq!((answer.status, answer.text("field").as_str()), (422, field), "{body}");
        }
        // Rotating a stronger key would hand on its scopes, too.
        let strong = mint(world, &operator(json!(["operator"])), "strong").await.expect(201);
        let path = format!("/v1/admin/api-keys/{}/rotate", strong.text("key_id"));
        let refused = world.post_as(&keys_only, &path, "r", &json!({})).await;
        drop(refused.expect_problem(403, "scope_not_yours"));
        let expiring = json!({
            "name": "x", "account_id": "demo", "expires_at": "2026-11-23T12:05:00Z",
        });
        let key = ask(expiring, "d").await.expect(201).text("secret");
        drop(world.get_as(&key, "/v1/balances").await.expect(200));
        world.clock.advance(Duration::from_secs(300));
        drop(world.get_as(&key, "/v1/balances").await.expect(403));
    })
    .await;
}
