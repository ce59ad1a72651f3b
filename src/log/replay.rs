//! [`Replay`]: an iterator over the events of a log in order, with the memory of one read buffer.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::StorageError;
use crate::file::{LogFile, OffsetLocation, SegmentSet, locate_offset};
use crate::format::event_fields::EventFields;
use crate::format::{DamageKind, EventView, Finding, StoredEvent, gap};
use crate::inspect::{FrameContent, LogView, LogWalk, WalkItem, classify_frame, invalid_event_finding};
use crate::repair::{LogPaths, RepairRecord, find_gap_journal, read_repair_history};

/// The smallest number of bytes read ahead, used for ranges that are shorter.
const MIN_READ_AHEAD: u64 = 4096;

/// An iterator over the events of a log, in order.
///
/// Damage, gaps, lost ranges and frames that are not events are error items with their range, and the replay continues after them. A
/// last frame that a writer has not completed is skipped. The end of the log is fixed when the replay is created, so
/// events appended later are not part of it.
#[derive(Debug)]
pub struct Replay {
    walk: LogWalk,
    log: Arc<LogFile>,
    log_paths: LogPaths,
    /// The repairs of the log, which are read at the first gap.
    repair_records: Option<Vec<RepairRecord>>,
    /// The replay ends before the first frame that starts here or later.
    until: u64,
    /// The end of the range given to [`Replay::seek_to_range`].
    range_end: u64,
    damage_handling: DamageHandling,
    is_done: bool,
}

/// The behaviour of a replay after it has yielded damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DamageHandling {
    /// The replay continues with the next event.
    Continue,
    /// The replay ends.
    Stop,
}

/// The result of one step of a replay, without the borrowed bytes of the event.
enum ReplayStep {
    /// The current frame of the walk is an event with these fields.
    Event(EventFields),
    /// The walk has reached a gap.
    Gap { range: Range<u64>, content: Option<String> },
    /// The walk has reached damage.
    Finding(Box<Finding>),
    /// The walk has reached a range that no segment has and that a repair gave up.
    Lost { range: Range<u64>, given_up_at_ms: u64 },
    /// A retention has removed the segments of this range since the replay began.
    Removed(Range<u64>),
    /// The walk has reached an item that a replay does not yield.
    Skipped,
    /// The walk has reached the end of the replay.
    End,
}

impl Replay {
    /// Creates a replay of the events whose frames start at `from` or later and before `until`.
    pub(super) fn new(view: &LogView, log_paths: LogPaths, from: u64, until: u64) -> Result<Self, StorageError> {
        let end = view.log().len()?;
        view.log().ensure_not_removed(from)?;
        let first = view.log().first_frame_offset();
        let from = if from <= first {
            first
        } else {
            match locate_offset(view.log(), from, end)? {
                OffsetLocation::FrameStart(range) | OffsetLocation::Damaged(range) => range.start,
                OffsetLocation::InsideFrame(Range { start, end }) => {
                    return Err(StorageError::InsideFrame { path: view.path().to_owned(), offset: from, start, end });
                }
                OffsetLocation::PastEnd => end.max(from),
            }
        };
        Ok(Self {
            walk: LogWalk::new(view, from..end, end),
            log: view.log().clone(),
            log_paths,
            repair_records: None,
            until,
            range_end: u64::MAX,
            damage_handling: DamageHandling::Continue,
            is_done: false,
        })
    }

    /// Makes the replay end after the first damage, which it still yields. Gaps do not end it.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.damage_handling = DamageHandling::Stop;
        self
    }

    /// The file offset up to which the replay has advanced.
    pub const fn position(&self) -> u64 {
        self.walk.position()
    }

    /// The end of the log, which was fixed when the replay was created.
    pub const fn end(&self) -> u64 {
        self.walk.file_end()
    }

    /// Returns the next event with its file offset. The event borrows the read buffer, so no bytes are copied.
    ///
    /// # Errors
    /// `Damaged`, `Gap`, `Lost` and `Removed` for a range without readable events, after which the replay continues; `Io`, `Changed` and
    /// `OutOfMemory` when the log cannot be read, which ends the replay.
    pub fn next_event(&mut self) -> Option<Result<ReplayedEvent<'_>, StorageError>> {
        // The event is borrowed after the loop, because the borrow checker rejects a borrow inside the loop that is
        // returned on one path only.
        let fields = loop {
            if self.is_done {
                return None;
            }
            match self.step() {
                Ok(ReplayStep::Event(fields)) => break fields,
                Ok(ReplayStep::Gap { range, content }) => return Some(Err(self.gap_error(range, content))),
                Ok(ReplayStep::Lost { range: Range { start, end }, given_up_at_ms }) => {
                    let path = self.walk.view().path().to_owned();
                    return Some(Err(StorageError::Lost { path, start, end, given_up_at_ms }));
                }
                Ok(ReplayStep::Finding(finding)) => {
                    self.is_done = self.damage_handling == DamageHandling::Stop && finding.kind.is_damage();
                    let path = self.walk.view().path().to_owned();
                    return Some(Err(StorageError::Damaged { path, finding }));
                }
                Ok(ReplayStep::Skipped) => {}
                Ok(ReplayStep::Removed(range)) => return Some(Err(self.continue_after_removed(range))),
                Ok(ReplayStep::End) => return None,
                Err(StorageError::Removed { offset, first, .. }) => {
                    return Some(Err(self.continue_after_removed(offset..first)));
                }
                Err(error) => {
                    self.is_done = true;
                    return Some(Err(error));
                }
            }
        };
        let (offset, frame) = self.walk.current_frame()?;
        EventView::from_validated(frame.payload(), fields).map(|event| Ok(ReplayedEvent { offset, event }))
    }

    /// Restricts the replay to `range` and moves to its start, which must be the start of a frame or a damaged range.
    pub fn seek_to_range(&mut self, range: Range<u64>) {
        // A frame that starts in the range may end after it.
        self.walk.restart(range.start..self.end().max(range.start));
        self.walk.set_read_ahead_limit(range.end.max(range.start + MIN_READ_AHEAD));
        self.range_end = range.end;
        self.is_done = false;
    }

    /// Advances the walk by one item.
    #[inline]
    fn step(&mut self) -> Result<ReplayStep, StorageError> {
        let version = self.walk.view().log().version();
        let position = self.walk.position();
        let end = self.end();
        let Some(item) = self.walk.next_before(self.until.min(self.range_end))? else {
            let is_removed = position < end && log_start(&self.log) > position;
            return Ok(if is_removed { ReplayStep::Removed(position..end) } else { ReplayStep::End });
        };
        Ok(match item {
            // The headers of segments, or removed segments, lie before a frame that does not follow the last item.
            WalkItem::Frame(at, _) if at > position && log_start(&self.log) > position => {
                ReplayStep::Removed(position..at)
            }
            WalkItem::Frame(at, frame) => match classify_frame(&frame, version) {
                FrameContent::Event(event) => ReplayStep::Event(event.fields()),
                FrameContent::Gap => ReplayStep::Gap {
                    range: at..at + frame.len(),
                    content: gap::gap_content(frame.payload()).map(str::to_owned),
                },
                FrameContent::InvalidEvent(error) => {
                    ReplayStep::Finding(Box::new(invalid_event_finding(at, &frame, &error)))
                }
            },
            WalkItem::Damage(finding) if finding.kind == DamageKind::Lost => ReplayStep::Lost {
                range: finding.range(),
                given_up_at_ms: finding.evidence.given_up_at_ms.unwrap_or_default(),
            },
            WalkItem::Damage(mut finding) => {
                self.walk.view().include_unreadable_header(&mut finding);
                ReplayStep::Finding(finding)
            }
            WalkItem::DamagedRange(_) | WalkItem::InFlight(_) => ReplayStep::Skipped,
        })
    }

    /// Continues the replay after a range whose segments were removed, and returns the error item for it.
    fn continue_after_removed(&mut self, range: Range<u64>) -> StorageError {
        let (path, first) = (self.log.path().to_owned(), log_start(&self.log));
        let next = range.end.min(self.walk.file_end());
        self.walk.restart(next..self.walk.file_end());
        StorageError::Removed { path, offset: range.start, first }
    }

    /// Creates the error item of a gap, with the journal that holds the replaced bytes. A journal that cannot be read
    /// is left out and does not fail the replay.
    fn gap_error(&mut self, Range { start, end }: Range<u64>, content: Option<String>) -> StorageError {
        let log_paths = &self.log_paths;
        let records =
            self.repair_records.get_or_insert_with(|| read_repair_history(log_paths).unwrap_or_default().records);
        let journal = find_gap_journal(records, start..end).map(Path::to_owned);
        StorageError::Gap { path: self.walk.view().path().to_owned(), start, end, content, journal }
    }
}

/// Returns the first offset of a log.
fn log_start(log: &LogFile) -> u64 {
    log.storage().segments().map_or(0, SegmentSet::log_start)
}

/// An event of a replay, with its file offset. It borrows the read buffer of the replay.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ReplayedEvent<'a> {
    /// File offset of the event's frame.
    pub offset: u64,
    /// The event.
    pub event: EventView<'a>,
}

impl Iterator for Replay {
    type Item = Result<StoredEvent, StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.next_event()?.map(|ReplayedEvent { offset, event }| event.to_stored(offset)))
    }
}
