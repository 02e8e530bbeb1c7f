//! The Lambda function `authorizer`.

use authorizer::{Authorizer, Question};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use service::lambda::{Runtime, now};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let handler = &Authorizer::new(&Runtime::start()?)?;
    run(service_fn(move |event: LambdaEvent<Question>| async move {
        Ok::<_, Error>(handler.handle(&event.payload, now()).await?)
    }))
    .await
}
