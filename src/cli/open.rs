//! `open`: the full-screen inspector, and the screen options that `demo` shares.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::command_paths::CommandPaths;
use super::config_file::ConfigArgs;
use super::failure::{CommandFailure, CommandResult};
use super::options::GlobalArgs;
use super::output::CommandOutput;
use crate::file::OsDisk;
use crate::inspect::LogView;
use crate::report::{ExitStatus, shell_path, units};
use crate::{StorageError, tui};

/// Open a log in the full-screen inspector.
///
/// Browsing never writes to the log or its side files. `chronicle LOG` is short for `chronicle open LOG`.
#[derive(Debug, Args)]
pub(super) struct OpenArgs {
    /// Log to open
    log: PathBuf,
    #[command(flatten)]
    screen: ScreenArgs,
}

/// Options of how the screen looks.
#[derive(Debug, Clone, Copy, Args)]
struct LookArgs {
    /// Whether the screen has colours [default: auto]
    #[arg(long, value_enum, value_name = "WHEN")]
    color: Option<tui::ColorChoice>,
    /// Theme of the screen [default: terminal]
    #[arg(long, value_enum, value_name = "NAME")]
    theme: Option<tui::Theme>,
    /// Draw only characters of ASCII; this is the default in a locale without UTF-8, such as `LANG=C`
    #[arg(long)]
    ascii: bool,
}

/// Options of the screen.
#[derive(Debug, Clone, Args)]
pub(super) struct ScreenArgs {
    /// Disable every action that writes
    #[arg(long)]
    read_only: bool,
    /// Do not scan the log in the background
    #[arg(long)]
    no_scan: bool,
    /// Limit background reads (scan and search together) to this rate, such as 20MiB/s
    #[arg(long, value_name = "SIZE/s", value_parser = units::parse_rate, conflicts_with = "no_scan")]
    rate: Option<u64>,
    #[command(flatten)]
    look: LookArgs,
    /// Show times in this zone at first: utc, local, a name such as Europe/Berlin, or an offset such as +05:30
    #[arg(long, value_name = "ZONE", value_parser = units::DisplayZone::parse)]
    zone: Option<units::DisplayZone>,
    /// Leave the mouse to the terminal
    #[arg(long)]
    no_mouse: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

impl ValueEnum for tui::ColorChoice {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.description()))
    }
}

impl ValueEnum for tui::Theme {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.description()))
    }
}

impl OpenArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        open_screen(&self.log, &self.screen, global, out)
    }
}

/// Returns whether the environment names a locale whose characters are not those of UTF-8.
fn is_ascii_locale(variable: impl Fn(&str) -> Option<String>) -> bool {
    let mut values = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable);
    let Some(locale) = values.find(|value| !value.is_empty()) else { return false };
    let encoding = locale.split_once('.').map(|(_, rest)| rest.split('@').next().unwrap_or(rest).to_ascii_lowercase());
    match encoding {
        Some(encoding) => !matches!(encoding.as_str(), "utf-8" | "utf8"),
        None => matches!(locale.as_str(), "C" | "POSIX"),
    }
}

/// True when stdin and stdout are terminals that can show the screen.
pub(super) fn has_terminal() -> bool {
    screen_obstacle().is_none()
}

/// Returns the reason why the screen cannot be shown; `None` when it can.
fn screen_obstacle() -> Option<&'static str> {
    if !io::stdout().is_terminal() {
        Some("stdout is not a terminal")
    } else if !io::stdin().is_terminal() {
        Some("stdin is not a terminal")
    } else if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        Some("the terminal cannot show the screen (TERM is dumb)")
    } else {
        None
    }
}

/// Runs the screen on a log until the user quits. Without a terminal it fails and names the commands to use instead.
pub(super) fn open_screen(
    log: &Path,
    screen: &ScreenArgs,
    global: &GlobalArgs,
    out: &mut CommandOutput,
) -> CommandResult {
    out.flush()?;
    let config = screen.config.load()?;
    if let Some(reason) = screen_obstacle() {
        // A missing file, or one that is not a log, would fail the commands that the hint names as well.
        LogView::open(Arc::new(OsDisk), log, global.index.as_deref())?;
        let log = shell_path(log);
        return Err(CommandFailure::Usage {
            message: reason.into(),
            hint: format!("Use `chronicle verify {log}` or `chronicle cat {log}` instead"),
        });
    }
    if !screen.read_only {
        CommandPaths::new(global).reads_log("the log", log).saves_index_of(log).check()?;
    }
    // A theme that is named on the command line is wanted even where `NO_COLOR` is set.
    let named_theme = screen.look.theme.map(|_| tui::ColorChoice::Always);
    let has_plain_glyphs =
        screen.look.ascii || config.ascii.unwrap_or_else(|| is_ascii_locale(|name| std::env::var(name).ok()));
    let options = tui::TuiOptions {
        path: log.to_owned(),
        read_only: screen.read_only,
        scan: !screen.no_scan,
        max_read_rate: screen.rate,
        index_path: global.index.clone(),
        journal_dir: global.journal.clone(),
        color: screen.look.color.or(named_theme).or(config.color).unwrap_or_default(),
        theme: screen.look.theme.or(config.theme).unwrap_or_default(),
        keys: config.keys,
        columns: config.columns,
        bell: if config.bell == Some(true) { tui::Bell::OnNewDamage } else { tui::Bell::Off },
        glyphs: if has_plain_glyphs { tui::Glyphs::Ascii } else { tui::Glyphs::Unicode },
        follow: if config.follow == Some(true) { tui::Follow::Yes } else { tui::Follow::No },
        zone: screen.zone.or(config.zone),
        mouse: !screen.no_mouse && config.mouse.unwrap_or(true),
    };
    match tui::run(options) {
        Ok(()) => Ok(ExitStatus::Done),
        Err(error) => Err(match error.downcast::<StorageError>() {
            Ok(error) => error.into(),
            Err(error) => CommandFailure::Screen(format!("{error:#}")),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_without_utf_8_has_plain_glyphs() {
        let is_ascii = |set: &[(&str, &str)]| {
            is_ascii_locale(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert!(is_ascii(&[("LANG", "C")]) && is_ascii(&[("LANG", "en_US.UTF-8"), ("LC_ALL", "POSIX")]));
        assert!(is_ascii(&[("LANG", "de_DE.ISO-8859-15@euro")]));
        for unicode in [("LANG", "C.UTF-8"), ("LC_CTYPE", "de_DE.utf8@euro"), ("LANG", "en_US"), ("LANG", "")] {
            assert!(!is_ascii(&[unicode]), "{unicode:?}");
        }
        assert!(!is_ascii(&[("LC_ALL", ""), ("LANG", "en_US.UTF-8"), ("OTHER", "C")]));
    }
}
