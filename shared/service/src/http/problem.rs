//! Failures as `application/problem+json` (RFC 9457), in one place.

use lambda_http::http::StatusCode;
use ledger::{Place, Refusal, Target};
use serde_json::{Map, Value, json};

use crate::error::{Error, Invalid};
use crate::stamp;

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
    /// What a person needs to know.
    pub detail: String,
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
            Error::Conflict { code, detail } => {
                new(StatusCode::CONFLICT, code, detail.clone(), Retry::Never)
            }
            Error::BankReferenceUsed(claim) => {
                let used = new(
                    StatusCode::CONFLICT,
                    "bank_reference_used",
                    error.to_string(),
                    Retry::SameKey,
                );
                used.with("order_id", claim.order.as_str())
                    .with("account_id", claim.account.as_str())
            }
            Error::ScopeNotYours { .. } => {
                new(StatusCode::FORBIDDEN, "scope_not_yours", error.to_string(), Retry::SameKey)
            }
            Error::MissingScope { .. } | Error::TokenNotKey => {
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
            | "invalid_code"
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
        let (status, code) = code_of(refusal);
        // Nothing was kept of the request: the same key may succeed later. What somebody else has
        // decided, and what an order can never be, no key changes.
        let retry = match refusal {
            Refusal::OrderNotCancellable { .. }
            | Refusal::OrderNotReportable { .. }
            | Refusal::OrderNotReviewable { .. }
            | Refusal::AlreadyReviewed { .. }
            | Refusal::OrderNotRefundable { .. }
            | Refusal::TooManyReports
            | Refusal::TooManyRefunds
            | Refusal::HoldClosed { .. }
            | Refusal::CurrencyFixed { .. } => Retry::Never,
            _ => Retry::SameKey,
        };
        let problem = Self { status, code, detail: refusal.to_string(), retry, more: Map::new() };
        match refusal {
            Refusal::InsufficientBalance { place, available, required, held_back } => {
                let problem = problem
                    .with("available", &available.format(required.currency))
                    .with("required", &required.to_string());
                let problem = match held_back {
                    Some(by) => problem.with("top_up_held_back_by", by.name()),
                    None => problem,
                };
                match place {
                    Place::Available(Target::Product(code)) => {
                        problem.with("product", code.as_str())
                    }
                    _ => problem,
                }
            }
            Refusal::CaptureTooLarge { left, wanted } => problem
                .with("field", "amount")
                .with("available", &left.to_string())
                .with("required", &wanted.to_string()),
            Refusal::AlreadyReviewed { by, at } => {
                problem.with("reviewed_by", by.as_str()).with("reviewed_at", &stamp::format(*at))
            }
            Refusal::RefundTooLarge { refundable, currency } => {
                problem.with("field", "amount").with("available", &refundable.format(*currency))
            }
            Refusal::RefundTooSmall { .. } => problem.with("field", "amount"),
            Refusal::RefundReferenceUsed { .. } => problem.with("field", "bank_reference"),
            Refusal::DifferenceNotConfirmed { .. } => problem.with("field", "confirm_difference"),
            Refusal::UnknownProof(_) => problem.with("field", "proofs"),
            Refusal::ReportChanged => problem.with("field", "reported_at"),
            Refusal::RateChanged { rate } => {
                problem.with("field", "fx_rate").with("fx_rate", &rate.to_string())
            }
            Refusal::NoRate { .. } | Refusal::NotConvertible { .. } => {
                problem.with("field", "received_currency")
            }
            _ => problem,
        }
    }

    fn with(mut self, field: &str, value: &str) -> Self {
        self.more.insert(field.to_owned(), json!(value));
        self
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

/// The status and the stable code of a refusal.
const fn code_of(refusal: &Refusal) -> (StatusCode, &'static str) {
    match refusal {
        Refusal::InsufficientBalance { .. } => {
            (StatusCode::PAYMENT_REQUIRED, "insufficient_balance")
        }
        Refusal::AccountFrozen => (StatusCode::FORBIDDEN, "account_frozen"),
        Refusal::BalanceTooLarge { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "balance_too_large"),
        Refusal::CurrencyDiffers { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "currency_differs"),
        Refusal::CurrencyFixed { .. } => (StatusCode::CONFLICT, "currency_fixed"),
        Refusal::OrderNotCancellable { .. } => (StatusCode::CONFLICT, "order_not_cancellable"),
        Refusal::OrderNotReportable { .. } => (StatusCode::CONFLICT, "order_not_reportable"),
        Refusal::OrderNotReviewable { .. } => (StatusCode::CONFLICT, "order_not_reviewable"),
        Refusal::AlreadyReviewed { .. } => (StatusCode::CONFLICT, "already_reviewed"),
        Refusal::OrderNotRefundable { .. } => (StatusCode::CONFLICT, "order_not_refundable"),
        Refusal::RefundTooLarge { .. } => (StatusCode::CONFLICT, "refund_too_large"),
        Refusal::RefundReferenceUsed { .. } => (StatusCode::CONFLICT, "refund_reference_used"),
        Refusal::RefundTooSmall { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "amount_out_of_range"),
        Refusal::TooManyHolds { .. } => (StatusCode::CONFLICT, "too_many_holds"),
        Refusal::HoldClosed { .. } => (StatusCode::CONFLICT, "hold_closed"),
        Refusal::CaptureTooLarge { .. } => (StatusCode::CONFLICT, "capture_too_large"),
        Refusal::TooManyRefunds => (StatusCode::CONFLICT, "too_many_refunds"),
        Refusal::TooManyReports => (StatusCode::CONFLICT, "too_many_reports"),
        Refusal::TooManyProofs { .. } => (StatusCode::CONFLICT, "too_many_proofs"),
        Refusal::UnknownProof(_) => (StatusCode::UNPROCESSABLE_ENTITY, "unknown_proof"),
        Refusal::DifferenceNotConfirmed { .. } => {
            (StatusCode::UNPROCESSABLE_ENTITY, "difference_not_confirmed")
        }
        Refusal::ReportChanged => (StatusCode::CONFLICT, "report_changed"),
        Refusal::RateChanged { .. } => (StatusCode::CONFLICT, "rate_changed"),
        Refusal::NoRate { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "unknown_rate"),
        Refusal::NotConvertible { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "amount_out_of_range"),
    }
}
