//! The order in which calls must reach a disk, so that a power cut at any moment is harmless. The order is checked on
//! calls that the simulated disk has recorded, and on system calls of the real disk layer.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The kind of a call that changes or syncs a file or a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallKind {
    Create,
    Append,
    WriteAt,
    SetLen,
    Sync,
    Rename,
    Remove,
    CreateFolder,
    SyncFolder,
}

/// A call that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordedCall {
    pub(crate) kind: CallKind,
    /// The name of the file or folder; for a rename, the new name.
    pub(crate) path: PathBuf,
    /// The old name; `None` unless the call is a rename.
    renamed_from: Option<PathBuf>,
}

impl RecordedCall {
    pub(crate) fn new(kind: CallKind, path: &Path) -> Self {
        Self { kind, path: path.to_owned(), renamed_from: None }
    }

    pub(crate) fn rename(from: &Path, to: &Path) -> Self {
        Self { kind: CallKind::Rename, path: to.to_owned(), renamed_from: Some(from.to_owned()) }
    }
}

/// Files and names that a power cut could lose at one moment.
#[derive(Debug, Default)]
struct Unsynced {
    /// Files that were written since their last sync.
    files: BTreeSet<PathBuf>,
    /// Names of files and folders that were given since the last sync of their folder.
    names: BTreeSet<PathBuf>,
}

/// Returns a sentence for each call of a whole and successful operation on `log` that comes too early or is missing:
///
/// - A file is synced before it is renamed.
/// - Journals, their names and their folder are on stable storage before a byte of the log is changed in place.
/// - At the end, every new name is on stable storage, and so is every file except the log.
pub(crate) fn order_violations(calls: &[RecordedCall], log: &Path) -> Vec<String> {
    let mut journals = log.as_os_str().to_owned();
    journals.push(".repairs");
    let is_journal = |path: &&PathBuf| path.starts_with(&journals);
    let (mut unsynced, mut violations) = (Unsynced::default(), Vec::new());
    for (number, RecordedCall { kind, path, renamed_from }) in calls.iter().enumerate() {
        match kind {
            CallKind::Create | CallKind::CreateFolder => {
                unsynced.names.insert(path.clone());
            }
            CallKind::Append => {
                unsynced.files.insert(path.clone());
            }
            CallKind::WriteAt | CallKind::SetLen => {
                if path == log {
                    let early = unsynced.files.iter().chain(&unsynced.names).filter(is_journal);
                    violations.extend(early.map(|journal| {
                        format!("call {number} changes the log before {} is durable", journal.display())
                    }));
                }
                unsynced.files.insert(path.clone());
            }
            CallKind::Sync => {
                unsynced.files.remove(path);
            }
            CallKind::Rename => {
                let from = renamed_from.as_ref().unwrap();
                if unsynced.files.remove(from) {
                    violations.push(format!("call {number} renames {} before it is synced", from.display()));
                }
                unsynced.names.remove(from);
                unsynced.names.insert(path.clone());
            }
            CallKind::Remove => {
                unsynced.files.remove(path);
                unsynced.names.remove(path);
            }
            CallKind::SyncFolder => unsynced.names.retain(|name| name.parent() != Some(path)),
        }
    }
    violations.extend(unsynced.names.iter().map(|name| format!("the name {} is not synced", name.display())));
    let files = unsynced.files.iter().filter(|path| *path != log);
    violations.extend(files.map(|file| format!("the file {} is not synced", file.display())));
    violations
}
