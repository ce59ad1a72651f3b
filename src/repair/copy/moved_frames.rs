//! Frames that a donor has at other offsets than the log, such as after a transfer in text mode, in a concatenated file or
//! in a copy without gaps. `docs/repair.md` has the rule by which they are proven, and its reason.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use memchr::memmem;

use super::moved_chain::{FrameChain, MovedRun};
use crate::StorageError;
use crate::file::{HeaderState, LogFile, ScanItem, Scanner};
use crate::format::frame::Frame;
use crate::format::{HeaderBytes, LineEnds};
use crate::inspect::LogView;
use crate::repair::planning::{Donor, Neighbours, RefusalReason};
use crate::repair::types::starts_with;

/// The largest number of damaged ranges whose neighbours are looked up in the donors.
const MAX_RANGES: usize = 1 << 16;
/// Number of bytes at the start of a damaged range that are searched for the header of another log.
const HEADER_SEARCH_BYTES: u64 = 1 << 20;

/// The reason why a part of a range is not taken from a donor that has the frames next to it at other offsets.
pub(super) const NO_TRACE: RefusalReason =
    "it has frames there at other offsets, and their lengths and checksums are not in the damaged bytes";

/// The key by which a frame is looked up: its checksum and its length in bytes. A frame that is found is then compared.
type FrameKey = (u32, u64);

/// The place of a frame in a donor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FramePlace {
    Missing,
    At(u64),
    /// The donor has the frame, or one with the same key, more than once, so that it identifies no place.
    Several,
}

/// The places in the donors of the frames that are next to the damage of a log.
#[derive(Debug)]
pub(super) struct MovedFrames {
    /// One element for each donor, in their order.
    donors: Vec<DonorPlaces>,
}

#[derive(Debug)]
struct DonorPlaces {
    places: BTreeMap<FrameKey, FramePlace>,
    /// True when one of the two files contains the header of the other one.
    has_header: bool,
}

impl MovedFrames {
    /// Reads the log once for the frames next to damage, and each donor once for the places of these frames.
    ///
    /// The frames next to the first 65 536 damaged ranges are found.
    ///
    /// # Errors
    /// `Io`, `Changed`, `OutOfMemory` when a file cannot be read; `Cancelled`.
    pub(super) fn find(view: &LogView, donors: &[Donor]) -> Result<Self, StorageError> {
        let log = view.log();
        let headers: Vec<Option<HeaderBytes>> = donors.iter().map(|donor| valid_header(donor.log())).collect();
        let (mut wanted, mut has_header) = (BTreeMap::new(), vec![false; donors.len()]);
        let (mut previous, mut is_after_damage, mut ranges) = (None, false, 0);
        let mut scanner = Scanner::new(log.clone(), log.first_frame_offset()..log.len()?.max(log.first_frame_offset()));
        while let Some(item) = scanner.next_item()? {
            let range = item.span().range().clone();
            donors.first().map_or(Ok(()), |donor| donor.advance(range.end - range.start))?;
            if let ScanItem::Frame(_, frame) = item {
                let key = key_of(&frame);
                if std::mem::take(&mut is_after_damage) && ranges <= MAX_RANGES {
                    wanted.insert(key, FramePlace::Missing);
                }
                previous = Some(key);
                continue;
            }
            ranges += usize::from(!is_after_damage);
            is_after_damage = true;
            if ranges <= MAX_RANGES {
                wanted.extend(previous.map(|key| (key, FramePlace::Missing)));
            }
            for (found, header) in has_header.iter_mut().zip(&headers) {
                *found = *found || header.is_some_and(|header| contains_header(log, &range, &header));
            }
        }
        let log_header = view.effective_header()?;
        let mut found = Vec::new();
        for (donor, has_header) in donors.iter().zip(has_header) {
            let mut places = DonorPlaces { places: wanted.clone(), has_header };
            places.has_header |= donor.shared_header().is_some();
            places.look_up(donor, log_header)?;
            found.push(places);
        }
        Ok(Self { donors: found })
    }

    /// Returns the proven frames of the first donor that has the most of `range`, a damaged range of the log: the first ones
    /// of the range, the last ones, or both. `None` when no donor has a frame next to the range at another offset.
    ///
    /// Reads as many bytes of each donor as the range has, a few times.
    ///
    /// # Errors
    /// `Io`, `Changed`, `OutOfMemory` when a file cannot be read; `Cancelled`.
    pub(super) fn find_runs(
        &self,
        view: &LogView,
        donors: &[Donor],
        range: &Range<u64>,
    ) -> Result<Option<Vec<MovedRun>>, StorageError> {
        let mut best: Option<(u64, Vec<MovedRun>)> = None;
        for (nth, (donor, places)) in donors.iter().zip(&self.donors).enumerate() {
            if !places.has_header {
                continue;
            }
            let references = places.references(view, donor, range)?;
            let mut runs = references.find_runs(view.log(), donor)?;
            if runs.is_empty() && !references.is_moved() {
                continue;
            }
            for run in &mut runs {
                run.donor = nth;
            }
            let taken = runs.iter().map(|run| run.source.end - run.source.start).sum();
            if best.as_ref().is_none_or(|(most, _)| taken > *most) {
                best = Some((taken, runs));
            }
        }
        Ok(best.map(|(_, runs)| runs))
    }
}

impl DonorPlaces {
    /// Reads the donor for the places of the frames, and for the header of the log in its damaged ranges.
    fn look_up(&mut self, donor: &Donor, log_header: Option<HeaderBytes>) -> Result<(), StorageError> {
        let log = donor.log();
        let first = log.first_frame_offset();
        let mut scanner = Scanner::new(log.clone(), first..log.len()?.max(first));
        while let Some(item) = scanner.next_item()? {
            let range = item.span().range().clone();
            donor.advance(range.end - range.start)?;
            if let ScanItem::Frame(at, frame) = item {
                if let Some(place) = self.places.get_mut(&key_of(&frame)) {
                    *place = if *place == FramePlace::Missing { FramePlace::At(at) } else { FramePlace::Several };
                }
            } else if !self.has_header {
                self.has_header = log_header.is_some_and(|header| contains_header(log, &range, &header));
            }
        }
        Ok(())
    }

    /// Returns the places of the frames of the log directly before and after `range`.
    fn references(&self, view: &LogView, donor: &Donor, range: &Range<u64>) -> Result<MovedReferences, StorageError> {
        let log = view.log();
        let mut references =
            MovedReferences { range: range.clone(), first_frame_at: range.start, before: None, after: None };
        let neighbours = Neighbours::find(log, range, log.len()?)?;
        let mut buf = Vec::new();
        if let Some(before) = neighbours.before
            && let Some(frame) = log.read_frame_at(before.offset, &mut buf)?
            && before.offset + frame.len() == range.start
        {
            references.before = self.place_of(donor.log(), &frame)?.map(|place| place.end);
        } else if range.start == log.first_frame_offset()
            && let Some(header) = donor.shared_header()
        {
            references.before = Some(donor.log().first_frame_offset());
            if starts_with(log, &LineEnds::Translated.convert(&header)) {
                references.first_frame_at = LineEnds::Translated.stored_len(&header);
            }
        }
        if let Some(after) = neighbours.after.filter(|after| after.offset == range.end)
            && let Some(frame) = log.read_frame_at(after.offset, &mut buf)?
        {
            references.after = self.place_of(donor.log(), &frame)?.map(|place| place.start);
        }
        Ok(references)
    }

    /// Returns the range of the donor that has the frame, when it is the only one.
    fn place_of(&self, donor: &LogFile, frame: &Frame) -> Result<Option<Range<u64>>, StorageError> {
        let Some(FramePlace::At(at)) = self.places.get(&key_of(frame)) else { return Ok(None) };
        let mut buf = Vec::new();
        let is_same = donor.read_frame_at(*at, &mut buf)?.is_some_and(|other| other.bytes() == frame.bytes());
        Ok(is_same.then(|| *at..*at + frame.len()))
    }
}

/// A damaged range of the log, and the place of its neighbours in a donor.
struct MovedReferences {
    range: Range<u64>,
    /// Offset in the log of the first frame that is lost. It is after the start of the range when the range starts within a
    /// header whose line ends were translated.
    first_frame_at: u64,
    /// Offset in the donor after the frame, or the header, that is before the range.
    before: Option<u64>,
    /// Offset in the donor of the frame that is after the range.
    after: Option<u64>,
}

impl MovedReferences {
    /// True when the donor has a frame next to the range at another offset than the log.
    fn is_moved(&self) -> bool {
        self.before.is_some_and(|before| before != self.first_frame_at)
            || self.after.is_some_and(|after| after != self.range.end)
    }

    fn find_runs(&self, log: &Arc<LogFile>, donor: &Donor) -> Result<Vec<MovedRun>, StorageError> {
        let lost = self.first_frame_at..self.range.end;
        let len = lost.end.saturating_sub(lost.start);
        if lost.is_empty() && self.before.is_some() && self.before == self.after {
            // The range is the rest of a header.
            let source = self.before.unwrap_or_default()..self.after.unwrap_or_default();
            return Ok(vec![MovedRun::new(source, self.range.clone(), LineEnds::Translated)]);
        }
        if lost.is_empty() || self.before.zip(self.after).is_some_and(|(before, after)| before > after) {
            return Ok(Vec::new());
        }
        let chain = |source: Range<u64>| FrameChain { log, donor, lost: lost.clone(), source };
        let mut runs = Vec::new();
        if let (Some(before), Some(after)) = (self.before, self.after)
            && after - before <= len
            && let Some(whole) = chain(before..after).whole()?
        {
            runs.push(whole);
        } else {
            if let Some(before) = self.before {
                let end = self.after.unwrap_or(donor.log().len()?).min(before.saturating_add(len));
                runs.extend(chain(before..end).first_frames()?);
            }
            if let Some(after) = self.after {
                let first = self.before.unwrap_or(donor.log().first_frame_offset()).max(after.saturating_sub(len));
                runs.extend(chain(first..after).last_frames(runs.first())?);
            }
        }
        if !self.is_moved() {
            // Frames of the same bytes at the same offset are compared by the rule for a donor with the same offsets.
            runs.retain(|run| run.source.end - run.source.start != run.log.end - run.log.start);
        }
        if let Some(run) = runs.first_mut().filter(|run| run.log.start == self.first_frame_at) {
            run.log.start = self.range.start;
        }
        Ok(runs)
    }
}

fn key_of(frame: &Frame) -> FrameKey {
    (frame.checksum(), frame.len())
}

/// Returns the header of a log when it is valid.
fn valid_header(log: &LogFile) -> Option<HeaderBytes> {
    match log.header() {
        HeaderState::Valid(header) => Some(header.encode()),
        _ => None,
    }
}

/// True when the start of a damaged range, or its last bytes, contain the header. Bytes that cannot be read contain nothing.
fn contains_header(log: &LogFile, range: &Range<u64>, header: &[u8]) -> bool {
    let start = range.start..range.end.min(range.start + HEADER_SEARCH_BYTES);
    let end = range.end.saturating_sub(header.len() as u64).max(range.start)..range.end;
    [start, end].into_iter().any(|part| {
        let mut bytes = vec![0; (part.end - part.start) as usize];
        let read = log.read_at(&mut bytes, part.start).unwrap_or_default();
        memmem::find(bytes.get(..read).unwrap_or_default(), header).is_some()
    })
}
