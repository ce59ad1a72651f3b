//! Another copy of the same log, from which damaged ranges are taken when it can be shown to be one.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::StorageError;
use crate::file::{Disk, LogFile, ScanItem, Scanner};
use crate::format::{EventView, Version};
use crate::inspect::LogView;
use crate::repair::donor::has_same_header;

/// Another copy.
pub(super) struct CopyDonor {
    log: Arc<LogFile>,
    end: u64,
    has_same_header: bool,
}

/// The damaged range that a piece lies in, and the frame before it.
#[derive(Debug, Clone, Default)]
pub(super) struct DamageContext {
    /// The valid frame before; empty where the range is the first.
    pub(super) before: Range<u64>,
    /// Where the next valid frame starts.
    pub(super) next_frame: u64,
}

impl CopyDonor {
    pub(super) fn open(disk: Arc<dyn Disk>, path: &Path, view: &LogView) -> Result<Self, StorageError> {
        let donor = LogView::open(disk, path, None)?;
        let same_header = has_same_header(view, &donor)?;
        Ok(Self { log: donor.log().clone(), end: donor.log().len()?, has_same_header: same_header })
    }

    /// Where it stands.
    pub(super) fn path(&self) -> &Path {
        self.log.path()
    }

    /// Why the range cannot be taken, where it cannot.
    pub(super) fn refusal_reason(
        &self,
        log: &LogFile,
        range: &Range<u64>,
        context: &DamageContext,
    ) -> Result<Option<&'static str>, StorageError> {
        if !self.has_same_header {
            return Ok(Some("its header is another"));
        }
        let Range { start, end } = context.before;
        if start < end && !self.has_same_frame(log, start)? {
            return Ok(Some("the frame before is another there"));
        }
        if !self.has_same_frame(log, context.next_frame)? {
            return Ok(Some("the frame behind is not the same there"));
        }
        let mut scanner = self.scan_frames(range);
        let mut reached = range.start;
        while let Some(ScanItem::Frame(at, frame)) = scanner.next_item()? {
            reached = at + frame.len();
            if EventView::parse(frame.payload(), Version::V1).is_err() {
                return Ok(Some("it has a frame there that is no event"));
            }
        }
        Ok((reached != range.end).then_some("it is not intact there either"))
    }

    /// Its frames in a range that it does not refuse.
    pub(super) fn scan_frames(&self, range: &Range<u64>) -> Scanner {
        Scanner::new(self.log.clone(), range.start..range.end.min(self.end))
    }

    /// True when both have the same valid frame there.
    fn has_same_frame(&self, log: &LogFile, at: u64) -> Result<bool, StorageError> {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        let frame = log.read_frame_at(at, &mut one)?.map(|frame| frame.bytes());
        Ok(frame.is_some() && frame == self.log.read_frame_at(at, &mut other)?.map(|frame| frame.bytes()))
    }
}
