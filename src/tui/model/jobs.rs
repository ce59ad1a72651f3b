//! Requests that are in progress: their generations, and the jobs that the user can see and stop.

use crate::tui::request::WorkerKind;
use crate::tui::session_time::SessionTime;

/// A request that the user has started and that the footer reports while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserJob {
    /// The worker that runs the job.
    pub(crate) worker: WorkerKind,
    /// The name that the footer shows.
    pub(crate) name: String,
    /// Number of units done so far: bytes, or events for an append.
    pub(crate) done: u64,
    /// Number of units in total; 0 until the worker has reported progress.
    pub(crate) total: u64,
    /// The time at which the user started the job.
    pub(crate) started: SessionTime,
    /// The effect of Esc on the job.
    pub(crate) on_esc: EscBehavior,
}

impl UserJob {
    /// Returns the last step of the job, which Esc does not stop once it has begun.
    pub(crate) const fn last_step(&self) -> &'static str {
        if matches!(self.worker, WorkerKind::Export) { "complete the file" } else { "change the log" }
    }
}

/// The effect of Esc on a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EscBehavior {
    /// Esc cancels the job.
    CancelsJob,
    /// Esc asks the job to stop, which it does only before its last step. Its response reports which.
    AsksToStop,
    /// The job was asked to stop.
    Asked,
}

/// The newest generation of each worker. A response of an older generation is dropped.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RequestGenerations([u64; WorkerKind::ALL.len()]);

impl RequestGenerations {
    /// Starts a new generation of a worker and returns it. Responses of earlier generations are dropped from then on.
    pub(crate) fn advance(&mut self, worker: WorkerKind) -> u64 {
        let newest = &mut self.0[worker as usize];
        *newest += 1;
        *newest
    }

    /// Returns whether a generation is the newest of its worker.
    pub(crate) fn is_newest(&self, worker: WorkerKind, generation: u64) -> bool {
        self.0[worker as usize] == generation
    }
}
