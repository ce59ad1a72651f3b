//! The configuration of the screen: the table of its keys, and the parser of its text. This module opens no file.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::actions::{KeyMap, ReboundAction};
use super::model::ColumnLayout;
use super::theme::{ColorChoice, Theme};
use crate::query::nearest_keyword;
use crate::report::sanitize;
use crate::report::units::DisplayZone;

/// The configuration of the screen. A value that is `None` is not configured.
#[derive(Debug, Clone, Default)]
pub(crate) struct ScreenConfig {
    /// The theme of a screen with colours.
    pub(crate) theme: Option<Theme>,
    /// Whether the screen has colours.
    pub(crate) color: Option<ColorChoice>,
    /// Whether the screen receives mouse events.
    pub(crate) mouse: Option<bool>,
    /// The zone in which times are shown at first.
    pub(crate) zone: Option<DisplayZone>,
    /// The columns of the list of events.
    pub(crate) columns: Option<ColumnLayout>,
    /// Whether the terminal's bell rings when new damage is found.
    pub(crate) bell: Option<bool>,
    /// Whether the screen draws only characters of ASCII.
    pub(crate) ascii: Option<bool>,
    /// Whether the screen follows the end of the log at first.
    pub(crate) follow: Option<bool>,
    /// Whether the state of the screen is kept between runs.
    pub(crate) session: Option<bool>,
    /// The keys of the actions.
    pub(crate) keys: KeyMap,
}

/// A key of the configuration.
#[derive(Debug)]
pub struct ConfigKeySpec {
    /// The name of the key.
    pub name: &'static str,
    /// The values that the key can have.
    pub values: &'static str,
    /// The value in effect without the key.
    pub default: &'static str,
    /// What the key decides, in one sentence without a period.
    pub help: &'static str,
    /// An example of a value.
    pub example: &'static str,
    set: fn(&mut ScreenConfig, &DeValue<'_>) -> Result<(), ValueError>,
}

/// All keys of the configuration, in the order in which they are documented.
pub const CONFIG_KEYS: [ConfigKeySpec; 10] = [
    ConfigKeySpec {
        name: "theme",
        values: "`terminal`, `dark`, `light`, `high-contrast-dark`, `high-contrast-light` or `mono`",
        default: "`terminal`",
        help: "Theme of the screen, like `--theme`",
        example: "\"dark\"",
        set: |config, value| set(&mut config.theme, one_of(value, &Theme::ALL, Theme::name)),
    },
    ConfigKeySpec {
        name: "color",
        values: "`auto`, `always` or `never`",
        default: "`auto`",
        help: "Whether the screen has colours, like `--color`; `auto` has none where `NO_COLOR` is set",
        example: "\"auto\"",
        set: |config, value| set(&mut config.color, one_of(value, &ColorChoice::ALL, ColorChoice::name)),
    },
    ConfigKeySpec {
        name: "mouse",
        values: "`true` or `false`",
        default: "`true`",
        help: "Whether the screen receives clicks and the wheel; `false` is `--no-mouse`",
        example: "true",
        set: |config, value| set(&mut config.mouse, boolean(value)),
    },
    ConfigKeySpec {
        name: "zone",
        values: "`utc`, `local`, a name such as `Europe/Berlin`, or an offset such as `+05:30`",
        default: "`utc`",
        help: "Zone in which times are shown at first, like `--zone`",
        example: "\"local\"",
        set: |config, value| {
            let zone = text(value).and_then(|zone| DisplayZone::parse(zone).map_err(ValueError::from));
            set(&mut config.zone, zone)
        },
    },
    ConfigKeySpec {
        name: "columns",
        values: "a list of `ordinal`, `offset`, `time`, `type`, `aggregate`, `namespace`, `schema`, `size`, `payload` and paths \
                 such as `payload.amount`; `=+4` or `=-2` after a name changes its width",
        default: "all but `ordinal` and `size`",
        help: "Columns of the list of events in a log whose columns were not chosen before",
        example: "[\"offset\", \"time\", \"type=+4\", \"payload.amount\", \"payload\"]",
        set: |config, value| {
            let names: Vec<String> = texts(value)?.into_iter().map(str::to_owned).collect();
            set(&mut config.columns, ColumnLayout::try_from(names).map_err(ValueError::from))
        },
    },
    ConfigKeySpec {
        name: "bell",
        values: "`true` or `false`",
        default: "`false`",
        help: "Whether the terminal's bell rings when damage is found in what was appended, or when the log is changed",
        example: "false",
        set: |config, value| set(&mut config.bell, boolean(value)),
    },
    ConfigKeySpec {
        name: "ascii",
        values: "`true` or `false`",
        default: "`true` in a locale without UTF-8, such as `LANG=C`, else `false`",
        help: "Whether the screen draws only characters of ASCII, like `--ascii`; other characters of the log are question marks",
        example: "false",
        set: |config, value| set(&mut config.ascii, boolean(value)),
    },
    ConfigKeySpec {
        name: "follow",
        values: "`true` or `false`",
        default: "`false`",
        help: "Whether the screen follows the end of the log at first",
        example: "false",
        set: |config, value| set(&mut config.follow, boolean(value)),
    },
    ConfigKeySpec {
        name: "session",
        values: "`true` or `false`",
        default: "`true`",
        help: "Whether place, marks, filter, search, columns and layout of a log are kept between runs; `false` is `--no-session`",
        example: "true",
        set: |config, value| set(&mut config.session, boolean(value)),
    },
    ConfigKeySpec {
        name: "keys",
        values: "a table: the name of an action, and a key or a list of keys; an empty list leaves it to the palette",
        default: "the keys of [keys.md](keys.md)",
        help: "Other keys for actions",
        example: "{ next-damage = [\"e\", \"ctrl-n\"] }",
        set: set_keys,
    },
];

/// Why a configuration was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigError {
    /// The number of the line, counted from 1.
    pub(crate) line: usize,
    /// The fault: the key, and what was expected and found.
    pub(crate) reason: String,
}

/// Why a value was not accepted.
struct ValueError {
    reason: String,
    /// Position of the wrong value in the text, in bytes; `None` for the value of the whole key.
    at: Option<usize>,
}

impl From<String> for ValueError {
    fn from(reason: String) -> Self {
        Self { reason, at: None }
    }
}

impl ScreenConfig {
    /// Parses the text of a configuration.
    ///
    /// # Errors
    /// The first fault, with its line: the text is not TOML, a key is unknown, or a value is none that its key can have.
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let error = |at: usize, reason: &str| {
            let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            ConfigError { line, reason: sanitize(reason).into_owned() }
        };
        let table =
            DeTable::parse(text).map_err(|fault| error(fault.span().map_or(0, |span| span.start), fault.message()))?;
        let mut config = Self::default();
        for (key, value) in in_file_order(table.get_ref()) {
            let name = key.get_ref();
            let Some(spec) = CONFIG_KEYS.iter().find(|spec| spec.name == name) else {
                let nearest = nearest_keyword(name, CONFIG_KEYS.iter().map(|spec| spec.name));
                let nearest = nearest.map(|name| format!("; the nearest is `{name}`")).unwrap_or_default();
                return Err(error(key.span().start, &format!("unknown key `{name}`{nearest}")));
            };
            (spec.set)(&mut config, value.get_ref()).map_err(|fault| {
                error(fault.at.unwrap_or(value.span().start), &format!("`{name}`: {}", fault.reason))
            })?;
        }
        Ok(config)
    }
}

/// Returns the entries of a table in the order of the text, so that the first fault is reported.
fn in_file_order<'t, 'i>(table: &'t DeTable<'i>) -> Vec<(&'t Spanned<Cow<'i, str>>, &'t Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn set<T>(field: &mut Option<T>, value: Result<T, ValueError>) -> Result<(), ValueError> {
    *field = Some(value?);
    Ok(())
}

fn set_keys(config: &mut ScreenConfig, value: &DeValue<'_>) -> Result<(), ValueError> {
    let DeValue::Table(table) = value else { return Err(expected("a table", value)) };
    let mut rebound = Vec::new();
    for (name, keys) in in_file_order(table) {
        let place = |fault: ValueError| ValueError { at: Some(fault.at.unwrap_or(name.span().start)), ..fault };
        let keys = match keys.get_ref() {
            DeValue::String(key) => vec![key.as_ref()],
            keys => texts(keys).map_err(place)?,
        };
        rebound.push(ReboundAction::parse(name.get_ref(), &keys).map_err(|reason| place(reason.into()))?);
    }
    config.keys = KeyMap::with_rebound(rebound).map_err(|conflict| {
        // The conflict is shown at the later of the two actions that the text has, because the earlier one was valid so far.
        let names = in_file_order(table).into_iter().rev().map(|(name, _)| name);
        let at = names.into_iter().find(|name| conflict.has_action(name.get_ref())).map(|name| name.span().start);
        ValueError { reason: conflict.to_string(), at }
    })?;
    Ok(())
}

fn expected(what: &str, found: &DeValue<'_>) -> ValueError {
    let found = match found {
        DeValue::String(text) => format!("`{text}`"),
        other => format!("a value of the type {}", other.type_str()),
    };
    format!("expected {what}, found {found}").into()
}

fn text<'v>(value: &'v DeValue<'_>) -> Result<&'v str, ValueError> {
    match value {
        DeValue::String(text) => Ok(text),
        other => Err(expected("a text in quotes", other)),
    }
}

fn texts<'v>(value: &'v DeValue<'_>) -> Result<Vec<&'v str>, ValueError> {
    let DeValue::Array(items) = value else { return Err(expected("a list such as [\"a\", \"b\"]", value)) };
    let item = |item: &'v Spanned<DeValue<'_>>| {
        text(item.get_ref()).map_err(|fault| ValueError { at: Some(item.span().start), ..fault })
    };
    items.iter().map(item).collect()
}

fn boolean(value: &DeValue<'_>) -> Result<bool, ValueError> {
    match value {
        DeValue::Boolean(value) => Ok(*value),
        other => Err(expected("true or false", other)),
    }
}

fn one_of<T: Copy>(value: &DeValue<'_>, choices: &[T], name: fn(T) -> &'static str) -> Result<T, ValueError> {
    let found = text(value)?;
    choices.iter().copied().find(|choice| name(*choice) == found).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|choice| name(*choice)).collect();
        let nearest = nearest_keyword(found, names.iter().copied());
        let nearest = nearest.map(|name| format!("; the nearest is `{name}`")).unwrap_or_default();
        format!("expected one of {}, found `{found}`{nearest}", names.join(", ")).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::actions::{ActionId, ActionScope};
    use crate::tui::keys::Key;

    fn error(text: &str) -> (usize, String) {
        let ConfigError { line, reason } = ScreenConfig::parse(text).unwrap_err();
        (line, reason)
    }

    #[test]
    fn every_example_of_the_table_is_accepted() {
        let text: String = CONFIG_KEYS.iter().map(|key| format!("{} = {}\n", key.name, key.example)).collect();
        let config = ScreenConfig::parse(&text).unwrap();
        assert_eq!((config.theme, config.color), (Some(Theme::Dark), Some(ColorChoice::Auto)));
        assert_eq!((config.mouse, config.bell, config.follow), (Some(true), Some(false), Some(false)));
        assert!(config.columns.is_some() && config.zone == Some(DisplayZone::Local));
        assert_eq!(config.keys.action_for_key(ActionScope::Main, Key::Ctrl('n')), Some(ActionId::NextDamage));
    }

    #[test]
    fn the_values_of_the_table_are_those_that_are_accepted() {
        let values = |name| CONFIG_KEYS.iter().find(|key| key.name == name).unwrap().values;
        for theme in Theme::ALL {
            assert!(values("theme").contains(&format!("`{}`", theme.name())));
        }
        for choice in ColorChoice::ALL {
            assert!(values("color").contains(&format!("`{}`", choice.name())));
        }
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_nearest_one() {
        assert_eq!(
            error("mouse = true\n\nthem = \"dark\"\n"),
            (3, "unknown key `them`; the nearest is `theme`".into())
        );
        let (line, reason) = error("[keys]\nnext-damage = \"e\"\nnext-damge = \"F5\"\n");
        assert_eq!(line, 3);
        assert!(reason.contains("`next-damge`") && reason.contains("the nearest is `next-damage`"), "{reason}");
    }

    #[test]
    fn a_wrong_value_is_an_error_in_its_line() {
        for (text, line, reason) in [
            ("theme = \"drak\"", 1, "found `drak`; the nearest is `dark`"),
            ("\nmouse = 1", 2, "`mouse`: expected true or false, found a value of the type integer"),
            ("zone = \"Mars/Olympus\"", 1, "`zone`: "),
            ("columns = [\"ofset\"]", 1, "expected a column"),
            ("columns = [\n\"offset\",\n3]", 3, "expected a text in quotes"),
            ("[keys]\nsearch = [\"f\"]", 2, "would run both"),
            ("[keys]\nsearch = \"f7\"\nzoom = \"f7\"\nmouse = \"f8\"", 3, "would run both `search` and `zoom`"),
            ("keys = 3", 1, "expected a table"),
            ("theme = \"dark", 1, ""),
            ("mouse = true\nmouse = false", 2, "duplicate key"),
            ("x\u{1b}[2J = 1", 1, ""),
            (r#""x\u001b[2J" = 1"#, 1, "unknown key `x‹ESC›[2J`"),
            ("theme = 1\nbell = 2", 1, "`theme`: expected a text in quotes"),
            ("[keys]\nzoom = 1\nback = 2", 2, "expected a list"),
        ] {
            let found = error(text);
            assert!(found.0 == line && found.1.contains(reason), "{text}: {found:?}");
            assert!(!found.1.contains(char::is_control), "{found:?}");
        }
    }
}
