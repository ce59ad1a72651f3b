//! Formats sizes, counts, durations, rates, percentages and times, and parses sizes, rates and times.
//!
//! No function here reads a clock; the caller passes every time.

use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::zone_files::{local_zone, zone_named};

const SIZE_UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// The zone of this machine, which is read once.
static LOCAL_ZONE: OnceLock<TimeZone> = OnceLock::new();

/// The time zone that times are shown in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum DisplayZone {
    /// Coordinated universal time; shown with a `Z`.
    #[default]
    Utc,
    /// The time zone of this machine, or that of the variable `TZ`; shown with its offset from UTC.
    Local,
    /// A zone that the user has named; shown with its offset from UTC.
    Named(&'static TimeZone),
}

impl DisplayZone {
    /// Parses a zone: `utc`, `local`, a name such as `Europe/Berlin`, or an offset such as `+05:30`.
    ///
    /// The zone is kept until the process ends, so a program parses it once.
    ///
    /// # Errors
    /// The expected forms and the reason, when `text` is not a zone or this machine does not know it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let zone = match text.to_ascii_lowercase().as_str() {
            "utc" | "z" => return Ok(Self::Utc),
            "local" => return Ok(Self::Local),
            _ if text.starts_with(['+', '-']) => format!("2000-01-01T00:00{text}[{text}]")
                .parse::<jiff::ZonedDateTime>()
                .map(|time| time.time_zone().clone()),
            _ => zone_named(text),
        };
        match zone {
            Ok(zone) => Ok(Self::Named(Box::leak(Box::new(zone)))),
            Err(error) => {
                Err(format!("expected utc, local, a zone such as Europe/Berlin or an offset such as +05:30: {error}"))
            }
        }
    }

    /// Returns the name of the zone, with its offset from UTC at a time: `UTC`, `Europe/Berlin (+01:00)`.
    pub(crate) fn name(self, ms: u64) -> String {
        let offset = format_zone(ms, self);
        match (self, self.time_zone().iana_name()) {
            (Self::Utc, _) => "UTC".into(),
            (_, Some(name)) => format!("{name} ({offset})"),
            (Self::Local, None) => format!("local time ({offset})"),
            (Self::Named(_), None) => offset,
        }
    }

    /// Returns the rules of the zone; `None` for UTC.
    pub(crate) fn rules(self) -> Option<&'static TimeZone> {
        match self {
            Self::Utc => None,
            Self::Local => Some(LOCAL_ZONE.get_or_init(local_zone)),
            Self::Named(zone) => Some(zone),
        }
    }

    fn time_zone(self) -> TimeZone {
        self.rules().cloned().unwrap_or(TimeZone::UTC)
    }
}

/// Formats bytes in binary units with at least two digits: `812 B`, `1.2 GiB`, `12 MiB`.
pub(crate) fn format_size(bytes: u64) -> String {
    let mut unit = 0;
    let mut value = bytes as f64;
    // 1023.5 and more would be rounded to 1024, which is one of the next unit.
    while value >= 1023.5 && unit + 1 < SIZE_UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let name = SIZE_UNITS.get(unit).copied().unwrap_or_default();
    if unit == 0 {
        return format!("{bytes} {name}");
    }
    if value < 9.95 { format!("{value:.1} {name}") } else { format!("{value:.0} {name}") }
}

/// Formats bytes in binary units with the exact number where the unit is larger: `812 B`, `1.2 MiB (1 258 291 bytes)`.
pub(crate) fn format_exact_size(bytes: u64) -> String {
    let size = format_size(bytes);
    if bytes < 1024 { size } else { format!("{size} ({} bytes)", format_number(bytes)) }
}

/// Formats a number with a space between thousands: `3 104 221`.
pub(crate) fn format_number(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// Formats a number with a noun in singular or plural: `1 event`, `4 201 events`.
pub(crate) fn format_count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{} {noun}s", format_number(number)) }
}

/// Formats a duration: `1.1 µs`, `125 µs`, `12 ms`, `1.2 s`, `2 min 05 s`, `3 h 12 min`.
pub(crate) fn format_duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let short =
        |value: f64, unit| if value < 9.95 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") };
    if seconds < 999.5e-9 {
        format!("{} ns", duration.as_nanos())
    } else if seconds < 999.5e-6 {
        short(seconds * 1e6, "µs")
    } else if seconds < 999.5e-3 {
        short(seconds * 1e3, "ms")
    } else if seconds < 59.5 {
        short(seconds, "s")
    } else if seconds < 3599.5 {
        let whole = (duration.as_millis() as u64 + 500) / 1000;
        format!("{} min {:02} s", whole / 60, whole % 60)
    } else {
        let minutes = (duration.as_secs() + 30) / 60;
        format!("{} h {:02} min", minutes / 60, minutes % 60)
    }
}

/// Formats bytes per second: `1.2 GiB/s`.
pub(crate) fn format_rate(bytes: u64, elapsed: Duration) -> String {
    let per_second = u128::from(bytes) * 1_000_000_000 / elapsed.as_nanos().max(1);
    format!("{}/s", format_size(u64::try_from(per_second).unwrap_or(u64::MAX)))
}

/// Formats a share as a whole percentage: 100 only if `done` reaches `total`, 0 only if `done` is 0.
pub(crate) fn format_percent(done: u64, total: u64) -> String {
    if done >= total {
        return "100 %".into();
    }
    let share = (u128::from(done) * 100 / u128::from(total)) as u64;
    if share == 0 && done > 0 { "1 %".into() } else { format!("{share} %") }
}

/// Formats the progress of a long operation: `42 %, 1.2 GiB/s, 3.1 s left`.
pub(crate) fn format_progress(done: u64, total: u64, elapsed: Duration) -> String {
    format!("{}, {}", format_percent(done, total), format_speed(done, total, elapsed))
}

/// Formats the rate and remaining time of a long operation: `1.2 GiB/s, 3.1 s left`.
pub(crate) fn format_speed(done: u64, total: u64, elapsed: Duration) -> String {
    let rate = format_rate(done, elapsed);
    if done == 0 || done >= total {
        return rate;
    }
    let remaining = elapsed.mul_f64((total - done) as f64 / done as f64);
    format!("{rate}, {} left", format_duration(remaining))
}

/// Formats an offset in hexadecimal with at least eight digits: `0x0012AB40`.
pub(crate) fn format_hex_offset(offset: u64) -> String {
    format!("0x{offset:08X}")
}

/// Formats the time of day with milliseconds: `09:14:02.113`.
pub(crate) fn format_time_of_day(ms: u64, zone: DisplayZone) -> String {
    format_time(ms, zone, "%H:%M:%S%.3f", "")
}

/// Formats the date: `2026-11-20`.
pub(crate) fn format_date(ms: u64, zone: DisplayZone) -> String {
    format_time(ms, zone, "%Y-%m-%d", "")
}

/// Formats the offset of the zone from UTC at a time: `Z`, `+05:30`.
pub(crate) fn format_zone(ms: u64, zone: DisplayZone) -> String {
    format_time(ms, zone, "", zone_suffix(zone))
}

/// Formats the zone after a time of day in a sentence: `UTC`, `+05:30`.
pub(crate) fn format_zone_word(ms: u64, zone: DisplayZone) -> String {
    match zone {
        DisplayZone::Utc => "UTC".into(),
        zone => format_zone(ms, zone),
    }
}

/// Formats date and time without seconds: `2026-11-20 09:12Z`.
pub(crate) fn format_minute(ms: u64, zone: DisplayZone) -> String {
    format_time(ms, zone, "%Y-%m-%d %H:%M", zone_suffix(zone))
}

/// Formats date and time with milliseconds: `2026-11-20 09:14:02.113Z`.
pub(crate) fn format_timestamp(ms: u64, zone: DisplayZone) -> String {
    let mut text = String::with_capacity(32);
    push_timestamp(&mut text, ms, zone);
    text
}

/// Appends date and time as [`format_timestamp`] formats them. Times in UTC cost a fifth of the general formatting, because
/// a list of differences has two in each line.
pub(crate) fn push_timestamp(out: &mut String, ms: u64, zone: DisplayZone) {
    match (zone, parse_ms(ms)) {
        (DisplayZone::Utc, Some(time)) => {
            let time = TimeZone::UTC.to_datetime(time);
            push_digits(out, time.year().unsigned_abs(), 4);
            let fields = [("-", time.month()), ("-", time.day()), (" ", time.hour()), (":", time.minute())];
            for (separator, value) in fields.into_iter().chain([(":", time.second())]) {
                out.push_str(separator);
                push_digits(out, value.unsigned_abs().into(), 2);
            }
            out.push('.');
            push_digits(out, time.millisecond().unsigned_abs(), 3);
            out.push('Z');
        }
        _ => out.push_str(&format_time(ms, zone, "%Y-%m-%d %H:%M:%S%.3f", zone_suffix(zone))),
    }
}

/// Appends a number with this number of digits, zeros before it.
fn push_digits(out: &mut String, number: u16, digits: u32) {
    for power in (0..digits).rev() {
        out.push(char::from(b'0' + (number / 10u16.pow(power) % 10) as u8));
    }
}

fn parse_ms(ms: u64) -> Option<Timestamp> {
    i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok())
}

/// Formats a time in UTC as other programs read it, with milliseconds (RFC 3339): `2026-11-20T09:14:02.113Z`.
pub(crate) fn format_exact_time(ms: u64) -> String {
    format_time(ms, DisplayZone::Utc, "%Y-%m-%dT%H:%M:%S%.3fZ", "")
}

/// Parses a size such as `1GiB`, `1.5 MiB`, `20M` or `4096`, in bytes. All units are binary: `K` is 1024.
///
/// # Errors
/// Returns the expected and the found text if `text` is not a size.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let expected = || format!("expected a size such as 64MiB or 1.5GiB, found `{text}`");
    let split = text.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(split).ok_or_else(expected)?;
    let letter = unit.trim().to_ascii_uppercase();
    let letter = letter.strip_suffix("IB").or(letter.strip_suffix('B')).unwrap_or(&letter);
    let power = ["", "K", "M", "G", "T", "P", "E"].iter().position(|known| *known == letter).ok_or_else(expected)?;
    let scale = 1u64 << (10 * power);
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let part_scale = 10u64.checked_pow(part.len() as u32).ok_or_else(expected)?;
    let (whole, part) = (whole.parse::<u64>().map_err(|_| expected())?, part.parse::<u64>().map_err(|_| expected())?);
    let part = u128::from(part) * u128::from(scale) / u128::from(part_scale);
    whole.checked_mul(scale).and_then(|bytes| bytes.checked_add(part as u64)).ok_or_else(expected)
}

/// Parses a rate in bytes per second: a size with or without `/s`.
///
/// # Errors
/// Returns the expected and the found text if `text` is not a rate, or if the rate is 0.
pub(crate) fn parse_rate(text: &str) -> Result<u64, String> {
    match parse_size(text.trim().strip_suffix("/s").unwrap_or(text))? {
        0 => Err("expected a rate above 0, such as 20MiB/s".into()),
        rate => Ok(rate),
    }
}

/// Parses a time: milliseconds since the Unix epoch, or `2026-11-20T09:14` with optional seconds and time zone. The
/// default time zone is UTC.
///
/// # Errors
/// Returns the expected and the found text if `text` is not a time.
pub(crate) fn parse_time(text: &str) -> Result<u64, String> {
    if let Ok(ms) = text.parse::<u64>() {
        return Ok(ms);
    }
    let civil = || text.parse::<jiff::civil::DateTime>().ok().and_then(|time| TimeZone::UTC.to_timestamp(time).ok());
    let time = text.parse::<Timestamp>().ok().or_else(civil);
    time.and_then(|time| u64::try_from(time.as_millisecond()).ok())
        .ok_or_else(|| format!("expected a time such as 2026-11-20T09:14 or milliseconds since 1970, found `{text}`"))
}

fn zone_suffix(zone: DisplayZone) -> &'static str {
    match zone {
        DisplayZone::Utc => "Z",
        DisplayZone::Local | DisplayZone::Named(_) => "%:z",
    }
}

/// Formats a time. A time outside the range of the calendar is shown in milliseconds.
fn format_time(ms: u64, zone: DisplayZone, format: &str, offset: &str) -> String {
    let Some(time) = parse_ms(ms) else {
        return format!("{ms} ms");
    };
    time.to_zoned_datetime(zone.time_zone()).strftime(&format!("{format}{offset}")).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_two_digits_and_the_largest_unit_that_fits() {
        let cases = [
            (0, "0 B"),
            (812, "812 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (12 << 20, "12 MiB"),
            (1_288_490_188, "1.2 GiB"),
            ((1 << 20) - 1, "1.0 MiB"),
            (10 * 1024 - 1, "10 KiB"),
            (u64::MAX, "16 EiB"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(format_size(bytes), expected, "{bytes}");
        }
    }

    #[test]
    fn thousands_are_separated() {
        let cases = [(0, "0"), (999, "999"), (1000, "1 000"), (3_104_221, "3 104 221")];
        for (number, expected) in cases {
            assert_eq!(format_number(number), expected);
        }
        assert_eq!((format_count(1, "event"), format_count(4201, "event")), ("1 event".into(), "4 201 events".into()));
    }

    #[test]
    fn durations_have_a_fitting_unit() {
        let cases = [
            (0, "0 ns"),
            (1_100, "1.1 µs"),
            (125_000, "125 µs"),
            (999_600, "1.0 ms"),
            (12_000_000, "12 ms"),
            (1_200_000_000, "1.2 s"),
            (125_000_000_000, "2 min 05 s"),
            (11_520_000_000_000, "3 h 12 min"),
        ];
        for (nanos, expected) in cases {
            assert_eq!(format_duration(Duration::from_nanos(nanos)), expected);
        }
    }

    #[test]
    fn only_a_complete_share_is_100_percent() {
        let cases = [(0, 1000, "0 %"), (1, 1000, "1 %"), (999, 1000, "99 %"), (5, 5, "100 %"), (0, 0, "100 %")];
        for (done, total, expected) in cases {
            assert_eq!(format_percent(done, total), expected);
        }
        assert_eq!(format_progress(1 << 20, 4 << 20, Duration::from_secs(1)), "25 %, 1.0 MiB/s, 3.0 s left");
    }

    #[test]
    fn times_have_their_zone_and_accept_any_number() {
        let ms = 1_795_165_942_113;
        assert_eq!(format_time_of_day(ms, DisplayZone::Utc), "09:12:22.113");
        assert_eq!(format_minute(ms, DisplayZone::Utc), "2026-11-20 09:12Z");
        assert_eq!(format_timestamp(ms, DisplayZone::Utc), "2026-11-20 09:12:22.113Z");
        assert_eq!(format_timestamp(u64::MAX, DisplayZone::Utc), "18446744073709551615 ms");
        for ms in [0, 951_782_399_999, 253_402_207_200_999] {
            let general = format_time(ms, DisplayZone::Utc, "%Y-%m-%d %H:%M:%S%.3f", "Z");
            assert_eq!(format_timestamp(ms, DisplayZone::Utc), general);
        }
        let local = format_timestamp(ms, DisplayZone::Local);
        assert!(local.contains('+') || local.contains('-'), "{local}");
    }

    #[test]
    fn sizes_rates_and_times_are_parsed() {
        let sizes = [("4096", 4096), ("1GiB", 1 << 30), ("1.5 MiB", 3 << 19), ("20M", 20 << 20), ("7kb", 7 << 10)];
        for (text, expected) in sizes {
            assert_eq!(parse_size(text), Ok(expected), "{text}");
        }
        for text in ["", "x", "1XB", "-1", "99999999E", "1.2.3"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
        assert_eq!(parse_rate("20MiB/s"), Ok(20 << 20));
        assert!(parse_rate("0").is_err());
        for text in ["1795165942113", "2026-11-20T09:12:22.113", "2026-11-20T10:12:22.113+01:00"] {
            assert_eq!(parse_time(text), Ok(1_795_165_942_113), "{text}");
        }
        assert!(parse_time("yesterday").is_err());
    }
}
