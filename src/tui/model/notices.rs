//! The messages in the footer, and the list of those that it has shown.

use ratatui::layout::Size;

use super::{Model, wrap_text};
use crate::report::{Tone, sanitize};

/// Number of messages of the session that are kept.
const MAX_PAST_NOTICES: usize = 200;

/// Minimum height of a screen on which a long message takes two lines.
const MIN_TWO_LINE_HEIGHT: u16 = 8;

/// A message that the footer has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PastNotice {
    /// The time of the message in milliseconds since the Unix epoch.
    pub(crate) time_ms: u64,
    /// The text of the message.
    pub(crate) text: String,
}

/// A message in the footer. It replaces the keys until the next key press.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// The text of the message.
    pub(crate) text: String,
    /// Whether the message reports a problem.
    pub(crate) tone: Tone,
}

impl Notice {
    /// The characters before the first line of the message.
    pub(crate) const fn glyph(&self) -> &'static str {
        match self.tone {
            Tone::Bad => " ! ",
            _ => " ",
        }
    }

    /// Wraps the message for a screen.
    pub(crate) fn wrapped_lines(&self, size: Size) -> Vec<String> {
        let width = usize::from(size.width).saturating_sub(self.glyph().len()).max(1);
        wrap_text(&sanitize(&self.text), width)
    }

    /// The largest number of lines that a message takes on a screen.
    pub(crate) const fn max_lines(size: Size) -> usize {
        if size.height >= MIN_TWO_LINE_HEIGHT { 2 } else { 1 }
    }
}

impl Model {
    /// The number of lines above the footer that the shown message takes.
    pub(crate) fn lines_above_footer(&self) -> u16 {
        let notice = self.notice.as_ref().filter(|_| self.overlays.is_empty());
        let lines = notice.map_or(0, |notice| notice.wrapped_lines(self.size).len().min(Notice::max_lines(self.size)));
        lines.saturating_sub(1) as u16
    }

    /// Shows a message in the footer.
    pub(crate) fn notify(&mut self, text: impl Into<String>) {
        self.set_notice(text.into(), Tone::Plain);
    }

    /// Shows a message after the one that is already in the footer.
    pub(crate) fn append_notice(&mut self, text: impl AsRef<str>, tone: Tone) {
        let earlier = self.notice.take().map(|notice| notice.text + "; ").unwrap_or_default();
        self.set_notice(earlier + text.as_ref(), tone);
    }

    /// Shows a message about a problem in the footer.
    pub(crate) fn warn(&mut self, text: impl Into<String>) {
        self.set_notice(text.into(), Tone::Bad);
    }

    /// Adds a message to the list of messages without showing it.
    pub(crate) fn record_message(&mut self, text: String) {
        if self.past_notices.len() >= MAX_PAST_NOTICES {
            self.past_notices.pop_front();
        }
        self.past_notices.push_back(PastNotice { time_ms: self.now_ms, text });
    }

    fn set_notice(&mut self, text: String, tone: Tone) {
        self.record_message(text.clone());
        self.notice = Some(Notice { text, tone });
    }
}
