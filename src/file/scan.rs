//! Every valid frame of a range of the file, in order, with the damaged ranges between them.
//!
//! The end is fixed before the first byte is read, so that a log that grows meanwhile has one end throughout. Damage is
//! an item of the stream: the scan goes on at the next valid frame, and to stop is the caller's choice.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::LogFile;
use super::resync::FrameSearch;
use super::window::ReadWindow;
use crate::StorageError;
use crate::format::frame::{DecodeResult, Frame, LENGTH_LEN, decode};

/// What a scan yields.
#[derive(Debug)]
pub enum ScanItem<'a> {
    /// A valid frame at a file offset.
    Frame(u64, Frame<'a>),
    /// The longest run of bytes between two valid frames, or between one and an end of the scan.
    Damaged(Range<u64>),
    /// A part of such a run that the device refuses to read.
    Unreadable(Range<u64>),
}

/// The extent of an [`ScanItem`], without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanSpan {
    /// A valid frame.
    Frame(Range<u64>),
    /// A damaged range.
    Damaged(Range<u64>),
    /// A range that the device refuses to read.
    Unreadable(Range<u64>),
}

impl ScanSpan {
    /// Its bytes in the file.
    pub const fn range(&self) -> &Range<u64> {
        match self {
            Self::Frame(range) | Self::Damaged(range) | Self::Unreadable(range) => range,
        }
    }
}

impl ScanItem<'_> {
    /// Where it is.
    pub fn span(&self) -> ScanSpan {
        match self {
            Self::Frame(at, frame) => ScanSpan::Frame(*at..*at + frame.len()),
            Self::Damaged(range) => ScanSpan::Damaged(range.clone()),
            Self::Unreadable(range) => ScanSpan::Unreadable(range.clone()),
        }
    }
}

/// A scan in progress. Memory: one chunk of a mebibyte, or one frame where that is larger.
#[derive(Debug)]
pub struct Scanner {
    log: Arc<LogFile>,
    window: ReadWindow,
    next_offset: u64,
    end: u64,
    /// Damage that was found together and is handed out one by one.
    pending: VecDeque<ScanSpan>,
    /// The frame that was yielded last.
    current: Range<u64>,
    /// Not yet on a frame: what lies before the first valid one is not reported.
    is_unaligned: bool,
}

impl Scanner {
    /// Scans `range`, which starts where a frame is expected.
    pub fn new(log: Arc<LogFile>, range: Range<u64>) -> Self {
        let start = range.start;
        let end = range.end.max(start);
        Self {
            log,
            window: ReadWindow::new(start),
            next_offset: start,
            end,
            pending: VecDeque::new(),
            current: start..start,
            is_unaligned: false,
        }
    }

    /// Scans `range`, which may start anywhere: the first item is the first valid frame found in it.
    pub fn from_unaligned(log: Arc<LogFile>, range: Range<u64>) -> Self {
        Self { is_unaligned: true, ..Self::new(log, range) }
    }

    /// Starts again at another place, up to the same end, in the memory it has.
    pub fn restart(&mut self, start: u64) {
        self.window.restart(start);
        self.pending.clear();
        (self.next_offset, self.current, self.is_unaligned) = (start, start..start, false);
    }

    /// Reads nothing from `place` on until something there is needed: somebody else reads there.
    pub fn set_read_ahead_limit(&mut self, limit: u64) {
        self.window.read_ahead_limit = limit;
    }

    /// Fails with `Memory` where a frame, or what could be one, has more bytes than this.
    pub fn set_max_frame(&mut self, bytes: usize) {
        self.window.max_need = bytes;
    }

    /// Moves on to the first valid frame that starts before an offset; where it is, if there is one.
    ///
    /// # Errors
    /// As [`Scanner::next_item`].
    pub fn seek_to_frame(&mut self, before: u64) -> Result<Option<u64>, StorageError> {
        self.is_unaligned = false;
        self.next_offset = FrameSearch::new(&self.log, self.end)
            .with_start_limit(before)
            .find_next(&mut self.window, self.next_offset)?;
        Ok((self.next_offset < before && self.next_offset < self.end).then_some(self.next_offset))
    }

    /// The file offset that the next item starts at, or lies behind.
    pub const fn position(&self) -> u64 {
        self.next_offset
    }

    /// The frame that was yielded last, borrowed again; `None` before the first.
    #[inline]
    pub fn current(&self) -> Option<(u64, Frame<'_>)> {
        let Range { start, end } = self.current;
        let bytes = clip(self.window.bytes_from(start), end - start);
        (start < end).then(|| (start, Frame::from_validated(bytes, self.log.version())))
    }

    /// The next item; `None` at the end.
    ///
    /// # Errors
    /// `Io` when the file cannot be read for another reason than a refusing device, `Changed` when it has become
    /// shorter than the scan's end, `Memory` when there is none for a frame.
    #[inline]
    pub fn next_item(&mut self) -> Result<Option<ScanItem<'_>>, StorageError> {
        if self.pending.is_empty() && !self.is_unaligned {
            // Twice through here before the frame is borrowed to the caller: the check and the borrow are apart because
            // the way between them needs the window for itself.
            let version = self.log.version();
            let have = clip(self.window.bytes_from(self.next_offset), self.end - self.next_offset);
            let len = match decode(have, version) {
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
            self.next_offset = self.find_next_frame(self.next_offset)?;
            return self.next_item();
        }
        match self.pending.pop_front() {
            Some(ScanSpan::Damaged(range)) => Ok(Some(ScanItem::Damaged(range))),
            Some(ScanSpan::Unreadable(range)) => Ok(Some(ScanItem::Unreadable(range))),
            Some(ScanSpan::Frame(_)) | None => Ok(None),
        }
    }

    /// Reads on until the frame here is complete: its length. Without one, the damage goes to `pending`.
    #[cold]
    fn load_frame(&mut self) -> Result<Option<u64>, StorageError> {
        let left = self.end - self.next_offset;
        if left == 0 {
            return Ok(None);
        }
        let mut need = LENGTH_LEN;
        loop {
            if need as u64 > left {
                break;
            }
            if self.window.bytes_from(self.next_offset).len() < need {
                self.fill_window(need)?;
            }
            match decode(clip(self.window.bytes_from(self.next_offset), left), self.log.version()) {
                DecodeResult::Complete(frame) => return Ok(Some(frame.len())),
                DecodeResult::Incomplete { needed } => need = needed,
                DecodeResult::Corrupt(_) => break,
            }
        }
        let start = self.next_offset;
        self.next_offset = self.find_next_frame(start + 1)?;
        self.queue_damage(start..self.next_offset);
        Ok(None)
    }

    fn find_next_frame(&mut self, from: u64) -> Result<u64, StorageError> {
        FrameSearch::new(&self.log, self.end).find_next(&mut self.window, from)
    }

    fn fill_window(&mut self, need: usize) -> Result<(), StorageError> {
        self.window.fill(&self.log, self.next_offset, need, self.end)?;
        self.log.ensure_bytes_available(
            self.next_offset + self.window.bytes_from(self.next_offset).len() as u64,
            self.next_offset + need as u64,
        )
    }

    /// Queues a damaged range, cut where the device refuses to read.
    fn queue_damage(&mut self, range: Range<u64>) {
        let mut from = range.start;
        for hole in &self.window.unreadable {
            let hole = hole.start.max(range.start)..hole.end.min(range.end);
            if hole.start >= hole.end {
                continue;
            }
            if from < hole.start {
                self.pending.push_back(ScanSpan::Damaged(from..hole.start));
            }
            from = hole.end;
            self.pending.push_back(ScanSpan::Unreadable(hole));
        }
        if from < range.end {
            self.pending.push_back(ScanSpan::Damaged(from..range.end));
        }
        self.window.unreadable.retain(|hole| hole.end > range.end);
    }
}

/// `bytes`, at most `len` of them.
#[inline]
fn clip(bytes: &[u8], len: u64) -> &[u8] {
    usize::try_from(len).ok().and_then(|len| bytes.get(..len)).unwrap_or(bytes)
}
