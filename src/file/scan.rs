//! [`Scanner`]: a scan of a range of the file, which yields every valid frame in order and the damaged ranges between
//! them.
//!
//! The end of the scan is fixed before the first byte is read, so that a log that grows meanwhile does not change it.
//! Damage is an item of the scan. After it, the scan continues at the next valid frame.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::LogFile;
use super::resync::FrameSearch;
use super::segments::SegmentCondition;
use super::window::ReadWindow;
use crate::StorageError;
use crate::format::frame::{DecodeResult, Frame, LENGTH_LEN, decode};

/// An item of a scan.
#[derive(Debug)]
pub enum ScanItem<'a> {
    /// A valid frame and its file offset.
    Frame(u64, Frame<'a>),
    /// All bytes between two valid frames, or between a valid frame and the start or end of the scan.
    Damaged(Range<u64>),
    /// The part of a damaged range that the device cannot read, or a segment that cannot be opened.
    Unreadable(Range<u64>),
    /// The end of a segment that its file does not have, up to the next segment, with the bytes before it that are no frame.
    Missing(Range<u64>),
}

/// The kind and range of a [`ScanItem`], without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanSpan {
    /// The range of a valid frame.
    Frame(Range<u64>),
    /// A range without valid frames.
    Damaged(Range<u64>),
    /// A range that cannot be read.
    Unreadable(Range<u64>),
    /// The end of a segment that its file does not have.
    Missing(Range<u64>),
}

impl ScanSpan {
    /// The range of the span in the file.
    pub const fn range(&self) -> &Range<u64> {
        match self {
            Self::Frame(range) | Self::Damaged(range) | Self::Unreadable(range) | Self::Missing(range) => range,
        }
    }
}

impl ScanItem<'_> {
    /// The kind and range of the item.
    pub fn span(&self) -> ScanSpan {
        match self {
            Self::Frame(at, frame) => ScanSpan::Frame(*at..*at + frame.len()),
            Self::Damaged(range) => ScanSpan::Damaged(range.clone()),
            Self::Unreadable(range) => ScanSpan::Unreadable(range.clone()),
            Self::Missing(range) => ScanSpan::Missing(range.clone()),
        }
    }
}

/// A scan in progress. It holds about one mebibyte of the file, or one frame when that is larger.
#[derive(Debug)]
pub struct Scanner {
    log: Arc<LogFile>,
    window: ReadWindow,
    next_offset: u64,
    end: u64,
    /// The end of the bytes of the segment that is scanned; `end` in a log of one file.
    data_end: u64,
    /// The start of the next segment; `end` in the last one.
    segment_end: u64,
    /// Parts of a damaged range that have not been returned yet.
    pending: VecDeque<ScanSpan>,
    /// The range of the frame that was returned last; empty before the first frame.
    current: Range<u64>,
    /// The search for a frame after damage ends after this number of bytes.
    max_damage: u64,
    /// True until the first valid frame of a scan that may have started inside a frame. Bytes before it are not
    /// reported.
    is_unaligned: bool,
}

impl Scanner {
    /// Creates a scan of `range`, which starts at a frame boundary.
    pub fn new(log: Arc<LogFile>, range: Range<u64>) -> Self {
        let start = range.start;
        let end = range.end.max(start);
        let mut scanner = Self {
            log,
            window: ReadWindow::new(start),
            next_offset: start,
            end,
            data_end: end,
            segment_end: end,
            pending: VecDeque::new(),
            current: start..start,
            max_damage: u64::MAX,
            is_unaligned: false,
        };
        scanner.enter_segment();
        scanner
    }

    /// Creates a scan of `range`, which may start anywhere. The first item is the first valid frame in it.
    pub fn from_unaligned(log: Arc<LogFile>, range: Range<u64>) -> Self {
        Self { is_unaligned: true, ..Self::new(log, range) }
    }

    /// Restarts the scan at the frame boundary `start`, with the same end, and reuses its buffer.
    pub fn restart(&mut self, start: u64) {
        self.window.restart(start);
        self.pending.clear();
        (self.next_offset, self.current, self.is_unaligned) = (start, start..start, false);
        self.enter_segment();
    }

    /// Finds the segment at the current offset and its end. Skips its header.
    fn enter_segment(&mut self) {
        (self.data_end, self.segment_end) = (self.end, self.end);
        let Some(segments) = self.log.storage().segments().filter(|_| self.next_offset < self.end) else { return };
        let segment = segments.segment_at(self.next_offset);
        self.segment_end = segment.end.min(self.end);
        self.next_offset = self.next_offset.max(segment.first_frame()).min(self.segment_end);
        self.data_end = segment.data_end.clamp(self.next_offset, self.segment_end);
        if let SegmentCondition::Unreadable(_) = segment.condition {
            self.pending.push_back(ScanSpan::Unreadable(self.next_offset..self.segment_end));
            (self.next_offset, self.data_end) = (self.segment_end, self.segment_end);
        }
    }

    /// Moves to the next segment when the current one ends here, and queues the part that its file does not have. Returns
    /// false at the end of the scan.
    fn leave_segment(&mut self) -> bool {
        if self.next_offset < self.segment_end && self.is_restored() {
            self.window.restart(self.next_offset);
            self.current = self.next_offset..self.next_offset;
            self.enter_segment();
            return true;
        }
        if self.next_offset < self.segment_end {
            self.pending.push_back(ScanSpan::Missing(self.next_offset..self.segment_end));
            self.next_offset = self.segment_end;
        }
        let is_at_end = self.segment_end >= self.end;
        if is_at_end {
            self.data_end = self.next_offset;
        } else {
            self.enter_segment();
        }
        !is_at_end || !self.pending.is_empty()
    }

    /// True when a repair has written bytes of the part that the current segment does not have since the segment was entered.
    fn is_restored(&self) -> bool {
        let Some(segments) = self.log.storage().segments() else { return false };
        // Looking at a byte that is missing lists the folder again.
        segments.segment_at(self.segment_end - 1);
        let now = segments.segment_at(self.next_offset);
        now.end < self.segment_end || now.data_end.min(self.segment_end) > self.data_end
    }

    /// Limits reading ahead to the bytes before `limit`, because another scanner reads the bytes after it. This scan
    /// still reads later bytes when a frame needs them.
    pub fn set_read_ahead_limit(&mut self, limit: u64) {
        self.window.read_ahead_limit = limit;
    }

    /// Limits the memory and the work: [`Scanner::next_item`] fails with `OutOfMemory` where a frame, or a candidate for one,
    /// is larger than `bytes`, and yields only the start of a damaged range that is longer, which takes more than `bytes`.
    pub fn set_max_item(&mut self, bytes: usize) {
        self.window.max_need = bytes;
        self.max_damage = bytes as u64;
    }

    /// Moves to the next valid frame that starts before `before`, and returns its offset; `None` when no frame starts
    /// there.
    ///
    /// # Errors
    /// The errors of [`Scanner::next_item`].
    pub fn seek_to_frame(&mut self, before: u64) -> Result<Option<u64>, StorageError> {
        self.is_unaligned = false;
        let before = before.min(self.next_offset.saturating_add(self.max_damage));
        loop {
            self.next_offset = FrameSearch::new(&self.log, self.data_end)
                .with_start_limit(before)
                .find_next(&mut self.window, self.next_offset)?;
            if self.next_offset < before && self.next_offset < self.data_end {
                return Ok(Some(self.next_offset));
            }
            if self.segment_end >= before.min(self.end) {
                return Ok(None);
            }
            self.skip_to_next_segment();
        }
    }

    /// Moves to the first frame of the next segment, without reporting what is before it.
    fn skip_to_next_segment(&mut self) {
        self.next_offset = self.segment_end;
        self.enter_segment();
        self.pending.clear();
    }

    /// The file offset up to which the scan has advanced. The next item starts there or, in an unaligned scan, later.
    pub const fn position(&self) -> u64 {
        self.next_offset
    }

    /// True when the scan has found damage before [`Scanner::position`] that it has not yielded yet.
    pub(crate) fn has_pending_damage(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Moves to the next frame where it is already in the buffer, valid, and before the next damage, and returns it with its
    /// offset. Returns `None`, and changes nothing, where [`Scanner::next_item`] has to read or search.
    ///
    /// This is the hot path of every pass over a log: it builds no item. [`Scanner::current`] returns the same frame.
    #[inline]
    pub(crate) fn next_in_buffer(&mut self) -> Option<(u64, Frame<'_>)> {
        if !self.pending.is_empty() || self.is_unaligned {
            return None;
        }
        let at = self.next_offset;
        let loaded = clip(self.window.bytes_from(at), self.data_end - at);
        let DecodeResult::Complete(frame) = decode(loaded, self.log.format(), at) else { return None };
        self.next_offset = at + frame.len();
        self.current = at..self.next_offset;
        Some((at, frame))
    }

    /// Returns the last frame that was yielded; `None` before the first one, and once the scan has read on without one.
    #[inline]
    pub fn current(&self) -> Option<(u64, Frame<'_>)> {
        let Range { start, end } = self.current;
        let bytes = clip(self.window.bytes_from(start), end - start);
        let is_loaded = start < end && bytes.len() as u64 == end - start;
        is_loaded.then(|| (start, Frame::from_validated(bytes, self.log.version())))
    }

    /// Returns the next item; `None` at the end of the scan.
    ///
    /// # Errors
    /// `Io` when a read fails, except for ranges that the device cannot read, which are items; `Changed` when the file
    /// has become shorter than the end of the scan; `OutOfMemory` when the buffer cannot hold a frame.
    #[inline]
    pub fn next_item(&mut self) -> Result<Option<ScanItem<'_>>, StorageError> {
        if self.pending.is_empty() && !self.is_unaligned {
            // Decoding and borrowing are separate steps because `load_frame` needs `&mut self.window` in between.
            let loaded = clip(self.window.bytes_from(self.next_offset), self.data_end - self.next_offset);
            let len = match decode(loaded, self.log.format(), self.next_offset) {
                DecodeResult::Complete(frame) => Some(frame.len()),
                _ => self.load_frame()?,
            };
            if let Some(len) = len {
                self.current = self.next_offset..self.next_offset + len;
                self.next_offset += len;
                return Ok(self.current().map(|(at, frame)| ScanItem::Frame(at, frame)));
            }
        } else if self.is_unaligned {
            self.is_unaligned = false;
            self.pending.clear();
            self.next_offset = self.find_next_frame(self.next_offset)?;
            while self.next_offset == self.data_end && self.segment_end < self.end {
                self.skip_to_next_segment();
                self.next_offset = self.find_next_frame(self.next_offset)?;
            }
            return self.next_item();
        }
        match self.pending.pop_front() {
            Some(ScanSpan::Damaged(range)) => Ok(Some(ScanItem::Damaged(range))),
            Some(ScanSpan::Unreadable(range)) => Ok(Some(ScanItem::Unreadable(range))),
            Some(ScanSpan::Missing(range)) => Ok(Some(ScanItem::Missing(range))),
            Some(ScanSpan::Frame(_)) | None => Ok(None),
        }
    }

    /// Reads until the frame at the current offset is complete, and returns its length. When there is no valid frame,
    /// finds the next one, queues the damage before it, and returns `None`.
    #[cold]
    fn load_frame(&mut self) -> Result<Option<u64>, StorageError> {
        while self.next_offset == self.data_end {
            if !self.leave_segment() || !self.pending.is_empty() {
                return Ok(None);
            }
        }
        let available = self.data_end - self.next_offset;
        let mut needed_len = LENGTH_LEN;
        loop {
            if needed_len as u64 > available {
                break;
            }
            if self.window.bytes_from(self.next_offset).len() < needed_len {
                self.fill_window(needed_len)?;
            }
            let loaded = clip(self.window.bytes_from(self.next_offset), available);
            match decode(loaded, self.log.format(), self.next_offset) {
                DecodeResult::Complete(frame) => return Ok(Some(frame.len())),
                DecodeResult::Incomplete { needed } => needed_len = needed,
                DecodeResult::Corrupt(_) => break,
            }
        }
        let start = self.next_offset;
        self.next_offset = self.find_next_frame(start + 1)?;
        if self.next_offset == self.data_end && self.data_end < self.segment_end {
            // The segment was cut. Its last bytes belong to the part that is missing.
            self.next_offset = start;
            if self.leave_segment() && self.pending.is_empty() {
                return self.load_frame();
            }
        } else {
            self.queue_damage(start..self.next_offset);
        }
        Ok(None)
    }

    fn find_next_frame(&mut self, from: u64) -> Result<u64, StorageError> {
        // `from` is at most one byte after the start of the damage, so a search that ends at its limit yields more than
        // `max_damage` bytes.
        let limit = from.saturating_add(self.max_damage);
        FrameSearch::new(&self.log, self.data_end).with_start_limit(limit).find_next(&mut self.window, from)
    }

    fn fill_window(&mut self, need: usize) -> Result<(), StorageError> {
        self.window.fill(&self.log, self.next_offset, need, self.data_end)?;
        self.log.ensure_bytes_available(
            self.next_offset + self.window.bytes_from(self.next_offset).len() as u64,
            self.next_offset + need as u64,
        )
    }

    /// Queues a damaged range, split where the device cannot read.
    fn queue_damage(&mut self, range: Range<u64>) {
        if range.end - range.start > self.max_damage {
            self.pending.push_back(ScanSpan::Damaged(range));
            return;
        }
        let mut from = range.start;
        for unreadable in &self.window.unreadable {
            let unreadable = unreadable.start.max(range.start)..unreadable.end.min(range.end);
            if unreadable.start >= unreadable.end {
                continue;
            }
            if from < unreadable.start {
                self.pending.push_back(ScanSpan::Damaged(from..unreadable.start));
            }
            from = unreadable.end;
            self.pending.push_back(ScanSpan::Unreadable(unreadable));
        }
        if from < range.end {
            self.pending.push_back(ScanSpan::Damaged(from..range.end));
        }
        self.window.unreadable.retain(|unreadable| unreadable.end > range.end);
    }
}

/// Returns the first `len` bytes, or all when there are fewer.
#[inline]
fn clip(bytes: &[u8], len: u64) -> &[u8] {
    usize::try_from(len).ok().and_then(|len| bytes.get(..len)).unwrap_or(bytes)
}
