//! An iterator over the offsets of one aggregate in one run. It decodes them one by one, and checks their order and
//! range.

use std::borrow::Cow;
use std::ops::Range;

use super::coverage::AggregateSummary;
use super::fault::IndexFault;
use super::stored_run::{DirectoryRow, StoredRun};
use crate::format::index::take_varint;

/// The number of bytes in one read of the postings.
pub(super) const POSTINGS_CHUNK: usize = 64 << 10;

/// The location of the encoded offsets of an aggregate.
#[derive(Debug, Clone, Copy)]
pub(super) enum PostingsLocation<'l> {
    /// The bytes are in memory: the distances from each offset to the next. The first offset is in the summary.
    Memory(&'l [u8]),
    /// The bytes are in the postings of a file: the first offset, then the distances.
    Stored(&'l StoredRun, DirectoryRow),
}

/// Iterates over the offsets of one aggregate in one run, ascending.
#[derive(Debug)]
pub(super) struct AggregateOffsets<'l> {
    remaining: u64,
    previous: Option<u64>,
    /// The first offset, when it is not part of the bytes.
    first_offset: Option<u64>,
    chunk: Cow<'l, [u8]>,
    consumed: usize,
    /// The run and the byte range of postings that are not read yet.
    unread: Option<(&'l StoredRun, Range<u64>)>,
    offset_limit: u64,
}

impl<'l> AggregateOffsets<'l> {
    /// Creates an iterator over the first `summary.events` offsets of an aggregate.
    pub(super) fn new(summary: &AggregateSummary, location: PostingsLocation<'l>) -> Self {
        let empty = Self {
            remaining: summary.events,
            previous: None,
            first_offset: None,
            chunk: Cow::default(),
            consumed: 0,
            unread: None,
            offset_limit: u64::MAX,
        };
        match location {
            PostingsLocation::Memory(deltas) => {
                Self { first_offset: Some(summary.first), chunk: Cow::Borrowed(deltas), ..empty }
            }
            PostingsLocation::Stored(run, row) => Self {
                unread: Some((run, row.postings_at..row.postings_end)),
                offset_limit: run.offset_limit(),
                ..empty
            },
        }
    }

    fn read_next(&mut self) -> Result<u64, IndexFault> {
        if let Some(first) = self.first_offset.take() {
            self.previous = Some(first);
            return Ok(first);
        }
        // A varint takes at most 10 bytes.
        if self.chunk.len() - self.consumed < 10
            && let Some((run, range)) = self.unread.as_mut().filter(|(_, range)| !range.is_empty())
        {
            let len = (range.end - range.start).min(POSTINGS_CHUNK as u64) as usize;
            let bytes = run.read_postings(range.start, len)?;
            range.start += len as u64;
            let chunk = self.chunk.to_mut();
            chunk.drain(..self.consumed);
            chunk.extend_from_slice(&bytes);
            self.consumed = 0;
        }
        let mut rest = self.chunk.get(self.consumed..).unwrap_or_default();
        let len = rest.len();
        let delta = take_varint(&mut rest);
        self.consumed += len - rest.len();
        let offset = match (self.previous, delta) {
            (None, Some(first)) => Some(first),
            (Some(_), Some(0)) | (_, None) => None,
            (Some(previous), Some(delta)) => previous.checked_add(delta),
        };
        self.previous = offset.filter(|offset| *offset < self.offset_limit);
        let corrupt = || IndexFault::Corrupt("an aggregate's offsets are out of order or out of range".into());
        self.previous.ok_or_else(corrupt)
    }
}

impl Iterator for AggregateOffsets<'_> {
    type Item = Result<u64, IndexFault>;

    fn next(&mut self) -> Option<Self::Item> {
        self.remaining = self.remaining.checked_sub(1)?;
        let offset = self.read_next();
        if offset.is_err() {
            self.remaining = 0;
        }
        Some(offset)
    }
}
