//! So many rows from a place on, forward or backward: the log is read where one looks, and no further.

use std::collections::VecDeque;
use std::ops::Range;

use super::block_pruner::{BlockPruner, PROBE_BYTES};
use super::progress_meter::ProgressMeter;
use super::row::{LogRow, RowBatch, RowContent};
use super::row_filter::RowFilter;
use super::row_scanner::RowScanner;
use crate::StorageError;
use crate::file::{OffsetLocation, ScanSpan, locate_offset, spans_before};
use crate::format::{HEADER_LEN, Version};
use crate::inspect::LogView;

/// What is read at first when rows before a place are wanted, in bytes.
const INITIAL_WINDOW: u64 = 64 << 10;
/// What is read at once at most, unless damage is longer.
const MAX_WINDOW: u64 = 4 << 20;

/// A log looked at, its end fixed.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogReader<'a> {
    pub(super) view: &'a LogView,
    pub(super) row_filter: RowFilter<'a>,
    /// The log's end, in bytes.
    pub(super) log_end: u64,
    pruner: Option<&'a BlockPruner<'a>>,
}

/// A frame or a damaged range that a place lies in.
struct EnclosingRange {
    start: u64,
    damaged: bool,
}

impl<'a> LogReader<'a> {
    /// Fixes the end of the log.
    pub(super) fn new(view: &'a LogView, row_filter: RowFilter<'a>) -> Result<Self, StorageError> {
        Ok(Self { view, row_filter: row_filter, log_end: view.log().len()?, pruner: None })
    }

    /// The same, passing over blocks that need not be read.
    pub(super) const fn with_pruner(self, pruner: &'a BlockPruner<'a>) -> Self {
        Self { pruner: Some(pruner), ..self }
    }

    /// The row of the header, when there is one to be seen.
    pub(super) fn header_row(&self) -> Option<LogRow> {
        if self.view.log().version() == Version::V0 || self.log_end == 0 || self.row_filter.pattern.is_some() {
            return None;
        }
        if let Some(finding) = self.view.header_finding() {
            return self.row_filter.finding_row(finding);
        }
        let row = LogRow { start: 0, end: HEADER_LEN.min(self.log_end), content: RowContent::Header };
        self.row_filter.filter.matches_header().then_some(row)
    }

    /// Up to `limit` rows behind the header: the one that `from` lies in, or that starts there, and those after it.
    pub(super) fn read_forward(
        &self,
        from: u64,
        limit: usize,
        meter: &mut ProgressMeter,
    ) -> Result<RowBatch, StorageError> {
        let mut found = RowBatch::default();
        let mut walk = self.scan_range_pruned(self.enclosing_start(from)?..self.log_end);
        loop {
            let full = found.rows.len() >= limit;
            if full && !walk.is_at_end() {
                return Ok(found);
            }
            match walk.next_row(meter)? {
                Some(_) if full => return Ok(found),
                Some(row) if is_at_or_after(&row, from) => found.rows.push_back(row),
                Some(_) => {}
                None => return Ok(RowBatch { complete: true, ..found }),
            }
        }
    }

    /// Up to `limit` rows before `from`, which end there at the latest, and that do not start before `floor`, where a
    /// frame or a damaged range starts. Read in growing steps.
    pub(super) fn read_backward(
        &self,
        from: u64,
        floor: u64,
        limit: usize,
        meter: &mut ProgressMeter,
    ) -> Result<RowBatch, StorageError> {
        let mut rows = VecDeque::new();
        let floor = floor.min(self.log_end);
        let covering = self.enclosing_range(from)?;
        let mut before = covering.as_ref().map_or(self.log_end, |place| place.start).max(floor);
        if let Some(EnclosingRange { damaged: true, .. }) = covering
            && self.skippable_block_at(before).is_none()
        {
            let mut dropped = false;
            let mut walk = self.scan_range(before..self.log_end);
            while let Some(row) = walk.next_row(meter)?.filter(|row| !is_at_or_after(row, from)) {
                dropped |= push_bounded(&mut rows, row, limit);
            }
            if rows.len() >= limit {
                return Ok(RowBatch { rows, complete: !dropped && before <= floor });
            }
        }
        let mut window = INITIAL_WINDOW;
        loop {
            if let Some(block) =
                before.checked_sub(1).filter(|_| before > floor).and_then(|at| self.skippable_block_at(at))
            {
                before = block.start.max(floor);
                meter.advance(before, PROBE_BYTES)?;
                continue;
            }
            let least = before.saturating_sub(window).max(floor);
            let start = self.pruner.map_or(least, |blocks| blocks.previous_skippable_end(before, least));
            // Where a block ends that is passed over, a frame starts.
            let is_aligned = start == floor || start > least;
            let mut walk = if is_aligned { self.scan_range(start..before) } else { self.scan_unaligned(start..before) };
            let mut batch = VecDeque::new();
            let room = limit.saturating_sub(rows.len());
            let mut dropped = false;
            while let Some(row) = walk.next_row(meter)?.filter(|row| !is_at_or_after(row, from)) {
                dropped |= push_bounded(&mut batch, row, room);
            }
            let first_start = if is_aligned { Some(start) } else { walk.first_start() };
            // Without a frame in the window nothing is known of where its damage starts.
            let Some(met) = first_start else {
                window = window.saturating_mul(4);
                continue;
            };
            before = met;
            batch.append(&mut rows);
            rows = batch;
            if before <= floor || rows.len() >= limit {
                return Ok(RowBatch { rows, complete: !dropped && before <= floor });
            }
            window = window.saturating_mul(4).min(MAX_WINDOW);
        }
    }

    /// Over a range that starts where a frame or a damaged range does.
    pub(super) fn scan_range(&self, range: Range<u64>) -> RowScanner<'a> {
        RowScanner::new(self.view, self.row_filter, range, self.log_end)
    }

    /// The same, but for the blocks that need not be read.
    pub(super) fn scan_range_pruned(&self, range: Range<u64>) -> RowScanner<'a> {
        self.scan_range(range).with_pruner(self.pruner)
    }

    /// Over the part of a range from its first valid frame on.
    fn scan_unaligned(&self, range: Range<u64>) -> RowScanner<'a> {
        RowScanner::from_unaligned(self.view, self.row_filter, range, self.log_end)
    }

    /// The block that `at` lies in, when it need not be read.
    fn skippable_block_at(&self, at: u64) -> Option<Range<u64>> {
        self.pruner?.skippable_block_at(at)
    }

    /// Where the frame or damaged range starts that `from` lies in.
    pub(super) fn enclosing_start(&self, from: u64) -> Result<u64, StorageError> {
        match self.enclosing_range(from)? {
            Some(covering) => Ok(covering.start),
            // Whether the end was lost, and with which row that is told, shows in what the log ends with.
            None if self.is_truncated() => self.damaged_tail_start(),
            None => Ok(self.log_end),
        }
    }

    /// True when the index has seen more of the log than there is.
    pub(super) fn is_truncated(&self) -> bool {
        self.view.trusted_index_end().is_some_and(|seen| seen > self.log_end)
    }

    /// What `from` lies in; `None` at the end of the log and behind it.
    fn enclosing_range(&self, from: u64) -> Result<Option<EnclosingRange>, StorageError> {
        let first = self.view.log().first_frame_offset();
        if from <= first {
            return Ok((first < self.log_end).then_some(EnclosingRange { start: first, damaged: false }));
        }
        Ok(match locate_offset(self.view.log(), from, self.log_end)? {
            OffsetLocation::FrameStart(range) | OffsetLocation::InsideFrame(range) => {
                Some(EnclosingRange { start: range.start, damaged: false })
            }
            OffsetLocation::Damaged(range) => Some(EnclosingRange { start: range.start, damaged: true }),
            OffsetLocation::PastEnd => None,
        })
    }

    /// Where the damaged range starts that the log ends with; its end when it ends with a frame.
    pub(super) fn damaged_tail_start(&self) -> Result<u64, StorageError> {
        if self.log_end <= self.view.log().first_frame_offset() {
            return Ok(self.log_end);
        }
        Ok(match spans_before(self.view.log(), self.log_end, 1)?.last() {
            Some(ScanSpan::Damaged(range) | ScanSpan::Unreadable(range)) => range.start,
            _ => self.log_end,
        })
    }
}

/// True when a row starts at or after `from`, or covers it. Every row lies on one side of a place: the one without bytes,
/// at the end of a log that lost its end, lies behind that end.
fn is_at_or_after(row: &LogRow, from: u64) -> bool {
    row.end > from || row.start >= from
}

/// Adds a row behind the others and keeps the last `limit` of them; true when one had to go.
pub(super) fn push_bounded(rows: &mut VecDeque<LogRow>, row: LogRow, limit: usize) -> bool {
    rows.push_back(row);
    rows.len() > limit && rows.pop_front().is_some()
}
