//! Writing a repair's journal: durable, file and folder, before the first byte of the log changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{LogPaths, Plan};
use crate::StorageError;
use crate::file::storage::append_all;
use crate::file::{OpenMode, Storage};
use crate::format::frame;
use crate::format::journal::{self, JournalSection};

/// Where the journals of the log at `path` stand unless somebody says otherwise: `<log>.repairs`.
pub fn journal_folder(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".repairs");
    path.with_file_name(name)
}

/// How far a repair says that it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JournalState {
    /// All that it needs is in the journal: from here on the log may be touched.
    Prepared,
    /// The log is as the plan shows it.
    Applied,
    /// The log is as it was.
    RolledBack,
}

impl JournalState {
    pub(super) const ALL: [(JournalState, &'static str); 3] = [
        (JournalState::Prepared, "ready"),
        (JournalState::Applied, "applied"),
        (JournalState::RolledBack, "rolled_back"),
    ];

    fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }
}

/// A journal being written.
#[derive(Debug)]
pub(super) struct JournalWriter<'a> {
    paths: &'a LogPaths,
    storage: Arc<dyn Storage>,
    path: PathBuf,
    number: u32,
}

impl<'a> JournalWriter<'a> {
    /// Begins the next journal of the log, in its folder, which is created when it is not there.
    pub(super) fn create(paths: &'a LogPaths, plan: &Plan) -> Result<Self, StorageError> {
        let (disk, folder) = (paths.disk.as_ref(), paths.journal_folder());
        let io = |action| {
            let folder = folder.clone();
            move |error| StorageError::io(&folder, action, error)
        };
        disk.create_folder(&folder, &paths.path).map_err(io("create the journal folder"))?;
        let parent = folder.parent().unwrap_or(Path::new(""));
        disk.sync_folder(parent).map_err(io("sync the folder of"))?;
        let taken = disk.list(&folder).map_err(io("list"))?;
        let number = taken.iter().filter_map(|path| journal_number(path)).max().unwrap_or_default() + 1;
        let name = plan.journal_name();
        let path = folder.join(format!("{number:04}-{name}.journal"));
        let like = OpenMode::CreateSidecar { permissions_from: &paths.path };
        let storage = disk.open(&path, like).map_err(|error| StorageError::io(&path, "create", error))?;
        let mut journal = Self { paths: paths, storage, path, number };
        let begun = journal.write_plan(plan, name);
        if begun.is_err() {
            journal.discard();
        }
        begun.map(|()| journal)
    }

    fn write_plan(&mut self, plan: &Plan, name: &str) -> Result<(), StorageError> {
        let json = plan.to_json().map_err(|error| StorageError::io(&self.path, "write", error.into()))?;
        let about = serde_json::json!({ "repair": name, "id": plan.id, "plan_bytes": json.len() });
        let mut bytes = journal::encode_header((self.paths.clock)());
        frame::encode(about.to_string().as_bytes(), &mut bytes);
        for part in json.as_bytes().chunks(journal::MAX_CHUNK_LEN) {
            frame::encode_with(&mut bytes, |out| {
                out.push(journal::PLAN_LETTER);
                out.extend_from_slice(part);
            });
        }
        self.append(&bytes)
    }

    /// Keeps bytes that stand, or will stand, at `offset` of their file, at most a chunk of them.
    pub(super) fn append_bytes(&mut self, part: JournalSection, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        let mut frame = Vec::with_capacity(bytes.len() + 32);
        journal::encode_section(part, offset, bytes, &mut frame);
        self.append(&frame)
    }

    /// Says how far the repair has come. When it returns, the journal and its name are on stable storage.
    pub(super) fn append_state(&mut self, state: JournalState) -> Result<(), StorageError> {
        let folder = self.path.parent().unwrap_or(Path::new("")).to_owned();
        if state == JournalState::Prepared {
            // A word may reach the disk before what was written earlier: it is said once all of that is there.
            self.storage.sync().map_err(|error| StorageError::io(&self.path, "sync", error))?;
        }
        append_state_to(self.storage.as_ref(), &self.path, state)?;
        self.paths.disk.sync_folder(&folder).map_err(|error| StorageError::io(&folder, "sync", error))
    }

    /// Takes away a journal that never became whole. It may fail: then it is litter that says of itself that it is
    /// unfinished.
    pub(super) fn discard(&self) {
        let _ = self.paths.disk.remove(&self.path);
    }

    /// Where it stands.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The repair's number.
    pub(super) const fn number(&self) -> u32 {
        self.number
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        append_all(self.storage.as_ref(), bytes).map_err(|error| StorageError::io(&self.path, "write", error))
    }
}

/// Appends a word to a journal that is open for append, and syncs it.
pub(super) fn append_state_to(storage: &dyn Storage, path: &Path, state: JournalState) -> Result<(), StorageError> {
    let mut bytes = Vec::new();
    let word = serde_json::json!({ "state": state.as_str() });
    frame::encode(word.to_string().as_bytes(), &mut bytes);
    append_all(storage, &bytes).map_err(|error| StorageError::io(path, "write", error))?;
    storage.sync().map_err(|error| StorageError::io(path, "sync", error))
}

/// The number that a journal's name starts with.
pub(super) fn journal_number(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.split('-').next()?.parse().ok()
}
