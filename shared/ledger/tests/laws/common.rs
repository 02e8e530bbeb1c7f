//! What the tests of the rules share: an account, orders and payments in one line each.

use ledger::{
    Account, AccountId, Actor, Amount, Currency, IdempotencyKey, Money, Order, OrderId, Payment,
    PaymentId, Place, ProductCode, Settlement, Target, Timestamp, Transfer, settle,
};

pub const AT: Timestamp = Timestamp::from_unix_millis(1_795_000_000_000);

pub fn account() -> Account {
    Account::open(AccountId::parse("acme").unwrap(), Currency::USD)
}

pub fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

pub fn target(place: &str) -> Target {
    match Place::parse(place).unwrap() {
        Place::Available(target) => target,
        other => panic!("{other} cannot be topped up"),
    }
}

pub fn order_id(key: &str) -> OrderId {
    OrderId::derive(&account().id, "order", &IdempotencyKey::parse(key).unwrap())
}

pub fn card_order(place: &str, amount: &str) -> Order {
    let expires_at = Timestamp::from_unix_millis(AT.unix_millis() + 86_400_000);
    let by = Actor::parse("test").unwrap();
    let id = order_id(&format!("{place}-{amount}"));
    Order::by_card(id, account().id, target(place), usd(amount), by, AT, expires_at)
}

pub fn paid(id: &str, amount: &str, currency: &str) -> Payment {
    Payment {
        id: PaymentId::parse(id).unwrap(),
        money: Money::parse(amount, Currency::parse(currency).unwrap()).unwrap(),
        paid_at: AT,
        reference: format!("evt_{id}"),
    }
}

/// An account whose wallet was topped up once.
pub fn funded(amount: &str) -> Account {
    let order = card_order("wallet", amount);
    match settle(&order, &account(), &paid("pi_funds", amount, "USD"), AT).unwrap() {
        Settlement::Credited { decision, .. } => decision.account,
        other => panic!("not credited: {other:?}"),
    }
}

pub fn transfer_of(product: &str, amount: &str) -> Transfer {
    Transfer {
        order_id: order_id(&format!("transfer-{product}-{amount}")),
        product: ProductCode::parse(product).unwrap(),
        amount: Amount::parse(amount, 2).unwrap(),
        by: Actor::parse("test").unwrap(),
    }
}

pub fn balances(account: &Account) -> String {
    let balances: Vec<String> = account
        .balances
        .iter()
        .map(|(place, balance)| format!("{place} {}", balance.format(account.currency)))
        .collect();
    balances.join(", ")
}
