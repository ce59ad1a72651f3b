//! What the steps of a plan do to the files of segments and to the settings of a log in a folder.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::step_parts::{StepPart, are_parts_of};
use crate::format::header::LogHeader;
use crate::format::{LogSettings, Version, hex};

/// The file of a missing segment, as a repair writes it: a header, and frames of other copies of the log, with gaps where none
/// has a frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSegment {
    /// The header, in hexadecimal.
    pub header: String,
    /// The end of the log before, when the segment becomes the last one.
    pub old_log_end: Option<u64>,
    /// The description in the payloads of the gaps: a JSON object.
    #[serde(rename = "says")]
    pub description: String,
    /// The parts after the header, by ascending offset.
    pub parts: Vec<StepPart>,
}

impl NewSegment {
    /// The length of the header, in bytes.
    pub(crate) const fn header_len(&self) -> u64 {
        self.header.len() as u64 / 2
    }

    /// True when the header belongs at the start of the range, and the parts fill the rest of it.
    pub(crate) fn fills(&self, range: Range<u64>) -> bool {
        let rest = range.start.saturating_add(self.header_len())..range.end;
        is_header_at(&self.header, range.start)
            && (are_parts_of(&self.parts, rest.clone()) || (self.parts.is_empty() && rest.is_empty()))
    }
}

/// A range of which no segment is left, and which a repair gives up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenUpRange {
    /// The offset after the range.
    pub end: u64,
    /// The new segment after the range, when the log has lost its last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextSegment>,
}

/// The empty segment with which a log goes on after a lost range at its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextSegment {
    /// The header, in hexadecimal.
    pub header: String,
    /// The end of the log before.
    pub old_log_end: u64,
}

impl GivenUpRange {
    /// Returns the end of the log before and after the repair; `None` when the repair adds no segment.
    pub(crate) fn log_ends(&self) -> Option<(u64, u64)> {
        let next = self.next.as_ref()?;
        Some((next.old_log_end, self.end.saturating_add(next.header.len() as u64 / 2)))
    }

    /// True when the range is after `start` and the new segment starts at its end.
    pub(crate) fn is_after(&self, start: u64) -> bool {
        start < self.end && self.next.as_ref().is_none_or(|next| is_header_at(&next.header, self.end))
    }
}

/// The bytes that the file of a sealed segment has after the start of the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExcessBytes {
    /// Offset of the segment in the log.
    pub base: u64,
    /// Number of bytes.
    pub bytes: u64,
    /// SHA-256 of the bytes.
    #[serde(with = "hex")]
    pub sha256: Vec<u8>,
}

impl ExcessBytes {
    /// True when bytes of a segment that ends at `end` can be meant.
    pub(crate) fn is_after(&self, end: u64) -> bool {
        self.base < end && end.checked_add(self.bytes).is_some()
    }
}

/// The change of the settings of a log in a folder, the file `log.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedSettings {
    /// The bytes of the file before, in hexadecimal; `None` when there is no file.
    pub before: Option<String>,
    /// What is written.
    pub write: SettingsWrite,
}

impl PlannedSettings {
    /// True when every text of the change can be decoded, so that none of them is taken for a file that is not there.
    pub(crate) fn is_valid(&self) -> bool {
        let is_hex = |bytes: &Option<String>| bytes.as_deref().is_none_or(|bytes| hex::decode(bytes).is_some());
        is_hex(&self.before)
            && match &self.write {
                SettingsWrite::Bytes(bytes) => is_hex(bytes),
                SettingsWrite::Lost { dropped, given_up, base } => {
                    let before = || self.before.as_deref().and_then(hex::decode);
                    let start = base.as_ref().map(|base| base.clone().into_bytes()).or_else(before);
                    start.is_some_and(|bytes| LogSettings::decode(&bytes).is_ok())
                        && dropped.iter().chain(given_up).all(|range| range.start < range.end)
                }
            }
    }
}

/// What a plan writes into the settings of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingsWrite {
    /// The same settings with other lost ranges.
    Lost {
        /// The ranges that are no longer recorded as lost: they are restored, or a segment has them.
        dropped: Vec<Range<u64>>,
        /// The ranges that are given up, with the time at which the repair begins.
        given_up: Vec<Range<u64>>,
        /// The settings to start with when the file has none that can be used, as a JSON document.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        base: Option<String>,
    },
    /// These bytes, in hexadecimal; `None` removes the file.
    Bytes(Option<String>),
}

/// True when a header in hexadecimal is that of the segment that starts at `base`.
fn is_header_at(header: &str, base: u64) -> bool {
    let bytes = hex::decode(header).unwrap_or_default();
    let decoded = LogHeader::decode(&bytes).ok().and_then(|header| header.segment);
    bytes.len() as u64 == Version::V2.first_frame_offset() && decoded.is_some_and(|segment| segment.base == base)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::LogId;

    #[test]
    fn settings_that_cannot_be_decoded_are_not_those_of_a_file_that_is_not_there() {
        let settings = LogSettings {
            log_id: LogId::from_bytes([7; 16]),
            segment_size: 1 << 20,
            segment_age_ms: None,
            first_offset: 0,
            lost: Vec::new(),
        };
        let valid = Some(hex::encode(settings.encode().as_bytes()));
        let change = |before: &Option<String>, write| PlannedSettings { before: before.clone(), write }.is_valid();
        let lost = |range: Range<u64>, base: Option<String>| SettingsWrite::Lost {
            dropped: Vec::new(),
            given_up: vec![range],
            base,
        };
        assert!(change(&None, SettingsWrite::Bytes(valid.clone())) && change(&valid, SettingsWrite::Bytes(None)));
        assert!(change(&valid, lost(64..128, None)) && change(&None, lost(64..128, Some(settings.encode()))));
        let invalid = Some("0g".to_owned());
        assert!(!change(&invalid, SettingsWrite::Bytes(None)) && !change(&None, SettingsWrite::Bytes(invalid)));
        assert!(!change(&None, lost(64..128, None)) && !change(&None, lost(64..128, Some("{}".into()))));
        let reversed = Range { start: 128, end: 64 };
        assert!(!change(&valid, lost(reversed, None)));
    }

    #[test]
    fn excess_bytes_are_after_their_segment_and_end_at_an_offset() {
        let excess = |bytes| ExcessBytes { base: 64, bytes, sha256: Vec::new() };
        assert!(excess(10).is_after(100) && !excess(10).is_after(64) && !excess(u64::MAX).is_after(100));
    }
}
