//! Opening a log for a command, with the side files where the command line wants them; and `open`, the screen.

use std::io::{self, IsTerminal};
use std::path::Path;

use super::args::{ColorArg, GlobalArgs, OpenArgs, ScreenArgs};
use super::failure::{CommandFailure, CommandResult};
use super::index_args::ThreadArgs;
use super::output::CommandOutput;
use crate::index::{IndexFault, IndexState};
use crate::inspect::LogView;
use crate::repair::{self, LogPaths, RepairRecord, find_gap_journal};
use crate::report::{ExitStatus, safe_path_text};
use crate::{DamageKind, EventLog, Finding, OpenOptions, StorageError, tui};

/// How to open a log with the side files of the command line.
pub(super) fn open_options(global: &GlobalArgs) -> OpenOptions {
    let options = OpenOptions::new().threads(ThreadArgs::default().count());
    let options = match &global.index {
        Some(file) => options.index_path(file),
        None => options,
    };
    match &global.journal {
        Some(folder) => options.journal_folder(folder),
        None => options,
    }
}

/// Opens a log to be read.
pub(super) fn open_read_only(path: &Path, global: &GlobalArgs) -> Result<EventLog, StorageError> {
    open_options(global).open_read_only(path)
}

/// The log and its index after every page of the index was checked: a flipped bit anywhere makes it corrupt.
pub(super) fn view_with_checked_index(log: &EventLog) -> LogView {
    let mut view = log.view().clone();
    if let Some(Err(fault)) = view.persisted_index().map(|index| index.check()) {
        let ahead = matches!(view.index_state(), IndexState::Ahead { .. });
        let seen = view.trusted_index_end().filter(|_| ahead);
        // It witnesses nothing any more; but before it is built anew somebody should know what its head still says.
        let seen =
            seen.map(|end| format!("; its head is whole and has seen the log reach {end}, which it does not now"));
        view.mark_index_corrupt(index_fault_reason(fault) + &seen.unwrap_or_default());
    }
    view
}

/// Where the original bytes of gaps are kept: the journals are read when the first gap asks.
pub(super) struct GapJournals {
    paths: LogPaths,
    records: Option<Vec<RepairRecord>>,
}

impl GapJournals {
    /// By the journals of this log.
    pub(super) fn for_log(log: &EventLog) -> Result<Self, StorageError> {
        Ok(Self { paths: log.options().log_paths(&log.path())?, records: None })
    }

    /// The journal that keeps the bytes of a gap; `None` for what is no gap, and where no journal says so.
    pub(super) fn journal_of(&mut self, found: &Finding) -> Option<&Path> {
        if found.kind != DamageKind::Gap {
            return None;
        }
        // A folder that cannot be read tells nothing; the gap is told all the same.
        let read = || repair::read_repair_records(&self.paths).map(|(records, _)| records).unwrap_or_default();
        find_gap_journal(self.records.get_or_insert_with(read), found.range())
    }
}

/// What is wrong with an index that could be opened and cannot be read.
pub(super) fn index_fault_reason(fault: IndexFault) -> String {
    match fault {
        IndexFault::Corrupt(reason) => reason,
        IndexFault::Io(error) => error.to_string(),
        IndexFault::Missing => "it was there a moment ago".into(),
        IndexFault::Unsupported(version) => format!("it became one of version {version}"),
    }
}

pub(super) fn open(args: &OpenArgs, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
    open_screen(&args.log, &args.screen, global, out)
}

/// True when there is a terminal to draw on and to read keys from.
pub(super) fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Opens the screen over a log; without a terminal, says what to use instead.
pub(super) fn open_screen(
    log: &Path,
    screen: &ScreenArgs,
    global: &GlobalArgs,
    out: &mut CommandOutput,
) -> CommandResult {
    out.flush()?;
    if !has_terminal() {
        let log = safe_path_text(log);
        return Err(CommandFailure::Usage {
            message: "the screen needs a terminal, and this is none".into(),
            hint: format!("Use `chronicle info {log}`, `chronicle verify {log}` or `chronicle cat {log}` instead"),
        });
    }
    let options = tui::TuiOptions {
        path: log.to_owned(),
        read_only: screen.read_only,
        scan: !screen.no_scan,
        max_read_rate: screen.rate,
        index_path: global.index.clone(),
        journal_dir: global.journal.clone(),
        color: screen.color.into(),
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
