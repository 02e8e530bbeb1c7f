//! Stories of customers, told through HTTP and the provider's webhooks.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a story is told in one go, and may stop at the first surprise"
)]

mod back;
mod bad_input;
mod console;
mod deliveries;
mod document;
mod events;
mod faults;
mod logs;
mod metrics;
mod offline;
mod races;
mod secrets;
mod stripe;
mod sweep;
mod turns;
mod usage;
mod verify;
mod walk;
mod wire;
