//! A terminal backend for text whose width the terminal may count differently from this program.
//!
//! Terminals disagree about the width of flags, combining marks and other clusters of characters. After such a cluster
//! the cursor of the terminal may be in another column than expected, and a cluster that is overwritten may leave cells
//! behind. A line that holds such a cluster, or held one in the previous frame, is therefore cleared and written again
//! as a whole, and the cursor is placed anew after each such cluster. Other lines are written cell by cell.

use std::collections::BTreeSet;
use std::io;

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::layout::{Position, Rect, Size};

/// A backend that writes lines with clusters of uncertain width as a whole.
#[derive(Debug)]
pub(super) struct LineBackend<B> {
    inner: B,
    /// The cells that the terminal should show.
    shown: Buffer,
}

impl<B> LineBackend<B> {
    /// Creates a backend that writes to `inner`, whose screen is empty.
    pub(super) fn new(inner: B) -> Self {
        Self { inner, shown: Buffer::default() }
    }

    /// Returns whether a line shows a cluster of uncertain width.
    fn is_uncertain_line(&self, y: u16) -> bool {
        (0..self.shown.area.width).any(|x| self.shown.cell((x, y)).is_some_and(is_uncertain))
    }

    /// Extends the stored screen to all changed cells at once, because extending it copies all of it.
    fn extend_to(&mut self, changed: &[(u16, u16, &Cell)]) {
        let Size { width, height } = self.shown.area.as_size();
        let needed = changed.iter().fold((width, height), |(width, height), (x, y, _)| {
            (width.max(x.saturating_add(1)), height.max(y.saturating_add(1)))
        });
        if needed != (width, height) {
            let mut larger = Buffer::empty(Rect::new(0, 0, needed.0, needed.1));
            larger.merge(&self.shown);
            self.shown = larger;
        }
    }

    /// Stores a changed cell.
    fn store(&mut self, position: Position, cell: &Cell) {
        let mut blank = cell.clone();
        blank.set_symbol(" ");
        // The terminal shows no cell of its own in the other columns of a wide cell.
        for x in position.x..position.x + cell.symbol().cell_width().max(1) {
            if let Some(stored) = self.shown.cell_mut((x, position.y)) {
                *stored = if x == position.x { cell.clone() } else { blank.clone() };
            }
        }
    }
}

impl<B: Backend> LineBackend<B> {
    /// Clears a line and writes all of its cells. The cursor is placed anew after each cluster of uncertain width.
    fn write_line(&mut self, y: u16) -> Result<(), B::Error> {
        self.inner.set_cursor_position((0, y))?;
        self.inner.clear_region(ClearType::CurrentLine)?;
        let mut run: Vec<(u16, u16, &Cell)> = Vec::new();
        let mut x = 0;
        while let Some(cell) = self.shown.cell((x, y)) {
            run.push((x, y, cell));
            // The first cell of a call is preceded by its position.
            if is_uncertain(cell) {
                self.inner.draw(run.drain(..))?;
            }
            x += cell.symbol().cell_width().max(1);
        }
        self.inner.draw(run.into_iter())
    }
}

/// Returns whether terminals may disagree about the width of a cell: it holds several characters, or a wide one.
fn is_uncertain(cell: &Cell) -> bool {
    let mut characters = cell.symbol().chars();
    characters.next().is_some_and(|first| !first.is_ascii())
        && (characters.next().is_some() || cell.symbol().cell_width() != 1)
}

impl<B: Backend<Error = io::Error>> Backend for LineBackend<B> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let changed: Vec<_> = content.collect();
        let touched: BTreeSet<u16> = changed.iter().map(|(_, y, _)| *y).collect();
        let mut whole_lines: BTreeSet<u16> = touched.iter().copied().filter(|y| self.is_uncertain_line(*y)).collect();
        self.extend_to(&changed);
        for (x, y, cell) in &changed {
            self.store(Position::new(*x, *y), cell);
        }
        whole_lines.extend(touched.into_iter().filter(|y| self.is_uncertain_line(*y)));
        self.inner.draw(changed.into_iter().filter(|(_, y, _)| !whole_lines.contains(y)))?;
        whole_lines.into_iter().try_for_each(|y| self.write_line(y))
    }

    fn append_lines(&mut self, lines: u16) -> io::Result<()> {
        self.inner.append_lines(lines)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        // The screen clears all of the terminal, and nothing else, before it draws everything again.
        self.shown = Buffer::default();
        self.inner.clear_region(region)
    }

    fn size(&self) -> io::Result<Size> {
        self.inner.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use ratatui::backend::CrosstermBackend;
    use ratatui::style::Style;

    use super::*;

    const WIDTH: u16 = 60;

    /// Draws texts one after the other on one line, and returns what a terminal that counts the width of each character
    /// by itself shows in the end.
    fn drawn(texts: &[&str]) -> String {
        let mut bytes = Vec::new();
        let mut backend = LineBackend::new(CrosstermBackend::new(&mut bytes));
        let mut earlier = Buffer::empty(Rect::new(0, 0, WIDTH, 1));
        for text in texts {
            let mut buffer = Buffer::empty(earlier.area);
            buffer.set_string(0, 0, text, Style::new());
            backend.draw(earlier.diff(&buffer).into_iter()).unwrap();
            earlier = buffer;
        }
        let columns = NonZeroU16::new(WIDTH).unwrap();
        let mut terminal = vt100::Parser::new(NonZeroU16::MIN, columns, 0);
        terminal.process(&bytes);
        terminal.screen().contents().trim_end().to_owned()
    }

    #[test]
    fn a_cluster_that_is_replaced_leaves_nothing_behind() {
        for cluster in ["🇩🇪🇫🇷", "น้ำ", "क्षि नमस्ते", "நி", "ｶﾞ", "日本"]
        {
            let text = format!("{{\"v\":\"{cluster}\",\"w\":\"{cluster}\"}}");
            assert_eq!(drawn(&[&text, "{\"z\":1}"]), "{\"z\":1}", "{cluster}");
        }
    }

    #[test]
    fn text_after_a_cluster_is_in_its_column() {
        let shown = drawn(&["", "🇩🇪|", "🇩🇪|x"]);
        assert!(shown.ends_with("|x"), "{shown}");
        assert_eq!(drawn(&["ab🇩🇪", "ab🇩🇪 end", "plain end"]), "plain end");
        assert_eq!(drawn(&["abcd", "日本", "x"]), "x");
    }
}
