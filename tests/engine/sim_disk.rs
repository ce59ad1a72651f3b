//! A simulated disk in memory, for tests of crashes.
//!
//! A power cut keeps or loses each unsynced sector of a write. A file name is durable only after its folder was synced.
//! A test can make any call fail, or kill the process at any call.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use chronicle::storage::{Disk, FileIdentity, OpenMode, Storage, WriterPresence};

const SECTOR: usize = 512;

/// A fault of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DiskFault {
    /// The process is killed: a write of this call takes half of its bytes, and all later calls do nothing.
    Kill,
    /// The call fails with this error number and does nothing.
    Error(i32),
    /// A write takes only half of its bytes; other calls fail.
    ShortWrite,
}

#[derive(Debug, Clone)]
enum PendingWrite {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

#[derive(Debug, Clone, Default)]
struct Inode {
    data: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<PendingWrite>,
    locked: bool,
}

#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of the simulation")]
struct SimDiskState {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    folders: Vec<PathBuf>,
    calls: usize,
    scheduled_fault: Option<(usize, DiskFault)>,
    /// True if the fault occurs again at every later call of the same kind.
    fault_is_permanent: bool,
    faulted_call: Option<&'static str>,
    error_after_short: Option<i32>,
    killed: bool,
    contents_after_wait: Option<Vec<u8>>,
    scheduled_change: Option<ScheduledChange>,
    was_cut_before_change: bool,
    writer_is_present: bool,
    hides_identities: bool,
    unreadable: Option<std::ops::Range<usize>>,
    bytes_read: u64,
}

/// Contents that a file gets just before one of the reads of its bytes or its length.
#[derive(Debug)]
struct ScheduledChange {
    inode: usize,
    /// Number of reads that still return the old contents.
    reads_before: usize,
    /// The contents that the next reads return, one after the other.
    contents: VecDeque<Vec<u8>>,
    repetition: ChangeRepetition,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChangeRepetition {
    Once,
    Cyclic,
}

#[derive(Debug, Clone, Default)]
pub(super) struct SimDisk(Arc<Mutex<SimDiskState>>);

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
    /// Makes the disk one without identities of files, as on platforms without inodes.
    pub(super) fn hide_identities(&self) {
        self.lock_state().hides_identities = true;
    }

    fn inode_identity(&self, inode: usize) -> FileIdentity {
        if self.lock_state().hides_identities { FileIdentity::UNKNOWN } else { FileIdentity::new(0, inode as u64) }
    }

    pub(super) fn with_files(files: &[(&str, &[u8])]) -> Self {
        let disk = Self::default();
        for (name, bytes) in files {
            disk.put(name, bytes);
        }
        disk
    }

    /// Adds a file with durable contents and a durable name.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) {
        let mut state = self.lock_state();
        let inode = Inode { data: bytes.to_vec(), durable: bytes.to_vec(), ..Inode::default() };
        state.inodes.push(inode);
        let number = state.inodes.len() - 1;
        state.names.insert(name.into(), number);
        state.durable_names.insert(name.into(), number);
    }

    pub(super) fn get(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.lock_state();
        state.names.get(Path::new(name)).map(|inode| state.inodes[*inode].data.clone())
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.lock_state().names.keys().map(|path| path.to_string_lossy().into_owned()).collect()
    }

    /// Returns the number of calls so far that change or sync a file or a folder.
    pub(super) fn calls(&self) -> usize {
        self.lock_state().calls
    }

    /// Schedules a fault for the `n`th call from now on that changes or syncs, counted from 0.
    pub(super) fn fail(&self, n: usize, fault: DiskFault) {
        let mut state = self.lock_state();
        state.scheduled_fault = Some((state.calls + n, fault));
    }

    /// Schedules a fault like [`SimDisk::fail`], and repeats it at every later call of the same kind.
    pub(super) fn fail_permanently(&self, n: usize, fault: DiskFault) {
        self.fail(n, fault);
        self.lock_state().fault_is_permanent = true;
    }

    /// Makes the call after a short write fail with this error number.
    pub(super) fn fail_after_short(&self, number: i32) {
        self.lock_state().error_after_short = Some(number);
    }

    /// Appends to a file like a program that does not take the lock.
    pub(super) fn append_as_other_process(&self, name: &str, bytes: &[u8]) {
        let mut state = self.lock_state();
        let inode = state.names[Path::new(name)];
        state.inodes[inode].data.extend_from_slice(bytes);
    }

    /// Replaces the contents of a file, like a program that is not a writer of logs.
    pub(super) fn overwrite(&self, name: &str, bytes: &[u8]) {
        let mut state = self.lock_state();
        let inode = state.names[Path::new(name)];
        let inode = &mut state.inodes[inode];
        (inode.data, inode.durable) = (bytes.to_vec(), bytes.to_vec());
    }

    /// Replaces all files of this disk with those of another disk.
    pub(super) fn replace_with(&self, other: &Self) {
        let other = other.next_process();
        std::mem::swap(&mut *self.lock_state(), &mut *other.lock_state());
    }

    /// Makes reads of this range fail in every file.
    pub(super) fn refuse_reads(&self, range: std::ops::Range<usize>) {
        self.lock_state().unreadable = Some(range);
    }

    /// Sets the contents that a file gets when the engine waits for it to change.
    pub(super) fn change_while_waiting(&self, bytes: &[u8]) {
        self.lock_state().contents_after_wait = Some(bytes.to_vec());
    }

    /// Replaces the contents of a file just before read number `n` of its bytes or its length, counted from 0.
    pub(super) fn change_before_read(&self, n: usize, name: &str, contents: &[u8]) {
        self.schedule_change(n, name, [contents.to_vec()].into(), ChangeRepetition::Once);
    }

    /// Replaces the contents of a file before every read with the next of `contents`, in a cycle.
    pub(super) fn change_before_every_read<const N: usize>(&self, name: &str, contents: [&[u8]; N]) {
        self.schedule_change(0, name, contents.map(<[u8]>::to_vec).into(), ChangeRepetition::Cyclic);
    }

    fn schedule_change(&self, n: usize, name: &str, contents: VecDeque<Vec<u8>>, repetition: ChangeRepetition) {
        let mut state = self.lock_state();
        let inode = state.names[Path::new(name)];
        state.scheduled_change = Some(ScheduledChange { inode, reads_before: n, contents, repetition });
    }

    /// Returns true until the change of [`SimDisk::change_before_read`] takes place.
    pub(super) fn has_scheduled_change(&self) -> bool {
        self.lock_state().scheduled_change.is_some()
    }

    /// Returns true if a file was cut before the scheduled change took place.
    pub(super) fn was_cut_before_change(&self) -> bool {
        self.lock_state().was_cut_before_change
    }

    /// Reports that another process has the files open for writing.
    pub(super) fn show_writer(&self) {
        self.lock_state().writer_is_present = true;
    }

    /// Counts a read of a file, and changes the contents of the file before the scheduled read.
    fn count_read(&self, inode: usize) {
        let mut state = self.lock_state();
        let Some(mut change) = state.scheduled_change.take() else { return };
        if change.inode != inode {
            state.scheduled_change = Some(change);
        } else if change.reads_before > 0 {
            change.reads_before -= 1;
            state.scheduled_change = Some(change);
        } else if let Some(contents) = change.contents.pop_front() {
            state.inodes[inode].data.clone_from(&contents);
            if change.repetition == ChangeRepetition::Cyclic {
                change.contents.push_back(contents);
                state.scheduled_change = Some(change);
            }
        }
    }

    /// Returns the number of bytes read so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.lock_state().bytes_read
    }

    /// Returns the kind of the call at which the fault occurred.
    pub(super) fn faulted_call(&self) -> Option<&'static str> {
        self.lock_state().faulted_call
    }

    /// Returns the disk that the next process finds after a kill. Writes that the system accepted are not lost.
    pub(super) fn next_process(&self) -> Self {
        let state = self.lock_state();
        let mut inodes = state.inodes.clone();
        for inode in &mut inodes {
            inode.locked = false;
        }
        let (names, durable_names) = (state.names.clone(), state.durable_names.clone());
        let folders = state.folders.clone();
        Self(Arc::new(Mutex::new(SimDiskState { inodes, names, durable_names, folders, ..SimDiskState::default() })))
    }

    /// Returns the disk after a power cut. For each unsynced sector and name, `choose` decides whether it is kept.
    pub(super) fn power_cut(&self, mut choose: impl FnMut() -> bool) -> Self {
        let state = self.lock_state();
        let mut inodes = Vec::new();
        for inode in &state.inodes {
            let mut data = inode.durable.clone();
            for change in &inode.unsynced {
                match change {
                    PendingWrite::SetLen(len) => {
                        if choose() {
                            data.resize(*len, 0);
                        }
                    }
                    PendingWrite::Write(at, bytes) => {
                        let mut from = 0;
                        while from < bytes.len() {
                            let to = (from + SECTOR - (at + from) % SECTOR).min(bytes.len());
                            if choose() {
                                write_bytes_at(&mut data, at + from, &bytes[from..to]);
                            }
                            from = to;
                        }
                    }
                }
            }
            inodes.push(Inode { durable: data.clone(), data, ..Inode::default() });
        }
        let mut names = state.durable_names.clone();
        for (name, inode) in &state.names {
            if state.durable_names.get(name) != Some(inode) && choose() {
                names.insert(name.clone(), *inode);
            }
        }
        names.retain(|name, _| state.names.contains_key(name) || choose());
        let folders = state.folders.clone();
        let durable_names = names.clone();
        Self(Arc::new(Mutex::new(SimDiskState { inodes, names, durable_names, folders, ..SimDiskState::default() })))
    }

    fn lock_state(&self) -> MutexGuard<'_, SimDiskState> {
        self.0.lock().unwrap()
    }

    /// Counts a call, and returns the fault that occurs in it, or an error for a call that fails as a whole.
    fn count_call(&self, kind: &'static str) -> io::Result<Option<DiskFault>> {
        let mut state = self.lock_state();
        if state.killed {
            return Err(io::Error::other("killed"));
        }
        if state.faulted_call.is_some()
            && let Some(number) = state.error_after_short.take()
        {
            return Err(io::Error::from_raw_os_error(number));
        }
        let number = state.calls;
        state.calls += 1;
        let due = state
            .scheduled_fault
            .filter(|(at, _)| *at == number || state.fault_is_permanent && state.faulted_call == Some(kind));
        let Some((_, fault)) = due else {
            return Ok(None);
        };
        state.faulted_call = Some(kind);
        match fault {
            DiskFault::Kill => {
                state.killed = true;
                Ok(Some(fault))
            }
            DiskFault::Error(number) => Err(io::Error::from_raw_os_error(number)),
            DiskFault::ShortWrite => Ok(Some(fault)),
        }
    }

    /// Counts a call that has no partial effect: with a fault it fails as a whole.
    fn count_whole_call(&self, kind: &'static str) -> io::Result<()> {
        match self.count_call(kind)? {
            None => Ok(()),
            Some(DiskFault::Kill) => Err(io::Error::other("killed")),
            Some(_) => Err(io::Error::from_raw_os_error(28)),
        }
    }
}

fn write_bytes_at(data: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if data.len() < at + bytes.len() {
        data.resize(at + bytes.len(), 0);
    }
    data[at..at + bytes.len()].copy_from_slice(bytes);
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        if let OpenMode::Create | OpenMode::CreateSidecar { .. } = mode {
            self.count_whole_call("create")?;
            let mut state = self.lock_state();
            if state.names.contains_key(path) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.inodes.push(Inode::default());
            let inode = state.inodes.len() - 1;
            state.names.insert(path.to_owned(), inode);
        }
        let inode = *self.lock_state().names.get(path).ok_or(io::ErrorKind::NotFound)?;
        let appends = matches!(mode, OpenMode::Append | OpenMode::AppendSidecar | OpenMode::Create);
        let (locked, appended_to) = (Mutex::new(false), Mutex::new(0));
        Ok(Arc::new(SimFile { disk: self.clone(), inode, locked, appends, appended_to }))
    }

    fn create_anonymous_file(&self, _folder: Option<&Path>) -> io::Result<Arc<dyn Storage>> {
        self.count_whole_call("create")?;
        self.lock_state().inodes.push(Inode::default());
        let inode = self.lock_state().inodes.len() - 1;
        let (locked, appended_to) = (Mutex::new(false), Mutex::new(0));
        Ok(Arc::new(SimFile { disk: self.clone(), inode, locked, appends: false, appended_to }))
    }

    fn identity(&self, path: &Path) -> io::Result<FileIdentity> {
        let inode = *self.lock_state().names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.inode_identity(inode))
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.identity(path).map(|_| path.to_owned())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.count_whole_call("rename")?;
        let mut state = self.lock_state();
        let inode = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.count_whole_call("remove")?;
        self.lock_state().names.remove(path).map(|_| ()).ok_or(io::ErrorKind::NotFound.into())
    }

    fn create_folder(&self, path: &Path, _like: &Path) -> io::Result<()> {
        self.count_whole_call("create folder")?;
        self.lock_state().folders.push(path.to_owned());
        Ok(())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.count_whole_call("sync folder")?;
        let mut state = self.lock_state();
        let inside = |name: &PathBuf| name.parent() == Some(path);
        let now: Vec<_> = state.names.iter().filter(|(n, _)| inside(n)).map(|(n, i)| (n.clone(), *i)).collect();
        state.durable_names.retain(|name, _| !inside(name));
        state.durable_names.extend(now);
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(self.lock_state().names.keys().filter(|name| name.parent() == Some(folder)).cloned().collect())
    }
}

impl Storage for SimFile {
    fn len(&self) -> io::Result<u64> {
        self.disk.count_read(self.inode);
        Ok(self.disk.lock_state().inodes[self.inode].data.len() as u64)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.disk.count_read(self.inode);
        let mut state = self.disk.lock_state();
        let data = &state.inodes[self.inode].data;
        let from = (offset as usize).min(data.len());
        let mut len = buf.len().min(data.len() - from);
        if let Some(bad) = state.unreadable.as_ref().filter(|bad| bad.start < from + len && from < bad.end) {
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
        let fault = self.disk.count_call("write")?;
        let written = if fault.is_some() { bytes.len().div_ceil(2) } else { bytes.len() };
        let mut state = self.disk.lock_state();
        let inode = &mut state.inodes[self.inode];
        let at = inode.data.len();
        inode.data.extend_from_slice(&bytes[..written]);
        inode.unsynced.push(PendingWrite::Write(at, bytes[..written].to_vec()));
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
        let fault = self.disk.count_call("write at")?;
        let written = if fault.is_some() { bytes.len() / 2 } else { bytes.len() };
        let mut state = self.disk.lock_state();
        let inode = &mut state.inodes[self.inode];
        let offset = if self.appends { inode.data.len() } else { offset as usize };
        write_bytes_at(&mut inode.data, offset, &bytes[..written]);
        inode.unsynced.push(PendingWrite::Write(offset, bytes[..written].to_vec()));
        if fault.is_some() { Err(io::Error::from_raw_os_error(28)) } else { Ok(()) }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.count_whole_call("set len")?;
        let mut state = self.disk.lock_state();
        state.was_cut_before_change |= state.scheduled_change.is_some();
        let inode = &mut state.inodes[self.inode];
        inode.data.resize(len as usize, 0);
        inode.unsynced.push(PendingWrite::SetLen(len as usize));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.count_whole_call("sync")?;
        let mut state = self.disk.lock_state();
        let inode = &mut state.inodes[self.inode];
        inode.durable = inode.data.clone();
        inode.unsynced.clear();
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
        Ok(self.disk.inode_identity(self.inode))
    }

    fn detect_writer(&self) -> WriterPresence {
        if self.disk.lock_state().writer_is_present { WriterPresence::HasFileOpen(1) } else { WriterPresence::Unknown }
    }

    fn wait(&self, _time: std::time::Duration) {
        let mut state = self.disk.lock_state();
        if let Some(bytes) = state.contents_after_wait.take() {
            state.inodes[self.inode].data = bytes;
        }
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        if *self.locked.lock().unwrap() {
            self.disk.lock_state().inodes[self.inode].locked = false;
        }
    }
}
