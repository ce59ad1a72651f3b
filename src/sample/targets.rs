//! Searches locations for planted damage: frames between intact events, so that the resulting finding is unambiguous.

use std::sync::Arc;

use super::rng::Rng;
use crate::StorageError;
use crate::file::{LogFile, ScanSpan, Scanner, spans_before};
use crate::format::{EventView, FrameFormat, frame};

/// Number of random locations tried before the search gives up.
const MAX_TRIES: usize = 64;

/// A copy of a frame and its offset.
#[derive(Debug, Clone)]
pub(super) struct TargetFrame {
    /// The format of the log.
    pub(super) format: FrameFormat,
    pub(super) start: u64,
    pub(super) bytes: Vec<u8>,
    /// The event's time in milliseconds since the Unix epoch; 0 if it was not parsed.
    pub(super) time_ms: u64,
}

impl TargetFrame {
    /// Returns the file offset after the last byte.
    pub(super) const fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Returns the payload, without length and checksum.
    pub(super) fn payload(&self) -> &[u8] {
        let end = self.bytes.len() - frame::CHECKSUM_LEN;
        self.bytes.get(frame::LENGTH_LEN..end).unwrap_or_default()
    }

    /// Encodes a frame with this payload in the place of this one.
    pub(super) fn with_payload(&self, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(payload.len() + frame::MIN_FRAME);
        frame::encode_at(self.format, self.start, payload, &mut bytes);
        bytes
    }
}

/// Searches for `count` adjacent events with ascending times that `choose` accepts, and returns its result.
pub(super) fn find_target<T>(
    log: &Arc<LogFile>,
    rng: &mut Rng,
    count: usize,
    mut choose: impl FnMut(&mut Rng, &[TargetFrame]) -> Option<T>,
) -> Result<Option<T>, StorageError> {
    let (first, len) = (log.first_frame_offset(), log.len()?);
    for _ in 0..MAX_TRIES {
        let at = first + rng.next_below(len.saturating_sub(first));
        let mut run = read_run(log, at, count)?;
        if run.len() < count {
            // The location is too near the end or damage. A small log may have its only run at the start.
            run = read_run(log, first, count)?;
        }
        if run.len() == count
            && let Some(chosen) = choose(rng, &run)
        {
            return Ok(Some(chosen));
        }
    }
    Ok(None)
}

/// Returns the last frame, if the log ends with a valid frame.
pub(super) fn last_frame(log: &Arc<LogFile>) -> Result<Option<TargetFrame>, StorageError> {
    Ok(last_frames(log, 1)?.pop())
}

/// Returns up to `count` adjacent frames at the end of the log, in ascending order; those of the last segment, and none when it has
/// no event.
pub(super) fn last_frames(log: &Arc<LogFile>, count: usize) -> Result<Vec<TargetFrame>, StorageError> {
    let mut frames = Vec::new();
    let mut buf = Vec::new();
    let spans = spans_before(log, log.len()?, count)?;
    for span in spans.iter().skip(spans.len().saturating_sub(count)) {
        match span {
            ScanSpan::Frame(range) => match log.read_frame_at(range.start, &mut buf)? {
                Some(frame) => {
                    let found = TargetFrame {
                        format: log.format(),
                        start: range.start,
                        bytes: frame.bytes().to_vec(),
                        time_ms: 0,
                    };
                    if frames.last().is_some_and(|before: &TargetFrame| before.end() != found.start) {
                        frames.clear();
                    }
                    frames.push(found);
                }
                None => frames.clear(),
            },
            ScanSpan::Damaged(_) | ScanSpan::Unreadable(_) | ScanSpan::Missing(_) => frames.clear(),
        }
    }
    let end = log.len()?;
    Ok(if frames.last().is_some_and(|last| last.end() == end) { frames } else { Vec::new() })
}

/// Reads `count` adjacent events with ascending times at or after `from`; fewer if the log ends.
fn read_run(log: &Arc<LogFile>, from: u64, count: usize) -> Result<Vec<TargetFrame>, StorageError> {
    let mut scanner = Scanner::from_unaligned(log.clone(), from..log.len()?);
    let mut run: Vec<TargetFrame> = Vec::new();
    while run.len() < count
        && let Some(item) = scanner.next_item()?
    {
        let crate::file::ScanItem::Frame(start, frame) = item else {
            run.clear();
            continue;
        };
        let Ok(event) = EventView::parse(frame.payload(), log.version()) else {
            run.clear();
            continue;
        };
        let time_ms = event.write_timestamp_ms();
        // Between two segments there is a header.
        if run.last().is_some_and(|before| before.time_ms > time_ms || before.end() != start) {
            run.clear();
        }
        run.push(TargetFrame { format: log.format(), start, bytes: frame.bytes().to_vec(), time_ms });
    }
    Ok(run)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::{Disk, OpenMode, OsDisk};
    use crate::{Event, OpenOptions};

    #[test]
    fn frames_of_two_segments_are_not_adjacent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut writer = OpenOptions::new().segment_size(1024).create(&path).unwrap();
        // Each segment has one event.
        for _ in 0..9 {
            let event = Event::builder().event_type("E").namespace("n").schema_id("s").schema_version(1);
            let event = event.payload_json(format!("\"{}\"", "x".repeat(1100))).build().unwrap();
            writer.append(&event).unwrap();
        }
        drop(writer);
        let disk: Arc<dyn Disk> = Arc::new(OsDisk);
        let log = Arc::new(LogFile::open(&disk, &path, OpenMode::Read).unwrap());
        assert_eq!(log.storage().segments().unwrap().bases().len(), 9);
        let find = |count| find_target(&log, &mut Rng::new(1), count, |_, run| Some(run.len())).unwrap();
        assert_eq!((find(1), find(2)), (Some(1), None));
        let last = last_frames(&log, 3).unwrap();
        assert_eq!(last.iter().map(TargetFrame::end).collect::<Vec<_>>(), [log.len().unwrap()]);
    }
}
