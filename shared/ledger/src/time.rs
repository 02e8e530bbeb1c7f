//! Moments in time.

use std::time::Duration;

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
///
/// A plain number, so that the rules can compare moments without being able to read a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment so many milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This moment and so much later; stays at the end of time when there is no later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// This moment and so much earlier; stays at the beginning of time when there is no earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(millis))
    }

    /// This moment; the first one after `earlier` if it lies before that: an equal one is kept. Whoever decides again after a
    /// race still knows the moment at which it began.
    #[must_use]
    pub fn not_before(self, earlier: Self) -> Self {
        if self < earlier { Self(earlier.0.saturating_add(1)) } else { self }
    }

    /// This moment; the first one after `earlier` unless it lies after that: an equal one moves on. What is told in order
    /// needs moments that differ.
    #[must_use]
    pub fn after(self, earlier: Self) -> Self {
        self.max(Self(earlier.0.saturating_add(1)))
    }

    /// Whether both are in the same month of the calendar, in UTC.
    #[must_use]
    pub fn is_in_month_of(self, other: Self) -> bool {
        let month = |at: Self| {
            let moment = time::OffsetDateTime::from_unix_timestamp(at.unix_seconds()).ok()?;
            Some((moment.year(), moment.month()))
        };
        month(self) == month(other)
    }

    /// How long ago `earlier` was, seen from this moment; zero when it is still to come.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// A day of the calendar, without a time zone: days since 1970-01-01, as a bank dates a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

const DAY_MILLIS: i64 = 86_400_000;

impl Day {
    /// The day so many days after 1970-01-01.
    #[must_use]
    pub const fn from_unix_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn unix_days(self) -> i32 {
        self.0
    }

    /// The day of a moment, in UTC.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self(i32::try_from(at.0.div_euclid(DAY_MILLIS)).unwrap_or(i32::MAX))
    }

    /// The first moment of it, in UTC.
    #[must_use]
    pub fn begins(self) -> Timestamp {
        Timestamp(i64::from(self.0).saturating_mul(DAY_MILLIS))
    }

    /// Whether it is over, or has begun, somewhere on Earth: clocks are up to 14 hours ahead of UTC.
    #[must_use]
    pub fn has_begun(self, now: Timestamp) -> bool {
        const AHEAD: Duration = Duration::from_secs(14 * 3_600);
        self.begins() <= now.plus(AHEAD)
    }

    /// Days from this one to another; below zero if the other is earlier.
    #[must_use]
    pub const fn days_to(self, other: Self) -> i32 {
        other.0.saturating_sub(self.0)
    }
}
