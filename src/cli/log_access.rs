//! Opens a log and its side files (index, journals) at the paths that the global options give.

use std::path::Path;

use super::options::{GlobalArgs, ThreadArgs};
use super::output::CommandOutput;
use crate::inspect::LogView;
use crate::log_disk::log_disk;
use crate::repair::{self, LogPaths, RepairRecord, find_gap_journal};
use crate::report::json::Json;
use crate::report::{removed_start_json, removed_start_sentence, safe_path_text};
use crate::{DamageKind, EventLog, Finding, OpenOptions, StorageError};

/// Returns options for opening a log, with the side files of the global options and one thread per processor.
pub(super) fn open_options(global: &GlobalArgs) -> OpenOptions {
    let options = OpenOptions::new().disk(log_disk()).threads(ThreadArgs::default().count());
    let options = match &global.index {
        Some(file) => options.index_path(file),
        None => options,
    };
    match &global.journal {
        Some(folder) => options.journal_folder(folder),
        None => options,
    }
}

/// Opens a log read-only.
pub(super) fn open_read_only(path: &Path, global: &GlobalArgs) -> Result<EventLog, StorageError> {
    open_options(global).open_read_only(path)
}

/// Opens a log read-only, and reports the side files that are not used.
pub(super) fn open_with_notices(
    path: &Path,
    global: &GlobalArgs,
    out: &mut CommandOutput,
) -> Result<EventLog, StorageError> {
    let log = open_read_only(path, global)?;
    print_side_file_notices(&log, out);
    Ok(log)
}

/// Reports on stderr the side files of a log that exist and are not used.
pub(super) fn print_side_file_notices(log: &EventLog, out: &mut CommandOutput) {
    for notice in log.side_file_notices() {
        out.print_notice(&notice, &Json::Object(vec![("notice", notice.as_str().into())]));
    }
}

/// Reports on stderr that the log starts after its first event because retention has removed segments.
pub(super) fn print_removed_start(log: &EventLog, out: &mut CommandOutput) {
    if let Some(start) = log.view().removed_start() {
        let notice = format!("{}: {}", safe_path_text(log.view().path()), removed_start_sentence(&start));
        let keys = vec![("notice", notice.as_str().into()), ("removed_start", removed_start_json(&start))];
        out.print_notice(&notice, &Json::Object(keys));
    }
}

/// Returns the view of a log after checking every page of its index; the state becomes `corrupt` when
/// a page is wrong, and `unreadable` when the system cannot read one.
///
/// Opening checks only the pages it needs, so a flipped bit elsewhere would stay unnoticed. This reads the whole
/// index once.
pub(super) fn view_with_checked_index(log: &EventLog) -> LogView {
    let view = log.view().clone();
    view.check_index();
    view
}

/// Finds the journal with the original bytes of a gap. The journals are read once, for the first gap.
pub(super) struct GapJournals {
    paths: LogPaths,
    records: Option<Vec<RepairRecord>>,
}

impl GapJournals {
    /// Prepares the lookup in the journals of `log`; reads nothing yet.
    pub(super) fn for_log(log: &EventLog) -> Result<Self, StorageError> {
        Ok(Self { paths: log.options().log_paths(&log.path())?, records: None })
    }

    /// Returns the journal with the original bytes of a gap; `None` for other findings and for gaps without a journal.
    pub(super) fn journal_of(&mut self, finding: &Finding) -> Option<&Path> {
        if finding.kind != DamageKind::Gap {
            return None;
        }
        // An unreadable journal folder must not hide the gap itself.
        let read = || repair::read_repair_history(&self.paths).unwrap_or_default().records;
        find_gap_journal(self.records.get_or_insert_with(read), finding.range())
    }
}
