//! Side effects that `update` requests and the run loop executes, as plain data.

use std::ops::Range;
use std::path::PathBuf;

use super::request::{Request, WorkerKind};

/// A side effect requested by `update`, executed by the run loop.
#[derive(Debug, Clone)]
pub(crate) enum Effect {
    /// Sends a request to a worker and abandons the worker's previous request.
    Request {
        /// The worker that handles the request.
        worker: WorkerKind,
        /// Identifies the request, so that the response to an older one can be dropped.
        generation: u64,
        /// The work to do.
        request: Box<Request>,
    },
    /// Abandons the worker's current request. No further response to it is expected.
    Cancel(WorkerKind),
    /// Asks the worker's current request to stop where it safely can. The response to it is still expected.
    AskToStop(WorkerKind),
    /// Stops the background scan at its next progress report.
    StopScan,
    /// Resumes the background scan where it stopped, or starts it.
    ResumeScan,
    /// Scans a range again, because a page of rows shows damage in it that the scan has not reported.
    RescanRange(Range<u64>),
    /// Discards the results of the background scan and starts it again from the beginning of the log.
    RestartScan,
    /// Discards the results of the background scan and reads the whole log again, with what was verified earlier.
    VerifyAll,
    /// Sends a text to the terminal, which may put it on the clipboard.
    CopyToClipboard(String),
    /// Writes a text to a new file in the folder for temporary files.
    SaveCopy(String),
    /// Writes a picture of the screen to a new file.
    SaveScreenshot(PathBuf),
    /// Rings the terminal's bell.
    RingBell,
    /// Captures the mouse, or leaves it to the terminal.
    SetMouseCapture(MouseCapture),
    /// Clears the terminal and draws everything again, because another program may have written on it.
    Redraw,
    /// Restores the terminal and suspends the process until the shell resumes it.
    Suspend,
    /// Ends the run loop and closes the screen.
    Quit,
}

/// Whether the screen receives mouse events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MouseCapture {
    /// The screen receives clicks and wheel events.
    On,
    /// The terminal keeps the mouse, so that text can be selected.
    Off,
}
