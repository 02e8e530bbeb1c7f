//! The embedded table does what DynamoDB does, seen through the real SDK.
//!
//! Every check is made on the embedded table and, where `TOPUP_DYNAMODB_LOCAL` says that it
//! answers, on Amazon's own DynamoDB Local as well: `tests/conformance/dynamodb_local.sh` runs one.
//! A line of the output says which were held. `transactions`, `limits`, `numbers`, `reads` and
//! `costs` hold the engines themselves; `commits`, `round_trips`, `pages` and `races` hold the
//! product on them.
//!
//! Where the two differ, the check states both answers (`Engine::differs`). This is all of it, for
//! the embedded table 3.2.0 and DynamoDB Local 1.25.1, and the product relies on none of it:
//!
//! | what | embedded | DynamoDB Local | the product |
//! |---|---|---|---|
//! | an item twice in a transaction | is invalid | cancelled by its own first put | never does it |
//! | an item without a sort key | cancelled: `ValidationError` | is invalid | never does it |
//! | an index key over 2048 and 1024 bytes | is taken | is invalid | has at most 280 bytes |
//! | a page that reaches 1 MB | ends before the item | ends after it | follows the position |
//! | a page of an index of keys | counts keys | counts whole items | follows the position |
//! | the items of a batch | in the order of the keys | in any order | sorts them |
//! | a batch read in vain | costs a unit | is free | only reports it |
//! | writing an item of 1 KB, listed twice | 4 units | 12 units | only reports it |
//!
//! Words of messages differ too; nothing reads them. Neither ever says `TransactionConflict`,
//! throttles, or lets an index lag behind: stories and simulation put those on the wire.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a check may stop at the first surprise"
)]

mod back;
mod commits;
mod costs;
mod engine;
mod limits;
mod numbers;
mod pages;
mod races;
mod reads;
mod records;
mod round_trips;
mod transactions;
mod usage;
