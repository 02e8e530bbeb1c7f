//! Stripe: the only code that knows the payment provider's words.
//!
//! [`event`] reads what Stripe sends; [`signature`] proves that Stripe sent it. Only functions that
//! *call* Stripe link its client (`client`, behind the feature `stripe`).

pub mod event;
pub mod signature;

#[cfg(feature = "stripe")]
mod client;

#[cfg(feature = "stripe")]
pub use client::{CallFailed, Closed, Stripe};
