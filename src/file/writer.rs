//! [`LogWriter`]: the only code that appends frames to a log. It holds the writer's lock, and appends all frames or
//! none.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::LogFile;
use super::lock::WriterLock;
use super::new_file::NewFile;
use super::rolling::{ActiveSegment, RollPolicy};
use super::segments::SegmentSet;
use super::storage::{Disk, OpenMode, Storage};
use crate::StorageError;
use crate::format::{LogHeader, SegmentHeader};

/// Number of appends after which the end of the file is checked. A check after every append would double the system
/// calls.
const END_CHECK_INTERVAL: u32 = 64;

/// The durability of an append: the point at which it returns, which decides whether a power cut can lose the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// The append returns after the bytes were handed to the operating system. The event survives a crash of the
    /// process, but not of the machine.
    Buffered,
    /// The append returns after the bytes are on stable storage. The event survives a power cut.
    Synced,
}

/// A log opened for append, with the writer's lock and the end of its known contents.
#[derive(Debug)]
pub(crate) struct LogWriter {
    /// The log, open for reading. Every user of this handle learns of a failed sync.
    log: Arc<LogFile>,
    /// The handle for appending, which no other value shares. The fields are dropped in this order: the log must not be
    /// open for writing once the lock is released.
    storage: Arc<dyn Storage>,
    lock: WriterLock,
    end: u64,
    /// The end of the log when the last successful sync of this writer was started, or when the log was opened.
    synced_end: u64,
    /// Why the writer refuses all appends; `None` while it accepts them.
    poison: Option<Poison>,
    /// True while a call changes the file. It stays true when the call panics, because it is not known then how much was written.
    is_changing_file: bool,
    /// Number of appends since the end of the file was last checked.
    appends_since_check: u32,
    roll_policy: RollPolicy,
    /// The last segment; `None` in a log of one file.
    active: Option<ActiveSegment>,
}

/// Why a writer refuses all appends.
#[derive(Debug, Clone)]
struct Poison {
    /// The end of the part of the log that the failure does not put into question.
    offset: u64,
    reason: String,
}

/// A sync of a log, which can run while other threads append to the log.
#[derive(Debug)]
pub struct SyncJob {
    log: Arc<LogFile>,
    storage: Arc<dyn Storage>,
    /// The end of the log when the sync was started.
    end: u64,
}

impl SyncJob {
    /// Blocks until every byte that was written before the call is on stable storage.
    ///
    /// # Errors
    /// The error of the operating system; every later sync of the log then fails too.
    pub fn run(&self) -> io::Result<()> {
        self.log.sync_through(self.storage.as_ref())
    }
}

impl LogWriter {
    /// Opens `log`, the locked file, for append.
    ///
    /// # Errors
    /// `Changed` when the path now leads to another file; `Io` when a system call fails.
    pub(crate) fn open(disk: &Arc<dyn Disk>, log: Arc<LogFile>, lock: WriterLock) -> Result<Self, StorageError> {
        let storage = lock.open_for_writing(disk, log.path(), OpenMode::Append)?;
        Self::new(log, storage, lock)
    }

    /// Creates the writer of a new log, which is also open for reading as `log`.
    ///
    /// # Errors
    /// `Io` when the size of the log cannot be determined.
    pub(crate) fn of_new_file(file: &NewFile, log: Arc<LogFile>) -> Result<Self, StorageError> {
        let storage = file.storage().clone();
        let lock = WriterLock::of_new_file(log.shared_storage(), storage.clone());
        Self::new(log, storage, lock)
    }

    fn new(log: Arc<LogFile>, storage: Arc<dyn Storage>, lock: WriterLock) -> Result<Self, StorageError> {
        let end = log.len()?;
        let (roll_policy, active) = (RollPolicy::default(), ActiveSegment::of_log(&log)?);
        Ok(Self {
            log,
            storage,
            lock,
            end,
            synced_end: end,
            poison: None,
            is_changing_file: false,
            appends_since_check: 0,
            roll_policy,
            active,
        })
    }

    /// Sets when the next segment is started.
    pub(crate) const fn set_roll_policy(&mut self, policy: RollPolicy) {
        self.roll_policy = policy;
    }

    /// Starts the next segment when the last one is full or too old at `now_ms`, in milliseconds since the Unix epoch. All events
    /// before it are on stable storage then. Does nothing in a log of one file.
    ///
    /// # Errors
    /// `Io` when the next segment cannot be created, and `Poisoned` when the last one cannot be synced. The last segment
    /// stays the last one.
    pub(crate) fn roll_if_due(&mut self, now_ms: u64) -> Result<(), StorageError> {
        let Some(active) = self.active.filter(|active| active.is_due(self.roll_policy, self.end, now_ms)) else {
            return Ok(());
        };
        self.sync()?;
        match active.next_header(&self.log, self.end)? {
            Some(header) => self.change_file(|writer| writer.start_segment(header, now_ms)),
            None => Ok(()),
        }
    }

    /// Makes the header of the last segment say that the log starts at `log_start`: that of the next segment, which is started, or
    /// that of the last one, when it has no event. When the function returns, this and all events are on stable storage.
    ///
    /// # Errors
    /// Those of [`LogWriter::roll_if_due`]; `Refused` in a log of one file, and when the header of the last segment is damaged.
    pub(crate) fn roll_with_start(&mut self, log_start: u64, now_ms: u64) -> Result<(), StorageError> {
        self.sync()?;
        if let Some(header) = self.active.and_then(|active| active.empty_header(self.end)) {
            return self.change_file(|writer| writer.replace_empty_segment(header, log_start));
        }
        let next = self.active.map(|active| active.next_header(&self.log, self.end)).transpose()?.flatten();
        let header = next.ok_or_else(|| StorageError::Refused {
            path: self.log.path().to_owned(),
            reason: "the number of the next segment is not known: the header of the last one is damaged".into(),
            alternative: "Repair the log with `chronicle repair LOG`, and try again",
        })?;
        self.change_file(|writer| writer.start_segment(SegmentHeader { log_start, ..header }, now_ms))
    }

    /// Makes the header of the last segment, which has no event, say that the log starts at `log_start`.
    fn replace_empty_segment(&mut self, header: LogHeader, log_start: u64) -> Result<(), StorageError> {
        let (Some(segments), Some(segment)) = (self.storage.segments(), header.segment) else { return Ok(()) };
        if segment.log_start == log_start {
            return Ok(());
        }
        let new = SegmentHeader { log_start, ..segment };
        let relist = || self.log.storage().segments().map_or(Ok(()), SegmentSet::relist);
        if let Err(error) = segments.replace_empty_segment(new, header.created_at_ms).and_then(|()| relist()) {
            let reason = format!("the last segment may have been replaced and cannot be used ({error})");
            return Err(self.poison(self.end, reason));
        }
        self.read_last_segment()
    }

    /// Reads the end and the last segment again after the last segment has changed. When that fails, the writer refuses all appends,
    /// because it would encode frames for another offset than they get.
    fn read_last_segment(&mut self) -> Result<(), StorageError> {
        match self.refresh_end().and_then(|()| ActiveSegment::of_log(&self.log)) {
            Ok(active) => {
                self.active = active;
                Ok(())
            }
            Err(error) => {
                Err(self.poison(self.end, format!("the last segment has changed and cannot be read ({error})")))
            }
        }
    }

    /// Adds a segment with this header after the last one, which is synced.
    fn start_segment(&mut self, header: SegmentHeader, now_ms: u64) -> Result<(), StorageError> {
        let Some(segments) = self.storage.segments() else { return Ok(()) };
        if let Err(error) = segments.add_segment(header, now_ms) {
            let path = segments.segment_path(header.base);
            // Other handles of the log would continue in the new segment. Only `NotFound` shows that there is none.
            let is_absent =
                matches!(segments.open_segment(header.base), Err(found) if found.kind() == io::ErrorKind::NotFound);
            return Err(if is_absent {
                StorageError::io(&path, "create", error)
            } else {
                self.poison(self.end, format!("the next segment may have been created and cannot be used ({error})"))
            });
        }
        self.read_last_segment()
    }

    /// Starts a segment with the header that it has in another copy of the log. All frames before it are on stable storage then.
    ///
    /// # Errors
    /// `Refused` for a base before the end, and in a log of one file; `Io` when it cannot be created; `Poisoned`.
    #[cfg(feature = "remote")]
    pub(crate) fn start_given_segment(&mut self, header: LogHeader) -> Result<(), StorageError> {
        self.sync()?;
        let segment = header.segment.filter(|segment| self.active.is_some() && segment.base >= self.end);
        let segment = segment.ok_or_else(|| StorageError::Refused {
            path: self.log.path().to_owned(),
            reason: format!("no segment can be added at the end of the log, offset {}", self.end),
            alternative: "Write the log into a new folder",
        })?;
        self.change_file(|writer| writer.start_segment(segment, header.created_at_ms))
    }

    /// Checks that no other process has the log open for writing.
    ///
    /// # Errors
    /// `Refused` when one has, because it does not take the lock and may be in the middle of a frame.
    pub(crate) fn ensure_only_writer(&self) -> Result<(), StorageError> {
        self.lock.ensure_only_writer(self.log.path())
    }

    /// The path of the log.
    pub(crate) fn path(&self) -> &Path {
        self.log.path()
    }

    /// The end of the log, which is the offset of the next frame.
    pub(crate) const fn end(&self) -> u64 {
        self.end
    }

    /// Runs a step that changes the file. After a panic in it, the writer refuses all appends.
    fn change_file<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T, StorageError>) -> Result<T, StorageError> {
        self.ensure_not_poisoned()?;
        self.is_changing_file = true;
        let result = step(self);
        self.is_changing_file = false;
        result
    }

    /// Appends whole frames, usually with one system call, and returns the offset of the first one. Does not sync them: with
    /// `Synced`, it checks the end of the file, so that a later sync need not check it.
    ///
    /// Bytes that another program writes without the lock are never overwritten. Such a write is detected at the next
    /// sync, and after 64 appends at the latest.
    ///
    /// # Errors
    /// `Io` when the write failed, or its end could not be determined, and the file was restored to its previous size;
    /// `Poisoned` when that size could not be restored, when a sync failed, or when another program has written to the log.
    pub(crate) fn append(&mut self, frames: &[u8], durability: Durability) -> Result<u64, StorageError> {
        self.change_file(|writer| writer.append_frames(frames, durability))
    }

    fn append_frames(&mut self, frames: &[u8], durability: Durability) -> Result<u64, StorageError> {
        let start = self.end;
        let new_end = start + frames.len() as u64;
        let mut rest = frames;
        while !rest.is_empty() {
            match self.storage.append(rest) {
                Ok(0) => return Err(self.roll_back(new_end - rest.len() as u64, io::ErrorKind::WriteZero.into())),
                Ok(bytes) => rest = rest.get(bytes..).unwrap_or_default(),
                Err(error) => return Err(self.roll_back(new_end - rest.len() as u64, error)),
            }
        }
        self.appends_since_check += 1;
        if durability == Durability::Synced || self.appends_since_check >= END_CHECK_INTERVAL {
            match self.storage.append_end() {
                Ok(end) => self.check_end(end, new_end)?,
                Err(error) => return Err(self.roll_back(new_end, error)),
            }
        }
        self.end = new_end;
        Ok(start)
    }

    /// Poisons the writer when the last append ended at `append_end` instead of `expected_end`, because another program
    /// wrote in between. The file is not truncated, because that would destroy the bytes of the other program.
    fn check_end(&mut self, append_end: u64, expected_end: u64) -> Result<(), StorageError> {
        self.appends_since_check = 0;
        if append_end == expected_end {
            return Ok(());
        }
        Err(self.poison(self.end, format!("another program wrote to the log: the last append ended at {append_end}")))
    }

    /// Blocks until every appended frame is on stable storage.
    ///
    /// # Errors
    /// `Poisoned` when a sync fails or has failed before. A failed sync is never repeated, because a later success
    /// would not prove that the data is on the disk. `Io` when the end of the file cannot be determined.
    pub(crate) fn sync(&mut self) -> Result<(), StorageError> {
        self.check_appends()?;
        let job = self.start_sync()?;
        let result = job.run();
        self.finish_sync(&job, result)
    }

    /// Checks the end of the file, unless it was checked after the last append.
    ///
    /// # Errors
    /// `Poisoned` when another program has written to the log; `Io` when the end cannot be determined.
    pub(crate) fn check_appends(&mut self) -> Result<(), StorageError> {
        self.ensure_not_poisoned()?;
        if self.appends_since_check > 0 {
            let append_end = self.storage.append_end();
            let to_error = |error| StorageError::io_at(self.log.path(), "find the end of", self.end, error);
            self.check_end(append_end.map_err(to_error)?, self.end)?;
        }
        Ok(())
    }

    /// Returns a sync of all frames that were appended until now. Its result must be given to [`LogWriter::finish_sync`].
    ///
    /// # Errors
    /// `Poisoned` when the writer refuses all appends.
    pub(crate) fn start_sync(&mut self) -> Result<SyncJob, StorageError> {
        self.ensure_not_poisoned()?;
        Ok(SyncJob { log: self.log.clone(), storage: self.storage.clone(), end: self.end })
    }

    /// Records the result of a sync.
    ///
    /// # Errors
    /// `Poisoned` when it failed.
    pub(crate) fn finish_sync(&mut self, job: &SyncJob, result: io::Result<()>) -> Result<(), StorageError> {
        match result {
            Ok(()) => {
                self.synced_end = self.synced_end.max(job.end);
                Ok(())
            }
            Err(error) => Err(self.poison(self.synced_end, format!("a sync failed ({error})"))),
        }
    }

    /// Makes the writer refuse all appends, because a sync did not return a result.
    pub(crate) fn poison_after_lost_sync(&mut self) {
        self.poison(self.synced_end, "a sync was interrupted by a panic".into());
    }

    /// Reads the end of the log again after a repair that was made under this lock.
    ///
    /// # Errors
    /// `Io` when the size cannot be determined.
    pub(crate) fn refresh_end(&mut self) -> Result<(), StorageError> {
        self.end = self.log.len()?;
        Ok(())
    }

    /// Checks that the writer accepts appends.
    ///
    /// # Errors
    /// `Poisoned` after a failure that leaves the contents of the disk unknown.
    pub(crate) fn ensure_not_poisoned(&mut self) -> Result<(), StorageError> {
        if self.is_changing_file && self.poison.is_none() {
            return Err(self.poison(self.end, "a change of the log was interrupted by a panic".into()));
        }
        match &self.poison {
            None => Ok(()),
            Some(Poison { offset, reason }) => {
                let path = self.log.path().to_owned();
                Err(StorageError::Poisoned { path, offset: *offset, reason: reason.clone() })
            }
        }
    }

    /// Makes the writer refuse all appends, and returns the error. The first reason is kept.
    fn poison(&mut self, offset: u64, reason: String) -> StorageError {
        let Poison { offset, reason } = self.poison.get_or_insert(Poison { offset, reason }).clone();
        StorageError::Poisoned { path: self.log.path().to_owned(), offset, reason }
    }

    /// Truncates the file to the frame boundary before a failed write, and returns the error of the write.
    ///
    /// Poisons the writer instead when the file does not end where the written bytes end, or when truncating fails.
    fn roll_back(&mut self, written_end: u64, error: io::Error) -> StorageError {
        let file_end = self.storage.len();
        if !matches!(file_end, Ok(len) if len == written_end) {
            return self.poison(
                self.end,
                format!("a write failed ({error}), and the log does not end after the written bytes"),
            );
        }
        match self.storage.set_len(self.end) {
            Ok(()) => StorageError::io_at(self.log.path(), "append", self.end, error),
            Err(rollback) => {
                self.poison(self.end, format!("a write failed ({error}) and could not be rolled back ({rollback})"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::file::HeaderState;
    use crate::file::failing_disk::{FailingCall, FailingDisk};
    use crate::format::FrameFormat;

    /// Creates a file of six bytes, and a writer that fails to determine its end for the first time.
    fn writer_without_end(folder: &tempfile::TempDir) -> (PathBuf, LogWriter) {
        let path = folder.path().join("a.log");
        std::fs::write(&path, "before").unwrap();
        let disk: Arc<dyn Disk> = Arc::new(FailingDisk::new(FailingCall::AppendEnd));
        let lock = WriterLock::take(&disk, &path, Duration::ZERO).unwrap();
        let log = Arc::new(LogFile::with_header(lock.reader().clone(), &path, FrameFormat::V1, HeaderState::Absent));
        (path, LogWriter::open(&disk, log, lock).unwrap())
    }

    #[test]
    fn an_append_whose_end_is_not_known_is_rolled_back() {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut writer) = writer_without_end(&folder);
        let error = writer.append(b"frame", Durability::Synced).unwrap_err();
        assert!(matches!(error, StorageError::Io { .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"before");
        assert_eq!(writer.append(b"next", Durability::Synced).unwrap(), 6);
        assert_eq!(std::fs::read(&path).unwrap(), b"beforenext");
    }

    #[test]
    fn a_sync_repeats_the_check_of_the_end_that_failed_before() {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut writer) = writer_without_end(&folder);
        let mut other = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        other.write_all(b"of another program").unwrap();
        writer.append(b"frame", Durability::Buffered).unwrap();
        assert!(matches!(writer.sync().unwrap_err(), StorageError::Io { .. }));
        assert!(matches!(writer.sync().unwrap_err(), StorageError::Poisoned { .. }));
    }
}
