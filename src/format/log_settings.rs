//! [`LogSettings`]: the file `log.json` in the folder of a log. It says what is intended for the log, and is never needed to
//! read it.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::LogId;
use super::checked_document::{decode_checked, encode_checked};

/// The name of the file in the folder of the log.
pub(crate) const SETTINGS_FILE: &str = "log.json";
/// The largest file that is read, in bytes.
pub(crate) const MAX_SETTINGS_BYTES: u64 = 1 << 20;
/// The smallest segment size that a log can have, in bytes.
pub(crate) const MIN_SEGMENT_SIZE: u64 = 1 << 10;

/// The largest number of ranges that a log can give up.
pub(crate) const MAX_LOST_RANGES: usize = 1000;

/// What is intended for a log in segments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogSettings {
    /// The identity of the log, as a UUID.
    pub(crate) log_id: LogId,
    /// The size at which a segment is sealed, in bytes.
    pub(crate) segment_size: u64,
    /// The age at which a segment is sealed, in milliseconds; `None` for any age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) segment_age_ms: Option<u64>,
    /// The first offset that the log has. Segments before it were removed, and are not lost.
    #[serde(default)]
    pub(crate) first_offset: u64,
    /// The ranges that a repair has given up because no segment and no copy has them, by ascending offset.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) lost: Vec<LostRange>,
}

/// A range of a log of which no segment is left, and which a repair has given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LostRange {
    /// First offset of the range.
    pub start: u64,
    /// The offset after it, where the next segment starts.
    pub end: u64,
    /// When a repair gave the range up, in milliseconds since the Unix epoch.
    pub given_up_at_ms: u64,
}

impl LostRange {
    /// The offsets of the range.
    pub const fn range(&self) -> Range<u64> {
        self.start..self.end
    }

    /// Returns the part of the range that lies in `other`; `None` when there is none.
    pub(crate) fn part_in(&self, other: &Range<u64>) -> Option<Self> {
        let (start, end) = (self.start.max(other.start), self.end.min(other.end));
        (start < end).then_some(Self { start, end, ..*self })
    }
}

impl LogSettings {
    /// Encodes the settings as JSON with a checksum.
    pub(crate) fn encode(&self) -> String {
        encode_checked("settings", self)
    }

    /// Returns the settings with other lost ranges: without those in `dropped`, and with `given_up`, which a repair gives up at
    /// `at_ms`.
    pub(crate) fn with_lost(&self, dropped: &[Range<u64>], given_up: &[Range<u64>], at_ms: u64) -> Self {
        let mut lost = self.lost.clone();
        for range in dropped.iter().chain(given_up) {
            let rest = |known: &LostRange| [known.part_in(&(0..range.start)), known.part_in(&(range.end..u64::MAX))];
            lost = lost.iter().flat_map(rest).flatten().collect();
        }
        lost.extend(given_up.iter().map(|range| LostRange {
            start: range.start,
            end: range.end,
            given_up_at_ms: at_ms,
        }));
        lost.sort_by_key(|range| range.start);
        Self { lost, ..self.clone() }
    }

    /// Decodes settings.
    ///
    /// # Errors
    /// The reason why the document cannot be used: its syntax, its checksum, or a value that no log has.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let settings: Self = decode_checked("settings", bytes)?;
        let are_ordered = settings.lost.iter().all(|range| range.start < range.end)
            && settings.lost.windows(2).all(|pair| matches!(pair, [before, after] if before.end <= after.start));
        if settings.segment_size < MIN_SEGMENT_SIZE || !are_ordered || settings.lost.len() > MAX_LOST_RANGES {
            return Err("it has values that no log has".to_owned());
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> LogSettings {
        LogSettings {
            log_id: LogId::from_bytes(*b"0123456789abcdef"),
            segment_size: 1 << 20,
            segment_age_ms: Some(86_400_000),
            first_offset: 4096,
            lost: vec![lost(5000, 6000)],
        }
    }

    fn lost(start: u64, end: u64) -> LostRange {
        LostRange { start, end, given_up_at_ms: 7 }
    }

    #[test]
    fn lost_ranges_are_dropped_in_part_and_new_ones_are_added_in_order() {
        let ranges = |settings: &LogSettings| {
            settings.lost.iter().map(|range| (range.start, range.end, range.given_up_at_ms)).collect::<Vec<_>>()
        };
        let fewer = settings().with_lost(&[Range { start: 5200, end: 5300 }], &[], 9);
        assert_eq!(ranges(&fewer), [(5000, 5200, 7), (5300, 6000, 7)]);
        let more = fewer.with_lost(&[], &[Range { start: 4000, end: 4500 }, Range { start: 5900, end: 7000 }], 9);
        assert_eq!(ranges(&more), [(4000, 4500, 9), (5000, 5200, 7), (5300, 5900, 7), (5900, 7000, 9)]);
        let none = more.with_lost(&[Range { start: 0, end: u64::MAX }], &[], 9);
        assert_eq!(ranges(&none), []);
    }

    #[test]
    fn settings_survive_the_document() {
        let minimal = LogSettings { segment_age_ms: None, lost: Vec::new(), ..settings() };
        for settings in [settings(), minimal] {
            assert_eq!(LogSettings::decode(settings.encode().as_bytes()), Ok(settings));
        }
    }

    #[test]
    fn each_changed_byte_of_the_document_is_noticed() {
        let good = settings().encode().trim_end().to_owned();
        for at in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[at] ^= 1;
            assert_ne!(LogSettings::decode(&bytes), Ok(settings()), "byte {at}");
        }
    }

    #[test]
    fn values_that_no_log_has_are_refused() {
        let unordered = vec![lost(5, 9), lost(8, 12)];
        let many = (0..=MAX_LOST_RANGES as u64).map(|n| lost(2 * n, 2 * n + 1)).collect();
        for wrong in [
            LogSettings { segment_size: 0, ..settings() },
            LogSettings { lost: vec![lost(9, 9)], ..settings() },
            LogSettings { lost: many, ..settings() },
            LogSettings { lost: unordered, ..settings() },
        ] {
            assert!(LogSettings::decode(wrong.encode().as_bytes()).is_err(), "{wrong:?}");
        }
    }
}
