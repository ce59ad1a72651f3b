//! Hits: where the rows stand that a filter shows, or the events that a pattern matches, as far as the log was looked at.
//!
//! They are collected in slices around a place, behind it and before it in turn. They say where to look and how many
//! there are; what stands there is read from the log, and judged again, each time it is shown.

use std::cell::Cell;
use std::ops::{ControlFlow, Range};

use super::blocks::Blocks;
use super::filter::Filter;
use super::known::Known;
use super::look::Look;
use super::page::{self, Ask, Direction};
use super::places::Places;
use super::row::Page;
use super::search::{self, Pattern};
use super::walk::{Meter, Sight};
use crate::StorageError;
use crate::index::AggregateIndex;
use crate::inspect::LogView;

/// Hits that are kept at most: a few megabytes of them.
pub const MAX_HITS: u64 = 1_000_000;

/// Where the rows stand that were looked for. A copy costs little, and stays as it was.
#[derive(Debug, Clone)]
pub struct Hits {
    filter: Filter,
    pattern: Option<Pattern>,
    /// Where looking starts.
    from: u64,
    /// Where the frame or damaged range starts that this is in.
    origin: u64,
    most: u64,
    places: Places,
    /// Here all of them are known; it starts and ends where frames or damaged ranges do. `None` before the first slice.
    range: Option<Range<u64>>,
    /// The end of the log when it was reached last. What lies between it and the range is damaged or unfinished, and
    /// looked at again when the log has grown.
    seen_end: u64,
    /// Where the log's first frame starts.
    first: u64,
    is_full: bool,
}

impl Hits {
    /// None yet, of what a filter shows and a pattern matches, to be looked for from a place on.
    pub fn new(filter: Filter, pattern: Option<Pattern>, from: u64) -> Self {
        let (places, range) = (Places::default(), None);
        Self {
            filter,
            pattern,
            from,
            origin: from,
            most: MAX_HITS,
            places,
            range,
            seen_end: 0,
            first: 0,
            is_full: false,
        }
    }

    /// The same with room for fewer than [`MAX_HITS`].
    #[must_use]
    pub fn at_most(self, most: u64) -> Self {
        Self { most, ..self }
    }

    /// True when they are what this filter shows and this pattern matches.
    pub fn are_of(&self, filter: &Filter, pattern: Option<&Pattern>) -> bool {
        self.filter.is_same(filter) && self.pattern.as_ref().map(Pattern::text) == pattern.map(Pattern::text)
    }

    /// How many are known.
    pub const fn len(&self) -> u64 {
        self.places.len()
    }

    /// True when none is known.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True when there is no room for more: those of the rest of the log are not among them.
    pub const fn is_full(&self) -> bool {
        self.is_full
    }

    /// True when all of a log of `bytes` was looked at.
    pub fn is_through(&self, bytes: u64) -> bool {
        self.has_start() && self.seen_end >= bytes
    }

    /// How many bytes of the log were looked at.
    pub fn looked(&self) -> u64 {
        self.range.as_ref().map_or(0, |range| range.end.max(self.seen_end) - range.start)
    }

    /// The number, counted from 1, of the one at a place; `None` where there is none, or while others may come before it.
    pub fn ordinal(&self, place: u64) -> Option<u64> {
        let is_one = self.has_start() && self.places.range(place..place.saturating_add(1)).next().is_some();
        is_one.then(|| self.places.rank(place) + 1)
    }

    /// True when some are known that way from a place.
    pub fn has(&self, from: u64, direction: Direction) -> bool {
        match direction {
            Direction::Forward => self.places.range(from..u64::MAX).next().is_some(),
            Direction::Backward => self.places.last_before(from).is_some(),
        }
    }

    /// The nearest that starts at `from` or behind it, or before it; `None` also where it is not known.
    pub fn nearest(&self, from: u64, direction: Direction) -> Option<u64> {
        let known = self.range.as_ref().filter(|range| (range.start..=range.end).contains(&from.max(self.first)));
        known.and_then(|_| match direction {
            Direction::Forward => self.places.range(from..u64::MAX).next(),
            Direction::Backward => self.places.last_before(from),
        })
    }

    /// True when what lies nearest to `from` that way is known, be it nothing, in a log of `bytes`; also where waiting
    /// for these hits would not help.
    pub fn can_answer(&self, from: u64, direction: Direction, bytes: u64) -> bool {
        let Some(range) = &self.range else { return false };
        let has_end = self.seen_end >= bytes;
        // Behind the end there is nothing.
        let from = if has_end { from.clamp(self.first, range.end) } else { from.max(self.first) };
        let known = match direction {
            Direction::Forward => has_end,
            Direction::Backward => self.has_start(),
        };
        known || self.is_full || self.has(from, direction) || !(range.start..=range.end).contains(&from)
    }

    /// Looks at about `bytes` more of the log, at no more than that where it is not damaged, and tells `on` the place
    /// about every mebibyte. What was looked at stays known, also when it was stopped.
    ///
    /// Of a log that lost its end, nothing is known any more. Blocks that `index` rules out by the filter are passed over.
    ///
    /// # Errors
    /// `Stopped` when `on` breaks; `Io`, `Changed`, `Memory` when the log cannot be read.
    pub fn look_on(
        &mut self,
        view: &LogView,
        index: Option<&AggregateIndex>,
        bytes: u64,
        on: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let (filter, pattern) = (self.filter.clone(), self.pattern.clone());
        let blocks = Blocks::of(view.log(), index, &filter);
        let look = Look::at(view, Sight { filter: &filter, pattern: pattern.as_ref() })?.but_for(&blocks);
        self.first = view.log().first_frame();
        let range = match self.range.clone() {
            Some(range) if self.seen_end.max(range.end) <= look.end.max(self.first) => range,
            _ => {
                (self.places, self.seen_end, self.is_full) = (Places::default(), 0, false);
                self.origin = look.start_of(self.from)?.max(self.first);
                self.origin..self.origin
            }
        };
        self.range = Some(range.clone());
        if self.is_full || self.is_through(look.end) {
            return Ok(());
        }
        let nearer = range.end - self.origin <= self.origin - range.start;
        let has_grown = self.seen_end > 0;
        if self.seen_end < look.end && (nearer || has_grown || self.has_start()) {
            self.forth(&look, range, bytes, on)
        } else {
            self.back(&look, range, bytes, on)
        }
    }

    /// As [`page`](super::page), without reading what lies between hits. A page ends where the range ends, unless it
    /// would be empty: it may have fewer rows than asked for, and more may follow.
    ///
    /// # Errors
    /// `Stopped` when `on` breaks; `Io`, `Changed`, `Memory` when the log cannot be read.
    pub fn page(
        &self,
        view: &LogView,
        index: Option<&AggregateIndex>,
        (from, direction): (u64, Direction),
        limit: usize,
        on: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Page, StorageError> {
        let ask = Ask { from, direction, limit, filter: &self.filter };
        let look = Look::at(view, Sight { filter: &self.filter, pattern: None })?;
        match self.known(look, from, direction)?.filter(|_| limit > 0 && self.pattern.is_none()) {
            Some(known) => page::ask_known(&look, &known, &ask, &mut Meter::new(on))
                .map_err(|fault| fault.into_error(view.index_path())),
            None => page::page(view, index, &ask, on),
        }
    }

    /// As [`find`](super::find), likewise.
    ///
    /// # Errors
    /// As [`Hits::page`].
    pub fn find(
        &self,
        view: &LogView,
        index: Option<&AggregateIndex>,
        (from, direction): (u64, Direction),
        on: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Option<u64>, StorageError> {
        let Some(pattern) = &self.pattern else { return Ok(None) };
        let look = Look::at(view, Sight { filter: &self.filter, pattern: Some(pattern) })?;
        let Some(known) = self.known(look, from, direction)? else {
            return search::find(view, index, pattern, &self.filter, from, direction, on);
        };
        let mut meter = Meter::new(on);
        let found = match direction {
            Direction::Forward => known.forth(from, 1, &mut meter),
            Direction::Backward => known.back(from, 1, &mut meter),
        };
        Ok(found.map_err(|fault| fault.into_error(view.index_path()))?.rows.front().map(|row| row.start))
    }

    /// What is known of the rows that way, where that is more than nothing.
    fn known<'a>(&'a self, look: Look<'a>, from: u64, direction: Direction) -> Result<Option<Known<'a>>, StorageError> {
        let Some(range) = self.range.clone() else { return Ok(None) };
        let end = if range.end <= look.end { range.end } else { look.last_start()? };
        let inside = match direction {
            Direction::Forward => from.max(self.first) >= range.start,
            Direction::Backward => from > range.start,
        };
        Ok((inside && end >= range.start).then(|| Known::by_hits(look, &self.places, range.start..end)))
    }

    /// True when the range starts with the log.
    fn has_start(&self) -> bool {
        self.range.as_ref().is_some_and(|range| range.start <= self.first)
    }

    /// A slice behind the range.
    fn forth(
        &mut self,
        look: &Look,
        range: Range<u64>,
        bytes: u64,
        on: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let Range { start, end } = range;
        let (at, stopped) = (Cell::new(end), Cell::new(false));
        let mut told = |place| {
            at.set(place);
            stopped.set(on(place).is_break());
            if stopped.get() || place - end >= bytes { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let mut meter = Meter::new(&mut told);
        let mut walk = look.walk_on(end..look.end);
        // What was unfinished when it was looked at.
        self.places.forget_from(end);
        let known = loop {
            let row = match walk.next(&mut meter) {
                Ok(Some(row)) => row,
                Ok(None) => {
                    self.seen_end = look.end;
                    break Ok(look.last_start()?.max(end));
                }
                Err(StorageError::Stopped) => {
                    let place = at.get();
                    if let Some(row) = walk.met() {
                        self.places.push(row.start);
                    }
                    // In the midst of damage it starts anew with the damage, which may be longer than a slice.
                    let boundary = look.start_of(place)?.max(end);
                    if stopped.get() {
                        self.places.forget_from(boundary);
                        self.range = Some(start..boundary);
                        return Err(StorageError::Stopped);
                    }
                    if boundary > end {
                        break Ok(boundary);
                    }
                    continue;
                }
                Err(error) => break Err(error),
            };
            if self.places.len() >= self.most {
                self.is_full = true;
                break Ok(look.start_of(row.start)?.max(end));
            }
            self.places.push(row.start);
        };
        let known = known.inspect_err(|_| self.places.forget_from(end))?;
        if self.seen_end < look.end {
            self.places.forget_from(known);
        }
        self.range = Some(start..known);
        Ok(())
    }

    /// A slice before the range.
    fn back(
        &mut self,
        look: &Look,
        range: Range<u64>,
        bytes: u64,
        on: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let start = look.start_of(range.start.saturating_sub(bytes).max(self.first))?;
        let mut walk = look.walk_on(start..range.start);
        let mut meter = Meter::new(on);
        let mut before = Places::default();
        while let Some(row) = walk.next(&mut meter)?.filter(|row| row.start < range.start) {
            before.push(row.start);
        }
        if self.places.len() + before.len() > self.most {
            self.is_full = true;
        } else {
            self.places.prepend(before);
            self.range = Some(start..range.end);
        }
        Ok(())
    }
}
