//! Reports the progress of a read about once per mebibyte, and lets the callback cancel the read.

use crate::StorageError;
use crate::inspect::{OnProgress, Progress, cancelled_if_break};

/// Number of bytes read between two progress reports.
const PROGRESS_INTERVAL: u64 = 1 << 20;

/// Counts bytes that were read and calls the progress callback about once per mebibyte.
pub(super) struct ProgressMeter<'a> {
    on_progress: &'a mut OnProgress<'a>,
    /// The offset at which the read ends, which is reported together with the position.
    total: u64,
    unreported_bytes: u64,
}

impl<'a> ProgressMeter<'a> {
    /// Creates a meter that reports the offset reached and `total` to `on_progress`, which can cancel the read.
    pub(super) fn new(on_progress: &'a mut OnProgress<'a>, total: u64) -> Self {
        Self { on_progress, total, unreported_bytes: 0 }
    }

    /// Counts `bytes` that were read. `position` is the file offset reached.
    ///
    /// # Errors
    /// `Cancelled` when the callback breaks.
    pub(super) fn advance(&mut self, position: u64, bytes: u64) -> Result<(), StorageError> {
        self.unreported_bytes += bytes;
        if self.unreported_bytes < PROGRESS_INTERVAL {
            return Ok(());
        }
        self.unreported_bytes = 0;
        cancelled_if_break((self.on_progress)(Progress { position, total: self.total }))
    }
}
