//! Returns the next step after an error, and formats errors and paths as text that is safe for a terminal.
//!
//! The error itself provides the failed action, the location, the expected and the found value.

use std::io::ErrorKind;
use std::path::Path;

use crate::repair::{JournalStateAfterFailure, LogStateAfterFailure};
use crate::{ForeignFile, StorageError};

use super::path_text::safe_path_text;
use super::sanitize::sanitize;

/// Formats an error as one line, safe for a terminal: the failure, its location, the expected and the found value.
pub(crate) fn describe_error(error: &StorageError) -> String {
    let text = error.to_string();
    // `Path::display` shows every byte that is not UTF-8 as U+FFFD: the path is formatted from its bytes instead.
    if let Some(path) = error.path()
        && let Some(rest) = text.strip_prefix(&path.display().to_string())
    {
        return format!("{}{}", safe_path_text(path), sanitize(rest));
    }
    sanitize(&text).into_owned()
}

/// Formats an error for a line of the screen, which can be short: the failure, the next step, and then the path.
#[cfg(feature = "app")]
pub(crate) fn screen_message(error: &StorageError) -> String {
    let (text, hint) = (describe_error(error), hint(error));
    let path = error.path().map(safe_path_text);
    let reason = path.as_ref().and_then(|path| text.strip_prefix(path)?.strip_prefix(": "));
    match (reason, path) {
        (Some(reason), Some(path)) => format!("{reason}; {hint} ({path})"),
        _ => format!("{text}; {hint}"),
    }
}

/// Returns the next step after an error: one sentence without its full stop.
pub(crate) fn hint(error: &StorageError) -> String {
    match error {
        StorageError::Io { source, path, .. } if is_remote(path) => return remote_hint(source.kind()).into(),
        StorageError::Io { source, .. } => return io_hint(source.kind()).into(),
        StorageError::TooShort { bytes: 0, .. } => {
            "Remove the empty file and create a log with `chronicle create`; if it was a log, restore it with `chronicle repair \
             LOG --donor BACKUP`"
        }
        StorageError::TooShort { .. } => {
            "Check the path; if this was a log, `chronicle repair LOG --donor BACKUP` or a copy of the backup restores it"
        }
        StorageError::NotALog { content: Some(content), .. } => foreign_file_hint(*content),
        StorageError::NotALog { .. } => "Check the path: Chronicle did not write this file",
        StorageError::UnsupportedVersion { .. } => "Use a version of Chronicle that supports this version of the format",
        StorageError::DamagedHeader { .. } => "Restore the log from a backup, or name one with `chronicle repair LOG --donor BACKUP`",
        StorageError::SegmentOfLog { .. } => "Name the folder of the log, which has all of its segments",
        StorageError::UnknownFlags { forbids: "write", .. } => {
            "Reading works; to append, use a version of Chronicle that supports these flags"
        }
        StorageError::UnknownFlags { .. } => "Use a version of Chronicle that supports these flags",
        StorageError::Damaged { .. } => "Run `chronicle verify` to list all damage; the events around it are readable",
        StorageError::Gap { .. } => "Nothing to do: the events around it are readable",
        StorageError::Lost { .. } => {
            "The events around it are readable; `chronicle repair LOG --donor COPY` brings the range back from a copy that has it"
        }
        StorageError::IndexedEventMissing { .. } => "Run `chronicle verify` to see what is damaged; the other events are readable",
        StorageError::InsideFrame { start, end, .. } => {
            return format!("Start at {start} for that frame or at {end} for the next one");
        }
        StorageError::Removed { first, .. } => {
            return format!(
                "Start at 0 or at {first}; `chronicle undo LOG --list` shows what was removed, and whether an undo can bring it back"
            );
        }
        StorageError::Truncated { .. } => {
            "Restore the end from a backup with `chronicle repair LOG --donor BACKUP`, or give the lost events up with \
             `chronicle repair LOG --forget`: appends then give their offsets to new events"
        }
        StorageError::Locked { .. } => "Wait for that process to end (`append`, `repair` and `undo` wait with --wait SECONDS), or open the log read-only",
        StorageError::Version0ReadOnly { .. } => {
            "Reading works; `chronicle migrate LOG -o NEW` copies it into a version 1 log, which can be repaired and \
             appended to; `--accept likely` restores damaged lengths in the copy"
        }
        StorageError::ReadOnly { .. } => "Open the log for append to write to it",
        StorageError::Closed { .. } => "Open the log again to append to it",
        StorageError::Poisoned { .. } => {
            "Check the disk and its free space, then run `chronicle verify LOG`: it reads what the log contains now"
        }
        StorageError::Changed { .. } => {
            "Run the command again, with a new plan for a repair; if another program writes to the file, stop it first"
        }
        StorageError::Refused { alternative, .. } => alternative,
        StorageError::RepairFailed { failure, .. } => failed_repair_hint(&failure.log_state, &failure.journal_state),
        StorageError::InvalidEvent(_) => "Correct the event and append it again",
        StorageError::UnusableIndex { state: "unsupported", .. } => {
            "Run `chronicle index rebuild LOG`, unless a newer version of Chronicle still uses the index"
        }
        StorageError::UnusableIndex { .. } => "Run `chronicle index rebuild LOG`",
        StorageError::AlreadyExists { .. } => "Choose another name, or use --force to replace the log or file",
        StorageError::NotRestored { .. } => {
            "Remove the cause, then give the old file its name back, unless the file that has this name now is the one you want"
        }
        StorageError::OutOfMemory { .. } => "Raise the memory limit: one event takes up to 16 MiB",
        StorageError::Cancelled => "Run the command again to finish",
    }
    .into()
}

/// True for the URL of an object on a server.
fn is_remote(path: &Path) -> bool {
    #[cfg(feature = "app")]
    let is_remote = matches!(crate::place::Place::parse(path.as_os_str()), Ok(crate::place::Place::Remote(_)));
    #[cfg(not(feature = "app"))]
    let is_remote = {
        let _ = path;
        false
    };
    is_remote
}

/// Returns the next step after a request to a server that failed. It says nothing of the bytes of a log.
const fn remote_hint(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "Check the URL, the endpoint and the region",
        ErrorKind::PermissionDenied => "Check the credentials, and what they allow",
        ErrorKind::InvalidData => "The server or the object is not what was expected; compare it with another copy",
        ErrorKind::InvalidInput => "Correct the configuration of the client",
        ErrorKind::ReadOnlyFilesystem => "Download the log, change the copy, and upload it",
        _ => "Check the network, the endpoint and the server, and run the command again",
    }
}

/// Returns the next step for a file that is not a log.
const fn foreign_file_hint(file: ForeignFile) -> &'static str {
    match file {
        ForeignFile::Gzip => {
            "`chronicle verify` and `cat` read a compressed log, and `import` the compressed output of `cat`; for other commands unpack it: `gzip -dc FILE > LOG`"
        }
        ForeignFile::Zstd => {
            "`chronicle verify` and `cat` read a compressed log, and `import` the compressed output of `cat`; for other commands unpack it: `zstd -dc FILE > LOG`"
        }
        ForeignFile::Xz => "Unpack it first: `xz -dc FILE > LOG`",
        ForeignFile::Bzip2 => "Unpack it first: `bzip2 -dc FILE > LOG`",
        ForeignFile::Zip => "Unpack it first: `unzip FILE`",
        ForeignFile::Sqlite => "Open it with `sqlite3`; Chronicle reads only its own logs",
        ForeignFile::Index => "Name the log: its path is that of the index without `.idx`",
        ForeignFile::Journal => "Name the log; `chronicle undo LOG --list` lists its repairs",
        ForeignFile::Settings | ForeignFile::Removal => "Name the folder of the log",
        ForeignFile::Utf16 => "Get the original file again: a program has converted this one to text",
        ForeignFile::Json => "Make a log of events that `cat` wrote with `chronicle import FILE -o NEW`",
    }
}

/// Returns the next step after a repair that failed, by what the log and the journal contain.
const fn failed_repair_hint(log: &LogStateAfterFailure, journal: &JournalStateAfterFailure) -> &'static str {
    match (journal, log) {
        (JournalStateAfterFailure::Pending, _) => {
            "Remove the cause, such as a full disk: the next append, `chronicle repair LOG` or `chronicle undo LOG` \
             completes the repair or rolls it back"
        }
        (JournalStateAfterFailure::RolledBack | JournalStateAfterFailure::Incomplete, LogStateAfterFailure::Before) => {
            "Remove the cause, such as a full disk, and run the command again"
        }
        (JournalStateAfterFailure::Applied, LogStateAfterFailure::After) => {
            "List the repairs with `chronicle undo LOG --list`, and check the log with `chronicle verify LOG`"
        }
        _ => {
            "Run `chronicle verify LOG` to see what the log contains, and keep the journal: it has the bytes from before"
        }
    }
}

/// Returns the next step after a failed system call.
const fn io_hint(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound | ErrorKind::NotADirectory => "Check the path",
        ErrorKind::PermissionDenied => {
            "Check the permissions of the file and its folder; --index and --journal put side files elsewhere"
        }
        ErrorKind::ReadOnlyFilesystem => "The file system is read-only; --index and --journal put side files elsewhere",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "Free some space on the disk, then run the command again; `chronicle verify LOG` reads what the log contains"
        }
        ErrorKind::InvalidInput => {
            "Name a log in a regular file; `chronicle verify` takes folders, and `verify -`, `cat -` and `import -` read a pipe"
        }
        ErrorKind::InvalidData => "Check the file: its content is not what the command expects",
        ErrorKind::AlreadyExists => "Choose another name",
        _ => "Check the device and the system log before writing anything else",
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_hint_is_one_sentence_without_its_full_stop() {
        let path = PathBuf::from("a.log");
        let errors = [
            StorageError::TooShort { path: path.clone(), bytes: 0, expected: 16 },
            StorageError::TooShort { path: path.clone(), bytes: 9, expected: 16 },
            StorageError::InsideFrame { path: path.clone(), offset: 20, start: 16, end: 300 },
            StorageError::Removed { path: path.clone(), offset: 20, first: 300 },
            StorageError::AlreadyExists { path: path.clone() },
            StorageError::Io {
                path,
                action: "open",
                offset: None,
                source: io::Error::from(ErrorKind::PermissionDenied),
            },
        ];
        let hints: Vec<String> = errors.iter().map(hint).collect();
        for hint in &hints {
            assert!(hint.starts_with(char::is_uppercase) && !hint.ends_with('.'), "{hint}");
        }
        assert_eq!(hints[2], "Start at 16 for that frame or at 300 for the next one");
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_utf8_is_shown_by_its_bytes() {
        use std::os::unix::ffi::OsStrExt;

        let path = PathBuf::from(std::ffi::OsStr::from_bytes(b"a\xff\x1b.log"));
        let error = StorageError::TooShort { path, bytes: 3, expected: 16 };
        assert_eq!(
            describe_error(&error),
            r"$'a\377\033.log': not a Chronicle log: expected a header of 16 bytes, found a file of 3 bytes"
        );
    }
}
