//! Overlays on top of the panes: prompts, the help, dialogs and the append form. The topmost overlay receives the keys.

use std::sync::Arc;

use super::column_chooser::ColumnChooser;
use super::help::HelpOverlay;
use super::labelled_lines::wrap_text;
use super::laid_out_lines::LaidOutLines;
use super::plan_dialog::PlanDialog;
use super::prompt::Prompt;
use super::scroll::ScrollPosition;
use super::{Model, Pane};
use crate::repair::PlannedSegment;
use crate::report::segment_table;
use crate::report::units::DisplayZone;
use crate::tui::actions::ActionScope;
use crate::tui::request::SegmentChange;
use crate::tui::session_time::SessionTime;

/// An overlay on top of the panes.
#[derive(Debug, Clone)]
pub(crate) enum Overlay {
    /// A line of text for the palette, the search or the filter.
    Prompt(Prompt),
    /// The help: the list of all actions.
    Help(HelpOverlay),
    /// The screen waits for the second key of a copy action.
    CopyChord,
    /// The screen waits for the name of a mark.
    MarkName(MarkUse),
    /// A dialog that asks for confirmation.
    Confirm(ConfirmDialog),
    /// The dialog of a plan.
    Plan(Box<PlanDialog>),
    /// The form that appends a test event.
    Form,
    /// The dialog in which the columns of the list are chosen.
    Columns(ColumnChooser),
}

impl Model {
    /// Returns the scope in which keys are looked up first: that of the topmost overlay, or of the pane with the focus.
    pub(crate) fn key_scope(&self) -> ActionScope {
        match (self.overlays.last(), self.focus) {
            (Some(overlay), _) => overlay.scope(),
            (None, Pane::Timeline) => ActionScope::Timeline,
            (None, _) => ActionScope::Main,
        }
    }
}

impl Overlay {
    /// Returns the scope in which the keys of this overlay are looked up.
    pub(crate) const fn scope(&self) -> ActionScope {
        match self {
            Self::Columns(chooser) => chooser.scope(),
            Self::Prompt(_) | Self::Help(_) => ActionScope::TextInput,
            Self::CopyChord => ActionScope::CopyChord,
            Self::MarkName(_) => ActionScope::MarkName,
            Self::Plan(_) => ActionScope::Plan,
            Self::Confirm(_) => ActionScope::Confirm,
            Self::Form => ActionScope::Form,
        }
    }

    /// Returns whether the overlay is a dialog, which has a frame and takes the focus from the panes.
    pub(crate) const fn is_dialog(&self) -> bool {
        match self {
            Self::Prompt(_) | Self::CopyChord | Self::MarkName(_) => false,
            Self::Help(_) | Self::Confirm(_) | Self::Plan(_) | Self::Form | Self::Columns(_) => true,
        }
    }
}

/// The use of the mark whose name is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MarkUse {
    /// The present place is marked.
    Set,
    /// The screen goes to the marked place.
    GoTo,
}

/// A dialog that asks for confirmation. It opens on Cancel, and ignores keys that were typed before it was drawn.
#[derive(Debug, Clone)]
pub(crate) struct ConfirmDialog {
    /// The title, which names the operation to confirm.
    pub(crate) title: String,
    /// A table of segments above the text.
    table: Option<ListedSegments>,
    /// The text, which describes the consequences.
    lines: Vec<String>,
    /// The table and the text, wrapped.
    wrapped: LaidOutLines,
    /// Label of the button that confirms; `None` when there is nothing to confirm.
    pub(crate) confirm_label: Option<&'static str>,
    /// The action that confirmation runs.
    pub(crate) on_confirm: ConfirmedAction,
    /// The button that is selected.
    pub(crate) selected_button: DialogButton,
    /// The time at which the dialog was first drawn; `None` until then.
    pub(crate) first_drawn_at: Option<SessionTime>,
    /// The scroll position of the text.
    pub(crate) scroll: ScrollPosition,
}

impl ConfirmDialog {
    /// Creates a dialog that has not been drawn yet.
    pub(crate) fn new(
        title: impl Into<String>,
        lines: Vec<String>,
        confirm_label: Option<&'static str>,
        on_confirm: ConfirmedAction,
    ) -> Self {
        Self {
            title: title.into(),
            table: None,
            lines,
            wrapped: LaidOutLines::default(),
            confirm_label,
            on_confirm,
            selected_button: DialogButton::Cancel,
            first_drawn_at: None,
            scroll: ScrollPosition::default(),
        }
    }

    /// Returns the dialog with a table of segments above its text.
    pub(crate) fn with_table(self, table: ListedSegments) -> Self {
        Self { table: Some(table), wrapped: LaidOutLines::default(), ..self }
    }

    /// Returns whether the dialog has a table.
    pub(crate) const fn has_table(&self) -> bool {
        self.table.is_some()
    }

    /// Changes the text.
    #[cfg(test)]
    pub(crate) fn edit_lines(&mut self, edit: impl FnMut(&mut String)) {
        self.lines.iter_mut().for_each(edit);
        self.wrapped = LaidOutLines::default();
    }

    /// Returns the table and the text in lines of at most `columns` columns. The table has the columns that fit.
    pub(crate) fn wrapped_lines(&self, columns: usize) -> Arc<[String]> {
        self.wrapped.for_width(columns, || self.wrap_lines(columns))
    }

    fn wrap_lines(&self, columns: usize) -> Vec<String> {
        let table = self.table.iter().flat_map(|table| {
            let lines = segment_table(&table.segments, table.zone, columns);
            lines.into_iter().chain([String::new()])
        });
        table.chain(self.lines.iter().flat_map(|line| wrap_indented(line, columns.max(1)))).collect()
    }
}

/// The segments that a dialog lists.
#[derive(Debug, Clone)]
pub(crate) struct ListedSegments {
    /// The segments.
    pub(crate) segments: Vec<PlannedSegment>,
    /// The zone of the times.
    pub(crate) zone: DisplayZone,
}

/// Wraps a line. The lines that follow have its indentation, where there is room for it.
fn wrap_indented(line: &str, columns: usize) -> Vec<String> {
    let text = line.trim_start_matches(' ');
    let indent = (line.len() - text.len()).min(columns / 2);
    wrap_text(text, columns - indent).into_iter().map(|part| " ".repeat(indent) + &part).collect()
}

/// The action that runs when the user confirms a dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ConfirmedAction {
    /// Appends the event of the form.
    Append,
    /// Builds the index from the whole log and saves it.
    RebuildIndex,
    /// Removes, restores or deletes segments.
    ChangeSegments(Box<SegmentChange>),
    /// Does nothing, because the dialog only shows a text.
    Nothing,
}

/// The buttons of a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DialogButton {
    /// Closes the dialog and changes nothing.
    Cancel,
    /// Runs the action of the dialog.
    Confirm,
}
