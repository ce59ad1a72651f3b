//! The filter by id of the table of aggregates.

use super::{Model, Overlay, Prompt, PromptPurpose};
use crate::report::units::{format_count, format_number};
use crate::tui::request::IdPrefix;

impl Model {
    /// Returns the first digits of the ids that the table of aggregates shows: those that are typed, or those that were
    /// submitted.
    pub(crate) fn aggregate_prefix(&self) -> IdPrefix {
        let typed = self.overlays.iter().find_map(|overlay| match overlay {
            Overlay::Prompt(Prompt { purpose: PromptPurpose::AggregateId, input, .. }) => Some(input.text()),
            _ => None,
        });
        typed.and_then(|text| IdPrefix::parse(text).ok()).unwrap_or_else(|| self.aggregates.id_prefix.clone())
    }

    /// Returns the number of aggregates in the table, of how many under a filter: `3 of 120 aggregates`.
    pub(crate) fn aggregate_count_text(&self) -> String {
        let table = &self.aggregates;
        let (shown, all) = (table.total as u64, table.unfiltered_total as u64);
        let first = if table.over_limit { "the first " } else { "" };
        if table.requested_prefix.is_empty() {
            format!("{first}{}", format_count(all, "aggregate"))
        } else {
            format!("{} of {first}{}", format_number(shown), format_count(all, "aggregate"))
        }
    }
}
