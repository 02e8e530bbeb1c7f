//! Parameters: in the path, in the query, and the one header that makes a request safe to repeat.

use ledger::{HoldStatus, Method, OrderStatus};
use serde_json::{Map, Value, json};
use service::exports::MAX_EXPORTED;

use crate::schema::{example, form, named, one_of, text, with};

/// A page of a list.
pub(crate) const PAGE: &[&str] = &["limit", "cursor"];
/// A page of orders.
pub(crate) const ORDERS: &[&str] =
    &["order_status", "target", "product", "method", "from", "to", "limit", "cursor"];
/// A page of holds.
pub(crate) const HOLDS: &[&str] = &["hold_status", "limit", "cursor"];
/// A page of entries.
pub(crate) const ENTRIES: &[&str] = &["balance", "from", "to", "limit", "cursor"];
/// A part of an export of orders.
pub(crate) const ORDERS_EXPORT: &[&str] =
    &["order_status", "target", "product", "method", "from", "to", "rows", "next"];
/// A part of an export of entries.
pub(crate) const ENTRIES_EXPORT: &[&str] = &["balance", "from", "to", "rows", "next"];

/// All of them, by the name that operations refer to them by. An example is taken from these schemas.
pub(crate) fn parameters(schemas: &Map<String, Value>) -> Map<String, Value> {
    let of_path = in_path().into_iter().map(|(name, schema)| {
        let about = schema.get("description").cloned().unwrap_or_default();
        let parameter = json!({
            "name": name, "in": "path", "required": true, "description": about, "schema": schema,
        });
        (format!("path_{name}"), parameter)
    });
    let of_query = in_query().into_iter().map(|(known_as, name, schema, about)| {
        let parameter =
            json!({"name": name, "in": "query", "description": about, "schema": schema});
        (known_as.to_owned(), parameter)
    });
    let all = of_path.chain(of_query).chain([("idempotency_key".to_owned(), idempotency_key())]);
    all.map(|(known_as, parameter)| {
        let shown = example(parameter.get("schema").unwrap_or(&Value::Null), schemas);
        (known_as, with(parameter, "example", shown))
    })
    .collect()
}

/// Where a parameter is.
pub(crate) fn reference(known_as: &str) -> Value {
    json!({"$ref": format!("#/components/parameters/{known_as}")})
}

fn in_path() -> Vec<(&'static str, Value)> {
    let derived = |prefix: &str| {
        form(&format!("^{prefix}_[0-9a-z]{{20}}$"), &format!("{prefix}_0123456789abcdefghjk"), "")
    };
    let about = |schema, about: &str| with(schema, "description", json!(about));
    let pair = form("^[A-Z]{3}-[A-Z]{3}$", "CNY-USD", "");
    let run = form("^cmp_[0-9]{4}-[0-9]{2}-[0-9]{2}_[0-9]+(\\.csv)?$", "cmp_2026-11-23_1", "");
    vec![
        ("order_id", about(named("OrderId"), "The order.")),
        ("account_id", about(named("AccountId"), "The account.")),
        ("charge_id", about(named("ChargeId"), "The charge.")),
        ("hold_id", about(named("HoldId"), "The hold.")),
        ("product", about(named("ProductCode"), "The product.")),
        ("proof_id", about(named("ProofId"), "The file.")),
        ("endpoint_id", about(named("EndpointId"), "The endpoint.")),
        ("key_id", about(named("KeyId"), "The key.")),
        ("currency", about(named("Currency"), "The currency that arrives.")),
        ("pair", about(pair, "The currency that is paid, and the one that is credited.")),
        ("finding_id", about(derived("fnd"), "The finding.")),
        ("statement_id", about(derived("stm"), "The statement.")),
        (
            "run_id",
            about(run, "The comparison; ending in `.csv`, its report as comma-separated values."),
        ),
    ]
}

/// What operations refer to it by, its name, what it is, and what it means.
fn in_query() -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let page = |most: u16, usual: u16| json!({"type": "integer", "minimum": 1, "maximum": most, "default": usual, "examples": [usual]});
    let moment = || named("Moment");
    let statuses = OrderStatus::ALL.map(OrderStatus::name);
    vec![
        ("limit", "limit", page(100, 20), "How many items a page may have."),
        ("cursor", "cursor", text("eyJ2IjoxfQ.c2lnbmVk"), "The `next_cursor` of the page before."),
        ("rows", "limit", page(MAX_EXPORTED, MAX_EXPORTED), "How many items a part may have."),
        ("next", "cursor", text("eyJ2IjoxfQ.c2lnbmVk"), "The `X-Next-Cursor` of the part before."),
        ("order_status", "status", one_of(statuses), "Only orders that stand there."),
        ("target", "target", one_of(["wallet", "product"]), "Only orders for it."),
        ("product", "product", named("ProductCode"), "Only orders for this product."),
        ("method", "method", one_of(Method::ALL.map(Method::name)), "Only orders paid so."),
        ("balance", "balance", named("Balance"), "Only entries with a line on it."),
        ("from", "from", moment(), "Nothing older."),
        ("to", "to", moment(), "Nothing newer."),
        ("at", "at", moment(), "The balances as they were then; not in the future."),
        (
            "hold_status",
            "status",
            one_of(HoldStatus::ALL.map(HoldStatus::name)),
            "Only such holds.",
        ),
        ("finding_status", "status", one_of(["open", "closed"]), "`open` unless it is said."),
        ("after", "after", named("EventId"), "Only events after this one."),
        (
            "version",
            "version",
            json!({"type": "integer", "minimum": 0, "examples": [1]}),
            "As it was at this version.",
        ),
    ]
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": true,
        "description": "The same one when the request is repeated. With the same request it answers \
                        with the document as it is now, `Idempotent-Replayed: true` and 200.",
        "schema": form("^[!-+\\--~]{1,255}$", "order-2026-0042", "1 to 255 visible ASCII characters without a comma."),
    })
}
