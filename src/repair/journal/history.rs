//! Reads the repair history of a log from the folder of its journals.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::reader::JournalReader;
use super::record::{RepairRecord, RepairState, journal_number};
use crate::StorageError;
use crate::file::{Disk, HeaderState, LogFile, OpenMode};
use crate::format::{HEADER_LEN, Version};
use crate::repair::types::{LogPaths, read_first_checksum, read_header_bytes, refused_error};

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
/// `Io` when the folder or the log cannot be read.
pub fn read_repair_history(paths: &LogPaths) -> Result<RepairHistory, StorageError> {
    let (disk, path) = (paths.disk.as_ref(), &paths.path);
    let journals = list_journals(disk, &paths.journal_folder())?;
    if journals.is_empty() {
        return Ok(RepairHistory::default());
    }
    let storage = disk.open(path, OpenMode::Read).map_err(|error| StorageError::io(path, "open", error))?;
    let log = Arc::new(LogFile::with_header(storage, path, Version::V1, HeaderState::Absent));
    let (header, first_checksum) = (read_header_bytes(&log)?, read_first_checksum(&log)?);
    let (mut records, mut notices) = (Vec::<RepairRecord>::new(), Vec::new());
    for path in journals {
        match JournalReader::open(disk, &path) {
            Err(reason) => notices.push(format!("{}: {reason}", path.display())),
            Ok(journal) => {
                let identity = &journal.record.plan.log;
                // Most repairs change neither the header nor the first frame. When both differ from the journal, and its
                // plan changed neither, the journal belongs to another log.
                let changes_start = journal.record.plan.steps.iter().any(|step| step.start <= HEADER_LEN);
                if identity.header != header && identity.first_checksum != first_checksum && !changes_start {
                    notices.push(format!("{}: this journal belongs to another log", path.display()));
                } else {
                    records.push(journal.record);
                }
            }
        }
    }
    mark_undone(&mut records);
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

/// Returns the path of the journal of repair `number`.
pub(crate) fn find_journal(paths: &LogPaths, number: u32) -> Result<PathBuf, StorageError> {
    let journals = list_journals(paths.disk.as_ref(), &paths.journal_folder())?;
    journals.into_iter().find(|path| journal_number(path) == Some(number)).ok_or_else(|| {
        let reason = format!("there is no repair {number} in {}", paths.journal_folder().display());
        refused_error(&paths.path, reason, "List the repairs with `chronicle undo --list`")
    })
}

/// Returns the newest complete journal when its repair is pending: it has no record of how the repair ended.
///
/// Older journals are not examined: a repair begins only when no earlier one is pending for the file.
pub(crate) fn find_pending_journal(disk: &dyn Disk, folder: &Path) -> Result<Option<JournalReader>, StorageError> {
    for path in list_journals(disk, folder)?.into_iter().rev() {
        let Ok(journal) = JournalReader::open(disk, &path) else { continue };
        match journal.record.state {
            RepairState::Unfinished => {}
            RepairState::Pending => return Ok(Some(journal)),
            RepairState::Applied | RepairState::RolledBack => break,
        }
    }
    Ok(None)
}

/// Lists the files in a journal folder that have a journal's name, oldest first.
fn list_journals(disk: &dyn Disk, folder: &Path) -> Result<Vec<PathBuf>, StorageError> {
    let mut journals = disk.list(folder).map_err(|error| StorageError::io(folder, "list", error))?;
    journals.retain(|path| journal_number(path).is_some() && path.extension().is_some_and(|name| name == "journal"));
    journals.sort_by_key(|path| journal_number(path));
    Ok(journals)
}
