//! The damaged ranges of an index: ranges that were damaged when it was built, and ranges found damaged later.
//!
//! The index has no frames in a range that was damaged when it was built. Such a range stays listed until the index is
//! rebuilt, even when a repair has restored the bytes. The index has the frames of a range that was damaged later, and
//! removes the range from the list when a later pass finds it intact.

use std::ops::Range;

use crate::format::byte_layout::u64_at;
use crate::format::index::{DAMAGE_ROW_LEN, FOUND_AFTER_BUILD_BIT};

/// The largest number of damaged ranges in each of the two lists. Further ranges found while building are dropped; in
/// the list of ranges found later, adjacent ranges are joined.
pub(crate) const MAX_DAMAGED_RANGES: usize = 65_536;

/// The damaged ranges of an index, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct IndexDamage {
    at_build: Vec<Range<u64>>,
    after_build: RangeSet,
}

/// A set of byte ranges. Ranges can be added in any order; `normalize` sorts them and joins those that touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RangeSet(Vec<Range<u64>>);

impl IndexDamage {
    /// The ranges that were damaged when the index was built.
    pub(super) fn at_build(&self) -> &[Range<u64>] {
        &self.at_build
    }

    /// Iterates over all damaged ranges, ascending.
    pub(super) fn all(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        let (mut at_build, mut later) = (self.at_build.iter().peekable(), self.after_build.0.iter().peekable());
        std::iter::from_fn(move || match (at_build.peek(), later.peek()) {
            (Some(a), Some(b)) if b.start < a.start => later.next(),
            (Some(_), _) => at_build.next(),
            (None, _) => later.next(),
        })
        .cloned()
    }

    /// Adds a range that is damaged while the index is built.
    pub(super) fn add_at_build(&mut self, range: Range<u64>) {
        if self.at_build.len() < MAX_DAMAGED_RANGES && !range.is_empty() {
            self.at_build.push(range);
        }
    }

    /// Records that a pass read the ranges `scanned` and found exactly the ranges `damaged` in them. Damage after
    /// `covered_to`, the end of the covered part, is not recorded.
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

    /// Adds the damaged ranges of the index of the following part of the log.
    pub(super) fn append(&mut self, later: Self) {
        later.at_build.into_iter().for_each(|range| self.add_at_build(range));
        self.after_build.0.extend(later.after_build.0);
        self.after_build.normalize();
    }

    /// Removes the ranges after `end`. A range that was damaged at build and crosses `end` is removed as a whole,
    /// because the pass that extends the index from `end` finds it again.
    pub(super) fn truncate(&mut self, end: u64) {
        self.at_build.retain(|range| range.end <= end);
        self.after_build.remove(&(end..u64::MAX));
    }

    /// Encodes each range as its row in the index file.
    pub(super) fn encode_rows(&self) -> impl Iterator<Item = [u8; DAMAGE_ROW_LEN]> + '_ {
        let row = |range: &Range<u64>, flag: u64| {
            let mut row = [0; DAMAGE_ROW_LEN];
            let bytes = range.start.to_be_bytes().into_iter().chain((range.end | flag).to_be_bytes());
            for (to, from) in row.iter_mut().zip(bytes) {
                *to = from;
            }
            row
        };
        let later = self.after_build.0.iter().map(move |range| row(range, FOUND_AFTER_BUILD_BIT));
        self.at_build.iter().map(move |range| row(range, 0)).chain(later)
    }

    /// Decodes rows; `None` when a row is not a range within the first `scanned_to` bytes of the log.
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
    /// Adds a range to the set. A range that starts where the last added one ends is joined to it.
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

    /// Iterates over the ranges. They are in ascending order only after `normalize`.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Range<u64>> {
        self.0.iter()
    }

    /// Returns the ranges of both sets as one set.
    pub(crate) fn union(mut self, others: Self) -> Self {
        for range in others.0 {
            self.add(range);
        }
        self
    }

    /// Removes a range of bytes from the set, which must be normalized.
    fn remove(&mut self, range: &Range<u64>) {
        let first = self.0.partition_point(|known| known.end <= range.start);
        let end = self.0.partition_point(|known| known.start < range.end);
        if first >= end || range.is_empty() {
            return;
        }
        let touched = self.0.get(first..end).unwrap_or_default();
        let remainders =
            [touched.first().map(|known| known.start..range.start), touched.last().map(|known| range.end..known.end)];
        self.0.splice(first..end, remainders.into_iter().flatten().filter(|remainder| !remainder.is_empty()));
    }

    /// Sorts the ranges and joins ranges that touch. When there are too many, each pair of adjacent ranges becomes one
    /// range that includes the bytes between them, so that no damaged byte leaves the set.
    fn normalize(&mut self) {
        self.0.sort_unstable_by_key(|range| range.start);
        let mut joined: Vec<Range<u64>> = Vec::with_capacity(self.0.len());
        for range in self.0.drain(..) {
            match joined.last_mut().filter(|last| range.start <= last.end) {
                Some(last) => last.end = last.end.max(range.end),
                None => joined.push(range),
            }
        }
        while joined.len() >= MAX_DAMAGED_RANGES {
            let pair = |pair: &[Range<u64>]| Some(pair.first()?.start..pair.last()?.end);
            joined = joined.chunks(2).filter_map(pair).collect();
        }
        self.0 = joined;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range_set(ranges: &[Range<u64>]) -> RangeSet {
        let mut set = RangeSet::default();
        for range in ranges {
            set.add(range.clone());
        }
        set
    }

    #[test]
    fn intact_ranges_are_removed_unless_they_were_damaged_at_build() {
        let mut damage = IndexDamage::default();
        damage.add_at_build(300..400);
        damage.update(&[0..50, 60..1000], range_set(&[700..720, 100..150, 150..200, 250..450, 900..2000]), 950);
        assert_eq!(damage.after_build.0, [100..200, 250..300, 400..450, 700..720, 900..950]);
        damage.update(&[120..650, 650..710], range_set(&[500..505, 505..510]), 950);
        assert_eq!(damage.after_build.0, [100..120, 500..510, 710..720, 900..950]);
        assert_eq!((damage.at_build().len(), damage.at_build()[0].clone()), (1, 300..400));
        assert_eq!(damage.all().map(|range| range.start).collect::<Vec<_>>(), [100, 300, 500, 710, 900]);
        let rows: Vec<u8> = damage.encode_rows().flatten().collect();
        assert_eq!(IndexDamage::decode_rows(&rows, 1000).as_ref(), Some(&damage));
        assert_eq!(IndexDamage::decode_rows(&rows, 940), None, "a range after the scanned part");
        damage.truncate(715);
        assert_eq!(
            (damage.after_build.0.as_slice(), damage.at_build().len()),
            ([100..120, 500..510, 710..715].as_slice(), 1)
        );
    }

    #[test]
    fn no_damaged_byte_leaves_the_set_however_many_ranges_there_are() {
        let mut damage = IndexDamage::default();
        let many = 3 * MAX_DAMAGED_RANGES as u64;
        let damaged: Vec<_> = (0..many).map(|n| n * 10..n * 10 + 1).collect();
        damage.update(&[0..16, 16..many * 10], range_set(&damaged), u64::MAX);
        let joined = &damage.after_build.0;
        assert!(joined.len() < MAX_DAMAGED_RANGES && joined.windows(2).all(|pair| pair[0].end < pair[1].start));
        let containing = |range: &Range<u64>| &joined[joined.partition_point(|known| known.end < range.end)];
        assert!(damaged.iter().all(|range| containing(range).start <= range.start), "a range is missing");
    }
}
