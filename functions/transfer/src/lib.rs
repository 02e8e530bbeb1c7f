//! `POST /v1/transfers`: money from the wallet to a product, at once.

use lambda_http::{Body, Request, Response};
use ledger::{OrderId, Timestamp};
use service::catalogue::CatalogueCache;
use service::config::ConfigError;
use service::http::{Call, Reply, answer, json_body};
use service::keys::Scope;
use service::lambda::Runtime;
use service::transfers::{TransferOrder, Transfers};

/// The function `transfer`.
#[derive(Debug)]
pub struct TransferMoney(pub Transfers);

impl TransferMoney {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        Ok(Self(Transfers { table: runtime.table()?, catalogue: CatalogueCache::default() }))
    }

    /// Answers one request.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        answer(request, |call| async move {
            let caller = call.customer(Scope::TransfersWrite, now)?;
            let key = Call::idempotency_key(request)?;
            let mut fields = json_body(request)?;
            let product = fields.product("product")?;
            let amount = fields.amount("amount")?;
            fields.finish()?;
            let order_id = OrderId::of_transfer(&caller.account, &key);
            let wanted = TransferOrder { order_id, product, amount, by: caller.by };
            let made = self.0.make(&caller.account, &wanted, now).await?;
            Ok(Reply::made(&made, now))
        })
        .await
    }
}
