//! One aggregate's offsets out of a run, read piece by piece and checked one by one.

use std::borrow::Cow;

use super::layer::Place;
use super::stored::Stored;
use super::{AggregateSummary, IndexFault};
use crate::format::index::take_varint;

/// Bytes of postings read at once.
pub(super) const CHUNK: usize = 64 << 10;

/// Offsets of one aggregate, ascending.
#[derive(Debug)]
pub(super) struct Offsets<'l> {
    left: u64,
    previous: Option<u64>,
    /// In memory the first one is known; in a file it comes first.
    first: Option<u64>,
    chunk: Cow<'l, [u8]>,
    used: usize,
    /// Where the rest of the bytes is.
    rest: Option<(&'l Stored, u64, u64)>,
    bound: u64,
}

impl<'l> Offsets<'l> {
    /// The offsets of an aggregate, as many as `summary` says.
    pub(super) fn of(summary: &AggregateSummary, place: Place<'l>) -> Self {
        let (left, previous, used) = (summary.events, None, 0);
        match place {
            Place::Memory(deltas) => {
                let (first, chunk) = (Some(summary.first), Cow::Borrowed(deltas));
                Self { left, previous, first, chunk, used, rest: None, bound: u64::MAX }
            }
            Place::Stored(stored, row) => {
                let rest = Some((stored, row.postings_at, row.postings_end));
                Self { left, previous, first: None, chunk: Cow::default(), used, rest, bound: stored.bound() }
            }
        }
    }

    fn step(&mut self) -> Result<u64, IndexFault> {
        if let Some(first) = self.first.take() {
            self.previous = Some(first);
            return Ok(first);
        }
        if self.chunk.len() - self.used < 10
            && let Some((stored, at, end)) = self.rest.as_mut().filter(|(_, at, end)| at < end)
        {
            let more = (*end - *at).min(CHUNK as u64) as usize;
            let bytes = stored.read_postings(*at, more)?;
            *at += more as u64;
            let chunk = self.chunk.to_mut();
            chunk.drain(..self.used);
            chunk.extend_from_slice(&bytes);
            self.used = 0;
        }
        let mut rest = self.chunk.get(self.used..).unwrap_or_default();
        let before = rest.len();
        let delta = take_varint(&mut rest);
        self.used += before - rest.len();
        let offset = match (self.previous, delta) {
            (None, Some(first)) => Some(first),
            (Some(_), Some(0)) | (_, None) => None,
            (Some(previous), Some(delta)) => previous.checked_add(delta),
        };
        self.previous = offset.filter(|offset| *offset < self.bound);
        let broken = || IndexFault::Corrupt("an aggregate's offsets are out of order or out of range".into());
        self.previous.ok_or_else(broken)
    }
}

impl Iterator for Offsets<'_> {
    type Item = Result<u64, IndexFault>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let answer = self.step();
        if answer.is_err() {
            self.left = 0;
        }
        Some(answer)
    }
}
