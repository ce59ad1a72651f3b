//! Verifies only the ranges of a log that an earlier verification does not cover.

use std::iter;
use std::ops::Range;

use super::LogView;
use super::run_survey::survey;
use super::survey::{OnSurveyUpdate, Survey, SurveyOptions};
use crate::StorageError;
use crate::file::{OffsetLocation, locate_offset};
use crate::index::{AggregateIndex, MAX_DAMAGED_RANGES};

/// Returns the ranges of a log of `len` bytes whose survey gives the findings of a survey of the whole log.
///
/// These are the ranges that are not verified according to `index`, and the verified ranges with damage, with frames that
/// are not events, or with times that decrease. The ranges are ascending. Each starts at a frame or a damaged range, the
/// first one with the header; the last one ends with the log.
pub fn unverified_ranges(index: &AggregateIndex, len: u64) -> Vec<Range<u64>> {
    let Some(verified) = index
        .verification_mark()
        .filter(|_| index.covers_log_start() && index.build_damage().len() < MAX_DAMAGED_RANGES)
    else {
        return iter::once(0..len).collect();
    };
    // When the log has lost its end, its present end may be inside a frame. Reading then starts at the anchor before it.
    let last_anchor = || index.anchor_before(len).map_or(0, |anchor| anchor.offset);
    let verified_to = if verified.verified_to <= len { verified.verified_to } else { last_anchor() };
    let mut places: Vec<Range<u64>> = index.known_damage().collect();
    let mut blocks = index.blocks().peekable();
    // The previous block is read too, because a time is compared with the time of the event before it.
    let mut previous_block = 0;
    while let Some(block) = blocks.next() {
        if block.has_non_events || block.has_out_of_order_times {
            places.push(previous_block..blocks.peek().map_or(verified_to, |next| next.anchor.offset));
        }
        previous_block = block.anchor.offset;
    }
    places.retain(|place| place.start < verified_to);
    places.sort_unstable_by_key(|place| place.start);
    let first = index.blocks().next().map_or(verified_to, |block| block.anchor.offset).min(verified_to);
    let mut ranges: Vec<Range<u64>> = iter::once(0..first).collect();
    for place in places.into_iter().chain(iter::once(verified_to..len)) {
        match ranges.last_mut().filter(|last| place.start <= last.end) {
            Some(last) => last.end = last.end.max(place.end),
            None => ranges.push(place),
        }
    }
    ranges
}

/// Surveys each of `ranges`, and merges the results. `len` is the size of the log for which the ranges were determined.
///
/// A range that ends at `len` is read to the present end of the log. A range that starts at 0 includes the header.
///
/// # Errors
/// See [`survey()`](super::survey()).
pub fn survey_ranges(
    view: &LogView,
    ranges: &[Range<u64>],
    len: u64,
    options: &SurveyOptions,
    on_update: &mut OnSurveyUpdate,
) -> Result<Survey, StorageError> {
    let mut all = Survey::default();
    for range in ranges {
        let from = (range.start > 0).then(|| enclosing_start(view, range.start, len)).transpose()?;
        let until = (range.end < len).then_some(range.end);
        let next = survey(view, &SurveyOptions { from, until, ..options.clone() }, None, on_update)?;
        all = all.merge(next);
    }
    Ok(all)
}

/// Returns the start of the frame or damaged range that contains `offset` now; the log may have changed since the offset
/// was recorded.
pub(crate) fn enclosing_start(view: &LogView, offset: u64, len: u64) -> Result<u64, StorageError> {
    Ok(match locate_offset(view.log(), offset, len)? {
        OffsetLocation::FrameStart(range) | OffsetLocation::InsideFrame(range) | OffsetLocation::Damaged(range) => {
            range.start
        }
        OffsetLocation::PastEnd => offset,
    })
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::file::OsDisk;
    use crate::log::EventLog;
    use crate::sample::{GeneratorOptions, LogLength, generate};

    #[test]
    fn verified_ranges_are_read_again_only_where_they_contain_more_than_ordered_events() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let options =
            GeneratorOptions { length: LogLength::Bytes(1 << 20), aggregates: 50, ..GeneratorOptions::default() };
        generate(&OsDisk, &path, &options, &mut |_| ControlFlow::Continue(())).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[600_000] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let unverified = || {
            let view = EventLog::open_read_only(&path).unwrap().view().clone();
            let index = view.clone().load_index();
            unverified_ranges(&index, view.log().len().unwrap())
        };
        let len = bytes.len() as u64;
        assert_eq!(unverified().first(), Some(&(0..len)), "nothing is known");
        EventLog::open_read_only(&path).unwrap().save_index().unwrap();
        let known = unverified();
        assert!(known.iter().any(|range| range.contains(&600_000)), "{known:?}");
        assert!(known.contains(&(0..16)) && known.contains(&(len..len)), "{known:?}");
        assert!(known.iter().map(|range| range.end - range.start).sum::<u64>() < 2000, "{known:?}");
        // A block in which a gap replaced the damage is read again, and so are bytes that were appended.
        let damaged = known[1].clone();
        let gap = format!("{:<width$}", "{\"$gap\":{}}", width = (damaged.end - damaged.start) as usize - 8);
        let mut frame = Vec::new();
        crate::format::frame::encode(gap.as_bytes(), &mut frame);
        bytes.splice(damaged.start as usize..damaged.end as usize, frame);
        std::fs::write(&path, &bytes).unwrap();
        let mut log = EventLog::open_read_only(&path).unwrap();
        log.reindex_from(0).unwrap();
        log.save_index().unwrap();
        let more = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&more, &more[16..443]].concat()).unwrap();
        let known = unverified();
        assert!(known.iter().any(|range| range.start < damaged.start && range.end > damaged.end), "{known:?}");
        assert_eq!(known.last(), Some(&(len..len + 427)));
        assert!(known.iter().map(|range| range.end - range.start).sum::<u64>() < 60_000, "{known:?}");
        // A block with a time that decreases is read again, together with the event before it.
        EventLog::open_read_only(&path).unwrap().save_index().unwrap();
        let known = unverified();
        assert!(known.iter().any(|range| range.start < len - 1000 && range.end >= len + 427), "{known:?}");
    }
}
