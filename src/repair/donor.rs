//! Another copy of the log, from which intact ranges can be taken.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::guard::refused;
use super::identity::{each_chunk, neighbour};
use super::neighbours::Beside;
use super::{Certainty, Neighbour};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::{EventView, gap};
use crate::inspect::LogView;

/// True when a copy has the header that the log should have: a damaged one of the log is no reason against it.
pub(super) fn has_same_header(view: &LogView, donor: &LogView) -> Result<bool, StorageError> {
    let its = donor.header_bytes();
    Ok(donor.log().version() == view.log().version() && its.is_some() && its == view.right_header()?)
}

/// Another copy of a log, open to be read.
#[derive(Debug)]
pub(super) struct Donor {
    log: Arc<LogFile>,
    same_header: bool,
}

/// What a donor has for a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) certainty: Certainty,
    /// Why it is not proven.
    pub(super) doubt: Option<&'static str>,
    /// Events in the range.
    pub(super) events: u64,
}

/// Valid frames of a donor, none of them a gap, that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    /// Behind the last of them.
    pub(super) end: u64,
    /// Events among them.
    pub(super) events: u64,
}

/// Why a donor has nothing for a range, in words that go on from its name.
pub(super) type Why = &'static str;

impl Donor {
    /// Opens the copy at `path` of the log of `view`.
    ///
    /// # Errors
    /// `Refused` for the log itself, and for a log of another version; `Io`, and what opening fails with.
    pub(super) fn open(view: &LogView, path: &Path) -> Result<Self, StorageError> {
        let donor = LogView::open(view.disk().clone(), path, None)?;
        if donor.path() == view.path() {
            return Err(refused(path, "the donor is the log itself".into(), "Name another copy of the log"));
        }
        if donor.log().version() != view.log().version() {
            let why = "the donor is a log of version 0, whose frames have no checksum".into();
            return Err(refused(path, why, "Name a copy of version 1"));
        }
        Ok(Self { same_header: has_same_header(view, &donor)?, log: donor.log().clone() })
    }

    pub(super) fn path(&self) -> &Path {
        self.log.path()
    }

    pub(super) fn log(&self) -> &LogFile {
        &self.log
    }

    pub(super) const fn has_same_header(&self) -> bool {
        self.same_header
    }

    /// What it has for `range`: valid frames that tile it exactly, or why nothing.
    ///
    /// `beside` are the valid frames next to the range in the log; `last` is, at the end of a log that lost its end, the
    /// last frame that the index has seen.
    pub(super) fn offer(
        &self,
        range: &Range<u64>,
        beside: &Beside,
        last: Option<(u64, u32)>,
    ) -> Result<Result<Offer, Why>, StorageError> {
        Ok(match self.frames(range.start, &[range.end])? {
            Ok((_, held)) if held.end == range.end => Ok(self.judge(range.start, held.events, beside, last)?),
            Ok(_) => Err("its frames lie across the end of that"),
            Err(why) => Err(why),
        })
    }

    /// Its frames from `start` to the first of `ends`, ascending, that they reach exactly, and which that is; or to
    /// where they pass the last of them.
    pub(super) fn frames(&self, start: u64, ends: &[u64]) -> Result<Result<(usize, Held), Why>, StorageError> {
        let (mut held, mut buf, its_end) = (Held { end: start, events: 0 }, Vec::new(), self.log.len()?);
        loop {
            let nth = ends.partition_point(|end| *end < held.end);
            match ends.get(nth) {
                Some(end) if *end == held.end && held.end > start => return Ok(Ok((nth, held))),
                None => return Ok(Ok((ends.len().saturating_sub(1), held))),
                Some(_) => {}
            }
            match self.next(&mut held, &mut buf)? {
                Ok(()) => {}
                Err(why) => {
                    let ends_before = ends.first().is_some_and(|end| its_end < *end);
                    return Ok(Err(if ends_before { "it ends before that" } else { why }));
                }
            }
        }
    }

    /// All its frames from `at` on, up to the first place where there is none.
    pub(super) fn rest(&self, at: u64) -> Result<Held, StorageError> {
        let (mut held, mut buf) = (Held { end: at, events: 0 }, Vec::new());
        while self.next(&mut held, &mut buf)?.is_ok() {}
        Ok(held)
    }

    /// True when it has the same bytes as `log` there.
    pub(super) fn agrees(&self, log: &LogFile, range: Range<u64>) -> Result<bool, StorageError> {
        let mut same = true;
        each_chunk(log, range, &mut |at, bytes| {
            let mut its = vec![0; bytes.len()];
            same &= self.log.read(&mut its, at)? == its.len() && its == bytes;
            Ok(())
        })?;
        Ok(same)
    }

    /// That it is another log by its header, where it is.
    pub(super) fn stranger(&self) -> Option<String> {
        let told = || format!("the header of {} is another: it may be no copy of this log", self.path().display());
        (!self.same_header).then(told)
    }

    /// That it goes on behind the end of `log`, where that is a frame's end in both; or behind what is `taken` of it.
    pub(super) fn goes_on(&self, log: &Arc<LogFile>, taken: Option<u64>) -> Result<Option<String>, StorageError> {
        let file_end = log.len()?;
        let end = taken.unwrap_or(0).max(file_end);
        if end == file_end {
            let last = Beside::of(log, &(end..end), end)?.before;
            let ends_here = match last {
                Some(frame) => {
                    let its = log.frame_at(frame.offset, &mut Vec::new())?.map(|its| frame.offset + its.len());
                    its == Some(end) && self.has(frame)?
                }
                None => self.same_header && end == log.first_frame(),
            };
            if taken.is_none_or(|taken| taken < end) && !ends_here {
                return Ok(None);
            }
        }
        let Held { end: its_end, events } = self.rest(end)?;
        let told = |bytes| {
            format!(
                "the donor goes on behind this log's end at {end}: {bytes} bytes, {events} events; nothing shows that \
                 this log has lost them"
            )
        };
        Ok((its_end > end).then(|| told(its_end - end)))
    }

    fn next(&self, held: &mut Held, buf: &mut Vec<u8>) -> Result<Result<(), Why>, StorageError> {
        let Some(frame) = self.log.frame_at(held.end, buf)? else {
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
    pub(super) fn has(&self, frame: Neighbour) -> Result<bool, StorageError> {
        Ok(neighbour(&self.log, frame.offset)? == Some(frame))
    }

    /// How certain frames of it that start at `start` are, by what stands beside them: the header, where no valid frame
    /// stands before them.
    pub(super) fn judge(
        &self,
        start: u64,
        events: u64,
        beside: &Beside,
        last: Option<(u64, u32)>,
    ) -> Result<Offer, StorageError> {
        let last = last.filter(|last| last.0 >= start).map(|(offset, checksum)| Neighbour { offset, checksum });
        let doubt = match (beside.before, beside.after.or(last)) {
            _ if !self.same_header => Some("its header is another"),
            (Some(before), _) if !self.has(before)? => Some("the frame before is another there"),
            (_, None) => Some("no frame behind is known to compare"),
            (_, Some(behind)) if !self.has(behind)? => Some("the frame behind is not the same there"),
            _ => None,
        };
        let certainty = if doubt.is_none() { Certainty::Proven } else { Certainty::Choice };
        Ok(Offer { certainty, doubt, events })
    }
}
