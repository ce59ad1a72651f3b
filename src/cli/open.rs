//! Opening a log for a command, with the side files where the command line wants them; and `open`, the screen.

use std::io::{self, IsTerminal};
use std::path::Path;

use super::args::{ColorArg, OpenArgs, ScreenArgs, Side};
use super::fail::{Failure, Run};
use super::index_args::Threads;
use super::out::Out;
use crate::index::{IndexFault, IndexState};
use crate::inspect::LogView;
use crate::repair::{self, Record, Site, kept_in};
use crate::report::{Status, path_text};
use crate::{EventLog, Finding, Kind, OpenOptions, StorageError, tui};

/// How to open a log with the side files of the command line.
pub(super) fn options(side: &Side) -> OpenOptions {
    let options = OpenOptions::new().threads(Threads::default().number());
    let options = match &side.index {
        Some(file) => options.index(file),
        None => options,
    };
    match &side.journal {
        Some(folder) => options.journal(folder),
        None => options,
    }
}

/// Opens a log to be read.
pub(super) fn log_to_read(path: &Path, side: &Side) -> Result<EventLog, StorageError> {
    options(side).open_read_only(path)
}

/// The log and its index after every page of the index was checked: a flipped bit anywhere makes it corrupt.
pub(super) fn view_with_checked_index(log: &EventLog) -> LogView {
    let mut view = log.view().clone();
    if let Some(Err(fault)) = view.persisted().map(|index| index.check()) {
        let ahead = matches!(view.state(), IndexState::Ahead { .. });
        let seen = view.witnessed_end().filter(|_| ahead);
        // It witnesses nothing any more; but before it is built anew somebody should know what its head still says.
        let seen =
            seen.map(|end| format!("; its head is whole and has seen the log reach {end}, which it does not now"));
        view.index_is_corrupt(why(fault) + &seen.unwrap_or_default());
    }
    view
}

/// Where the original bytes of gaps are kept: the journals are read when the first gap asks.
pub(super) struct Kept {
    site: Site,
    records: Option<Vec<Record>>,
}

impl Kept {
    /// By the journals of this log.
    pub(super) fn of(log: &EventLog) -> Result<Self, StorageError> {
        Ok(Self { site: log.options().site(&log.path())?, records: None })
    }

    /// The journal that keeps the bytes of a gap; `None` for what is no gap, and where no journal says so.
    pub(super) fn journal(&mut self, found: &Finding) -> Option<&Path> {
        if found.kind != Kind::Gap {
            return None;
        }
        // A folder that cannot be read tells nothing; the gap is told all the same.
        let read = || repair::records(&self.site).map(|(records, _)| records).unwrap_or_default();
        kept_in(self.records.get_or_insert_with(read), found.range())
    }
}

/// What is wrong with an index that could be opened and cannot be read.
pub(super) fn why(fault: IndexFault) -> String {
    match fault {
        IndexFault::Corrupt(reason) => reason,
        IndexFault::Io(error) => error.to_string(),
        IndexFault::Missing => "it was there a moment ago".into(),
        IndexFault::Unsupported(version) => format!("it became one of version {version}"),
    }
}

pub(super) fn open(args: &OpenArgs, side: &Side, out: &mut Out) -> Run {
    open_screen(&args.log, &args.screen, side, out)
}

/// True when there is a terminal to draw on and to read keys from.
pub(super) fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Opens the screen over a log; without a terminal, says what to use instead.
pub(super) fn open_screen(log: &Path, screen: &ScreenArgs, side: &Side, out: &mut Out) -> Run {
    out.flush()?;
    if !has_terminal() {
        let log = path_text(log);
        return Err(Failure::Usage {
            error: "the screen needs a terminal, and this is none".into(),
            next: format!("Use `chronicle info {log}`, `chronicle verify {log}` or `chronicle cat {log}` instead"),
        });
    }
    let options = tui::Options {
        path: log.to_owned(),
        read_only: screen.read_only,
        scan: !screen.no_scan,
        rate: screen.rate,
        index: side.index.clone(),
        journal: side.journal.clone(),
        color: screen.color.into(),
        mouse: !screen.no_mouse,
    };
    match tui::run(options) {
        Ok(()) => Ok(Status::Done),
        Err(error) => Err(match error.downcast::<StorageError>() {
            Ok(error) => error.into(),
            Err(error) => Failure::Screen(format!("{error:#}")),
        }),
    }
}

impl From<ColorArg> for tui::Color {
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
