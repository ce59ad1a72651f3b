//! The handle with which other threads stop, resume and restart the background scan.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Sender;

/// A command to the scan worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ScanCommand {
    /// Continues a stopped scan. A finished scan reads the ranges that it skipped because they were verified earlier.
    Resume,
    /// Reads the bytes that were appended to the log.
    LogGrown,
    /// Discards all progress and scans the log from its start.
    Restart,
    /// Discards all progress and scans the log from its start, with the ranges that were verified earlier.
    VerifyAll,
    /// Scans this range now, because a page of rows shows damage in it that the scan has not reported.
    ScanRange(Range<u64>),
}

/// Controls the scan worker from any thread.
#[derive(Debug, Clone)]
pub(super) struct ScanHandle {
    commands: Sender<ScanCommand>,
    stop: Arc<AtomicBool>,
}

impl ScanHandle {
    /// Creates a handle from the worker's command channel and its stop flag.
    pub(super) const fn new(commands: Sender<ScanCommand>, stop: Arc<AtomicBool>) -> Self {
        Self { commands, stop }
    }

    /// Stops the scan at its next progress report.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// Continues a stopped scan, or makes a finished scan read the ranges that it skipped.
    pub(super) fn resume(&self) {
        self.stop.store(false, Ordering::Release);
        let _ = self.commands.send(ScanCommand::Resume);
    }

    /// Notifies the scan that the log has grown.
    pub(super) fn notify_growth(&self) {
        let _ = self.commands.send(ScanCommand::LogGrown);
    }

    /// Requests a scan of one range, ahead of everything else.
    pub(super) fn scan_range(&self, range: Range<u64>) {
        let _ = self.commands.send(ScanCommand::ScanRange(range));
    }

    /// Restarts the scan, also when it was stopped, and makes it read the ranges that were verified earlier.
    pub(super) fn verify_all(&self) {
        self.stop.store(false, Ordering::Release);
        let _ = self.commands.send(ScanCommand::VerifyAll);
    }

    /// Restarts the scan, because the log was replaced or changed other than by growing.
    pub(super) fn restart(&self) {
        let _ = self.commands.send(ScanCommand::Restart);
    }
}
