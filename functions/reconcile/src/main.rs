//! The Lambda function `reconcile`.

// The layout of its future nests deeper than the compiler follows unasked.
#![recursion_limit = "256"]

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use reconcile::{Reconcile, summary};
use serde_json::Value;
use service::lambda::{Runtime, now};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let handler = &Reconcile::new(&Runtime::start()?)?;
    run(service_fn(move |_: LambdaEvent<Value>| async move {
        Ok::<_, Error>(summary(&handler.handle(now()).await?))
    }))
    .await
}
