//! Moments as text: RFC 3339, UTC, milliseconds.

use ledger::Timestamp;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

/// The text of a moment: `2026-11-23T13:07:44.000Z`. Text order is time order.
#[must_use]
pub(crate) fn format(at: Timestamp) -> String {
    let nanoseconds = i128::from(at.unix_millis()).saturating_mul(1_000_000);
    let moment = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let form =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    moment.format(&form).unwrap_or_default()
}

/// Reads any RFC 3339 moment; parts of a millisecond are dropped.
#[must_use]
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?.checked_to_offset(UtcOffset::UTC)?;
    let millis = moment.unix_timestamp_nanos().checked_div(1_000_000)?;
    i64::try_from(millis).ok().map(Timestamp::from_unix_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_as_they_are_written() {
        let at = Timestamp::from_unix_millis(1_795_439_264_005);
        assert_eq!(format(at), "2026-11-23T13:07:44.005Z");
        assert_eq!(parse(&format(at)), Some(at));
        assert_eq!(parse("2026-11-23T14:07:44.005+01:00"), Some(at));
        for text in ["", "2026-11-23", "2026-11-23T13:07:44", "now", "9999-12-31T23:59:59-23:59"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
