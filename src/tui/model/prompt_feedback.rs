//! The message of a prompt about its text while it is typed: errors with their place, names that no event has, and how a
//! search is understood.

use super::{Model, Prompt, PromptError, PromptPurpose};
use crate::query::{Filter, SearchPattern};
use crate::report::{Tone, log_times_line, unknown_name_lines};
use crate::tui::request::IdPrefix;

/// A message about the text of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PromptFeedback {
    /// The message.
    pub(crate) text: String,
    /// Whether the message is about an error, a likely mistake, or neither.
    pub(crate) tone: Tone,
    /// Position of the fault in the text, in bytes, when there is one place.
    pub(crate) at: Option<usize>,
}

impl Model {
    /// Returns the message about the text of a prompt; `None` while suggestions complete it, and when there is nothing to report.
    pub(crate) fn prompt_feedback(&self, prompt: &Prompt) -> Option<PromptFeedback> {
        if let Some(PromptError { text, at }) = prompt.error.clone() {
            return Some(PromptFeedback { text, tone: Tone::Bad, at });
        }
        let text = prompt.input.text();
        match prompt.purpose {
            PromptPurpose::Palette => None,
            PromptPurpose::ExportPath => {
                let has_suggestions = !prompt.suggestions(self.completion_sources()).is_empty();
                (!has_suggestions).then(|| plain(&self.export_meaning(text.as_ref())))
            }
            PromptPurpose::AggregateId => Some(match IdPrefix::parse(text) {
                Ok(_) if text.is_empty() => plain("an id or its first digits"),
                Ok(_) => plain(&self.aggregate_count_text()),
                Err(reason) => PromptFeedback { text: reason, tone: Tone::Bad, at: None },
            }),
            PromptPurpose::Search => Some(match SearchPattern::parse(text) {
                Ok(pattern) => plain(pattern.meaning()),
                Err(_) if text.is_empty() => plain("a text, or /regex/; all in lower case matches any case"),
                Err(error) => PromptFeedback { text: error.reason, tone: Tone::Bad, at: None },
            }),
            PromptPurpose::Filter if !prompt.suggestions(self.completion_sources()).is_empty() => None,
            PromptPurpose::Filter => match Filter::parse_with(text, self.time_context()) {
                Err(error) => {
                    Some(PromptFeedback { text: error.to_string(), tone: Tone::Bad, at: Some(error.position) })
                }
                Ok(filter) => {
                    let unknown = self.unknown_names(&filter);
                    let text = unknown.join("; ");
                    (!text.is_empty()).then_some(PromptFeedback { text, tone: Tone::Warning, at: None })
                }
            },
        }
    }

    /// Returns the known reasons why the filter shows no event: names that no event has, and the times of the log.
    pub(crate) fn filter_advice(&self) -> Vec<String> {
        let filter = &self.list.filter;
        let mut lines = self.unknown_names(filter);
        lines.extend(log_times_line(filter, self.event_times, self.zone));
        lines
    }

    /// Returns a sentence for each name of the filter that no known event has.
    pub(crate) fn unknown_names(&self, filter: &Filter) -> Vec<String> {
        unknown_name_lines(filter, &self.names, self.log_info.bytes)
    }
}

fn plain(text: &str) -> PromptFeedback {
    PromptFeedback { text: text.to_owned(), tone: Tone::Plain, at: None }
}
