//! Money that changes place: from the wallet to a product, at once.

use crate::{
    Account, Actor, Amount, Balance, Decision, EntryKind, Method, Money, Movement, NewOrder, Order,
    OrderId, Place, ProductCode, Reason, Refusal, Target, Timeline, Timestamp,
};

/// What a customer asks for when a product is topped up from the wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The id of the order that records it.
    pub order_id: OrderId,
    /// Where the money goes.
    pub product: ProductCode,
    /// How much, in the account's currency.
    pub amount: Amount,
    /// Who asked.
    pub by: Actor,
}

/// Decides a transfer: the completed order and the decision that belong into one commit.
///
/// # Errors
/// [`Refusal::AccountFrozen`]; [`Refusal::InsufficientBalance`] of the wallet;
/// [`Refusal::BalanceTooLarge`] of the product.
pub fn transfer(
    account: &Account,
    command: &Transfer,
    now: Timestamp,
) -> Result<(Order, Decision), Refusal> {
    account.must_be_active()?;
    let money = Money { amount: command.amount, currency: account.currency };
    let target = Target::Product(command.product.clone());
    let to = Place::Available(target.clone());
    let movement = Movement { from: Place::WALLET, to, money };
    let decision =
        account.post(EntryKind::Transfer, command.order_id.as_str(), &[movement], now)?;
    let timeline = Timeline::completed_at_once(now, Reason::PaidFromWallet, command.by.clone());
    let new = NewOrder {
        id: command.order_id.clone(),
        account: account.id.clone(),
        target,
        by: command.by.clone(),
        created_at: now,
    };
    let order = Order::begun(new, Method::Balance, money, timeline);
    let order = Order {
        received: Some(money),
        credited: Some(Balance::from(command.amount)),
        debt_paid: Some(Balance::ZERO),
        paid_at: Some(now),
        completed_at: Some(now),
        ..order
    };
    Ok((order, decision))
}
