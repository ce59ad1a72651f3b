//! The logs that `open`, `verify` and `info` take: one log, which is reported in full, or several, with one line for each.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::failure::{CommandFailure, CommandResult};
use super::options::GlobalArgs;
use super::output::{CommandOutput, failure_json};
use super::remote_logs;
use crate::StorageError;
use crate::file::{Disk, OsDisk, has_segments};
use crate::format::LogHeader;
use crate::format::header::{MAX_HEADER_LEN, looks_like_version_0};
use crate::inspect::index_path;
use crate::report::{ExitStatus, safe_path_text};

/// How much a command prints about a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReportDetail {
    /// Everything: the only log of the command line.
    Full,
    /// One line, as for each of several logs.
    Line,
}

/// The logs of the command line.
pub(super) struct LogList<'a> {
    paths: &'a [PathBuf],
    /// An option of the command line that makes sense for one log only.
    one_log_option: Option<&'static str>,
}

impl<'a> LogList<'a> {
    /// Creates the list. The global options name the side files of one log.
    pub(super) fn new(paths: &'a [PathBuf], global: &GlobalArgs) -> Self {
        let index = global.index.as_ref().map(|_| "--index");
        Self { paths, one_log_option: index.or(global.journal.as_ref().map(|_| "--journal")) }
    }

    /// Adds an option of the command line that makes sense for one log only; `None` when it is not given.
    pub(super) fn for_one_log(self, option: Option<&'static str>) -> Self {
        Self { one_log_option: self.one_log_option.or(option), ..self }
    }
}

/// The logs that a command line selects.
pub(super) enum SelectedLogs {
    /// One log, which is named.
    One(PathBuf),
    /// Several logs, or those of folders.
    Several(Vec<PathBuf>),
}

impl LogList<'_> {
    /// Replaces folders by the logs in them.
    ///
    /// # Errors
    /// `Usage` for a folder without a log, and for an option that concerns one log when there are several; `Io` when a folder
    /// cannot be listed.
    pub(super) fn select(&self) -> Result<SelectedLogs, CommandFailure> {
        if let [path] = self.paths
            && !is_folder_of_logs(path)
            && !remote_logs::is_prefix(path)?
        {
            return Ok(SelectedLogs::One(path.clone()));
        }
        if let Some(option) = self.one_log_option {
            return Err(CommandFailure::Usage {
                message: format!("{option} concerns one log, and several logs are given"),
                hint: format!("Name one log, or leave out {option}"),
            });
        }
        expand_folders(self.paths).map(SelectedLogs::Several)
    }
}

/// Runs `report` for the log, or for each of the logs and of the logs in the folders, in the order of the command line.
///
/// With several logs, a failure is reported as the line of its log, and the others follow. Returns the worst status.
///
/// # Errors
/// `Usage` for a folder without a log, and for an option that concerns one log when there are several; `Io` when a folder cannot
/// be listed; the failure of `report` for the only log, and a failure to print.
pub(super) fn report_each(
    logs: &LogList,
    out: &mut CommandOutput,
    report: &mut dyn FnMut(&Path, ReportDetail, &mut CommandOutput) -> CommandResult,
) -> CommandResult {
    let paths = match logs.select()? {
        SelectedLogs::One(path) => return report(&path, ReportDetail::Full, out),
        SelectedLogs::Several(paths) => paths,
    };
    let mut status = ExitStatus::Done;
    let mut started = 0;
    for (at, path) in paths.iter().enumerate() {
        remote_logs::read_ahead(&paths, at, &mut started);
        status = status.combine(match report(path, ReportDetail::Line, out) {
            Ok(status) => status,
            Err(failure @ CommandFailure::Stdout(_)) => return Err(failure),
            Err(failure) => {
                print_failure_line(&failure, out)?;
                failure.exit_status()
            }
        });
        out.flush()?;
    }
    Ok(status)
}

/// Returns the end of the line of a log: its exit status, unless that is 0.
pub(super) fn exit_suffix(status: ExitStatus) -> String {
    if status == ExitStatus::Done { String::new() } else { format!(" (exit {})", status.code()) }
}

fn print_failure_line(failure: &CommandFailure, out: &mut CommandOutput) -> Result<(), CommandFailure> {
    if out.is_json() {
        return out.print_json(&failure_json(failure));
    }
    out.print_line(&format!("{}{}", failure.message(), exit_suffix(failure.exit_status())))?;
    out.print_note(&format!("  {}.", failure.hint()));
    Ok(())
}

/// Replaces each folder that is not a log by the logs in it, sorted by name. Its folders are not searched.
fn expand_folders(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CommandFailure> {
    let mut logs = Vec::new();
    for path in paths {
        let mut found = if remote_logs::is_prefix(path)? {
            remote_logs::logs_below(path)?
        } else if is_folder_of_logs(path) {
            logs_in_folder(path)?
        } else {
            logs.push(path.clone());
            continue;
        };
        if found.is_empty() {
            return Err(CommandFailure::Usage {
                message: format!("{}: no log in this folder", safe_path_text(path)),
                hint: "Name a folder with logs: files named `.log`, with an index, or with the start of a log".into(),
            });
        }
        found.sort();
        logs.append(&mut found);
    }
    Ok(logs)
}

fn logs_in_folder(path: &Path) -> Result<Vec<PathBuf>, StorageError> {
    let io_error = |error| StorageError::io(path, "list", error);
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(io_error)? {
        let file = entry.map_err(io_error)?.path();
        if is_log(&file) {
            found.push(file);
        }
    }
    Ok(found)
}

/// True for a folder that is not a log itself.
fn is_folder_of_logs(path: &Path) -> bool {
    path.is_dir() && !OsDisk.resolve(path).is_ok_and(|folder| has_segments(&OsDisk, &folder))
}

/// True for a folder of segments, and for a file that is named as a log, has an index, or starts like a log. A log whose start is damaged is recognised by
/// its name or its index.
fn is_log(path: &Path) -> bool {
    if !path.is_file() {
        return path.is_dir() && has_segments(&OsDisk, path);
    }
    let mut first = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_HEADER_LEN as u64).read_to_end(&mut first));
    let starts_like_log = read.is_ok() && (LogHeader::decode(&first).is_ok() || looks_like_version_0(&first));
    starts_like_log || path.extension().is_some_and(|extension| extension == "log") || index_path(path).is_file()
}
