//! Where the local payment page sends a person who named no address of their own.

use axum::response::Html;

/// Its path on the local gateway.
pub(crate) const PATH: &str = "/paid";

/// A page that says what to look at next. It claims nothing about the payment: only the API knows.
pub(crate) async fn show() -> Html<&'static str> {
    Html(PAGE)
}

const PAGE: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Topup: back from the payment page</title>
<style>body{font:16px/1.5 system-ui;margin:3rem auto;max-width:34rem;padding:0 1rem}</style>
<h1>Back from the payment page</h1>
<p>In production your own page stands here (<code>return_url</code>). It asks the API, because only
the server knows whether the order was paid:</p>
<pre>GET /v1/balances
GET /v1/orders/{order_id}</pre>
"#;
