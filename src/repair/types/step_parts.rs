//! The parts of a range that a step fills from several sources.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A part of a range that is filled from several sources. It starts where the part before it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepPart {
    /// File offset after the last byte of the part.
    pub end: u64,
    /// The copy of the log from which the bytes are copied; `None` for a gap.
    pub from: Option<PathBuf>,
}

/// A range that a step fills from one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepSection<'a> {
    /// The range after the repair, in file offsets.
    pub(crate) range: Range<u64>,
    /// The file from which the bytes are copied; `None` for a gap.
    pub(crate) from: Option<&'a Path>,
}

/// Returns the sections of consecutive parts from `start` on.
pub(super) fn sections_from(start: u64, parts: &[StepPart]) -> Vec<StepSection<'_>> {
    let starts = std::iter::once(start).chain(parts.iter().map(|part| part.end));
    let parts = starts.zip(parts);
    parts.map(|(start, part)| StepSection { range: start..part.end, from: part.from.as_deref() }).collect()
}

/// True when the parts fill the range.
pub(super) fn are_parts_of(parts: &[StepPart], range: Range<u64>) -> bool {
    parts.is_sorted_by(|a, b| a.end < b.end)
        && parts.first().is_some_and(|part| range.start < part.end)
        && parts.last().is_some_and(|part| part.end == range.end)
}
