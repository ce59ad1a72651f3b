//! Rows through an index, or through hits: they say where to look, and the log says what stands there.

use std::collections::VecDeque;
use std::iter::Peekable;
use std::ops::Range;

use super::look::{Found, Look, push_last};
use super::places::Places;
use super::row::Row;
use super::walk::Meter;
use crate::StorageError;
use crate::file::{Place, place};
use crate::format::{Finding, Kind};
use crate::index::{AggregateIndex, IndexFault, MAX_DAMAGE};

/// Places remembered at once on the way back, at first and at most.
const FIRST_PLACES: usize = 1024;
const MAX_PLACES: usize = 1 << 18;

/// What is known of where the rows stand that are to be seen.
pub(super) struct Known<'a> {
    look: Look<'a>,
    witness: Witness<'a>,
    /// Here it knows of all of them.
    covered: Range<u64>,
}

/// Who knows it.
enum Witness<'a> {
    /// The index, of the events of these aggregates.
    Index(&'a AggregateIndex, &'a [u64]),
    /// Hits, of all that was looked for.
    Hits(&'a Places),
}

/// A page found through hits ends where they end, unless no more than this lies behind.
const NEAR: u64 = 1 << 20;

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
        Ok(Some(Self { look, witness: Witness::Index(index, ids), covered: 0..covered }))
    }

    /// By hits that know of all rows in a range, which ends no later than the log does.
    pub(super) const fn by_hits(look: Look<'a>, places: &'a Places, covered: Range<u64>) -> Self {
        Self { look, witness: Witness::Hits(places), covered }
    }

    /// As [`Look::forth`].
    pub(super) fn forth(&self, from: u64, limit: usize, meter: &mut Meter) -> Result<Found, IndexFault> {
        let start = self.look.start_of(from).map_err(IndexFault::Io)?;
        let mut rows = VecDeque::new();
        let mut done = start;
        for place in self.places(start..self.covered.end)? {
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
        if self.is_enough(&rows, self.look.end - self.covered.end) {
            return Ok(Found { rows, complete: false });
        }
        let rest = self.look.forth(from.max(self.covered.end), limit - rows.len(), meter).map_err(IndexFault::Io)?;
        rows.extend(rest.rows);
        Ok(Found { rows, complete: rest.complete })
    }

    /// As [`Look::back`], down to the log's start.
    pub(super) fn back(&self, from: u64, limit: usize, meter: &mut Meter) -> Result<Found, IndexFault> {
        let mut rows = VecDeque::new();
        if from >= self.covered.end {
            let found = self.look.back(from, self.covered.end, limit, meter).map_err(IndexFault::Io)?;
            if !found.complete {
                return Ok(found);
            }
            rows = found.rows;
        }
        let (mut before, mut remembered) = (from.min(self.covered.end), FIRST_PLACES);
        loop {
            let mut nearest = VecDeque::new();
            let mut more = false;
            for place in self.places(self.covered.start..before)? {
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
                return self.before(rows, limit, meter);
            }
            remembered = (remembered * 4).min(MAX_PLACES);
        }
    }

    /// With what lies before the range of which it knows.
    fn before(&self, rows: VecDeque<Row>, limit: usize, meter: &mut Meter) -> Result<Found, IndexFault> {
        let floor = self.look.view.log().first_frame();
        if self.covered.start <= floor {
            return Ok(Found { rows, complete: true });
        }
        if self.is_enough(&rows, self.covered.start - floor) {
            return Ok(Found { rows, complete: false });
        }
        let room = limit.saturating_sub(rows.len());
        let Found { rows: mut all, complete } =
            self.look.back(self.covered.start, floor, room, meter).map_err(IndexFault::Io)?;
        all.extend(rows);
        Ok(Found { rows: all, complete })
    }

    /// True when so many bytes more are not worth looking at for a page that has rows.
    fn is_enough(&self, rows: &VecDeque<Row>, bytes: u64) -> bool {
        matches!(self.witness, Witness::Hits(_)) && !rows.is_empty() && bytes > NEAR
    }
}

impl Known<'_> {
    /// Where in `range` something is to be looked at, ascending: hits, or the aggregates' events, and damage.
    fn places(&self, range: Range<u64>) -> Result<Source<'_>, IndexFault> {
        let (index, ids) = match self.witness {
            Witness::Hits(places) => return Ok(Box::new(places.range(range).map(Ok))),
            Witness::Index(index, ids) => (index, ids),
        };
        let mut sources: Vec<Peekable<Source<'_>>> = Vec::new();
        for id in ids {
            let offsets: Source = Box::new(index.offsets(*id)?);
            sources.push(offsets.peekable());
        }
        let damage: Source = Box::new(index.known_damage().map(|damage| Ok(damage.start)));
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
        let behind = places.skip_while(move |place| known(place, before) && place.is_ok());
        Ok(Box::new(behind.take_while(move |place| known(place, range.end))))
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
