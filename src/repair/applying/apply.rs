//! Applying a plan, under the writer's lock: everything that the plan depends on is checked, every byte that changes is
//! saved in the journal, and only then is the log changed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::change::{AppliedRepair, PlannedChange, work_of_plan};
use super::failure::StartedRepair;
use super::free_space::{check_free_space, check_space_for_growth};
use super::index_maintenance::{is_index_affected, restore_undone_index, save_index_to_journal};
use super::lock::{LockedLog, open_and_lock};
use super::preconditions::{check_plan_with_progress, check_tail_again};
use super::purge::execute_purge;
use super::recover::recover_locked;
use super::settings::check_settings;
use super::source_files::{SourceFiles, journaled_output};
use super::verify::{check_after_repair, check_before_repair, verify_steps};
use super::write::{roll_back, write_steps};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::journal::JournalSection;
use crate::inspect::{LogView, OnProgress};
use crate::repair::journal::{JournalFolder, JournalReader, JournalState, JournalWriter};
use crate::repair::types::{
    CHUNK, Cancellation, LogPaths, Plan, RepairStep, WorkMeter, changed_error, for_each_chunk, refused_error,
};

/// The options for applying a plan.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct ApplyOptions {
    /// Longest time to wait for the writer's lock.
    pub lock_timeout: Duration,
    /// Verify the whole log before and after the repair, instead of only the planned ranges.
    pub full_check: bool,
    /// When a callback of the progress can cancel the repair.
    pub cancellation: Cancellation,
}

impl ApplyOptions {
    /// Creates the default options: a log that another process has locked is refused at once, and only the planned
    /// ranges are verified.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the longest time to wait for the writer's lock.
    #[must_use]
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// Sets when a callback of the progress can cancel the repair; the default is at any time.
    #[must_use]
    pub fn cancellation(mut self, cancellation: Cancellation) -> Self {
        self.cancellation = cancellation;
        self
    }

    /// Verifies the whole log before and after the repair, instead of only the planned ranges.
    #[must_use]
    pub fn full_check(mut self) -> Self {
        self.full_check = true;
        self
    }
}

/// Applies exactly the steps of a plan. An earlier repair that was killed is completed or rolled back first.
///
/// After a kill at any instant, the next [`recover`](super::recover()), the next opening for append or the next `apply`
/// restores the log as it was, or completes the plan.
///
/// # Errors
/// - `Locked` when another process holds the writer's lock for longer than [`ApplyOptions::lock_timeout`].
/// - `Changed` when the log, its index or the donor differs from the plan. Nothing was written to the log.
/// - `Refused` when the plan cannot be applied to this log, or when the disk has no room for the journal.
/// - `Io` when the log cannot be read or the journal cannot be written. Nothing was written to the log.
/// - `RepairFailed` when the repair failed after its journal was complete. The error reports what the log and the journal
///   contain after that. A journal that is pending is completed or rolled back by the next recovery.
pub fn apply(paths: &LogPaths, plan: &Plan, options: ApplyOptions) -> Result<AppliedRepair, StorageError> {
    apply_with(paths, plan, options, &WorkMeter::silent())
}

/// Applies a plan like [`apply`], and reports the progress about once per mebibyte.
///
/// # Errors
/// Those of [`apply`]. When `on_progress` breaks: `Cancelled` before the first byte of the log was written, otherwise
/// `RepairFailed` after the repair was rolled back, unless [`ApplyOptions::cancellation`] lets it run to its end.
pub fn apply_with_progress(
    paths: &LogPaths,
    plan: &Plan,
    options: ApplyOptions,
    on_progress: &mut OnProgress,
) -> Result<AppliedRepair, StorageError> {
    apply_with(paths, plan, options, &WorkMeter::new(work_of_plan(plan), on_progress))
}

fn apply_with(
    paths: &LogPaths,
    plan: &Plan,
    options: ApplyOptions,
    meter: &WorkMeter,
) -> Result<AppliedRepair, StorageError> {
    meter.set_cancellation(options.cancellation);
    let LockedLog { log, .. } = &open_and_lock(paths, options.lock_timeout)?;
    recover_locked(paths, log, meter)?;
    let log = &Arc::new(log.in_format(plan.log.format));
    check_plan_with_progress(log, plan, meter)?;
    check_settings(paths, log, plan)?;
    // An undo restores damage that its plan does not list, so a check of the whole log would fail.
    if let Some(purge) = &plan.purges {
        return execute_purge(PlannedChange { paths, log, plan, meter }, purge);
    }
    let extent = if options.full_check && plan.undoes.is_none() { CheckExtent::WholeLog } else { CheckExtent::Steps };
    execute_plan(PlannedChange { paths, log, plan, meter }, extent)
}

/// The parts of the log that are read to verify a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CheckExtent {
    /// The ranges of the steps, and the frames next to them.
    Steps,
    /// The whole log, before and after the repair.
    WholeLog,
}

/// Journals, writes and verifies a plan that was checked already, under the lock that the log holds.
pub(super) fn execute_plan(change: PlannedChange, extent: CheckExtent) -> Result<AppliedRepair, StorageError> {
    let PlannedChange { paths, log, plan, .. } = change;
    // A plan may have any size, so the space is checked before the planned bytes are computed.
    check_space_for_growth(paths, plan)?;
    let sources = SourceFiles::open(paths, log, plan)?;
    check_outputs(change, &sources)?;
    let view = change.open_view();
    // The repair could not adapt an index that it cannot read.
    view.as_ref().map_or(Ok(()), |view| view.seen_end().ensure_known(view.index_path()))?;
    check_index_end(log, plan, view.as_ref())?;
    if extent == CheckExtent::WholeLog {
        check_before_repair(change)?;
    }
    check_free_space(change, adapted_index(view, plan, &sources).as_ref())?;
    // The journal describes the whole log. Without this sync, a power cut during the repair could remove events at the end,
    // and the next recovery would take the journal for that of another log.
    log.sync().map_err(|error| StorageError::io(log.path(), "sync", error))?;
    let mut journal = JournalWriter::create(paths, log, plan)?;
    // Another process can have saved the index until now. One that saves it later sees the journal, and removes it.
    let view = change.open_view();
    let index_behind = sources.has_saved_index() || view.as_ref().is_some_and(|view| view.identified_index().is_some());
    let index = adapted_index(view, plan, &sources);
    let action = if plan.undoes.is_some() { "undo" } else { "repair" };
    let journal_path = journal.path().to_owned();
    let started = StartedRepair { change, journal: &journal_path, action };
    let prepared = write_journal(change, &mut journal, &sources, index.as_ref())
        .and_then(|()| reopen_journal(change, journal.path()))
        .and_then(|written| check_tail_again(change).map(|()| written))
        .and_then(|written| journal.append_state(JournalState::Prepared).map(|()| written));
    let written = match prepared {
        Ok(written) => written,
        Err(error) if journal.discard().is_ok() => return Err(error),
        // The journal may be complete, so that the next recovery would act on it.
        Err(error) => return Err(started.to_error(error)),
    };
    change.meter.begin_changes();
    let repaired = write_steps(change, &written, index.as_ref())
        .and_then(|()| verify_steps(change))
        .and_then(|()| if extent == CheckExtent::WholeLog { check_after_repair(change) } else { Ok(()) })
        .and_then(|()| restore_undone_index(paths, sources.undone_journal()));
    if let Err(error) = repaired {
        if !matches!(error, StorageError::Poisoned { .. }) {
            roll_back_failed(paths, log, journal.path());
        }
        return Err(started.to_error(error));
    }
    journal.append_state(JournalState::Applied).map_err(|error| started.to_error(error))?;
    Ok(AppliedRepair { number: journal.number(), journal: journal.path().to_owned(), index_behind })
}

/// Returns the view when the repair must save its index to the journal and replace it.
fn adapted_index(view: Option<LogView>, plan: &Plan, sources: &SourceFiles) -> Option<LogView> {
    view.filter(|view| view.persisted_index().is_some() && (is_index_affected(view, plan) || sources.has_saved_index()))
}

/// Rolls back a repair that failed. When that fails too, the repair stays pending, and the next recovery decides.
fn roll_back_failed(paths: &LogPaths, log: &LogFile, journal: &Path) {
    if let Ok(folder) = JournalFolder::open(paths, log)
        && let Ok(journal) = folder.open_journal(journal)
        && roll_back(paths, log, &journal).is_ok()
    {
        // When the record cannot be written, the next recovery finds the repair pending and rolls it back again.
        let _ = journal.append_state(paths.disk.as_ref(), JournalState::RolledBack);
    }
}

/// Checks that the steps would write the planned bytes: a plan may have been edited, and a donor may have changed.
fn check_outputs(change: PlannedChange, sources: &SourceFiles) -> Result<(), StorageError> {
    let PlannedChange { log, plan, meter, .. } = change;
    for step in &plan.steps {
        if sources.output_of(step).sha256(log, meter)? != step.after_sha256 {
            let reason = format!("what would be written to {}..{} is not what the plan shows", step.start, step.end);
            return Err(refused_error(
                log.path(),
                reason,
                "Make a new plan with `chronicle repair LOG --dry-run --plan FILE`",
            ));
        }
    }
    Ok(())
}

/// Refuses to cut off bytes before the end that an index has recorded, unless the plan gives them up.
fn check_index_end(log: &LogFile, plan: &Plan, view: Option<&LogView>) -> Result<(), StorageError> {
    let seen_end = view.and_then(|view| view.seen_end().offset()).unwrap_or_default();
    let cuts_seen = |step: &RepairStep| step.new_end < step.end && step.new_end < seen_end;
    if plan.undoes.is_none() && plan.forgotten_index_end.is_none() && plan.steps.iter().any(cuts_seen) {
        let found = format!("an index that has seen it to {seen_end}");
        return Err(changed_error(log.path(), "an end that no index has seen", &found));
    }
    Ok(())
}

/// Writes to the journal the bytes that the repair changes, the bytes that it copies, and the index.
fn write_journal(
    change: PlannedChange,
    journal: &mut JournalWriter,
    sources: &SourceFiles,
    index: Option<&LogView>,
) -> Result<(), StorageError> {
    let PlannedChange { log, plan, meter, .. } = change;
    for step in &plan.steps {
        for_each_chunk(log, step.range(), meter, &mut |at, bytes| {
            journal.append_bytes(JournalSection::BeforeImage, at, bytes)
        })?;
        sources.for_each_excess_chunk(log, step, &mut |at, bytes| {
            journal.append_bytes(JournalSection::Excess, at, bytes)
        })?;
        // A run of zeros that continued in the next step would not be the range of a step, and no reader would accept it.
        journal.flush_zeros()?;
        let mut output = sources.output_of(step);
        for section in step.copied_sections() {
            let mut at = section.range.start;
            while at < section.range.end {
                let end = section.range.end.min(at.saturating_add(CHUNK));
                journal.append_bytes(JournalSection::AfterImage, at, &output.read_chunk(at..end, &[])?)?;
                meter.advance(end - at)?;
                at = end;
            }
        }
    }
    index.map_or(Ok(()), |view| save_index_to_journal(view, journal, meter))
}

/// Opens the written journal, and checks the bytes that it has copied from other files.
///
/// Steps then copy from the journal, because another program may change the other file at any time.
fn reopen_journal(change: PlannedChange, path: &Path) -> Result<JournalReader, StorageError> {
    let PlannedChange { paths, log, plan, meter } = change;
    let journal = JournalFolder::open(paths, log)?.open_journal(path);
    let journal = journal.map_err(|fault| changed_error(path, "the journal as it was written", &fault.reason()))?;
    for step in plan.steps.iter().filter(|step| step.copied_sections().next().is_some()) {
        if journaled_output(&journal, step).sha256(log, meter)? != step.after_sha256 {
            let expected = format!("the bytes for {}..{} that the plan was made from", step.start, step.end);
            return Err(changed_error(log.path(), &expected, "other bytes in the file they are copied from"));
        }
    }
    Ok(journal)
}
