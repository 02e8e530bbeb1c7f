//! The item of money that came in: the claim of a payment.

use ledger::{AccountId, OrderId, PaymentId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Keyed, Stored, due_at, due_queue, id_of, money, read, stored};
use crate::error::BrokenRecord;
use crate::record::PaymentClaim;
use crate::stamp;
use crate::table::Item;

#[derive(Serialize, Deserialize)]
pub(in crate::table) struct PaymentItem {
    account_id: String,
    order_id: String,
    amount: String,
    currency: String,
    settled_at: i64,
    due_queue: String,
    due_at: String,
}

impl Keyed for PaymentItem {
    const SORT_KEY: &'static str = "PAYMENT";
}

pub(in crate::table) fn from_payment(claim: &PaymentClaim) -> Item {
    let day = stamp::format(claim.settled_at).chars().take(10).collect::<String>();
    let id = claim.payment.as_str();
    let value = PaymentItem {
        account_id: claim.account.to_string(),
        order_id: claim.order.to_string(),
        amount: claim.money.to_string(),
        currency: claim.money.currency.code().to_owned(),
        settled_at: claim.settled_at.unix_millis(),
        due_queue: due_queue(&format!("settled-{day}"), id),
        due_at: due_at(claim.settled_at, id),
    };
    stored(PaymentItem::SORT_KEY, id, value)
}

pub(in crate::table) fn to_payment(item: Item) -> Result<PaymentClaim, BrokenRecord> {
    read(item, |stored: Stored<PaymentItem>| {
        let value = stored.value;
        Some(PaymentClaim {
            payment: id_of(&stored.pk).and_then(|id| PaymentId::parse(id).ok())?,
            order: OrderId::parse(&value.order_id).ok()?,
            account: AccountId::parse(&value.account_id).ok()?,
            money: money(&value.amount, &value.currency)?,
            settled_at: Timestamp::from_unix_millis(value.settled_at),
        })
    })
}
