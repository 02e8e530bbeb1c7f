//! JSON of which every field is read.
//!
//! What somebody sends must be so, or a misspelt field would be dropped in silence. What is stored must not: after a
//! rollback it has fields of a newer program.

use serde::de::{DeserializeOwned, Deserializer};

/// Reads a value.
///
/// # Errors
/// What is wrong with it, or the first field that is none of it.
pub(crate) fn exact<'de, T: DeserializeOwned>(json: impl Deserializer<'de>) -> Result<T, String> {
    let mut unknown = None;
    let mut ignored = |field: serde_ignored::Path<'_>| {
        let _: &mut String = unknown.get_or_insert_with(|| field.to_string());
    };
    let read = serde_ignored::deserialize(json, &mut ignored).map_err(|error| error.to_string())?;
    unknown.map_or(Ok(read), |field| Err(format!("unknown field '{field}'")))
}
