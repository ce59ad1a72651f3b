//! A single-line text input with a cursor.

use crate::tui::keys::Key;

/// Largest number of characters in an input.
const MAX_CHARS: usize = 4096;

/// A line of text with a cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TextInput {
    text: String,
    /// Number of characters before the cursor.
    cursor: usize,
}

impl TextInput {
    /// Creates an input that holds `text`, with the cursor after it.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { cursor: text.chars().count(), text }
    }

    /// Returns the text of the input.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the number of characters before the cursor.
    pub(crate) const fn cursor(&self) -> usize {
        self.cursor
    }

    /// Returns true when no character comes after the cursor.
    pub(crate) fn is_cursor_at_end(&self) -> bool {
        self.cursor == self.text.chars().count()
    }

    /// Handles an editing key. Returns false when the key does not edit a line.
    pub(crate) fn handle_key(&mut self, key: Key) -> bool {
        let len = self.text.chars().count();
        match key {
            Key::Char(c) => self.insert(c),
            Key::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.remove();
            }
            Key::Backspace => {}
            Key::Delete | Key::Ctrl('d') => self.remove(),
            Key::Left | Key::Ctrl('b') => self.cursor = self.cursor.saturating_sub(1),
            Key::Right | Key::Ctrl('f') => self.cursor = (self.cursor + 1).min(len),
            Key::WordLeft | Key::Alt('b') => self.cursor = self.word_start(),
            Key::WordRight | Key::Alt('f') => self.cursor = self.word_end(),
            Key::Home | Key::Ctrl('a') => self.cursor = 0,
            Key::End | Key::Ctrl('e') => self.cursor = len,
            Key::Ctrl('u') => self.delete_to(0),
            Key::Ctrl('k') => self.delete_to(len),
            Key::Ctrl('w') => {
                let before = self.text.get(..self.cursor_byte()).unwrap_or_default().trim_end();
                let start = before.rfind(' ').map_or(0, |space| space + 1);
                self.delete_to(before.get(..start).unwrap_or_default().chars().count());
            }
            Key::Alt('d') => self.delete_to(self.word_end()),
            _ => return false,
        }
        true
    }

    /// Inserts pasted text. Control characters, line breaks included, become spaces.
    pub(crate) fn paste(&mut self, text: &str) {
        text.trim_end_matches(['\r', '\n']).chars().for_each(|c| self.insert(if c.is_control() { ' ' } else { c }));
    }

    fn insert(&mut self, c: char) {
        if self.text.chars().count() < MAX_CHARS {
            self.text.insert(self.cursor_byte(), c);
            self.cursor += 1;
        }
    }

    fn remove(&mut self) {
        let start = self.cursor_byte();
        if start < self.text.len() {
            self.text.remove(start);
        }
    }

    /// Deletes the characters between the cursor and another place, and moves the cursor there.
    fn delete_to(&mut self, place: usize) {
        let (start, end) = (self.cursor.min(place), self.cursor.max(place));
        let is_kept = |at: &usize| *at < start || *at >= end;
        self.text = self.text.chars().enumerate().filter(|(at, _)| is_kept(at)).map(|(_, c)| c).collect();
        self.cursor = start;
    }

    /// Returns the number of characters before the word that the cursor is in or after. Words are letters and digits.
    fn word_start(&self) -> usize {
        let before: Vec<char> = self.text.chars().take(self.cursor).collect();
        let end = before.iter().rposition(|c| c.is_alphanumeric()).map_or(0, |at| at + 1);
        before.iter().take(end).rposition(|c| !c.is_alphanumeric()).map_or(0, |at| at + 1)
    }

    /// Returns the number of characters up to the end of the word that the cursor is in or before.
    fn word_end(&self) -> usize {
        let mut rest = self.text.chars().enumerate().skip(self.cursor);
        let end = rest.by_ref().skip_while(|(_, c)| !c.is_alphanumeric()).find(|(_, c)| !c.is_alphanumeric());
        end.map_or(self.text.chars().count(), |(at, _)| at)
    }

    /// Returns the position of the cursor in bytes.
    fn cursor_byte(&self) -> usize {
        self.text.char_indices().nth(self.cursor).map_or(self.text.len(), |(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_edit_the_line_by_characters() {
        let mut line = TextInput::new("agg:42 tüpe");
        for key in [Key::Left, Key::Left, Key::Backspace, Key::Char('y'), Key::End, Key::Char('!')] {
            assert!(line.handle_key(key));
        }
        assert_eq!(line.text(), "agg:42 type!");
        line.handle_key(Key::Ctrl('w'));
        assert_eq!(line.text(), "agg:42 ");
        line.handle_key(Key::Home);
        line.handle_key(Key::Delete);
        assert_eq!(line.text(), "gg:42 ");
        line.handle_key(Key::End);
        line.handle_key(Key::Ctrl('u'));
        assert_eq!((line.text(), line.cursor()), ("", 0));
        assert!(!line.handle_key(Key::Enter));
    }

    #[test]
    fn keys_move_and_delete_by_words() {
        let mut line = TextInput::new("agg:42 type:Updated  x");
        let cursor_after = |line: &mut TextInput, key| {
            assert!(line.handle_key(key));
            line.cursor()
        };
        let left: Vec<usize> = [Key::Alt('b'); 6].map(|key| cursor_after(&mut line, key)).to_vec();
        assert_eq!(left, [21, 12, 7, 4, 0, 0]);
        let right: Vec<usize> = [Key::WordRight; 6].map(|key| cursor_after(&mut line, key)).to_vec();
        assert_eq!(right, [3, 6, 11, 19, 22, 22]);
        line.handle_key(Key::WordLeft);
        line.handle_key(Key::WordLeft);
        line.handle_key(Key::Alt('d'));
        assert_eq!((line.text(), line.cursor()), ("agg:42 type:  x", 12));
        line.handle_key(Key::Ctrl('k'));
        assert_eq!((line.text(), line.cursor()), ("agg:42 type:", 12));
        line.handle_key(Key::Ctrl('b'));
        line.handle_key(Key::Ctrl('d'));
        assert_eq!(line.text(), "agg:42 type");
    }

    #[test]
    fn pasted_line_breaks_do_not_submit() {
        let mut line = TextInput::default();
        line.paste("a\nb\u{1b}[c\r\n");
        assert_eq!(line.text(), "a b [c");
    }
}
