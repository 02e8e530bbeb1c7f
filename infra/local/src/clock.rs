//! The time as the local runner sees it: the system's, or one that a test moves by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ledger::Timestamp;

/// Where the embedded services read the time; clones share one manual time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The clock of the machine.
    pub fn system() -> Clock {
        Clock(Source::System)
    }

    /// A clock that stands at `unix_millis` until it is advanced.
    pub fn manual(unix_millis: i64) -> Clock {
        Clock(Source::Manual(Arc::new(AtomicI64::new(unix_millis))))
    }

    /// Milliseconds since the start of 1970.
    pub fn unix_millis(&self) -> i64 {
        match &self.0 {
            Source::System => system_unix_millis(),
            Source::Manual(unix_millis) => unix_millis.load(Ordering::SeqCst),
        }
    }

    /// This moment, as the rules take it.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.unix_millis())
    }

    /// Sets a manual clock, forward or back; a system clock cannot be set.
    pub fn set(&self, unix_millis: i64) {
        if let Source::Manual(now) = &self.0 {
            now.store(unix_millis, Ordering::SeqCst);
        }
    }

    /// Moves a manual clock forward; a system clock does not move.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(unix_millis) = &self.0 {
            unix_millis.fetch_add(whole_millis(by), Ordering::SeqCst);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the runner is one of the two places that read the clock"
)]
fn system_unix_millis() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, whole_millis)
}

fn whole_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
