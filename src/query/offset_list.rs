//! Places in a log, ascending, in a few bytes each. A copy shares all but the last thousand with the one it was made of.

use std::ops::Range;
use std::sync::Arc;

use crate::format::index::{put_varint, take_varint};

/// Places in one piece.
const OFFSETS_PER_CHUNK: u64 = 1024;

/// Places in bytes of the file, ascending.
#[derive(Debug, Clone, Default)]
pub(super) struct OffsetList {
    chunks: Vec<Arc<OffsetChunk>>,
    len: u64,
}

/// Some of them: the first, and behind it the distances as varints.
#[derive(Debug, Clone)]
struct OffsetChunk {
    first: u64,
    last: u64,
    len: u64,
    deltas: Vec<u8>,
}

impl OffsetList {
    /// How many there are.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Adds one behind the others.
    pub(super) fn push(&mut self, place: u64) {
        self.len += 1;
        match self.chunks.last_mut() {
            Some(piece) if piece.len < OFFSETS_PER_CHUNK => Arc::make_mut(piece).push(place),
            _ => self.chunks.push(Arc::new(OffsetChunk { first: place, last: place, len: 1, deltas: Vec::new() })),
        }
    }

    /// Puts others before these.
    pub(super) fn prepend(&mut self, before: Self) {
        self.len += before.len;
        self.chunks.splice(0..0, before.chunks);
    }

    /// Forgets those from `place` on.
    pub(super) fn truncate_from(&mut self, place: u64) {
        let kept = self.chunks.partition_point(|piece| piece.last < place);
        let cut: Vec<u64> = self.range(0..place).skip(self.len_of_chunks(kept) as usize).collect();
        self.chunks.truncate(kept);
        self.len = self.len_of_chunks(kept);
        for place in cut {
            self.push(place);
        }
    }

    /// Those in a range.
    pub(super) fn range(&self, range: Range<u64>) -> impl Iterator<Item = u64> + '_ {
        let from = self.chunks.partition_point(|piece| piece.last < range.start);
        let behind = self.chunks.get(from..).unwrap_or_default();
        behind
            .iter()
            .flat_map(|piece| piece.iter())
            .skip_while(move |place| *place < range.start)
            .take_while(move |place| *place < range.end)
    }

    /// The last one before `place`.
    pub(super) fn last_before(&self, place: u64) -> Option<u64> {
        let behind = self.chunks.partition_point(|piece| piece.first < place);
        self.chunks.get(behind.checked_sub(1)?)?.iter().take_while(|known| *known < place).last()
    }

    /// How many lie before `place`.
    pub(super) fn rank(&self, place: u64) -> u64 {
        let whole = self.chunks.partition_point(|piece| piece.last < place);
        let cut = self.chunks.get(whole).map_or(0, |piece| piece.iter().take_while(|known| *known < place).count());
        self.len_of_chunks(whole) + cut as u64
    }

    fn len_of_chunks(&self, pieces: usize) -> u64 {
        self.chunks.iter().take(pieces).map(|piece| piece.len).sum()
    }
}

impl OffsetChunk {
    fn push(&mut self, place: u64) {
        put_varint(place.saturating_sub(self.last), &mut self.deltas);
        (self.last, self.len) = (place, self.len + 1);
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

    fn places(of: impl IntoIterator<Item = u64>) -> OffsetList {
        let mut places = OffsetList::default();
        for place in of {
            places.push(place);
        }
        places
    }

    #[test]
    fn what_is_put_in_comes_out_whatever_lies_between() {
        let known: Vec<u64> = (0..5000u64)
            .scan(16, |at, n| {
                *at += [1, 127, 128, 300, 1 << 20, 1 << 40][(n * n % 6) as usize];
                Some(*at)
            })
            .collect();
        let places = places(known.iter().copied());
        assert_eq!(places.range(0..u64::MAX).collect::<Vec<_>>(), known);
        assert_eq!(places.len(), 5000);
        for n in [0, 1, 1023, 1024, 1025, 2500, 4999] {
            assert_eq!((places.rank(known[n]), places.rank(known[n] + 1)), (n as u64, n as u64 + 1));
            let end = (n + 3).min(4999);
            assert_eq!(places.range(known[n]..known[end]).collect::<Vec<_>>(), known[n..end]);
        }
    }

    #[test]
    fn what_is_forgotten_is_gone_and_what_is_put_before_comes_first() {
        for cut in [0, 1, 1024, 1025, 2999, 3000] {
            let mut kept = places((0..3000).map(|n| n * 10));
            let copy = kept.clone();
            kept.truncate_from(cut * 10);
            assert_eq!((kept.len(), kept.range(0..u64::MAX).count() as u64), (cut, cut));
            kept.push(40_000);
            assert_eq!(kept.range(0..u64::MAX).last(), Some(40_000));
            assert_eq!(copy.range(0..u64::MAX).last(), Some(29_990), "a copy stays as it was");
        }
        let mut later = places([500, 600]);
        later.prepend(places([100, 200]));
        assert_eq!(later.range(0..u64::MAX).collect::<Vec<_>>(), [100, 200, 500, 600]);
        assert_eq!(later.rank(500), 2);
        assert_eq!(
            [100, 101, 500, 501, 900].map(|at| later.last_before(at)),
            [None, Some(100), Some(200), Some(500), Some(600)]
        );
    }
}
