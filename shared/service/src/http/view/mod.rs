//! Records as clients see them.

mod endpoint;
mod event;
mod export;
mod operator;
mod order;
mod usage;

use std::collections::BTreeMap;

use ledger::{
    Account, Balance, Currency, Entry, Line, PastBalances, Place, ProductCode, Target, Timestamp,
};
use serde_json::{Map, Value, json};

pub use endpoint::{endpoint, endpoints};
pub use event::{event, events};
pub use export::{add_entry, add_order, entries_sheet, orders_sheet};
#[cfg(feature = "objects")]
pub use operator::{accepted_lines, statement, statements};
pub use operator::{
    account, accounts, adjustment, adjustments, api_key, api_keys, catalogue, console_session,
    credited_finding, finding, findings, issued_token, reconciliation, reconciliation_csv,
    reconciliations, revoked_token,
};
pub use order::{order, orders, refund};
pub use usage::{capture, charge, charge_outcomes, hold, holds, threshold, thresholds};

use crate::catalogue::Catalogue;
use crate::record::Page;
use crate::stamp;

/// The answer of `GET /v1/balances`: every product of the catalogue is listed, empty ones too, and
/// every product that still holds money.
#[must_use]
pub fn balances(account: &Account, catalogue: &Catalogue, now: Timestamp) -> Value {
    let (wallet, products) = listed_balances(&account.balances, catalogue, |target| {
        [account.available(target, now), account.held(target, now)]
            .map(|balance| balance.format(account.currency))
    });
    json!({
        "account_id": account.id.as_str(),
        "currency": account.currency.code(),
        "wallet": wallet,
        "products": products,
        "debt": account.debt.format(account.currency),
        "version": account.version,
        "entry": account.entries,
        "as_of": stamp::format(now),
    })
}

/// The answer of `GET /v1/balances?at=`: the same of a moment. How often the account had been written
/// by then, nobody has kept.
#[must_use]
pub fn balances_at(past: &PastBalances, catalogue: &Catalogue, moment: Timestamp) -> Value {
    let (wallet, products) = listed_balances(&past.balances, catalogue, |target| {
        [past.available(target), past.held(target)].map(|balance| balance.format(past.currency))
    });
    json!({
        "account_id": past.account.as_str(),
        "currency": past.currency.code(),
        "wallet": wallet,
        "products": products,
        "debt": past.debt.format(past.currency),
        "version": null,
        "entry": past.entry,
        "as_of": stamp::format(moment),
    })
}

/// The wallet and the products, each with what is available and what is held.
fn listed_balances(
    balances: &BTreeMap<Place, Balance>,
    catalogue: &Catalogue,
    of: impl Fn(&Target) -> [String; 2],
) -> (Value, Vec<Value>) {
    let [available, held] = of(&Target::Wallet);
    let wallet = json!({"available": available, "held": held});
    let listed = catalogue.products.iter().filter_map(|product| {
        Some((ProductCode::parse(&product.product).ok()?, json!(product.name)))
    });
    let mut products: Vec<(ProductCode, Value)> = listed.collect();
    for place in balances.keys() {
        if let Place::Available(Target::Product(code)) | Place::Held(Target::Product(code)) = place
            && !products.iter().any(|(known, _)| known == code)
        {
            products.push((code.clone(), json!({"en": code.as_str(), "zh": code.as_str()})));
        }
    }
    let products = products.into_iter().map(|(code, name)| {
        let [available, held] = of(&Target::Product(code.clone()));
        json!({"product": code.as_str(), "name": name, "available": available, "held": held})
    });
    (wallet, products.collect())
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
    let rates = catalogue.rates.iter().filter_map(|(pair, rate)| {
        let (pay_currency, currency) = pair.split_once('-')?;
        Some(json!({"pay_currency": pay_currency, "currency": currency, "rate": rate}))
    });
    json!({
        "wallet": wallet,
        "rates": rates.collect::<Vec<_>>(),
        "data": products.collect::<Vec<_>>(),
        "next_cursor": null,
    })
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
