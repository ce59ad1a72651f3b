//! Every valid frame of a range of the file, in order, with the damaged ranges between them.
//!
//! The end is fixed before the first byte is read, so that a log that grows meanwhile has one end throughout. Damage is
//! an item of the stream: the scan goes on at the next valid frame, and to stop is the caller's choice.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::LogFile;
use super::resync::Resync;
use super::window::Window;
use crate::StorageError;
use crate::format::frame::{Decoded, Frame, LENGTH_LEN, decode};

/// What a scan yields.
#[derive(Debug)]
pub enum Item<'a> {
    /// A valid frame at a file offset.
    Frame(u64, Frame<'a>),
    /// The longest run of bytes between two valid frames, or between one and an end of the scan.
    Damaged(Range<u64>),
    /// A part of such a run that the device refuses to read.
    Unreadable(Range<u64>),
}

/// The extent of an [`Item`], without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// A valid frame.
    Frame(Range<u64>),
    /// A damaged range.
    Damaged(Range<u64>),
    /// A range that the device refuses to read.
    Unreadable(Range<u64>),
}

impl Span {
    /// Its bytes in the file.
    pub const fn range(&self) -> &Range<u64> {
        match self {
            Self::Frame(range) | Self::Damaged(range) | Self::Unreadable(range) => range,
        }
    }
}

impl Item<'_> {
    /// Where it is.
    pub fn span(&self) -> Span {
        match self {
            Self::Frame(at, frame) => Span::Frame(*at..*at + frame.len()),
            Self::Damaged(range) => Span::Damaged(range.clone()),
            Self::Unreadable(range) => Span::Unreadable(range.clone()),
        }
    }
}

/// A scan in progress. Memory: one chunk of a mebibyte, or one frame where that is larger.
#[derive(Debug)]
pub struct Scanner {
    log: Arc<LogFile>,
    window: Window,
    at: u64,
    end: u64,
    /// Damage that was found together and is handed out one by one.
    pending: VecDeque<Span>,
    /// The frame that was yielded last.
    current: Range<u64>,
    /// Not yet on a frame: what lies before the first valid one is not reported.
    adrift: bool,
}

impl Scanner {
    /// Scans `range`, which starts where a frame is expected.
    pub fn new(log: Arc<LogFile>, range: Range<u64>) -> Self {
        let start = range.start;
        let end = range.end.max(start);
        Self {
            log,
            window: Window::new(start),
            at: start,
            end,
            pending: VecDeque::new(),
            current: start..start,
            adrift: false,
        }
    }

    /// Scans `range`, which may start anywhere: the first item is the first valid frame found in it.
    pub fn adrift(log: Arc<LogFile>, range: Range<u64>) -> Self {
        Self { adrift: true, ..Self::new(log, range) }
    }

    /// Starts again at another place, up to the same end, in the memory it has.
    pub fn restart(&mut self, start: u64) {
        self.window.restart(start);
        self.pending.clear();
        (self.at, self.current, self.adrift) = (start, start..start, false);
    }

    /// Reads nothing from `place` on until something there is needed: somebody else reads there.
    pub fn read_ahead_to(&mut self, place: u64) {
        self.window.ahead_to = place;
    }

    /// Fails with `Memory` where a frame, or what could be one, has more bytes than this.
    pub fn limit(&mut self, bytes: usize) {
        self.window.most = bytes;
    }

    /// Moves on to the first valid frame that starts before an offset; where it is, if there is one.
    ///
    /// # Errors
    /// As [`Scanner::next_item`].
    pub fn settle(&mut self, before: u64) -> Result<Option<u64>, StorageError> {
        self.adrift = false;
        self.at = Resync::new(&self.log, self.end).before(before).next(&mut self.window, self.at)?;
        Ok((self.at < before && self.at < self.end).then_some(self.at))
    }

    /// The file offset that the next item starts at, or lies behind.
    pub const fn position(&self) -> u64 {
        self.at
    }

    /// The frame that was yielded last, borrowed again; `None` before the first.
    #[inline]
    pub fn current(&self) -> Option<(u64, Frame<'_>)> {
        let Range { start, end } = self.current;
        let bytes = clip(self.window.from(start), end - start);
        (start < end).then(|| (start, Frame::found(bytes, self.log.version())))
    }

    /// The next item; `None` at the end.
    ///
    /// # Errors
    /// `Io` when the file cannot be read for another reason than a refusing device, `Changed` when it has become
    /// shorter than the scan's end, `Memory` when there is none for a frame.
    #[inline]
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>, StorageError> {
        if self.pending.is_empty() && !self.adrift {
            // Twice through here before the frame is borrowed to the caller: the check and the borrow are apart because
            // the way between them needs the window for itself.
            let version = self.log.version();
            let have = clip(self.window.from(self.at), self.end - self.at);
            let len = match decode(have, version) {
                Decoded::Complete(frame) => Some(frame.len()),
                _ => self.load()?,
            };
            if let Some(len) = len {
                self.current = self.at..self.at + len;
                self.at += len;
                return Ok(self.current().map(|(at, frame)| Item::Frame(at, frame)));
            }
        } else if self.adrift {
            self.adrift = false;
            self.at = self.next_valid(self.at)?;
            return self.next_item();
        }
        match self.pending.pop_front() {
            Some(Span::Damaged(range)) => Ok(Some(Item::Damaged(range))),
            Some(Span::Unreadable(range)) => Ok(Some(Item::Unreadable(range))),
            Some(Span::Frame(_)) | None => Ok(None),
        }
    }

    /// Reads on until the frame here is complete: its length. Without one, the damage goes to `pending`.
    #[cold]
    fn load(&mut self) -> Result<Option<u64>, StorageError> {
        let left = self.end - self.at;
        if left == 0 {
            return Ok(None);
        }
        let mut need = LENGTH_LEN;
        loop {
            if need as u64 > left {
                break;
            }
            if self.window.from(self.at).len() < need {
                self.read(need)?;
            }
            match decode(clip(self.window.from(self.at), left), self.log.version()) {
                Decoded::Complete(frame) => return Ok(Some(frame.len())),
                Decoded::Incomplete { needed } => need = needed,
                Decoded::Corrupt(_) => break,
            }
        }
        let start = self.at;
        self.at = self.next_valid(start + 1)?;
        self.damaged(start..self.at);
        Ok(None)
    }

    fn next_valid(&mut self, from: u64) -> Result<u64, StorageError> {
        Resync::new(&self.log, self.end).next(&mut self.window, from)
    }

    fn read(&mut self, need: usize) -> Result<(), StorageError> {
        self.window.fill(&self.log, self.at, need, self.end)?;
        self.log.expect_bytes(self.at + self.window.from(self.at).len() as u64, self.at + need as u64)
    }

    /// Queues a damaged range, cut where the device refuses to read.
    fn damaged(&mut self, range: Range<u64>) {
        let mut from = range.start;
        for hole in &self.window.unreadable {
            let hole = hole.start.max(range.start)..hole.end.min(range.end);
            if hole.start >= hole.end {
                continue;
            }
            if from < hole.start {
                self.pending.push_back(Span::Damaged(from..hole.start));
            }
            from = hole.end;
            self.pending.push_back(Span::Unreadable(hole));
        }
        if from < range.end {
            self.pending.push_back(Span::Damaged(from..range.end));
        }
        self.window.unreadable.retain(|hole| hole.end > range.end);
    }
}

/// `bytes`, at most `len` of them.
#[inline]
fn clip(bytes: &[u8], len: u64) -> &[u8] {
    usize::try_from(len).ok().and_then(|len| bytes.get(..len)).unwrap_or(bytes)
}
