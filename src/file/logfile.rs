//! One log file, opened and recognised: its version, its header as found, and reading single frames of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::storage::{Disk, OpenMode, Storage, read_full, read_until_device_error};
use super::{ScanItem, Scanner};
use crate::StorageError;
use crate::format::frame::{DecodeResult, Frame, LENGTH_LEN, MAX_FRAME, decode};
use crate::format::header::{LogHeader, looks_like_version_0};
use crate::format::{FrameFault, HEADER_LEN, HeaderFault, Version};

/// How far a file with a wrong magic is searched for a valid frame before it is called no log, in bytes.
pub const FRAME_SEARCH_LIMIT: u64 = 64 << 20;

/// The header as it stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderState {
    /// A header of version 1.
    Valid(LogHeader),
    /// A log of version 0 has none.
    Absent,
    /// These bytes are no header, and yet the file is a log of version 1.
    Damaged([u8; 16], HeaderFault),
    /// The file ends before the header does, and its index says that it was a log of version 1.
    Truncated,
}

/// An open log file.
#[derive(Debug)]
pub struct LogFile {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    version: Version,
    header: HeaderState,
}

impl LogFile {
    /// Opens `path` for reading, or for appending, and recognises it by its own bytes.
    ///
    /// # Errors
    /// `Io` when it cannot be opened; `TooShort`, `NotALog`, `UnsupportedVersion`, `UnknownFlags` when it is no log by its own bytes.
    pub fn open(disk: &dyn Disk, path: &Path, mode: OpenMode) -> Result<Self, StorageError> {
        let storage = disk.open(path, mode).map_err(|error| StorageError::io(path, "open", error))?;
        let (version, header) = Self::detect_version(&storage, path)?;
        Ok(Self { storage, path: path.to_owned(), version, header })
    }

    /// A log whose version is known from elsewhere, whatever its own first bytes say.
    pub(crate) fn with_header(storage: Arc<dyn Storage>, path: &Path, version: Version, header: HeaderState) -> Self {
        Self { storage, path: path.to_owned(), version, header }
    }

    /// What the file's own bytes say it is.
    ///
    /// A wrong magic is forgiven where valid frames follow, looked for at 16 and then within [`FRAME_SEARCH_LIMIT`].
    ///
    /// # Errors
    /// `TooShort`, `NotALog`, `UnsupportedVersion`, `UnknownFlags`, or `Io`.
    pub(crate) fn detect_version(
        storage: &Arc<dyn Storage>,
        path: &Path,
    ) -> Result<(Version, HeaderState), StorageError> {
        let mut first = [0; HEADER_LEN as usize];
        let read = read_full(storage.as_ref(), &mut first, 0).map_err(|e| StorageError::io_at(path, "read", 0, e))?;
        let found = first.get(..read).unwrap_or_default();
        match LogHeader::decode(found) {
            Ok(header) => Ok((Version::V1, HeaderState::Valid(header))),
            Err(HeaderFault::TooShort) => Err(StorageError::TooShort { path: path.to_owned(), bytes: read as u64 }),
            Err(HeaderFault::Version(found)) => Err(StorageError::UnsupportedVersion { path: path.to_owned(), found }),
            Err(HeaderFault::Flags(found)) => {
                Err(StorageError::UnknownFlags { path: path.to_owned(), found, forbids: "read" })
            }
            Err(HeaderFault::Magic(_)) if looks_like_version_0(found) => Ok((Version::V0, HeaderState::Absent)),
            Err(fault @ HeaderFault::Magic(magic)) => {
                let damaged = HeaderState::Damaged(first, fault);
                let log = Arc::new(Self::with_header(storage.clone(), path, Version::V1, damaged));
                let searched = log.len()?.min(FRAME_SEARCH_LIMIT);
                match Scanner::from_unaligned(log, HEADER_LEN..searched).next_item()? {
                    Some(ScanItem::Frame(..)) => Ok((Version::V1, damaged)),
                    _ => Err(StorageError::NotALog { path: path.to_owned(), found: magic, searched }),
                }
            }
        }
    }

    /// Its path, links resolved if it was opened so.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file itself.
    pub fn storage(&self) -> &dyn Storage {
        self.storage.as_ref()
    }

    /// The file itself, to be looked at by another.
    pub(crate) fn shared_storage(&self) -> Arc<dyn Storage> {
        self.storage.clone()
    }

    /// Its layout.
    #[inline]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Its header as it stands.
    pub const fn header(&self) -> HeaderState {
        self.header
    }

    /// Its size now, in bytes.
    ///
    /// # Errors
    /// `Io`.
    pub fn len(&self) -> Result<u64, StorageError> {
        self.storage.len().map_err(|error| StorageError::io(&self.path, "measure", error))
    }

    /// True when the file holds no byte.
    ///
    /// # Errors
    /// `Io`.
    pub fn is_empty(&self) -> Result<bool, StorageError> {
        Ok(self.len()? == 0)
    }

    /// Offset of the first frame.
    pub const fn first_frame_offset(&self) -> u64 {
        self.version.first_frame_offset()
    }

    /// Reads `buf.len()` bytes at `offset`; fewer where the file ends.
    ///
    /// # Errors
    /// `Io`.
    pub fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize, StorageError> {
        read_full(self.storage.as_ref(), buf, offset)
            .map_err(|error| StorageError::io_at(&self.path, "read", offset, error))
    }

    /// Reads the valid frame at `offset` into `buf`; `None` when no valid frame stands there.
    ///
    /// Costs one read for a frame of up to 4 KiB, two for a larger one.
    ///
    /// # Errors
    /// `Io`, or `Memory` where there is none for the frame.
    pub fn read_frame_at<'b>(&self, offset: u64, buf: &'b mut Vec<u8>) -> Result<Option<Frame<'b>>, StorageError> {
        Ok(self.decode_frame_at(offset, buf)?.ok())
    }

    /// Reads the frame at `offset`, or why none stands there; a fault of `Length(0)` also where the file ends.
    ///
    /// # Errors
    /// `Io`, or `Memory` where there is none for the frame.
    pub fn decode_frame_at<'b>(
        &self,
        offset: u64,
        buf: &'b mut Vec<u8>,
    ) -> Result<Result<Frame<'b>, FrameFault>, StorageError> {
        let mut need = 4096;
        loop {
            if buf.len() < need {
                buf.try_reserve(need - buf.len()).map_err(|_| self.out_of_memory(offset, need))?;
                buf.resize(need, 0);
            }
            let read = read_until_device_error(self.storage.as_ref(), buf.get_mut(..need).unwrap_or_default(), offset)
                .map_err(|error| StorageError::io_at(&self.path, "read", offset, error))?;
            let have = buf.get(..read).unwrap_or_default();
            match decode(have, self.version) {
                DecodeResult::Incomplete { needed } if read == need && needed <= MAX_FRAME => need = needed,
                DecodeResult::Complete(frame) => {
                    let len = frame.len() as usize;
                    let bytes = buf.get(..len).unwrap_or_default();
                    return Ok(Ok(Frame::from_validated(bytes, self.version)));
                }
                DecodeResult::Incomplete { needed: LENGTH_LEN } => return Ok(Err(FrameFault::Length(0))),
                DecodeResult::Incomplete { needed } => {
                    return Ok(Err(FrameFault::Length((needed - LENGTH_LEN - self.version.checksum_len()) as u32)));
                }
                DecodeResult::Corrupt(fault) => return Ok(Err(fault)),
            }
        }
    }

    /// An error when a read came back with less than was there when its end was fixed.
    pub(crate) fn ensure_bytes_available(&self, available_end: u64, required_end: u64) -> Result<(), StorageError> {
        if available_end >= required_end {
            return Ok(());
        }
        Err(StorageError::Changed {
            path: self.path.clone(),
            expected: format!("at least {required_end} bytes"),
            found: format!("{available_end} bytes: it was cut meanwhile"),
        })
    }

    fn out_of_memory(&self, offset: u64, bytes: usize) -> StorageError {
        StorageError::OutOfMemory { path: self.path.clone(), offset, bytes: bytes as u64 }
    }
}
