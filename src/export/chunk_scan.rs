//! [`ChunkScanner`]: the lines of the events in a part of a log, up to the first frame that is no event.
//!
//! A chunk has nothing but whole frames with events, one after the other. Damage, gaps, ranges that cannot be read and ends of
//! segments end it, and are left to [`Replay`](crate::Replay), which classifies them in order.

use std::ops::Range;
use std::sync::Arc;

use super::event_text::{EventText, TextFormat};
use crate::file::{LogFile, ScanItem, Scanner};
use crate::format::{Frame, Version};
use crate::inspect::{FrameContent, classify_frame};
use crate::log::ReplayedEvent;
use crate::query::Filter;

/// The number of bytes of the log in a chunk. The last frame of a chunk may end later.
pub(super) const CHUNK_BYTES: u64 = 1 << 20;
/// The largest frame in a chunk, in bytes. A larger one ends it, so that the memory of many threads is bounded.
const MAX_FRAME_BYTES: usize = 2 << 20;

/// The lines of the events that a filter shows in a part of a log.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EventChunk {
    /// From the first frame to the end of the last one.
    pub(super) range: Range<u64>,
    pub(super) lines: Vec<u8>,
    /// The number of events in `lines`.
    pub(super) events: u64,
}

/// The events whose lines a [`ChunkScanner`] collects.
#[derive(Clone, Copy)]
pub(super) struct ChunkContent<'a> {
    pub(super) log: &'a Arc<LogFile>,
    /// The end of the log, which was fixed before it is read.
    pub(super) log_end: u64,
    pub(super) filter: &'a Filter,
    pub(super) format: &'a TextFormat,
}

/// Scans chunks of a log, one after the other, with the same buffers.
pub(super) struct ChunkScanner<'a> {
    scanner: Scanner,
    version: Version,
    /// A copy for each scanner, because threads that share a regular expression wait for each other.
    filter: Filter,
    text: EventText<'a>,
}

impl<'a> ChunkScanner<'a> {
    /// Creates a scanner that has read nothing.
    pub(super) fn new(content: &ChunkContent<'a>) -> Self {
        let mut scanner = Scanner::new(content.log.clone(), 0..content.log_end);
        scanner.set_max_item(MAX_FRAME_BYTES);
        let (version, filter) = (content.log.version(), content.filter.clone());
        Self { scanner, version, filter, text: EventText::new(content.format) }
    }

    /// Scans from the first valid frame in `range` to the first frame that starts after it, or to an earlier frame that is no
    /// event. Returns `None` when no valid frame starts in the range, or it cannot be read.
    ///
    /// The range may start inside a frame, whose payload may look like a frame. The caller knows whether a frame starts
    /// where the chunk does.
    pub(super) fn scan(&mut self, range: Range<u64>) -> Option<EventChunk> {
        self.scanner.restart(range.start);
        self.scanner.set_read_ahead_limit(range.end);
        let start = self.scanner.seek_to_frame(range.end).ok()??;
        let mut end = start;
        while end < range.end {
            let frame_end = match self.scanner.next_in_buffer() {
                Some((at, frame)) => append_event(&mut self.text, &self.filter, self.version, at, &frame, end),
                None => match self.scanner.next_item() {
                    Ok(Some(ScanItem::Frame(at, frame))) => {
                        append_event(&mut self.text, &self.filter, self.version, at, &frame, end)
                    }
                    _ => None,
                },
            };
            match frame_end {
                Some(frame_end) => end = frame_end,
                None => break,
            }
        }
        let (lines, events) = self.text.take();
        Some(EventChunk { range: start..end, lines, events })
    }
}

/// Adds the event of the frame at `at` to a text when the filter shows it, and returns the end of the frame. Returns `None`
/// when the frame does not start at `expected_at`, or is no event.
#[inline]
fn append_event(
    text: &mut EventText,
    filter: &Filter,
    version: Version,
    at: u64,
    frame: &Frame,
    expected_at: u64,
) -> Option<u64> {
    if at != expected_at {
        return None;
    }
    let FrameContent::Event(event) = classify_frame(frame, version) else { return None };
    if filter.matches_event(at, &event) {
        text.append(&ReplayedEvent { offset: at, event });
    }
    Some(at + frame.len())
}
