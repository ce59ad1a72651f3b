//! Walking over the log as it stands, forward or backward from any place, with what is to be seen on the way.
//!
//! Here never lives the header, nor the index but as blocks that are passed over.

use std::ops::{ControlFlow, Range};

use super::blocks::{Blocks, LOOK};
use super::filter::Filter;
use super::row::{EventSummary, Row, What};
use super::search::Pattern;
use crate::StorageError;
use crate::file::{Item, Scanner};
use crate::format::{EventView, Evidence, Finding, Frame, Kind, Version, gap};
use crate::inspect::{EndPiece, EndPieces, Ending, LogView, Pieces, ending};

/// Distance of two reports of progress, in bytes.
const PROGRESS: u64 = 1 << 20;

/// Tells the caller where one is, now and then, and hears whether to stop.
pub(super) struct Meter<'a> {
    on: &'a mut dyn FnMut(u64) -> ControlFlow<()>,
    untold: u64,
}

impl<'a> Meter<'a> {
    pub(super) fn new(on: &'a mut dyn FnMut(u64) -> ControlFlow<()>) -> Self {
        Self { on, untold: 0 }
    }

    /// Counts `bytes` that were looked at, the last of them before `at`.
    pub(super) fn passed(&mut self, at: u64, bytes: u64) -> Result<(), StorageError> {
        self.untold += bytes;
        if self.untold < PROGRESS {
            return Ok(());
        }
        self.untold = 0;
        match (self.on)(at) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(StorageError::Stopped),
        }
    }
}

/// What is to be seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) filter: &'a Filter,
    /// With a pattern, events that match it and nothing else.
    pub(super) pattern: Option<&'a Pattern>,
}

impl Sight<'_> {
    /// The row of a frame, when it is to be seen.
    pub(super) fn frame(&self, at: u64, frame: &Frame, version: Version) -> Option<Row> {
        let payload = frame.payload();
        if self.pattern.is_some_and(|pattern| !pattern.is_in(payload)) {
            return None;
        }
        let range = at..at + frame.len();
        match EventView::parse(payload, version) {
            Ok(event) => {
                self.filter.matches_event(at, &event).then(|| row(range, What::Event(EventSummary::of(&event))))
            }
            Err(_) if gap::is_gap(payload) => {
                let content = gap::content(payload).map(str::to_owned);
                self.finding(Finding::new(Kind::Gap, range).with(Evidence { content, ..Evidence::default() }))
            }
            Err(invalid) => {
                let evidence = Evidence {
                    reason: Some(invalid.reason.into()),
                    bad_byte_at: Some(at + 4 + invalid.at as u64),
                    ..Evidence::default()
                };
                self.finding(Finding::new(Kind::InvalidEvent, range).with(evidence))
            }
        }
    }

    /// The row of a finding, when it is to be seen.
    pub(super) fn finding(&self, finding: Finding) -> Option<Row> {
        (self.pattern.is_none() && self.filter.shows(&finding)).then(|| row(finding.range(), What::Finding(finding)))
    }

    fn in_flight(&self, range: Range<u64>) -> Option<Row> {
        (self.pattern.is_none() && self.filter.shows_in_flight()).then(|| row(range, What::InFlight))
    }
}

fn row(range: Range<u64>, what: What) -> Row {
    Row { start: range.start, end: range.end, what }
}

/// The rows of a range that are to be seen, ascending.
pub(super) struct Walk<'a> {
    view: &'a LogView,
    sight: Sight<'a>,
    /// Of the part of the range up to `read_to`.
    scanner: Scanner,
    read_to: u64,
    blocks: Option<&'a Blocks<'a>>,
    scan_end: u64,
    file_end: u64,
    /// The row of what was met last.
    pending: Option<Row>,
    /// What is left of the damaged range that was met last: named one by one, for there may be millions.
    pieces: Option<Pending<'a>>,
    /// Where the first frame or damaged range starts that was met.
    first: Option<u64>,
    end: End,
}

/// Pieces of a damaged range.
type Pending<'a> = Box<dyn Iterator<Item = Result<EndPiece, StorageError>> + 'a>;

/// What is known of the log's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It was not looked at.
    Ahead,
    /// It moved when it was looked at; what was damage may be whole by now.
    Moved,
    /// It was judged, damaged.
    Judged,
    /// There is nothing behind.
    Passed,
}

impl<'a> Walk<'a> {
    /// Over `range`, which starts where a frame or a damaged range does, of a log that ends at `file_end`.
    pub(super) fn over(view: &'a LogView, sight: Sight<'a>, range: Range<u64>, file_end: u64) -> Self {
        let scan_end = range.end;
        Self {
            view,
            sight,
            scanner: Scanner::new(view.log().clone(), range),
            read_to: scan_end,
            blocks: None,
            scan_end,
            file_end,
            pending: None,
            pieces: None,
            first: None,
            end: End::Ahead,
        }
    }

    /// Over the part of `range` from the first valid frame on.
    pub(super) fn adrift(view: &'a LogView, sight: Sight<'a>, range: Range<u64>, file_end: u64) -> Self {
        let scanner = Scanner::adrift(view.log().clone(), range.clone());
        Self { scanner, ..Self::over(view, sight, range, file_end) }
    }

    /// The same, but for the blocks that need not be read.
    pub(super) fn but_for(self, blocks: Option<&'a Blocks<'a>>) -> Self {
        let start = self.scanner.position();
        match blocks {
            Some(_) => Self { blocks, read_to: start, scanner: self.scanner_of(start..start), ..self },
            None => self,
        }
    }

    /// Where the first frame or damaged range starts that was met.
    pub(super) const fn first(&self) -> Option<u64> {
        self.first
    }

    /// True when the last byte of the range was looked at; rows of it may still come.
    pub(super) const fn at_end(&self) -> bool {
        self.scanner.position() >= self.scan_end
    }

    /// The row that was met when the walk was stopped.
    pub(super) const fn met(&mut self) -> Option<Row> {
        self.pending.take()
    }

    /// The next row.
    pub(super) fn next(&mut self, meter: &mut Meter) -> Result<Option<Row>, StorageError> {
        let version = self.view.log().version();
        loop {
            if let Some(row) = self.pending.take() {
                return Ok(Some(row));
            }
            if let Some(pieces) = &mut self.pieces {
                match pieces.next().transpose()? {
                    Some(piece) => self.piece(piece, meter)?,
                    None => self.pieces = None,
                }
                continue;
            }
            let range = match self.scanner.next_item()? {
                Some(Item::Frame(at, frame)) => {
                    self.pending = self.sight.frame(at, &frame, version);
                    at..at + frame.len()
                }
                Some(Item::Damaged(range)) => {
                    self.first.get_or_insert(range.start);
                    self.damaged(range, meter)?;
                    continue;
                }
                Some(Item::Unreadable(range)) => {
                    self.pending = self.sight.finding(Finding::new(Kind::Unreadable, range.clone()));
                    range
                }
                None if self.read_to < self.scan_end => {
                    self.read_on(meter)?;
                    continue;
                }
                None if self.end == End::Passed => return Ok(None),
                None => {
                    self.lost_end()?;
                    continue;
                }
            };
            self.first.get_or_insert(range.start);
            meter.passed(range.end, range.end - range.start)?;
        }
    }

    /// Passes over a block, or goes on to the next one that may be passed over.
    fn read_on(&mut self, meter: &mut Meter) -> Result<(), StorageError> {
        let at = self.read_to;
        let skip = self.blocks.and_then(|blocks| blocks.skip(at));
        let next = match &skip {
            Some(block) => block.end,
            None => self.blocks.map_or(u64::MAX, |blocks| blocks.read_on(at)),
        };
        self.read_to = next.min(self.scan_end);
        let start = if skip.is_some() { self.read_to } else { at };
        self.scanner = self.scanner_of(start..self.read_to);
        if skip.is_some() { meter.passed(self.read_to, LOOK) } else { Ok(()) }
    }

    fn scanner_of(&self, range: Range<u64>) -> Scanner {
        Scanner::new(self.view.log().clone(), range)
    }

    /// Has the pieces of a damaged range named, where they are to be seen.
    fn damaged(&mut self, range: Range<u64>, meter: &mut Meter) -> Result<(), StorageError> {
        if self.sight.pattern.is_some() {
            return meter.passed(range.end, range.end - range.start);
        }
        let view = self.view;
        if range.end < self.file_end {
            let pieces = Pieces::of(view.log(), range, self.file_end, view.witnessed_end())?;
            self.pieces = Some(Box::new(pieces.map(|piece| Ok(EndPiece::Finding(Box::new(piece?.finding))))));
            return Ok(());
        }
        let ending = if self.end == End::Moved { Ending::Moving } else { ending(view.log(), &range)? };
        if self.end == End::Ahead && ending == Ending::Moving {
            // What was damage a moment ago may be whole by now. The end stays where it was fixed.
            self.end = End::Moved;
            self.scanner = self.scanner_of(range.start..self.scan_end);
            return Ok(());
        }
        self.pieces = Some(Box::new(EndPieces::of(view, range, ending)?));
        Ok(())
    }

    fn piece(&mut self, piece: EndPiece, meter: &mut Meter) -> Result<(), StorageError> {
        let range = match &piece {
            EndPiece::Finding(finding) => finding.range(),
            EndPiece::InFlight(range) => range.clone(),
        };
        self.pending = match piece {
            EndPiece::Finding(finding) => {
                if finding.kind == Kind::Truncated {
                    self.end = End::Judged;
                }
                self.sight.finding(*finding)
            }
            EndPiece::InFlight(range) => {
                self.end = End::Judged;
                self.sight.in_flight(range)
            }
        };
        meter.passed(range.end, range.end - range.start)
    }

    /// Behind the last byte of the log, the row that says that more was there once.
    fn lost_end(&mut self) -> Result<(), StorageError> {
        let known = std::mem::replace(&mut self.end, End::Passed);
        if known != End::Judged && self.scan_end == self.file_end && self.sight.pattern.is_none() {
            let lost = self.view.truncated(self.file_end, self.file_end)?;
            self.pending = lost.and_then(|finding| self.sight.finding(finding));
        }
        Ok(())
    }
}
