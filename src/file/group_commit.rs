//! [`GroupCommit`]: the writer of a log, shared by threads. Calls that sync at the same time share a sync.
//!
//! Each call writes its events under a mutex, so that the order in the file is the order of the offsets. One of the calls that
//! wait for a sync leads: it syncs without holding the mutex, so that other calls can write meanwhile, and wakes the others.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::commit_state::{Appended, CommitState};
use super::sync_rounds::{SyncStep, SyncTicket};
use super::writer::{Durability, LogWriter};
use crate::StorageError;
use crate::format::{Event, FrameFormat};

/// The longest time for which a call that leads waits for as many calls as the last sync had.
const MAX_COMMIT_DELAY: Duration = Duration::from_micros(200);
/// The part of the duration of the last sync for which a call that leads waits at most.
const COMMIT_DELAY_SHARE: u32 = 4;

/// The writer of a log, for several threads.
#[derive(Debug)]
pub(crate) struct GroupCommit {
    shared: Mutex<Shared>,
    /// Notified when a sync has ended, and when the last call of a closed log returns.
    changed: Condvar,
}

/// What the mutex guards.
#[derive(Debug)]
struct Shared {
    commit: CommitState,
    /// How long a call that leads waits for other calls. Waiting pays off where it is short compared with a sync.
    commit_delay: Duration,
}

/// The writer of a closed log. Dropping it releases the writer's lock.
#[derive(Debug)]
pub(crate) struct ClosedWriter {
    /// True when an event was appended.
    pub(crate) has_appended: bool,
    _writer: Option<LogWriter>,
}

impl GroupCommit {
    pub(crate) fn new(writer: LogWriter, format: FrameFormat, clock: Arc<dyn Fn() -> u64 + Send + Sync>) -> Self {
        let commit = CommitState::new(writer, format, clock);
        Self { shared: Mutex::new(Shared { commit, commit_delay: Duration::ZERO }), changed: Condvar::new() }
    }

    /// Appends events in one write, and returns the offset of the first one. With `Synced`, they are on stable storage when
    /// the function returns. Calls `on_frame_len` with the length of each frame.
    ///
    /// # Errors
    /// Those of [`CommitState::append`] and [`CommitState::next_step`].
    pub(crate) fn append(
        &self,
        events: &[Event],
        durability: Durability,
        on_frame_len: impl FnMut(u64),
    ) -> Result<u64, StorageError> {
        let mut shared = self.lock();
        let Appended { offset, ticket } = shared.commit.append(events, durability, on_frame_len)?;
        match ticket {
            Some(ticket) => self.wait_for_sync(shared, ticket).map(|()| offset),
            None => Ok(offset),
        }
    }

    /// Blocks until every event that was appended before the call is on stable storage.
    ///
    /// # Errors
    /// Those of [`CommitState::join_sync`] and [`CommitState::next_step`].
    pub(crate) fn sync(&self) -> Result<(), StorageError> {
        let mut shared = self.lock();
        let ticket = shared.commit.join_sync()?;
        self.wait_for_sync(shared, ticket)
    }

    /// Runs a step that is more than an append. Other calls wait until it has returned.
    ///
    /// # Errors
    /// `Closed` after the log was closed; and the errors of the step.
    pub(crate) fn with_writer<T>(
        &self,
        step: impl FnOnce(&mut LogWriter) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        step(self.lock().commit.writer()?)
    }

    /// Refuses all later calls, waits for those in progress, and returns the writer, which still holds the lock.
    pub(crate) fn close(&self) -> ClosedWriter {
        let mut shared = self.lock();
        shared.commit.close();
        while shared.commit.has_open_calls() {
            shared = self.wait(shared);
        }
        ClosedWriter { has_appended: shared.commit.has_appended(), _writer: shared.commit.take_writer() }
    }

    /// Returns the state that the calls share.
    pub(crate) fn into_commit_state(self) -> CommitState {
        self.shared.into_inner().unwrap_or_else(PoisonError::into_inner).commit
    }

    /// Takes the steps of a call until its events are on stable storage.
    fn wait_for_sync<'a>(&'a self, mut shared: MutexGuard<'a, Shared>, ticket: SyncTicket) -> Result<(), StorageError> {
        loop {
            let result = match shared.commit.next_step(ticket) {
                Ok(SyncStep::Wait) => {
                    shared = self.wait(shared);
                    continue;
                }
                Ok(SyncStep::Lead) => {
                    shared = self.lead(shared);
                    continue;
                }
                Ok(SyncStep::Return) => Ok(()),
                Err(error) => Err(error),
            };
            if shared.commit.is_closed() {
                self.changed.notify_all();
            }
            return result;
        }
    }

    /// Runs one sync for all calls that have joined it, and wakes them.
    fn lead<'a>(&'a self, guard: MutexGuard<'a, Shared>) -> MutexGuard<'a, Shared> {
        let mut leadership = Leadership { group: self, outcome: SyncOutcome::Lost };
        // After a panic, the guard has to be dropped first, because dropping the leadership locks the mutex.
        let mut shared = guard;
        let (started, commit_delay) = (Instant::now(), shared.commit_delay);
        while !shared.commit.has_expected_calls() && started.elapsed() < commit_delay {
            drop(shared);
            std::thread::yield_now();
            shared = self.lock();
        }
        if let Some(job) = shared.commit.start_sync() {
            drop(shared);
            let started = Instant::now();
            let result = job.run();
            let elapsed = started.elapsed();
            shared = self.lock();
            shared.commit_delay = (elapsed / COMMIT_DELAY_SHARE).min(MAX_COMMIT_DELAY);
            shared.commit.finish_sync(&job, result);
        }
        leadership.outcome = SyncOutcome::Recorded;
        self.changed.notify_all();
        shared
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // The writer itself notices a panic while it changed the file. A panic of the clock has changed nothing.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, shared: MutexGuard<'a, Shared>) -> MutexGuard<'a, Shared> {
        self.changed.wait(shared).unwrap_or_else(PoisonError::into_inner)
    }
}

/// The call that leads. When it panics in the sync, dropping this value fails the calls that wait for it.
struct Leadership<'a> {
    group: &'a GroupCommit,
    outcome: SyncOutcome,
}

/// Whether the result of a sync was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SyncOutcome {
    Recorded,
    Lost,
}

impl Drop for Leadership<'_> {
    fn drop(&mut self) {
        if self.outcome == SyncOutcome::Lost {
            self.group.lock().commit.abandon_sync();
            self.group.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::file::failing_disk::{FailingCall, FailingDisk};
    use crate::file::storage::Disk;
    use crate::file::{HeaderState, LogFile, WriterLock};

    /// Creates a file of six bytes, and a writer whose disk panics once in a call.
    fn writer_that_panics(folder: &tempfile::TempDir, call: FailingCall) -> GroupCommit {
        let path = folder.path().join("a.log");
        std::fs::write(&path, "before").unwrap();
        let disk: Arc<dyn Disk> = Arc::new(FailingDisk::new(call));
        let lock = WriterLock::take(&disk, &path, Duration::ZERO).unwrap();
        let log = Arc::new(LogFile::with_header(lock.reader().clone(), &path, FrameFormat::V1, HeaderState::Absent));
        let writer = LogWriter::open(&disk, log, lock).unwrap();
        GroupCommit::new(writer, FrameFormat::V1, Arc::new(|| 0))
    }

    fn sample_event() -> Event {
        let event = Event::builder().event_type("E").namespace("n").schema_id("S").schema_version(1);
        event.payload_json("{}").build().unwrap()
    }

    /// Appends from eight threads until each has got an error or has panicked. Returns the errors, and the number of panics.
    fn append_until_all_fail(group: &GroupCommit) -> (Vec<StorageError>, usize) {
        let ends: Vec<_> = std::thread::scope(|scope| {
            let append_until_error = || loop {
                match catch_unwind(AssertUnwindSafe(|| group.append(&[sample_event()], Durability::Synced, |_| {}))) {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => return Some(error),
                    Err(_) => return None,
                }
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(append_until_error)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let panics = ends.iter().filter(|end| end.is_none()).count();
        (ends.into_iter().flatten().collect(), panics)
    }

    #[test]
    fn a_panic_of_the_disk_fails_the_other_calls_and_leaves_none_waiting() {
        let reasons = [
            (FailingCall::PanickingSync, "a sync was interrupted by a panic"),
            (FailingCall::PanickingAppend, "a change of the log was interrupted by a panic"),
        ];
        for (call, reason) in reasons {
            let folder = tempfile::tempdir().unwrap();
            let group = writer_that_panics(&folder, call);
            let (errors, panics) = append_until_all_fail(&group);
            assert_eq!((errors.len(), panics), (7, 1), "{call:?}");
            for error in errors {
                assert!(
                    matches!(&error, StorageError::Poisoned { .. }) && error.to_string().contains(reason),
                    "{error}"
                );
            }
            // Closing does not wait for the call that has panicked.
            assert!(group.sync().is_err());
            group.close();
        }
    }
}
