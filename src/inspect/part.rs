//! One part of a log, scanned and judged: what it tells on the way, and what it comes to.
//!
//! A part knows nothing of what lies before it, so that several can be read at the same time; what needs to know (an
//! event's time against the one before, the log's end) is left to who puts the parts together.

use std::ops::Range;

use super::LogView;
use super::pieces::Pieces;
use crate::StorageError;
use crate::file::{Item, Scanner};
use crate::format::{EventView, Evidence, Finding, Frame, Kind, gap};
use crate::index;

/// Distance of two reports of progress, in bytes.
const PROGRESS: u64 = 1 << 20;

/// How parts of a log are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) view: &'a LogView,
    /// Leave out the payloads.
    pub(super) frames_only: bool,
    /// Gather an index.
    pub(super) indexed: bool,
    /// The log's end, fixed.
    pub(super) file_end: u64,
    /// Damage of more bytes than this, and a frame that there is no memory for, end the part before it.
    pub(super) large: u64,
}

/// What a part tells on the way, by ascending place.
#[derive(Debug)]
pub(super) enum Note {
    /// It has come to this offset.
    Progress(u64),
    /// It has found something.
    Finding(Box<Finding>),
    /// A damaged range, told before the pieces of it.
    Damaged(Range<u64>),
    /// Its first event, and that one's time: whether it is late depends on what lies before.
    FirstEvent(Range<u64>, u64),
}

/// What a part comes to.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Where the next part starts.
    pub(super) position: u64,
    pub(super) events: u64,
    pub(super) gaps: u64,
    pub(super) last_time: Option<u64>,
    pub(super) index: Option<index::Part>,
    /// The damaged range that the log ends with, not judged yet.
    pub(super) end: Option<Range<u64>>,
}

/// Who hears what a part tells, and may stop it.
pub(super) type Say<'a> = dyn FnMut(Note) -> Result<(), StorageError> + 'a;

impl Look<'_> {
    /// A scanner from a place on, to the log's end.
    pub(super) fn scanner(&self, from: u64) -> Scanner {
        Scanner::new(self.view.log().clone(), from..self.file_end.max(from))
    }

    /// Scans from where a scanner stands to the first frame or damaged range that starts at `until` or later.
    ///
    /// # Errors
    /// As [`super::survey`], and what `say` answers.
    pub(super) fn part(&self, scanner: &mut Scanner, until: u64, say: &mut Say) -> Result<Done, StorageError> {
        let told = scanner.position();
        let done = Done { index: self.indexed.then(index::Part::default), ..Done::default() };
        let mut part = Pass { look: *self, done, say, told };
        let mut ended_at = None;
        while scanner.position() < until {
            let here = scanner.position();
            let item = match scanner.next_item() {
                Ok(Some(item)) => item,
                Ok(None) => break,
                Err(StorageError::Memory { .. }) if self.large < u64::MAX => {
                    ended_at = Some(here);
                    break;
                }
                Err(error) => return Err(error),
            };
            match item {
                Item::Damaged(range) if range.end - range.start > self.large => {
                    ended_at = Some(range.start);
                    break;
                }
                Item::Frame(at, frame) => part.frame(at, &frame)?,
                Item::Unreadable(range) => {
                    (part.say)(Note::Damaged(range.clone()))?;
                    part.found(Finding::new(Kind::Unreadable, range))?;
                }
                Item::Damaged(range) if range.end == self.file_end => {
                    part.done.end = Some(range);
                    break;
                }
                Item::Damaged(range) => {
                    (part.say)(Note::Damaged(range.clone()))?;
                    let witnessed_end = self.view.witnessed_end();
                    for piece in Pieces::of(self.view.log(), range, self.file_end, witnessed_end)? {
                        part.found(piece?.finding)?;
                    }
                }
            }
        }
        let mut done = part.done;
        done.position = ended_at.unwrap_or(scanner.position()).min(self.file_end);
        done.index.iter_mut().for_each(index::Part::seal);
        Ok(done)
    }
}

struct Pass<'a, 's> {
    look: Look<'a>,
    done: Done,
    say: &'s mut Say<'s>,
    /// Up to here progress was told.
    told: u64,
}

impl Pass<'_, '_> {
    #[inline]
    fn frame(&mut self, at: u64, frame: &Frame) -> Result<(), StorageError> {
        let payload = frame.payload();
        let end = at + frame.len();
        if gap::is_gap(payload) {
            self.gap(at, frame)?;
        } else if self.look.frames_only {
            self.done.events += 1;
        } else {
            match EventView::parse(payload, self.look.view.log().version()) {
                Ok(event) => self.event(at, frame, &event)?,
                Err(invalid) => {
                    if let Some(index) = &mut self.done.index {
                        index.no_event(at, frame);
                    }
                    let evidence = Evidence {
                        reason: Some(invalid.reason.into()),
                        bad_byte_at: Some(at + 4 + invalid.at as u64),
                        ..Evidence::default()
                    };
                    self.found(Finding::new(Kind::InvalidEvent, at..end).with(evidence))?;
                }
            }
        }
        if end - self.told >= PROGRESS {
            self.told = end;
            (self.say)(Note::Progress(end))?;
        }
        Ok(())
    }

    #[inline]
    fn event(&mut self, at: u64, frame: &Frame, event: &EventView) -> Result<(), StorageError> {
        self.done.events += 1;
        if let Some(index) = &mut self.done.index {
            index.event(at, frame, event);
        }
        let time = event.write_timestamp_ms();
        match self.done.last_time.replace(time) {
            None => (self.say)(Note::FirstEvent(at..at + frame.len(), time)),
            Some(previous) if time < previous => self.found(late(at..at + frame.len(), time, previous)),
            Some(_) => Ok(()),
        }
    }

    #[cold]
    fn gap(&mut self, at: u64, frame: &Frame) -> Result<(), StorageError> {
        self.done.gaps += 1;
        if let Some(index) = &mut self.done.index {
            index.gap(at, frame);
        }
        let content = gap::content(frame.payload()).map(str::to_owned);
        let evidence = Evidence { content, ..Evidence::default() };
        self.found(Finding::new(Kind::Gap, at..at + frame.len()).with(evidence))
    }

    #[cold]
    fn found(&mut self, finding: Finding) -> Result<(), StorageError> {
        (self.say)(Note::Finding(Box::new(finding)))
    }
}

/// The finding that an event's time is less than that of the one before it.
pub(super) fn late(range: Range<u64>, time_ms: u64, previous_time_ms: u64) -> Finding {
    let evidence = Evidence { time_ms: Some(time_ms), previous_time_ms: Some(previous_time_ms), ..Evidence::default() };
    Finding::new(Kind::Clock, range).with(evidence)
}
