//! Endpoints as the operator sees them.

use ledger::Timestamp;
use serde_json::{Value, json};

use crate::endpoints::{Endpoint, Endpoints};
use crate::events::EventKind;
use crate::stamp;

/// All endpoints, without their secrets.
#[must_use]
pub fn endpoints(endpoints: &Endpoints, now: Timestamp) -> Value {
    let shown: Vec<_> = endpoints.all.iter().map(|one| endpoint(one, &[], now)).collect();
    json!({"data": shown})
}

/// An endpoint, and its secrets if its operator is to write them down.
#[must_use]
pub fn endpoint(endpoint: &Endpoint, secrets: &[String], now: Timestamp) -> Value {
    let (disabled_at, reason) = endpoint.disabled.unzip();
    let previous = endpoint.previous.filter(|(_, until)| now < *until);
    let mut shown = json!({
        "endpoint_id": endpoint.id.as_str(),
        "url": endpoint.url.as_str(),
        "types": endpoint.kinds.iter().map(EventKind::name).collect::<Vec<_>>(),
        "enabled": endpoint.disabled.is_none(),
        "disabled_reason": reason.map(|reason| reason.name()),
        "disabled_at": disabled_at.map(stamp::format),
        "failing_since": endpoint.failing_since.map(stamp::format),
        "previous_secret_until": previous.map(|(_, until)| stamp::format(until)),
    });
    if let (Some(secret), Some(fields)) = (secrets.first(), shown.as_object_mut()) {
        fields.insert("secret".to_owned(), json!(secret));
    }
    shown
}
