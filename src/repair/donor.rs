//! Another copy of the log, from which intact ranges can be taken.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::Certainty;
use super::identity::neighbour;
use super::neighbours::Beside;
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
    /// Events in the range.
    pub(super) events: u64,
}

impl Donor {
    /// Opens the copy at `path` of the log of `view`.
    pub(super) fn open(view: &LogView, path: &Path) -> Result<Self, StorageError> {
        let donor = LogView::open(view.disk().clone(), path, None)?;
        Ok(Self { same_header: has_same_header(view, &donor)?, log: donor.log().clone() })
    }

    pub(super) fn path(&self) -> &Path {
        self.log.path()
    }

    pub(super) fn log(&self) -> &LogFile {
        &self.log
    }

    /// What it has for `range`: valid frames that tile it exactly, or nothing.
    ///
    /// `beside` are the valid frames next to the range in the log; `last` is, at the end of a log that lost its end, the
    /// last frame that the index has seen.
    pub(super) fn offer(
        &self,
        range: &Range<u64>,
        beside: &Beside,
        last: Option<(u64, u32)>,
    ) -> Result<Option<Offer>, StorageError> {
        let (mut at, mut events, mut last_frame) = (range.start, 0, None);
        let mut buf = Vec::new();
        while at < range.end {
            let Some(frame) = self.log.frame_at(at, &mut buf)? else { return Ok(None) };
            if gap::is_gap(frame.payload()) {
                // It has lost the range itself.
                return Ok(None);
            }
            events += u64::from(EventView::parse(frame.payload(), self.log.version()).is_ok());
            last_frame = Some((at, frame.checksum()));
            at += frame.len();
        }
        if at != range.end || range.is_empty() {
            return Ok(None);
        }
        let before = match beside.before {
            Some(frame) => neighbour(&self.log, frame.offset)? == Some(frame),
            None => range.start == self.log.first_frame(),
        };
        let after = match (beside.after, last) {
            (Some(frame), _) => neighbour(&self.log, frame.offset)? == Some(frame),
            (None, Some(last)) => last_frame == Some(last),
            (None, None) => false,
        };
        let certainty = if self.same_header && before && after { Certainty::Proven } else { Certainty::Choice };
        Ok(Some(Offer { certainty, events }))
    }
}
