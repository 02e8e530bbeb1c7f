//! The balance rules: as tables of what stands before and after, and as properties of every history.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

mod bank;
mod common;
mod findings;
mod moment;
mod properties;
mod reversals;
mod rules;
mod statement;
mod thresholds;
mod usage;
