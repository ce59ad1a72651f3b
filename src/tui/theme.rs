//! The roles that a piece of text can have, and their styles in each theme. No other file of the screen names a colour.

use ratatui::style::{Color, Modifier, Style};

/// The role of a piece of text, which decides its style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Text without a special role.
    Text,
    /// Less important text, such as units and hints.
    Muted,
    /// Headings, titles and names.
    Title,
    /// The title of the focused pane, with its rule.
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    /// The terminal's own 16 colours.
    #[default]
    Ansi,
    /// Colours on a dark background of its own.
    Dark,
    /// Colours on a light background of its own.
    Light,
    /// Blue and orange on black.
    HighContrastDark,
    /// Blue and orange on white.
    HighContrastLight,
    /// Text attributes such as bold and reversed, without colours.
    Mono,
}

/// Whether the screen has colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum ColorChoice {
    /// Colours, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Colours, even when `NO_COLOR` is set.
    Always,
    /// No colours, only text attributes such as bold and reversed.
    Never,
}

impl ColorChoice {
    /// All choices.
    pub(crate) const ALL: [Self; 3] = [Self::Auto, Self::Always, Self::Never];

    /// Returns the name of the choice on the command line and in the configuration.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }

    /// Returns what the choice means, in a few words.
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::Auto => "colours, or none if `NO_COLOR` is set",
            Self::Always => "colours, even if `NO_COLOR` is set",
            Self::Never => "no colours, only attributes such as bold and reversed",
        }
    }
}

/// Whether the environment variable `NO_COLOR` is set and not empty (<https://no-color.org>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoColorVariable {
    /// The variable is set and not empty.
    Set,
    /// The variable is not set, or is empty.
    Unset,
}

/// The colours of a theme, by their usual names.
struct ThemeColors {
    red: Color,
    yellow: Color,
    green: Color,
    cyan: Color,
    magenta: Color,
    /// The colour of less important text; `None` where the attribute "dim" is used.
    grey: Option<Color>,
}

const ANSI_COLORS: ThemeColors = ThemeColors {
    red: Color::Red,
    yellow: Color::Yellow,
    green: Color::Green,
    cyan: Color::Cyan,
    magenta: Color::Magenta,
    // Bright black, the usual grey, is invisible on Solarized.
    grey: None,
};

const DARK_COLORS: ThemeColors = ThemeColors {
    red: Color::Indexed(203),
    yellow: Color::Indexed(221),
    green: Color::Indexed(114),
    cyan: Color::Indexed(80),
    magenta: Color::Indexed(176),
    grey: Some(Color::Indexed(246)),
};

const LIGHT_COLORS: ThemeColors = ThemeColors {
    red: Color::Indexed(160),
    yellow: Color::Indexed(130),
    green: Color::Indexed(28),
    cyan: Color::Indexed(24),
    magenta: Color::Indexed(127),
    grey: Some(Color::Indexed(242)),
};

impl NoColorVariable {
    /// Reads the variable of this process.
    pub(crate) fn read() -> Self {
        match std::env::var_os("NO_COLOR") {
            Some(value) if !value.is_empty() => Self::Set,
            _ => Self::Unset,
        }
    }
}

impl Theme {
    /// All themes, in the order in which they are listed.
    pub(crate) const ALL: [Self; 6] =
        [Self::Ansi, Self::Dark, Self::Light, Self::HighContrastDark, Self::HighContrastLight, Self::Mono];

    /// Returns the theme that the screen starts with: the chosen one, or the one without colours where the user or
    /// `NO_COLOR` wants none.
    pub(crate) const fn at_start(self, choice: ColorChoice, no_color: NoColorVariable) -> Self {
        match (choice, no_color) {
            (ColorChoice::Auto, NoColorVariable::Unset) | (ColorChoice::Always, _) => self,
            (ColorChoice::Auto, NoColorVariable::Set) | (ColorChoice::Never, _) => Self::Mono,
        }
    }

    /// Returns the name of the theme on the command line, in the configuration and in the palette.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ansi => "terminal",
            Self::Dark => "dark",
            Self::Light => "light",
            Self::HighContrastDark => "high-contrast-dark",
            Self::HighContrastLight => "high-contrast-light",
            Self::Mono => "mono",
        }
    }

    /// Returns what the theme looks like, in a few words.
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::Ansi => "the terminal's own 16 colours and its background",
            Self::Dark => "colours on a dark background",
            Self::Light => "colours on a light background",
            Self::HighContrastDark => "blue and orange on black",
            Self::HighContrastLight => "blue and orange on white",
            Self::Mono => "no colours, only attributes such as bold and reversed",
        }
    }

    /// Returns the style of cells that no text is drawn on.
    pub(crate) const fn base(self) -> Style {
        match self {
            Self::Ansi | Self::Mono => Style::new(),
            Self::Dark => Style::new().fg(Color::Indexed(252)).bg(Color::Indexed(234)),
            Self::Light => Style::new().fg(Color::Indexed(235)).bg(Color::Indexed(255)),
            Self::HighContrastDark => Style::new().fg(Color::White).bg(Color::Black),
            Self::HighContrastLight => Style::new().fg(Color::Black).bg(Color::White),
        }
    }

    /// Returns the style of a role.
    pub(crate) const fn style(self, role: Role) -> Style {
        let (color, modifier) = match self {
            Self::Ansi => color_style(role, &ANSI_COLORS),
            Self::Dark => color_style(role, &DARK_COLORS),
            Self::Light => color_style(role, &LIGHT_COLORS),
            Self::HighContrastDark => {
                high_contrast_style(role, Color::Indexed(75), Color::Indexed(214), Color::Indexed(250))
            }
            Self::HighContrastLight => {
                high_contrast_style(role, Color::Indexed(25), Color::Indexed(166), Color::Indexed(240))
            }
            Self::Mono => (None, mono_modifier(role)),
        };
        let style = Style::new().add_modifier(modifier);
        match (color, role, self) {
            (Some(color), _, _) => style.fg(color),
            // The cursor replaces the colours of its line, and no cell in it is dimmed, so that all of it keeps its
            // contrast. A background of its own allows one in the hue of the accent; a match in the line is reversed.
            (None, Role::Cursor, Self::Dark) => Style::new().fg(Color::Indexed(255)).bg(Color::Indexed(23)),
            (None, Role::Cursor, Self::Light) => Style::new().fg(Color::Indexed(235)).bg(Color::Indexed(152)),
            (None, Role::Cursor, Self::Mono) => style.remove_modifier(Modifier::DIM),
            (None, Role::Cursor, _) => {
                let text = match self.base().fg {
                    Some(color) => color,
                    None => Color::Reset,
                };
                style.fg(text).remove_modifier(Modifier::DIM)
            }
            // A background of its own allows a quieter mark than an underline.
            (None, Role::CursorUnfocused, Self::Dark) => Style::new().bg(Color::Indexed(237)),
            (None, Role::CursorUnfocused, Self::Light) => Style::new().bg(Color::Indexed(254)),
            (None, _, _) => style,
        }
    }
}

const fn color_style(role: Role, colors: &ThemeColors) -> (Option<Color>, Modifier) {
    match role {
        Role::Text => (None, Modifier::empty()),
        Role::Muted => (colors.grey, if colors.grey.is_some() { Modifier::empty() } else { Modifier::DIM }),
        Role::Title => (None, Modifier::BOLD),
        Role::Focus => (Some(colors.cyan), Modifier::BOLD),
        Role::Cursor => (None, Modifier::REVERSED),
        Role::CursorUnfocused => (None, Modifier::UNDERLINED),
        Role::Damage => (Some(colors.red), Modifier::BOLD),
        Role::Warning | Role::Gap => (Some(colors.yellow), Modifier::empty()),
        Role::Good | Role::Payload => (Some(colors.green), Modifier::empty()),
        Role::Key | Role::Length => (Some(colors.cyan), Modifier::empty()),
        // Bold, so that a match is visible in the selected line too, where everything is reversed.
        Role::Match => (Some(colors.yellow), Modifier::REVERSED.union(Modifier::BOLD)),
        Role::Checksum => (Some(colors.magenta), Modifier::empty()),
        Role::EventType(style) => match style {
            TypeStyle::Green => (Some(colors.green), Modifier::empty()),
            TypeStyle::Magenta => (Some(colors.magenta), Modifier::empty()),
            TypeStyle::Cyan => (Some(colors.cyan), Modifier::empty()),
            TypeStyle::BoldGreen => (Some(colors.green), Modifier::BOLD),
            TypeStyle::BoldMagenta => (Some(colors.magenta), Modifier::BOLD),
            TypeStyle::BoldCyan => (Some(colors.cyan), Modifier::BOLD),
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
        let start = |choice, variable| Theme::Dark.at_start(choice, variable);
        assert_eq!(start(ColorChoice::Auto, NoColorVariable::Set), Theme::Mono);
        assert_eq!(start(ColorChoice::Auto, NoColorVariable::Unset), Theme::Dark);
        assert_eq!(start(ColorChoice::Always, NoColorVariable::Set), Theme::Dark);
        assert_eq!(start(ColorChoice::Never, NoColorVariable::Unset), Theme::Mono);
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
