//! Logs in a folder of segments: the policy by which their writer starts the next segment, and the indexes of their segments.

use super::{EventLog, OpenOptions};
use crate::StorageError;
use crate::file::{DEFAULT_SEGMENT_SIZE, FoundSettings, RollPolicy};
use crate::index::IndexState;
use crate::inspect::LogView;
use crate::repair::JournalMark;

/// Returns when the writer of a log starts the next segment: as the options say, or else the settings of the log.
pub(super) fn roll_policy(options: &OpenOptions, view: &LogView) -> RollPolicy {
    let Some(segments) = view.log().storage().segments() else { return RollPolicy::default() };
    let found = FoundSettings::read(options.disk.as_ref(), segments.folder(), view.log().storage(), segments.log_id());
    let settings = found.valid();
    RollPolicy {
        max_bytes: options
            .segment_size
            .or(settings.map(|settings| settings.segment_size))
            .unwrap_or(DEFAULT_SEGMENT_SIZE),
        max_age_ms: options.segment_age_ms().or(settings.and_then(|settings| settings.segment_age_ms)),
    }
}

impl EventLog {
    /// Opens one segment of this log for reading, with its own index.
    fn segment_log(&self, base: u64) -> Result<Self, StorageError> {
        let journals = JournalMark::read(&self.log_paths());
        let mut segment = Self::from_view(self.options.clone(), self.view.segment_view(base)?, None);
        segment.is_created = self.is_created;
        segment.lock_index_cache().journals_at_opening = journals;
        Ok(segment)
    }

    /// Brings the index of each segment up to date and saves it. Segments whose index is up to date are not read.
    ///
    /// # Errors
    /// Those of [`EventLog::save_index`], for the first segment that has one. The indexes of the segments before it are saved.
    pub(super) fn save_segment_indexes(&self) -> Result<(), StorageError> {
        let Some(segments) = self.view.segments() else { return Ok(()) };
        segments.clean_folder().map_err(|error| StorageError::io(segments.folder(), "list", error))?;
        let bases = segments.bases();
        let last = bases.last().copied();
        for base in bases {
            let mut segment = match self.segment_log(base) {
                // A segment that cannot be opened is a finding, and has no index.
                Err(StorageError::Io { .. }) => continue,
                segment => segment?,
            };
            // The next segment shows where a sealed one ends, so its index is not the only record of that.
            if last != Some(base) && matches!(segment.view.index_state(), IndexState::Corrupt { .. }) {
                let path = segment.view.index_path();
                self.options.disk.remove(path).map_err(|error| StorageError::io(path, "remove", error))?;
                segment = self.segment_log(base)?;
            }
            if *segment.view.index_state() != IndexState::Fresh {
                segment.index()?;
                segment.write_index()?;
            }
        }
        Ok(())
    }
}
