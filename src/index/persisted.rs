//! The index file, opened by its head and read by position.

use std::path::Path;

use super::PersistedOffsets;
use super::build::{Anchor, Checkpoint, Totals};
use super::checkpoint::decode_checkpoint;
use super::counts::Counts;
use super::pages::PageReader;
use crate::StorageError;
use crate::file::{Disk, Open};
use crate::format::field::{u32_at, u64_at};
use crate::format::index::{ANCHOR_ROW, DAMAGE_ROW, DIRECTORY_ROW, Head, HeadFault, PAGE, PAGE_DATA, Section};

/// Rows of the directory read at once when it is walked through.
const WALK: u64 = 4096;
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
        let index = |state, reason| StorageError::Index { path: path.to_owned(), state, reason };
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

/// A row of the directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) summary: AggregateSummary,
    pub(super) postings_at: u64,
    pub(super) postings_end: u64,
}

/// An index file, read as far as it is needed.
#[derive(Debug)]
pub struct PersistedIndex {
    head: Head,
    pages: PageReader,
}

impl PersistedIndex {
    /// Opens an index file: reads its head and nothing else.
    ///
    /// # Errors
    /// An [`IndexFault`].
    pub fn open(disk: &dyn Disk, path: &Path) -> Result<Self, IndexFault> {
        let storage = disk.open(path, Open::ReadSide).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => IndexFault::Missing,
            std::io::ErrorKind::InvalidInput => IndexFault::Corrupt(error.to_string()),
            _ => IndexFault::Io(StorageError::io(path, "open", error)),
        })?;
        let pages = PageReader::new(storage, path);
        let whole = crate::format::index::Extent { page: 0, bytes: PAGE_DATA as u64, rows: 1 };
        let count = pages.pages()?;
        if count == 0 {
            return Err(IndexFault::Corrupt(format!("it is shorter than its head, which takes {PAGE} bytes")));
        }
        let first = pages.read(whole, 0, PAGE_DATA)?;
        match Head::decode(&first, count) {
            Ok(head) => Ok(Self { head, pages }),
            Err(HeadFault::Version(found)) => Err(IndexFault::Unsupported(found)),
            Err(HeadFault::Broken(what)) => Err(IndexFault::Corrupt(what.into())),
        }
    }

    /// Its head.
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// Its size, in bytes.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.pages.pages().map_or(0, |pages| pages * PAGE as u64)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.pages.path()
    }

    /// Reads every page of every section, so that a flipped bit anywhere shows.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`], [`IndexFault::Io`].
    pub fn check(&self) -> Result<(), IndexFault> {
        self.anchors()?;
        self.counts_and_checkpoints()?;
        self.damage()?;
        for row in self.rows() {
            let row = row?;
            for offset in self.postings(row) {
                offset?;
            }
        }
        Ok(())
    }

    /// One aggregate's offsets, ascending, `None` when the index knows no such aggregate.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`], [`IndexFault::Io`]; likewise as items.
    pub fn offsets(&self, id: u64) -> Result<Option<PersistedOffsets<'_>>, IndexFault> {
        Ok(self.find(id)?.map(|row| self.postings(row)))
    }

    /// The directory's entry of an aggregate.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`], [`IndexFault::Io`].
    pub fn summary(&self, id: u64) -> Result<Option<AggregateSummary>, IndexFault> {
        Ok(self.find(id)?.map(|row| row.summary))
    }

    pub(super) fn find(&self, id: u64) -> Result<Option<Row>, IndexFault> {
        let (mut low, mut high) = (0, self.head.section(Section::Directory).rows);
        while low < high {
            let middle = low + (high - low) / 2;
            let row = self.row(middle)?;
            match row.summary.id.cmp(&id) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Ok(Some(row)),
            }
        }
        Ok(None)
    }

    fn row(&self, i: u64) -> Result<Row, IndexFault> {
        let section = self.head.section(Section::Directory);
        let more = if i + 1 < section.rows { 2 } else { 1 };
        let bytes = self.pages.read(section, i * DIRECTORY_ROW as u64, more * DIRECTORY_ROW)?;
        self.decode_row(&bytes)
    }

    /// A row, and from the row behind it, where there is one, the end of its postings.
    fn decode_row(&self, bytes: &[u8]) -> Result<Row, IndexFault> {
        let number = |at| u64_at(bytes, at).unwrap_or_default();
        let postings_end = match u64_at(bytes, DIRECTORY_ROW + 32) {
            Some(next) => next,
            None => self.head.section(Section::Postings).bytes,
        };
        let summary = AggregateSummary { id: number(0), events: number(8), first: number(16), last: number(24) };
        let row = Row { summary, postings_at: number(32), postings_end };
        // Each offset but the first takes at least a byte, so the count is bounded by the file's size.
        let bytes = row.postings_end.checked_sub(row.postings_at);
        let ordered = summary.first <= summary.last && summary.last < self.head.covered_to;
        if bytes.is_none_or(|bytes| bytes < summary.events) || summary.events == 0 || !ordered {
            return Err(IndexFault::Corrupt(format!("the entry of aggregate {} holds no sense", summary.id)));
        }
        Ok(row)
    }

    /// Every row, by ascending id.
    pub(super) fn rows(&self) -> impl Iterator<Item = Result<Row, IndexFault>> + '_ {
        let section = self.head.section(Section::Directory);
        let mut at = 0;
        let mut block: Vec<u8> = Vec::new();
        let mut used = 0;
        let mut previous: Option<u64> = None;
        std::iter::from_fn(move || {
            if at >= section.rows {
                return None;
            }
            if block.len() < used + 2 * DIRECTORY_ROW && (used == 0 || at + 1 < section.rows) {
                let rows = (section.rows - at).min(WALK) as usize;
                match self.pages.read(section, at * DIRECTORY_ROW as u64, rows * DIRECTORY_ROW) {
                    Ok(bytes) => (block, used) = (bytes, 0),
                    Err(fault) => {
                        at = section.rows;
                        return Some(Err(fault));
                    }
                }
            }
            let row = self.decode_row(block.get(used..).unwrap_or_default());
            used += DIRECTORY_ROW;
            at += 1;
            let row = row.and_then(|row| {
                if previous.is_some_and(|id| id >= row.summary.id) {
                    return Err(IndexFault::Corrupt("its aggregate ids are out of order".into()));
                }
                previous = Some(row.summary.id);
                Ok(row)
            });
            if row.is_err() {
                at = section.rows;
            }
            Some(row)
        })
    }

    /// The offsets of a row.
    pub(super) fn postings(&self, row: Row) -> PersistedOffsets<'_> {
        PersistedOffsets::new(self, &row)
    }

    /// The first anchor, and the last one before `offset`. Reads a few pages, however many anchors there are.
    pub(super) fn outer_anchors(&self, offset: u64) -> Result<Vec<Anchor>, IndexFault> {
        let rows = self.head.section(Section::Anchors).rows;
        let anchor =
            |i: u64| self.section(Section::Anchors, i * ANCHOR_ROW as u64, ANCHOR_ROW).map(|row| decode_anchor(&row));
        let (mut low, mut high) = (0, rows);
        while low < high {
            // The last one first: it is the one that is looked for unless the log has lost its end.
            let middle = if high == rows { rows - 1 } else { low + (high - low) / 2 };
            if anchor(middle)?.offset < offset { low = middle + 1 } else { high = middle }
        }
        let last = low.checked_sub(1);
        (0..rows.min(1)).chain(last).map(anchor).collect()
    }

    /// All anchors, ascending.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`], [`IndexFault::Io`].
    pub fn anchors(&self) -> Result<Vec<Anchor>, IndexFault> {
        let bytes = self.small(Section::Anchors)?;
        let mut anchors: Vec<Anchor> = Vec::new();
        for row in bytes.chunks_exact(ANCHOR_ROW) {
            let anchor = decode_anchor(row);
            let after = |last: &Anchor| last.offset < anchor.offset && last.ordinal < anchor.ordinal;
            let in_order = anchors.last().is_none_or(after);
            if !in_order || anchor.offset >= self.head.covered_to || anchor.ordinal >= self.head.events {
                return Err(IndexFault::Corrupt("its anchors are out of order or out of range".into()));
            }
            anchors.push(anchor);
        }
        Ok(anchors)
    }

    /// Counts by name.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`], [`IndexFault::Io`].
    pub fn counts(&self) -> Result<Counts, IndexFault> {
        Ok(self.counts_and_checkpoints()?.0)
    }

    pub(super) fn counts_and_checkpoints(&self) -> Result<(Counts, Vec<Checkpoint>), IndexFault> {
        let broken = || IndexFault::Corrupt("its counts cannot be read".into());
        let mut counts = Counts::decode_names(&self.small(Section::Names)?).ok_or_else(broken)?;
        let names = self.head.section(Section::Names).rows;
        let bytes = self.small(Section::Checkpoints)?;
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

    /// Damaged ranges met while building, ascending.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`], [`IndexFault::Io`].
    pub fn damage(&self) -> Result<Vec<std::ops::Range<u64>>, IndexFault> {
        let bytes = self.small(Section::Damage)?;
        let ranges = bytes.chunks_exact(DAMAGE_ROW).map(|row| {
            let range = u64_at(row, 0).unwrap_or_default()..u64_at(row, 8).unwrap_or_default();
            let in_range = range.start < range.end && range.end <= self.head.scanned_to;
            in_range.then_some(range).ok_or_else(|| IndexFault::Corrupt("a damaged range lies outside the log".into()))
        });
        ranges.collect()
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
            first: some.then_some((head.first_offset, head.first_checksum)),
            last: some.then_some((head.last_offset, head.log_checksum)),
            last_time: (head.events > 0).then_some(head.last_time),
        }
    }

    /// `len` bytes of a section from its byte `at` on.
    pub(super) fn section(&self, section: Section, at: u64, len: usize) -> Result<Vec<u8>, IndexFault> {
        self.pages.read(self.head.section(section), at, len)
    }

    fn small(&self, section: Section) -> Result<Vec<u8>, IndexFault> {
        let extent = self.head.section(section);
        if extent.bytes > SMALL_SECTION {
            return Err(IndexFault::Corrupt("a section is larger than any index has it".into()));
        }
        self.pages.read(extent, 0, extent.bytes as usize)
    }
}

fn decode_anchor(row: &[u8]) -> Anchor {
    let number = |at| u64_at(row, at).unwrap_or_default();
    let checksum = u32_at(row, 24).unwrap_or_default();
    Anchor { offset: number(0), ordinal: number(8), timestamp_ms: number(16), checksum }
}
