//! [`ObjectStore`]: where backups are kept, a folder or object storage.

use std::fmt::Debug;
use std::path::PathBuf;

use crate::StorageError;

/// An object that a store lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredObject {
    /// The part of its key after the last `/`.
    pub(crate) name: String,
    /// Its size, in bytes.
    pub(crate) bytes: u64,
}

/// A store of objects with keys such as `manifests/00000001.json`. An object appears completely or not at all.
pub(crate) trait ObjectStore: Debug + Send + Sync {
    /// Returns the path or URL of an object, for messages.
    fn path_of(&self, key: &str) -> PathBuf;

    /// Lists the objects below a folder, at any depth; none when the folder does not exist.
    ///
    /// # Errors
    /// `Io` when the store cannot be read, or lists more objects than the program takes.
    fn list(&self, folder: &str) -> Result<Vec<StoredObject>, StorageError>;

    /// Reads an object of at most `max_bytes`.
    ///
    /// # Errors
    /// `Io`: of the kind `NotFound` when there is no such object, `InvalidData` when it is larger, or another one when it cannot be
    /// read.
    fn read(&self, key: &str, max_bytes: u64) -> Result<Vec<u8>, StorageError>;

    /// Writes an object. It replaces one with the same key.
    ///
    /// # Errors
    /// `Io` when it cannot be written.
    fn write(&self, key: &str, bytes: &[u8]) -> Result<(), StorageError>;

    /// Writes an object unless one has the key.
    ///
    /// # Errors
    /// `AlreadyExists` when one has; `Io` when the object cannot be written.
    fn write_new(&self, key: &str, bytes: &[u8]) -> Result<(), StorageError>;
}
