//! Reads rows from the log, forward or backward from an offset, and no more of the log than necessary.

use std::collections::VecDeque;
use std::ops::Range;

use super::block_pruner::{BlockPruner, PROBE_BYTES};
use super::progress_meter::ProgressMeter;
use super::row::{LogRow, RowBatch, RowContent};
use super::row_filter::RowFilter;
use super::row_scanner::RowScanner;
use crate::StorageError;
use crate::file::{OffsetLocation, ScanSpan, SegmentSet, locate_offset, spans_before};
use crate::format::Version;
use crate::inspect::LogView;

/// Size of the first window that a backward read scans, in bytes.
const INITIAL_WINDOW: u64 = 64 << 10;
/// Largest window that a backward read scans, in bytes, unless a damaged range is longer.
const MAX_WINDOW: u64 = 4 << 20;

/// Reads rows of a log whose end is fixed when the reader is created.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogReader<'a> {
    pub(super) view: &'a LogView,
    pub(super) row_filter: RowFilter<'a>,
    /// The log's size in bytes when the reader was created.
    pub(super) log_end: u64,
    /// The offset at which forward reads end: the log's end, or the end of a frame before it.
    pub(super) read_end: u64,
    pruner: Option<&'a BlockPruner<'a>>,
}

/// The frame or damaged range that contains an offset.
struct EnclosingRange {
    start: u64,
    is_damaged: bool,
}

/// The state of a backward scan, which collects rows from the last to the first.
struct BackwardScan {
    rows: VecDeque<LogRow>,
    /// The rows between this offset and the requested one are collected.
    position: u64,
    /// True when rows were dropped because the limit was reached.
    has_dropped_rows: bool,
    /// Size of the next window, in bytes.
    window: u64,
}

impl<'a> LogReader<'a> {
    /// Creates a reader whose end is the present end of the log.
    ///
    /// # Errors
    /// `Io` when the log's size cannot be read.
    pub(super) fn new(view: &'a LogView, row_filter: RowFilter<'a>) -> Result<Self, StorageError> {
        let log_end = view.log().len()?;
        Ok(Self { view, row_filter, log_end, read_end: log_end, pruner: None })
    }

    /// Returns this reader with another end of its forward reads, which must be the end of a frame.
    pub(super) fn with_read_end(self, end: u64) -> Self {
        Self { read_end: end.min(self.log_end), ..self }
    }

    /// Returns this reader with blocks to skip: those that `pruner` excludes.
    pub(super) const fn with_pruner(self, pruner: &'a BlockPruner<'a>) -> Self {
        Self { pruner: Some(pruner), ..self }
    }

    /// Returns the row of the header; `None` in version 0, in an empty file, and when the filter hides it.
    pub(super) fn header_row(&self) -> Option<LogRow> {
        if self.view.log().version() == Version::V0 || self.log_end == 0 || self.row_filter.pattern.is_some() {
            return None;
        }
        // Where the first segments are missing, the header that the log was opened with is that of a later one, which has no row.
        let is_later =
            |set: &dyn SegmentSet| !set.is_single_segment() && set.log_start() < self.view.log().header_range().start;
        if self.view.log().storage().segments().is_some_and(is_later) {
            return None;
        }
        if let Some(finding) = self.view.header_finding() {
            return self.row_filter.finding_row(finding);
        }
        let row = LogRow {
            start: self.view.log().header_range().start,
            end: self.view.log().header_range().end.min(self.log_end),
            content: RowContent::Header,
        };
        self.row_filter.filter.matches_header().then_some(row)
    }

    /// Reads up to `limit` rows after the header: the row that contains `from` or starts there, and the rows after it.
    ///
    /// # Errors
    /// `Cancelled` when the progress callback breaks; `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
    pub(super) fn read_forward(
        &self,
        from: u64,
        limit: usize,
        meter: &mut ProgressMeter,
    ) -> Result<RowBatch, StorageError> {
        let mut batch = RowBatch::default();
        let mut scanner = self.scan_range_pruned(self.enclosing_start(from)?..self.read_end);
        loop {
            let is_full = batch.rows.len() >= limit;
            if is_full && !scanner.is_at_end() {
                return Ok(batch);
            }
            match scanner.next_row(meter)? {
                Some(_) if is_full => return Ok(batch),
                Some(row) if is_at_or_after(&row, from) => batch.rows.push_back(row),
                Some(_) => {}
                None => return Ok(RowBatch { complete: true, ..batch }),
            }
        }
    }

    /// Reads up to `limit` rows that end at or before `from` and do not start before `floor`.
    ///
    /// `floor` must be the start of a frame or of a damaged range. Windows of growing size are scanned, the last one first.
    ///
    /// # Errors
    /// See [`LogReader::read_forward`].
    pub(super) fn read_backward(
        &self,
        from: u64,
        floor: u64,
        limit: usize,
        meter: &mut ProgressMeter,
    ) -> Result<RowBatch, StorageError> {
        let floor = floor.min(self.log_end);
        let enclosing = self.enclosing_range(from)?;
        let mut read = BackwardScan {
            rows: VecDeque::new(),
            position: enclosing.as_ref().map_or(self.log_end, |range| range.start).max(floor),
            has_dropped_rows: false,
            window: INITIAL_WINDOW,
        };
        let is_inside_damage = enclosing.is_some_and(|range| range.is_damaged);
        if is_inside_damage && self.skippable_block_at(read.position).is_none() {
            // The damaged range can have rows on both sides of `from`. The rows before `from` belong to the page.
            let mut scanner = self.scan_range(read.position..self.log_end);
            while let Some(row) = scanner.next_row(meter)?.filter(|row| !is_at_or_after(row, from)) {
                read.has_dropped_rows |= push_bounded(&mut read.rows, row, limit);
            }
            if read.rows.len() >= limit {
                return Ok(read.into_batch(floor));
            }
        }
        loop {
            let last_byte = read.position.checked_sub(1).filter(|_| read.position > floor);
            if let Some(block) = last_byte.and_then(|at| self.skippable_block_at(at)) {
                read.position = block.start.max(floor);
                meter.advance(read.position, PROBE_BYTES)?;
                continue;
            }
            self.read_window_before(&mut read, from, floor, limit, meter)?;
            if read.position <= floor || read.rows.len() >= limit {
                return Ok(read.into_batch(floor));
            }
        }
    }

    /// Scans the window before the position, and inserts its rows before the collected rows.
    ///
    /// A window without the start of a frame has damage whose start is unknown. It adds no rows, and the next window is
    /// larger.
    fn read_window_before(
        &self,
        read: &mut BackwardScan,
        from: u64,
        floor: u64,
        limit: usize,
        meter: &mut ProgressMeter,
    ) -> Result<(), StorageError> {
        let end = read.position;
        let window_start = end.saturating_sub(read.window).max(floor);
        let start = self.pruner.map_or(window_start, |pruner| pruner.previous_skippable_end(end, window_start));
        // A skipped block ends where a frame starts.
        let is_aligned = start == floor || start > window_start;
        let mut scanner = if is_aligned { self.scan_range(start..end) } else { self.scan_unaligned(start..end) };
        let mut batch = VecDeque::new();
        let available = limit.saturating_sub(read.rows.len());
        let mut has_dropped_rows = false;
        while let Some(row) = scanner.next_row(meter)?.filter(|row| !is_at_or_after(row, from)) {
            has_dropped_rows |= push_bounded(&mut batch, row, available);
        }
        read.window = read.window.saturating_mul(4);
        if let Some(first_start) = if is_aligned { Some(start) } else { scanner.first_start() } {
            batch.append(&mut read.rows);
            read.rows = batch;
            read.position = first_start;
            read.has_dropped_rows = has_dropped_rows;
            read.window = read.window.min(MAX_WINDOW);
        }
        Ok(())
    }

    /// Returns a scanner over a range that starts at a frame or a damaged range.
    pub(super) fn scan_range(&self, range: Range<u64>) -> RowScanner<'a> {
        RowScanner::new(self.view, self.row_filter, range, self.log_end)
    }

    /// Returns a scanner over a range that starts at a frame or a damaged range. It skips blocks that the pruner excludes.
    pub(super) fn scan_range_pruned(&self, range: Range<u64>) -> RowScanner<'a> {
        self.scan_range(range).with_pruner(self.pruner)
    }

    /// Returns a scanner that starts at the first valid frame of a range.
    fn scan_unaligned(&self, range: Range<u64>) -> RowScanner<'a> {
        RowScanner::from_unaligned(self.view, self.row_filter, range, self.log_end)
    }

    /// Returns the block that contains `offset`, when the pruner excludes it.
    fn skippable_block_at(&self, offset: u64) -> Option<Range<u64>> {
        self.pruner?.skippable_block_at(offset)
    }

    /// Returns the start of the frame or damaged range that contains `from`; for a later offset, the end of the log.
    ///
    /// # Errors
    /// `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
    pub(super) fn enclosing_start(&self, from: u64) -> Result<u64, StorageError> {
        match self.enclosing_range(from)? {
            Some(range) => Ok(range.start),
            // The row for the lost end follows the damage at the end of the log, so reading starts with that damage.
            None if self.is_truncated() => self.damaged_tail_start(),
            None => Ok(self.log_end),
        }
    }

    /// True when the log is shorter than the index has recorded.
    pub(super) fn is_truncated(&self) -> bool {
        self.view.seen_end().offset().is_some_and(|indexed_end| indexed_end > self.log_end)
    }

    /// Returns the frame or damaged range that contains `from`; `None` at and after the end of the log.
    fn enclosing_range(&self, from: u64) -> Result<Option<EnclosingRange>, StorageError> {
        let first = self.view.log().first_frame_offset();
        if from <= first {
            return Ok((first < self.log_end).then_some(EnclosingRange { start: first, is_damaged: false }));
        }
        Ok(match locate_offset(self.view.log(), from, self.log_end)? {
            OffsetLocation::FrameStart(range) | OffsetLocation::InsideFrame(range) => {
                Some(EnclosingRange { start: range.start, is_damaged: false })
            }
            OffsetLocation::Damaged(range) => Some(EnclosingRange { start: range.start, is_damaged: true }),
            OffsetLocation::PastEnd => None,
        })
    }

    /// Returns the start of the damaged range at the end of the log; the end of the log when it ends with a valid frame.
    ///
    /// # Errors
    /// `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
    pub(super) fn damaged_tail_start(&self) -> Result<u64, StorageError> {
        if self.log_end <= self.view.log().first_frame_offset() {
            return Ok(self.log_end);
        }
        Ok(match spans_before(self.view.log(), self.log_end, 1)?.last() {
            Some(ScanSpan::Damaged(range) | ScanSpan::Unreadable(range) | ScanSpan::Missing(range)) => range.start,
            _ => self.log_end,
        })
    }
}

impl BackwardScan {
    fn into_batch(self, floor: u64) -> RowBatch {
        RowBatch { complete: !self.has_dropped_rows && self.position <= floor, rows: self.rows }
    }
}

/// True when a row starts at or after `from`, or contains it.
///
/// A row is always on exactly one side of an offset. The empty row for a lost end starts at the end of the log, and is
/// therefore at or after it.
fn is_at_or_after(row: &LogRow, from: u64) -> bool {
    row.end > from || row.start >= from
}

/// Appends a row and keeps the last `limit` rows. Returns true when a row was dropped.
pub(super) fn push_bounded(rows: &mut VecDeque<LogRow>, row: LogRow, limit: usize) -> bool {
    rows.push_back(row);
    rows.len() > limit && rows.pop_front().is_some()
}
