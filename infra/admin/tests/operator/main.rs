//! The operator's command as an operator runs it: the real binary, against the local deployment.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

mod common;
mod dead_letters;
mod erase;
mod first_steps;
mod keys;
mod problems;
mod reconcile;
mod verify;
