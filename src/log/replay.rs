//! Replay: the events of a log in order, as an iterator that holds no more than a read buffer.

use std::collections::VecDeque;
use std::ops::Range;

use crate::StorageError;
use crate::file::{Item, Place, Scanner, place};
use crate::format::fields::Fields;
use crate::format::{EventView, Evidence, Finding, Kind, StoredEvent, gap};
use crate::inspect::{LogView, Pieces, ending, judge_end};
use crate::repair::{Record, Site, kept_in, records};

/// Events in order. Damage, gaps and frames that are no events are error items, each with its range; the replay goes on
/// behind them. An end that is being written is not there yet.
///
/// The end is fixed when the replay is made: what is appended later is for the next one.
#[derive(Debug)]
pub struct Replay {
    view: LogView,
    site: Site,
    /// The log's repairs, read when the first gap is met.
    records: Option<Vec<Record>>,
    scanner: Scanner,
    end: u64,
    until: u64,
    /// Where the range ends that is read now.
    range_end: u64,
    strict: bool,
    done: bool,
    /// The damaged range that is being told, piece by piece.
    pieces: Option<Pieces>,
    /// Pieces of the one that the log ends with.
    pending: VecDeque<Finding>,
}

/// What is read at once of a range that is shorter, in bytes.
const AT_ONCE: u64 = 4096;

/// What comes next, without its bytes.
enum Look {
    Event(Fields),
    Told(StorageError),
    Damage(Range<u64>),
    End,
}

impl Replay {
    pub(super) fn new(view: LogView, site: Site, from: u64, until: u64) -> Result<Self, StorageError> {
        let end = view.log().len()?;
        let first = view.log().first_frame();
        let from = if from <= first {
            first
        } else {
            match place(view.log(), from, end)? {
                Place::Frame(range) | Place::Damaged(range) => range.start,
                Place::Inside(Range { start, end }) => {
                    return Err(StorageError::InsideFrame { path: view.path().to_owned(), offset: from, start, end });
                }
                Place::End => end.max(from),
            }
        };
        let scanner = Scanner::new(view.log().clone(), from..end);
        Ok(Self {
            view,
            site,
            records: None,
            scanner,
            end,
            until,
            range_end: u64::MAX,
            strict: false,
            done: false,
            pieces: None,
            pending: VecDeque::new(),
        })
    }

    /// Ends at the first damage instead of going on behind it. Gaps do not end it.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// The file offset that the replay has come to.
    pub const fn position(&self) -> u64 {
        self.scanner.position()
    }

    /// The end of the log as this replay sees it.
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// The next event, borrowed from the read buffer: nothing is copied.
    pub fn next_event(&mut self) -> Option<Result<(u64, EventView<'_>), StorageError>> {
        // The event is borrowed only after the loop: a borrow that may be handed out cannot be given up again in it.
        let fields = loop {
            match self.next_piece() {
                Some(Ok(finding)) => {
                    self.done |= self.strict && finding.kind.is_damage();
                    return Some(Err(self.tell(finding)));
                }
                Some(Err(error)) => {
                    self.done = true;
                    return Some(Err(error));
                }
                None => {}
            }
            if self.done || self.scanner.position() >= self.until.min(self.range_end) {
                return None;
            }
            match self.look() {
                Look::Event(fields) => break fields,
                Look::Told(error) => {
                    self.done |= self.strict && error.is_corruption();
                    return Some(Err(error));
                }
                Look::Damage(range) => {
                    if let Err(error) = self.judge(range) {
                        self.done = true;
                        return Some(Err(error));
                    }
                }
                Look::End => self.done = true,
            }
        };
        let (at, frame) = self.scanner.current()?;
        EventView::again(frame.payload(), fields).map(|event| Ok((at, event)))
    }

    /// Goes on in this range alone, which starts where a frame or a damaged range does.
    pub fn go_on_in(&mut self, range: Range<u64>) {
        // A frame that starts in the range may end behind it.
        self.scanner = Scanner::new(self.view.log().clone(), range.start..self.end.max(range.start));
        self.scanner.read_ahead_to(range.end.max(range.start + AT_ONCE));
        self.range_end = range.end;
        self.done = false;
    }

    fn look(&mut self) -> Look {
        let version = self.view.log().version();
        let (at, frame) = match self.scanner.next_item() {
            Ok(Some(Item::Frame(at, frame))) => (at, frame),
            Ok(Some(Item::Damaged(range))) => return Look::Damage(range),
            Ok(Some(Item::Unreadable(range))) => {
                return Look::Told(self.tell(Finding::new(Kind::Unreadable, range)));
            }
            Ok(None) => return Look::End,
            Err(error) => {
                self.done = true;
                return Look::Told(error);
            }
        };
        let payload = frame.payload();
        match EventView::parse(payload, version) {
            Ok(event) => Look::Event(event.fields()),
            Err(_) if gap::is_gap(payload) => {
                let content = gap::content(payload).map(str::to_owned);
                let range = at..at + frame.len();
                Look::Told(self.gap(range, content))
            }
            Err(invalid) => {
                let evidence = Evidence {
                    reason: Some(invalid.reason.into()),
                    bad_byte_at: Some(at + 4 + invalid.at as u64),
                    ..Evidence::default()
                };
                let finding = Finding::new(Kind::InvalidEvent, at..at + frame.len()).with(evidence);
                Look::Told(self.tell(finding))
            }
        }
    }

    /// A gap, and where the bytes are that stood there. Journals that cannot be read keep nothing from being told.
    fn gap(&mut self, Range { start, end }: Range<u64>, content: Option<String>) -> StorageError {
        let site = &self.site;
        let records = self.records.get_or_insert_with(|| records(site).map(|(records, _)| records).unwrap_or_default());
        let kept_in = kept_in(records, start..end).map(std::path::Path::to_owned);
        StorageError::Gap { path: self.view.path().to_owned(), start, end, content, kept_in }
    }

    /// Names the pieces of a damaged range. The last one of the log's end is left out while it is being written.
    fn judge(&mut self, range: Range<u64>) -> Result<(), StorageError> {
        let log = self.view.log();
        if range.end < self.end {
            self.pieces = Some(Pieces::of(log, range, self.end, self.view.witnessed_end())?);
            return Ok(());
        }
        let ending = ending(log, &range)?;
        let pending = &mut self.pending;
        judge_end(&self.view, range, ending, &mut |finding| {
            pending.push_back(finding);
            Ok(())
        })?;
        Ok(())
    }

    /// The next piece of the damage that is being told.
    fn next_piece(&mut self) -> Option<Result<Finding, StorageError>> {
        if let Some(pieces) = &mut self.pieces {
            match pieces.next() {
                Some(piece) => return Some(piece.map(|piece| piece.finding)),
                None => self.pieces = None,
            }
        }
        self.pending.pop_front().map(Ok)
    }

    fn tell(&self, finding: Finding) -> StorageError {
        StorageError::Damaged { path: self.view.path().to_owned(), finding: Box::new(finding) }
    }
}

impl Iterator for Replay {
    type Item = Result<StoredEvent, StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.next_event()?.map(|(at, event)| event.to_stored(at)))
    }
}
