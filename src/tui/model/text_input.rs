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
            Key::Delete => self.remove(),
            Key::Left => self.cursor = self.cursor.saturating_sub(1),
            Key::Right => self.cursor = (self.cursor + 1).min(len),
            Key::Home | Key::Ctrl('a') => self.cursor = 0,
            Key::End | Key::Ctrl('e') => self.cursor = len,
            Key::Ctrl('u') => {
                let rest = self.text.split_off(self.cursor_byte());
                *self = Self { text: rest, cursor: 0 };
            }
            Key::Ctrl('w') => {
                let before = self.text.get(..self.cursor_byte()).unwrap_or_default().trim_end();
                let word_start = before.rfind(' ').map_or(0, |space| space + 1);
                let rest = self.text.split_off(self.cursor_byte());
                self.text.truncate(word_start);
                self.cursor = self.text.chars().count();
                self.text.push_str(&rest);
            }
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
    fn pasted_line_breaks_do_not_submit() {
        let mut line = TextInput::default();
        line.paste("a\nb\u{1b}[c\r\n");
        assert_eq!(line.text(), "a b [c");
    }
}
