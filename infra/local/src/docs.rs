//! The page that renders the OpenAPI document: Scalar, whose JavaScript is in this program.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use scalar_api_reference::{get_asset_with_mime, scalar_html};
use serde_json::json;

/// Where the page is.
const PAGE: &str = "/docs";
const SCRIPT: &str = "/docs/scalar.js";

/// The browser itself sees to it that the page asks nobody else: no font, no proxy, no telemetry.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self' 'unsafe-inline'; \
                                       style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
                                       font-src 'self' data:; frame-ancestors 'none'";

/// The page and its script.
pub(crate) fn router<State: Clone + Send + Sync + 'static>() -> Router<State> {
    Router::new().route(PAGE, get(show)).route(SCRIPT, get(script))
}

async fn show() -> Response {
    let settings = json!({
        "url": "/v1/openapi.json",
        "withDefaultFonts": false,
        "telemetry": false,
        "hideClientButton": true,
        "agent": {"disabled": true},
        "mcp": {"disabled": true},
    });
    let page = Html(scalar_html(&settings, Some(SCRIPT)));
    ([(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY)], page).into_response()
}

async fn script() -> Response {
    match get_asset_with_mime("scalar.js") {
        Some((media_type, content)) => {
            ([(header::CONTENT_TYPE, media_type)], content).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
