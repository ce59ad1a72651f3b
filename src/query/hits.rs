//! Hits: where the rows stand that a filter shows, or the events that a pattern matches, as far as the log was looked at.
//!
//! They are collected in slices around a place, behind it and before it in turn. They say where to look and how many
//! there are; what stands there is read from the log, and judged again, each time it is shown.

use std::cell::Cell;
use std::ops::{ControlFlow, Range};

use super::block_pruner::BlockPruner;
use super::filter::Filter;
use super::indexed_reader::IndexedReader;
use super::log_reader::LogReader;
use super::offset_list::OffsetList;
use super::page::{self, PageRequest};
use super::progress_meter::ProgressMeter;
use super::row::{Direction, RowPage};
use super::row_filter::RowFilter;
use super::search;
use super::search_pattern::SearchPattern;
use crate::StorageError;
use crate::index::AggregateIndex;
use crate::inspect::{LogView, OnProgress, Progress};

/// Hits that are kept at most: a few megabytes of them.
pub const MAX_HITS: u64 = 1_000_000;

/// Where the rows stand that were looked for. A copy costs little, and stays as it was.
#[derive(Debug, Clone)]
pub struct Hits {
    filter: Filter,
    pattern: Option<SearchPattern>,
    /// Where looking starts.
    search_start: u64,
    /// Where the frame or damaged range starts that this is in.
    aligned_start: u64,
    max_hits: u64,
    offsets: OffsetList,
    /// Here all of them are known; it starts and ends where frames or damaged ranges do. `None` before the first slice.
    scanned_range: Option<Range<u64>>,
    /// The end of the log when it was reached last. What lies between it and the range is damaged or unfinished, and
    /// looked at again when the log has grown.
    scanned_log_end: u64,
    /// Where the log's first frame starts.
    first_frame: u64,
    is_full: bool,
}

impl Hits {
    /// None yet, of what a filter shows and a pattern matches, to be looked for from a place on.
    pub fn new(filter: Filter, pattern: Option<SearchPattern>, from: u64) -> Self {
        let (places, range) = (OffsetList::default(), None);
        Self {
            filter,
            pattern,
            search_start: from,
            aligned_start: from,
            max_hits: MAX_HITS,
            offsets: places,
            scanned_range: range,
            scanned_log_end: 0,
            first_frame: 0,
            is_full: false,
        }
    }

    /// The same with room for fewer than [`MAX_HITS`].
    #[must_use]
    pub fn with_max_hits(self, most: u64) -> Self {
        Self { max_hits: most, ..self }
    }

    /// True when they are what this filter shows and this pattern matches.
    pub fn matches_query(&self, filter: &Filter, pattern: Option<&SearchPattern>) -> bool {
        self.filter.is_same(filter)
            && self.pattern.as_ref().map(SearchPattern::text) == pattern.map(SearchPattern::text)
    }

    /// How many are known.
    pub const fn len(&self) -> u64 {
        self.offsets.len()
    }

    /// True when none is known.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True when there is no room for more: those of the rest of the log are not among them.
    pub const fn is_full(&self) -> bool {
        self.is_full
    }

    /// True when all of a log of `bytes` was looked at.
    pub fn is_complete(&self, bytes: u64) -> bool {
        self.has_log_start() && self.scanned_log_end >= bytes
    }

    /// How many bytes of the log were looked at.
    pub fn scanned_bytes(&self) -> u64 {
        self.scanned_range.as_ref().map_or(0, |range| range.end.max(self.scanned_log_end) - range.start)
    }

    /// The number, counted from 1, of the one at a place; `None` where there is none, or while others may come before it.
    pub fn ordinal(&self, place: u64) -> Option<u64> {
        let is_one = self.has_log_start() && self.offsets.range(place..place.saturating_add(1)).next().is_some();
        is_one.then(|| self.offsets.rank(place) + 1)
    }

    /// True when some are known that way from a place.
    pub fn has_hit(&self, from: u64, direction: Direction) -> bool {
        match direction {
            Direction::Forward => self.offsets.range(from..u64::MAX).next().is_some(),
            Direction::Backward => self.offsets.last_before(from).is_some(),
        }
    }

    /// The nearest that starts at `from` or behind it, or before it; `None` also where it is not known.
    pub fn nearest(&self, from: u64, direction: Direction) -> Option<u64> {
        let known =
            self.scanned_range.as_ref().filter(|range| (range.start..=range.end).contains(&from.max(self.first_frame)));
        known.and_then(|_| match direction {
            Direction::Forward => self.offsets.range(from..u64::MAX).next(),
            Direction::Backward => self.offsets.last_before(from),
        })
    }

    /// True when what lies nearest to `from` that way is known, be it nothing, in a log of `bytes`; also where waiting
    /// for these hits would not help.
    pub fn can_answer(&self, from: u64, direction: Direction, bytes: u64) -> bool {
        let Some(range) = &self.scanned_range else { return false };
        let has_end = self.scanned_log_end >= bytes;
        // Behind the end there is nothing.
        let from = if has_end { from.clamp(self.first_frame, range.end) } else { from.max(self.first_frame) };
        let known = match direction {
            Direction::Forward => has_end,
            Direction::Backward => self.has_log_start(),
        };
        known || self.is_full || self.has_hit(from, direction) || !(range.start..=range.end).contains(&from)
    }

    /// Looks at about `bytes` more of the log, at no more than that where it is not damaged, and tells `on` the place
    /// about every mebibyte. What was looked at stays known, also when it was stopped.
    ///
    /// Of a log that lost its end, nothing is known any more. Blocks that `index` rules out by the filter are passed over.
    ///
    /// # Errors
    /// `Stopped` when `on` breaks; `Io`, `Changed`, `Memory` when the log cannot be read.
    pub fn scan_more(
        &mut self,
        view: &LogView,
        index: Option<&AggregateIndex>,
        bytes: u64,
        on_progress: &mut OnProgress,
    ) -> Result<(), StorageError> {
        let (filter, pattern) = (self.filter.clone(), self.pattern.clone());
        let pruner = BlockPruner::new(view.log(), index, &filter);
        let reader =
            LogReader::new(view, RowFilter { filter: &filter, pattern: pattern.as_ref() })?.with_pruner(&pruner);
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
        let nearer = range.end - self.aligned_start <= self.aligned_start - range.start;
        let has_grown = self.scanned_log_end > 0;
        if self.scanned_log_end < reader.log_end && (nearer || has_grown || self.has_log_start()) {
            self.scan_forward(&reader, range, bytes, on_progress)
        } else {
            self.scan_backward(&reader, range, bytes, on_progress)
        }
    }

    /// As [`read_page`](super::read_page), without reading what lies between hits. A page ends where the range ends, unless it
    /// would be empty: it may have fewer rows than asked for, and more may follow.
    ///
    /// # Errors
    /// `Stopped` when `on` breaks; `Io`, `Changed`, `Memory` when the log cannot be read.
    pub fn read_page(
        &self,
        view: &LogView,
        index: Option<&AggregateIndex>,
        (from, direction): (u64, Direction),
        limit: usize,
        on_progress: &mut OnProgress,
    ) -> Result<RowPage, StorageError> {
        let request = PageRequest { from, direction, limit, filter: &self.filter };
        let reader = LogReader::new(view, RowFilter { filter: &self.filter, pattern: None })?;
        match self.indexed_reader(reader, from, direction)?.filter(|_| limit > 0 && self.pattern.is_none()) {
            Some(known) => {
                page::read_indexed_page(&reader, &known, &request, &mut ProgressMeter::new(on_progress, reader.log_end))
                    .map_err(|fault| fault.into_error(view.index_path()))
            }
            None => page::read_page(view, index, &request, on_progress),
        }
    }

    /// As [`find_match`](super::find_match), likewise.
    ///
    /// # Errors
    /// As [`Hits::read_page`].
    pub fn find_match(
        &self,
        view: &LogView,
        index: Option<&AggregateIndex>,
        (from, direction): (u64, Direction),
        on_progress: &mut OnProgress,
    ) -> Result<Option<u64>, StorageError> {
        let Some(pattern) = &self.pattern else { return Ok(None) };
        let reader = LogReader::new(view, RowFilter { filter: &self.filter, pattern: Some(pattern) })?;
        let Some(known) = self.indexed_reader(reader, from, direction)? else {
            return search::find_match(view, index, pattern, &self.filter, from, direction, on_progress);
        };
        let mut meter = ProgressMeter::new(on_progress, reader.log_end);
        let found = match direction {
            Direction::Forward => known.read_forward(from, 1, &mut meter),
            Direction::Backward => known.read_backward(from, 1, &mut meter),
        };
        Ok(found.map_err(|fault| fault.into_error(view.index_path()))?.rows.front().map(|row| row.start))
    }

    /// What is known of the rows that way, where that is more than nothing.
    fn indexed_reader<'a>(
        &'a self,
        reader: LogReader<'a>,
        from: u64,
        direction: Direction,
    ) -> Result<Option<IndexedReader<'a>>, StorageError> {
        let Some(range) = self.scanned_range.clone() else { return Ok(None) };
        let end = if range.end <= reader.log_end { range.end } else { reader.damaged_tail_start()? };
        let inside = match direction {
            Direction::Forward => from.max(self.first_frame) >= range.start,
            Direction::Backward => from > range.start,
        };
        Ok((inside && end >= range.start).then(|| IndexedReader::from_hits(reader, &self.offsets, range.start..end)))
    }

    /// True when the range starts with the log.
    fn has_log_start(&self) -> bool {
        self.scanned_range.as_ref().is_some_and(|range| range.start <= self.first_frame)
    }

    /// A slice behind the range.
    fn scan_forward(
        &mut self,
        reader: &LogReader,
        range: Range<u64>,
        bytes: u64,
        on_progress: &mut OnProgress,
    ) -> Result<(), StorageError> {
        let Range { start, end } = range;
        let (at, stopped) = (Cell::new(end), Cell::new(false));
        let mut report = |progress: Progress| {
            at.set(progress.position);
            stopped.set(on_progress(progress).is_break());
            if stopped.get() || progress.position - end >= bytes {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let mut meter = ProgressMeter::new(&mut report, reader.log_end);
        let mut walk = reader.scan_range_pruned(end..reader.log_end);
        // What was unfinished when it was looked at.
        self.offsets.truncate_from(end);
        let known = loop {
            let row = match walk.next_row(&mut meter) {
                Ok(Some(row)) => row,
                Ok(None) => {
                    self.scanned_log_end = reader.log_end;
                    break Ok(walk.damaged_tail_start().unwrap_or(reader.log_end).max(end));
                }
                Err(StorageError::Cancelled) => {
                    let place = at.get();
                    if let Some(row) = walk.take_pending_row() {
                        self.offsets.push(row.start);
                    }
                    // In the midst of damage it starts anew with the damage, which may be longer than a slice.
                    let boundary = reader.enclosing_start(place)?.max(end);
                    if stopped.get() {
                        self.offsets.truncate_from(boundary);
                        self.scanned_range = Some(start..boundary);
                        return Err(StorageError::Cancelled);
                    }
                    if boundary > end {
                        break Ok(boundary);
                    }
                    continue;
                }
                Err(error) => break Err(error),
            };
            if self.offsets.len() >= self.max_hits {
                self.is_full = true;
                break Ok(reader.enclosing_start(row.start)?.max(end));
            }
            self.offsets.push(row.start);
        };
        let known = known.inspect_err(|_| self.offsets.truncate_from(end))?;
        if self.scanned_log_end < reader.log_end {
            self.offsets.truncate_from(known);
        }
        self.scanned_range = Some(start..known);
        Ok(())
    }

    /// A slice before the range.
    fn scan_backward(
        &mut self,
        reader: &LogReader,
        range: Range<u64>,
        bytes: u64,
        on_progress: &mut OnProgress,
    ) -> Result<(), StorageError> {
        let start = reader.enclosing_start(range.start.saturating_sub(bytes).max(self.first_frame))?;
        let mut walk = reader.scan_range_pruned(start..range.start);
        let mut meter = ProgressMeter::new(on_progress, reader.log_end);
        let mut before = OffsetList::default();
        while let Some(row) = walk.next_row(&mut meter)?.filter(|row| row.start < range.start) {
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
