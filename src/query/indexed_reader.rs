//! Rows through an index, or through hits: they say where to look, and the log says what stands there.

use std::collections::VecDeque;
use std::iter::Peekable;
use std::ops::Range;

use super::log_reader::{LogReader, push_bounded};
use super::offset_list::OffsetList;
use super::progress_meter::ProgressMeter;
use super::row::{LogRow, RowBatch};
use crate::StorageError;
use crate::file::{OffsetLocation, locate_offset};
use crate::format::{DamageKind, Finding};
use crate::index::{AggregateIndex, IndexFault, MAX_DAMAGED_RANGES};

/// Places remembered at once on the way back, at first and at most.
const INITIAL_BACKWARD_OFFSETS: usize = 1024;
const MAX_BACKWARD_OFFSETS: usize = 1 << 18;

/// What is known of where the rows stand that are to be seen.
pub(super) struct IndexedReader<'a> {
    log_reader: LogReader<'a>,
    source: OffsetSource<'a>,
    /// Here it knows of all of them.
    covered_range: Range<u64>,
}

/// Who knows it.
enum OffsetSource<'a> {
    /// The index, of the events of these aggregates.
    Index(&'a AggregateIndex, &'a [u64]),
    /// Hits, of all that was looked for.
    Hits(&'a OffsetList),
}

/// A page found through hits ends where they end, unless no more than this lies behind.
const MAX_UNINDEXED_SCAN: u64 = 1 << 20;

/// What stands at a place.
enum OffsetContent {
    /// A frame, with its row when that is to be seen, and its end.
    Frame(Option<Box<LogRow>>, u64),
    /// What a walk tells, row by row: damage, or a frame that the place lies in.
    Scan(Range<u64>),
}

impl<'a> IndexedReader<'a> {
    /// `None` where the index does not know of every row that the filter shows: it shows other events too, or frames
    /// that are no events and that are there but not listed, or more damage than an index keeps.
    pub(super) fn from_index(
        log_reader: LogReader<'a>,
        index: &'a AggregateIndex,
    ) -> Result<Option<Self>, StorageError> {
        let filter = log_reader.row_filter.filter;
        let Some(ids) = filter.aggregate_ids() else {
            return Ok(None);
        };
        let coverage = index.coverage();
        let shown = |kind| filter.matches_finding(&Finding::new(kind, 0..u64::MAX));
        let invalid = coverage.frames.saturating_sub(coverage.events + coverage.gaps);
        let unlisted = DamageKind::ALL.into_iter().any(|kind| {
            let count = match kind {
                DamageKind::Gap => coverage.gaps,
                DamageKind::InvalidEvent => invalid,
                DamageKind::Zeros
                | DamageKind::Checksum
                | DamageKind::Length
                | DamageKind::TornTail
                | DamageKind::Garbage
                | DamageKind::Truncated
                | DamageKind::Header
                | DamageKind::Clock
                | DamageKind::Unreadable => 0,
            };
            count > 0 && shown(kind)
        });
        if unlisted || index.build_damage().len() >= MAX_DAMAGED_RANGES || coverage.frames == 0 {
            return Ok(None);
        }
        let covered = if coverage.covered_to <= log_reader.log_end {
            coverage.covered_to
        } else {
            log_reader.damaged_tail_start()?
        };
        Ok(Some(Self { log_reader: log_reader, source: OffsetSource::Index(index, ids), covered_range: 0..covered }))
    }

    /// By hits that know of all rows in a range, which ends no later than the log does.
    pub(super) const fn from_hits(log_reader: LogReader<'a>, offsets: &'a OffsetList, covered: Range<u64>) -> Self {
        Self { log_reader: log_reader, source: OffsetSource::Hits(offsets), covered_range: covered }
    }

    /// As [`LogReader::forth`].
    pub(super) fn read_forward(
        &self,
        from: u64,
        limit: usize,
        meter: &mut ProgressMeter,
    ) -> Result<RowBatch, IndexFault> {
        let start = self.log_reader.enclosing_start(from).map_err(IndexFault::Io)?;
        let mut rows = VecDeque::new();
        let mut done = start;
        for place in self.candidate_offsets(start..self.covered_range.end)? {
            let place = place?;
            if place < done {
                continue; // inside damage that was shown
            }
            if rows.len() >= limit {
                return Ok(RowBatch { rows, complete: false });
            }
            match self.resolve_offset(place, meter).map_err(IndexFault::Io)? {
                OffsetContent::Frame(row, end) => {
                    done = end;
                    rows.extend(row.filter(|row| row.end > from).map(|row| *row));
                }
                OffsetContent::Scan(range) => {
                    done = range.end;
                    let mut walk = self.log_reader.scan_range(range);
                    while let Some(row) = walk.next_row(meter).map_err(IndexFault::Io)? {
                        if row.end <= from {
                            continue;
                        }
                        if rows.len() >= limit {
                            return Ok(RowBatch { rows, complete: false });
                        }
                        rows.push_back(row);
                    }
                }
            }
        }
        if self.can_stop_early(&rows, self.log_reader.log_end - self.covered_range.end) {
            return Ok(RowBatch { rows, complete: false });
        }
        let rest = self
            .log_reader
            .read_forward(from.max(self.covered_range.end), limit - rows.len(), meter)
            .map_err(IndexFault::Io)?;
        rows.extend(rest.rows);
        Ok(RowBatch { rows, complete: rest.complete })
    }

    /// As [`LogReader::back`], down to the log's start.
    pub(super) fn read_backward(
        &self,
        from: u64,
        limit: usize,
        meter: &mut ProgressMeter,
    ) -> Result<RowBatch, IndexFault> {
        let mut rows = VecDeque::new();
        if from >= self.covered_range.end {
            let found =
                self.log_reader.read_backward(from, self.covered_range.end, limit, meter).map_err(IndexFault::Io)?;
            if !found.complete {
                return Ok(found);
            }
            rows = found.rows;
        }
        let (mut before, mut remembered) = (from.min(self.covered_range.end), INITIAL_BACKWARD_OFFSETS);
        loop {
            let mut nearest = VecDeque::new();
            let mut more = false;
            for place in self.candidate_offsets(self.covered_range.start..before)? {
                nearest.push_back(place?);
                if nearest.len() > remembered {
                    more |= nearest.pop_front().is_some();
                }
            }
            for place in nearest.into_iter().rev() {
                if rows.len() >= limit {
                    return Ok(RowBatch { rows, complete: false });
                }
                // What ends behind `before` was shown already, or lies behind the place that was asked for.
                let (mut batch, mut dropped) = (VecDeque::new(), false);
                match self.resolve_offset(place, meter).map_err(IndexFault::Io)? {
                    OffsetContent::Frame(row, _) => batch.extend(row.filter(|row| row.end <= before).map(|row| *row)),
                    OffsetContent::Scan(range) => {
                        let mut walk = self.log_reader.scan_range(range);
                        let room = limit - rows.len();
                        while let Some(row) =
                            walk.next_row(meter).map_err(IndexFault::Io)?.filter(|row| row.end <= before)
                        {
                            dropped |= push_bounded(&mut batch, row, room);
                        }
                    }
                }
                before = batch.front().map_or(before, |row: &LogRow| row.start).min(place);
                batch.append(&mut rows);
                rows = batch;
                if dropped {
                    return Ok(RowBatch { rows, complete: false });
                }
            }
            if !more {
                return self.prepend_unindexed_rows(rows, limit, meter);
            }
            remembered = (remembered * 4).min(MAX_BACKWARD_OFFSETS);
        }
    }

    /// With what lies before the range of which it knows.
    fn prepend_unindexed_rows(
        &self,
        rows: VecDeque<LogRow>,
        limit: usize,
        meter: &mut ProgressMeter,
    ) -> Result<RowBatch, IndexFault> {
        let floor = self.log_reader.view.log().first_frame_offset();
        if self.covered_range.start <= floor {
            return Ok(RowBatch { rows, complete: true });
        }
        if self.can_stop_early(&rows, self.covered_range.start - floor) {
            return Ok(RowBatch { rows, complete: false });
        }
        let room = limit.saturating_sub(rows.len());
        let RowBatch { rows: mut all, complete } =
            self.log_reader.read_backward(self.covered_range.start, floor, room, meter).map_err(IndexFault::Io)?;
        all.extend(rows);
        Ok(RowBatch { rows: all, complete })
    }

    /// True when so many bytes more are not worth looking at for a page that has rows.
    fn can_stop_early(&self, rows: &VecDeque<LogRow>, bytes: u64) -> bool {
        matches!(self.source, OffsetSource::Hits(_)) && !rows.is_empty() && bytes > MAX_UNINDEXED_SCAN
    }
}

impl IndexedReader<'_> {
    /// Where in `range` something is to be looked at, ascending: hits, or the aggregates' events, and damage.
    fn candidate_offsets(&self, range: Range<u64>) -> Result<OffsetIterator<'_>, IndexFault> {
        let (index, ids) = match self.source {
            OffsetSource::Hits(places) => return Ok(Box::new(places.range(range).map(Ok))),
            OffsetSource::Index(index, ids) => (index, ids),
        };
        let mut sources: Vec<Peekable<OffsetIterator<'_>>> = Vec::new();
        for id in ids {
            let offsets: OffsetIterator = Box::new(index.offsets(*id)?);
            sources.push(offsets.peekable());
        }
        let damage: OffsetIterator = Box::new(index.known_damage().map(|damage| Ok(damage.start)));
        sources.push(damage.peekable());
        let before = range.start;
        let places = std::iter::from_fn(move || {
            let next = |source: &mut Peekable<OffsetIterator>| source.peek().map(|place| *place.as_ref().unwrap_or(&0));
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
    fn resolve_offset(&self, at: u64, meter: &mut ProgressMeter) -> Result<OffsetContent, StorageError> {
        let log = self.log_reader.view.log();
        let mut buf = Vec::new();
        // A device that refuses to read here is asked again by the scan, page by page.
        if let Ok(Some(frame)) = log.read_frame_at(at, &mut buf) {
            let end = at + frame.len();
            let row = self.log_reader.row_filter.frame_row(at, &frame, log.version());
            meter.advance(end, frame.len())?;
            return Ok(OffsetContent::Frame(row.map(Box::new), end));
        }
        Ok(match locate_offset(log, at, self.log_reader.log_end)? {
            OffsetLocation::Damaged(range) | OffsetLocation::InsideFrame(range) | OffsetLocation::FrameStart(range) => {
                OffsetContent::Scan(range)
            }
            OffsetLocation::PastEnd => OffsetContent::Frame(None, at + 1),
        })
    }
}

/// Places, ascending.
type OffsetIterator<'a> = Box<dyn Iterator<Item = Result<u64, IndexFault>> + 'a>;
