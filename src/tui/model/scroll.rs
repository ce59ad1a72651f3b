//! The scroll position of a text without a cursor.

/// The scroll position of a text without a cursor, such as that of a dialog.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ScrollPosition {
    /// Number of the first visible line.
    top: usize,
    /// Number of visible lines.
    height: usize,
    /// Number of lines of the text.
    total: usize,
}

impl ScrollPosition {
    /// Returns the number of the first visible line.
    pub(crate) const fn top(&self) -> usize {
        self.top
    }

    /// Returns the number of visible lines.
    pub(crate) const fn height(&self) -> usize {
        self.height
    }

    /// Returns the number of lines below the last visible one.
    pub(crate) const fn lines_below(&self) -> usize {
        self.total.saturating_sub(self.top + self.height)
    }

    /// Sets the number of visible lines and the number of all lines. The position stays within the text.
    pub(crate) fn resize(&mut self, height: usize, total: usize) {
        (self.height, self.total) = (height, total);
        self.scroll_by(0);
    }

    /// Scrolls by a number of lines, up to the first or the last line of the text.
    pub(crate) fn scroll_by(&mut self, lines: i64) {
        let last_top = self.total.saturating_sub(self.height.max(1)) as i64;
        self.top = (self.top as i64).saturating_add(lines).clamp(0, last_top) as usize;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_stays_within_the_text_when_it_or_the_pane_changes() {
        let mut scroll = ScrollPosition::default();
        scroll.resize(5, 12);
        scroll.scroll_by(i64::MAX / 2);
        assert_eq!((scroll.top(), scroll.lines_below()), (7, 0));
        scroll.scroll_by(-1);
        assert_eq!((scroll.top(), scroll.lines_below()), (6, 1));
        scroll.resize(5, 8);
        assert_eq!((scroll.top(), scroll.lines_below()), (3, 0));
        scroll.resize(9, 8);
        assert_eq!((scroll.top(), scroll.lines_below()), (0, 0));
        scroll.scroll_by(i64::MIN / 2);
        assert_eq!(scroll.top(), 0);
    }
}
