//! Polls the journal folder of the log to detect repairs made by other processes.

use std::ffi::OsString;
use std::fs;
use std::time::{Duration, Instant};

use super::SharedState;
use crate::repair::{RepairRecord, RepairState, read_repair_history};
use crate::tui::message::LogChange;

/// Time between two listings of the folder while the log itself has not changed.
const JOURNAL_POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Whether the log's bytes are known to have changed other than by growing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogContents {
    /// The log was cut or overwritten.
    Changed,
    /// No change was detected, or the log has only grown.
    Unchanged,
}

/// The journals of the log, as of the last poll.
#[derive(Debug)]
pub(super) struct JournalWatcher {
    /// Name and size of each journal. A journal is append-only, so every change of it changes its size.
    files: Vec<(OsString, u64)>,
    /// Number and state of each repair that was reported, or that existed when the watcher was created.
    reported_states: Vec<(u32, RepairState)>,
    last_polled: Instant,
}

impl JournalWatcher {
    /// Creates a watcher that knows the journals that exist now. It reports only later repairs.
    pub(super) fn new(shared: &SharedState) -> Self {
        let reported_states = read_records(shared).iter().map(record_key).collect();
        Self { files: list_files(shared), reported_states, last_polled: Instant::now() }
    }

    /// Returns the newest repair that was completed since the last poll.
    ///
    /// When the log's contents have changed, the folder is read at once, and a repair that is still running or was
    /// killed is returned too, because it explains the change.
    pub(super) fn poll(&mut self, shared: &SharedState, contents: LogContents) -> Option<LogChange> {
        let is_changed = contents == LogContents::Changed;
        if !is_changed && self.last_polled.elapsed() < JOURNAL_POLL_INTERVAL {
            return None;
        }
        self.last_polled = Instant::now();
        let files = list_files(shared);
        if !is_changed && files == self.files {
            return None;
        }
        self.files = files;
        let is_reportable = |state| match state {
            RepairState::Unfinished => false,
            RepairState::Pending => is_changed,
            RepairState::Applied | RepairState::RolledBack | RepairState::Purged => true,
        };
        let records = read_records(shared);
        let newest = records
            .iter()
            .rev()
            .find(|record| is_reportable(record.state) && !self.reported_states.contains(&record_key(record)))?;
        self.reported_states = records.iter().filter(|record| is_reportable(record.state)).map(record_key).collect();
        Some(LogChange::Repaired { number: newest.number, undoes: newest.plan.undoes, state: newest.state })
    }
}

fn record_key(record: &RepairRecord) -> (u32, RepairState) {
    (record.number, record.state)
}

fn list_files(shared: &SharedState) -> Vec<(OsString, u64)> {
    let entries = fs::read_dir(shared.journal_folder()).into_iter().flatten().flatten();
    let mut files: Vec<_> =
        entries.map(|entry| (entry.file_name(), entry.metadata().map_or(0, |meta| meta.len()))).collect();
    files.sort_unstable();
    files
}

/// Reads the repair history. Returns an empty history when it cannot be read; the next poll tries again.
fn read_records(shared: &SharedState) -> Vec<RepairRecord> {
    let paths = shared.open_options().log_paths(shared.path());
    paths.and_then(|paths| read_repair_history(&paths)).unwrap_or_default().records
}
