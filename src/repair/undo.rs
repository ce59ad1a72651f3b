//! Taking a repair back: a plan like any other, made from the journal of the one that it undoes.

use std::path::PathBuf;

use super::after::{After, Source};
use super::guard::{changed, refused};
use super::identity::{identity, sha256};
use super::journal::number_of;
use super::planner::{lock_ms, name_plan};
use super::record::{JournalFile, Record, RecordState, list, records};
use super::{Change, Loss, PLAN_VERSION, Plan, Site, Step, Write};
use crate::StorageError;
use crate::file::{HeaderState, LogFile, Open};
use crate::format::Version;
use crate::format::journal::Part;

/// Plans to take a repair back: the one of this number, or the last that is applied and not undone.
///
/// # Errors
/// `Refused` where there is none, where it was undone already, or where events were appended in place of what would come
/// back; `Changed` where the log is not as that repair left it; `Io`.
pub fn plan_undo(site: &Site, number: Option<u32>) -> Result<Plan, StorageError> {
    let (records, notices) = records(site)?;
    let record = choose(site, &records, &notices, number)?;
    let file = JournalFile::open(site.disk.as_ref(), &record.journal)
        .map_err(|why| refused(&site.path, format!("{}: {why}", record.journal.display()), "Keep the journal"))?;
    let path = &site.path;
    let storage = site.disk.open(path, Open::Read).map_err(|error| StorageError::io(path, "open", error))?;
    let log = LogFile::with_header(storage, path, Version::V1, HeaderState::None);
    let done = &record.plan;
    let log_now = identity(&log)?;
    let mut steps = Vec::new();
    for step in &done.steps {
        let as_left = log_now.bytes >= step.new_end && sha256(&log, step.start..step.new_end)? == step.after;
        if let Some(later) = later(&records, record, step).filter(|_| !as_left) {
            let why = format!("repair {later} has changed {}..{} since", step.start, step.new_end);
            return Err(refused(path, why, "Take the later repair back first"));
        }
        if step.touches_tail() && log_now.bytes > step.new_end {
            let why = format!(
                "{} bytes were appended behind the end that repair {} has made, and would be lost with it",
                log_now.bytes - step.new_end,
                record.number
            );
            return Err(refused(path, why, "Its journal keeps every old byte; what was appended since has to stay"));
        }
        if !as_left {
            let left = format!("{}..{} as repair {} left it", step.start, step.new_end, record.number);
            return Err(changed(path, &left, "other bytes"));
        }
        steps.push(back(&log, &file, step)?);
    }
    if done.steps.is_empty() && log_now.bytes != done.log.bytes {
        let why = "events were appended since the index forgot those that are gone".to_owned();
        return Err(refused(path, why, "The old index stays in the journal"));
    }
    let mut plan = Plan {
        plan: PLAN_VERSION,
        id: String::new(),
        undoes: Some(record.number),
        log: log_now,
        lock_ms: lock_ms(&steps),
        steps,
        left: Vec::new(),
        notes: Vec::new(),
        forgets: None,
        forgotten: Loss::default(),
    };
    name_plan(&mut plan);
    Ok(plan)
}

/// The last repair after `record` that stands and has changed something of what `step` left.
fn later(records: &[Record], record: &Record, step: &Step) -> Option<u32> {
    let overlaps = |other: &Step| {
        let (end, its_end) = (step.new_end.max(step.end), other.new_end.max(other.end));
        other.start < end && step.start < its_end
    };
    let after = records.iter().rev().filter(|other| other.number > record.number && stands(other));
    after.filter(|other| other.plan.steps.iter().any(overlaps)).map(|other| other.number).next()
}

fn stands(record: &Record) -> bool {
    record.state == RecordState::Applied && record.undone_by.is_none()
}

fn choose<'a>(
    site: &Site,
    records: &'a [Record],
    notices: &[String],
    number: Option<u32>,
) -> Result<&'a Record, StorageError> {
    // What a journal that cannot be read has done is not known: it is named, with why.
    let unread = notices.iter().map(|notice| format!("; not read: {notice}")).collect::<String>();
    let Some(number) = number else {
        let last = records.iter().rev().find(|record| stands(record) && record.plan.undoes.is_none());
        let why = || format!("no repair in {} is applied and not undone{unread}", site.journal_folder().display());
        return last.ok_or_else(|| refused(&site.path, why(), "See `chronicle undo --list`"));
    };
    let found = records.iter().find(|record| record.number == number);
    let why = match found {
        Some(record) if stands(record) => return Ok(record),
        Some(Record { undone_by: Some(by), .. }) => format!("repair {number} was undone already, by {by}"),
        Some(_) => format!("repair {number} was never done"),
        None => format!("there is no repair {number} in {}{unread}", site.journal_folder().display()),
    };
    Err(refused(&site.path, why, "See `chronicle undo --list`"))
}

/// The step that takes `step` back.
fn back(log: &LogFile, file: &JournalFile, step: &Step) -> Result<Step, StorageError> {
    let write = match &step.write {
        Write::Edits(changes) => Write::Edits(
            changes
                .iter()
                .map(|change| Change {
                    offset: change.offset,
                    before: change.after.clone(),
                    after: change.before.clone(),
                })
                .collect(),
        ),
        _ => Write::Taken { from: file.record.journal.clone() },
    };
    let mut back = Step {
        certainty: None,
        start: step.start,
        end: step.new_end,
        new_end: step.end,
        write,
        restored: 0,
        given_up: Loss::default(),
        also_possible: Vec::new(),
        before: step.after.clone(),
        after: Vec::new(),
        ..step.clone()
    };
    back.neighbours.retain(|frame| super::identity::neighbour(log, frame.offset).is_ok_and(|now| now == Some(*frame)));
    back.after = After::of(&back, Source::Journal(file, Part::Before)).sha256(log)?;
    if back.after != step.before {
        return Err(changed(&file.record.journal, "the bytes of before", "other bytes"));
    }
    Ok(back)
}

/// The journal of the repair of this number.
pub(super) fn journal_of(site: &Site, number: u32) -> Result<PathBuf, StorageError> {
    let journals = list(site.disk.as_ref(), &site.journal_folder())?;
    journals.into_iter().find(|path| number_of(path) == Some(number)).ok_or_else(|| {
        let why = format!("there is no repair {number} in {}", site.journal_folder().display());
        refused(&site.path, why, "See `chronicle undo --list`")
    })
}
