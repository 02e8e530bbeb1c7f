//! Records as clients see them.

use ledger::{
    Account, Attempt, Balance, Change, Currency, Entry, Line, Money, Place, ProductCode, Target,
    Timestamp,
};
use serde_json::{Map, Value, json};

use crate::catalogue::Catalogue;
use crate::queries::TargetKind;
use crate::record::{OrderRecord, Page};
use crate::stamp;

/// The answer of `GET /v1/balances`: every product of the catalogue is listed, empty ones too, and
/// every product that still holds money.
#[must_use]
pub fn balances(account: &Account, catalogue: &Catalogue, now: Timestamp) -> Value {
    let show = |balance: Balance| json!(balance.format(account.currency));
    let pair = |target: &Target| {
        let available = account.balance(&Place::Available(target.clone()));
        (show(available), show(account.balance(&Place::Held(target.clone()))))
    };
    let (available, held) = pair(&Target::Wallet);
    let listed = catalogue.products.iter().filter_map(|product| {
        Some((ProductCode::parse(&product.product).ok()?, json!(product.name)))
    });
    let mut products: Vec<(ProductCode, Value)> = listed.collect();
    for place in account.balances.keys() {
        if let Place::Available(Target::Product(code)) | Place::Held(Target::Product(code)) = place
            && !products.iter().any(|(known, _)| known == code)
        {
            products.push((code.clone(), json!({"en": code.as_str(), "zh": code.as_str()})));
        }
    }
    let products = products.into_iter().map(|(code, name)| {
        let (available, held) = pair(&Target::Product(code.clone()));
        json!({"product": code.as_str(), "name": name, "available": available, "held": held})
    });
    json!({
        "account_id": account.id.as_str(),
        "currency": account.currency.code(),
        "wallet": {"available": available, "held": held},
        "products": products.collect::<Vec<_>>(),
        "debt": show(account.debt),
        "version": account.version,
        "as_of": stamp::format(now),
    })
}

/// The answer of `GET /v1/products`.
#[must_use]
pub fn products(catalogue: &Catalogue) -> Value {
    let products = catalogue.products.iter().map(|product| {
        json!({
            "product": product.product,
            "name": product.name,
            "enabled": product.enabled,
            "methods": product.methods,
        })
    });
    let wallet = json!({"methods": catalogue.wallet});
    json!({"wallet": wallet, "data": products.collect::<Vec<_>>(), "next_cursor": null})
}

/// An order.
#[must_use]
pub fn order(record: &OrderRecord, now: Timestamp) -> Value {
    let (order, checkout) = (&record.order, record.checkout.as_ref());
    let currency = order.amount.currency;
    let page = checkout.filter(|page| order.is_payable() && now < page.expires_at);
    let change = order.last_change();
    json!({
        "order_id": order.id.as_str(),
        "account_id": order.account.as_str(),
        "target": TargetKind::of(&order.target).name(),
        "product": order.target.product().map(ProductCode::as_str),
        "method": order.method.name(),
        "status": order.status().name(),
        "status_reason": change.map(|change| change.reason.name()),
        "amount": order.amount.to_string(),
        "currency": currency.code(),
        "pay_amount": order.payable.to_string(),
        "pay_currency": order.payable.currency.code(),
        "fx_rate": null,
        "received_amount": order.received.map(|money: Money| money.to_string()),
        "credited_amount": shown(order.credited, currency),
        "debt_paid": shown(order.debt_paid, currency),
        "refunded_amount": null,
        "email": record.request.email,
        "checkout_url": page.and_then(|page| page.session.as_ref()).map(|session| &session.url),
        "payment_id": order.payment_id.as_ref().map(ToString::to_string),
        "card_brand": null,
        "card_last4": null,
        "late": order.late,
        "attempts": order.attempts.iter().map(attempt).collect::<Vec<_>>(),
        "transfer_instructions": null,
        "transfer_report": null,
        "metadata": record.request.metadata,
        "created_at": stamp::format(order.created_at),
        "expires_at": order.expires_at.map(stamp::format),
        "paid_at": order.paid_at.map(stamp::format),
        "completed_at": order.completed_at.map(stamp::format),
        "timeline": order.timeline.changes().iter().map(moved).collect::<Vec<_>>(),
    })
}

/// A page of orders.
#[must_use]
pub fn orders(page: &Page<OrderRecord>, now: Timestamp) -> Value {
    let orders = page.items.iter().map(|record| order(record, now));
    json!({"data": orders.collect::<Vec<_>>(), "next_cursor": page.next})
}

/// A page of the journal.
#[must_use]
pub fn entries(page: &Page<Entry>) -> Value {
    let entries = page.items.iter().map(entry);
    json!({"data": entries.collect::<Vec<_>>(), "next_cursor": page.next})
}

fn entry(entry: &Entry) -> Value {
    // Every line on a balance is in the account's currency.
    let currency = entry.lines.first().map_or(Currency::USD, |line| line.currency);
    let after = entry.balances_after.iter();
    let after: Map<_, _> =
        after.map(|(place, after)| (place.to_string(), json!(after.format(currency)))).collect();
    let line = |line: &Line| {
        json!({
            "place": line.place.to_string(),
            "currency": line.currency.code(),
            "amount": line.amount_text(),
        })
    };
    json!({
        "number": entry.number,
        "at": stamp::format(entry.at),
        "kind": entry.kind.name(),
        "document_id": entry.document_id,
        "lines": entry.lines.iter().map(line).collect::<Vec<_>>(),
        "balances_after": after,
        "hash": entry.hash.to_string(),
        "previous_hash": entry.previous_hash.to_string(),
    })
}

fn shown(balance: Option<Balance>, currency: Currency) -> Option<String> {
    balance.map(|balance| balance.format(currency))
}

fn attempt(attempt: &Attempt) -> Value {
    json!({
        "at": stamp::format(attempt.at),
        "payment_id": attempt.payment_id.as_str(),
        "outcome": attempt.outcome.name(),
        "decline_code": attempt.decline_code,
    })
}

fn moved(change: &Change) -> Value {
    json!({
        "at": stamp::format(change.at),
        "from": change.from.map(|from| from.name()),
        "to": change.to.name(),
        "reason": change.reason.name(),
        "by": change.by.as_str(),
    })
}
