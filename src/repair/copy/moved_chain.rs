//! Consecutive frames of a donor next to a frame that the log has too, compared with the damaged bytes of the log that they
//! replace.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use crate::StorageError;
use crate::file::{LogFile, ScanItem, Scanner};
use crate::format::frame::{CHECKSUM_LEN, Frame, LENGTH_LEN};
use crate::format::{EventView, LineEnds, gap};
use crate::repair::planning::Donor;

const ALL_LINE_ENDS: [LineEnds; 2] = [LineEnds::Unchanged, LineEnds::Translated];

/// Proven frames of a donor, and the damaged bytes of the log that they replace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MovedRun {
    /// Number of the donor, counted from 0.
    pub(super) donor: usize,
    /// The range of the frames in the donor.
    pub(super) source: Range<u64>,
    /// The range of the log that had them.
    pub(super) log: Range<u64>,
    /// Offset in the log of the first frame.
    pub(super) first_frame_at: u64,
    /// The line ends with which the log has stored them.
    pub(super) line_ends: LineEnds,
}

impl MovedRun {
    /// Creates a run of the first donor that replaces the whole range `log`.
    pub(super) const fn new(source: Range<u64>, log: Range<u64>, line_ends: LineEnds) -> Self {
        Self { donor: 0, source, first_frame_at: log.start, log, line_ends }
    }
}

/// A range of a donor next to a frame that the log has too, and the damaged bytes of the log that may have been its frames.
pub(super) struct FrameChain<'a, 'd, 'm> {
    pub(super) log: &'a Arc<LogFile>,
    pub(super) donor: &'a Donor<'d, 'm>,
    /// The damaged bytes of the log.
    pub(super) lost: Range<u64>,
    /// The range of the donor.
    pub(super) source: Range<u64>,
}

/// Consecutive events of a donor that end where the chain ends.
struct EndOfChain {
    start: u64,
    /// Number of bytes that a log has stored for them.
    stored_len: u64,
}

impl FrameChain<'_, '_, '_> {
    /// Returns the whole range of the donor, when it consists of events that take as many bytes as the damaged range has.
    pub(super) fn whole(&self) -> Result<Option<MovedRun>, StorageError> {
        for line_ends in ALL_LINE_ENDS {
            let end = self.end_of_chain(line_ends)?;
            let is_whole = end.start == self.source.start && end.stored_len == self.lost.end - self.lost.start;
            if is_whole && end.stored_len > 0 {
                return Ok(Some(MovedRun::new(self.source.clone(), self.lost.clone(), line_ends)));
            }
        }
        Ok(None)
    }

    /// Returns the events at the start of the range whose lengths and checksums are in the damaged bytes at their places.
    pub(super) fn first_frames(&self) -> Result<Option<MovedRun>, StorageError> {
        let mut longest: Option<MovedRun> = None;
        for line_ends in ALL_LINE_ENDS {
            let (mut source_end, mut at) = (self.source.start, self.lost.start);
            self.for_each_event(self.source.start, &mut |range, frame| {
                if range.start != source_end || !self.has_trace(frame, at, line_ends) {
                    return ControlFlow::Break(());
                }
                (source_end, at) = (range.end, at + line_ends.stored_len(frame.bytes()));
                ControlFlow::Continue(())
            })?;
            let is_longer = longest.as_ref().map_or(self.source.start, |longest| longest.source.end) < source_end;
            if is_longer {
                longest = Some(MovedRun::new(self.source.start..source_end, self.lost.start..at, line_ends));
            }
        }
        Ok(longest)
    }

    /// Returns the events at the end of the range whose lengths and checksums are in the damaged bytes at their places, counted
    /// from the end. They are after the frames of `first`.
    pub(super) fn last_frames(&self, first: Option<&MovedRun>) -> Result<Option<MovedRun>, StorageError> {
        let (taken_to, free_from) =
            first.map_or((self.source.start, self.lost.start), |first| (first.source.end, first.log.end));
        let mut longest: Option<MovedRun> = None;
        for line_ends in ALL_LINE_ENDS {
            let chain = self.end_of_chain(line_ends)?;
            let (mut source_start, mut log_start) = (self.source.end, self.lost.end);
            let mut remaining = chain.stored_len;
            self.for_each_event(chain.start, &mut |range, frame| {
                let at = self.lost.end.checked_sub(remaining);
                remaining -= line_ends.stored_len(frame.bytes());
                match at
                    .filter(|at| *at >= free_from && range.start >= taken_to && self.has_trace(frame, *at, line_ends))
                {
                    None => (source_start, log_start) = (self.source.end, self.lost.end),
                    Some(at) if source_start == self.source.end => (source_start, log_start) = (range.start, at),
                    Some(_) => {}
                }
                ControlFlow::Continue(())
            })?;
            let is_longer = longest.as_ref().map_or(self.source.end, |longest| longest.source.start) > source_start;
            if is_longer {
                longest = Some(MovedRun::new(source_start..self.source.end, log_start..self.lost.end, line_ends));
            }
        }
        Ok(longest)
    }

    /// Returns the consecutive events up to the end of the range; none when the last bytes are not an event.
    fn end_of_chain(&self, line_ends: LineEnds) -> Result<EndOfChain, StorageError> {
        let mut chain = EndOfChain { start: self.source.start, stored_len: 0 };
        let mut end = self.source.start;
        self.for_each_event(self.source.start, &mut |range, frame| {
            if range.start != end {
                chain = EndOfChain { start: range.start, stored_len: 0 };
            }
            end = range.end;
            chain.stored_len += line_ends.stored_len(frame.bytes());
            ControlFlow::Continue(())
        })?;
        Ok(if end == self.source.end { chain } else { EndOfChain { start: self.source.end, stored_len: 0 } })
    }

    /// Calls `visit` with each valid event of the donor from `start` to the end of the range. The first one can start later.
    fn for_each_event(
        &self,
        start: u64,
        visit: &mut dyn FnMut(Range<u64>, &Frame) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let mut scanner = Scanner::from_unaligned(self.donor.log().clone(), start..self.source.end);
        while let Some(item) = scanner.next_item()? {
            let range = item.span().range().clone();
            self.donor.advance(range.end - range.start)?;
            if let ScanItem::Frame(_, frame) = item
                && !gap::is_gap(frame.payload())
                && EventView::parse(frame.payload(), self.donor.log().version()).is_ok()
                && visit(range, &frame).is_break()
            {
                break;
            }
        }
        Ok(())
    }

    /// True when the damaged bytes have the length of the frame at `at`, and its checksum where a frame of this length has it.
    /// Bytes that cannot be read have neither.
    fn has_trace(&self, frame: &Frame, at: u64, line_ends: LineEnds) -> bool {
        let bytes = frame.bytes();
        let (Some(length), Some((covered, checksum))) =
            (bytes.get(..LENGTH_LEN), bytes.split_last_chunk::<CHECKSUM_LEN>())
        else {
            return false;
        };
        let is_inside = at >= self.lost.start && at + line_ends.stored_len(bytes) <= self.lost.end;
        is_inside
            && self.has_bytes(at, length, line_ends)
            && self.has_bytes(at + line_ends.stored_len(covered), checksum, line_ends)
    }

    fn has_bytes(&self, at: u64, bytes: &[u8], line_ends: LineEnds) -> bool {
        let expected = line_ends.convert(bytes);
        let mut found = vec![0; expected.len()];
        self.log.read_at(&mut found, at).is_ok_and(|read| read == found.len()) && found == *expected
    }
}
