//! [`SourceLog`]: the interface through which an index syncs and reads the log from which it was built.

use std::fmt::Debug;
use std::sync::Arc;

use super::AggregateIndex;
use crate::StorageError;
use crate::file::LogFile;

/// The log from which an index was built.
///
/// The trait exists because the code that reads events from a log is in `inspect`, which this module must not import.
pub(crate) trait SourceLog: Debug + Send + Sync {
    /// The log file. It is synced before the index is saved.
    fn log(&self) -> &Arc<LogFile>;

    /// Reads the log from the end of the part that `index` covers, and adds the frames that start before `until`.
    ///
    /// # Errors
    /// `Io`, `OutOfMemory`, or `Changed` when the log cannot be read.
    fn extend(&self, index: &mut AggregateIndex, until: u64) -> Result<(), StorageError>;
}

/// The logs from which an index was built: one log, or several handles of one log after a merge.
#[derive(Debug, Clone, Default)]
pub(super) struct SourceLogs(Vec<Arc<dyn SourceLog>>);

impl SourceLogs {
    /// Adds a log unless the list contains it. Two handles of one file count as the same log, because syncing one of
    /// them puts the whole file on stable storage.
    pub(super) fn add(&mut self, source: Arc<dyn SourceLog>) {
        if !self.0.iter().any(|known| is_same_file(known.log(), source.log())) {
            self.0.push(source);
        }
    }

    /// Adds all logs of another list.
    pub(super) fn add_all(&mut self, others: &Self) {
        others.0.iter().cloned().for_each(|source| self.add(source));
    }

    /// The log from which a merge reads ranges again; `None` when the list is empty.
    pub(super) fn first(&self) -> Option<Arc<dyn SourceLog>> {
        self.0.first().cloned()
    }

    /// Iterates over the log files, each of which must be synced before the index is saved.
    pub(super) fn logs(&self) -> impl Iterator<Item = &Arc<LogFile>> {
        self.0.iter().map(|source| source.log())
    }
}

fn is_same_file(one: &Arc<LogFile>, other: &Arc<LogFile>) -> bool {
    let same_identity = || one.storage().identity().ok()?.is_same_file(other.storage().identity().ok()?);
    Arc::ptr_eq(one, other) || same_identity().unwrap_or(false)
}
