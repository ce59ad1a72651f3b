//! The findings about segments that are missing, or whose files are too short or too long.

use std::ops::Range;

use crate::file::LogFile;
use crate::format::{DamageKind, Evidence, Finding};

/// Returns the finding about a range of a log before the next segment, of which there is no file, or which the file of its
/// segment does not have.
pub(super) fn missing_range_finding(log: &LogFile, range: Range<u64>) -> Finding {
    let segment = log.storage().segments().map(|segments| segments.segment_at(range.start));
    let missing = segment.map_or(range.end - range.start, |segment| {
        let missing = segment.missing();
        missing.end - missing.start.max(range.start)
    });
    let reason = if missing == range.end - range.start {
        format!("no segment has the {missing} bytes before the segment at offset {}", range.end)
    } else {
        format!("the file of the segment ends {missing} bytes before the segment at offset {}", range.end)
    };
    let evidence = Evidence {
        log_end_offset: Some(range.end),
        bytes_missing: Some(missing),
        reason: Some(reason),
        ..Evidence::default()
    };
    Finding::new(DamageKind::Truncated, range).with_evidence(evidence)
}
