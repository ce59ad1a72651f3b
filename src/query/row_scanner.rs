//! The rows of a range of the log, ascending, as far as a filter shows them.
//!
//! Blocks that an index rules out are skipped. The header is not among the rows.

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
    read_to: u64,
    pruner: Option<&'a BlockPruner<'a>>,
    scan_end: u64,
    /// The row of the item that was read last.
    pending_row: Option<LogRow>,
    /// The start of the first frame or damaged range that was read.
    first_start: Option<u64>,
    end_state: EndState,
}

/// Whether the finding that the log has lost its end was asked for, after the last item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EndState {
    Pending,
    Checked,
}

impl<'a> RowScanner<'a> {
    /// Scans `range`, which starts where a frame or a damaged range does, of a log that ends at `log_end`.
    pub(super) fn new(view: &LogView, row_filter: RowFilter<'a>, range: Range<u64>, log_end: u64) -> Self {
        let scan_end = range.end;
        Self::with_walk(LogWalk::new(view, range, log_end), row_filter, scan_end)
    }

    /// Scans the part of `range` from the first valid frame on; the range may start anywhere.
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
            end_state: EndState::Pending,
        }
    }

    /// Skips the blocks that `pruner` rules out.
    pub(super) fn with_pruner(mut self, pruner: Option<&'a BlockPruner<'a>>) -> Self {
        if pruner.is_some() {
            let start = self.walk.position();
            self.walk.restart(start..start);
            (self.pruner, self.read_to) = (pruner, start);
        }
        self
    }

    /// The start of the first frame or damaged range that was read.
    pub(super) const fn first_start(&self) -> Option<u64> {
        self.first_start
    }

    /// The start of the damaged or unfinished range that the log ends with, once the scan has reached it.
    pub(super) const fn damaged_tail_start(&self) -> Option<u64> {
        self.walk.damaged_tail_start()
    }

    /// True when the last byte of the range was read; its rows may still follow.
    pub(super) const fn is_at_end(&self) -> bool {
        self.walk.position() >= self.scan_end
    }

    /// The row that was read when the callback cancelled the scan.
    pub(super) const fn take_pending_row(&mut self) -> Option<LogRow> {
        self.pending_row.take()
    }

    /// The next row; `None` at the end of the range.
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
                // Its pieces were rows, or it was skipped.
                Some(WalkItem::DamagedRange(range)) if self.row_filter.pattern.is_some() => range,
                Some(WalkItem::DamagedRange(_)) => continue,
                None if self.read_to < self.scan_end => {
                    self.advance_past_block(meter)?;
                    continue;
                }
                None if self.end_state == EndState::Checked => return Ok(None),
                None => {
                    self.end_state = EndState::Checked;
                    self.pending_row = self.truncation_row()?;
                    continue;
                }
            };
            self.first_start.get_or_insert(range.start);
            meter.advance(range.end, range.end - range.start)?;
        }
    }

    /// Skips the block at the current place, or goes on to the next block that can be skipped.
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

    /// After the last item, the row of a log that has lost its end.
    fn truncation_row(&self) -> Result<Option<LogRow>, StorageError> {
        if self.row_filter.pattern.is_some() {
            return Ok(None);
        }
        Ok(self.walk.truncation()?.and_then(|finding| self.row_filter.finding_row(finding)))
    }
}
