//! The roles that a piece of text can have, and their styles in each theme. No other file of the screen names a colour.

use ratatui::style::{Color, Modifier, Style};

use super::options::ColorChoice;

/// The role of a piece of text, which decides its style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Text without a special role.
    Text,
    /// Less important text, such as units and hints.
    Muted,
    /// Headings, titles and names.
    Title,
    /// The border and the title of the focused pane.
    Focus,
    /// The selected line of the focused pane.
    Cursor,
    /// The selected line of another pane.
    CursorUnfocused,
    /// A damaged range or a problem.
    Damage,
    /// A state that needs attention but is not damage.
    Warning,
    /// A state that was checked and is good.
    Good,
    /// A gap that replaced damage.
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
    /// The name of an event type, in one of a few styles. Each type always has the same one.
    EventType(TypeStyle),
}

/// The style of an event type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TypeStyle {
    Green,
    Magenta,
    Cyan,
    BoldGreen,
    BoldMagenta,
    BoldCyan,
}

impl TypeStyle {
    /// All styles of event types.
    const ALL: [Self; 6] = [Self::Green, Self::Magenta, Self::Cyan, Self::BoldGreen, Self::BoldMagenta, Self::BoldCyan];
}

impl Role {
    /// Returns the role of the name of an event type. It depends on the name alone, so that it is the same in every log.
    pub(crate) fn of_event_type(name: &str) -> Self {
        // FNV-1a, whose result is the same on every machine and in every version.
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        let position = (hash >> 32) as usize % TypeStyle::ALL.len();
        Self::EventType(TypeStyle::ALL.get(position).copied().unwrap_or(TypeStyle::Green))
    }
}

#[cfg(test)]
impl Role {
    /// All roles.
    pub(crate) const ALL: [Self; 21] = [
        Self::Text,
        Self::Muted,
        Self::Title,
        Self::Focus,
        Self::Cursor,
        Self::CursorUnfocused,
        Self::Damage,
        Self::Warning,
        Self::Good,
        Self::Gap,
        Self::Key,
        Self::Match,
        Self::Length,
        Self::Payload,
        Self::Checksum,
        Self::EventType(TypeStyle::Green),
        Self::EventType(TypeStyle::Magenta),
        Self::EventType(TypeStyle::Cyan),
        Self::EventType(TypeStyle::BoldGreen),
        Self::EventType(TypeStyle::BoldMagenta),
        Self::EventType(TypeStyle::BoldCyan),
    ];
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
    /// Text attributes such as bold and reversed, without colours.
    Mono,
}

/// Whether the environment variable `NO_COLOR` is set and not empty (<https://no-color.org>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoColorVariable {
    /// The variable is set and not empty.
    Set,
    /// The variable is not set, or is empty.
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

    /// Returns the style of cells that no text is drawn on.
    pub(crate) const fn base(self) -> Style {
        match self {
            Self::Ansi | Self::Mono => Style::new(),
            Self::Dark => Style::new().fg(Color::White).bg(Color::Black),
            Self::Light => Style::new().fg(Color::Black).bg(Color::White),
        }
    }

    /// Returns the style of a role.
    pub(crate) const fn style(self, role: Role) -> Style {
        let (color, modifier) = match self {
            Self::Ansi => ansi_style(role),
            Self::Dark => high_contrast_style(role, Color::Indexed(75), Color::Indexed(214), Color::Indexed(250)),
            Self::Light => high_contrast_style(role, Color::Indexed(25), Color::Indexed(166), Color::Indexed(240)),
            Self::Mono => (None, mono_modifier(role)),
        };
        let style = Style::new().add_modifier(modifier);
        match (color, role, self) {
            (Some(color), _, _) => style.fg(color),
            // The cursor replaces the colours of its line, and no cell in it is dimmed, so that all of it keeps its
            // contrast.
            (None, Role::Cursor, Self::Mono) => style.remove_modifier(Modifier::DIM),
            (None, Role::Cursor, Self::Ansi) => style.fg(Color::Reset).remove_modifier(Modifier::DIM),
            (None, Role::Cursor, Self::Dark) => style.fg(Color::White).remove_modifier(Modifier::DIM),
            (None, Role::Cursor, Self::Light) => style.fg(Color::Black).remove_modifier(Modifier::DIM),
            (None, _, _) => style,
        }
    }
}

const fn ansi_style(role: Role) -> (Option<Color>, Modifier) {
    match role {
        Role::Text => (None, Modifier::empty()),
        Role::Muted => (None, Modifier::DIM),
        Role::Title => (None, Modifier::BOLD),
        Role::Focus => (Some(Color::Cyan), Modifier::BOLD),
        Role::Cursor => (None, Modifier::REVERSED),
        Role::CursorUnfocused => (None, Modifier::UNDERLINED),
        Role::Damage => (Some(Color::Red), Modifier::BOLD),
        Role::Warning | Role::Gap => (Some(Color::Yellow), Modifier::empty()),
        Role::Good | Role::Payload => (Some(Color::Green), Modifier::empty()),
        Role::Key | Role::Length => (Some(Color::Cyan), Modifier::empty()),
        // Bold, so that a match is visible in the selected line too, where everything is reversed.
        Role::Match => (Some(Color::Yellow), Modifier::REVERSED.union(Modifier::BOLD)),
        Role::Checksum => (Some(Color::Magenta), Modifier::empty()),
        Role::EventType(style) => match style {
            TypeStyle::Green => (Some(Color::Green), Modifier::empty()),
            TypeStyle::Magenta => (Some(Color::Magenta), Modifier::empty()),
            TypeStyle::Cyan => (Some(Color::Cyan), Modifier::empty()),
            TypeStyle::BoldGreen => (Some(Color::Green), Modifier::BOLD),
            TypeStyle::BoldMagenta => (Some(Color::Magenta), Modifier::BOLD),
            TypeStyle::BoldCyan => (Some(Color::Cyan), Modifier::BOLD),
        },
    }
}

const fn high_contrast_style(role: Role, blue: Color, orange: Color, grey: Color) -> (Option<Color>, Modifier) {
    match role {
        Role::Text | Role::Payload => (None, Modifier::empty()),
        Role::Muted => (Some(grey), Modifier::empty()),
        Role::Title => (None, Modifier::BOLD),
        Role::Focus => (Some(blue), Modifier::BOLD),
        Role::Cursor => (None, Modifier::REVERSED),
        Role::CursorUnfocused => (None, Modifier::UNDERLINED),
        Role::Damage => (Some(orange), Modifier::BOLD),
        Role::Warning | Role::Gap | Role::Checksum => (Some(orange), Modifier::empty()),
        // Two colours that differ for every kind of colour vision leave no room for a colour of each event type.
        Role::Good | Role::Key | Role::Length | Role::EventType(_) => (Some(blue), Modifier::empty()),
        Role::Match => (Some(orange), Modifier::REVERSED.union(Modifier::BOLD)),
    }
}

const fn mono_modifier(role: Role) -> Modifier {
    match role {
        Role::Text | Role::Payload | Role::Good | Role::EventType(_) => Modifier::empty(),
        Role::Muted => Modifier::DIM,
        Role::Title | Role::Focus | Role::Damage | Role::Key | Role::Warning => Modifier::BOLD,
        Role::Cursor => Modifier::REVERSED,
        Role::Match => Modifier::REVERSED.union(Modifier::BOLD),
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
