//! [`FileWatch`]: reports how the file of a log has changed since it was last observed.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::{LogFingerprint, LogView};
use crate::StorageError;
use crate::file::FileStamp;

/// Time that the size of a written file must stay the same before the write counts as one in place. While a file grows, the
/// time of the last write can be visible before the new size is.
const WRITE_SETTLE_TIME: Duration = Duration::from_millis(250);

/// The change of a file between two observations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileChange {
    /// The file is unchanged.
    Unchanged,
    /// The file is longer, and its samples have the same bytes.
    Grown,
    /// The file is shorter. The sizes are in bytes.
    Truncated { before: u64, now: u64 },
    /// The file was written and has the same size and samples: a repair, or damage from outside.
    Written,
    /// The first bytes of the file, or those in its middle, differ.
    Overwritten,
    /// The path leads to another file.
    Replaced,
    /// The path leads to no file.
    Missing,
}

/// Observes the file of a log and its path.
#[derive(Debug)]
pub(crate) struct FileWatch {
    view: LogView,
    stamp: FileStamp,
    fingerprint: Option<LogFingerprint>,
    /// The time at which a write without growth was first seen.
    written_since: Option<Instant>,
}

impl FileWatch {
    /// Creates a watch that compares later states of the file with its present one.
    ///
    /// # Errors
    /// `Io` when its size cannot be read.
    pub(crate) fn new(view: &LogView) -> Result<Self, StorageError> {
        let stamp = read_stamp(view)?;
        let fingerprint = LogFingerprint::read(view.log(), stamp.bytes);
        Ok(Self { view: view.clone(), stamp, fingerprint, written_since: None })
    }

    /// Returns the change since the last call. Reads at most 128 bytes of the log.
    ///
    /// # Errors
    /// `Io` when the size of the open file cannot be read.
    pub(crate) fn observe(&mut self) -> Result<FileChange, StorageError> {
        let open = self.view.log().storage().identity();
        match (self.view.disk().identity(self.view.path()), open) {
            (Err(error), _) if error.kind() == ErrorKind::NotFound => return Ok(FileChange::Missing),
            (Ok(at_path), Ok(open)) if at_path.is_same_file(open) == Some(false) => return Ok(FileChange::Replaced),
            _ => {}
        }
        let (before, now) = (self.stamp, read_stamp(&self.view)?);
        let matches = |fingerprint: &LogFingerprint| fingerprint.matches_log(self.view.log());
        let change = if now.bytes < before.bytes {
            FileChange::Truncated { before: before.bytes, now: now.bytes }
        } else if !self.fingerprint.as_ref().is_none_or(matches) {
            FileChange::Overwritten
        } else if now.bytes > before.bytes {
            FileChange::Grown
        } else if now.modified == before.modified {
            self.written_since = None;
            return Ok(FileChange::Unchanged);
        } else if self.written_since.get_or_insert_with(Instant::now).elapsed() < WRITE_SETTLE_TIME {
            return Ok(FileChange::Unchanged);
        } else {
            FileChange::Written
        };
        self.fingerprint = LogFingerprint::read(self.view.log(), now.bytes);
        (self.stamp, self.written_since) = (now, None);
        Ok(change)
    }
}

fn read_stamp(view: &LogView) -> Result<FileStamp, StorageError> {
    view.log().storage().stamp().map_err(|error| StorageError::io(view.path(), "read the size of", error))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};

    use super::*;
    use crate::EventLog;
    use crate::format::Event;

    #[test]
    fn each_change_of_the_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let mut log = EventLog::create(&path).unwrap();
        let event = Event::builder().event_type("T").namespace("n").schema_id("S").schema_version(1);
        let event = event.payload_json("{}").build().unwrap();
        log.append(&event).unwrap();
        let reader = EventLog::open_read_only(&path).unwrap();
        let mut watch = FileWatch::new(reader.view()).unwrap();
        assert_eq!(watch.observe().unwrap(), FileChange::Unchanged);
        let before = log.len().unwrap();
        log.append(&event).unwrap();
        assert_eq!(watch.observe().unwrap(), FileChange::Grown);
        let now = log.len().unwrap();
        drop(log);
        OpenOptions::new().write(true).open(&path).unwrap().set_len(before).unwrap();
        assert_eq!(watch.observe().unwrap(), FileChange::Truncated { before: now, now: before });
        let mut bytes = fs::read(&path).unwrap();
        bytes[before as usize / 2] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(watch.observe().unwrap(), FileChange::Overwritten);
        fs::rename(&path, folder.path().join("b.log")).unwrap();
        assert_eq!(watch.observe().unwrap(), FileChange::Missing);
        fs::write(&path, &bytes).unwrap();
        assert_eq!(watch.observe().unwrap(), FileChange::Replaced);
    }
}
