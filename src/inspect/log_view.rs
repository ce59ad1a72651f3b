//! A view of a log for reading: the log, its index, and their agreement. Each file is checked by means of the other.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::recognition::UnrecognisedFile;
use super::segments::SegmentIndexCell;
use crate::StorageError;
use crate::file::{Disk, LogFile, OpenMode, SegmentSet, Storage, TrustRule, open_log};
use crate::format::header::{HeaderBytes, LogHeader};
use crate::index::{
    AggregateIndex, Coverage, IndexFault, IndexState, LostTail, NameCounts, PersistedIndex, SeenEnd, VerificationMark,
    examine_index, index_path,
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
    /// The state that replaces `index_state` once a lookup could not use the index file.
    later_state: OnceLock<IndexState>,
    /// True when the log has a frame that the index lists, so that the index's copy of the header is trusted.
    has_matching_frame: bool,
    /// Number of threads for reading the whole log.
    threads: usize,
    /// The merged indexes of the segments, once they are needed.
    segment_index: SegmentIndexCell,
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
        Self::open_as_copy(disk, path, index, &[])
    }

    /// Opens a log like [`LogView::open`]. A file that is otherwise not a log is recognised by another copy of the log, when
    /// both have a frame, or the creation time, in the same place.
    ///
    /// # Errors
    /// See [`LogView::open`]. `Io` also when a copy cannot be read.
    pub(crate) fn open_as_copy(
        disk: Arc<dyn Disk>,
        path: &Path,
        index: Option<&Path>,
        copies: &[PathBuf],
    ) -> Result<Self, StorageError> {
        let path = disk.resolve(path).map_err(|error| StorageError::io(path, "open", error))?;
        let storage = open_log(&disk, &path, OpenMode::Read).map_err(|error| StorageError::io(&path, "open", error))?;
        Self::recognise(disk, &path, storage, index, copies)
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
        Self::recognise(disk, path, storage, index, &[])
    }

    fn recognise(
        disk: Arc<dyn Disk>,
        path: &Path,
        storage: Arc<dyn Storage>,
        index: Option<&Path>,
        copies: &[PathBuf],
    ) -> Result<Self, StorageError> {
        let index_path = index.map_or_else(|| default_index_path(disk.as_ref(), path, &storage), Path::to_owned);
        let opened = open_index(disk.as_ref(), storage.as_ref(), &index_path);
        let (format, header) = match LogFile::detect_format_by_header(&storage, path) {
            Ok(detected) => detected,
            Err(rejected) => {
                let file = UnrecognisedFile { storage: &storage, path, rejected: &rejected };
                let copies = copies.iter().map(|copy| Self::open(disk.clone(), copy, None).map(|copy| copy.log));
                file.recognise(opened.as_ref().ok(), copies)?.ok_or(rejected.error)?
            }
        };
        let log = Arc::new(LogFile::with_header(storage, path, format, header));
        let mut view = Self {
            disk,
            log,
            index_path,
            persisted_index: None,
            index_state: IndexState::Missing,
            seen_end: SeenEnd::Nothing,
            later_state: OnceLock::new(),
            has_matching_frame: false,
            threads: 1,
            segment_index: SegmentIndexCell::default(),
        };
        view.update_index_state(opened)?;
        Ok(view)
    }

    fn update_index_state(&mut self, opened: Result<PersistedIndex, IndexFault>) -> Result<(), StorageError> {
        (self.persisted_index, self.has_matching_frame) = (None, false);
        (self.later_state, self.segment_index) = (OnceLock::new(), SegmentIndexCell::default());
        match opened {
            Err(IndexFault::Missing) if self.segments().is_some() => {
                self.seen_end = SeenEnd::Nothing;
                self.index_state = self.newest_index_state()?;
            }
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

    /// Reads the whole index, and does not use it any more when it has a fault.
    #[cfg(feature = "app")]
    pub(crate) fn check_index(&self) {
        if let Some(Err(fault)) = self.persisted_index().map(|index| index.check()) {
            self.mark_index_unusable(IndexState::from_fault(fault));
        }
    }

    /// Opens the index file again, and updates the state of the index for the present size of the log.
    ///
    /// # Errors
    /// `Io` when the log cannot be read.
    pub fn refresh_index_state(&mut self) -> Result<(), StorageError> {
        if let Some(segments) = self.segments() {
            segments.list_indexes().map_err(|error| StorageError::io(self.path(), "list", error))?;
        }
        let opened = open_index(self.disk.as_ref(), self.log.storage(), &self.index_path);
        self.update_index_state(opened)
    }

    /// Sets the state of the index to the one in which a lookup has found it, such as corrupt or unreadable. The first
    /// call after the index file was opened counts.
    pub fn mark_index_unusable(&self, state: IndexState) {
        let _ = self.later_state.set(state);
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
        self.later_state.get().unwrap_or(&self.index_state)
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

    /// True when the log has a frame that the index lists.
    pub(super) const fn has_matching_frame(&self) -> bool {
        self.has_matching_frame
    }

    /// Returns how far the log was seen. The recorded end is after the present end when the log was cut.
    pub const fn seen_end(&self) -> &SeenEnd {
        &self.seen_end
    }

    /// Returns the ranges that a trusted index knows to be damaged, ascending; none when the index cannot be read.
    #[cfg(feature = "app")]
    pub(crate) fn known_damage(&self) -> Vec<std::ops::Range<u64>> {
        self.trusted_content().map(|index| index.known_damage().collect()).unwrap_or_default()
    }

    /// Returns an index for lookups and for catching up: the content of a trusted index file, otherwise an empty index.
    pub fn load_index(&self) -> AggregateIndex {
        if self.segments().is_some() {
            return AggregateIndex::clone(&self.segment_index());
        }
        if let Some(index) = self.trusted_index().cloned() {
            match AggregateIndex::from_persisted(&index) {
                Ok(loaded) => return self.with_effective_header(loaded).with_source(Arc::new(self.clone())),
                Err(fault) => self.mark_index_unusable(IndexState::from_fault(fault)),
            }
        }
        self.empty_index()
    }

    /// Returns the merged indexes of the segments of a log, as far as they cover it from its start.
    fn segment_index(&self) -> Arc<AggregateIndex> {
        self.segment_index.get_or_load(|| {
            let mut index = self.empty_index();
            self.add_segment_indexes(&mut index);
            index
        })
    }

    /// Drops the merged indexes of the segments, so that their files are opened again when they are needed next.
    pub(crate) fn forget_segment_index(&self) {
        self.segment_index.clear();
    }

    /// Returns the part of the log that its trusted index covers, or that the indexes of its segments cover; `None` without
    /// one.
    pub fn index_coverage(&self) -> Option<Coverage> {
        if self.segments().is_some() {
            return Some(self.segment_index().coverage()).filter(|coverage| coverage.frames > 0);
        }
        self.trusted_index().map(|index| index.coverage())
    }

    /// Returns the content of the trusted index, or of the indexes of the segments; `None` without one that can be read.
    pub(crate) fn trusted_content(&self) -> Option<AggregateIndex> {
        if self.segments().is_some() {
            return self.index_coverage().map(|_| AggregateIndex::clone(&self.segment_index()));
        }
        self.trusted_index().and_then(|index| AggregateIndex::from_persisted(index).ok())
    }

    /// Returns the end and time of the last verification that the trusted index records.
    pub fn verification_mark(&self) -> Option<VerificationMark> {
        if self.segments().is_some() {
            return self.segment_index().verification_mark();
        }
        self.trusted_index().and_then(|index| index.verification_mark())
    }

    /// Returns the number of events by name, from the trusted index; `None` without one.
    ///
    /// # Errors
    /// The fault of an index whose names cannot be read.
    pub fn index_counts(&self) -> Option<Result<NameCounts, IndexFault>> {
        if self.segments().is_some() {
            return self.index_coverage().map(|_| Ok(self.segment_index().counts().clone()));
        }
        self.trusted_index().map(|index| index.counts())
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
        // A damaged header does not replace a valid copy, by which a log that has lost all of its frames is recognised.
        let is_valid = |header: &HeaderBytes| LogHeader::decode(header).is_ok();
        let (found, copy) = (self.header_bytes(), self.identified_index().map(|index| index.header().log_header));
        let header = found.filter(is_valid).or(copy.filter(is_valid)).or(found).or(copy).unwrap_or_default();
        let index = AggregateIndex::new(self.log.version().number(), header);
        let mut index = index.with_source(Arc::new(self.clone()));
        // The index keeps the correct header of a log whose header is damaged, but only when it is proven.
        if let Some(header) = self.proven_header() {
            index.set_log_header(header);
        }
        // No other file records an end that the log has lost.
        if let Some(old) = self.identified_index() {
            let recorded = || LostTail { last_frame: old.last_seen_frame(), ..old.lost_tail() };
            index.set_lost_tail(self.lost_tail().ok().flatten().unwrap_or_else(recorded));
        }
        index
    }
}

/// Returns the path of the index of a log: that of its last segment in a folder of segments, also when only the index of that
/// segment is left.
fn default_index_path(disk: &dyn Disk, path: &Path, log: &Arc<dyn Storage>) -> PathBuf {
    let Some(segments) = log.segments().filter(|segments| !segments.is_single_segment()) else {
        return index_path(path);
    };
    lost_segment_index(disk, segments, log).unwrap_or_else(|| {
        let newest = segments.base_before(u64::MAX).map(|base| segments.segment_path(base));
        index_path(newest.as_deref().unwrap_or(path))
    })
}

/// Returns the index of a segment after the end of the log, whose file is gone: the only record of the events in it.
fn lost_segment_index(disk: &dyn Disk, segments: &dyn SegmentSet, log: &Arc<dyn Storage>) -> Option<PathBuf> {
    let end = log.len().ok()?;
    let records_later_end = |path: &PathBuf| {
        let index = open_index(disk, log.as_ref(), path).ok();
        index.is_some_and(|index| {
            let header = LogHeader::decode(&index.header().log_header).ok().and_then(|header| header.segment);
            index.header().log_end_offset > end && header.is_some_and(|header| header.log_id == segments.log_id())
        })
    };
    let later = segments.index_bases().into_iter().rev().filter(|base| *base >= end);
    later.map(|base| index_path(&segments.segment_path(base))).find(records_later_end)
}

/// Opens the index file of a log, unless its owner and mode show that it cannot be trusted.
pub(super) fn open_index(disk: &dyn Disk, log: &dyn Storage, path: &Path) -> Result<PersistedIndex, IndexFault> {
    let rule = TrustRule::for_log(disk, log).map_err(|error| StorageError::io(path, "examine", error))?;
    PersistedIndex::open_trusted(disk, path, rule)
}
