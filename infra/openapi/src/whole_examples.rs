//! Examples of whole answers, where one made of the examples of its parts would contradict itself: paid and unpaid at
//! once, open and closed.

use serde_json::{Map, Value, json};

const MADE: &str = "2026-11-23T13:07:44.000Z";

/// By the name of the schema.
pub(crate) fn whole_examples() -> Vec<(&'static str, Value)> {
    vec![
        ("AcceptedLines", accepted_lines()),
        ("ApiKey", api_key()),
        ("Balances", balances()),
        ("Capture", capture()),
        ("Charge", charge()),
        ("ChargeOutcomes", charge_outcomes()),
        (
            "CreditedFinding",
            altered(
                finding(),
                json!({"closed_how": "credited", "reason": null, "order": booked()}),
            ),
        ),
        ("Endpoint", altered(endpoint(), json!({"secret": "whsec_MDEyMw=="}))),
        ("Endpoints", json!({"data": [endpoint()]})),
        ("Entry", entry()),
        ("Finding", finding()),
        ("Hold", hold()),
        ("Limits", json!({"min_amount": "10.00", "max_amount": "10000.00"})),
        ("NewApiKey", altered(api_key(), json!({"secret": "tk_5f0c1e2d3b4a59687706_0a1b"}))),
        ("Order", order()),
        ("Reconciliation", reconciliation()),
        ("Refund", refund()),
        ("Threshold", threshold()),
    ]
}

/// That object, but for these fields.
fn altered(object: Value, fields: Value) -> Value {
    let all = [object, fields].into_iter().filter_map(|one| match one {
        Value::Object(fields) => Some(fields),
        _ => None,
    });
    Value::Object(all.flatten().collect::<Map<_, _>>())
}

fn accepted_lines() -> Value {
    json!({
        "accepted": 1,
        "remaining": 0,
        "results": [
            {"line": 1, "order_id": "ord_0123456789abcdefghjk", "outcome": "accepted"},
            {
                "line": 4,
                "order_id": "ord_1123456789abcdefghjk",
                "outcome": "refused",
                "code": "already_reviewed",
                "detail": "already handled by Ann Lee",
            },
        ],
    })
}

fn api_key() -> Value {
    json!({
        "key_id": "5f0c1e2d3b4a59687706",
        "account_id": "demo",
        "name": "shop server",
        "scopes": ["balances:read", "orders:read", "orders:write", "transfers:write", "usage:write"],
        "created_at": MADE,
        "created_by": "Ann Lee",
        "created_by_key": "0a1b2c3d4e5f60718293",
        "replaces": null,
        "expires_at": null,
        "retires_at": null,
        "revoked_at": null,
    })
}

fn balances() -> Value {
    json!({
        "account_id": "demo",
        "currency": "USD",
        "wallet": {"available": "150.00", "held": "0.00"},
        "products": [{
            "product": "whatsapp",
            "name": {"en": "WhatsApp", "zh": "WhatsApp"},
            "available": "48.50",
            "held": "1.50",
        }],
        "debt": "0.00",
        "version": 7,
        "entry": 5,
        "as_of": MADE,
    })
}

/// Alone, from no hold.
fn charge() -> Value {
    json!({
        "charge_id": "chg_0123456789abcdefghjk",
        "account_id": "demo",
        "product": "whatsapp",
        "amount": "0.0085",
        "currency": "USD",
        "hold_id": null,
        "entry": 6,
        "description": "template message",
        "metadata": {"invoice": "2026-0042"},
        "by": "shop server",
        "created_at": MADE,
    })
}

/// A part of the hold, with the rest set free.
fn capture() -> Value {
    let closed = json!({
        "captured_amount": "0.80",
        "remaining_amount": "0.00",
        "status": "captured",
        "closed_at": MADE,
    });
    let hold = altered(hold(), closed);
    let captured = json!({"amount": "0.80", "hold_id": "hold_0123456789abcdefghjk", "hold": hold});
    altered(charge(), captured)
}

/// One that was made, and one that could not be paid.
fn charge_outcomes() -> Value {
    json!({"data": [
        {
            "key": "msg-1",
            "account_id": "demo",
            "status": 201,
            "charge": charge(),
            "problem": null,
        },
        {
            "key": "msg-2",
            "account_id": "demo",
            "status": 402,
            "charge": null,
            "problem": {
                "available": "5.00",
                "required": "10.00",
                "product": "whatsapp",
                "type": "urn:topup:problem:insufficient_balance",
                "title": "Payment Required",
                "status": 402,
                "detail": "product:whatsapp has 5.00 USD available and 10.00 USD is required",
                "code": "insufficient_balance",
                "request_id": "3f9c2a71b04de586",
                "retry": "same_key",
            },
        },
    ]})
}

fn endpoint() -> Value {
    json!({
        "endpoint_id": "shop",
        "url": "https://shop.example/events",
        "types": ["order.completed"],
        "enabled": true,
        "disabled_reason": null,
        "disabled_at": null,
        "failing_since": null,
        "previous_secret_until": null,
    })
}

/// A transfer: what leaves the wallet arrives in the product.
fn entry() -> Value {
    json!({
        "number": 5,
        "at": MADE,
        "kind": "transfer",
        "document_id": "ord_0123456789abcdefghjk",
        "lines": [
            {"place": "wallet", "currency": "USD", "amount": "-50.00"},
            {"place": "product:whatsapp", "currency": "USD", "amount": "50.00"},
        ],
        "balances_after": {"wallet": "150.00", "product:whatsapp": "50.00"},
        "hash": "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
        "previous_hash": "8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92",
    })
}

/// That a person has looked at.
fn finding() -> Value {
    json!({
        "finding_id": "fnd_0123456789abcdefghjk",
        "type": "amount_differs",
        "status": "closed",
        "account_id": "demo",
        "order_id": "ord_0123456789abcdefghjk",
        "payment_id": "pi_1",
        "reversal_id": null,
        "expected": {"amount": "100.00", "currency": "USD"},
        "actual": {"amount": "90.00", "currency": "USD"},
        "refund": null,
        "next_step": null,
        "found_at": MADE,
        "closed_at": "2026-11-23T15:20:03.000Z",
        "closed_by": "Ann Lee",
        "closed_how": "resolved",
        "reason": "as agreed by phone",
        "resolved_before": null,
    })
}

/// Open, nothing captured yet.
fn hold() -> Value {
    json!({
        "hold_id": "hold_0123456789abcdefghjk",
        "account_id": "demo",
        "product": "whatsapp",
        "amount": "1.00",
        "captured_amount": "0.00",
        "remaining_amount": "1.00",
        "currency": "USD",
        "status": "open",
        "description": "a call to Shenzhen",
        "metadata": {"invoice": "2026-0042"},
        "by": "shop server",
        "created_at": MADE,
        "expires_at": "2026-11-23T13:17:44.000Z",
        "closed_at": null,
    })
}

/// By card, just made.
fn order() -> Value {
    json!({
        "order_id": "ord_0123456789abcdefghjk",
        "account_id": "demo",
        "target": "wallet",
        "product": null,
        "method": "card",
        "status": "pending_payment",
        "status_reason": "created",
        "amount": "100.00",
        "currency": "USD",
        "pay_amount": "100.00",
        "pay_currency": "USD",
        "fx_rate": null,
        "received_amount": null,
        "received_currency": null,
        "credited_amount": null,
        "debt_paid": null,
        "refunded_amount": null,
        "taken_back_amount": null,
        "refundable_amount": null,
        "refundable_pay_amount": null,
        "refunds": [],
        "disputes": [],
        "email": "li@example.com",
        "checkout_url": "https://checkout.stripe.com/c/pay/cs_1",
        "payment_id": null,
        "card_brand": null,
        "card_last4": null,
        "late": false,
        "attempts": [],
        "transfer_instructions": null,
        "transfer_report": null,
        "transfer_reviews": [],
        "metadata": {"invoice": "2026-0042"},
        "created_at": MADE,
        "expires_at": "2026-11-24T12:57:44.000Z",
        "paid_at": null,
        "completed_at": null,
        "timeline": [{
            "at": MADE, "from": null, "to": "pending_payment", "reason": "created", "by": "shop server",
        }],
    })
}

/// The order that a payment is which a person has credited.
fn booked() -> Value {
    let at = "2026-11-23T15:20:03.000Z";
    let paid = json!({
        "order_id": "ord_1123456789abcdefghjk",
        "status": "completed",
        "status_reason": "payment_booked",
        "amount": "90.00",
        "pay_amount": "90.00",
        "received_amount": "90.00",
        "received_currency": "USD",
        "credited_amount": "90.00",
        "debt_paid": "0.00",
        "refunded_amount": "0.00",
        "taken_back_amount": "0.00",
        "refundable_amount": "90.00",
        "refundable_pay_amount": "90.00",
        "email": null,
        "checkout_url": null,
        "payment_id": "pi_1",
        "metadata": {},
        "created_at": at,
        "expires_at": null,
        "paid_at": MADE,
        "completed_at": at,
        "timeline": [{"at": at, "from": null, "to": "completed", "reason": "payment_booked", "by": "Ann Lee"}],
    });
    altered(order(), paid)
}

/// What [`crate::files::COMPARISON`] shows as comma-separated values.
fn reconciliation() -> Value {
    json!({
        "run_id": "cmp_2026-11-23_1",
        "day": "2026-11-23",
        "status": "finished",
        "green": false,
        "compared_until": "2026-11-24T00:00:00.000Z",
        "started_at": "2026-11-25T04:00:00.000Z",
        "finished_at": "2026-11-25T04:00:00.412Z",
        "worked_ms": 412,
        "movements": 3,
        "payments": 3,
        "reversals": 0,
        "claims": 2,
        "credited": 0,
        "taken": 0,
        "unreadable": 0,
        "totals": [{
            "category": "charge",
            "currency": "USD",
            "count": 3,
            "amount": "300.00",
            "fee": "9.60",
            "net": "290.40",
        }],
        "drift": [{"currency": "USD", "amount": "100.00"}],
        "finding_count": 1,
        "findings": [{"finding_id": "fnd_0123456789abcdefghjk", "type": "paid_not_credited"}],
    })
}

fn refund() -> Value {
    json!({
        "refund_id": "rfd_0123456789abcdefghjk",
        "order_id": "ord_0123456789abcdefghjk",
        "account_id": "demo",
        "status": "pending",
        "amount": "10.00",
        "currency": "USD",
        "pay_amount": "10.00",
        "pay_currency": "USD",
        "reason": "ordered twice",
        "bank_reference": null,
        "failure_reason": null,
        "created_at": MADE,
    })
}

/// The platform is told, and the product is topped up from the wallet.
fn threshold() -> Value {
    json!({
        "account_id": "demo",
        "balance": "product:whatsapp",
        "currency": "USD",
        "alert_below": "20.00",
        "alert_given": false,
        "top_up_below": "10.00",
        "top_up_amount": "50.00",
        "top_up_to": null,
        "monthly_cap": "500.00",
        "moved_this_month": "100.00",
        "set_by": "Ann Lee",
        "set_at": MADE,
    })
}
