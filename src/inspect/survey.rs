//! The one pass: every frame and every damaged range of a log, once, feeding findings, counts, map and index.

use std::ops::{ControlFlow, Range};

use super::pieces::Pieces;
use super::tail::{Ending, ending, judge_end};
use super::{HealthMap, LogView};
use crate::StorageError;
use crate::file::{Item, Scanner};
use crate::format::{EventView, Evidence, Finding, Frame, Kind, gap};
use crate::index::AggregateIndex;

/// Findings kept in memory; those after them are told to the caller as they come, and counted.
pub const MAX_FINDINGS: usize = 10_000;
/// Distance of two reports of progress, in bytes.
const PROGRESS: u64 = 1 << 20;

/// What a pass is to look at.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Leave out the payloads: no `invalid_event`, no `clock`, no index.
    pub frames_only: bool,
    /// From this offset, where a frame is expected, instead of the first frame.
    pub from: Option<u64>,
    /// Up to this offset, exclusive: the last frame looked at starts before it.
    pub until: Option<u64>,
}

/// What a pass tells while it runs.
#[derive(Debug)]
pub enum Step<'a> {
    /// It has come to this offset, of this end.
    Progress(u64, u64),
    /// It has found something.
    Finding(&'a Finding),
}

/// What a pass has seen.
#[derive(Debug, Default)]
pub struct Survey {
    /// Findings, ascending, the first [`MAX_FINDINGS`] of them.
    pub findings: Vec<Finding>,
    /// How many there are.
    pub findings_total: u64,
    /// How many of them are damage.
    pub damage_total: u64,
    /// A last frame that is being written: no damage.
    pub in_flight: Option<Range<u64>>,
    /// Events; with `frames_only`, valid frames that are no gaps.
    pub events: u64,
    /// Gap frames.
    pub gaps: u64,
    /// The end of what was looked at.
    pub scanned_to: u64,
    /// What is known of each part of the file.
    pub map: HealthMap,
}

/// Runs over the log, adding what it meets to `index` when there is one, and telling `on` as it goes.
///
/// The log's end is fixed first. With an index, `wish.from` should be the end of what it covers.
///
/// # Errors
/// `Stopped` when `on` breaks; `Io`, `Changed`, `Memory` when the log cannot be read.
pub fn survey(
    view: &LogView,
    wish: &Wish,
    index: Option<&mut AggregateIndex>,
    on: &mut dyn FnMut(Step) -> ControlFlow<()>,
) -> Result<Survey, StorageError> {
    let file_end = view.log().len()?;
    let first = view.log().first_frame();
    let start = wish.from.unwrap_or(first).max(first).min(file_end.max(first));
    let mut index = index;
    if let Some(index) = &mut index {
        index.builder().forget_damaged_end();
    }
    let previous_time = index.as_ref().and_then(|index| index.totals().last_time);
    let mut pass = Pass {
        view,
        wish,
        index,
        on,
        survey: Survey::default(),
        previous_time,
        file_end,
        told: start,
        told_truncated: false,
    };
    if wish.from.is_none() {
        if let Some(finding) = view.header_finding() {
            pass.found(finding)?;
        }
        pass.survey.map.verified(0..first.min(file_end));
    }
    pass.run(start)?;
    Ok(pass.survey)
}

struct Pass<'a> {
    view: &'a LogView,
    wish: &'a Wish,
    index: Option<&'a mut AggregateIndex>,
    on: &'a mut dyn FnMut(Step) -> ControlFlow<()>,
    survey: Survey,
    previous_time: Option<u64>,
    file_end: u64,
    /// Up to here progress was told.
    told: u64,
    /// The log's lost end stands among the findings.
    told_truncated: bool,
}

impl Pass<'_> {
    fn run(&mut self, start: u64) -> Result<(), StorageError> {
        let log = self.view.log().clone();
        let until = self.wish.until.unwrap_or(u64::MAX);
        let mut from = start;
        let mut moved = false;
        'again: loop {
            let mut scanner = Scanner::new(log.clone(), from..self.file_end.max(from));
            while scanner.position() < until
                && let Some(item) = scanner.next_item()?
            {
                match item {
                    Item::Frame(at, frame) => self.frame(at, &frame)?,
                    Item::Unreadable(range) => {
                        self.damaged(range.clone());
                        self.found(Finding::new(Kind::Unreadable, range))?;
                    }
                    Item::Damaged(range) if range.end == self.file_end => {
                        let ending = if moved { Ending::Moving } else { ending(&log, &range)? };
                        if !moved && ending == Ending::Moving {
                            // What was damage a moment ago may be whole by now. The end stays where it was fixed.
                            (moved, from) = (true, range.start);
                            continue 'again;
                        }
                        self.last_range(range, ending)?;
                    }
                    Item::Damaged(range) => {
                        self.damaged(range.clone());
                        for piece in Pieces::of(&log, range, self.file_end, self.view.witnessed_end())? {
                            self.found(piece?.finding)?;
                        }
                    }
                }
            }
            self.finish(start, scanner.position().min(self.file_end))?;
            return Ok(());
        }
    }

    #[inline]
    fn frame(&mut self, at: u64, frame: &Frame) -> Result<(), StorageError> {
        let payload = frame.payload();
        let end = at + frame.len();
        if gap::is_gap(payload) {
            self.survey.gaps += 1;
            self.survey.map.gap(at..end);
            if let Some(index) = &mut self.index {
                index.builder().gap(at, frame);
            }
            let content = gap::content(payload).map(str::to_owned);
            let evidence = Evidence { content, ..Evidence::default() };
            self.found(Finding::new(Kind::Gap, at..end).with(evidence))?;
        } else if self.wish.frames_only {
            self.survey.events += 1;
        } else {
            match EventView::parse(payload, self.view.log().version()) {
                Ok(event) => self.event(at, frame, &event)?,
                Err(invalid) => {
                    if let Some(index) = &mut self.index {
                        index.builder().no_event(at, frame);
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
        if end - self.told >= PROGRESS { self.tell(end) } else { Ok(()) }
    }

    #[inline]
    fn event(&mut self, at: u64, frame: &Frame, event: &EventView) -> Result<(), StorageError> {
        self.survey.events += 1;
        if let Some(index) = &mut self.index {
            index.builder().event(at, frame, event);
        }
        let time = event.write_timestamp_ms();
        let previous = self.previous_time.replace(time);
        if let Some(previous) = previous.filter(|previous| time < *previous) {
            let evidence = Evidence { time_ms: Some(time), previous_time_ms: Some(previous), ..Evidence::default() };
            self.found(Finding::new(Kind::Clock, at..at + frame.len()).with(evidence))?;
        }
        Ok(())
    }

    /// The damaged range that the log ends with, after a second look at it.
    fn last_range(&mut self, range: Range<u64>, ending: Ending) -> Result<(), StorageError> {
        let start = range.start;
        let view = self.view;
        let unfinished = judge_end(view, range.clone(), ending, &mut |finding| self.found(finding))?;
        let end = unfinished.as_ref().map_or(range.end, |unfinished| unfinished.start);
        self.survey.in_flight = unfinished;
        self.damaged(start..end);
        Ok(())
    }

    fn damaged(&mut self, range: Range<u64>) {
        if let Some(index) = &mut self.index
            && !range.is_empty()
        {
            index.builder().damaged(range);
        }
    }

    /// Ends the pass: a log that lost its end cleanly, the watermark of the index, the map.
    fn finish(&mut self, start: u64, position: u64) -> Result<(), StorageError> {
        let whole = self.wish.until.is_none();
        if whole
            && !self.told_truncated
            && self.survey.in_flight.is_none()
            && let Some(finding) = self.view.truncated(self.file_end, self.file_end)?
        {
            self.found(finding)?;
        }
        let scanned_to = self.survey.in_flight.as_ref().map_or(position, |unfinished| unfinished.start);
        self.survey.scanned_to = scanned_to;
        self.survey.map.verified(start..scanned_to);
        if let Some(index) = &mut self.index {
            index.builder().scanned(scanned_to);
        }
        self.tell(position)
    }

    #[cold]
    fn found(&mut self, finding: Finding) -> Result<(), StorageError> {
        self.survey.findings_total += 1;
        self.told_truncated |= finding.kind == Kind::Truncated;
        if finding.kind.is_damage() {
            self.survey.damage_total += 1;
            self.survey.map.damaged(finding.range());
        }
        let told = (self.on)(Step::Finding(&finding));
        if self.survey.findings.len() < MAX_FINDINGS {
            self.survey.findings.push(finding);
        }
        if told.is_break() { Err(StorageError::Stopped) } else { Ok(()) }
    }

    #[cold]
    fn tell(&mut self, at: u64) -> Result<(), StorageError> {
        self.told = at;
        match (self.on)(Step::Progress(at, self.file_end)) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(StorageError::Stopped),
        }
    }
}
