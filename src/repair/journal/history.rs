//! Reads the repair history of a log from the folder of its journals.

use super::folder::{JournalFolder, NumberedJournal};
use super::record::RepairRecord;
use crate::StorageError;
use crate::file::{HeaderState, LogFile, OpenMode, open_log};
use crate::format::FrameFormat;
use crate::repair::types::{LogPaths, read_first_checksum};

/// The repair history of a log, as its journals record it.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct RepairHistory {
    /// The repairs, oldest first.
    pub records: Vec<RepairRecord>,
    /// One sentence for each file in the journal folder that is not a readable journal of this log.
    pub notices: Vec<String>,
}

/// Reads the repair history of a log without writing to any file.
///
/// # Errors
/// `Io` when the log cannot be read.
pub fn read_repair_history(paths: &LogPaths) -> Result<RepairHistory, StorageError> {
    let path = &paths.path;
    let storage = open_log(&paths.disk, path, OpenMode::Read).map_err(|error| StorageError::io(path, "open", error))?;
    let log = LogFile::with_header(storage, path, FrameFormat::V1, HeaderState::Absent);
    let folder = JournalFolder::open(paths, &log)?;
    let (mut records, mut notices) = (Vec::<RepairRecord>::new(), Vec::from_iter(folder.fault_notice()));
    if folder.journals().is_empty() {
        return Ok(RepairHistory { records, notices });
    }
    for journal in folder.journals() {
        let NumberedJournal { number, path } = journal;
        if !folder.has_unique_number(journal) {
            notices.push(format!(
                "{}: another journal has the number {number} too: move one of them away",
                path.display()
            ));
            continue;
        }
        match folder.open_journal(path) {
            Err(fault) => notices.push(fault.to_notice(path)),
            Ok(journal) => {
                let identity = &journal.record.plan.log;
                let log = log.in_format(identity.format);
                let (header, first_checksum) = (log.read_header()?, read_first_checksum(&log)?);
                // Most repairs change neither the header nor the first frame. When both differ from the journal, and its
                // plan changed neither, the journal belongs to another log.
                let changes_start = journal.record.plan.steps.iter().any(|step| step.start <= log.first_frame_offset());
                if identity.header != header && identity.first_checksum != first_checksum && !changes_start {
                    notices.push(format!("{}: this journal belongs to another log", path.display()));
                } else {
                    records.push(journal.record);
                }
            }
        }
    }
    mark_undone(&mut records);
    mark_missing(&mut records, &folder, &log);
    Ok(RepairHistory { records, notices })
}

/// Sets `undone_by` of every repair that an undo in effect has reversed.
fn mark_undone(records: &mut [RepairRecord]) {
    // Newest first, because an undo that was itself undone reverses nothing.
    for at in (0..records.len()).rev() {
        let undo = records.get(at).filter(|record| record.is_in_effect());
        if let Some((number, undone)) = undo.and_then(|record| Some((record.number, record.plan.undoes?)))
            && let Some(record) = records.iter_mut().find(|record| record.number == undone)
        {
            record.undone_by = Some(number);
        }
    }
}

/// Sets `in_log` of every repair in effect.
fn mark_missing(records: &mut [RepairRecord], folder: &JournalFolder, log: &LogFile) {
    for at in 0..records.len() {
        let (earlier, later) = records.split_at_mut(at + 1);
        let Some(record) = earlier.last_mut().filter(|record| record.is_in_effect()) else { continue };
        let later: Vec<&RepairRecord> = later.iter().filter(|record| record.is_in_effect()).collect();
        // The journal is opened again, because a log can have more journals than a process can have open files.
        if let Ok(journal) = folder.open_journal(&record.journal) {
            // A range that cannot be read is no proof that the change is missing.
            let log = log.in_format(record.plan.log.format);
            record.in_log = journal.compare_with_log(&log, &later).unwrap_or(record.in_log);
        }
    }
}
