//! A simulated disk: files in memory whose unsynced writes a power cut loses, keeps or tears by sector, whose names are
//! durable only once their folder was synced, and of which any one call can be made to fail or to be the last.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use chronicle::file::{Disk, Identity, Open, Storage};

const SECTOR: usize = 512;

/// What befalls one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The process dies: this call does half of what it would, and all later ones do nothing.
    Kill,
    /// The call fails with this error number and does nothing.
    Error(i32),
    /// A write takes only half of its bytes; other calls fail.
    Short,
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

#[derive(Debug, Clone, Default)]
struct Inode {
    data: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
    locked: bool,
}

#[derive(Debug, Default)]
struct State {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    folders: Vec<PathBuf>,
    calls: usize,
    fault: Option<(usize, Fault)>,
    /// The fault comes back at every later call of the same kind.
    for_ever: bool,
    faulted: Option<&'static str>,
    after_short: Option<i32>,
    dead: bool,
    while_waiting: Option<Vec<u8>>,
    unreadable: Option<std::ops::Range<usize>>,
    read: u64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct SimDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    inode: usize,
    locked: Mutex<bool>,
    /// Opened to append: whatever is written stands at the end, as Linux has it.
    appends: bool,
    appended_to: Mutex<u64>,
}

impl SimDisk {
    pub(super) fn with(files: &[(&str, &[u8])]) -> Self {
        let disk = Self::default();
        for (name, bytes) in files {
            disk.put(name, bytes);
        }
        disk
    }

    /// A file with durable contents under a durable name.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) {
        let mut state = self.state();
        let inode = Inode { data: bytes.to_vec(), durable: bytes.to_vec(), ..Inode::default() };
        state.inodes.push(inode);
        let number = state.inodes.len() - 1;
        state.names.insert(name.into(), number);
        state.durable_names.insert(name.into(), number);
    }

    pub(super) fn get(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state();
        state.names.get(Path::new(name)).map(|inode| state.inodes[*inode].data.clone())
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.state().names.keys().map(|path| path.to_string_lossy().into_owned()).collect()
    }

    /// How many calls that change or sync something there were.
    pub(super) fn calls(&self) -> usize {
        self.state().calls
    }

    /// Makes the `n`th such call from now on, counted from 0, meet a fault.
    pub(super) fn fail(&self, n: usize, fault: Fault) {
        let mut state = self.state();
        state.fault = Some((state.calls + n, fault));
    }

    /// The same, and every later call of its kind too.
    pub(super) fn fail_for_ever(&self, n: usize, fault: Fault) {
        self.fail(n, fault);
        self.state().for_ever = true;
    }

    /// Makes the call behind a short write fail with this error number.
    pub(super) fn fail_after_short(&self, number: i32) {
        self.state().after_short = Some(number);
    }

    /// Appends to a file as a program does that asks for no lock.
    pub(super) fn write_as_another(&self, name: &str, bytes: &[u8]) {
        let mut state = self.state();
        let inode = state.names[Path::new(name)];
        state.inodes[inode].data.extend_from_slice(bytes);
    }

    /// Gives a file other contents, as a program does that is no writer of logs.
    pub(super) fn overwrite(&self, name: &str, bytes: &[u8]) {
        let mut state = self.state();
        let inode = state.names[Path::new(name)];
        let inode = &mut state.inodes[inode];
        (inode.data, inode.durable) = (bytes.to_vec(), bytes.to_vec());
    }

    /// Takes over what another disk holds.
    pub(super) fn become_like(&self, other: &Self) {
        let other = other.next_process();
        std::mem::swap(&mut *self.state(), &mut *other.state());
    }

    /// Makes the device refuse to read these bytes of every file that reaches so far.
    pub(super) fn refuse(&self, range: std::ops::Range<usize>) {
        self.state().unreadable = Some(range);
    }

    /// What a file holds once somebody has waited for it.
    pub(super) fn while_waiting(&self, bytes: &[u8]) {
        self.state().while_waiting = Some(bytes.to_vec());
    }

    /// How many bytes were read so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.state().read
    }

    /// The kind of call that met the fault.
    pub(super) fn faulted(&self) -> Option<&'static str> {
        self.state().faulted
    }

    /// The disk as the next process finds it: nothing handed to the system is lost.
    pub(super) fn next_process(&self) -> Self {
        let state = self.state();
        let mut inodes = state.inodes.clone();
        for inode in &mut inodes {
            inode.locked = false;
        }
        let (names, durable_names) = (state.names.clone(), state.durable_names.clone());
        let folders = state.folders.clone();
        Self(Arc::new(Mutex::new(State { inodes, names, durable_names, folders, ..State::default() })))
    }

    /// The disk after a power cut: of what was not synced, `choose` says of each sector and each name whether it stays.
    pub(super) fn power_cut(&self, mut choose: impl FnMut() -> bool) -> Self {
        let state = self.state();
        let mut inodes = Vec::new();
        for inode in &state.inodes {
            let mut data = inode.durable.clone();
            for change in &inode.unsynced {
                match change {
                    Change::SetLen(len) => {
                        if choose() {
                            data.resize(*len, 0);
                        }
                    }
                    Change::Write(at, bytes) => {
                        let mut from = 0;
                        while from < bytes.len() {
                            let to = (from + SECTOR - (at + from) % SECTOR).min(bytes.len());
                            if choose() {
                                put_at(&mut data, at + from, &bytes[from..to]);
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
        Self(Arc::new(Mutex::new(State { inodes, names, durable_names, folders, ..State::default() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Counts a call; what the fault makes of it.
    fn call(&self, kind: &'static str) -> io::Result<Option<Fault>> {
        let mut state = self.state();
        if state.dead {
            return Err(io::Error::other("killed"));
        }
        if state.faulted.is_some()
            && let Some(number) = state.after_short.take()
        {
            return Err(io::Error::from_raw_os_error(number));
        }
        let number = state.calls;
        state.calls += 1;
        let met = state.fault.filter(|(at, _)| *at == number || state.for_ever && state.faulted == Some(kind));
        let Some((_, fault)) = met else {
            return Ok(None);
        };
        state.faulted = Some(kind);
        match fault {
            Fault::Kill => {
                state.dead = true;
                Ok(Some(fault))
            }
            Fault::Error(number) => Err(io::Error::from_raw_os_error(number)),
            Fault::Short => Ok(Some(fault)),
        }
    }

    /// A call that cannot be done by half.
    fn whole_call(&self, kind: &'static str) -> io::Result<()> {
        match self.call(kind)? {
            None => Ok(()),
            Some(Fault::Kill) => Err(io::Error::other("killed")),
            Some(_) => Err(io::Error::from_raw_os_error(28)),
        }
    }
}

fn put_at(data: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if data.len() < at + bytes.len() {
        data.resize(at + bytes.len(), 0);
    }
    data[at..at + bytes.len()].copy_from_slice(bytes);
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn Storage>> {
        if let Open::Create | Open::CreateSide { .. } = how {
            self.whole_call("create")?;
            let mut state = self.state();
            if state.names.contains_key(path) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.inodes.push(Inode::default());
            let inode = state.inodes.len() - 1;
            state.names.insert(path.to_owned(), inode);
        }
        let inode = *self.state().names.get(path).ok_or(io::ErrorKind::NotFound)?;
        let appends = matches!(how, Open::Append | Open::AppendSide | Open::Create);
        let (locked, appended_to) = (Mutex::new(false), Mutex::new(0));
        Ok(Arc::new(SimFile { disk: self.clone(), inode, locked, appends, appended_to }))
    }

    fn scratch(&self, _folder: Option<&Path>) -> io::Result<Arc<dyn Storage>> {
        self.whole_call("create")?;
        self.state().inodes.push(Inode::default());
        let inode = self.state().inodes.len() - 1;
        let (locked, appended_to) = (Mutex::new(false), Mutex::new(0));
        Ok(Arc::new(SimFile { disk: self.clone(), inode, locked, appends: false, appended_to }))
    }

    fn identity(&self, path: &Path) -> io::Result<Identity> {
        let inode = *self.state().names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Identity { device: 0, inode: inode as u64, links: 1 })
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.identity(path).map(|_| path.to_owned())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.whole_call("rename")?;
        let mut state = self.state();
        let inode = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.whole_call("remove")?;
        self.state().names.remove(path).map(|_| ()).ok_or(io::ErrorKind::NotFound.into())
    }

    fn create_folder(&self, path: &Path, _like: &Path) -> io::Result<()> {
        self.whole_call("create folder")?;
        self.state().folders.push(path.to_owned());
        Ok(())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.whole_call("sync folder")?;
        let mut state = self.state();
        let inside = |name: &PathBuf| name.parent() == Some(path);
        let now: Vec<_> = state.names.iter().filter(|(n, _)| inside(n)).map(|(n, i)| (n.clone(), *i)).collect();
        state.durable_names.retain(|name, _| !inside(name));
        state.durable_names.extend(now);
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(self.state().names.keys().filter(|name| name.parent() == Some(folder)).cloned().collect())
    }
}

impl Storage for SimFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.state().inodes[self.inode].data.len() as u64)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.disk.state();
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
        state.read += len as u64;
        Ok(len)
    }

    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        let fault = self.disk.call("write")?;
        let taken = if fault.is_some() { bytes.len().div_ceil(2) } else { bytes.len() };
        let mut state = self.disk.state();
        let inode = &mut state.inodes[self.inode];
        let at = inode.data.len();
        inode.data.extend_from_slice(&bytes[..taken]);
        inode.unsynced.push(Change::Write(at, bytes[..taken].to_vec()));
        if fault == Some(Fault::Kill) {
            return Err(io::Error::other("killed"));
        }
        *self.appended_to.lock().unwrap() = (at + taken) as u64;
        Ok(taken)
    }

    fn appended_to(&self) -> io::Result<u64> {
        Ok(*self.appended_to.lock().unwrap())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let fault = self.disk.call("write at")?;
        let taken = if fault.is_some() { bytes.len() / 2 } else { bytes.len() };
        let mut state = self.disk.state();
        let inode = &mut state.inodes[self.inode];
        let offset = if self.appends { inode.data.len() } else { offset as usize };
        put_at(&mut inode.data, offset, &bytes[..taken]);
        inode.unsynced.push(Change::Write(offset, bytes[..taken].to_vec()));
        if fault.is_some() { Err(io::Error::from_raw_os_error(28)) } else { Ok(()) }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.whole_call("set len")?;
        let mut state = self.disk.state();
        let inode = &mut state.inodes[self.inode];
        inode.data.resize(len as usize, 0);
        inode.unsynced.push(Change::SetLen(len as usize));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.whole_call("sync")?;
        let mut state = self.disk.state();
        let inode = &mut state.inodes[self.inode];
        inode.durable = inode.data.clone();
        inode.unsynced.clear();
        Ok(())
    }

    fn try_lock(&self) -> io::Result<bool> {
        let mut state = self.disk.state();
        let free = !std::mem::replace(&mut state.inodes[self.inode].locked, true);
        *self.locked.lock().unwrap() |= free;
        Ok(free)
    }

    fn identity(&self) -> io::Result<Identity> {
        Ok(Identity { device: 0, inode: self.inode as u64, links: 1 })
    }

    fn wait(&self, _time: std::time::Duration) {
        let mut state = self.disk.state();
        if let Some(bytes) = state.while_waiting.take() {
            state.inodes[self.inode].data = bytes;
        }
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        if *self.locked.lock().unwrap() {
            self.disk.state().inodes[self.inode].locked = false;
        }
    }
}
