//! The index file, opened by its head and read by position.

use std::path::Path;
use std::sync::Arc;

use super::aggregates::{LostTail, VerificationMark};
use super::block::{Anchor, Block, decode_anchor};
use super::checkpoint::{Checkpoint, Totals, decode_checkpoint};
use super::counts::NameCounts;
use super::damage::IndexDamage;
use super::pages::PageReader;
use super::stored_run::StoredRun;
use crate::StorageError;
use crate::file::{Disk, OpenMode};
use crate::format::index::{
    ANCHOR_LEN, IndexHeader, IndexHeaderFault, IndexSection, PAGE_DATA_SIZE, PAGE_SIZE, RunExtents,
};

/// A section that is loaded whole may have this many bytes at most.
const SMALL_SECTION: u64 = 64 << 20;

/// Why an index file cannot be used.
#[derive(Debug)]
pub enum IndexFault {
    /// There is none.
    Missing,
    /// Written by a newer version.
    Unsupported(u16),
    /// Broken, and where.
    Corrupt(String),
    /// It could not be read.
    Io(StorageError),
}

impl IndexFault {
    /// As an error about the index at `path`.
    pub(crate) fn into_error(self, path: &Path) -> StorageError {
        let index = |state, reason| StorageError::UnusableIndex { path: path.to_owned(), state, reason };
        match self {
            Self::Missing => index("missing", "there is no file".into()),
            Self::Unsupported(found) => index("unsupported", format!("expected version 1, found {found}")),
            Self::Corrupt(reason) => index("corrupt", reason),
            Self::Io(error) => error,
        }
    }
}

/// One aggregate, as the directory has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AggregateSummary {
    /// Its id.
    pub id: u64,
    /// How many events it has.
    pub events: u64,
    /// Offset of its first event.
    pub first: u64,
    /// Offset of its last event.
    pub last: u64,
}

/// An index file, read as far as it is needed.
#[derive(Debug)]
pub struct PersistedIndex {
    head: IndexHeader,
    pages: Arc<PageReader>,
    runs: Vec<Arc<StoredRun>>,
}

impl PersistedIndex {
    /// Opens an index file: reads its head and nothing else.
    ///
    /// # Errors
    /// An [`IndexFault`].
    pub fn open(disk: &dyn Disk, path: &Path) -> Result<Self, IndexFault> {
        let storage = disk.open(path, OpenMode::ReadSidecar).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => IndexFault::Missing,
            std::io::ErrorKind::InvalidInput => IndexFault::Corrupt(error.to_string()),
            _ => IndexFault::Io(StorageError::io(path, "open", error)),
        })?;
        let pages = PageReader::new(storage, path);
        let whole = crate::format::index::IndexExtent { first_page: 0, bytes: PAGE_DATA_SIZE as u64, rows: 1 };
        let count = pages.page_count()?;
        if count == 0 {
            return Err(IndexFault::Corrupt(format!("it is shorter than its head, which takes {PAGE_SIZE} bytes")));
        }
        let first = pages.read(whole, 0, PAGE_DATA_SIZE)?;
        match IndexHeader::decode(&first, count) {
            Ok(head) => {
                let pages = Arc::new(pages);
                let run = |extents: &RunExtents| Arc::new(StoredRun::new(pages.clone(), *extents, head.covered_to));
                Ok(Self { runs: head.non_empty_runs().map(run).collect(), pages, head })
            }
            Err(IndexHeaderFault::NewerVersion(found)) => Err(IndexFault::Unsupported(found)),
            Err(IndexHeaderFault::Corrupt(what)) => Err(IndexFault::Corrupt(what.into())),
        }
    }

    /// Its head.
    pub const fn head(&self) -> &IndexHeader {
        &self.head
    }

    /// Its size, in bytes.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.pages.page_count().map_or(0, |pages| pages * PAGE_SIZE as u64)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.pages.path()
    }

    /// Its runs, those of earlier parts of the log first.
    pub(super) fn runs(&self) -> &[Arc<StoredRun>] {
        &self.runs
    }

    /// Its pages.
    pub(super) fn pages(&self) -> &PageReader {
        &self.pages
    }

    /// How far the log was verified.
    pub fn verification_mark(&self) -> Option<VerificationMark> {
        let (to, at_ms) = (self.head.verified_to, self.head.verified_at);
        (to > 0).then_some(VerificationMark { verified_to: to, verified_at_ms: at_ms })
    }

    /// Reads every page of every section, so that a flipped bit anywhere shows.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`], [`IndexFault::Io`].
    pub fn check(&self) -> Result<(), IndexFault> {
        self.blocks()?;
        self.counts_and_checkpoints()?;
        self.damage()?;
        self.runs.iter().try_for_each(StoredRun::check_all_pages)
    }

    /// The first anchor, and the last one before `offset`. Reads a few pages, however many anchors there are.
    pub(super) fn first_and_last_anchors(&self, offset: u64) -> Result<Vec<Anchor>, IndexFault> {
        let rows = self.head.section_extent(IndexSection::Anchors).rows;
        let anchor = |i: u64| {
            self.read_section_range(IndexSection::Anchors, i * ANCHOR_LEN as u64, ANCHOR_LEN)
                .map(|row| decode_anchor(&row))
        };
        let (mut low, mut high) = (0, rows);
        while low < high {
            // The last one first: it is the one that is looked for unless the log has lost its end.
            let middle = if high == rows { rows - 1 } else { low + (high - low) / 2 };
            if anchor(middle)?.offset < offset { low = middle + 1 } else { high = middle }
        }
        let last = low.checked_sub(1);
        (0..rows.min(1)).chain(last).map(anchor).collect()
    }

    /// The last anchor before `offset`. Reads a few pages, however many anchors there are.
    pub(crate) fn anchor_before(&self, offset: u64) -> Option<Anchor> {
        self.first_and_last_anchors(offset).ok()?.pop().filter(|anchor| anchor.offset < offset)
    }

    /// All blocks with their anchors, ascending.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`], [`IndexFault::Io`].
    pub fn blocks(&self) -> Result<Vec<Block>, IndexFault> {
        let (anchors, summaries) =
            (self.read_section(IndexSection::Anchors)?, self.read_section(IndexSection::Blocks)?);
        let mut rest = summaries.as_slice();
        let mut blocks: Vec<Block> = Vec::new();
        for row in anchors.chunks_exact(ANCHOR_LEN) {
            let block = Block::decode(decode_anchor(row), &mut rest);
            let block = block.ok_or_else(|| IndexFault::Corrupt("its blocks cannot be read".into()))?;
            let anchor = &block.anchor;
            let after = |last: &Block| last.anchor.offset < anchor.offset && last.anchor.ordinal < anchor.ordinal;
            let in_order = blocks.last().is_none_or(after);
            if !in_order || anchor.offset >= self.head.covered_to || anchor.ordinal >= self.head.events {
                return Err(IndexFault::Corrupt("its anchors are out of order or out of range".into()));
            }
            blocks.push(block);
        }
        Ok(blocks)
    }

    /// Counts by name.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`], [`IndexFault::Io`].
    pub fn counts(&self) -> Result<NameCounts, IndexFault> {
        Ok(self.counts_and_checkpoints()?.0)
    }

    pub(super) fn counts_and_checkpoints(&self) -> Result<(NameCounts, Vec<Checkpoint>), IndexFault> {
        let broken = || IndexFault::Corrupt("its counts cannot be read".into());
        let mut counts = NameCounts::decode_names(&self.read_section(IndexSection::Names)?).ok_or_else(broken)?;
        let names = self.head.section_extent(IndexSection::Names).rows;
        let bytes = self.read_section(IndexSection::Checkpoints)?;
        let mut rest = bytes.as_slice();
        let mut checkpoints = Vec::new();
        while !rest.is_empty() {
            let checkpoint = decode_checkpoint(&mut rest, names, &self.head).ok_or_else(broken)?;
            checkpoints.push(checkpoint);
        }
        // The last one stands for the end of what is covered.
        counts.restore(&checkpoints.pop().ok_or_else(broken)?.counts);
        Ok((counts, checkpoints))
    }

    /// Damaged ranges, those met while building and those met since.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`], [`IndexFault::Io`].
    pub(super) fn damage(&self) -> Result<IndexDamage, IndexFault> {
        let broken = || IndexFault::Corrupt("a damaged range lies outside the log".into());
        IndexDamage::decode_rows(&self.read_section(IndexSection::Damage)?, self.head.scanned_to).ok_or_else(broken)
    }

    /// What it knows to have existed beyond what it covers.
    pub(crate) fn lost_tail(&self) -> LostTail {
        let head = &self.head;
        LostTail {
            log_end_offset: head.log_end_offset,
            lost_events: head.lost_events,
            lost_aggregates: head.lost_aggregates,
            last_frame: (head.seen_offset > 0).then_some((head.seen_offset, head.seen_checksum)),
        }
    }

    /// Offset and checksum of a frame behind what it covers, by which the log is known.
    pub(crate) fn known_frame(&self) -> Option<(u64, u32)> {
        (self.head.known_offset > 0).then_some((self.head.known_offset, self.head.known_checksum))
    }

    /// Offset and checksum of the last frame that was ever seen, be it lost by now.
    pub(crate) fn last_seen_frame(&self) -> Option<(u64, u32)> {
        self.lost_tail().last_frame.or(self.totals().last_frame)
    }

    /// The numbers in the head.
    pub(super) fn totals(&self) -> Totals {
        let head = &self.head;
        let some = head.frames > 0;
        Totals {
            covered_to: head.covered_to,
            events: head.events,
            frames: head.frames,
            gaps: head.gaps,
            first_frame: some.then_some((head.first_offset, head.first_checksum)),
            last_frame: some.then_some((head.last_offset, head.log_checksum)),
            last_time: (head.events > 0).then_some(head.last_time),
        }
    }

    /// `len` bytes of a section from its byte `at` on.
    fn read_section_range(&self, section: IndexSection, at: u64, len: usize) -> Result<Vec<u8>, IndexFault> {
        self.pages.read(self.head.section_extent(section), at, len)
    }

    fn read_section(&self, section: IndexSection) -> Result<Vec<u8>, IndexFault> {
        let extent = self.head.section_extent(section);
        if extent.bytes > SMALL_SECTION {
            return Err(IndexFault::Corrupt("a section is larger than any index has it".into()));
        }
        self.pages.read(extent, 0, extent.bytes as usize)
    }
}
