//! The storage interface of the simulated disk.

use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chronicle::storage::{Disk, EntryKind, FileIdentity, OpenMode, PathEntry, Storage, WriterPresence};

use super::contents::Inode;
use super::{DiskFault, FolderName, SimDisk};
use crate::engine::call_order::{CallKind, RecordedCall};

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    inode: usize,
    locked: Mutex<bool>,
    /// True if the file was opened to append. As on Linux, every write then goes to the end, even one with an offset.
    appends: bool,
    appended_to: Mutex<u64>,
}

impl SimDisk {
    fn open_inode(&self, inode: usize, appends: bool) -> Arc<dyn Storage> {
        self.lock_state().work.count_open();
        let (locked, appended_to) = (Mutex::new(false), Mutex::new(0));
        Arc::new(SimFile { disk: self.clone(), inode, locked, appends, appended_to })
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        if let OpenMode::Create | OpenMode::CreatePrivate | OpenMode::CreateSidecar { .. } = mode {
            let mut state = self.lock_state();
            state.faults.count_whole_call(CallKind::Create)?;
            if state.names.contains_key(path) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.inodes.push(Inode::default());
            let inode = state.inodes.len() - 1;
            state.set_name(path, inode);
            state.record_on_file(CallKind::Create, inode);
        }
        let inode = *self.lock_state().names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.open_inode(inode, matches!(mode, OpenMode::Append | OpenMode::AppendSidecar | OpenMode::Create)))
    }

    fn create_anonymous_file(&self, _folder: Option<&Path>) -> io::Result<Arc<dyn Storage>> {
        let mut state = self.lock_state();
        state.faults.count_whole_call(CallKind::Create)?;
        state.inodes.push(Inode::default());
        let inode = state.inodes.len() - 1;
        drop(state);
        Ok(self.open_inode(inode, false))
    }

    fn identity(&self, path: &Path) -> io::Result<FileIdentity> {
        self.lock_state().work.looks += 1;
        self.count_look(path);
        if let Some(free) = self.lock_state().free_space.get(path) {
            return Ok(FileIdentity::new(free.device, 0));
        }
        if self.lock_state().folders.contains_key(path) {
            return Ok(self.folder_identity(path));
        }
        let inode = *self.lock_state().names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.inode_identity(inode))
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.identity(path).map(|_| path.to_owned())
    }

    fn entry(&self, path: &Path) -> io::Result<PathEntry> {
        let mut state = self.lock_state();
        state.work.looks += 1;
        if !state.reports_entries {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let is_folder = state.folders.contains_key(path);
        if !is_folder && !state.names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(PathEntry { kind: if is_folder { EntryKind::Folder } else { EntryKind::File }, ownership: None })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock_state();
        state.faults.count_whole_call(CallKind::Rename)?;
        if state.folders.contains_key(from) {
            return state.rename_folder(from, to);
        }
        let inode = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.set_name(to, inode);
        state.recorded_calls.push(RecordedCall::rename(from, to));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock_state();
        state.faults.count_whole_call(CallKind::Remove)?;
        state.names.remove(path).ok_or(io::ErrorKind::NotFound)?;
        state.recorded_calls.push(RecordedCall::new(CallKind::Remove, path));
        Ok(())
    }

    fn create_folder(&self, path: &Path, _like: &Path) -> io::Result<()> {
        let mut state = self.lock_state();
        state.faults.count_whole_call(CallKind::CreateFolder)?;
        if !state.folders.contains_key(path) {
            state.folders.insert(path.to_owned(), FolderName::Unsynced);
            state.recorded_calls.push(RecordedCall::new(CallKind::CreateFolder, path));
        }
        Ok(())
    }

    fn create_log_folder(&self, path: &Path) -> io::Result<()> {
        let state = self.lock_state();
        if state.folders.contains_key(path) || state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        drop(state);
        self.create_folder(path, path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock_state();
        state.faults.count_whole_call(CallKind::Remove)?;
        if state.names.keys().chain(state.folders.keys()).any(|name| name.parent() == Some(path)) {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        let name = state.folders.remove(path).ok_or(io::ErrorKind::NotFound)?;
        state.folder_changes.record_removal(path, name);
        state.recorded_calls.push(RecordedCall::new(CallKind::Remove, path));
        Ok(())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock_state();
        state.faults.count_whole_call(CallKind::SyncFolder)?;
        let inside = |name: &Path| name.parent() == Some(path);
        let now: Vec<_> = state.names.iter().filter(|(n, _)| inside(n)).map(|(n, i)| (n.clone(), *i)).collect();
        state.durable_names.retain(|name, _| !inside(name));
        state.durable_names.extend(now);
        for (_, name) in state.folders.iter_mut().filter(|(folder, _)| inside(folder)) {
            *name = FolderName::Durable;
        }
        state.sync_folder_changes(path);
        state.recorded_calls.push(RecordedCall::new(CallKind::SyncFolder, path));
        Ok(())
    }

    fn available_space(&self, path: &Path) -> Option<u64> {
        self.lock_state().free_space.get(path).map(|free| free.bytes)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let mut state = self.lock_state();
        let after = state.names.range::<Path, _>((Bound::Excluded(folder), Bound::Unbounded));
        let inside = after.map(|(name, _)| name).take_while(|name| name.starts_with(folder));
        let folders = state.folders.keys().filter(|_| state.reports_entries);
        let mut paths: Vec<_> = inside.chain(folders).filter(|name| name.parent() == Some(folder)).cloned().collect();
        paths.sort();
        state.work.listed += paths.len();
        Ok(paths)
    }
}

impl Storage for SimFile {
    fn len(&self) -> io::Result<u64> {
        let state = &mut *self.disk.lock_state();
        state.work.looks += 1;
        state.script.count_read(self.inode, &mut state.inodes);
        Ok(state.inodes[self.inode].data().len() as u64)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = &mut *self.disk.lock_state();
        state.work.reads += 1;
        state.script.count_read(self.inode, &mut state.inodes);
        if state.script.unreadable_inode == Some(self.inode) {
            return Err(io::Error::from_raw_os_error(5));
        }
        let data = state.inodes[self.inode].data();
        let from = (offset as usize).min(data.len());
        let mut len = buf.len().min(data.len() - from);
        if let Some(bad) = state.script.unreadable.as_ref().filter(|bad| bad.start < from + len && from < bad.end) {
            if from >= bad.start {
                return Err(io::Error::from_raw_os_error(5));
            }
            len = bad.start - from;
        }
        buf[..len].copy_from_slice(&data[from..from + len]);
        state.bytes_read += len as u64;
        Ok(len)
    }

    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.lock_state();
        let fault = state.faults.count_call(CallKind::Append)?;
        let written = if fault.is_some() { bytes.len().div_ceil(2) } else { bytes.len() };
        let at = state.inodes[self.inode].data().len();
        state.inodes[self.inode].write_at(at, &bytes[..written]);
        state.record_on_file(CallKind::Append, self.inode);
        if fault == Some(DiskFault::Kill) {
            return Err(io::Error::other("killed"));
        }
        *self.appended_to.lock().unwrap() = (at + written) as u64;
        Ok(written)
    }

    fn append_end(&self) -> io::Result<u64> {
        Ok(*self.appended_to.lock().unwrap())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.disk.lock_state();
        let fault = state.faults.count_call(CallKind::WriteAt)?;
        let written = if fault.is_some() { bytes.len() / 2 } else { bytes.len() };
        let inode = &mut state.inodes[self.inode];
        let offset = if self.appends { inode.data().len() } else { offset as usize };
        inode.write_at(offset, &bytes[..written]);
        state.record_on_file(CallKind::WriteAt, self.inode);
        if fault.is_some() { Err(io::Error::from_raw_os_error(28)) } else { Ok(()) }
    }

    fn drop_cache(&self) {
        let mut state = self.disk.lock_state();
        if !state.faults.is_killed() {
            state.inodes[self.inode].drop_cache();
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.disk.lock_state();
        state.faults.count_whole_call(CallKind::SetLen)?;
        state.script.record_new_len();
        state.inodes[self.inode].set_len(len as usize);
        state.record_on_file(CallKind::SetLen, self.inode);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.lock_state();
        if let Err(error) = state.faults.count_whole_call(CallKind::Sync) {
            if !state.faults.is_killed() {
                state.inodes[self.inode].fail_sync();
            }
            return Err(error);
        }
        state.inodes[self.inode].sync();
        state.record_on_file(CallKind::Sync, self.inode);
        Ok(())
    }

    fn try_lock(&self) -> io::Result<bool> {
        let mut state = self.disk.lock_state();
        let acquired = !std::mem::replace(&mut state.inodes[self.inode].locked, true);
        *self.locked.lock().unwrap() |= acquired;
        Ok(acquired)
    }

    fn unlock(&self) -> io::Result<()> {
        if std::mem::take(&mut *self.locked.lock().unwrap()) {
            self.disk.lock_state().inodes[self.inode].locked = false;
        }
        Ok(())
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        self.disk.lock_state().work.looks += 1;
        Ok(self.disk.inode_identity(self.inode))
    }

    fn detect_writer(&self) -> WriterPresence {
        if self.disk.lock_state().script.writer_is_present {
            WriterPresence::HasFileOpen(1)
        } else {
            WriterPresence::Unknown
        }
    }

    fn wait(&self, _time: Duration) {
        let mut state = self.disk.lock_state();
        if let Some(bytes) = state.script.contents_after_wait.take() {
            state.inodes[self.inode].set_data(bytes);
        }
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        let mut state = self.disk.lock_state();
        // A test can have replaced the whole disk since the file was opened.
        state.work.open_files = state.work.open_files.saturating_sub(1);
        if *self.locked.lock().unwrap() {
            state.inodes[self.inode].locked = false;
        }
    }
}
