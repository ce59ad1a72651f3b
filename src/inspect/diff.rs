//! Two copies of a log compared, by offset: a log only ever grows at its end, so the same frame stands at the same place.
//!
//! Where the bytes are the same nothing is judged: they are compared in large chunks. Where they part, both logs are
//! walked frame by frame until they have agreed for a while.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::LogView;
use crate::StorageError;
use crate::file::storage::read_readable;
use crate::file::{LogFile, Place, Scanner, Span, place};

/// Differences kept in memory; those after them are told to the caller as they come, and counted.
pub const MAX_DIFFERENCES: usize = 10_000;
/// How much is compared at once, and the distance of two reports of progress, in bytes.
const CHUNK: usize = 1 << 20;
/// After so many bytes of frames that are the same, chunks are compared again: to change over costs a few chunks.
const AGREED: u64 = 4 << 20;

/// How two copies differ in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Differs {
    /// The headers.
    Header,
    /// Both have a valid frame at this offset, and not the same one.
    Frame,
    /// Only the first has a valid frame at this offset.
    OnlyInA,
    /// Only the second has a valid frame at this offset.
    OnlyInB,
    /// Neither has a valid frame there, and the bytes are not the same.
    Bytes,
    /// Neither has a valid frame there, and the device of one refuses to read the bytes.
    Unreadable,
    /// The first goes on where the second ends.
    OnlyAGoesOn,
    /// The second goes on where the first ends.
    OnlyBGoesOn,
}

impl Differs {
    /// Every way, with its name.
    pub const ALL: [(Differs, &'static str); 8] = [
        (Differs::Header, "header"),
        (Differs::Frame, "frame"),
        (Differs::OnlyInA, "only_in_a"),
        (Differs::OnlyInB, "only_in_b"),
        (Differs::Bytes, "bytes"),
        (Differs::Unreadable, "unreadable"),
        (Differs::OnlyAGoesOn, "only_a_goes_on"),
        (Differs::OnlyBGoesOn, "only_b_goes_on"),
    ];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }
}

/// A range in which two copies differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// How.
    pub how: Differs,
    /// File offset of the first byte.
    pub start: u64,
    /// Behind the last byte; of two frames, the longer one's.
    pub end: u64,
}

/// What a comparison tells while it runs.
#[derive(Debug)]
pub enum Compared<'a> {
    /// It has come to this offset, of this end.
    Progress(u64, u64),
    /// It has found a difference.
    Difference(&'a Difference),
}

/// What a comparison has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The sizes of both, in bytes, as they were when it began.
    pub bytes: (u64, u64),
    /// The bytes before this offset are the same.
    pub identical_to: u64,
    /// Differences, ascending, the first [`MAX_DIFFERENCES`] of them.
    pub differences: Vec<Difference>,
    /// How many there are of each kind, in the order of [`Differs::ALL`].
    pub counts: [u64; Differs::ALL.len()],
}

impl Comparison {
    /// True when the copies are the same, byte for byte.
    pub fn is_identical(&self) -> bool {
        self.total() == 0
    }

    /// How many differences there are.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// Compares two copies of a log, telling `on` as it goes. Memory: a few chunks, or two frames.
///
/// Both ends are fixed first, so a copy that is being appended to is compared as it was then.
///
/// # Errors
/// `Refused` when they are of different versions; `Stopped` when `on` breaks; `Io`, `Changed`, `Memory` when one cannot
/// be read.
pub fn diff(
    a: &LogView,
    b: &LogView,
    on: &mut dyn FnMut(Compared) -> ControlFlow<()>,
) -> Result<Comparison, StorageError> {
    let (a, b) = (a.log(), b.log());
    if a.version() != b.version() {
        let (one, other) = (a.version().number(), b.version().number());
        return Err(StorageError::Refused {
            path: b.path().to_owned(),
            why: format!("a log of version {other} is no copy of one of version {one}"),
            instead: "Compare the log that `migrate` wrote with another that it wrote",
        });
    }
    let ends = (a.len()?, b.len()?);
    let found = Comparison { bytes: ends, identical_to: u64::MAX, ..Comparison::default() };
    let common = ends.0.min(ends.1);
    let mut walk = Walk { logs: (a, b), ends, common, on, found, last: None, told: 0 };
    walk.run()?;
    walk.found.identical_to = walk.found.identical_to.min(common);
    Ok(walk.found)
}

struct Walk<'a> {
    logs: (&'a Arc<LogFile>, &'a Arc<LogFile>),
    ends: (u64, u64),
    /// The end of the shorter one.
    common: u64,
    on: &'a mut dyn FnMut(Compared) -> ControlFlow<()>,
    found: Comparison,
    /// The difference that was told last.
    last: Option<Difference>,
    told: u64,
}

/// One of the two, walked frame by frame.
struct Side {
    scanner: Scanner,
    span: Option<Span>,
}

impl Side {
    fn at(log: &Arc<LogFile>, range: Range<u64>) -> Result<Self, StorageError> {
        let mut side = Self { scanner: Scanner::new(log.clone(), range), span: None };
        side.advance()?;
        Ok(side)
    }

    fn advance(&mut self) -> Result<(), StorageError> {
        self.span = self.scanner.next_item()?.map(|item| item.span());
        Ok(())
    }

    /// The bytes of the frame it stands on.
    fn frame(&self) -> &[u8] {
        self.scanner.current().map(|(_, frame)| frame.bytes()).unwrap_or_default()
    }
}

impl Walk<'_> {
    fn run(&mut self) -> Result<(), StorageError> {
        let mut at = self.logs.0.first_frame().min(self.common);
        if let Some(apart) = self.first_apart(0..at)? {
            self.found.identical_to = apart;
            self.differ(Differs::Header, 0..at)?;
        }
        while let Some(apart) = self.first_apart(at..self.common)? {
            self.found.identical_to = self.found.identical_to.min(apart);
            at = self.walk(self.boundary(apart)?.max(at))?;
        }
        let (a, b) = self.ends;
        if a > b {
            self.goes_on(self.logs.0, a, (Differs::OnlyInA, Differs::OnlyAGoesOn))?;
        } else if b > a {
            self.goes_on(self.logs.1, b, (Differs::OnlyInB, Differs::OnlyBGoesOn))?;
        }
        self.tell(self.common)
    }

    /// Tells what the longer one has behind the end of the other: first the frame that is cut there.
    fn goes_on(&mut self, longer: &Arc<LogFile>, end: u64, how: (Differs, Differs)) -> Result<(), StorageError> {
        let mut from = self.common;
        if let Place::Inside(cut) = place(longer, from, end)? {
            from = cut.end;
            let only = Difference { how: how.0, start: cut.start, end: cut.end };
            if self.last.as_ref() != Some(&only) {
                self.differ(how.0, cut)?;
            }
        }
        if from < end { self.differ(how.1, from..end) } else { Ok(()) }
    }

    /// The first offset of `range` at which the bytes are not the same, or cannot be read.
    fn first_apart(&mut self, range: Range<u64>) -> Result<Option<u64>, StorageError> {
        let [mut one, mut other] = buffers(&range);
        let mut at = range.start;
        while at < range.end {
            let len = (range.end - at).min(CHUNK as u64) as usize;
            let (one, other) = (readable(self.logs.0, &mut one, at, len)?, readable(self.logs.1, &mut other, at, len)?);
            if one != other || one.len() < len {
                return Ok(Some(at + one.iter().zip(other).take_while(|(a, b)| a == b).count() as u64));
            }
            at += len as u64;
            self.tell(at)?;
        }
        Ok(None)
    }

    /// Where the first frame or damaged range starts that `offset` lies in, in either; before it the bytes are the same.
    fn boundary(&self, offset: u64) -> Result<u64, StorageError> {
        let start = |log, end| match place(log, offset, end)? {
            Place::Frame(range) | Place::Inside(range) | Place::Damaged(range) => Ok(range.start),
            Place::End => Ok(offset),
        };
        let starts: (Result<u64, StorageError>, _) = (start(self.logs.0, self.ends.0), start(self.logs.1, self.ends.1));
        Ok(starts.0?.min(starts.1?))
    }

    /// Walks both from `start` on, until they have agreed for a while or one ends: where that is.
    fn walk(&mut self, start: u64) -> Result<u64, StorageError> {
        let mut a = Side::at(self.logs.0, start..self.ends.0)?;
        let mut b = Side::at(self.logs.1, start..self.ends.1)?;
        let mut agreed_from = start;
        while let Some(at) = first_start(&a, &b).filter(|at| *at < self.common) {
            let before = self.found.total();
            match (&a.span, &b.span) {
                (Some(Span::Frame(one)), Some(Span::Frame(other))) if one.start == other.start => {
                    let end = one.end.max(other.end);
                    if a.frame() != b.frame() {
                        self.differ(Differs::Frame, at..end)?;
                    } else if end - agreed_from >= AGREED {
                        return Ok(end);
                    }
                    a.advance()?;
                    b.advance()?;
                }
                (Some(Span::Frame(one)), other) if other.as_ref().is_none_or(|other| one.start < behind(other)) => {
                    self.differ(Differs::OnlyInA, one.clone())?;
                    a.advance()?;
                }
                (one, Some(Span::Frame(other))) if one.as_ref().is_none_or(|one| other.start < behind(one)) => {
                    self.differ(Differs::OnlyInB, other.clone())?;
                    b.advance()?;
                }
                (Some(one), Some(other)) => {
                    let both = one.range().start.max(other.range().start)..one.range().end.min(other.range().end);
                    let apart = match (one, other) {
                        (Span::Damaged(_), Span::Damaged(_)) => {
                            self.damage_apart(both)?.map(|range| (Differs::Bytes, range))
                        }
                        (Span::Frame(_), _) | (_, Span::Frame(_)) => None,
                        _ => Some((Differs::Unreadable, both)).filter(|(_, both)| both.start < both.end),
                    };
                    if let Some((how, range)) = apart {
                        self.differ(how, range)?;
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
            if self.found.total() > before {
                agreed_from = first_start(&a, &b).unwrap_or(self.common);
            }
            self.tell(at)?;
        }
        Ok(self.common)
    }

    /// From the first to behind the last byte of a range without frames that is not the same in both.
    fn damage_apart(&mut self, range: Range<u64>) -> Result<Option<Range<u64>>, StorageError> {
        let Some(first) = self.first_apart(range.clone())? else { return Ok(None) };
        let mut last = first;
        let [mut one, mut other] = buffers(&range);
        let mut at = first;
        while at < range.end {
            let len = (range.end - at).min(CHUNK as u64) as usize;
            let (one, other) = (readable(self.logs.0, &mut one, at, len)?, readable(self.logs.1, &mut other, at, len)?);
            if one.len().min(other.len()) < len {
                return Ok(Some(first..range.end));
            }
            let apart = one.iter().zip(other).rposition(|(a, b)| a != b);
            last = apart.map_or(last, |apart| at + apart as u64);
            at += len as u64;
        }
        Ok(Some(first..last + 1))
    }

    fn differ(&mut self, how: Differs, range: Range<u64>) -> Result<(), StorageError> {
        for (count, row) in self.found.counts.iter_mut().zip(Differs::ALL) {
            *count += u64::from(row.0 == how);
        }
        let difference = Difference { how, start: range.start, end: range.end };
        let told = (self.on)(Compared::Difference(&difference));
        if self.found.differences.len() < MAX_DIFFERENCES {
            self.found.differences.push(difference.clone());
        }
        self.last = Some(difference);
        if told.is_break() { Err(StorageError::Stopped) } else { Ok(()) }
    }

    fn tell(&mut self, at: u64) -> Result<(), StorageError> {
        if at < self.common && at.saturating_sub(self.told) < CHUNK as u64 {
            return Ok(());
        }
        self.told = at;
        match (self.on)(Compared::Progress(at, self.common)) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(StorageError::Stopped),
        }
    }
}

/// Up to where a span tells what stands there: a frame says it of its start alone.
fn behind(span: &Span) -> u64 {
    match span {
        Span::Frame(range) => range.start,
        Span::Damaged(range) | Span::Unreadable(range) => range.end,
    }
}

/// Two of what a range takes, at most a chunk: most damage is small.
fn buffers(range: &Range<u64>) -> [Vec<u8>; 2] {
    let len = range.end.saturating_sub(range.start).min(CHUNK as u64) as usize;
    [vec![0; len], vec![0; len]]
}

fn first_start(a: &Side, b: &Side) -> Option<u64> {
    [&a.span, &b.span].into_iter().flatten().map(|span| span.range().start).min()
}

/// The `len` bytes at `at`; fewer where the file ends, or the device refuses to read on.
fn readable<'b>(log: &LogFile, buf: &'b mut [u8], at: u64, len: usize) -> Result<&'b [u8], StorageError> {
    let buf = buf.get_mut(..len).unwrap_or_default();
    let read =
        read_readable(log.storage(), buf, at).map_err(|error| StorageError::io_at(log.path(), "read", at, error))?;
    Ok(buf.get(..read).unwrap_or_default())
}
