//! [`FailingDisk`]: the disk of this machine, one call of which fails once. For tests.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::OsDisk;
use super::file_identity::FileIdentity;
use super::path_entry::{Ownership, PathEntry};
use super::storage::{Disk, OpenMode, Storage};

/// The call that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailingCall {
    IdentityOfPath,
    IdentityOfFile,
    AppendEnd,
    EntryOfPath,
    ResolvedPath,
    /// Panics.
    PanickingAppend,
    /// Panics.
    PanickingSync,
}

/// The disk of this machine, on which the first call of one kind fails.
#[derive(Debug, Clone)]
pub(super) struct FailingDisk(Arc<Failure>);

#[derive(Debug)]
struct Failure {
    call: FailingCall,
    has_happened: AtomicBool,
}

impl Failure {
    fn check(&self, call: FailingCall) -> io::Result<()> {
        if call == self.call && !self.has_happened.swap(true, Ordering::SeqCst) {
            return Err(io::Error::other("the call that fails"));
        }
        Ok(())
    }
}

impl Failure {
    fn panic_at(&self, call: FailingCall) {
        assert!(self.check(call).is_ok(), "the call that panics");
    }
}

impl Drop for Failure {
    fn drop(&mut self) {
        let has_happened = self.has_happened.load(Ordering::SeqCst);
        assert!(has_happened || std::thread::panicking(), "{:?} was not called, so nothing has failed", self.call);
    }
}

impl FailingDisk {
    pub(super) fn new(call: FailingCall) -> Self {
        Self(Arc::new(Failure { call, has_happened: AtomicBool::new(false) }))
    }
}

#[derive(Debug)]
struct FailingFile {
    file: Arc<dyn Storage>,
    failure: Arc<Failure>,
}

impl Disk for FailingDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        Ok(Arc::new(FailingFile { file: OsDisk.open(path, mode)?, failure: self.0.clone() }))
    }

    fn create_anonymous_file(&self, folder: Option<&Path>) -> io::Result<Arc<dyn Storage>> {
        OsDisk.create_anonymous_file(folder)
    }

    fn identity(&self, path: &Path) -> io::Result<FileIdentity> {
        self.0.check(FailingCall::IdentityOfPath)?;
        OsDisk.identity(path)
    }

    fn entry(&self, path: &Path) -> io::Result<PathEntry> {
        self.0.check(FailingCall::EntryOfPath)?;
        OsDisk.entry(path)
    }

    fn user(&self) -> Option<u32> {
        OsDisk.user()
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.0.check(FailingCall::ResolvedPath)?;
        OsDisk.resolve(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        OsDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        OsDisk.remove(path)
    }

    fn create_folder(&self, path: &Path, permissions_from: &Path) -> io::Result<()> {
        OsDisk.create_folder(path, permissions_from)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        OsDisk.sync_folder(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        OsDisk.list(folder)
    }
}

impl Storage for FailingFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }

    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        self.failure.panic_at(FailingCall::PanickingAppend);
        self.file.append(bytes)
    }

    fn append_end(&self) -> io::Result<u64> {
        self.failure.check(FailingCall::AppendEnd)?;
        self.file.append_end()
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_at(bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.failure.panic_at(FailingCall::PanickingSync);
        self.file.sync()
    }

    fn try_lock(&self) -> io::Result<bool> {
        self.file.try_lock()
    }

    fn unlock(&self) -> io::Result<()> {
        self.file.unlock()
    }

    fn ownership(&self) -> io::Result<Option<Ownership>> {
        self.file.ownership()
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        self.failure.check(FailingCall::IdentityOfFile)?;
        self.file.identity()
    }
}
