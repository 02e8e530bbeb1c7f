//! The Lambda function `compare-payments`.

// The layout of its future nests deeper than the compiler follows unasked.
#![recursion_limit = "256"]

use compare_payments::ComparePayments;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use service::http::reconciliation;
use service::lambda::{Runtime, now};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let handler = &ComparePayments::new(&Runtime::start()?)?;
    run(service_fn(move |event: LambdaEvent<Value>| async move {
        let compared = handler.handle(&event.payload, now()).await?;
        // For whoever called it by hand.
        Ok::<_, Error>(compared.as_ref().map(reconciliation))
    }))
    .await
}
