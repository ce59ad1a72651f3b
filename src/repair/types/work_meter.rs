//! [`WorkMeter`]: reports the progress of the long loops of a repair, and stops them when the caller cancels.

use std::cell::RefCell;
use std::fmt;
use std::ops::ControlFlow;

use crate::StorageError;
use crate::inspect::{OnProgress, Progress, cancelled_if_break};

/// The part of a repair in which its caller can cancel it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cancellation {
    /// The whole repair. Once bytes of the log have changed, the repair is rolled back.
    #[default]
    AnyTime,
    /// The time before the first byte of the log changes. Later, the repair runs to its end.
    BeforeChanges,
}

/// Counts the bytes that a repair has read and written, and calls the caller's progress callback for each chunk.
///
/// Every loop over bytes calls [`advance`](Self::advance). It takes `&self`, so that a loop and the loop around it share
/// one meter.
pub(crate) struct WorkMeter<'a>(RefCell<MeterState<'a>>);

struct MeterState<'a> {
    /// `None` when no caller receives the progress.
    on_progress: Option<&'a mut OnProgress<'a>>,
    progress: Progress,
    cancellation: Cancellation,
    has_begun_changes: bool,
}

impl<'a> WorkMeter<'a> {
    /// Creates a meter for about `total` bytes of work.
    pub(crate) fn new(total: u64, on_progress: &'a mut OnProgress<'a>) -> Self {
        Self::starting_at(Progress { position: 0, total }, Some(on_progress))
    }

    /// Creates a meter for the work after a loop that reports its progress up to the end, `total`. The position stays
    /// there.
    pub(crate) fn after_end(total: u64, on_progress: &'a mut OnProgress<'a>) -> Self {
        Self::starting_at(Progress { position: total, total }, Some(on_progress))
    }

    /// Creates a meter that reports nothing and never cancels.
    pub(crate) const fn silent() -> Self {
        Self::starting_at(Progress { position: 0, total: 0 }, None)
    }

    const fn starting_at(progress: Progress, on_progress: Option<&'a mut OnProgress<'a>>) -> Self {
        Self(RefCell::new(MeterState {
            on_progress,
            progress,
            cancellation: Cancellation::AnyTime,
            has_begun_changes: false,
        }))
    }

    /// Sets the part of the repair in which the callback can cancel it.
    pub(crate) fn set_cancellation(&self, cancellation: Cancellation) {
        self.0.borrow_mut().cancellation = cancellation;
    }

    /// Records that the next bytes that are written are those of the log.
    pub(crate) fn begin_changes(&self) {
        self.0.borrow_mut().has_begun_changes = true;
    }

    /// Reports `bytes` more bytes of work.
    ///
    /// # Errors
    /// `Cancelled` when the callback breaks.
    pub(crate) fn advance(&self, bytes: u64) -> Result<(), StorageError> {
        let mut state = self.0.borrow_mut();
        let progress = &mut state.progress;
        progress.position = progress.position.saturating_add(bytes).min(progress.total);
        let progress = *progress;
        drop(state);
        cancelled_if_break(self.report(progress))
    }

    /// Reports the progress of a loop that measures itself, such as a survey. The position of the meter stays.
    pub(crate) fn report(&self, progress: Progress) -> ControlFlow<()> {
        let mut state = self.0.borrow_mut();
        let is_cancellable = state.cancellation == Cancellation::AnyTime || !state.has_begun_changes;
        let answer = state.on_progress.as_mut().map_or(ControlFlow::Continue(()), |on_progress| on_progress(progress));
        if is_cancellable { answer } else { ControlFlow::Continue(()) }
    }
}

impl fmt::Debug for WorkMeter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkMeter").finish_non_exhaustive()
    }
}
