//! What only a moved clock, a restart or an unreachable endpoint shows. The rest is held against
//! the official client by `tests/conformance/stripe_standin.py`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::deliveries::Mode;
use super::failure::Failure;
use super::idempotency::Keyed;
use super::objects::{Event, Session, SessionStatus};
use super::parameters::Parameters;
use super::store::{Page, StoredResult};
use super::*;

const NOW: i64 = 1_794_000_000;
pub(super) const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn open(path: Option<&Path>, clock: &Clock) -> Result<Provider, StoreError> {
    let settings = ProviderSettings {
        public_url: "http://127.0.0.1:8788".into(),
        webhook_url: "http://127.0.0.1:8787/v1/webhooks/stripe".into(),
        webhook_secret: "whsec_test".into(),
        secret_key: "sk_test_local".into(),
    };
    Provider::open(path, clock.clone(), settings)
}

pub(super) fn clock() -> Clock {
    Clock::manual(NOW.saturating_mul(1000))
}

/// A file of its own for one test, which goes when the test is over.
pub(super) struct File(pub(super) PathBuf);

impl File {
    pub(super) fn new() -> Self {
        let name = format!("topup-provider-{}.db", objects::new_id("", 12));
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm"] {
            let mut name = self.0.clone().into_os_string();
            name.push(end);
            // A file that is not there needs no removal.
            drop(std::fs::remove_file(name));
        }
    }
}

impl Provider {
    pub(super) fn create(&self, lifetime: Duration) -> Result<Session, Failure> {
        let expires_at = self.now().saturating_add(lifetime.as_secs().cast_signed());
        let order = format!(
            "mode=payment&success_url=http://localhost/&expires_at={expires_at}\
             &line_items[0][quantity]=1&line_items[0][price_data][currency]=usd\
             &line_items[0][price_data][unit_amount]=10000\
             &line_items[0][price_data][product_data][name]=Wallet"
        );
        let parameters = Parameters::parse(order.as_bytes());
        self.transact(|announcer| sessions::create(announcer.books, announcer.now, parameters))
    }

    fn status(&self, session: &Session) -> Result<Option<SessionStatus>, StoreError> {
        let found: Option<Session> = self.transact(|announcer| announcer.books.get(&session.id))?;
        Ok(found.map(|session| session.status))
    }

    pub(super) fn event_kinds(&self) -> Result<Vec<String>, StoreError> {
        let created = (i64::MIN, i64::MAX);
        let page = Page { limit: 100, starting_after: None, created, filters: Vec::new() };
        let (events, _) = self.transact(|announcer| announcer.books.list::<Event>(&page))?;
        Ok(events.into_iter().map(|event| event.kind).collect())
    }

    /// The kinds of the events that are due so many milliseconds from now.
    fn due_after(&self, millis: i64) -> Result<Vec<String>, StoreError> {
        let due = self.transact(|announcer| {
            announcer.books.claim_due(announcer.wall.saturating_add(millis))
        })?;
        Ok(due.into_iter().map(|delivery| delivery.event.kind).collect())
    }
}

#[test]
fn the_clock_closes_a_session_once() -> Result<(), Failure> {
    let clock = clock();
    let provider = open(None, &clock)?;
    let session = provider.create(HOUR)?;
    clock.advance(HOUR.saturating_sub(Duration::from_millis(1)));
    assert_eq!(provider.status(&session)?, Some(SessionStatus::Open));
    clock.advance(Duration::from_millis(1));
    assert_eq!(provider.status(&session)?, Some(SessionStatus::Expired));
    assert_eq!(provider.status(&session)?, Some(SessionStatus::Expired));
    assert_eq!(provider.event_kinds()?, ["checkout.session.expired"]);
    Ok(())
}

#[test]
fn a_result_is_kept_for_a_day_and_through_a_restart() -> Result<(), Failure> {
    let (file, clock) = (File::new(), clock());
    let keyed = Keyed::new("key", "/v1/checkout/sessions", &Parameters::parse(b"a=1"))?;
    let stored = StoredResult {
        path: keyed.path.clone(),
        fingerprint: keyed.fingerprint.clone(),
        request_id: "req_1".into(),
        status: 200,
        body: "{}".into(),
    };
    let keeper = open(Some(&file.0), &clock)?;
    keeper.transact(|announcer| announcer.books.store_result("key", &stored, announcer.now))?;
    drop(keeper);
    let provider = open(Some(&file.0), &clock)?;
    let replay =
        |keyed: &Keyed| provider.transact(|announcer| keyed.replay(announcer.books, announcer.now));
    assert!(replay(&keyed)?.is_some());
    let other = Keyed::new("key", "/v1/checkout/sessions", &Parameters::parse(b"a=2"))?;
    assert!(replay(&other).is_err());
    clock.advance(HOUR.saturating_mul(24));
    assert!(replay(&other)?.is_none());
    Ok(())
}

#[test]
fn an_undelivered_event_is_sent_again_after_a_restart() -> Result<(), Failure> {
    let (file, clock) = (File::new(), clock());
    let provider = open(Some(&file.0), &clock)?;
    provider.create(HOUR)?;
    clock.advance(HOUR);
    let due = provider.due_after(0)?;
    assert_eq!(due, ["checkout.session.expired"]);
    assert!(provider.due_after(0)?.is_empty(), "it is under way");
    drop(provider);
    let provider = open(Some(&file.0), &clock)?;
    assert_eq!(provider.due_after(16_000)?, due, "nobody knows whether it arrived");
    Ok(())
}

#[test]
fn an_event_is_tried_a_bounded_number_of_times() -> Result<(), Failure> {
    let clock = clock();
    let provider = open(None, &clock)?;
    provider.create(HOUR)?;
    clock.advance(HOUR);
    assert_eq!(provider.event_kinds()?.len(), 1);
    let mut now = provider.0.wall.unix_millis();
    for number in 0..deliveries::MOST_TRIES {
        let due = provider.transact(|announcer| announcer.books.claim_due(now))?;
        assert_eq!(due.len(), 1, "try {number}");
        for delivery in due {
            provider.transact(|announcer| announcer.books.refused(delivery.id, now))?;
        }
        let wait = 1000_i64.saturating_mul(1 << number.min(5)).min(30_000);
        let early = now.saturating_add(wait).saturating_sub(1);
        assert!(provider.transact(|announcer| announcer.books.claim_due(early))?.is_empty());
        now = now.saturating_add(wait);
    }
    assert!(provider.transact(|announcer| announcer.books.claim_due(now))?.is_empty());
    Ok(())
}

#[test]
fn reordered_events_leave_newest_first() -> Result<(), Failure> {
    let clock = clock();
    let provider = open(None, &clock)?;
    provider.controls().set_mode(Mode::Reorder);
    let first = provider.create(HOUR)?;
    provider.create(HOUR.saturating_mul(2))?;
    provider.create(HOUR.saturating_mul(3))?;
    clock.advance(HOUR.saturating_mul(2));
    assert!(provider.due_after(60_000)?.is_empty(), "two wait for a third");
    clock.advance(HOUR);
    assert_eq!(provider.event_kinds()?.len(), 3);
    let now = provider.0.wall.unix_millis().saturating_add(60_000);
    let due = provider.transact(|announcer| announcer.books.claim_due(now))?;
    let last = due.last().and_then(|delivery| delivery.event.object.pointer("/id"));
    assert_eq!((due.len(), last), (3, Some(&first.id.as_str().into())));
    Ok(())
}
