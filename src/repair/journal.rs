//! Writing a repair's journal: durable, file and folder, before the first byte of the log changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Plan, Site};
use crate::StorageError;
use crate::file::storage::append_all;
use crate::file::{Open, Storage};
use crate::format::frame;
use crate::format::journal::{self, Part};

/// Where the journals of the log at `path` stand unless somebody says otherwise: `<log>.repairs`.
pub fn journal_folder(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".repairs");
    path.with_file_name(name)
}

/// How far a repair says that it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// All that it needs is in the journal: from here on the log may be touched.
    Ready,
    /// The log is as the plan shows it.
    Applied,
    /// The log is as it was.
    RolledBack,
}

impl Said {
    pub(super) const ALL: [(Said, &'static str); 3] =
        [(Said::Ready, "ready"), (Said::Applied, "applied"), (Said::RolledBack, "rolled_back")];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }
}

/// A journal being written.
#[derive(Debug)]
pub(super) struct Journal<'a> {
    site: &'a Site,
    storage: Arc<dyn Storage>,
    path: PathBuf,
    number: u32,
}

impl<'a> Journal<'a> {
    /// Begins the next journal of the log, in its folder, which is created when it is not there.
    pub(super) fn begin(site: &'a Site, plan: &Plan) -> Result<Self, StorageError> {
        let (disk, folder) = (site.disk.as_ref(), site.journal_folder());
        let io = |action| {
            let folder = folder.clone();
            move |error| StorageError::io(&folder, action, error)
        };
        disk.create_folder(&folder, &site.path).map_err(io("create the journal folder"))?;
        let parent = folder.parent().unwrap_or(Path::new(""));
        disk.sync_folder(parent).map_err(io("sync the folder of"))?;
        let taken = disk.list(&folder).map_err(io("list"))?;
        let number = taken.iter().filter_map(|path| number_of(path)).max().unwrap_or_default() + 1;
        let name = plan.name();
        let path = folder.join(format!("{number:04}-{name}.journal"));
        let like = Open::CreateSide { like: &site.path };
        let storage = disk.open(&path, like).map_err(|error| StorageError::io(&path, "create", error))?;
        let mut journal = Self { site, storage, path, number };
        let begun = journal.write_plan(plan, name);
        if begun.is_err() {
            journal.discard();
        }
        begun.map(|()| journal)
    }

    fn write_plan(&mut self, plan: &Plan, name: &str) -> Result<(), StorageError> {
        let json = plan.to_json().map_err(|error| StorageError::io(&self.path, "write", error.into()))?;
        let about = serde_json::json!({ "repair": name, "id": plan.id, "plan_bytes": json.len() });
        let mut bytes = journal::header((self.site.clock)());
        frame::encode(about.to_string().as_bytes(), &mut bytes);
        for part in json.as_bytes().chunks(journal::CHUNK) {
            frame::encode_with(&mut bytes, |out| {
                out.push(journal::PLAN);
                out.extend_from_slice(part);
            });
        }
        self.put(&bytes)
    }

    /// Keeps bytes that stand, or will stand, at `offset` of their file, at most a chunk of them.
    pub(super) fn keep(&mut self, part: Part, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        let mut frame = Vec::with_capacity(bytes.len() + 32);
        journal::put_bytes(part, offset, bytes, &mut frame);
        self.put(&frame)
    }

    /// Says how far the repair has come. When it returns, the journal and its name are on stable storage.
    pub(super) fn say(&mut self, said: Said) -> Result<(), StorageError> {
        let folder = self.path.parent().unwrap_or(Path::new("")).to_owned();
        if said == Said::Ready {
            // A word may reach the disk before what was written earlier: it is said once all of that is there.
            self.storage.sync().map_err(|error| StorageError::io(&self.path, "sync", error))?;
        }
        say(self.storage.as_ref(), &self.path, said)?;
        self.site.disk.sync_folder(&folder).map_err(|error| StorageError::io(&folder, "sync", error))
    }

    /// Takes away a journal that never became whole. It may fail: then it is litter that says of itself that it is
    /// unfinished.
    pub(super) fn discard(&self) {
        let _ = self.site.disk.remove(&self.path);
    }

    /// Where it stands.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The repair's number.
    pub(super) const fn number(&self) -> u32 {
        self.number
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        append_all(self.storage.as_ref(), bytes).map_err(|error| StorageError::io(&self.path, "write", error))
    }
}

/// Appends a word to a journal that is open for append, and syncs it.
pub(super) fn say(storage: &dyn Storage, path: &Path, said: Said) -> Result<(), StorageError> {
    let mut bytes = Vec::new();
    let word = serde_json::json!({ "state": said.word() });
    frame::encode(word.to_string().as_bytes(), &mut bytes);
    append_all(storage, &bytes).map_err(|error| StorageError::io(path, "write", error))?;
    storage.sync().map_err(|error| StorageError::io(path, "sync", error))
}

/// The number that a journal's name starts with.
pub(super) fn number_of(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.split('-').next()?.parse().ok()
}
