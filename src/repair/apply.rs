//! Applying a plan: under the lock, after everything it rests on was looked at again, with every byte that goes in the
//! journal first.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::after::{After, Source};
use super::guard::{changed, check_plan, lock, refused};
use super::identity::{CHUNK, each_chunk, neighbour, sha256};
use super::journal::{Journal, Said};
use super::record::{JournalFile, Record, RecordState, records};
use super::recover::{recover_locked, take_back};
use super::witness::{cut_index, keep_index, restore_index};
use super::{Plan, Site, Step, Write};
use crate::StorageError;
use crate::file::{HeaderState, LogFile, Open};
use crate::format::journal::Part;
use crate::format::{Finding, Kind, Version};
use crate::inspect::{LogView, Step as SurveyStep, Wish, survey};

/// How a plan is applied.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terms {
    /// How long to wait for the writer's lock.
    pub wait: Duration,
    /// Read the whole log again afterwards, not only what was changed.
    pub full_check: bool,
}

/// What was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
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
pub fn apply(site: &Site, plan: &Plan, terms: Terms) -> Result<Applied, StorageError> {
    let log = lock(site, terms.wait)?;
    recover_locked(site, &log)?;
    check_plan(&log, plan)?;
    carry_out(site, &log, plan, terms.full_check)
}

/// Journals, writes and verifies a plan that was checked, under the lock that `log` holds.
pub(super) fn carry_out(
    site: &Site,
    log: &Arc<LogFile>,
    plan: &Plan,
    full_check: bool,
) -> Result<Applied, StorageError> {
    let taken = Taken::open(site, plan)?;
    for step in &plan.steps {
        if After::of(step, taken.source(step)).sha256(log)? != step.after {
            let why = format!("what would be written to {}..{} is not what the plan shows", step.start, step.end);
            return Err(refused(log.path(), why, "Make the plan again"));
        }
    }
    let view = LogView::over(site.disk.clone(), log.path(), log.shared_storage(), site.index()).ok();
    let seen = view.as_ref().and_then(LogView::witnessed_end).unwrap_or_default();
    let cuts = |step: &Step| step.new_end < step.end && step.new_end < seen;
    if plan.undoes.is_none() && plan.forgets.is_none() && plan.steps.iter().any(cuts) {
        let found = format!("an index that saw it to {seen}");
        return Err(changed(log.path(), "an end that no index has seen whole", &found));
    }
    if full_check && plan.undoes.is_none() {
        let known = |found: &Finding| is_planned(plan, found) || is_left(plan, found);
        if let Some(found) = damage_but(site, &known)? {
            let place = format!("no damage in {}..{}", found.start, found.end);
            return Err(changed(log.path(), &place, &format!("{}, which the plan does not know", found.kind.name())));
        }
    }
    let stale = view.as_ref().is_some_and(|view| covers(view, plan));
    let index_behind = taken.keeps_index() || view.as_ref().is_some_and(|view| view.witness().is_some());
    let index = view.filter(|view| view.persisted().is_some() && (stale || taken.keeps_index()));
    make_sure_of_room(site, plan, index.as_ref())?;
    let mut journal = Journal::begin(site, plan)?;
    let prepared = prepare(&mut journal, log, plan, &taken, index.as_ref())
        .and_then(|()| as_kept(site, log, plan, journal.path()))
        .and_then(|kept| journal.say(Said::Ready).map(|()| kept));
    let kept = match prepared {
        Ok(kept) => kept,
        Err(error) => {
            journal.discard();
            return Err(error);
        }
    };
    let done = change(site, log, plan, &kept, index.as_ref())
        .and_then(|()| verify(site, log, plan, full_check))
        .and_then(|()| finish(site, &taken));
    if let Err(error) = done {
        if !matches!(error, StorageError::Poisoned { .. })
            && let Ok(file) = JournalFile::open(site.disk.as_ref(), journal.path())
            && take_back(site, log, &file).is_ok()
        {
            // Where it cannot be said, the next look at the log finds it taken back, and says so then.
            let _ = file.say(site.disk.as_ref(), Said::RolledBack);
        }
        return Err(error);
    }
    journal.say(Said::Applied)?;
    Ok(Applied { number: journal.number(), journal: journal.path().to_owned(), index_behind })
}

/// True when an index that may speak for the log has seen some of what changes.
fn covers(view: &LogView, plan: &Plan) -> bool {
    let first = plan.steps.iter().find(|step| !is_header(step)).map(|step| step.start).or(plan.forgets);
    let Some((index, first)) = view.witness().zip(first) else { return false };
    plan.forgets.is_some() || index.head().scanned_to > first || index.head().log_end_offset > first
}

fn is_header(step: &Step) -> bool {
    step.end <= Version::V1.first_frame() && !step.touches_tail()
}

/// The first byte of what an index must not cover.
pub(super) fn first_change(plan: &Plan) -> u64 {
    let steps = plan.steps.iter().filter(|step| !is_header(step)).map(|step| step.start);
    steps.min().unwrap_or(plan.log.bytes).min(plan.log.bytes)
}

/// Everything into the journal.
fn prepare(
    journal: &mut Journal,
    log: &LogFile,
    plan: &Plan,
    taken: &Taken,
    index: Option<&LogView>,
) -> Result<(), StorageError> {
    for step in &plan.steps {
        each_chunk(log, step.range(), &mut |at, bytes| journal.keep(Part::Before, at, bytes))?;
        if let Write::Taken { .. } = step.write {
            let mut after = After::of(step, taken.source(step));
            after.each_chunk(log, &mut |at, _, bytes| journal.keep(Part::After, at, bytes))?;
        }
    }
    index.map_or(Ok(()), |view| keep_index(view, journal))
}

/// The journal read again, once what it keeps of elsewhere is what the plan shows: that, and nothing that another program
/// may change meanwhile, is what is written.
fn as_kept(site: &Site, log: &LogFile, plan: &Plan, path: &Path) -> Result<JournalFile, StorageError> {
    let unread = |why: String| changed(path, "the journal as it was written", &why);
    let kept = JournalFile::open(site.disk.as_ref(), path).map_err(unread)?;
    for step in plan.steps.iter().filter(|step| matches!(step.write, Write::Taken { .. })) {
        if After::of(step, Source::Journal(&kept, Part::After)).sha256(log)? != step.after {
            let range = format!("the bytes of {}..{} as they were when they were planned", step.start, step.end);
            return Err(changed(log.path(), &range, "other bytes, from elsewhere"));
        }
    }
    Ok(kept)
}

/// The log itself: first in place, its end last.
fn change(
    site: &Site,
    log: &LogFile,
    plan: &Plan,
    kept: &JournalFile,
    index: Option<&LogView>,
) -> Result<(), StorageError> {
    if let Some(view) = index {
        cut_index(site, view, plan)?;
    }
    for step in &plan.steps {
        write_step(log, step, Source::Journal(kept, Part::After))?;
    }
    sync(log)
}

/// Writes what a step leaves.
pub(super) fn write_step(log: &LogFile, step: &Step, source: Source) -> Result<(), StorageError> {
    let storage = log.storage();
    let io = |at| move |error| StorageError::io_at(log.path(), "write", at, error);
    if let Write::Edits(changes) = &step.write {
        for change in changes {
            storage.write_at(&change.after, change.offset).map_err(io(change.offset))?;
        }
    } else {
        let mut after = After::of(step, source);
        after.each_chunk(log, &mut |at, _, bytes| storage.write_at(bytes, at).map_err(io(at)))?;
    }
    if step.new_end < step.end {
        let cut = |error| StorageError::io_at(log.path(), "cut", step.new_end, error);
        storage.set_len(step.new_end).map_err(cut)?;
    }
    Ok(())
}

/// Syncs what was changed. A failure is final: nobody knows what is on the disk, and a later success proves nothing.
pub(super) fn sync(log: &LogFile) -> Result<(), StorageError> {
    log.storage().sync().map_err(|error| {
        log.storage().forget_cache();
        let why = format!("a sync failed ({error}) in a repair");
        StorageError::Poisoned { path: log.path().to_owned(), offset: 0, why }
    })
}

/// Reads again, from the device where that is possible, what was written.
fn verify(site: &Site, log: &LogFile, plan: &Plan, full_check: bool) -> Result<(), StorageError> {
    log.storage().forget_cache();
    for step in &plan.steps {
        if sha256(log, step.start..step.new_end)? != step.after {
            let range = format!("what was written to {}..{}", step.start, step.new_end);
            return Err(changed(log.path(), &range, "other bytes when it was read again"));
        }
        for expected in &step.neighbours {
            if neighbour(log, expected.offset)? != Some(*expected) {
                let frame = format!("the frame at {} as before", expected.offset);
                return Err(changed(log.path(), &frame, "other bytes"));
            }
        }
    }
    if full_check && plan.undoes.is_none() {
        let known = |found: &Finding| is_left(plan, found);
        if let Some(found) = damage_but(site, &known)? {
            let range = format!("no damage in {}..{}", found.start, found.end);
            return Err(changed(log.path(), &range, found.kind.name()));
        }
    }
    Ok(())
}

fn is_planned(plan: &Plan, found: &Finding) -> bool {
    let is_forgotten = plan.forgets.is_some() && found.kind == Kind::Truncated;
    is_forgotten || plan.steps.iter().any(|step| step.start <= found.start && found.end <= step.end.max(step.new_end))
}

fn is_left(plan: &Plan, found: &Finding) -> bool {
    plan.left.iter().any(|left| left.piece.start <= found.start && found.end <= left.piece.end)
}

/// The first damage of the whole log that is not known.
fn damage_but(site: &Site, known: &dyn Fn(&Finding) -> bool) -> Result<Option<Finding>, StorageError> {
    let view = LogView::open(site.disk.clone(), &site.path, site.index())?.reading_with(site.threads);
    let mut unknown = None;
    survey(&view, &Wish::default(), None, &mut |step| {
        if let SurveyStep::Finding(found) = step {
            unknown = unknown.take().or_else(|| (found.kind.is_damage() && !known(found)).then(|| found.clone()));
        }
        ControlFlow::Continue(())
    })?;
    Ok(unknown)
}

/// An undo leaves the index that stood beside the log before; unless a later repair stands, which that index does not
/// know: then the one that was cut back stays, to be caught up.
pub(super) fn finish(site: &Site, taken: &Taken) -> Result<(), StorageError> {
    let Some(journal) = &taken.undone else { return Ok(()) };
    let undone = journal.record.number;
    let stands = |record: &Record| {
        record.number > undone
            && record.state == RecordState::Applied
            && record.undone_by.is_none()
            && record.plan.undoes.is_none()
    };
    if records(site)?.0.iter().any(stands) { Ok(()) } else { restore_index(site, journal) }
}

/// A repair without room for its journal refuses before it starts.
fn make_sure_of_room(site: &Site, plan: &Plan, index: Option<&LogView>) -> Result<(), StorageError> {
    let taken = plan.steps.iter().filter(|step| matches!(step.write, Write::Taken { .. }));
    let grows: u64 = plan.steps.iter().map(|step| step.new_end.saturating_sub(step.end)).sum();
    let index_bytes = index.and_then(|view| view.persisted()).map_or(0, |index| index.file_bytes());
    // Twice the index: the copy in the journal, and the one cut back that replaces it.
    let needed = plan.bytes_kept() + taken.map(|step| step.new_end - step.start).sum::<u64>() + grows;
    let needed = needed + 2 * index_bytes + CHUNK;
    let folder = site.journal_folder();
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match site.disk.room(&folder).or_else(|| site.disk.room(parent)) {
        Some(room) if room < needed => {
            let why = format!("the journal needs {needed} bytes, and {room} are free at {}", parent.display());
            Err(refused(&site.path, why, "Make room, or keep the journal elsewhere with --journal"))
        }
        _ => Ok(()),
    }
}

/// The files that a plan takes bytes from.
#[derive(Debug, Default)]
pub(super) struct Taken {
    copy: Option<LogFile>,
    undone: Option<JournalFile>,
}

impl Taken {
    /// The journal of the repair that a plan takes back: what is still needed of it once the log is as planned.
    pub(super) fn undone_of(site: &Site, plan: &Plan) -> Result<Self, StorageError> {
        let Some(number) = plan.undoes else { return Ok(Self::default()) };
        let path = super::undo::journal_of(site, number)?;
        let file = JournalFile::open(site.disk.as_ref(), &path)
            .map_err(|why| refused(&site.path, format!("{}: {why}", path.display()), "See `chronicle undo --list`"))?;
        Ok(Self { copy: None, undone: Some(file) })
    }

    pub(super) fn open(site: &Site, plan: &Plan) -> Result<Self, StorageError> {
        let mut taken = Self::undone_of(site, plan)?;
        let from = plan.steps.iter().find_map(|step| match &step.write {
            Write::Taken { from } => Some(from),
            _ => None,
        });
        if let Some(path) = from.filter(|_| plan.undoes.is_none()) {
            let storage = site.disk.open(path, Open::Read).map_err(|error| StorageError::io(path, "open", error))?;
            taken.copy = Some(LogFile::with_header(storage, path, Version::V1, HeaderState::None));
        }
        Ok(taken)
    }

    pub(super) fn source(&self, step: &Step) -> Source<'_> {
        match (&step.write, &self.undone, &self.copy) {
            (Write::Taken { .. }, Some(journal), _) => Source::Journal(journal, Part::Before),
            (Write::Taken { .. }, None, Some(copy)) => Source::Copy(copy),
            _ => Source::Nowhere,
        }
    }

    /// True when the index of before comes back.
    fn keeps_index(&self) -> bool {
        self.undone.as_ref().is_some_and(|journal| journal.keeps(Part::Index))
    }
}
