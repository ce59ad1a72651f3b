//! Decides whether a side file of a log is trusted: by owner and mode of the file, of its folder and of the log.
//!
//! A side file is trusted when only users who could also write the log itself can write it: its owner is the owner of
//! the log, root or the user who runs the program, and neither the file nor its folder is writable by other users.
//! Group members can write it only where members of the same group can write the log. On platforms without owners,
//! every regular file is trusted.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use crate::StorageError;

use super::file_place::folder_of;
use super::path_entry::{EntryKind, Ownership};
use super::storage::{Disk, OpenMode, Storage, read_full};

/// The id of the user who may access every file.
const ROOT: u32 = 0;
const GROUP_WRITE: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
/// The mode bit of a folder in which users cannot rename or remove the files of others.
const STICKY: u32 = 0o1000;

/// A side file, or the folder of a side file, that is not used although something with its name exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UntrustedFile {
    /// A description of what was found: the type of the file, or its owner and mode.
    pub reason: String,
    /// The next step for the user, as one sentence without a full stop.
    pub remedy: &'static str,
    /// Whether the file can be a record that Chronicle wrote for the log.
    pub origin: SideFileOrigin,
}

impl UntrustedFile {
    /// Describes a file or folder that the system refuses to `action`, such as "list".
    pub(crate) fn unreadable(action: &str, error: &io::Error) -> Self {
        Self {
            reason: format!("cannot {action}: {error}"),
            remedy: "Correct what prevents reading it, or use another path, such as with --index or --journal",
            origin: SideFileOrigin::PossibleRecord,
        }
    }

    /// Returns the error with which an operation refuses to use or to replace the file at `path`.
    pub fn to_error(&self, path: &Path) -> StorageError {
        StorageError::Refused { path: path.to_owned(), reason: self.reason.clone(), alternative: self.remedy }
    }

    /// Returns the notice that the file at `path` is not used, as one line with the reason and the next step.
    pub(crate) fn to_notice(&self, path: &Path) -> String {
        format!("{}: not used: {}. {}", path.display(), self.reason, self.remedy)
    }
}

/// Whether a side file that is not trusted can be a record that Chronicle wrote for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SideFileOrigin {
    /// A trusted user owns it, so it can be the only record of an unfinished repair or of a lost end of the log.
    PossibleRecord,
    /// Another user put it there, or it is of a type that Chronicle never creates.
    NoRecord,
}

/// The result of looking for a side file.
#[derive(Debug)]
pub(crate) enum SideFileFault {
    /// Nothing has this name.
    Missing,
    /// The file exists and is not trusted.
    Untrusted(UntrustedFile),
    /// The file could not be opened or examined.
    Io(io::Error),
}

impl SideFileFault {
    /// Converts the fault to the error of an operation, such as "open", that needs the file at `path`.
    pub(crate) fn into_error(self, path: &Path, action: &'static str) -> StorageError {
        match self {
            Self::Missing => StorageError::io(path, action, ErrorKind::NotFound.into()),
            Self::Untrusted(found) => found.to_error(path),
            Self::Io(error) => StorageError::io(path, action, error),
        }
    }
}

/// The owners and modes that side files of one log may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TrustRule {
    /// The owner and mode of the log; `None` on platforms without owners.
    log: Option<Ownership>,
    /// The user who runs the program; `None` on platforms without owners.
    user: Option<u32>,
}

/// Why the owner and mode of one file or folder are not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TrustFault {
    /// An untrusted user owns it.
    Owner,
    /// Users who cannot write the log can write it.
    Writable,
}

/// The role of a folder whose owner and mode are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FolderRole {
    /// Every file in the folder counts, with any owner.
    Contents,
    /// One named file in the folder counts, and its own owner is checked too.
    Parent,
}

impl TrustRule {
    /// Creates the rule for the side files of an open log.
    ///
    /// # Errors
    /// The error of the operating system, when the owner of the log cannot be read.
    pub(crate) fn for_log(disk: &dyn Disk, log: &dyn Storage) -> io::Result<Self> {
        Ok(Self { log: log.ownership()?, user: disk.user() })
    }

    /// Opens a side file that is trusted. Links are not followed.
    ///
    /// # Errors
    /// See [`SideFileFault`].
    pub(crate) fn open(self, disk: &dyn Disk, path: &Path, mode: OpenMode) -> Result<Arc<dyn Storage>, SideFileFault> {
        let file = disk.open(path, mode).map_err(|error| match error.kind() {
            ErrorKind::NotFound => SideFileFault::Missing,
            ErrorKind::InvalidInput => SideFileFault::Untrusted(self.wrong_type(disk, path, error.to_string())),
            _ => SideFileFault::Io(error),
        })?;
        if let Some(found) = file.ownership().map_err(SideFileFault::Io)? {
            self.check(found).map_err(|fault| self.describe(fault, found, "it"))?;
        }
        self.check_parent(disk, path)?;
        Ok(file)
    }

    /// Reads all bytes of a side file that is trusted and has at most `max_len` bytes.
    ///
    /// # Errors
    /// See [`SideFileFault`]; `Io` with `InvalidData` when the file is larger, with `OutOfMemory` when it does not fit in
    /// memory.
    pub(crate) fn read(self, disk: &dyn Disk, path: &Path, max_len: u64) -> Result<Vec<u8>, SideFileFault> {
        let file = self.open(disk, path, OpenMode::ReadSidecar)?;
        let len = file.len().map_err(SideFileFault::Io)?;
        if len > max_len {
            let reason = format!("expected at most {max_len} bytes, found {len}");
            return Err(SideFileFault::Io(io::Error::new(ErrorKind::InvalidData, reason)));
        }
        let mut bytes = Vec::new();
        let reserved = usize::try_from(len).is_ok_and(|len| bytes.try_reserve_exact(len).is_ok());
        if !reserved {
            return Err(SideFileFault::Io(ErrorKind::OutOfMemory.into()));
        }
        bytes.resize(len as usize, 0);
        let read = read_full(file.as_ref(), &mut bytes, 0).map_err(SideFileFault::Io)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// Checks a folder in which every file belongs to the log, such as the folder of its journals.
    ///
    /// # Errors
    /// See [`SideFileFault`].
    pub(crate) fn check_folder(self, disk: &dyn Disk, folder: &Path) -> Result<(), SideFileFault> {
        let entry = match disk.entry(folder) {
            Ok(entry) => entry,
            // A disk without this call has no owners either.
            Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(SideFileFault::Missing),
            Err(error) => return Err(SideFileFault::Io(error)),
        };
        if entry.kind != EntryKind::Folder {
            let reason = format!("expected a folder, found {}", entry.kind.name());
            return Err(SideFileFault::Untrusted(self.wrong_type(disk, folder, reason)));
        }
        let Some(found) = entry.ownership else { return Ok(()) };
        self.check_folder_mode(found, FolderRole::Contents).map_err(|fault| self.describe(fault, found, "it"))?;
        self.check_parent(disk, folder)
    }

    /// Checks the folder that contains a side file, so that no untrusted user can put another file in its place.
    fn check_parent(self, disk: &dyn Disk, path: &Path) -> Result<(), SideFileFault> {
        let parent = folder_of(path);
        let examined = match disk.entry(parent) {
            // A disk without this call has no owners either.
            Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(()),
            found => found.and_then(|_| disk.resolve(parent)).and_then(|parent| Ok((disk.entry(&parent)?, parent))),
        };
        let (entry, parent) = match examined {
            Ok(examined) => examined,
            Err(error) => {
                let action = format!("examine its folder {}", parent.display());
                return Err(SideFileFault::Untrusted(UntrustedFile::unreadable(&action, &error)));
            }
        };
        let Some(found) = entry.ownership else { return Ok(()) };
        let name = format!("its folder {}", parent.display());
        self.check_folder_mode(found, FolderRole::Parent).map_err(|fault| self.describe(fault, found, &name))
    }

    /// Decides whether the owner and mode of a file are trusted.
    fn check(self, found: Ownership) -> Result<(), TrustFault> {
        let Some(log) = self.log else { return Ok(()) };
        // Where every user can write the log, a side file gives no user more rights.
        if log.mode & OTHERS_WRITE != 0 {
            return Ok(());
        }
        if !self.trusts_user(found.uid) {
            return Err(TrustFault::Owner);
        }
        let is_group_trusted = log.mode & GROUP_WRITE != 0 && log.gid == found.gid;
        if found.mode & OTHERS_WRITE != 0 || (found.mode & GROUP_WRITE != 0 && !is_group_trusted) {
            return Err(TrustFault::Writable);
        }
        Ok(())
    }

    /// Decides whether the owner and mode of a folder are trusted.
    fn check_folder_mode(self, found: Ownership, role: FolderRole) -> Result<(), TrustFault> {
        match self.check(found) {
            // In a sticky folder, others can add files, and cannot replace those of trusted users.
            Err(TrustFault::Writable) if role == FolderRole::Parent && found.mode & STICKY != 0 => Ok(()),
            checked => checked,
        }
    }

    fn trusts_user(self, uid: u32) -> bool {
        uid == ROOT || self.user == Some(uid) || self.log.is_none_or(|log| log.uid == uid)
    }

    fn describe(self, fault: TrustFault, found: Ownership, name: &str) -> SideFileFault {
        let Ownership { uid, gid, mode } = found;
        let (reason, remedy) = match fault {
            TrustFault::Owner => {
                let owner = self.log.map(|log| log.uid).unwrap_or_default();
                let reason = format!(
                    "{name} belongs to user {uid} (mode {mode:04o}), expected the log's owner (user {owner}), root or you"
                );
                (reason, "Remove it unless you trust that user, or use another path, such as with --index or --journal")
            }
            TrustFault::Writable => {
                let reason = format!(
                    "{name} can be written by users who cannot write the log (owner {uid}, group {gid}, mode {mode:04o})"
                );
                (
                    reason,
                    "Check it, then remove the permission with `chmod go-w`, or use another path, such as with --index or --journal",
                )
            }
        };
        let origin = if self.trusts_user(uid) { SideFileOrigin::PossibleRecord } else { SideFileOrigin::NoRecord };
        SideFileFault::Untrusted(UntrustedFile { reason, remedy, origin })
    }

    /// Describes a file of another type than a side file has. A link of a trusted user can lead to a record.
    fn wrong_type(self, disk: &dyn Disk, path: &Path, reason: String) -> UntrustedFile {
        let entry = disk.entry(path).ok();
        let is_trusted_link = entry.is_some_and(|entry| {
            entry.kind == EntryKind::Link && entry.ownership.is_none_or(|found| self.trusts_user(found.uid))
        });
        let origin = if is_trusted_link { SideFileOrigin::PossibleRecord } else { SideFileOrigin::NoRecord };
        let remedy = "Move it away, or use another path, such as with --index or --journal";
        UntrustedFile { reason, remedy, origin }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::OsDisk;
    use crate::file::failing_disk::{FailingCall, FailingDisk};

    const OWNER: u32 = 1000;
    const USER: u32 = 2000;
    const GUEST: u32 = 3000;
    const GROUP: u32 = 50;
    const OTHER_GROUP: u32 = 60;

    const fn owned(uid: u32, gid: u32, mode: u32) -> Ownership {
        Ownership { uid, gid, mode }
    }

    fn rule(log_mode: u32) -> TrustRule {
        TrustRule { log: Some(owned(OWNER, GROUP, log_mode)), user: Some(USER) }
    }

    /// Decides by trying every user in turn: a file is trusted when every user who can write it can write the log.
    fn is_trusted_by_definition(log_mode: u32, found: Ownership) -> bool {
        let members: [(u32, &[u32]); 4] = [(OWNER, &[]), (GUEST, &[]), (4000, &[GROUP]), (5000, &[OTHER_GROUP])];
        members.iter().all(|(uid, groups)| {
            let can_write = |file: Ownership| {
                let is_member = groups.contains(&file.gid);
                file.mode & OTHERS_WRITE != 0 || is_member && file.mode & GROUP_WRITE != 0
            };
            let can_write_file = found.uid == *uid || can_write(found);
            let can_write_log = *uid == OWNER || can_write(owned(OWNER, GROUP, log_mode));
            !can_write_file || can_write_log
        })
    }

    #[test]
    fn a_file_is_trusted_exactly_when_all_its_writers_can_write_the_log() {
        let mut trusted = 0;
        for log_mode in [0o400, 0o600, 0o640, 0o644, 0o660, 0o664, 0o666] {
            for uid in [ROOT, OWNER, USER, GUEST] {
                for gid in [GROUP, OTHER_GROUP] {
                    for mode in [0o400, 0o600, 0o620, 0o640, 0o644, 0o660, 0o664, 0o602, 0o666, 0o777] {
                        let found = owned(uid, gid, mode);
                        let expected = is_trusted_by_definition(log_mode, found);
                        assert_eq!(
                            rule(log_mode).check(found).is_ok(),
                            expected,
                            "log {log_mode:o}, {uid}:{gid} {mode:o}"
                        );
                        trusted += usize::from(expected);
                    }
                }
            }
        }
        assert!((100..460).contains(&trusted), "{trusted} of 560 combinations are trusted");
    }

    #[test]
    fn a_sticky_folder_is_trusted_for_one_file_of_a_trusted_user_only() {
        let (plain, sticky) = (owned(ROOT, 0, 0o777), owned(ROOT, 0, 0o1777));
        let rule = rule(0o600);
        assert_eq!(rule.check_folder_mode(sticky, FolderRole::Parent), Ok(()));
        assert_eq!(rule.check_folder_mode(sticky, FolderRole::Contents), Err(TrustFault::Writable));
        for role in [FolderRole::Parent, FolderRole::Contents] {
            assert_eq!(rule.check_folder_mode(plain, role), Err(TrustFault::Writable));
            // The owner of a sticky folder can replace every file in it.
            assert_eq!(rule.check_folder_mode(owned(GUEST, 0, 0o1777), role), Err(TrustFault::Owner));
            assert_eq!(rule.check_folder_mode(owned(OWNER, GROUP, 0o755), role), Ok(()));
        }
    }

    #[test]
    fn files_of_a_trusted_user_can_be_records_and_those_of_others_cannot() {
        let origin = |uid| match rule(0o600).describe(TrustFault::Writable, owned(uid, GROUP, 0o666), "it") {
            SideFileFault::Untrusted(found) => found.origin,
            other => panic!("{other:?}"),
        };
        assert_eq!([ROOT, OWNER, USER].map(origin), [SideFileOrigin::PossibleRecord; 3]);
        assert_eq!(origin(GUEST), SideFileOrigin::NoRecord);
    }

    #[test]
    fn a_file_in_a_folder_that_cannot_be_examined_is_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("a.log.idx"), "x").unwrap();
        std::fs::create_dir(at("a.log.repairs")).unwrap();
        let is_trusted = |disk: &dyn Disk| {
            let log = disk.open(&at("a.log.idx"), OpenMode::Read).unwrap();
            let rule = TrustRule::for_log(disk, log.as_ref()).unwrap();
            let opened = rule.open(disk, &at("a.log.idx"), OpenMode::ReadSidecar).map(|_| ());
            opened.and_then(|()| rule.check_folder(disk, &at("a.log.repairs")))
        };
        is_trusted(&OsDisk).unwrap();
        for call in [FailingCall::EntryOfPath, FailingCall::ResolvedPath] {
            let Err(SideFileFault::Untrusted(found)) = is_trusted(&FailingDisk::new(call)) else {
                panic!("{call:?}: it is trusted");
            };
            assert_eq!(found.origin, SideFileOrigin::PossibleRecord, "{call:?}");
            let parent = format!("cannot examine its folder {}", folder.path().display());
            assert!(found.reason.contains(&parent), "{call:?}: {}", found.reason);
        }
    }

    #[test]
    fn without_owners_everything_is_trusted() {
        let rule = TrustRule { log: None, user: None };
        assert_eq!(rule.check(owned(GUEST, 0, 0o777)), Ok(()));
    }
}
