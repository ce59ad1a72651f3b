//! The segments of a log: a view of one of them, the findings about their headers, and the merged content of their indexes.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::LogView;
use super::log_header::{DamagedHeader, ExpectedHeader, HeaderSource};
use super::missing_segments::lost_ranges;
use crate::StorageError;
use crate::file::{ScanSpan, SegmentCondition, SegmentSet, spans_before};
use crate::format::header::{LogHeader, MAX_HEADER_LEN};
use crate::format::{DamageKind, Evidence, Finding, HeaderBytes, LostRange, SegmentHeader, gap};
use crate::index::{AggregateIndex, IndexState};

impl LogView {
    /// Returns the segments of a log that is a folder; `None` for a log in one file and for one segment.
    pub fn segments(&self) -> Option<&dyn SegmentSet> {
        self.log().storage().segments().filter(|segments| !segments.is_single_segment())
    }

    /// Returns the bases of the segments, ascending; none for a log in one file and for one segment.
    pub fn segment_bases(&self) -> Vec<u64> {
        self.segments().map_or_else(Vec::new, SegmentSet::bases)
    }

    /// Opens one segment of this log with its own index. Its offsets are those of the log.
    ///
    /// # Errors
    /// `Io` when the segment is missing or cannot be read.
    pub fn segment_view(&self, base: u64) -> Result<Self, StorageError> {
        let not_found = || std::io::Error::from(std::io::ErrorKind::NotFound);
        let (path, storage) = match self.segments() {
            Some(segments) => (segments.segment_path(base), segments.open_segment(base)),
            None => (self.path().to_owned(), Err(not_found())),
        };
        let storage = storage.map_err(|error| StorageError::io(&path, "open", error))?;
        Self::from_storage(self.disk().clone(), &path, storage, None)
    }

    /// Returns the ranges of the log that a repair has given up and that no segment has, ascending; none for a log in one file.
    pub fn lost_ranges(&self) -> Vec<LostRange> {
        self.segments().map(lost_ranges).unwrap_or_default()
    }

    /// Returns the findings at the start of the segment at `base` that no frame shows: about the bytes after the end of the
    /// segment before it, about its header, and about its order.
    pub(super) fn segment_findings(&self, base: u64) -> Vec<Finding> {
        let Some(segments) = self.segments() else { return Vec::new() };
        let excess = base.checked_sub(1).and_then(|last| excess_finding(segments, segments.segment_at(last).base));
        if segments.segment_at(base).condition != SegmentCondition::Present {
            return Vec::from_iter(excess);
        }
        if let Some(cut) = self.cut_header_finding(base) {
            return excess.into_iter().chain([cut]).collect();
        }
        let header = self.segment_view(base).ok().and_then(|segment| {
            if segment.has_unreadable_header() {
                return Some(Finding::new(DamageKind::Unreadable, segment.log().header_range()));
            }
            segment.header_finding().or_else(|| self.order_finding(base, &segment))
        });
        excess.into_iter().chain(header).collect()
    }

    /// Returns the finding that the segment at `base` does not follow the one before it: it has another number, or was created
    /// after another last frame.
    fn order_finding(&self, base: u64, segment: &Self) -> Option<Finding> {
        let found = segment.segment_header()?;
        let previous = self.segment_view(self.segments()?.base_before(base)?).ok()?;
        let number = previous.segment_header()?.number;
        // The segments between both can be lost, so numbers can be left out.
        let reason = if found.number <= number {
            format!("its number is {}, after segment {number}", found.number)
        } else {
            // A repair can have replaced the last frame by a gap.
            let last = last_frame(&previous, base).ok()?.filter(|last| !last.is_gap)?;
            if last.checksum == found.prev_checksum {
                return None;
            }
            let (stored, checksum) = (found.prev_checksum, last.checksum);
            format!(
                "it was created after a frame with the checksum {stored:08x}, and the frame before it has {checksum:08x}"
            )
        };
        let evidence = Evidence { reason: Some(reason), ..Evidence::default() };
        Some(Finding::new(DamageKind::Header, segment.log().header_range()).with_evidence(evidence))
    }

    /// Returns the damaged header at `start`, which is the start of the log or of a segment; `None` when it is not damaged, or when
    /// nothing shows what it was.
    ///
    /// The header of a segment is corrected by its own checksum or its index, or composed from the segments next to it: a
    /// creation time that is not known becomes that of the first event.
    ///
    /// # Errors
    /// `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
    pub(crate) fn damaged_header_at(&self, start: u64) -> Result<Option<DamagedHeader>, StorageError> {
        if self.segments().is_none() {
            let expected = self.expected_header()?;
            return Ok(self.header_bytes().zip(expected).map(|(found, expected)| DamagedHeader { found, expected }));
        }
        let segment = self.segment_view(start)?;
        if let Some(found) = self.cut_header(start)? {
            let indexed = self.header_in_index(start).map(|header| ExpectedHeader {
                bytes: header.encode(),
                source: HeaderSource::Index,
                is_proven: false,
            });
            let expected = match indexed {
                Some(expected) => Some(expected),
                None => self.header_from_neighbours(start, &segment, &found)?,
            };
            return Ok(expected.map(|expected| DamagedHeader { found, expected }));
        }
        let Some(found) = segment.header_bytes() else { return Ok(None) };
        let expected = segment
            .expected_header()?
            .filter(|expected| matches!(expected.source, HeaderSource::HeaderChecksum | HeaderSource::Index));
        let expected = match expected {
            Some(expected) => Some(expected),
            None => self.header_from_neighbours(start, &segment, &found)?,
        };
        Ok(expected.map(|expected| DamagedHeader { found, expected }))
    }

    /// Returns the finding that the file of the segment at `base` ends within the header; `None` when it does not, and when an index
    /// shows that the log has lost its end there.
    fn cut_header_finding(&self, base: u64) -> Option<Finding> {
        let bounds = self.segments()?.segment_at(base);
        let first_frame = bounds.first_frame();
        let is_last = bounds.end == u64::MAX;
        let data_end = if is_last { self.log().len().ok()? } else { bounds.data_end };
        // A file that is no segment can have a name within the segment before it.
        let is_segment = bounds.base == base && bounds.condition == SegmentCondition::Present;
        let is_lost_end = is_last && self.seen_end().offset().is_some_and(|end| end > data_end);
        if !is_segment || is_lost_end || !(base..first_frame).contains(&data_end) {
            return None;
        }
        let header_len = first_frame - base;
        let reason =
            format!("the file of the segment ends after {} of the {header_len} bytes of a header", data_end - base);
        let evidence = Evidence { reason: Some(reason), ..Evidence::default() };
        let end = if is_last { data_end } else { first_frame };
        Some(Finding::new(DamageKind::Header, base..end).with_evidence(evidence))
    }

    /// Returns the bytes of the header of a segment whose file ends within it, with zeros for those that the file does not
    /// have; `None` for other segments.
    fn cut_header(&self, base: u64) -> Result<Option<HeaderBytes>, StorageError> {
        if self.cut_header_finding(base).is_none() {
            return Ok(None);
        }
        let mut found = [0; MAX_HEADER_LEN];
        self.log().read_at(&mut found, base)?;
        Ok(Some(HeaderBytes::from_start_of(&found)))
    }

    /// Composes the header of the segment at `base` from the segment before it, or else the one after it.
    fn header_from_neighbours(
        &self,
        base: u64,
        segment: &Self,
        found: &[u8],
    ) -> Result<Option<ExpectedHeader>, StorageError> {
        let Some(segments) = self.segments() else { return Ok(None) };
        let view_at = |base: Option<u64>| base.and_then(|base| self.segment_view(base).ok());
        let previous = view_at(segments.base_before(base));
        let with_header = |view: LogView| view.segment_header().map(|header| (header, view));
        let before = previous.clone().and_then(with_header);
        let after = view_at(segments.base_from(base.saturating_add(1))).and_then(with_header);
        // Other segments can be missing between this one and its neighbours.
        let is_complete = |offset: u64| segments.segment_at(offset).missing().is_empty();
        let is_adjacent = base.checked_sub(1).is_some_and(is_complete) || !is_complete(base);
        let next_number = before.as_ref().map(|(header, _)| header.number.saturating_add(1));
        let number = after.as_ref().and_then(|(header, _)| header.number.checked_sub(1));
        let number = next_number.filter(|_| is_adjacent).or(number).or(next_number);
        // The last segment says where the log starts.
        let stated = before.as_ref().filter(|_| after.is_some()).map(|(header, _)| header.log_start);
        let log_start = stated.unwrap_or_else(|| segments.log_start());
        let Some(number) = number else { return Ok(None) };
        // The frames of a segment can be read without its header.
        let prev_checksum = match &previous {
            Some(view) => last_frame(view, base)?.map_or(0, |last| last.checksum),
            None => 0,
        };
        // A segment without an event was created after the one before it.
        let neighbour_time = before.as_ref().or(after.as_ref()).and_then(|(_, view)| view.created_at_ms());
        let Some(created_at_ms) = segment.find_creation_time(found)?.or(neighbour_time) else { return Ok(None) };
        let header = SegmentHeader { log_id: segments.log_id(), base, number, prev_checksum, log_start };
        let bytes = LogHeader { flags: 0, created_at_ms, segment: Some(header) }.encode();
        Ok((bytes.as_ref() != found).then_some(ExpectedHeader {
            bytes,
            source: HeaderSource::OtherSegments,
            is_proven: false,
        }))
    }

    /// Returns the fields of version 2 in the header of the log or segment, when it can be decoded.
    pub(crate) fn segment_header(&self) -> Option<SegmentHeader> {
        LogHeader::decode(&self.header_bytes()?).ok()?.segment
    }

    /// Returns the state of the indexes of a log in segments whose last segment has no index: that of the newest index there is.
    /// Opens only segments that have one.
    pub(super) fn newest_index_state(&self) -> Result<IndexState, StorageError> {
        let Some(segments) = self.segments() else { return Ok(IndexState::Missing) };
        let (first, last) = (segments.base_from(0), segments.base_before(u64::MAX));
        let is_before_last = |base: &u64| first <= Some(*base) && Some(*base) < last;
        for base in segments.index_bases().into_iter().rev().filter(is_before_last) {
            let Ok(segment) = self.segment_view(base) else { continue };
            match segment.index_state() {
                IndexState::Missing => {}
                IndexState::Fresh => {
                    let bytes = self.log().len()?.saturating_sub(segment.log().len()?);
                    return Ok(IndexState::Behind { bytes });
                }
                state => return Ok(state.clone()),
            }
        }
        Ok(IndexState::Missing)
    }

    /// Adds the indexes of the segments after the end of `index`, as far as each covers its whole segment.
    ///
    /// An index that cannot be used ends the addition; its segment is then read.
    pub(super) fn add_segment_indexes(&self, index: &mut AggregateIndex) {
        let Some(segments) = self.segments() else { return };
        let bases = segments.bases();
        for (at, base) in bases.iter().enumerate() {
            let coverage = index.coverage();
            let is_next = coverage.scanned_to == *base || (at == 0 && coverage.frames == 0);
            if !is_next {
                if coverage.scanned_to > *base {
                    continue;
                }
                // A range that was given up has no events.
                if !is_given_up(segments, &(coverage.scanned_to..*base)) {
                    return;
                }
                index.set_scanned_to(*base);
            }
            let Ok(segment) = self.segment_view(*base) else { return };
            let Some(stored) = segment.trusted_index() else { return };
            let loaded = AggregateIndex::from_persisted(stored).and_then(|index| index.into_one_of_many(self.disk()));
            let Ok(mut loaded) = loaded else { return };
            let is_complete = bases.get(at + 1).is_none_or(|next| loaded.coverage().scanned_to == *next);
            loaded.set_log_header(index.log_header());
            let start = if at == 0 { 0 } else { *base };
            if !is_complete && loaded.coverage().frames == 0 || index.merge(loaded.starting_at(start)).is_err() {
                return;
            }
        }
    }
}

/// True when a repair has given up the whole range.
fn is_given_up(segments: &dyn SegmentSet, range: &Range<u64>) -> bool {
    let mut at = range.start;
    for lost in segments.lost_parts(range) {
        at = if lost.start == at { lost.end } else { at };
    }
    at == range.end
}

/// Returns the finding that the file of the sealed segment at `base` has bytes after its end; `None` when it has none.
fn excess_finding(segments: &dyn SegmentSet, base: u64) -> Option<Finding> {
    let excess = segments.excess_bytes(base);
    let end = segments.segment_at(base).end;
    let reason = format!("the file of the segment has {excess} bytes after offset {end}, where the next one starts");
    let evidence = Evidence { reason: Some(reason), excess_bytes: Some(excess), ..Evidence::default() };
    (excess > 0).then(|| Finding::new(DamageKind::Garbage, end..end).with_evidence(evidence))
}

/// The merged indexes of the segments of a log, once they were needed. A clone does not share what is loaded later.
#[derive(Debug, Default)]
pub(super) struct SegmentIndexCell(Mutex<Option<Arc<AggregateIndex>>>);

impl SegmentIndexCell {
    /// Returns the index, which `load` creates when there is none.
    pub(super) fn get_or_load(&self, load: impl FnOnce() -> AggregateIndex) -> Arc<AggregateIndex> {
        if let Some(index) = self.lock().clone() {
            return index;
        }
        // The index refers to its view, which is cloned while it is loaded, so the mutex is not held meanwhile.
        let loaded = Arc::new(load());
        self.lock().get_or_insert(loaded).clone()
    }

    /// Drops the index.
    pub(super) fn clear(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<AggregateIndex>>> {
        // A panic while the mutex is held leaves the index or none.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clone for SegmentIndexCell {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.lock().clone()))
    }
}

/// The last frame of a segment.
struct LastFrame {
    checksum: u32,
    is_gap: bool,
}

/// Returns the frame of a segment that ends at `end`; `None` when none does.
fn last_frame(segment: &LogView, end: u64) -> Result<Option<LastFrame>, StorageError> {
    let log = segment.log();
    let mut buf = Vec::new();
    Ok(match spans_before(log, end.min(log.len()?), 1)?.pop() {
        Some(ScanSpan::Frame(Range { start, end: frame_end })) if frame_end == end => log
            .read_frame_at(start, &mut buf)?
            .map(|frame| LastFrame { checksum: frame.checksum(), is_gap: gap::is_gap(frame.payload()) }),
        _ => None,
    })
}
