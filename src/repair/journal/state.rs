//! The state records of a journal: their meaning, and how one is appended.

use std::path::Path;

use crate::StorageError;
use crate::file::Storage;
use crate::file::storage::append_all;
use crate::format::frame;

/// A state of a repair, as a record in its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JournalState {
    /// The journal is complete, so the log may be changed after this record.
    Prepared,
    /// The log is as the plan describes it.
    Applied,
    /// The log is as it was before the repair.
    RolledBack,
    /// The log is as the plan describes it, and the bytes from before it were destroyed.
    Purged,
}

impl JournalState {
    const ALL: [Self; 4] = [Self::Prepared, Self::Applied, Self::RolledBack, Self::Purged];

    /// Returns the state with this name in the journal.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Prepared => "ready",
            Self::Applied => "applied",
            Self::RolledBack => "rolled_back",
            Self::Purged => "purged",
        }
    }

    /// Appends the record of the state to `out`.
    pub(super) fn encode(self, out: &mut Vec<u8>) {
        frame::encode(serde_json::json!({ "state": self.name() }).to_string().as_bytes(), out);
    }
}

/// Appends a state record to a journal that is open for append, and syncs the journal.
pub(super) fn append_state_record(storage: &dyn Storage, path: &Path, state: JournalState) -> Result<(), StorageError> {
    let mut bytes = Vec::new();
    state.encode(&mut bytes);
    append_all(storage, &bytes).map_err(|error| StorageError::io(path, "write", error))?;
    storage.sync().map_err(|error| StorageError::io(path, "sync", error))
}
