//! The progress bar on stderr, with percentage, rate and remaining time.

use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::CommandOutput;
use crate::inspect::Progress;

/// A progress bar that is drawn only on a terminal and cleared when dropped.
pub(super) struct TerminalProgress {
    bar: ProgressBar,
    visibility: Visibility,
}

/// Whether a progress bar is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visibility {
    Shown,
    Hidden,
}

impl TerminalProgress {
    /// Starts a bar that counts bytes; `message` names the work, such as `verifying`.
    pub(super) fn new(message: &'static str, out: &CommandOutput) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        let template = "{msg} {wide_bar} {percent} %  {binary_bytes_per_sec}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(message);
        let visibility = if out.shows_progress() { Visibility::Shown } else { Visibility::Hidden };
        if visibility == Visibility::Shown {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        Self { bar, visibility }
    }

    /// Shows how far the operation has come.
    pub(super) fn update(&self, progress: Progress) {
        if self.bar.length() != Some(progress.total) {
            self.bar.set_length(progress.total);
        }
        self.bar.set_position(progress.position);
    }

    /// Shows how far the operation has come, and lets it continue.
    pub(super) fn show(&self, progress: Progress) -> ControlFlow<()> {
        self.update(progress);
        ControlFlow::Continue(())
    }

    /// Hides the bar while `print` runs, so that both do not mix on a terminal.
    pub(super) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        match self.visibility {
            Visibility::Shown => self.bar.suspend(print),
            // `ProgressBar::suspend` takes a lock, which costs as much as a short line.
            Visibility::Hidden => print(),
        }
    }
}

impl Drop for TerminalProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
