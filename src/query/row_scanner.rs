//! Walking over the log as it stands, forward or backward from any place, with what is to be seen on the way.
//!
//! Here never lives the header, nor the index but as blocks that are passed over.

use std::ops::Range;

use super::block_pruner::{BlockPruner, PROBE_BYTES};
use super::progress_meter::ProgressMeter;
use super::row::LogRow;
use super::row_filter::RowFilter;
use crate::StorageError;
use crate::file::{ScanItem, Scanner};
use crate::format::{DamageKind, Finding};
use crate::inspect::{DamagePieces, LogView, TailActivity, TailPiece, TailPieces, observe_tail};

/// The rows of a range that are to be seen, ascending.
pub(super) struct RowScanner<'a> {
    view: &'a LogView,
    row_filter: RowFilter<'a>,
    /// Of the part of the range up to `read_to`.
    scanner: Scanner,
    read_to: u64,
    pruner: Option<&'a BlockPruner<'a>>,
    scan_end: u64,
    file_end: u64,
    /// The row of what was met last.
    pending_row: Option<LogRow>,
    /// What is left of the damaged range that was met last: named one by one, for there may be millions.
    pending_pieces: Option<TailPieceIterator<'a>>,
    /// Where the first frame or damaged range starts that was met.
    first_start: Option<u64>,
    end_state: LogEndState,
}

/// Pieces of a damaged range.
type TailPieceIterator<'a> = Box<dyn Iterator<Item = Result<TailPiece, StorageError>> + 'a>;

/// What is known of the log's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LogEndState {
    /// It was not looked at.
    NotReached,
    /// It moved when it was looked at; what was damage may be whole by now.
    Changed,
    /// It was judged, damaged.
    Classified,
    /// There is nothing behind.
    Finished,
}

impl<'a> RowScanner<'a> {
    /// Over `range`, which starts where a frame or a damaged range does, of a log that ends at `file_end`.
    pub(super) fn new(view: &'a LogView, row_filter: RowFilter<'a>, range: Range<u64>, file_end: u64) -> Self {
        let scan_end = range.end;
        Self {
            view,
            row_filter: row_filter,
            scanner: Scanner::new(view.log().clone(), range),
            read_to: scan_end,
            pruner: None,
            scan_end,
            file_end,
            pending_row: None,
            pending_pieces: None,
            first_start: None,
            end_state: LogEndState::NotReached,
        }
    }

    /// Over the part of `range` from the first valid frame on.
    pub(super) fn from_unaligned(
        view: &'a LogView,
        row_filter: RowFilter<'a>,
        range: Range<u64>,
        file_end: u64,
    ) -> Self {
        let scanner = Scanner::from_unaligned(view.log().clone(), range.clone());
        Self { scanner, ..Self::new(view, row_filter, range, file_end) }
    }

    /// The same, but for the blocks that need not be read.
    pub(super) fn with_pruner(self, pruner: Option<&'a BlockPruner<'a>>) -> Self {
        let start = self.scanner.position();
        match pruner {
            Some(_) => Self { pruner: pruner, read_to: start, scanner: self.scanner_for(start..start), ..self },
            None => self,
        }
    }

    /// Where the first frame or damaged range starts that was met.
    pub(super) const fn first_start(&self) -> Option<u64> {
        self.first_start
    }

    /// True when the last byte of the range was looked at; rows of it may still come.
    pub(super) const fn is_at_end(&self) -> bool {
        self.scanner.position() >= self.scan_end
    }

    /// The row that was met when the walk was stopped.
    pub(super) const fn take_pending_row(&mut self) -> Option<LogRow> {
        self.pending_row.take()
    }

    /// The next row.
    pub(super) fn next_row(&mut self, meter: &mut ProgressMeter) -> Result<Option<LogRow>, StorageError> {
        let version = self.view.log().version();
        loop {
            if let Some(row) = self.pending_row.take() {
                return Ok(Some(row));
            }
            if let Some(pieces) = &mut self.pending_pieces {
                match pieces.next().transpose()? {
                    Some(piece) => self.handle_piece(piece, meter)?,
                    None => self.pending_pieces = None,
                }
                continue;
            }
            let range = match self.scanner.next_item()? {
                Some(ScanItem::Frame(at, frame)) => {
                    self.pending_row = self.row_filter.frame_row(at, &frame, version);
                    at..at + frame.len()
                }
                Some(ScanItem::Damaged(range)) => {
                    self.first_start.get_or_insert(range.start);
                    self.handle_damage(range, meter)?;
                    continue;
                }
                Some(ScanItem::Unreadable(range)) => {
                    self.pending_row = self.row_filter.finding_row(Finding::new(DamageKind::Unreadable, range.clone()));
                    range
                }
                None if self.read_to < self.scan_end => {
                    self.advance_past_block(meter)?;
                    continue;
                }
                None if self.end_state == LogEndState::Finished => return Ok(None),
                None => {
                    self.handle_log_end()?;
                    continue;
                }
            };
            self.first_start.get_or_insert(range.start);
            meter.advance(range.end, range.end - range.start)?;
        }
    }

    /// Passes over a block, or goes on to the next one that may be passed over.
    fn advance_past_block(&mut self, meter: &mut ProgressMeter) -> Result<(), StorageError> {
        let at = self.read_to;
        let skip = self.pruner.and_then(|blocks| blocks.skippable_block_at(at));
        let next = match &skip {
            Some(block) => block.end,
            None => self.pruner.map_or(u64::MAX, |blocks| blocks.next_skippable_start(at)),
        };
        self.read_to = next.min(self.scan_end);
        let start = if skip.is_some() { self.read_to } else { at };
        self.scanner = self.scanner_for(start..self.read_to);
        if skip.is_some() { meter.advance(self.read_to, PROBE_BYTES) } else { Ok(()) }
    }

    fn scanner_for(&self, range: Range<u64>) -> Scanner {
        Scanner::new(self.view.log().clone(), range)
    }

    /// Has the pieces of a damaged range named, where they are to be seen.
    fn handle_damage(&mut self, range: Range<u64>, meter: &mut ProgressMeter) -> Result<(), StorageError> {
        if self.row_filter.pattern.is_some() {
            return meter.advance(range.end, range.end - range.start);
        }
        let view = self.view;
        if range.end < self.file_end {
            let pieces = DamagePieces::new(view.log(), range, self.file_end, view.trusted_index_end())?;
            self.pending_pieces = Some(Box::new(pieces.map(|piece| Ok(TailPiece::Finding(Box::new(piece?.finding))))));
            return Ok(());
        }
        let ending = if self.end_state == LogEndState::Changed {
            TailActivity::Changing
        } else {
            observe_tail(view.log(), &range)?
        };
        if self.end_state == LogEndState::NotReached && ending == TailActivity::Changing {
            // What was damage a moment ago may be whole by now. The end stays where it was fixed.
            self.end_state = LogEndState::Changed;
            self.scanner = self.scanner_for(range.start..self.scan_end);
            return Ok(());
        }
        self.pending_pieces = Some(Box::new(TailPieces::new(view, range, ending)?));
        Ok(())
    }

    fn handle_piece(&mut self, piece: TailPiece, meter: &mut ProgressMeter) -> Result<(), StorageError> {
        let range = match &piece {
            TailPiece::Finding(finding) => finding.range(),
            TailPiece::InFlight(range) => range.clone(),
        };
        self.pending_row = match piece {
            TailPiece::Finding(finding) => {
                if finding.kind == DamageKind::Truncated {
                    self.end_state = LogEndState::Classified;
                }
                self.row_filter.finding_row(*finding)
            }
            TailPiece::InFlight(range) => {
                self.end_state = LogEndState::Classified;
                self.row_filter.in_flight_row(range)
            }
        };
        meter.advance(range.end, range.end - range.start)
    }

    /// Behind the last byte of the log, the row that says that more was there once.
    fn handle_log_end(&mut self) -> Result<(), StorageError> {
        let known = std::mem::replace(&mut self.end_state, LogEndState::Finished);
        if known != LogEndState::Classified && self.scan_end == self.file_end && self.row_filter.pattern.is_none() {
            let lost = self.view.truncation_finding(self.file_end, self.file_end)?;
            self.pending_row = lost.and_then(|finding| self.row_filter.finding_row(finding));
        }
        Ok(())
    }
}
