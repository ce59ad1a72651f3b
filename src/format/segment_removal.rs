//! [`SegmentRemoval`]: the record of segments that retention has removed from a log, in the folder `.removed` of the log.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::LogId;
use super::checked_document::{decode_checked, encode_checked};

/// The name of the folder, in the folder of the log, to which removed segments are moved.
pub(crate) const REMOVED_FOLDER: &str = ".removed";
/// The largest record that is read, in bytes.
pub(crate) const MAX_REMOVAL_BYTES: u64 = 16 << 20;
/// The largest reason in a record, in bytes.
const MAX_REASON_BYTES: usize = 1000;

/// What one retention has removed from the front of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SegmentRemoval {
    /// The identity of the log.
    pub log_id: LogId,
    /// When the segments were removed, in milliseconds since the Unix epoch.
    pub removed_at_ms: u64,
    /// The limits by which they were removed, as text.
    pub reason: String,
    /// The first offset of the log before.
    pub old_start: u64,
    /// The first offset of the log afterwards. It identifies the removal.
    pub new_start: u64,
    /// The removed segments, by ascending base.
    pub segments: Vec<RemovedSegment>,
    /// When their files were deleted for good, in milliseconds since the Unix epoch; `None` while they can be restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purged_at_ms: Option<u64>,
}

/// One removed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RemovedSegment {
    /// Offset of the segment in the log.
    pub base: u64,
    /// The size of its file, in bytes.
    pub bytes: u64,
    /// The number of its events.
    pub events: u64,
}

impl SegmentRemoval {
    /// The number of events in the removed segments.
    pub fn events(&self) -> u64 {
        self.segments.iter().map(|segment| segment.events).fold(0, u64::saturating_add)
    }

    /// The size of the removed segments, in bytes.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).fold(0, u64::saturating_add)
    }

    /// The name of the file of this record.
    pub(crate) fn file_name(&self) -> String {
        format!("{:020}.json", self.new_start)
    }

    /// Encodes the record as JSON with a checksum.
    pub(crate) fn encode(&self) -> String {
        encode_checked("removal", self)
    }

    /// Decodes the record in the file at `path`.
    ///
    /// # Errors
    /// The reason why it cannot be used: its syntax, its checksum, its name, or a value that no record has.
    pub(crate) fn decode(bytes: &[u8], path: &Path) -> Result<Self, String> {
        let record: Self = decode_checked("removal", bytes)?;
        let range = record.old_start..record.new_start;
        let are_ordered = record.segments.windows(2).all(|pair| matches!(pair, [a, b] if a.base < b.base));
        let are_inside = record.segments.iter().all(|segment| range.contains(&segment.base));
        let has_segments = !record.segments.is_empty() && are_ordered && are_inside;
        if !has_segments || record.reason.len() > MAX_REASON_BYTES {
            return Err("it has values that no record has".to_owned());
        }
        let expected = record.file_name();
        if path.file_name().is_none_or(|name| *name != *expected) {
            return Err(format!("expected the name {expected}"));
        }
        Ok(record)
    }
}

/// Returns true when a file has the name of a record.
pub(crate) fn is_removal_record(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".json"));
    name.is_some_and(|name| name.len() == 20 && name.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> SegmentRemoval {
        let segment = |base| RemovedSegment { base, bytes: 100, events: 3 };
        SegmentRemoval {
            log_id: LogId::from_bytes(*b"0123456789abcdef"),
            removed_at_ms: 5,
            reason: "before offset 250".into(),
            old_start: 0,
            new_start: 200,
            segments: vec![segment(0), segment(100)],
            purged_at_ms: None,
        }
    }

    fn decode(record: &SegmentRemoval) -> Result<SegmentRemoval, String> {
        SegmentRemoval::decode(record.encode().as_bytes(), Path::new(&record.file_name()))
    }

    #[test]
    fn a_record_survives_its_document_and_each_changed_byte_is_noticed() {
        let purged = SegmentRemoval { purged_at_ms: Some(9), ..record() };
        for record in [record(), purged] {
            assert_eq!(decode(&record), Ok(record.clone()));
            let good = record.encode().trim_end().to_owned();
            for at in 0..good.len() {
                let mut bytes = good.clone().into_bytes();
                bytes[at] ^= 1;
                assert_ne!(SegmentRemoval::decode(&bytes, Path::new(&record.file_name())), Ok(record.clone()), "{at}");
            }
        }
        assert_eq!((record().events(), record().bytes()), (6, 200));
        assert!(is_removal_record(Path::new(&record().file_name())));
        assert!(!is_removal_record(Path::new("log.json")));
    }

    #[test]
    fn values_that_no_record_has_are_refused() {
        let segments = |bases: [u64; 2]| bases.map(|base| RemovedSegment { base, bytes: 1, events: 1 }).to_vec();
        for wrong in [
            SegmentRemoval { segments: Vec::new(), ..record() },
            SegmentRemoval { segments: segments([100, 0]), ..record() },
            SegmentRemoval { segments: segments([0, 200]), ..record() },
            SegmentRemoval { old_start: 50, ..record() },
            SegmentRemoval { old_start: 300, ..record() },
            SegmentRemoval { reason: "x".repeat(1001), ..record() },
        ] {
            assert!(decode(&wrong).is_err(), "{wrong:?}");
        }
        let other_name = SegmentRemoval::decode(record().encode().as_bytes(), Path::new("00000000000000000300.json"));
        assert!(other_name.unwrap_err().contains("expected the name"));
    }
}
