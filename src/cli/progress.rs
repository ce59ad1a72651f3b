//! Progress on stderr, when somebody is there to see it: share done, rate, time left.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::CommandOutput;

/// A bar that is there only on a terminal, and gone when it is dropped.
pub(super) struct TerminalProgress(ProgressBar);

impl TerminalProgress {
    /// Progress of `doing`, counted in bytes.
    pub(super) fn new(message: &'static str, out: &CommandOutput) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        let template = "{msg} {wide_bar} {percent} %  {binary_bytes_per_sec}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(message);
        if out.shows_progress() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        Self(bar)
    }

    /// Says how far it is.
    pub(super) fn set_position(&self, done: u64, total: u64) {
        if self.0.length() != Some(total) {
            self.0.set_length(total);
        }
        self.0.set_position(done);
    }

    /// Takes the bar away while something else is printed.
    pub(super) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }
}

impl Drop for TerminalProgress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
