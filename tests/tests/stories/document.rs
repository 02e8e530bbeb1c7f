//! The OpenAPI document and its page, as anybody reads them.

use axum::body::Body;
use axum::http::Request;
use tests::story;

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
