//! The OpenAPI document and its page, as anybody reads them.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tests::{document, story};

#[tokio::test(flavor = "multi_thread")]
async fn anybody_reads_the_document_once_and_is_told_that_it_has_not_changed() {
    story(async |world| {
        let ask = |known: &str| {
            let request = Request::get("/v1/openapi.json").header("if-none-match", known);
            request.body(Body::empty()).unwrap()
        };
        let document = world.send(ask("\"another\"")).await.expect(200);
        assert_eq!(document.json()["openapi"], "3.1.1");
        assert!(!document.header("x-request-id").is_empty());
        let again = world.send(ask(&document.header("etag"))).await.expect(304);
        assert!(again.body.is_empty());
        let small = Request::get("/v1/openapi.json").header("accept-encoding", "gzip");
        let small = world.send(small.body(Body::empty()).unwrap()).await.expect(200);
        assert_eq!(small.header("content-encoding"), "gzip");
        assert!(small.body.len() < document.body.len() / 10);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_takes_its_script_from_the_runner_alone() {
    story(async |world| {
        let page = world.get("/docs").await.expect(200);
        let text = String::from_utf8_lossy(&page.body).into_owned();
        assert!(text.contains("src=\"/docs/scalar.js\"") && text.contains("/v1/openapi.json"));
        assert!(page.header("content-security-policy").starts_with("default-src 'self'"));
        assert_eq!(text.matches("http").count(), 0, "{text}");
        let script = world.get("/docs/scalar.js").await.expect(200);
        assert!(script.header("content-type").contains("javascript") && script.body.len() > 1_000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file_that_the_document_shows_is_taken() {
    story(async |world| {
        let order = world.order_offline("wallet", "CNY 720.00", "transfer").await.expect(201);
        for (media_type, content) in document::files("post", "/v1/orders/{order_id}/proofs") {
            let proof = world.upload(&order, &content).await.expect(200).text("proof_id");
            let report = json!({"proofs": [proof], "payer_name": "李雷", "bank_reference": "R",
                "paid_on": world.today(), "amount": "720.00"});
            drop(world.report_with(&order, &report).await.expect(200));
            let path = format!("/v1/admin/orders/{}/proofs/{proof}", order.text("order_id"));
            assert_eq!(world.admin_get(&path).await.expect(200).header("content-type"), media_type);
        }
        for (media_type, content) in document::files("post", "/v1/admin/statements") {
            let request = Request::post("/v1/admin/statements")
                .header("authorization", format!("Bearer {}", world.cloud.keys.operator))
                .header("content-type", media_type);
            let statement = world.send(request.body(Body::from(content)).unwrap()).await;
            // The same XML is shown under both of its names.
            let read = if media_type == "text/xml" { 200 } else { 201 };
            assert_eq!(statement.expect(read).json()["lines"][0]["payer_name"], "李雷");
        }
        let card = world.order("wallet", "100.00", "card").await.expect(201);
        for (_, event) in document::files("post", "/v1/webhooks/stripe") {
            // As it is, it is of another deployment and another order.
            drop(world.deliver_bytes(&event).await.expect(200));
            world.assert_balances("wallet 0.00").await;
            let mut event: Value = serde_json::from_slice(&event).unwrap();
            let metadata = &mut event["data"]["object"]["metadata"];
            metadata["topup_stage"] = json!("local");
            metadata["order_id"] = json!(card.text("order_id"));
            drop(world.deliver(&event).await.expect(200));
            world.assert_balances("wallet 100.00").await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_the_document_does_not_have_is_not_found() {
    story(async |world| {
        let document: Value = serde_json::from_str(openapi::COMMITTED).unwrap();
        let mut asked = 0;
        for form in document["paths"].as_object().unwrap().keys() {
            let path = form.replace(['{', '}'], "");
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
                if document::knows(&method.to_lowercase(), &path) {
                    continue;
                }
                let request = Request::builder().method(method).uri(&path);
                let request =
                    request.header("authorization", format!("Bearer {}", world.customer.key));
                let answer = world.send(request.body(Body::empty()).unwrap()).await;
                answer.expect_gateway(404, "Not Found");
                asked += 1;
            }
        }
        assert!(asked > 200, "only {asked}");
    })
    .await;
}
