//! Compares two copies of a log by offset: a log only grows at its end, so a frame has the same offset in both copies.
//!
//! Bytes are compared in large chunks. Where they differ, both logs are read frame by frame, until the frames of the next
//! few mebibytes are equal. The payload of a frame is read only to name its event in a listed difference, so comparing copies
//! that have diverged costs less than verifying both.

use std::ops::Range;
use std::sync::Arc;

use super::LogView;
use super::diff_recorder::{DiffRecorder, header_content};
use super::difference::{
    Comparison, CopyContent, DiffListing, DifferenceKind, EventLabel, LogDifference, OnDiffUpdate, RestOfLog,
};
use super::frame_content::{FrameContent, classify_frame};
use super::frame_cursor::{FrameCursor, frame_copy_content};
use super::progress::Progress;
use crate::StorageError;
use crate::file::storage::read_until_device_error;
use crate::file::{LogFile, OffsetLocation, ScanItem, ScanSpan, Scanner, locate_offset};

/// Number of bytes compared at once, and between two progress reports.
const CHUNK_LEN: usize = 1 << 20;
/// Number of bytes of equal frames after which the comparison returns to chunks.
const CHUNK_RESUME_BYTES: u64 = 4 << 20;

/// Compares two copies of a log, and reports differences and progress to `on_update`.
///
/// `listing` selects the differences whose events are named. The ends of both copies are fixed first, so events that are appended during the comparison are ignored. Logs that have
/// different events from their first one on are not copies of one log; the comparison ends as soon as that is clear.
/// Memory use is a few mebibytes, or two frames when those are larger, besides the differences.
///
/// # Errors
/// `Refused` when the logs are of different versions; `Cancelled` when `on_update` breaks; `Io`, `Changed` and
/// `OutOfMemory` when one of the logs cannot be read.
pub fn diff(
    a: &LogView,
    b: &LogView,
    listing: DiffListing,
    on_update: &mut OnDiffUpdate,
) -> Result<Comparison, StorageError> {
    diff_files(a.log(), b.log(), listing, on_update)
}

/// Compares two copies of a log like [`diff()`], with its errors.
pub(crate) fn diff_files(
    a: &Arc<LogFile>,
    b: &Arc<LogFile>,
    listing: DiffListing,
    on_update: &mut OnDiffUpdate,
) -> Result<Comparison, StorageError> {
    if a.version() != b.version() {
        let (one, other) = (a.version().number(), b.version().number());
        let alternative = if one.min(other) == 0 {
            "Migrate the log of version 0 with `chronicle migrate`, and compare again"
        } else {
            "Name two copies of one log; a migrated log is a new log, in which every event has another offset"
        };
        return Err(StorageError::Refused {
            path: b.path().to_owned(),
            reason: format!("a log of version {other} cannot be a copy of a log of version {one}"),
            alternative,
        });
    }
    let ends = (a.len()?, b.len()?);
    let recorder = DiffRecorder::new((a, b), ends, listing, on_update);
    let mut comparer = LogComparer { logs: (a, b), ends, common_end: ends.0.min(ends.1), recorder, reported_to: 0 };
    comparer.compare()?;
    comparer.recorder.finish()
}

/// The state of a comparison.
struct LogComparer<'a> {
    logs: (&'a Arc<LogFile>, &'a Arc<LogFile>),
    ends: (u64, u64),
    /// The end of the shorter log.
    common_end: u64,
    recorder: DiffRecorder<'a>,
    /// The offset up to which progress was reported.
    reported_to: u64,
}

/// The log that continues after the end of the other one.
#[derive(Debug, Clone, Copy)]
enum LongerLog {
    A,
    B,
}

impl LogComparer<'_> {
    fn compare(&mut self) -> Result<(), StorageError> {
        // Retention can have removed the start of a log, or of both. The comparison starts with the first header that both have.
        let (a, b) = self.logs;
        let mut at = a.first_frame_offset().max(b.first_frame_offset()).min(self.common_end);
        let start = a.header_range().start.max(b.header_range().start).min(at);
        if let Some(difference) = self.find_first_difference(start..at)? {
            self.recorder.set_identical_to(difference);
            let (a, b) = (header_content(a), header_content(b));
            self.recorder.record(LogDifference { kind: DifferenceKind::Header, start, end: at, a, b })?;
        }
        while let Some(difference) = self.find_first_difference(at..self.common_end)? {
            self.recorder.set_identical_to(difference);
            let boundary = self.find_frame_boundary(difference)?.max(at);
            if boundary > at {
                self.recorder.record_shared_frame()?;
            }
            at = self.compare_frames(boundary)?;
            if self.recorder.is_unrelated() {
                return Ok(());
            }
        }
        if at < self.common_end {
            self.recorder.record_shared_frame()?;
        }
        let (a, b) = self.ends;
        if a > b {
            self.report_longer_tail(LongerLog::A)?;
        } else if b > a {
            self.report_longer_tail(LongerLog::B)?;
        }
        self.report_progress(a.max(b))
    }

    /// Reports the part of the longer log after the end of the shorter log.
    ///
    /// A frame that contains that end is reported first, and the rest as one range.
    fn report_longer_tail(&mut self, longer: LongerLog) -> Result<(), StorageError> {
        let (log, end, only, continues) = match longer {
            LongerLog::A => (self.logs.0, self.ends.0, DifferenceKind::OnlyInA, DifferenceKind::AIsLonger),
            LongerLog::B => (self.logs.1, self.ends.1, DifferenceKind::OnlyInB, DifferenceKind::BIsLonger),
        };
        let record = |comparer: &mut Self, kind, range: Range<u64>, has: CopyContent, lacks| {
            let (a, b) = match longer {
                LongerLog::A => (has, lacks),
                LongerLog::B => (lacks, has),
            };
            comparer.recorder.record(LogDifference { kind, start: range.start, end: range.end, a, b })
        };
        let mut from = self.common_end;
        if let OffsetLocation::InsideFrame(cut) = locate_offset(log, from, end)? {
            from = cut.end;
            if !self.recorder.is_last(only, cut.start, cut.end) {
                let mut buffer = Vec::new();
                let frame = log.read_frame_at(cut.start, &mut buffer)?;
                let content = frame.map_or(CopyContent::Damage, |frame| frame_copy_content(&frame, log.version()));
                record(self, only, cut, content, CopyContent::Damage)?;
            }
        }
        if from < end {
            let rest = self.read_rest(log, from..end)?;
            record(self, continues, from..end, CopyContent::Rest(rest), CopyContent::End)?;
        }
        Ok(())
    }

    /// Counts the events in a range at the end of a log.
    fn read_rest(&mut self, log: &Arc<LogFile>, range: Range<u64>) -> Result<RestOfLog, StorageError> {
        let mut rest = RestOfLog::default();
        let mut last_event = None;
        let mut scanner = Scanner::new(log.clone(), range);
        while let Some(item) = scanner.next_item()? {
            let end = item.span().range().end;
            match item {
                ScanItem::Frame(at, frame) => match classify_frame(&frame, log.version()) {
                    FrameContent::Event(event) => {
                        rest.events += 1;
                        match rest.first {
                            None => rest.first = Some(EventLabel::from_event(&event)),
                            Some(_) => last_event = Some(at),
                        }
                    }
                    FrameContent::Gap | FrameContent::InvalidEvent(_) => rest.other_ranges += 1,
                },
                ScanItem::Damaged(_) | ScanItem::Unreadable(_) | ScanItem::Missing(_) => rest.other_ranges += 1,
            }
            self.report_progress(end)?;
        }
        if let Some(at) = last_event
            && let Some(frame) = log.read_frame_at(at, &mut Vec::new())?
            && let CopyContent::Event(label) = frame_copy_content(&frame, log.version())
        {
            rest.last = Some(label);
        }
        Ok(rest)
    }

    /// Returns the first offset of `range` at which the bytes differ or cannot be read.
    fn find_first_difference(&mut self, range: Range<u64>) -> Result<Option<u64>, StorageError> {
        let [mut one, mut other] = chunk_buffers(&range);
        let mut at = range.start;
        while at < range.end {
            let len = (range.end - at).min(CHUNK_LEN as u64) as usize;
            let (one, other) =
                (read_available(self.logs.0, &mut one, at, len)?, read_available(self.logs.1, &mut other, at, len)?);
            if one != other || one.len() < len {
                return Ok(Some(at + one.iter().zip(other).take_while(|(a, b)| a == b).count() as u64));
            }
            at += len as u64;
            self.report_progress(at)?;
        }
        Ok(None)
    }

    /// Returns the smaller start of the frames or damaged ranges that contain `offset` in the two logs.
    fn find_frame_boundary(&self, offset: u64) -> Result<u64, StorageError> {
        let start = |log, end| match locate_offset(log, offset, end)? {
            OffsetLocation::FrameStart(range) | OffsetLocation::InsideFrame(range) | OffsetLocation::Damaged(range) => {
                Ok(range.start)
            }
            OffsetLocation::PastEnd => Ok(offset),
        };
        let starts: (Result<u64, StorageError>, _) = (start(self.logs.0, self.ends.0), start(self.logs.1, self.ends.1));
        Ok(starts.0?.min(starts.1?))
    }

    /// Compares the frames of both logs, starting at `start`, until [`CHUNK_RESUME_BYTES`] were equal, one log ends, or
    /// the logs are found to be unrelated.
    ///
    /// Returns the offset at which the comparison of frames ended.
    fn compare_frames(&mut self, start: u64) -> Result<u64, StorageError> {
        let mut a = FrameCursor::new(self.logs.0, start..self.ends.0)?;
        let mut b = FrameCursor::new(self.logs.1, start..self.ends.1)?;
        let mut equal_from = start;
        while let Some(at) = next_frame_start(&a, &b).filter(|at| *at < self.common_end) {
            let before = self.recorder.total();
            match (a.span(), b.span()) {
                (Some(ScanSpan::Frame(one)), Some(ScanSpan::Frame(other))) if one.start == other.start => {
                    let end = one.end.max(other.end);
                    if a.frame_bytes() == b.frame_bytes() {
                        self.recorder.record_shared_frame()?;
                        if end - equal_from >= CHUNK_RESUME_BYTES {
                            return Ok(end);
                        }
                    } else {
                        self.record_frames(DifferenceKind::Frame, at..end, &mut a, &mut b)?;
                    }
                    a.advance()?;
                    b.advance()?;
                }
                (Some(ScanSpan::Frame(one)), other) if other.is_none_or(|other| one.start < comparable_end(other)) => {
                    let only = one.clone();
                    self.record_frames(DifferenceKind::OnlyInA, only, &mut a, &mut b)?;
                    a.advance()?;
                }
                (one, Some(ScanSpan::Frame(other))) if one.is_none_or(|one| other.start < comparable_end(one)) => {
                    let only = other.clone();
                    self.record_frames(DifferenceKind::OnlyInB, only, &mut a, &mut b)?;
                    b.advance()?;
                }
                (Some(one), Some(other)) => {
                    let both = one.range().start.max(other.range().start)..one.range().end.min(other.range().end);
                    let difference = match (one, other) {
                        (ScanSpan::Damaged(_), ScanSpan::Damaged(_)) => {
                            self.find_differing_range(both)?.map(|range| (DifferenceKind::Bytes, range))
                        }
                        (ScanSpan::Frame(_), _) | (_, ScanSpan::Frame(_)) => None,
                        _ => Some((DifferenceKind::Unreadable, both)).filter(|(_, both)| both.start < both.end),
                    };
                    let (one, other) = (one.range().end, other.range().end);
                    if let Some((kind, range)) = difference {
                        self.record_frames(kind, range, &mut a, &mut b)?;
                    }
                    if one <= other {
                        a.advance()?;
                    }
                    if other <= one {
                        b.advance()?;
                    }
                }
                (Some(_), None) => a.advance()?,
                (None, _) => b.advance()?,
            }
            if self.recorder.is_unrelated() {
                return Ok(self.common_end);
            }
            if self.recorder.total() > before {
                equal_from = next_frame_start(&a, &b).unwrap_or(self.common_end);
            }
            self.report_progress(at)?;
        }
        Ok(self.common_end)
    }

    /// Records a difference that starts in the current frames or damaged ranges of both logs, or after those of one log.
    fn record_frames(
        &mut self,
        kind: DifferenceKind,
        range: Range<u64>,
        a: &mut FrameCursor,
        b: &mut FrameCursor,
    ) -> Result<(), StorageError> {
        let is_conflict = || [&*a, &*b].iter().all(|copy| copy.content_at(range.start).may_be_event());
        if self.recorder.is_listing() || self.recorder.awaits_conflict() && is_conflict() {
            a.read_content();
            b.read_content();
        }
        let (a, b) = (a.content_at(range.start).clone(), b.content_at(range.start).clone());
        self.recorder.record(LogDifference { kind, start: range.start, end: range.end, a, b })
    }

    /// Returns the range from the first to the last byte that differs, in a range without frames.
    fn find_differing_range(&mut self, range: Range<u64>) -> Result<Option<Range<u64>>, StorageError> {
        let Some(first) = self.find_first_difference(range.clone())? else { return Ok(None) };
        let mut last = first;
        let [mut one, mut other] = chunk_buffers(&range);
        let mut at = first;
        while at < range.end {
            let len = (range.end - at).min(CHUNK_LEN as u64) as usize;
            let (one, other) =
                (read_available(self.logs.0, &mut one, at, len)?, read_available(self.logs.1, &mut other, at, len)?);
            if one.len().min(other.len()) < len {
                return Ok(Some(first..range.end));
            }
            let last_in_chunk = one.iter().zip(other).rposition(|(a, b)| a != b);
            last = last_in_chunk.map_or(last, |index| at + index as u64);
            at += len as u64;
        }
        Ok(Some(first..last + 1))
    }

    fn report_progress(&mut self, at: u64) -> Result<(), StorageError> {
        let total = self.ends.0.max(self.ends.1);
        if at < total && at.saturating_sub(self.reported_to) < CHUNK_LEN as u64 {
            return Ok(());
        }
        self.reported_to = at;
        self.recorder.report_progress(Progress { position: at, total })
    }
}

/// Returns the offset up to which a span shows that no other frame of its log starts: the start of a frame, or the end of
/// a damaged range.
fn comparable_end(span: &ScanSpan) -> u64 {
    match span {
        ScanSpan::Frame(range) => range.start,
        ScanSpan::Damaged(range) | ScanSpan::Unreadable(range) | ScanSpan::Missing(range) => range.end,
    }
}

/// Allocates two buffers for a range, each of at most a chunk.
fn chunk_buffers(range: &Range<u64>) -> [Vec<u8>; 2] {
    let len = range.end.saturating_sub(range.start).min(CHUNK_LEN as u64) as usize;
    [vec![0; len], vec![0; len]]
}

fn next_frame_start(a: &FrameCursor, b: &FrameCursor) -> Option<u64> {
    [a.span(), b.span()].into_iter().flatten().map(|span| span.range().start).min()
}

/// Reads `len` bytes at `at`; fewer when the file ends or the device refuses to read further.
fn read_available<'b>(log: &LogFile, buf: &'b mut [u8], at: u64, len: usize) -> Result<&'b [u8], StorageError> {
    let buf = buf.get_mut(..len).unwrap_or_default();
    let read = read_until_device_error(log.storage(), buf, at)
        .map_err(|error| StorageError::io_at(log.path(), "read", at, error))?;
    Ok(buf.get(..read).unwrap_or_default())
}
