//! What the tests of the rules share: an account, orders and payments in one line each.

use ledger::{
    Account, AccountId, Actor, Amount, BankReference, BankTransfer, Currency, Day, IdempotencyKey,
    Money, Name, NewOrder, Order, OrderId, Payment, PaymentId, Place, ProductCode, Rate,
    ReceivedTransfer, ReceivingAccount, Report, Settlement, Target, Timestamp, Transfer,
    TransferReference, derive_bytes, settle,
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
    OrderId::of_request(&account().id, &IdempotencyKey::parse(key).unwrap())
}

pub fn card_order(place: &str, amount: &str) -> Order {
    let expires_at = Timestamp::from_unix_millis(AT.unix_millis() + 86_400_000);
    Order::by_card(new_order(place, &format!("{place}-{amount}")), usd(amount), expires_at)
}

pub fn new_order(place: &str, key: &str) -> NewOrder {
    NewOrder {
        id: order_id(key),
        account: account().id,
        target: target(place),
        by: Actor::parse("test").unwrap(),
        created_at: AT,
    }
}

pub fn money(text: &str) -> Money {
    let (code, amount) = text.split_once(' ').unwrap();
    Money::parse(amount, Currency::parse(code).unwrap()).unwrap()
}

/// An order of the wallet by bank transfer: `CNY 720.00` at 7.2000, or in dollars.
pub fn bank_order(payable: &str) -> Order {
    let payable = money(payable);
    let rate = (payable.currency != Currency::USD).then(|| Rate::parse("7.2000").unwrap());
    let amount = rate.map_or(payable, |rate| rate.convert(payable, Currency::USD).unwrap());
    let new = new_order("wallet", &format!("bank-{payable}"));
    let random = derive_bytes(&["transfer-reference", new.id.as_str()]);
    let reference = TransferReference::drawn(&random);
    let transfer = BankTransfer::awaited(reference, receiving_account(payable.currency));
    let expires_at = Timestamp::from_unix_millis(AT.unix_millis() + 7 * 86_400_000);
    Order::by_bank_transfer(new, payable, (amount, rate), transfer, expires_at)
}

pub fn receiving_account(currency: Currency) -> ReceivingAccount {
    ReceivingAccount::new(currency, "6222 0000 1234").unwrap()
}

pub fn received(payable: &str, reference: &str) -> ReceivedTransfer {
    let money = money(payable);
    ReceivedTransfer {
        money,
        bank_reference: BankReference::parse(reference).unwrap(),
        receiving_account: receiving_account(money.currency),
        received_on: Day::of(AT),
        rate: None,
        difference_confirmed: false,
    }
}

pub fn report(payer: &str, reference: &str, order: &Order) -> Report {
    Report {
        payer_name: Name::parse(payer).unwrap(),
        bank_reference: BankReference::parse(reference).unwrap(),
        paid_on: Day::of(AT),
        amount: order.payable,
        note: None,
        by: Actor::parse("customer").unwrap(),
        at: AT,
    }
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
    match settle(&order, &account(), &paid("pi_funds", amount, "USD"), None, AT).unwrap() {
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
