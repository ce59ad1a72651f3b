//! The index of an open log: looked up, brought up to date in memory, rebuilt, and saved.

use std::ops::{ControlFlow, Range};
use std::sync::{Arc, MutexGuard, PoisonError};

use super::EventLog;
use crate::StorageError;
use crate::file::{OffsetLocation, locate_offset};
use crate::index::{AggregateIndex, IndexState, save};
use crate::inspect::{OnSurveyUpdate, Survey, SurveyOptions, survey, survey_ranges};

/// The index that an open log keeps in memory. A lock guards it, so that lookups need no exclusive access to the log.
#[derive(Debug, Default)]
pub(super) struct IndexCache {
    /// What the index file holds and what was read since, once a lookup has needed it.
    pub(super) index: Option<Arc<AggregateIndex>>,
    /// Closing the log saves the index: the writer created the log, found the index fresh, or caught it up.
    pub(super) saves_on_close: bool,
}

/// An index that was brought up to date.
#[derive(Debug)]
pub(crate) struct IndexUpdate {
    /// The index.
    pub(crate) index: Arc<AggregateIndex>,
    /// What the pass over the new part of the log found; `None` when there was nothing to read.
    pub(crate) survey: Option<Survey>,
}

/// A verification whose result was recorded in the index file.
#[derive(Debug)]
pub(crate) struct RecordedVerification {
    /// What the pass found.
    pub(crate) survey: Survey,
    /// Whether the index file could be written.
    pub(crate) index_saved: Result<(), StorageError>,
}

impl EventLog {
    /// The index of the log as it is now. Writes nothing.
    ///
    /// The first call opens the index file and reads the part of the log that it does not cover: nothing when the file is
    /// fresh, the whole log when it is missing. The result is kept in memory, and later calls read only what was appended
    /// since. An append does not update the index: events enter it when they are read back and judged.
    ///
    /// # Errors
    /// `Io`, `Changed`, or `OutOfMemory` when the log cannot be read.
    pub fn index(&self) -> Result<Arc<AggregateIndex>, StorageError> {
        self.catch_up_index(&mut |_| ControlFlow::Continue(())).map(|update| update.index)
    }

    /// Brings the index up to date as [`EventLog::index`] does, and reports progress and findings on the way.
    ///
    /// # Errors
    /// `Cancelled` when `on_update` breaks: what was read by then stays in the index. Otherwise as [`EventLog::index`].
    pub(crate) fn catch_up_index(&self, on_update: &mut OnSurveyUpdate) -> Result<IndexUpdate, StorageError> {
        let mut cache = self.lock_index_cache();
        let index = cache.index.take().unwrap_or_else(|| {
            let index = self.view.load_index();
            Arc::new(index.with_spill_options(self.options.spill_options()))
        });
        let coverage = index.coverage();
        let is_current = match self.view.log().len() {
            Ok(len) => coverage.scanned_to == len && coverage.frames > 0,
            Err(error) => {
                cache.index = Some(index);
                return Err(error);
            }
        };
        if is_current {
            return Ok(IndexUpdate { index: cache.index.insert(index).clone(), survey: None });
        }
        // Copies the index only when a caller still holds the last one.
        let mut index = Arc::unwrap_or_clone(index);
        let found = self.extend_index(&mut index, on_update);
        let index = cache.index.insert(Arc::new(index)).clone();
        let survey = found?;
        cache.saves_on_close |= matches!(self.view.index_state(), IndexState::Behind { .. });
        Ok(IndexUpdate { index, survey: Some(survey) })
    }

    /// Compares the index file with the log again. What was read into memory is dropped.
    ///
    /// # Errors
    /// `Io` when the log cannot be read.
    pub fn reload_index(&mut self) -> Result<&IndexState, StorageError> {
        self.lock_index_cache().index = None;
        self.view.refresh_index_state()?;
        Ok(self.view.index_state())
    }

    /// Builds the index of the events whose frames start at `offset` or later. Reads that part of the log; writes nothing,
    /// and does not change the index that this log keeps.
    ///
    /// With offset 0 it is the index of the whole log, which [`save_index`](crate::save_index) can save. The index of a
    /// part can be added to one of everything before it: [`AggregateIndex::merge`].
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

    /// Where the index of the events from `offset` on starts: 0 for the first frame, the end of a frame that lies across
    /// `offset`, and the start of damage that lies across it, in which no event is known.
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

    /// Rebuilds the index that this log keeps, from `offset` on: lookups and [`EventLog::save_index`] use the result. What
    /// the index knows of the log before `offset` is kept. Nothing is saved.
    ///
    /// The pass starts at the last checkpoint of the index at or before `offset`; with offset 0 it reads the whole log. What
    /// the index file knows of events that the log has lost is kept.
    ///
    /// # Errors
    /// As [`EventLog::index`].
    pub fn reindex_from(&self, offset: u64) -> Result<Arc<AggregateIndex>, StorageError> {
        self.reindex_with_progress(offset, &mut |_| ControlFlow::Continue(())).map(|update| update.index)
    }

    /// Rebuilds the index as [`EventLog::reindex_from`] does, and reports progress and findings on the way.
    ///
    /// # Errors
    /// `Cancelled` when `on_update` breaks: then the index is unchanged. Otherwise as [`EventLog::index`].
    pub(crate) fn reindex_with_progress(
        &self,
        offset: u64,
        on_update: &mut OnSurveyUpdate,
    ) -> Result<IndexUpdate, StorageError> {
        let mut cache = self.lock_index_cache();
        let known = if offset <= self.view.log().first_frame_offset() {
            self.view.empty_index()
        } else {
            let mut known = cache.index.as_deref().cloned().unwrap_or_else(|| self.view.load_index());
            known.truncate(offset);
            known
        };
        let mut index = known.with_spill_options(self.options.spill_options());
        let survey = self.extend_index(&mut index, on_update)?;
        if let Some(lost_tail) = self.view.lost_tail()? {
            index.set_lost_tail(lost_tail);
        }
        Ok(IndexUpdate { index: cache.index.insert(Arc::new(index)).clone(), survey: Some(survey) })
    }

    /// Adds the part of the log that an index does not cover yet, and records that this part was verified.
    fn extend_index(&self, index: &mut AggregateIndex, on_update: &mut OnSurveyUpdate) -> Result<Survey, StorageError> {
        let survey = self.survey_into_index(index, on_update)?;
        self.record_survey(index, &survey);
        Ok(survey)
    }

    fn survey_into_index(
        &self,
        index: &mut AggregateIndex,
        on_update: &mut OnSurveyUpdate,
    ) -> Result<Survey, StorageError> {
        let coverage = index.coverage();
        let from = (coverage.frames > 0 || coverage.start > 0).then_some(coverage.covered_to);
        survey(&self.view, &SurveyOptions { from, ..SurveyOptions::default() }, Some(index), on_update)
    }

    /// Records in an index which parts of the log a pass has verified, and the damage that it found there. A pass that
    /// started at the first frame has verified the header too.
    fn record_survey(&self, index: &mut AggregateIndex, survey: &Survey) {
        index.update_damage(&survey.scanned_ranges, survey.damaged_ranges.clone());
        for range in &survey.scanned_ranges {
            let start = if range.start <= self.view.log().first_frame_offset() { 0 } else { range.start };
            index.record_verification(start..range.end, (self.options.clock)());
        }
    }

    /// Verifies ranges of a log that had `len` bytes when the ranges were computed, and records in the index file how far
    /// the log is verified, when, and what is damaged.
    ///
    /// When there is no index that can be trusted, the same pass builds it. Otherwise what the index does not cover is
    /// added to it; the verification mark moves only as far as the ranges reach.
    ///
    /// # Errors
    /// `Cancelled` when `on_update` breaks: then nothing is written. Otherwise as [`EventLog::index`].
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
                survey(&self.view, &SurveyOptions { from, ..SurveyOptions::default() }, Some(&mut index), on_update)?
            }
            None => survey_ranges(&self.view, ranges, len, &SurveyOptions::default(), on_update)?,
        };
        let (coverage, len) = (index.coverage(), self.view.log().len()?);
        if build_from.is_none() && coverage.scanned_to != len && coverage.covered_to <= len {
            self.survey_into_index(&mut index, &mut |_| ControlFlow::Continue(()))?;
        }
        self.record_survey(&mut index, &survey);
        self.lock_index_cache().index = Some(Arc::new(index));
        Ok(RecordedVerification { survey, index_saved: self.write_index() })
    }

    /// Verifies the whole log: reads every frame, checks it, and reports all damage. Writes nothing.
    ///
    /// [`survey`](crate::survey) does the same with options and progress.
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
    /// `Io`, `Changed`, or `OutOfMemory` when the log cannot be read. Damage is not an error here: it is reported as
    /// findings.
    pub fn verify(&self) -> Result<Survey, StorageError> {
        survey(&self.view, &SurveyOptions::default(), None, &mut |_| ControlFlow::Continue(()))
    }

    /// Replaces the index that this log keeps by one that another user of the same file has brought up to date.
    #[cfg(feature = "app")]
    pub(crate) fn adopt_index(&self, index: AggregateIndex) {
        self.lock_index_cache().index = Some(Arc::new(index.with_spill_options(self.options.spill_options())));
    }

    /// Records that a check of the whole index file found it corrupt. The index is rebuilt when it is needed next.
    pub(crate) fn mark_index_corrupt(&self, reason: String) {
        self.view.mark_index_corrupt(reason);
        self.lock_index_cache().index = None;
    }

    /// Brings the index up to date and saves it beside the log, atomically. A log that is open for append stays open. The
    /// log is synced first.
    ///
    /// # Errors
    /// As [`EventLog::index`]. `Io` when the log cannot be synced or the index file cannot be written: then the old index
    /// file is untouched.
    pub fn save_index(&mut self) -> Result<(), StorageError> {
        self.index()?;
        self.write_index()
    }

    fn write_index(&mut self) -> Result<(), StorageError> {
        let index = self.lock_index_cache().index.clone();
        if let Some(index) = index {
            let path = self.view.index_path();
            save(self.options.disk.as_ref(), path, self.view.log(), &index)?;
        }
        self.lock_index_cache().saves_on_close = true;
        self.reload_index().map(|_| ())
    }

    pub(super) fn lock_index_cache(&self) -> MutexGuard<'_, IndexCache> {
        // A panic inside the lock leaves at worst an empty cache, which is filled again.
        self.index_cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
