//! The progress bar on stderr, with percentage, rate and remaining time.

use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::CommandOutput;
use crate::inspect::Progress;

/// A progress bar that is drawn only on a terminal and cleared when dropped.
pub(super) struct TerminalProgress(ProgressBar);

impl TerminalProgress {
    /// Starts a bar that counts bytes; `message` names the work, such as `verifying`.
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

    /// Shows how far the operation has come.
    pub(super) fn update(&self, progress: Progress) {
        if self.0.length() != Some(progress.total) {
            self.0.set_length(progress.total);
        }
        self.0.set_position(progress.position);
    }

    /// Shows how far the operation has come, and lets it continue.
    pub(super) fn show(&self, progress: Progress) -> ControlFlow<()> {
        self.update(progress);
        ControlFlow::Continue(())
    }

    /// Hides the bar while `print` runs, so that both do not mix on a terminal.
    pub(super) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }
}

impl Drop for TerminalProgress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
