//! Retention of a log in segments: removes whole segments from the front, restores them, and deletes them for good.
//!
//! The newest segment's header says at which offset the log starts. A retention therefore begins by starting a segment with the
//! new offset, and an undo by starting one with the old offset; a last segment without an event is replaced instead. The files
//! are moved after that: [`EventLog::open`] moves those that lie before the first offset, so that a killed call is completed, or
//! taken back when it had not started its segment yet.

use std::ops::ControlFlow;

use super::EventLog;
use crate::StorageError;
use crate::file::{
    FoundRemovals, FoundSettings, RemovedFolder, SegmentSet, Storage, permissions_source, read_settings_bytes,
    write_settings,
};
use crate::format::{LogSettings, RemovedSegment, SegmentRemoval};
use crate::inspect::LogView;
#[cfg(feature = "app")]
use crate::repair::RepairRecord;
use crate::repair::{RetentionLimit, RetentionPlan, describe_limits, plan_retention, refused_error};

/// The number of records about deleted segments that are kept.
const MAX_PURGED_RECORDS: usize = 100;
/// The next step when the segments of a removal cannot be restored.
const LIST_REMOVALS: &str = "List the removals with `chronicle undo LOG --list`";

/// The files that [`EventLog::purge_removed`] has deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PurgedSegments {
    /// The number of segments.
    pub segments: u64,
    /// Their size, in bytes.
    pub bytes: u64,
}

impl EventLog {
    /// Plans to remove the segments at the front of the log that one of `limits` allows to remove. Writes nothing.
    ///
    /// # Errors
    /// Those of [`plan_retention`].
    pub fn plan_retention(&self, limits: &[RetentionLimit]) -> Result<RetentionPlan, StorageError> {
        plan_retention(&self.view, limits, &mut |_| ControlFlow::Continue(()))
    }

    /// Removes the segments that a plan names, and returns the record of the removal; `None` when the plan names none.
    ///
    /// The segments are moved into the folder `.removed` of the log, from which [`EventLog::undo_removal`] restores them until
    /// [`EventLog::purge_removed`] deletes them. Offsets of other events do not change. After a kill at any instant, the log
    /// starts at the old or at the new offset, and the next opening for append moves what is left to move.
    ///
    /// # Errors
    /// `ReadOnly` when the log was opened for reading; `Changed` when the log does not start with the segments of the plan;
    /// `Refused` when the header of the last segment is damaged; `Io` and `Poisoned` when a step fails.
    pub fn apply_retention(&mut self, plan: &RetentionPlan) -> Result<Option<SegmentRemoval>, StorageError> {
        self.complete_removals()?;
        self.check_retention(plan)?;
        if plan.segments.is_empty() {
            return Ok(None);
        }
        let segment = |planned: &crate::repair::PlannedSegment| RemovedSegment {
            base: planned.base,
            bytes: planned.bytes,
            events: planned.events,
        };
        let record = SegmentRemoval {
            log_id: plan.log_id,
            removed_at_ms: (self.options.clock)(),
            reason: describe_limits(&plan.limits),
            old_start: plan.old_start,
            new_start: plan.new_start,
            segments: plan.segments.iter().map(segment).collect(),
            purged_at_ms: None,
        };
        let removed = self.removed_folder()?;
        removed.write_record(&record, &permissions_source(self.options.disk.as_ref(), self.view.path()))?;
        self.start_log_at(record.new_start)?;
        self.complete_removals()?;
        self.reload_index()?;
        Ok(Some(record))
    }

    /// Removes the whole segments before `offset`, which a program no longer needs, such as the part of a write-ahead log before a
    /// checkpoint. Returns the first offset of the log afterwards, which is at most `offset` or the old one.
    ///
    /// The last segment always stays. The disk space is free after [`EventLog::purge_removed`].
    ///
    /// # Errors
    /// Those of [`plan_retention`] and [`EventLog::apply_retention`].
    pub fn remove_before(&mut self, offset: u64) -> Result<u64, StorageError> {
        let plan = self.plan_retention(&[RetentionLimit::BeforeOffset(offset)])?;
        Ok(self.apply_retention(&plan)?.map_or(plan.old_start, |removal| removal.new_start))
    }

    /// Returns the removals that are in effect, the oldest first, and one notice for each record that is not used.
    ///
    /// # Errors
    /// `Refused` when the log is one file, or when users who cannot write it can write the folder `.removed`; `Io` when the
    /// folder cannot be read.
    pub fn removals(&self) -> Result<(Vec<SegmentRemoval>, Vec<String>), StorageError> {
        removals_of(&self.view)
    }

    /// Returns the removal that [`EventLog::undo_removal`] would undo.
    ///
    /// # Errors
    /// `Refused` when there is none, or when its segments are not all in the folder `.removed` as they were; and the errors of
    /// [`EventLog::removals`].
    pub fn last_removal(&self) -> Result<SegmentRemoval, StorageError> {
        last_removal_of(&self.view)
    }

    /// Restores the segments that the last retention has removed, and returns its record, which is then gone.
    ///
    /// # Errors
    /// Those of [`EventLog::last_removal`]; `ReadOnly` when the log was opened for reading; `Io` and `Poisoned` when a step
    /// fails. The next opening for append then moves the segments away again, or the log has them.
    pub fn undo_removal(&mut self) -> Result<SegmentRemoval, StorageError> {
        self.writer()?;
        self.complete_removals()?;
        let record = self.last_removal()?;
        let removed = self.removed_folder()?;
        removed.bring_back(&record.segments)?;
        self.start_log_at(record.old_start)?;
        self.removed_folder()?.remove_record(&record)?;
        self.reload_index()?;
        Ok(record)
    }

    /// Returns the number and the size of the segments that [`EventLog::purge_removed`] would delete.
    ///
    /// # Errors
    /// Those of [`EventLog::removals`].
    pub fn removed_segments(&self) -> Result<PurgedSegments, StorageError> {
        removed_segments_of(&self.view)
    }

    /// Deletes the segments in the folder `.removed` for good, so that no undo restores them.
    ///
    /// The records say so before the first file is deleted. After a kill, another purge deletes the rest.
    ///
    /// # Errors
    /// Those of [`EventLog::removals`]; `ReadOnly` when the log was opened for reading; `Io` when a step fails.
    pub fn purge_removed(&mut self) -> Result<PurgedSegments, StorageError> {
        self.writer()?;
        self.complete_removals()?;
        self.discard_unused_records()?;
        let removed = self.removed_folder()?;
        let permissions_from = permissions_source(self.options.disk.as_ref(), self.view.path());
        let (records, _) = self.removals()?;
        for record in records.iter().filter(|record| record.purged_at_ms.is_none()) {
            let purged_at_ms = Some((self.options.clock)());
            removed.write_record(&SegmentRemoval { purged_at_ms, ..record.clone() }, &permissions_from)?;
        }
        let purged = self.removed_segments()?;
        let bases: Vec<u64> = purgeable_segments(&self.view)?.into_iter().map(|(base, _)| base).collect();
        if !bases.is_empty() {
            removed.delete(bases)?;
        }
        for record in records.iter().rev().skip(MAX_PURGED_RECORDS) {
            removed.remove_record(record)?;
        }
        Ok(purged)
    }

    /// Moves the segments that lie before the first offset of the log, which a killed retention or undo has left, into the folder
    /// `.removed`. Does nothing in a log of one file.
    pub(super) fn complete_removals(&self) -> Result<(), StorageError> {
        let leftover = self.view.segments().map(SegmentSet::leftover_bases).unwrap_or_default();
        if leftover.is_empty() || self.writer.is_none() {
            return Ok(());
        }
        self.removed_folder()?.take_in(&leftover)
    }

    /// Makes the log start at `log_start`: in the header of a new segment, and then in the settings.
    fn start_log_at(&mut self, log_start: u64) -> Result<(), StorageError> {
        let now_ms = (self.options.clock)();
        // New settings would lose the ranges that were given up, so a file that cannot be read at the moment is not replaced.
        let disk = self.options.disk.as_ref();
        read_settings_bytes(disk, segments_of(&self.view)?.folder(), self.view.log().storage()).map_err(|reason| {
            StorageError::Refused {
                path: self.view.path().to_owned(),
                reason: format!("the settings of the log cannot be read: {reason}"),
                alternative: "Remove the cause, or the file when its contents are not needed, and try again",
            }
        })?;
        self.writer()?.with_writer(|writer| writer.roll_with_start(log_start, now_ms))?;
        let segments = segments_of(&self.view)?;
        let (folder, log_id) = (segments.folder(), segments.log_id());
        let policy = super::segments::roll_policy(&self.options, &self.view);
        let settings = match FoundSettings::read(disk, folder, self.view.log().storage(), log_id).valid() {
            Some(settings) => LogSettings { first_offset: log_start, ..settings.clone() },
            None => LogSettings {
                log_id,
                segment_size: policy.max_bytes,
                segment_age_ms: policy.max_age_ms,
                first_offset: log_start,
                lost: Vec::new(),
            },
        };
        write_settings(disk, folder, &permissions_source(disk, self.view.path()), &settings)
    }

    /// Checks that the log starts with the segments of a plan.
    fn check_retention(&mut self, plan: &RetentionPlan) -> Result<(), StorageError> {
        self.writer()?;
        self.discard_unused_records()?;
        self.view.log().len()?;
        let segments = self.segments()?;
        let (start, bases) = (segments.log_start(), segments.bases());
        let planned = plan.segments.iter().map(|segment| segment.base);
        let next = bases.get(plan.segments.len()).copied();
        let is_at_front = bases.iter().copied().take(plan.segments.len()).eq(planned)
            && (plan.segments.is_empty() || next == Some(plan.new_start));
        if segments.log_id() == plan.log_id && start == plan.old_start && is_at_front {
            return Ok(());
        }
        Err(StorageError::Changed {
            path: self.view.path().to_owned(),
            expected: format!("a log that starts at offset {} with the segments of the plan", plan.old_start),
            found: format!("one that starts at offset {start} with other segments"),
        })
    }

    /// Removes the records of retentions that were killed before the log started at their offset, and those of undone ones.
    fn discard_unused_records(&self) -> Result<(), StorageError> {
        let start = self.segments()?.log_start();
        let removed = self.removed_folder()?;
        let records = removed.read_records()?.records;
        records.iter().filter(|record| record.new_start > start).try_for_each(|record| removed.remove_record(record))
    }

    fn removed_folder(&self) -> Result<RemovedFolder<'_>, StorageError> {
        removed_folder_of(&self.view)
    }

    fn segments(&self) -> Result<&dyn SegmentSet, StorageError> {
        segments_of(&self.view)
    }
}

/// Returns the removals of a log that are in effect, the oldest first, and one notice for each record that is not used.
///
/// # Errors
/// Those of [`EventLog::removals`].
pub(crate) fn removals_of(view: &LogView) -> Result<(Vec<SegmentRemoval>, Vec<String>), StorageError> {
    let FoundRemovals { mut records, notices } = removed_folder_of(view)?.read_records()?;
    let start = segments_of(view)?.log_start();
    records.retain(|record| record.new_start <= start);
    Ok((records, notices))
}

/// Returns the removal that an undo of the last removal restores.
///
/// # Errors
/// Those of [`EventLog::last_removal`].
pub(crate) fn last_removal_of(view: &LogView) -> Result<SegmentRemoval, StorageError> {
    let start = segments_of(view)?.log_start();
    let (records, notices) = removals_of(view)?;
    let refused = |reason: String| refused_error(view.path(), reason, LIST_REMOVALS);
    let Some(record) = records.into_iter().rfind(|record| record.new_start == start) else {
        let reason = "there are no removed segments to restore".to_owned();
        return Err(refused(notices.first().map_or(reason.clone(), |notice| format!("{reason}; {notice}"))));
    };
    if record.purged_at_ms.is_some() {
        return Err(refused(format!("the segments before offset {start} were deleted for good")));
    }
    let removed = removed_folder_of(view)?;
    match removed.find_missing(&record) {
        Some(missing) => {
            let folder = removed.path().display();
            let (base, bytes) = (missing.base, missing.bytes);
            Err(refused(format!("{folder} does not have the segment at offset {base} with {bytes} bytes")))
        }
        None => Ok(record),
    }
}

/// Returns the last removal when it is the last change of the log: no repair in its history was begun after it.
///
/// # Errors
/// Those of [`EventLog::last_removal`].
#[cfg(feature = "app")]
pub(crate) fn removal_after_repairs(
    view: &LogView,
    repairs: &[RepairRecord],
) -> Result<Option<SegmentRemoval>, StorageError> {
    if view.segments().is_none() {
        return Ok(None);
    }
    let (removals, _) = removals_of(view)?;
    let newest_repair = repairs.iter().map(|record| record.begun_ms).max();
    match removals.last() {
        Some(last) if newest_repair.is_none_or(|begun_ms| begun_ms <= last.removed_at_ms) => {
            last_removal_of(view).map(Some)
        }
        _ => Ok(None),
    }
}

/// Returns the number and the size of the removed segments that can still be restored.
///
/// # Errors
/// Those of [`EventLog::removals`].
pub(crate) fn removed_segments_of(view: &LogView) -> Result<PurgedSegments, StorageError> {
    let found = purgeable_segments(view)?;
    let bytes = found.iter().map(|(_, bytes)| *bytes).fold(0, u64::saturating_add);
    Ok(PurgedSegments { segments: found.len() as u64, bytes })
}

fn purgeable_segments(view: &LogView) -> Result<Vec<(u64, u64)>, StorageError> {
    let start = segments_of(view)?.log_start();
    let mut found = removed_folder_of(view)?.list_segments()?;
    found.retain(|(base, _)| *base < start);
    Ok(found)
}

fn removed_folder_of(view: &LogView) -> Result<RemovedFolder<'_>, StorageError> {
    let storage: &dyn Storage = view.log().storage();
    RemovedFolder::of_log(view.disk().as_ref(), storage, segments_of(view)?)
}

fn segments_of(view: &LogView) -> Result<&dyn SegmentSet, StorageError> {
    view.segments().ok_or_else(|| {
        let reason = "the log is one file, from which no segments are removed".to_owned();
        refused_error(view.path(), reason, "Name a log that is a folder of segments")
    })
}
