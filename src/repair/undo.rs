//! Taking a repair back: a plan like any other, made from the journal of the one that it undoes.

use std::path::PathBuf;

use super::identity::{read_identity, sha256_of_range};
use super::journal_reader::{JournalReader, RepairRecord, RepairState, list_journals, read_repair_records};
use super::journal_writer::journal_number;
use super::planner::{assign_plan_id, estimate_lock_ms};
use super::preconditions::{changed_error, refused_error};
use super::step_output::{ByteSource, StepOutput};
use super::{ByteChange, LogPaths, Loss, PLAN_VERSION, Plan, RepairStep, StepWrite};
use crate::StorageError;
use crate::file::{HeaderState, LogFile, OpenMode};
use crate::format::Version;
use crate::format::journal::JournalSection;

/// Plans to take a repair back: the one of this number, or the last that is applied and not undone.
///
/// # Errors
/// `Refused` where there is none, where it was undone already, or where events were appended in place of what would come
/// back; `Changed` where the log is not as that repair left it; `Io`.
pub fn plan_undo(paths: &LogPaths, number: Option<u32>) -> Result<Plan, StorageError> {
    let (records, notices) = read_repair_records(paths)?;
    let record = select_record(paths, &records, &notices, number)?;
    let file = JournalReader::open(paths.disk.as_ref(), &record.journal).map_err(|why| {
        refused_error(&paths.path, format!("{}: {why}", record.journal.display()), "Keep the journal")
    })?;
    let path = &paths.path;
    let storage = paths.disk.open(path, OpenMode::Read).map_err(|error| StorageError::io(path, "open", error))?;
    let log = LogFile::with_header(storage, path, Version::V1, HeaderState::Absent);
    let done = &record.plan;
    let log_now = read_identity(&log)?;
    let mut steps = Vec::new();
    for step in &done.steps {
        let as_left =
            log_now.bytes >= step.new_end && sha256_of_range(&log, step.start..step.new_end)? == step.after_sha256;
        if let Some(later) = find_later_repair(&records, record, step).filter(|_| !as_left) {
            let why = format!("repair {later} has changed {}..{} since", step.start, step.new_end);
            return Err(refused_error(path, why, "Take the later repair back first"));
        }
        if step.touches_tail() && log_now.bytes > step.new_end {
            let why = format!(
                "{} bytes were appended behind the end that repair {} has made, and would be lost with it",
                log_now.bytes - step.new_end,
                record.number
            );
            return Err(refused_error(
                path,
                why,
                "Its journal keeps every old byte; what was appended since has to stay",
            ));
        }
        if !as_left {
            let left = format!("{}..{} as repair {} left it", step.start, step.new_end, record.number);
            return Err(changed_error(path, &left, "other bytes"));
        }
        steps.push(invert_step(&log, &file, step)?);
    }
    if done.steps.is_empty() && log_now.bytes != done.log.bytes {
        let why = "events were appended since the index forgot those that are gone".to_owned();
        return Err(refused_error(path, why, "The old index stays in the journal"));
    }
    let mut plan = Plan {
        layout_version: PLAN_VERSION,
        id: String::new(),
        undoes: Some(record.number),
        log: log_now,
        estimated_lock_ms: estimate_lock_ms(&steps),
        steps,
        unrepaired: Vec::new(),
        notes: Vec::new(),
        forgotten_index_end: None,
        forgotten_loss: Loss::default(),
    };
    assign_plan_id(&mut plan);
    Ok(plan)
}

/// The last repair after `record` that stands and has changed something of what `step` left.
fn find_later_repair(records: &[RepairRecord], record: &RepairRecord, step: &RepairStep) -> Option<u32> {
    let overlaps = |other: &RepairStep| {
        let (end, its_end) = (step.new_end.max(step.end), other.new_end.max(other.end));
        other.start < end && step.start < its_end
    };
    let after = records.iter().rev().filter(|other| other.number > record.number && is_in_effect(other));
    after.filter(|other| other.plan.steps.iter().any(overlaps)).map(|other| other.number).next()
}

fn is_in_effect(record: &RepairRecord) -> bool {
    record.state == RepairState::Applied && record.undone_by.is_none()
}

fn select_record<'a>(
    paths: &LogPaths,
    records: &'a [RepairRecord],
    notices: &[String],
    number: Option<u32>,
) -> Result<&'a RepairRecord, StorageError> {
    // What a journal that cannot be read has done is not known: it is named, with why.
    let unread = notices.iter().map(|notice| format!("; not read: {notice}")).collect::<String>();
    let Some(number) = number else {
        let last = records.iter().rev().find(|record| is_in_effect(record) && record.plan.undoes.is_none());
        let why = || format!("no repair in {} is applied and not undone{unread}", paths.journal_folder().display());
        return last.ok_or_else(|| refused_error(&paths.path, why(), "See `chronicle undo --list`"));
    };
    let found = records.iter().find(|record| record.number == number);
    let why = match found {
        Some(record) if is_in_effect(record) => return Ok(record),
        Some(RepairRecord { undone_by: Some(by), .. }) => format!("repair {number} was undone already, by {by}"),
        Some(_) => format!("repair {number} was never done"),
        None => format!("there is no repair {number} in {}{unread}", paths.journal_folder().display()),
    };
    Err(refused_error(&paths.path, why, "See `chronicle undo --list`"))
}

/// The step that takes `step` back.
fn invert_step(log: &LogFile, file: &JournalReader, step: &RepairStep) -> Result<RepairStep, StorageError> {
    let write = match &step.write {
        StepWrite::Edits(changes) => StepWrite::Edits(
            changes
                .iter()
                .map(|change| ByteChange {
                    offset: change.offset,
                    before: change.after.clone(),
                    after: change.before.clone(),
                })
                .collect(),
        ),
        _ => StepWrite::CopyFrom { from: file.record.journal.clone() },
    };
    let mut back = RepairStep {
        certainty: None,
        start: step.start,
        end: step.new_end,
        new_end: step.end,
        write,
        restored_events: 0,
        loss: Loss::default(),
        alternatives: Vec::new(),
        before_sha256: step.after_sha256.clone(),
        after_sha256: Vec::new(),
        ..step.clone()
    };
    back.neighbours
        .retain(|frame| super::identity::read_neighbour(log, frame.offset).is_ok_and(|now| now == Some(*frame)));
    back.after_sha256 = StepOutput::new(&back, ByteSource::Journal(file, JournalSection::BeforeImage)).sha256(log)?;
    if back.after_sha256 != step.before_sha256 {
        return Err(changed_error(&file.record.journal, "the bytes of before", "other bytes"));
    }
    Ok(back)
}

/// The journal of the repair of this number.
pub(super) fn find_journal(paths: &LogPaths, number: u32) -> Result<PathBuf, StorageError> {
    let journals = list_journals(paths.disk.as_ref(), &paths.journal_folder())?;
    journals.into_iter().find(|path| journal_number(path) == Some(number)).ok_or_else(|| {
        let why = format!("there is no repair {number} in {}", paths.journal_folder().display());
        refused_error(&paths.path, why, "See `chronicle undo --list`")
    })
}
