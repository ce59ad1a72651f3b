//! Makes erasures final: overwrites the erased bytes in the journals, and replaces the index.
//!
//! The plan is written to a journal of its own before the first byte is overwritten, and has everything that takes the
//! place of the old bytes. A purge that was killed is therefore completed by the next recovery, whatever it had done.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::change::{AppliedRepair, PlannedChange};
use super::erased_copies::ErasedPayloads;
use super::failure::StartedRepair;
use super::index_maintenance::truncate_index;
use super::known_copies::known_copies;
use crate::StorageError;
use crate::file::storage::read_full;
use crate::file::{HeaderState, LogFile, OpenMode, Storage, open_log};
use crate::format::frame::{CHECKSUM_LEN, LENGTH_LEN};
use crate::format::journal::JournalSection;
use crate::format::{FrameFormat, frame};
use crate::inspect::OnProgress;
use crate::repair::journal::{
    JournalFolder, JournalReader, JournalState, JournalWriter, RepairHistory, RepairRecord, RepairState, encode_record,
    read_repair_history,
};
use crate::repair::types::{
    CHUNK, ChunkVisitor, LIST_REPAIRS, LogPaths, Plan, PlannedPurge, PurgedContent, PurgedJournal, RepairStep,
    WorkMeter, changed_error, read_identity, refused_error, sha256_of_range,
};

/// Plans to make the erasure with this number final, or all erasures in effect: its bytes are destroyed in every journal
/// of the log, and it cannot be undone afterwards. Reads the erased ranges and the journals, and writes nothing.
///
/// The notes of the plan name the copies of the log that are known and not reached.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("accounts.log");
/// # let event = chronicle::Event::builder()
/// #     .event_type("Updated").namespace("accounts").schema_id("Person").schema_version(1)
/// #     .aggregate_id(42).payload_json(r#"{"name":"Juan"}"#).build()?;
/// use std::ops::ControlFlow;
///
/// use chronicle::repair::{ApplyOptions, EraseOptions, apply, plan_erase, plan_purge, plan_undo};
/// use chronicle::{EventLog, OpenOptions};
///
/// let mut log = EventLog::create(&path)?;
/// let first = log.append_sync(&event)?;
/// let second = log.append_sync(&event)?;
/// log.close()?;
/// let paths = OpenOptions::new().log_paths(&path)?;
///
/// // Erase the first event. Until the purge, `plan_undo` can bring it back.
/// let log = EventLog::open_read_only(&path)?;
/// let options = EraseOptions::new([first]).reason("request 17");
/// let plan = plan_erase(log.view(), &options, &mut |_| ControlFlow::Continue(()))?;
/// drop(log);
/// let erased = apply(&paths, &plan, ApplyOptions::new())?;
///
/// let purge = plan_purge(&paths, Some(erased.number), &mut |_| ControlFlow::Continue(()))?;
/// apply(&paths, &purge, ApplyOptions::new())?;
/// assert!(plan_undo(&paths, Some(erased.number)).is_err());
/// let log = EventLog::open_read_only(&path)?;
/// let readable: Vec<u64> = log.replay(0)?.flatten().map(|event| event.offset()).collect();
/// assert_eq!(readable, [second]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// - `Refused` when there is no such erasure, or when it was undone or made final already.
/// - `Changed` when the log does not have the gaps of the erasure.
/// - `Io`, `Cancelled` when the log or the journals cannot be read, or `on_progress` breaks.
pub fn plan_purge(paths: &LogPaths, number: Option<u32>, on_progress: &mut OnProgress) -> Result<Plan, StorageError> {
    let RepairHistory { records, notices } = read_repair_history(paths)?;
    let erasures = select_erasures(paths, &records, number)?;
    let path = &paths.path;
    let storage = open_log(&paths.disk, path, OpenMode::Read).map_err(|error| StorageError::io(path, "open", error))?;
    let format = records.first().map_or(FrameFormat::V1, |record| record.plan.log.format);
    let log = Arc::new(LogFile::with_header(storage, path, format, HeaderState::Absent));
    let meter = WorkMeter::new(erasures.iter().map(|record| record.plan.changed_bytes()).sum(), on_progress);
    check_gaps(&log, &erasures, &meter)?;
    let folder = JournalFolder::open(paths, &log)?;
    let payloads = ErasedPayloads::read(&folder, &erasures);
    let purge = plan_journals(&folder, &erasures, &payloads)?;
    let mut plan = Plan::new(read_identity(&log)?, Vec::new());
    plan.purges = Some(purge);
    plan.notes.extend(payloads.unread.iter().map(|number| {
        format!("not reached: copies in other journals of the events of erasure {number}, whose journal cannot be read")
    }));
    plan.notes.extend(notices.into_iter().map(|notice| format!("not reached: {notice}")));
    plan.notes.extend(known_copies(paths)?.iter().map(|copy| format!("not reached: {}", copy.describe())));
    plan.assign_id();
    plan.seal();
    Ok(plan)
}

/// Returns the erasures to make final.
fn select_erasures<'a>(
    paths: &LogPaths,
    records: &'a [RepairRecord],
    number: Option<u32>,
) -> Result<Vec<&'a RepairRecord>, StorageError> {
    let Some(number) = number else {
        let all: Vec<&RepairRecord> = records.iter().filter(|record| record.can_be_purged()).collect();
        if all.is_empty() {
            let reason = "there is no erasure in effect that is not final".to_owned();
            return Err(refused_error(&paths.path, reason, LIST_REPAIRS));
        }
        return Ok(all);
    };
    let reason = match records.iter().find(|record| record.number == number) {
        Some(record) if record.can_be_purged() => return Ok(vec![record]),
        Some(RepairRecord { state: RepairState::Purged, .. }) => format!("erasure {number} is final already"),
        Some(RepairRecord { undone_by: Some(by), .. }) => format!("erasure {number} was undone by {by}"),
        Some(record) if record.plan.erases.is_some() => format!("erasure {number} is not in the log"),
        Some(_) => format!("repair {number} is not an erasure"),
        None => format!("there is no repair {number} in {}", paths.journal_folder().display()),
    };
    Err(refused_error(&paths.path, reason, LIST_REPAIRS))
}

/// Checks that the log has the gaps of the erasures: what another program has restored would not be erased.
fn check_gaps(log: &LogFile, erasures: &[&RepairRecord], meter: &WorkMeter) -> Result<(), StorageError> {
    for record in erasures {
        for step in &record.plan.steps {
            if sha256_of_range(log, step.start..step.new_end, meter)? != step.after_sha256 {
                let expected = format!("{}..{} as erasure {} left it", step.start, step.new_end, record.number);
                return Err(changed_error(log.path(), &expected, "other bytes"));
            }
        }
    }
    Ok(())
}

/// Finds the journals that have bytes of the erased ranges or of erased events, or an index from before.
fn plan_journals(
    folder: &JournalFolder,
    erasures: &[&RepairRecord],
    payloads: &ErasedPayloads,
) -> Result<PlannedPurge, StorageError> {
    let mut ranges: Vec<Range<u64>> =
        erasures.iter().flat_map(|record| record.plan.steps.iter().map(RepairStep::range)).collect();
    ranges.sort_unstable_by_key(|range| range.start);
    let mut journals = Vec::new();
    for numbered in folder.journals().iter().filter(|numbered| folder.has_unique_number(numbered)) {
        // A file that cannot be read has a notice, which the plan repeats.
        if let Ok(journal) = folder.open_journal(&numbered.path)
            && let Some(content) = purged_content(&journal, &ranges, payloads)?
        {
            journals.push(PurgedJournal { number: numbered.number, bytes: journal.file_len()?, content });
        }
    }
    Ok(PlannedPurge { erasures: erasures.iter().map(|record| record.number).collect(), journals })
}

/// Returns the part of a journal to overwrite; `None` when it has neither bytes of the erased `ranges`, nor copies of the erased
/// events with these `payloads`, nor an index.
fn purged_content(
    journal: &JournalReader,
    ranges: &[Range<u64>],
    payloads: &ErasedPayloads,
) -> Result<Option<PurgedContent>, StorageError> {
    let RepairRecord { plan, state, begun_ms, .. } = &journal.record;
    if plan.purges.is_some() || *state == RepairState::Purged {
        return Ok(None);
    }
    let overlaps = |start: u64, end: u64| {
        let first = ranges.partition_point(|range| range.end <= start);
        ranges.get(first).is_some_and(|range| range.start < end)
    };
    let has_old_bytes = plan.steps.iter().any(|step| overlaps(step.start, step.max_end()))
        || plan.unrepaired.iter().any(|left| overlaps(left.piece.start, left.piece.end))
        || payloads.are_in(journal)?;
    let extent = journal.section_extent(JournalSection::IndexBeforeImage);
    Ok(match extent {
        Some(Range { start, end }) if !has_old_bytes => Some(PurgedContent::Index { start, end }),
        None if !has_old_bytes && !journal.has_section(JournalSection::IndexBeforeImage) => None,
        _ => Some(PurgedContent::Record {
            begun_ms: *begun_ms,
            applied: *state == RepairState::Applied,
            plan: Box::new(plan.without_old_bytes()),
        }),
    })
}

/// Journals and carries out a plan that makes erasures final, under the lock that the log holds.
pub(super) fn execute_purge(change: PlannedChange, purge: &PlannedPurge) -> Result<AppliedRepair, StorageError> {
    let PlannedChange { paths, log, plan, meter } = change;
    let view = change.open_view();
    view.as_ref().map_or(Ok(()), |view| view.seen_end().ensure_known(view.index_path()))?;
    check_purge(paths, log, purge, meter)?;
    let mut journal = JournalWriter::create(paths, log, plan)?;
    let index_behind = view.is_some_and(|view| view.identified_index().is_some());
    let journal_path = journal.path().to_owned();
    let started = StartedRepair { change, journal: &journal_path, action: "purge" };
    if let Err(error) = journal.append_state(JournalState::Prepared) {
        return Err(if journal.discard().is_ok() { error } else { started.to_error(error) });
    }
    meter.begin_changes();
    finish_purge(change, purge).map_err(|error| started.to_error(error))?;
    journal.append_state(JournalState::Applied).map_err(|error| started.to_error(error))?;
    Ok(AppliedRepair { number: journal.number(), journal: journal_path, index_behind })
}

/// Checks that the erasures are still in effect, and that the journals are those that the plan was made from.
fn check_purge(paths: &LogPaths, log: &LogFile, purge: &PlannedPurge, meter: &WorkMeter) -> Result<(), StorageError> {
    let records = read_repair_history(paths)?.records;
    let mut erasures = Vec::new();
    for number in &purge.erasures {
        erasures.extend(select_erasures(paths, &records, Some(*number))?);
    }
    check_gaps(log, &erasures, meter)?;
    let folder = JournalFolder::open(paths, log)?;
    if plan_journals(&folder, &erasures, &ErasedPayloads::read(&folder, &erasures))? == *purge {
        return Ok(());
    }
    let folder = paths.journal_folder();
    Err(changed_error(&folder, "the journals that the plan was made from", "other journals"))
}

/// Replaces the index and overwrites the journals, from whatever state an earlier attempt has left.
pub(super) fn finish_purge(change: PlannedChange, purge: &PlannedPurge) -> Result<(), StorageError> {
    let PlannedChange { paths, log, plan, meter } = change;
    if let Some(view) = change.open_view() {
        truncate_index(paths, &view, plan)?;
    }
    let folder = JournalFolder::open(paths, log)?;
    for journal in &purge.journals {
        // A file that was removed in the meantime has no bytes to overwrite.
        if !folder.has_journal(journal.number) {
            continue;
        }
        let path = folder.find(journal.number)?;
        let storage = folder.open_for_overwriting(path)?;
        overwrite_journal(storage.as_ref(), path, journal)?;
        meter.advance(journal.bytes)?;
    }
    Ok(())
}

/// Overwrites the old bytes of a journal, and syncs it before and after something else takes their place.
fn overwrite_journal(storage: &dyn Storage, path: &Path, journal: &PurgedJournal) -> Result<(), StorageError> {
    let io = |action| move |error| StorageError::io(path, action, error);
    let len = storage.len().map_err(io("read the size of"))?;
    let write = |bytes: &[u8], at| {
        storage.write_at(bytes, at).map_err(|error| StorageError::io_at(path, "overwrite", at, error))
    };
    match &journal.content {
        PurgedContent::Record { begun_ms, applied, plan } => {
            let state = if *applied { JournalState::Purged } else { JournalState::RolledBack };
            let record = encode_record(*begun_ms, plan, state).map_err(|error| io("write")(error.into()))?;
            let zeros = vec![0; CHUNK.min(len) as usize];
            let mut at = 0;
            while at < len {
                let part = (len - at).min(CHUNK) as usize;
                write(zeros.get(..part).unwrap_or_default(), at)?;
                at += part as u64;
            }
            storage.sync().map_err(io("sync"))?;
            storage.set_len(record.len() as u64).map_err(io("cut"))?;
            write(&record, 0)?;
            storage.sync().map_err(io("sync"))?;
            check_written(storage, path, 0, &record)
        }
        PurgedContent::Index { start, end } => {
            // A file that has become shorter is overwritten up to its end.
            let range = *start..(*end).min(len);
            for_each_blank_frame(range.clone(), &mut |at, bytes| write(bytes, at))?;
            storage.sync().map_err(io("sync"))?;
            for_each_blank_frame(range, &mut |at, bytes| check_written(storage, path, at, bytes))
        }
    }
}

/// Calls `visit` with frames that fill `range` of a journal. Their payload is an object without content and spaces, which
/// readers of journals ignore.
fn for_each_blank_frame(range: Range<u64>, visit: &mut ChunkVisitor) -> Result<(), StorageError> {
    let mut at = range.start;
    while at < range.end {
        let left = range.end - at;
        // The last two frames are of about the same size, so that none is too short.
        let len = if left > 2 * CHUNK {
            CHUNK
        } else if left > CHUNK {
            left / 2
        } else {
            left
        };
        let mut payload = b"{}".to_vec();
        payload.resize((len as usize).saturating_sub(LENGTH_LEN + CHECKSUM_LEN), b' ');
        let mut bytes = Vec::with_capacity(len as usize);
        frame::encode(&payload, &mut bytes);
        // Only a file that has become shorter leaves a range that no frame fits.
        bytes.truncate(len as usize);
        visit(at, &bytes)?;
        at += len;
    }
    Ok(())
}

/// Reads the written bytes again: from the device, where the platform can drop its cache.
fn check_written(storage: &dyn Storage, path: &Path, at: u64, written: &[u8]) -> Result<(), StorageError> {
    storage.drop_cache();
    let mut bytes = vec![0; written.len()];
    let read = read_full(storage, &mut bytes, at).map_err(|error| StorageError::io_at(path, "read", at, error))?;
    if read == written.len() && bytes == written {
        return Ok(());
    }
    Err(changed_error(path, "the bytes that were written", "other bytes when they were read again"))
}
