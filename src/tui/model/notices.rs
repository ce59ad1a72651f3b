//! The messages in the footer, and the list of those that it has shown.

use super::Model;
use crate::report::Tone;

/// Number of messages of the session that are kept.
const MAX_PAST_NOTICES: usize = 200;

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

impl Model {
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
