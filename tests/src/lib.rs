//! The test world: a local cloud whose wires can be watched and cut.
#![recursion_limit = "256"]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

pub mod cost;
pub mod document;
pub mod http;
pub mod logs;
pub mod receiver;
pub mod roles;
pub mod simulation;
pub mod template;
pub mod wire;
pub mod world;

pub use cost::Cost;
pub use http::Answer;
pub use receiver::{Manner, Receiver};
pub use wire::{Fault, Wires};
pub use world::{Customer, World, story};
