//! Rows of some aggregates through the index: it says where to look, and the log says what stands there.

use std::collections::VecDeque;
use std::iter::Peekable;
use std::ops::Range;

use super::look::{Found, Look, push_last};
use super::row::Row;
use super::walk::Meter;
use crate::StorageError;
use crate::file::{Place, place};
use crate::format::{Finding, Kind};
use crate::index::{AggregateIndex, IndexFault, MAX_DAMAGE};

/// Places remembered at once on the way back, at first and at most.
const FIRST_PLACES: usize = 1024;
const MAX_PLACES: usize = 1 << 18;

/// What an index knows of the rows that a filter on aggregates shows.
pub(super) struct Known<'a> {
    look: Look<'a>,
    index: &'a AggregateIndex,
    ids: &'a [u64],
    /// Up to here it knows of all of them.
    covered: u64,
}

/// What stands at a place.
enum Spot {
    /// A frame, with its row when that is to be seen, and its end.
    Frame(Option<Box<Row>>, u64),
    /// What a walk tells, row by row: damage, or a frame that the place lies in.
    Range(Range<u64>),
}

impl<'a> Known<'a> {
    /// `None` where the index does not know of every row that the filter shows: it shows other events too, or frames
    /// that are no events and that are there but not listed, or more damage than an index keeps.
    pub(super) fn of(look: Look<'a>, index: &'a AggregateIndex) -> Result<Option<Self>, StorageError> {
        let filter = look.sight.filter;
        let Some(ids) = filter.aggregates() else {
            return Ok(None);
        };
        let coverage = index.coverage();
        let shown = |kind| filter.shows(&Finding::new(kind, 0..u64::MAX));
        let invalid = coverage.frames.saturating_sub(coverage.events + coverage.gaps);
        let unlisted = (coverage.gaps > 0 && shown(Kind::Gap)) || (invalid > 0 && shown(Kind::InvalidEvent));
        if unlisted || index.damage().len() >= MAX_DAMAGE || coverage.frames == 0 {
            return Ok(None);
        }
        let covered = if coverage.covered_to <= look.end { coverage.covered_to } else { look.last_start()? };
        Ok(Some(Self { look, index, ids, covered }))
    }

    /// As [`Look::forth`].
    pub(super) fn forth(&self, from: u64, limit: usize, meter: &mut Meter) -> Result<Found, IndexFault> {
        let start = self.look.start_of(from).map_err(IndexFault::Io)?;
        let mut rows = VecDeque::new();
        let mut done = start;
        for place in self.places(start..self.covered)? {
            let place = place?;
            if place < done {
                continue; // inside damage that was shown
            }
            if rows.len() >= limit {
                return Ok(Found { rows, complete: false });
            }
            match self.spot(place, meter).map_err(IndexFault::Io)? {
                Spot::Frame(row, end) => {
                    done = end;
                    rows.extend(row.filter(|row| row.end > from).map(|row| *row));
                }
                Spot::Range(range) => {
                    done = range.end;
                    let mut walk = self.look.walk(range);
                    while let Some(row) = walk.next(meter).map_err(IndexFault::Io)? {
                        if row.end <= from {
                            continue;
                        }
                        if rows.len() >= limit {
                            return Ok(Found { rows, complete: false });
                        }
                        rows.push_back(row);
                    }
                }
            }
        }
        let rest = self.look.forth(from.max(self.covered), limit - rows.len(), meter).map_err(IndexFault::Io)?;
        rows.extend(rest.rows);
        Ok(Found { rows, complete: rest.complete })
    }

    /// As [`Look::back`], from the log's start on.
    pub(super) fn back(&self, from: u64, limit: usize, meter: &mut Meter) -> Result<Found, IndexFault> {
        let mut rows = VecDeque::new();
        if from >= self.covered {
            let found = self.look.back(from, self.covered, limit, meter).map_err(IndexFault::Io)?;
            if !found.complete {
                return Ok(found);
            }
            rows = found.rows;
        }
        let (mut before, mut remembered) = (from.min(self.covered), FIRST_PLACES);
        loop {
            let mut nearest = VecDeque::new();
            let mut more = false;
            for place in self.places(0..before)? {
                nearest.push_back(place?);
                if nearest.len() > remembered {
                    more |= nearest.pop_front().is_some();
                }
            }
            for place in nearest.into_iter().rev() {
                if rows.len() >= limit {
                    return Ok(Found { rows, complete: false });
                }
                // What ends behind `before` was shown already, or lies behind the place that was asked for.
                let (mut batch, mut dropped) = (VecDeque::new(), false);
                match self.spot(place, meter).map_err(IndexFault::Io)? {
                    Spot::Frame(row, _) => batch.extend(row.filter(|row| row.end <= before).map(|row| *row)),
                    Spot::Range(range) => {
                        let mut walk = self.look.walk(range);
                        let room = limit - rows.len();
                        while let Some(row) = walk.next(meter).map_err(IndexFault::Io)?.filter(|row| row.end <= before)
                        {
                            dropped |= push_last(&mut batch, row, room);
                        }
                    }
                }
                before = batch.front().map_or(before, |row: &Row| row.start).min(place);
                batch.append(&mut rows);
                rows = batch;
                if dropped {
                    return Ok(Found { rows, complete: false });
                }
            }
            if !more {
                return Ok(Found { rows, complete: true });
            }
            remembered = (remembered * 4).min(MAX_PLACES);
        }
    }
}

impl Known<'_> {
    /// Where in `range` something is to be looked at, ascending: the aggregates' events, and damage.
    fn places(&self, range: Range<u64>) -> Result<impl Iterator<Item = Result<u64, IndexFault>> + '_, IndexFault> {
        let mut sources: Vec<Peekable<Source<'_>>> = Vec::new();
        for id in self.ids {
            let offsets: Source = Box::new(self.index.offsets(*id)?);
            sources.push(offsets.peekable());
        }
        let damage: Source = Box::new(self.index.damage().iter().map(|damage| Ok(damage.start)));
        sources.push(damage.peekable());
        let before = range.start;
        let places = std::iter::from_fn(move || {
            let next = |source: &mut Peekable<Source>| source.peek().map(|place| *place.as_ref().unwrap_or(&0));
            sources
                .iter_mut()
                .filter_map(|source| Some((next(source)?, source)))
                .min_by_key(|(place, _)| *place)?
                .1
                .next()
        });
        let known = |place: &Result<u64, IndexFault>, until| place.as_ref().map_or(true, |place| *place < until);
        Ok(places
            .skip_while(move |place| known(place, before) && place.is_ok())
            .take_while(move |place| known(place, range.end)))
    }

    /// What stands at a place, judged by the log alone.
    fn spot(&self, at: u64, meter: &mut Meter) -> Result<Spot, StorageError> {
        let log = self.look.view.log();
        let mut buf = Vec::new();
        // A device that refuses to read here is asked again by the scan, page by page.
        if let Ok(Some(frame)) = log.frame_at(at, &mut buf) {
            let end = at + frame.len();
            let row = self.look.sight.frame(at, &frame, log.version());
            meter.passed(end, frame.len())?;
            return Ok(Spot::Frame(row.map(Box::new), end));
        }
        Ok(match place(log, at, self.look.end)? {
            Place::Damaged(range) | Place::Inside(range) | Place::Frame(range) => Spot::Range(range),
            Place::End => Spot::Frame(None, at + 1),
        })
    }
}

/// Places, ascending.
type Source<'a> = Box<dyn Iterator<Item = Result<u64, IndexFault>> + 'a>;
