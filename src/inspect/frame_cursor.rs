//! A cursor that reads one of two compared logs frame by frame, and names what the log has at an offset.

use std::ops::Range;
use std::sync::Arc;

use super::difference::{CopyContent, EventLabel, TypeNames};
use super::frame_content::{FrameContent, classify_frame};
use crate::StorageError;
use crate::file::{LogFile, ScanItem, ScanSpan, Scanner};
use crate::format::{Frame, Version, gap};

/// A cursor in the frames and damaged ranges of a log.
pub(super) struct FrameCursor {
    scanner: Scanner,
    version: Version,
    /// The current frame or damaged range; `None` at the end of the log.
    span: Option<ScanSpan>,
    /// What the log has at the start of `span`. The payload of a frame is read when that is requested.
    content: CopyContent,
    /// The frame or range before the current one, and what was known about it.
    previous: Option<(Range<u64>, CopyContent)>,
    names: TypeNames,
}

impl FrameCursor {
    /// Creates a cursor at the first frame or damaged range of `range`, which starts at a boundary of frames.
    pub(super) fn new(log: &Arc<LogFile>, range: Range<u64>) -> Result<Self, StorageError> {
        let scanner = Scanner::new(log.clone(), range);
        let content = CopyContent::End;
        let names = TypeNames::default();
        let mut cursor = Self { scanner, version: log.version(), span: None, content, previous: None, names };
        cursor.advance()?;
        Ok(cursor)
    }

    /// Goes to the next frame or damaged range.
    pub(super) fn advance(&mut self) -> Result<(), StorageError> {
        let item = self.scanner.next_item()?;
        let content = match &item {
            Some(ScanItem::Frame(_, frame)) if gap::is_gap(frame.payload()) => CopyContent::Gap,
            Some(ScanItem::Frame(..)) => CopyContent::UnreadFrame,
            Some(ScanItem::Damaged(_) | ScanItem::Missing(_)) => CopyContent::Damage,
            Some(ScanItem::Unreadable(_)) => CopyContent::Unreadable,
            None => CopyContent::End,
        };
        let span = std::mem::replace(&mut self.span, item.map(|item| item.span()));
        let content = std::mem::replace(&mut self.content, content);
        self.previous = span.map(|span| (span.range().clone(), content)).or(self.previous.take());
        Ok(())
    }

    /// Returns the current frame or damaged range; `None` at the end of the log.
    pub(super) const fn span(&self) -> Option<&ScanSpan> {
        self.span.as_ref()
    }

    /// Returns the bytes of the current frame.
    pub(super) fn frame_bytes(&self) -> &[u8] {
        self.scanner.current().map(|(_, frame)| frame.bytes()).unwrap_or_default()
    }

    /// Parses the event of the current frame, unless that was done.
    pub(super) fn read_content(&mut self) {
        if let (CopyContent::UnreadFrame, Some((_, frame))) = (&self.content, self.scanner.current()) {
            self.content = named_content(&frame, self.version, &mut self.names);
        }
    }

    /// Returns what the log has at an offset that is not after the current frame or range, as far as its payload was read.
    pub(super) fn content_at(&self, offset: u64) -> &CopyContent {
        match &self.previous {
            Some((range, content)) if range.contains(&offset) => content,
            _ => &self.content,
        }
    }
}

/// Returns what a valid frame contains.
pub(super) fn frame_copy_content(frame: &Frame, version: Version) -> CopyContent {
    named_content(frame, version, &mut TypeNames::default())
}

/// Returns what a valid frame contains. The text of an event's type is shared with earlier events.
fn named_content(frame: &Frame, version: Version, names: &mut TypeNames) -> CopyContent {
    match classify_frame(frame, version) {
        FrameContent::Event(event) => CopyContent::Event(EventLabel::with_names(&event, names)),
        FrameContent::Gap => CopyContent::Gap,
        FrameContent::InvalidEvent(_) => CopyContent::InvalidEvent,
    }
}
