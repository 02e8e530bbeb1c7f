//! The stored objects in the shape that Stripe's API gives them. What moves the balance, once a
//! charge is paid, is in `movement_shapes`.

use serde_json::{Value, json};

use super::API_VERSION;
use super::objects::{
    Charge, Decline, Document, Event, IntentStatus, Payer, PaymentIntent, Session, SessionStatus,
};

/// What a session of ours never has.
const SESSION_NULLS: &str = "\
    after_expiration allow_promotion_codes billing_address_collection branding_settings \
    client_secret collected_information consent consent_collection currency_conversion \
    customer customer_account excluded_payment_method_types integration_identifier invoice \
    origin_context payment_link payment_method_configuration_details permissions \
    presentment_details recovered_from saved_payment_method_options setup_intent \
    shipping_address_collection shipping_cost subscription wallet_options";

/// What a payment intent of ours never has.
const INTENT_NULLS: &str = "\
    allowed_payment_method_types application application_fee_amount \
    automatic_payment_methods customer customer_account excluded_payment_method_types \
    on_behalf_of payment_method_configuration_details processing receipt_email review \
    setup_future_usage shipping source statement_descriptor statement_descriptor_suffix \
    transfer_data transfer_group";

/// What a charge of ours never has.
const CHARGE_NULLS: &str = "\
    application application_fee application_fee_amount customer failure_balance_transaction \
    on_behalf_of receipt_email receipt_number receipt_url review shipping source \
    source_transfer statement_descriptor statement_descriptor_suffix transfer_data \
    transfer_group";

pub(super) fn session(session: &Session, public_url: &str) -> Value {
    let complete = session.status == SessionStatus::Complete;
    let open = session.status == SessionStatus::Open;
    let shape = json!({
        "id": session.id,
        "object": Session::KIND,
        "adaptive_pricing": { "enabled": session.adaptive_pricing },
        "allowed_payment_method_types": session.allowed_payment_method_types,
        "amount_subtotal": session.amount_total,
        "amount_total": session.amount_total,
        "automatic_tax":
            { "enabled": false, "liability": null, "provider": null, "status": null },
        "cancel_url": session.cancel_url,
        "client_reference_id": session.client_reference_id,
        "created": session.created,
        "currency": session.currency,
        "custom_fields": [],
        "custom_text": { "after_submit": null, "shipping_address": null, "submit": null,
            "terms_of_service_acceptance": null },
        "customer_creation": "if_required",
        "customer_details": customer_details(session),
        "customer_email": session.customer_email,
        "discounts": [],
        "expires_at": session.expires_at,
        "invoice_creation": { "enabled": false, "invoice_data": {
            "account_tax_ids": null, "custom_fields": null, "description": null, "footer": null,
            "issuer": null, "metadata": {}, "rendering_options": null } },
        "livemode": false,
        "locale": session.locale,
        "metadata": session.metadata,
        "mode": "payment",
        "payment_intent": session.payment_intent,
        "payment_method_collection": "if_required",
        "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
        "payment_method_types": session.allowed_payment_method_types.as_ref()
            .map_or_else(|| vec!["card".to_owned()], Clone::clone),
        "payment_status": if complete { "paid" } else { "unpaid" },
        "phone_number_collection": { "enabled": false },
        "shipping_options": [],
        "status": session.status,
        "submit_type": session.submit_type,
        "success_url": session.success_url,
        "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
        "ui_mode": "hosted_page",
        "url": open.then(|| format!("{public_url}/pay/{}", session.id)),
    });
    with_nulls(shape, SESSION_NULLS)
}

pub(super) fn payment_intent(intent: &PaymentIntent) -> Value {
    let succeeded = intent.status == IntentStatus::Succeeded;
    let waits = intent.status == IntentStatus::RequiresAction;
    let payment_method = intent.payer.as_ref().filter(|_| succeeded || waits);
    let error = intent.last_decline.zip(intent.payer.as_ref());
    let shape = json!({
        "id": intent.id,
        "object": PaymentIntent::KIND,
        "amount": intent.amount,
        "amount_capturable": 0,
        "amount_details": { "tip": {} },
        "amount_received": if succeeded { intent.amount } else { 0 },
        "canceled_at": intent.canceled_at,
        "cancellation_reason": intent.canceled_at.map(|_| "automatic"),
        "capture_method": "automatic_async",
        "client_secret": format!("{}_secret_local", intent.id),
        "confirmation_method": "automatic",
        "created": intent.created,
        "currency": intent.currency,
        "description": intent.description,
        "last_payment_error": error.map(|(decline, payer)| last_error(intent, decline, payer)),
        "latest_charge": intent.latest_charge,
        "livemode": false,
        "metadata": intent.metadata,
        "next_action": waits.then(|| json!({
            "type": "use_stripe_sdk", "use_stripe_sdk": { "type": "three_d_secure_redirect" } })),
        "payment_method": payment_method.map(|payer| &payer.payment_method),
        "payment_method_options": { "card": { "installments": null, "mandate_options": null,
            "network": null, "request_three_d_secure": "automatic" } },
        "payment_method_types": ["card"],
        "status": intent.status,
    });
    with_nulls(shape, INTENT_NULLS)
}

pub(super) fn charge(charge: &Charge) -> Value {
    let paid = charge.decline.is_none();
    let payer = &charge.payer;
    let shape = json!({
        "id": charge.id,
        "object": Charge::KIND,
        "amount": charge.amount,
        "amount_captured": if paid { charge.amount } else { 0 },
        "amount_refunded": charge.amount_refunded,
        "balance_transaction": charge.balance_transaction,
        "billing_details": billing_details(payer),
        "calculated_statement_descriptor": "TOPUP",
        "captured": paid,
        "created": charge.created,
        "currency": charge.currency,
        "description": charge.description,
        "disputed": charge.dispute.is_some(),
        "failure_code": charge.decline.map(Decline::code),
        "failure_message": charge.decline.map(Decline::message),
        "fraud_details": {},
        "livemode": false,
        "metadata": charge.metadata,
        "outcome": outcome(charge.decline),
        "paid": paid,
        "payment_intent": charge.payment_intent,
        "payment_method": payer.payment_method,
        "payment_method_details": { "card": {
            "amount_authorized": paid.then_some(charge.amount),
            "authorization_code": null, "brand": "visa",
            "checks": { "address_line1_check": null, "address_postal_code_check": null,
                "cvc_check": "pass" },
            "country": "US", "exp_month": payer.exp_month, "exp_year": payer.exp_year,
            "fingerprint": "local", "funding": "credit", "installments": null,
            "last4": payer.last4, "mandate": null, "network": "visa", "network_token": null,
            "network_transaction_id": null, "three_d_secure": null, "wallet": null,
        }, "type": "card" },
        "radar_options": {},
        "refunded": paid && charge.amount_refunded >= charge.amount,
        "status": if paid { "succeeded" } else { "failed" },
    });
    with_nulls(shape, CHARGE_NULLS)
}

pub(super) fn event(event: &Event, pending_webhooks: u8) -> Value {
    json!({
        "id": event.id,
        "object": Event::KIND,
        "api_version": API_VERSION,
        "created": event.created,
        "data": { "object": event.object },
        "livemode": false,
        "pending_webhooks": pending_webhooks,
        "request": { "id": null, "idempotency_key": null },
        "type": event.kind,
    })
}

/// The lines of a session, which are only shown when asked for.
pub(super) fn line_items(session: &Session) -> Value {
    let lines: Vec<_> = session
        .items
        .iter()
        .map(|item| {
            json!({
                "id": item.id,
                "object": "item",
                "adjustable_quantity": null,
                "amount_discount": 0,
                "amount_subtotal": item.amount,
                "amount_tax": 0,
                "amount_total": item.amount,
                "currency": session.currency,
                "description": item.name,
                "metadata": {},
                "price": null,
                "quantity": item.quantity,
            })
        })
        .collect();
    let url = format!("/v1/checkout/sessions/{}/line_items", session.id);
    json!({ "object": "list", "data": lines, "has_more": false, "url": url })
}

fn customer_details(session: &Session) -> Value {
    let Some(email) = session.paid_by.as_ref().or(session.customer_email.as_ref()) else {
        return Value::Null;
    };
    json!({
        "address": null, "business_name": null, "email": email, "individual_name": null,
        "name": null, "phone": null, "tax_exempt": "none", "tax_ids": [],
    })
}

fn last_error(intent: &PaymentIntent, decline: Decline, payer: &Payer) -> Value {
    let code = decline.code();
    let kind = match decline {
        Decline::Generic | Decline::InsufficientFunds => "card_error",
        Decline::AuthenticationFailed => "invalid_request_error",
    };
    let mut error = json!({
        "code": code,
        "doc_url": format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-")),
        "message": decline.message(),
        "payment_method": {
            "id": payer.payment_method,
            "object": "payment_method",
            "allow_redisplay": "limited",
            "billing_details": billing_details(payer),
            "card": { "brand": "visa", "checks": null, "country": "US",
                "display_brand": "visa", "exp_month": payer.exp_month,
                "exp_year": payer.exp_year, "fingerprint": "local", "funding": "credit",
                "generated_from": null, "last4": payer.last4, "networks": null,
                "three_d_secure_usage": null, "wallet": null },
            "created": intent.created,
            "customer": null,
            "customer_account": null,
            "livemode": false,
            "metadata": {},
            "type": "card",
        },
        "type": kind,
    });
    if let Some((decline_code, fields)) = decline.decline_code().zip(error.as_object_mut()) {
        fields.insert("charge".into(), intent.latest_charge.clone().into());
        fields.insert("decline_code".into(), decline_code.into());
    }
    error
}

fn billing_details(payer: &Payer) -> Value {
    json!({
        "address": { "city": null, "country": null, "line1": null, "line2": null,
            "postal_code": null, "state": null },
        "email": payer.email, "name": null, "phone": null, "tax_id": null,
    })
}

fn outcome(decline: Option<Decline>) -> Value {
    json!({
        "advice_code": decline.map(|_| "try_again_later"),
        "network_advice_code": null,
        "network_decline_code": null,
        "network_status":
            if decline.is_some() { "declined_by_network" } else { "approved_by_network" },
        "reason": decline.and_then(Decline::decline_code),
        "risk_level": "normal",
        "risk_score": 20,
        "rule": null,
        "seller_message": match decline {
            None => "Payment complete.",
            Some(Decline::InsufficientFunds) => "The bank returned the decline code \
                `insufficient_funds`.",
            Some(_) => "The bank did not return any further details with this decline.",
        },
        "type": if decline.is_some() { "issuer_declined" } else { "authorized" },
    })
}

pub(super) fn with_nulls(mut shape: Value, names: &str) -> Value {
    if let Some(fields) = shape.as_object_mut() {
        fields.extend(names.split_ascii_whitespace().map(|name| (name.to_owned(), Value::Null)));
    }
    shape
}
