//! The damaged ranges that an index knows: those it was built over, and those met since where it has frames.
//!
//! The first are places of which it knows nothing, so they stay until it is built anew, sound or not. The others are
//! damage that came after it: it still knows what stood there, and forgets the range once somebody finds it sound.

use std::ops::Range;

use crate::format::byte_layout::u64_at;
use crate::format::index::{DAMAGE_ROW_LEN, FOUND_AFTER_BUILD_BIT};

/// Damaged ranges kept at most. Of those it was built over the count goes on; of those met since, neighbours become one.
pub(crate) const MAX_DAMAGED_RANGES: usize = 65_536;

/// Damaged ranges, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct IndexDamage {
    at_build: Vec<Range<u64>>,
    after_build: RangeSet,
}

/// Ranges that are told in any order, and kept ascending and apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RangeSet(Vec<Range<u64>>);

impl IndexDamage {
    /// Those the index was built over.
    pub(super) fn at_build(&self) -> &[Range<u64>] {
        &self.at_build
    }

    /// All of them, ascending.
    pub(super) fn all(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        let (mut built_over, mut since) = (self.at_build.iter().peekable(), self.after_build.0.iter().peekable());
        std::iter::from_fn(move || match (built_over.peek(), since.peek()) {
            (Some(a), Some(b)) if b.start < a.start => since.next(),
            (Some(_), _) => built_over.next(),
            (None, _) => since.next(),
        })
        .cloned()
    }

    /// Adds one that the index is built over.
    pub(super) fn add_at_build(&mut self, range: Range<u64>) {
        if self.at_build.len() < MAX_DAMAGED_RANGES && !range.is_empty() {
            self.at_build.push(range);
        }
    }

    /// Somebody has looked at all of `looked`, and met these there, of an index that covers so much.
    pub(super) fn update(&mut self, scanned: &[Range<u64>], mut damaged: RangeSet, covered_to: u64) {
        for range in scanned {
            self.after_build.remove(range);
        }
        damaged.normalize();
        damaged.remove(&(covered_to..u64::MAX));
        for known in &self.at_build {
            damaged.remove(known);
        }
        self.after_build.0.append(&mut damaged.0);
        self.after_build.normalize();
    }

    /// Forgets those that do not end before a place: what the index was built over is met again when it is built on.
    pub(super) fn truncate(&mut self, until: u64) {
        self.at_build.retain(|range| range.end <= until);
        self.after_build.remove(&(until..u64::MAX));
    }

    /// A row for each.
    pub(super) fn encode_rows(&self) -> impl Iterator<Item = [u8; DAMAGE_ROW_LEN]> + '_ {
        let row = |range: &Range<u64>, mark: u64| {
            let mut row = [0; DAMAGE_ROW_LEN];
            let bytes = range.start.to_be_bytes().into_iter().chain((range.end | mark).to_be_bytes());
            for (to, from) in row.iter_mut().zip(bytes) {
                *to = from;
            }
            row
        };
        let since = self.after_build.0.iter().map(move |range| row(range, FOUND_AFTER_BUILD_BIT));
        self.at_build.iter().map(move |range| row(range, 0)).chain(since)
    }

    /// Takes rows in; `None` where they are no ranges of a log that was looked at so far.
    pub(super) fn decode_rows(bytes: &[u8], scanned_to: u64) -> Option<Self> {
        let mut damage = Self::default();
        for row in bytes.chunks_exact(DAMAGE_ROW_LEN) {
            let (start, end) = (u64_at(row, 0)?, u64_at(row, 8)?);
            let range = start..end & !FOUND_AFTER_BUILD_BIT;
            if range.is_empty() || range.end > scanned_to {
                return None;
            }
            let list = if end & FOUND_AFTER_BUILD_BIT == 0 { &mut damage.at_build } else { &mut damage.after_build.0 };
            list.push(range);
        }
        damage.after_build.normalize();
        Some(damage)
    }
}

impl RangeSet {
    /// Adds one.
    pub(crate) fn add(&mut self, range: Range<u64>) {
        match self.0.last_mut() {
            _ if range.is_empty() => {}
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.0.push(range),
        }
        if self.0.len() >= 2 * MAX_DAMAGED_RANGES {
            self.normalize();
        }
    }

    /// Each, in the order in which they were told.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Range<u64>> {
        self.0.iter()
    }

    /// These and others.
    pub(crate) fn union(mut self, others: Self) -> Self {
        for range in others.0 {
            self.add(range);
        }
        self
    }

    /// Takes a range out of all of them.
    fn remove(&mut self, range: &Range<u64>) {
        let first = self.0.partition_point(|known| known.end <= range.start);
        let behind = self.0.partition_point(|known| known.start < range.end);
        if first >= behind || range.is_empty() {
            return;
        }
        let touched = self.0.get(first..behind).unwrap_or_default();
        let left =
            [touched.first().map(|known| known.start..range.start), touched.last().map(|known| range.end..known.end)];
        self.0.splice(first..behind, left.into_iter().flatten().filter(|rest| !rest.is_empty()));
    }

    /// Brings them in order. Where they are too many, two become one, with what lies between: none is forgotten.
    fn normalize(&mut self) {
        self.0.sort_unstable_by_key(|range| range.start);
        let mut apart: Vec<Range<u64>> = Vec::with_capacity(self.0.len());
        for range in self.0.drain(..) {
            match apart.last_mut().filter(|last| range.start <= last.end) {
                Some(last) => last.end = last.end.max(range.end),
                None => apart.push(range),
            }
        }
        while apart.len() >= MAX_DAMAGED_RANGES {
            let pair = |pair: &[Range<u64>]| Some(pair.first()?.start..pair.last()?.end);
            apart = apart.chunks(2).filter_map(pair).collect();
        }
        self.0 = apart;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(of: &[Range<u64>]) -> RangeSet {
        let mut ranges = RangeSet::default();
        for range in of {
            ranges.add(range.clone());
        }
        ranges
    }

    #[test]
    fn what_is_sound_by_now_leaves_and_what_the_index_was_built_over_stays() {
        let mut damage = IndexDamage::default();
        damage.add_at_build(300..400);
        damage.update(&[0..50, 60..1000], ranges(&[700..720, 100..150, 150..200, 250..450, 900..2000]), 950);
        assert_eq!(damage.after_build.0, [100..200, 250..300, 400..450, 700..720, 900..950]);
        damage.update(&[120..650, 650..710], ranges(&[500..505, 505..510]), 950);
        assert_eq!(damage.after_build.0, [100..120, 500..510, 710..720, 900..950]);
        assert_eq!((damage.at_build().len(), damage.at_build()[0].clone()), (1, 300..400));
        assert_eq!(damage.all().map(|range| range.start).collect::<Vec<_>>(), [100, 300, 500, 710, 900]);
        let rows: Vec<u8> = damage.encode_rows().flatten().collect();
        assert_eq!(IndexDamage::decode_rows(&rows, 1000).as_ref(), Some(&damage));
        assert_eq!(IndexDamage::decode_rows(&rows, 940), None, "behind what was looked at");
        damage.truncate(715);
        assert_eq!(
            (damage.after_build.0.as_slice(), damage.at_build().len()),
            ([100..120, 500..510, 710..715].as_slice(), 1)
        );
    }

    #[test]
    fn none_is_forgotten_however_many_there_are() {
        let mut damage = IndexDamage::default();
        let many = 3 * MAX_DAMAGED_RANGES as u64;
        let met: Vec<_> = (0..many).map(|n| n * 10..n * 10 + 1).collect();
        damage.update(&[0..16, 16..many * 10], ranges(&met), u64::MAX);
        let kept = &damage.after_build.0;
        assert!(kept.len() < MAX_DAMAGED_RANGES && kept.windows(2).all(|pair| pair[0].end < pair[1].start));
        let holder = |range: &Range<u64>| &kept[kept.partition_point(|kept| kept.end < range.end)];
        assert!(met.iter().all(|range| holder(range).start <= range.start), "one is in none");
    }
}
