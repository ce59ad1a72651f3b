//! One aggregate's offsets out of the index file, read piece by piece and checked one by one.

use super::persisted::{IndexFault, PersistedIndex, Row};
use crate::format::index::{Section, take_varint};

/// Bytes of postings read at once.
const POSTINGS_CHUNK: usize = 64 << 10;

/// Offsets of one aggregate out of the file, read piece by piece.
#[derive(Debug)]
pub struct PersistedOffsets<'i> {
    index: &'i PersistedIndex,
    left: u64,
    next_byte: u64,
    end: u64,
    chunk: Vec<u8>,
    used: usize,
    previous: Option<u64>,
}

impl<'i> PersistedOffsets<'i> {
    pub(super) fn new(index: &'i PersistedIndex, row: &Row) -> Self {
        Self {
            index,
            left: row.summary.events,
            next_byte: row.postings_at,
            end: row.postings_end,
            chunk: Vec::new(),
            used: 0,
            previous: None,
        }
    }

    fn step(&mut self) -> Result<u64, IndexFault> {
        let held = self.chunk.len() - self.used;
        if held < 10 && self.next_byte < self.end {
            let more = ((self.end - self.next_byte) as usize).min(POSTINGS_CHUNK);
            let bytes = self.index.section(Section::Postings, self.next_byte, more)?;
            self.chunk.drain(..self.used);
            self.chunk.extend_from_slice(&bytes);
            self.used = 0;
            self.next_byte += more as u64;
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
        match offset.filter(|offset| *offset < self.index.head().covered_to) {
            Some(offset) => {
                self.previous = Some(offset);
                Ok(offset)
            }
            None => Err(IndexFault::Corrupt("an aggregate's offsets are out of order or out of range".into())),
        }
    }
}

impl Iterator for PersistedOffsets<'_> {
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
