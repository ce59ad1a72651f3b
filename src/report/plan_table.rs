//! Formats a plan as a table: one row for each step and for each range that the plan leaves as it is, and a total.

use std::ops::Range;
use std::path::Path;

use crate::repair::{Certainty, Loss, Plan, RepairAction, RepairStep, StepWrite, UnrepairedRange};

use super::erasure::shown_steps;
use super::plan::{describe_write, plan_closing_lines, plan_fix_lines, plan_headline};
use super::units::{format_count, format_number};

/// Number of columns of the table.
pub(crate) const PLAN_COLUMN_COUNT: usize = 6;
/// Position of the column with the action, which takes the width that the other columns leave.
pub(crate) const ACTION_COLUMN: usize = PLAN_COLUMN_COUNT - 1;
/// Text of a cell that has no value.
const NO_VALUE: &str = "-";

/// A column of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlanColumn {
    /// The heading.
    pub(crate) heading: &'static str,
    /// The heading where columns have to be narrow.
    pub(crate) short_heading: &'static str,
    /// The meaning of the column, for an explanation of the table.
    pub(crate) meaning: &'static str,
    /// True for a column of numbers, which are aligned at their last digit.
    pub(crate) is_number: bool,
}

/// The columns of the table, in their order.
pub(crate) const PLAN_COLUMNS: [PlanColumn; PLAN_COLUMN_COUNT] = [
    PlanColumn {
        heading: "range",
        short_heading: "range",
        meaning: "file offsets of the first byte of the range and of the byte after it",
        is_number: false,
    },
    PlanColumn { heading: "damage", short_heading: "damage", meaning: "kind of the damage", is_number: false },
    PlanColumn {
        heading: "certainty",
        short_heading: "certain",
        meaning: "how certain it is that the restored bytes are the original ones",
        is_number: false,
    },
    PlanColumn {
        heading: "restored",
        short_heading: "+",
        meaning: "number of events that become readable",
        is_number: true,
    },
    PlanColumn {
        heading: "given up",
        short_heading: "−",
        meaning: "number of events that are lost; ≤ where the index does not cover the range",
        is_number: true,
    },
    PlanColumn {
        heading: "action",
        short_heading: "action",
        meaning: "change of the range, or the reason why it is left as it is",
        is_number: false,
    },
];

/// What a plan does with a damaged range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlanRowState {
    /// The plan changes the range.
    Planned,
    /// The options of the plan leave the range as it is.
    Excluded,
    /// The range is left, because no fix is certain enough or none exists.
    Unrepaired,
}

/// The part of a plan that a row describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlanRowSource {
    /// The step with this number, counted from 0.
    Step(usize),
    /// The unrepaired range with this number, counted from 0.
    Unrepaired(usize),
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlanRow {
    /// What the plan does with the range.
    pub(crate) state: PlanRowState,
    /// The part of the plan that the row describes.
    pub(crate) source: PlanRowSource,
    /// Range of the row, in file offsets.
    pub(crate) range: Range<u64>,
    /// File offsets of the first bytes of the findings in the range.
    pub(crate) finding_starts: Vec<u64>,
    /// The texts of the columns.
    pub(crate) cells: [String; PLAN_COLUMN_COUNT],
    /// The name of the action, for a table without room for the text of its column.
    pub(crate) short_action: String,
}

/// Returns the rows of a plan, by ascending offset.
pub(crate) fn plan_rows(plan: &Plan) -> Vec<PlanRow> {
    let steps = plan.steps.iter().enumerate().map(|(number, step)| step_row(plan, number, step));
    let unrepaired = plan.unrepaired.iter().enumerate().map(|(number, range)| unrepaired_row(number, range));
    let mut rows: Vec<PlanRow> = steps.chain(unrepaired).collect();
    rows.sort_by_key(|row| row.range.start);
    rows
}

/// Returns the cells of the last line of the table: the totals of the plan.
pub(crate) fn plan_total(plan: &Plan) -> [String; PLAN_COLUMN_COUNT] {
    let (planned, all) = (plan.steps.len() as u64, (plan.steps.len() + plan.unrepaired.len()) as u64);
    let ranges = if planned == all {
        format!("total: {}", format_count(planned, "range"))
    } else {
        format!("total: {} of {}", format_number(planned), format_number(all))
    };
    [
        ranges,
        String::new(),
        String::new(),
        count_text(plan.restored_events()),
        loss_count(&plan.total_loss()),
        format!("{} changed", format_count(plan.changed_bytes(), "byte")),
    ]
}

/// Returns the widths of the columns in characters. The last column is as wide as its longest text.
pub(crate) fn plan_column_widths<'a>(
    headings: [&str; PLAN_COLUMN_COUNT],
    lines: impl Iterator<Item = &'a [String; PLAN_COLUMN_COUNT]>,
) -> [usize; PLAN_COLUMN_COUNT] {
    let mut widths = headings.map(|heading| heading.chars().count());
    for cells in lines {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.chars().count());
        }
    }
    widths
}

/// Formats a plan as lines with a table of its ranges in place of a sentence about each.
pub(crate) fn plan_lines_with_table(plan: &Plan, folder: &Path) -> Vec<String> {
    let mut lines = vec![plan_headline(plan)];
    lines.extend(plan_table_lines(plan));
    lines.extend(plan_fix_lines(plan));
    lines.extend(plan_closing_lines(plan, folder));
    lines
}

/// Formats the table as lines of text: headings, rows, total.
fn plan_table_lines(plan: &Plan) -> Vec<String> {
    let (steps, omitted) = shown_steps(plan);
    let mut rows = plan_rows(plan);
    if omitted.is_some() {
        rows.truncate(steps.len());
    }
    let total = plan_total(plan);
    let headings = PLAN_COLUMNS.map(|column| column.heading.to_owned());
    let widths = plan_column_widths(
        PLAN_COLUMNS.map(|column| column.heading),
        rows.iter().map(|row| &row.cells).chain([&total]),
    );
    let lines = std::iter::once(&headings).chain(rows.iter().map(|row| &row.cells)).chain([&total]);
    lines.map(|cells| table_line(cells, &widths)).chain(omitted).collect()
}

fn table_line(cells: &[String; PLAN_COLUMN_COUNT], widths: &[usize; PLAN_COLUMN_COUNT]) -> String {
    let cells = cells.iter().zip(widths).zip(PLAN_COLUMNS);
    let cells = cells.map(|((cell, width), column)| pad_cell(cell, *width, column));
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// Pads a cell with spaces to the width of its column, on the side that the column needs.
fn pad_cell(cell: &str, width: usize, column: PlanColumn) -> String {
    if column.is_number { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
}

fn step_row(plan: &Plan, number: usize, step: &RepairStep) -> PlanRow {
    let kinds: Vec<&str> = step.pieces.iter().map(|piece| piece.kind.as_str()).collect();
    let range = step.affected_range();
    let is_undone = plan.undoes.is_some();
    let short_action = step.action.name().replace('_', " ") + if is_undone { " undone" } else { "" };
    let action = match &step.write {
        StepWrite::Edits(_) if step.action != RepairAction::Gap => format!("{short_action}: {}", describe_write(step)),
        _ if is_undone => format!("{short_action}: {}", describe_write(step)),
        _ => describe_write(step),
    };
    PlanRow {
        state: PlanRowState::Planned,
        source: PlanRowSource::Step(number),
        finding_starts: step.pieces.iter().map(|piece| piece.start).collect(),
        cells: [
            range_text(&range),
            kinds.join(", "),
            step.certainty.map_or(NO_VALUE, Certainty::name).to_owned(),
            count_text(step.restored_events),
            loss_count(&step.loss),
            action,
        ],
        short_action,
        range,
    }
}

fn unrepaired_row(number: usize, unrepaired: &UnrepairedRange) -> PlanRow {
    let piece = &unrepaired.piece;
    let certainty = unrepaired.alternatives.iter().filter_map(|fix| fix.certainty).max();
    let (state, short_action, action) = if unrepaired.is_selected() {
        (PlanRowState::Unrepaired, "not repaired", format!("not repaired: {}", unrepaired.reason))
    } else {
        (PlanRowState::Excluded, "left as it is", "left as it is: not selected".to_owned())
    };
    let range = piece.start..piece.end;
    PlanRow {
        state,
        source: PlanRowSource::Unrepaired(number),
        finding_starts: vec![piece.start],
        cells: [
            range_text(&range),
            piece.kind.clone(),
            certainty.map_or(NO_VALUE, Certainty::name).to_owned(),
            NO_VALUE.into(),
            NO_VALUE.into(),
            action,
        ],
        short_action: short_action.to_owned(),
        range,
    }
}

fn range_text(range: &Range<u64>) -> String {
    format!("{}..{}", range.start, range.end)
}

fn count_text(count: u64) -> String {
    if count == 0 { NO_VALUE.into() } else { format_number(count) }
}

/// Formats a number of lost events: `3`, `≤ 3`, `1 to 3`.
fn loss_count(loss: &Loss) -> String {
    match (loss.at_least, loss.at_most) {
        (_, 0) => NO_VALUE.into(),
        (least, most) if least == most => format_number(most),
        (0, most) => format!("≤ {}", format_number(most)),
        (least, most) => format!("{} to {}", format_number(least), format_number(most)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repair::{ByteChange, LogIdentity, PlannedPiece};

    fn step(range: Range<u64>, kind: &str, write: StepWrite) -> RepairStep {
        let is_edit = matches!(write, StepWrite::Edits(_));
        RepairStep {
            action: if is_edit { RepairAction::CorrectBits } else { RepairAction::Gap },
            certainty: is_edit.then_some(Certainty::Proven),
            start: range.start,
            end: range.end,
            new_end: range.end,
            pieces: vec![PlannedPiece { kind: kind.into(), start: range.start, end: range.end }],
            write,
            restored_events: u64::from(is_edit),
            loss: if is_edit { Loss::default() } else { Loss { at_most: 1204, ..Loss::default() } },
            alternatives: Vec::new(),
            before_sha256: Vec::new(),
            after_sha256: Vec::new(),
            neighbours: Vec::new(),
        }
    }

    fn unrepaired(start: u64, reason: &str) -> UnrepairedRange {
        let piece = PlannedPiece { kind: "checksum".into(), start, end: start + 9 };
        UnrepairedRange { piece, reason: reason.into(), alternatives: Vec::new() }
    }

    fn log_identity() -> LogIdentity {
        LogIdentity {
            path: "/a.log".into(),
            format: crate::format::FrameFormat::V1,
            header: vec![1],
            first_checksum: None,
            file: None,
            bytes: 9000,
            short_segments: Vec::new(),
        }
    }

    #[test]
    fn the_table_has_a_row_for_each_range_in_the_order_of_the_log_and_a_total() {
        let change = ByteChange { offset: 686, before: vec![0x23], after: vec![0x22] };
        let gap = StepWrite::Gap { description: "{}".into(), header: None };
        let steps =
            vec![step(646..856, "checksum", StepWrite::Edits(vec![change])), step(2960..3382, "zeros, garbage", gap)];
        let mut plan = Plan::new(log_identity(), steps);
        plan.unrepaired = vec![unrepaired(900, UnrepairedRange::NOT_SELECTED), unrepaired(4000, "two fixes fit")];
        assert_eq!(
            plan_table_lines(&plan),
            [
                "range          damage          certainty  restored  given up  action",
                "646..856       checksum        proven            1         -  correct bits: 1 byte at offset 686, \
                 23 → 22, \"#\" → \"\\\"\"",
                "900..909       checksum        -                 -         -  left as it is: not selected",
                "2960..3382     zeros, garbage  -                 -   ≤ 1 204  422 B replaced with a gap, later \
                 offsets stay",
                "4000..4009     checksum        -                 -         -  not repaired: two fixes fit",
                "total: 2 of 4                                    1   ≤ 1 204  423 bytes changed",
            ]
        );
        let states: Vec<PlanRowState> = plan_rows(&plan).iter().map(|row| row.state).collect();
        let planned = PlanRowState::Planned;
        assert_eq!(states, [planned, PlanRowState::Excluded, planned, PlanRowState::Unrepaired]);
    }
    #[test]
    fn the_rows_of_an_undo_name_what_is_undone() {
        let edits = StepWrite::Edits(vec![ByteChange { offset: 686, before: vec![0x22], after: vec![0x23] }]);
        let mut plan = Plan::new(log_identity(), vec![step(646..856, "checksum", edits)]);
        let row = |plan: &Plan| plan_rows(plan).remove(0);
        assert_eq!(row(&plan).short_action, "correct bits");
        plan.undoes = Some(1);
        assert_eq!(row(&plan).short_action, "correct bits undone");
        let [.., action] = row(&plan).cells;
        assert!(action.starts_with("correct bits undone: 1 byte at offset 686, 22 → 23"), "{action}");
    }
}
