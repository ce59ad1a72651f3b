//! [`CommitState`]: what the threads that append to one log share, and the steps that they take under one mutex.
//!
//! The steps are plain methods without threads, so that a test can run them in every order. [`super::GroupCommit`] runs them
//! with a mutex and a condition variable.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::sync_rounds::{SyncRounds, SyncStep, SyncTicket};
use super::writer::{Durability, LogWriter, SyncJob};
use crate::StorageError;
use crate::format::{Event, FrameFormat, TimestampPrefix, frame};

/// The writer of a log, and the calls that wait for one of its syncs.
pub struct CommitState {
    /// `None` once the log is closed and no call waits for a sync.
    writer: Option<LogWriter>,
    path: PathBuf,
    format: FrameFormat,
    /// Returns the time of an append, in milliseconds since the Unix epoch.
    clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// The encoded time of the last append, reused by appends in the same millisecond.
    accept_time: TimestampPrefix,
    frame_buffer: Vec<u8>,
    rounds: SyncRounds,
    has_appended: bool,
    access: WriteAccess,
}

/// Whether calls that write are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WriteAccess {
    Open,
    Closed,
}

/// Events that were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The offset of the first one.
    pub offset: u64,
    /// The place of the call among the syncs of the log; `None` when it does not wait for a sync.
    pub ticket: Option<SyncTicket>,
}

impl fmt::Debug for CommitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { writer, rounds, access, .. } = self;
        f.debug_struct("CommitState").field("writer", writer).field("rounds", rounds).field("access", access).finish()
    }
}

impl CommitState {
    pub(crate) fn new(writer: LogWriter, format: FrameFormat, clock: Arc<dyn Fn() -> u64 + Send + Sync>) -> Self {
        Self {
            path: writer.path().to_owned(),
            writer: Some(writer),
            format,
            clock,
            accept_time: TimestampPrefix::new(0),
            frame_buffer: Vec::new(),
            rounds: SyncRounds::default(),
            has_appended: false,
            access: WriteAccess::Open,
        }
    }

    /// Writes events with one system call, and returns their place. Starts the next segment first when it is due. Calls
    /// `on_frame_len` with the length of each frame.
    ///
    /// # Errors
    /// `Closed` after the log was closed; `Io` when the write failed and the log is unchanged; `Poisoned` after a failure that
    /// leaves the contents of the disk unknown.
    pub fn append(
        &mut self,
        events: &[Event],
        durability: Durability,
        on_frame_len: impl FnMut(u64),
    ) -> Result<Appended, StorageError> {
        let now = (self.clock)();
        let Self { writer: Some(writer), access: WriteAccess::Open, .. } = self else {
            return Err(self.closed_error());
        };
        writer.roll_if_due(now)?;
        self.accept_time.update(now);
        self.frame_buffer.clear();
        let payloads = events.iter().map(|event| event.payload_parts(&self.accept_time));
        frame::encode_all(self.format, writer.end(), payloads, &mut self.frame_buffer, on_frame_len);
        let offset = writer.append(&self.frame_buffer, durability)?;
        self.has_appended = true;
        let ticket = (durability == Durability::Synced).then(|| self.rounds.join());
        Ok(Appended { offset, ticket })
    }

    /// Returns a ticket for a sync of everything that is written.
    ///
    /// # Errors
    /// `Closed` after the log was closed; `Poisoned` when the writer refuses all appends; `Io` when the end of the file cannot be
    /// determined.
    pub fn join_sync(&mut self) -> Result<SyncTicket, StorageError> {
        self.writer()?.check_appends()?;
        Ok(self.rounds.join())
    }

    /// Returns what a call with a ticket does next: it returns, with the error when its events may not be on stable storage; it
    /// waits; or it leads the next sync.
    ///
    /// # Errors
    /// `Poisoned` when no later sync can make its events durable. The call returns.
    pub fn next_step(&mut self, ticket: SyncTicket) -> Result<SyncStep, StorageError> {
        match self.rounds.next_step(ticket) {
            SyncStep::Return => {
                self.rounds.leave();
                Ok(SyncStep::Return)
            }
            // A sync that is running reports its own result.
            SyncStep::Wait => Ok(SyncStep::Wait),
            SyncStep::Lead => {
                let accepts = match &mut self.writer {
                    Some(writer) => writer.ensure_not_poisoned(),
                    None => Err(self.closed_error()),
                };
                if accepts.is_err() {
                    self.rounds.fail();
                    self.rounds.leave();
                }
                accepts.map(|()| SyncStep::Lead)
            }
        }
    }

    /// True when the call that leads need not wait for more calls to join.
    pub(super) const fn has_expected_calls(&self) -> bool {
        self.rounds.has_expected_calls()
    }

    /// Starts the sync of the call that leads. Returns `None` when the writer refuses all appends; the call then does not lead any
    /// more.
    pub fn start_sync(&mut self) -> Option<SyncJob> {
        // The next step of each call returns the error.
        let job = self.writer.as_mut().and_then(|writer| writer.start_sync().ok());
        match job {
            Some(_) => self.rounds.start(),
            None => self.rounds.fail(),
        }
        job
    }

    /// Records the result of the running sync, which decides the next step of the calls that wait for it.
    pub fn finish_sync(&mut self, job: &SyncJob, result: io::Result<()>) {
        // The next step of each call returns the error.
        match self.writer.as_mut().map(|writer| writer.finish_sync(job, result)) {
            Some(Ok(())) => self.rounds.complete(),
            Some(Err(_)) | None => self.rounds.fail(),
        }
    }

    /// Records that the call that leads does not return, because it panicked.
    pub fn abandon_sync(&mut self) {
        if let Some(writer) = &mut self.writer {
            writer.poison_after_lost_sync();
        }
        self.rounds.fail();
        self.rounds.leave();
    }

    /// Returns the writer, for a step that is more than an append.
    ///
    /// # Errors
    /// `Closed` after the log was closed.
    pub(super) fn writer(&mut self) -> Result<&mut LogWriter, StorageError> {
        match self {
            Self { writer: Some(writer), access: WriteAccess::Open, .. } => Ok(writer),
            _ => Err(self.closed_error()),
        }
    }

    /// Refuses all calls from now on. Calls that wait for a sync continue.
    pub(super) const fn close(&mut self) {
        self.access = WriteAccess::Closed;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.access == WriteAccess::Closed
    }

    /// Removes the writer of a closed log. Dropping it releases the writer's lock.
    pub(super) const fn take_writer(&mut self) -> Option<LogWriter> {
        self.writer.take()
    }

    pub(super) const fn has_open_calls(&self) -> bool {
        self.rounds.has_open_calls()
    }

    pub(super) const fn has_appended(&self) -> bool {
        self.has_appended
    }

    fn closed_error(&self) -> StorageError {
        StorageError::Closed { path: self.path.clone() }
    }
}
