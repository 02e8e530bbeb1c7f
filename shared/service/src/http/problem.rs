//! Failures as `application/problem+json` (RFC 9457), in one place.

use lambda_http::http::StatusCode;
use ledger::Refusal;
use serde_json::{Map, Value, json};

use crate::error::{Error, Invalid};

/// What a client may do with its idempotency key after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Retry {
    /// The key is free, or it tells the outcome: use it again.
    SameKey,
    /// The key belongs to another request: take a new one.
    NewKey,
    /// Nothing: it will always fail.
    Never,
}

/// A failure as clients see it.
#[derive(Debug)]
pub struct Problem {
    /// The status code.
    pub status: StatusCode,
    /// The stable code of the contract.
    pub code: &'static str,
    detail: String,
    retry: Retry,
    more: Map<String, Value>,
}

impl Problem {
    /// What a client is told. Causes inside of the service stay inside.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        let new = |status, code, detail: String, retry| Self {
            status,
            code,
            detail,
            retry,
            more: Map::new(),
        };
        match error {
            Error::Refused(refusal) => Self::of_refusal(refusal),
            Error::Invalid(invalid) => Self::of_invalid(invalid),
            Error::NotFound { what } => {
                let code = if *what == "order" { "order_not_found" } else { "not_found" };
                new(StatusCode::NOT_FOUND, code, error.to_string(), Retry::Never)
            }
            Error::KeyReused => {
                let detail = format!("{error}: send this one with a new key");
                new(StatusCode::CONFLICT, "idempotency_key_reused", detail, Retry::NewKey)
            }
            Error::MissingScope { .. } => {
                new(StatusCode::FORBIDDEN, "missing_scope", error.to_string(), Retry::SameKey)
            }
            Error::KeyExpired => {
                new(StatusCode::FORBIDDEN, "key_expired", error.to_string(), Retry::SameKey)
            }
            Error::Unavailable(_) => {
                let detail = "the outcome is not known: send the same request with the same key";
                let status = StatusCode::SERVICE_UNAVAILABLE;
                new(status, "unavailable", detail.to_owned(), Retry::SameKey)
            }
            Error::NotTaken(_) => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                new(status, "not_taken", "send it again".to_owned(), Retry::SameKey)
            }
            Error::Broken(_) => {
                let detail = "something is wrong inside; the operator has been told";
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                new(status, "internal_error", detail.to_owned(), Retry::SameKey)
            }
        }
    }

    fn of_invalid(invalid: &Invalid) -> Self {
        let status = match invalid.code {
            "idempotency_key_required"
            | "invalid_idempotency_key"
            | "invalid_json"
            | "invalid_cursor"
            | "invalid_signature" => StatusCode::BAD_REQUEST,
            "body_too_large" => StatusCode::PAYLOAD_TOO_LARGE,
            "unsupported_media_type" => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let mut more = Map::new();
        let detail = match &invalid.field {
            Some(field) => {
                more.insert("field".to_owned(), json!(field));
                format!("{field}: {}", invalid.detail)
            }
            None => invalid.detail.clone(),
        };
        // Nothing was kept of the request: a corrected one may use the same key.
        Self { status, code: invalid.code, detail, retry: Retry::SameKey, more }
    }

    fn of_refusal(refusal: &Refusal) -> Self {
        let mut more = Map::new();
        let (status, code) = match refusal {
            Refusal::InsufficientBalance { available, required, .. } => {
                more.insert("available".to_owned(), json!(available.format(required.currency)));
                more.insert("required".to_owned(), json!(required.to_string()));
                (StatusCode::PAYMENT_REQUIRED, "insufficient_balance")
            }
            Refusal::AccountFrozen => (StatusCode::FORBIDDEN, "account_frozen"),
            Refusal::BalanceTooLarge { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "balance_too_large")
            }
            Refusal::CurrencyDiffers { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "currency_differs")
            }
            Refusal::OrderNotCancellable { .. } => (StatusCode::CONFLICT, "order_not_cancellable"),
        };
        let retry = match refusal {
            Refusal::OrderNotCancellable { .. } => Retry::Never,
            // Nothing was kept of the request: the same key may succeed later.
            _ => Retry::SameKey,
        };
        Self { status, code, detail: refusal.to_string(), retry, more }
    }

    /// The body of the answer.
    #[must_use]
    pub fn body(&self, request_id: &str) -> Value {
        let retry = match self.retry {
            Retry::SameKey => "same_key",
            Retry::NewKey => "new_key",
            Retry::Never => "never",
        };
        let mut body = self.more.clone();
        body.insert("type".to_owned(), json!(format!("urn:topup:problem:{}", self.code)));
        body.insert("title".to_owned(), json!(self.status.canonical_reason().unwrap_or("Error")));
        body.insert("status".to_owned(), json!(self.status.as_u16()));
        body.insert("detail".to_owned(), json!(self.detail));
        body.insert("code".to_owned(), json!(self.code));
        body.insert("request_id".to_owned(), json!(request_id));
        body.insert("retry".to_owned(), json!(retry));
        Value::Object(body)
    }
}
