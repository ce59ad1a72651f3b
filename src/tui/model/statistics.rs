//! The state of the Statistics tab.

use super::ListCursor;
use crate::query::{GroupBy, Statistics, StatisticsGroup};
use crate::tui::request::StatisticsPeriod;

/// The properties by which events are grouped, in the order of the key that selects the next one.
const PROPERTIES: [GroupBy; 7] = [
    GroupBy::Type,
    GroupBy::Namespace,
    GroupBy::Schema,
    GroupBy::SchemaVersion,
    GroupBy::Aggregate,
    GroupBy::Hour,
    GroupBy::Day,
];

/// The events of the log in groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StatisticsResult {
    /// The groups.
    pub(crate) statistics: Statistics,
    /// The filter word that selects the events of the period; empty for all events.
    pub(crate) period_word: String,
    /// When the result arrived, in milliseconds since the Unix epoch.
    pub(crate) read_at_ms: u64,
}

/// The state of the Statistics tab.
#[derive(Debug, Clone, Default)]
pub(crate) struct StatisticsPane {
    /// The property by which events are grouped.
    pub(crate) by: GroupBy,
    /// The period whose events are counted.
    pub(crate) period: StatisticsPeriod,
    /// The cursor in the groups.
    pub(crate) cursor: ListCursor,
    /// The groups that were counted last. They are shown until others arrive.
    pub(crate) result: Option<StatisticsResult>,
    /// The key of the last request.
    pub(crate) requested: Option<StatisticsKey>,
    /// Whether the request is still running.
    pub(crate) progress: StatisticsProgress,
}

/// The key of statistics: requests with equal keys have the same result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StatisticsKey {
    /// The property by which events are grouped.
    pub(crate) by: GroupBy,
    /// The period whose events are counted.
    pub(crate) period: StatisticsPeriod,
    /// The text of the filter.
    pub(crate) filter: String,
}

/// Whether statistics are being collected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum StatisticsProgress {
    /// Nothing runs.
    #[default]
    Idle,
    /// The numbers of events are read from the index.
    Counting,
    /// The log is read.
    Reading,
}

impl StatisticsPane {
    /// Selects the next property, and moves the cursor to the first group.
    pub(crate) fn group_by_next(&mut self) {
        let current = PROPERTIES.iter().position(|by| *by == self.by).unwrap_or(PROPERTIES.len() - 1);
        self.by = PROPERTIES.get((current + 1) % PROPERTIES.len()).cloned().unwrap_or_default();
        self.cursor.line = 0;
        self.result = None;
    }

    /// Returns the property that the key selects next.
    pub(crate) fn next_property(&self) -> GroupBy {
        let mut next = Self { by: self.by.clone(), ..Self::default() };
        next.group_by_next();
        next.by
    }

    /// Returns the groups that are shown.
    pub(crate) fn groups(&self) -> &[StatisticsGroup] {
        self.result.as_ref().map_or(&[], |result| &result.statistics.groups)
    }

    /// Returns the filter words that select the events of the selected group, in the period that is shown; `None` when no
    /// words do.
    pub(crate) fn selected_words(&self) -> Option<String> {
        let result = self.result.as_ref()?;
        let group = result.statistics.groups.get(self.cursor.line)?;
        let words = result.statistics.by.filter_words(&group.key)?;
        Some([words.as_str(), &result.period_word].join(" ").trim_end().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_properties_are_cycled() {
        let mut pane = StatisticsPane::default();
        let mut seen = Vec::new();
        for _ in PROPERTIES {
            seen.push(pane.by.clone());
            assert_ne!(pane.next_property(), pane.by);
            pane.group_by_next();
        }
        assert_eq!((seen.as_slice(), pane.by), (PROPERTIES.as_slice(), GroupBy::Type));
    }
}
