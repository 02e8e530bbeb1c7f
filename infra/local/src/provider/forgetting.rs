//! What the API does not know any more. A forgotten object stays in the store under another kind, by
//! which nothing finds it, until it is recalled.

use rusqlite::params;

use super::store::{Books, StoreError};

/// Goes before the kind of what is forgotten.
const MARK: &str = "forgotten ";

/// An object with this id, what is of this payment, and what of all that moved the balance.
const BELONGS: &str = "
    (id = ?1 OR json_extract(body, '$.payment_intent') = ?1
     OR json_extract(body, '$.source') IN
        (SELECT id FROM documents WHERE id = ?1 OR json_extract(body, '$.payment_intent') = ?1))";

impl Books<'_> {
    /// Forgets a payment or a refund with all that belongs to it, and gives their ids: none if there is
    /// nothing to forget. A session is of the merchant's making and stays.
    pub(super) fn forget(&self, id: &str) -> Result<Vec<String>, StoreError> {
        let forget = format!(
            "UPDATE documents SET kind = ?2 || kind
             WHERE kind IN ('payment_intent', 'charge', 'refund', 'dispute', 'balance_transaction')
             AND {BELONGS} RETURNING id"
        );
        self.changed(&forget, id)
    }

    /// Knows again what was forgotten under this id, and gives the ids of all of it.
    pub(super) fn recall(&self, id: &str) -> Result<Vec<String>, StoreError> {
        let recall = format!(
            "UPDATE documents SET kind = substr(kind, length(?2) + 1)
             WHERE kind LIKE ?2 || '%' AND {BELONGS} RETURNING id"
        );
        self.changed(&recall, id)
    }

    fn changed(&self, update: &str, id: &str) -> Result<Vec<String>, StoreError> {
        let mut statement = self.0.prepare_cached(update)?;
        let ids = statement.query_map(params![id, MARK], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }
}
