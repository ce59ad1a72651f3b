//! The findings about segments that are missing, or whose files are too short or too long.

use std::ops::Range;

use crate::file::{LogFile, SegmentBounds, SegmentCondition, SegmentSet};
use crate::format::{DamageKind, Evidence, Finding, LostRange, segment_file_name};

/// Returns the findings about a range of a log before the next segment, of which there is no file, or which the file of its
/// segment does not have: one for each part that a repair has given up, and one for each other part.
pub(super) fn missing_range_findings(log: &LogFile, range: Range<u64>) -> Vec<Finding> {
    let segments = log.storage().segments();
    let bounds = segments.map(|segments| segments.segment_at(range.start));
    let missing = bounds.as_ref().map_or_else(|| range.clone(), SegmentBounds::missing);
    let foreign = segments.zip(bounds).and_then(|(segments, bounds)| foreign_file(segments, &bounds));
    // A retention can have removed the range meanwhile.
    let absent = missing.start.clamp(range.start, range.end)..range.end;
    let lost = segments.map(|segments| segments.lost_parts(&absent)).unwrap_or_default();
    let mut findings = Vec::new();
    let mut at = range.start;
    for part in lost {
        // The bytes before the range that the file does not have are the beginning of a frame in it.
        let start = if part.start == absent.start { range.start } else { part.start };
        if at < start {
            findings.push(missing_finding(at..start, &absent, foreign.as_deref()));
        }
        findings.push(lost_finding(start, part));
        at = part.end;
    }
    if at < range.end {
        findings.push(missing_finding(at..range.end, &absent, foreign.as_deref()));
    }
    findings
}

/// Returns the finding about a range that was given up. `start` can lie before it, in a frame of which the file has the start.
fn lost_finding(start: u64, lost: LostRange) -> Finding {
    let evidence = Evidence { given_up_at_ms: Some(lost.given_up_at_ms), ..Evidence::default() };
    Finding::new(DamageKind::Lost, start..lost.end).with_evidence(evidence)
}

/// Returns the name of the file that has the name of the segment with these bounds, and is not that segment.
fn foreign_file(segments: &dyn SegmentSet, bounds: &SegmentBounds) -> Option<String> {
    let is_listed = bounds.condition == SegmentCondition::Missing && segments.bases().contains(&bounds.base);
    is_listed.then(|| segment_file_name(bounds.base))
}

/// Returns the finding about a range that was not given up. The log has no byte of `absent`. `foreign` is the name of a file that
/// has the name of the segment and is no segment of the log.
fn missing_finding(range: Range<u64>, absent: &Range<u64>, foreign: Option<&str>) -> Finding {
    let missing = range.end - absent.start.max(range.start);
    let reason = if missing == range.end - range.start {
        format!("no segment has the {missing} bytes before offset {}", range.end)
    } else {
        format!("the file of the segment ends {missing} bytes before offset {}", range.end)
    };
    let foreign = foreign
        .map(|name| format!(", and the file {name} is no segment of this log: move it away first"))
        .unwrap_or_default();
    let evidence = Evidence {
        log_end_offset: Some(range.end),
        bytes_missing: Some(missing),
        reason: Some(reason + &foreign),
        ..Evidence::default()
    };
    Finding::new(DamageKind::Truncated, range).with_evidence(evidence)
}

/// Returns the ranges of a log that were given up, ascending.
pub(super) fn lost_ranges(segments: &dyn SegmentSet) -> Vec<LostRange> {
    segments.missing_ranges().iter().flat_map(|range| segments.lost_parts(range)).collect()
}
