//! The one road by which bytes get into a log: locked, at its end, whole or not at all.

use std::sync::Arc;

use super::LogFile;
use super::storage::{Disk, OpenMode, Storage};
use crate::StorageError;
use crate::format::Version;

/// Appends after which the end is looked at, so that an append costs one call to the system and not two.
const END_CHECK_INTERVAL: u32 = 64;

/// What a power cut costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Handed to the operating system: survives the death of the process, not of the machine.
    Buffered,
    /// On stable storage when the call returns.
    Synced,
}

/// A log opened for append: the lock, and the end up to which everything is certain.
#[derive(Debug)]
pub struct LogWriter {
    log: Arc<LogFile>,
    storage: Arc<dyn Storage>,
    end: u64,
    poisoned: Option<String>,
    /// Appends since the end was last looked at.
    appends_since_check: u32,
}

impl LogWriter {
    /// Takes the writer's lock on `log`, which was opened from `disk` for append.
    ///
    /// # Errors
    /// `Locked` when another writer has it, naming the process where the platform can tell; `Changed` when the path
    /// names another file by now; `Version0` for what is never written to; `Io`.
    pub(crate) fn lock(disk: &dyn Disk, log: Arc<LogFile>, storage: Arc<dyn Storage>) -> Result<Self, StorageError> {
        let path = log.path();
        if log.version() == Version::V0 {
            return Err(StorageError::Version0ReadOnly { path: path.to_owned() });
        }
        if !storage.try_lock().map_err(|error| StorageError::io(path, "lock", error))? {
            let pid = storage.detect_writer().pid();
            return Err(StorageError::Locked { path: path.to_owned(), pid });
        }
        match (storage.identity(), disk.identity(path)) {
            (Ok(locked), Ok(named)) if locked.is_same_file(named) => {}
            (Err(error), _) | (_, Err(error)) => return Err(StorageError::io(path, "find", error)),
            _ => {
                return Err(StorageError::Changed {
                    path: path.to_owned(),
                    expected: "the file that was opened".into(),
                    found: "another file under its name".into(),
                });
            }
        }
        let end = log.len()?;
        Ok(Self { log, storage, end, poisoned: None, appends_since_check: 0 })
    }

    /// The end of the log: where the next frame will stand.
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// Writes whole frames at the end, in one call to the system, and says where they start.
    ///
    /// The bytes of a program that writes without the lock are never overwritten; that it wrote is noticed at the next
    /// sync, and at the latest after 64 appends.
    ///
    /// # Errors
    /// `Io` when the write failed: then the file is as long as before. `Poisoned` when that could not be restored, when
    /// a sync failed, or when another program was found to have written in between.
    pub fn append(&mut self, frames: &[u8], durability: Durability) -> Result<u64, StorageError> {
        self.ensure_not_poisoned()?;
        let start = self.end;
        let goal = start + frames.len() as u64;
        let mut rest = frames;
        while !rest.is_empty() {
            match self.storage.append(rest) {
                Ok(0) => return Err(self.roll_back(goal - rest.len() as u64, std::io::ErrorKind::WriteZero.into())),
                Ok(bytes) => rest = rest.get(bytes..).unwrap_or_default(),
                Err(error) => return Err(self.roll_back(goal - rest.len() as u64, error)),
            }
        }
        self.appends_since_check += 1;
        if durability == Durability::Synced || self.appends_since_check >= END_CHECK_INTERVAL {
            self.check_end(goal)?;
        }
        if durability == Durability::Synced {
            // Before `end` moves: what a failed sync leaves behind is never acknowledged.
            self.sync_data()?;
        }
        self.end = goal;
        Ok(start)
    }

    /// Poisons the log when what was appended last does not end where it should: somebody's bytes stand between ours.
    /// Cutting would destroy them, so nothing is cut.
    fn check_end(&mut self, expected_end: u64) -> Result<(), StorageError> {
        self.appends_since_check = 0;
        match self.storage.append_end() {
            Ok(end) if end == expected_end => Ok(()),
            Ok(end) => Err(self.poison(format!("another program wrote to the log, whose last append ended at {end}"))),
            Err(error) => Err(StorageError::io_at(self.log.path(), "find the end of", expected_end, error)),
        }
    }

    /// Returns when all that was appended is on stable storage.
    ///
    /// # Errors
    /// `Poisoned`: a sync that failed once is never repeated, because a later success would prove nothing.
    pub fn sync(&mut self) -> Result<(), StorageError> {
        self.ensure_not_poisoned()?;
        if self.appends_since_check > 0 {
            self.check_end(self.end)?;
        }
        self.sync_data()
    }

    fn sync_data(&mut self) -> Result<(), StorageError> {
        self.storage.sync().map_err(|error| self.poison(format!("a sync failed ({error})")))
    }

    /// Looks again where the log ends, after a repair under this lock.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn refresh_end(&mut self) -> Result<(), StorageError> {
        self.end = self.log.len()?;
        Ok(())
    }

    fn ensure_not_poisoned(&self) -> Result<(), StorageError> {
        match &self.poisoned {
            None => Ok(()),
            Some(why) => {
                Err(StorageError::Poisoned { path: self.log.path().to_owned(), offset: self.end, reason: why.clone() })
            }
        }
    }

    fn poison(&mut self, why: String) -> StorageError {
        self.poisoned = Some(why.clone());
        StorageError::Poisoned { path: self.log.path().to_owned(), offset: self.end, reason: why }
    }

    /// Back to the frame boundary before a write that failed, when the file ends where our bytes do.
    fn roll_back(&mut self, written_end: u64, error: std::io::Error) -> StorageError {
        let ends = self.storage.len();
        if !matches!(ends, Ok(len) if len == written_end) {
            return self.poison(format!("a write failed ({error}), and the log does not end where it should"));
        }
        match self.storage.set_len(self.end) {
            Ok(()) => StorageError::io_at(self.log.path(), "append", self.end, error),
            Err(cut) => self.poison(format!("a write failed ({error}) and could not be rolled back ({cut})")),
        }
    }
}

/// Opens `path` for append: the handle that the lock belongs to, for [`LogWriter::open_and_lock`].
pub(crate) fn open_for_append(disk: &dyn Disk, path: &std::path::Path) -> Result<Arc<dyn Storage>, StorageError> {
    disk.open(path, OpenMode::Append).map_err(|error| StorageError::io(path, "open for append", error))
}
