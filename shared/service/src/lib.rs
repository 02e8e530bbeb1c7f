//! The use cases of Topup, and the only code that talks to DynamoDB, SQS and Stripe.
//!
//! A use case reads, asks the [`ledger`] for a decision, and commits it ([`table`]); what it may
//! touch is what its struct holds. Clients are concrete: the only fake, in tests and on a laptop,
//! is what answers on the wire.

pub mod accounts;
pub mod adjustments;
pub mod api_keys;
pub mod bank_account;
#[cfg(feature = "objects")]
pub mod bank_transfers;
#[cfg(feature = "stripe")]
pub mod cancellations;
pub mod catalogue;
pub mod charges;
#[cfg(feature = "stripe")]
pub mod comparing;
pub mod comparison;
pub mod config;
pub mod configuration;
pub mod console;
pub mod cursor;
#[cfg(feature = "endpoints")]
pub mod delivery;
pub mod endpoints;
pub mod erasure;
pub mod error;
pub mod events;
mod exact;
pub mod exports;
pub mod findings;
pub mod holds;
pub mod http;
pub mod keys;
pub mod lambda;
pub mod log;
pub mod metrics;
pub mod moments;
pub mod notice;
#[cfg(feature = "objects")]
pub mod objects;
#[cfg(feature = "stripe")]
pub mod orders;
#[cfg(feature = "stripe")]
mod pages;
pub mod payments;
pub mod queries;
pub mod queue;
pub mod record;
#[cfg(feature = "stripe")]
pub mod refunds;
pub mod return_urls;
pub mod reversals;
pub mod reviews;
pub mod secret;
pub mod stamp;
#[cfg(feature = "objects")]
pub mod statements;
pub mod stripe;
#[cfg(feature = "stripe")]
pub mod sweep;
pub mod table;
pub mod thresholds;
pub mod transfers;
mod trust;
pub mod verification;
pub mod webhook;
