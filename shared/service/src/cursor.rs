//! Cursors: where the next page of a list starts, in a form that only this service can make.

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, Mac};
use ledger::Timestamp;
use sha2::Sha256;

use crate::error::{Error, Invalid};
use crate::record::Page;
use crate::secret::{self, Secret, each};
use crate::table::Position;

/// Longest cursor that is looked at.
const MAX_TEXT: usize = 400;
const TAG_BYTES: usize = 32;

/// The secrets that authenticate cursors: the first makes them, all of them are accepted, so that
/// one can be rotated without breaking a list that somebody is reading.
#[derive(Debug)]
pub struct Cursors(Secret);

/// The owner of the operator's lists; no account has such an id.
pub const OPERATOR: &str = "*";

/// What a cursor is good for: one list of one account with one set of filters.
#[derive(Debug)]
pub struct CursorScope<'scope> {
    /// The account whose list it is; [`OPERATOR`] for the operator's own.
    pub owner: &'scope str,
    /// The list.
    pub list: &'static str,
    /// The filters, in their canonical form.
    pub filters: &'scope str,
}

impl Cursors {
    /// Cursors that this secret authenticates; two texts separated by a blank or comma while it is
    /// rotated.
    #[must_use]
    pub const fn new(secret: Secret) -> Self {
        Self(secret)
    }

    /// The cursor for a position.
    ///
    /// # Errors
    /// The secret could not be loaded.
    async fn seal(
        &self,
        scope: &CursorScope<'_>,
        position: &str,
        now: Timestamp,
    ) -> Result<String, Error> {
        let secrets = self.0.get(now).await?;
        let mac = authenticator(each(&secrets).next().unwrap_or_default(), scope, position);
        let mut bytes = position.as_bytes().to_vec();
        bytes.extend(mac.finalize().into_bytes());
        Ok(BASE64URL_NOPAD.encode(&bytes))
    }

    /// The cursor for a position, if there is one.
    ///
    /// # Errors
    /// The secret could not be loaded.
    pub async fn sealed(
        &self,
        scope: &CursorScope<'_>,
        position: Option<String>,
        now: Timestamp,
    ) -> Result<Option<String>, Error> {
        match position {
            Some(position) => self.seal(scope, &position, now).await.map(Some),
            None => Ok(None),
        }
    }

    /// The page that a cursor stands for, as `read` finds it from that position on, with the cursor of the next one.
    ///
    /// # Errors
    /// `invalid_cursor`; what `read` fails for; the secret could not be loaded.
    pub(crate) async fn page<T, Reading>(
        &self,
        scope: &CursorScope<'_>,
        cursor: Option<&str>,
        now: Timestamp,
        read: impl FnOnce(Option<Position>) -> Reading,
    ) -> Result<Page<T>, Error>
    where
        Reading: Future<Output = Result<Page<T>, Error>>,
    {
        let after = self.position(scope, cursor, now).await?;
        let page = read(after).await?;
        let next = self.sealed(scope, page.next, now).await?;
        Ok(Page { next, ..page })
    }

    /// The position in an index that a cursor stands for; the beginning without one.
    ///
    /// # Errors
    /// As [`Cursors::open`].
    pub(crate) async fn position(
        &self,
        scope: &CursorScope<'_>,
        cursor: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<Position>, Error> {
        let Some(cursor) = cursor else { return Ok(None) };
        let position = self.open(scope, cursor, now).await?;
        Ok(Some(Position::parse(&position).ok_or_else(unreadable_cursor)?))
    }

    /// The text of the position that a cursor stands for.
    ///
    /// # Errors
    /// `invalid_cursor` for a cursor that was changed, or made for another list, account or set of
    /// filters.
    pub async fn open(
        &self,
        scope: &CursorScope<'_>,
        cursor: &str,
        now: Timestamp,
    ) -> Result<String, Error> {
        let detail = "this cursor was not made for this list: start again without it";
        let invalid = || Invalid::field("invalid_cursor", "cursor", detail);
        if cursor.len() > MAX_TEXT {
            return Err(invalid().into());
        }
        let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).map_err(|_| invalid())?;
        let (position, tag) = bytes.split_last_chunk::<TAG_BYTES>().ok_or_else(invalid)?;
        let position = std::str::from_utf8(position).map_err(|_| invalid())?;
        let genuine = |secrets: &str| {
            each(secrets)
                .any(|secret| authenticator(secret, scope, position).verify_slice(tag).is_ok())
        };
        // Another instance may have made it with a secret that was rotated in just now.
        let known = genuine(&self.0.get(now).await?) || genuine(&self.0.get_again(now).await?);
        if known { Ok(position.to_owned()) } else { Err(invalid().into()) }
    }
}

/// What is said of a cursor whose position cannot be read.
pub(crate) fn unreadable_cursor() -> Invalid {
    Invalid::field("invalid_cursor", "cursor", "start again without it")
}

fn authenticator(secret: &str, scope: &CursorScope<'_>, position: &str) -> Hmac<Sha256> {
    let mut mac = secret::authenticator(secret);
    for part in [scope.owner, scope.list, scope.filters, position] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_millis(1_795_435_200_000);

    #[tokio::test]
    async fn a_cursor_survives_the_rotation_of_its_secret_and_nothing_else() {
        let scope = |list, filters| CursorScope { owner: "acme", list, filters };
        let cursors = |secrets: &str| Cursors::new(Secret::given(secrets));
        let cursor = cursors("old").seal(&scope("orders", ""), "7", NOW).await.unwrap();
        for (secrets, list, filters, opens) in [
            ("old", "orders", "", true),
            ("new,old", "orders", "", true),
            ("new", "orders", "", false),
            ("old", "entries", "", false),
            ("old", "orders", "status", false),
        ] {
            let opened = cursors(secrets).open(&scope(list, filters), &cursor, NOW).await;
            assert_eq!(opened.ok().as_deref() == Some("7"), opens, "{secrets} {list} {filters}");
        }
    }
}
