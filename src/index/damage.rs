//! The damaged ranges that an index knows: those it was built over, and those met since where it has frames.
//!
//! The first are places of which it knows nothing, so they stay until it is built anew, sound or not. The others are
//! damage that came after it: it still knows what stood there, and forgets the range once somebody finds it sound.

use std::ops::Range;

use crate::format::field::u64_at;
use crate::format::index::{DAMAGE_ROW, MET_SINCE};

/// Damaged ranges kept at most. Of those it was built over the count goes on; of those met since, neighbours become one.
pub(crate) const MAX_DAMAGE: usize = 65_536;

/// Damaged ranges, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Damage {
    built_over: Vec<Range<u64>>,
    since: Ranges,
}

/// Ranges that are told in any order, and kept ascending and apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ranges(Vec<Range<u64>>);

impl Damage {
    /// Those the index was built over.
    pub(super) fn built_over(&self) -> &[Range<u64>] {
        &self.built_over
    }

    /// All of them, ascending.
    pub(super) fn all(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        let (mut built_over, mut since) = (self.built_over.iter().peekable(), self.since.0.iter().peekable());
        std::iter::from_fn(move || match (built_over.peek(), since.peek()) {
            (Some(a), Some(b)) if b.start < a.start => since.next(),
            (Some(_), _) => built_over.next(),
            (None, _) => since.next(),
        })
        .cloned()
    }

    /// Adds one that the index is built over.
    pub(super) fn build_over(&mut self, range: Range<u64>) {
        if self.built_over.len() < MAX_DAMAGE && !range.is_empty() {
            self.built_over.push(range);
        }
    }

    /// Somebody has looked at all of `looked`, and met these there, of an index that covers so much.
    pub(super) fn look(&mut self, looked: &[Range<u64>], mut met: Ranges, covered_to: u64) {
        for range in looked {
            self.since.remove(range);
        }
        met.settle();
        met.remove(&(covered_to..u64::MAX));
        for known in &self.built_over {
            met.remove(known);
        }
        self.since.0.append(&mut met.0);
        self.since.settle();
    }

    /// Forgets those that do not end before a place: what the index was built over is met again when it is built on.
    pub(super) fn cut(&mut self, until: u64) {
        self.built_over.retain(|range| range.end <= until);
        self.since.remove(&(until..u64::MAX));
    }

    /// A row for each.
    pub(super) fn rows(&self) -> impl Iterator<Item = [u8; DAMAGE_ROW]> + '_ {
        let row = |range: &Range<u64>, mark: u64| {
            let mut row = [0; DAMAGE_ROW];
            let bytes = range.start.to_be_bytes().into_iter().chain((range.end | mark).to_be_bytes());
            for (to, from) in row.iter_mut().zip(bytes) {
                *to = from;
            }
            row
        };
        let since = self.since.0.iter().map(move |range| row(range, MET_SINCE));
        self.built_over.iter().map(move |range| row(range, 0)).chain(since)
    }

    /// Takes rows in; `None` where they are no ranges of a log that was looked at so far.
    pub(super) fn of_rows(bytes: &[u8], scanned_to: u64) -> Option<Self> {
        let mut damage = Self::default();
        for row in bytes.chunks_exact(DAMAGE_ROW) {
            let (start, end) = (u64_at(row, 0)?, u64_at(row, 8)?);
            let range = start..end & !MET_SINCE;
            if range.is_empty() || range.end > scanned_to {
                return None;
            }
            let list = if end & MET_SINCE == 0 { &mut damage.built_over } else { &mut damage.since.0 };
            list.push(range);
        }
        damage.since.settle();
        Some(damage)
    }
}

impl Ranges {
    /// Adds one.
    pub(crate) fn add(&mut self, range: Range<u64>) {
        match self.0.last_mut() {
            _ if range.is_empty() => {}
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.0.push(range),
        }
        if self.0.len() >= 2 * MAX_DAMAGE {
            self.settle();
        }
    }

    /// Each, in the order in which they were told.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Range<u64>> {
        self.0.iter()
    }

    /// These and others.
    pub(crate) fn and(mut self, others: Self) -> Self {
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
    fn settle(&mut self) {
        self.0.sort_unstable_by_key(|range| range.start);
        let mut apart: Vec<Range<u64>> = Vec::with_capacity(self.0.len());
        for range in self.0.drain(..) {
            match apart.last_mut().filter(|last| range.start <= last.end) {
                Some(last) => last.end = last.end.max(range.end),
                None => apart.push(range),
            }
        }
        while apart.len() >= MAX_DAMAGE {
            let pair = |pair: &[Range<u64>]| Some(pair.first()?.start..pair.last()?.end);
            apart = apart.chunks(2).filter_map(pair).collect();
        }
        self.0 = apart;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(of: &[Range<u64>]) -> Ranges {
        let mut ranges = Ranges::default();
        for range in of {
            ranges.add(range.clone());
        }
        ranges
    }

    #[test]
    fn what_is_sound_by_now_leaves_and_what_the_index_was_built_over_stays() {
        let mut damage = Damage::default();
        damage.build_over(300..400);
        damage.look(&[0..50, 60..1000], ranges(&[700..720, 100..150, 150..200, 250..450, 900..2000]), 950);
        assert_eq!(damage.since.0, [100..200, 250..300, 400..450, 700..720, 900..950]);
        damage.look(&[120..650, 650..710], ranges(&[500..505, 505..510]), 950);
        assert_eq!(damage.since.0, [100..120, 500..510, 710..720, 900..950]);
        assert_eq!((damage.built_over().len(), damage.built_over()[0].clone()), (1, 300..400));
        assert_eq!(damage.all().map(|range| range.start).collect::<Vec<_>>(), [100, 300, 500, 710, 900]);
        let rows: Vec<u8> = damage.rows().flatten().collect();
        assert_eq!(Damage::of_rows(&rows, 1000).as_ref(), Some(&damage));
        assert_eq!(Damage::of_rows(&rows, 940), None, "behind what was looked at");
        damage.cut(715);
        assert_eq!(
            (damage.since.0.as_slice(), damage.built_over().len()),
            ([100..120, 500..510, 710..715].as_slice(), 1)
        );
    }

    #[test]
    fn none_is_forgotten_however_many_there_are() {
        let mut damage = Damage::default();
        let many = 3 * MAX_DAMAGE as u64;
        let met: Vec<_> = (0..many).map(|n| n * 10..n * 10 + 1).collect();
        damage.look(&[0..16, 16..many * 10], ranges(&met), u64::MAX);
        let kept = &damage.since.0;
        assert!(kept.len() < MAX_DAMAGE && kept.windows(2).all(|pair| pair[0].end < pair[1].start));
        let holder = |range: &Range<u64>| &kept[kept.partition_point(|kept| kept.end < range.end)];
        assert!(met.iter().all(|range| holder(range).start <= range.start), "one is in none");
    }
}
