//! The Lambda function `manage-endpoints`.

use lambda_http::{Error, Request, run, service_fn};
use manage_endpoints::ChangeEndpoints;
use service::lambda::{Runtime, now};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let handler = &ChangeEndpoints::new(&Runtime::start()?)?;
    run(service_fn(move |request: Request| async move {
        Ok::<_, Error>(handler.handle(&request, now()).await)
    }))
    .await
}
