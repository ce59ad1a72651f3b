//! The methods of [`EventLog`] that bring its index up to date, rebuild it and save it, and that verify the log.

use std::ops::{ControlFlow, Range};
use std::sync::{Arc, MutexGuard, PoisonError};

use super::EventLog;
use crate::StorageError;
use crate::file::{OffsetLocation, locate_offset};
use crate::index::{AggregateIndex, IndexState, IndexTarget, save_checked};
use crate::inspect::{OnSurveyUpdate, Survey, SurveyOptions, survey, survey_ranges};
use crate::repair::JournalMark;

/// The index that an open log keeps in memory. A mutex guards it, so that lookups need no exclusive access to the log.
#[derive(Debug, Default)]
pub(super) struct IndexCache {
    /// The current index: the index file extended by the events that were read since. `None` until a lookup needs it.
    current: Option<CachedIndex>,
    /// True when closing the log saves the index: the writer created the log, or its index file was fresh or brought up
    /// to date.
    pub(super) saves_on_close: bool,
    /// The repairs of the log before the index file was opened.
    pub(super) journals_at_opening: JournalMark,
}

/// An index in memory, and what decides whether it may be saved.
#[derive(Debug, Clone)]
struct CachedIndex {
    index: Arc<AggregateIndex>,
    /// How the index was built, which decides whether it may replace an index that cannot be read.
    origin: CachedIndexOrigin,
    /// The repairs of the log before the first byte of the index was read. An index from before a repair must not be
    /// saved after it.
    journals: JournalMark,
}

/// How the index in memory was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CachedIndexOrigin {
    /// It was loaded and brought up to date.
    Loaded,
    /// The caller has asked for a new index.
    Rebuilt,
}

/// The result of bringing an index up to date.
#[derive(Debug)]
pub(crate) struct IndexUpdate {
    /// The updated index.
    pub(crate) index: Arc<AggregateIndex>,
    /// The survey of the new part of the log; `None` when there was no new part to read.
    pub(crate) survey: Option<Survey>,
}

/// A verification whose result was recorded in the index file.
#[derive(Debug)]
pub(crate) struct RecordedVerification {
    /// The result of the pass over the log.
    pub(crate) survey: Survey,
    /// Whether the index file could be written.
    pub(crate) index_saved: Result<(), StorageError>,
}

impl EventLog {
    /// Returns the index of the current log. Writes nothing.
    ///
    /// The first call opens the index file and reads the part of the log that it does not cover: no bytes when the file
    /// is fresh, the whole log when it is missing. The result is kept in memory, and later calls read only the events
    /// appended since. An append does not update the index: an event enters the index when it is read back from the log
    /// and validated.
    ///
    /// # Errors
    /// `Io`, `Changed`, or `OutOfMemory` when the log cannot be read.
    pub fn index(&self) -> Result<Arc<AggregateIndex>, StorageError> {
        self.catch_up_index(&mut |_| ControlFlow::Continue(())).map(|update| update.index)
    }

    /// Brings the index up to date as [`EventLog::index`] does, and reports progress and findings to `on_update`.
    ///
    /// # Errors
    /// `Cancelled` when `on_update` returns `Break`; the events read before that stay in the index. Otherwise the
    /// errors of [`EventLog::index`].
    pub(crate) fn catch_up_index(&self, on_update: &mut OnSurveyUpdate) -> Result<IndexUpdate, StorageError> {
        let mut cache = self.lock_index_cache();
        let len = self.view.log().len()?;
        let in_memory = cache.current.take();
        // A file without frames does not identify its log. The index in memory was built from this log in any case.
        let is_of_this_log = in_memory.is_some();
        let CachedIndex { index, origin, journals } = in_memory.unwrap_or_else(|| CachedIndex {
            index: Arc::new(self.view.load_index().with_spill_options(self.options.spill_options())),
            origin: CachedIndexOrigin::Loaded,
            journals: cache.journals_at_opening.clone(),
        });
        let coverage = index.coverage();
        let is_current = coverage.scanned_to == len && (is_of_this_log || coverage.frames > 0);
        if is_current {
            cache.current = Some(CachedIndex { index: index.clone(), origin, journals });
            return Ok(IndexUpdate { index, survey: None });
        }
        // The index is copied only when a caller still holds the previous one.
        let mut index = Arc::unwrap_or_clone(index);
        let found = self.extend_index(&mut index, on_update);
        let index = Arc::new(index);
        cache.current = Some(CachedIndex { index: index.clone(), origin, journals });
        let survey = found?;
        cache.saves_on_close |= matches!(self.view.index_state(), IndexState::Behind { .. });
        Ok(IndexUpdate { index, survey: Some(survey) })
    }

    /// Compares the index file with the log again, and drops the index in memory.
    ///
    /// # Errors
    /// `Io` when the log cannot be read.
    pub fn reload_index(&mut self) -> Result<&IndexState, StorageError> {
        let journals = JournalMark::read(&self.log_paths());
        let mut cache = self.lock_index_cache();
        (cache.current, cache.journals_at_opening) = (None, journals);
        drop(cache);
        self.view.refresh_index_state()?;
        Ok(self.view.index_state())
    }

    /// Builds the index of the events whose frames start at `offset` or later. Reads that part of the log. Writes
    /// nothing, and does not change the index that this log keeps in memory.
    ///
    /// With offset 0, the result is the index of the whole log, which [`save_index`](crate::save_index) can save.
    /// [`AggregateIndex::merge`] adds the index of a part to an index of the part before it.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("accounts.log");
    /// # let event = chronicle::Event::builder()
    /// #     .event_type("Updated").namespace("accounts").schema_id("Person").schema_version(1)
    /// #     .aggregate_id(42).payload_json("{}").build()?;
    /// # let mut log = chronicle::EventLog::create(&path)?;
    /// # log.append(&event)?;
    /// let second = log.append(&event)?;
    /// let index = log.rebuild_index_from(second)?;
    /// assert_eq!(index.offsets(42)?.collect::<Result<Vec<_>, _>>()?, [second]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Io`, `Changed`, or `OutOfMemory` when the log cannot be read.
    pub fn rebuild_index_from(&self, offset: u64) -> Result<AggregateIndex, StorageError> {
        let start = self.first_boundary_at(offset)?;
        let index = self.view.empty_index().starting_at(start);
        let mut index = index.with_spill_options(self.options.spill_options());
        self.extend_index(&mut index, &mut |_| ControlFlow::Continue(()))?;
        if let Some(lost_tail) = self.view.lost_tail()? {
            index.set_lost_tail(lost_tail);
        }
        Ok(index)
    }

    /// Returns the offset at which the index of the events from `offset` on starts: 0 for the first frame; the end of a
    /// frame that extends across `offset`; the start of damage that extends across it, because damage has no events.
    fn first_boundary_at(&self, offset: u64) -> Result<u64, StorageError> {
        let log = self.view.log();
        if offset <= log.first_frame_offset() {
            return Ok(0);
        }
        let len = log.len()?;
        let boundary = match locate_offset(log, offset, len)? {
            OffsetLocation::InsideFrame(range) => range.end,
            OffsetLocation::Damaged(range) => range.start,
            OffsetLocation::FrameStart(_) => offset,
            OffsetLocation::PastEnd => offset.min(len),
        };
        Ok(if boundary <= log.first_frame_offset() { 0 } else { boundary })
    }

    /// Rebuilds the index that this log keeps in memory, from `offset` on. Lookups and [`EventLog::save_index`] use the
    /// result. The entries for the log before `offset` are kept. Writes nothing.
    ///
    /// The pass starts at the last checkpoint of the index at or before `offset`; with offset 0 it reads the whole log.
    /// The index file's record of events that the log has lost is kept. When the file cannot be read, saving the rebuilt
    /// index gives up its record.
    ///
    /// # Errors
    /// The errors of [`EventLog::index`].
    pub fn reindex_from(&self, offset: u64) -> Result<Arc<AggregateIndex>, StorageError> {
        self.reindex_with_progress(offset, &mut |_| ControlFlow::Continue(())).map(|update| update.index)
    }

    /// Rebuilds the index as [`EventLog::reindex_from`] does, and reports progress and findings to `on_update`.
    ///
    /// # Errors
    /// `Cancelled` when `on_update` returns `Break`; the index is then unchanged. Otherwise the errors of
    /// [`EventLog::index`].
    pub(crate) fn reindex_with_progress(
        &self,
        offset: u64,
        on_update: &mut OnSurveyUpdate,
    ) -> Result<IndexUpdate, StorageError> {
        let mut cache = self.lock_index_cache();
        let (kept_index, journals) = if offset <= self.view.log().first_frame_offset() {
            (self.view.empty_index(), cache.journals_at_opening.clone())
        } else {
            let (mut index, journals) = match &cache.current {
                Some(cached) => (AggregateIndex::clone(&cached.index), cached.journals.clone()),
                None => (self.view.load_index(), cache.journals_at_opening.clone()),
            };
            index.truncate(offset);
            (index, journals)
        };
        let mut index = kept_index.with_spill_options(self.options.spill_options());
        let survey = self.extend_index(&mut index, on_update)?;
        if let Some(lost_tail) = self.view.lost_tail()? {
            index.set_lost_tail(lost_tail);
        }
        let index = Arc::new(index);
        cache.current = Some(CachedIndex { index: index.clone(), origin: CachedIndexOrigin::Rebuilt, journals });
        Ok(IndexUpdate { index, survey: Some(survey) })
    }

    /// Adds the part of the log that an index does not cover yet, and records that the pass has verified this part.
    fn extend_index(&self, index: &mut AggregateIndex, on_update: &mut OnSurveyUpdate) -> Result<Survey, StorageError> {
        let survey = self.survey_into_index(index, on_update)?;
        self.record_survey(index, &survey);
        Ok(survey)
    }

    /// Surveys the part of the log that an index does not cover yet, and adds its events to the index.
    fn survey_into_index(
        &self,
        index: &mut AggregateIndex,
        on_update: &mut OnSurveyUpdate,
    ) -> Result<Survey, StorageError> {
        let coverage = index.coverage();
        let from = (coverage.frames > 0 || coverage.start > 0).then_some(coverage.covered_to);
        survey(&self.view, &SurveyOptions { from, ..SurveyOptions::new() }, Some(index), on_update)
    }

    /// Records in an index the ranges of the log that a pass has verified, and the damage that it found there. A pass
    /// that started at the first frame has also verified the header.
    fn record_survey(&self, index: &mut AggregateIndex, survey: &Survey) {
        index.update_damage(&survey.scanned_ranges, survey.damaged_ranges.clone());
        for range in &survey.scanned_ranges {
            let start = if range.start <= self.view.log().first_frame_offset() { 0 } else { range.start };
            index.record_verification(start..range.end, (self.options.clock)());
        }
    }

    /// Verifies ranges of a log that had `len` bytes when the ranges were computed. Records the end and time of the
    /// verification and the damage in the index file.
    ///
    /// Without a trusted index, a pass over the whole log also builds it. Otherwise the part that the index does not
    /// cover is added to it. The verification mark moves no further than the verified ranges.
    ///
    /// # Errors
    /// `Cancelled` when `on_update` returns `Break`; nothing is written then. Otherwise the errors of
    /// [`EventLog::index`].
    pub(crate) fn verify_ranges(
        &mut self,
        ranges: &[Range<u64>],
        len: u64,
        on_update: &mut OnSurveyUpdate,
    ) -> Result<RecordedVerification, StorageError> {
        let mut index = self.view.load_index().with_spill_options(self.options.spill_options());
        let first_frame = self.view.log().first_frame_offset();
        let build_from = match ranges {
            [all] if all.start <= first_frame && all.end >= len && index.coverage().frames == 0 => Some(all.start),
            _ => None,
        };
        let survey = match build_from {
            Some(start) => {
                let from = (start > 0).then_some(start);
                survey(&self.view, &SurveyOptions { from, ..SurveyOptions::new() }, Some(&mut index), on_update)?
            }
            None => survey_ranges(&self.view, ranges, len, &SurveyOptions::new(), on_update)?,
        };
        let (coverage, len) = (index.coverage(), self.view.log().len()?);
        if build_from.is_none() && coverage.scanned_to != len && coverage.covered_to <= len {
            self.survey_into_index(&mut index, &mut |_| ControlFlow::Continue(()))?;
        }
        self.record_survey(&mut index, &survey);
        let mut cache = self.lock_index_cache();
        let journals = cache.journals_at_opening.clone();
        cache.current = Some(CachedIndex { index: Arc::new(index), origin: CachedIndexOrigin::Loaded, journals });
        drop(cache);
        Ok(RecordedVerification { survey, index_saved: self.write_index() })
    }

    /// Verifies the whole log: reads and checks every frame, and reports all damage. Writes nothing.
    ///
    /// [`survey`](crate::survey) also accepts options and reports progress.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("accounts.log");
    /// # chronicle::EventLog::create(&path)?.close()?;
    /// let log = chronicle::EventLog::open_read_only(&path)?;
    /// for finding in log.verify()?.findings {
    ///     println!("{} at {}..{}", finding.kind.name(), finding.start, finding.end);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Io`, `Changed`, or `OutOfMemory` when the log cannot be read. Damage is not an error: the result lists it as
    /// findings.
    pub fn verify(&self) -> Result<Survey, StorageError> {
        survey(&self.view, &SurveyOptions::new(), None, &mut |_| ControlFlow::Continue(()))
    }

    /// Replaces the index that this log keeps in memory with one that another handle of the same log has brought up to
    /// date. `journals` are the repairs of the log before that handle read the first byte of the index.
    #[cfg(feature = "app")]
    pub(crate) fn replace_index(&self, index: AggregateIndex, journals: JournalMark) {
        let index = Arc::new(index.with_spill_options(self.options.spill_options()));
        self.lock_index_cache().current = Some(CachedIndex { index, origin: CachedIndexOrigin::Loaded, journals });
    }

    /// Records that a check of the whole index file found it in this state, such as corrupt. The next lookup rebuilds the
    /// index.
    pub(crate) fn mark_index_unusable(&self, state: IndexState) {
        self.view.mark_index_unusable(state);
        self.lock_index_cache().current = None;
    }

    /// Drops the index in memory. The next lookup opens the index files again.
    pub(super) fn forget_index(&self) {
        self.view.forget_segment_index();
        self.lock_index_cache().current = None;
    }

    /// Brings the index up to date, syncs the log, and atomically saves the index to its file. The log stays open.
    ///
    /// # Errors
    /// The errors of [`EventLog::index`]. `Io` when the log cannot be synced or the index file cannot be written.
    /// `Refused` when the old index file cannot be read, so that it may be the only record of a lost end;
    /// [`EventLog::reindex_from`] gives this record up. `Changed` when another process has repaired the log,
    /// or is repairing it, since the index was read. The old index file is unchanged after an error, except that an index from
    /// before a repair is removed.
    pub fn save_index(&mut self) -> Result<(), StorageError> {
        if self.view.segments().is_some() {
            self.save_segment_indexes()?;
            return self.reload_index().map(|_| ());
        }
        self.index()?;
        self.write_index()
    }

    /// Saves the index in memory, if there is one, and compares the new file with the log.
    pub(super) fn write_index(&mut self) -> Result<(), StorageError> {
        let cached = self.lock_index_cache().current.clone();
        let is_rebuilt = cached.as_ref().is_some_and(|cached| cached.origin == CachedIndexOrigin::Rebuilt);
        // The index of a new log replaces the index of another one.
        if !is_rebuilt && !self.is_created {
            self.view.seen_end().ensure_known(self.view.index_path())?;
        }
        if let Some(CachedIndex { index, journals, .. }) = cached {
            let (disk, path) = (self.options.disk.as_ref(), self.view.index_path());
            // An index from before a repair would hide the repaired events. A repair that begins after the second check
            // adapts the saved index.
            let check = || self.ensure_not_repaired_since(&journals);
            save_checked(IndexTarget { disk, path, log: self.view.log() }, &index, &check)?;
        }
        self.lock_index_cache().saves_on_close = true;
        self.reload_index().map(|_| ())
    }

    /// Checks that no repair has begun or ended since the mark was read, and that none is unfinished.
    fn ensure_not_repaired_since(&self, journals: &JournalMark) -> Result<(), StorageError> {
        let paths = self.log_paths();
        let is_unchanged = JournalMark::read(&paths) == *journals;
        if is_unchanged && self.pending_repair()?.is_none() {
            return Ok(());
        }
        Err(StorageError::Changed {
            path: paths.path,
            expected: "a log that no other process repairs while its index is built".into(),
            found: "a repair that has begun or ended since, or is unfinished".into(),
        })
    }

    pub(super) fn lock_index_cache(&self) -> MutexGuard<'_, IndexCache> {
        // A panic while the mutex is held can at worst empty the cache, which the next lookup fills again.
        self.index_cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;

    /// Creates a log with one event and an index file of one page, whose checksum is wrong.
    fn log_with_corrupt_index(folder: &tempfile::TempDir) -> EventLog {
        let path = folder.path().join("a.log");
        let event = Event::builder().event_type("E").namespace("n").schema_id("S").schema_version(1).aggregate_id(1);
        let mut log = EventLog::create(&path).unwrap();
        log.append(&event.payload_json("{}").build().unwrap()).unwrap();
        log.close().unwrap();
        let index_path = crate::inspect::index_path(&path);
        let mut index = std::fs::read(&index_path).unwrap();
        index[100] ^= 1;
        std::fs::write(index_path, index).unwrap();
        EventLog::open_read_only(path).unwrap()
    }

    #[test]
    fn a_rebuilt_index_that_was_dropped_gives_no_right_to_replace_a_record_of_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log_with_corrupt_index(&folder);
        let before = std::fs::read(log.view().index_path()).unwrap();
        assert!(matches!(log.save_index().unwrap_err(), StorageError::Refused { .. }));
        log.reindex_from(0).unwrap();
        log.mark_index_unusable(log.view().index_state().clone());
        let error = log.save_index().unwrap_err();
        assert!(matches!(error, StorageError::Refused { .. }), "{error}");
        assert_eq!(std::fs::read(log.view().index_path()).unwrap(), before);
        log.reindex_from(0).unwrap();
        log.save_index().unwrap();
        assert_eq!(*log.view().index_state(), IndexState::Fresh);
    }
}
