//! The dialog of a plan: a table of its ranges, the decisions of the user, and the bytes of a range.

use std::path::Path;

use super::byte_lines::{ByteLine, byte_lines};
use super::fix_preview::fix_preview_lines;
use super::labelled_lines::wrap_text;
use super::offset_base::OffsetBase;
use super::plan_preview::{PlanPreview, checkbox};
use super::scroll::ScrollPosition;
use super::tables::ListCursor;
use crate::repair::{BytesPreview, FindingSelector, RepairOptions};
use crate::report::units::format_count;
use crate::report::{PlanRow, PlanRowSource, PlanRowState, plan_rows, plan_word_lines};
use crate::tui::actions::{ActionId, KeyMap};
use crate::tui::request::PlanRequest;
use crate::tui::session_time::SessionTime;

/// The dialog of a plan. It opens on its rows, and ignores keys that were typed before it was drawn.
#[derive(Debug, Clone)]
pub(crate) struct PlanDialog {
    /// The title, which names the operation to confirm.
    pub(crate) title: String,
    /// Label of the button that confirms.
    pub(crate) confirm_label: &'static str,
    /// The plan that was made last, with its request.
    pub(crate) preview: PlanPreview,
    /// The request of the plan that is being made; `None` when the plan in `preview` is the newest.
    pub(crate) next_request: Option<PlanRequest>,
    /// The rows of the table.
    pub(crate) rows: Vec<PlanRow>,
    /// The sentences below the table.
    notes: Vec<String>,
    /// The cursor in the rows and in the lines of the sentences below them.
    pub(crate) cursor: ListCursor,
    /// The part of the dialog that receives Enter.
    pub(crate) focus: PlanFocus,
    /// What the dialog shows.
    pub(crate) page: PlanPage,
    /// A message about the last key.
    pub(crate) message: Option<String>,
    /// The time at which the dialog was first drawn; `None` until then.
    pub(crate) first_drawn_at: Option<SessionTime>,
}

/// The part of the dialog of a plan that receives Enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlanFocus {
    /// The rows: Enter shows the bytes of the selected one.
    Rows,
    /// The button that applies the plan.
    Confirm,
    /// The button that closes the dialog and changes nothing.
    Cancel,
}

/// What the dialog of a plan shows.
#[derive(Debug, Clone)]
pub(crate) enum PlanPage {
    /// The table.
    Table,
    /// The bytes of a row before and after the repair.
    Bytes(PlanBytes),
    /// The meaning of the words in the table.
    Words(ScrollPosition),
}

/// The bytes of a row before and after the repair.
#[derive(Debug, Clone)]
pub(crate) struct PlanBytes {
    /// The position of the row in the table.
    pub(crate) row: usize,
    /// The bytes, or why they could not be read; `None` while they are being read.
    pub(crate) parts: Option<Result<Vec<BytesPreview>, String>>,
    /// The scroll position of the lines.
    pub(crate) scroll: ScrollPosition,
}

/// A line below the headings of the dialog of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PlanLine {
    /// A row of the table, by its position.
    Row(usize),
    /// The totals of the table. They are below the table when the lines do not fit, and this line is empty.
    Total,
    /// A line of text.
    Text(String),
    /// A line of bytes.
    Bytes(ByteLine),
}

impl PlanDialog {
    /// Creates the dialog of a plan, not drawn yet. `journal_dir` is the folder of the journals.
    pub(crate) fn new(title: String, confirm_label: &'static str, preview: PlanPreview, journal_dir: &Path) -> Self {
        let rows = plan_rows(&preview.plan);
        Self {
            title,
            confirm_label,
            notes: preview.note_lines(journal_dir),
            focus: if rows.is_empty() { PlanFocus::Cancel } else { PlanFocus::Rows },
            rows,
            preview,
            next_request: None,
            cursor: ListCursor::default(),
            page: PlanPage::Table,
            message: None,
            first_drawn_at: None,
        }
    }

    /// Shows the plan of the newest request. The cursor stays at the range that it is on.
    pub(crate) fn replace_plan(&mut self, preview: PlanPreview, journal_dir: &Path) {
        let selected = self.selected_row().map(|row| row.range.start);
        self.notes = preview.note_lines(journal_dir);
        self.rows = plan_rows(&preview.plan);
        self.next_request = None;
        self.preview = preview;
        if let Some(line) = self.rows.iter().position(|row| Some(row.range.start) == selected) {
            self.cursor.line = line;
        }
        if self.focus == PlanFocus::Confirm && !self.can_confirm() {
            self.focus = PlanFocus::Cancel;
        }
    }

    /// Returns the request whose decisions the dialog shows: that of the plan being made, else that of the plan.
    pub(crate) fn request(&self) -> &PlanRequest {
        self.next_request.as_ref().unwrap_or(&self.preview.request)
    }

    /// Returns whether there is a plan to confirm: the newest one, and it changes something.
    pub(crate) fn can_confirm(&self) -> bool {
        self.next_request.is_none() && !self.preview.plan.is_empty()
    }

    /// Returns the row under the cursor; `None` on the sentences below the table.
    pub(crate) fn selected_row(&self) -> Option<&PlanRow> {
        match &self.page {
            PlanPage::Bytes(bytes) => self.rows.get(bytes.row),
            _ => self.rows.get(self.cursor.line),
        }
    }

    /// Returns what the newest request does with a row. While its plan is being made, a row that it includes counts as
    /// planned.
    pub(crate) fn row_state(&self, row: &PlanRow) -> PlanRowState {
        let PlanRequest::Repair { options, .. } = self.request() else { return row.state };
        match row.state {
            _ if is_excluded(options, row) => PlanRowState::Excluded,
            PlanRowState::Excluded => PlanRowState::Planned,
            state => state,
        }
    }

    /// Returns the finding whose candidates the keys choose from: that of the row under the cursor, else the only one.
    pub(crate) fn offered_finding(&self) -> Option<u64> {
        let PlanRequest::Repair { undecided, .. } = self.request() else { return None };
        let is_offered = |start: &&u64| self.request().undecided_at(**start).is_some();
        let of_row = self.selected_row().and_then(|row| row.finding_starts.iter().find(is_offered));
        let only = undecided.first().filter(|_| undecided.len() == 1).map(|finding| finding.start);
        of_row.copied().or(only)
    }

    /// Returns the lines of the page in lines of at most `columns` columns, with `bytes_per_line` bytes in a line of
    /// bytes.
    pub(crate) fn page_lines(&self, columns: usize, bytes_per_line: usize) -> Vec<PlanLine> {
        match &self.page {
            PlanPage::Table => self.table_lines(columns),
            PlanPage::Words(_) => wrapped(plan_word_lines(&self.rows), columns),
            PlanPage::Bytes(bytes) => self.bytes_lines(bytes, columns, bytes_per_line),
        }
    }

    fn table_lines(&self, columns: usize) -> Vec<PlanLine> {
        let mut texts = Vec::new();
        if let PlanRequest::Repair { undecided, .. } = self.request()
            && let [only] = undecided.as_slice()
        {
            texts.extend(self.request().candidate_lines(only.start));
        }
        texts.extend(self.notes.iter().cloned());
        if self.rows.is_empty() && matches!(self.request(), PlanRequest::Repair { .. } | PlanRequest::Undo(_)) {
            texts.insert(0, "Nothing to repair.".into());
        }
        let total = (!self.rows.is_empty()).then_some(PlanLine::Total);
        let rows = (0..self.rows.len()).map(PlanLine::Row);
        rows.chain(total).chain(wrapped(texts, columns)).collect()
    }

    fn bytes_lines(&self, bytes: &PlanBytes, columns: usize, bytes_per_line: usize) -> Vec<PlanLine> {
        let Some(row) = self.rows.get(bytes.row) else { return Vec::new() };
        let action = row.cells.last().cloned().unwrap_or_default();
        let mut lines = wrapped(vec![action, String::new()], columns);
        match &bytes.parts {
            None => lines.push(PlanLine::Text("Reading...".into())),
            Some(Err(reason)) => lines.extend(wrapped(vec![reason.clone()], columns)),
            Some(Ok(parts)) => {
                let mut shown_to = row.range.start;
                for part in parts {
                    let omitted = part.offset.saturating_sub(shown_to);
                    if omitted > 0 {
                        lines.push(PlanLine::Text(format!("... {} not shown", format_count(omitted, "byte"))));
                    }
                    lines.extend(byte_lines(part, bytes_per_line).into_iter().map(PlanLine::Bytes));
                    shown_to = part.offset + part.before.len().max(part.after.len()) as u64;
                }
                if matches!(row.source, PlanRowSource::Unrepaired(_)) {
                    lines.push(PlanLine::Text("The plan leaves these bytes as they are.".into()));
                }
            }
        }
        let mut offers = Vec::new();
        for start in &row.finding_starts {
            offers.extend(self.request().candidate_lines(*start));
        }
        if offers.is_empty() {
            let fixes = self.preview.alternatives_of(row.source).iter();
            // Offsets are decimal, as in the table and in the command.
            offers.extend(fixes.flat_map(|fix| fix_preview_lines(fix, columns, OffsetBase::Decimal)));
        }
        if !offers.is_empty() {
            lines.extend(wrapped(vec![String::new(), "Other fixes:".into()], columns));
            lines.extend(wrapped(offers, columns));
        }
        lines
    }

    /// Returns the decisions about all ranges, each with its key and a checkbox.
    pub(crate) fn decision_texts(&self, keys: &KeyMap) -> Vec<String> {
        let PlanRequest::Repair { options, .. } = self.request() else { return Vec::new() };
        let decision = |id, is_made, text| format!("{} {} {text}", keys.hint(id), checkbox(is_made));
        let mut texts = Vec::new();
        if self.preview.has_decisions() {
            texts.push(decision(ActionId::AcceptLikely, options.accept_likely, "accept likely fixes"));
            texts.push(decision(ActionId::GapUndecided, options.gap_undecided, "gaps for what is undecided"));
        }
        if self.preview.has_large_gap() {
            texts.push(decision(ActionId::AcceptLargeGap, options.accept_large_gap, "a gap over the lost end"));
        }
        texts
    }

    /// Moves the cursor of the table, or scrolls the page, by the lines that `movement` computes from the height.
    pub(crate) fn move_by(&mut self, movement: impl Fn(usize) -> i64, columns: usize, bytes_per_line: usize) {
        let total = self.page_lines(columns, bytes_per_line).len();
        match &mut self.page {
            PlanPage::Table => self.cursor.move_by(movement(self.cursor.height), total),
            PlanPage::Bytes(PlanBytes { scroll, .. }) | PlanPage::Words(scroll) => {
                scroll.scroll_by(movement(scroll.height()));
            }
        }
    }

    /// Sets the number of visible lines of the page.
    pub(crate) fn resize(&mut self, height: usize, columns: usize, bytes_per_line: usize) {
        let total = self.page_lines(columns, bytes_per_line).len();
        match &mut self.page {
            PlanPage::Table => {
                self.cursor.height = height;
                self.cursor.move_by(0, total);
            }
            PlanPage::Bytes(PlanBytes { scroll, .. }) | PlanPage::Words(scroll) => scroll.resize(height, total),
        }
    }

    /// Returns the number of the first visible line of the page.
    pub(crate) const fn top_line(&self) -> usize {
        match &self.page {
            PlanPage::Table => self.cursor.top,
            PlanPage::Bytes(PlanBytes { scroll, .. }) | PlanPage::Words(scroll) => scroll.top(),
        }
    }
}

/// Returns whether the options leave every finding of a row as it is.
fn is_excluded(options: &RepairOptions, row: &PlanRow) -> bool {
    let is_start_excluded = |start: &u64| options.except.contains(&FindingSelector::Start(*start));
    !row.finding_starts.is_empty() && row.finding_starts.iter().all(is_start_excluded)
}

fn wrapped(texts: Vec<String>, columns: usize) -> Vec<PlanLine> {
    let lines = texts.into_iter().flat_map(|text| {
        let indent = text.len() - text.trim_start_matches(' ').len();
        let lines = wrap_text(text.trim_start_matches(' '), columns.saturating_sub(indent).max(1));
        lines.into_iter().map(move |line| " ".repeat(indent) + &line)
    });
    lines.map(PlanLine::Text).collect()
}
