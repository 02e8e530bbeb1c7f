//! What a customer can look up: balances, products, orders and the journal, also as files.

use lambda_http::{Body, Request, RequestExt, Response};
use ledger::Timestamp;
use service::catalogue::CatalogueCache;
use service::config::{CURSOR_SECRET_ARN, ConfigError};
use service::cursor::Cursors;
use service::error::Error;
use service::http::{self, Call, Parameters, Reply, answer};
use service::keys::Scope;
use service::lambda::Runtime;
use service::queries::{EntryFilter, OrderFilter, Queries};

/// The function `query-orders`.
#[derive(Debug)]
pub struct QueryOrders(pub Queries);

impl QueryOrders {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        Ok(Self(Queries {
            table: runtime.table()?,
            catalogue: CatalogueCache::default(),
            cursors: Cursors::new(runtime.secret(CURSOR_SECRET_ARN)?),
        }))
    }

    /// Answers one request.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        answer(request, |call| async move {
            let parameters = Parameters::of(request);
            if request.path_parameters().first("order_id").is_some() {
                return self.order(&call, request, parameters, now).await;
            }
            match http::last_part(request) {
                "balances" => self.balances(&call, parameters, now).await,
                "thresholds" => self.thresholds(&call, parameters, now).await,
                "products" => self.products(&call, parameters, now).await,
                "orders" => self.orders(&call, parameters, now).await,
                "orders.csv" => self.orders_csv(&call, parameters, now).await,
                "entries" => self.entries(&call, parameters, now).await,
                "entries.csv" => self.entries_csv(&call, parameters, now).await,
                _ => Err(Error::NotFound { what: "route" }),
            }
        })
        .await
    }

    async fn balances(
        &self,
        call: &Call,
        mut parameters: Parameters,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let caller = call.customer(Scope::BalancesRead, now)?;
        let moment = parameters.moment("at")?;
        parameters.finish()?;
        let Some(moment) = moment else {
            let (account, catalogue) = self.0.balances(&caller.account, now).await?;
            return Ok(Reply::Ok(http::balances(&account, &catalogue, now)));
        };
        let (past, catalogue) = self.0.balances_at(&caller.account, moment, now).await?;
        Ok(Reply::Ok(http::balances_at(&past, &catalogue, moment)))
    }

    async fn thresholds(
        &self,
        call: &Call,
        parameters: Parameters,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let caller = call.customer(Scope::BalancesRead, now)?;
        parameters.finish()?;
        Ok(Reply::Ok(http::thresholds(&self.0.account(&caller.account).await?, now)))
    }

    async fn products(
        &self,
        call: &Call,
        parameters: Parameters,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        call.customer(Scope::OrdersRead, now)?;
        parameters.finish()?;
        Ok(Reply::Ok(http::products(&self.0.products(now).await?)))
    }

    async fn order(
        &self,
        call: &Call,
        request: &Request,
        parameters: Parameters,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let caller = call.customer(Scope::OrdersRead, now)?;
        parameters.finish()?;
        let id = http::order_id(request)?;
        let record = self.0.order(&caller.account, &id).await?;
        Ok(Reply::Ok(http::order(&record, now)))
    }

    async fn orders(
        &self,
        call: &Call,
        mut parameters: Parameters,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let caller = call.customer(Scope::OrdersRead, now)?;
        let filter = OrderFilter::of(&mut parameters)?;
        let wanted = parameters.page(filter)?;
        let page = self.0.orders(&caller.account, &wanted, now).await?;
        Ok(Reply::Ok(http::orders(&page, now)))
    }

    async fn entries(
        &self,
        call: &Call,
        mut parameters: Parameters,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let caller = call.customer(Scope::BalancesRead, now)?;
        let filter = EntryFilter::of(&mut parameters)?;
        let wanted = parameters.page(filter)?;
        let page = self.0.entries(&caller.account, &wanted, now).await?;
        Ok(Reply::Ok(http::entries(&page)))
    }

    async fn orders_csv(
        &self,
        call: &Call,
        mut parameters: Parameters,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let caller = call.customer(Scope::OrdersRead, now)?;
        let filter = OrderFilter::of(&mut parameters)?;
        let wanted = parameters.export(filter)?;
        self.0.orders_csv(&caller.account, &wanted, now).await.map(Reply::Export)
    }

    async fn entries_csv(
        &self,
        call: &Call,
        mut parameters: Parameters,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let caller = call.customer(Scope::BalancesRead, now)?;
        let filter = EntryFilter::of(&mut parameters)?;
        let wanted = parameters.export(filter)?;
        self.0.entries_csv(&caller.account, &wanted, now).await.map(Reply::Export)
    }
}
