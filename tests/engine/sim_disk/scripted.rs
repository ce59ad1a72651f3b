//! What other programs and the device do to a simulated disk at a given moment: changed contents, unreadable ranges, and
//! a writer without the lock.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::Path;

use super::SimDisk;
use super::contents::Inode;

/// The scripted events of a disk.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) contents_after_wait: Option<Vec<u8>>,
    scheduled_change: Option<ScheduledChange>,
    was_cut_before_change: bool,
    pub(super) writer_is_present: bool,
    pub(super) unreadable: Option<Range<usize>>,
    pub(super) unreadable_inode: Option<usize>,
    pub(super) appearing_file: Option<AppearingFile>,
}

/// A file that another program creates just before one of the looks at its name.
#[derive(Debug)]
pub(super) struct AppearingFile {
    pub(super) name: String,
    /// Number of looks that still find no file.
    pub(super) looks_before: usize,
    pub(super) contents: Vec<u8>,
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

impl Script {
    /// Counts a read of a file, and changes the contents of the file before the scheduled read.
    pub(super) fn count_read(&mut self, inode: usize, inodes: &mut [Inode]) {
        let Some(mut change) = self.scheduled_change.take() else { return };
        if change.inode != inode {
            self.scheduled_change = Some(change);
        } else if change.reads_before > 0 {
            change.reads_before -= 1;
            self.scheduled_change = Some(change);
        } else if let Some(contents) = change.contents.pop_front() {
            inodes[inode].set_data(contents.clone());
            if change.repetition == ChangeRepetition::Cyclic {
                change.contents.push_back(contents);
                self.scheduled_change = Some(change);
            }
        }
    }

    /// Records that a file was cut or extended.
    pub(super) fn record_new_len(&mut self) {
        self.was_cut_before_change |= self.scheduled_change.is_some();
    }
}

impl SimDisk {
    /// Appends to a file like a program that does not take the lock.
    pub(crate) fn append_as_other_process(&self, name: &str, bytes: &[u8]) {
        let mut state = self.lock_state();
        let inode = state.names[Path::new(name)];
        let inode = &mut state.inodes[inode];
        let data = [inode.data(), bytes].concat();
        inode.set_data(data);
    }

    /// Replaces the contents of a file, like a program that is not a writer of logs.
    pub(crate) fn overwrite(&self, name: &str, bytes: &[u8]) {
        let mut state = self.lock_state();
        let inode = state.names[Path::new(name)];
        state.inodes[inode].replace(bytes);
    }

    /// Creates a file just before look number `n` at its name, counted from 0.
    pub(crate) fn create_before_look(&self, n: usize, name: &str, contents: &[u8]) {
        let file = AppearingFile { name: name.into(), looks_before: n, contents: contents.to_vec() };
        self.lock_state().script.appearing_file = Some(file);
    }

    /// Counts a look at a name, and creates the scheduled file before it.
    pub(super) fn count_look(&self, path: &Path) {
        let mut state = self.lock_state();
        let Some(file) = state.script.appearing_file.as_mut().filter(|file| Path::new(&file.name) == path) else {
            return;
        };
        if file.looks_before > 0 {
            file.looks_before -= 1;
        } else if let Some(AppearingFile { name, contents, .. }) = state.script.appearing_file.take() {
            drop(state);
            self.put(&name, &contents);
        }
    }

    /// Makes reads of this range fail in every file.
    pub(crate) fn refuse_reads(&self, range: Range<usize>) {
        self.lock_state().script.unreadable = Some(range);
    }

    /// Makes every read of one file fail.
    pub(crate) fn refuse_reads_of(&self, name: &str) {
        let mut state = self.lock_state();
        state.script.unreadable_inode = state.names.get(Path::new(name)).copied();
    }

    /// Sets the contents that a file gets when the engine waits for it to change.
    pub(crate) fn change_while_waiting(&self, bytes: &[u8]) {
        self.lock_state().script.contents_after_wait = Some(bytes.to_vec());
    }

    /// Replaces the contents of a file just before read number `n` of its bytes or its length, counted from 0.
    pub(crate) fn change_before_read(&self, n: usize, name: &str, contents: &[u8]) {
        self.schedule_change(n, name, [contents.to_vec()].into(), ChangeRepetition::Once);
    }

    /// Replaces the contents of a file before every read with the next of `contents`, in a cycle.
    pub(crate) fn change_before_every_read<const N: usize>(&self, name: &str, contents: [&[u8]; N]) {
        self.schedule_change(0, name, contents.map(<[u8]>::to_vec).into(), ChangeRepetition::Cyclic);
    }

    fn schedule_change(&self, n: usize, name: &str, contents: VecDeque<Vec<u8>>, repetition: ChangeRepetition) {
        let mut state = self.lock_state();
        let inode = state.names[Path::new(name)];
        state.script.scheduled_change = Some(ScheduledChange { inode, reads_before: n, contents, repetition });
    }

    /// Returns true until the change of [`SimDisk::change_before_read`] takes place.
    pub(crate) fn has_scheduled_change(&self) -> bool {
        self.lock_state().script.scheduled_change.is_some()
    }

    /// Returns true if a file was cut before the scheduled change took place.
    pub(crate) fn was_cut_before_change(&self) -> bool {
        self.lock_state().script.was_cut_before_change
    }

    /// Reports that another process has the files open for writing.
    pub(crate) fn show_writer(&self) {
        self.lock_state().script.writer_is_present = true;
    }
}
