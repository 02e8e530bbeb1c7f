//! The Lambda function `confirm-payment`.

use aws_lambda_events::sqs::SqsEvent;
use confirm_payment::ConfirmPayment;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use service::lambda::{Runtime, now};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let handler = &ConfirmPayment::new(&Runtime::start()?)?;
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        Ok::<_, Error>(handler.handle(event.payload, now()).await)
    }))
    .await
}
