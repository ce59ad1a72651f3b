//! Applying a plan: under the lock, after everything it rests on was looked at again, with every byte that goes in the
//! journal first.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::identity::{CHUNK, for_each_chunk, read_neighbour, sha256_of_range};
use super::index_maintenance::{restore_index, save_index_to_journal, truncate_index};
use super::journal_reader::{JournalReader, RepairRecord, RepairState, read_repair_records};
use super::journal_writer::{JournalState, JournalWriter};
use super::preconditions::{changed_error, check_plan, open_and_lock, refused_error};
use super::recover::{recover_locked, roll_back};
use super::step_output::{ByteSource, StepOutput};
use super::{LogPaths, Plan, RepairStep, StepWrite};
use crate::StorageError;
use crate::file::{HeaderState, LogFile, OpenMode};
use crate::format::journal::JournalSection;
use crate::format::{DamageKind, Finding, Version};
use crate::inspect::{LogView, SurveyOptions, SurveyUpdate, survey};

/// How a plan is applied.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApplyOptions {
    /// How long to wait for the writer's lock.
    pub lock_timeout: Duration,
    /// Read the whole log again afterwards, not only what was changed.
    pub full_check: bool,
}

/// What was done.
#[derive(Debug, Clone, PartialEq)]
pub struct AppliedRepair {
    /// The repair's number, by which it can be undone.
    pub number: u32,
    /// Its journal.
    pub journal: PathBuf,
    /// An index that may be believed stands beside the log, and may not cover all of it: it is to be caught up now.
    pub index_behind: bool,
}

/// Applies a plan, exactly. A repair that was killed before is completed or taken back first.
///
/// Killed at any instant, the log is as it was or as the plan shows it once it was opened for append again, or the next
/// repair has looked at it.
///
/// # Errors
/// `Locked` when another process holds the writer's lock for longer than `terms.wait`; `Changed` when what the plan
/// rests on has moved on; `Refused` for a plan that cannot be applied here; `Io` when the journal or the log cannot be
/// written: then the log is as it was; `Poisoned` when a sync failed: then the next opening for append, or the next
/// repair, decides by what is on the disk.
pub fn apply(paths: &LogPaths, plan: &Plan, options: ApplyOptions) -> Result<AppliedRepair, StorageError> {
    let log = open_and_lock(paths, options.lock_timeout)?;
    recover_locked(paths, &log)?;
    check_plan(&log, plan)?;
    execute_plan(paths, &log, plan, options.full_check)
}

/// Journals, writes and verifies a plan that was checked, under the lock that `log` holds.
pub(super) fn execute_plan(
    paths: &LogPaths,
    log: &Arc<LogFile>,
    plan: &Plan,
    full_check: bool,
) -> Result<AppliedRepair, StorageError> {
    let taken = SourceFiles::open(paths, plan)?;
    for step in &plan.steps {
        if StepOutput::new(step, taken.source_for(step)).sha256(log)? != step.after_sha256 {
            let why = format!("what would be written to {}..{} is not what the plan shows", step.start, step.end);
            return Err(refused_error(log.path(), why, "Make the plan again"));
        }
    }
    let view = LogView::from_storage(paths.disk.clone(), log.path(), log.shared_storage(), paths.custom_index()).ok();
    let seen = view.as_ref().and_then(LogView::trusted_index_end).unwrap_or_default();
    let cuts = |step: &RepairStep| step.new_end < step.end && step.new_end < seen;
    if plan.undoes.is_none() && plan.forgotten_index_end.is_none() && plan.steps.iter().any(cuts) {
        let found = format!("an index that saw it to {seen}");
        return Err(changed_error(log.path(), "an end that no index has seen whole", &found));
    }
    if full_check && plan.undoes.is_none() {
        let known = |found: &Finding| is_planned(plan, found) || is_left_unrepaired(plan, found);
        if let Some(found) = find_unknown_damage(paths, &known)? {
            let place = format!("no damage in {}..{}", found.start, found.end);
            return Err(changed_error(
                log.path(),
                &place,
                &format!("{}, which the plan does not know", found.kind.name()),
            ));
        }
    }
    let stale = view.as_ref().is_some_and(|view| is_index_affected(view, plan));
    let index_behind = taken.has_saved_index() || view.as_ref().is_some_and(|view| view.trusted_index().is_some());
    let index = view.filter(|view| view.persisted_index().is_some() && (stale || taken.has_saved_index()));
    check_free_space(paths, plan, index.as_ref())?;
    let mut journal = JournalWriter::create(paths, plan)?;
    let prepared = write_journal(&mut journal, log, plan, &taken, index.as_ref())
        .and_then(|()| reopen_journal(paths, log, plan, journal.path()))
        .and_then(|kept| journal.append_state(JournalState::Prepared).map(|()| kept));
    let kept = match prepared {
        Ok(kept) => kept,
        Err(error) => {
            journal.discard();
            return Err(error);
        }
    };
    let done = write_steps(paths, log, plan, &kept, index.as_ref())
        .and_then(|()| verify_steps(paths, log, plan, full_check))
        .and_then(|()| restore_undone_index(paths, &taken));
    if let Err(error) = done {
        if !matches!(error, StorageError::Poisoned { .. })
            && let Ok(file) = JournalReader::open(paths.disk.as_ref(), journal.path())
            && roll_back(paths, log, &file).is_ok()
        {
            // Where it cannot be said, the next look at the log finds it taken back, and says so then.
            let _ = file.append_state(paths.disk.as_ref(), JournalState::RolledBack);
        }
        return Err(error);
    }
    journal.append_state(JournalState::Applied)?;
    Ok(AppliedRepair { number: journal.number(), journal: journal.path().to_owned(), index_behind })
}

/// True when an index that may speak for the log has seen some of what changes.
fn is_index_affected(view: &LogView, plan: &Plan) -> bool {
    let first =
        plan.steps.iter().find(|step| !is_header_step(step)).map(|step| step.start).or(plan.forgotten_index_end);
    let Some((index, first)) = view.trusted_index().zip(first) else { return false };
    plan.forgotten_index_end.is_some() || index.head().scanned_to > first || index.head().log_end_offset > first
}

fn is_header_step(step: &RepairStep) -> bool {
    step.end <= Version::V1.first_frame_offset() && !step.touches_tail()
}

/// The first byte of what an index must not cover.
pub(super) fn first_changed_offset(plan: &Plan) -> u64 {
    let steps = plan.steps.iter().filter(|step| !is_header_step(step)).map(|step| step.start);
    steps.min().unwrap_or(plan.log.bytes).min(plan.log.bytes)
}

/// Everything into the journal.
fn write_journal(
    journal: &mut JournalWriter,
    log: &LogFile,
    plan: &Plan,
    sources: &SourceFiles,
    index: Option<&LogView>,
) -> Result<(), StorageError> {
    for step in &plan.steps {
        for_each_chunk(log, step.range(), &mut |at, bytes| {
            journal.append_bytes(JournalSection::BeforeImage, at, bytes)
        })?;
        if let StepWrite::CopyFrom { .. } = step.write {
            let mut after = StepOutput::new(step, sources.source_for(step));
            after
                .for_each_chunk(log, &mut |at, _, bytes| journal.append_bytes(JournalSection::AfterImage, at, bytes))?;
        }
    }
    index.map_or(Ok(()), |view| save_index_to_journal(view, journal))
}

/// The journal read again, once what it keeps of elsewhere is what the plan shows: that, and nothing that another program
/// may change meanwhile, is what is written.
fn reopen_journal(paths: &LogPaths, log: &LogFile, plan: &Plan, path: &Path) -> Result<JournalReader, StorageError> {
    let unread = |why: String| changed_error(path, "the journal as it was written", &why);
    let kept = JournalReader::open(paths.disk.as_ref(), path).map_err(unread)?;
    for step in plan.steps.iter().filter(|step| matches!(step.write, StepWrite::CopyFrom { .. })) {
        if StepOutput::new(step, ByteSource::Journal(&kept, JournalSection::AfterImage)).sha256(log)?
            != step.after_sha256
        {
            let range = format!("the bytes of {}..{} as they were when they were planned", step.start, step.end);
            return Err(changed_error(log.path(), &range, "other bytes, from elsewhere"));
        }
    }
    Ok(kept)
}

/// The log itself: first in place, its end last.
fn write_steps(
    paths: &LogPaths,
    log: &LogFile,
    plan: &Plan,
    journal: &JournalReader,
    index: Option<&LogView>,
) -> Result<(), StorageError> {
    if let Some(view) = index {
        truncate_index(paths, view, plan)?;
    }
    for step in &plan.steps {
        write_step(log, step, ByteSource::Journal(journal, JournalSection::AfterImage))?;
    }
    sync_log(log)
}

/// Writes what a step leaves.
pub(super) fn write_step(log: &LogFile, step: &RepairStep, source: ByteSource) -> Result<(), StorageError> {
    let storage = log.storage();
    let io = |at| move |error| StorageError::io_at(log.path(), "write", at, error);
    if let StepWrite::Edits(changes) = &step.write {
        for change in changes {
            storage.write_at(&change.after, change.offset).map_err(io(change.offset))?;
        }
    } else {
        let mut after = StepOutput::new(step, source);
        after.for_each_chunk(log, &mut |at, _, bytes| storage.write_at(bytes, at).map_err(io(at)))?;
    }
    if step.new_end < step.end {
        let cut = |error| StorageError::io_at(log.path(), "cut", step.new_end, error);
        storage.set_len(step.new_end).map_err(cut)?;
    }
    Ok(())
}

/// Syncs what was changed. A failure is final: nobody knows what is on the disk, and a later success proves nothing.
pub(super) fn sync_log(log: &LogFile) -> Result<(), StorageError> {
    log.storage().sync().map_err(|error| {
        log.storage().drop_cache();
        let why = format!("a sync failed ({error}) in a repair");
        StorageError::Poisoned { path: log.path().to_owned(), offset: 0, reason: why }
    })
}

/// Reads again, from the device where that is possible, what was written.
fn verify_steps(paths: &LogPaths, log: &LogFile, plan: &Plan, full_check: bool) -> Result<(), StorageError> {
    log.storage().drop_cache();
    for step in &plan.steps {
        if sha256_of_range(log, step.start..step.new_end)? != step.after_sha256 {
            let range = format!("what was written to {}..{}", step.start, step.new_end);
            return Err(changed_error(log.path(), &range, "other bytes when it was read again"));
        }
        for expected in &step.neighbours {
            if read_neighbour(log, expected.offset)? != Some(*expected) {
                let frame = format!("the frame at {} as before", expected.offset);
                return Err(changed_error(log.path(), &frame, "other bytes"));
            }
        }
    }
    if full_check && plan.undoes.is_none() {
        let known = |found: &Finding| is_left_unrepaired(plan, found);
        if let Some(found) = find_unknown_damage(paths, &known)? {
            let range = format!("no damage in {}..{}", found.start, found.end);
            return Err(changed_error(log.path(), &range, found.kind.name()));
        }
    }
    Ok(())
}

fn is_planned(plan: &Plan, found: &Finding) -> bool {
    let is_forgotten = plan.forgotten_index_end.is_some() && found.kind == DamageKind::Truncated;
    is_forgotten || plan.steps.iter().any(|step| step.start <= found.start && found.end <= step.end.max(step.new_end))
}

fn is_left_unrepaired(plan: &Plan, found: &Finding) -> bool {
    plan.unrepaired.iter().any(|left| left.piece.start <= found.start && found.end <= left.piece.end)
}

/// The first damage of the whole log that is not known.
fn find_unknown_damage(paths: &LogPaths, known: &dyn Fn(&Finding) -> bool) -> Result<Option<Finding>, StorageError> {
    let view = LogView::open(paths.disk.clone(), &paths.path, paths.custom_index())?.with_threads(paths.scan_threads);
    let mut unknown = None;
    survey(&view, &SurveyOptions::default(), None, &mut |step| {
        if let SurveyUpdate::Finding(found) = step {
            unknown = unknown.take().or_else(|| (found.kind.is_damage() && !known(found)).then(|| found.clone()));
        }
        ControlFlow::Continue(())
    })?;
    Ok(unknown)
}

/// An undo leaves the index that stood beside the log before; unless a later repair stands, which that index does not
/// know: then the one that was cut back stays, to be caught up.
pub(super) fn restore_undone_index(paths: &LogPaths, sources: &SourceFiles) -> Result<(), StorageError> {
    let Some(journal) = &sources.undone_journal else { return Ok(()) };
    let undone = journal.record.number;
    let stands = |record: &RepairRecord| {
        record.number > undone
            && record.state == RepairState::Applied
            && record.undone_by.is_none()
            && record.plan.undoes.is_none()
    };
    if read_repair_records(paths)?.0.iter().any(stands) { Ok(()) } else { restore_index(paths, journal) }
}

/// A repair without room for its journal refuses before it starts.
fn check_free_space(paths: &LogPaths, plan: &Plan, index: Option<&LogView>) -> Result<(), StorageError> {
    let taken = plan.steps.iter().filter(|step| matches!(step.write, StepWrite::CopyFrom { .. }));
    let grows: u64 = plan.steps.iter().map(|step| step.new_end.saturating_sub(step.end)).sum();
    let index_bytes = index.and_then(|view| view.persisted_index()).map_or(0, |index| index.file_bytes());
    // Twice the index: the copy in the journal, and the one cut back that replaces it.
    let needed = plan.journaled_bytes() + taken.map(|step| step.new_end - step.start).sum::<u64>() + grows;
    let needed = needed + 2 * index_bytes + CHUNK;
    let folder = paths.journal_folder();
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match paths.disk.available_space(&folder).or_else(|| paths.disk.available_space(parent)) {
        Some(room) if room < needed => {
            let why = format!("the journal needs {needed} bytes, and {room} are free at {}", parent.display());
            Err(refused_error(&paths.path, why, "Make room, or keep the journal elsewhere with --journal"))
        }
        _ => Ok(()),
    }
}

/// The files that a plan takes bytes from.
#[derive(Debug, Default)]
pub(super) struct SourceFiles {
    donor: Option<LogFile>,
    undone_journal: Option<JournalReader>,
}

impl SourceFiles {
    /// The journal of the repair that a plan takes back: what is still needed of it once the log is as planned.
    pub(super) fn open_undone_journal(paths: &LogPaths, plan: &Plan) -> Result<Self, StorageError> {
        let Some(number) = plan.undoes else { return Ok(Self::default()) };
        let path = super::undo::find_journal(paths, number)?;
        let file = JournalReader::open(paths.disk.as_ref(), &path).map_err(|why| {
            refused_error(&paths.path, format!("{}: {why}", path.display()), "See `chronicle undo --list`")
        })?;
        Ok(Self { donor: None, undone_journal: Some(file) })
    }

    pub(super) fn open(paths: &LogPaths, plan: &Plan) -> Result<Self, StorageError> {
        let mut taken = Self::open_undone_journal(paths, plan)?;
        let from = plan.steps.iter().find_map(|step| match &step.write {
            StepWrite::CopyFrom { from } => Some(from),
            _ => None,
        });
        if let Some(path) = from.filter(|_| plan.undoes.is_none()) {
            let storage =
                paths.disk.open(path, OpenMode::Read).map_err(|error| StorageError::io(path, "open", error))?;
            taken.donor = Some(LogFile::with_header(storage, path, Version::V1, HeaderState::Absent));
        }
        Ok(taken)
    }

    pub(super) fn source_for(&self, step: &RepairStep) -> ByteSource<'_> {
        match (&step.write, &self.undone_journal, &self.donor) {
            (StepWrite::CopyFrom { .. }, Some(journal), _) => ByteSource::Journal(journal, JournalSection::BeforeImage),
            (StepWrite::CopyFrom { .. }, None, Some(copy)) => ByteSource::Donor(copy),
            _ => ByteSource::Unavailable,
        }
    }

    /// True when the index of before comes back.
    fn has_saved_index(&self) -> bool {
        self.undone_journal.as_ref().is_some_and(|journal| journal.has_section(JournalSection::IndexBeforeImage))
    }
}
