//! Parses the times that users type: a date, a date and time, or a span before now. The zone is UTC unless stated.
//!
//! The caller passes the current time, and no clock is read here.

use jiff::civil::DateTime;
use jiff::{Timestamp, ZonedDateTime, tz::TimeZone};

/// The accepted forms of a time, for messages.
pub(super) const TIME_EXAMPLES: &str = "a time such as 2026-11-20, 2026-11-20T09:14, 2026-11-20T09:14:02+01:00 or -15m";
/// The unit letters of spans, with their milliseconds.
const SPAN_UNITS: [(char, u64); 5] =
    [('s', 1000), ('m', 60_000), ('h', 3_600_000), ('d', 86_400_000), ('w', 604_800_000)];

/// Parses a time into milliseconds since the Unix epoch; `None` when the text is not a time, or is a time before the epoch.
///
/// `-15m`, `-1h30m` and `-3d` count back from `now_ms`, but not beyond the epoch.
pub(super) fn parse_time(text: &str, now_ms: u64) -> Option<u64> {
    if let Some(span) = text.strip_prefix('-') {
        return Some(now_ms.saturating_sub(parse_span_ms(span)?));
    }
    let timestamp = if text.contains('[') {
        text.parse::<ZonedDateTime>().ok()?.timestamp()
    } else if let Ok(timestamp) = text.parse::<Timestamp>() {
        timestamp
    } else {
        TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()?
    };
    u64::try_from(timestamp.as_millisecond()).ok()
}

/// Parses a span such as `15m` or `1h30m` into milliseconds.
fn parse_span_ms(text: &str) -> Option<u64> {
    let mut sum: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = rest.split_at(digits);
        let letter = unit.chars().next()?;
        let (_, ms) = SPAN_UNITS.iter().find(|(name, _)| *name == letter)?;
        sum = sum.checked_add(number.parse::<u64>().ok()?.checked_mul(*ms)?)?;
        rest = unit.get(1..)?;
    }
    (!text.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NINE: u64 = 1_795_165_200_000; // 2026-11-20T09:00:00Z

    #[test]
    fn a_time_without_a_zone_is_utc() {
        assert_eq!(parse_time("2026-11-20T09:00", 0), Some(NINE));
        assert_eq!(parse_time("2026-11-20T09:00:00.25Z", 0), Some(NINE + 250));
        assert_eq!(parse_time("2026-11-20T09:00+02:00", 0), Some(NINE - 7_200_000));
        assert_eq!(parse_time("2026-11-20T09:00[Europe/Berlin]", 0), Some(NINE - 3_600_000));
        assert_eq!(parse_time("2026-11-20", 0), Some(NINE - 9 * 3_600_000));
    }

    #[test]
    fn a_span_counts_back_from_the_given_time() {
        assert_eq!(parse_time("-15m", NINE), Some(NINE - 900_000));
        assert_eq!(parse_time("-1h30m", NINE), Some(NINE - 5_400_000));
        assert_eq!(parse_time("-2w", 1000), Some(0));
    }

    #[test]
    fn a_text_that_is_no_time_is_refused() {
        for text in ["", "-", "-15", "-m", "-15x", "15m", "yesterday", "2026-13-01", "1969-12-31", "-15mé", "-é"] {
            assert_eq!(parse_time(text, NINE), None, "{text}");
        }
    }
}
