//! Pictures of the screen, which are written to a new file: SVG for a name that ends in `.svg`, else text.

use std::path::Path;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthStr;

use super::model::Model;
use super::svg::render_svg;
use super::view;
use crate::StorageError;
use crate::file::{Disk, ExistingFile, NewFile};
use crate::report::screen_message;

/// Draws the screen once more and writes the picture to a new file. A file that exists stays.
///
/// # Errors
/// The message for the user: a file with this name exists, or the file cannot be written.
pub(crate) fn save_screenshot(disk: &dyn Disk, model: &Model, path: &Path) -> Result<(), String> {
    let failure = |error: StorageError| screen_message(&error);
    let mut file = NewFile::create_log(disk, path, ExistingFile::Keep).map_err(failure)?;
    file.append(render(model, path).as_bytes()).map_err(failure)?;
    file.commit().map_err(failure)
}

/// Returns the screen as the text of a file with this name.
fn render(model: &Model, path: &Path) -> String {
    let mut buffer = Buffer::empty(Rect::from((Position::ORIGIN, model.size)));
    view::draw_into(&mut buffer, model);
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("svg")) {
        render_svg(&buffer)
    } else {
        lines_of(&buffer)
    }
}

/// Returns the lines of a buffer without the blanks at their ends.
fn lines_of(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut out = String::new();
    for y in area.top()..area.bottom() {
        let mut line = String::new();
        let mut x = area.left();
        while x < area.right() {
            let symbol = buffer.cell((x, y)).map_or(" ", |cell| cell.symbol());
            line.push_str(symbol);
            // The cell after a wide character is a part of it.
            x += symbol.width().max(1) as u16;
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    #[test]
    fn a_wide_character_takes_no_blank_in_the_text() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 8, 2));
        buffer.set_string(0, 0, "日本 x", Style::new());
        assert_eq!(lines_of(&buffer), "日本 x\n\n");
    }
}
