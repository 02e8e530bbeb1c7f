//! Where the platform is told of events: `/v1/admin/endpoints`.

use lambda_http::{Body, Request, RequestExt, Response};
use ledger::{EndpointId, EventId, Timestamp};
use serde_json::json;
use service::config::{ConfigError, ENDPOINT_SECRET_ARN};
use service::delivery::{Deliveries, Sender};
use service::endpoints::{Endpoint, EndpointSecrets, ManageEndpoints, Reach, WantedEndpoint};
use service::error::{Error, Invalid};
use service::events::EventKind;
use service::http::{self, Call, Operator, Parameters, Reply, answer, json_body};
use service::keys::Scope;
use service::lambda::Runtime;

/// The function `manage-endpoints`.
#[derive(Debug)]
pub struct ChangeEndpoints {
    /// Changes them.
    pub endpoints: ManageEndpoints,
    /// Sends tests, and knows where an endpoint may be.
    pub deliveries: Deliveries,
}

impl ChangeEndpoints {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        let secret = runtime.secret(ENDPOINT_SECRET_ARN)?;
        let secrets = || EndpointSecrets(secret.clone());
        let (table, sender) = (runtime.table()?, Sender::new(Reach::Public));
        Ok(Self {
            endpoints: ManageEndpoints { table: table.clone(), secrets: secrets() },
            deliveries: Deliveries { table, secrets: secrets(), sender },
        })
    }

    /// Answers one request.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        answer(request, |call| async move {
            let (method, last) = (request.method().as_str(), http::last_part(request));
            if method == "GET" {
                call.operator(Scope::OperatorRead, now)?;
                Parameters::of(request).finish()?;
                return Ok(Reply::Ok(http::endpoints(&self.endpoints.all().await?, now)));
            }
            let operator = call.operator(Scope::OperatorConfigure, now)?;
            match (method, last) {
                ("PUT", _) => self.put(request, &operator, now).await,
                ("DELETE", _) => {
                    let id = named(request).map_err(|_| Error::NotFound { what: "endpoint" })?;
                    self.endpoints.remove(&id, &operator.by, now).await?;
                    Ok(Reply::Ok(http::endpoints(&self.endpoints.all().await?, now)))
                }
                ("POST", "rotate") => {
                    let id = named(request).map_err(|_| Error::NotFound { what: "endpoint" })?;
                    let endpoint = self.endpoints.rotate(&id, &operator.by, now).await?;
                    self.shown(&endpoint, now).await
                }
                ("POST", "test") => self.test(request, now).await,
                _ => Err(Error::NotFound { what: "route" }),
            }
        })
        .await
    }

    async fn put(
        &self,
        request: &Request,
        operator: &Operator,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let id = named(request)?;
        let mut fields = json_body(request)?;
        let url = self.deliveries.sender.check(fields.text("url")?.trim())?;
        let names: Vec<String> = fields.optional_value("types")?.unwrap_or_default();
        let enabled = fields.optional_value("enabled")?.unwrap_or(true);
        fields.finish()?;
        let kinds = kinds(&names)?;
        let wanted = WantedEndpoint { id, url, kinds, enabled };
        let endpoint = self.endpoints.put(&wanted, &operator.by, now).await?;
        self.shown(&endpoint, now).await
    }

    async fn test(&self, request: &Request, now: Timestamp) -> Result<Reply, Error> {
        let id = named(request).map_err(|_| Error::NotFound { what: "endpoint" })?;
        let key = Call::idempotency_key(request)?;
        let endpoint = self.endpoints.one(&id).await?;
        let outcome = self.deliveries.test(&endpoint, &EventId::of_test(&id, &key), now).await?;
        let delivered = outcome.health() == service::endpoints::Health::Well;
        Ok(Reply::Ok(json!({"delivered": delivered, "outcome": outcome.to_string()})))
    }

    async fn shown(&self, endpoint: &Endpoint, now: Timestamp) -> Result<Reply, Error> {
        let secrets = self.endpoints.secrets.of(endpoint, now).await?;
        Ok(Reply::Ok(http::endpoint(endpoint, &secrets, now)))
    }
}

/// The endpoint that the path names.
fn named(request: &Request) -> Result<EndpointId, Error> {
    let path = request.path_parameters();
    let named = EndpointId::parse(path.first("endpoint_id").unwrap_or_default());
    named.map_err(|error| Invalid::field("invalid_field", "endpoint_id", error.to_string()).into())
}

fn kinds(names: &[String]) -> Result<Vec<EventKind>, Error> {
    let known = || EventKind::ALL.each_ref().map(EventKind::name).join(", ");
    let wrong = || Invalid::field("invalid_field", "types", format!("must be some of {}", known()));
    let kinds = names.iter().map(|name| EventKind::parse(name).ok_or_else(wrong));
    let mut kinds: Vec<_> = kinds.collect::<Result<_, _>>()?;
    kinds.sort();
    kinds.dedup();
    Ok(kinds)
}
