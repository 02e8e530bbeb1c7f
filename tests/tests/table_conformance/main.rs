//! draft
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a check may stop at the first surprise"
)]

mod commits;
mod engine;
mod limits;
mod numbers;
mod pages;
mod races;
mod reads;
mod records;
mod round_trips;
mod transactions;
