//! Internals that the tests and benchmarks of this package use. They are not part of the public interface: every item
//! may change or disappear in any release.

#[cfg(feature = "app")]
pub use crate::cli::main as run_command_line;

pub mod file {
    //! Scanning and reading one log file.
    pub use crate::file::{LogFile, OpenMode, OsDisk, ScanItem, ScanSpan, Scanner, spans_before};
}

pub mod format {
    //! The byte layouts of the log, the index file and the journal.
    pub use crate::format::{
        FieldSpec, FrameFormat, PayloadError, Version, crc, damage, frame, gap, header, index, journal, json,
    };
}

#[cfg(all(any(test, fuzzing), feature = "app"))]
pub mod fuzz {
    //! The functions that the fuzz targets run.
    pub use crate::fuzz::{
        FILTER, FuzzTarget, INDEX_OPEN, JOURNAL_RECOVERY, JSON_VIEW, LOG_SCAN, PLAN_APPLY, SCREEN_KEYS, SEGMENTS,
        VERSION_0,
    };
}

pub mod index {
    //! Building and saving the index.
    use crate::inspect::LogView;
    use crate::{AggregateIndex, PersistedIndex};

    pub use crate::index::{NameKind, SpillOptions, save};

    /// Creates an empty index of a log.
    pub fn empty_index(view: &LogView, spill_options: SpillOptions) -> AggregateIndex {
        view.empty_index().with_spill_options(spill_options)
    }

    /// Returns the offset of every anchor.
    pub fn anchor_offsets(index: &AggregateIndex) -> Vec<u64> {
        index.anchors().map(|anchor| anchor.offset).collect()
    }

    /// Cuts an index back to a checkpoint at or before `offset`.
    pub fn truncate(index: &mut AggregateIndex, offset: u64) {
        index.truncate(offset);
    }

    /// Returns the number of events in each run of an index file.
    pub fn run_events(index: &PersistedIndex) -> Vec<u64> {
        index.header().non_empty_runs().map(|run| run.postings.rows).collect()
    }
}

pub mod log {
    //! Updating the index of an open log, with progress reports, and the steps of the threads that append to a log.
    use std::sync::Arc;

    pub use crate::file::{Appended, CommitState, SyncJob, SyncStep, SyncTicket};

    use crate::inspect::{OnSurveyUpdate, Survey};
    use crate::{AggregateIndex, EventLog, StorageError};

    /// An index, and the survey of the new part of the log; `None` when there was no new part to read.
    pub type UpdatedIndex = (Arc<AggregateIndex>, Option<Survey>);

    /// Returns what the threads that append to a log share; `None` when the log was opened for reading, or has shared writers.
    pub fn commit_state(log: EventLog) -> Option<CommitState> {
        log.into_commit_state()
    }

    /// Brings the index of a log up to date.
    ///
    /// # Errors
    /// `Cancelled` when `on_update` returns `Break`; otherwise the errors of [`EventLog::index`].
    pub fn catch_up_index(log: &EventLog, on_update: &mut OnSurveyUpdate) -> Result<UpdatedIndex, StorageError> {
        log.catch_up_index(on_update).map(|update| (update.index, update.survey))
    }

    /// Rebuilds the index of a log from an offset.
    ///
    /// # Errors
    /// `Cancelled` when `on_update` returns `Break`; otherwise the errors of [`EventLog::index`].
    pub fn reindex_from(
        log: &EventLog,
        offset: u64,
        on_update: &mut OnSurveyUpdate,
    ) -> Result<UpdatedIndex, StorageError> {
        log.reindex_with_progress(offset, on_update).map(|update| (update.index, update.survey))
    }
}

#[cfg(feature = "app")]
pub mod report {
    //! The exit statuses of commands.
    use crate::format::Version;
    use crate::repair::{Plan, ProposedFix};
    use crate::report::ExitStatus;

    /// Returns the exit status of `verify` for these findings and fixes, without that of the index.
    pub fn exit_code_of_findings(found: &[ProposedFix], version: Version) -> u8 {
        let statuses = found.iter().map(|found| ExitStatus::for_finding(&found.finding, found.fix.as_ref(), version));
        statuses.fold(ExitStatus::Done, ExitStatus::combine).code()
    }

    /// Returns the exit statuses of `repair --dry-run` and of `repair` for a plan, without that of the index.
    pub fn exit_codes_of_plan(plan: &Plan) -> [u8; 2] {
        [ExitStatus::before_repair(plan).code(), ExitStatus::after_repair(plan).code()]
    }
}

#[cfg(feature = "app")]
pub mod sample {
    //! Generating logs of random events.
    pub use crate::sample::{GeneratorOptions, LogLength, generate, generate_segments};
}

#[cfg(feature = "app")]
pub mod tui {
    //! The table of keys and actions.
    pub use crate::tui::{ActionScope, CONFIG_KEYS, LOG_LIST_KEYS, action_table};
}
