//! The log's journals, looked at now and then: what another process has repaired.

use std::ffi::OsString;
use std::fs;
use std::time::{Duration, Instant};

use super::Shared;
use crate::repair::{Record, RecordState, records};
use crate::tui::message::Change;

/// Between two looks at the folder.
const LOOK: Duration = Duration::from_millis(500);

/// The journals, as they were looked at last.
#[derive(Debug)]
pub(super) struct Journals {
    /// Their names and sizes: a journal is only ever appended to.
    files: Vec<(OsString, u64)>,
    known: Vec<(u32, RecordState)>,
    looked: Instant,
}

impl Journals {
    /// Those that are there now.
    pub(super) fn of(shared: &Shared) -> Self {
        let known = read(shared).iter().map(state).collect();
        Self { files: files(shared), known, looked: Instant::now() }
    }

    /// What was done since, once it is done. Where the log is known to have `changed`, it is looked at now, and a repair
    /// that is under way, or was killed, is told of too.
    pub(super) fn news(&mut self, shared: &Shared, changed: bool) -> Option<Change> {
        if !changed && self.looked.elapsed() < LOOK {
            return None;
        }
        self.looked = Instant::now();
        let files = files(shared);
        if !changed && files == self.files {
            return None;
        }
        self.files = files;
        let told = |state| match state {
            RecordState::Unfinished => false,
            RecordState::Pending => changed,
            RecordState::Applied | RecordState::RolledBack => true,
        };
        let records = read(shared);
        let new = records.iter().rev().find(|record| told(record.state) && !self.known.contains(&state(record)))?;
        self.known = records.iter().filter(|record| told(record.state)).map(state).collect();
        Some(Change::Repaired { number: new.number, undoes: new.plan.undoes, state: new.state })
    }
}

fn state(record: &Record) -> (u32, RecordState) {
    (record.number, record.state)
}

fn files(shared: &Shared) -> Vec<(OsString, u64)> {
    let entries = fs::read_dir(shared.journals()).into_iter().flatten().flatten();
    let mut files: Vec<_> =
        entries.map(|entry| (entry.file_name(), entry.metadata().map_or(0, |meta| meta.len()))).collect();
    files.sort_unstable();
    files
}

/// What cannot be read now is read at the next look.
fn read(shared: &Shared) -> Vec<Record> {
    let site = shared.options().site(shared.path());
    site.and_then(|site| records(&site)).map(|(records, _)| records).unwrap_or_default()
}
