//! The part of Lambda by which a function is called by hand: `Invoke`, for those that run by the clock.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use service::error::Error;
use service::http::reconciliation;

use crate::clock::Clock;
use crate::cloud::STAGE;
use crate::functions::Functions;

const PATH: &str = "/2015-03-31/functions/{name}/invocations";
/// Says that the function failed, and that the body tells why.
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

struct Invoking {
    functions: Arc<Functions>,
    clock: Clock,
}

/// Calls functions by the names that they have in a deployment of stage `local`.
pub(crate) fn router(functions: Arc<Functions>, clock: Clock) -> Router {
    Router::new().route(PATH, post(invoke)).with_state(Arc::new(Invoking { functions, clock }))
}

async fn invoke(
    State(invoking): State<Arc<Invoking>>,
    Path(name): Path<String>,
    payload: Bytes,
) -> Response {
    let event: Value = serde_json::from_slice(&payload).unwrap_or_default();
    let function = name.strip_prefix("topup-").and_then(|name| name.strip_prefix(STAGE));
    let (functions, now) = (Arc::clone(&invoking.functions), invoking.clock.now());
    // In a task of its own, as a function runs on AWS whether or not its caller stays.
    let running = match function {
        Some("-reconcile") => tokio::spawn(async move {
            functions.reconcile.handle(now).await.map(|swept| reconcile::summary(&swept))
        }),
        Some("-compare-payments") => tokio::spawn(async move {
            let compared = functions.compare_payments.handle(&event, now).await?;
            Ok(compared.as_ref().map_or(Value::Null, reconciliation))
        }),
        Some("-verify-accounts") => tokio::spawn(async move {
            let verified = functions.verify_accounts.handle(&event, now).await;
            verified.map(|verified| verify_accounts::summary(&verified))
        }),
        _ => return not_found(&name),
    };
    match running.await {
        Ok(Ok(answer)) => Json(answer).into_response(),
        Ok(Err(error)) => failed(&error),
        Err(_) => unhandled("the function panicked"),
    }
}

fn not_found(name: &str) -> Response {
    let message = format!("Function not found: {name}. Only what runs by the clock is called here");
    let body = Json(json!({"Type": "User", "Message": message}));
    (StatusCode::NOT_FOUND, [(ERROR_TYPE, "ResourceNotFoundException")], body).into_response()
}

fn failed(error: &Error) -> Response {
    unhandled(&error.to_string())
}

fn unhandled(message: &str) -> Response {
    let body = Json(json!({"errorType": "Error", "errorMessage": message}));
    ([(FUNCTION_ERROR, "Unhandled")], body).into_response()
}
