//! [`SharedWriter`]: a handle with which several threads append to one log.

use std::sync::Arc;

use crate::StorageError;
use crate::file::{ClosedWriter, CommitState, Durability, GroupCommit, LogWriter};
use crate::format::{Event, FrameFormat};

/// A handle with which several threads append to one log. Cloning it is cheap.
///
/// The order of the events in the log is the order of their offsets. Calls of [`SharedWriter::append_sync`] at the same time
/// share a sync, so that their rate grows with the number of threads. [`SharedWriter::append`] does not wait for a sync, unless
/// it starts the next segment of a log in segments.
///
/// After a failed sync, every call that waited for it and every later call returns `Poisoned`, and the log must be opened
/// again. A thread that panics affects no other thread, unless the panic interrupts a write or a sync of the log: every later call
/// then returns `Poisoned`.
///
/// The log stays open, and its writer's lock is held, until the [`EventLog`](crate::EventLog) and all writers are dropped.
/// [`EventLog::close`](crate::EventLog::close) ends it for all of them: it waits for the calls in progress, and later calls return
/// `Closed`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("accounts.log");
/// use chronicle::{Event, EventLog, StorageError};
///
/// let log = EventLog::create(&path)?;
/// let event = Event::builder().event_type("Updated").namespace("accounts").schema_id("Person").schema_version(1);
/// let threads: Vec<_> = (0..8)
///     .map(|id| {
///         let (writer, event) = (log.shared_writer()?, event.clone().aggregate_id(id).payload_json("{}").build()?);
///         Ok(std::thread::spawn(move || writer.append_sync(&event)))
///     })
///     .collect::<Result<_, StorageError>>()?;
/// for thread in threads {
///     let offset = thread.join().expect("the thread does not panic")?; // on stable storage
///     println!("stored at {offset}");
/// }
/// assert_eq!(log.replay(0)?.count(), 8);
/// log.close()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SharedWriter {
    group: Arc<GroupCommit>,
}

impl SharedWriter {
    pub(super) fn new(writer: LogWriter, format: FrameFormat, clock: Arc<dyn Fn() -> u64 + Send + Sync>) -> Self {
        Self { group: Arc::new(GroupCommit::new(writer, format, clock)) }
    }

    /// Appends an event and returns its offset. It survives the death of the process, as after
    /// [`EventLog::append`](crate::EventLog::append); a power cut can lose it.
    ///
    /// # Errors
    /// `Io` when the write failed and the log is unchanged; `Poisoned` after a failed sync or rollback; `Closed` after the log was
    /// closed.
    pub fn append(&self, event: &Event) -> Result<u64, StorageError> {
        self.group.append(std::slice::from_ref(event), Durability::Buffered, |_| {})
    }

    /// Appends an event and returns its offset once the event and all events before it are on stable storage. Calls at the
    /// same time share a sync.
    ///
    /// A call that finds fewer calls than the last sync had waits for them, at most a quarter of the time of that sync and 200
    /// microseconds.
    ///
    /// # Errors
    /// The errors of [`SharedWriter::append`]. `Poisoned` also when the sync failed. It is then unknown whether the event
    /// is on the disk, and the log accepts no event until it is opened again.
    pub fn append_sync(&self, event: &Event) -> Result<u64, StorageError> {
        self.group.append(std::slice::from_ref(event), Durability::Synced, |_| {})
    }

    /// Appends all events in one write, or none of them, and returns their offsets. No event of another thread is between them.
    /// With `Synced`, they are on stable storage when the function returns.
    ///
    /// # Errors
    /// The errors of [`SharedWriter::append`], and with `Synced` those of [`SharedWriter::append_sync`].
    pub fn append_batch(&self, events: &[Event], durability: Durability) -> Result<Vec<u64>, StorageError> {
        let mut offsets = Vec::with_capacity(events.len());
        let mut len = 0;
        let first = self.group.append(events, durability, |frame_len| {
            offsets.push(len);
            len += frame_len;
        })?;
        for offset in &mut offsets {
            *offset += first;
        }
        Ok(offsets)
    }

    /// Blocks until every event that any thread has appended before the call is on stable storage.
    ///
    /// # Errors
    /// `Poisoned` when the sync failed; `Io` when the end of the file cannot be determined; `Closed` after the log was closed.
    pub fn sync(&self) -> Result<(), StorageError> {
        self.group.sync()
    }

    /// Returns the state that the handles share; `None` when there are other handles.
    pub(super) fn into_commit_state(self) -> Option<CommitState> {
        Arc::into_inner(self.group).map(GroupCommit::into_commit_state)
    }

    /// Runs a step that is more than an append, while no other call writes.
    pub(super) fn with_writer<T>(
        &self,
        step: impl FnOnce(&mut LogWriter) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        self.group.with_writer(step)
    }

    /// Refuses later calls of all handles, waits for those in progress, and returns the writer, which still holds the lock.
    pub(super) fn close(&self) -> ClosedWriter {
        self.group.close()
    }
}
