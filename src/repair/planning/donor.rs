//! A donor: another copy of a log, from which valid events are taken frame by frame. Repair and salvage take the same
//! frames.
//!
//! Frames are proven by *references*: the valid frames of the log next to the damaged range, and the frames that the
//! index has recorded. `docs/repair.md` has the rule and its reason.

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::Arc;

use super::donor_runs::{DonorRun, DonorSearch, References, WantedRange};
use super::donor_walk::{Link, Walk};
use super::neighbours::Neighbours;
use crate::StorageError;
use crate::file::{LogFile, ScanItem, Scanner};
use crate::format::{EventView, FrameIdentity, HeaderBytes, LineEnds, LogHeader, gap};
use crate::inspect::{
    DiffListing, DiffUpdate, DifferenceKind, HeaderSource, LogDifference, LogView, can_be_start_of_header, diff_files,
};
use crate::repair::types::{WorkMeter, for_each_chunk, read_neighbour, refused_error, starts_with};

/// Another copy of a log, opened for reading, with the log that is to be repaired.
#[derive(Debug)]
pub(crate) struct Donor<'a, 'm> {
    /// The file of the donor.
    donor: Arc<LogFile>,
    /// The log that is to be repaired.
    damaged: Arc<LogFile>,
    /// The donor's header, when it is the one that the log has, or should have where it is damaged.
    shared_header: Option<HeaderBytes>,
    /// Receives the progress of reading the donor.
    meter: &'a WorkMeter<'m>,
}

impl<'a, 'm> Donor<'a, 'm> {
    /// Opens the copy at `path` of the log of `view`.
    ///
    /// # Errors
    /// `Refused` when it is the log itself, or a log of another version; `Io`, and the errors of opening a log.
    pub(crate) fn open(view: &LogView, path: &Path, meter: &'a WorkMeter<'m>) -> Result<Self, StorageError> {
        let donor = LogView::open(view.disk().clone(), path, None)?;
        if donor.path() == view.path() {
            return Err(refused_error(path, "the donor is the log itself".into(), "Name another copy of the log"));
        }
        let (version, expected) = (donor.log().version().number(), view.log().version().number());
        if version != expected {
            let reason = format!("the donor is a log of version {version}, and this log is of version {expected}");
            return Err(refused_error(path, reason, "Name a copy of the same version"));
        }
        if donor.log().format() != view.log().format() {
            let reason = "the donor is another log: its id differs from that of this log".to_owned();
            return Err(refused_error(path, reason, "Name a copy of this log"));
        }
        let mut opened = Self { donor: donor.log().clone(), damaged: view.log().clone(), shared_header: None, meter };
        if let Some(header) = donor.intact_header()
            && opened.is_header_of_log(view, header)?
        {
            opened.shared_header = Some(header);
        }
        Ok(opened)
    }

    /// True when `header`, the intact header of the donor, is the one that the log has, or should have where it is damaged.
    fn is_header_of_log(&self, view: &LogView, header: HeaderBytes) -> Result<bool, StorageError> {
        // A transfer in text mode has moved the last bytes of a header that contains 0a.
        let translated = LineEnds::Translated.convert(&header);
        if translated.len() > header.len() && starts_with(&self.damaged, &translated) {
            return Ok(true);
        }
        if let Some(segments) = self.damaged.storage().segments() {
            // The first segments of two copies differ when one of them was removed.
            let found = LogHeader::decode(&header).ok().and_then(|header| header.segment);
            return Ok(found.is_some_and(|found| found.log_id == segments.log_id()));
        }
        // A damaged header would differ from that of every copy, so the header that the log should have is compared.
        if let Some(effective) = view.effective_header()? {
            let expected = view.expected_header()?;
            let is_guess = expected.is_some_and(|expected| expected.source == HeaderSource::FirstEvent);
            return Ok(effective == header || (is_guess && self.has_first_event_of_log()?));
        }
        // Neither an event of the log nor its index shows what the header was. A copy with the same creation time, or with
        // the same events, has it.
        let has_same_time = view.header_bytes().is_some_and(|found| found.get(8..16) == header.get(8..16));
        if has_same_time || can_be_start_of_header(view.log(), &header)? {
            return Ok(true);
        }
        Ok(view.log().version().has_header() && self.has_first_event_of_log()?)
    }

    /// True when the first readable event of the log is the same in the donor. Reads the log up to this event.
    fn has_first_event_of_log(&self) -> Result<bool, StorageError> {
        let first = self.damaged.first_frame_offset();
        let mut scanner = Scanner::new(self.damaged.clone(), first..self.damaged.len()?.max(first));
        while let Some(item) = scanner.next_item()? {
            let range = item.span().range().clone();
            self.meter.advance(range.end - range.start)?;
            if let ScanItem::Frame(at, frame) = item
                && EventView::parse(frame.payload(), self.damaged.version()).is_ok()
            {
                return self.has_same_frame(at);
            }
        }
        Ok(false)
    }

    pub(super) fn path(&self) -> &Path {
        self.donor.path()
    }

    /// Returns the file of the donor.
    pub(crate) const fn log(&self) -> &Arc<LogFile> {
        &self.donor
    }

    pub(super) const fn has_same_header(&self) -> bool {
        self.shared_header.is_some()
    }

    /// Returns the donor's header, when it is the one that the log has, or should have where it is damaged.
    pub(crate) const fn shared_header(&self) -> Option<HeaderBytes> {
        self.shared_header
    }

    /// Reports that `bytes` more bytes of the log or of the donor were read.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(crate) fn advance(&self, bytes: u64) -> Result<(), StorageError> {
        self.meter.advance(bytes)
    }

    /// Returns a scanner over the donor's frames in the range of a run.
    pub(crate) fn scan_frames(&self, range: Range<u64>) -> Scanner {
        Scanner::new(self.donor.clone(), range)
    }

    /// Finds the donor's valid events in a wanted range, each run rated by the references.
    pub(super) fn find_runs(&self, wanted: &WantedRange, references: &References) -> Result<DonorSearch, StorageError> {
        let first = self.donor.first_frame_offset();
        let mut walk = Walk::new(wanted, first);
        if wanted.range.start < first {
            let header = wanted.range.start..first.min(wanted.range.end);
            if self.has_same_header() {
                walk.push(header, 0);
            } else if self.damaged.len()? < first {
                // A donor with another header has other frames too, and no frame of the log shows the opposite.
                return Ok(DonorSearch::default());
            } else {
                walk.add_miss(header, "its header differs");
            }
        }
        let Neighbours { before, after } = references.neighbours;
        let is_before_same = before.map_or(Ok(true), |before| self.has_same_frame(before.offset))?;
        let is_after_same = after.map(|after| self.has_same_frame(after.offset)).transpose()?;
        walk.left = if is_before_same { Link::Agrees } else { Link::Differs };
        let start = before.filter(|_| is_before_same).map_or(first, |before| before.offset);
        let start = if is_before_same { start } else { wanted.range.start.max(first) };
        let end = after.map_or(wanted.range.end, |after| after.offset.max(wanted.range.start));
        let donor_end = self.donor.len()?;
        self.walk_frames(&mut walk, start..end.min(donor_end), references.recorded)?;
        let last = match is_after_same {
            Some(true) => Link::Agrees,
            Some(false) => Link::Differs,
            None => Link::Broken,
        };
        walk.close(if donor_end < end { Link::Broken } else { last });
        walk.add_miss(donor_end..wanted.open_after.unwrap_or(wanted.range.end), "it ends before the end of the range");
        let all_doubt = match () {
            () if !self.has_same_header() => Some("its header differs"),
            () if !is_before_same => Some("its frame before the range differs"),
            () => None,
        };
        let last_recorded = references.recorded.last().filter(|last| last.offset >= wanted.range.start);
        let found_last = last_recorded.map(|last| read_neighbour(&self.donor, last.offset)).transpose()?;
        let end_doubt = match (is_after_same, found_last) {
            (Some(_), _) => "its frame after the range differs",
            (None, Some(Some(_))) => "its last frame differs from the one that the index has seen",
            (None, Some(None)) => "it does not have the last frame that the index has seen",
            (None, None) => "there is no frame after the range to compare with",
        };
        let compared_to = if is_after_same == Some(true) { u64::MAX } else { walk.agreed_to };
        for run in &mut walk.found.runs {
            let doubt = (run.range.start >= compared_to).then_some(end_doubt);
            run.doubt = all_doubt.or(doubt).or(run.doubt);
        }
        Ok(walk.found)
    }

    /// Adds the donor's frames in `range`, and compares them with the recorded ones.
    fn walk_frames(&self, walk: &mut Walk, range: Range<u64>, recorded: &[FrameIdentity]) -> Result<(), StorageError> {
        let mut scanner = Scanner::new(self.donor.clone(), range);
        // The header that the donor has instead of the last bytes of the log is followed by its frames.
        let is_crossing = |run: &DonorRun, end| run.range.start <= end && end < run.range.end;
        let mut crosses_end =
            walk.wanted.open_after.is_some_and(|end| walk.found.runs.iter().any(|run| is_crossing(run, end)));
        while let Some(item) = scanner.next_item()? {
            let span = item.span();
            let range = span.range().clone();
            let is_after = walk.wanted.open_after.is_some_and(|end| range.start >= end);
            if is_after && !crosses_end {
                break;
            }
            self.meter.advance(range.end - range.start)?;
            let ScanItem::Frame(at, frame) = item else {
                walk.add_miss(range, "it is damaged there too, or its frames differ");
                walk.close(Link::Broken);
                if is_after {
                    break;
                }
                continue;
            };
            let from = recorded.partition_point(|frame| frame.offset < range.start);
            let to = recorded.partition_point(|frame| frame.offset < range.end);
            let identity = FrameIdentity { offset: at, checksum: frame.checksum() };
            let link = match recorded.get(from..to).unwrap_or_default() {
                [] => None,
                [one] if *one == identity => Some(Link::Agrees),
                _ => Some(Link::Differs),
            };
            let refusal = if link == Some(Link::Differs) {
                Some("its frame there is not the one that the index has recorded")
            } else if gap::is_gap(frame.payload()) {
                Some("it has a gap there too")
            } else if EventView::parse(frame.payload(), self.donor.version()).is_err() {
                Some("it has a frame there that is not a valid event")
            } else {
                None
            };
            match refusal {
                Some(reason) => walk.add_miss(range.clone(), reason),
                None if walk.is_wanted(&range) => {
                    crosses_end |= walk.wanted.open_after.is_some_and(|end| range.start < end && end < range.end);
                    walk.push(range.clone(), 1);
                }
                None => {}
            }
            if let Some(link) = link {
                walk.close(link);
                walk.agreed_to = if link == Link::Agrees { range.end } else { walk.agreed_to };
            }
        }
        Ok(())
    }

    /// True when the donor and the damaged log have the same valid frame at `offset`.
    fn has_same_frame(&self, offset: u64) -> Result<bool, StorageError> {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        let frame = self.damaged.read_frame_at(offset, &mut one)?.map(|frame| frame.bytes());
        Ok(frame.is_some() && frame == self.donor.read_frame_at(offset, &mut other)?.map(|frame| frame.bytes()))
    }

    /// True when the donor and the damaged log have the same bytes in `range`.
    pub(super) fn has_same_bytes(&self, range: Range<u64>) -> Result<bool, StorageError> {
        let mut is_same = true;
        for_each_chunk(&self.damaged, range, self.meter, &mut |at, bytes| {
            let mut donor_bytes = vec![0; bytes.len()];
            is_same &= self.donor.read_at(&mut donor_bytes, at)? == bytes.len() && donor_bytes == bytes;
            Ok(())
        })?;
        Ok(is_same)
    }

    /// Returns a note for the user when the donor's header differs.
    pub(super) fn header_mismatch_note(&self) -> Option<String> {
        let note = || format!("{} has another header, so it may not be a copy of this log", self.path().display());
        (!self.has_same_header()).then(note)
    }

    /// Returns a note for the user when valid frames of the log and of the donor overlap and differ. Reads both files.
    pub(crate) fn differing_frames_note(&self) -> Result<Option<String>, StorageError> {
        if !self.has_same_header() {
            return Ok(None);
        }
        let (mut differing, mut ends): (u64, Option<(u64, u64)>) = (0, None);
        let (mut only_in_log, mut only_in_donor): (Option<LogDifference>, Option<LogDifference>) = (None, None);
        let comparison = diff_files(&self.damaged, &self.donor, DiffListing::First, &mut |update| {
            let (DiffUpdate::Difference(difference) | DiffUpdate::Unlisted(difference)) = update else {
                return self.meter.advance(0).map_or(ControlFlow::Break(()), ControlFlow::Continue);
            };
            let frame = match difference.kind {
                DifferenceKind::Frame => Some(difference.clone()),
                DifferenceKind::OnlyInA => {
                    only_in_log = Some(difference.clone());
                    only_in_log.clone().filter(|log| only_in_donor.as_ref().is_some_and(|donor| donor.end > log.start))
                }
                DifferenceKind::OnlyInB => {
                    only_in_donor = Some(difference.clone());
                    // A frame of the log before it is counted when the first frame that overlaps it follows.
                    only_in_log.take_if(|log| log.end > difference.start)
                }
                _ => None,
            };
            if let Some(LogDifference { start, end, .. }) = frame
                && ends.is_none_or(|(_, counted_to)| start >= counted_to)
            {
                differing += 1;
                ends = Some((ends.map_or(start, |(first, _)| first), end));
            }
            ControlFlow::Continue(())
        })?;
        let path = self.path().display();
        if comparison.unrelated.is_some() {
            return Ok(Some(format!(
                "{path} has other events than the log from the first one on: it is no copy of this log"
            )));
        }
        let frames = if differing == 1 { "1 valid frame".into() } else { format!("{differing} valid frames") };
        Ok(ends.map(|(start, end)| {
            format!(
                "{start}..{end}: the log has {frames} where {path} has other valid frames; none of them is \
                 changed: `chronicle diff` lists them"
            )
        }))
    }

    /// Returns a note for the user when the donor ends before `wanted_end`, the last offset for which frames are wanted.
    pub(super) fn reach_note(&self, wanted_end: u64) -> Result<Option<String>, StorageError> {
        let donor_end = self.donor.len()?;
        let note = || {
            let missing = wanted_end - donor_end;
            format!("{} ends at {donor_end}, {missing} bytes before {wanted_end}", self.path().display())
        };
        Ok((donor_end < wanted_end).then(note))
    }

    /// Returns a note for the user when the donor has events after the end of the log, and agrees with the log up to it.
    ///
    /// `taken_to` is the end of the range that the plan takes from the donor at the end of the log, and `seen_end` the end that the
    /// log has had by its index.
    pub(super) fn extra_frames_note(
        &self,
        taken_to: Option<u64>,
        seen_end: Option<u64>,
    ) -> Result<Option<String>, StorageError> {
        let log_end = self.damaged.len()?;
        let end = taken_to.unwrap_or(0).max(log_end);
        let is_same_up_to_end = end > log_end || taken_to == Some(end) || self.ends_like_log(log_end)?;
        if !is_same_up_to_end {
            return Ok(None);
        }
        let (extra_end, events) = self.read_remaining_events(end)?;
        let lost = if seen_end.is_some_and(|seen| seen > end) {
            "the index shows that this log has lost its end, which this plan does not restore"
        } else {
            "nothing shows that this log has lost them"
        };
        let note = || {
            format!(
                "the donor continues after this log's end at {end}: {} bytes, {events} events; {lost}",
                extra_end - end
            )
        };
        Ok((extra_end > end).then(note))
    }

    /// Reads the frames from `start` to the first offset at which no valid event starts. Returns this offset, and the
    /// number of events.
    fn read_remaining_events(&self, start: u64) -> Result<(u64, u64), StorageError> {
        let (mut end, mut events) = (start, 0);
        let mut scanner = Scanner::new(self.donor.clone(), start..self.donor.len()?.max(start));
        while let Some(ScanItem::Frame(_, frame)) = scanner.next_item()? {
            let is_event = EventView::parse(frame.payload(), self.donor.version()).is_ok();
            if gap::is_gap(frame.payload()) || !is_event {
                break;
            }
            (end, events) = (end + frame.len(), events + 1);
            self.meter.advance(frame.len())?;
        }
        Ok((end, events))
    }

    /// True when the log ends with a valid frame that the donor has too, or with the header.
    fn ends_like_log(&self, log_end: u64) -> Result<bool, StorageError> {
        match Neighbours::find(&self.damaged, &(log_end..log_end), log_end)?.before {
            Some(last) => {
                let frame_end =
                    self.damaged.read_frame_at(last.offset, &mut Vec::new())?.map(|frame| last.offset + frame.len());
                Ok(frame_end == Some(log_end) && self.has_same_frame(last.offset)?)
            }
            None => Ok(self.has_same_header() && log_end == self.damaged.first_frame_offset()),
        }
    }
}
