//! The Lambda function `cancel-order`.

use cancel_order::CancelOrder;
use lambda_http::{Error, Request, run, service_fn};
use service::lambda::{Runtime, now};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let handler = &CancelOrder::new(&Runtime::start()?)?;
    run(service_fn(move |request: Request| async move {
        Ok::<_, Error>(handler.handle(&request, now()).await)
    }))
    .await
}
