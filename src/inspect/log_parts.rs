//! The parts of a log in a folder, in order: its segments, and the ranges of which no segment is left; and the files in the
//! folder that belong to no log.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::{LogView, OnProgress, Progress};
use crate::StorageError;
use crate::file::{
    FoundSettings, LOCK_FILE, SegmentBounds, SegmentCondition, SegmentSet, journal_folder_of, temporary_target,
};
use crate::format::{REMOVED_FOLDER, SETTINGS_FILE, base_of_index_file, base_of_segment_file};

/// Number of segments that are examined between two reports of progress.
const SEGMENTS_PER_REPORT: usize = 256;

/// A part of a log in a folder. Positions are offsets in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogPart {
    /// A segment whose file is there. The file may be shorter than the segment, or may not be readable.
    Segment(SegmentBounds),
    /// A range of which no segment is left.
    Gone(Range<u64>, GoneCause),
}

/// Why no segment is left of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GoneCause {
    /// Retention has removed the segments.
    Removed,
    /// A repair has given the range up.
    Lost,
    /// The segment is missing, or its file ends before the next segment.
    Missing,
}

/// The parts of a log, with what was found in its folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LogParts {
    /// The parts, ascending and adjacent.
    pub(crate) parts: Vec<LogPart>,
    /// The names in the folder that are none of this log, sorted.
    pub(crate) strange_files: Vec<PathBuf>,
}

/// The bounds of sealed segments that were read earlier, by base. The folder is listed again to see which files are left.
pub(crate) type KnownBounds = BTreeMap<u64, SegmentBounds>;

impl LogPart {
    /// The offsets from the start of the part to the next one; the end is `u64::MAX` in the last segment.
    pub(crate) fn range(&self) -> Range<u64> {
        match self {
            Self::Segment(bounds) => bounds.base..bounds.end,
            Self::Gone(range, _) => range.clone(),
        }
    }
}

impl LogView {
    /// Returns the parts of a log in a folder; none for a log in one file. Lists the folder once, and opens each segment that is
    /// not among `known`, to which sealed and readable ones are added.
    ///
    /// # Errors
    /// `Io` when the folder cannot be listed; `Cancelled` when `on_progress` breaks.
    pub(crate) fn log_parts(
        &self,
        known: &mut KnownBounds,
        on_progress: &mut OnProgress,
    ) -> Result<LogParts, StorageError> {
        let Some(segments) = self.segments() else { return Ok(LogParts::default()) };
        let list = self.disk().list(segments.folder());
        let listed = list.map_err(|error: io::Error| StorageError::io(segments.folder(), "list", error))?;
        let (bases, log_start) = (segments.bases(), segments.log_start());
        let files: Vec<u64> = listed.iter().filter_map(|path| base_of_segment_file(path)).collect();
        known.retain(|base, bounds| {
            let at = bases.binary_search(base);
            files.binary_search(base).is_ok() && at.is_ok_and(|at| bases.get(at + 1) == Some(&bounds.end))
        });
        let mut found = LogParts::default();
        if log_start > 0 {
            found.parts.push(LogPart::Gone(0..log_start, GoneCause::Removed));
        }
        let mut gone: Vec<Range<u64>> = bases.first().map(|first| log_start..*first).into_iter().collect();
        for (number, base) in bases.iter().enumerate() {
            if number.is_multiple_of(SEGMENTS_PER_REPORT)
                && on_progress(Progress { position: number as u64, total: bases.len() as u64 }).is_break()
            {
                return Err(StorageError::Cancelled);
            }
            found.parts.extend(gone.drain(..).filter(|range| !range.is_empty()).map(missing_part));
            let bounds = match (known.get(base), bases.get(number + 1)) {
                (Some(known), _) => known.clone(),
                // A segment that is open stays readable after its file was moved away.
                (None, Some(next)) if files.binary_search(base).is_err() => {
                    SegmentBounds { base: *base, data_end: *base, end: *next, condition: SegmentCondition::Missing }
                }
                _ => segments.segment_at(*base),
            };
            // A file that is no segment has a name within the segment before it.
            if bounds.condition == SegmentCondition::Present && bounds.base != *base {
                continue;
            }
            let missing = bounds.missing();
            match bounds.condition {
                SegmentCondition::Missing | SegmentCondition::Removed => {}
                SegmentCondition::Present | SegmentCondition::Unreadable(_) => {
                    if bounds.condition == SegmentCondition::Present && bounds.end != u64::MAX {
                        known.insert(*base, bounds.clone());
                    }
                    // Of a file that cannot be opened, nothing shows where it ends.
                    if bounds.condition == SegmentCondition::Present {
                        gone.push(missing);
                    }
                    found.parts.push(LogPart::Segment(bounds));
                    continue;
                }
            }
            gone.push(missing);
        }
        found.parts.extend(gone.into_iter().filter(|range| !range.is_empty()).map(missing_part));
        self.mark_lost(segments, &mut found.parts);
        let is_segment = |base: u64| {
            let start = found.parts.partition_point(|part| part.range().start < base);
            matches!(found.parts.get(start), Some(LogPart::Segment(bounds)) if bounds.base == base)
        };
        // A file of another log can have the name of a segment that was removed.
        let is_leftover = |base: &u64| segments.open_segment(*base).is_ok();
        let leftover: Vec<u64> = segments.leftover_bases().into_iter().filter(is_leftover).collect();
        let journals = journal_folder_of(self.disk().as_ref(), segments.folder());
        let belongs = |path: &Path| {
            *path == journals
                || is_own_name(path)
                || base_of_segment_file(path).is_some_and(|base| is_segment(base) || leftover.contains(&base))
        };
        found.strange_files = listed.into_iter().filter(|path| !belongs(path)).collect();
        Ok(found)
    }

    /// Marks the missing ranges that a repair has given up, according to the settings of the log.
    fn mark_lost(&self, segments: &dyn SegmentSet, parts: &mut [LogPart]) {
        let is_missing = |part: &LogPart| matches!(part, LogPart::Gone(_, GoneCause::Missing));
        if !parts.iter().any(is_missing) {
            return;
        }
        let storage = self.log().storage();
        let found = FoundSettings::read(self.disk().as_ref(), segments.folder(), storage, segments.log_id());
        let lost = found.valid().map_or(&[][..], |settings| &settings.lost);
        for part in parts {
            if let LogPart::Gone(range, cause @ GoneCause::Missing) = part
                && lost.iter().any(|lost| lost.start <= range.start && range.end <= lost.end)
            {
                *cause = GoneCause::Lost;
            }
        }
    }
}

const fn missing_part(range: Range<u64>) -> LogPart {
    LogPart::Gone(range, GoneCause::Missing)
}

/// Returns whether a file in the folder of a log has a name that belongs to the log, other than that of a segment: a side file,
/// an index, or a temporary file of one of these.
fn is_own_name(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    if [SETTINGS_FILE, LOCK_FILE, REMOVED_FOLDER].contains(&name) {
        return true;
    }
    let target = temporary_target(path).and_then(|target| std::str::from_utf8(target).ok()).map(Path::new);
    let is_temporary = target.is_some_and(|target| base_of_segment_file(target).is_some() || is_own_name(target));
    is_temporary || base_of_index_file(path).is_some()
}
