//! The log as a program has it: opening with its recovery, appending with its durability, closing.

use std::path::{Path, PathBuf};

use super::{OpenOptions, Replay};
use crate::StorageError;
use crate::file::storage::{OpenMode, append_all};
use crate::file::{Durability, LogWriter, open_for_append, spans_before};
use crate::format::{Event, LogHeader, TimestampPrefix, Version, frame};
use crate::index::{AggregateIndex, IndexState};
use crate::inspect::{LogView, LogWalk, WalkItem, WriterCheck};
use crate::repair::{PendingRepair, RecoveryOutcome, TailBackup, pending_repair, recover, set_aside_tail};

/// The most bytes that opening for append reads forwards from the last frame that the index knows.
const MAX_FORWARD_SCAN: u64 = 64 << 20;

/// An event log in one file.
///
/// Opened to be read, it takes no lock and writes nothing. Opened for append, it holds the writer's lock until it is
/// dropped or closed. Dropping loses nothing that was appended; [`EventLog::close`] also keeps the index fresh.
#[derive(Debug)]
pub struct EventLog {
    pub(super) options: OpenOptions,
    pub(super) view: LogView,
    /// What the index file holds, and in memory a map of what came after it, as far as somebody has asked.
    pub(super) index: Option<AggregateIndex>,
    writer: Option<LogWriter>,
    set_aside_tail: Option<TailBackup>,
    recovered_repair: Option<RecoveryOutcome>,
    /// This writer created the log, found its index fresh, or caught it up: it leaves a fresh one behind.
    pub(super) saves_index_on_close: bool,
    is_created: bool,
    has_appended: bool,
    /// The time that was accepted last: appends come faster than milliseconds go by.
    accept_time: TimestampPrefix,
    frame_buffer: Vec<u8>,
}

impl EventLog {
    /// Creates a log that must not be there yet, and opens it for append. When it returns, the log is on stable
    /// storage under its name.
    ///
    /// # Errors
    /// `Exists`; `Io` when file or folder cannot be written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        Self::create_with(OpenOptions::new(), path.as_ref())
    }

    /// Opens a log for append, whatever its size in the same time, and takes the writer's lock.
    ///
    /// An unfinished end that no index has seen whole is set aside: kept in a journal, then cut. [`EventLog::set_aside_tail`]
    /// tells it. Damage anywhere else stays as it is and stops nothing.
    ///
    /// # Errors
    /// `Locked`; `Truncated` when the index has seen events that are gone; `Version0`; `UnknownFlags`; `Changed` when
    /// the end moves although nobody holds the lock; what [`EventLog::open_read_only`] fails with.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        Self::open_with(OpenOptions::new(), path.as_ref())
    }

    /// Opens a log to be read. Writes nothing, not even beside it, and takes no lock.
    ///
    /// # Errors
    /// `Io`; `TooShort`, `NotALog`, `UnsupportedVersion`, `UnknownFlags` where the file is no log that can be read.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        Self::open_read_only_with(OpenOptions::new(), path.as_ref())
    }

    pub(super) fn create_with(options: OpenOptions, path: &Path) -> Result<Self, StorageError> {
        let disk = &options.disk;
        let storage = disk.open(path, OpenMode::Create).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => StorageError::AlreadyExists { path: path.to_owned() },
            _ => StorageError::io(path, "create", error),
        })?;
        let header = LogHeader::new((options.clock)()).encode();
        append_all(storage.as_ref(), &header).map_err(|error| StorageError::io(path, "write", error))?;
        storage.sync().map_err(|error| StorageError::io(path, "sync", error))?;
        let path = disk.resolve(path).map_err(|error| StorageError::io(path, "open", error))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        disk.sync_folder(folder).map_err(|error| StorageError::io(folder, "sync", error))?;
        let view = LogView::from_storage(disk.clone(), &path, storage.clone(), options.index_path.as_deref())?;
        let writer = LogWriter::lock(disk.as_ref(), view.log().clone(), storage)?;
        Ok(Self { saves_index_on_close: true, is_created: true, ..Self::from_view(options, view, Some(writer)) })
    }

    pub(super) fn open_read_only_with(options: OpenOptions, path: &Path) -> Result<Self, StorageError> {
        let view = LogView::open(options.disk.clone(), path, options.index_path.as_deref())?;
        Ok(Self::from_view(options, view, None))
    }

    pub(super) fn open_with(options: OpenOptions, path: &Path) -> Result<Self, StorageError> {
        let disk = options.disk.clone();
        let path = disk.resolve(path).map_err(|error| StorageError::io(path, "open", error))?;
        let recovered = recover(&options.log_paths_at(&path))?;
        // Read first: what is no log, or may not be written to, is told as such and not as a missing permission.
        let unlocked_view = LogView::open(disk.clone(), &path, options.index_path.as_deref())?;
        if unlocked_view.log().version() == Version::V0 {
            return Err(StorageError::Version0ReadOnly { path });
        }
        let storage = open_for_append(disk.as_ref(), &path)?;
        let log = unlocked_view.log().clone();
        let writer = LogWriter::lock(disk.as_ref(), log, storage.clone())?;
        // Under the lock everything is looked at again: another writer may have been at work until now.
        let view = LogView::from_storage(disk, &path, storage, options.index_path.as_deref())?;
        if let IndexState::Ahead { .. } = view.index_state() {
            let (bytes, log_end_offset) = (writer.end(), view.trusted_index_end().unwrap_or_default());
            return Err(StorageError::Truncated { path, bytes, log_end_offset });
        }
        if let Some(found) = view.write_blocking_flags() {
            return Err(StorageError::UnknownFlags { path, found, forbids: "write" });
        }
        let keeps_index = *view.index_state() == IndexState::Fresh;
        let mut log = Self {
            recovered_repair: recovered,
            saves_index_on_close: keeps_index,
            ..Self::from_view(options, view, Some(writer))
        };
        log.recover_tail()?;
        Ok(log)
    }

    fn from_view(options: OpenOptions, view: LogView, writer: Option<LogWriter>) -> Self {
        Self {
            view: view.with_threads(options.threads),
            options,
            index: None,
            writer,
            set_aside_tail: None,
            recovered_repair: None,
            saves_index_on_close: false,
            is_created: false,
            has_appended: false,
            accept_time: TimestampPrefix::new(0),
            frame_buffer: Vec::new(),
        }
    }

    /// Judges the end of the log under the writer's lock, and sets it aside where docs/format.md says so.
    fn recover_tail(&mut self) -> Result<(), StorageError> {
        let log_paths = self.options.log_paths_at(self.view.path());
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        let log = self.view.log();
        let Some(start) = last_span_start(&self.view, writer.end())? else {
            return Ok(());
        };
        let mut walk =
            LogWalk::new(&self.view, start..writer.end(), writer.end()).with_writer_check(WriterCheck::HoldsLock);
        let mut last_piece = None;
        while let Some(item) = walk.next_before(u64::MAX)? {
            match item {
                WalkItem::Damage(finding) => last_piece = Some(finding),
                WalkItem::Frame(..) => last_piece = None,
                WalkItem::DamagedRange(_) | WalkItem::InFlight(_) => {}
            }
        }
        if walk.has_moving_end() {
            return Err(moving_end_error(log.path()));
        }
        let Some(last_piece) = last_piece else {
            return Ok(());
        };
        self.set_aside_tail = set_aside_tail(&log_paths, log, &last_piece, self.view.trusted_index_end())?;
        if self.set_aside_tail.is_some() {
            writer.refresh_end()?;
            self.view.refresh_index_state()?;
        } else if log.len()? != writer.end() {
            return Err(moving_end_error(log.path()));
        }
        Ok(())
    }

    /// Appends an event and hands it to the operating system; its offset.
    ///
    /// Survives the death of the process. A power cut may lose it, and any other that was not synced since; what it
    /// leaves is whole or gone, never part of another.
    ///
    /// # Errors
    /// `Io` when the write failed: the log is as it was. `Poisoned`, `ReadOnly`.
    pub fn append(&mut self, event: &Event) -> Result<u64, StorageError> {
        self.append_frames(std::slice::from_ref(event), Durability::Buffered, |_| {})
    }

    /// Appends an event; its offset. When it returns, the event and all before it are on stable storage: a power cut
    /// costs nothing.
    ///
    /// # Errors
    /// As [`EventLog::append`]. `Poisoned` when the sync failed: then nobody knows whether the event is on the disk, and
    /// nothing more is accepted until the log is reopened.
    pub fn append_sync(&mut self, event: &Event) -> Result<u64, StorageError> {
        self.append_frames(std::slice::from_ref(event), Durability::Synced, |_| {})
    }

    /// Appends events in one write, all or none; their offsets. `Synced` costs one sync for all of them.
    ///
    /// # Errors
    /// As [`EventLog::append`] and [`EventLog::append_sync`].
    pub fn append_batch(&mut self, events: &[Event], durability: Durability) -> Result<Vec<u64>, StorageError> {
        let mut offsets = Vec::with_capacity(events.len());
        let mut behind = 0;
        let first = self.append_frames(events, durability, |length| {
            offsets.push(behind);
            behind += length;
        })?;
        for start in &mut offsets {
            *start += first;
        }
        Ok(offsets)
    }

    /// Writes events as one; their start. `each` is told the length of each frame.
    fn append_frames(
        &mut self,
        events: &[Event],
        durability: Durability,
        on_frame_len: impl FnMut(u64),
    ) -> Result<u64, StorageError> {
        let read_only = || StorageError::ReadOnly { path: self.view.path().to_owned() };
        let writer = self.writer.as_mut().ok_or_else(read_only)?;
        self.accept_time.update((self.options.clock)());
        self.frame_buffer.clear();
        let payloads = events.iter().map(|event| event.payload_parts(&self.accept_time));
        frame::encode_all(payloads, &mut self.frame_buffer, on_frame_len);
        let start = writer.append(&self.frame_buffer, durability)?;
        self.has_appended = true;
        Ok(start)
    }

    /// Returns when everything appended is on stable storage.
    ///
    /// # Errors
    /// `Poisoned` when it is not, `ReadOnly`.
    pub fn sync(&mut self) -> Result<(), StorageError> {
        match &mut self.writer {
            Some(writer) => writer.sync(),
            None => Err(StorageError::ReadOnly { path: self.view.path().to_owned() }),
        }
    }

    /// Closes the log. A writer that created it, or that appended and had its index fresh or caught up, leaves a fresh
    /// index behind; that syncs the log.
    ///
    /// # Errors
    /// As [`EventLog::save_index`]. The log itself is whole in every case.
    pub fn close(mut self) -> Result<(), StorageError> {
        if self.saves_index_on_close && (self.has_appended || self.is_created) { self.save_index() } else { Ok(()) }
    }

    /// Events from `from` on, to the log's end as it is now. 0 to 16 mean the first frame.
    ///
    /// A start inside damage yields that damage first; the end of the file is empty.
    ///
    /// # Errors
    /// `InsideFrame` when `from` lies inside a valid frame, which it names; `Io`.
    pub fn replay(&self, from: u64) -> Result<Replay, StorageError> {
        self.replay_until(from, u64::MAX)
    }

    /// Events whose frames start at `from` or later and before `until`.
    ///
    /// # Errors
    /// As [`EventLog::replay`].
    pub fn replay_until(&self, from: u64, until: u64) -> Result<Replay, StorageError> {
        Replay::new(&self.view, self.options.log_paths_at(self.view.path()), from, until)
    }

    /// The log's header as it stands; `None` in version 0, or where it is damaged.
    pub fn header(&self) -> Option<LogHeader> {
        self.view.header_bytes().and_then(|bytes| LogHeader::decode(&bytes).ok())
    }

    /// The log's size now, in bytes.
    ///
    /// # Errors
    /// `Io`.
    pub fn len(&self) -> Result<u64, StorageError> {
        self.view.log().len()
    }

    /// True when the log holds no frame and no damage: nothing behind its header.
    ///
    /// # Errors
    /// `Io`.
    pub fn is_empty(&self) -> Result<bool, StorageError> {
        Ok(self.len()? <= self.view.log().first_frame_offset())
    }

    /// The unfinished end that opening for append has set aside.
    pub const fn set_aside_tail(&self) -> Option<&TailBackup> {
        self.set_aside_tail.as_ref()
    }

    /// The killed repair that opening for append has completed or taken back.
    pub const fn recovered_repair(&self) -> Option<&RecoveryOutcome> {
        self.recovered_repair.as_ref()
    }

    /// A repair that was killed before it was done, by the journals beside the log. The next opening for append
    /// completes it or takes it back.
    ///
    /// # Errors
    /// `Io` when journals or log cannot be read.
    pub fn pending_repair(&self) -> Result<Option<PendingRepair>, StorageError> {
        pending_repair(self.options.disk.as_ref(), self.view.log(), &self.journal_folder())
    }

    fn journal_folder(&self) -> PathBuf {
        self.options.log_paths_at(self.view.path()).journal_folder()
    }

    /// The log and its index file, to be looked at more closely.
    pub const fn view(&self) -> &LogView {
        &self.view
    }

    /// The log's path, links resolved.
    pub fn path(&self) -> PathBuf {
        self.view.path().to_owned()
    }

    /// The disk and the clock this log goes by.
    pub const fn options(&self) -> &OpenOptions {
        &self.options
    }
}

/// The start of the last frame or damaged range of a log that ends at `end`, or of a frame before it: the last frame that
/// the index knows where that is near, else found backwards from the end. `None` for a log without frames.
fn last_span_start(view: &LogView, end: u64) -> Result<Option<u64>, StorageError> {
    let log = view.log();
    let head = view.trusted_index().map(|index| index.head()).filter(|head| head.frames > 0);
    let indexed = head.map(|head| head.last_offset).filter(|last| *last < end && end - *last < MAX_FORWARD_SCAN);
    if let Some(last) = indexed
        && log.read_frame_at(last, &mut Vec::new())?.is_some()
    {
        return Ok(Some(last));
    }
    Ok(spans_before(log, end, 1)?.pop().map(|span| span.range().start))
}

fn moving_end_error(path: &Path) -> StorageError {
    StorageError::Changed {
        path: path.to_owned(),
        expected: "an end that stands still, with the writer's lock taken".into(),
        found: "an end that moves: a program writes without the lock".into(),
    }
}
