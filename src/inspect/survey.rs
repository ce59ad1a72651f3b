//! The one pass: every frame and every damaged range of a log, once, feeding findings, counts, map and index.

use std::ops::{ControlFlow, Range};

use super::part::{Done, Look, Note, late};
use super::tail::{Ending, ending, judge_end};
use super::{HealthMap, LogView, threads};
use crate::StorageError;
use crate::file::Scanner;
use crate::format::{Finding, Kind};
use crate::index::{AggregateIndex, Ranges};

/// Findings kept in memory; those after them are told to the caller as they come, and counted.
pub const MAX_FINDINGS: usize = 10_000;
/// Bytes of a part: what is read before an index or another thread hears of it.
const PART: u64 = 16 << 20;

/// What a pass is to look at.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Leave out the payloads: no `invalid_event`, no `clock`, no index.
    pub frames_only: bool,
    /// From this offset, where a frame is expected, instead of the first frame.
    pub from: Option<u64>,
    /// Up to this offset, exclusive: the last frame looked at starts before it.
    pub until: Option<u64>,
    /// The time of the last readable event before, milliseconds since the epoch: an earlier one behind it is `clock`.
    pub previous_time: Option<u64>,
    /// Bytes of the parts that it is read in; none is 16 MiB. What is found is the same for any size.
    pub part: Option<u64>,
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
    /// What was looked at, ascending.
    pub looked: Vec<Range<u64>>,
    /// The damage that was met there.
    pub(crate) met: Ranges,
    /// What is known of each part of the file.
    pub map: HealthMap,
    /// The time of the last readable event, or what the wish said.
    pub last_time: Option<u64>,
}

/// Runs over the log, adding what it meets to `index` when there is one, and telling `on` as it goes.
///
/// The log's end is fixed first. With an index, `wish.from` should be the end of what it covers. Memory: two chunks of a
/// mebibyte, or one frame where that is larger, for each thread, and with an index what that takes.
///
/// # Errors
/// `Stopped` when `on` breaks, and what was joined to the index by then stays; `Io`, `Changed`, `Memory` when the log
/// cannot be read.
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
        index.forget_damaged_end();
    }
    let look = Look { view, frames_only: wish.frames_only, indexed: index.is_some(), file_end, large: u64::MAX };
    let mut pass = Pass {
        look,
        previous_time: wish.previous_time.or(index.as_ref().and_then(|index| index.totals().last_time)),
        index,
        on,
        survey: Survey::default(),
        scanner: None,
        at: start,
        told: start,
        moved: false,
        told_truncated: false,
    };
    if wish.from.is_none() {
        if let Some(finding) = view.header_finding() {
            pass.found(finding)?;
        }
        pass.survey.map.verified(0..first.min(file_end));
    }
    let until = wish.until.unwrap_or(u64::MAX);
    let parts = parts(view, start..until.min(file_end), wish.part.unwrap_or(PART));
    if view.threads() > 1 && parts.len() > 1 {
        threads::run(&mut pass, view.threads(), parts)?;
    } else {
        parts.into_iter().try_for_each(|part| pass.scan(part.end))?;
    }
    // The last part ends where it meets an end, be it one that moves.
    pass.scan(until)?;
    pass.finish(start, wish.until.is_none())?;
    Ok(pass.survey)
}

/// The ranges that parts start in. Where an index knows an event near their borders, they are cut there.
fn parts(view: &LogView, range: Range<u64>, bytes: u64) -> Vec<Range<u64>> {
    let mut parts = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let border = start.saturating_add(bytes.max(1));
        let anchor = view.witness().and_then(|index| index.anchor_before(border)).map(|anchor| anchor.offset);
        let end = anchor.filter(|anchor| *anchor > start + bytes / 2).unwrap_or(border).min(range.end);
        parts.push(start..end);
        start = end;
    }
    parts
}

/// The parts of a log put together, one behind the other.
pub(super) struct Pass<'a> {
    pub(super) look: Look<'a>,
    index: Option<&'a mut AggregateIndex>,
    on: &'a mut dyn FnMut(Step) -> ControlFlow<()>,
    survey: Survey,
    previous_time: Option<u64>,
    /// The scanner of the part before, which has read on.
    scanner: Option<Scanner>,
    /// Up to here parts were taken in: a frame is expected here.
    pub(super) at: u64,
    /// Up to here progress was told.
    told: u64,
    /// The log's end moved when it was looked at a second time.
    moved: bool,
    /// The log's lost end stands among the findings.
    told_truncated: bool,
}

impl Pass<'_> {
    /// Scans on to the first frame or damaged range that starts at `until` or later.
    pub(super) fn scan(&mut self, until: u64) -> Result<(), StorageError> {
        while self.at < until.min(self.look.file_end) {
            let look = self.look;
            let here = self.scanner.take().filter(|scanner| scanner.position() == self.at);
            let mut scanner = here.unwrap_or_else(|| look.scanner(self.at));
            let done = look.part(&mut scanner, until, &mut |note| self.note(note))?;
            self.scanner = Some(scanner);
            self.take(done)?;
        }
        Ok(())
    }

    /// Hears what a part tells.
    pub(super) fn note(&mut self, note: Note) -> Result<(), StorageError> {
        match note {
            Note::Progress(at) => self.tell(at),
            Note::Finding(finding) => self.found(*finding),
            Note::Damaged(range) => {
                self.damaged(range);
                Ok(())
            }
            Note::FirstEvent(range, time) => match self.previous_time {
                Some(previous) if time < previous => self.found(late(range, time, previous)),
                _ => Ok(()),
            },
        }
    }

    /// Takes in what a part has come to.
    pub(super) fn take(&mut self, done: Done) -> Result<(), StorageError> {
        self.at = done.position;
        self.survey.events += done.events;
        self.survey.gaps += done.gaps;
        self.previous_time = done.last_time.or(self.previous_time);
        if let (Some(index), Some(part)) = (&mut self.index, done.index) {
            index.join(part)?;
        }
        match done.end {
            Some(range) => self.last_range(range),
            None => Ok(()),
        }
    }

    /// The damaged range that the log ends with, after a second look at it.
    fn last_range(&mut self, range: Range<u64>) -> Result<(), StorageError> {
        let view = self.look.view;
        let ending = if self.moved { Ending::Moving } else { ending(view.log(), &range)? };
        if !self.moved && ending == Ending::Moving {
            // What was damage a moment ago may be whole by now. The end stays where it was fixed.
            (self.moved, self.at) = (true, range.start);
            return self.scan(u64::MAX);
        }
        let start = range.start;
        let unfinished = judge_end(view, range.clone(), ending, &mut |finding| self.found(finding))?;
        let end = unfinished.as_ref().map_or(range.end, |unfinished| unfinished.start);
        self.survey.in_flight = unfinished;
        self.damaged(start..end);
        Ok(())
    }

    fn damaged(&mut self, range: Range<u64>) {
        if let Some(index) = &mut self.index {
            index.damaged(range);
        }
    }

    /// Ends the pass: a log that lost its end cleanly, the watermark of the index, the map.
    fn finish(&mut self, start: u64, whole: bool) -> Result<(), StorageError> {
        let file_end = self.look.file_end;
        if whole
            && !self.told_truncated
            && self.survey.in_flight.is_none()
            && let Some(finding) = self.look.view.truncated(file_end, file_end)?
        {
            self.found(finding)?;
        }
        let position = self.at.min(file_end);
        let scanned_to = self.survey.in_flight.as_ref().map_or(position, |unfinished| unfinished.start);
        self.survey.scanned_to = scanned_to;
        self.survey.last_time = self.previous_time;
        self.survey.map.verified(start..scanned_to);
        self.survey.looked.push(start..scanned_to);
        if let Some(index) = &mut self.index {
            index.scanned(scanned_to);
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
            // The header is looked at every time, and no index has a place for it.
            if finding.kind != Kind::Header {
                self.survey.met.add(finding.range());
            }
        } else if finding.kind == Kind::Gap {
            self.survey.map.gap(finding.range());
        }
        let told = (self.on)(Step::Finding(&finding));
        if self.survey.findings.len() < MAX_FINDINGS {
            self.survey.findings.push(finding);
        }
        if told.is_break() { Err(StorageError::Stopped) } else { Ok(()) }
    }

    #[cold]
    fn tell(&mut self, at: u64) -> Result<(), StorageError> {
        self.told = self.told.max(at);
        match (self.on)(Step::Progress(self.told, self.look.file_end)) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(StorageError::Stopped),
        }
    }
}
