//! Controls for tests and demonstrations, in JSON. No real provider has them.
//!
//! - `POST /_control/webhooks {"mode","delay_seconds"?}`: what happens to events from now on.
//!   `deliver` sends each at once; `drop` sends none unless asked to resend; `duplicate` sends each
//!   two more times; `delay` sends each later, by 3 seconds if not said otherwise; `reorder` holds
//!   them until three wait or the mode changes, and then sends them newest first.
//! - `POST /_control/webhooks/resend {"event_id"?,"times"?}`: sends that event again, or every
//!   event that was never taken; in the mode `reorder` as that says, else at once, and then answers
//!   once each was answered.
//! - `POST /_control/faults {"next":[{"kind"}]}`: what befalls the next API calls, one each.
//!   `error_500` answers 500 before any effect; `error_after` answers 500 after the effect;
//!   `lost_response` closes the connection after the effect; `rate_limited` answers 429 and
//!   `unauthorized` 401, and both keep nothing; `slow` holds the call for four seconds. A result
//!   kept under an idempotency key before is replayed all the same. An empty list forgets the faults
//!   that are left.
//! - `GET /_control/requests`: the latest API calls, oldest first.
//! - `POST /_control/sessions/{id}/pay {"card_number"?,"email"?,"expiry"?,"cvc"?,"confirmation"?,
//!   "amount"?,"currency"?}`: what the form of the payment page does. `confirmation` is `complete`
//!   or `fail`; `amount` and `currency` make a payment that differs from the session.
//! - `POST /_control/payments {"session_id","metadata"?,"amount"?,"currency"?,"payment_id"?}`: a
//!   payment that no page of the merchant's asked for, though it looks like it: a new session,
//!   copied from that one, is paid at once with the good card. `metadata` sets single names of the
//!   session's and the payment's metadata, and null removes one. With `payment_id` no money moves:
//!   only the event of the new session comes, and names that payment.
//! - `POST /_control/forget {"id"}`: the API does not know that payment or refund any more, nor what
//!   belongs to it: the charge, its refunds and disputes, and the movements of the balance. Events
//!   are not taken back. A restart does not bring it back, but `POST /_control/recall {"id"}` does.
//! - `POST /_control/refund_status {"next":[status]}`: what the next refunds that the API makes are
//!   at once, one each: `pending`, `succeeded`, as all others are, or `failed`. An empty list
//!   forgets what is left.
//! - `POST /_control/refunds {"payment_id","amount"?,"currency"?,"status"?}`: a refund made in the
//!   dashboard, of all that is left if not said otherwise. It is `succeeded` or `pending`. `currency`
//!   is what the refund says of itself; no real one differs from its payment, and the balance moves
//!   in the payment's currency all the same.
//! - `POST /_control/refunds/{id} {"status"}`: what becomes of a refund. A pending one is
//!   `succeeded`, `failed` or `canceled`; one that succeeded can still be `failed`.
//! - `POST /_control/disputes {"payment_id","outcome","amount"?,"inquiry"?}`: the payer's bank
//!   disputes the payment, or with `inquiry` only asks. `outcome` is `open`, `won` or `lost`.
//! - `POST /_control/disputes/{id} {"outcome"}`: closes an open dispute, `won` or `lost`; one that was
//!   lost can be `won` later, as when its cardholder takes it back.

use std::collections::VecDeque;

use axum::Router;
use axum::extract::{Json, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Provider;
use super::cards::{self, CardForm, Confirmation};
use super::deliveries::{Mode, ModeName};
use super::objects::{RefundStatus, Session};
use super::payments::{self, Attempt, Difference};
use super::store::StoreError;

/// How many API calls are remembered.
const REMEMBERED: usize = 1000;

/// What the controls have set, and what the API was asked. A restart forgets both.
pub(super) struct Controls {
    mode: Mode,
    faults: VecDeque<Fault>,
    pub(super) refund_statuses: VecDeque<RefundStatus>,
    requests: VecDeque<LoggedRequest>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fault {
    #[serde(rename = "error_500")]
    Error500,
    ErrorAfter,
    LostResponse,
    RateLimited,
    Slow,
    Unauthorized,
}

/// One API call, without its secrets.
#[derive(Clone, Debug, Serialize)]
pub(super) struct LoggedRequest {
    pub(super) method: String,
    pub(super) path: String,
    #[serde(rename = "params")]
    pub(super) parameters: Value,
    pub(super) idempotency_key: Option<String>,
    pub(super) status: u16,
    pub(super) request_id: String,
    pub(super) fault: Option<Fault>,
}

pub(super) fn router() -> Router<Provider> {
    Router::new()
        .route("/_control/webhooks", post(set_mode))
        .route("/_control/webhooks/resend", post(resend))
        .route("/_control/faults", post(set_faults))
        .route("/_control/requests", get(requests))
        .route("/_control/sessions/{id}/pay", post(pay))
}

impl Default for Controls {
    fn default() -> Self {
        Self {
            mode: Mode::Deliver,
            faults: VecDeque::new(),
            refund_statuses: VecDeque::new(),
            requests: VecDeque::new(),
        }
    }
}

impl Controls {
    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    pub(super) fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
    }

    pub(super) fn next_fault(&mut self) -> Option<Fault> {
        self.faults.pop_front()
    }

    /// What the next refund that the API makes is at once.
    pub(super) fn next_refund_status(&mut self) -> RefundStatus {
        self.refund_statuses.pop_front().unwrap_or(RefundStatus::Succeeded)
    }

    pub(super) fn log(&mut self, request: LoggedRequest) {
        if self.requests.len() == REMEMBERED {
            self.requests.pop_front();
        }
        self.requests.push_back(request);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModeOrder {
    mode: ModeName,
    #[serde(default = "three")]
    delay_seconds: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResendOrder {
    event_id: Option<String>,
    #[serde(default = "one")]
    times: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultsOrder {
    next: Vec<FaultOrder>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultOrder {
    kind: Fault,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PayOrder {
    card_number: Option<String>,
    email: Option<String>,
    expiry: Option<String>,
    cvc: Option<String>,
    confirmation: Option<Confirmation>,
    amount: Option<i64>,
    currency: Option<String>,
}

fn three() -> u32 {
    3
}

fn one() -> u8 {
    1
}

async fn set_mode(
    State(provider): State<Provider>,
    Json(order): Json<ModeOrder>,
) -> Result<Json<Value>, Broken> {
    let mode = match order.mode {
        ModeName::Deliver => Mode::Deliver,
        ModeName::Drop => Mode::Drop,
        ModeName::Duplicate => Mode::Duplicate,
        ModeName::Delay => Mode::Delay(i64::from(order.delay_seconds).saturating_mul(1000)),
        ModeName::Reorder => Mode::Reorder,
    };
    provider.controls().set_mode(mode);
    provider.transact(|announcer| announcer.books.release_held(announcer.wall))?;
    provider.0.wake.notify_one();
    Ok(Json(json!({ "mode": order.mode })))
}

async fn resend(
    State(provider): State<Provider>,
    Json(order): Json<ResendOrder>,
) -> Result<Response, Broken> {
    let event = order.event_id.as_deref();
    let resent = provider.transact(|announcer| {
        announcer.books.resend(event, order.times, announcer.mode, announcer.wall)
    })?;
    provider.0.wake.notify_one();
    if event.is_some() && resent.is_empty() {
        return Ok(not_found());
    }
    for event in &resent {
        provider.every_answer(event).await;
    }
    Ok(Json(json!({ "resent": resent })).into_response())
}

async fn set_faults(
    State(provider): State<Provider>,
    Json(order): Json<FaultsOrder>,
) -> Json<Value> {
    let mut controls = provider.controls();
    match order.next.is_empty() {
        true => controls.faults.clear(),
        false => controls.faults.extend(order.next.into_iter().map(|fault| fault.kind)),
    }
    Json(json!({ "next": controls.faults }))
}

async fn requests(State(provider): State<Provider>) -> Json<Value> {
    Json(json!({ "data": provider.controls().requests }))
}

async fn pay(
    State(provider): State<Provider>,
    Path(id): Path<String>,
    Json(order): Json<PayOrder>,
) -> Result<Response, Broken> {
    let Some(difference) = Difference::new(order.amount, order.currency) else {
        return Ok(refused("amount or currency is not one that could be paid"));
    };
    let good = CardForm::good();
    let form = CardForm {
        email: order.email.unwrap_or(good.email),
        card_number: order.card_number.unwrap_or(good.card_number),
        expiry: order.expiry.unwrap_or(good.expiry),
        cvc: order.cvc.unwrap_or(good.cvc),
        confirmation: order.confirmation,
    };
    let submission = match cards::read(&form, provider.now()) {
        Ok(submission) => submission,
        Err(mistake) => return Ok(refused(mistake.code())),
    };
    let attempt = provider.transact(|announcer| {
        let attempt = payments::pay(announcer, &id, submission, difference)?;
        match (&attempt, order.confirmation) {
            (Some(Attempt::NeedsConfirmation(_)), Some(confirmation)) => {
                payments::confirm(announcer, &id, confirmation)
            }
            _ => Ok::<_, StoreError>(attempt),
        }
    })?;
    provider.0.wake.notify_one();
    let (outcome, session, decline) = match attempt {
        None => return Ok(not_found()),
        Some(Attempt::Paid { session, event }) => {
            provider.first_answer(&event).await;
            ("paid", session, None)
        }
        Some(Attempt::Declined { session, decline }) => ("declined", session, Some(decline)),
        Some(Attempt::NeedsConfirmation(session)) => ("requires_action", session, None),
        Some(Attempt::Refused(session)) => ("refused", session, None),
    };
    Ok(Json(json!({
        "outcome": outcome,
        "code": decline.map(|decline| decline.code()),
        "decline_code": decline.and_then(|decline| decline.decline_code()),
        "session": summary(&session),
    }))
    .into_response())
}

fn summary(session: &Session) -> Value {
    json!({
        "id": session.id,
        "status": session.status,
        "amount_total": session.amount_total,
        "currency": session.currency,
        "payment_intent": session.payment_intent,
    })
}

pub(super) fn refused(error: &str) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": error }))).into_response()
}

pub(super) fn not_found() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "error": "not_found" }))).into_response()
}

/// The store failed: the control says so and nothing more.
pub(super) struct Broken;

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the stand-in's store failed");
        Self
    }
}

impl IntoResponse for Broken {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": "store_failed" }));
        (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
    }
}
