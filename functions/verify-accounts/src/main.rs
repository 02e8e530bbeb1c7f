//! The Lambda function `verify-accounts`.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use service::lambda::{Runtime, now};
use service::verification::Verifications;
use verify_accounts::{VerifyAccounts, summary};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let table = Runtime::start()?.table()?;
    let handler = &VerifyAccounts(Verifications { table });
    run(service_fn(move |event: LambdaEvent<Value>| async move {
        Ok::<_, Error>(summary(&handler.handle(&event.payload, now()).await?))
    }))
    .await
}
