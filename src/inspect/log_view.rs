//! A log and its index, opened together to be looked at: each is the other's witness.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::StorageError;
use crate::file::{Disk, FRAME_SEARCH_LIMIT, HeaderState, LogFile, OpenMode, ScanItem, Scanner, Storage};
use crate::format::header::{LogHeader, MAGIC};
use crate::format::{DamageKind, EventView, Evidence, Finding, HEADER_LEN, HeaderFault, Version, gap, hex};
use crate::index::{AggregateIndex, IndexExamination, IndexFault, IndexState, PersistedIndex, examine_index};

/// A log and what its index file says.
#[derive(Debug, Clone)]
pub struct LogView {
    disk: Arc<dyn Disk>,
    log: Arc<LogFile>,
    index_path: PathBuf,
    persisted_index: Option<Arc<PersistedIndex>>,
    index_state: IndexState,
    /// Set when a lookup finds the index file corrupt; it then replaces `index_state`.
    corrupt_state: OnceLock<IndexState>,
    /// A frame that the index knows stands in its place, so that what it says of the header counts.
    frames_match: bool,
    threads: usize,
}

/// Where the index of the log at `path` stands unless somebody says otherwise: `<log>.idx`.
pub fn index_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".idx");
    path.with_file_name(name)
}

impl LogView {
    /// Opens the log at `path` to be read; links are resolved. Reads a few frames, whatever the log's size.
    ///
    /// # Errors
    /// `Io`, and where neither the file nor its index says that it is a log: `TooShort`, `NotALog`,
    /// `UnsupportedVersion`, `UnknownFlags`.
    pub fn open(disk: Arc<dyn Disk>, path: &Path, index: Option<&Path>) -> Result<Self, StorageError> {
        let path = disk.resolve(path).map_err(|error| StorageError::io(path, "open", error))?;
        let storage = disk.open(&path, OpenMode::Read).map_err(|error| StorageError::io(&path, "open", error))?;
        Self::from_storage(disk, &path, storage, index)
    }

    /// The same over an open file whose path is resolved.
    ///
    /// # Errors
    /// As [`LogView::init`].
    pub(crate) fn from_storage(
        disk: Arc<dyn Disk>,
        path: &Path,
        storage: Arc<dyn Storage>,
        index: Option<&Path>,
    ) -> Result<Self, StorageError> {
        let index_path = index.map_or_else(|| index_path(path), Path::to_owned);
        let opened = PersistedIndex::open(disk.as_ref(), &index_path);
        let (version, header) = match LogFile::detect_version(&storage, path) {
            Ok(known) => known,
            Err(error) => {
                match opened.as_ref().ok().and_then(|index| recognise_by_index(&error, index, &storage, path)) {
                    Some(known) => known,
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
            corrupt_state: OnceLock::new(),
            frames_match: false,
            threads: 1,
        };
        view.update_index_state(opened)?;
        Ok(view)
    }

    fn update_index_state(&mut self, opened: Result<PersistedIndex, IndexFault>) -> Result<(), StorageError> {
        (self.persisted_index, self.frames_match) = (None, false);
        self.corrupt_state = OnceLock::new();
        self.index_state = match opened {
            Ok(index) => {
                let IndexExamination { state, has_matching_frame: frames_match } =
                    examine_index(&self.log, &index, self.log.len()?)?;
                (self.persisted_index, self.frames_match) = (Some(Arc::new(index)), frames_match);
                state
            }
            Err(IndexFault::Missing) => IndexState::Missing,
            Err(IndexFault::Unsupported(version)) => IndexState::Unsupported { version },
            Err(IndexFault::Corrupt(reason)) => IndexState::Corrupt { reason },
            Err(IndexFault::Io(error)) => IndexState::Corrupt { reason: error.to_string() },
        };
        Ok(())
    }

    /// The same, with so many threads for a pass over the log; what it finds is the same for any number.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// How many threads a pass over the log takes: one unless it was said.
    pub const fn threads(&self) -> usize {
        self.threads
    }

    /// Looks at the index file and the log's size again.
    ///
    /// # Errors
    /// `Io` when the log cannot be read.
    pub fn refresh_index_state(&mut self) -> Result<(), StorageError> {
        let opened = PersistedIndex::open(self.disk.as_ref(), &self.index_path);
        self.update_index_state(opened)
    }

    /// Names the index corrupt after a lookup found it so.
    pub fn mark_index_corrupt(&self, reason: String) {
        let _ = self.corrupt_state.set(IndexState::Corrupt { reason });
    }

    /// The log.
    pub const fn log(&self) -> &Arc<LogFile> {
        &self.log
    }

    /// The disk it is on.
    pub const fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// The log's path, links resolved.
    pub fn path(&self) -> &Path {
        self.log.path()
    }

    /// Where its index stands, or would.
    pub fn index_path(&self) -> &Path {
        &self.index_path
    }

    /// The state of its index.
    pub fn index_state(&self) -> &IndexState {
        self.corrupt_state.get().unwrap_or(&self.index_state)
    }

    /// The index file, when it could be opened; to be believed only as far as its state says.
    pub fn persisted_index(&self) -> Option<&Arc<PersistedIndex>> {
        self.persisted_index.as_ref()
    }

    /// The index file, when it may speak for this log.
    pub fn trusted_index(&self) -> Option<&Arc<PersistedIndex>> {
        self.persisted_index.as_ref().filter(|_| self.index_state().is_trusted())
    }

    /// How far the index has seen this log, when it may speak for it.
    pub fn trusted_index_end(&self) -> Option<u64> {
        self.trusted_index().map(|index| index.header().log_end_offset)
    }

    /// An index to look things up in and to catch up: what the file covers, or nothing.
    pub fn load_index(&self) -> AggregateIndex {
        if let Some(index) = self.trusted_index().cloned() {
            match AggregateIndex::from_persisted(&index) {
                Ok(resumed) => return self.with_effective_header(resumed).with_source(Arc::new(self.clone())),
                Err(fault) => self.mark_index_corrupt(fault.into_error(&self.index_path).to_string()),
            }
        }
        self.empty_index()
    }

    /// An index that goes on from the file's, with a copy of the header that can be told from a damaged one: where nothing
    /// says that its own is this log's, or it was built over damage, the log's as it stands.
    fn with_effective_header(&self, mut index: AggregateIndex) -> AggregateIndex {
        let is_trusted = self.frames_match || index.coverage().frames > 0;
        let has_valid_header = is_trusted && LogHeader::decode(&index.log_header()).is_ok();
        if let Some(found) = self.header_bytes().filter(|_| !has_valid_header) {
            index.set_log_header(found);
        }
        index
    }

    /// An index that covers nothing yet, carrying what the old one alone knows: a header that is damaged in the log.
    pub fn empty_index(&self) -> AggregateIndex {
        let cut = || self.trusted_index().map(|index| index.header().log_header);
        let header = self.header_bytes().or_else(cut).unwrap_or_default();
        let index = AggregateIndex::new(self.log.version().number(), header);
        let mut index = index.with_source(Arc::new(self.clone()));
        // Where the log's own header is damaged, the one that it should have, so that the index vouches for that; but not
        // for a guess.
        if let Ok(Some((expected, true))) = self.expected_header() {
            index.set_log_header(expected);
        }
        index
    }

    /// The header's bytes as they stand in the file; `None` in version 0, or where the file ends before they do.
    pub fn header_bytes(&self) -> Option<[u8; 16]> {
        let mut bytes = [0; HEADER_LEN as usize];
        let whole =
            self.log.version() == Version::V1 && self.log.read_at(&mut bytes, 0).is_ok_and(|n| n == bytes.len());
        whole.then_some(bytes)
    }

    /// Milliseconds since the epoch at which the log says it was created; `None` in version 0.
    pub fn created_at_ms(&self) -> Option<u64> {
        self.header_bytes().and_then(|bytes| crate::format::byte_layout::u64_at(&bytes, 8))
    }

    /// The index's copy of the header, when its frames match; an index that was built over a damaged one knows none.
    fn indexed_header(&self) -> Option<[u8; 16]> {
        let copy = self.trusted_index().filter(|_| self.frames_match).map(|index| index.header().log_header);
        copy.filter(|copy| LogHeader::decode(copy).is_ok())
    }

    /// The finding about the header, when it is damaged.
    pub fn header_finding(&self) -> Option<Finding> {
        let found = self.header_bytes()?;
        let expected = self.indexed_header();
        let damaged = matches!(self.log.header(), HeaderState::Damaged(..));
        if !damaged && expected.is_none_or(|expected| expected == found) {
            return None;
        }
        let expected = expected.or_else(|| self.reconstruct_header().ok().map(|(header, _)| header));
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

    /// What a damaged header should be, and whether that is proven: it is the index's copy, or `created_at` is kept as
    /// found, and a valid frame stands behind it.
    ///
    /// # Errors
    /// `Io`, `Changed`, `Memory` when the log cannot be read.
    pub fn expected_header(&self) -> Result<Option<([u8; 16], bool)>, StorageError> {
        if self.header_finding().is_none() {
            return Ok(None);
        }
        // A gap there says that the damage went on behind the header.
        let mut buf = Vec::new();
        let first_stands =
            self.log.read_frame_at(HEADER_LEN, &mut buf)?.is_some_and(|frame| !gap::is_gap(frame.payload()));
        if let Some(known) = self.indexed_header() {
            return Ok(Some((known, first_stands)));
        }
        let (header, kept) = self.reconstruct_header()?;
        Ok(Some((header, kept && first_stands)))
    }

    /// The header that the log should have, as far as anything says: its own where that is whole, what it should be where
    /// it is damaged, the index's copy where the file ends before it does; `None` in version 0.
    ///
    /// # Errors
    /// As [`LogView::expected_header`].
    pub fn effective_header(&self) -> Result<Option<[u8; 16]>, StorageError> {
        let right = match self.expected_header()? {
            Some((header, _)) => Some(header),
            None => self.header_bytes().or_else(|| self.trusted_index().map(|index| index.header().log_header)),
        };
        Ok(right.filter(|header| LogHeader::decode(header).is_ok()))
    }

    /// The header of a log of version 1 that was created when this one says, or, where that lies behind the first
    /// readable event, then; and whether it is as this one says.
    fn reconstruct_header(&self) -> Result<([u8; 16], bool), StorageError> {
        let found = self.created_at_ms().unwrap_or_default();
        let searched = self.log.len()?.min(FRAME_SEARCH_LIMIT);
        let mut scanner = Scanner::new(self.log.clone(), HEADER_LEN..searched.max(HEADER_LEN));
        while let Some(item) = scanner.next_item()? {
            if let ScanItem::Frame(_, frame) = item
                && let Ok(event) = EventView::parse(frame.payload(), self.log.version())
            {
                let first = event.write_timestamp_ms();
                // Zeros are no time: the field was lost with the rest.
                let created = if found == 0 { first } else { found.min(first) };
                return Ok((LogHeader::new(created).encode(), created == found));
            }
        }
        Ok((LogHeader::new(found).encode(), false))
    }

    /// The flags that forbid writing to the log, unless its index says that they are damage.
    pub(crate) fn write_blocking_flags(&self) -> Option<u16> {
        match self.log.header() {
            HeaderState::Valid(header) if !header.is_writable() && self.header_finding().is_none() => {
                Some(header.flags)
            }
            _ => None,
        }
    }
}

/// What an index says against a file's first bytes: that it was a log of version 1 that may be read.
fn recognise_by_index(
    error: &StorageError,
    index: &PersistedIndex,
    storage: &Arc<dyn Storage>,
    path: &Path,
) -> Option<(Version, HeaderState)> {
    let index_header = index.header();
    if let StorageError::TooShort { bytes, .. } = error {
        let version = if index_header.log_version == 0 { Version::V0 } else { Version::V1 };
        let header = if index_header.log_version == 0 { HeaderState::Absent } else { HeaderState::Truncated };
        return (index_header.log_end_offset > *bytes).then_some((version, header));
    }
    LogHeader::decode(&index_header.log_header).ok()?;
    let mut found = [0; HEADER_LEN as usize];
    crate::file::storage::read_full(storage.as_ref(), &mut found, 0).ok()?;
    let fault = match error {
        StorageError::UnsupportedVersion { found, .. } => HeaderFault::Version(*found),
        StorageError::UnknownFlags { found, .. } => HeaderFault::Flags(*found),
        StorageError::NotALog { found, .. } if *found != MAGIC => HeaderFault::Magic(*found),
        _ => return None,
    };
    // Its frames have to be there: an index says nothing about another file.
    let header = HeaderState::Damaged(found, fault);
    let log = Arc::new(LogFile::with_header(storage.clone(), path, Version::V1, header));
    let IndexExamination { state, has_matching_frame: frames_match } =
        examine_index(&log, index, log.len().ok()?).ok()?;
    (state.is_trusted() && frames_match).then_some((Version::V1, header))
}
