//! The Lambda function `payment-webhook`.

use lambda_http::{Error, Request, run, service_fn};
use payment_webhook::PaymentWebhook;
use service::lambda::{Runtime, now};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let handler = &PaymentWebhook::new(&Runtime::start()?)?;
    run(service_fn(move |request: Request| async move {
        Ok::<_, Error>(handler.handle(&request, now()).await)
    }))
    .await
}
