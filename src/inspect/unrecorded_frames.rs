//! Valid frames of a log that are not those that its index has recorded in their place.
//!
//! A checksum of version 1 covers neither the offset of a frame nor the identity of its log. A range of old or foreign bytes
//! can therefore contain valid frames, and only the index, or another copy, shows that other frames were there.

use std::collections::BTreeMap;
use std::ops::Range;

use super::LogView;
use crate::StorageError;
use crate::file::{ScanItem, Scanner};
use crate::format::{EventView, gap};
use crate::index::{AggregateIndex, IndexFault, MAX_DAMAGED_RANGES};

/// Largest number of recorded events that are compared with the log.
const MAX_COMPARED_EVENTS: u64 = 1 << 20;
/// Largest number of aggregates that a range lists.
const MAX_LISTED_AGGREGATES: usize = 1000;

/// Consecutive valid frames of a log that are not those that its index has recorded there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnrecordedFrames {
    /// File offset of the first byte of the first frame.
    pub(crate) start: u64,
    /// File offset after the last byte of the last frame.
    pub(crate) end: u64,
    /// Number of the frames.
    pub(crate) frames: u64,
    /// Number of events that the index has recorded in the range and that the log no longer has.
    pub(crate) missing_events: u64,
    /// The aggregates of these events, ascending: the first 1000.
    pub(crate) missing_aggregates: Vec<u64>,
}

/// Compares valid frames of the log with the index, in the blocks of the index that overlap `suspect` and in those in
/// `scanned` whose first frame is not the recorded one. Without an index of the log, nothing is compared. The ranges must be
/// ascending.
///
/// Reads these blocks, the first frame of each block in `scanned`, and the aggregates of the index. Cells with more than a
/// million events in all are not compared beyond this number.
///
/// # Errors
/// `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
pub(crate) fn find_unrecorded_frames(
    view: &LogView,
    scanned: &[Range<u64>],
    suspect: &[Range<u64>],
) -> Result<Vec<UnrecordedFrames>, StorageError> {
    let Some(index) = view.trusted_content() else {
        return Ok(Vec::new());
    };
    if index.build_damage().len() >= MAX_DAMAGED_RANGES {
        // Not every range is listed in which the index knows no frames.
        return Ok(Vec::new());
    }
    let blocks = suspect_blocks(view, &index, scanned, suspect)?;
    if blocks.is_empty() {
        return Ok(Vec::new());
    }
    match RecordedEvents::read(&index, &blocks) {
        Ok(recorded) => blocks.iter().try_fold(Vec::new(), |mut found, block| {
            found.append(&mut recorded.compare(view, &index, block)?);
            Ok(found)
        }),
        Err(IndexFault::Io(error)) => Err(error),
        // An index that cannot be read shows nothing. Its state reports the fault.
        Err(_) => Ok(Vec::new()),
    }
}

/// Returns the parts of the log to compare: whole blocks of the index, ascending. Adjacent blocks are one part.
fn suspect_blocks(
    view: &LogView,
    index: &AggregateIndex,
    scanned: &[Range<u64>],
    suspect: &[Range<u64>],
) -> Result<Vec<Range<u64>>, StorageError> {
    let anchors: Vec<_> = index.blocks().map(|block| &block.anchor).collect();
    let ends = anchors.iter().skip(1).map(|anchor| anchor.offset).chain([index.coverage().covered_to]);
    let mut parts: Vec<Range<u64>> = Vec::new();
    let (mut buf, mut events) = (Vec::new(), 0);
    let mut previous: Option<Range<u64>> = None;
    for (nth, (anchor, end)) in anchors.iter().zip(ends).enumerate() {
        let block = anchor.offset..end;
        let is_scanned = overlaps(scanned, &block);
        let has_anchor = !is_scanned
            || view
                .log()
                .read_frame_at(block.start, &mut buf)?
                .is_some_and(|frame| frame.checksum() == anchor.checksum);
        if !has_anchor || overlaps(suspect, &block) {
            let next_ordinal = anchors.get(nth + 1).map_or(index.coverage().events, |next| next.ordinal);
            events += next_ordinal.saturating_sub(anchor.ordinal);
            if events > MAX_COMPARED_EVENTS {
                break;
            }
            // A frame that hides the first frame of a block starts in the block before it.
            let start = previous.filter(|_| !has_anchor).map_or(block.start, |previous| previous.start);
            match parts.last_mut().filter(|last| start <= last.end) {
                Some(last) => last.end = block.end,
                None => parts.push(start..block.end),
            }
        }
        previous = Some(block);
    }
    Ok(parts)
}

/// True when one of the ascending `ranges` has a byte in common with `block`.
fn overlaps(ranges: &[Range<u64>], block: &Range<u64>) -> bool {
    let first = ranges.partition_point(|range| range.end <= block.start);
    ranges.get(first).is_some_and(|range| range.start < block.end)
}

/// The events that an index has recorded in some parts of the log.
struct RecordedEvents {
    /// The aggregates of the events, by their offsets.
    aggregates: BTreeMap<u64, u64>,
    /// True when every event of the index belongs to an aggregate, so that the offsets of all of them are known.
    is_complete: bool,
}

impl RecordedEvents {
    fn read(index: &AggregateIndex, parts: &[Range<u64>]) -> Result<Self, IndexFault> {
        let (mut aggregates, mut events) = (BTreeMap::new(), 0);
        for summary in index.iter() {
            let summary = summary?;
            events += summary.events;
            if overlaps(parts, &(summary.first..summary.last + 1)) {
                for offset in index.offsets(summary.id)? {
                    let offset = offset?;
                    if overlaps(parts, &(offset..offset + 1)) {
                        aggregates.insert(offset, summary.id);
                    }
                }
            }
        }
        Ok(Self { aggregates, is_complete: events >= index.coverage().events })
    }

    /// Returns the unrecorded frames of one part.
    fn compare(
        &self,
        view: &LogView,
        index: &AggregateIndex,
        part: &Range<u64>,
    ) -> Result<Vec<UnrecordedFrames>, StorageError> {
        let mut found: Vec<UnrecordedFrames> = Vec::new();
        let log = view.log();
        let mut scanner = Scanner::new(log.clone(), part.start..log.len()?.max(part.start));
        while scanner.position() < part.end
            && let Some(item) = scanner.next_item()?
        {
            let ScanItem::Frame(at, frame) = item else { continue };
            let (range, payload) = (at..at + frame.len(), frame.payload());
            // The index has no frames in a range that was damaged when it was built.
            if at >= part.end || gap::is_gap(payload) || overlaps(index.build_damage(), &range) {
                continue;
            }
            let Ok(event) = EventView::parse(payload, log.version()) else { continue };
            let anchor = index.anchor_before(at).filter(|anchor| anchor.offset == at);
            let is_recorded = match (event.aggregate_id(), self.aggregates.get(&at)) {
                (Some(id), Some(recorded)) => id == *recorded,
                (None, None) if !self.is_complete => true,
                _ => false,
            };
            if is_recorded && anchor.is_none_or(|anchor| anchor.checksum == frame.checksum()) {
                continue;
            }
            let missing = self.aggregates.range(range.clone()).map(|(_, aggregate)| *aggregate).collect();
            let next = UnrecordedFrames::of_frame(&range, missing);
            match found.last_mut().filter(|last| last.end == next.start) {
                Some(last) => last.join(next),
                None => found.push(next),
            }
        }
        Ok(found)
    }
}

impl UnrecordedFrames {
    /// Returns one frame. `missing` has the aggregate of each event that the index has recorded in its range.
    fn of_frame(range: &Range<u64>, missing: Vec<u64>) -> Self {
        let missing_events = missing.len() as u64;
        let missing_aggregates = list_aggregates(missing);
        Self { start: range.start, end: range.end, frames: 1, missing_events, missing_aggregates }
    }

    /// Describes the frames in one sentence without its full stop.
    pub(crate) fn describe(&self) -> String {
        let Self { start, end, frames, missing_events, .. } = self;
        let missing = match (missing_events, self.missing_aggregates.len()) {
            (0, _) => String::new(),
            (1, _) => "; 1 event that it has recorded there is missing".into(),
            (events, 1) => format!("; {events} events of 1 aggregate that it has recorded there are missing"),
            (events, n) => format!("; {events} events of {n} aggregates that it has recorded there are missing"),
        };
        let plural = if *frames == 1 { "" } else { "s" };
        format!("{start}..{end}: {frames} valid frame{plural} that the index has not recorded{missing}")
    }

    /// Adds the frames that follow.
    fn join(&mut self, next: Self) {
        self.end = next.end;
        self.frames += next.frames;
        self.missing_events += next.missing_events;
        let aggregates = std::mem::take(&mut self.missing_aggregates);
        self.missing_aggregates = list_aggregates([aggregates, next.missing_aggregates].concat());
    }
}

/// Returns the aggregates of a range as it lists them: each once, ascending, and no more than the limit.
fn list_aggregates(mut aggregates: Vec<u64>) -> Vec<u64> {
    aggregates.sort_unstable();
    aggregates.dedup();
    aggregates.truncate(MAX_LISTED_AGGREGATES);
    aggregates
}
