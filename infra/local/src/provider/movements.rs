//! What moves the account's balance: each movement is written down as a balance transaction.

use super::events::Announcer;
use super::money;
use super::objects::{BalanceTransaction, Category, Charge, Movement, new_id};
use super::store::StoreError;

/// What Stripe takes for a dispute, and keeps even if it is won: 15.00.
const DISPUTE_FEE: i64 = 1500;

/// Moves the money of a charge and gives the movement's id. `amount` is positive: which way it goes
/// and what it costs, the category says.
pub(super) fn book(
    announcer: &Announcer<'_>,
    category: Category,
    charge: &Charge,
    source: &str,
    amount: i64,
) -> Result<String, StoreError> {
    let (amount, fee) = match category {
        Category::Charge => (amount, money::fee(amount)),
        Category::Refund => (amount.saturating_neg(), 0),
        Category::Dispute => (amount.saturating_neg(), DISPUTE_FEE),
        Category::RefundFailure | Category::DisputeReversal => (amount, 0),
    };
    let movement = BalanceTransaction {
        id: new_id("txn_3", 23),
        created: announcer.now,
        amount,
        fee,
        net: amount.saturating_sub(fee),
        currency: charge.currency.clone(),
        source: source.to_owned(),
        movement: match category {
            Category::Charge => Movement::Charge,
            Category::Refund => Movement::Refund,
            Category::RefundFailure => Movement::RefundFailure,
            Category::Dispute | Category::DisputeReversal => Movement::Adjustment,
        },
        reporting_category: category,
        description: description(category, charge),
    };
    announcer.books.put(&movement)?;
    Ok(movement.id)
}

fn description(category: Category, charge: &Charge) -> Option<String> {
    let of_charge = |what: &str| match &charge.description {
        Some(text) => format!("{what} ({text})"),
        None => what.to_owned(),
    };
    match category {
        Category::Charge => charge.description.clone(),
        Category::Refund => Some(of_charge("REFUND FOR CHARGE")),
        Category::RefundFailure => Some(of_charge("REFUND FAILURE")),
        Category::Dispute => Some(format!("Chargeback withdrawal for {}", charge.id)),
        Category::DisputeReversal => Some(format!("Chargeback reversal for {}", charge.id)),
    }
}
