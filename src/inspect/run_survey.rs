//! The survey: one pass over a log that collects findings, counts and the health map, and can extend an index.

use std::ops::Range;

use super::part_scan::{PartScanner, ScanDepth};
use super::survey::{OnSurveyUpdate, Survey, SurveyOptions};
use super::survey_pass::SurveyPass;
use super::{LogView, parallel_scan};
use crate::StorageError;
use crate::index::AggregateIndex;

/// The default size of a part, in bytes. A part is scanned by one thread, and then merged.
const DEFAULT_PART_BYTES: u64 = 16 << 20;

/// Reads a log once, adds its events to `index` when there is one, and reports findings and progress to `on_update`.
///
/// The end of the log is fixed first. With an index, [`SurveyOptions::from`] should be the end of the range that the index
/// covers. Memory use is two mebibytes for each thread, or one frame when that is larger, and the index.
///
/// # Errors
/// `Cancelled` when `on_update` breaks; events that were added to the index by then stay in it. `Io`, `Changed` and `OutOfMemory` when
/// the log cannot be read.
pub fn survey(
    view: &LogView,
    options: &SurveyOptions,
    index: Option<&mut AggregateIndex>,
    on_update: &mut OnSurveyUpdate,
) -> Result<Survey, StorageError> {
    let file_end = view.log().len()?;
    let first = view.log().first_frame_offset();
    let start = options.from.unwrap_or(first).max(first).min(file_end.max(first));
    let mut index = index;
    if let Some(index) = &mut index {
        index.clear_tail_damage();
    }
    let depth = match index {
        _ if options.frames_only => ScanDepth::Frames,
        Some(_) => ScanDepth::Index,
        None => ScanDepth::Events,
    };
    let part_scanner = PartScanner { view, depth, file_end };
    let mut pass = SurveyPass::new(part_scanner, start, options.previous_time, index, on_update);
    if options.from.is_none() {
        pass.check_header()?;
    }
    let until = options.until.unwrap_or(u64::MAX);
    let parts = split_into_parts(view, start..until.min(file_end), options.part_bytes.unwrap_or(DEFAULT_PART_BYTES));
    if view.threads() > 1 && parts.len() > 1 {
        parallel_scan::scan_parts_in_parallel(&mut pass, view.threads(), parts)?;
    } else {
        parts.into_iter().try_for_each(|part| pass.scan_until(part.end))?;
    }
    // A part ends at the first frame that starts after its range, so some of the range may not be scanned yet.
    pass.scan_until(until)?;
    if options.until.is_none() {
        pass.check_truncation()?;
    }
    pass.finish(start)
}

/// Divides `range` into parts of about `bytes` bytes. A boundary is moved to an anchor of the index that is near.
fn split_into_parts(view: &LogView, range: Range<u64>, bytes: u64) -> Vec<Range<u64>> {
    let segment_starts = view.segment_bases();
    let mut parts = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let boundary = start.saturating_add(bytes.max(1));
        let anchor = view.trusted_index().and_then(|index| index.anchor_before(boundary)).map(|anchor| anchor.offset);
        let end = anchor.filter(|anchor| *anchor > start + bytes / 2).unwrap_or(boundary).min(range.end);
        // A part ends where a segment ends, so that findings about the next one come after those of the part.
        let next_segment = segment_starts.get(segment_starts.partition_point(|base| *base <= start));
        let end = end.min(next_segment.copied().unwrap_or(end));
        parts.push(start..end);
        start = end;
    }
    parts
}
