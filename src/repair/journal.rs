//! Writing a repair's journal: durable, file and folder, before the first byte of the log changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::StorageError;
use crate::file::storage::append_all;
use crate::file::{Disk, LogFile, Open, Storage};
use crate::format::{frame, journal};

/// Where the journals of the log at `path` stand unless somebody says otherwise: `<log>.repairs`.
pub fn journal_folder(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".repairs");
    path.with_file_name(name)
}

/// A journal being written.
#[derive(Debug)]
pub(super) struct Journal {
    storage: Arc<dyn Storage>,
    path: PathBuf,
}

impl Journal {
    /// Begins the next journal in `folder`, which is created when it is not there, and says first what it is about.
    pub(super) fn begin(
        disk: &dyn Disk,
        folder: &Path,
        log: &LogFile,
        action: &str,
        now_ms: u64,
        about: &serde_json::Value,
    ) -> Result<Self, StorageError> {
        let io = |action| move |error| StorageError::io(folder, action, error);
        disk.create_folder(folder, log.path()).map_err(io("create the journal folder"))?;
        let parent = folder.parent().unwrap_or(Path::new(""));
        disk.sync_folder(parent).map_err(io("sync the folder of"))?;
        let taken = disk.list(folder).map_err(io("list"))?;
        let number = taken.iter().filter_map(|path| number_of(path)).max().unwrap_or_default() + 1;
        let path = folder.join(format!("{number:04}-{action}.journal"));
        let like = Open::CreateSide { like: log.path() };
        let storage = disk.open(&path, like).map_err(|error| StorageError::io(&path, "create", error))?;
        let mut journal = Self { storage, path };
        let mut bytes = journal::header(now_ms);
        frame::encode(about.to_string().as_bytes(), &mut bytes);
        journal.put(&bytes)?;
        Ok(journal)
    }

    /// Keeps the bytes of the log from `start` to `end`.
    pub(super) fn keep(&mut self, log: &LogFile, start: u64, end: u64) -> Result<(), StorageError> {
        let mut buf = vec![0; journal::CHUNK.min((end - start) as usize)];
        let mut at = start;
        let mut bytes = Vec::new();
        while at < end {
            let len = (end - at).min(buf.len() as u64);
            let chunk = buf.get_mut(..len as usize).unwrap_or_default();
            let read = log.read(chunk, at)?;
            log.expect_bytes(at + read as u64, at + len)?;
            bytes.clear();
            journal::put_bytes(at, chunk, &mut bytes);
            self.put(&bytes)?;
            at += len;
        }
        Ok(())
    }

    /// Says how far the repair has come.
    pub(super) fn say(&mut self, state: &serde_json::Value) -> Result<(), StorageError> {
        let mut bytes = Vec::new();
        frame::encode(state.to_string().as_bytes(), &mut bytes);
        self.put(&bytes)
    }

    /// Returns when the journal, and its name in the folder, are on stable storage.
    pub(super) fn sync(&self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.storage.sync().map_err(|error| StorageError::io(&self.path, "sync", error))?;
        let folder = self.path.parent().unwrap_or(Path::new(""));
        disk.sync_folder(folder).map_err(|error| StorageError::io(folder, "sync", error))
    }

    /// Where it stands.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        append_all(self.storage.as_ref(), bytes).map_err(|error| StorageError::io(&self.path, "write", error))
    }
}

/// The number that a journal's name starts with.
fn number_of(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.split('-').next()?.parse().ok()
}
