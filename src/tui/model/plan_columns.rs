//! The widths of the columns of a plan's table in its dialog.

use super::PlanDialog;
use crate::report::{ACTION_COLUMN, PLAN_COLUMN_COUNT, PLAN_COLUMNS, plan_column_widths, plan_total};

/// Columns of the mark of the cursor and the checkbox before each row.
pub(crate) const MARK_COLUMNS: usize = 5;
/// Largest width of a column other than the last, in columns of the screen.
const MAX_CELL_COLUMNS: usize = 24;
/// Columns between two columns of the table.
const COLUMN_GAP: usize = 2;
/// Smallest width of the column with the actions beside columns with full headings, when its texts are longer.
const MIN_ACTION_COLUMNS: usize = 30;

/// The columns of a plan's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlanTableColumns {
    /// The headings.
    pub(crate) headings: [&'static str; PLAN_COLUMN_COUNT],
    /// The widths. The last column has what the others leave.
    pub(crate) widths: [usize; PLAN_COLUMN_COUNT],
}

impl PlanTableColumns {
    /// Returns the columns with these headings, each as wide as its longest text, up to a limit for all but the last.
    fn of(dialog: &PlanDialog, headings: [&'static str; PLAN_COLUMN_COUNT]) -> Self {
        // The first text of the totals has the width of the first three columns, in which the others are empty.
        let mut total = plan_total(&dialog.preview.plan);
        if let Some(first) = total.first_mut() {
            first.clear();
        }
        let lines = dialog.rows.iter().map(|row| &row.cells).chain([&total]);
        let mut widths = plan_column_widths(headings, lines);
        widths.iter_mut().take(ACTION_COLUMN).for_each(|width| *width = (*width).min(MAX_CELL_COLUMNS));
        Self { headings, widths }
    }

    /// Returns the columns before that of the actions.
    fn columns_before_action(&self) -> usize {
        MARK_COLUMNS + self.widths.iter().take(ACTION_COLUMN).map(|width| width + COLUMN_GAP).sum::<usize>()
    }

    /// Returns the width of the column with the actions.
    fn action_width(&self) -> usize {
        self.widths.last().copied().unwrap_or_default()
    }
}

impl PlanDialog {
    /// Returns the width that the table needs to show every text whole.
    pub(crate) fn table_width(&self) -> u16 {
        let columns = PlanTableColumns::of(self, PLAN_COLUMNS.map(|column| column.heading));
        u16::try_from(columns.columns_before_action() + columns.action_width()).unwrap_or(u16::MAX)
    }

    /// Returns the columns of a table of `width` columns. Headings are short where they would take the room of the actions.
    pub(crate) fn table_columns(&self, width: usize) -> PlanTableColumns {
        let full = PlanTableColumns::of(self, PLAN_COLUMNS.map(|column| column.heading));
        let needed = full.action_width().min(MIN_ACTION_COLUMNS);
        let mut columns = if full.columns_before_action() + needed <= width {
            full
        } else {
            PlanTableColumns::of(self, PLAN_COLUMNS.map(|column| column.short_heading))
        };
        let rest = width.saturating_sub(columns.columns_before_action());
        if let Some(action) = columns.widths.last_mut() {
            *action = rest;
        }
        columns
    }
}
