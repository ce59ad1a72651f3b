//! The index as a program asks for it: looked at, caught up in memory, rebuilt, saved.

use std::ops::{ControlFlow, Range};

use super::EventLog;
use crate::StorageError;
use crate::index::{AggregateIndex, IndexState, save};
use crate::inspect::{OnSurveyUpdate, Survey, SurveyOptions, survey, survey_ranges};

impl EventLog {
    /// The index of the log as it is now: the file's, caught up in memory. Writes nothing.
    ///
    /// Costs what the index has not seen: nothing when it is fresh, a pass over the log when it is missing. A log that is
    /// appended to keeps what it has seen, and reads what it appended since back once: an append itself costs the index
    /// nothing, and no offset is in it whose frame was not judged.
    ///
    /// # Errors
    /// `Io`, `Changed`, `Memory` when the log cannot be read.
    pub fn index(&mut self) -> Result<&AggregateIndex, StorageError> {
        self.catch_up_index(&mut |_| ControlFlow::Continue(())).map(|(index, _)| index)
    }

    /// The same, telling `on` how it goes, with what the catching up has found.
    ///
    /// # Errors
    /// `Stopped` when `on` breaks; what is done by then stays done. Otherwise as [`EventLog::index`].
    pub fn catch_up_index(
        &mut self,
        on_update: &mut OnSurveyUpdate,
    ) -> Result<(&AggregateIndex, Option<Survey>), StorageError> {
        let mut index = match self.index.take() {
            Some(index) => index,
            None => self.view.load_index().with_spill_options(self.options.spill_options()),
        };
        let (coverage, len) = (index.coverage(), self.view.log().len()?);
        let mut found = Ok(None);
        if coverage.scanned_to != len || coverage.frames == 0 {
            found = self.extend_index(&mut index, on_update).map(Some);
            // A writer that has caught a file up leaves a fresh one behind.
            self.saves_index_on_close |= found.is_ok() && matches!(self.view.index_state(), IndexState::Behind { .. });
        }
        let index = self.index.insert(index);
        found.map(|found| (&*index, found))
    }

    /// Looks at the index file again, and says how it relates to the log. What was caught up in memory is forgotten.
    ///
    /// # Errors
    /// `Io` when the log cannot be read.
    pub fn reload_index(&mut self) -> Result<&IndexState, StorageError> {
        self.index = None;
        self.view.refresh_index_state()?;
        Ok(self.view.index_state())
    }

    /// Builds the index anew in memory from `offset` on, and merges it with what was known below. Nothing is saved.
    ///
    /// It may start a little before `offset`, at the checkpoint of the index that lies there. 0 builds it whole. An
    /// index that is ahead stays so: what it alone knows of lost events is carried on.
    ///
    /// # Errors
    /// As [`EventLog::index`].
    pub fn rebuild_index_from(&mut self, offset: u64) -> Result<&AggregateIndex, StorageError> {
        self.rebuild_index_with_progress(offset, &mut |_| ControlFlow::Continue(())).map(|(index, _)| index)
    }

    /// The same, telling `on` how it goes, with what the pass has found.
    ///
    /// # Errors
    /// `Stopped` when `on` breaks: then nothing has changed. Otherwise as [`EventLog::index`].
    pub fn rebuild_index_with_progress(
        &mut self,
        offset: u64,
        on_update: &mut OnSurveyUpdate,
    ) -> Result<(&AggregateIndex, Survey), StorageError> {
        let known = if offset <= self.view.log().first_frame_offset() {
            self.view.empty_index()
        } else {
            let mut known = self.index.clone().unwrap_or_else(|| self.view.load_index());
            known.truncate(offset);
            known
        };
        let mut index = known.with_spill_options(self.options.spill_options());
        let found = self.extend_index(&mut index, on_update)?;
        if let Some(seen) = self.view.lost_tail()? {
            index.set_lost_tail(seen);
        }
        Ok((self.index.insert(index), found))
    }

    /// Adds to an index what it has not seen, which verifies that.
    fn extend_index(&self, index: &mut AggregateIndex, on_update: &mut OnSurveyUpdate) -> Result<Survey, StorageError> {
        let found = self.survey_into_index(index, on_update)?;
        self.record_survey(index, &found);
        Ok(found)
    }

    fn survey_into_index(
        &self,
        index: &mut AggregateIndex,
        on_update: &mut OnSurveyUpdate,
    ) -> Result<Survey, StorageError> {
        let coverage = index.coverage();
        let from = (coverage.frames > 0).then_some(coverage.covered_to);
        survey(&self.view, &SurveyOptions { from, ..SurveyOptions::default() }, Some(index), on_update)
    }

    /// Has an index know what was looked at, and what was met there. Who begins with the first frame has looked at all
    /// before it.
    fn record_survey(&self, index: &mut AggregateIndex, found: &Survey) {
        index.update_damage(&found.scanned_ranges, found.damaged_ranges.clone());
        for range in &found.scanned_ranges {
            let start = if range.start <= self.view.log().first_frame_offset() { 0 } else { range.start };
            index.record_verification(start..range.end, (self.options.clock)());
        }
    }

    /// Verifies these ranges of a log that had `len` bytes when they were made, and keeps in the index file how far, when,
    /// and what is damaged. Where there is no index to believe it is built in the same pass, else what it has not seen is
    /// added to it; that moves the mark only as far as the ranges reach.
    ///
    /// Answers with what was found, and beside it whether that could be kept.
    ///
    /// # Errors
    /// `Stopped` when `on` breaks: then nothing was written. As [`EventLog::index`].
    pub fn verify(
        &mut self,
        ranges: &[Range<u64>],
        len: u64,
        on_update: &mut OnSurveyUpdate,
    ) -> Result<(Survey, Result<(), StorageError>), StorageError> {
        let mut index = self.view.load_index().with_spill_options(self.options.spill_options());
        let first = self.view.log().first_frame_offset();
        let build_from = match ranges {
            [all] if all.start <= first && all.end >= len && index.coverage().frames == 0 => Some(all.start),
            _ => None,
        };
        let found = match build_from {
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
        self.record_survey(&mut index, &found);
        self.index = Some(index);
        let kept = self.write_index();
        Ok((found, kept))
    }

    /// Takes over what another look at the same file has gathered: it is caught up from there.
    pub fn adopt_index(&mut self, index: AggregateIndex) {
        self.index = Some(index.with_spill_options(self.options.spill_options()));
    }

    /// Names the index corrupt after a look at all of it found it so: it is built anew when it is needed.
    pub fn mark_index_corrupt(&mut self, reason: String) {
        self.index = None;
        self.view.mark_index_corrupt(reason);
    }

    /// Catches the index up and writes it beside the log, atomically; a log open for append stays open. The log is synced
    /// first.
    ///
    /// # Errors
    /// As [`EventLog::index`], and `Io` when the file cannot be written: then the old one is untouched.
    pub fn save_index(&mut self) -> Result<(), StorageError> {
        self.index()?;
        self.write_index()
    }

    fn write_index(&mut self) -> Result<(), StorageError> {
        if let Some(index) = &self.index {
            let path = self.view.index_path();
            save(self.options.disk.as_ref(), path, self.view.log(), index)?;
        }
        self.saves_index_on_close = true;
        self.reload_index().map(|_| ())
    }
}
