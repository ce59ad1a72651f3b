//! A donor: another copy of a log, from which intact ranges can be taken. Repair and salvage accept the same ranges.
//!
//! A donor's range is proven when the donor has the log's header, the same frames before and after the range, and valid
//! events that tile the range exactly.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::neighbours::Neighbours;
use crate::StorageError;
use crate::file::{LogFile, Scanner};
use crate::format::{EventView, FrameIdentity, gap};
use crate::inspect::LogView;
use crate::repair::types::{Certainty, WorkMeter, for_each_chunk, read_neighbour, refused_error};

/// The reason why a donor's range is refused or not proven: a clause about the donor ("it ends before ...").
pub(crate) type RefusalReason = &'static str;

/// Another copy of a log, opened for reading, with the log that is to be repaired.
#[derive(Debug)]
pub(crate) struct Donor<'a, 'm> {
    /// The file of the donor.
    donor: Arc<LogFile>,
    /// The log that is to be repaired.
    damaged: Arc<LogFile>,
    /// True when the donor has the header that the log has, or should have where it is damaged.
    has_same_header: bool,
    /// Receives the progress of reading the donor.
    meter: &'a WorkMeter<'m>,
}

/// The events that a donor offers for a range, with their certainty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DonorOffer {
    /// `Proven`, or `Choice` when there is a doubt.
    pub(crate) certainty: Certainty,
    /// The reason why the offer is not proven; `None` when it is.
    pub(crate) doubt: Option<RefusalReason>,
    /// Number of events in the range.
    pub(crate) events: u64,
}

/// Consecutive frames of a donor that are all valid events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameRun {
    /// File offset after the last frame.
    pub(super) end: u64,
    /// Number of frames, each with one event.
    pub(super) events: u64,
}

/// A run of frames that was read up to one of several wanted ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RunToEnd {
    pub(super) frames: FrameRun,
    /// Index of the first wanted end at or after the end of the run; the last index when there is none.
    pub(super) end_index: usize,
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
        // Compare with the header that the log should have: its damaged header would differ from that of every copy.
        let header = donor.header_bytes();
        let has_same_header = header.is_some() && header == view.effective_header()?;
        Ok(Self { donor: donor.log().clone(), damaged: view.log().clone(), has_same_header, meter })
    }

    pub(super) fn path(&self) -> &Path {
        self.donor.path()
    }

    pub(super) fn log(&self) -> &LogFile {
        &self.donor
    }

    pub(super) const fn has_same_header(&self) -> bool {
        self.has_same_header
    }

    /// Reads the donor's frames in `range`. Returns an offer when they tile the range exactly, otherwise the reason.
    ///
    /// `neighbours` are the valid frames next to the range in the damaged log. For a lost end, `last_seen` is the
    /// last frame that the index has seen.
    pub(crate) fn offer_for_range(
        &self,
        range: &Range<u64>,
        neighbours: &Neighbours,
        last_seen: Option<FrameIdentity>,
    ) -> Result<Result<DonorOffer, RefusalReason>, StorageError> {
        Ok(match self.read_frames_to(range.start, &[range.end])? {
            Ok(run) if run.frames.end == range.end => {
                Ok(self.rate(range.start, run.frames.events, neighbours, last_seen)?)
            }
            Ok(_) => Err(CROSSES_END),
            Err(reason) => Err(reason),
        })
    }

    /// Returns a scanner over the donor's frames in a range that [`offer_for_range`](Self::offer_for_range) accepted.
    pub(crate) fn scan_frames(&self, range: Range<u64>) -> Scanner {
        Scanner::new(self.donor.clone(), range)
    }

    /// Reads frames from `start` until one ends exactly at one of `ends` (ascending), or after the last of them.
    pub(super) fn read_frames_to(
        &self,
        start: u64,
        ends: &[u64],
    ) -> Result<Result<RunToEnd, RefusalReason>, StorageError> {
        let (mut frames, mut buf) = (FrameRun { end: start, events: 0 }, Vec::new());
        let donor_end = self.donor.len()?;
        loop {
            let end_index = ends.partition_point(|end| *end < frames.end);
            match ends.get(end_index) {
                Some(end) if *end == frames.end && frames.end > start => return Ok(Ok(RunToEnd { frames, end_index })),
                None => return Ok(Ok(RunToEnd { frames, end_index: ends.len().saturating_sub(1) })),
                Some(_) => {}
            }
            if let Err(reason) = self.advance(&mut frames, &mut buf)? {
                let is_too_short = ends.first().is_some_and(|end| donor_end < *end);
                return Ok(Err(if is_too_short { "it ends before the end of the range" } else { reason }));
            }
        }
    }

    /// Reads all frames from `start` to the first offset at which no valid event starts.
    pub(super) fn read_remaining_frames(&self, start: u64) -> Result<FrameRun, StorageError> {
        let (mut frames, mut buf) = (FrameRun { end: start, events: 0 }, Vec::new());
        while self.advance(&mut frames, &mut buf)?.is_ok() {}
        Ok(frames)
    }

    /// Extends a run by the next frame, or returns the reason why that is not possible.
    fn advance(&self, frames: &mut FrameRun, buf: &mut Vec<u8>) -> Result<Result<(), RefusalReason>, StorageError> {
        let Some(frame) = self.donor.read_frame_at(frames.end, buf)? else {
            return Ok(Err("it is damaged there too, or its frames differ"));
        };
        if gap::is_gap(frame.payload()) {
            return Ok(Err("it has a gap there too"));
        }
        if EventView::parse(frame.payload(), self.donor.version()).is_err() {
            return Ok(Err("it has a frame there that is not a valid event"));
        }
        frames.events += 1;
        frames.end += frame.len();
        self.meter.advance(frame.len())?;
        Ok(Ok(()))
    }

    /// Rates frames of the donor that start at `start`, by its header and the frames next to them.
    pub(super) fn rate(
        &self,
        start: u64,
        events: u64,
        neighbours: &Neighbours,
        last_seen: Option<FrameIdentity>,
    ) -> Result<DonorOffer, StorageError> {
        let last_seen = last_seen.filter(|last| last.offset >= start);
        let doubt = match (neighbours.before, neighbours.after, last_seen) {
            _ if !self.has_same_header => Some("its header differs"),
            (Some(before), ..) if !self.has_same_frame(before.offset)? => Some("its frame before the range differs"),
            (_, Some(after), _) if !self.has_same_frame(after.offset)? => Some("its frame after the range differs"),
            (_, None, Some(last)) if read_neighbour(&self.donor, last.offset)? != Some(last) => {
                Some("its last frame differs from the one that the index has seen")
            }
            (_, Some(_), _) | (_, None, Some(_)) => None,
            (_, None, None) => Some("there is no frame after the range to compare with"),
        };
        let certainty = if doubt.is_none() { Certainty::Proven } else { Certainty::Choice };
        Ok(DonorOffer { certainty, doubt, events })
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
        (!self.has_same_header).then(note)
    }

    /// Returns a note for the user when the donor has events after the end of the log, and agrees with the log up to it.
    ///
    /// `taken_to` is the end of the range that the plan takes from the donor at the end of the log.
    pub(super) fn extra_frames_note(&self, taken_to: Option<u64>) -> Result<Option<String>, StorageError> {
        let log_end = self.damaged.len()?;
        let end = taken_to.unwrap_or(0).max(log_end);
        let is_same_up_to_end = end > log_end || taken_to == Some(end) || self.ends_like_log(log_end)?;
        if !is_same_up_to_end {
            return Ok(None);
        }
        let extra = self.read_remaining_frames(end)?;
        let note = || {
            format!(
                "the donor continues after this log's end at {end}: {} bytes, {} events; nothing shows that this log \
                 has lost them",
                extra.end - end,
                extra.events
            )
        };
        Ok((extra.end > end).then(note))
    }

    /// True when the log ends with a valid frame that the donor has too, or with the header.
    fn ends_like_log(&self, log_end: u64) -> Result<bool, StorageError> {
        match Neighbours::find(&self.damaged, &(log_end..log_end), log_end)?.before {
            Some(last) => {
                let frame_end =
                    self.damaged.read_frame_at(last.offset, &mut Vec::new())?.map(|frame| last.offset + frame.len());
                Ok(frame_end == Some(log_end) && self.has_same_frame(last.offset)?)
            }
            None => Ok(self.has_same_header && log_end == self.damaged.first_frame_offset()),
        }
    }
}

/// The refusal when the donor has valid frames, and none of them ends at the end of the range.
pub(super) const CROSSES_END: RefusalReason = "its frames do not end where the range ends";
