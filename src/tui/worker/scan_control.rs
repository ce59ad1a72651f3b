//! What the scan behind the screen is told, from whatever thread.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Sender;

/// What the scan is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ScanCommand {
    /// It goes on; what is through reads what was only verified earlier.
    Resume,
    /// The log has grown.
    LogGrown,
    /// What it knows no longer holds.
    Restart,
    /// Somebody has met damage here.
    ScanRange(Range<u64>),
}

/// The scan, from outside.
#[derive(Debug, Clone)]
pub(super) struct ScanHandle {
    commands: Sender<ScanCommand>,
    stop: Arc<AtomicBool>,
}

impl ScanHandle {
    /// By which the scan hears, and what stops it.
    pub(super) const fn new(orders: Sender<ScanCommand>, stop: Arc<AtomicBool>) -> Self {
        Self { commands: orders, stop }
    }

    /// It stops where it is.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// It goes on.
    pub(super) fn resume(&self) {
        self.stop.store(false, Ordering::Release);
        let _ = self.commands.send(ScanCommand::Resume);
    }

    /// The log has grown.
    pub(super) fn notify_growth(&self) {
        let _ = self.commands.send(ScanCommand::LogGrown);
    }

    /// Somebody has met damage here.
    pub(super) fn scan_range(&self, range: Range<u64>) {
        let _ = self.commands.send(ScanCommand::ScanRange(range));
    }

    /// The log is another one, or has lost its end.
    pub(super) fn restart(&self) {
        let _ = self.commands.send(ScanCommand::Restart);
    }
}
