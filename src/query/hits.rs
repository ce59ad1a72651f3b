//! Hits: the offsets of the rows that a filter shows, or of the events that a pattern matches, in a part of a log.
//!
//! The log is scanned in slices, which extend the scanned part around an offset in both directions. Hits are only offsets;
//! the rows are read from the log each time they are shown.

use std::cell::Cell;
use std::ops::{ControlFlow, Range};

use super::block_pruner::BlockPruner;
use super::filter::Filter;
use super::indexed_reader::IndexedReader;
use super::listed_hits::read_listed_hits;
use super::log_reader::LogReader;
use super::offset_list::OffsetList;
use super::page::{self, PageRequest};
use super::payload_excerpt::ExcerptRequest;
use super::progress_meter::ProgressMeter;
use super::row::{Direction, ReadStart, RowPage};
use super::row_filter::RowFilter;
use super::search::{self, SearchRequest};
use super::search_pattern::SearchPattern;
use crate::StorageError;
use crate::index::AggregateIndex;
use crate::inspect::{LogView, OnProgress, Progress};

/// Largest number of hits. This many hits occupy a few megabytes of memory.
pub const MAX_HITS: u64 = 1_000_000;

/// The offsets of the hits of a filter and a pattern. A clone is cheap, and stays as it is when the original changes.
#[derive(Debug, Clone)]
pub struct Hits {
    filter: Filter,
    pattern: Option<SearchPattern>,
    /// What the rows of pages contain of the payload.
    excerpt: ExcerptRequest,
    /// The requested offset at which scanning starts.
    search_start: u64,
    /// The start of the frame or damaged range that contains `search_start`.
    aligned_start: u64,
    max_hits: u64,
    offsets: OffsetList,
    /// The range in which all hits are known; `None` before the first slice. Both ends are boundaries of frames or damaged
    /// ranges.
    scanned_range: Option<Range<u64>>,
    /// The end of the log when a scan last reached it; 0 before that. The log between the end of `scanned_range` and this
    /// offset is damaged or unfinished, and is scanned again when the log has grown.
    scanned_log_end: u64,
    /// The offset of the log's first frame.
    first_frame: u64,
    is_full: bool,
}

/// The end of a forward slice, with the offset up to which all hits are known.
enum SliceEnd {
    /// The slice reached the end of the log.
    LogEnd(u64),
    /// The slice has reached its size, or the list of hits is full.
    Boundary(u64),
    /// The progress callback cancelled the scan.
    Cancelled(u64),
}

impl Hits {
    /// Creates an empty list for the rows that `filter` shows or, with a pattern, for the events among them that match it.
    ///
    /// Scanning starts at the offset `from`.
    pub fn new(filter: Filter, pattern: Option<SearchPattern>, from: u64) -> Self {
        Self {
            filter,
            pattern,
            excerpt: ExcerptRequest::default(),
            search_start: from,
            aligned_start: from,
            max_hits: MAX_HITS,
            offsets: OffsetList::default(),
            scanned_range: None,
            scanned_log_end: 0,
            first_frame: 0,
            is_full: false,
        }
    }

    /// Returns this list with a limit of `max_hits` hits instead of [`MAX_HITS`].
    #[must_use]
    pub fn with_max_hits(self, max_hits: u64) -> Self {
        Self { max_hits, ..self }
    }

    /// Returns this list with a part of the payload of each event in the pages that are read with it.
    #[must_use]
    pub fn with_excerpt(self, excerpt: ExcerptRequest) -> Self {
        Self { excerpt, ..self }
    }

    /// True when this list is for this filter and pattern.
    pub fn matches_query(&self, filter: &Filter, pattern: Option<&SearchPattern>) -> bool {
        self.filter.is_same(filter)
            && self.pattern.as_ref().map(SearchPattern::text) == pattern.map(SearchPattern::text)
    }

    /// Returns the number of known hits.
    pub const fn len(&self) -> u64 {
        self.offsets.len()
    }

    /// True when no hit is known.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True when the list has reached its limit, so that the rest of the log is not scanned.
    pub const fn is_full(&self) -> bool {
        self.is_full
    }

    /// True when a log of `log_bytes` bytes is scanned completely.
    pub fn is_complete(&self, log_bytes: u64) -> bool {
        self.has_log_start() && self.scanned_log_end >= log_bytes
    }

    /// Returns the number of scanned bytes of the log.
    pub fn scanned_bytes(&self) -> u64 {
        self.scanned_range.as_ref().map_or(0, |range| range.end.max(self.scanned_log_end) - range.start)
    }

    /// Returns the number, counted from 1, of the hit at `offset`; `None` when there is no hit, or when the log before it is not
    /// scanned yet.
    pub fn ordinal(&self, offset: u64) -> Option<u64> {
        let is_hit = self.has_log_start() && self.offsets.range(offset..offset.saturating_add(1)).next().is_some();
        is_hit.then(|| self.offsets.rank(offset) + 1)
    }

    /// True when a hit is known in a direction from an offset.
    pub fn has_hit(&self, from: u64, direction: Direction) -> bool {
        self.next_hit(from, direction).is_some()
    }

    /// Returns the nearest hit at or after `from`, or before it; `None` when there is none, or when the log around `from` is
    /// not scanned yet.
    pub fn nearest(&self, from: u64, direction: Direction) -> Option<u64> {
        let range = self.scanned_range.as_ref()?;
        let is_scanned = (range.start..=range.end).contains(&from.max(self.first_frame));
        self.next_hit(from, direction).filter(|_| is_scanned)
    }

    /// Returns the known hit that a read of the whole log in a direction reaches first.
    pub fn first_in(&self, direction: Direction) -> Option<u64> {
        self.next_hit(if direction == Direction::Forward { 0 } else { u64::MAX }, direction)
    }

    fn next_hit(&self, from: u64, direction: Direction) -> Option<u64> {
        match direction {
            Direction::Forward => self.offsets.range(from..u64::MAX).next(),
            Direction::Backward => self.offsets.last_before(from),
        }
    }

    /// True when further slices cannot change the nearest hit in a direction from an offset, in a log of `log_bytes` bytes.
    ///
    /// The hit is then known or known not to exist, or the list is full, or the offset is outside the scanned range.
    pub fn can_answer(&self, from: u64, direction: Direction, log_bytes: u64) -> bool {
        let Some(range) = &self.scanned_range else { return false };
        let has_log_end = self.scanned_log_end >= log_bytes;
        // Offsets after the end of the log have the same answer as the end.
        let from = if has_log_end { from.clamp(self.first_frame, range.end) } else { from.max(self.first_frame) };
        let is_scanned_to_end = match direction {
            Direction::Forward => has_log_end,
            Direction::Backward => self.has_log_start(),
        };
        is_scanned_to_end || self.is_full || self.has_hit(from, direction) || !(range.start..=range.end).contains(&from)
    }

    /// Scans a further slice of about `slice_bytes` bytes. A damaged range that is longer than a slice is scanned completely.
    ///
    /// The hits found before a cancellation stay. The list is emptied when the log has become shorter. Blocks that `index`
    /// excludes under the filter are skipped, and all events that it lists for the aggregates of the filter are found at once.
    /// `on_progress` is called about once per mebibyte.
    ///
    /// # Errors
    /// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
    pub fn scan_more(
        &mut self,
        view: &LogView,
        index: Option<&AggregateIndex>,
        slice_bytes: u64,
        on_progress: &mut OnProgress,
    ) -> Result<(), StorageError> {
        let (filter, pattern) = (self.filter.clone(), self.pattern.clone());
        let pruner = BlockPruner::new(view.log(), index, &filter);
        let reader = LogReader::new(view, RowFilter { filter: &filter, pattern: pattern.as_ref(), excerpt: None })?
            .with_pruner(&pruner);
        self.first_frame = view.log().first_frame_offset();
        let range = match self.scanned_range.clone() {
            Some(range) if self.scanned_log_end.max(range.end) <= reader.log_end.max(self.first_frame) => range,
            _ => {
                (self.offsets, self.scanned_log_end, self.is_full) = (OffsetList::default(), 0, false);
                self.aligned_start = reader.enclosing_start(self.search_start)?.max(self.first_frame);
                self.aligned_start..self.aligned_start
            }
        };
        self.scanned_range = Some(range.clone());
        if self.is_full || self.is_complete(reader.log_end) {
            return Ok(());
        }
        let is_first = range.is_empty() && self.scanned_log_end == 0 && self.pattern.is_none();
        if let Some(index) = index.filter(|_| is_first)
            && let Some(listed) = read_listed_hits(reader, index, self.max_hits, on_progress)?
        {
            self.offsets = listed.offsets;
            self.is_full = listed.full_at.is_some();
            self.scanned_log_end = if self.is_full { 0 } else { reader.log_end };
            let end = listed.full_at.map_or_else(|| reader.damaged_tail_start(), Ok)?;
            self.scanned_range = Some(self.first_frame..end.max(self.first_frame));
            return Ok(());
        }
        let forward_is_nearer = range.end - self.aligned_start <= self.aligned_start - range.start;
        let has_grown = self.scanned_log_end > 0;
        if self.scanned_log_end < reader.log_end && (forward_is_nearer || has_grown || self.has_log_start()) {
            self.scan_forward(&reader, range, slice_bytes, on_progress)
        } else {
            self.scan_backward(&reader, range, slice_bytes, on_progress)
        }
    }

    /// Reads a page like [`read_page`](super::read_page), without scanning the log between hits.
    ///
    /// A page ends where the scanned range ends, unless it would be empty: it can have fewer rows than `limit` while
    /// more rows follow.
    ///
    /// # Errors
    /// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
    pub fn read_page(
        &self,
        view: &LogView,
        index: Option<&AggregateIndex>,
        start: ReadStart,
        limit: usize,
        on_progress: &mut OnProgress,
    ) -> Result<RowPage, StorageError> {
        let request = PageRequest::new(&self.filter, start, limit).with_excerpt(&self.excerpt);
        let row_filter = RowFilter { filter: &self.filter, pattern: None, excerpt: Some(&self.excerpt) };
        let reader = LogReader::new(view, row_filter)?;
        match self.indexed_reader(reader, start)?.filter(|_| limit > 0 && self.pattern.is_none()) {
            Some(indexed) => {
                let mut meter = ProgressMeter::new(on_progress, reader.log_end);
                page::read_indexed_page(&reader, &indexed, &request, &mut meter)
                    .map_err(|fault| fault.into_error(view.index_path()))
            }
            None => page::read_page(view, index, &request, on_progress),
        }
    }

    /// Finds a match like [`find_match`](super::find_match), without scanning the log between hits. `None` also when
    /// these hits have no pattern.
    ///
    /// # Errors
    /// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
    pub fn find_match(
        &self,
        view: &LogView,
        index: Option<&AggregateIndex>,
        start: ReadStart,
        on_progress: &mut OnProgress,
    ) -> Result<Option<u64>, StorageError> {
        let Some(pattern) = &self.pattern else { return Ok(None) };
        let reader = LogReader::new(view, RowFilter { filter: &self.filter, pattern: Some(pattern), excerpt: None })?;
        let Some(indexed) = self.indexed_reader(reader, start)? else {
            let request = SearchRequest::new(pattern, &self.filter, start);
            return search::find_match(view, index, &request, on_progress);
        };
        let mut meter = ProgressMeter::new(on_progress, reader.log_end);
        let found = match start.direction {
            Direction::Forward => indexed.read_forward(start.from, 1, &mut meter),
            Direction::Backward => indexed.read_backward(start.from, 1, &mut meter),
        };
        Ok(found.map_err(|fault| fault.into_error(view.index_path()))?.rows.front().map(|row| row.start))
    }

    /// Returns a reader over the known hits; `None` when they cannot shorten a read from `start`.
    fn indexed_reader<'a>(
        &'a self,
        reader: LogReader<'a>,
        start: ReadStart,
    ) -> Result<Option<IndexedReader<'a>>, StorageError> {
        let Some(range) = self.scanned_range.clone() else { return Ok(None) };
        let end = if range.end <= reader.log_end { range.end } else { reader.damaged_tail_start()? };
        let starts_inside = match start.direction {
            Direction::Forward => start.from.max(self.first_frame) >= range.start,
            Direction::Backward => start.from > range.start,
        };
        let is_usable = starts_inside && end >= range.start;
        Ok(is_usable.then(|| IndexedReader::from_hits(reader, &self.offsets, range.start..end)))
    }

    /// True when the scanned range starts with the log.
    fn has_log_start(&self) -> bool {
        self.scanned_range.as_ref().is_some_and(|range| range.start <= self.first_frame)
    }

    /// Scans a slice after the scanned range.
    fn scan_forward(
        &mut self,
        reader: &LogReader,
        range: Range<u64>,
        slice_bytes: u64,
        on_progress: &mut OnProgress,
    ) -> Result<(), StorageError> {
        let Range { start, end } = range;
        // The end of the log was unfinished when it was scanned; its hits are collected again.
        self.offsets.truncate_from(end);
        let slice = self.collect_forward(reader, end, slice_bytes, on_progress);
        let slice = slice.inspect_err(|_| self.offsets.truncate_from(end))?;
        let (SliceEnd::LogEnd(scanned_to) | SliceEnd::Boundary(scanned_to) | SliceEnd::Cancelled(scanned_to)) = slice;
        self.scanned_range = Some(start..scanned_to);
        match slice {
            SliceEnd::LogEnd(_) => self.scanned_log_end = reader.log_end,
            SliceEnd::Boundary(_) | SliceEnd::Cancelled(_) => self.offsets.truncate_from(scanned_to),
        }
        if matches!(slice, SliceEnd::Cancelled(_)) { Err(StorageError::Cancelled) } else { Ok(()) }
    }

    /// Adds the hits after `start` until the slice is complete.
    fn collect_forward(
        &mut self,
        reader: &LogReader,
        start: u64,
        slice_bytes: u64,
        on_progress: &mut OnProgress,
    ) -> Result<SliceEnd, StorageError> {
        let (position, is_cancelled) = (Cell::new(start), Cell::new(false));
        // The callback cancels the scanner when the slice has reached its size.
        let mut report = |progress: Progress| {
            position.set(progress.position);
            is_cancelled.set(on_progress(progress).is_break());
            let is_slice_complete = progress.position - start >= slice_bytes;
            if is_cancelled.get() || is_slice_complete { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let mut meter = ProgressMeter::new(&mut report, reader.log_end);
        let mut scanner = reader.scan_range_pruned(start..reader.log_end);
        loop {
            match scanner.next_row(&mut meter) {
                Ok(Some(row)) if self.offsets.len() >= self.max_hits => {
                    self.is_full = true;
                    return Ok(SliceEnd::Boundary(reader.enclosing_start(row.start)?.max(start)));
                }
                Ok(Some(row)) => self.offsets.push(row.start),
                Ok(None) => {
                    let damaged_tail = scanner.damaged_tail_start().unwrap_or(reader.log_end);
                    return Ok(SliceEnd::LogEnd(damaged_tail.max(start)));
                }
                Err(StorageError::Cancelled) => {
                    if let Some(row) = scanner.take_pending_row() {
                        self.offsets.push(row.start);
                    }
                    let boundary = reader.enclosing_start(position.get())?.max(start);
                    if is_cancelled.get() {
                        return Ok(SliceEnd::Cancelled(boundary));
                    }
                    // Inside a damaged range that is longer than a slice, the boundary is the start of that range. The
                    // scan continues to its end, because otherwise every slice would scan the range from its start.
                    if boundary > start {
                        return Ok(SliceEnd::Boundary(boundary));
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Scans a slice before the scanned range.
    fn scan_backward(
        &mut self,
        reader: &LogReader,
        range: Range<u64>,
        slice_bytes: u64,
        on_progress: &mut OnProgress,
    ) -> Result<(), StorageError> {
        let start = reader.enclosing_start(range.start.saturating_sub(slice_bytes).max(self.first_frame))?;
        let mut scanner = reader.scan_range_pruned(start..range.start);
        let mut meter = ProgressMeter::new(on_progress, reader.log_end);
        let mut before = OffsetList::default();
        while let Some(row) = scanner.next_row(&mut meter)?.filter(|row| row.start < range.start) {
            before.push(row.start);
        }
        if self.offsets.len() + before.len() > self.max_hits {
            self.is_full = true;
        } else {
            self.offsets.prepend(before);
            self.scanned_range = Some(start..range.end);
        }
        Ok(())
    }
}
