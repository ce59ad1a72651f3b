//! [`LogSettings`]: the file `log.json` in the folder of a log. It says what is intended for the log, and is never needed to
//! read it.

use serde::{Deserialize, Serialize};

use super::LogId;
use super::checked_document::{decode_checked, encode_checked};

/// The name of the file in the folder of the log.
pub(crate) const SETTINGS_FILE: &str = "log.json";
/// The largest file that is read, in bytes.
pub(crate) const MAX_SETTINGS_BYTES: u64 = 1 << 20;
/// The smallest segment size that a log can have, in bytes.
pub(crate) const MIN_SEGMENT_SIZE: u64 = 1 << 10;

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
    /// The ranges that a repair has given up because no segment and no copy has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) lost: Vec<LostRange>,
}

/// A range of a log of which no segment is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LostRange {
    /// First offset of the range.
    pub(crate) start: u64,
    /// The offset after it, where the next segment starts.
    pub(crate) end: u64,
}

impl LogSettings {
    /// Encodes the settings as JSON with a checksum.
    pub(crate) fn encode(&self) -> String {
        encode_checked("settings", self)
    }

    /// Decodes settings.
    ///
    /// # Errors
    /// The reason why the document cannot be used: its syntax, its checksum, or a value that no log has.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let settings: Self = decode_checked("settings", bytes)?;
        let are_ordered = settings.lost.iter().all(|range| range.start < range.end)
            && settings.lost.windows(2).all(|pair| matches!(pair, [before, after] if before.end <= after.start));
        if settings.segment_size < MIN_SEGMENT_SIZE || !are_ordered {
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
            lost: vec![LostRange { start: 5000, end: 6000 }],
        }
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
        let unordered = vec![LostRange { start: 5, end: 9 }, LostRange { start: 8, end: 12 }];
        for wrong in [
            LogSettings { segment_size: 0, ..settings() },
            LogSettings { lost: vec![LostRange { start: 9, end: 9 }], ..settings() },
            LogSettings { lost: unordered, ..settings() },
        ] {
            assert!(LogSettings::decode(wrong.encode().as_bytes()).is_err(), "{wrong:?}");
        }
    }
}
