//! A compact list of ascending file offsets. A clone shares its chunks with the original, and a push copies only the last
//! chunk.

use std::ops::Range;
use std::sync::Arc;

use crate::format::index::{put_varint, take_varint};

/// Number of offsets in one chunk.
const OFFSETS_PER_CHUNK: u64 = 1024;

/// A list of ascending file offsets that occupy a few bytes each.
#[derive(Debug, Clone, Default)]
pub(super) struct OffsetList {
    chunks: Vec<Arc<OffsetChunk>>,
    len: u64,
}

/// Consecutive offsets of the list: the first one, and the differences of the others as varints.
#[derive(Debug, Clone)]
struct OffsetChunk {
    first: u64,
    last: u64,
    len: u64,
    deltas: Vec<u8>,
}

impl OffsetList {
    /// Returns the number of offsets.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Appends an offset, which must be greater than the last one.
    pub(super) fn push(&mut self, offset: u64) {
        self.len += 1;
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len < OFFSETS_PER_CHUNK => Arc::make_mut(chunk).push(offset),
            _ => self.chunks.push(Arc::new(OffsetChunk { first: offset, last: offset, len: 1, deltas: Vec::new() })),
        }
    }

    /// Inserts offsets before the first one. They must all be smaller than it.
    pub(super) fn prepend(&mut self, before: Self) {
        self.len += before.len;
        self.chunks.splice(0..0, before.chunks);
    }

    /// Removes the offsets at and after `offset`.
    pub(super) fn truncate_from(&mut self, offset: u64) {
        let chunks_before = self.chunks.partition_point(|chunk| chunk.last < offset);
        let rest: Vec<u64> = self.range(0..offset).skip(self.len_of_chunks(chunks_before) as usize).collect();
        self.chunks.truncate(chunks_before);
        self.len = self.len_of_chunks(chunks_before);
        for offset in rest {
            self.push(offset);
        }
    }

    /// Iterates over the offsets in a range, ascending.
    pub(super) fn range(&self, range: Range<u64>) -> impl Iterator<Item = u64> + '_ {
        let from = self.chunks.partition_point(|chunk| chunk.last < range.start);
        let following = self.chunks.get(from..).unwrap_or_default();
        following
            .iter()
            .flat_map(|chunk| chunk.iter())
            .skip_while(move |offset| *offset < range.start)
            .take_while(move |offset| *offset < range.end)
    }

    /// Returns the last offset before `offset`.
    pub(super) fn last_before(&self, offset: u64) -> Option<u64> {
        let end = self.chunks.partition_point(|chunk| chunk.first < offset);
        self.chunks.get(end.checked_sub(1)?)?.iter().take_while(|known| *known < offset).last()
    }

    /// Returns the number of offsets before `offset`.
    pub(super) fn rank(&self, offset: u64) -> u64 {
        let chunks_before = self.chunks.partition_point(|chunk| chunk.last < offset);
        let partial =
            self.chunks.get(chunks_before).map_or(0, |chunk| chunk.iter().take_while(|known| *known < offset).count());
        self.len_of_chunks(chunks_before) + partial as u64
    }

    fn len_of_chunks(&self, chunks: usize) -> u64 {
        self.chunks.iter().take(chunks).map(|chunk| chunk.len).sum()
    }
}

impl OffsetChunk {
    fn push(&mut self, offset: u64) {
        put_varint(offset.saturating_sub(self.last), &mut self.deltas);
        (self.last, self.len) = (offset, self.len + 1);
    }

    fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        let (mut at, mut rest) = (self.first, self.deltas.as_slice());
        let further = std::iter::from_fn(move || {
            at += take_varint(&mut rest)?;
            Some(at)
        });
        std::iter::once(self.first).chain(further)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list_of(offsets: impl IntoIterator<Item = u64>) -> OffsetList {
        let mut list = OffsetList::default();
        for offset in offsets {
            list.push(offset);
        }
        list
    }

    #[test]
    fn offsets_are_listed_unchanged_for_differences_of_any_size() {
        let known: Vec<u64> = (0..5000u64)
            .scan(16, |at, n| {
                *at += [1, 127, 128, 300, 1 << 20, 1 << 40][(n * n % 6) as usize];
                Some(*at)
            })
            .collect();
        let offsets = list_of(known.iter().copied());
        assert_eq!(offsets.range(0..u64::MAX).collect::<Vec<_>>(), known);
        assert_eq!(offsets.len(), 5000);
        for n in [0, 1, 1023, 1024, 1025, 2500, 4999] {
            assert_eq!((offsets.rank(known[n]), offsets.rank(known[n] + 1)), (n as u64, n as u64 + 1));
            let end = (n + 3).min(4999);
            assert_eq!(offsets.range(known[n]..known[end]).collect::<Vec<_>>(), known[n..end]);
        }
    }

    #[test]
    fn truncation_removes_offsets_and_prepended_offsets_come_first() {
        for cut in [0, 1, 1024, 1025, 2999, 3000] {
            let mut list = list_of((0..3000).map(|n| n * 10));
            let copy = list.clone();
            list.truncate_from(cut * 10);
            assert_eq!((list.len(), list.range(0..u64::MAX).count() as u64), (cut, cut));
            list.push(40_000);
            assert_eq!(list.range(0..u64::MAX).last(), Some(40_000));
            assert_eq!(copy.range(0..u64::MAX).last(), Some(29_990), "a copy stays as it was");
        }
        let mut later = list_of([500, 600]);
        later.prepend(list_of([100, 200]));
        assert_eq!(later.range(0..u64::MAX).collect::<Vec<_>>(), [100, 200, 500, 600]);
        assert_eq!(later.rank(500), 2);
        assert_eq!(
            [100, 101, 500, 501, 900].map(|at| later.last_before(at)),
            [None, Some(100), Some(200), Some(500), Some(600)]
        );
    }
}
