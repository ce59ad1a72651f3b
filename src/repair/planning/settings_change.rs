//! Plans the change of the settings of a log in segments: the ranges that are given up, and those that are restored.

use std::ops::Range;

use crate::StorageError;
use crate::file::{DEFAULT_SEGMENT_SIZE, SegmentSet, read_settings_bytes};
use crate::format::{LogSettings, LostRange, MAX_LOST_RANGES, hex};
use crate::inspect::LogView;
use crate::repair::types::{PlannedSettings, RepairStep, SettingsWrite, StepWrite, refused_error};

/// Returns the change of the settings that belongs to `steps`; `None` when they give nothing up and restore nothing that was given
/// up.
///
/// # Errors
/// `Refused` when the file of the settings cannot be used, or would have too many lost ranges.
pub(super) fn plan_settings(view: &LogView, steps: &[RepairStep]) -> Result<Option<PlannedSettings>, StorageError> {
    let Some(segments) = view.segments() else { return Ok(None) };
    let is_given_up = |step: &&RepairStep| matches!(step.write, StepWrite::GiveUp(_));
    let given_up: Vec<Range<u64>> = steps.iter().filter(is_given_up).map(RepairStep::affected_range).collect();
    let restored: Vec<Range<u64>> =
        steps.iter().filter(|step| !is_given_up(step)).map(RepairStep::affected_range).collect();
    let lost = view.lost_ranges();
    let is_restored = |lost: &LostRange| restored.iter().any(|range| lost.part_in(range).is_some());
    if given_up.is_empty() && !lost.iter().any(is_restored) {
        return Ok(None);
    }
    let disk = view.disk().as_ref();
    let before = read_settings_bytes(disk, segments.folder(), view.log().storage())
        .map_err(|reason| refused_error(view.path(), reason, "Move this file away, and plan the repair again"))?;
    let settings = before.as_deref().and_then(|bytes| settings_of(bytes, segments));
    let base = settings.is_none().then(|| new_settings(segments));
    let known = settings.map(|settings| settings.lost).unwrap_or_default();
    // Of the entries in the file, those that a segment contradicts are dropped.
    let rest = |range: Range<u64>| {
        let believed: Vec<Range<u64>> =
            lost.iter().filter_map(|lost| lost.part_in(&range)).map(|part| part.range()).collect();
        without(range, &believed)
    };
    let contradicted = known.iter().flat_map(|range| rest(range.range()));
    let is_known = |range: &Range<u64>| known.iter().any(|lost| lost.part_in(range).is_some());
    let dropped: Vec<Range<u64>> = contradicted.chain(restored.into_iter().filter(is_known)).collect();
    if lost.len() + given_up.len() > MAX_LOST_RANGES {
        let reason = format!("the log would have more than {MAX_LOST_RANGES} lost ranges");
        return Err(refused_error(view.path(), reason, "Name a donor, or leave findings out with --except"));
    }
    let write = SettingsWrite::Lost { dropped, given_up, base };
    Ok(Some(PlannedSettings { before: before.map(|bytes| hex::encode(&bytes)), write }))
}

/// Returns the settings in a file, when they are those of this log.
fn settings_of(bytes: &[u8], segments: &dyn SegmentSet) -> Option<LogSettings> {
    LogSettings::decode(bytes).ok().filter(|settings| settings.log_id == segments.log_id())
}

/// Returns the settings of a log whose file is missing or cannot be used, as a document.
pub(crate) fn new_settings(segments: &dyn SegmentSet) -> String {
    let settings = LogSettings {
        log_id: segments.log_id(),
        segment_size: DEFAULT_SEGMENT_SIZE,
        segment_age_ms: None,
        first_offset: segments.log_start(),
        lost: Vec::new(),
    };
    settings.encode()
}

/// Returns the parts of `range` that are not in `others`, which are ascending.
fn without(range: Range<u64>, others: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut parts = Vec::new();
    let mut at = range.start;
    for other in others {
        if at < other.start {
            parts.push(at..other.start);
        }
        at = at.max(other.end);
    }
    if at < range.end {
        parts.push(at..range.end);
    }
    parts
}
