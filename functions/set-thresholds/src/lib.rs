//! `PUT /v1/wallet/thresholds` and `PUT /v1/products/{product}/thresholds`: what is to happen when a balance
//! runs low.

use lambda_http::{Body, Request, RequestExt, Response};
use ledger::{ProductCode, Target, Timestamp};
use service::catalogue::CatalogueCache;
use service::config::ConfigError;
use service::error::{Error, Invalid};
use service::http::{self, Reply, answer, json_body};
use service::keys::Scope;
use service::lambda::Runtime;
use service::thresholds::SetThresholds;

/// The function `set-thresholds`.
#[derive(Debug)]
pub struct ChangeThresholds(pub SetThresholds);

impl ChangeThresholds {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        Ok(Self(SetThresholds { table: runtime.table()?, catalogue: CatalogueCache::default() }))
    }

    /// Answers one request.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        answer(request, |call| async move {
            let caller = call.customer(Scope::TransfersWrite, now)?;
            let target = target(request)?;
            let written = http::thresholds_of(json_body(request)?)?;
            let account = self.0.set(&caller.account, &target, &written, &caller.by, now).await?;
            Ok(Reply::Ok(http::threshold(&account, &target, now)))
        })
        .await
    }
}

/// The balance that the path names: the wallet's path names no product.
fn target(request: &Request) -> Result<Target, Error> {
    let path = request.path_parameters();
    let Some(code) = path.first("product") else { return Ok(Target::Wallet) };
    let product = ProductCode::parse(code)
        .map_err(|error| Invalid::field("unknown_product", "product", error.to_string()))?;
    Ok(Target::Product(product))
}
