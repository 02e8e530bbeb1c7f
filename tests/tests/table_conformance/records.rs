//! Records as the product makes them.

use std::collections::BTreeMap;
use std::time::Duration;

use ledger::{
    Account, AccountId, Actor, Amount, Currency, Decision, IdempotencyKey, Money, NewOrder, Order,
    OrderId, Payment, PaymentId, ProductCode, Settlement, Target, Timestamp, settle,
};
use service::catalogue::{Catalogue, CatalogueVersion};
use service::notice::{Notice, What};
use service::payments::{Confirmed, confirm};
use service::record::{Checkout, OrderRecord, PaymentClaim, RequestWords};
use service::table::{Commit, Committed, Table};

use crate::engine::Checked;

/// 2026-11-23T12:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_unix_millis(1_795_435_200_000);

pub(crate) fn account_id() -> AccountId {
    AccountId::parse("acme").unwrap()
}

pub(crate) fn order_id(key: &str) -> OrderId {
    OrderId::of_request(&account_id(), &IdempotencyKey::parse(key).unwrap())
}

pub(crate) fn payment_id(name: &str) -> PaymentId {
    PaymentId::parse(&format!("pi_{name}")).unwrap()
}

pub(crate) fn usd(amount: &str) -> Money {
    Money::parse(amount, Currency::USD).unwrap()
}

pub(crate) fn product(code: &str) -> ProductCode {
    ProductCode::parse(code).unwrap()
}

/// The account as it is before anything is stored of it.
pub(crate) fn unopened() -> Account {
    Account::open(account_id(), Currency::USD)
}

/// So many milliseconds after [`NOW`].
pub(crate) fn later(millis: u64) -> Timestamp {
    NOW.plus(Duration::from_millis(millis))
}

/// A card order for the wallet that was never stored.
pub(crate) fn card_order(key: &str, amount: &str, created_at: Timestamp) -> OrderRecord {
    let expires_at = created_at.plus(Duration::from_secs(86_400));
    let new = NewOrder {
        id: order_id(key),
        account: account_id(),
        target: Target::Wallet,
        by: Actor::parse("a key").unwrap(),
        created_at,
    };
    let order = Order::by_card(new, usd(amount), expires_at);
    let request = RequestWords {
        email: Some("ann@example.com".to_owned()),
        return_url: None,
        metadata: BTreeMap::from([("invoice".to_owned(), "42".to_owned())]),
    };
    let checkout = Checkout {
        attempt: 1,
        description: "Wallet top-up".to_owned(),
        return_url: "https://example.com/paid".to_owned(),
        expires_at,
        session: None,
    };
    OrderRecord { checkout: Some(checkout), ..OrderRecord::new(order, request) }
}

/// A catalogue that was never stored, as somebody made it.
pub(crate) fn catalogue(catalogue: Catalogue) -> CatalogueVersion {
    let by = Actor::parse("an operator").unwrap();
    CatalogueVersion { catalogue, ..CatalogueVersion::none(by, NOW) }
}

/// The payment that an order waits for.
pub(crate) fn payment(name: &str, record: &OrderRecord) -> Payment {
    Payment {
        id: payment_id(name),
        money: record.order.payable,
        paid_at: NOW,
        reference: format!("evt_{name}"),
    }
}

/// What belongs into the commit of a payment: the order, the claim and the decision.
pub(crate) fn credited(
    record: &OrderRecord,
    account: &Account,
    payment: &Payment,
) -> (OrderRecord, PaymentClaim, Decision) {
    let settlement = settle(&record.order, account, payment, None, NOW).unwrap();
    let Settlement::Credited { order, decision, .. } = settlement else {
        panic!("not credited: {settlement:?}");
    };
    let claim = PaymentClaim {
        payment: payment.id.clone(),
        order: record.order.id.clone(),
        account: account.id.clone(),
        money: payment.money,
        settled_at: NOW,
    };
    (OrderRecord { order: *order, ..record.clone() }, claim, *decision)
}

/// The notice that an order was paid.
pub(crate) fn paid(name: &str, record: &OrderRecord) -> Notice {
    Notice {
        id: format!("evt_{name}"),
        account: record.order.account.clone(),
        order: record.order.id.clone(),
        what: What::Paid(payment(name, record)),
    }
}

/// Commits what must go through.
pub(crate) async fn store(table: &Table, commit: Commit) -> Checked {
    match table.commit(commit).await? {
        Committed::Yes => Ok(()),
        Committed::No(stale) => Err(format!("{stale:?}").into()),
    }
}

/// Opens the account; nothing is in it.
pub(crate) async fn open(table: &Table) -> Checked {
    store(table, Commit::default().account(&Account { version: 1, ..unopened() })).await
}

/// Opens the account and pays so much into its wallet.
pub(crate) async fn fund(table: &Table, amount: &str) -> Checked {
    open(table).await?;
    let order = card_order("funds", amount, NOW);
    store(table, Commit::default().order(&order, NOW)).await?;
    assert_eq!(confirm(table, &paid("funds", &order), NOW).await?, Confirmed::Credited);
    Ok(())
}

/// So many cents.
pub(crate) fn cents(units: u64) -> Amount {
    Amount::from_minor_units(units, Currency::USD).unwrap()
}
