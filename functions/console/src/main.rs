//! The Lambda function `console`.

use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    service::log::to_standard_output();
    run(service_fn(|request: Request| async move { Ok::<_, Error>(console::handle(&request)) }))
        .await
}
