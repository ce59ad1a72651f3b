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

/// The keys with a name, and how the configuration writes them. Other texts that a [`Key`] displays are no names.
const NAMED_KEYS: [(&str, Key); 22] = [
    ("space", Key::Char(' ')),
    ("enter", Key::Enter),
    ("esc", Key::Esc),
    ("tab", Key::Tab),
    ("shift-tab", Key::BackTab),
    ("backspace", Key::Backspace),
    ("delete", Key::Delete),
    ("up", Key::Up),
    ("down", Key::Down),
    ("left", Key::Left),
    ("right", Key::Right),
    ("ctrl-left", Key::WordLeft),
    ("ctrl-right", Key::WordRight),
    ("alt-left", Key::WordLeft),
    ("alt-right", Key::WordRight),
    ("home", Key::Home),
    ("end", Key::End),
    ("pgup", Key::PageUp),
    ("pageup", Key::PageUp),
    ("pgdn", Key::PageDown),
    ("pagedown", Key::PageDown),
    ("escape", Key::Esc),
];

impl Key {
    /// Parses a key as the configuration writes it: a character, or a name such as `ctrl-n`, `alt-x`, `f5` or `pgup`.
    ///
    /// # Errors
    /// The text is no key, or one that no terminal distinguishes from another.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut characters = text.chars();
        if let (Some(c), None) = (characters.next(), characters.next())
            && !c.is_control()
        {
            return Ok(Self::Char(c));
        }
        let name = text.to_ascii_lowercase();
        if let Some((_, key)) = NAMED_KEYS.iter().find(|(known, _)| *known == name) {
            return Ok(*key);
        }
        let single = |rest: &str| rest.chars().next().filter(|c| rest.chars().count() == 1 && !c.is_control());
        if let Some(c) = name.strip_prefix("ctrl-").and_then(single) {
            return match c {
                'h' => Err("terminals send Backspace for Ctrl-h; write `backspace`".into()),
                'i' => Err("terminals send Tab for Ctrl-i; write `tab`".into()),
                'm' => Err("terminals send Enter for Ctrl-m; write `enter`".into()),
                '[' => Err("terminals send Esc for Ctrl-[; write `esc`".into()),
                c if c.is_ascii_lowercase() => Ok(Self::Ctrl(c)),
                _ => Err(format!("expected a letter after `ctrl-`, found `{text}`")),
            };
        }
        // The case of the character after Alt matters.
        if let Some(c) = name.strip_prefix("alt-").and(text.get("alt-".len()..)).and_then(single) {
            return Ok(Self::Alt(c));
        }
        if let Some(number) = name.strip_prefix('f').and_then(|rest| rest.parse().ok()).filter(|n| (1..=12).contains(n))
        {
            return Ok(Self::F(number));
        }
        Err(format!("expected a key such as `e`, `ctrl-n`, `alt-x`, `f5`, `enter`, `space` or `pgup`, found `{text}`"))
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
    fn the_displayed_name_of_a_key_is_parsed_back() {
        let letters = [Key::Char('e'), Key::Char('-'), Key::Ctrl('n'), Key::Alt('X'), Key::Alt('-'), Key::F(12)];
        for key in NAMED_KEYS.iter().map(|(_, key)| *key).chain(letters) {
            assert_eq!(Key::parse(&key.to_string()), Ok(key), "{key}");
        }
        for text in ["", "f0", "f13", "ctrl-", "ctrl-1", "ctrl-h", "alt-", "alt-xy", "\u{1b}", "enterr"] {
            assert!(Key::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ctrl_h_is_backspace() {
        for code in ['h', 'H'] {
            let event = KeyEvent::new(KeyCode::Char(code), KeyModifiers::CONTROL);
            assert_eq!(Key::from_event(event), Some(Key::Backspace));
        }
    }
}
