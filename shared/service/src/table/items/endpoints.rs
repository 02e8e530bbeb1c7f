//! The item of all endpoints: replaced at its version.

use ledger::{EndpointId, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Keyed, Stored, read, to_item};
use crate::endpoints::{DisabledReason, Endpoint, Endpoints};
use crate::error::BrokenRecord;
use crate::events::EventKind;
use crate::table::Item;

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct EndpointsItem {
    version: u64,
    endpoints: Vec<EndpointItem>,
}

#[derive(Serialize, Deserialize)]
struct EndpointItem {
    id: String,
    made: u64,
    url: String,
    kinds: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disabled_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disabled_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failing_since: Option<i64>,
    /// A number: the secret itself is nowhere in the table.
    secret: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous_secret: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous_until: Option<i64>,
}

impl Keyed for EndpointsItem {
    const SORT_KEY: &'static str = "ENDPOINTS";
}

pub(in crate::table) fn from_endpoints(endpoints: &Endpoints) -> Item {
    let value = EndpointsItem {
        version: endpoints.version.saturating_add(1),
        endpoints: endpoints.all.iter().map(from_endpoint).collect(),
    };
    to_item(EndpointsItem::SORT_KEY.to_owned(), EndpointsItem::SORT_KEY, value)
}

pub(in crate::table) fn to_endpoints(item: Item) -> Result<Endpoints, BrokenRecord> {
    read(item, |stored: Stored<EndpointsItem>| {
        let EndpointsItem { version, endpoints } = stored.value;
        let all = endpoints.into_iter().map(to_endpoint).collect::<Option<_>>()?;
        Some(Endpoints { version, all })
    })
}

fn from_endpoint(endpoint: &Endpoint) -> EndpointItem {
    let (previous_secret, previous_until) = endpoint.previous.unzip();
    let (disabled_at, disabled_reason) = endpoint.disabled.unzip();
    EndpointItem {
        id: endpoint.id.to_string(),
        made: endpoint.made,
        url: endpoint.url.to_string(),
        kinds: endpoint.kinds.iter().map(|kind| kind.name().to_owned()).collect(),
        disabled_at: disabled_at.map(Timestamp::unix_millis),
        disabled_reason: disabled_reason.map(|reason| reason.name().to_owned()),
        failing_since: endpoint.failing_since.map(Timestamp::unix_millis),
        secret: endpoint.secret,
        previous_secret,
        previous_until: previous_until.map(Timestamp::unix_millis),
    }
}

fn to_endpoint(item: EndpointItem) -> Option<Endpoint> {
    let disabled = item.disabled_at.zip(item.disabled_reason).map(|(at, reason)| {
        // For a reason of a newer program, too, nothing is sent until the operator says so.
        let reason = DisabledReason::parse(&reason).unwrap_or(DisabledReason::Operator);
        (Timestamp::from_unix_millis(at), reason)
    });
    let until = item.previous_until.map(Timestamp::from_unix_millis);
    Some(Endpoint {
        id: EndpointId::parse(&item.id).ok()?,
        made: item.made,
        url: Url::parse(&item.url).ok()?,
        kinds: item.kinds.into_iter().map(EventKind::stored).collect(),
        disabled,
        failing_since: item.failing_since.map(Timestamp::from_unix_millis),
        secret: item.secret,
        previous: item.previous_secret.zip(until),
    })
}
