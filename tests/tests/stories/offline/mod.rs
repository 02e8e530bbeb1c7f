//! Bank transfers: ordered, reported, reviewed; statements; and what the operator configures.

mod accounts;
mod camt;
mod configuration;
mod console;
mod doubts;
mod ordering;
mod proofs;
mod races;
mod refusals;
mod reviewing;
mod statements;
mod walk;
