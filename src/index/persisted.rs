//! [`PersistedIndex`]: an open index file. Opening reads its header; lookups read other sections by position.

use std::path::Path;
use std::sync::Arc;

use super::block::{Anchor, Block, decode_anchor};
use super::checkpoint::{Checkpoint, Totals, decode_checkpoint};
use super::counts::NameCounts;
use super::coverage::{Coverage, LostTail, VerificationMark};
use super::damage::IndexDamage;
use super::fault::IndexFault;
use super::pages::PageReader;
use super::run_check::check_stored_run;
use super::stored_run::StoredRun;
use crate::StorageError;
use crate::file::{Disk, OpenMode, ReopenedFile, SideFileFault, Storage, TrustRule};
use crate::format::FrameIdentity;
use crate::format::index::{
    ANCHOR_LEN, IndexExtent, IndexHeader, IndexHeaderFault, IndexSection, PAGE_DATA_SIZE, PAGE_SIZE, RunExtents,
};

/// The largest section that is read into memory as a whole, in bytes. A larger section is reported as corruption.
const MAX_WHOLE_SECTION: u64 = 64 << 20;

/// The number of blocks by which an index that is read can grow before its blocks are copied. One mebibyte has 64.
const ADDED_BLOCKS: usize = 256;

/// An open index file. A lookup reads only the pages that it needs.
#[derive(Debug)]
pub struct PersistedIndex {
    header: IndexHeader,
    pages: Arc<PageReader>,
    runs: Vec<Arc<StoredRun>>,
}

impl PersistedIndex {
    /// Opens an index file with any owner. Reads its first page only, so the cost does not depend on its size.
    ///
    /// # Errors
    /// [`IndexFault::Missing`] when there is no file; [`IndexFault::Unsupported`] when a newer version wrote it;
    /// [`IndexFault::Corrupt`] when the first page or its structure is wrong, or the path is not a regular file;
    /// [`IndexFault::NotAnIndex`] when nothing shows that the file was an index;
    /// [`IndexFault::Io`] when the file cannot be read.
    pub(crate) fn open(disk: &dyn Disk, path: &Path) -> Result<Self, IndexFault> {
        let storage = disk.open(path, OpenMode::ReadSidecar).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => IndexFault::Missing,
            std::io::ErrorKind::InvalidInput => IndexFault::Corrupt(error.to_string()),
            _ => IndexFault::Io(StorageError::io(path, "open", error)),
        })?;
        Self::from_storage(storage, path)
    }

    /// Opens the index file of a log, when only users who can write the log can have written it.
    ///
    /// # Errors
    /// [`IndexFault::Untrusted`] when other users can have written the file, or the path is not a regular file;
    /// otherwise those of [`PersistedIndex::open`].
    pub(crate) fn open_trusted(disk: &dyn Disk, path: &Path, rule: TrustRule) -> Result<Self, IndexFault> {
        let storage = rule.open(disk, path, OpenMode::ReadSidecar).map_err(|fault| match fault {
            SideFileFault::Missing => IndexFault::Missing,
            SideFileFault::Untrusted(found) => IndexFault::Untrusted(found),
            SideFileFault::Io(error) => IndexFault::Io(StorageError::io(path, "open", error)),
        })?;
        Self::from_storage(storage, path)
    }

    fn from_storage(storage: Arc<dyn Storage>, path: &Path) -> Result<Self, IndexFault> {
        let pages = PageReader::new(storage, path);
        let header = match read_header(&pages) {
            Err(IndexFault::Corrupt(reason)) if !pages.has_trace_of_index()? => {
                return Err(IndexFault::NotAnIndex(reason));
            }
            header => header?,
        };
        Ok(Self::from_pages(Arc::new(pages), header))
    }

    fn from_pages(pages: Arc<PageReader>, header: IndexHeader) -> Self {
        let run = |extents: &RunExtents| Arc::new(StoredRun::new(pages.clone(), *extents, header.covered_to));
        Self { runs: header.non_empty_runs().map(run).collect(), pages, header }
    }

    /// Returns this index as one of very many, whose files are not all kept open. Later reads fail when the file was replaced or
    /// removed.
    ///
    /// # Errors
    /// [`IndexFault::Io`] when the file cannot be examined.
    pub(crate) fn as_one_of_many(&self, disk: &Arc<dyn Disk>) -> Result<Self, IndexFault> {
        let file = ReopenedFile::new(disk, self.path(), self.storage().clone());
        let file = file.map_err(|error| IndexFault::Io(StorageError::io(self.path(), "examine", error)))?;
        Ok(Self::from_pages(Arc::new(PageReader::new(Arc::new(file), self.path())), self.header.clone()))
    }

    /// The open file. It stays readable when its path is replaced or removed.
    pub(crate) fn storage(&self) -> &Arc<dyn Storage> {
        self.pages.storage()
    }

    /// The decoded header of the file.
    pub(crate) const fn header(&self) -> &IndexHeader {
        &self.header
    }

    /// The part of the log that the file covers.
    pub fn coverage(&self) -> Coverage {
        let header = &self.header;
        Coverage {
            start: 0,
            covered_to: header.covered_to,
            scanned_to: header.scanned_to,
            log_end_offset: header.log_end_offset,
            events: header.events,
            gaps: header.gaps,
            frames: header.frames,
        }
    }

    /// The size of the complete pages of the file, in bytes.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.pages.page_count().map_or(0, |pages| pages * PAGE_SIZE as u64)
    }

    /// The path of the index file.
    pub fn path(&self) -> &Path {
        self.pages.path()
    }

    /// The runs in the file, in the order of the log.
    pub(super) fn runs(&self) -> &[Arc<StoredRun>] {
        &self.runs
    }

    /// The reader of the file's pages.
    pub(super) fn pages(&self) -> &PageReader {
        &self.pages
    }

    /// The end and time of the last verification; `None` when the log was never verified.
    pub fn verification_mark(&self) -> Option<VerificationMark> {
        let (verified_to, verified_at_ms) = (self.header.verified_to, self.header.verified_at);
        (verified_to > 0).then_some(VerificationMark { verified_to, verified_at_ms })
    }

    /// Reads and checks every page of every section, so that any changed bit is found.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`] for the first fault; [`IndexFault::Io`] when the file cannot be read.
    pub fn check(&self) -> Result<(), IndexFault> {
        self.blocks()?;
        self.counts_and_checkpoints()?;
        self.damage()?;
        self.runs.iter().try_for_each(|run| check_stored_run(run))
    }

    /// Returns the first anchor, and the last anchor before `offset`. A binary search reads a few pages, independent of
    /// the number of anchors.
    pub(super) fn first_and_last_anchors(&self, offset: u64) -> Result<Vec<Anchor>, IndexFault> {
        let rows = self.header.section_extent(IndexSection::Anchors).rows;
        let anchor = |i: u64| {
            self.read_section_range(IndexSection::Anchors, i * ANCHOR_LEN as u64, ANCHOR_LEN)
                .map(|row| decode_anchor(&row))
        };
        let (mut low, mut high) = (0, rows);
        while low < high {
            // The first probe is the last row, which is the result unless the log has lost its end.
            let middle = if high == rows { rows - 1 } else { low + (high - low) / 2 };
            if anchor(middle)?.offset < offset { low = middle + 1 } else { high = middle }
        }
        let last = low.checked_sub(1);
        (0..rows.min(1)).chain(last).map(anchor).collect()
    }

    /// Returns the last anchor before `offset`; `None` when there is no such anchor or the file cannot be read. The
    /// cost is a few pages, independent of the number of anchors.
    pub(crate) fn anchor_before(&self, offset: u64) -> Option<Anchor> {
        self.first_and_last_anchors(offset).ok()?.pop().filter(|anchor| anchor.offset < offset)
    }

    /// Reads all blocks with the offsets of their anchors, ascending.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`] when a row cannot be decoded, or rows are out of order; [`IndexFault::Io`] when the file
    /// cannot be read.
    pub(super) fn blocks(&self) -> Result<Vec<(u64, Block)>, IndexFault> {
        let (anchors, summaries) =
            (self.read_section(IndexSection::Anchors)?, self.read_section(IndexSection::Blocks)?);
        let mut rest = summaries.as_slice();
        // With room for the blocks of the events that the index is extended by, so that nothing is copied.
        let mut blocks: Vec<(u64, Block)> = Vec::with_capacity(anchors.len() / ANCHOR_LEN + ADDED_BLOCKS);
        for row in anchors.chunks_exact(ANCHOR_LEN) {
            let block = Block::decode(decode_anchor(row), &mut rest);
            let block = block.ok_or_else(|| IndexFault::Corrupt("a row of its blocks cannot be decoded".into()))?;
            let anchor = &block.anchor;
            let is_in_order = blocks
                .last()
                .is_none_or(|(offset, last)| *offset < anchor.offset && last.anchor.ordinal < anchor.ordinal);
            if !is_in_order || anchor.offset >= self.header.covered_to || anchor.ordinal >= self.header.events {
                return Err(IndexFault::Corrupt("its anchors are out of order or out of range".into()));
            }
            blocks.push((anchor.offset, block));
        }
        Ok(blocks)
    }

    /// Reads the number of events of each type, namespace and schema.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`] when a row cannot be decoded; [`IndexFault::Io`] when the file cannot be read.
    pub fn counts(&self) -> Result<NameCounts, IndexFault> {
        Ok(self.counts_and_checkpoints()?.0)
    }

    /// Reads the counts at the end of the covered part, and the checkpoints before it.
    pub(super) fn counts_and_checkpoints(&self) -> Result<(NameCounts, Vec<Checkpoint>), IndexFault> {
        let corrupt = || IndexFault::Corrupt("a row of its counts cannot be decoded".into());
        let mut counts = NameCounts::decode_names(&self.read_section(IndexSection::Names)?).ok_or_else(corrupt)?;
        let names = self.header.section_extent(IndexSection::Names).rows;
        let bytes = self.read_section(IndexSection::Checkpoints)?;
        let mut rest = bytes.as_slice();
        let mut checkpoints = Vec::new();
        while !rest.is_empty() {
            let checkpoint = decode_checkpoint(&mut rest, names, &self.header).ok_or_else(corrupt)?;
            checkpoints.push(checkpoint);
        }
        // The last checkpoint holds the counts at the end of the covered part.
        counts.restore(&checkpoints.pop().ok_or_else(corrupt)?.counts);
        Ok((counts, checkpoints))
    }

    /// Reads the damaged ranges of the index.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`] when a range is not inside the log; [`IndexFault::Io`] when the file cannot be read.
    pub(super) fn damage(&self) -> Result<IndexDamage, IndexFault> {
        let corrupt = || IndexFault::Corrupt("a damaged range lies outside the log".into());
        IndexDamage::decode_rows(&self.read_section(IndexSection::Damage)?, self.header.scanned_to).ok_or_else(corrupt)
    }

    /// The events after the covered part that the log has lost, according to the index.
    pub(crate) fn lost_tail(&self) -> LostTail {
        let header = &self.header;
        LostTail {
            log_end_offset: header.log_end_offset,
            lost_events: header.lost_events,
            lost_aggregates: header.lost_aggregates,
            last_frame: (header.seen_offset > 0)
                .then_some(FrameIdentity { offset: header.seen_offset, checksum: header.seen_checksum }),
        }
    }

    /// A frame after the covered part that identifies the log; `None` when the file records none.
    pub(crate) fn known_frame(&self) -> Option<FrameIdentity> {
        let (offset, checksum) = (self.header.known_offset, self.header.known_checksum);
        (offset > 0).then_some(FrameIdentity { offset, checksum })
    }

    /// The last frame that any index has recorded, even when the log has lost it.
    pub(crate) fn last_seen_frame(&self) -> Option<FrameIdentity> {
        self.lost_tail().last_frame.or(self.totals().last_frame)
    }

    /// The totals of the covered part, from the header.
    pub(super) fn totals(&self) -> Totals {
        let header = &self.header;
        let has_frames = header.frames > 0;
        Totals {
            covered_to: header.covered_to,
            events: header.events,
            frames: header.frames,
            gaps: header.gaps,
            first_frame: has_frames.then(|| header.first_frame()),
            last_frame: has_frames.then(|| header.last_frame()),
            last_time: (header.events > 0).then_some(header.last_time),
        }
    }

    /// Reads `len` bytes of a section, starting at byte `at` of the section.
    fn read_section_range(&self, section: IndexSection, at: u64, len: usize) -> Result<Vec<u8>, IndexFault> {
        self.pages.read(self.header.section_extent(section), at, len)
    }

    fn read_section(&self, section: IndexSection) -> Result<Vec<u8>, IndexFault> {
        let extent = self.header.section_extent(section);
        if extent.bytes > MAX_WHOLE_SECTION {
            return Err(IndexFault::Corrupt("a section is larger than it can be".into()));
        }
        self.pages.read(extent, 0, extent.bytes as usize)
    }
}

/// Reads the header of an index file, from its first page.
fn read_header(pages: &PageReader) -> Result<IndexHeader, IndexFault> {
    let first_page = IndexExtent { first_page: 0, bytes: PAGE_DATA_SIZE as u64, rows: 1 };
    let count = pages.page_count()?;
    if count == 0 {
        return Err(IndexFault::Corrupt(format!("it is shorter than its header, which takes {PAGE_SIZE} bytes")));
    }
    let page = pages.read(first_page, 0, PAGE_DATA_SIZE)?;
    IndexHeader::decode(&page, count).map_err(|fault| match fault {
        IndexHeaderFault::NewerVersion(found) => IndexFault::Unsupported(found),
        IndexHeaderFault::Corrupt(reason) => IndexFault::Corrupt(reason.into()),
    })
}
