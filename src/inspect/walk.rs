//! The walk over a log: yields every frame of a range in order, and between them the damage, classified piece by piece.
//!
//! Survey, pages, hits, replay and the opening of a writer all read the log through this walk, so their results agree. The
//! end of the log is fixed before the walk starts. Bytes that have changed since the walk scanned them are scanned again,
//! so that a log that is being appended to is never reported as damaged.

use std::collections::VecDeque;
use std::ops::Range;

use super::LogView;
use super::damage_pieces::{DamagePiece, DamagePieces, PieceOutcome};
use super::damage_policy::DamagePolicy;
use super::missing_segments::missing_range_findings;
use super::rescan_counter::RescanCounter;
use super::tail::{LastPieceForm, TailActivity, TailWatch, WriterCheck};
use crate::StorageError;
use crate::file::{ScanItem, Scanner};
use crate::format::{DamageKind, Finding, Frame};

/// An item that a walk yields.
#[derive(Debug)]
pub(crate) enum WalkItem<'a> {
    /// A valid frame and its file offset. [`super::classify_frame`] returns its content.
    Frame(u64, Frame<'a>),
    /// A piece of a damaged range, a range that the device refuses to read, or the end that the log has lost.
    Damage(Box<Finding>),
    /// A damaged range, after all of its pieces.
    DamagedRange(Range<u64>),
    /// The unfinished last frame of the log, which is being written. It is not damage.
    InFlight(Range<u64>),
}

/// A walk in progress. Its memory use is a mebibyte, or one frame when that is larger.
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

/// The state of a walk.
#[derive(Debug)]
enum WalkState {
    /// The scanner yields the next item.
    Scanning,
    /// A damaged range is being classified.
    Classifying(Box<Classification>),
    /// All pieces of this range were yielded, and the range itself is the next item.
    YieldingRange(Range<u64>),
    /// These items about a range that no segment has are the next ones.
    YieldingMissing(VecDeque<WalkItem<'static>>),
    /// The walk has ended before this offset, by [`DamagePolicy::Defer`].
    Deferred(u64),
}

/// The classification of one damaged range.
#[derive(Debug)]
struct Classification {
    pieces: DamagePieces,
    start: u64,
    /// The result of observing the end of the log; `None` unless the range is at that end.
    tail_activity: Option<TailActivity>,
}

impl LogWalk {
    /// Creates a walk over `range` of a log that ends at `file_end`. The range must start at a frame or a damaged range.
    pub(crate) fn new(view: &LogView, range: Range<u64>, file_end: u64) -> Self {
        Self::with_scanner(view, Scanner::new(view.log().clone(), range.clone()), range.end, file_end)
    }

    /// Creates a walk that starts at the first valid frame of `range`, which may start at any offset.
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

    /// Returns this walk with another treatment of damaged ranges.
    #[must_use]
    pub(crate) fn with_policy(mut self, policy: DamagePolicy) -> Self {
        if let DamagePolicy::Defer { max_bytes } = policy {
            self.scanner.set_max_item(usize::try_from(max_bytes).unwrap_or(usize::MAX));
        }
        Self { policy, ..self }
    }

    /// Returns this walk with another way to find out whether the end of the log is being written.
    #[must_use]
    pub(crate) fn with_writer_check(self, writer_check: WriterCheck) -> Self {
        Self { tail: TailWatch::new(writer_check), ..self }
    }

    /// Starts again over another range of the same log.
    pub(crate) fn restart(&mut self, range: Range<u64>) {
        self.range_end = range.end;
        self.scanner = Scanner::new(self.view.log().clone(), range);
        self.reset_tail();
    }

    /// Starts again at the first valid frame in `range`, with the same buffers, and returns the frame's offset.
    ///
    /// The end of the walk is not changed. Bytes after `range` are read only for frames that start in it.
    ///
    /// # Errors
    /// See [`Scanner::next_item`].
    pub(crate) fn restart_at_frame(&mut self, range: Range<u64>) -> Result<Option<u64>, StorageError> {
        self.reset_tail();
        self.scanner.restart(range.start);
        self.scanner.set_read_ahead_limit(range.end);
        self.scanner.seek_to_frame(range.end)
    }

    /// Limits reading ahead: bytes at and after `limit` are read only for a frame that extends beyond it.
    pub(crate) fn set_read_ahead_limit(&mut self, limit: u64) {
        self.scanner.set_read_ahead_limit(limit);
    }

    fn reset_tail(&mut self) {
        self.state = WalkState::Scanning;
        self.tail.reset();
    }

    /// Returns the view of the log that is walked.
    pub(crate) const fn view(&self) -> &LogView {
        &self.view
    }

    /// Returns the end of the log that was fixed for the walk.
    pub(crate) const fn file_end(&self) -> u64 {
        self.file_end
    }

    /// Returns the file offset up to which the log was scanned. Pieces of a range before it may still follow.
    pub(crate) const fn position(&self) -> u64 {
        match self.state {
            WalkState::Deferred(offset) => offset,
            _ => self.scanner.position(),
        }
    }

    /// Returns the start of the damaged or unfinished range at the end of the log, once the walk has reached it.
    pub(crate) const fn damaged_tail_start(&self) -> Option<u64> {
        self.tail.start()
    }

    /// True when the end of the log has changed during the walk, or is in flight.
    pub(crate) const fn has_moving_end(&self) -> bool {
        self.tail.is_moving()
    }

    /// Returns the last frame that was yielded.
    #[inline]
    pub(crate) fn current_frame(&self) -> Option<(u64, Frame<'_>)> {
        self.scanner.current()
    }

    /// Returns the next item that starts before the offset `until`; `None` when there is none. All pieces of a damaged range
    /// that starts before `until` are included.
    ///
    /// # Errors
    /// `Io` when the log cannot be read; `OutOfMemory` when there is not enough memory for a frame; `Changed` when the log has
    /// become shorter than its fixed end, or when bytes keep changing while they are read.
    #[inline]
    pub(crate) fn next_before(&mut self, until: u64) -> Result<Option<WalkItem<'_>>, StorageError> {
        if self.next_in_buffer(until).is_some() {
            return Ok(self.scanner.current().map(|(at, frame)| WalkItem::Frame(at, frame)));
        }
        self.read_next_before(until)
    }

    /// Returns the next frame, when it starts before `until`, is in memory and follows no damage; else `None`, and
    /// [`LogWalk::next_before`] returns the next item. Passes no item through memory, which makes a pass over frames faster.
    #[inline]
    pub(crate) fn next_in_buffer(&mut self, until: u64) -> Option<(u64, Frame<'_>)> {
        let is_scanning = matches!(self.state, WalkState::Scanning) && self.scanner.position() < until;
        if is_scanning { self.scanner.next_in_buffer() } else { None }
    }

    /// Returns the next item like [`LogWalk::next_before`], reading more of the log where needed.
    #[cold]
    fn read_next_before(&mut self, until: u64) -> Result<Option<WalkItem<'_>>, StorageError> {
        // The frame is borrowed after the loop, because the borrow checker does not accept a loop that may return a borrow
        // of `self.scanner` and otherwise uses it again.
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
            Some(ScanItem::Missing(range)) => ScanStep::Missing(range),
            None => ScanStep::End,
        })
    }

    /// Starts the classification of a damaged range, or ends the walk before it, by the policy.
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
                    DamagePolicy::Skip => self.state = WalkState::YieldingRange(range),
                    DamagePolicy::Classify | DamagePolicy::Defer { .. } => self.start_classification(range)?,
                }
                Ok(None)
            }
            Ok(ScanStep::Unreadable(range)) => {
                if range.end == self.file_end {
                    self.tail.set_start(range.start);
                }
                self.state = WalkState::YieldingRange(range.clone());
                Ok(match self.policy {
                    DamagePolicy::Skip => None,
                    _ => Some(WalkItem::Damage(Box::new(Finding::new(DamageKind::Unreadable, range)))),
                })
            }
            Ok(ScanStep::Missing(range)) => {
                let items = missing_range_findings(self.view.log(), range).into_iter().flat_map(|finding| {
                    // A range that was given up is no damage, and holds no frame.
                    let range = finding.kind.is_damage().then(|| WalkItem::DamagedRange(finding.range()));
                    let finding = (self.policy != DamagePolicy::Skip).then(|| WalkItem::Damage(Box::new(finding)));
                    finding.into_iter().chain(range)
                });
                self.state = WalkState::YieldingMissing(items.collect());
                Ok(None)
            }
            Err(StorageError::OutOfMemory { .. }) if matches!(self.policy, DamagePolicy::Defer { .. }) => {
                self.state = WalkState::Deferred(self.scanner.position());
                Ok(None)
            }
            Err(error) => Err(error),
            Ok(ScanStep::Frame | ScanStep::End) => Ok(None),
        }
    }

    fn start_classification(&mut self, range: Range<u64>) -> Result<(), StorageError> {
        let mut tail_activity = None;
        if range.end == self.file_end {
            tail_activity = self.tail.observe(self.view.log(), &range)?;
            if tail_activity.is_none() {
                // The fixed end of the walk is kept, although the log may have grown.
                return self.rescan_from(range.start);
            }
        }
        let start = range.start;
        let pieces = DamagePieces::new(self.view.log(), range, self.file_end, self.view.seen_end())?;
        self.state = WalkState::Classifying(Box::new(Classification { pieces, start, tail_activity }));
        Ok(())
    }

    /// Returns the next piece of the range that is being classified, or the range itself after its last piece.
    #[cold]
    fn next_piece(&mut self) -> Result<Option<WalkItem<'static>>, StorageError> {
        let mut classification = match std::mem::replace(&mut self.state, WalkState::Scanning) {
            WalkState::Classifying(classification) => classification,
            WalkState::YieldingRange(range) => return Ok((!range.is_empty()).then_some(WalkItem::DamagedRange(range))),
            WalkState::YieldingMissing(mut items) => {
                let Some(item) = items.pop_front() else { return Ok(None) };
                self.state = WalkState::YieldingMissing(items);
                return Ok(Some(item));
            }
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
                    Some(activity) => self.classify_last_piece(piece, activity, start).map(Some),
                    None => Ok(Some(WalkItem::Damage(Box::new(piece.finding)))),
                }
            }
            Some(PieceOutcome::Changed(offset)) => {
                self.rescan_from(offset)?;
                Ok((start < offset).then_some(WalkItem::DamagedRange(start..offset)))
            }
            None => {
                self.state = WalkState::YieldingRange(start..classification.pieces.position());
                Ok(None)
            }
        }
    }

    /// Classifies the last piece of the log: it is in flight, or it is damage, or it shows that the log has lost its end.
    ///
    /// `range_start` is the start of the damaged range that the piece belongs to.
    fn classify_last_piece(
        &mut self,
        piece: DamagePiece,
        activity: TailActivity,
        range_start: u64,
    ) -> Result<WalkItem<'static>, StorageError> {
        let mut finding = piece.finding;
        // Without the index, an unfinished frame can be either a torn write or the rest of a log that was cut.
        let is_unjudged = piece.is_torn_before_indexed_end && self.view.seen_end().is_unknown();
        let is_unfinished = finding.kind == DamageKind::TornTail || is_unjudged;
        let form = if is_unfinished { LastPieceForm::Unfinished } else { LastPieceForm::Damaged };
        if self.tail.is_in_flight(activity, form) {
            self.state = WalkState::YieldingRange(range_start..finding.start);
            return Ok(WalkItem::InFlight(finding.range()));
        }
        if is_unjudged {
            finding.evidence.reason = Some("an unfinished frame, or the rest of a log that was cut".into());
        }
        let mut truncation = None;
        if piece.is_torn_before_indexed_end {
            truncation = self.view.truncation_finding(finding.start, self.file_end)?;
        }
        if truncation.is_some() {
            self.tail.mark_truncation_reported();
        }
        Ok(WalkItem::Damage(Box::new(truncation.unwrap_or(finding))))
    }

    /// Restarts the scan at `offset`, where bytes have changed since they were scanned.
    fn rescan_from(&mut self, offset: u64) -> Result<(), StorageError> {
        self.rescans.count_rescan(self.view.path(), offset)?;
        self.tail.mark_changed(offset);
        self.scanner.restart(offset);
        self.state = WalkState::Scanning;
        Ok(())
    }

    /// Returns, after the last item, the finding that the log has lost its end, when an index has recorded a later end.
    ///
    /// `None` when the walk has reported that finding already, when the end is in flight, and when the walk ends before the
    /// end of the log.
    ///
    /// # Errors
    /// `Io`, `Changed` when the log cannot be read.
    pub(crate) fn truncation(&self) -> Result<Option<Finding>, StorageError> {
        if self.tail.is_truncation_decided() || self.range_end < self.file_end {
            return Ok(None);
        }
        self.view.truncation_finding(self.file_end, self.file_end)
    }
}

/// An item of the scanner, without its bytes.
enum ScanStep {
    Frame,
    Damaged(Range<u64>),
    Unreadable(Range<u64>),
    Missing(Range<u64>),
    End,
}
