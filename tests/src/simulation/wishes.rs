//! What clients ask for, and what may become of an order, as the contract says.

use super::bank::{Received, dollars};
use super::images::OrderImage;
use super::micros::Micros;

/// What a client asked for, by the id that the product must give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// A top-up by card.
    Card {
        /// Whose.
        account: String,
        /// `wallet` or `product:<code>`.
        target: String,
        /// How much.
        amount: Micros,
    },
    /// A top-up by bank transfer.
    Offline {
        /// Whose.
        account: String,
        /// `wallet` or `product:<code>`.
        target: String,
        /// How much is to be paid.
        payable: Micros,
        /// Of what.
        currency: String,
    },
    /// A transfer without an order, as an operator books it.
    Booked {
        /// Whose.
        account: String,
        /// `wallet` or `product:<code>`.
        target: String,
        /// What arrived.
        received: Received,
    },
    /// A payment that no order could take, as an operator books it.
    Found {
        /// Whose.
        account: String,
        /// `wallet` or `product:<code>`.
        target: String,
        /// What was paid.
        amount: Micros,
    },
    /// Money from the wallet to a product.
    Transfer {
        /// Whose.
        account: String,
        /// `product:<code>`.
        target: String,
        /// How much.
        amount: Micros,
    },
}

impl Wish {
    /// Method, account, target and amount.
    #[must_use]
    pub fn parts(&self) -> (&str, &str, &str, Micros) {
        match self {
            Self::Card { account, target, amount } | Self::Found { account, target, amount } => {
                ("card", account, target, *amount)
            }
            Self::Offline { account, target, payable, currency } => {
                ("offline", account, target, dollars(*payable, currency))
            }
            Self::Booked { account, target, received } => {
                ("offline", account, target, received.worth())
            }
            Self::Transfer { account, target, amount } => ("balance", account, target, *amount),
        }
    }

    /// What is to be paid, and in what.
    #[must_use]
    pub fn payable(&self) -> (Micros, &str) {
        match self {
            Self::Card { amount, .. }
            | Self::Found { amount, .. }
            | Self::Transfer { amount, .. } => (*amount, "USD"),
            Self::Offline { payable, currency, .. } => (*payable, currency),
            Self::Booked { received, .. } => (received.amount, &received.currency),
        }
    }

    /// Whether an order is what was wished.
    #[must_use]
    pub fn is_of(&self, order: &OrderImage) -> bool {
        let (method, account, target, amount) = self.parts();
        (method, account, target) == (&order.method, &order.account, &order.target)
            && amount == order.amount
            && self.payable() == (order.payable, &order.payable_currency)
    }
}

/// What became of a payment that its order could not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// It was credited, as an order of its own.
    Booked,
    /// It went back.
    Refunded,
    /// It went back, and came back after all.
    Returned,
    /// It came just now, and the order cannot take it.
    Lost,
}

/// The moves of an order that the contract knows, by how it is paid. `became`: what the same commit
/// says of a payment that it could not take.
///
/// # Errors
/// Another move.
pub fn moves(order: &OrderImage, before: &[String], became: Option<Became>) -> Result<(), String> {
    let (id, after) = (&order.id, &order.statuses);
    for index in before.len()..after.len() {
        let to = after[index].as_str();
        let from = index.checked_sub(1).map(|index| after[index].as_str());
        let next: &[&str] = match (order.method.as_str(), from) {
            (_, None) => &["pending_payment", "completed"],
            ("card", Some("pending_payment")) => {
                &["processing", "completed", "failed", "cancelled", "expired", "exception"]
            }
            ("card", Some("processing")) => &["completed", "failed", "exception"],
            ("card", Some("failed" | "cancelled" | "expired")) => &["completed", "exception"],
            ("card", Some("exception")) if became == Some(Became::Booked) => &["cancelled"],
            ("card", Some("exception")) if became == Some(Became::Refunded) => &["refunded"],
            // Like any closed order that was never credited, if another wrong payment comes.
            ("card", Some("refunded"))
                if order.settled.is_none()
                    && matches!(became, Some(Became::Returned | Became::Lost)) =>
            {
                &["exception"]
            }
            ("offline", Some("pending_payment")) => {
                &["pending_review", "completed", "rejected", "cancelled", "expired"]
            }
            ("offline", Some("pending_review")) => &["completed", "rejected"],
            ("offline", Some("rejected")) => &["pending_review", "completed", "cancelled"],
            ("offline", Some("cancelled" | "expired")) => &["completed"],
            ("card" | "offline", Some("completed")) => &["partially_refunded", "refunded"],
            ("card" | "offline", Some("partially_refunded")) => &["refunded", "completed"],
            ("card" | "offline", Some("refunded")) => &["partially_refunded", "completed"],
            _ => &[],
        };
        if !next.contains(&to) {
            return Err(format!("{id} went from {from:?} to {to}"));
        }
    }
    Ok(())
}
