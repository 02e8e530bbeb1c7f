//! The controls that send money back: refunds made in the dashboard and what becomes of refunds,
//! disputes and their outcome. `control` describes them.

use axum::Router;
use axum::extract::{Json, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Provider;
use super::control::{Broken, not_found, refused};
use super::disputes::{self, Outcome};
use super::events::Announcer;
use super::failure::Failure;
use super::objects::{Dispute, Refund, RefundStatus};
use super::payments::Difference;
use super::reading::Shape;
use super::refunds::{self, Wish};

pub(super) fn router() -> Router<Provider> {
    Router::new()
        .route("/_control/refund_status", post(set_refund_statuses))
        .route("/_control/refunds", post(refund))
        .route("/_control/refunds/{id}", post(move_refund))
        .route("/_control/disputes", post(dispute))
        .route("/_control/disputes/{id}", post(close_dispute))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusesOrder {
    next: Vec<RefundStatus>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundOrder {
    payment_id: String,
    amount: Option<i64>,
    currency: Option<String>,
    status: Option<RefundStatus>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveOrder {
    status: RefundStatus,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DisputeOrder {
    payment_id: String,
    outcome: OutcomeName,
    amount: Option<i64>,
    #[serde(default)]
    inquiry: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CloseOrder {
    outcome: OutcomeName,
}

/// The name of an [`Outcome`] in a control request, or `open` if there is none yet.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OutcomeName {
    Open,
    Won,
    Lost,
}

impl OutcomeName {
    fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Open => None,
            Self::Won => Some(Outcome::Won),
            Self::Lost => Some(Outcome::Lost),
        }
    }
}

async fn set_refund_statuses(
    State(provider): State<Provider>,
    Json(order): Json<StatusesOrder>,
) -> Response {
    let made = [RefundStatus::Pending, RefundStatus::Succeeded, RefundStatus::Failed];
    if !order.next.iter().all(|status| made.contains(status)) {
        return refused("a refund is made pending, succeeded or failed");
    }
    let mut controls = provider.controls();
    match order.next.is_empty() {
        true => controls.refund_statuses.clear(),
        false => controls.refund_statuses.extend(order.next),
    }
    Json(json!({ "next": controls.refund_statuses })).into_response()
}

async fn refund(State(provider): State<Provider>, Json(order): Json<RefundOrder>) -> Response {
    let status = order.status.unwrap_or(RefundStatus::Succeeded);
    if !matches!(status, RefundStatus::Succeeded | RefundStatus::Pending) {
        return refused("a refund in the dashboard is made pending or succeeded");
    }
    let Some(Difference { amount, currency }) = Difference::new(order.amount, order.currency)
    else {
        return refused("amount or currency is not one that could be refunded");
    };
    answer(&provider, "refund", |announcer| {
        let charge = refunds::charge_of_payment(announcer, &order.payment_id)?;
        let wish = Wish { amount, currency, ..Wish::default() };
        Ok(refunds::make(announcer, charge, wish, || status)?.shape(announcer)?)
    })
    .await
}

async fn move_refund(
    State(provider): State<Provider>,
    Path(id): Path<String>,
    Json(order): Json<MoveOrder>,
) -> Response {
    answer(&provider, "refund", |announcer| {
        let refund: Refund =
            announcer.books.get(&id)?.ok_or_else(|| Failure::no_such("refund", &id, "id"))?;
        let moved = refunds::move_on(announcer, refund, order.status)?
            .ok_or_else(|| Failure::invalid("the refund cannot go there from where it is"))?;
        Ok(moved.shape(announcer)?)
    })
    .await
}

async fn dispute(State(provider): State<Provider>, Json(order): Json<DisputeOrder>) -> Response {
    answer(&provider, "dispute", |announcer| {
        let charge = refunds::charge_of_payment(announcer, &order.payment_id)?;
        let dispute = disputes::open(announcer, charge, order.amount, order.inquiry)?;
        let dispute = match order.outcome.outcome() {
            Some(outcome) => disputes::close(announcer, dispute, outcome)?,
            None => dispute,
        };
        Ok(dispute.shape(announcer)?)
    })
    .await
}

async fn close_dispute(
    State(provider): State<Provider>,
    Path(id): Path<String>,
    Json(order): Json<CloseOrder>,
) -> Response {
    let Some(outcome) = order.outcome.outcome() else {
        return refused("a dispute is closed won or lost");
    };
    answer(&provider, "dispute", |announcer| {
        let dispute: Dispute =
            announcer.books.get(&id)?.ok_or_else(|| Failure::no_such("dispute", &id, "id"))?;
        Ok(disputes::close(announcer, dispute, outcome)?.shape(announcer)?)
    })
    .await
}

/// Does the work and answers with what it made, under its name, once the endpoint has answered every
/// event of it, well or badly.
pub(super) async fn answer(
    provider: &Provider,
    name: &str,
    work: impl FnOnce(&Announcer<'_>) -> Result<Value, Failure>,
) -> Response {
    let result: Result<_, Failure> = provider.transact(|announcer| {
        let before = announcer.books.newest()?;
        let shape = work(announcer)?;
        Ok((shape, announcer.books.events_after(before)?))
    });
    provider.0.wake.notify_one();
    match result {
        Ok((shape, events)) => {
            for event in events {
                provider.first_answer(&event).await;
            }
            Json(Map::from_iter([(name.to_owned(), shape)])).into_response()
        }
        Err(failure) if failure.status == StatusCode::NOT_FOUND => not_found(),
        Err(failure) if failure.status.is_server_error() => Broken.into_response(),
        Err(failure) => refused(failure.summary()),
    }
}
