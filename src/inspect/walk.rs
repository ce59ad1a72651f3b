//! The one walk over a log: every frame of a range in order, and between them the damage, classified piece by piece.
//!
//! Survey, pages, hits, replay and the opening of a writer all read the log through this walk, so that they agree. The
//! end of the log is fixed before the walk starts. Where bytes have changed since the walk has scanned them, it scans
//! them again, so that a log that is being appended to is never reported as damaged.

use std::ops::Range;

use super::LogView;
use super::damage_pieces::{DamagePiece, DamagePieces, PieceOutcome};
use super::tail::{TailActivity, TailWatch, WriterCheck};
use crate::StorageError;
use crate::file::{ScanItem, Scanner};
use crate::format::{DamageKind, Finding, Frame};

/// How often in a row the walk scans the same bytes again because they keep changing.
const MAX_RESCANS: u32 = 8;

/// What a walk yields.
#[derive(Debug)]
pub(crate) enum WalkItem<'a> {
    /// A valid frame and its file offset; [`super::judge_frame`] tells what its payload is.
    Frame(u64, Frame<'a>),
    /// A piece of a damaged range, a range that the device refuses to read, or the end that the log has lost.
    Damage(Box<Finding>),
    /// A damaged range, after all of its pieces.
    DamagedRange(Range<u64>),
    /// The unfinished last frame of the log, which is being written: no damage.
    InFlight(Range<u64>),
}

/// What a walk does with damaged ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DamagePolicy {
    /// Yields each piece as a finding.
    Classify,
    /// Yields damaged ranges only, and does not read them again.
    Skip,
    /// Yields pieces, and ends before a frame or a damaged range of more than `max_bytes` and before the damaged end of
    /// the log. [`LogWalk::position`] is then where another walk has to go on.
    Defer {
        /// The most bytes of a frame or a damaged range that this walk reads.
        max_bytes: u64,
    },
}

/// A walk in progress. Memory: one chunk of a mebibyte, or one frame where that is larger.
#[derive(Debug)]
pub(crate) struct LogWalk {
    view: LogView,
    scanner: Scanner,
    /// The end of the range, at or before the end of the log.
    range_end: u64,
    /// The end of the log, fixed by the caller.
    file_end: u64,
    policy: DamagePolicy,
    state: WalkState,
    tail: TailWatch,
    rescans: RescanCounter,
}

#[derive(Debug)]
enum WalkState {
    /// The scanner yields the next item.
    Scanning,
    /// A damaged range is being classified.
    Classifying(Box<Classification>),
    /// All pieces of this range were yielded, and the range itself is next.
    Closing(Range<u64>),
    /// The walk has ended before this offset, by [`DamagePolicy::Defer`].
    Deferred(u64),
}

#[derive(Debug)]
struct Classification {
    pieces: DamagePieces,
    start: u64,
    /// For the damaged range that the log ends with, what two observations have shown.
    tail_activity: Option<TailActivity>,
}

/// How often in a row the bytes at one offset were scanned again.
#[derive(Debug, Default)]
struct RescanCounter {
    offset: u64,
    count: u32,
}

impl LogWalk {
    /// A walk over `range`, which starts where a frame or a damaged range does, of a log that ends at `file_end`.
    pub(crate) fn new(view: &LogView, range: Range<u64>, file_end: u64) -> Self {
        Self::with_scanner(view, Scanner::new(view.log().clone(), range.clone()), range.end, file_end)
    }

    /// A walk over the part of `range` from the first valid frame on; the range may start anywhere.
    pub(crate) fn from_unaligned(view: &LogView, range: Range<u64>, file_end: u64) -> Self {
        Self::with_scanner(view, Scanner::from_unaligned(view.log().clone(), range.clone()), range.end, file_end)
    }

    fn with_scanner(view: &LogView, scanner: Scanner, range_end: u64, file_end: u64) -> Self {
        Self {
            view: view.clone(),
            scanner,
            range_end,
            file_end,
            policy: DamagePolicy::Classify,
            state: WalkState::Scanning,
            tail: TailWatch::new(WriterCheck::AskPlatform),
            rescans: RescanCounter::default(),
        }
    }

    /// Sets what the walk does with damaged ranges.
    #[must_use]
    pub(crate) fn with_policy(mut self, policy: DamagePolicy) -> Self {
        if let DamagePolicy::Defer { max_bytes } = policy {
            self.scanner.set_max_frame(usize::try_from(max_bytes).unwrap_or(usize::MAX));
        }
        Self { policy, ..self }
    }

    /// Sets whether the platform is asked for a writer before the end of the log is judged.
    #[must_use]
    pub(crate) fn with_writer_check(self, writer_check: WriterCheck) -> Self {
        Self { tail: TailWatch::new(writer_check), ..self }
    }

    /// Starts again over another range of the same log.
    pub(crate) fn restart(&mut self, range: Range<u64>) {
        self.range_end = range.end;
        self.scanner = Scanner::new(self.view.log().clone(), range);
        self.forget_tail();
    }

    /// Starts again at the first valid frame in `range`, in the memory that the walk has: its offset, if there is one.
    /// The end of the walk stays, and bytes after the range are read only as far as frames reach.
    ///
    /// # Errors
    /// As [`Scanner::next_item`].
    pub(crate) fn restart_at_frame(&mut self, range: Range<u64>) -> Result<Option<u64>, StorageError> {
        self.forget_tail();
        self.scanner.restart(range.start);
        self.scanner.set_read_ahead_limit(range.end);
        self.scanner.seek_to_frame(range.end)
    }

    /// Reads nothing from the offset `limit` on until a frame reaches beyond it.
    pub(crate) fn set_read_ahead_limit(&mut self, limit: u64) {
        self.scanner.set_read_ahead_limit(limit);
    }

    fn forget_tail(&mut self) {
        self.state = WalkState::Scanning;
        self.tail.reset();
    }

    /// The log that is walked.
    pub(crate) const fn view(&self) -> &LogView {
        &self.view
    }

    /// The end of the log as the walk sees it.
    pub(crate) const fn file_end(&self) -> u64 {
        self.file_end
    }

    /// The file offset after all that was scanned; the pieces of a range before it may still follow.
    pub(crate) const fn position(&self) -> u64 {
        match self.state {
            WalkState::Deferred(offset) => offset,
            _ => self.scanner.position(),
        }
    }

    /// The start of the damaged or unfinished range that the log ends with, once the walk has reached it.
    pub(crate) const fn damaged_tail_start(&self) -> Option<u64> {
        self.tail.start()
    }

    /// True when the end of the log has changed under the walk, or is in flight.
    pub(crate) const fn has_moving_end(&self) -> bool {
        self.tail.is_moving()
    }

    /// The frame that was yielded last, borrowed again.
    #[inline]
    pub(crate) fn current_frame(&self) -> Option<(u64, Frame<'_>)> {
        self.scanner.current()
    }

    /// The next item that starts before the offset `until`; `None` when there is none. The pieces of a damaged range
    /// that starts before `until` all do.
    ///
    /// # Errors
    /// `Io` when the log cannot be read; `OutOfMemory` where there is no memory for a frame; `Changed` when the log has
    /// become shorter than its fixed end, or when bytes keep changing while they are read.
    #[inline]
    pub(crate) fn next_before(&mut self, until: u64) -> Result<Option<WalkItem<'_>>, StorageError> {
        // Scanning and borrowing are separate steps, because a borrow that may be returned cannot be given up in a loop.
        loop {
            if matches!(self.state, WalkState::Scanning) {
                if self.scanner.position() >= until && !self.scanner.has_pending_damage() {
                    return Ok(None);
                }
                match self.scan_step() {
                    Ok(ScanStep::Frame) => break,
                    Ok(ScanStep::End) => return Ok(None),
                    step => {
                        if let Some(item) = self.handle_damage(step)? {
                            return Ok(Some(item));
                        }
                    }
                }
            } else if matches!(self.state, WalkState::Deferred(_)) {
                return Ok(None);
            } else if let Some(item) = self.next_piece()? {
                return Ok(Some(item));
            }
        }
        Ok(self.scanner.current().map(|(at, frame)| WalkItem::Frame(at, frame)))
    }

    #[inline]
    fn scan_step(&mut self) -> Result<ScanStep, StorageError> {
        Ok(match self.scanner.next_item()? {
            Some(ScanItem::Frame(..)) => ScanStep::Frame,
            Some(ScanItem::Damaged(range)) => ScanStep::Damaged(range),
            Some(ScanItem::Unreadable(range)) => ScanStep::Unreadable(range),
            None => ScanStep::End,
        })
    }

    /// Begins to classify a damaged range, or leaves it to another walk.
    #[cold]
    fn handle_damage(
        &mut self,
        step: Result<ScanStep, StorageError>,
    ) -> Result<Option<WalkItem<'static>>, StorageError> {
        match step {
            Ok(ScanStep::Damaged(range)) => {
                let is_tail = range.end == self.file_end;
                if is_tail {
                    self.tail.set_start(range.start);
                }
                match self.policy {
                    DamagePolicy::Defer { max_bytes } if is_tail || range.end - range.start > max_bytes => {
                        self.state = WalkState::Deferred(range.start);
                    }
                    DamagePolicy::Skip => self.state = WalkState::Closing(range),
                    DamagePolicy::Classify | DamagePolicy::Defer { .. } => self.start_classification(range, is_tail)?,
                }
                Ok(None)
            }
            Ok(ScanStep::Unreadable(range)) => {
                if range.end == self.file_end {
                    self.tail.set_start(range.start);
                }
                self.state = WalkState::Closing(range.clone());
                Ok(match self.policy {
                    DamagePolicy::Skip => None,
                    _ => Some(WalkItem::Damage(Box::new(Finding::new(DamageKind::Unreadable, range)))),
                })
            }
            Err(StorageError::OutOfMemory { .. }) if matches!(self.policy, DamagePolicy::Defer { .. }) => {
                self.state = WalkState::Deferred(self.scanner.position());
                Ok(None)
            }
            Err(error) => Err(error),
            Ok(ScanStep::Frame | ScanStep::End) => Ok(None),
        }
    }

    fn start_classification(&mut self, range: Range<u64>, is_tail: bool) -> Result<(), StorageError> {
        let mut tail_activity = None;
        if is_tail {
            tail_activity = self.tail.observe(self.view.log(), &range)?;
            if tail_activity.is_none() {
                // The end of the walk stays where it was fixed.
                return self.rescan_from(range.start);
            }
        }
        let start = range.start;
        let pieces = DamagePieces::new(self.view.log(), range, self.file_end, self.view.trusted_index_end())?;
        self.state = WalkState::Classifying(Box::new(Classification { pieces, start, tail_activity }));
        Ok(())
    }

    /// The next piece of the range that is being classified, or the range itself after its last piece.
    #[cold]
    fn next_piece(&mut self) -> Result<Option<WalkItem<'static>>, StorageError> {
        let mut classification = match std::mem::replace(&mut self.state, WalkState::Scanning) {
            WalkState::Classifying(classification) => classification,
            WalkState::Closing(range) => return Ok((!range.is_empty()).then_some(WalkItem::DamagedRange(range))),
            state @ (WalkState::Scanning | WalkState::Deferred(_)) => {
                self.state = state;
                return Ok(None);
            }
        };
        let start = classification.start;
        match classification.pieces.next_piece()? {
            Some(PieceOutcome::Damaged(piece)) => {
                let activity = classification.tail_activity.filter(|_| piece.finding.end == self.file_end);
                self.state = WalkState::Classifying(classification);
                match activity {
                    Some(activity) => self.judge_last_piece(piece, activity, start).map(Some),
                    None => Ok(Some(WalkItem::Damage(Box::new(piece.finding)))),
                }
            }
            Some(PieceOutcome::Changed(offset)) => {
                self.rescan_from(offset)?;
                Ok((start < offset).then_some(WalkItem::DamagedRange(start..offset)))
            }
            None => {
                self.state = WalkState::Closing(start..classification.pieces.position());
                Ok(None)
            }
        }
    }

    /// Judges the last piece of the log: it is in flight, or damage, or shows that the log has lost its end. `range_start`
    /// is the start of the damaged range that the piece belongs to.
    fn judge_last_piece(
        &mut self,
        piece: DamagePiece,
        activity: TailActivity,
        range_start: u64,
    ) -> Result<WalkItem<'static>, StorageError> {
        let finding = piece.finding;
        if self.tail.is_in_flight(activity, finding.kind) {
            self.state = WalkState::Closing(range_start..finding.start);
            return Ok(WalkItem::InFlight(finding.range()));
        }
        let mut truncation = None;
        if piece.torn_ruled_out_by_index {
            truncation = self.view.truncation_finding(finding.start, self.file_end)?;
        }
        if truncation.is_some() {
            self.tail.mark_truncation_reported();
        }
        Ok(WalkItem::Damage(Box::new(truncation.unwrap_or(finding))))
    }

    /// Scans again from `offset` on, where bytes have changed since they were scanned.
    fn rescan_from(&mut self, offset: u64) -> Result<(), StorageError> {
        if self.rescans.offset != offset {
            self.rescans = RescanCounter { offset, count: 0 };
        }
        self.rescans.count += 1;
        if self.rescans.count > MAX_RESCANS {
            return Err(StorageError::Changed {
                path: self.view.path().to_owned(),
                expected: format!("the bytes at offset {offset} to stay as they are while they are read"),
                found: format!("other bytes, {MAX_RESCANS} times in a row: another program is changing them"),
            });
        }
        self.tail.mark_changed(offset);
        self.scanner.restart(offset);
        self.state = WalkState::Scanning;
        Ok(())
    }

    /// After the last item: the finding that the log has lost its end, when an index has seen it reach further and the
    /// walk has not reported that already. `None` also for a walk that ends before the log does.
    ///
    /// # Errors
    /// `Io`, `Changed` when the log cannot be read.
    pub(crate) fn truncation(&self) -> Result<Option<Finding>, StorageError> {
        if self.tail.settles_truncation() || self.range_end < self.file_end {
            return Ok(None);
        }
        self.view.truncation_finding(self.file_end, self.file_end)
    }
}

/// What the scanner has met, without its bytes.
enum ScanStep {
    Frame,
    Damaged(Range<u64>),
    Unreadable(Range<u64>),
    End,
}
