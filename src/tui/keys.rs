//! The keys that actions can be bound to, and their conversion from key events of the terminal.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key press, with only those distinctions that every terminal reports reliably.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// A character, with Shift already applied.
    Char(char),
    /// Control with a letter.
    Ctrl(char),
    /// Alt with a character.
    Alt(char),
    /// A function key, such as F1.
    F(u8),
    /// The Enter key.
    Enter,
    /// The Escape key.
    Esc,
    /// The Tab key.
    Tab,
    /// Shift with the Tab key.
    BackTab,
    /// The Backspace key.
    Backspace,
    /// The Delete key.
    Delete,
    /// The Up arrow key.
    Up,
    /// The Down arrow key.
    Down,
    /// The Left arrow key.
    Left,
    /// The Right arrow key.
    Right,
    /// Control or Alt with the Left arrow key.
    WordLeft,
    /// Control or Alt with the Right arrow key.
    WordRight,
    /// The Home key.
    Home,
    /// The End key.
    End,
    /// The Page Up key.
    PageUp,
    /// The Page Down key.
    PageDown,
}

impl Key {
    /// Converts a key event of the terminal; `None` for keys that the screen does not use.
    pub fn from_event(event: KeyEvent) -> Option<Self> {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        Some(match event.code {
            // AltGr is reported as Control with Alt, and types a character.
            KeyCode::Char(c) if alt && ctrl => Self::Char(c),
            KeyCode::Char(c) if alt => Self::Alt(c),
            // Both delete the word before the cursor, like Ctrl-w.
            KeyCode::Backspace if alt || ctrl => Self::Ctrl('w'),
            KeyCode::Left if alt || ctrl => Self::WordLeft,
            KeyCode::Right if alt || ctrl => Self::WordRight,
            // Many terminals send Ctrl-h for Backspace, and no terminal distinguishes the two reliably.
            KeyCode::Char('h' | 'H') if ctrl => Self::Backspace,
            KeyCode::Char(c) if ctrl => Self::Ctrl(c.to_ascii_lowercase()),
            KeyCode::Char(c) => Self::Char(c),
            KeyCode::F(n) => Self::F(n),
            KeyCode::Enter => Self::Enter,
            KeyCode::Esc => Self::Esc,
            KeyCode::Tab => Self::Tab,
            KeyCode::BackTab => Self::BackTab,
            KeyCode::Backspace => Self::Backspace,
            KeyCode::Delete => Self::Delete,
            KeyCode::Up => Self::Up,
            KeyCode::Down => Self::Down,
            KeyCode::Left => Self::Left,
            KeyCode::Right => Self::Right,
            KeyCode::Home => Self::Home,
            KeyCode::End => Self::End,
            KeyCode::PageUp => Self::PageUp,
            KeyCode::PageDown => Self::PageDown,
            _ => return None,
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Char(' ') => "Space",
            Self::Char(c) => return write!(f, "{c}"),
            Self::Ctrl(c) => return write!(f, "Ctrl-{c}"),
            Self::Alt(c) => return write!(f, "Alt-{c}"),
            Self::F(n) => return write!(f, "F{n}"),
            Self::Enter => "Enter",
            Self::Esc => "Esc",
            Self::Tab => "Tab",
            Self::BackTab => "Shift-Tab",
            Self::Backspace => "Backspace",
            Self::Delete => "Delete",
            Self::Up => "Up",
            Self::Down => "Down",
            Self::Left => "Left",
            Self::Right => "Right",
            Self::WordLeft => "Ctrl-Left",
            Self::WordRight => "Ctrl-Right",
            Self::Home => "Home",
            Self::End => "End",
            Self::PageUp => "PgUp",
            Self::PageDown => "PgDn",
        };
        f.write_str(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ctrl_h_is_backspace() {
        for code in ['h', 'H'] {
            let event = KeyEvent::new(KeyCode::Char(code), KeyModifiers::CONTROL);
            assert_eq!(Key::from_event(event), Some(Key::Backspace));
        }
    }
}
