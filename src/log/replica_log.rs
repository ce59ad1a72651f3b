//! [`ReplicaLog`]: a log to which the bytes of another copy of it are appended as they are.

use std::path::Path;

use super::OpenOptions;
use super::opening::{OpenedForAppend, open_for_append};
use crate::StorageError;
use crate::file::{Durability, LogWriter};
use crate::format::LogHeader;
use crate::inspect::LogView;
use crate::repair::TailBackup;

/// A replica that is open for append, with the writer's lock.
#[derive(Debug)]
pub(crate) struct ReplicaLog {
    view: LogView,
    writer: LogWriter,
    set_aside_tail: Option<TailBackup>,
}

impl ReplicaLog {
    /// Opens the log at `path` as [`EventLog::open`](crate::EventLog::open) does.
    ///
    /// # Errors
    /// Those of [`EventLog::open`](crate::EventLog::open).
    pub(crate) fn open(options: &OpenOptions, path: &Path) -> Result<Self, StorageError> {
        let OpenedForAppend { view, writer, set_aside_tail, .. } = open_for_append(options, path)?;
        Ok(Self { view, writer, set_aside_tail })
    }

    /// The view of the log.
    pub(crate) const fn view(&self) -> &LogView {
        &self.view
    }

    /// The end of the log, which is the offset of the next byte.
    pub(crate) const fn end(&self) -> u64 {
        self.writer.end()
    }

    /// The unfinished tail that opening has moved into a journal; `None` when the log had no such tail.
    pub(crate) const fn set_aside_tail(&self) -> Option<&TailBackup> {
        self.set_aside_tail.as_ref()
    }

    /// Appends whole frames, whose checksums the caller has checked for this offset.
    ///
    /// # Errors
    /// Those of appending: `Io` when the log is unchanged, and `Poisoned`.
    pub(crate) fn append(&mut self, frames: &[u8]) -> Result<(), StorageError> {
        if frames.is_empty() {
            // The writer finds its end by the last write, which would be another one.
            return Ok(());
        }
        self.writer.append(frames, Durability::Buffered).map(drop)
    }

    /// Adds the next segment, with the header that it has in the other copy. All frames before it are on stable storage then.
    ///
    /// # Errors
    /// `Refused` in a log of one file; `Io` when the segment cannot be created.
    pub(crate) fn start_segment(&mut self, header: LogHeader) -> Result<(), StorageError> {
        self.writer.start_given_segment(header)
    }

    /// Blocks until every appended frame is on stable storage.
    ///
    /// # Errors
    /// `Poisoned` when it fails.
    pub(crate) fn sync(&mut self) -> Result<(), StorageError> {
        self.writer.sync()
    }
}
