//! The widths of the columns of a plan's table in its dialog.

use super::PlanDialog;
use crate::report::{ACTION_COLUMN, PLAN_COLUMN_COUNT, PLAN_COLUMNS, PlanRow, plan_column_widths, plan_total};

/// Columns of the mark of the cursor and the checkbox before each row.
pub(crate) const MARK_COLUMNS: usize = 5;
/// Largest width of a column other than the last, in columns of the screen.
const MAX_CELL_COLUMNS: usize = 24;
/// Columns between two columns of the table.
const COLUMN_GAP: usize = 2;
/// Smallest width of the column with the actions beside columns with full headings, when its texts are longer.
const MIN_ACTION_COLUMNS: usize = 30;

/// Smallest width of the column with the actions. Where less is left for it, the table shows only where the damage starts, its
/// kind and the name of the action.
const NARROW_ACTION_COLUMNS: usize = 16;
/// Smallest width of the column with the kinds of damage in a narrow table, when its texts are longer.
const NARROW_KIND_COLUMNS: usize = 8;

/// The columns of a plan's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlanTableColumns {
    /// The headings.
    pub(crate) headings: [&'static str; PLAN_COLUMN_COUNT],
    /// The widths; 0 for a column that is left out. The last column has what the others leave.
    pub(crate) widths: [usize; PLAN_COLUMN_COUNT],
    form: PlanTableForm,
}

/// The form of a plan's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlanTableForm {
    /// All columns.
    Full,
    /// The start of the range, the kind of the damage, the numbers of events, and the name of the action.
    Short,
    /// The start of the range, the kind of the damage, and the name of the action.
    Narrow,
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
        Self { headings, widths, form: PlanTableForm::Full }
    }

    /// Returns the columns of a table of `width` columns without room for whole ranges and actions.
    fn shortened(dialog: &PlanDialog, width: usize, form: PlanTableForm) -> Self {
        let [_, _, _, restored, lost, _] = PLAN_COLUMNS.map(|column| column.short_heading);
        let (restored, lost) = if form == PlanTableForm::Narrow { ("", "") } else { (restored, lost) };
        let headings = ["from", "damage", "", restored, lost, "action"];
        let mut columns = Self { headings, widths: [0; PLAN_COLUMN_COUNT], form };
        let [.., restored, lost, _] = plan_total(&dialog.preview.plan);
        let empty = String::new;
        let total = columns.present([empty(), empty(), empty(), restored, lost, empty()]);
        let cells: Vec<_> = dialog.rows.iter().map(|row| columns.cells(row)).chain([total]).collect();
        columns.widths = plan_column_widths(headings, cells.iter());
        let others = columns.columns_before_action() + NARROW_ACTION_COLUMNS;
        let [_, kind, ..] = &mut columns.widths;
        *kind = (*kind).min((*kind + width).saturating_sub(others).max(NARROW_KIND_COLUMNS));
        columns
    }

    /// Returns the texts of a row.
    pub(crate) fn cells(&self, row: &PlanRow) -> [String; PLAN_COLUMN_COUNT] {
        if self.form == PlanTableForm::Full {
            return row.cells.clone();
        }
        let [_, kinds, _, restored, lost, _] = row.cells.clone();
        let action = row.short_action.clone();
        self.present([row.range.start.to_string(), kinds, String::new(), restored, lost, action])
    }

    /// Returns the texts of the columns that have a heading; the others are empty.
    fn present(&self, mut cells: [String; PLAN_COLUMN_COUNT]) -> [String; PLAN_COLUMN_COUNT] {
        let absent = cells.iter_mut().zip(self.headings).filter(|(_, heading)| heading.is_empty());
        absent.for_each(|(cell, _)| cell.clear());
        cells
    }

    /// Returns the columns between the mark of a row and the first number, or the action where there are no numbers.
    pub(crate) fn columns_before_numbers(&self) -> usize {
        let [range, kind, certainty, ..] = self.widths;
        [range, kind, certainty].iter().filter(|width| **width > 0).map(|width| width + COLUMN_GAP).sum()
    }

    /// Returns the columns before that of the actions.
    fn columns_before_action(&self) -> usize {
        let others = self.widths.iter().take(ACTION_COLUMN).filter(|width| **width > 0);
        MARK_COLUMNS + others.map(|width| width + COLUMN_GAP).sum::<usize>()
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

    /// Returns the columns of a table of `width` columns. Headings are short where they would take the room of the actions, and
    /// numbers are left out where there is no room for both.
    pub(crate) fn table_columns(&self, width: usize) -> PlanTableColumns {
        let full = PlanTableColumns::of(self, PLAN_COLUMNS.map(|column| column.heading));
        let needed = full.action_width();
        let fits =
            |columns: &PlanTableColumns, action: usize| columns.columns_before_action() + needed.min(action) <= width;
        let mut columns = full;
        if !fits(&columns, MIN_ACTION_COLUMNS) {
            columns = PlanTableColumns::of(self, PLAN_COLUMNS.map(|column| column.short_heading));
        }
        for form in [PlanTableForm::Short, PlanTableForm::Narrow] {
            if !fits(&columns, NARROW_ACTION_COLUMNS) {
                columns = PlanTableColumns::shortened(self, width, form);
            }
        }
        let rest = width.saturating_sub(columns.columns_before_action());
        if let Some(action) = columns.widths.last_mut() {
            *action = rest;
        }
        columns
    }
}
