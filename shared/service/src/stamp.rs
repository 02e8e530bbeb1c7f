//! Moments as text: RFC 3339, UTC, milliseconds.

use ledger::{Day, Timestamp};
use time::format_description::well_known::Rfc3339;
use time::macros::{date, format_description};
use time::{Date, Duration, OffsetDateTime, UtcOffset};

/// What days are counted from.
const FIRST_DAY: Date = date!(1970 - 01 - 01);
/// Bank transfers are of this century.
const DAYS: std::ops::Range<Date> = date!(2000 - 01 - 01)..date!(2100 - 01 - 01);

/// The text of a moment: `2026-11-23T13:07:44.000Z`. Text order is time order.
#[must_use]
pub fn format(at: Timestamp) -> String {
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
    let millis = moment.unix_timestamp_nanos().checked_div_euclid(1_000_000)?;
    i64::try_from(millis).ok().map(Timestamp::from_unix_millis)
}

/// The text of a day: `2026-11-23`.
#[must_use]
pub(crate) fn format_day(day: Day) -> String {
    let date = FIRST_DAY.checked_add(Duration::days(day.unix_days().into())).unwrap_or(FIRST_DAY);
    date.format(&format_description!("[year]-[month]-[day]")).unwrap_or_default()
}

/// Reads a day of this century, `2026-11-23`.
#[must_use]
pub(crate) fn parse_day(text: &str) -> Option<Day> {
    let date = Date::parse(text, &format_description!("[year]-[month]-[day]")).ok()?;
    let days = date.to_julian_day().checked_sub(FIRST_DAY.to_julian_day())?;
    DAYS.contains(&date).then(|| Day::from_unix_days(days))
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
        assert_eq!(parse("1969-12-31T23:59:59.0005Z"), parse("1969-12-31T23:59:59Z"));
        for text in ["", "2026-11-23", "2026-11-23T13:07:44", "now", "9999-12-31T23:59:59-23:59"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn days_read_as_they_are_written() {
        for (text, days) in [("2026-11-23", 20_780), ("2028-02-29", 21_243)] {
            assert_eq!(parse_day(text), Some(Day::from_unix_days(days)), "{text}");
            assert_eq!(format_day(Day::from_unix_days(days)), text);
        }
        for text in ["", "2026-02-29", "2026-1-1", "26-11-23", "2026-11-23T00:00:00Z", "1999-12-31"]
        {
            assert_eq!(parse_day(text), None, "{text:?}");
        }
    }
}
