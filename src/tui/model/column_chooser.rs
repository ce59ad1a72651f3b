//! The state of the dialog in which the columns of the list of events are chosen.

use super::columns::{ColumnLayout, EventColumn};
use super::tables::ListCursor;
use super::text_input::TextInput;
use crate::tui::actions::ActionScope;

/// The dialog in which the columns of the list of events are chosen. It changes the list at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct ColumnChooser {
    /// The cursor in the list of all columns.
    pub(crate) cursor: ListCursor,
    /// The path of a value that the user is typing; `None` while none is typed.
    pub(crate) path_input: Option<TextInput>,
    /// Why the typed path was not accepted.
    pub(crate) error: Option<String>,
}

impl ColumnChooser {
    /// Returns the scope in which the keys of the dialog are looked up.
    pub(crate) const fn scope(&self) -> ActionScope {
        if self.path_input.is_some() { ActionScope::TextInput } else { ActionScope::Columns }
    }

    /// Returns the selected column.
    pub(crate) fn selected(&self, layout: &ColumnLayout) -> Option<EventColumn> {
        layout.choices().get(self.cursor.line).map(|choice| choice.column.clone())
    }

    /// Selects a column.
    pub(crate) fn select(&mut self, layout: &ColumnLayout, column: &EventColumn) {
        let line = layout.choices().iter().position(|choice| choice.column == *column).unwrap_or(self.cursor.line);
        self.cursor.move_by(line as i64 - self.cursor.line as i64, layout.choices().len());
    }
}
