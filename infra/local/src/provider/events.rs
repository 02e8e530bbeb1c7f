//! Events: each change of an object is written down together with its schedule of delivery.

use serde_json::Value;

use super::deliveries::Mode;
use super::objects::{Charge, Dispute, Event, PaymentIntent, Refund, Session, new_id};
use super::reading::Shape;
use super::store::{Books, StoreError};
use super::{movement_shapes, shapes};

/// Writes events within one transaction.
pub(super) struct Announcer<'a> {
    pub(super) books: &'a Books<'a>,
    /// The business time in seconds.
    pub(super) now: i64,
    /// The real time in milliseconds, by which deliveries are scheduled.
    pub(super) wall: i64,
    pub(super) mode: Mode,
    pub(super) public_url: &'a str,
}

impl Announcer<'_> {
    /// Announces a session and gives the id of the event.
    pub(super) fn session(&self, kind: &str, session: &Session) -> Result<String, StoreError> {
        self.announce(kind, shapes::session(session, self.public_url))
    }

    pub(super) fn intent(&self, kind: &str, intent: &PaymentIntent) -> Result<String, StoreError> {
        self.announce(kind, shapes::payment_intent(intent))
    }

    pub(super) fn charge(&self, kind: &str, charge: &Charge) -> Result<String, StoreError> {
        self.announce(kind, shapes::charge(charge))
    }

    pub(super) fn refund(&self, kind: &str, refund: &Refund) -> Result<String, StoreError> {
        self.announce(kind, movement_shapes::refund(refund))
    }

    pub(super) fn dispute(&self, kind: &str, dispute: &Dispute) -> Result<String, StoreError> {
        self.announce(kind, dispute.shape(self)?)
    }

    fn announce(&self, kind: &str, object: Value) -> Result<String, StoreError> {
        let event =
            Event { id: new_id("evt_1", 23), created: self.now, kind: kind.to_owned(), object };
        self.books.put(&event)?;
        self.books.schedule(&event.id, self.mode, self.wall)?;
        Ok(event.id)
    }
}
