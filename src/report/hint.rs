//! What to do next after an error, and how an error is worded for a face.
//!
//! What, where, expected and found come from the error itself; here is only the next step.

use std::io::ErrorKind;
use std::path::Path;

use crate::StorageError;

use super::sanitize::{sanitize, sanitize_bytes};

/// An error as one line that a terminal may be given: what, where, what was expected and what was found.
pub fn describe_error(error: &StorageError) -> String {
    let text = error.to_string();
    // A path that is no UTF-8 would be shown with the same sign for different bytes: it is put in from its own bytes.
    if let Some(path) = error.path()
        && let Some(rest) = text.strip_prefix(&path.display().to_string())
    {
        return format!("{}{}", safe_path_text(path), sanitize(rest));
    }
    sanitize(&text).into_owned()
}

/// A path as text that a terminal may be given.
pub fn safe_path_text(path: &Path) -> String {
    sanitize_bytes(path.as_os_str().as_encoded_bytes())
}

/// What to do next, in one sentence.
pub fn hint(error: &StorageError) -> String {
    match error {
        StorageError::Io { source, .. } => return io_hint(source.kind()).into(),
        StorageError::TooShort { bytes: 0, .. } => {
            "The file is empty: remove it and create a log in its place with `chronicle create`"
        }
        StorageError::TooShort { .. } => "Check the path; if this was a log, look for a backup: too little is left of it",
        StorageError::NotALog { .. } => "Check the path: this file was not written by Chronicle",
        StorageError::UnsupportedVersion { .. } => "Use a version of Chronicle that knows this version of the format",
        StorageError::UnknownFlags { forbids: "write", .. } => {
            "Reading works; to append, use a version of Chronicle that knows these flags"
        }
        StorageError::UnknownFlags { .. } => "Use a version of Chronicle that knows these flags",
        StorageError::Damaged { .. } => "See `chronicle verify` for all damage; the events around it can still be read",
        StorageError::Gap { .. } => "Nothing to do: the events around it can be read",
        StorageError::IndexedEventMissing { .. } => "See `chronicle verify` for what happened there; the other events can be read",
        StorageError::InsideFrame { start, end, .. } => {
            return format!("Start at {start} for that frame or at {end} for the one behind it");
        }
        StorageError::Truncated { .. } => {
            "Look for a backup of the log, see `chronicle repair --donor`; appending now would give the offsets of lost \
             events to new ones"
        }
        StorageError::Locked { .. } => "Wait until that process is done (a repair waits with --wait), or open the log to be read only",
        StorageError::Version0ReadOnly { .. } => {
            "Reading works; `chronicle migrate` writes it as a log of version 1, which takes repairs and new events"
        }
        StorageError::ReadOnly { .. } => "Open the log for append to write to it",
        StorageError::Poisoned { .. } => {
            "Check the disk and its free space, then open the log again: what is certain is kept, the rest is judged anew"
        }
        StorageError::Changed { .. } => {
            "Look again, and make the plan anew if it was one; if another program writes to the file, make it stop first"
        }
        StorageError::Refused { alternative: instead, .. } => instead,
        StorageError::InvalidEvent(_) => "Correct the event; nothing was written",
        StorageError::UnusableIndex { state: "unsupported", .. } => {
            "Rebuild the index with `chronicle index rebuild` if no newer version needs it"
        }
        StorageError::UnusableIndex { .. } => "Rebuild the index with `chronicle index rebuild`",
        StorageError::AlreadyExists { .. } => "Choose another name, or use --force to replace the file",
        StorageError::OutOfMemory { .. } => "Raise the memory limit: a single event may take up to 16 MiB",
        StorageError::Cancelled => "Run it again to finish",
    }
    .into()
}

const fn io_hint(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "Check the path",
        ErrorKind::PermissionDenied => {
            "Ask for permission on the file and its folder; --index and --journal put side files elsewhere"
        }
        ErrorKind::ReadOnlyFilesystem => "The file system is read-only; --index and --journal put side files elsewhere",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "Make room on the disk, then try again: the log is as it was before"
        }
        ErrorKind::InvalidInput => "Name a regular file",
        ErrorKind::InvalidData => "Name another file: this one is not what it should be",
        ErrorKind::AlreadyExists => "Choose another name",
        _ => "Check the device and the system's log before writing anything more",
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn every_sentence_is_one_and_says_what_to_do() {
        let path = PathBuf::from("a.log");
        let errors = [
            StorageError::TooShort { path: path.clone(), bytes: 0 },
            StorageError::TooShort { path: path.clone(), bytes: 9 },
            StorageError::InsideFrame { path: path.clone(), offset: 20, start: 16, end: 300 },
            StorageError::AlreadyExists { path: path.clone() },
            StorageError::Io {
                path,
                action: "open",
                offset: None,
                source: io::Error::from(ErrorKind::PermissionDenied),
            },
        ];
        let hints: Vec<String> = errors.iter().map(hint).collect();
        for said in &hints {
            assert!(said.starts_with(char::is_uppercase) && !said.ends_with('.'), "{said}");
        }
        assert_eq!(hints[2], "Start at 16 for that frame or at 300 for the one behind it");
    }

    #[cfg(unix)]
    #[test]
    fn a_hostile_path_is_shown_by_its_bytes() {
        use std::os::unix::ffi::OsStrExt;

        let path = PathBuf::from(std::ffi::OsStr::from_bytes(b"a\xff\x1b.log"));
        let error = StorageError::TooShort { path, bytes: 3 };
        assert_eq!(
            describe_error(&error),
            "a‹xFF›‹ESC›.log: no log: expected a header of 16 bytes, found a file of 3 bytes"
        );
    }
}
