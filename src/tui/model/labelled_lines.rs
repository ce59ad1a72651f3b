//! Labelled lines of text, wrapped to the width of a pane.

use crate::report::DetailLine;

/// Number of blanks between the longest label and the texts.
const LABEL_GAP: usize = 2;
/// Minimum width of a text in columns, however narrow the pane is.
const MIN_TEXT_WIDTH: usize = 16;

/// Returns the number of columns before the texts: the longest label and the blanks after it.
pub(crate) fn label_columns(lines: &[DetailLine]) -> usize {
    lines.iter().map(|line| line.label.len()).max().unwrap_or(0) + LABEL_GAP
}

/// Wraps the texts so that label and text fit into `width` columns.
pub(super) fn wrap_lines(lines: Vec<DetailLine>, width: usize) -> Vec<DetailLine> {
    let available = width.saturating_sub(label_columns(&lines)).max(MIN_TEXT_WIDTH);
    let mut out = Vec::new();
    for line in lines {
        let pieces = wrap_text(&line.text, available);
        for (number, text) in pieces.into_iter().enumerate() {
            let label = if number == 0 { line.label } else { "" };
            out.push(DetailLine { label, text, tone: line.tone });
        }
    }
    out
}

/// Wraps a text into lines of at most `available` characters, and of one where none is available. Lines break at spaces; a
/// longer word breaks anywhere.
pub(crate) fn wrap_text(text: &str, available: usize) -> Vec<String> {
    // Without this limit, a word would be cut without end.
    let available = available.max(1);
    let mut out = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let mut word = word;
        let mut len = word.chars().count();
        if used > 0 && used + 1 + len > available {
            out.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        while len > available {
            let cut = word.char_indices().nth(available).map_or(word.len(), |(at, _)| at);
            let (head, rest) = word.split_at(cut);
            out.push(head.to_owned());
            (word, len) = (rest, len - available);
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
    fn lines_break_at_spaces_and_long_words_break_anywhere() {
        assert_eq!(wrap_text("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap_text("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap_text("", 4), [""]);
        assert_eq!(wrap_text("ab", 0), ["a", "b"], "a pane without a column");
    }
}
