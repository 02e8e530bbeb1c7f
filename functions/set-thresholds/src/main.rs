//! The Lambda function `set-thresholds`.

use lambda_http::{Error, Request, run, service_fn};
use service::lambda::{Runtime, now};
use set_thresholds::ChangeThresholds;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let handler = &ChangeThresholds::new(&Runtime::start()?)?;
    run(service_fn(move |request: Request| async move {
        Ok::<_, Error>(handler.handle(&request, now()).await)
    }))
    .await
}
