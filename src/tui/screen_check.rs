//! Checks that a drawn screen shows what the model holds and no hostile character. For tests and fuzzing.
#![allow(clippy::panic, reason = "a check that fails ends the test")]

use ratatui::buffer::Buffer;
use ratatui::layout::Size;

use super::effect::Effect;
use super::layout::compute_areas;
use super::model::{EventColumn, Overlay, Tab};
use super::test_screen::TestScreen;
use crate::report::sanitize;

/// Smallest screen on which the start of a dialog's title is shown.
const TITLES_MIN_SIZE: Size = Size::new(36, 8);
/// Smallest width of a row on which the offset is shown whole.
const OFFSETS_MIN_WIDTH: u16 = 20;
/// Number of characters of a title that are compared.
const TITLE_CHARS: usize = 8;

impl TestScreen {
    /// Draws the screen and checks it.
    ///
    /// # Panics
    /// If a cell has a hostile character, the top dialog is not on the screen, or another row is marked as selected than
    /// the model has selected.
    pub(crate) fn check_drawing(&self) {
        let buffer = self.render();
        for cell in buffer.content() {
            // The screen itself writes this character to start the name of a hostile one.
            let symbol = cell.symbol();
            assert!(symbol == "‹" || sanitize(symbol) == symbol, "{symbol:?} is drawn");
        }
        self.check_dialog(&buffer);
        self.check_selected_row(&buffer);
    }

    /// Returns whether the screen has asked to be closed.
    pub(crate) fn has_quit(&self) -> bool {
        self.unhandled_effects.iter().any(|effect| matches!(effect, Effect::Quit))
    }

    fn check_dialog(&self, buffer: &Buffer) {
        let Size { width, height } = self.model.size;
        if width < TITLES_MIN_SIZE.width || height < TITLES_MIN_SIZE.height {
            return;
        }
        let title = match self.model.overlays.last() {
            Some(Overlay::Confirm(dialog)) => dialog.title.clone(),
            Some(Overlay::Form) => "Append a test event".into(),
            Some(Overlay::Help(_)) => "Help".into(),
            _ => return,
        };
        let title: String = title.chars().take(TITLE_CHARS).collect();
        let is_shown = (0..height).any(|line| line_text(buffer, line).contains(&title));
        assert!(is_shown, "the dialog {title:?} is open and not drawn");
    }

    fn check_selected_row(&self, buffer: &Buffer) {
        let model = &self.model;
        let has_offsets = model.list.columns.is_shown(&EventColumn::Offset) && model.list.scroll_columns == 0;
        let Some(row) = model.list.selected_row().filter(|_| model.tab == Tab::Events && has_offsets) else { return };
        let area = compute_areas(model).event_rows(model);
        if area.height == 0 || area.width < OFFSETS_MIN_WIDTH || !model.overlays.is_empty() {
            return;
        }
        let marked: Vec<u16> =
            (area.top()..area.bottom()).filter(|line| buffer[(area.x, *line)].symbol() == ">").collect();
        let [line] = marked.as_slice() else { panic!("lines {marked:?} are marked as selected") };
        let text = line_text(buffer, *line);
        let offset = model.format_offset(row.start);
        assert!(text.split_whitespace().any(|word| word == offset), "offset {offset} is selected, and not in {text:?}");
    }
}

/// Returns the text of a line of the screen.
fn line_text(buffer: &Buffer, line: u16) -> String {
    (0..buffer.area.width).map(|column| buffer[(column, line)].symbol()).collect()
}
