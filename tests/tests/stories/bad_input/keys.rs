//! API keys that are not good enough.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use local::gateway::{ROUTES, Route};
use serde_json::json;
use service::keys::{ApiKey, Scope};
use tests::{Answer, World, story};

use super::{refusal, visible};

async fn call(world: &World, route: &Route, order: &str, authorization: Option<&str>) -> Answer {
    let path = route
        .path
        .replace("{order_id}", order)
        .replace("{account_id}", "demo")
        .replace("{pair}", "CNY-USD")
        .replace("{currency}", "CNY")
        .replace("{product}", "sms")
        .replace("{key_id}", "00000000000000000000")
        .replace("{statement_id}", "stm_00000000000000000000")
        .replace("{finding_id}", "fnd_00000000000000000000")
        .replace("{charge_id}", "chg_00000000000000000000")
        .replace("{hold_id}", "hold_00000000000000000000")
        .replace("{proof_id}", &"0".repeat(64));
    let mut request = Request::builder()
        .method(route.method)
        .uri(path)
        .header("content-type", "application/json")
        .header("idempotency-key", "with-a-bad-key");
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    let body = json!({"target": "wallet", "method": "card", "amount": "100"}).to_string();
    world.send(request.body(Body::from(body)).unwrap()).await
}

fn authorized() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| route.authorized)
}

fn scope_of(route: &Route) -> Scope {
    match (route.method, route.path) {
        ("GET", "/v1/events") => Scope::OperatorRead,
        ("GET", "/v1/thresholds") => Scope::BalancesRead,
        ("GET", "/v1/balances" | "/v1/entries" | "/v1/entries.csv") => Scope::BalancesRead,
        ("GET", path) if path.starts_with("/v1/charges") || path.starts_with("/v1/holds") => {
            Scope::BalancesRead
        }
        ("POST", path) if path.starts_with("/v1/charges") || path.starts_with("/v1/holds") => {
            Scope::UsageWrite
        }
        ("GET", "/v1/orders" | "/v1/orders/{order_id}" | "/v1/orders.csv" | "/v1/products") => {
            Scope::OrdersRead
        }
        ("POST", path) if path.starts_with("/v1/orders") => Scope::OrdersWrite,
        ("POST", "/v1/transfers") => Scope::TransfersWrite,
        ("PUT", path) if path.ends_with("/thresholds") => Scope::TransfersWrite,
        (_, path) if path.contains("api-keys") || path.ends_with("console-sessions") => {
            Scope::OperatorKeys
        }
        ("POST", path)
            if ["/refunds", "/refund", "/adjustments", "/resolve", "/credit"]
                .iter()
                .any(|end| path.ends_with(end)) =>
        {
            Scope::OperatorMoney
        }
        ("GET", "/v1/admin/endpoints") => Scope::OperatorRead,
        (_, path) if path.starts_with("/v1/admin/endpoints") => Scope::OperatorConfigure,
        (_, path) if path.starts_with("/v1/admin/statements") => Scope::OperatorReview,
        ("GET", path) if path.starts_with("/v1/admin/") => Scope::OperatorRead,
        ("PUT", path) if path.starts_with("/v1/admin/") => Scope::OperatorConfigure,
        ("POST", path) if path.starts_with("/v1/admin/") => Scope::OperatorReview,
        other => panic!("which scope does {other:?} need?"),
    }
}

/// Whose key a route needs: a customer's or the operator's.
fn owner_of(route: &Route) -> Option<&'static str> {
    let operator = route.path.starts_with("/v1/admin/") || route.path == "/v1/events";
    (!operator).then_some("demo")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_is_unauthorized_on_every_route() {
    story(async |world| {
        let order = world.order("wallet", "50", "order").await.expect(201);
        let before = visible(world).await;
        for route in authorized() {
            for nothing in [None, Some("")] {
                let answer = call(world, route, &order.text("order_id"), nothing).await;
                answer.expect_gateway(401, "Unauthorized");
            }
        }
        assert_eq!(visible(world).await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_wrong_expired_or_revoked_is_forbidden_on_every_route() {
    story(async |world| {
        let order = world.order("wallet", "50", "order").await.expect(201);
        let before = visible(world).await;
        let good = world.customer.key.clone();
        let (beginning, secret) = good.rsplit_once('_').unwrap();
        let now = world.clock.now();
        let expired = |key: ApiKey| ApiKey { expires_at: Some(now), ..key };
        let revoked = |key: ApiKey| ApiKey { revoked_at: Some(now), ..key };
        let expired = world.new_key(Some("demo"), &Scope::CUSTOMER, expired).await;
        let revoked = world.new_key(Some("demo"), &Scope::CUSTOMER, revoked).await;
        for authorization in [
            format!("Bearer {beginning}_{}", "0".repeat(64)),
            format!("Bearer tk_{}_{secret}", "0".repeat(20)),
            format!("Bearer {}", good.to_uppercase()),
            format!("Bearer {}", good.replace("tk_", "sk_")),
            format!("Bearer {good}0"),
            format!("Bearer {}", &good[..good.len() - 1]),
            format!("Bearer {beginning}_"),
            format!("Bearer {secret}"),
            format!("Bearer {}", "x".repeat(5_000)),
            "Bearer tk__".to_owned(),
            "Bearer ".to_owned() + "tk_#KEY_../..",
            "Bearer".to_owned(),
            format!("Basic {good}"),
            good.clone(),
            format!("Bearer {expired}"),
            format!("Bearer {revoked}"),
        ] {
            for route in authorized() {
                let id = order.text("order_id");
                let answer = call(world, route, &id, Some(&authorization)).await;
                let said = (answer.status, answer.json());
                let expected = (403, json!({"message": "Forbidden"}));
                assert_eq!(said, expected, "{authorization} {route:?}");
            }
        }
        assert_eq!(visible(world).await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_works_until_the_moment_it_expires() {
    story(async |world| {
        let end = world.clock.now().plus(Duration::from_secs(60));
        let ending = |key: ApiKey| ApiKey { expires_at: Some(end), ..key };
        let key = world.new_key(Some("demo"), &Scope::CUSTOMER, ending).await;
        drop(world.get_as(&key, "/v1/balances").await.expect(200));
        world.clock.advance(Duration::from_millis(59_980));
        drop(world.get_as(&key, "/v1/balances").await.expect(403));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_the_scope_of_a_route_is_refused_there_and_only_there() {
    story(async |world| {
        let order = world.order("wallet", "50", "order").await.expect(201);
        let id = order.text("order_id");
        let before = visible(world).await;
        for route in authorized() {
            let needed = scope_of(route);
            let others = Scope::CUSTOMER.into_iter().chain(Scope::OPERATOR);
            let others: Vec<_> = others.filter(|scope| *scope != needed).collect();
            let key = world.new_key(owner_of(route), &others, |key| key).await;
            let answer = call(world, route, &id, Some(&format!("Bearer {key}"))).await;
            assert_eq!(refusal(&answer), "403 missing_scope", "{route:?}");
            let problem = answer.expect_problem(403, "missing_scope");
            assert!(problem.text("detail").contains(needed.name()), "{route:?}");
        }
        assert_eq!(visible(world).await, before);
        for route in authorized().filter(|route| route.method == "GET") {
            let only = [scope_of(route)];
            let key = world.new_key(owner_of(route), &only, |key| key).await;
            let answer = call(world, route, &id, Some(&format!("Bearer {key}"))).await;
            // Statements, findings, files, charges and holds there are none.
            let named =
                ["statement_id", "finding_id", "run_id", "proof_id", "charge_id", "hold_id"];
            let expected = match named.iter().any(|name| route.path.contains(name)) {
                true => 404,
                false => 200,
            };
            assert_eq!(answer.status, expected, "{route:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_is_no_customer_and_no_customer_is_the_operator() {
    story(async |world| {
        let order = world.order("wallet", "50", "order").await.expect(201);
        let before = visible(world).await;
        let lent = world.new_key(None, &Scope::CUSTOMER, |key| key).await;
        let stolen = world.new_key(Some("demo"), &Scope::OPERATOR, |key| key).await;
        for route in authorized() {
            let keys = match owner_of(route) {
                // The platform charges any account with a key of its own.
                Some(_) if route.path == "/v1/charges/batch" => [&lent, &stolen],
                Some(_) => [&world.cloud.keys.operator, &lent],
                None => [&world.customer.key, &stolen],
            };
            for key in keys {
                let id = order.text("order_id");
                let answer = call(world, route, &id, Some(&format!("Bearer {key}"))).await;
                assert_eq!(refusal(&answer), "403 missing_scope", "{route:?}");
            }
        }
        assert_eq!(visible(world).await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_somebody_else_does_not_exist() {
    story(async |world| {
        drop(world.top_up("40", "funds").await);
        let order = world.order("wallet", "50", "mine").await.expect(201);
        let before = visible(world).await;
        let other = world.new_customer("other").await;
        let path = format!("/v1/orders/{}", order.text("order_id"));
        let read = world.get_as(&other.key, &path).await;
        drop(read.expect_problem(404, "order_not_found"));
        let cancel = format!("{path}/cancel");
        let cancelled = world.post_as(&other.key, &cancel, "any", &json!({})).await;
        drop(cancelled.expect_problem(404, "order_not_found"));
        for list in ["/v1/orders", "/v1/entries"] {
            let listed = world.get_as(&other.key, list).await.expect(200).json();
            assert_eq!(listed["data"], json!([]), "{list}");
        }
        let body = json!({"product": "sms", "amount": "5"});
        let moved = world.post_as(&other.key, "/v1/transfers", "any", &body).await;
        drop(moved.expect_problem(402, "insufficient_balance"));

        // The same idempotency key is another one in another account.
        let body = json!({"target": "wallet", "method": "card", "amount": "99"});
        let made = world.post_as(&other.key, "/v1/orders", "mine", &body).await;
        assert_ne!(made.expect(201).text("order_id"), order.text("order_id"));
        assert_eq!(visible(world).await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_route_is_not_found() {
    story(async |world| {
        for (method, path) in [
            ("POST", "/"),
            ("GET", "/v1"),
            ("GET", "/v2/orders"),
            ("GET", "/v1/orders/"),
            ("GET", "/v1//orders"),
            ("GET", "/V1/orders"),
            ("GET", "/v1/transfers"),
            ("GET", "/v1/webhooks/stripe"),
            ("POST", "/v1/balances"),
            ("PUT", "/v1/orders"),
            ("DELETE", "/v1/orders/ord_00000000000000000000"),
            ("PATCH", "/v1/orders/ord_00000000000000000000"),
            ("GET", "/v1/orders/ord_00000000000000000000/cancel"),
            ("POST", "/v1/orders//cancel"),
            ("POST", "/v1/orders/a/b/cancel"),
        ] {
            let request = Request::builder().method(method).uri(path);
            let request = request.header("authorization", format!("Bearer {}", world.customer.key));
            let answer = world.send(request.body(Body::empty()).unwrap()).await;
            let said = (answer.status, answer.json());
            assert_eq!(said, (404, json!({"message": "Not Found"})), "{method} {path}");
        }
    })
    .await;
}
