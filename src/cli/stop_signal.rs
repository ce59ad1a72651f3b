//! [`StopSignal`]: the request to end a command that runs until it is stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::output::CommandOutput;

/// Time between two observations of the log.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Whether Ctrl-c, SIGTERM, the end of a time or the reader of stdout asks a command to end.
pub(super) struct StopSignal {
    is_received: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl StopSignal {
    /// Receives Ctrl-c and SIGTERM from now on. A second one ends the process at once, with status 0. `time` is the time after
    /// which the command ends; `None` for no limit.
    pub(super) fn new(time: Option<Duration>) -> Self {
        let is_received = Arc::new(AtomicBool::new(false));
        #[cfg(unix)]
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            // Without the handlers, the signal ends the process as usual.
            let _ = signal_hook::flag::register_conditional_shutdown(signal, 0, is_received.clone());
            let _ = signal_hook::flag::register(signal, is_received.clone());
        }
        Self { is_received, deadline: time.and_then(|time| Instant::now().checked_add(time)) }
    }

    /// True when a signal asks the command to end.
    pub(super) fn is_interrupted(&self) -> bool {
        self.is_received.load(Ordering::Acquire)
    }

    /// True when the command is to end.
    pub(super) fn is_stopped(&self) -> bool {
        self.is_interrupted() || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Waits for [`POLL_INTERVAL`], or for the shorter time that is left. Returns true when the command is to end.
    pub(super) fn wait(&self, out: &CommandOutput) -> bool {
        let left = self.deadline.map_or(POLL_INTERVAL, |deadline| deadline.saturating_duration_since(Instant::now()));
        std::thread::sleep(POLL_INTERVAL.min(left));
        self.is_stopped() || out.is_stdout_closed()
    }
}
