//! The queues and their messages in SQLite. Each function is one transaction, so one `fsync`, and
//! what has been answered survives `kill -9`.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use super::message::unique_id;
use super::moving::Step;
use super::{QueueSettings, Redrive, StoreError};

// `visible_at` alone says where a message stands: at or before now it can be received; later, it
// is in flight when it has been received, and delayed when it has not. So a restart needs no
// repair: messages in flight become visible again when their stored time comes.
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS queues (
        name TEXT PRIMARY KEY,
        visibility_timeout_millis INTEGER NOT NULL,
        retention_millis INTEGER NOT NULL,
        dead_letter_queue TEXT,
        max_receive_count INTEGER
    ) STRICT;
    CREATE TABLE IF NOT EXISTS messages (
        sequence INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        queue TEXT NOT NULL,
        sent_at INTEGER NOT NULL,
        visible_at INTEGER NOT NULL,
        receive_count INTEGER NOT NULL DEFAULT 0,
        first_received_at INTEGER,
        dead_letter_source TEXT,
        group_id TEXT,
        attributes TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS messages_in_order ON messages (queue, sent_at);
";

/// The database behind one queue service.
pub(super) struct Store {
    connection: Connection,
}

/// A message that is about to be stored.
pub(super) struct NewMessage {
    pub(super) id: String,
    pub(super) body: String,
    /// The message attributes, as JSON.
    pub(super) attributes: String,
    pub(super) group_id: Option<String>,
    pub(super) delay: Duration,
}

/// A message as one receive found it.
pub(super) struct Received {
    pub(super) id: String,
    pub(super) body: String,
    /// The message attributes, as JSON.
    pub(super) attributes: String,
    pub(super) group_id: Option<String>,
    pub(super) sent_at: i64,
    pub(super) receive_count: i64,
    pub(super) first_received_at: i64,
    pub(super) dead_letter_source: Option<String>,
    sequence: i64,
}

/// What became of one change of visibility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VisibilityOutcome {
    Changed,
    NotInFlight,
    Gone,
}

/// How many messages a queue holds, by where they stand.
pub(super) struct Counts {
    pub(super) visible: i64,
    pub(super) in_flight: i64,
    pub(super) delayed: i64,
}

impl Store {
    /// Opens the file, creating it when it is new; `None` is a database in memory.
    pub(super) fn open(path: Option<&Path>) -> Result<Store, StoreError> {
        let connection = match path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        connection.execute_batch(SCHEMA)?;
        Ok(Store { connection })
    }

    /// Creates the queue, or gives it these settings.
    pub(super) fn put_queue(&self, settings: &QueueSettings) -> Result<(), StoreError> {
        let redrive = settings.redrive.as_ref();
        self.connection.execute(
            "INSERT OR REPLACE INTO queues VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                settings.name,
                whole_millis(settings.visibility_timeout),
                whole_millis(settings.retention),
                redrive.map(|redrive| &redrive.dead_letter_queue),
                redrive.map(|redrive| redrive.max_receive_count),
            ],
        )?;
        Ok(())
    }

    /// The settings of the queue of that name.
    pub(super) fn queue(&self, name: &str) -> Result<Option<QueueSettings>, StoreError> {
        let settings = self
            .connection
            .query_row("SELECT * FROM queues WHERE name = ?1", [name], settings_of_row)
            .optional()?;
        Ok(settings)
    }

    /// The names that begin with `prefix`, in order.
    pub(super) fn queue_names(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let names = self
            .connection
            .prepare(
                "SELECT name FROM queues WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name",
            )?
            .query_map([prefix], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok(names)
    }

    /// Stores the messages, all or none.
    pub(super) fn send(
        &mut self,
        queue: &str,
        messages: &[NewMessage],
        now: i64,
    ) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        for message in messages {
            transaction.execute(
                "INSERT INTO messages (id, queue, sent_at, visible_at, group_id, attributes, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    message.id,
                    queue,
                    now,
                    now.saturating_add(whole_millis(message.delay)),
                    message.group_id,
                    message.attributes,
                    message.body,
                ],
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// Takes up to `limit` visible messages out of sight for `visibility`, oldest first. Before
    /// that, expired messages go, and those received too often move to the dead-letter queue.
    pub(super) fn receive(
        &mut self,
        queue: &QueueSettings,
        limit: u32,
        visibility: Duration,
        now: i64,
    ) -> Result<Vec<Received>, StoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute(
            "DELETE FROM messages WHERE queue = ?1 AND sent_at <= ?2",
            params![queue.name, oldest_kept(queue, now)],
        )?;
        if let Some(redrive) = &queue.redrive {
            transaction.execute(
                "UPDATE messages SET queue = ?1, visible_at = ?2, dead_letter_source = ?3
                 WHERE queue = ?3 AND visible_at <= ?2 AND receive_count >= ?4",
                params![redrive.dead_letter_queue, now, queue.name, redrive.max_receive_count],
            )?;
        }
        let mut received = transaction
            .prepare(
                "UPDATE messages SET visible_at = ?1, receive_count = receive_count + 1,
                    first_received_at = coalesce(first_received_at, ?2)
                 WHERE sequence IN (
                    SELECT sequence FROM messages WHERE queue = ?3 AND visible_at <= ?2
                    ORDER BY sent_at, sequence LIMIT ?4
                 ) RETURNING *",
            )?
            .query_map(
                params![now.saturating_add(whole_millis(visibility)), now, queue.name, limit],
                received_of_row,
            )?
            .collect::<Result<Vec<_>, _>>()?;
        transaction.commit()?;
        received.sort_by_key(|message| (message.sent_at, message.sequence));
        Ok(received)
    }

    /// Deletes the messages; one that is no longer in this queue is no error.
    pub(super) fn delete(&mut self, queue: &str, ids: &[String]) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        for id in ids {
            transaction.execute(
                "DELETE FROM messages WHERE id = ?1 AND queue = ?2",
                [id.as_str(), queue],
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// Gives messages in flight another time, counted from now, until they are visible again.
    pub(super) fn change_visibility(
        &mut self,
        queue: &str,
        changes: &[(String, Duration)],
        now: i64,
    ) -> Result<Vec<VisibilityOutcome>, StoreError> {
        let transaction = self.connection.transaction()?;
        let outcomes = changes
            .iter()
            .map(|(id, visibility)| {
                let changed = transaction.execute(
                    "UPDATE messages SET visible_at = ?1
                     WHERE id = ?2 AND queue = ?3 AND receive_count > 0 AND visible_at > ?4",
                    params![now.saturating_add(whole_millis(*visibility)), id, queue, now],
                )?;
                if changed > 0 {
                    return Ok(VisibilityOutcome::Changed);
                }
                let exists = transaction.query_row(
                    "SELECT EXISTS (SELECT 1 FROM messages WHERE id = ?1 AND queue = ?2)",
                    [id.as_str(), queue],
                    |row| row.get::<_, bool>(0),
                )?;
                Ok(match exists {
                    true => VisibilityOutcome::NotInFlight,
                    false => VisibilityOutcome::Gone,
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        transaction.commit()?;
        Ok(outcomes)
    }

    /// How many messages the queue holds now.
    pub(super) fn counts(&self, queue: &QueueSettings, now: i64) -> Result<Counts, StoreError> {
        let counts = self.connection.query_row(
            "SELECT count(*) FILTER (WHERE visible_at <= ?1),
                    count(*) FILTER (WHERE visible_at > ?1 AND receive_count > 0),
                    count(*) FILTER (WHERE visible_at > ?1 AND receive_count = 0)
             FROM messages WHERE queue = ?2 AND sent_at > ?3",
            params![now, queue.name, oldest_kept(queue, now)],
            |row| Ok(Counts { visible: row.get(0)?, in_flight: row.get(1)?, delayed: row.get(2)? }),
        )?;
        Ok(counts)
    }

    /// Whether the queue takes the dead letters of another.
    pub(super) fn is_dead_letters(&self, queue: &str) -> Result<bool, StoreError> {
        let asked = "SELECT EXISTS (SELECT 1 FROM queues WHERE dead_letter_queue = ?1)";
        Ok(self.connection.query_row(asked, [queue], |row| row.get(0))?)
    }

    /// How many messages of the queue can be received.
    pub(super) fn visible(&self, queue: &str, now: i64) -> Result<i64, StoreError> {
        let asked = "SELECT count(*) FROM messages WHERE queue = ?1 AND visible_at <= ?2";
        Ok(self.connection.query_row(asked, params![queue, now], |row| row.get(0))?)
    }

    /// Moves up to so many visible messages, oldest first, to the queue that is named, or each to the one
    /// that it came from. A message that is moved is a new one.
    pub(super) fn move_some(
        &mut self,
        queue: &str,
        destination: Option<&str>,
        most: u32,
        now: i64,
    ) -> Result<Step, StoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found = transaction
            .prepare(
                "SELECT sequence, coalesce(?1, dead_letter_source) FROM messages
                 WHERE queue = ?2 AND visible_at <= ?3 ORDER BY sent_at, sequence LIMIT ?4",
            )?
            .query_map(params![destination, queue, now, most], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?))
            })?
            .collect::<Result<Vec<_>, _>>()?;
        let count = found.len();
        for (sequence, to) in found {
            let Some(to) = to else { return Ok(Step::NoSource) };
            transaction.execute(
                "UPDATE messages SET id = ?1, queue = ?2, sent_at = ?3, visible_at = ?3,
                    receive_count = 0, first_received_at = NULL, dead_letter_source = NULL
                 WHERE sequence = ?4",
                params![unique_id().map_err(StoreError::Randomness)?, to, now, sequence],
            )?;
        }
        transaction.commit()?;
        Ok(Step::Moved(count))
    }

    /// Deletes every message of the queue.
    pub(super) fn purge(&self, queue: &str) -> Result<(), StoreError> {
        self.connection.execute("DELETE FROM messages WHERE queue = ?1", [queue])?;
        Ok(())
    }
}

/// A message sent at or before this time has expired.
fn oldest_kept(queue: &QueueSettings, now: i64) -> i64 {
    now.saturating_sub(whole_millis(queue.retention))
}

fn settings_of_row(row: &Row<'_>) -> rusqlite::Result<QueueSettings> {
    let redrive = match (row.get("dead_letter_queue")?, row.get("max_receive_count")?) {
        (Some(dead_letter_queue), Some(max_receive_count)) => {
            Some(Redrive { dead_letter_queue, max_receive_count })
        }
        _ => None,
    };
    Ok(QueueSettings {
        name: row.get("name")?,
        visibility_timeout: Duration::from_millis(row.get("visibility_timeout_millis")?),
        retention: Duration::from_millis(row.get("retention_millis")?),
        redrive,
    })
}

fn received_of_row(row: &Row<'_>) -> rusqlite::Result<Received> {
    Ok(Received {
        id: row.get("id")?,
        body: row.get("body")?,
        attributes: row.get("attributes")?,
        group_id: row.get("group_id")?,
        sent_at: row.get("sent_at")?,
        receive_count: row.get("receive_count")?,
        first_received_at: row.get("first_received_at")?,
        dead_letter_source: row.get("dead_letter_source")?,
        sequence: row.get("sequence")?,
    })
}

fn whole_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
