//! `open`: the full-screen inspector, and the screen options that `demo` shares.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::command_paths::CommandPaths;
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
    /// Colours to use
    #[arg(long, value_enum, default_value_t = ColorArg::Auto)]
    color: ColorArg,
    /// Show times in this zone at first: utc, local, a name such as Europe/Berlin, or an offset such as +05:30
    #[arg(long, value_name = "ZONE", value_parser = units::DisplayZone::parse)]
    zone: Option<units::DisplayZone>,
    /// Leave the mouse to the terminal
    #[arg(long)]
    no_mouse: bool,
}

/// Values of `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ColorArg {
    /// The terminal's 16 colours, or none if `NO_COLOR` is set
    Auto,
    /// The terminal's 16 colours, even if `NO_COLOR` is set
    Always,
    /// High contrast on black
    Dark,
    /// High contrast on white
    Light,
    /// No colours
    Mono,
}

impl From<ColorArg> for tui::ColorChoice {
    fn from(choice: ColorArg) -> Self {
        match choice {
            ColorArg::Auto => Self::Auto,
            ColorArg::Always => Self::Always,
            ColorArg::Dark => Self::Dark,
            ColorArg::Light => Self::Light,
            ColorArg::Mono => Self::Mono,
        }
    }
}

impl OpenArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        open_screen(&self.log, &self.screen, global, out)
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
    let options = tui::TuiOptions {
        path: log.to_owned(),
        read_only: screen.read_only,
        scan: !screen.no_scan,
        max_read_rate: screen.rate,
        index_path: global.index.clone(),
        journal_dir: global.journal.clone(),
        color: screen.color.into(),
        zone: screen.zone,
        mouse: !screen.no_mouse,
    };
    match tui::run(options) {
        Ok(()) => Ok(ExitStatus::Done),
        Err(error) => Err(match error.downcast::<StorageError>() {
            Ok(error) => error.into(),
            Err(error) => CommandFailure::Screen(format!("{error:#}")),
        }),
    }
}
