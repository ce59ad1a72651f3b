//! [`LogFile`]: one open log file, with its version and the header found in it. It reads single frames.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::format_recovery::recover_format;
use super::segments::open_log;
use super::start_position::{StartPosition, first_base};
use super::storage::{Disk, OpenMode, Storage, is_device_error, read_full, read_until_device_error};
use super::{ScanSpan, Scanner};
use crate::StorageError;
use crate::format::frame::{DecodeResult, Frame, MAX_FRAME, decode};
use crate::format::header::{LogHeader, MAX_HEADER_LEN, looks_like_version_0, stored_log_id};
use crate::format::{ForeignFile, FrameFormat, HeaderBytes, HeaderFault, RECOGNISED_PREFIX, Version};

/// How many bytes of a file with a wrong magic are searched for a valid frame before it is rejected as not a log.
pub(crate) const FRAME_SEARCH_LIMIT: u64 = 64 << 20;

/// The state of a log's header in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderState {
    /// A valid header.
    Valid(LogHeader),
    /// The log has version 0, which has no header.
    Absent,
    /// The first bytes of the file, given here, are not a valid header, although it is a log of version 1 or later.
    Damaged(HeaderBytes, HeaderFault),
    /// The file is shorter than a header, although its index was built from a log of version 1 or later.
    Truncated,
    /// The device cannot read the first bytes of a log of version 1 or later.
    Unreadable,
}

/// Why the first bytes of a file are not a supported header. Both fields are of the same read.
#[derive(Debug)]
pub(crate) struct RejectedHeader {
    /// The state of the header if the file is a log of version 1 or 2.
    pub(crate) state: HeaderState,
    /// The error of opening the file, unless something else shows that it is a log.
    pub(crate) error: StorageError,
}

/// An open log file.
#[derive(Debug)]
pub struct LogFile {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    format: FrameFormat,
    header: HeaderState,
    /// Where the log started when it was opened.
    start: StartPosition,
    /// True after a sync has failed. The mutex is held during a sync: when several run at once, the operating system reports a
    /// failure to one of them, and the others succeed.
    sync_failed: Mutex<bool>,
}

impl LogFile {
    /// Opens `path` in the given mode, and detects the version from the bytes of the file.
    ///
    /// # Errors
    /// `Io` when the file cannot be opened or read; `TooShort`, `NotALog`, `UnsupportedVersion`, `UnknownFlags`,
    /// `DamagedHeader` or `SegmentOfLog` when its bytes are not those of a log that can be read.
    pub fn open(disk: &Arc<dyn Disk>, path: &Path, mode: OpenMode) -> Result<Self, StorageError> {
        let storage = open_log(disk, path, mode).map_err(|error| StorageError::io(path, "open", error))?;
        let (format, header) = Self::detect_format(&storage, path)?;
        Ok(Self::with_header(storage, path, format, header))
    }

    /// Creates a log from a format and header state that the caller knows, without reading the file.
    pub(crate) fn with_header(
        storage: Arc<dyn Storage>,
        path: &Path,
        format: FrameFormat,
        header: HeaderState,
    ) -> Self {
        let of_file = StartPosition::of_file(format.version());
        let start = storage.segments().map_or(of_file, StartPosition::of_segments);
        Self { storage, path: path.to_owned(), format, header, start, sync_failed: Mutex::new(false) }
    }

    /// Returns where the log starts now: a retention can have moved it since the log was opened.
    fn start(&self) -> StartPosition {
        match self.storage.segments() {
            Some(segments) if segments.log_start() != self.start.offset => StartPosition::of_segments(segments),
            _ => self.start,
        }
    }

    /// The range of the header of the log, or of its first segment that is there.
    pub(crate) fn header_range(&self) -> Range<u64> {
        let start = self.start().header;
        start..start + self.version().first_frame_offset()
    }

    /// Detects the format of a log from the bytes of the file: by its header, and then by its frames.
    ///
    /// # Errors
    /// `TooShort` for fewer bytes than a header; `NotALog`, `UnsupportedVersion`, `UnknownFlags`, `DamagedHeader` or
    /// `SegmentOfLog` for a header that cannot be used; `Io` when the file cannot be read.
    fn detect_format(storage: &Arc<dyn Storage>, path: &Path) -> Result<(FrameFormat, HeaderState), StorageError> {
        let rejected = match Self::detect_format_by_header(storage, path) {
            Err(rejected) => *rejected,
            Ok(detected) => return Ok(detected),
        };
        Self::detect_format_by_frames(storage, path, &rejected)?.ok_or(rejected.error)
    }

    /// Detects the format of a log from its first 64 bytes, which are read once.
    ///
    /// # Errors
    /// Those of opening a log. `NotALog` for a wrong magic, whatever follows it.
    pub(crate) fn detect_format_by_header(
        storage: &Arc<dyn Storage>,
        path: &Path,
    ) -> Result<(FrameFormat, HeaderState), Box<RejectedHeader>> {
        let mut first = [0; MAX_HEADER_LEN];
        let reject = |state, error| Err(Box::new(RejectedHeader { state, error }));
        let start = storage.segments().map_or(0, first_base);
        let read = match read_full(storage.as_ref(), &mut first, start) {
            Ok(read) => read,
            Err(error) => return reject(HeaderState::Unreadable, StorageError::io_at(path, "read", 0, error)),
        };
        let found = first.get(..read).unwrap_or_default();
        let path = path.to_owned();
        if let Some(segments) = storage.segments() {
            // The other segments show what the damaged header of one should be.
            let state = match LogHeader::decode(found) {
                Ok(header) => HeaderState::Valid(header),
                Err(fault) => HeaderState::Damaged(HeaderBytes::from_start_of(found), fault),
            };
            return Ok((FrameFormat::of_log(segments.log_id()), state));
        }
        match LogHeader::decode(found) {
            Ok(header) => match header.segment.filter(|segment| segment.number > 0 || segment.base > 0) {
                None => Ok((header.frame_format(), HeaderState::Valid(header))),
                Some(segment) => {
                    let (number, base) = (segment.number, segment.base);
                    reject(HeaderState::Valid(header), StorageError::SegmentOfLog { path, number, base })
                }
            },
            Err(HeaderFault::TooShort(expected)) => {
                reject(HeaderState::Truncated, StorageError::TooShort { path, bytes: read as u64, expected })
            }
            Err(HeaderFault::Magic(_)) if looks_like_version_0(found) => Ok((FrameFormat::V0, HeaderState::Absent)),
            Err(fault) => {
                let damaged = HeaderState::Damaged(HeaderBytes::from_start_of(found), fault);
                if let Some(corrected) = LogHeader::correct_bit(found) {
                    return Ok((corrected.frame_format(), damaged));
                }
                let error = match fault {
                    HeaderFault::Version(found) => StorageError::UnsupportedVersion { path, found },
                    HeaderFault::Flags(found) => StorageError::UnknownFlags { path, found, forbids: "read" },
                    HeaderFault::Checksum { stored, computed } => {
                        StorageError::DamagedHeader { path, stored, computed }
                    }
                    HeaderFault::Magic(_) | HeaderFault::TooShort(_) => match storage.len() {
                        Ok(len) => {
                            let start = first.first_chunk().copied().unwrap_or_default();
                            let (searched, content) =
                                (len.min(FRAME_SEARCH_LIMIT), recognise_content(storage.as_ref()));
                            StorageError::NotALog { path, found: start, searched, content }
                        }
                        Err(error) => StorageError::io(&path, "measure", error),
                    },
                };
                reject(damaged, error)
            }
        }
    }

    /// Detects the format of a log without a usable header by the first valid frame in its first
    /// [`FRAME_SEARCH_LIMIT`] bytes, in this order: a frame of version 1, of version 2 with the log id in the damaged header,
    /// two frames of version 2 with an unknown log id, and a frame of version 0.
    ///
    /// `None` when the header is rejected for another reason than a wrong or unreadable magic, and when there is no valid
    /// frame.
    ///
    /// # Errors
    /// `Io`, `OutOfMemory` when the file cannot be read.
    pub(crate) fn detect_format_by_frames(
        storage: &Arc<dyn Storage>,
        path: &Path,
        rejected: &RejectedHeader,
    ) -> Result<Option<(FrameFormat, HeaderState)>, StorageError> {
        match &rejected.error {
            // A journal, and a compressed file whose data is stored as it is, contain valid frames of a log.
            StorageError::NotALog { content: Some(content), .. } if content.has_signature() => return Ok(None),
            StorageError::NotALog { .. } | StorageError::DamagedHeader { .. } => {}
            StorageError::Io { source, .. } if is_device_error(source) => {}
            _ => return Ok(None),
        }
        // A valid frame with a checksum is no accident. One of version 0 is a whole valid event.
        let stored_id = match &rejected.state {
            HeaderState::Damaged(found, _) => stored_log_id(found),
            _ => None,
        };
        for format in [Some(FrameFormat::V1), stored_id.map(FrameFormat::of_log)].into_iter().flatten() {
            if Self::has_frame_of(storage, path, format)? {
                return Ok(Some((format, rejected.state)));
            }
        }
        // A frame of version 2 without its checksum is also one of version 0.
        if let Some(format) = recover_format(storage.as_ref(), path, FRAME_SEARCH_LIMIT)? {
            return Ok(Some((format, rejected.state)));
        }
        let is_version_0 = Self::has_frame_of(storage, path, FrameFormat::V0)?;
        Ok(is_version_0.then_some((FrameFormat::V0, HeaderState::Absent)))
    }

    /// True when the first [`FRAME_SEARCH_LIMIT`] bytes of a file have a valid frame of this format.
    fn has_frame_of(storage: &Arc<dyn Storage>, path: &Path, format: FrameFormat) -> Result<bool, StorageError> {
        let log = Arc::new(Self::with_header(storage.clone(), path, format, HeaderState::Absent));
        let (first, searched) = (log.first_frame_offset(), log.len()?.min(FRAME_SEARCH_LIMIT));
        let first_item = Scanner::from_unaligned(log, first..searched.max(first)).next_item()?.map(|item| item.span());
        Ok(matches!(first_item, Some(ScanSpan::Frame(_))))
    }

    /// The path with which the file was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open file, borrowed.
    pub fn storage(&self) -> &dyn Storage {
        self.storage.as_ref()
    }

    /// Blocks until every byte that was written to the file is on stable storage.
    ///
    /// A sync that failed once is never repeated, because the operating system may have dropped the unwritten bytes,
    /// and a later success would prove nothing. The cache is dropped, so that later reads, also those of the next writer,
    /// return what is on the disk.
    ///
    /// # Errors
    /// The error of the operating system. Every call after a failed one also fails.
    pub(crate) fn sync(&self) -> std::io::Result<()> {
        self.sync_through(self.storage())
    }

    /// Syncs the file like [`LogFile::sync`], through another handle of it that can write. Waits for another sync of the file
    /// to end.
    ///
    /// # Errors
    /// Those of [`LogFile::sync`].
    pub(super) fn sync_through(&self, handle: &dyn Storage) -> std::io::Result<()> {
        let earlier_failure = || std::io::Error::other("an earlier sync of this file failed");
        // After a panic in a sync, the contents of the disk are as unknown as after a failed one.
        let mut sync_failed = self.sync_failed.lock().map_err(|_| earlier_failure())?;
        if *sync_failed {
            return Err(earlier_failure());
        }
        handle.sync().inspect_err(|_| {
            *sync_failed = true;
            self.storage.drop_cache();
        })
    }

    /// The open file, as a shared handle.
    pub(crate) fn shared_storage(&self) -> Arc<dyn Storage> {
        self.storage.clone()
    }

    /// The version of the log.
    #[inline]
    pub const fn version(&self) -> Version {
        self.format.version()
    }

    /// The format of the frames of the log.
    #[inline]
    pub const fn format(&self) -> FrameFormat {
        self.format
    }

    /// The header as found when the file was opened.
    pub(crate) const fn header(&self) -> HeaderState {
        self.header
    }

    /// The current size of the file, in bytes.
    ///
    /// # Errors
    /// `Io` when the size cannot be determined.
    pub fn len(&self) -> Result<u64, StorageError> {
        self.storage.len().map_err(|error| StorageError::io(&self.path, "measure", error))
    }

    /// True when the file is empty.
    ///
    /// # Errors
    /// `Io` when the size cannot be determined.
    pub fn is_empty(&self) -> Result<bool, StorageError> {
        Ok(self.len()? == 0)
    }

    /// The offset of the first frame.
    #[inline]
    pub fn first_frame_offset(&self) -> u64 {
        self.start().first_frame
    }

    /// Reads the bytes of the header, or as many as there are; none in version 0.
    ///
    /// # Errors
    /// `Io` when they cannot be read.
    pub(crate) fn read_header(&self) -> Result<Vec<u8>, StorageError> {
        let Range { start, end } = self.header_range();
        let mut bytes = vec![0; (end - start) as usize];
        let read = self.read_at(&mut bytes, start)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// Reads `buf.len()` bytes at `offset`, or up to the end of the file. Returns the number of bytes read.
    ///
    /// # Errors
    /// `Io` when the read fails.
    pub fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize, StorageError> {
        read_full(self.storage.as_ref(), buf, offset).map_err(|error| self.read_error(offset, error))
    }

    /// Returns this file as a log of another format, which is known from a plan.
    pub(crate) fn in_format(&self, format: FrameFormat) -> Self {
        Self::with_header(self.storage.clone(), &self.path, format, self.header)
    }

    /// Reads the valid frame at `offset` into `buf`; `None` when there is no valid frame at this offset.
    ///
    /// The cost is one read for a frame of up to 4 KiB, and two for a larger frame.
    ///
    /// # Errors
    /// `Io` when a read fails; `OutOfMemory` when `buf` cannot hold the frame.
    pub fn read_frame_at<'b>(&self, offset: u64, buf: &'b mut Vec<u8>) -> Result<Option<Frame<'b>>, StorageError> {
        let mut wanted = 4096;
        loop {
            if buf.len() < wanted {
                buf.try_reserve(wanted - buf.len()).map_err(|_| self.out_of_memory(offset, wanted))?;
                buf.resize(wanted, 0);
            }
            let read =
                read_until_device_error(self.storage.as_ref(), buf.get_mut(..wanted).unwrap_or_default(), offset)
                    .map_err(|error| self.read_error(offset, error))?;
            let available = buf.get(..read).unwrap_or_default();
            match decode(available, self.format, offset) {
                DecodeResult::Incomplete { needed } if read == wanted && needed <= MAX_FRAME => wanted = needed,
                DecodeResult::Complete(frame) => {
                    let len = frame.len() as usize;
                    let bytes = buf.get(..len).unwrap_or_default();
                    return Ok(Some(Frame::from_validated(bytes, self.version())));
                }
                DecodeResult::Incomplete { .. } | DecodeResult::Corrupt(_) => return Ok(None),
            }
        }
    }

    /// Checks that a read that ended at `available_end` reached `required_end`.
    ///
    /// # Errors
    /// `Changed` when it did not, because the file was truncated after its size was read.
    pub(crate) fn ensure_bytes_available(&self, available_end: u64, required_end: u64) -> Result<(), StorageError> {
        if available_end >= required_end {
            return Ok(());
        }
        Err(StorageError::Changed {
            path: self.path.clone(),
            expected: format!("at least {required_end} bytes"),
            found: format!("{available_end} bytes"),
        })
    }

    fn out_of_memory(&self, offset: u64, bytes: usize) -> StorageError {
        StorageError::OutOfMemory { path: self.path.clone(), offset, bytes: bytes as u64 }
    }
}

/// Recognises another kind of file by its first bytes.
fn recognise_content(storage: &dyn Storage) -> Option<ForeignFile> {
    let mut first = [0; RECOGNISED_PREFIX];
    let read = read_full(storage, &mut first, 0).ok()?;
    ForeignFile::recognise(first.get(..read)?)
}
