//! The lines of the frame view: the details of a row, wrapped to the width of the pane.

use super::detail::{DetailView, RowContents};
use crate::query::RowContent;
use crate::report::{DetailLine, FixKnowledge, row_detail_lines, safe_path_text};

/// Columns of a label.
pub(crate) const LABEL_WIDTH: usize = 18;

/// The lines about a row, wrapped to `width` columns including the label.
pub(crate) fn wrapped_row_lines(contents: &RowContents, view: DetailView, width: usize) -> Vec<DetailLine> {
    let fix = contents.fix.as_ref().map_or(FixKnowledge::NotSearched, FixKnowledge::Fix);
    let journal = contents.backup_journal.as_deref().map(safe_path_text);
    let mut lines = row_detail_lines(&contents.details, fix, journal.as_deref());
    if let (RowContent::Event(_), DetailView::Aggregate) = (&contents.details.row.content, view) {
        lines.insert(0, DetailLine::plain("aggregate", "none: the event belongs to no aggregate"));
    }
    wrap_lines(lines, width)
}

/// Breaks long lines at blanks.
pub(super) fn wrap_lines(lines: Vec<DetailLine>, width: usize) -> Vec<DetailLine> {
    let room = width.saturating_sub(LABEL_WIDTH + 1).max(16);
    let mut out = Vec::new();
    for line in lines {
        let pieces = wrap_text(&line.text, room);
        for (number, text) in pieces.into_iter().enumerate() {
            let label = if number == 0 { line.label } else { "" };
            out.push(DetailLine { label, text, tone: line.tone });
        }
    }
    out
}

/// A text in lines of so many characters at most, broken at blanks where there are any.
pub(crate) fn wrap_text(text: &str, room: usize) -> Vec<String> {
    let mut out = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let mut word = word;
        let mut len = word.chars().count();
        if used > 0 && used + 1 + len > room {
            out.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        while len > room {
            let cut = word.char_indices().nth(room).map_or(word.len(), |(at, _)| at);
            let (head, rest) = word.split_at(cut);
            out.push(head.to_owned());
            (word, len) = (rest, len - room);
        }
        line.push_str(word);
        used += len;
    }
    out.push(line);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_break_at_blanks_and_long_words_anywhere() {
        assert_eq!(wrap_text("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap_text("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap_text("", 4), [""]);
    }
}
