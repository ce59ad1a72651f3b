//! [`StreamDisk`]: streams as read-only files and folders of the storage interface. `nats://HOST/STREAM` is a file, or a folder with
//! the segments of a log in segments.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::address::stream_address;
use super::stream_log::{StreamFile, StreamLog};
use crate::file::storage::{OpenMode, Storage};
use crate::file::{EntryKind, FileIdentity, PathEntry, ReadOnlyContent, ReadOnlyStorage};
use crate::format::{base_of_segment_file, segment_file_name};
use crate::place::RemoteUrl;

/// The streams that were opened, by their URL.
#[derive(Debug, Default)]
pub(crate) struct StreamDisk {
    opened: Mutex<HashMap<String, Arc<StreamLog>>>,
}

/// What a URL names.
enum StreamPath {
    /// The stream itself.
    Stream,
    /// The file of the segment with this base.
    Segment(u64),
    /// A side file, which a stream never has.
    SideFile,
}

impl StreamDisk {
    /// Returns the log of a stream, which is read as it was when it was opened first.
    fn log(&self, url: &RemoteUrl) -> io::Result<(Arc<StreamLog>, StreamPath)> {
        let (stream, rest) = url.name().split_once('/').unwrap_or((url.name(), ""));
        let path = match base_of_segment_file(std::path::Path::new(rest)) {
            _ if stream.contains('.') => StreamPath::SideFile,
            _ if rest.is_empty() => StreamPath::Stream,
            Some(base) if !rest.contains('/') => StreamPath::Segment(base),
            _ => StreamPath::SideFile,
        };
        if matches!(path, StreamPath::SideFile) {
            return Err(ErrorKind::NotFound.into());
        }
        let address = stream_address(url.host(), stream, None)?;
        let key = format!("{}/{stream}", url.host());
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(log) = opened.get(&key) {
            return Ok((log.clone(), path));
        }
        let log = Arc::new(StreamLog::open(&address)?);
        opened.insert(key, log.clone());
        Ok((log, path))
    }

    /// Opens a stream, or one of its segments.
    ///
    /// # Errors
    /// `NotFound` for side files; `ReadOnlyFilesystem` for a mode that writes; the errors of the server.
    pub(crate) fn open(&self, url: &RemoteUrl, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        match mode {
            OpenMode::Read | OpenMode::ReadSidecar => {}
            OpenMode::AppendSidecar | OpenMode::RepairSidecar => return Err(ErrorKind::NotFound.into()),
            _ => return Err(read_only()),
        }
        let (log, path) = self.log(url)?;
        let file = match path {
            StreamPath::Stream if !log.is_folder() => log.files().first().copied(),
            StreamPath::Segment(base) => log.files().iter().find(|file| file.base == base).copied(),
            StreamPath::Stream | StreamPath::SideFile => None,
        };
        let file = file.ok_or(ErrorKind::NotFound)?;
        Ok(Arc::new(ReadOnlyStorage(StreamStorage { log, file })))
    }

    /// Returns whether a URL names a file or a folder.
    ///
    /// # Errors
    /// `NotFound`, and the errors of the server.
    pub(crate) fn entry(&self, url: &RemoteUrl) -> io::Result<PathEntry> {
        let (log, path) = self.log(url)?;
        let kind = match path {
            StreamPath::Stream if log.is_folder() => EntryKind::Folder,
            _ => EntryKind::File,
        };
        Ok(PathEntry { kind, ownership: None })
    }

    /// Lists the segments of a log in segments; nothing for any other URL.
    ///
    /// # Errors
    /// The errors of the server.
    pub(crate) fn list(&self, url: &RemoteUrl) -> io::Result<Vec<PathBuf>> {
        let (log, path) = match self.log(url) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            found => found?,
        };
        if !log.is_folder() || !matches!(path, StreamPath::Stream) {
            return Ok(Vec::new());
        }
        let folder = PathBuf::from(url.to_string());
        Ok(log.files().iter().map(|file| folder.join(segment_file_name(file.base))).collect())
    }

    /// Returns the identity of a file, which a stream does not number.
    ///
    /// # Errors
    /// `NotFound`, and the errors of the server.
    pub(crate) fn identity(&self, url: &RemoteUrl) -> io::Result<FileIdentity> {
        self.entry(url).map(|_| FileIdentity::UNKNOWN)
    }
}

/// One file of the log in a stream.
#[derive(Debug)]
struct StreamStorage {
    log: Arc<StreamLog>,
    file: StreamFile,
}

impl ReadOnlyContent for StreamStorage {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.end - self.file.base)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let at = self.file.base.saturating_add(offset);
        let len = usize::try_from(self.file.end.saturating_sub(at)).unwrap_or(usize::MAX).min(buf.len());
        if len == 0 {
            return Ok(0);
        }
        self.log.read_at(buf.get_mut(..len).unwrap_or_default(), at)
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        Ok(FileIdentity::UNKNOWN)
    }

    fn refusal(&self) -> io::Error {
        read_only()
    }
}

fn read_only() -> io::Error {
    io::Error::new(
        ErrorKind::ReadOnlyFilesystem,
        "a stream is only read here; write the log to a file with `chronicle restore`",
    )
}
