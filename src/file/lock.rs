//! [`WriterLock`]: the writer's lock of a file, and the check that two handles, or a handle and a path, belong to the
//! same file.
//!
//! The lock is held by a handle for reading, and the file is opened for writing only under the lock. A process that has
//! the file open for writing while another process holds the lock is therefore one that does not take the lock at all.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::file_identity::FileIdentity;
use super::segments::open_log;
use super::storage::{Disk, OpenMode, Storage, read_full};
use super::writer_detection::{WriterPresence, find_lock_holder};
use crate::StorageError;
use crate::format::LogHeader;
use crate::format::header::MAX_HEADER_LEN;

/// Time between two attempts to take a lock that another process holds.
const LOCK_RETRY_INTERVAL: Duration = Duration::from_millis(50);
/// Largest number of attempts to take a lock whose holder is not found, because it may have released the lock since.
const MAX_HOLDER_LOOKUPS: u32 = 4;
/// Time for which a process must have a locked file open for writing before it counts as one without the lock. A child
/// process has the files of its parent open until it runs another program.
const FOREIGN_WRITER_PERIOD: Duration = Duration::from_millis(100);
/// Number of such periods after which processes that each had the file open for less than one no longer count.
const MAX_FOREIGN_WRITER_PERIODS: u32 = 4;

/// The writer's lock of a file. Dropping the value releases the lock.
///
/// A handle for writing must be closed before the lock is released.
#[derive(Debug)]
pub(crate) struct WriterLock {
    /// A handle of the locked file that is not used for writing.
    reader: Arc<dyn Storage>,
    /// The handle that holds the lock: usually `reader`.
    holder: Arc<dyn Storage>,
}

impl WriterLock {
    /// Opens the file at `path` for reading and takes its writer's lock. Waits up to `timeout` for the lock.
    ///
    /// # Errors
    /// `Locked` when another process still holds the lock, with its process id when the platform reports it; `Changed` when
    /// the path now leads to another file; `Io` when a system call fails.
    pub(crate) fn take(disk: &Arc<dyn Disk>, path: &Path, timeout: Duration) -> Result<Self, StorageError> {
        let open = |mode| open_log(disk, path, mode).map_err(|error| StorageError::io(path, "open", error));
        let reader = open(OpenMode::Read)?;
        ensure_whole_log(path, reader.as_ref())?;
        let holder = match wait_for_lock(path, reader.as_ref(), timeout) {
            Err(StorageError::Io { source, .. }) if needs_handle_for_writing(&source) => {
                let holder = open(OpenMode::Append)?;
                ensure_same_file(path, reader.identity(), holder.identity())?;
                wait_for_lock(path, holder.as_ref(), timeout)?;
                holder
            }
            result => result.map(|()| reader.clone())?,
        };
        let lock = Self { reader, holder };
        // Another process may have replaced the file between opening and locking. The lock on the old file protects
        // nothing.
        ensure_same_file(path, lock.reader.identity(), disk.identity(path))?;
        Ok(lock)
    }

    /// Creates the value for a new file, whose lock `creator` has held since it created the file.
    pub(super) fn of_new_file(reader: Arc<dyn Storage>, creator: Arc<dyn Storage>) -> Self {
        Self { reader, holder: creator }
    }

    /// A handle of the locked file for reading, which may be kept longer than the lock.
    pub(crate) const fn reader(&self) -> &Arc<dyn Storage> {
        &self.reader
    }

    /// Opens the locked file for writing in the given mode.
    ///
    /// # Errors
    /// `Changed` when the path now leads to another file; `Io` when it cannot be opened.
    pub(crate) fn open_for_writing(
        &self,
        disk: &Arc<dyn Disk>,
        path: &Path,
        mode: OpenMode,
    ) -> Result<Arc<dyn Storage>, StorageError> {
        let action = if mode == OpenMode::Repair { "open for repair" } else { "open for append" };
        let writer = open_log(disk, path, mode).map_err(|error| StorageError::io(path, action, error))?;
        ensure_same_file(path, self.reader.identity(), writer.identity())?;
        Ok(writer)
    }

    /// Checks that no other process has the locked file at `path` open for writing.
    ///
    /// A process is found when it has the file open for writing, through one descriptor, from before the call until it
    /// returns. A process is not found when it opens the file later, writes through a memory mapping whose descriptor it
    /// has closed, or is hidden from this user, and none is found on platforms other than Linux. Most of what such a
    /// process writes is still noticed: a repair compares the bytes with its plan before it changes them, and a writer
    /// compares the end of its appends.
    ///
    /// # Errors
    /// `Refused` when one has, because it does not take the lock and may write at any time.
    pub(crate) fn ensure_only_writer(&self, path: &Path) -> Result<(), StorageError> {
        let mut writers = self.reader.open_writers();
        for _ in 0..MAX_FOREIGN_WRITER_PERIODS {
            if writers.is_empty() {
                break;
            }
            self.reader.wait(FOREIGN_WRITER_PERIOD);
            let now = self.reader.open_writers();
            if let Some(pid) = now.iter().find(|pid| writers.contains(pid)) {
                return WriterPresence::HasFileOpen(*pid).ensure_none(path);
            }
            // All of them were child processes. Another one that opened the file meanwhile is given the same time.
            writers = now;
        }
        Ok(())
    }
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        // Other users of `reader` may keep it open. A holder that can write is only closed, because the file must not be
        // open for writing without the lock.
        if Arc::ptr_eq(&self.reader, &self.holder) {
            // Closing the last handle also releases the lock, so a failure only delays the next writer.
            let _ = self.holder.unlock();
        }
    }
}

/// Refuses one segment of a log, which cannot be changed without its neighbours.
///
/// # Errors
/// `SegmentOfLog` for one segment; `Io` when its header cannot be read.
fn ensure_whole_log(path: &Path, storage: &dyn Storage) -> Result<(), StorageError> {
    let Some(segment) = storage.segments().filter(|segments| segments.is_single_segment()) else { return Ok(()) };
    let base = segment.log_start();
    let mut bytes = [0; MAX_HEADER_LEN];
    read_full(storage, &mut bytes, base).map_err(|error| StorageError::io_at(path, "read", base, error))?;
    let header = LogHeader::decode(&bytes).ok().or_else(|| LogHeader::correct_bit(&bytes));
    let number = header.and_then(|header| header.segment).map_or(0, |segment| segment.number);
    Err(StorageError::SegmentOfLog { path: path.to_owned(), number, base })
}

/// Takes the lock of `storage`, and waits up to `timeout` for it.
fn wait_for_lock(path: &Path, storage: &dyn Storage, timeout: Duration) -> Result<(), StorageError> {
    let (mut waited, mut lookups) = (Duration::ZERO, 0);
    while !storage.try_lock().map_err(|error| StorageError::io(path, "lock", error))? {
        if waited < timeout {
            storage.wait(LOCK_RETRY_INTERVAL);
            waited += LOCK_RETRY_INTERVAL;
            continue;
        }
        // Without a holder, the lock was released since the attempt, or the platform does not report holders.
        let pid = storage.lock_identity().ok().and_then(find_lock_holder);
        lookups += 1;
        if pid.is_some() || lookups == MAX_HOLDER_LOOKUPS {
            return Err(StorageError::Locked { path: path.to_owned(), pid });
        }
    }
    Ok(())
}

/// True when a file system, such as NFS, locks only files that are open for writing.
fn needs_handle_for_writing(error: &io::Error) -> bool {
    #[cfg(unix)]
    let needs_handle = error.raw_os_error() == Some(rustix::io::Errno::BADF.raw_os_error());
    #[cfg(not(unix))]
    let needs_handle = {
        let _ = error;
        false
    };
    needs_handle
}

/// Checks that the file that was opened is the file that is found now. Files without identities pass: nothing shows
/// that they differ.
///
/// # Errors
/// `Changed` when they differ; `Io` when one of them could not be identified.
pub(crate) fn ensure_same_file(
    path: &Path,
    opened: io::Result<FileIdentity>,
    found: io::Result<FileIdentity>,
) -> Result<(), StorageError> {
    let to_error = |error| StorageError::io(path, "find", error);
    let (opened, found) = (opened.map_err(to_error)?, found.map_err(to_error)?);
    if opened.is_same_file(found).unwrap_or(true) {
        return Ok(());
    }
    Err(StorageError::Changed {
        path: path.to_owned(),
        expected: "the file that was opened".into(),
        found: "another file with its name".into(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use super::*;
    use crate::file::OsDisk;

    /// A file that other processes have open for writing: one list of process ids for each look.
    #[derive(Debug)]
    struct WatchedFile(Arc<dyn Storage>, Mutex<VecDeque<Vec<u32>>>);

    impl Storage for WatchedFile {
        fn len(&self) -> io::Result<u64> {
            self.0.len()
        }

        fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
            self.0.read_at(buf, offset)
        }

        fn append(&self, bytes: &[u8]) -> io::Result<usize> {
            self.0.append(bytes)
        }

        fn append_end(&self) -> io::Result<u64> {
            self.0.append_end()
        }

        fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
            self.0.write_at(bytes, offset)
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            self.0.set_len(len)
        }

        fn sync(&self) -> io::Result<()> {
            self.0.sync()
        }

        fn try_lock(&self) -> io::Result<bool> {
            self.0.try_lock()
        }

        fn unlock(&self) -> io::Result<()> {
            self.0.unlock()
        }

        fn identity(&self) -> io::Result<FileIdentity> {
            self.0.identity()
        }

        fn open_writers(&self) -> Vec<u32> {
            self.1.lock().unwrap().pop_front().unwrap()
        }

        fn wait(&self, _time: Duration) {}
    }

    #[test]
    fn a_process_that_keeps_the_file_open_is_found_among_others_that_close_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        std::fs::write(&path, "x").unwrap();
        let writer_found = |looks: &[&[u32]]| {
            let file = OsDisk.open(&path, OpenMode::Read).unwrap();
            let looks = Mutex::new(looks.iter().map(|pids| pids.to_vec()).collect());
            let file: Arc<dyn Storage> = Arc::new(WatchedFile(file, looks));
            let checked = WriterLock { reader: file.clone(), holder: file }.ensure_only_writer(&path);
            checked.err().map(|error| error.to_string())
        };
        assert_eq!(writer_found(&[&[]]), None);
        assert_eq!(writer_found(&[&[7], &[]]), None, "a child process that has run another program");
        assert_eq!(writer_found(&[&[7], &[8], &[9], &[7], &[8]]), None, "child processes, one after the other");
        let looks: [&[&[u32]]; 4] =
            [&[&[12], &[12]], &[&[7, 12], &[12]], &[&[7, 12], &[8, 12]], &[&[7], &[12], &[13, 12]]];
        for looks in looks {
            let found = writer_found(looks).unwrap_or_default();
            assert!(found.contains("process 12"), "{looks:?}: {found}");
        }
    }
}
