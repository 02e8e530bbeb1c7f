//! What the platform is sent: a webhook for each kind of event, and for the test of an endpoint.

use serde_json::{Map, Value, json};
use service::events::EventKind;

use crate::answers::{currency, money, money_or_null, text_or_null, time, time_or_null};
use crate::schema::{Field, answer, example, named, or_null, text};

/// The kind of what a test sends, which is no event.
const TEST: &str = "endpoint.test";

/// The webhooks by the kind of their event, as OpenAPI 3.1 has them.
pub(crate) fn webhooks(schemas: &Map<String, Value>) -> Map<String, Value> {
    let kinds = EventKind::ALL.map(|kind| {
        let (happened, data) = told(&kind);
        (
            kind.name().to_owned(),
            webhook(kind.name(), happened, answer("What is told of it.", data), schemas),
        )
    });
    let tested = answer("What is told of it.", [endpoint_id()]);
    let tested = webhook(TEST, "Somebody tries an endpoint. It means nothing.", tested, schemas);
    kinds.into_iter().chain([(TEST.to_owned(), tested)]).collect()
}

/// When a kind of event happens, and its `data`.
fn told(kind: &EventKind) -> (&'static str, Vec<Field>) {
    match kind {
        EventKind::OrderCompleted => ("An order was paid and credited.", order()),
        EventKind::OrderFailed => ("A delayed payment of an order failed for good.", order()),
        EventKind::OrderExpired => ("An order was not paid in time.", order()),
        EventKind::OrderRejected => ("Finance did not find the reported transfer.", order()),
        EventKind::OrderRefunded => {
            ("Money of an order was given back, or has returned after that.", order())
        }
        EventKind::OrderDisputed => (
            "A cardholder's bank asks the payment of an order back, or where that stands has changed.",
            disputed(),
        ),
        EventKind::BalanceLow => ("A balance fell below what its customer set for it.", balance()),
        EventKind::HoldExpired => ("The time of a hold is over.", hold()),
        EventKind::EndpointDisabled => ("Nothing is sent to an endpoint any more.", endpoint()),
        EventKind::Other(_) => ("Something that only a newer release tells.", Vec::new()),
    }
}

fn order() -> Vec<Field> {
    vec![
        ("order_id", named("OrderId"), "The order."),
        ("status", named("OrderStatus"), "Its status after it."),
        ("reason", named("OrderReason"), "Why."),
        target(),
        ("method", named("Method"), "How it is paid."),
        money("amount", "What was ordered."),
        currency(),
        money_or_null("credited_amount", "What was credited."),
        money_or_null("refunded_amount", "What of it was given back."),
    ]
}

fn disputed() -> Vec<Field> {
    let mut fields = order();
    fields.extend([
        ("dispute_id", text("dp_1"), "The provider's name for it."),
        ("dispute_status", named("DisputeStatus"), "Where it stands."),
        text_or_null("dispute_reason", "fraudulent", "As the provider says."),
        money("disputed_amount", "What is asked back."),
    ]);
    fields
}

fn balance() -> Vec<Field> {
    vec![
        target(),
        money("available", "What is left."),
        money("alert_below", "What its customer set."),
        currency(),
    ]
}

fn hold() -> Vec<Field> {
    vec![
        ("hold_id", named("HoldId"), "The hold."),
        ("status", named("HoldStatus"), "Its status."),
        target(),
        money("amount", "What was set aside."),
        money("captured_amount", "What of it was used."),
        money("released_amount", "What of it is free again."),
        currency(),
    ]
}

fn endpoint() -> Vec<Field> {
    vec![
        endpoint_id(),
        ("reason", named("DisabledReason"), "Why."),
        time_or_null("failing_since", "Since when it had failed every time."),
        time("disabled_at", "Since when."),
    ]
}

fn target() -> Field {
    ("target", named("Balance"), "Which balance.")
}

fn endpoint_id() -> Field {
    ("endpoint_id", named("EndpointId"), "The endpoint.")
}

fn webhook(kind: &str, happened: &str, data: Value, schemas: &Map<String, Value>) -> Value {
    let event = answer(
        happened,
        [
            ("id", named("EventId"), "The same however often it is sent."),
            ("type", json!({"const": kind, "examples": [kind]}), "What happened."),
            time("timestamp", "When; no two of one order have the same."),
            ("account_id", or_null(named("AccountId")), "To whom; null for the operator's own."),
            ("data", data, "A few words of it: ids and amounts, no personal data."),
        ],
    );
    let header = |name: &str, about: &str, example: &str| {
        json!({
            "name": name, "in": "header", "required": true, "description": about,
            "schema": text(example),
        })
    };
    json!({"post": {
        "summary": happened,
        "parameters": [
            header("webhook-id", "The event's id (Standard Webhooks).", "evt_0123456789abcdefghjk"),
            header("webhook-timestamp", "When it is sent, in Unix seconds.", "1795435200"),
            header("webhook-signature", "`v1,` and base64 of HMAC-SHA256; two while a secret is rotated.", "v1,…"),
        ],
        "requestBody": {"required": true, "content": {"application/json": {"schema": event, "example": example(&event, schemas)}}},
        "responses": {
            "2XX": {"description": "It was taken."},
            "410": {"description": "Nothing is to be sent here any more."},
            "default": {"description": "It is sent again, eight times in all."},
        },
    }})
}
