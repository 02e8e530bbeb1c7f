//! The shape of the project, so that it cannot drift apart unseen: what is deployed
//! (`template.yaml` and what is nested in it), what runs locally (`local::gateway::ROUTES`), what there is to build
//! (`functions/`), and which module may speak of what.
//!
//! Every test gathers all that breaks its rule before it fails, one line each.

#![expect(clippy::expect_used, reason = "unreadable input is a failed test")]

mod roles;
mod routes;
mod sources;
mod stacks;

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};

use serde_json::Value;
use tests::template::named;

fn assert_none(problem: &str, broken: impl IntoIterator<Item: Display>) {
    let broken = broken.into_iter().map(|one| format!("\n  {one}"));
    let broken = broken.collect::<String>();
    assert!(broken.is_empty(), "{problem}:{broken}");
}

fn assert_same<T: Ord + Debug>(
    (one_name, one): (&str, BTreeSet<T>),
    (other_name, other): (&str, BTreeSet<T>),
) {
    let only = |name, item: &T| format!("only in {name}: {item:?}");
    let ones = one.difference(&other).map(|item| only(one_name, item));
    let others = other.difference(&one).map(|item| only(other_name, item));
    assert_none("two lists of the same differ", ones.chain(others));
}

/// The queue that a poller takes from.
fn source(poller: &Value) -> String {
    named(poller.get("EventSourceArn").expect("a poller takes from a queue"))
}
