//! What moves the balance, in the shape that Stripe's API gives it: balance transactions, refunds
//! and disputes.

use serde_json::{Value, json};

use super::objects::{BalanceTransaction, Category, Dispute, Document, Refund, RefundStatus};
use super::shapes::with_nulls;

/// Two days, after which Stripe lets a merchant use the money.
const SETTLEMENT: i64 = 172_800;

/// A week, in which a merchant can answer a dispute.
const RESPONSE_TIME: i64 = 604_800;

/// What nobody hands in here as evidence.
const EVIDENCE_NULLS: &str = "\
    access_activity_log billing_address cancellation_policy cancellation_policy_disclosure \
    cancellation_rebuttal customer_communication customer_email_address customer_name \
    customer_purchase_ip customer_signature duplicate_charge_documentation \
    duplicate_charge_explanation duplicate_charge_id product_description receipt refund_policy \
    refund_policy_disclosure refund_refusal_explanation service_date service_documentation \
    shipping_address shipping_carrier shipping_date shipping_documentation \
    shipping_tracking_number uncategorized_file uncategorized_text";

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

pub(super) fn refund(refund: &Refund) -> Value {
    let mut shape = json!({
        "id": refund.id,
        "object": Refund::KIND,
        "amount": refund.amount,
        "balance_transaction": refund.balance_transaction,
        "charge": refund.charge,
        "created": refund.created,
        "currency": refund.currency,
        "destination_details": { "card": { "reference": null, "reference_status": "pending",
            "reference_type": "acquirer_reference_number", "type": "refund" }, "type": "card" },
        "metadata": refund.metadata,
        "payment_intent": refund.payment_intent,
        "reason": refund.reason,
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": refund.status,
        "transfer_reversal": null,
    });
    if let Some(fields) = shape.as_object_mut() {
        if refund.status == RefundStatus::Pending {
            fields.insert("pending_reason".into(), "processing".into());
        }
        if refund.status == RefundStatus::Failed {
            let movement = refund.failure_balance_transaction.clone();
            fields.insert("failure_balance_transaction".into(), movement.into());
            fields.insert("failure_reason".into(), refund.failure_reason.clone().into());
        }
    }
    shape
}

/// A dispute shows its balance transactions in full.
pub(super) fn dispute(dispute: &Dispute, movements: &[Value]) -> Value {
    json!({
        "id": dispute.id,
        "object": Dispute::KIND,
        "amount": dispute.amount,
        "balance_transactions": movements,
        "charge": dispute.charge,
        "created": dispute.created,
        "currency": dispute.currency,
        "enhanced_eligibility_types": [],
        "evidence": with_nulls(json!({ "enhanced_evidence": {} }), EVIDENCE_NULLS),
        "evidence_details": {
            "due_by": dispute.created.saturating_add(RESPONSE_TIME),
            "enhanced_eligibility": {},
            "has_evidence": false,
            "past_due": false,
            "submission_count": 0,
        },
        "is_charge_refundable": dispute.is_charge_refundable,
        "livemode": false,
        "metadata": {},
        "network_reason_code": null,
        "payment_intent": dispute.payment_intent,
        "payment_method_details": null,
        "reason": dispute.reason,
        "status": dispute.status,
    })
}
