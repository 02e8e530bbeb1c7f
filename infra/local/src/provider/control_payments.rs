//! The controls of payments that no page asked for, and of what the API forgets. `control` describes
//! them.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Json, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::Provider;
use super::cards::{self, CardForm};
use super::control::{Broken, not_found, refused};
use super::control_money::answer;
use super::copies::{self, Changes};
use super::payments::Difference;
use super::reading::Shape;
use super::store::{Books, StoreError};

pub(super) fn router() -> Router<Provider> {
    Router::new()
        .route("/_control/payments", post(pay))
        .route("/_control/forget", post(forget))
        .route("/_control/recall", post(recall))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PaymentOrder {
    session_id: String,
    #[serde(default)]
    metadata: BTreeMap<String, Option<String>>,
    amount: Option<i64>,
    currency: Option<String>,
    payment_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    id: String,
}

async fn pay(State(provider): State<Provider>, Json(order): Json<PaymentOrder>) -> Response {
    let Some(money) = Difference::new(order.amount, order.currency) else {
        return refused("amount or currency is not one that could be paid");
    };
    let submission = match cards::read(&CardForm::good(), provider.now()) {
        Ok(submission) => submission,
        Err(mistake) => return refused(mistake.code()),
    };
    let changes = Changes { money, metadata: order.metadata };
    answer(&provider, "session", |announcer| {
        let session = match &order.payment_id {
            Some(payment) => copies::claim(announcer, &order.session_id, changes, payment)?,
            None => copies::pay(announcer, &order.session_id, changes, submission)?,
        };
        Ok(session.shape(announcer)?)
    })
    .await
}

async fn forget(State(provider): State<Provider>, Json(named): Json<Named>) -> Response {
    change(&provider, &named.id, "forgotten", |books, id| books.forget(id))
}

async fn recall(State(provider): State<Provider>, Json(named): Json<Named>) -> Response {
    change(&provider, &named.id, "recalled", |books, id| books.recall(id))
}

/// Forgets or recalls a payment or a refund, and answers with the ids of all that this changed.
fn change(
    provider: &Provider,
    id: &str,
    name: &str,
    work: impl FnOnce(&Books<'_>, &str) -> Result<Vec<String>, StoreError>,
) -> Response {
    if !id.starts_with("pi_") && !id.starts_with("re_") {
        return refused("only a payment or a refund is forgotten or recalled");
    }
    match provider.transact(|announcer| work(announcer.books, id)) {
        Ok(ids) if ids.is_empty() => not_found(),
        Ok(ids) => Json(json!({ name: ids })).into_response(),
        Err(error) => Broken::from(error).into_response(),
    }
}
