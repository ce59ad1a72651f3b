//! Folders of the simulated disk that are renamed and removed, and what a power cut makes of these changes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::{FolderName, SimDiskState};
use crate::engine::call_order::RecordedCall;

/// Changes of folders whose parent folder was not synced since.
#[derive(Debug, Clone, Default)]
pub(super) struct FolderChanges {
    /// The new paths of renamed folders, each with the path that the folder had before.
    renamed: BTreeMap<PathBuf, PathBuf>,
    /// The paths of removed folders that were on stable storage.
    removed: BTreeSet<PathBuf>,
}

impl FolderChanges {
    /// Records that a folder was removed.
    pub(super) fn record_removal(&mut self, path: &Path, name: FolderName) {
        let before = self.renamed.remove(path);
        if name == FolderName::Durable {
            self.removed.insert(before.unwrap_or_else(|| path.to_owned()));
        }
    }

    /// Undoes the changes for which `choose` returns true, as a power cut can. The files in a folder that is not there again are
    /// removed.
    pub(super) fn undo_some(
        &self,
        folders: &mut BTreeMap<PathBuf, FolderName>,
        names: &mut BTreeMap<PathBuf, usize>,
        mut choose: impl FnMut() -> bool,
    ) {
        for (new, old) in &self.renamed {
            if folders.contains_key(new) && choose() {
                rename_in(folders, new, old);
                rename_in(names, new, old);
            }
        }
        for path in &self.removed {
            if !folders.contains_key(path) && choose() {
                folders.insert(path.clone(), FolderName::Durable);
            }
            if !folders.contains_key(path) {
                names.retain(|name, _| name.parent() != Some(path));
            }
        }
    }
}

impl SimDiskState {
    /// Renames a folder and all that is in it. Another folder that has the new path must be empty, and is replaced.
    pub(super) fn rename_folder(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let is_in_use = self.names.keys().any(|name| name.starts_with(to));
        if is_in_use || to.starts_with(from) {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        self.durable_names.retain(|name, _| !name.starts_with(to));
        rename_in(&mut self.folders, from, to);
        rename_in(&mut self.names, from, to);
        rename_in(&mut self.durable_names, from, to);
        let moved = self.names.iter().filter(|(name, _)| name.starts_with(to));
        self.last_names.extend(moved.map(|(name, inode)| (*inode, name.clone())));
        let before = self.folder_changes.renamed.remove(from).unwrap_or_else(|| from.to_owned());
        if before != to {
            self.folder_changes.renamed.insert(to.to_owned(), before);
        }
        self.recorded_calls.push(RecordedCall::rename(from, to));
        Ok(())
    }

    /// Makes the changes of the folders in `parent` durable.
    pub(super) fn sync_folder_changes(&mut self, parent: &Path) {
        let is_elsewhere = |path: &Path| path.parent() != Some(parent);
        self.folder_changes.renamed.retain(|new, _| is_elsewhere(new));
        let removed = std::mem::take(&mut self.folder_changes.removed);
        let (kept, gone): (BTreeSet<_>, BTreeSet<_>) = removed.into_iter().partition(|path| is_elsewhere(path));
        self.folder_changes.removed = kept;
        let folders = &self.folders;
        let is_gone = |name: &Path| gone.iter().any(|path| name.starts_with(path) && !folders.contains_key(path));
        self.durable_names.retain(|name, _| !is_gone(name));
    }
}

/// Renames `from` and every path in it.
fn rename_in<T>(paths: &mut BTreeMap<PathBuf, T>, from: &Path, to: &Path) {
    let (moved, kept): (Vec<_>, Vec<_>) =
        std::mem::take(paths).into_iter().partition(|(path, _)| path.starts_with(from));
    paths.extend(kept);
    let new_path = |path: &Path| match path.strip_prefix(from) {
        Ok(rest) if rest.as_os_str().is_empty() => to.to_owned(),
        Ok(rest) => to.join(rest),
        Err(_) => path.to_owned(),
    };
    paths.extend(moved.into_iter().map(|(path, value)| (new_path(&path), value)));
}
