//! Scans a range of the log for the rows that a filter shows, ascending.
//!
//! Blocks that an index excludes are skipped. The header is not among the rows.

use std::ops::Range;

use super::block_pruner::{BlockPruner, PROBE_BYTES};
use super::progress_meter::ProgressMeter;
use super::row::LogRow;
use super::row_filter::RowFilter;
use crate::StorageError;
use crate::inspect::{DamagePolicy, LogView, LogWalk, WalkItem};

/// Reads the rows of a range one by one.
pub(super) struct RowScanner<'a> {
    row_filter: RowFilter<'a>,
    /// A walk over the part of the range before `read_to`.
    walk: LogWalk,
    /// The end of the part that `walk` reads or that is skipped; the next part starts here.
    read_to: u64,
    pruner: Option<&'a BlockPruner<'a>>,
    /// The end of the range.
    scan_end: u64,
    /// The row of the last item that was read, until it is returned.
    pending_row: Option<LogRow>,
    /// The start of the first frame or damaged range that was read.
    first_start: Option<u64>,
    truncation_check: TruncationCheck,
}

/// The state of the check, after the last item, whether the log has lost its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TruncationCheck {
    Pending,
    Done,
}

impl<'a> RowScanner<'a> {
    /// Creates a scanner over `range` of a log that ends at `log_end`. The range must start at a frame or a damaged range.
    pub(super) fn new(view: &LogView, row_filter: RowFilter<'a>, range: Range<u64>, log_end: u64) -> Self {
        let scan_end = range.end;
        Self::with_walk(LogWalk::new(view, range, log_end), row_filter, scan_end)
    }

    /// Creates a scanner that starts at the first valid frame of `range`, which may start at any offset.
    pub(super) fn from_unaligned(view: &LogView, row_filter: RowFilter<'a>, range: Range<u64>, log_end: u64) -> Self {
        let scan_end = range.end;
        Self::with_walk(LogWalk::from_unaligned(view, range, log_end), row_filter, scan_end)
    }

    fn with_walk(walk: LogWalk, row_filter: RowFilter<'a>, scan_end: u64) -> Self {
        // A pattern matches events only, so damage need not be classified.
        let policy = if row_filter.pattern.is_some() { DamagePolicy::Skip } else { DamagePolicy::Classify };
        Self {
            row_filter,
            walk: walk.with_policy(policy),
            read_to: scan_end,
            pruner: None,
            scan_end,
            pending_row: None,
            first_start: None,
            truncation_check: TruncationCheck::Pending,
        }
    }

    /// Returns this scanner with blocks to skip: those that `pruner` excludes.
    pub(super) fn with_pruner(mut self, pruner: Option<&'a BlockPruner<'a>>) -> Self {
        if pruner.is_some() {
            let start = self.walk.position();
            self.walk.restart(start..start);
            (self.pruner, self.read_to) = (pruner, start);
        }
        self
    }

    /// Returns the start of the first frame or damaged range that was read.
    pub(super) const fn first_start(&self) -> Option<u64> {
        self.first_start
    }

    /// Returns the start of the damaged or unfinished range at the end of the log, once the scan has reached it.
    pub(super) const fn damaged_tail_start(&self) -> Option<u64> {
        self.walk.damaged_tail_start()
    }

    /// True when the last byte of the range was read. Rows of the last item may still follow.
    pub(super) const fn is_at_end(&self) -> bool {
        self.walk.position() >= self.scan_end
    }

    /// Takes the row that was read just before the callback cancelled the scan.
    pub(super) const fn take_pending_row(&mut self) -> Option<LogRow> {
        self.pending_row.take()
    }

    /// Returns the next row; `None` at the end of the range.
    ///
    /// # Errors
    /// `Cancelled` when the callback of `meter` breaks; `Io`, `Changed` and `OutOfMemory` when the log cannot be read.
    pub(super) fn next_row(&mut self, meter: &mut ProgressMeter) -> Result<Option<LogRow>, StorageError> {
        let version = self.walk.view().log().version();
        loop {
            if let Some(row) = self.pending_row.take() {
                return Ok(Some(row));
            }
            let range = match self.walk.next_before(u64::MAX)? {
                Some(WalkItem::Frame(at, frame)) => {
                    self.pending_row = self.row_filter.frame_row(at, &frame, version);
                    at..at + frame.len()
                }
                Some(WalkItem::Damage(finding)) => {
                    let range = finding.range();
                    self.pending_row = self.row_filter.finding_row(*finding);
                    range
                }
                Some(WalkItem::InFlight(range)) => {
                    self.pending_row = self.row_filter.in_flight_row(range.clone());
                    range
                }
                // A search skips damage, so the range only counts as progress. Otherwise its pieces were already returned.
                Some(WalkItem::DamagedRange(range)) if self.row_filter.pattern.is_some() => range,
                Some(WalkItem::DamagedRange(_)) => continue,
                None if self.read_to < self.scan_end => {
                    self.advance_past_block(meter)?;
                    continue;
                }
                None if self.truncation_check == TruncationCheck::Done => return Ok(None),
                None => {
                    self.truncation_check = TruncationCheck::Done;
                    self.pending_row = self.truncation_row()?;
                    continue;
                }
            };
            self.first_start.get_or_insert(range.start);
            meter.advance(range.end, range.end - range.start)?;
        }
    }

    /// Skips the block at `read_to`, or continues the walk up to the next block that can be skipped.
    fn advance_past_block(&mut self, meter: &mut ProgressMeter) -> Result<(), StorageError> {
        let at = self.read_to;
        let skipped = self.pruner.and_then(|pruner| pruner.skippable_block_at(at));
        let next = match &skipped {
            Some(block) => block.end,
            None => self.pruner.map_or(u64::MAX, |pruner| pruner.next_skippable_start(at)),
        };
        self.read_to = next.min(self.scan_end);
        let start = if skipped.is_some() { self.read_to } else { at };
        self.walk.restart(start..self.read_to);
        if skipped.is_some() { meter.advance(self.read_to, PROBE_BYTES) } else { Ok(()) }
    }

    /// Returns the row that follows the last item when the log has lost its end.
    fn truncation_row(&self) -> Result<Option<LogRow>, StorageError> {
        if self.row_filter.pattern.is_some() {
            return Ok(None);
        }
        Ok(self.walk.truncation()?.and_then(|finding| self.row_filter.finding_row(finding)))
    }
}
