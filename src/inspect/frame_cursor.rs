//! A cursor that reads one of two compared logs frame by frame, and names what the log has at an offset.

use std::ops::Range;
use std::sync::Arc;

use super::difference::{CopyContent, EventLabel};
use super::frame_content::{FrameContent, classify_frame};
use crate::StorageError;
use crate::file::{LogFile, ScanSpan, Scanner};
use crate::format::{Frame, Version};

/// A cursor in the frames and damaged ranges of a log.
pub(super) struct FrameCursor {
    scanner: Scanner,
    version: Version,
    /// The current frame or damaged range; `None` at the end of the log.
    span: Option<ScanSpan>,
    /// What the current frame contains, once that was requested.
    content: Option<CopyContent>,
    /// The frame or range before the current one, when its content was requested.
    previous: Option<(Range<u64>, CopyContent)>,
}

impl FrameCursor {
    /// Creates a cursor at the first frame or damaged range of `range`, which starts at a boundary of frames.
    pub(super) fn new(log: &Arc<LogFile>, range: Range<u64>) -> Result<Self, StorageError> {
        let scanner = Scanner::new(log.clone(), range);
        let mut cursor = Self { scanner, version: log.version(), span: None, content: None, previous: None };
        cursor.advance()?;
        Ok(cursor)
    }

    /// Goes to the next frame or damaged range.
    pub(super) fn advance(&mut self) -> Result<(), StorageError> {
        let left = self.span.take().map(|span| span.range().clone());
        if let Some(previous) = left.zip(self.content.take()) {
            self.previous = Some(previous);
        }
        self.span = self.scanner.next_item()?.map(|item| item.span());
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

    /// Returns what the log has at the start of the current frame or damaged range. Parses the event of a frame once.
    pub(super) fn content(&mut self) -> CopyContent {
        let content = self.content.take().unwrap_or_else(|| match &self.span {
            Some(ScanSpan::Frame(_)) => match self.scanner.current() {
                Some((_, frame)) => frame_copy_content(&frame, self.version),
                None => CopyContent::Damage,
            },
            Some(ScanSpan::Damaged(_) | ScanSpan::Missing(_)) => CopyContent::Damage,
            Some(ScanSpan::Unreadable(_)) => CopyContent::Unreadable,
            None => CopyContent::End,
        });
        self.content = Some(content.clone());
        content
    }

    /// Returns what the log has at an offset that is not after the current frame or range.
    pub(super) fn content_at(&mut self, offset: u64) -> CopyContent {
        match &self.previous {
            Some((range, content)) if range.contains(&offset) => content.clone(),
            _ => self.content(),
        }
    }
}

/// Returns what a valid frame contains.
pub(super) fn frame_copy_content(frame: &Frame, version: Version) -> CopyContent {
    match classify_frame(frame, version) {
        FrameContent::Event(event) => CopyContent::Event(EventLabel::from_event(&event)),
        FrameContent::Gap => CopyContent::Gap,
        FrameContent::InvalidEvent(_) => CopyContent::InvalidEvent,
    }
}
