//! What a customer can look up: balances, products, orders and the journal.

use lambda_http::{Body, Request, RequestExt, Response};
use ledger::{Method, OrderId, OrderStatus, Place, ProductCode, Target, Timestamp};
use service::catalogue::CatalogueCache;
use service::config::{CURSOR_SECRET_ARN, ConfigError};
use service::cursor::Cursors;
use service::error::Error;
use service::http::{self, Call, Parameters, Reply, answer};
use service::keys::Scope;
use service::lambda::Runtime;
use service::queries::{EntryFilter, OrderFilter, PageRequest, Queries, TargetKind};

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
            let id = request.path_parameters().first("order_id").map(str::to_owned);
            match (request.uri().path().rsplit('/').next(), id) {
                (_, Some(id)) => self.order(&call, &id, parameters, now).await,
                (Some("balances"), None) => self.balances(&call, parameters, now).await,
                (Some("products"), None) => self.products(&call, parameters, now).await,
                (Some("orders"), None) => self.orders(&call, parameters, now).await,
                (Some("entries"), None) => self.entries(&call, parameters, now).await,
                _ => Err(Error::NotFound { what: "route" }),
            }
        })
        .await
    }

    async fn balances(
        &self,
        call: &Call,
        parameters: Parameters,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let caller = call.customer(Scope::BalancesRead, now)?;
        parameters.finish()?;
        let (account, catalogue) = self.0.balances(&caller.account, now).await?;
        Ok(Reply::Ok(http::balances(&account, &catalogue, now)))
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
        id: &str,
        parameters: Parameters,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let caller = call.customer(Scope::OrdersRead, now)?;
        parameters.finish()?;
        let id = OrderId::parse(id).map_err(|_| Error::NotFound { what: "order" })?;
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
        let filter = OrderFilter {
            status: parameters.take("status", "a status of an order", OrderStatus::parse)?,
            target: parameters.take("target", "'wallet' or 'product'", |name| {
                [TargetKind::Wallet, TargetKind::Product]
                    .into_iter()
                    .find(|target| target.name() == name)
            })?,
            product: parameters
                .take("product", "the code of a product", |code| ProductCode::parse(code).ok())?,
            method: parameters.take("method", "'card' or 'balance'", Method::parse)?,
            from: parameters.moment("from")?,
            to: parameters.moment("to")?,
        };
        let wanted = page_request(filter, parameters)?;
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
        let filter = EntryFilter {
            balance: parameters.take("balance", "'wallet' or 'product:<code>'", balance)?,
            from: parameters.moment("from")?,
            to: parameters.moment("to")?,
        };
        let wanted = page_request(filter, parameters)?;
        let page = self.0.entries(&caller.account, &wanted, now).await?;
        Ok(Reply::Ok(http::entries(&page)))
    }
}

/// The page that is asked for: what is left of the parameters after the filters.
fn page_request<Filter>(
    filter: Filter,
    mut parameters: Parameters,
) -> Result<PageRequest<Filter>, Error> {
    let limit = parameters.limit()?;
    let cursor = parameters.take("cursor", "a next_cursor", |text| Some(text.to_owned()))?;
    parameters.finish()?;
    Ok(PageRequest { filter, limit, cursor })
}

fn balance(text: &str) -> Option<Target> {
    match Place::parse(text).ok()? {
        Place::Available(target) => Some(target),
        Place::Held(_) | Place::External(_) => None,
    }
}
