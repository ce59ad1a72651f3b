//! [`EventLog`]: opening a log with recovery, appending with a chosen durability, and closing.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::create_folder::create_in_folder;
use super::indexing::IndexCache;
use super::opening::{OpenedForAppend, open_for_append};
use super::{OpenOptions, Replay, SharedWriter};
use crate::StorageError;
use crate::file::storage::append_all;
use crate::file::{CommitState, Durability, ExistingFile, LogWriter, NewFile, OpenMode};
use crate::format::{Event, LogHeader};
use crate::index::{IndexState, SeenEnd};
use crate::inspect::LogView;
use crate::repair::{
    JournalMark, LogPaths, PendingRepair, RecoveryOutcome, TailBackup, journal_notices, pending_repair,
};

/// An event log in one file, or in a folder of segments.
///
/// A log that is opened read-only takes no lock and writes nothing. A log that is opened for append holds the writer's
/// lock until it is closed, or until it and its [`SharedWriter`]s are dropped. Dropping it loses no appended event;
/// [`EventLog::close`] also saves the index.
///
/// Appending needs `&mut self`, and reading needs `&self`. [`EventLog::shared_writer`] returns a handle with which several
/// threads append. [`Replay`] and [`AggregateEvents`](crate::AggregateEvents)
/// do not borrow the log, so a program can append to the log while several of them run.
#[derive(Debug)]
pub struct EventLog {
    pub(super) options: OpenOptions,
    pub(super) view: LogView,
    pub(super) index_cache: Mutex<IndexCache>,
    pub(super) writer: Option<SharedWriter>,
    set_aside_tail: Option<TailBackup>,
    recovered_repair: Option<RecoveryOutcome>,
    pub(super) is_created: bool,
}

impl EventLog {
    /// Creates a log and opens it for append. When the function returns, the file and its name are on stable storage.
    ///
    /// The file appears under its name complete and locked: another process finds no file, or a log that it can read. A log in a
    /// folder of segments appears complete too. In a folder that exists and is empty, it appears with its first segment.
    ///
    /// # Errors
    /// `AlreadyExists` when the file exists, or a folder that has a file; `Io` when the file or its folder cannot be written.
    /// After an error, no file of the failed creation is left, except in a folder that existed before: a complete log that cannot
    /// be opened stays there. For a folder also `Locked` when another process has opened the new
    /// log first; the log then stays.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        Self::create_with(OpenOptions::new(), path.as_ref())
    }

    /// Opens a log for append and takes the writer's lock. The cost does not depend on the size of the log.
    ///
    /// A repair that was killed is first completed or rolled back ([`EventLog::recovered_repair`] reports it). An
    /// unfinished tail, such as a power cut can produce, is copied into a journal and then cut off
    /// ([`EventLog::set_aside_tail`] reports it). Damage anywhere else is not changed and does not prevent appending.
    ///
    /// # Errors
    /// `Locked` when another writer has the log open; `Truncated` when the index proves that events are missing at the
    /// end; `Refused` when the index cannot be read, so that it is not known whether events are missing;
    /// `Version0ReadOnly` for a log of version 0; `UnknownFlags` when the header has flags that forbid writing;
    /// `Changed` when the end changes while the lock is held, because a program writes without the lock; `Refused`
    /// when the end is unfinished and such a program has the log open for writing; and the errors
    /// of [`EventLog::open_read_only`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        Self::open_with(OpenOptions::new(), path.as_ref())
    }

    /// Opens a log for append, or creates it when the file does not exist.
    ///
    /// # Errors
    /// The errors of [`EventLog::open`] when the file exists, and of [`EventLog::create`] when it does not.
    pub fn open_or_create(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        OpenOptions::new().open_or_create(path)
    }

    /// Opens a log for reading. Takes no lock, and writes neither to the log nor to any other file.
    ///
    /// # Errors
    /// `Io` when the file cannot be read; `TooShort`, `NotALog`, `UnsupportedVersion`, or `UnknownFlags` when it is not
    /// a log that this version can read.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        Self::open_read_only_with(OpenOptions::new(), path.as_ref())
    }

    pub(super) fn create_with(options: OpenOptions, path: &Path) -> Result<Self, StorageError> {
        let names_folder = path.as_os_str().as_encoded_bytes().ends_with(b"/");
        if names_folder || options.segment_size.is_some() || options.segment_age.is_some() {
            return create_in_folder(options, path);
        }
        let disk = options.disk.clone();
        let mut file = NewFile::create_log(disk.as_ref(), path, ExistingFile::Keep)?;
        // Everything that can fail happens before the file has its final name, so that a failure leaves no log.
        file.ensure_locked()?;
        let header = options.format.header((options.clock)()).encode();
        append_all(file.storage().as_ref(), &header).map_err(|error| StorageError::io(path, "write", error))?;
        let temporary = disk.resolve(file.temporary_path()).map_err(|error| StorageError::io(path, "open", error))?;
        let path = temporary.with_file_name(path.file_name().unwrap_or_default());
        let reader = disk.open(file.temporary_path(), OpenMode::Read);
        let reader = reader.map_err(|error| StorageError::io(&path, "open", error))?;
        let view = LogView::from_storage(disk.clone(), &path, reader, options.index_path.as_deref())?;
        let writer = LogWriter::of_new_file(&file, view.log().clone())?;
        file.set_path(path);
        file.commit()?;
        let journals = JournalMark::read(&options.log_paths_at(view.path()));
        let log = Self { is_created: true, ..Self::from_view(options, view, Some(writer)) };
        let mut cache = log.lock_index_cache();
        (cache.saves_on_close, cache.journals_at_opening) = (true, journals);
        drop(cache);
        Ok(log)
    }

    pub(super) fn open_read_only_with(options: OpenOptions, path: &Path) -> Result<Self, StorageError> {
        let resolved = options.disk.resolve(path).map_err(|error| StorageError::io(path, "open", error))?;
        // The journals are listed before the index is opened, so that a repair after that is noticed.
        let journals = JournalMark::read(&options.log_paths_at(&resolved));
        let view =
            LogView::open_as_copy(options.disk.clone(), &resolved, options.index_path.as_deref(), &options.copies)?;
        let log = Self::from_view(options, view, None);
        log.lock_index_cache().journals_at_opening = journals;
        Ok(log)
    }

    pub(super) fn open_with(options: OpenOptions, path: &Path) -> Result<Self, StorageError> {
        let OpenedForAppend { view, writer, recovered_repair, set_aside_tail, was_index_fresh } =
            open_for_append(&options, path)?;
        let log = Self { set_aside_tail, recovered_repair, ..Self::from_view(options, view, Some(writer)) };
        log.lock_index_cache().saves_on_close = was_index_fresh;
        let journals = JournalMark::read(&log.log_paths());
        log.lock_index_cache().journals_at_opening = journals;
        // Readers ignore the segments that a killed retention has left. The next retention reports what prevents moving them.
        let _ = log.complete_removals();
        Ok(log)
    }

    pub(super) fn from_view(options: OpenOptions, view: LogView, writer: Option<LogWriter>) -> Self {
        let format = view.log().format();
        Self {
            writer: writer.map(|writer| SharedWriter::new(writer, format, options.clock.clone())),
            view: view.with_threads(options.threads),
            options,
            index_cache: Mutex::default(),
            set_aside_tail: None,
            recovered_repair: None,
            is_created: false,
        }
    }

    /// Appends an event and returns its offset.
    ///
    /// The event is handed to the operating system, so it survives the death of the process. A power cut can lose it
    /// and all other events since the last sync. The next [`EventLog::open`] sets an incomplete rest of such events
    /// aside.
    ///
    /// # Errors
    /// `Io` when the write failed and the log is unchanged; `Poisoned` after a failed sync or rollback; `ReadOnly` when
    /// the log was opened for reading.
    pub fn append(&mut self, event: &Event) -> Result<u64, StorageError> {
        self.writer()?.append(event)
    }

    /// Appends an event, syncs the log, and returns the event's offset. When the function returns, the event and all
    /// events before it are on stable storage, so a power cut cannot lose them.
    ///
    /// # Errors
    /// The errors of [`EventLog::append`]. `Poisoned` also when the sync failed. It is then unknown whether the event
    /// is on the disk, and the log accepts no event until it is opened again.
    pub fn append_sync(&mut self, event: &Event) -> Result<u64, StorageError> {
        self.writer()?.append_sync(event)
    }

    /// Appends all events in one write, or none of them, and returns their offsets. `Synced` costs one sync for the
    /// batch.
    ///
    /// # Errors
    /// The errors of [`EventLog::append`], and with `Synced` those of [`EventLog::append_sync`].
    pub fn append_batch(&mut self, events: &[Event], durability: Durability) -> Result<Vec<u64>, StorageError> {
        self.writer()?.append_batch(events, durability)
    }

    /// Returns a handle with which several threads append to this log. Calls that sync at the same time share a sync.
    ///
    /// # Errors
    /// `ReadOnly` when the log was opened for reading.
    pub fn shared_writer(&self) -> Result<SharedWriter, StorageError> {
        self.writer().cloned()
    }

    /// Returns the state that its writers share, for tests that run its steps without threads.
    pub(crate) fn into_commit_state(mut self) -> Option<CommitState> {
        self.writer.take()?.into_commit_state()
    }

    pub(super) fn writer(&self) -> Result<&SharedWriter, StorageError> {
        self.writer.as_ref().ok_or_else(|| StorageError::ReadOnly { path: self.view.path().to_owned() })
    }

    /// Blocks until every appended event is on stable storage.
    ///
    /// # Errors
    /// `Poisoned` when the sync failed; `ReadOnly` when the log was opened for reading.
    pub fn sync(&mut self) -> Result<(), StorageError> {
        self.writer()?.sync()
    }

    /// Closes the log. Syncs the log and saves the index when this writer created the log, or when it appended to the
    /// log and the index was fresh at opening or was brought up to date later.
    ///
    /// Waits for the calls of [`SharedWriter`]s that are in progress; their later calls return `Closed`. When the function
    /// returns, the writer's lock is released.
    ///
    /// # Errors
    /// The errors of [`EventLog::save_index`]. The log itself stays intact.
    pub fn close(mut self) -> Result<(), StorageError> {
        // The writer holds the lock until the index is saved.
        let closed = self.writer.take().map(|writer| writer.close());
        let has_appended = closed.as_ref().is_some_and(|closed| closed.has_appended);
        let saves_index = self.lock_index_cache().saves_on_close && (has_appended || self.is_created);
        if saves_index { self.save_index() } else { Ok(()) }
    }

    /// Iterates over the events from offset `from` to the current end of the log. Offsets 0 to 16 select the first
    /// frame.
    ///
    /// Damage is an error item, after which the iterator continues. When `from` is inside damage, that damage is the
    /// first item. When `from` is the end of the file, there are no items. The iterator uses the memory of one read
    /// buffer, or of one frame when that is larger.
    ///
    /// When a retention removes segments that the iterator has not reached, one `Removed` item takes their place, and the
    /// iterator continues with the first event that is left.
    ///
    /// # Errors
    /// `InsideFrame` when `from` is inside a valid frame; `Removed` when a retention has removed the segment with it; `Io`
    /// when the log cannot be read.
    pub fn replay(&self, from: u64) -> Result<Replay, StorageError> {
        self.replay_until(from, u64::MAX)
    }

    /// Iterates over the events whose frames start at offset `from` or later and before offset `until`.
    ///
    /// # Errors
    /// The errors of [`EventLog::replay`].
    pub fn replay_until(&self, from: u64, until: u64) -> Result<Replay, StorageError> {
        Replay::new(&self.view, self.log_paths(), from, until)
    }

    /// The header in the log file; `None` for a log of version 0, and when the header is damaged.
    pub fn header(&self) -> Option<LogHeader> {
        self.view.header_bytes().and_then(|bytes| LogHeader::decode(&bytes).ok())
    }

    /// The current size of the log file, in bytes.
    ///
    /// # Errors
    /// `Io` when the system does not report the size.
    pub fn len(&self) -> Result<u64, StorageError> {
        self.view.log().len()
    }

    /// True when the log is empty: no byte follows its header.
    ///
    /// # Errors
    /// `Io` when the system does not report the size.
    pub fn is_empty(&self) -> Result<bool, StorageError> {
        Ok(self.len()? <= self.view.log().first_frame_offset())
    }

    /// The unfinished tail that opening for append has moved into a journal; `None` when the log had no such tail.
    pub const fn set_aside_tail(&self) -> Option<&TailBackup> {
        self.set_aside_tail.as_ref()
    }

    /// The killed repair that opening for append has completed or rolled back; `None` when the log had no such repair.
    pub const fn recovered_repair(&self) -> Option<&RecoveryOutcome> {
        self.recovered_repair.as_ref()
    }

    /// Returns the repair that was killed before it was complete, according to the journals of the log; `None` when
    /// there is no such repair. The next [`EventLog::open`] completes it or rolls it back.
    ///
    /// # Errors
    /// `Io` when the journals or the log cannot be read.
    pub fn pending_repair(&self) -> Result<Option<PendingRepair>, StorageError> {
        pending_repair(&self.log_paths(), self.view.log())
    }

    /// Returns one notice for each side file that is not used although it exists: an index or a journal that users who
    /// cannot write the log can have written, or a file of another type in its place.
    pub fn side_file_notices(&self) -> Vec<String> {
        let path = self.view.index_path();
        let index = match (self.view.seen_end(), self.view.index_state()) {
            (SeenEnd::Unknown { reason, remedy }, _) => {
                let effect = "the end of the log is not judged";
                Some(format!("{}: not used: {reason}; {effect}. {remedy}", path.display()))
            }
            (_, IndexState::Untrusted { found }) => Some(found.to_notice(path)),
            _ => None,
        };
        let journals = journal_notices(&self.log_paths(), self.view.log());
        index.into_iter().chain(journals.unwrap_or_else(|error| vec![error.to_string()])).collect()
    }

    /// The view of the log and its index file, on which verification, queries and comparisons work.
    pub const fn view(&self) -> &LogView {
        &self.view
    }

    /// The paths of this log and its side files. Those of one segment are those of its log.
    pub(super) fn log_paths(&self) -> LogPaths {
        let segments = self.view.log().storage().segments();
        self.options.log_paths_at(segments.map_or(self.view.path(), |segments| segments.folder()))
    }

    /// The path of the log, with links resolved.
    pub fn path(&self) -> PathBuf {
        self.view.path().to_owned()
    }

    /// The options with which this log was opened.
    pub const fn options(&self) -> &OpenOptions {
        &self.options
    }
}
