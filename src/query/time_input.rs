//! Parses the times that users type: a date, a date and time, milliseconds, or a span before now or before the last
//! event. The zone is UTC unless stated.
//!
//! The caller passes the times that relative times refer to, and no clock is read here.

use jiff::civil::DateTime;
use jiff::{Timestamp, ZonedDateTime, tz::TimeZone};

/// The accepted forms of a time, for messages.
pub(super) const TIME_EXAMPLES: &str = "a time such as 2026-11-20, 2026-11-20T09:14, 2026-11-20T09:14:02+01:00, -15m \
                                        (before now), end-1h (before the last event) or 1795165200000ms";
/// The unit letters of spans, with their milliseconds.
const SPAN_UNITS: [(char, u64); 5] =
    [('s', 1000), ('m', 60_000), ('h', 3_600_000), ('d', 86_400_000), ('w', 604_800_000)];
/// The numbers of digits of a time in milliseconds that needs no unit: the years 1973 to 5138.
const DIGITS_OF_MILLISECONDS: std::ops::RangeInclusive<usize> = 12..=14;

/// The times that relative times refer to, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeContext {
    /// The present time: `-15m` counts back from it.
    pub now_ms: Option<u64>,
    /// The time of the log's last event: `end-1h` counts back from it.
    pub last_event_ms: Option<u64>,
    /// The zone of a time without one; `None` for UTC.
    zone: Option<&'static TimeZone>,
}

/// The milliseconds that a typed time includes: a whole day, minute or second, as precise as it was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeSpan {
    /// The first millisecond.
    pub(super) first: u64,
    /// The last millisecond.
    pub(super) last: u64,
}

/// Why a text is not a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeInputError {
    /// The text has none of the accepted forms, or is a time before the epoch.
    NotATime,
    /// The text is a number without a unit that has too few digits for milliseconds.
    NumberWithoutUnit,
    /// The present time is not known.
    NowUnknown,
    /// The time of the last event is not known.
    LastEventUnknown,
}

impl TimeContext {
    /// Creates a context with the present time.
    pub const fn at(now_ms: u64) -> Self {
        Self { now_ms: Some(now_ms), last_event_ms: None, zone: None }
    }

    /// Returns this context with the time of the log's last event.
    #[must_use]
    pub const fn with_last_event(self, last_event_ms: Option<u64>) -> Self {
        Self { last_event_ms, ..self }
    }

    /// Returns this context with the zone of times without one; `None` for UTC.
    #[must_use]
    #[cfg(feature = "app")]
    pub(crate) const fn in_zone(self, zone: Option<&'static TimeZone>) -> Self {
        Self { zone, ..self }
    }

    /// Parses a time. A relative time and a number of milliseconds are one millisecond.
    ///
    /// # Errors
    /// See [`TimeInputError`]. A relative time does not count back beyond the epoch.
    pub(super) fn parse(self, text: &str) -> Result<TimeSpan, TimeInputError> {
        if let Some(reference) = self.parse_relative(text) {
            return reference.map(|ms| TimeSpan { first: ms, last: ms });
        }
        let digits = text.strip_suffix("ms").unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) {
            let has_unit = digits.len() < text.len();
            if !has_unit && !DIGITS_OF_MILLISECONDS.contains(&digits.len()) {
                return Err(TimeInputError::NumberWithoutUnit);
            }
            let ms = digits.parse().map_err(|_| TimeInputError::NotATime)?;
            return Ok(TimeSpan { first: ms, last: ms });
        }
        let first = parse_instant(text, self.zone).ok_or(TimeInputError::NotATime)?;
        Ok(TimeSpan { first, last: first.saturating_add(precision_ms(text) - 1) })
    }

    /// Parses `-15m`, `now`, `now-15m`, `end` or `end-1h`; `None` for a text of another form.
    fn parse_relative(self, text: &str) -> Option<Result<u64, TimeInputError>> {
        let (reference, span) = if let Some(span) = text.strip_prefix("now") {
            (self.now_ms.ok_or(TimeInputError::NowUnknown), span)
        } else if let Some(span) = text.strip_prefix("end") {
            (self.last_event_ms.ok_or(TimeInputError::LastEventUnknown), span)
        } else if text.starts_with('-') {
            (self.now_ms.ok_or(TimeInputError::NowUnknown), text)
        } else {
            return None;
        };
        if span.is_empty() {
            return Some(reference);
        }
        let Some(span_ms) = span.strip_prefix('-').and_then(parse_span_ms) else {
            return Some(Err(TimeInputError::NotATime));
        };
        Some(reference.map(|reference| reference.saturating_sub(span_ms)))
    }
}

impl TimeInputError {
    /// Returns the reason, for a message that has the text.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::NotATime => "not a time",
            Self::NumberWithoutUnit => {
                "a number without a unit is a time only with 12 to 14 digits, as milliseconds; \
                                        write the unit, as in 1795165200000ms"
            }
            Self::NowUnknown => "a relative time needs the current time, which this filter does not have",
            Self::LastEventUnknown => "a time before `end` needs the time of the last event, and no event is known",
        }
    }
}

/// Parses a date, a date and time, with or without a zone, into milliseconds since the Unix epoch. Without a zone it is
/// in `zone`, or in UTC. Where a clock change skips or repeats a time, the earlier offset counts.
fn parse_instant(text: &str, zone: Option<&TimeZone>) -> Option<u64> {
    let timestamp = if text.contains('[') {
        text.parse::<ZonedDateTime>().ok()?.timestamp()
    } else if let Ok(timestamp) = text.parse::<Timestamp>() {
        timestamp
    } else {
        zone.unwrap_or(&TimeZone::UTC).to_timestamp(text.parse::<DateTime>().ok()?).ok()?
    };
    u64::try_from(timestamp.as_millisecond()).ok()
}

/// Returns the milliseconds of the smallest unit in a date and time: a day, an hour, a minute, a second or a fraction.
fn precision_ms(text: &str) -> u64 {
    let Some((_, time)) = text.split_once(['T', 't', ' ']) else { return 86_400_000 };
    let time = time.split(['Z', 'z', '+', '-', '[']).next().unwrap_or_default();
    match (time.matches(':').count(), time.split_once('.')) {
        (_, Some((_, fraction))) => 10_u64.pow(3_usize.saturating_sub(fraction.trim_end().len()) as u32),
        (0, None) => 3_600_000,
        (1, None) => 60_000,
        _ => 1000,
    }
}

/// Parses a span such as `15m` or `1h30m` into milliseconds.
pub(crate) fn parse_span_ms(text: &str) -> Option<u64> {
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
    const CONTEXT: TimeContext = TimeContext { now_ms: Some(NINE), last_event_ms: Some(NINE - 60_000), zone: None };

    fn first(text: &str) -> Option<u64> {
        CONTEXT.parse(text).ok().map(|span| span.first)
    }

    #[test]
    fn a_time_without_a_zone_is_utc() {
        assert_eq!(first("2026-11-20T09:00"), Some(NINE));
        assert_eq!(first("2026-11-20T09:00:00.25Z"), Some(NINE + 250));
        assert_eq!(first("2026-11-20T09:00+02:00"), Some(NINE - 7_200_000));
        assert_eq!(first("2026-11-20T09:00[Europe/Berlin]"), Some(NINE - 3_600_000));
        assert_eq!(first("2026-11-20"), Some(NINE - 9 * 3_600_000));
    }

    #[test]
    fn a_span_counts_back_from_now_or_from_the_last_event() {
        assert_eq!(first("-15m"), Some(NINE - 900_000));
        assert_eq!(first("now-1h30m"), Some(NINE - 5_400_000));
        assert_eq!(first("-4s"), Some(NINE - 4000));
        assert_eq!(first("-3d"), Some(NINE - 3 * 86_400_000));
        assert_eq!(first("-2w"), Some(NINE - 14 * 86_400_000));
        assert_eq!(
            (first("now"), first("end"), first("end-1m")),
            (Some(NINE), Some(NINE - 60_000), Some(NINE - 120_000))
        );
        assert_eq!(TimeContext::at(1000).parse("-2w"), Ok(TimeSpan { first: 0, last: 0 }));
        assert_eq!(TimeContext::at(1000).parse("end-1h"), Err(TimeInputError::LastEventUnknown));
        assert_eq!(TimeContext::default().parse("-1h"), Err(TimeInputError::NowUnknown));
    }

    #[test]
    fn a_number_is_milliseconds_and_needs_a_unit_when_it_is_short() {
        assert_eq!((first("1795165200000"), first("5ms")), (Some(NINE), Some(5)));
        assert_eq!((first("179516520000"), first("17951652000000")), (Some(NINE / 10), Some(NINE * 10)));
        for text in ["2026", "17951652000", "179516520000000"] {
            assert_eq!(CONTEXT.parse(text), Err(TimeInputError::NumberWithoutUnit), "{text}");
        }
    }

    #[test]
    fn a_time_stands_for_as_much_as_was_typed() {
        for (text, ms) in [
            ("2026-11-20", 86_400_000),
            ("2026-11-20T09", 3_600_000),
            ("2026-11-20T09:00", 60_000),
            ("2026-11-20T09:00+02:00", 60_000),
            ("2026-11-20T09:00[Europe/Berlin]", 60_000),
            ("2026-11-20T09:00:01Z", 1000),
            ("2026-11-20T09:00:01.5", 100),
            ("2026-11-20T09:00:01.123", 1),
            ("2026-11-20T09:00:01.123456789", 1),
            ("-15m", 1),
        ] {
            let span = CONTEXT.parse(text).unwrap();
            assert_eq!(span.last - span.first + 1, ms, "{text}");
        }
    }

    #[test]
    fn a_text_that_is_no_time_is_refused() {
        for text in [
            "",
            "-",
            "-15",
            "-m",
            "-15x",
            "15m",
            "yesterday",
            "2026-13-01",
            "1969-12-31",
            "-15mé",
            "-é",
            "ms",
            "end-",
            "ending",
        ] {
            assert_eq!(CONTEXT.parse(text), Err(TimeInputError::NotATime), "{text}");
        }
    }
}
