//! Transactions without their tokens, counted.
//!
//! The SDK gives every transaction a `ClientRequestToken`. The embedded table keeps the tokens of
//! the last ten minutes and looks at every one of them in every transaction, so a long load slows
//! down (the runner's section shows by how much: it keeps them, to measure what `cargo run` does).
//! The ten minutes are the machine's own: `Database::memory_with_clock` does not move them, so a
//! load can only leave the tokens away. DynamoDB has no such cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_smithy_runtime_api::box_error::BoxError;

/// How the SDK writes the token into the body, after the transaction's items.
const TOKEN: &str = r#","ClientRequestToken":""#;

/// Counts the transactions of a client, and takes their tokens away.
#[derive(Debug, Clone, Default)]
pub(crate) struct Transactions(Arc<AtomicU64>);

impl Transactions {
    /// Transactions that were sent so far, also those that were refused.
    pub(crate) fn sent(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Intercept for Transactions {
    fn name(&self) -> &'static str {
        "Transactions"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        if !target.ends_with(".TransactWriteItems") {
            return Ok(());
        }
        self.0.fetch_add(1, Ordering::Relaxed);
        let body = request.body().bytes().ok_or("a transaction has a body")?;
        let body = std::str::from_utf8(body)?;
        let (before, token) = body.split_once(TOKEN).ok_or("a transaction has a token")?;
        let (_, after) = token.split_once('"').ok_or("the token ends")?;
        let body = format!("{before}{after}");
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = body.into();
        Ok(())
    }
}
