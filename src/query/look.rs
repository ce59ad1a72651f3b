//! So many rows from a place on, forward or backward: the log is read where one looks, and no further.

use std::collections::VecDeque;
use std::ops::Range;

use super::blocks::{Blocks, LOOK};
use super::row::{Row, What};
use super::walk::{Meter, Sight, Walk};
use crate::StorageError;
use crate::file::{Place, Span, place, spans_before};
use crate::format::{HEADER_LEN, Version};
use crate::inspect::LogView;

/// What is read at first when rows before a place are wanted, in bytes.
const FIRST_WINDOW: u64 = 64 << 10;
/// What is read at once at most, unless damage is longer.
const MAX_WINDOW: u64 = 4 << 20;

/// A log looked at, its end fixed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) view: &'a LogView,
    pub(super) sight: Sight<'a>,
    /// The log's end, in bytes.
    pub(super) end: u64,
    blocks: Option<&'a Blocks<'a>>,
}

/// A frame or a damaged range that a place lies in.
struct Covering {
    start: u64,
    damaged: bool,
}

/// Rows, ascending.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) rows: VecDeque<Row>,
    /// There are no more of them in the direction that was looked in.
    pub(super) complete: bool,
}

impl<'a> Look<'a> {
    /// Fixes the end of the log.
    pub(super) fn at(view: &'a LogView, sight: Sight<'a>) -> Result<Self, StorageError> {
        Ok(Self { view, sight, end: view.log().len()?, blocks: None })
    }

    /// The same, passing over blocks that need not be read.
    pub(super) const fn but_for(self, blocks: &'a Blocks<'a>) -> Self {
        Self { blocks: Some(blocks), ..self }
    }

    /// The row of the header, when there is one to be seen.
    pub(super) fn header(&self) -> Option<Row> {
        if self.view.log().version() == Version::V0 || self.end == 0 || self.sight.pattern.is_some() {
            return None;
        }
        if let Some(finding) = self.view.header_finding() {
            return self.sight.finding(finding);
        }
        let row = Row { start: 0, end: HEADER_LEN.min(self.end), what: What::Header };
        self.sight.filter.shows_header().then_some(row)
    }

    /// Up to `limit` rows behind the header: the one that `from` lies in, or that starts there, and those after it.
    pub(super) fn forth(&self, from: u64, limit: usize, meter: &mut Meter) -> Result<Found, StorageError> {
        let mut found = Found::default();
        let mut walk = self.walk_on(self.start_of(from)?..self.end);
        loop {
            let full = found.rows.len() >= limit;
            if full && !walk.at_end() {
                return Ok(found);
            }
            match walk.next(meter)? {
                Some(_) if full => return Ok(found),
                Some(row) if lies_behind(&row, from) => found.rows.push_back(row),
                Some(_) => {}
                None => return Ok(Found { complete: true, ..found }),
            }
        }
    }

    /// Up to `limit` rows before `from`, which end there at the latest, and that do not start before `floor`, where a
    /// frame or a damaged range starts. Read in growing steps.
    pub(super) fn back(&self, from: u64, floor: u64, limit: usize, meter: &mut Meter) -> Result<Found, StorageError> {
        let mut rows = VecDeque::new();
        let floor = floor.min(self.end);
        let covering = self.place(from)?;
        let mut before = covering.as_ref().map_or(self.end, |place| place.start).max(floor);
        if let Some(Covering { damaged: true, .. }) = covering
            && self.skip(before).is_none()
        {
            let mut dropped = false;
            let mut walk = self.walk(before..self.end);
            while let Some(row) = walk.next(meter)?.filter(|row| !lies_behind(row, from)) {
                dropped |= push_last(&mut rows, row, limit);
            }
            if rows.len() >= limit {
                return Ok(Found { rows, complete: !dropped && before <= floor });
            }
        }
        let mut window = FIRST_WINDOW;
        loop {
            if let Some(block) = before.checked_sub(1).filter(|_| before > floor).and_then(|at| self.skip(at)) {
                before = block.start.max(floor);
                meter.passed(before, LOOK)?;
                continue;
            }
            let least = before.saturating_sub(window).max(floor);
            let start = self.blocks.map_or(least, |blocks| blocks.read_back(before, least));
            // Where a block ends that is passed over, a frame starts.
            let firm = start == floor || start > least;
            let mut walk = if firm { self.walk(start..before) } else { self.adrift(start..before) };
            let mut batch = VecDeque::new();
            let room = limit.saturating_sub(rows.len());
            let mut dropped = false;
            while let Some(row) = walk.next(meter)?.filter(|row| !lies_behind(row, from)) {
                dropped |= push_last(&mut batch, row, room);
            }
            let met = if firm { Some(start) } else { walk.first() };
            // Without a frame in the window nothing is known of where its damage starts.
            let Some(met) = met else {
                window = window.saturating_mul(4);
                continue;
            };
            before = met;
            batch.append(&mut rows);
            rows = batch;
            if before <= floor || rows.len() >= limit {
                return Ok(Found { rows, complete: !dropped && before <= floor });
            }
            window = window.saturating_mul(4).min(MAX_WINDOW);
        }
    }

    /// Over a range that starts where a frame or a damaged range does.
    pub(super) fn walk(&self, range: Range<u64>) -> Walk<'a> {
        Walk::over(self.view, self.sight, range, self.end)
    }

    /// The same, but for the blocks that need not be read.
    pub(super) fn walk_on(&self, range: Range<u64>) -> Walk<'a> {
        self.walk(range).but_for(self.blocks)
    }

    /// Over the part of a range from its first valid frame on.
    fn adrift(&self, range: Range<u64>) -> Walk<'a> {
        Walk::adrift(self.view, self.sight, range, self.end)
    }

    /// The block that `at` lies in, when it need not be read.
    fn skip(&self, at: u64) -> Option<Range<u64>> {
        self.blocks?.skip(at)
    }

    /// Where the frame or damaged range starts that `from` lies in.
    pub(super) fn start_of(&self, from: u64) -> Result<u64, StorageError> {
        match self.place(from)? {
            Some(covering) => Ok(covering.start),
            // Whether the end was lost, and with which row that is told, shows in what the log ends with.
            None if self.is_cut() => self.last_start(),
            None => Ok(self.end),
        }
    }

    /// True when the index has seen more of the log than there is.
    pub(super) fn is_cut(&self) -> bool {
        self.view.witnessed_end().is_some_and(|seen| seen > self.end)
    }

    /// What `from` lies in; `None` at the end of the log and behind it.
    fn place(&self, from: u64) -> Result<Option<Covering>, StorageError> {
        let first = self.view.log().first_frame();
        if from <= first {
            return Ok((first < self.end).then_some(Covering { start: first, damaged: false }));
        }
        Ok(match place(self.view.log(), from, self.end)? {
            Place::Frame(range) | Place::Inside(range) => Some(Covering { start: range.start, damaged: false }),
            Place::Damaged(range) => Some(Covering { start: range.start, damaged: true }),
            Place::End => None,
        })
    }

    /// Where the damaged range starts that the log ends with; its end when it ends with a frame.
    pub(super) fn last_start(&self) -> Result<u64, StorageError> {
        if self.end <= self.view.log().first_frame() {
            return Ok(self.end);
        }
        Ok(match spans_before(self.view.log(), self.end, 1)?.last() {
            Some(Span::Damaged(range) | Span::Unreadable(range)) => range.start,
            _ => self.end,
        })
    }
}

/// True when a row starts at or after `from`, or covers it. Every row lies on one side of a place: the one without bytes,
/// at the end of a log that lost its end, lies behind that end.
fn lies_behind(row: &Row, from: u64) -> bool {
    row.end > from || row.start >= from
}

/// Adds a row behind the others and keeps the last `limit` of them; true when one had to go.
pub(super) fn push_last(rows: &mut VecDeque<Row>, row: Row, limit: usize) -> bool {
    rows.push_back(row);
    rows.len() > limit && rows.pop_front().is_some()
}
