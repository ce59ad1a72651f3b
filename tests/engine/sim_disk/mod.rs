//! A simulated disk in memory, for tests of crashes.
//!
//! A power cut keeps or loses each unsynced sector of a write. A file name is durable only after its folder was synced.
//! A failed sync loses the unsynced writes: they are read until the cache is dropped. A test can make any call fail, or
//! kill the process at any call. The disk records every call that succeeded.

mod contents;
mod faults;
mod folders;
mod interface;
mod scripted;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use chronicle::storage::FileIdentity;

use self::contents::Inode;
pub(crate) use self::faults::DiskFault;
use self::faults::{FaultExpectation, FaultRepetition, FaultSchedule};
use self::folders::FolderChanges;
use self::scripted::Script;
use super::call_order::{CallKind, RecordedCall};

#[derive(Debug, Default)]
struct SimDiskState {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    /// The name that each file got last, by its number. The file may have lost it since.
    last_names: BTreeMap<usize, PathBuf>,
    durable_names: BTreeMap<PathBuf, usize>,
    folders: BTreeMap<PathBuf, FolderName>,
    folder_changes: FolderChanges,
    free_space: BTreeMap<PathBuf, FreeSpace>,
    faults: FaultSchedule,
    script: Script,
    recorded_calls: Vec<RecordedCall>,
    hides_identities: bool,
    /// True when the disk reports the types of paths, and lists folders in folders, as a disk with owners does.
    reports_entries: bool,
    bytes_read: u64,
    work: DiskWork,
}

/// The work of a disk that changes nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DiskWork {
    /// Number of files that were opened.
    pub(crate) opened: usize,
    /// Number of names that listings of folders returned.
    pub(crate) listed: usize,
    /// Number of looks at a path or an open file, without its bytes.
    pub(crate) looks: usize,
    /// Number of reads.
    pub(crate) reads: usize,
    /// Number of files that are open.
    pub(crate) open_files: usize,
    /// The largest number of files that were open at the same time.
    pub(crate) max_open_files: usize,
}

impl DiskWork {
    /// All calls and names.
    pub(crate) const fn total(&self) -> usize {
        self.opened + self.listed + self.looks + self.reads
    }

    fn count_open(&mut self) {
        self.opened += 1;
        self.open_files += 1;
        self.max_open_files = self.max_open_files.max(self.open_files);
    }
}

/// The device of a folder, and the number of bytes that are free on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FreeSpace {
    pub(crate) device: u64,
    pub(crate) bytes: u64,
}

/// Whether the name of a folder survives a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum FolderName {
    Unsynced,
    Durable,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct SimDisk(Arc<Mutex<SimDiskState>>);

impl SimDisk {
    /// Makes the disk one without identities of files, as on platforms without inodes.
    pub(crate) fn hide_identities(&self) {
        self.lock_state().hides_identities = true;
    }

    /// Makes the disk one that reports the types of paths, and lists folders in folders. Folders that contain folders must be
    /// created.
    pub(crate) fn report_entries(&self) {
        self.lock_state().reports_entries = true;
    }

    /// Reports this free space for a folder. All files are on device 0.
    pub(crate) fn set_free_space(&self, folder: &str, free: FreeSpace) {
        self.lock_state().free_space.insert(folder.into(), free);
    }

    fn inode_identity(&self, inode: usize) -> FileIdentity {
        if self.lock_state().hides_identities { FileIdentity::UNKNOWN } else { FileIdentity::new(0, inode as u64) }
    }

    fn folder_identity(&self, path: &Path) -> FileIdentity {
        if self.lock_state().hides_identities {
            return FileIdentity::UNKNOWN;
        }
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        // No file has such a number.
        FileIdentity::new(0, hasher.finish() | 1 << 63)
    }

    pub(crate) fn with_files(files: &[(&str, &[u8])]) -> Self {
        let disk = Self::default();
        for (name, bytes) in files {
            disk.put(name, bytes);
        }
        disk
    }

    /// Adds a file with durable contents and a durable name.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        let mut state = self.lock_state();
        state.inodes.push(Inode::durable(bytes));
        let number = state.inodes.len() - 1;
        state.set_name(Path::new(name), number);
        state.durable_names.insert(name.into(), number);
    }

    pub(crate) fn get(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.lock_state();
        state.names.get(Path::new(name)).map(|inode| state.inodes[*inode].data().to_vec())
    }

    /// True when a file has these bytes, also one whose name was removed, in the cache or on stable storage.
    pub(crate) fn has_bytes_anywhere(&self, bytes: &[u8]) -> bool {
        self.lock_state().inodes.iter().any(|inode| inode.has_bytes(bytes))
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.lock_state().names.keys().map(|path| path.to_string_lossy().into_owned()).collect()
    }

    /// Returns the number of calls so far that change or sync a file or a folder.
    pub(crate) fn calls(&self) -> usize {
        self.lock_state().faults.calls()
    }

    /// Returns the calls so far that changed or synced a file or a folder and did not fail.
    pub(crate) fn recorded_calls(&self) -> Vec<RecordedCall> {
        self.lock_state().recorded_calls.clone()
    }

    /// Schedules a fault for the `n`th call from now on that changes or syncs, counted from 0. The test fails when there
    /// is no such call.
    pub(crate) fn fail(&self, n: usize, fault: DiskFault) {
        self.lock_state().faults.schedule(n, fault, FaultExpectation::MustOccur);
    }

    /// Schedules a fault like [`SimDisk::fail`], for a call that may come after the last one of the test.
    pub(crate) fn fail_if_reached(&self, n: usize, fault: DiskFault) {
        self.lock_state().faults.schedule(n, fault, FaultExpectation::MayOccur);
    }

    /// Schedules a fault like [`SimDisk::fail`], and repeats it at every later call of the same kind.
    pub(crate) fn fail_permanently(&self, n: usize, fault: DiskFault) {
        self.fail(n, fault);
        self.lock_state().faults.repetition = FaultRepetition::SameKind;
    }

    /// Schedules a fault like [`SimDisk::fail`], and repeats it at every later call.
    pub(crate) fn fail_all_from(&self, n: usize, fault: DiskFault) {
        self.fail(n, fault);
        self.lock_state().faults.repetition = FaultRepetition::AllCalls;
    }

    /// Makes the call after a short write fail with this error number.
    pub(crate) fn fail_after_short(&self, number: i32) {
        self.lock_state().faults.error_after_short = Some(number);
    }

    /// Returns the kind of the call at which the fault occurred.
    pub(crate) fn faulted_call(&self) -> Option<CallKind> {
        self.lock_state().faults.faulted_call
    }

    /// Returns the work that `run` makes.
    pub(crate) fn work_of(&self, run: impl FnOnce()) -> DiskWork {
        let open_files = {
            let mut state = self.lock_state();
            let open_files = state.work.open_files;
            state.work = DiskWork { open_files, max_open_files: open_files, ..DiskWork::default() };
            open_files
        };
        run();
        let work = self.lock_state().work;
        DiskWork { max_open_files: work.max_open_files.saturating_sub(open_files), ..work }
    }

    /// Returns the number of bytes read so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.lock_state().bytes_read
    }

    /// Replaces all files of this disk with those of another disk.
    pub(crate) fn replace_with(&self, other: &Self) {
        let other = other.next_process();
        std::mem::swap(&mut *self.lock_state(), &mut *other.lock_state());
    }

    /// Returns a number that is equal for two disks with the same files, cached and on stable storage.
    pub(crate) fn fingerprint(&self) -> u64 {
        let state = self.lock_state();
        let mut hasher = DefaultHasher::new();
        for names in [&state.names, &state.durable_names] {
            for (name, inode) in names {
                (name, &state.inodes[*inode]).hash(&mut hasher);
            }
        }
        state.folders.hash(&mut hasher);
        hasher.finish()
    }

    /// Returns the disk that the next process finds after a kill. Writes that the system accepted are not lost.
    pub(crate) fn next_process(&self) -> Self {
        let state = self.lock_state();
        let mut inodes = state.inodes.clone();
        for inode in &mut inodes {
            inode.locked = false;
        }
        let (names, durable_names) = (state.names.clone(), state.durable_names.clone());
        let last_names = state.last_names.clone();
        let (folders, free_space) = (state.folders.clone(), state.free_space.clone());
        Self(Arc::new(Mutex::new(SimDiskState {
            inodes,
            names,
            last_names,
            durable_names,
            folders,
            folder_changes: state.folder_changes.clone(),
            reports_entries: state.reports_entries,
            free_space,
            ..SimDiskState::default()
        })))
    }

    /// Returns the disk after a power cut. For each unsynced sector, size and name, `choose` decides whether it is kept. A file
    /// whose name was on stable storage and that was renamed since has its old or its new name, and so has a folder.
    pub(crate) fn power_cut(&self, mut choose: impl FnMut() -> bool) -> Self {
        let state = self.lock_state();
        let inodes = state.inodes.iter().map(|inode| inode.after_power_cut(&mut choose)).collect();
        let mut names = state.durable_names.clone();
        for (name, inode) in &state.names {
            if state.durable_names.get(name) != Some(inode) && choose() {
                names.insert(name.clone(), *inode);
            }
        }
        let new_names: BTreeMap<usize, PathBuf> =
            state.names.iter().map(|(name, inode)| (*inode, name.clone())).collect();
        for (name, inode) in &state.durable_names {
            if state.names.contains_key(name) {
                continue;
            }
            match new_names.get(inode) {
                // Another file can have got the new name since.
                Some(new) if names.get(new) == Some(inode) => drop(names.remove(name)),
                Some(_) => {}
                None if choose() => {}
                None => drop(names.remove(name)),
            }
        }
        let mut folders = state.folders.clone();
        folders.retain(|_, name| *name == FolderName::Durable || choose());
        let is_lost = |folder: &Path| state.folders.contains_key(folder) && !folders.contains_key(folder);
        names.retain(|name, _| !name.parent().is_some_and(is_lost));
        state.folder_changes.undo_some(&mut folders, &mut names, &mut choose);
        for name in folders.values_mut() {
            *name = FolderName::Durable;
        }
        let durable_names = names.clone();
        let last_names = names.iter().map(|(name, inode)| (*inode, name.clone())).collect();
        let reports_entries = state.reports_entries;
        Self(Arc::new(Mutex::new(SimDiskState {
            inodes,
            names,
            last_names,
            durable_names,
            folders,
            reports_entries,
            ..SimDiskState::default()
        })))
    }

    fn lock_state(&self) -> MutexGuard<'_, SimDiskState> {
        self.0.lock().unwrap()
    }
}

impl SimDiskState {
    /// Records a call on the file that has number `inode`. Files without a name are not recorded.
    fn record_on_file(&mut self, kind: CallKind, inode: usize) {
        let name = self.last_names.get(&inode).filter(|name| self.names.get(*name) == Some(&inode));
        if let Some(path) = name {
            self.recorded_calls.push(RecordedCall::new(kind, path));
        }
    }

    /// Gives a file a name.
    fn set_name(&mut self, name: &Path, inode: usize) {
        self.names.insert(name.to_owned(), inode);
        self.last_names.insert(inode, name.to_owned());
    }
}
