//! The operations of a history, and what each one reports.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use chronicle::internal::format::Version;
use chronicle::repair::{
    ApplyOptions, CopyOptions, LogPaths, RepairOptions, apply, migrate, plan_repair, plan_undo, recover, salvage,
};
use chronicle::{Durability, EventLog, OpenOptions, StorageError};

use super::start::V2;
use crate::engine::sim_disk::SimDisk;
use crate::engine::support::{LOG, START_MS, event, open_view};

/// The new log of a salvage or a migration.
pub(super) const COPY: &str = "/data/copy.log";

/// One operation of a history. Each one opens the log, works, and closes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    /// Appends one event without a sync, and ends without closing the log.
    Append,
    /// Appends one event with a sync, and ends without closing the log.
    AppendSync,
    /// Appends two events in one write, and closes the log, which may save the index.
    Batch,
    SaveIndex,
    CatchUp,
    Repair,
    Undo,
    Salvage,
    Migrate,
    MigrateToVersion2,
    /// What a program does after a crash: recovers, appends one event with a sync, and saves the index.
    Recover,
}

impl Operation {
    /// The operations of which every history is built.
    pub(super) const ALL: [Self; 10] = [
        Self::Append,
        Self::AppendSync,
        Self::Batch,
        Self::SaveIndex,
        Self::CatchUp,
        Self::Repair,
        Self::Undo,
        Self::Salvage,
        Self::Migrate,
        Self::MigrateToVersion2,
    ];

    /// Returns the number of events that the operation tries to append.
    pub(super) const fn new_events(self) -> usize {
        match self {
            Self::Append | Self::AppendSync | Self::Recover => 1,
            Self::Batch => 2,
            _ => 0,
        }
    }

    /// Returns true if the operation writes a new log.
    pub(super) const fn is_copy(self) -> bool {
        matches!(self, Self::Salvage | Self::Migrate | Self::MigrateToVersion2)
    }

    /// Returns true if the operation syncs the whole log before it succeeds.
    pub(super) const fn syncs_log(self) -> bool {
        matches!(self, Self::AppendSync | Self::SaveIndex | Self::Recover)
    }

    /// Runs the operation. The events that it appends have the numbers from `number` on.
    pub(super) fn run(self, disk: &SimDisk, number: usize) -> Outcome {
        let mut outcome = Outcome::default();
        outcome.error = self.try_run(disk, number, &mut outcome).err();
        outcome
    }

    fn try_run(self, disk: &SimDisk, number: usize, outcome: &mut Outcome) -> Result<(), StorageError> {
        match self {
            Self::Append => outcome.appended.push(options(disk).open(LOG)?.append(&numbered_event(number))?),
            Self::AppendSync => outcome.appended.push(options(disk).open(LOG)?.append_sync(&numbered_event(number))?),
            Self::Batch => {
                let mut log = options(disk).open(LOG)?;
                let events = [numbered_event(number), numbered_event(number + 1)];
                outcome.appended = log.append_batch(&events, Durability::Buffered)?;
                log.close()?;
            }
            Self::SaveIndex => open_read_only(disk)?.save_index()?,
            Self::CatchUp => drop(open_read_only(disk)?.index()?),
            Self::Repair => {
                let plan = plan_repair(&open_view(disk)?, &RepairOptions::new().gap_undecided(), &mut |_| {
                    ControlFlow::Continue(())
                })?;
                if !plan.steps.is_empty() {
                    outcome.repaired = Some(apply(&paths(disk), &plan, ApplyOptions::new())?.number);
                }
            }
            Self::Undo => {
                let plan = plan_undo(&paths(disk), None)?;
                outcome.undoes = plan.undoes;
                apply(&paths(disk), &plan, ApplyOptions::new())?;
            }
            Self::Salvage | Self::Migrate | Self::MigrateToVersion2 => {
                let copy = if self == Self::Salvage { salvage } else { migrate };
                let view = open_view(disk)?;
                let mut options = CopyOptions::new(COPY).replace();
                // A salvage of version 2 otherwise gives the new log a random identity.
                let is_salvage_2 = self == Self::Salvage && view.log().version() == Version::V2;
                if self == Self::MigrateToVersion2 || is_salvage_2 {
                    options = options.format(V2);
                }
                copy(&view, &options, &mut |_| ControlFlow::Continue(()))?;
            }
            Self::Recover => {
                recover(&paths(disk))?;
                match options(disk).open(LOG) {
                    Ok(mut log) => outcome.appended.push(log.append_sync(&numbered_event(number))?),
                    // Such a log accepts no event until it is repaired or migrated.
                    Err(StorageError::Truncated { .. } | StorageError::Version0ReadOnly { .. }) => {}
                    Err(error) => return Err(error),
                }
                open_read_only(disk)?.save_index()?;
            }
        }
        Ok(())
    }
}

/// What an operation has reported.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) error: Option<StorageError>,
    /// Offsets of the events that were acknowledged.
    pub(super) appended: Vec<u64>,
    /// Number of the repair that was applied.
    pub(super) repaired: Option<u32>,
    /// Number of the repair that was to be undone.
    pub(super) undoes: Option<u32>,
}

fn numbered_event(number: usize) -> chronicle::Event {
    event(1 + number as u64 % 3, number)
}

/// Returns the options of every log of a history. The clock has one value, so that equal histories give equal bytes.
pub(super) fn options(disk: &SimDisk) -> OpenOptions {
    OpenOptions::new().disk(Arc::new(disk.clone())).clock(|| START_MS + 1_000_000_000)
}

pub(super) fn paths(disk: &SimDisk) -> LogPaths {
    options(disk).log_paths(Path::new(LOG)).unwrap()
}

pub(super) fn open_read_only(disk: &SimDisk) -> Result<EventLog, StorageError> {
    options(disk).open_read_only(LOG)
}
