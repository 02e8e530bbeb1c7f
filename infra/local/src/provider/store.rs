//! The stand-in's memory in SQLite: documents, results under idempotency keys, and deliveries.
//! Everything that belongs together is written in one transaction.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use serde_json::Value;

use super::objects::{Document, Event, Session};

/// Why the store could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("the payment provider's store: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A stored document is not of the form that this version writes.
    #[error("the payment provider's store holds an unreadable document: {0}")]
    Document(#[from] serde_json::Error),
}

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS documents (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        created INTEGER NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS documents_by_kind ON documents (kind, position);
    CREATE INDEX IF NOT EXISTS open_sessions ON documents (json_extract(body, '$.expires_at'))
        WHERE kind = 'checkout.session' AND json_extract(body, '$.status') = 'open';
    CREATE TABLE IF NOT EXISTS results (
        key TEXT PRIMARY KEY,
        path TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        request_id TEXT NOT NULL,
        stored_at INTEGER NOT NULL,
        status INTEGER NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS results_by_age ON results (stored_at);
    CREATE TABLE IF NOT EXISTS deliveries (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        event TEXT NOT NULL REFERENCES documents (id),
        state TEXT NOT NULL,
        due_at INTEGER NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due_at);
    CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
";

/// The store: one connection, one writer at a time.
pub(super) struct Store(Mutex<Connection>);

/// The store inside one transaction.
pub(super) struct Books<'connection>(pub(super) Transaction<'connection>);

/// Which part of a list is wanted.
pub(super) struct Page {
    pub(super) limit: usize,
    pub(super) starting_after: Option<String>,
    /// Seconds since 1970, the first inclusive and the second not.
    pub(super) created: (i64, i64),
    pub(super) filters: Vec<(&'static str, String)>,
}

/// A result kept under an idempotency key.
pub(super) struct StoredResult {
    pub(super) path: String,
    pub(super) fingerprint: String,
    pub(super) request_id: String,
    pub(super) status: u16,
    pub(super) body: String,
}

impl Store {
    pub(super) fn open(path: Option<&Path>) -> Result<Self, StoreError> {
        let connection = match path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Runs `work` in one transaction: an error undoes all of it.
    pub(super) fn transaction<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Books<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.lock();
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StoreError::from)?;
        let books = Books(transaction);
        let value = work(&books)?;
        books.0.commit().map_err(StoreError::from)?;
        Ok(value)
    }

    /// A panic elsewhere rolled its transaction back, so the connection is still good.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books<'_> {
    pub(super) fn put<D: Document>(&self, document: &D) -> Result<(), StoreError> {
        self.0.execute(
            "INSERT INTO documents (id, kind, created, body) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            params![document.id(), D::KIND, document.created(), serde_json::to_string(document)?],
        )?;
        Ok(())
    }

    pub(super) fn get<D: Document>(&self, id: &str) -> Result<Option<D>, StoreError> {
        let body: Option<String> = self
            .0
            .query_row(
                "SELECT body FROM documents WHERE id = ?1 AND kind = ?2",
                params![id, D::KIND],
                |row| row.get(0),
            )
            .optional()?;
        Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
    }

    /// Newest first, and whether there are more.
    pub(super) fn list<D: Document>(&self, page: &Page) -> Result<(Vec<D>, bool), StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT body FROM documents WHERE kind = ?1 AND created >= ?2 AND created < ?3
             AND position < COALESCE((SELECT position FROM documents WHERE id = ?4), ?5)
             ORDER BY position DESC",
        )?;
        let (from, to) = page.created;
        let mut rows =
            statement.query(params![D::KIND, from, to, page.starting_after, i64::MAX])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let body: Value = serde_json::from_str(&row.get::<_, String>(0)?)?;
            let wanted = |(field, value): &(&str, String)| {
                body.get(*field).and_then(Value::as_str) == Some(value)
            };
            if !page.filters.iter().all(wanted) {
                continue;
            }
            if found.len() == page.limit {
                return Ok((found, true));
            }
            found.push(serde_json::from_value(body)?);
        }
        Ok((found, false))
    }

    /// The open sessions whose time is over, oldest first.
    pub(super) fn overdue_sessions(&self, now: i64) -> Result<Vec<Session>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT body FROM documents INDEXED BY open_sessions
             WHERE kind = 'checkout.session' AND json_extract(body, '$.status') = 'open'
             AND json_extract(body, '$.expires_at') <= ?1
             ORDER BY json_extract(body, '$.expires_at'), position",
        )?;
        let mut rows = statement.query([now])?;
        let mut sessions = Vec::new();
        while let Some(row) = rows.next()? {
            sessions.push(serde_json::from_str(&row.get::<_, String>(0)?)?);
        }
        Ok(sessions)
    }

    /// The result under `key`, if it was stored after `since`. Older ones are forgotten.
    pub(super) fn result(&self, key: &str, since: i64) -> Result<Option<StoredResult>, StoreError> {
        self.0.execute("DELETE FROM results WHERE stored_at <= ?1", [since])?;
        let result = self
            .0
            .query_row(
                "SELECT path, fingerprint, request_id, status, body FROM results WHERE key = ?1",
                [key],
                |row| {
                    Ok(StoredResult {
                        path: row.get(0)?,
                        fingerprint: row.get(1)?,
                        request_id: row.get(2)?,
                        status: row.get(3)?,
                        body: row.get(4)?,
                    })
                },
            )
            .optional()?;
        Ok(result)
    }

    pub(super) fn store_result(
        &self,
        key: &str,
        result: &StoredResult,
        now: i64,
    ) -> Result<(), StoreError> {
        self.0.execute(
            "INSERT INTO results (key, path, fingerprint, request_id, stored_at, status, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                key,
                result.path,
                result.fingerprint,
                result.request_id,
                now,
                result.status,
                result.body
            ],
        )?;
        Ok(())
    }

    /// Where the newest document stands.
    pub(super) fn newest(&self) -> Result<i64, StoreError> {
        let newest = "SELECT COALESCE(MAX(position), 0) FROM documents";
        Ok(self.0.query_row(newest, [], |row| row.get(0))?)
    }

    /// The events that were announced after a place, oldest first.
    pub(super) fn events_after(&self, position: i64) -> Result<Vec<String>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT id FROM documents WHERE kind = 'event' AND position > ?1 ORDER BY position",
        )?;
        let events = statement.query_map([position], |row| row.get(0))?;
        Ok(events.collect::<Result<_, _>>()?)
    }

    /// Whether the endpoint still has to receive this event.
    pub(super) fn is_pending(&self, event: &Event) -> Result<bool, StoreError> {
        Ok(self.0.query_row(
            "SELECT EXISTS (SELECT 1 FROM deliveries WHERE event = ?1
             AND state IN ('pending', 'held'))",
            [&event.id],
            |row| row.get(0),
        )?)
    }
}
