//! Compares two copies of a log by offset: a log only grows at its end, so a frame has the same offset in both copies.
//!
//! Bytes are compared in large chunks. Where they differ, both logs are read frame by frame, until the frames of the next
//! few mebibytes are equal.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::LogView;
use super::progress::{Progress, cancelled_if_break};
use crate::StorageError;
use crate::file::storage::read_until_device_error;
use crate::file::{LogFile, OffsetLocation, ScanSpan, Scanner, locate_offset};

/// Largest number of differences in a [`Comparison`]. Further differences are passed to the callback and counted.
pub const MAX_DIFFERENCES: usize = 10_000;
/// Number of bytes compared at once, and between two progress reports.
const CHUNK_LEN: usize = 1 << 20;
/// Number of bytes of equal frames after which the comparison returns to chunks.
const CHUNK_RESUME_BYTES: u64 = 4 << 20;

/// A kind of difference between two copies in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DifferenceKind {
    /// The headers of the copies differ.
    Header,
    /// Both have a valid frame at this offset, and the frames differ.
    Frame,
    /// Only the first has a valid frame at this offset.
    OnlyInA,
    /// Only the second has a valid frame at this offset.
    OnlyInB,
    /// Neither copy has a valid frame in the range, and the bytes differ.
    Bytes,
    /// Neither copy has a valid frame in the range, and the device of one copy refuses to read the bytes.
    Unreadable,
    /// The first continues where the second ends.
    AIsLonger,
    /// The second continues where the first ends.
    BIsLonger,
}

impl DifferenceKind {
    /// Every kind, in the order of reports.
    pub const ALL: [Self; 8] = [
        Self::Header,
        Self::Frame,
        Self::OnlyInA,
        Self::OnlyInB,
        Self::Bytes,
        Self::Unreadable,
        Self::AIsLonger,
        Self::BIsLonger,
    ];

    /// Returns the name of the kind in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Frame => "frame",
            Self::OnlyInA => "only_in_a",
            Self::OnlyInB => "only_in_b",
            Self::Bytes => "bytes",
            Self::Unreadable => "unreadable",
            Self::AIsLonger => "only_a_goes_on",
            Self::BIsLonger => "only_b_goes_on",
        }
    }
}

/// A range in which two copies differ.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogDifference {
    /// The kind of the difference.
    pub kind: DifferenceKind,
    /// File offset of the first byte.
    pub start: u64,
    /// File offset after the last byte; when two frames differ, after the longer one.
    pub end: u64,
}

/// A report of a running comparison.
#[derive(Debug)]
#[non_exhaustive]
pub enum DiffUpdate<'a> {
    /// The comparison has read up to a position of the shorter log.
    Progress(Progress),
    /// A difference was found.
    Difference(&'a LogDifference),
}

/// The callback of a comparison. `Break` cancels the comparison, which then fails with [`StorageError::Cancelled`].
pub type OnDiffUpdate<'a> = dyn FnMut(DiffUpdate) -> ControlFlow<()> + 'a;

/// The result of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Comparison {
    /// The size of the first log in bytes, at the start of the comparison.
    pub a_bytes: u64,
    /// The size of the second log in bytes, at the start of the comparison.
    pub b_bytes: u64,
    /// The file offset up to which the copies are equal.
    pub identical_to: u64,
    /// The first [`MAX_DIFFERENCES`] differences, by ascending offset.
    pub differences: Vec<LogDifference>,
    /// The number of differences of each kind, in the order of [`DifferenceKind::ALL`].
    pub counts: [u64; DifferenceKind::ALL.len()],
}

impl Comparison {
    /// True when the copies are equal, byte for byte.
    pub fn is_identical(&self) -> bool {
        self.total() == 0
    }

    /// Returns the number of all differences.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// Compares two copies of a log, and reports differences and progress to `on_update`.
///
/// The ends of both copies are fixed first, so events that are appended during the comparison are ignored. Memory use is
/// a few mebibytes, or two frames when those are larger.
///
/// # Errors
/// `Refused` when the logs are of different versions; `Cancelled` when `on_update` breaks; `Io`, `Changed` and
/// `OutOfMemory` when one of the logs cannot be read.
pub fn diff(a: &LogView, b: &LogView, on_update: &mut OnDiffUpdate) -> Result<Comparison, StorageError> {
    diff_files(a.log(), b.log(), on_update)
}

/// Compares two copies of a log like [`diff()`], with its errors.
pub(crate) fn diff_files(
    a: &Arc<LogFile>,
    b: &Arc<LogFile>,
    on_update: &mut OnDiffUpdate,
) -> Result<Comparison, StorageError> {
    if a.version() != b.version() {
        let (one, other) = (a.version().number(), b.version().number());
        return Err(StorageError::Refused {
            path: b.path().to_owned(),
            reason: format!("a log of version {other} cannot be a copy of a log of version {one}"),
            alternative: "Migrate the log of version 0 with `chronicle migrate`, and compare again",
        });
    }
    let ends = (a.len()?, b.len()?);
    let comparison = Comparison { a_bytes: ends.0, b_bytes: ends.1, identical_to: u64::MAX, ..Comparison::default() };
    let common_end = ends.0.min(ends.1);
    let mut comparer =
        LogComparer { logs: (a, b), ends, common_end, on_update, comparison, last_difference: None, reported_to: 0 };
    comparer.compare()?;
    comparer.comparison.identical_to = comparer.comparison.identical_to.min(common_end);
    Ok(comparer.comparison)
}

/// The state of a comparison.
struct LogComparer<'a> {
    logs: (&'a Arc<LogFile>, &'a Arc<LogFile>),
    ends: (u64, u64),
    /// The end of the shorter log.
    common_end: u64,
    on_update: &'a mut OnDiffUpdate<'a>,
    comparison: Comparison,
    /// The last reported difference.
    last_difference: Option<LogDifference>,
    /// The offset up to which progress was reported.
    reported_to: u64,
}

/// A cursor that reads one of the two logs frame by frame.
struct FrameCursor {
    scanner: Scanner,
    /// The current frame or damaged range; `None` at the end of the log.
    span: Option<ScanSpan>,
}

impl FrameCursor {
    fn new(log: &Arc<LogFile>, range: Range<u64>) -> Result<Self, StorageError> {
        let mut cursor = Self { scanner: Scanner::new(log.clone(), range), span: None };
        cursor.advance()?;
        Ok(cursor)
    }

    fn advance(&mut self) -> Result<(), StorageError> {
        self.span = self.scanner.next_item()?.map(|item| item.span());
        Ok(())
    }

    /// Returns the bytes of the current frame.
    fn frame_bytes(&self) -> &[u8] {
        self.scanner.current().map(|(_, frame)| frame.bytes()).unwrap_or_default()
    }
}

impl LogComparer<'_> {
    fn compare(&mut self) -> Result<(), StorageError> {
        let mut at = self.logs.0.first_frame_offset().min(self.common_end);
        if let Some(difference) = self.find_first_difference(0..at)? {
            self.comparison.identical_to = difference;
            self.record_difference(DifferenceKind::Header, 0..at)?;
        }
        while let Some(difference) = self.find_first_difference(at..self.common_end)? {
            self.comparison.identical_to = self.comparison.identical_to.min(difference);
            at = self.compare_frames(self.find_frame_boundary(difference)?.max(at))?;
        }
        let (a, b) = self.ends;
        if a > b {
            self.report_longer_tail(self.logs.0, a, (DifferenceKind::OnlyInA, DifferenceKind::AIsLonger))?;
        } else if b > a {
            self.report_longer_tail(self.logs.1, b, (DifferenceKind::OnlyInB, DifferenceKind::BIsLonger))?;
        }
        self.report_progress(self.common_end)
    }

    /// Reports the part of the longer log after the end of the shorter log.
    ///
    /// A frame that contains that end is reported first, with the first of `kinds`, and the rest with the second.
    fn report_longer_tail(
        &mut self,
        longer: &Arc<LogFile>,
        end: u64,
        kinds: (DifferenceKind, DifferenceKind),
    ) -> Result<(), StorageError> {
        let mut from = self.common_end;
        if let OffsetLocation::InsideFrame(cut) = locate_offset(longer, from, end)? {
            from = cut.end;
            let only = LogDifference { kind: kinds.0, start: cut.start, end: cut.end };
            if self.last_difference.as_ref() != Some(&only) {
                self.record_difference(kinds.0, cut)?;
            }
        }
        if from < end { self.record_difference(kinds.1, from..end) } else { Ok(()) }
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

    /// Compares the frames of both logs, starting at `start`, until [`CHUNK_RESUME_BYTES`] were equal or one log ends.
    ///
    /// Returns the offset at which the comparison of frames ended.
    fn compare_frames(&mut self, start: u64) -> Result<u64, StorageError> {
        let mut a = FrameCursor::new(self.logs.0, start..self.ends.0)?;
        let mut b = FrameCursor::new(self.logs.1, start..self.ends.1)?;
        let mut equal_from = start;
        while let Some(at) = next_frame_start(&a, &b).filter(|at| *at < self.common_end) {
            let before = self.comparison.total();
            match (&a.span, &b.span) {
                (Some(ScanSpan::Frame(one)), Some(ScanSpan::Frame(other))) if one.start == other.start => {
                    let end = one.end.max(other.end);
                    if a.frame_bytes() != b.frame_bytes() {
                        self.record_difference(DifferenceKind::Frame, at..end)?;
                    } else if end - equal_from >= CHUNK_RESUME_BYTES {
                        return Ok(end);
                    }
                    a.advance()?;
                    b.advance()?;
                }
                (Some(ScanSpan::Frame(one)), other)
                    if other.as_ref().is_none_or(|other| one.start < comparable_end(other)) =>
                {
                    self.record_difference(DifferenceKind::OnlyInA, one.clone())?;
                    a.advance()?;
                }
                (one, Some(ScanSpan::Frame(other)))
                    if one.as_ref().is_none_or(|one| other.start < comparable_end(one)) =>
                {
                    self.record_difference(DifferenceKind::OnlyInB, other.clone())?;
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
                    if let Some((kind, range)) = difference {
                        self.record_difference(kind, range)?;
                    }
                    let (one, other) = (one.range().end, other.range().end);
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
            if self.comparison.total() > before {
                equal_from = next_frame_start(&a, &b).unwrap_or(self.common_end);
            }
            self.report_progress(at)?;
        }
        Ok(self.common_end)
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

    fn record_difference(&mut self, kind: DifferenceKind, range: Range<u64>) -> Result<(), StorageError> {
        for (count, counted) in self.comparison.counts.iter_mut().zip(DifferenceKind::ALL) {
            *count += u64::from(counted == kind);
        }
        let difference = LogDifference { kind, start: range.start, end: range.end };
        let answer = (self.on_update)(DiffUpdate::Difference(&difference));
        if self.comparison.differences.len() < MAX_DIFFERENCES {
            self.comparison.differences.push(difference.clone());
        }
        self.last_difference = Some(difference);
        cancelled_if_break(answer)
    }

    fn report_progress(&mut self, at: u64) -> Result<(), StorageError> {
        if at < self.common_end && at.saturating_sub(self.reported_to) < CHUNK_LEN as u64 {
            return Ok(());
        }
        self.reported_to = at;
        let progress = Progress { position: at, total: self.common_end };
        cancelled_if_break((self.on_update)(DiffUpdate::Progress(progress)))
    }
}

/// Returns the offset up to which a span shows that no other frame of its log starts: the start of a frame, or the end of
/// a damaged range.
fn comparable_end(span: &ScanSpan) -> u64 {
    match span {
        ScanSpan::Frame(range) => range.start,
        ScanSpan::Damaged(range) | ScanSpan::Unreadable(range) => range.end,
    }
}

/// Allocates two buffers for a range, each of at most a chunk.
fn chunk_buffers(range: &Range<u64>) -> [Vec<u8>; 2] {
    let len = range.end.saturating_sub(range.start).min(CHUNK_LEN as u64) as usize;
    [vec![0; len], vec![0; len]]
}

fn next_frame_start(a: &FrameCursor, b: &FrameCursor) -> Option<u64> {
    [&a.span, &b.span].into_iter().flatten().map(|span| span.range().start).min()
}

/// Reads `len` bytes at `at`; fewer when the file ends or the device refuses to read further.
fn read_available<'b>(log: &LogFile, buf: &'b mut [u8], at: u64, len: usize) -> Result<&'b [u8], StorageError> {
    let buf = buf.get_mut(..len).unwrap_or_default();
    let read = read_until_device_error(log.storage(), buf, at)
        .map_err(|error| StorageError::io_at(log.path(), "read", at, error))?;
    Ok(buf.get(..read).unwrap_or_default())
}
