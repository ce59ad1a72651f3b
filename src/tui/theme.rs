//! Roles of text and their styles. No other file names a colour.

use ratatui::style::{Color as Ink, Modifier, Style};

use super::options::ColorChoice;

/// The role of a piece of text, which decides its style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Ordinary text.
    Text,
    /// Less important text: units, hints.
    Muted,
    /// Headings and names.
    Title,
    /// The border and the title of the focused pane.
    Focus,
    /// The selected line of the focused pane.
    Cursor,
    /// The selected line of another pane.
    CursorUnfocused,
    /// Damage.
    Damage,
    /// A state that needs attention but is not damage.
    Warning,
    /// A state that was checked and is good.
    Good,
    /// A gap.
    Gap,
    /// A key to press.
    Key,
    /// A match of the search.
    Match,
    /// A length field, or a JSON key.
    Length,
    /// A payload, or a JSON string.
    Payload,
    /// A checksum, or a JSON number.
    Checksum,
}

/// A set of styles, one for each role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    /// The terminal's own 16 colours.
    Ansi,
    /// Blue and orange on black.
    Dark,
    /// Blue and orange on white.
    Light,
    /// No colour.
    Mono,
}

/// Whether the environment variable `NO_COLOR` is set and not empty (<https://no-color.org>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoColorVariable {
    /// It is set.
    Set,
    /// It is not set, or empty.
    Unset,
}

impl Theme {
    /// Returns the theme of a choice. `NO_COLOR` decides only where the user has not chosen.
    pub(crate) const fn from_choice(choice: ColorChoice, no_color: NoColorVariable) -> Self {
        match (choice, no_color) {
            (ColorChoice::Auto, NoColorVariable::Unset) | (ColorChoice::Always, _) => Self::Ansi,
            (ColorChoice::Dark, _) => Self::Dark,
            (ColorChoice::Light, _) => Self::Light,
            (ColorChoice::Auto, NoColorVariable::Set) | (ColorChoice::Mono, _) => Self::Mono,
        }
    }

    /// Returns the style of cells that have no other.
    pub(crate) const fn base(self) -> Style {
        match self {
            Self::Ansi | Self::Mono => Style::new(),
            Self::Dark => Style::new().fg(Ink::White).bg(Ink::Black),
            Self::Light => Style::new().fg(Ink::Black).bg(Ink::White),
        }
    }

    /// Returns the style of a role.
    pub(crate) const fn style(self, role: Role) -> Style {
        let (ink, modifier) = match self {
            Self::Ansi => ansi_style(role),
            Self::Dark => high_contrast_style(role, Ink::Indexed(75), Ink::Indexed(214), Ink::Indexed(250)),
            Self::Light => high_contrast_style(role, Ink::Indexed(25), Ink::Indexed(166), Ink::Indexed(240)),
            Self::Mono => (None, mono_modifier(role)),
        };
        let style = Style::new().add_modifier(modifier);
        match ink {
            Some(ink) => style.fg(ink),
            None => style,
        }
    }
}

const fn ansi_style(role: Role) -> (Option<Ink>, Modifier) {
    match role {
        Role::Text => (None, Modifier::empty()),
        Role::Muted => (Some(Ink::DarkGray), Modifier::empty()),
        Role::Title => (None, Modifier::BOLD),
        Role::Focus => (Some(Ink::Cyan), Modifier::BOLD),
        Role::Cursor => (None, Modifier::REVERSED),
        Role::CursorUnfocused => (None, Modifier::UNDERLINED),
        Role::Damage => (Some(Ink::Red), Modifier::BOLD),
        Role::Warning | Role::Gap => (Some(Ink::Yellow), Modifier::empty()),
        Role::Good | Role::Payload => (Some(Ink::Green), Modifier::empty()),
        Role::Key | Role::Length => (Some(Ink::Cyan), Modifier::empty()),
        Role::Match => (Some(Ink::Yellow), Modifier::REVERSED),
        Role::Checksum => (Some(Ink::Magenta), Modifier::empty()),
    }
}

const fn high_contrast_style(role: Role, blue: Ink, orange: Ink, grey: Ink) -> (Option<Ink>, Modifier) {
    match role {
        Role::Text | Role::Payload => (None, Modifier::empty()),
        Role::Muted => (Some(grey), Modifier::empty()),
        Role::Title => (None, Modifier::BOLD),
        Role::Focus => (Some(blue), Modifier::BOLD),
        Role::Cursor => (None, Modifier::REVERSED),
        Role::CursorUnfocused => (None, Modifier::UNDERLINED),
        Role::Damage => (Some(orange), Modifier::BOLD),
        Role::Warning | Role::Gap | Role::Checksum => (Some(orange), Modifier::empty()),
        Role::Good | Role::Key | Role::Length => (Some(blue), Modifier::empty()),
        Role::Match => (Some(orange), Modifier::REVERSED),
    }
}

const fn mono_modifier(role: Role) -> Modifier {
    match role {
        Role::Text | Role::Payload | Role::Good => Modifier::empty(),
        Role::Muted => Modifier::DIM,
        Role::Title | Role::Focus | Role::Damage | Role::Key | Role::Warning => Modifier::BOLD,
        Role::Cursor | Role::Match => Modifier::REVERSED,
        Role::CursorUnfocused | Role::Length => Modifier::UNDERLINED,
        Role::Gap | Role::Checksum => Modifier::ITALIC,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_decides_only_where_the_user_has_not_chosen() {
        assert_eq!(Theme::from_choice(ColorChoice::Auto, NoColorVariable::Set), Theme::Mono);
        assert_eq!(Theme::from_choice(ColorChoice::Auto, NoColorVariable::Unset), Theme::Ansi);
        assert_eq!(Theme::from_choice(ColorChoice::Always, NoColorVariable::Set), Theme::Ansi);
    }

    #[test]
    fn the_mono_theme_has_attributes_and_no_colour() {
        for role in [Role::Cursor, Role::Damage, Role::Match, Role::Length, Role::Checksum] {
            let style = Theme::Mono.style(role);
            assert_eq!((style.fg, style.bg), (None, None));
            assert!(!style.add_modifier.is_empty(), "{role:?}");
        }
    }
}
