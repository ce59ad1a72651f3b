//! Reads pages of rows at known offsets: an index or hits list the offsets, and the rows are read from the log.

use std::collections::VecDeque;
use std::ops::Range;

use super::index_merge::{IndexIterator, aggregate_offsets, merge_ascending};
use super::log_reader::{LogReader, push_bounded};
use super::offset_list::OffsetList;
use super::progress_meter::ProgressMeter;
use super::row::{LogRow, RowBatch};
use crate::StorageError;
use crate::file::{OffsetLocation, locate_offset};
use crate::format::{DamageKind, Finding};
use crate::index::{AggregateIndex, IndexFault, MAX_DAMAGED_RANGES};

/// Number of candidate offsets that a backward read first keeps in memory.
const INITIAL_BACKWARD_OFFSETS: usize = 1024;
/// Largest number of candidate offsets that a backward read keeps in memory.
const MAX_BACKWARD_OFFSETS: usize = 1 << 18;
/// Largest number of bytes outside the covered range that are scanned for a page through hits. When more bytes remain, the
/// page ends at the end of the covered range.
const MAX_UNINDEXED_SCAN: u64 = 1 << 20;

/// Reads rows at the offsets that an index or hits list.
pub(super) struct IndexedReader<'a> {
    log_reader: LogReader<'a>,
    source: OffsetSource<'a>,
    /// The range in which the source lists every row that the filter shows.
    covered_range: Range<u64>,
}

/// The source of the offsets.
enum OffsetSource<'a> {
    /// An index, which lists the events of these aggregates.
    Index(&'a AggregateIndex, &'a [u64]),
    /// The hits of the filter.
    Hits(&'a OffsetList),
}

/// The content of the log at a candidate offset.
enum OffsetContent {
    /// A frame that ends at `end`, with its row when the filter shows it.
    Frame { row: Option<Box<LogRow>>, end: u64 },
    /// Damage, or a frame that contains the offset; its rows have to be scanned.
    Scan(Range<u64>),
}

/// The candidate offsets nearest to the end of a range.
struct LastCandidates {
    /// The candidate offsets, ascending.
    offsets: VecDeque<u64>,
    /// True when the range has more candidates before these.
    has_more: bool,
}

/// The rows of a backward read at candidate offsets, collected from the last to the first.
struct BackwardRows {
    rows: VecDeque<LogRow>,
    /// Rows that end after this offset are already collected, or come after the requested offset.
    before: u64,
    limit: usize,
}

/// The outcome of adding the rows at an offset.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PrependOutcome {
    /// All rows were added.
    AllRows,
    /// Some rows did not fit into the limit.
    LimitReached,
}

impl<'a> IndexedReader<'a> {
    /// Creates a reader over the events of the filter's aggregates.
    ///
    /// Returns `None` when the index cannot list every row that the filter shows: the filter names no aggregates, or shows
    /// gaps or invalid events, which the index only counts, or the index has reached its limit of damaged ranges.
    pub(super) fn from_index(
        log_reader: LogReader<'a>,
        index: &'a AggregateIndex,
    ) -> Result<Option<Self>, StorageError> {
        let filter = log_reader.row_filter.filter;
        let Some(ids) = filter.aggregate_ids() else {
            return Ok(None);
        };
        let coverage = index.coverage();
        let shows = |kind| filter.matches_finding(&Finding::new(kind, 0..u64::MAX));
        let invalid_events = coverage.frames.saturating_sub(coverage.events + coverage.gaps);
        let has_unlisted_rows =
            (coverage.gaps > 0 && shows(DamageKind::Gap)) || (invalid_events > 0 && shows(DamageKind::InvalidEvent));
        // No index lists the ranges that were given up. Entries of the settings that do not count only cost time here.
        let segments = log_reader.view.segments().filter(|_| shows(DamageKind::Lost));
        let has_lost_ranges = segments.is_some_and(|segments| !segments.lost_parts(&(0..u64::MAX)).is_empty());
        if has_unlisted_rows
            || has_lost_ranges
            || index.build_damage().len() >= MAX_DAMAGED_RANGES
            || coverage.frames == 0
            || !index.covers_log_start()
        {
            return Ok(None);
        }
        let covered_to = if coverage.covered_to <= log_reader.log_end {
            coverage.covered_to
        } else {
            log_reader.damaged_tail_start()?
        };
        let covered_range = 0..covered_to.min(log_reader.read_end);
        Ok(Some(Self { log_reader, source: OffsetSource::Index(index, ids), covered_range }))
    }

    /// Creates a reader over hits that list every row in `covered_range`, which must not end after the log.
    pub(super) const fn from_hits(
        log_reader: LogReader<'a>,
        offsets: &'a OffsetList,
        covered_range: Range<u64>,
    ) -> Self {
        Self { log_reader, source: OffsetSource::Hits(offsets), covered_range }
    }

    /// Reads up to `limit` rows after the header: the row that contains `from` or starts there, and the rows after it.
    ///
    /// # Errors
    /// `Cancelled`, `Io`, `Changed`, `OutOfMemory` inside [`IndexFault::Io`]; another fault when the index is corrupt.
    pub(super) fn read_forward(
        &self,
        from: u64,
        limit: usize,
        meter: &mut ProgressMeter,
    ) -> Result<RowBatch, IndexFault> {
        let incomplete = |rows| Ok(RowBatch { rows, complete: false });
        let start = self.log_reader.enclosing_start(from).map_err(IndexFault::Io)?;
        let mut rows = VecDeque::new();
        let mut position = start;
        for offset in self.candidate_offsets(start..self.covered_range.end) {
            let offset = offset?;
            if offset < position {
                // The offset is inside damage whose rows are already collected.
                continue;
            }
            if rows.len() >= limit {
                return incomplete(rows);
            }
            match self.read_offset(offset, meter).map_err(IndexFault::Io)? {
                OffsetContent::Frame { row, end } => {
                    position = end;
                    rows.extend(row.filter(|row| row.end > from).map(|row| *row));
                }
                OffsetContent::Scan(range) => {
                    position = range.end;
                    let mut scanner = self.log_reader.scan_range(range);
                    while let Some(row) = scanner.next_row(meter).map_err(IndexFault::Io)? {
                        if row.end > from && rows.len() >= limit {
                            return incomplete(rows);
                        }
                        rows.extend(Some(row).filter(|row| row.end > from));
                    }
                }
            }
        }
        if self.can_stop_early(&rows, self.log_reader.read_end.saturating_sub(self.covered_range.end)) {
            return incomplete(rows);
        }
        let rest = self
            .log_reader
            .read_forward(from.max(self.covered_range.end), limit - rows.len(), meter)
            .map_err(IndexFault::Io)?;
        rows.extend(rest.rows);
        Ok(RowBatch { rows, complete: rest.complete })
    }

    /// Reads up to `limit` rows that end at or before `from`, back to the start of the log.
    ///
    /// # Errors
    /// See [`IndexedReader::read_forward`].
    pub(super) fn read_backward(
        &self,
        from: u64,
        limit: usize,
        meter: &mut ProgressMeter,
    ) -> Result<RowBatch, IndexFault> {
        let mut rows = VecDeque::new();
        let covered_end = self.covered_range.end;
        if from >= covered_end {
            let found = self.log_reader.read_backward(from, covered_end, limit, meter).map_err(IndexFault::Io)?;
            if !found.complete {
                return Ok(found);
            }
            rows = found.rows;
        }
        let mut collected = BackwardRows { rows, before: from.min(covered_end), limit };
        let mut max_offsets = INITIAL_BACKWARD_OFFSETS;
        loop {
            let candidates = self.last_candidates(collected.before, max_offsets)?;
            for offset in candidates.offsets.into_iter().rev() {
                let is_full = collected.rows.len() >= limit;
                if is_full || self.prepend_rows_at(offset, &mut collected, meter)? == PrependOutcome::LimitReached {
                    return Ok(RowBatch { rows: collected.rows, complete: false });
                }
            }
            if !candidates.has_more {
                return self.prepend_unindexed_rows(collected.rows, limit, meter);
            }
            max_offsets = (max_offsets * 4).min(MAX_BACKWARD_OFFSETS);
        }
    }

    /// Returns at most `max_offsets` candidates, the last ones before an offset.
    ///
    /// All candidates before the offset are read, because an index lists offsets only in ascending order.
    fn last_candidates(&self, before: u64, max_offsets: usize) -> Result<LastCandidates, IndexFault> {
        let mut last = LastCandidates { offsets: VecDeque::new(), has_more: false };
        for offset in self.candidate_offsets(self.covered_range.start..before) {
            last.offsets.push_back(offset?);
            if last.offsets.len() > max_offsets {
                last.has_more |= last.offsets.pop_front().is_some();
            }
        }
        Ok(last)
    }

    /// Inserts the rows at an offset before the collected rows. When not all fit into the limit, the last ones are inserted.
    fn prepend_rows_at(
        &self,
        offset: u64,
        collected: &mut BackwardRows,
        meter: &mut ProgressMeter,
    ) -> Result<PrependOutcome, IndexFault> {
        let before = collected.before;
        let mut batch = VecDeque::new();
        let mut has_dropped_rows = false;
        match self.read_offset(offset, meter).map_err(IndexFault::Io)? {
            OffsetContent::Frame { row, .. } => batch.extend(row.filter(|row| row.end <= before).map(|row| *row)),
            OffsetContent::Scan(range) => {
                let mut scanner = self.log_reader.scan_range(range);
                let available = collected.limit - collected.rows.len();
                while let Some(row) = scanner.next_row(meter).map_err(IndexFault::Io)?.filter(|row| row.end <= before) {
                    has_dropped_rows |= push_bounded(&mut batch, row, available);
                }
            }
        }
        collected.before = batch.front().map_or(before, |row: &LogRow| row.start).min(offset);
        batch.append(&mut collected.rows);
        collected.rows = batch;
        Ok(if has_dropped_rows { PrependOutcome::LimitReached } else { PrependOutcome::AllRows })
    }

    /// Adds the rows before the covered range, unless the page has rows and that part of the log is too long to scan.
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
        let available = limit.saturating_sub(rows.len());
        let RowBatch { rows: mut all, complete } =
            self.log_reader.read_backward(self.covered_range.start, floor, available, meter).map_err(IndexFault::Io)?;
        all.extend(rows);
        Ok(RowBatch { rows: all, complete })
    }

    /// True when a page through hits has rows, and ends early instead of scanning `unindexed_bytes`.
    fn can_stop_early(&self, rows: &VecDeque<LogRow>, unindexed_bytes: u64) -> bool {
        matches!(self.source, OffsetSource::Hits(_)) && !rows.is_empty() && unindexed_bytes > MAX_UNINDEXED_SCAN
    }

    /// Iterates over the offsets in `range` at which rows may start, ascending: hits, or events and known damage.
    fn candidate_offsets(&self, range: Range<u64>) -> IndexIterator<'_, u64> {
        let (index, ids) = match self.source {
            OffsetSource::Hits(offsets) => return Box::new(offsets.range(range).map(Ok)),
            OffsetSource::Index(index, ids) => (index, ids),
        };
        let mut sources: Vec<IndexIterator<'_, u64>> = ids.iter().map(|id| aggregate_offsets(index, *id)).collect();
        sources.push(Box::new(index.known_damage().map(|damage| Ok(damage.start))));
        let offsets = merge_ascending(sources, |offset| *offset);
        let Range { start, end } = range;
        let is_before_start = move |offset: &Result<u64, IndexFault>| matches!(offset, Ok(offset) if *offset < start);
        let is_before_end =
            move |offset: &Result<u64, IndexFault>| offset.as_ref().map_or(true, |offset| *offset < end);
        Box::new(offsets.skip_while(is_before_start).take_while(is_before_end))
    }

    /// Reads the log at an offset. The content may differ from what the index or the hits recorded there.
    fn read_offset(&self, offset: u64, meter: &mut ProgressMeter) -> Result<OffsetContent, StorageError> {
        let log = self.log_reader.view.log();
        let mut buf = Vec::new();
        // An unreadable sector is not an error here: the range is then located and scanned below.
        if let Ok(Some(frame)) = log.read_frame_at(offset, &mut buf) {
            let end = offset + frame.len();
            let row = self.log_reader.row_filter.frame_row(offset, &frame, log.version());
            meter.advance(end, frame.len())?;
            return Ok(OffsetContent::Frame { row: row.map(Box::new), end });
        }
        Ok(match locate_offset(log, offset, self.log_reader.log_end)? {
            OffsetLocation::Damaged(range) | OffsetLocation::InsideFrame(range) | OffsetLocation::FrameStart(range) => {
                OffsetContent::Scan(range)
            }
            OffsetLocation::PastEnd => OffsetContent::Frame { row: None, end: offset + 1 },
        })
    }
}
