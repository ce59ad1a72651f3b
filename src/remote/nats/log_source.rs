//! [`LogSource`]: the frames of a log in order, each with what its message needs. It ends in front of damage.

use std::sync::Arc;

use super::identity::StreamLogIdentity;
use super::message::LogFrame;
use super::subject::{event_subject, gap_subject};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::{DamageKind, Evidence, Finding, LogHeader};
use crate::inspect::{FrameContent, LogView, LogWalk, WalkItem, classify_frame, invalid_event_finding};

/// A place between two frames of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct SourcePosition {
    /// The end of the frame before; `None` at the start of the log.
    pub(super) end: Option<u64>,
    /// The base of the segment with that frame; `None` for a log in one file.
    pub(super) segment: Option<u64>,
}

impl SourcePosition {
    /// Returns the place after a frame.
    pub(super) fn after(frame: &LogFrame) -> Self {
        Self { end: Some(frame.end()), segment: frame.segment }
    }
}

/// A frame of the log, with the subject of its message.
#[derive(Debug)]
pub(super) struct SourceFrame {
    pub(super) frame: LogFrame,
    pub(super) subject: String,
    /// The time of the event, in milliseconds since the Unix epoch; `None` for a gap.
    pub(super) time_ms: Option<u64>,
}

/// What a source yields.
#[derive(Debug)]
pub(super) enum SourceItem {
    /// The next frame.
    Frame(SourceFrame),
    /// Damage. Nothing after it is yielded.
    Damage(Box<Finding>),
}

/// Reads the frames of a log from a position to an end.
#[derive(Debug)]
pub(super) struct LogSource {
    view: LogView,
    identity: StreamLogIdentity,
    prefix: String,
    walk: LogWalk,
    position: SourcePosition,
    until: u64,
}

/// What is between a position and the end of a log.
#[derive(Debug, Clone, Default)]
pub(super) struct Backlog {
    /// The number of frames up to the first damage.
    pub(super) frames: u64,
    /// The end of the last of them.
    pub(super) end: u64,
    /// The size of the largest payload, in bytes, and the offset of its frame.
    pub(super) largest: Option<(u64, u64)>,
    /// The first damage.
    pub(super) damage: Option<Box<Finding>>,
    /// The time of the first event, in milliseconds since the Unix epoch.
    pub(super) first_time_ms: Option<u64>,
}

/// Returns what the messages of this log say about it; the finding about its header, when that is damaged.
pub(super) fn identity_of(view: &LogView) -> Result<StreamLogIdentity, Box<Finding>> {
    if let Some(finding) = view.header_finding() {
        return Err(Box::new(finding));
    }
    Ok(StreamLogIdentity::of_header(view.header_bytes().and_then(|bytes| LogHeader::decode(&bytes).ok())))
}

impl LogSource {
    /// Starts at a position of the log, and ends at the offset `until`.
    pub(super) fn new(
        view: &LogView,
        identity: StreamLogIdentity,
        prefix: &str,
        position: SourcePosition,
        until: u64,
    ) -> Self {
        let start = position.end.unwrap_or_else(|| view.log().first_frame_offset());
        let walk = LogWalk::new(view, start..until.max(start), until.max(start));
        Self { view: view.clone(), identity, prefix: prefix.to_owned(), walk, position, until }
    }

    /// Returns the next frame, or the damage before it; `None` at the end, and in front of a frame that is being written.
    ///
    /// # Errors
    /// `Io`, `OutOfMemory` and `Changed` when the log cannot be read.
    pub(super) fn next(&mut self) -> Result<Option<SourceItem>, StorageError> {
        let version = self.identity.version();
        loop {
            let item = match self.walk.next_before(self.until) {
                Err(StorageError::Removed { first, .. }) if first < self.until => {
                    self.walk = LogWalk::new(&self.view, first..self.until, self.until);
                    continue;
                }
                item => item?,
            };
            match item {
                None | Some(WalkItem::InFlight(_)) => return Ok(None),
                Some(WalkItem::DamagedRange(_)) => {}
                Some(WalkItem::Damage(finding)) if !finding.kind.is_damage() => {}
                Some(WalkItem::Damage(finding)) => return Ok(Some(SourceItem::Damage(finding))),
                Some(WalkItem::Frame(at, frame)) => {
                    let (subject, time_ms) = match classify_frame(&frame, version) {
                        FrameContent::Event(event) => {
                            (event_subject(&self.prefix, &event), Some(event.write_timestamp_ms()))
                        }
                        FrameContent::Gap => (gap_subject(&self.prefix), None),
                        FrameContent::InvalidEvent(error) => {
                            return Ok(Some(SourceItem::Damage(Box::new(invalid_event_finding(at, &frame, &error)))));
                        }
                    };
                    let mut frame = LogFrame::of_log(self.identity, at, &frame);
                    if self.position.end != Some(at)
                        && let Some(finding) = add_start(self.view.log(), &mut frame, self.position)?
                    {
                        return Ok(Some(SourceItem::Damage(finding)));
                    }
                    frame.segment = frame.segment.or(self.position.segment);
                    self.position = SourcePosition::after(&frame);
                    return Ok(Some(SourceItem::Frame(SourceFrame { frame, subject, time_ms })));
                }
            }
        }
    }
}

/// Adds to the first frame of a file its segment, its header, and the end of the frame before it when the log has no bytes
/// between. Returns the finding about the header when it is damaged.
fn add_start(
    log: &Arc<LogFile>,
    frame: &mut LogFrame,
    position: SourcePosition,
) -> Result<Option<Box<Finding>>, StorageError> {
    let header_len = log.version().first_frame_offset();
    let segments = log.storage().segments();
    frame.segment = segments.map(|segments| segments.segment_at(frame.offset).base);
    if header_len == 0 {
        return Ok(None);
    }
    let base = frame.segment.unwrap_or(0);
    let mut header = vec![0; header_len as usize];
    let read = log.read_at(&mut header, base)?;
    header.truncate(read);
    let decoded = LogHeader::decode(&header).ok();
    let is_intact = decoded.is_some_and(|decoded| {
        StreamLogIdentity::of_header(Some(decoded)) == frame.identity
            && decoded.segment.is_none_or(|segment| segment.base == base)
    });
    if !is_intact || frame.offset != base + header_len {
        let reason = Some("the header is not one of this log, or its first frame does not follow it".to_owned());
        let evidence = Evidence { reason, ..Evidence::default() };
        let finding = Finding::new(DamageKind::Header, base..base + header_len).with_evidence(evidence);
        return Ok(Some(Box::new(finding)));
    }
    frame.header = header;
    frame.after = position.end.filter(|end| *end != base);
    Ok(None)
}

/// Reads the log from a position to `until`, and counts its frames up to the first damage.
///
/// # Errors
/// `Io`, `OutOfMemory` and `Changed` when the log cannot be read.
pub(super) fn measure_backlog(view: &LogView, start: u64, until: u64) -> Result<Backlog, StorageError> {
    let mut backlog = Backlog { end: start, ..Backlog::default() };
    if until <= start {
        return Ok(backlog);
    }
    let version = view.log().version();
    let mut walk = LogWalk::new(view, start..until, until);
    loop {
        let item = match walk.next_before(until) {
            Err(StorageError::Removed { first, .. }) if first < until => {
                walk = LogWalk::new(view, first..until, until);
                continue;
            }
            item => item?,
        };
        match item {
            None | Some(WalkItem::InFlight(_)) => return Ok(backlog),
            Some(WalkItem::DamagedRange(_)) => {}
            Some(WalkItem::Damage(finding)) if !finding.kind.is_damage() => {}
            Some(WalkItem::Damage(finding)) => {
                backlog.damage = Some(finding);
                return Ok(backlog);
            }
            Some(WalkItem::Frame(at, frame)) => {
                if backlog.frames == 0
                    && let FrameContent::Event(event) = classify_frame(&frame, version)
                {
                    backlog.first_time_ms = Some(event.write_timestamp_ms());
                }
                backlog.frames += 1;
                backlog.end = at + frame.len();
                let payload_len = frame.payload().len() as u64;
                if backlog.largest.is_none_or(|(largest, _)| payload_len > largest) {
                    backlog.largest = Some((payload_len, at));
                }
            }
        }
    }
}
