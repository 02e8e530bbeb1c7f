//! Parameters of requests: in the path and in the query.

use std::collections::BTreeMap;
use std::fmt::Display;

use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use ledger::{AccountId, ChargeId, HoldId, InvalidId, OrderId, Timestamp};
use serde::de::DeserializeOwned;

use crate::error::{Error, Invalid};
use crate::exports::{ExportRequest, MAX_EXPORTED};
use crate::queries::PageRequest;
use crate::stamp;

/// The error that names the field that a list of fields does not have.
const UNKNOWN_FIELD: &str = "unknown_field";

/// The order that the path names.
///
/// # Errors
/// [`Error::NotFound`], also for what cannot be the id of an order.
pub fn order_id(request: &Request) -> Result<OrderId, Error> {
    named(request, "order_id", OrderId::parse, "order")
}

/// The account that the path names.
///
/// # Errors
/// [`Error::NotFound`], also for what cannot be the id of an account.
pub fn account_id(request: &Request) -> Result<AccountId, Error> {
    named(request, "account_id", AccountId::parse, "account")
}

/// The charge that the path names.
///
/// # Errors
/// [`Error::NotFound`], also for what cannot be the id of a charge.
pub fn charge_id(request: &Request) -> Result<ChargeId, Error> {
    named(request, "charge_id", ChargeId::parse, "charge")
}

/// The hold that the path names.
///
/// # Errors
/// [`Error::NotFound`], also for what cannot be the id of a hold.
pub fn hold_id(request: &Request) -> Result<HoldId, Error> {
    named(request, "hold_id", HoldId::parse, "hold")
}

fn named<T>(
    request: &Request,
    parameter: &str,
    parse: fn(&str) -> Result<T, InvalidId>,
    what: &'static str,
) -> Result<T, Error> {
    let id = request.path_parameters().first(parameter).and_then(|id| parse(id).ok());
    id.ok_or(Error::NotFound { what })
}

/// The last part of the route, which tells the routes of one function apart: `orders`, or `{account_id}` for an
/// account that somebody has named `orders`.
#[must_use]
pub fn last_part(request: &Request) -> &str {
    let route = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.route_key.as_deref(),
        _ => None,
    };
    let route = route.filter(|route| route.contains('/'));
    route.unwrap_or_else(|| request.uri().path()).rsplit('/').next().unwrap_or_default()
}

/// The query parameters of a request, taken one by one; what is left over is an error.
#[derive(Debug)]
pub struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// The parameters of a request.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let mut parameters = BTreeMap::new();
        for (name, value) in request.query_string_parameters().iter() {
            // One that is there twice is joined, as the gateway joins headers: no rule takes that.
            parameters
                .entry(name.to_owned())
                .and_modify(|known: &mut String| known.extend([",", value]))
                .or_insert_with(|| value.to_owned());
        }
        Self(parameters)
    }

    /// A parameter that `parse` understands.
    ///
    /// # Errors
    /// `invalid_parameter` with its name and the rule.
    pub fn take<T>(
        &mut self,
        name: &str,
        rule: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(text) => parse(&text).map(Some).ok_or_else(|| {
                Invalid::field("invalid_parameter", name, format!("must be {rule}")).into()
            }),
        }
    }

    /// How many items a page may have, 1 to 100; 20 if nothing is said.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn limit(&mut self) -> Result<u8, Error> {
        Ok(self.limited(100)?.unwrap_or(20))
    }

    fn limited<Limit>(&mut self, most: Limit) -> Result<Option<Limit>, Error>
    where
        Limit: DeserializeOwned + Display + From<u8> + PartialOrd,
    {
        self.take("limit", &format!("a number from 1 to {most}"), |text| {
            let limit = serde_json::from_str(text).ok();
            limit.filter(|limit| (Limit::from(1)..=most).contains(limit))
        })
    }

    /// The page that is asked for: what is left of the parameters after the filters.
    ///
    /// # Errors
    /// `invalid_parameter` or `unknown_field`.
    pub fn page<Filter>(mut self, filter: Filter) -> Result<PageRequest<Filter>, Error> {
        let limit = self.limit()?;
        let cursor = self.take("cursor", "a next_cursor", |text| Some(text.to_owned()))?;
        self.finish()?;
        Ok(PageRequest { filter, limit, cursor })
    }

    /// The part of an export that is asked for: what is left of the parameters after the filters.
    ///
    /// # Errors
    /// `invalid_parameter` or `unknown_field`.
    pub fn export<Filter>(mut self, filter: Filter) -> Result<ExportRequest<Filter>, Error> {
        let limit = self.limited(MAX_EXPORTED)?.unwrap_or(MAX_EXPORTED);
        let cursor = self.take("cursor", "an X-Next-Cursor", |text| Some(text.to_owned()))?;
        self.finish()?;
        Ok(ExportRequest { filter, limit, cursor })
    }

    /// A moment.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn moment(&mut self, name: &str) -> Result<Option<Timestamp>, Error> {
        self.take(name, "a time such as 2026-11-23T13:00:00Z", stamp::parse)
    }

    /// Refuses what nobody asked for.
    ///
    /// # Errors
    /// `unknown_field` with its name.
    pub fn finish(self) -> Result<(), Error> {
        finished(self.0.keys().next())
    }
}

/// Refuses what nobody asked for.
pub(super) fn finished(left_over: Option<&String>) -> Result<(), Error> {
    match left_over {
        None => Ok(()),
        Some(name) => {
            let name: String = name.chars().take(64).collect();
            Err(Invalid::field(UNKNOWN_FIELD, &name, "is not a field of this request").into())
        }
    }
}
