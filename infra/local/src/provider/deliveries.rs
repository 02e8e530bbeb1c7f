//! The schedule of webhook deliveries. It is kept in the store and in real time, so that a restart
//! goes on where the last run stopped.

use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::objects::Event;
use super::store::{Books, StoreError};

/// What happens to the events of the future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Each is sent at once.
    Deliver,
    /// They exist, but are only sent when somebody asks for it.
    Drop,
    /// Each is sent three times: twice at the same moment, and again a second later.
    Duplicate,
    /// Each is sent so many milliseconds later.
    Delay(i64),
    /// They are held until three wait or the mode changes, and then sent newest first.
    Reorder,
}

/// The name of a [`Mode`] in a control request.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ModeName {
    Deliver,
    Drop,
    Duplicate,
    Delay,
    Reorder,
}

/// How many times an event is tried: with the waits below, for three and a half minutes.
pub(super) const MOST_TRIES: u32 = 12;

/// How many held events make a group that is sent newest first.
const REORDERED_GROUP: i64 = 3;

/// Reordered events leave this far apart, so that they also arrive in the new order.
const REORDERED_GAP: i64 = 200;

/// A try takes at most ten seconds; one that a crash cut off is due again after this long.
const CLAIM: i64 = 15_000;

/// One event on its way.
pub(super) struct Delivery {
    pub(super) id: i64,
    pub(super) event: Event,
}

impl Books<'_> {
    /// Plans how a new event is sent; `now` is real time in milliseconds.
    pub(super) fn schedule(&self, event: &str, mode: Mode, now: i64) -> Result<(), StoreError> {
        match mode {
            Mode::Deliver => self.plan(event, "pending", now),
            Mode::Drop => self.plan(event, "dropped", now),
            Mode::Delay(by) => self.plan(event, "pending", now.saturating_add(by)),
            Mode::Reorder => self.plan(event, "held", now),
            Mode::Duplicate => [now, now, now.saturating_add(1000)]
                .into_iter()
                .try_for_each(|due| self.plan(event, "pending", due)),
        }
    }

    /// Sends a full group of held events, newest first.
    pub(super) fn release_full_group(&self, now: i64) -> Result<(), StoreError> {
        let held: i64 = self.0.query_row(
            "SELECT COUNT(*) FROM deliveries WHERE state = 'held'",
            [],
            |row| row.get(0),
        )?;
        if held < REORDERED_GROUP { Ok(()) } else { self.release_held(now) }
    }

    /// Sends all held events, newest first.
    pub(super) fn release_held(&self, now: i64) -> Result<(), StoreError> {
        self.0.execute(
            "UPDATE deliveries SET state = 'pending', due_at = ?1 + ?2 *
                 (SELECT COUNT(*) FROM deliveries newer
                  WHERE newer.state = 'held' AND newer.id > deliveries.id)
             WHERE state = 'held'",
            params![now, REORDERED_GAP],
        )?;
        Ok(())
    }

    /// The deliveries that are due, oldest first. Nobody else gets them until the claim is over.
    pub(super) fn claim_due(&self, now: i64) -> Result<Vec<Delivery>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT deliveries.id, documents.body FROM deliveries
             JOIN documents ON documents.id = deliveries.event
             WHERE state = 'pending' AND due_at <= ?1 ORDER BY due_at, deliveries.id",
        )?;
        let mut rows = statement.query([now])?;
        let mut due = Vec::new();
        while let Some(row) = rows.next()? {
            let event = serde_json::from_str(&row.get::<_, String>(1)?)?;
            due.push(Delivery { id: row.get(0)?, event });
        }
        self.0.execute(
            "UPDATE deliveries SET due_at = ?1 + ?2 WHERE state = 'pending' AND due_at <= ?1",
            params![now, CLAIM],
        )?;
        Ok(due)
    }

    pub(super) fn accepted(&self, delivery: i64) -> Result<(), StoreError> {
        self.0.execute(
            "UPDATE deliveries SET state = 'delivered', tries = tries + 1 WHERE id = ?1",
            [delivery],
        )?;
        Ok(())
    }

    /// Waits 1, 2, 4, 8, 16 and then 30 seconds; gives up after the last try.
    pub(super) fn refused(&self, delivery: i64, now: i64) -> Result<(), StoreError> {
        self.0.execute(
            "UPDATE deliveries SET tries = tries + 1, due_at = ?2 + MIN(30000, 1000 << tries),
                 state = CASE WHEN tries + 1 >= ?3 THEN 'failed' ELSE state END
             WHERE id = ?1",
            params![delivery, now, MOST_TRIES],
        )?;
        Ok(())
    }

    /// Whether the endpoint has still to answer for the first time.
    pub(super) fn awaits_first_answer(&self, event: &str) -> Result<bool, StoreError> {
        Ok(self.0.query_row(
            "SELECT COUNT(*) > 0 AND MAX(tries) = 0 FROM deliveries
             WHERE event = ?1 AND state NOT IN ('held', 'dropped')",
            [event],
            |row| Ok(row.get::<_, Option<bool>>(0)?.unwrap_or(false)),
        )?)
    }

    /// Whether the endpoint has still to answer for the first time, one of the times that it is sent now.
    pub(super) fn awaits_answer(&self, event: &str) -> Result<bool, StoreError> {
        Ok(self.0.query_row(
            "SELECT COUNT(*) > 0 FROM deliveries
             WHERE event = ?1 AND state = 'pending' AND tries = 0",
            [event],
            |row| row.get(0),
        )?)
    }

    /// Sends one event again, or every one that was never taken: `times` each, at once, or as the mode
    /// reorders them.
    pub(super) fn resend(
        &self,
        event: Option<&str>,
        times: u8,
        mode: Mode,
        now: i64,
    ) -> Result<Vec<String>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT id FROM documents WHERE kind = 'event' AND CASE WHEN ?1 IS NULL
                 THEN id NOT IN (SELECT event FROM deliveries WHERE state = 'delivered')
                 ELSE id = ?1 END
             ORDER BY position",
        )?;
        let events =
            statement.query_map([event], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        let state = if matches!(mode, Mode::Reorder) { "held" } else { "pending" };
        for event in &events {
            self.0.execute(
                "DELETE FROM deliveries WHERE event = ?1 AND state <> 'delivered'",
                [event],
            )?;
            (0..times).try_for_each(|_| self.plan(event, state, now))?;
        }
        Ok(events)
    }

    fn plan(&self, event: &str, state: &str, due: i64) -> Result<(), StoreError> {
        self.0.execute(
            "INSERT INTO deliveries (event, state, due_at) VALUES (?1, ?2, ?3)",
            params![event, state, due],
        )?;
        Ok(())
    }
}
