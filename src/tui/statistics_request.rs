//! The request to count events in groups, and the periods that the screen offers for it.

use crate::query::{Filter, GroupBy, StatisticsDetail};

/// A request to count the events of a filter in groups.
#[derive(Debug, Clone)]
pub(crate) struct StatisticsRequest {
    /// The property by which events are grouped.
    pub(crate) by: GroupBy,
    /// The period whose events are counted.
    pub(crate) period: StatisticsPeriod,
    /// The filter that selects the events.
    pub(crate) filter: Filter,
    /// What is collected about each group.
    pub(crate) detail: StatisticsDetail,
}

/// A period whose events are counted. It ends with the last event of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum StatisticsPeriod {
    /// All events.
    #[default]
    All,
    /// The events of the last hour.
    LastHour,
    /// The events of the last 24 hours.
    LastDay,
}

impl StatisticsPeriod {
    /// Returns the period that follows this one when the user cycles through them.
    pub(crate) const fn next(self) -> Self {
        match self {
            Self::All => Self::LastHour,
            Self::LastHour => Self::LastDay,
            Self::LastDay => Self::All,
        }
    }

    /// Returns the name of the period, for a title.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::All => "all events",
            Self::LastHour => "last hour of the log",
            Self::LastDay => "last day of the log",
        }
    }

    /// Returns the length of the period in milliseconds; `None` for all events.
    pub(crate) const fn length_ms(self) -> Option<u64> {
        match self {
            Self::All => None,
            Self::LastHour => Some(3_600_000),
            Self::LastDay => Some(86_400_000),
        }
    }
}
