//! [`SpooledDisk`]: lets the engine read a log whose bytes come from a stream, such as a pipe or a compressed file.
//!
//! The engine reads at any offset and some parts of a log more than once, so the bytes are copied into a file without a
//! name first. The operating system removes that file when the process ends, in whatever way it ends.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::OsDisk;
use super::file_identity::{FileIdentity, FileStamp};
use super::path_entry::{Ownership, PathEntry};
use super::read_only_storage::{ReadOnlyContent, ReadOnlyStorage};
use super::storage::{Disk, OpenMode, Storage, append_all};

/// A file without a name, into which the bytes of a stream are copied.
#[derive(Debug)]
pub(crate) struct SpoolFile(Arc<dyn Storage>);

impl SpoolFile {
    /// Creates an empty file in `folder`.
    ///
    /// # Errors
    /// The error of the operating system.
    pub(crate) fn create(folder: &Path) -> io::Result<Self> {
        OsDisk.create_anonymous_file(Some(folder)).map(Self)
    }

    /// Appends all of `bytes`.
    ///
    /// # Errors
    /// The error of the operating system.
    pub(crate) fn append(&self, bytes: &[u8]) -> io::Result<()> {
        append_all(self.0.as_ref(), bytes)
    }
}

/// The local file systems, with one path that leads to a copied log. The log can only be read, and has no side files.
#[derive(Debug)]
pub(crate) struct SpooledDisk {
    path: PathBuf,
    log: Arc<dyn Storage>,
}

impl SpooledDisk {
    /// Creates a disk on which `path` leads to the contents of `copy`.
    pub(crate) fn new(path: &Path, copy: SpoolFile) -> Self {
        Self { path: path.to_owned(), log: Arc::new(ReadOnlyStorage(SpooledLog(copy.0))) }
    }

    fn is_log(&self, path: &Path) -> bool {
        path == self.path
    }

    /// True for the path of a side file that the log would have next to it.
    fn is_side_file(&self, path: &Path) -> bool {
        let name = self.path.as_os_str().as_encoded_bytes();
        let rest = path.as_os_str().as_encoded_bytes().strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(b".idx") || rest.starts_with(b".repairs"))
    }
}

impl Disk for SpooledDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        match mode {
            OpenMode::Read if self.is_log(path) => Ok(self.log.clone()),
            _ if self.is_log(path) => Err(read_only()),
            _ if self.is_side_file(path) => Err(io::ErrorKind::NotFound.into()),
            _ => OsDisk.open(path, mode),
        }
    }

    fn create_anonymous_file(&self, folder: Option<&Path>) -> io::Result<Arc<dyn Storage>> {
        OsDisk.create_anonymous_file(folder)
    }

    fn identity(&self, path: &Path) -> io::Result<FileIdentity> {
        if self.is_log(path) { self.log.identity() } else { OsDisk.identity(path) }
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        if self.is_log(path) { Ok(path.to_owned()) } else { OsDisk.resolve(path) }
    }

    fn entry(&self, path: &Path) -> io::Result<PathEntry> {
        if self.is_side_file(path) { Err(io::ErrorKind::NotFound.into()) } else { OsDisk.entry(path) }
    }

    fn user(&self) -> Option<u32> {
        OsDisk.user()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.is_log(from) || self.is_log(to) { Err(read_only()) } else { OsDisk.rename(from, to) }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        if self.is_log(path) { Err(read_only()) } else { OsDisk.remove(path) }
    }

    fn create_folder(&self, path: &Path, permissions_from: &Path) -> io::Result<()> {
        if self.is_side_file(path) { Err(read_only()) } else { OsDisk.create_folder(path, permissions_from) }
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        OsDisk.sync_folder(path)
    }

    fn available_space(&self, path: &Path) -> Option<u64> {
        OsDisk.available_space(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        if self.is_side_file(folder) { Ok(Vec::new()) } else { OsDisk.list(folder) }
    }
}

/// The copied bytes of a log, which no process changes.
#[derive(Debug)]
struct SpooledLog(Arc<dyn Storage>);

impl ReadOnlyContent for SpooledLog {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buf, offset)
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        self.0.identity()
    }

    fn stamp(&self) -> io::Result<FileStamp> {
        self.0.stamp()
    }

    fn ownership(&self) -> io::Result<Option<Ownership>> {
        self.0.ownership()
    }

    fn refusal(&self) -> io::Error {
        read_only()
    }
}

fn read_only() -> io::Error {
    io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "a log that is read from a stream cannot be changed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::WriterPresence;

    #[test]
    fn the_copy_can_only_be_read_and_has_no_side_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log.gz");
        std::fs::write(&path, b"compressed").unwrap();
        let index = folder.path().join("a.log.gz.idx");
        std::fs::write(&index, b"of another file").unwrap();
        let copy = SpoolFile::create(folder.path()).unwrap();
        copy.append(b"the log").unwrap();
        let disk = SpooledDisk::new(&path, copy);
        let log = disk.open(&path, OpenMode::Read).unwrap();
        let mut bytes = [0; 7];
        assert_eq!((log.len().unwrap(), log.read_at(&mut bytes, 0).unwrap(), &bytes), (7, 7, b"the log"));
        assert_eq!(log.detect_writer(), WriterPresence::NoneFound);
        for written in [
            log.append(b"x").map(drop),
            log.write_at(b"x", 0),
            log.set_len(0),
            disk.open(&path, OpenMode::Append).map(drop),
            disk.open(&path, OpenMode::Repair).map(drop),
            disk.rename(&index, &path),
            disk.remove(&path),
        ] {
            assert_eq!(written.unwrap_err().kind(), io::ErrorKind::ReadOnlyFilesystem);
        }
        assert_eq!(disk.open(&index, OpenMode::ReadSidecar).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(disk.list(&folder.path().join("a.log.gz.repairs")).unwrap(), Vec::<PathBuf>::new());
        assert_eq!(std::fs::read(&path).unwrap(), b"compressed");
    }
}
