//! The Lambda function `describe-api`.

use describe_api::DescribeApi;
use lambda_http::{Error, Request, run, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    service::log::to_standard_output();
    let handler = &DescribeApi::default();
    run(service_fn(move |request: Request| async move { Ok::<_, Error>(handler.handle(&request)) }))
        .await
}
