//! Another copy of the log, from which intact ranges can be taken.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::identity::{for_each_chunk, read_neighbour};
use super::neighbours::Neighbours;
use super::preconditions::refused_error;
use super::{Certainty, Neighbour};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::{EventView, gap};
use crate::inspect::LogView;

/// True when a copy has the header that the log should have: a damaged one of the log is no reason against it.
pub(super) fn has_same_header(view: &LogView, donor: &LogView) -> Result<bool, StorageError> {
    let its = donor.header_bytes();
    Ok(donor.log().version() == view.log().version() && its.is_some() && its == view.effective_header()?)
}

/// Another copy of a log, open to be read.
#[derive(Debug)]
pub(super) struct Donor {
    log: Arc<LogFile>,
    has_same_header: bool,
}

/// What a donor has for a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DonorOffer {
    pub(super) certainty: Certainty,
    /// Why it is not proven.
    pub(super) doubt: Option<&'static str>,
    /// Events in the range.
    pub(super) events: u64,
}

/// Valid frames of a donor, none of them a gap, that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameRun {
    /// Behind the last of them.
    pub(super) end: u64,
    /// Events among them.
    pub(super) events: u64,
}

/// Why a donor has nothing for a range, in words that go on from its name.
pub(super) type RefusalReason = &'static str;

impl Donor {
    /// Opens the copy at `path` of the log of `view`.
    ///
    /// # Errors
    /// `Refused` for the log itself, and for a log of another version; `Io`, and what opening fails with.
    pub(super) fn open(view: &LogView, path: &Path) -> Result<Self, StorageError> {
        let donor = LogView::open(view.disk().clone(), path, None)?;
        if donor.path() == view.path() {
            return Err(refused_error(path, "the donor is the log itself".into(), "Name another copy of the log"));
        }
        if donor.log().version() != view.log().version() {
            let why = "the donor is a log of version 0, whose frames have no checksum".into();
            return Err(refused_error(path, why, "Name a copy of version 1"));
        }
        Ok(Self { has_same_header: has_same_header(view, &donor)?, log: donor.log().clone() })
    }

    pub(super) fn path(&self) -> &Path {
        self.log.path()
    }

    pub(super) fn log(&self) -> &LogFile {
        &self.log
    }

    pub(super) const fn has_same_header(&self) -> bool {
        self.has_same_header
    }

    /// What it has for `range`: valid frames that tile it exactly, or why nothing.
    ///
    /// `beside` are the valid frames next to the range in the log; `last` is, at the end of a log that lost its end, the
    /// last frame that the index has seen.
    pub(super) fn offer_for_range(
        &self,
        range: &Range<u64>,
        neighbours: &Neighbours,
        last: Option<(u64, u32)>,
    ) -> Result<Result<DonorOffer, RefusalReason>, StorageError> {
        Ok(match self.read_frames_to(range.start, &[range.end])? {
            Ok((_, held)) if held.end == range.end => Ok(self.assess(range.start, held.events, neighbours, last)?),
            Ok(_) => Err("its frames lie across the end of that"),
            Err(why) => Err(why),
        })
    }

    /// Its frames from `start` to the first of `ends`, ascending, that they reach exactly, and which that is; or to
    /// where they pass the last of them.
    pub(super) fn read_frames_to(
        &self,
        start: u64,
        ends: &[u64],
    ) -> Result<Result<(usize, FrameRun), RefusalReason>, StorageError> {
        let (mut held, mut buf, its_end) = (FrameRun { end: start, events: 0 }, Vec::new(), self.log.len()?);
        loop {
            let nth = ends.partition_point(|end| *end < held.end);
            match ends.get(nth) {
                Some(end) if *end == held.end && held.end > start => return Ok(Ok((nth, held))),
                None => return Ok(Ok((ends.len().saturating_sub(1), held))),
                Some(_) => {}
            }
            match self.advance(&mut held, &mut buf)? {
                Ok(()) => {}
                Err(why) => {
                    let ends_before = ends.first().is_some_and(|end| its_end < *end);
                    return Ok(Err(if ends_before { "it ends before that" } else { why }));
                }
            }
        }
    }

    /// All its frames from `at` on, up to the first place where there is none.
    pub(super) fn read_remaining_frames(&self, at: u64) -> Result<FrameRun, StorageError> {
        let (mut held, mut buf) = (FrameRun { end: at, events: 0 }, Vec::new());
        while self.advance(&mut held, &mut buf)?.is_ok() {}
        Ok(held)
    }

    /// True when it has the same bytes as `log` there.
    pub(super) fn has_same_bytes(&self, log: &LogFile, range: Range<u64>) -> Result<bool, StorageError> {
        let mut same = true;
        for_each_chunk(log, range, &mut |at, bytes| {
            let mut its = vec![0; bytes.len()];
            same &= self.log.read_at(&mut its, at)? == its.len() && its == bytes;
            Ok(())
        })?;
        Ok(same)
    }

    /// That it is another log by its header, where it is.
    pub(super) fn header_mismatch_note(&self) -> Option<String> {
        let told = || format!("the header of {} is another: it may be no copy of this log", self.path().display());
        (!self.has_same_header).then(told)
    }

    /// That it goes on behind the end of `log`, where that is a frame's end in both; or behind what is `taken` of it.
    pub(super) fn extra_frames_note(
        &self,
        log: &Arc<LogFile>,
        taken: Option<u64>,
    ) -> Result<Option<String>, StorageError> {
        let file_end = log.len()?;
        let end = taken.unwrap_or(0).max(file_end);
        if end == file_end {
            let last = Neighbours::find(log, &(end..end), end)?.before;
            let ends_here = match last {
                Some(frame) => {
                    let its = log.read_frame_at(frame.offset, &mut Vec::new())?.map(|its| frame.offset + its.len());
                    its == Some(end) && self.has_frame(frame)?
                }
                None => self.has_same_header && end == log.first_frame_offset(),
            };
            if taken.is_none_or(|taken| taken < end) && !ends_here {
                return Ok(None);
            }
        }
        let FrameRun { end: its_end, events } = self.read_remaining_frames(end)?;
        let told = |bytes| {
            format!(
                "the donor goes on behind this log's end at {end}: {bytes} bytes, {events} events; nothing shows that \
                 this log has lost them"
            )
        };
        Ok((its_end > end).then(|| told(its_end - end)))
    }

    fn advance(&self, held: &mut FrameRun, buf: &mut Vec<u8>) -> Result<Result<(), RefusalReason>, StorageError> {
        let Some(frame) = self.log.read_frame_at(held.end, buf)? else {
            return Ok(Err("it is not intact there either, or has other frames"));
        };
        if gap::is_gap(frame.payload()) {
            return Ok(Err("it has a gap there itself"));
        }
        held.events += u64::from(EventView::parse(frame.payload(), self.log.version()).is_ok());
        held.end += frame.len();
        Ok(Ok(()))
    }

    /// True when it has the same valid frame there.
    pub(super) fn has_frame(&self, frame: Neighbour) -> Result<bool, StorageError> {
        Ok(read_neighbour(&self.log, frame.offset)? == Some(frame))
    }

    /// How certain frames of it that start at `start` are, by what stands beside them: the header, where no valid frame
    /// stands before them.
    pub(super) fn assess(
        &self,
        start: u64,
        events: u64,
        neighbours: &Neighbours,
        last: Option<(u64, u32)>,
    ) -> Result<DonorOffer, StorageError> {
        let last = last.filter(|last| last.0 >= start).map(|(offset, checksum)| Neighbour { offset, checksum });
        let doubt = match (neighbours.before, neighbours.after.or(last)) {
            _ if !self.has_same_header => Some("its header is another"),
            (Some(before), _) if !self.has_frame(before)? => Some("the frame before is another there"),
            (_, None) => Some("no frame behind is known to compare"),
            (_, Some(behind)) if !self.has_frame(behind)? => Some("the frame behind is not the same there"),
            _ => None,
        };
        let certainty = if doubt.is_none() { Certainty::Proven } else { Certainty::Choice };
        Ok(DonorOffer { certainty, doubt, events })
    }
}
