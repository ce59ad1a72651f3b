//! `open`: the full-screen inspector, and the screen options that `demo` shares.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::command_paths::CommandPaths;
use super::config_file::{ConfigArgs, state_folder};
use super::failure::{CommandFailure, CommandResult};
use super::log_list::{LogList, SelectedLogs};
use super::options::GlobalArgs;
use super::output::CommandOutput;
use crate::inspect::LogView;
use crate::log_disk::log_disk;
use crate::report::{ExitStatus, shell_path, units};
use crate::{StorageError, tui};

/// Open a log in the full-screen inspector, or a list of several logs.
///
/// Browsing never writes to the log or its side files. `chronicle LOG` is short for `chronicle open LOG`. Several logs, or a
/// folder, open a list with the size, events, damage and index of each; Enter opens a log, and q comes back to the list.
#[derive(Debug, Args)]
pub(super) struct OpenArgs {
    /// Log to open. Several logs, or a folder with logs, open a list
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,
    #[command(flatten)]
    screen: ScreenArgs,
}

/// Options for the appearance of the screen.
#[derive(Debug, Clone, Copy, Args)]
struct AppearanceArgs {
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
    appearance: AppearanceArgs,
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

impl ScreenArgs {
    /// Returns the options of the screen for a log with its side files at their usual places.
    fn options(&self, path: PathBuf, config: tui::ScreenConfig) -> tui::TuiOptions {
        // A theme that is named on the command line applies even when `NO_COLOR` is set.
        let named_theme = self.appearance.theme.map(|_| tui::ColorChoice::Always);
        let has_plain_glyphs =
            self.appearance.ascii || config.ascii.unwrap_or_else(|| is_ascii_locale(|name| std::env::var(name).ok()));
        tui::TuiOptions {
            path,
            read_only: self.read_only,
            scan: !self.no_scan,
            max_read_rate: self.rate,
            index_path: None,
            journal_dir: None,
            color: self.appearance.color.or(named_theme).or(config.color).unwrap_or_default(),
            theme: self.appearance.theme.or(config.theme).unwrap_or_default(),
            keys: config.keys,
            columns: config.columns,
            bell: if config.bell == Some(true) { tui::Bell::OnNewDamage } else { tui::Bell::Off },
            glyphs: if has_plain_glyphs { tui::Glyphs::Ascii } else { tui::Glyphs::Unicode },
            follow: if config.follow == Some(true) { tui::Follow::Yes } else { tui::Follow::No },
            zone: self.zone.or(config.zone),
            mouse: !self.no_mouse && config.mouse.unwrap_or(true),
            session: self.session(config.session),
        }
    }
}

impl ScreenArgs {
    /// Returns how the state of the screen is kept, unless the command line, the configuration or the environment leaves no
    /// place for it.
    fn session(&self, configured: Option<bool>) -> Option<tui::SessionOptions> {
        if self.config.no_session() || configured == Some(false) {
            return None;
        }
        let zone = if self.zone.is_some() { tui::ZoneOnStart::Given } else { tui::ZoneOnStart::Restored };
        Some(tui::SessionOptions { folder: state_folder()?, zone })
    }
}

impl OpenArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        match LogList::new(&self.logs, global).for_one_log(self.screen.rate.map(|_| "--rate")).select()? {
            SelectedLogs::One(log) => open_screen(&log, &self.screen, global, out),
            SelectedLogs::Several(logs) => open_list(logs, &self.screen, out),
        }
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
        LogView::open(log_disk(), log, global.index.as_deref())?;
        let log = shell_path(log);
        return Err(CommandFailure::Usage {
            message: reason.into(),
            hint: format!("Use `chronicle verify {log}` or `chronicle cat {log}` instead"),
        });
    }
    if !screen.read_only {
        CommandPaths::new(global).reads_log("the log", log).saves_index_of(log).check()?;
    }
    let options = tui::TuiOptions {
        index_path: global.index.clone(),
        journal_dir: global.journal.clone(),
        ..screen.options(log.to_owned(), config)
    };
    end_of_screen(tui::run(options))
}

/// Runs the list of several logs until the user quits. Without a terminal it fails and names the command to use instead.
fn open_list(logs: Vec<PathBuf>, screen: &ScreenArgs, out: &mut CommandOutput) -> CommandResult {
    out.flush()?;
    let config = screen.config.load()?;
    if let Some(reason) = screen_obstacle() {
        let names: Vec<String> = logs.iter().map(|log| shell_path(log)).collect();
        return Err(CommandFailure::Usage {
            message: reason.into(),
            hint: format!("Use `chronicle verify {}` instead", names.join(" ")),
        });
    }
    end_of_screen(tui::run_log_list(logs, &screen.options(PathBuf::new(), config)))
}

fn end_of_screen(result: anyhow::Result<()>) -> CommandResult {
    match result {
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
        assert!(is_ascii(&[("LANG", "de_DE.ISO-8859-15@euro")]) && is_ascii(&[("LC_ALL", ""), ("LANG", "C")]));
        for unicode in [("LANG", "C.UTF-8"), ("LC_CTYPE", "de_DE.utf8@euro"), ("LANG", "en_US"), ("LANG", "")] {
            assert!(!is_ascii(&[unicode]), "{unicode:?}");
        }
        assert!(!is_ascii(&[("LC_ALL", ""), ("LANG", "en_US.UTF-8"), ("OTHER", "C")]));
    }
}
