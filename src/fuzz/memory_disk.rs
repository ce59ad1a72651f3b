//! [`MemoryDisk`]: a disk in memory, on which no call waits, and a call fails only for a missing file or a full disk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::file::{Disk, FileIdentity, OpenMode, Storage};

/// The size of the disk in bytes. A file cannot become larger.
const DISK_BYTES: usize = 16 << 20;

/// The number of every folder. Files have larger ones.
const FOLDER_NUMBER: u64 = 0;

/// A disk whose files are in memory.
#[derive(Debug, Clone, Default)]
pub(super) struct MemoryDisk(Arc<Mutex<BTreeMap<PathBuf, Arc<MemoryFile>>>>);

/// A file, which several handles can have open.
#[derive(Debug)]
struct MemoryFile {
    number: u64,
    contents: Mutex<Vec<u8>>,
    is_locked: AtomicBool,
}

/// An open file.
#[derive(Debug)]
struct MemoryHandle {
    file: Arc<MemoryFile>,
    holds_lock: AtomicBool,
    append_end: AtomicU64,
}

impl MemoryDisk {
    pub(super) fn with_files(files: &[(&str, &[u8])]) -> Self {
        let disk = Self::default();
        for (path, bytes) in files {
            disk.put(path, bytes);
        }
        disk
    }

    /// Adds a file, or replaces one.
    pub(super) fn put(&self, path: &str, bytes: &[u8]) {
        self.files().insert(path.into(), new_file(bytes));
    }

    pub(super) fn get(&self, path: &str) -> Option<Vec<u8>> {
        let file = self.files().get(Path::new(path)).cloned()?;
        let contents = file.contents.lock().unwrap().clone();
        Some(contents)
    }

    /// Returns the paths of all files, sorted.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.files().keys().cloned().collect()
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Arc<MemoryFile>>> {
        self.0.lock().unwrap()
    }

    /// True when a file is in the folder at `path`. Folders without files do not exist.
    fn is_folder(&self, path: &Path) -> bool {
        self.files().keys().any(|file| file.parent() == Some(path))
    }

    fn find(&self, path: &Path) -> io::Result<Arc<MemoryFile>> {
        self.files().get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn new_file(bytes: &[u8]) -> Arc<MemoryFile> {
    static NUMBERS: AtomicU64 = AtomicU64::new(1);
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    Arc::new(MemoryFile { number, contents: Mutex::new(bytes.to_vec()), is_locked: AtomicBool::new(false) })
}

fn open_file(file: Arc<MemoryFile>) -> Arc<dyn Storage> {
    Arc::new(MemoryHandle { file, holds_lock: AtomicBool::new(false), append_end: AtomicU64::new(0) })
}

impl Disk for MemoryDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        if let OpenMode::Create | OpenMode::CreatePrivate | OpenMode::CreateSidecar { .. } = mode {
            let mut files = self.files();
            if files.contains_key(path) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            files.insert(path.to_owned(), new_file(&[]));
        }
        Ok(open_file(self.find(path)?))
    }

    fn create_anonymous_file(&self, _folder: Option<&Path>) -> io::Result<Arc<dyn Storage>> {
        Ok(open_file(new_file(&[])))
    }

    fn identity(&self, path: &Path) -> io::Result<FileIdentity> {
        if self.is_folder(path) {
            return Ok(FileIdentity::new(0, FOLDER_NUMBER));
        }
        Ok(FileIdentity::new(0, self.find(path)?.number))
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        if self.is_folder(path) { Ok(path.to_owned()) } else { self.find(path).map(|_| path.to_owned()) }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut files = self.files();
        let moved: Vec<_> = files.keys().filter(|path| path.starts_with(from)).cloned().collect();
        if moved.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        for path in moved {
            let name = path.strip_prefix(from).unwrap();
            // Joining an empty path would add a slash.
            let new_path = if name == Path::new("") { to.to_owned() } else { to.join(name) };
            let file = files.remove(&path).unwrap();
            files.insert(new_path, file);
        }
        Ok(())
    }

    fn create_log_folder(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.files().remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn create_folder(&self, _path: &Path, _permissions_from: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn available_space(&self, _path: &Path) -> Option<u64> {
        Some(DISK_BYTES as u64)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(self.files().keys().filter(|path| path.parent() == Some(folder)).cloned().collect())
    }
}

impl MemoryHandle {
    fn contents(&self) -> MutexGuard<'_, Vec<u8>> {
        self.file.contents.lock().unwrap()
    }

    /// Makes the file at least `len` bytes long.
    fn grow(contents: &mut Vec<u8>, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).ok().filter(|len| *len <= DISK_BYTES).ok_or(io::ErrorKind::StorageFull)?;
        if contents.len() < len {
            contents.resize(len, 0);
        }
        Ok(())
    }
}

impl Storage for MemoryHandle {
    fn len(&self) -> io::Result<u64> {
        Ok(self.contents().len() as u64)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let contents = self.contents();
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(contents.len());
        let len = buf.len().min(contents.len() - start);
        buf[..len].copy_from_slice(&contents[start..start + len]);
        Ok(len)
    }

    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut contents = self.contents();
        let start = contents.len();
        Self::grow(&mut contents, (start + bytes.len()) as u64)?;
        contents[start..].copy_from_slice(bytes);
        self.append_end.store(contents.len() as u64, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn append_end(&self) -> io::Result<u64> {
        Ok(self.append_end.load(Ordering::Relaxed))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut contents = self.contents();
        Self::grow(&mut contents, offset.saturating_add(bytes.len() as u64))?;
        let start = offset as usize;
        contents[start..start + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut contents = self.contents();
        Self::grow(&mut contents, len)?;
        contents.truncate(len as usize);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn try_lock(&self) -> io::Result<bool> {
        let acquired = !self.file.is_locked.swap(true, Ordering::SeqCst);
        self.holds_lock.fetch_or(acquired, Ordering::SeqCst);
        Ok(acquired)
    }

    fn unlock(&self) -> io::Result<()> {
        if self.holds_lock.swap(false, Ordering::SeqCst) {
            self.file.is_locked.store(false, Ordering::SeqCst);
        }
        Ok(())
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        Ok(FileIdentity::new(0, self.file.number))
    }

    fn wait(&self, _time: Duration) {}
}

impl Drop for MemoryHandle {
    fn drop(&mut self) {
        if self.holds_lock.load(Ordering::SeqCst) {
            self.file.is_locked.store(false, Ordering::SeqCst);
        }
    }
}
