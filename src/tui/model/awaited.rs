//! Decides whether the selected row, or its contents, are still being read.

use super::{AggregateLoadState, CompareState, Model, Pane, SegmentLoadState, StatisticsProgress, Tab};
use crate::tui::request::WorkerKind;

/// What an action needs before it can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowNeed {
    /// The action is not about the selected row.
    Nothing,
    /// The action is about the selected row.
    Row,
    /// The action is about the contents of the selected row.
    Contents,
    /// The action is about the lines of a tab whose table is read when the tab is opened.
    Table,
}

impl Model {
    /// Returns whether an action has to wait, because what it needs has not been read yet.
    pub(crate) fn is_awaiting(&self, need: RowNeed) -> bool {
        let is_from_list = self.tab != Tab::Findings && self.detail_source != Pane::Findings;
        // A jump selects a row of the events, whatever is selected now.
        let awaits_row = self.job(WorkerKind::Jump).is_some() || is_from_list && self.list.is_moving();
        match need {
            RowNeed::Nothing => false,
            RowNeed::Row => awaits_row,
            RowNeed::Contents => awaits_row || self.awaits_contents(),
            RowNeed::Table => self.awaits_table(),
        }
    }

    /// Returns whether the table of the selected tab has no lines yet, because it is being read.
    fn awaits_table(&self) -> bool {
        match self.tab {
            Tab::Aggregates => {
                let is_read =
                    matches!(self.aggregates.load_state, AggregateLoadState::Loaded | AggregateLoadState::NoIndex);
                !is_read && self.aggregates.rows.is_empty()
            }
            Tab::Statistics => {
                let is_requested = self.statistics.requested.is_some();
                let is_running = self.statistics.progress != StatisticsProgress::Idle;
                self.statistics.result.is_none() && (is_running || !is_requested)
            }
            Tab::Compare => {
                let is_running = matches!(self.compare.state, CompareState::Needed | CompareState::Running);
                self.compare.path.is_some() && self.compare.result.is_none() && is_running
            }
            Tab::Segments => {
                self.has_segments()
                    && self.segments.page.rows.is_empty()
                    && self.segments.load_state != SegmentLoadState::Loaded
            }
            Tab::Events | Tab::Findings | Tab::Index | Tab::Repairs => false,
        }
    }

    /// Returns whether the contents of the selected row are being read.
    pub(crate) fn awaits_contents(&self) -> bool {
        let Some(row) = self.selected_row().filter(|_| matches!(self.tab, Tab::Events | Tab::Findings)) else {
            return false;
        };
        let is_here = self.detail.contents.as_ref().is_some_and(|contents| contents.details.row.start == row.start);
        !is_here && self.detail.failed_at != Some(row.start)
    }
}
