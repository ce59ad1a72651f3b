//! A view of a log for reading: the log, its index, and their agreement. Each file is checked by means of the other.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::zeros::find_last_nonzero;
use crate::StorageError;
use crate::file::{Disk, FRAME_SEARCH_LIMIT, HeaderState, LogFile, OpenMode, ScanItem, Scanner, Storage, TrustRule};
use crate::format::header::{LogHeader, MAGIC};
use crate::format::{DamageKind, EventView, Evidence, Finding, HEADER_LEN, HeaderFault, Version, gap, hex};
use crate::index::{
    AggregateIndex, IndexExamination, IndexFault, IndexState, LostTail, PersistedIndex, SeenEnd, examine_index,
    index_path,
};

/// A log that is open for reading, with its index file and the state of the index.
#[derive(Debug, Clone)]
pub struct LogView {
    disk: Arc<dyn Disk>,
    log: Arc<LogFile>,
    index_path: PathBuf,
    persisted_index: Option<Arc<PersistedIndex>>,
    index_state: IndexState,
    /// How far the log was seen, according to the header of the index.
    seen_end: SeenEnd,
    /// The state that replaces `index_state` once a lookup has found the index file to be corrupt.
    corrupt_state: OnceLock<IndexState>,
    /// True when the log has a frame that the index lists, so that the index's copy of the header is trusted.
    has_matching_frame: bool,
    /// Number of threads for reading the whole log.
    threads: usize,
}

/// The header that a log with a damaged header should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExpectedHeader {
    /// The bytes of the header.
    pub(crate) bytes: [u8; 16],
    /// True when the bytes are proven; false when they are likely.
    pub(crate) is_proven: bool,
}

/// A header that was reconstructed without an index.
struct ReconstructedHeader {
    bytes: [u8; 16],
    /// True when it has the creation time that was found in the damaged header.
    is_time_kept: bool,
}

impl LogView {
    /// Opens the log at `path` for reading, and resolves symbolic links. Only a few frames are read, for a log of any size.
    ///
    /// `index` is the path of the index; `None` for `<log>.idx`.
    ///
    /// # Errors
    /// `Io` when the log cannot be read. `TooShort`, `NotALog`, `UnsupportedVersion` or `UnknownFlags` when the file does
    /// not start with a supported header, and no index shows that it is a log with a damaged header.
    pub fn open(disk: Arc<dyn Disk>, path: &Path, index: Option<&Path>) -> Result<Self, StorageError> {
        let path = disk.resolve(path).map_err(|error| StorageError::io(path, "open", error))?;
        let storage = disk.open(&path, OpenMode::Read).map_err(|error| StorageError::io(&path, "open", error))?;
        Self::from_storage(disk, &path, storage, index)
    }

    /// Creates a view of an open file. Symbolic links in `path` must be resolved.
    ///
    /// # Errors
    /// See [`LogView::open`].
    pub(crate) fn from_storage(
        disk: Arc<dyn Disk>,
        path: &Path,
        storage: Arc<dyn Storage>,
        index: Option<&Path>,
    ) -> Result<Self, StorageError> {
        let index_path = index.map_or_else(|| index_path(path), Path::to_owned);
        let opened = open_index(disk.as_ref(), storage.as_ref(), &index_path);
        let (version, header) = match LogFile::detect_version(&storage, path) {
            Ok(detected) => detected,
            Err(error) => {
                match opened.as_ref().ok().and_then(|index| recognise_by_index(&error, index, &storage, path)) {
                    Some(recognised) => recognised,
                    None => return Err(error),
                }
            }
        };
        let log = Arc::new(LogFile::with_header(storage, path, version, header));
        let mut view = Self {
            disk,
            log,
            index_path,
            persisted_index: None,
            index_state: IndexState::Missing,
            seen_end: SeenEnd::Nothing,
            corrupt_state: OnceLock::new(),
            has_matching_frame: false,
            threads: 1,
        };
        view.update_index_state(opened)?;
        Ok(view)
    }

    fn update_index_state(&mut self, opened: Result<PersistedIndex, IndexFault>) -> Result<(), StorageError> {
        (self.persisted_index, self.has_matching_frame) = (None, false);
        self.corrupt_state = OnceLock::new();
        match opened {
            Ok(index) => {
                let examined = examine_index(&self.log, &index, self.log.len()?)?;
                (self.index_state, self.seen_end) = (examined.state, examined.seen_end);
                (self.persisted_index, self.has_matching_frame) = (Some(Arc::new(index)), examined.has_matching_frame);
            }
            Err(fault) => {
                self.seen_end = SeenEnd::from_fault(&fault);
                self.index_state = IndexState::from_fault(fault);
            }
        }
        Ok(())
    }

    /// Returns this view with a number of threads for reading the whole log. The results do not depend on the number.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// Returns the number of threads for reading the whole log: 1 unless [`LogView::with_threads`] has set it.
    pub const fn threads(&self) -> usize {
        self.threads
    }

    /// Opens the index file again, and updates the state of the index for the present size of the log.
    ///
    /// # Errors
    /// `Io` when the log cannot be read.
    pub fn refresh_index_state(&mut self) -> Result<(), StorageError> {
        let opened = open_index(self.disk.as_ref(), self.log.storage(), &self.index_path);
        self.update_index_state(opened)
    }

    /// Sets the state of the index to corrupt, after a lookup has found it to be corrupt.
    pub fn mark_index_corrupt(&self, reason: String) {
        let _ = self.corrupt_state.set(IndexState::Corrupt { reason });
    }

    /// Returns the file of the log.
    pub const fn log(&self) -> &Arc<LogFile> {
        &self.log
    }

    /// Returns the disk that holds the log.
    pub const fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// Returns the path of the log, with symbolic links resolved.
    pub fn path(&self) -> &Path {
        self.log.path()
    }

    /// Returns the path of the index, which need not exist.
    pub fn index_path(&self) -> &Path {
        &self.index_path
    }

    /// Returns the state of the index.
    pub fn index_state(&self) -> &IndexState {
        self.corrupt_state.get().unwrap_or(&self.index_state)
    }

    /// Returns the index file, when it could be opened. Its state determines whether its content may be used.
    pub fn persisted_index(&self) -> Option<&Arc<PersistedIndex>> {
        self.persisted_index.as_ref()
    }

    /// Returns the index file, when its state shows that it belongs to this log.
    pub fn trusted_index(&self) -> Option<&Arc<PersistedIndex>> {
        self.persisted_index.as_ref().filter(|_| self.index_state().is_trusted())
    }

    /// Returns the index file when its header is intact and belongs to this log, even where later pages are corrupt.
    ///
    /// Only the facts of the header can be used: the recorded end, the last frames, and the copy of the log's header.
    pub(crate) fn identified_index(&self) -> Option<&Arc<PersistedIndex>> {
        self.persisted_index.as_ref().filter(|_| self.seen_end.offset().is_some())
    }

    /// Returns how far the log was seen. The recorded end is after the present end when the log was cut.
    pub const fn seen_end(&self) -> &SeenEnd {
        &self.seen_end
    }

    /// Returns the ranges that a trusted index knows to be damaged, ascending; none when the index cannot be read.
    #[cfg(feature = "app")]
    pub(crate) fn known_damage(&self) -> Vec<std::ops::Range<u64>> {
        let index = self.trusted_index().and_then(|index| AggregateIndex::from_persisted(index).ok());
        index.map(|index| index.known_damage().collect()).unwrap_or_default()
    }

    /// Returns an index for lookups and for catching up: the content of a trusted index file, otherwise an empty index.
    pub fn load_index(&self) -> AggregateIndex {
        if let Some(index) = self.trusted_index().cloned() {
            match AggregateIndex::from_persisted(&index) {
                Ok(loaded) => return self.with_effective_header(loaded).with_source(Arc::new(self.clone())),
                Err(fault) => self.mark_index_corrupt(fault.into_error(&self.index_path).to_string()),
            }
        }
        self.empty_index()
    }

    /// Replaces the header copy of an index by the header in the log, unless the copy is valid and trusted.
    ///
    /// A copy is not trusted when the index is empty and the log has none of its frames. It is invalid when the index was
    /// built while the header was damaged.
    fn with_effective_header(&self, mut index: AggregateIndex) -> AggregateIndex {
        let is_trusted = self.has_matching_frame || index.coverage().frames > 0;
        let has_valid_header = is_trusted && LogHeader::decode(&index.log_header()).is_ok();
        if let Some(found) = self.header_bytes().filter(|_| !has_valid_header) {
            index.set_log_header(found);
        }
        index
    }

    /// Returns an empty index. It has the header that the log should have, which only the old index may know.
    pub fn empty_index(&self) -> AggregateIndex {
        let header_copy = || self.identified_index().map(|index| index.header().log_header);
        let header = self.header_bytes().or_else(header_copy).unwrap_or_default();
        let index = AggregateIndex::new(self.log.version().number(), header);
        let mut index = index.with_source(Arc::new(self.clone()));
        // The index keeps the correct header of a log whose header is damaged, but only when it is proven.
        if let Ok(Some(ExpectedHeader { bytes, is_proven: true })) = self.expected_header() {
            index.set_log_header(bytes);
        }
        // No other file records an end that the log has lost.
        if let Some(old) = self.identified_index() {
            let recorded = || LostTail { last_frame: old.last_seen_frame(), ..old.lost_tail() };
            index.set_lost_tail(self.lost_tail().ok().flatten().unwrap_or_else(recorded));
        }
        index
    }

    /// Reads the header's bytes from the file; `None` in version 0, and when the file ends within the header.
    pub fn header_bytes(&self) -> Option<[u8; 16]> {
        let mut bytes = [0; HEADER_LEN as usize];
        let is_complete =
            self.log.version() == Version::V1 && self.log.read_at(&mut bytes, 0).is_ok_and(|n| n == bytes.len());
        is_complete.then_some(bytes)
    }

    /// Returns the creation time in the header, in milliseconds since the Unix epoch; `None` when there is no header.
    pub fn created_at_ms(&self) -> Option<u64> {
        self.header_bytes().and_then(|bytes| crate::format::byte_layout::u64_at(&bytes, 8))
    }

    /// Returns the index's copy of the header, when the copy is valid and the log has a frame of the index.
    fn indexed_header(&self) -> Option<[u8; 16]> {
        let copy = self.identified_index().filter(|_| self.has_matching_frame).map(|index| index.header().log_header);
        copy.filter(|copy| LogHeader::decode(copy).is_ok())
    }

    /// Returns the finding about the header, when it is damaged.
    pub fn header_finding(&self) -> Option<Finding> {
        let found = self.header_bytes()?;
        let expected = self.indexed_header();
        let is_damaged = matches!(self.log.header(), HeaderState::Damaged(..));
        if !is_damaged && expected.is_none_or(|expected| expected == found) {
            return None;
        }
        let expected = expected.or_else(|| self.reconstruct_header().ok().map(|header| header.bytes));
        let reason = match self.log.header() {
            HeaderState::Damaged(_, HeaderFault::Magic(_)) => "the magic is wrong, and valid frames follow",
            HeaderState::Damaged(_, HeaderFault::Version(_)) => "the version differs from the index's copy",
            HeaderState::Damaged(..) => "the flags differ from the index's copy",
            _ => "it differs from the index's copy, and the frames match",
        };
        let evidence = Evidence {
            header_found: Some(hex::encode(&found)),
            header_expected: expected.map(|expected| hex::encode(&expected)),
            reason: Some(reason.into()),
            ..Evidence::default()
        };
        Some(Finding::new(DamageKind::Header, 0..HEADER_LEN).with_evidence(evidence))
    }

    /// Returns the header that a log with a damaged header should have; `None` when the header is not damaged.
    ///
    /// It is the index's copy, or else it is reconstructed with the creation time that was found. It is proven when a valid
    /// frame that is not a gap follows the header, and the creation time was not changed.
    ///
    /// # Errors
    /// `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
    pub(crate) fn expected_header(&self) -> Result<Option<ExpectedHeader>, StorageError> {
        if self.header_finding().is_none() {
            return Ok(None);
        }
        // A gap directly after the header shows that the damage continued after the header.
        let mut buf = Vec::new();
        let is_first_frame_intact =
            self.log.read_frame_at(HEADER_LEN, &mut buf)?.is_some_and(|frame| !gap::is_gap(frame.payload()));
        if let Some(bytes) = self.indexed_header() {
            return Ok(Some(ExpectedHeader { bytes, is_proven: is_first_frame_intact }));
        }
        let ReconstructedHeader { bytes, is_time_kept } = self.reconstruct_header()?;
        Ok(Some(ExpectedHeader { bytes, is_proven: is_time_kept && is_first_frame_intact }))
    }

    /// Returns the header that the log should have; `None` in version 0, and when no valid header is known.
    ///
    /// It is the header in the log when that is intact, the expected header when it is damaged, and the index's copy when the
    /// file ends within the header.
    ///
    /// # Errors
    /// See [`LogView::expected_header`].
    pub(crate) fn effective_header(&self) -> Result<Option<[u8; 16]>, StorageError> {
        let effective = match self.expected_header()? {
            Some(expected) => Some(expected.bytes),
            None => self.header_bytes().or_else(|| self.identified_index().map(|index| index.header().log_header)),
        };
        Ok(effective.filter(|header| LogHeader::decode(header).is_ok()))
    }

    /// Reconstructs the header of a log of version 1 from its creation time, or from the time of the first readable event
    /// when that is earlier.
    fn reconstruct_header(&self) -> Result<ReconstructedHeader, StorageError> {
        let found = self.created_at_ms().unwrap_or_default();
        let searched = self.log.len()?.min(FRAME_SEARCH_LIMIT);
        let mut scanner = Scanner::new(self.log.clone(), HEADER_LEN..searched.max(HEADER_LEN));
        while let Some(item) = scanner.next_item()? {
            if let ScanItem::Frame(_, frame) = item
                && let Ok(event) = EventView::parse(frame.payload(), self.log.version())
            {
                let first = event.write_timestamp_ms();
                // A creation time of zero is not plausible: the field was overwritten with the rest of the header.
                let created = if found == 0 { first } else { found.min(first) };
                return Ok(ReconstructedHeader {
                    bytes: LogHeader::new(created).encode(),
                    is_time_kept: created == found,
                });
            }
        }
        Ok(ReconstructedHeader { bytes: LogHeader::new(found).encode(), is_time_kept: false })
    }

    /// Returns the flags that forbid writing to the log, unless the index shows that they are damage.
    pub(crate) fn write_blocking_flags(&self) -> Option<u16> {
        match self.log.header() {
            HeaderState::Valid(header) if !header.is_writable() && self.header_finding().is_none() => {
                Some(header.flags)
            }
            _ => None,
        }
    }
}

/// Opens the index file of a log, unless its owner and mode show that it cannot be trusted.
fn open_index(disk: &dyn Disk, log: &dyn Storage, path: &Path) -> Result<PersistedIndex, IndexFault> {
    let rule = TrustRule::for_log(disk, log).map_err(|error| StorageError::io(path, "examine", error))?;
    PersistedIndex::open_trusted(disk, path, rule)
}

/// Recognises a log without a valid header by its index: returns its version and the state of its header.
///
/// `error` is the reason why the first bytes of the file are not a supported header.
fn recognise_by_index(
    error: &StorageError,
    index: &PersistedIndex,
    storage: &Arc<dyn Storage>,
    path: &Path,
) -> Option<(Version, HeaderState)> {
    let index_header = index.header();
    let is_version_0 = index_header.log_version == Version::V0.number();
    if let StorageError::TooShort { bytes, .. } = error {
        let version = if is_version_0 { Version::V0 } else { Version::V1 };
        let header = if is_version_0 { HeaderState::Absent } else { HeaderState::Truncated };
        return (index_header.log_end_offset > *bytes).then_some((version, header));
    }
    let mut found = [0; HEADER_LEN as usize];
    let is_readable = crate::file::storage::read_full(storage.as_ref(), &mut found, 0).is_ok();
    let fault = match error {
        StorageError::UnsupportedVersion { found, .. } => HeaderFault::Version(*found),
        StorageError::UnknownFlags { found, .. } => HeaderFault::Flags(*found),
        StorageError::NotALog { found, .. } if *found != MAGIC => HeaderFault::Magic(*found),
        StorageError::Io { .. } => HeaderFault::Magic([0; 4]),
        _ => return None,
    };
    let (version, header) = match (is_version_0, is_readable) {
        (true, _) => (Version::V0, HeaderState::Absent),
        _ if LogHeader::decode(&index_header.log_header).is_err() => return None,
        (false, true) => (Version::V1, HeaderState::Damaged(found, fault)),
        (false, false) => (Version::V1, HeaderState::Unreadable),
    };
    // The log must have a frame of the index, because the index may belong to another file. A file without any byte that
    // is not zero contradicts nothing: its space was allocated, and its data was lost.
    let log = Arc::new(LogFile::with_header(storage.clone(), path, version, header));
    let len = log.len().ok()?;
    let IndexExamination { seen_end, has_matching_frame, .. } = examine_index(&log, index, len).ok()?;
    let is_lost = || index_header.frames > 0 && find_last_nonzero(&log, &(0..len)).is_ok_and(|last| last.is_none());
    (seen_end.offset().is_some() && (has_matching_frame || is_lost())).then_some((version, header))
}
