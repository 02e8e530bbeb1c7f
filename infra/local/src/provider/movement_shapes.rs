//! What moves the balance, in the shape that Stripe's API gives it.

use serde_json::{Value, json};

use super::objects::{BalanceTransaction, Category, Document};

/// Two days, after which Stripe lets a merchant use the money.
const SETTLEMENT: i64 = 172_800;

pub(super) fn balance_transaction(movement: &BalanceTransaction, now: i64) -> Value {
    let available_on = movement.created.saturating_add(SETTLEMENT);
    let reason = match movement.reporting_category {
        Category::Dispute => "Dispute fee",
        _ => "Stripe processing fees",
    };
    let fee = json!({ "amount": movement.fee, "application": null,
        "currency": movement.currency, "description": reason, "type": "stripe_fee" });
    json!({
        "id": movement.id,
        "object": BalanceTransaction::KIND,
        "amount": movement.amount,
        "available_on": available_on,
        "balance_type": "payments",
        "created": movement.created,
        "currency": movement.currency,
        "description": movement.description,
        "exchange_rate": null,
        "fee": movement.fee,
        "fee_details": if movement.fee == 0 { Vec::new() } else { vec![fee] },
        "net": movement.net,
        "reporting_category": movement.reporting_category,
        "source": movement.source,
        "status": if now >= available_on { "available" } else { "pending" },
        "type": movement.movement,
    })
}
