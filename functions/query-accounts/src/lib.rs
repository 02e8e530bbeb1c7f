//! What the operator can look up: transfers to review, reports of comparisons, accounts, and of each
//! account all that its customer sees.

use lambda_http::{Body, Request, RequestExt, Response};
use ledger::{AccountId, EventId, OrderId, ProofId, ProofType, Timestamp, Verdict};
use service::accounts::known_account;
use service::catalogue::CatalogueCache;
use service::charges::Charges;
use service::comparison::Reports;
use service::config::{CURSOR_SECRET_ARN, ConfigError};
use service::cursor::Cursors;
use service::error::Error;
use service::events::Events;
use service::holds::{self, Holds};
use service::http::{self, Parameters, Reply, answer};
use service::keys::Scope;
use service::lambda::Runtime;
use service::objects::Objects;
use service::queries::{EntryFilter, OrderFilter, Queries};
use service::record::{OrderRecord, proof_folder};

/// The function `query-accounts`.
#[derive(Debug)]
pub struct QueryAccounts {
    /// Where everything is.
    pub queries: Queries,
    /// Where the files are.
    pub objects: Objects,
    /// Where the reports of the comparisons are.
    pub reports: Reports,
    /// What the platform was told.
    pub events: Events,
    /// What was used.
    pub charges: Charges,
    /// What is set aside for use.
    pub holds: Holds,
}

impl QueryAccounts {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        let table = runtime.table()?;
        let secret = runtime.secret(CURSOR_SECRET_ARN)?;
        let events = Events(table.clone());
        let cursors = || Cursors::new(secret.clone());
        let reports = Reports { table: table.clone(), cursors: cursors() };
        let catalogue = CatalogueCache::default;
        let charges = Charges { table: table.clone(), catalogue: catalogue() };
        let holds = Holds { table: table.clone(), catalogue: catalogue(), cursors: cursors() };
        let queries = Queries { table, catalogue: catalogue(), cursors: cursors() };
        Ok(Self { queries, objects: runtime.objects()?, reports, events, charges, holds })
    }

    /// Answers one request.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        answer(request, |call| async move {
            call.operator(Scope::OperatorRead, now)?;
            let parameters = Parameters::of(request);
            let path = request.path_parameters();
            let last = http::last_part(request);
            if path.first("order_id").is_some() {
                let id = http::order_id(request)?;
                parameters.finish()?;
                return match path.first("proof_id") {
                    Some(proof) => self.proof(&id, proof).await,
                    None => Ok(Reply::Ok(http::order(&self.queries.any_order(&id).await?, now))),
                };
            }
            match (path.first("account_id"), last) {
                (Some(_), "{charge_id}") => {
                    parameters.finish()?;
                    let (account, id) = (http::account_id(request)?, http::charge_id(request)?);
                    Ok(Reply::Ok(http::charge(&self.charges.one(&account, &id).await?)))
                }
                (Some(_), "{hold_id}") => {
                    parameters.finish()?;
                    let (account, id) = (http::account_id(request)?, http::hold_id(request)?);
                    Ok(Reply::Ok(http::hold(&self.holds.one(&account, &id, now).await?)))
                }
                (Some(_), last) => {
                    self.account(&http::account_id(request)?, last, parameters, now).await
                }
                (None, "reviews") => {
                    let page = self.queries.reviews(&parameters.page(())?, now).await?;
                    Ok(Reply::Ok(http::orders(&page, now)))
                }
                (None, "accounts") => {
                    let page = self.queries.accounts(&parameters.page(())?, now).await?;
                    Ok(Reply::Ok(http::accounts(&page)))
                }
                (None, "events") => self.told(parameters, now).await,
                (None, "reconciliations") => {
                    let wanted = parameters.page(())?;
                    let cursor = wanted.cursor.as_deref();
                    let page = self.reports.list(cursor, wanted.limit, now).await?;
                    Ok(Reply::Ok(http::reconciliations(&page)))
                }
                (None, _) => {
                    parameters.finish()?;
                    self.report(path.first("run_id").unwrap_or_default()).await
                }
            }
        })
        .await
    }

    /// The events after the one that was read last.
    async fn told(&self, mut parameters: Parameters, now: Timestamp) -> Result<Reply, Error> {
        let limit = parameters.limit()?;
        let after = parameters.take("after", "the id of an event", |id| EventId::parse(id).ok())?;
        parameters.finish()?;
        let page = self.events.list(after.as_ref(), limit, now).await?;
        Ok(Reply::Ok(http::events(&page)))
    }

    /// The report of a comparison, as JSON or, if the path ends so, as comma-separated values.
    async fn report(&self, run: &str) -> Result<Reply, Error> {
        let (id, csv) = run.strip_suffix(".csv").map_or((run, false), |id| (id, true));
        let found = self.reports.one(id).await?;
        if !csv {
            return Ok(Reply::Ok(http::reconciliation(&found)));
        }
        let content = http::reconciliation_csv(&found).into_bytes();
        Ok(Reply::File { media_type: "text/csv; charset=utf-8", name: run.to_owned(), content })
    }

    async fn account(
        &self,
        id: &AccountId,
        what: &str,
        mut parameters: Parameters,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        match what {
            "balances" => {
                let moment = parameters.moment("at")?;
                parameters.finish()?;
                let Some(moment) = moment else {
                    let (account, catalogue) = self.queries.balances(id, now).await?;
                    return Ok(Reply::Ok(http::balances(&account, &catalogue, now)));
                };
                let (past, catalogue) = self.queries.balances_at(id, moment, now).await?;
                Ok(Reply::Ok(http::balances_at(&past, &catalogue, moment)))
            }
            "thresholds" => {
                parameters.finish()?;
                Ok(Reply::Ok(http::thresholds(&self.queries.account(id).await?, now)))
            }
            "orders" => {
                let filter = OrderFilter::of(&mut parameters)?;
                let wanted = parameters.page(filter)?;
                let page = self.queries.orders(id, &wanted, now).await?;
                self.must_be_known(id, page.items.is_empty()).await?;
                Ok(Reply::Ok(http::orders(&page, now)))
            }
            "entries" => {
                let filter = EntryFilter::of(&mut parameters)?;
                let wanted = parameters.page(filter)?;
                let page = self.queries.entries(id, &wanted, now).await?;
                self.must_be_known(id, page.items.is_empty()).await?;
                Ok(Reply::Ok(http::entries(&page)))
            }
            "holds" => {
                let status = holds::status_of(&mut parameters)?;
                let page = self.holds.list(id, &parameters.page(status)?, now).await?;
                Ok(Reply::Ok(http::holds(&page)))
            }
            "orders.csv" => {
                let filter = OrderFilter::of(&mut parameters)?;
                let wanted = parameters.export(filter)?;
                let part = self.queries.orders_csv(id, &wanted, now).await?;
                self.must_be_known(id, part.is_empty).await?;
                Ok(Reply::Export(part))
            }
            "entries.csv" => {
                let filter = EntryFilter::of(&mut parameters)?;
                let wanted = parameters.export(filter)?;
                let part = self.queries.entries_csv(id, &wanted, now).await?;
                self.must_be_known(id, part.is_empty).await?;
                Ok(Reply::Export(part))
            }
            _ => {
                parameters.finish()?;
                Ok(Reply::Ok(http::account(&known_account(&self.queries.table, id).await?)))
            }
        }
    }

    /// An account of which there is nothing to show is there all the same, and not mistyped.
    async fn must_be_known(&self, id: &AccountId, shows_nothing: bool) -> Result<(), Error> {
        if shows_nothing {
            drop(self.queries.account(id).await?);
        }
        Ok(())
    }

    /// A file of an order: of the report that it has, or of one that was rejected.
    async fn proof(&self, id: &OrderId, proof: &str) -> Result<Reply, Error> {
        let missing = || Error::NotFound { what: "file" };
        let proof = ProofId::parse(proof).map_err(|_| missing())?;
        let record = self.queries.any_order(id).await?;
        let media_type = media_type(&record, &proof).ok_or_else(missing)?;
        let content = self.objects.get(&proof_folder(id), proof.as_str()).await?;
        let name = format!("{}.{}", proof.as_str(), media_type.extension());
        Ok(Reply::File { media_type: media_type.name(), name, content })
    }
}

/// What a file of an order is, if the order has it.
fn media_type(record: &OrderRecord, proof: &ProofId) -> Option<ProofType> {
    let transfer = record.order.bank_transfer.as_ref()?;
    let rejected = transfer.reviews.iter().filter_map(|review| match &review.verdict {
        Verdict::Rejected(rejection) => Some(&rejection.proofs),
        Verdict::Accepted(_) => None,
    });
    let mut known = transfer.proofs.iter().chain(rejected.flatten());
    known.find(|known| known.id == *proof).map(|known| known.media_type)
}
