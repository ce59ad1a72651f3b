//! [`LogFollower`]: reads what is appended to a log, and yields each event and each finding once.

use std::ops::{ControlFlow, Range};

use crate::StorageError;
use crate::format::Finding;
use crate::inspect::{FrameContent, LogView, LogWalk, WalkItem, classify_frame, gap_finding, invalid_event_finding};
use crate::log::ReplayedEvent;

/// An item that [`LogFollower::read_new`] yields.
pub(crate) enum FollowedItem<'a> {
    /// An event.
    Event(ReplayedEvent<'a>),
    /// Damage, a gap, or a frame whose payload is not an event.
    Finding(Box<Finding>),
    /// A retention has removed segments that were not read yet. The error names the first offset that is left.
    Removed(StorageError),
}

/// The state of the end of a log after it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LogEnd {
    /// The last frame is complete, or the end is damaged.
    Stable,
    /// The last frame is being written. It becomes damage without a further write when its writer is killed.
    InFlight,
}

/// A position in a log, and what was reported about the bytes after it.
#[derive(Debug)]
pub(crate) struct LogFollower {
    view: LogView,
    /// The start of a frame or of a damaged range. A damaged range at the end of the log is read again from its start,
    /// because an append can follow it, complete it or replace it.
    position: u64,
    /// The findings in the damaged range at `position` that were yielded.
    reported: Vec<Range<u64>>,
    end: LogEnd,
}

impl LogFollower {
    /// Starts at an offset, which must be the start of a frame or of a damaged range, or the end of the log.
    pub(crate) fn new(view: &LogView, position: u64) -> Self {
        Self { view: view.clone(), position, reported: Vec::new(), end: LogEnd::Stable }
    }

    /// The offset up to which everything was yielded.
    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    /// True when the last frame was being written, so that its state can change without a change of the file.
    pub(crate) const fn has_unfinished_end(&self) -> bool {
        matches!(self.end, LogEnd::InFlight)
    }

    /// Moves to the first offset of the log when a retention has removed the segments at the position. Returns the error that
    /// says so.
    fn skip_removed(&mut self) -> Option<StorageError> {
        let removed = self.view.log().ensure_not_removed(self.position).err()?;
        if let StorageError::Removed { first, .. } = &removed {
            self.position = *first;
            self.reported.clear();
        }
        Some(removed)
    }

    /// Calls `visit` for everything that was not yielded before, until it breaks.
    ///
    /// # Errors
    /// `Changed` when the log becomes shorter meanwhile; `Io` and `OutOfMemory` when it cannot be read; the errors of
    /// `visit`.
    pub(crate) fn read_new<E: From<StorageError>>(
        &mut self,
        visit: &mut dyn FnMut(FollowedItem) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let end = self.view.log().len()?;
        self.end = LogEnd::Stable;
        if end <= self.position {
            return Ok(());
        }
        let version = self.view.log().version();
        let mut walk = LogWalk::new(&self.view, self.position..end, end);
        loop {
            // The walk passes removed segments without an item, or fails where it was reading one.
            let (item, removed) = match walk.next_before(u64::MAX) {
                Ok(Some(item)) => (Some(item), self.skip_removed()),
                Ok(None) => (None, self.skip_removed()),
                Err(StorageError::Removed { .. }) => {
                    if let Some(removed) = self.skip_removed()
                        && visit(FollowedItem::Removed(removed))?.is_continue()
                    {
                        return self.read_new(visit);
                    }
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            if let Some(removed) = removed
                && visit(FollowedItem::Removed(removed))?.is_break()
            {
                return Ok(());
            }
            let Some(item) = item else { break };
            let step = match item {
                WalkItem::Frame(at, frame) => {
                    let content = classify_frame(&frame, version);
                    self.position = at + frame.len();
                    self.reported.clear();
                    visit(match content {
                        FrameContent::Event(event) => FollowedItem::Event(ReplayedEvent { offset: at, event }),
                        FrameContent::Gap => FollowedItem::Finding(Box::new(gap_finding(at, &frame))),
                        FrameContent::InvalidEvent(error) => {
                            FollowedItem::Finding(Box::new(invalid_event_finding(at, &frame, &error)))
                        }
                    })?
                }
                WalkItem::Damage(finding) if self.reported.contains(&finding.range()) => ControlFlow::Continue(()),
                WalkItem::Damage(finding) => {
                    self.reported.push(finding.range());
                    visit(FollowedItem::Finding(finding))?
                }
                WalkItem::DamagedRange(range) => {
                    if range.end < end {
                        self.position = range.end;
                        self.reported.clear();
                    }
                    ControlFlow::Continue(())
                }
                WalkItem::InFlight(range) => {
                    (self.position, self.end) = (range.start, LogEnd::InFlight);
                    ControlFlow::Continue(())
                }
            };
            if step.is_break() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Event;
    use crate::{EventLog, OpenOptions};

    #[test]
    fn removed_segments_are_reported_once_and_following_continues() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts");
        let event = Event::builder().event_type("T").namespace("n").schema_id("S").schema_version(1);
        let event = event.payload_json("{}").build().unwrap();
        let mut log = OpenOptions::new().segment_size(1024).create(&path).unwrap();
        let append = |log: &mut EventLog, count: usize| -> Vec<u64> {
            (0..count).map(|_| log.append(&event).unwrap()).collect()
        };
        let first = append(&mut log, 10);
        let reader = EventLog::open_read_only(&path).unwrap();
        let mut follower = LogFollower::new(reader.view(), first[0]);
        let mut read = || {
            let (mut offsets, mut removed) = (Vec::new(), Vec::new());
            let read = follower.read_new::<StorageError>(&mut |item| {
                match item {
                    FollowedItem::Event(event) => offsets.push(event.offset),
                    FollowedItem::Removed(StorageError::Removed { offset, first, .. }) => removed.push((offset, first)),
                    FollowedItem::Removed(_) | FollowedItem::Finding(_) => offsets.push(0),
                }
                Ok(ControlFlow::Continue(()))
            });
            read.unwrap();
            (offsets, removed)
        };
        assert_eq!(read(), (first.clone(), Vec::new()));
        let more = append(&mut log, 60);
        let start = log.remove_before(more[40]).unwrap();
        let kept: Vec<u64> = more.iter().copied().filter(|offset| *offset > start).collect();
        let (offsets, removed) = read();
        assert_eq!(offsets, kept);
        assert_eq!(removed.iter().map(|(_, first)| *first).collect::<Vec<_>>(), [start]);
        let last = append(&mut log, 1);
        assert_eq!(read(), (last, Vec::new()));
    }
}
