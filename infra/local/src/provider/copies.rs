//! Payments that no page of the merchant's asked for, though they look like it: each is of a session
//! of its own, which is copied from one that the merchant made.

use std::collections::BTreeMap;

use super::cards::Submission;
use super::events::Announcer;
use super::failure::Failure;
use super::objects::{PaymentIntent, Session, SessionStatus, new_id};
use super::payments::{self, Attempt, Difference};

/// In what a copy differs from its session.
pub(super) struct Changes {
    pub(super) money: Difference,
    /// Names to set, and names to remove.
    pub(super) metadata: BTreeMap<String, Option<String>>,
}

/// Pays a copy of this session.
pub(super) fn pay(
    announcer: &Announcer<'_>,
    session: &str,
    changes: Changes,
    submission: Submission,
) -> Result<Session, Failure> {
    let copy = copied(announcer, session, changes)?;
    announcer.books.put(&copy)?;
    match payments::pay(announcer, &copy.id, submission, Difference::default())? {
        Some(Attempt::Paid { session, .. }) => Ok(session),
        _ => Err(Failure::invalid("the card does not pay")),
    }
}

/// Says of a copy of this session that a payment has paid it which was made before.
pub(super) fn claim(
    announcer: &Announcer<'_>,
    session: &str,
    changes: Changes,
    payment: &str,
) -> Result<Session, Failure> {
    if announcer.books.get::<PaymentIntent>(payment)?.is_none() {
        return Err(Failure::no_such("payment_intent", payment, "payment_id"));
    }
    let copy = Session {
        status: SessionStatus::Complete,
        payment_intent: Some(payment.to_owned()),
        ..copied(announcer, session, changes)?
    };
    announcer.books.put(&copy)?;
    announcer.session("checkout.session.completed", &copy)?;
    Ok(copy)
}

fn copied(announcer: &Announcer<'_>, id: &str, changes: Changes) -> Result<Session, Failure> {
    let session: Session = announcer
        .books
        .get(id)?
        .ok_or_else(|| Failure::no_such("checkout.session", id, "session_id"))?;
    Ok(changes.money.applied_to(Session {
        id: new_id("cs_test_a1", 56),
        created: announcer.now,
        status: SessionStatus::Open,
        paid_by: None,
        payment_intent: None,
        metadata: changed(&session.metadata, &changes.metadata),
        intent_metadata: changed(&session.intent_metadata, &changes.metadata),
        ..session
    }))
}

fn changed(
    metadata: &BTreeMap<String, String>,
    changes: &BTreeMap<String, Option<String>>,
) -> BTreeMap<String, String> {
    let kept = metadata.iter().filter(|(name, _)| !changes.contains_key(*name));
    let kept = kept.map(|(name, value)| (name.clone(), value.clone()));
    let set = changes.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
    kept.chain(set).collect()
}
