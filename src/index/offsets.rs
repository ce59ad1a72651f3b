//! One aggregate's offsets out of a run, read piece by piece and checked one by one.

use std::borrow::Cow;

use super::layer::PostingsLocation;
use super::stored_run::StoredRun;
use super::{AggregateSummary, IndexFault};
use crate::format::index::take_varint;

/// Bytes of postings read at once.
pub(super) const POSTINGS_CHUNK: usize = 64 << 10;

/// Offsets of one aggregate, ascending.
#[derive(Debug)]
pub(super) struct AggregateOffsets<'l> {
    remaining: u64,
    previous: Option<u64>,
    /// In memory the first one is known; in a file it comes first.
    first_offset: Option<u64>,
    chunk: Cow<'l, [u8]>,
    consumed: usize,
    /// Where the rest of the bytes is.
    unread: Option<(&'l StoredRun, u64, u64)>,
    offset_limit: u64,
}

impl<'l> AggregateOffsets<'l> {
    /// The offsets of an aggregate, as many as `summary` says.
    pub(super) fn new(summary: &AggregateSummary, place: PostingsLocation<'l>) -> Self {
        let (left, previous, used) = (summary.events, None, 0);
        match place {
            PostingsLocation::Memory(deltas) => {
                let (first, chunk) = (Some(summary.first), Cow::Borrowed(deltas));
                Self {
                    remaining: left,
                    previous,
                    first_offset: first,
                    chunk,
                    consumed: used,
                    unread: None,
                    offset_limit: u64::MAX,
                }
            }
            PostingsLocation::Stored(stored, row) => {
                let rest = Some((stored, row.postings_at, row.postings_end));
                Self {
                    remaining: left,
                    previous,
                    first_offset: None,
                    chunk: Cow::default(),
                    consumed: used,
                    unread: rest,
                    offset_limit: stored.bound(),
                }
            }
        }
    }

    fn read_next(&mut self) -> Result<u64, IndexFault> {
        if let Some(first) = self.first_offset.take() {
            self.previous = Some(first);
            return Ok(first);
        }
        if self.chunk.len() - self.consumed < 10
            && let Some((stored, at, end)) = self.unread.as_mut().filter(|(_, at, end)| at < end)
        {
            let more = (*end - *at).min(POSTINGS_CHUNK as u64) as usize;
            let bytes = stored.read_postings(*at, more)?;
            *at += more as u64;
            let chunk = self.chunk.to_mut();
            chunk.drain(..self.consumed);
            chunk.extend_from_slice(&bytes);
            self.consumed = 0;
        }
        let mut rest = self.chunk.get(self.consumed..).unwrap_or_default();
        let before = rest.len();
        let delta = take_varint(&mut rest);
        self.consumed += before - rest.len();
        let offset = match (self.previous, delta) {
            (None, Some(first)) => Some(first),
            (Some(_), Some(0)) | (_, None) => None,
            (Some(previous), Some(delta)) => previous.checked_add(delta),
        };
        self.previous = offset.filter(|offset| *offset < self.offset_limit);
        let broken = || IndexFault::Corrupt("an aggregate's offsets are out of order or out of range".into());
        self.previous.ok_or_else(broken)
    }
}

impl Iterator for AggregateOffsets<'_> {
    type Item = Result<u64, IndexFault>;

    fn next(&mut self) -> Option<Self::Item> {
        self.remaining = self.remaining.checked_sub(1)?;
        let answer = self.read_next();
        if answer.is_err() {
            self.remaining = 0;
        }
        Some(answer)
    }
}
