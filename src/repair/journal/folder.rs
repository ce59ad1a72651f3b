//! The folder of a log's journals: lists the journals in it, when only users who can write the log can write it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::reader::{JournalFault, JournalReader};
use super::record::{RepairState, journal_number};
use crate::StorageError;
use crate::file::{Disk, LogFile, OpenMode, SideFileFault, SideFileOrigin, Storage, TrustRule, UntrustedFile};
use crate::repair::types::{LIST_REPAIRS, LogPaths, refused_error};

/// The next step for a file in the journal folder that is in the way.
const MOVE_JOURNAL_AWAY: &str = "Move that file out of the journal folder, or name another folder with --journal";

/// The journal folder of a log, as it was when it was opened.
#[derive(Debug)]
pub(crate) struct JournalFolder {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    rule: TrustRule,
    /// The journals, by ascending number. Several files can have the same number.
    journals: Vec<NumberedJournal>,
    /// Why the folder is not used; `None` when it is used or missing.
    fault: Option<UntrustedFile>,
}

/// A file with the name of a journal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NumberedJournal {
    /// The number at the start of the name.
    pub(crate) number: u32,
    /// The path of the file.
    pub(crate) path: PathBuf,
}

/// The newest journal of a log and its length. A later mark differs when a repair has begun or ended in between.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct JournalMark {
    newest: Option<NumberedJournal>,
    /// The length of the newest journal in bytes. It grows with each state of its repair.
    len: u64,
}

impl JournalMark {
    /// Reads the current mark of the log with these paths.
    pub(crate) fn read(paths: &LogPaths) -> Self {
        let disk = paths.disk.as_ref();
        let files = disk.list(&paths.journal_folder()).unwrap_or_default();
        let numbered = |path: PathBuf| Some(NumberedJournal { number: journal_number(&path)?, path });
        let newest = files.into_iter().filter_map(numbered).max();
        let opened = newest.as_ref().and_then(|newest| disk.open(&newest.path, OpenMode::ReadSidecar).ok());
        Self { len: opened.and_then(|journal| journal.len().ok()).unwrap_or_default(), newest }
    }
}

/// A journal that could not be examined, so that its repair may be pending.
#[derive(Debug)]
pub(crate) struct HiddenJournal {
    path: PathBuf,
    found: UntrustedFile,
}

impl HiddenJournal {
    /// Returns the error with which an operation that writes to the log refuses to run.
    pub(crate) fn into_error(self) -> StorageError {
        let reason = format!("{}; it may hide an unfinished repair", self.found.reason);
        refused_error(&self.path, reason, self.found.remedy)
    }

    /// Returns the notice that the journal is not used.
    pub(crate) fn to_notice(&self) -> String {
        self.found.to_notice(&self.path)
    }
}

impl JournalFolder {
    /// Lists the journals of an open log. A folder that cannot be used or read is reported by the other methods.
    ///
    /// # Errors
    /// `Io` when the owner of the log cannot be read.
    pub(crate) fn open(paths: &LogPaths, log: &LogFile) -> Result<Self, StorageError> {
        let (disk, path) = (paths.disk.clone(), paths.journal_folder());
        let rule = TrustRule::for_log(disk.as_ref(), log.storage());
        let rule = rule.map_err(|error| StorageError::io(log.path(), "examine", error))?;
        let listed = rule.check_folder(disk.as_ref(), &path);
        let listed = listed.and_then(|()| disk.list(&path).map_err(SideFileFault::Io));
        let (files, fault) = match listed {
            Ok(files) => (files, None),
            Err(SideFileFault::Missing) => (Vec::new(), None),
            Err(SideFileFault::Untrusted(found)) => (Vec::new(), Some(found)),
            Err(SideFileFault::Io(error)) => (Vec::new(), Some(UntrustedFile::unreadable("list", &error))),
        };
        let numbered = |path: PathBuf| Some(NumberedJournal { number: journal_number(&path)?, path });
        let mut journals: Vec<_> = files.into_iter().filter_map(numbered).collect();
        journals.sort();
        Ok(Self { disk, path, rule, journals, fault })
    }

    /// Returns the files with the name of a journal, by ascending number.
    pub(crate) fn journals(&self) -> &[NumberedJournal] {
        &self.journals
    }

    /// Returns one notice for the folder and for each file in it that is not used because it is not trusted.
    pub(crate) fn notices(&self) -> Vec<String> {
        let files = self.journals.iter().filter_map(|NumberedJournal { path, .. }| {
            match self.rule.open(self.disk.as_ref(), path, OpenMode::ReadSidecar) {
                Ok(_) | Err(SideFileFault::Missing) => None,
                Err(SideFileFault::Untrusted(found)) => Some(found.to_notice(path)),
                Err(SideFileFault::Io(error)) => Some(UntrustedFile::unreadable("open", &error).to_notice(path)),
            }
        });
        self.fault_notice().into_iter().chain(files).collect()
    }

    /// Returns the reason why the folder is not used, with its path and the next step; `None` when it is used.
    pub(crate) fn fault_notice(&self) -> Option<String> {
        self.fault.as_ref().map(|found| found.to_notice(&self.path))
    }

    /// True when no other file has the number of this journal.
    pub(crate) fn has_unique_number(&self, journal: &NumberedJournal) -> bool {
        let first = self.journals.partition_point(|other| other.number < journal.number);
        self.journals.get(first + 1).is_none_or(|other| other.number != journal.number)
    }

    /// Refuses to create a journal in a folder that is not used.
    ///
    /// # Errors
    /// `Refused` with the reason.
    pub(crate) fn ensure_usable(&self) -> Result<(), StorageError> {
        self.fault.as_ref().map_or(Ok(()), |found| Err(found.to_error(&self.path)))
    }

    /// Returns the number of the next journal.
    ///
    /// # Errors
    /// `Refused` when a file has the highest number.
    pub(crate) fn next_number(&self) -> Result<u32, StorageError> {
        let Some(last) = self.journals.last() else { return Ok(1) };
        last.number.checked_add(1).ok_or_else(|| {
            let reason = format!("its name has the number {}, and no journal can have a higher one", last.number);
            refused_error(&last.path, reason, MOVE_JOURNAL_AWAY)
        })
    }

    /// Opens a journal of this folder.
    ///
    /// # Errors
    /// See [`JournalFault`].
    pub(crate) fn open_journal(&self, path: &Path) -> Result<JournalReader, JournalFault> {
        JournalReader::open(self.disk.as_ref(), path, self.rule)
    }

    /// Opens a journal of this folder for writing in place.
    ///
    /// # Errors
    /// `Refused` when the file is not trusted; `Io` when it cannot be opened.
    pub(crate) fn open_for_overwriting(&self, path: &Path) -> Result<Arc<dyn Storage>, StorageError> {
        self.rule
            .open(self.disk.as_ref(), path, OpenMode::RepairSidecar)
            .map_err(|fault| fault.into_error(path, "open"))
    }

    /// True when a file has the number of this journal.
    pub(crate) fn has_journal(&self, number: u32) -> bool {
        self.journals.iter().any(|journal| journal.number == number)
    }

    /// Returns the path of the journal with this number.
    ///
    /// # Errors
    /// `Refused` when there is no such journal, when there are several, or when the folder is not used.
    pub(crate) fn find(&self, number: u32) -> Result<&Path, StorageError> {
        self.ensure_usable()?;
        let mut found = self.journals.iter().filter(|journal| journal.number == number);
        match (found.next(), found.next()) {
            (Some(journal), None) => Ok(&journal.path),
            (Some(_), Some(other)) => Err(refused_error(
                &other.path,
                format!("another journal has the number {number} too"),
                MOVE_JOURNAL_AWAY,
            )),
            (None, _) => {
                let reason = format!("there is no repair {number}");
                Err(refused_error(&self.path, reason, LIST_REPAIRS))
            }
        }
    }

    /// Returns the newest complete journal when its repair is pending: it has no record of how the repair ended.
    ///
    /// Older journals are not examined: a repair begins only when no earlier one is pending for the file.
    ///
    /// # Errors
    /// [`HiddenJournal`] when the folder or a newer file cannot be examined although it may be a journal.
    pub(crate) fn find_pending(&self) -> Result<Option<JournalReader>, HiddenJournal> {
        if let Some(found) = self.fault.as_ref().filter(|found| found.origin == SideFileOrigin::PossibleRecord) {
            return Err(HiddenJournal { path: self.path.clone(), found: found.clone() });
        }
        for NumberedJournal { path, .. } in self.journals.iter().rev() {
            let journal = match self.open_journal(path) {
                Ok(journal) => journal,
                Err(JournalFault::Untrusted(found)) if found.origin == SideFileOrigin::PossibleRecord => {
                    return Err(HiddenJournal { path: path.clone(), found });
                }
                Err(JournalFault::Untrusted(_) | JournalFault::NotComplete(_)) => continue,
            };
            match journal.record.state {
                RepairState::Unfinished => {}
                RepairState::Pending => return Ok(Some(journal)),
                RepairState::Applied | RepairState::RolledBack | RepairState::Purged => break,
            }
        }
        Ok(None)
    }
}
