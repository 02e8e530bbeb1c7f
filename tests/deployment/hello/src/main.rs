//! A function that says hello, as the documentation of `lambda_http` shows it, for `tests/deployment/cold_start.py`.

use lambda_http::{Error, Request, run, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    run(service_fn(async |_: Request| Ok::<_, Error>("hello"))).await
}
