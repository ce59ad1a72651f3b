//! [`FolderStore`]: backups in a folder of the local file systems.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::store::{ObjectStore, StoredObject};
use crate::StorageError;
use crate::file::storage::read_full;
use crate::file::{Disk, ExistingFile, NewFile, OpenMode, OsDisk, folder_of, permissions_source};

/// Largest number of objects that a folder may list.
const MAX_OBJECTS: usize = 4_000_000;
/// How deep the folders below the store are.
const MAX_DEPTH: usize = 3;

/// A folder with one file for each object.
#[derive(Debug)]
pub(crate) struct FolderStore {
    root: PathBuf,
    /// The log whose owner, group and mode the files get; `None` when the store is only read.
    log: Option<PathBuf>,
}

impl FolderStore {
    /// Creates the store in the folder `root`, which is created by the first write. `log` is the log whose owner, group and mode
    /// new files get.
    pub(crate) fn new(root: &Path, log: Option<&Path>) -> Self {
        Self { root: root.to_owned(), log: log.map(|log| permissions_source(&OsDisk, log)) }
    }

    fn write_file(&self, key: &str, bytes: &[u8], existing: ExistingFile) -> Result<(), StorageError> {
        let path = self.path_of(key);
        let Some(log) = &self.log else {
            return Err(StorageError::io(&path, "write", ErrorKind::Unsupported.into()));
        };
        self.create_folders(folder_of(&path), log)?;
        let mut file = NewFile::create_sidecar(&OsDisk, &path, existing, log)?;
        file.append(bytes)?;
        file.commit()
    }

    /// Creates the folders of an object that are not there, and syncs their names.
    fn create_folders(&self, folder: &Path, log: &Path) -> Result<(), StorageError> {
        if folder.is_dir() {
            return Ok(());
        }
        let parent = folder_of(folder);
        if folder != self.root {
            self.create_folders(parent, log)?;
        }
        let created = OsDisk.create_folder(folder, log).and_then(|()| OsDisk.sync_folder(parent));
        created.map_err(|error| StorageError::io(folder, "create the folder", error))
    }
}

impl ObjectStore for FolderStore {
    fn path_of(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    fn list(&self, folder: &str) -> Result<Vec<StoredObject>, StorageError> {
        let mut objects = Vec::new();
        list_folder(&self.root.join(folder), MAX_DEPTH, &mut objects)?;
        Ok(objects)
    }

    fn read(&self, key: &str, max_bytes: u64) -> Result<Vec<u8>, StorageError> {
        let path = self.path_of(key);
        let read = || {
            let file = OsDisk.open(&path, OpenMode::ReadSidecar)?;
            let len = file.len()?;
            if len > max_bytes {
                let reason = format!("expected at most {max_bytes} bytes, found {len}");
                return Err(io::Error::new(ErrorKind::InvalidData, reason));
            }
            let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
            let found = read_full(file.as_ref(), &mut bytes, 0)?;
            bytes.truncate(found);
            Ok(bytes)
        };
        read().map_err(|error| StorageError::io(&path, "read", error))
    }

    fn write(&self, key: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.write_file(key, bytes, ExistingFile::Replace)
    }

    fn write_new(&self, key: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.write_file(key, bytes, ExistingFile::Keep)
    }
}

fn list_folder(folder: &Path, depth: usize, objects: &mut Vec<StoredObject>) -> Result<(), StorageError> {
    let io = |error| StorageError::io(folder, "list", error);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(io)?,
    };
    for entry in entries {
        let entry = entry.map_err(io)?;
        let metadata = match entry.metadata() {
            // A temporary file of another process has its final name now.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            metadata => metadata.map_err(io)?,
        };
        if metadata.is_dir() && depth > 0 {
            list_folder(&entry.path(), depth - 1, objects)?;
        } else if metadata.is_file()
            && let Ok(name) = entry.file_name().into_string()
        {
            if objects.len() >= MAX_OBJECTS {
                return Err(io(io::Error::other(format!("the folder has more than {MAX_OBJECTS} files"))));
            }
            objects.push(StoredObject { name, bytes: metadata.len() });
        }
    }
    Ok(())
}
