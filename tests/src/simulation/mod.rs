//! A simulated world in which everything goes wrong, drawn from a seed.
//!
//! The functions are the deployed ones, behind their real SDK clients. Around them, in one thread
//! and in virtual time, are a [`network`] that loses, delays, tears and refuses, a [`queue`] and a
//! payment [`provider`] as hostile as the real ones may be, and a table: the embedded one, or
//! Amazon's DynamoDB Local. A [`model`] of the contract, which shares no code with the product, is
//! held against every transaction as it takes effect and against every answer.
//!
//! One seed is one history. It has two phases: first anything may fail and nothing may be wrong;
//! then everything heals, and whatever was begun must come to its end.

pub mod actors;
pub mod answers;
pub mod back_answers;
pub mod bank;
pub mod cloud;
pub mod comparing;
pub mod deployment;
mod desk;
pub mod desk_answers;
mod desk_back;
mod desk_findings;
mod ending;
pub mod engine;
pub mod events;
pub mod finding_answers;
pub mod findings;
pub mod going_back;
pub mod history;
pub mod images;
pub mod journal;
pub mod micros;
pub mod model;
pub mod movements;
pub mod network;
pub mod provider;
pub mod queue;
pub mod reversals;
mod spending;
pub mod strange;
pub mod stripe_wire;
pub mod thresholds;
pub mod usage;
pub mod usage_answers;
pub mod usage_images;
pub mod using;
pub mod wishes;

pub use engine::Engine;
pub use history::{Failure, Outcome, Plan, simulate};
