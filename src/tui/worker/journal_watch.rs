//! The log's journals, looked at now and then: what another process has repaired.

use std::ffi::OsString;
use std::fs;
use std::time::{Duration, Instant};

use super::SharedState;
use crate::repair::{RepairRecord, RepairState, read_repair_records};
use crate::tui::message::LogChange;

/// Between two looks at the folder.
const JOURNAL_POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The journals, as they were looked at last.
#[derive(Debug)]
pub(super) struct JournalWatcher {
    /// Their names and sizes: a journal is only ever appended to.
    files: Vec<(OsString, u64)>,
    reported_states: Vec<(u32, RepairState)>,
    last_polled: Instant,
}

impl JournalWatcher {
    /// Those that are there now.
    pub(super) fn new(shared: &SharedState) -> Self {
        let known = read_records(shared).iter().map(record_key).collect();
        Self { files: list_files(shared), reported_states: known, last_polled: Instant::now() }
    }

    /// What was done since, once it is done. Where the log is known to have `changed`, it is looked at now, and a repair
    /// that is under way, or was killed, is told of too.
    pub(super) fn poll(&mut self, shared: &SharedState, changed: bool) -> Option<LogChange> {
        if !changed && self.last_polled.elapsed() < JOURNAL_POLL_INTERVAL {
            return None;
        }
        self.last_polled = Instant::now();
        let files = list_files(shared);
        if !changed && files == self.files {
            return None;
        }
        self.files = files;
        let is_reportable = |state| match state {
            RepairState::Unfinished => false,
            RepairState::Pending => changed,
            RepairState::Applied | RepairState::RolledBack => true,
        };
        let records = read_records(shared);
        let new = records
            .iter()
            .rev()
            .find(|record| is_reportable(record.state) && !self.reported_states.contains(&record_key(record)))?;
        self.reported_states = records.iter().filter(|record| is_reportable(record.state)).map(record_key).collect();
        Some(LogChange::Repaired { number: new.number, undoes: new.plan.undoes, state: new.state })
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

/// What cannot be read now is read at the next look.
fn read_records(shared: &SharedState) -> Vec<RepairRecord> {
    let site = shared.open_options().log_paths(shared.path());
    site.and_then(|site| read_repair_records(&site)).map(|(records, _)| records).unwrap_or_default()
}
