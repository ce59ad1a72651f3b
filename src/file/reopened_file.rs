//! [`ReopenedFile`]: one of very many files that a program reads. A bounded number of them is kept open; the others are
//! opened for each read.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::file_identity::{FileIdentity, FileStamp};
use super::path_entry::Ownership;
use super::storage::{Disk, OpenMode, Storage};

/// The largest number of such files that the process keeps open. Which ones they are does not change, because a search uses all
/// of them in order, and would otherwise find none open.
const MAX_KEPT_OPEN: usize = 128;

/// Number of files that are kept open now.
static KEPT_OPEN: AtomicUsize = AtomicUsize::new(0);

/// A side file that was opened once, and is opened again where needed. Later reads fail when another file has its path.
#[derive(Debug)]
pub(crate) struct ReopenedFile {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    /// The open file; `None` when it is opened for each read.
    kept: Option<KeptOpen>,
    identity: FileIdentity,
    stamp: FileStamp,
}

/// An open file that counts in [`KEPT_OPEN`].
#[derive(Debug)]
struct KeptOpen(Arc<dyn Storage>);

impl ReopenedFile {
    /// Creates the value for the open file at `path`, which is kept open or closed.
    ///
    /// # Errors
    /// The error of the operating system when the file cannot be examined.
    pub(crate) fn new(disk: &Arc<dyn Disk>, path: &Path, file: Arc<dyn Storage>) -> io::Result<Self> {
        let (identity, stamp) = (file.identity()?, file.stamp()?);
        Ok(Self { disk: disk.clone(), path: path.to_owned(), kept: KeptOpen::take(file), identity, stamp })
    }

    /// Returns the open file.
    ///
    /// # Errors
    /// `StaleNetworkFileHandle` when the path has another file or none; otherwise the error
    /// of the operating system.
    fn file(&self) -> io::Result<Arc<dyn Storage>> {
        if let Some(KeptOpen(file)) = &self.kept {
            return Ok(file.clone());
        }
        let is_same = |file: &dyn Storage| -> io::Result<bool> {
            Ok(file.identity()?.is_same_file(self.identity).unwrap_or(true) && file.stamp()? == self.stamp)
        };
        match self.disk.open(&self.path, OpenMode::ReadSidecar) {
            Ok(file) if is_same(file.as_ref())? => Ok(file),
            Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput) => Err(error),
            _ => Err(io::Error::new(
                ErrorKind::StaleNetworkFileHandle,
                "the file was replaced or removed since it was opened first",
            )),
        }
    }
}

impl KeptOpen {
    /// Keeps a file open, unless too many are; `None` then.
    fn take(file: Arc<dyn Storage>) -> Option<Self> {
        let add = |kept: usize| (kept < MAX_KEPT_OPEN).then_some(kept + 1);
        KEPT_OPEN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok().then(|| Self(file))
    }
}

impl Drop for KeptOpen {
    fn drop(&mut self) {
        KEPT_OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Storage for ReopenedFile {
    fn len(&self) -> io::Result<u64> {
        self.file()?.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file()?.read_at(buf, offset)
    }

    fn append(&self, _bytes: &[u8]) -> io::Result<usize> {
        Err(ErrorKind::Unsupported.into())
    }

    fn append_end(&self) -> io::Result<u64> {
        Err(ErrorKind::Unsupported.into())
    }

    fn write_at(&self, _bytes: &[u8], _offset: u64) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    fn set_len(&self, _len: u64) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    fn sync(&self) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    fn try_lock(&self) -> io::Result<bool> {
        Err(ErrorKind::Unsupported.into())
    }

    fn unlock(&self) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        Ok(self.identity)
    }

    fn stamp(&self) -> io::Result<FileStamp> {
        Ok(self.stamp)
    }

    fn ownership(&self) -> io::Result<Option<Ownership>> {
        self.file()?.ownership()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::OsDisk;

    #[test]
    fn files_beyond_the_limit_are_opened_for_each_read_and_another_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let disk: Arc<dyn Disk> = Arc::new(OsDisk);
        let paths: Vec<_> = (0..MAX_KEPT_OPEN + 8).map(|n| folder.path().join(n.to_string())).collect();
        let open = |(n, path): (usize, &PathBuf)| {
            std::fs::write(path, n.to_string()).unwrap();
            ReopenedFile::new(&disk, path, disk.open(path, OpenMode::ReadSidecar).unwrap()).unwrap()
        };
        let files: Vec<ReopenedFile> = paths.iter().enumerate().map(open).collect();
        let read = |file: &ReopenedFile| {
            let mut text = [0; 8];
            file.read_at(&mut text, 0).map(|len| String::from_utf8_lossy(&text[..len]).into_owned())
        };
        for (n, file) in files.iter().enumerate() {
            assert_eq!(read(file).unwrap(), n.to_string());
        }
        let closed = files.iter().position(|file| file.kept.is_none()).unwrap();
        assert!(closed <= MAX_KEPT_OPEN, "{closed}");
        std::fs::write(folder.path().join("new"), "9").unwrap();
        std::fs::rename(folder.path().join("new"), &paths[closed]).unwrap();
        assert_eq!(read(&files[closed]).unwrap_err().kind(), ErrorKind::StaleNetworkFileHandle);
        std::fs::remove_file(&paths[closed]).unwrap();
        assert_eq!(read(&files[closed]).unwrap_err().kind(), ErrorKind::StaleNetworkFileHandle);
        assert_eq!(files[closed].try_lock().unwrap_err().kind(), ErrorKind::Unsupported);
    }
}
