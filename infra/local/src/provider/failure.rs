//! What the API answers when it refuses: Stripe's error object and its status.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::store::StoreError;

/// How far a call had come: Stripe keeps a result under the idempotency key only once the
/// endpoint has begun to execute, so that a mistake in the parameters can be corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Validation,
    Execution,
}

/// An error answer.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    pub(super) stage: Stage,
    kind: &'static str,
    code: Option<&'static str>,
    message: String,
    parameter: Option<String>,
}

impl Failure {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            stage: Stage::Validation,
            kind: "invalid_request_error",
            code: None,
            message: message.into(),
            parameter: None,
        }
    }

    pub(super) fn missing(parameter: &str) -> Self {
        Self::invalid(format!("Missing required param: {parameter}."))
            .code("parameter_missing")
            .parameter(parameter)
    }

    pub(super) fn unknown_parameter(parameter: &str) -> Self {
        Self::invalid(format!("Received unknown parameter: {parameter}"))
            .code("parameter_unknown")
            .parameter(parameter)
    }

    pub(super) fn no_such(kind: &str, id: &str, parameter: &str) -> Self {
        let refusal = Self::invalid(format!("No such {kind}: '{id}'"));
        Self { status: StatusCode::NOT_FOUND, ..refusal }
            .code("resource_missing")
            .parameter(parameter)
            .during_execution()
    }

    pub(super) fn unauthorized(message: &str) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, ..Self::invalid(message) }
    }

    pub(super) fn unknown_route(method: &str, path: &str) -> Self {
        let message = format!("Unrecognized request URL ({method}: {path}).");
        Self { status: StatusCode::NOT_FOUND, ..Self::invalid(message) }
    }

    pub(super) fn too_many_requests() -> Self {
        let refusal = Self::invalid("Request rate limit exceeded.").code("rate_limit");
        Self { status: StatusCode::TOO_MANY_REQUESTS, ..refusal }
    }

    pub(super) fn idempotency(message: String) -> Self {
        Self { kind: "idempotency_error", ..Self::invalid(message) }
    }

    pub(super) fn key_in_use(key: &str) -> Self {
        let refusal = Self::invalid(format!(
            "There is currently another in-progress request using this Idempotent Key (that \
             probably means you submitted twice, and the other request is still going through): \
             {key}. Please try again later."
        ));
        Self { status: StatusCode::CONFLICT, ..refusal }.code("idempotency_key_in_use")
    }

    pub(super) fn internal() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            kind: "api_error",
            ..Self::invalid("An unknown error occurred")
        }
        .during_execution()
    }

    pub(super) fn code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    pub(super) fn parameter(self, parameter: &str) -> Self {
        Self { parameter: Some(parameter.to_owned()), ..self }
    }

    pub(super) fn during_execution(self) -> Self {
        Self { stage: Stage::Execution, ..self }
    }

    /// What a control says about it: the code, or the message where there is none.
    pub(super) fn summary(&self) -> &str {
        self.code.unwrap_or(&self.message)
    }

    pub(super) fn body(&self) -> Value {
        let mut error = Map::new();
        if let Some(code) = self.code {
            let page = code.replace('_', "-");
            error.insert("code".into(), code.into());
            error.insert(
                "doc_url".into(),
                format!("https://stripe.com/docs/error-codes/{page}").into(),
            );
        }
        error.insert("message".into(), self.message.as_str().into());
        if let Some(parameter) = &self.parameter {
            error.insert("param".into(), parameter.as_str().into());
        }
        error.insert("type".into(), self.kind.into());
        json!({ "error": error })
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the stand-in's store failed");
        Self { stage: Stage::Validation, ..Self::internal() }
    }
}
