//! Sessions of the console: a one-time code becomes a token, once and within a minute.

use std::time::Duration;

use serde_json::{Value, json};
use service::keys::{ApiKey, Scope};
use tests::{Answer, World, story};

async fn open(world: &World, body: &Value, key: &str) -> Answer {
    world.admin_post("/v1/admin/console-sessions", key, body).await
}

async fn exchange(world: &World, code: &str) -> Answer {
    let request = axum::http::Request::post("/v1/console-tokens")
        .header("content-type", "application/json")
        .body(json!({"code": code}).to_string().into());
    world.send(request.unwrap()).await
}

fn code(opened: &Answer) -> String {
    let url = opened.text("url");
    let (address, code) = url.split_once("#code=").expect("a code in the fragment");
    assert!(!address.contains('?'), "{url}");
    code.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_in_customer_comes_to_the_console_without_an_api_key() {
    story(async |world| {
        let person = json!({"role": "customer", "account_id": "demo", "person": "ann@example.com"});
        let opened = open(world, &person, "session").await.expect(201);
        let again = open(world, &person, "session").await.expect(200);
        assert!(again.is_replay() && again.json()["url"].is_null());
        let issued = exchange(world, &code(&opened)).await.expect(201);
        assert_eq!(issued.text("role"), "customer");
        assert_eq!(issued.text("person"), "ann@example.com");
        let token = issued.text("token");
        drop(world.get_as(&token, "/v1/balances").await.expect(200));
        let body = json!({"target": "wallet", "method": "offline", "amount": "100.00"});
        let order = world.post_as(&token, "/v1/orders", "order", &body).await.expect(201);
        assert_eq!(order.json()["timeline"][0]["by"], "ann@example.com");
        drop(world.get_as(&token, "/v1/admin/reviews").await.expect_problem(403, "missing_scope"));

        // The code is used up, and the token ends by itself.
        let used = exchange(world, &code(&opened)).await;
        drop(used.expect_problem(400, "invalid_code"));
        world.clock.advance(Duration::from_secs(30 * 60 - 5));
        drop(world.get_as(&token, "/v1/balances").await.expect(200));
        world.clock.advance(Duration::from_secs(5));
        drop(world.get_as(&token, "/v1/balances").await.expect(403));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_signs_in_with_what_the_asking_key_has() {
    story(async |world| {
        let scopes = [Scope::OperatorKeys, Scope::OperatorReview];
        let key = world.new_key(None, &scopes, |key| key).await;
        let person = json!({"role": "operator", "person": "Bob"});
        let path = "/v1/admin/console-sessions";
        let opened = world.post_as(&key, path, "session", &person).await.expect(201);
        let issued = exchange(world, &code(&opened)).await.expect(201);
        assert_eq!(issued.json()["scopes"], json!(["operator:keys", "operator:review"]));
        let token = issued.text("token");
        let order = world.order_offline("wallet", "USD 100.00", "order").await.expect(201);
        let path = format!("/v1/admin/orders/{}/accept", order.text("order_id"));
        let found = world.found("USD 100.00", "R-1");
        let accepted = world.post_as(&token, &path, "a", &found).await.expect(201).json();
        assert_eq!(accepted["transfer_reviews"][0]["by"], "Bob");
        let refused = world.get_as(&token, "/v1/admin/accounts").await;
        drop(refused.expect_problem(403, "missing_scope"));
        // It ends by itself: nobody signs in with it once more, as somebody else or after the key is gone.
        for body in [json!({"role": "operator", "person": "Ann"}), person] {
            let renewed = world.post_as(&token, "/v1/admin/console-sessions", "again", &body).await;
            let refused = renewed.expect_problem(403, "missing_scope");
            assert!(refused.text("detail").contains("it ends by itself"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_takes_the_sessions_that_it_asked_for_with_it() {
    story(async |world| {
        let scopes = [Scope::OperatorKeys, Scope::OperatorRead];
        let leaked = world.new_key(None, &scopes, |key| key).await;
        let session = async |key: &str, number: u8| {
            let person = json!({"role": "operator", "person": "Mallory"});
            let path = "/v1/admin/console-sessions";
            code(&world.post_as(key, path, &format!("s-{number}"), &person).await.expect(201))
        };
        let token = exchange(world, &session(&leaked, 1).await).await.expect(201).text("token");
        let unused = session(&leaked, 2).await;
        drop(world.get_as(&token, "/v1/admin/accounts").await.expect(200));
        // A key that another one replaces ends by itself; what was begun with it goes on.
        let id = leaked.split('_').nth(1).unwrap().to_owned();
        drop(world.admin_post(&format!("/v1/admin/api-keys/{id}/rotate"), "r", &json!({})).await);
        world.clock.advance(Duration::from_secs(61));
        drop(world.get_as(&token, "/v1/admin/accounts").await.expect(200));

        drop(world.admin_delete(&format!("/v1/admin/api-keys/{id}")).await.expect(200));
        world.clock.advance(Duration::from_secs(61));
        drop(world.get_as(&token, "/v1/admin/accounts").await.expect(403));
        let key = json!({"name": "mine", "scopes": ["operator:keys"]});
        drop(world.post_as(&token, "/v1/admin/api-keys", "mine", &key).await.expect(403));
        drop(exchange(world, &unused).await.expect_problem(400, "invalid_code"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_over_when_the_key_is_that_asked_for_it() {
    story(async |world| {
        let end = world.clock.now().plus(Duration::from_secs(120));
        let scopes = [Scope::OperatorKeys, Scope::OperatorRead];
        let ending = |key: ApiKey| ApiKey { expires_at: Some(end), ..key };
        let key = world.new_key(None, &scopes, ending).await;
        let person = json!({"role": "operator", "person": "Bob"});
        let path = "/v1/admin/console-sessions";
        let opened = world.post_as(&key, path, "session", &person).await.expect(201);
        let token = exchange(world, &code(&opened)).await.expect(201).text("token");
        world.clock.advance(Duration::from_millis(119_900));
        drop(world.get_as(&token, "/v1/admin/accounts").await.expect(200));
        world.clock.advance(Duration::from_millis(100));
        drop(world.get_as(&token, "/v1/admin/accounts").await.expect(403));
        let mine = json!({"name": "mine", "scopes": ["operator:keys"]});
        drop(world.post_as(&token, "/v1/admin/api-keys", "mine", &mine).await.expect(403));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_the_console_leaves_no_token_behind() {
    story(async |world| {
        let session = async |name: &str| {
            let person = json!({"role": "customer", "account_id": "demo", "person": name});
            let opened = open(world, &person, name).await.expect(201);
            exchange(world, &code(&opened)).await.expect(201).text("token")
        };
        let revoke = async |token: &str| {
            let request = axum::http::Request::post("/v1/console-tokens/revoke")
                .header("content-type", "application/json")
                .body(json!({"token": token}).to_string().into());
            world.send(request.unwrap()).await.expect(200)
        };
        let (anns, bobs) = (session("Ann").await, session("Bob").await);
        // Whoever only knows whose it is ends nothing, and is not told so.
        let (whose, _) = anns.rsplit_once('_').unwrap();
        for wrong in [format!("{whose}_{}", "0".repeat(64)), whose.to_owned(), String::new()] {
            assert_eq!(revoke(&wrong).await.json(), json!({"revoked": true}));
        }
        let key = world.customer.key.clone();
        assert_eq!(revoke(&key).await.json(), json!({"revoked": true}));
        drop(world.get_as(&anns, "/v1/balances").await.expect(200));
        for _ in 0..2 {
            assert_eq!(revoke(&anns).await.json(), json!({"revoked": true}));
            drop(world.get_as(&anns, "/v1/balances").await.expect(403));
        }
        for token in [&bobs, &key] {
            drop(world.get_as(token, "/v1/balances").await.expect(200));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_key_says_by_which_key_it_was_made_whatever_name_that_was_given() {
    story(async |world| {
        let id = |key: &str| key.split('_').nth(1).unwrap().to_owned();
        let path = "/v1/admin/api-keys";
        let leaver = world.new_key(None, &[Scope::OperatorKeys], |key| key).await;
        let keys = json!({"name": "demo operator", "scopes": ["operator:keys"]});
        let second = world.post_as(&leaver, path, "second", &keys).await.expect(201);
        let person = json!({"role": "operator", "person": "demo operator"});
        let opened =
            world.post_as(&second.text("secret"), "/v1/admin/console-sessions", "s", &person).await;
        let token = exchange(world, &code(&opened.expect(201))).await.expect(201).text("token");
        let third = world.post_as(&token, path, "third", &keys).await.expect(201);
        let rotated = format!("{path}/{}/rotate", third.text("key_id"));
        let fourth = world.post_as(&leaver, &rotated, "fourth", &json!({})).await.expect(201);

        let listed = world.admin_get(path).await.expect(200).json();
        let made_with = |key: &str| {
            let mut keys = listed["data"].as_array().unwrap().iter();
            keys.find(|one| one["key_id"] == key).unwrap()["created_by_key"].clone()
        };
        assert_eq!(made_with(&second.text("key_id")), json!(id(&leaver)));
        assert_eq!(made_with(&third.text("key_id")), json!(second.text("key_id")));
        assert_eq!(made_with(&fourth.text("key_id")), json!(id(&leaver)));
        assert_eq!(made_with(&id(&world.cloud.keys.operator)), json!(null));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_wrong_late_or_made_up_is_refused_alike() {
    story(async |world| {
        let person = json!({"role": "operator", "person": "Bob"});
        let good = code(&open(world, &person, "session").await.expect(201));
        let (id, secret) = good.split_once('.').unwrap();
        for wrong in [
            String::new(),
            id.to_owned(),
            format!("{id}."),
            format!("{id}.{}", "0".repeat(64)),
            format!("{}.{secret}", "0".repeat(20)),
            format!("{}.{secret}", "#KEY".repeat(5)),
            format!("{good}0"),
            "x".repeat(10_000),
        ] {
            let refused = exchange(world, &wrong).await;
            drop(refused.expect_problem(400, "invalid_code"));
        }
        world.clock.advance(Duration::from_secs(60));
        drop(exchange(world, &good).await.expect_problem(400, "invalid_code"));
        for wrong in [format!("ct_{id}_{secret}"), "ct__".to_owned(), format!("ct_{id}")] {
            drop(world.get_as(&wrong, "/v1/balances").await.expect(403));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_code_is_exchanged_by_many_at_once_and_one_gets_the_token() {
    story(async |world| {
        let person = json!({"role": "operator", "person": "Bob"});
        let code = code(&open(world, &person, "session").await.expect(201));
        let many = (0..12).map(|_| exchange(world, &code));
        let answers = futures_util::future::join_all(many).await;
        let issued = answers.iter().filter(|answer| answer.status == 201);
        assert_eq!(issued.count(), 1);
        assert!(answers.iter().all(|answer| [201, 400].contains(&answer.status)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_nobody_could_use_are_refused() {
    story(async |world| {
        for (body, status, field) in [
            (json!({"role": "customer", "person": "A"}), 422, "account_id"),
            (json!({"role": "operator", "person": "A", "account_id": "demo"}), 422, "account_id"),
            (json!({"role": "root", "person": "A"}), 422, "role"),
            (json!({"role": "operator"}), 422, "person"),
            (json!({"role": "operator", "person": ""}), 422, "person"),
            (json!({"role": "customer", "person": "A", "account_id": "nobody"}), 404, ""),
        ] {
            let answer = open(world, &body, "x").await;
            assert_eq!((answer.status, answer.text("field").as_str()), (status, field), "{body}");
        }
        let person = json!({"role": "operator", "person": "A"});
        drop(open(world, &person, "x").await.expect(201));
        let other = json!({"role": "operator", "person": "B"});
        drop(open(world, &other, "x").await.expect_problem(409, "idempotency_key_reused"));
    })
    .await;
}
