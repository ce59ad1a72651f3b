//! [`SegmentTable`]: the segments of a log by the names of the files in its folder.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::format::segment_file_name;

/// The segments of a log, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SegmentTable {
    /// The bases of the segments, ascending.
    bases: Vec<u64>,
    /// The bases of the files that start before `log_start`, ascending.
    leftover: Vec<u64>,
    /// The first offset of the log. Segments that start before it were removed, or are about to be.
    pub(super) log_start: u64,
}

impl SegmentTable {
    /// Creates the table of one segment that is read without its neighbours.
    pub(super) fn of_one(base: u64) -> Self {
        Self { bases: vec![base], leftover: Vec::new(), log_start: base }
    }

    /// Creates the table of segments with these bases, ascending.
    pub(super) const fn of_bases(bases: Vec<u64>) -> Self {
        Self { bases, leftover: Vec::new(), log_start: 0 }
    }

    /// The bases of the segments that belong to the log, ascending.
    pub(super) fn bases(&self) -> &[u64] {
        &self.bases
    }

    /// The base of the last segment that starts before `offset`.
    pub(super) fn base_before(&self, offset: u64) -> Option<u64> {
        let before = self.bases.partition_point(|base| *base < offset);
        before.checked_sub(1).and_then(|at| self.bases.get(at)).copied()
    }

    /// The base of the first segment that starts at `offset` or later.
    pub(super) fn base_from(&self, offset: u64) -> Option<u64> {
        self.bases.get(self.bases.partition_point(|base| *base < offset)).copied()
    }

    /// The base of the last segment; `None` when there is no segment.
    pub(super) fn last(&self) -> Option<u64> {
        self.bases.last().copied()
    }

    /// Removes the segments that retention has removed from the log: all that start before `log_start`.
    pub(super) fn start_at(&mut self, log_start: u64) {
        self.log_start = log_start;
        let kept = self.bases.split_off(self.bases.partition_point(|base| *base < log_start));
        self.leftover = std::mem::replace(&mut self.bases, kept);
    }

    /// The bases of the files that [`SegmentTable::start_at`] has excluded, ascending.
    pub(super) fn leftover(&self) -> &[u64] {
        &self.leftover
    }

    /// Removes the segment with this base, whose file is not one of this log.
    pub(super) fn exclude(&mut self, base: u64) {
        self.bases.retain(|listed| *listed != base);
    }

    /// Makes the segment with this base the last one.
    pub(super) fn end_with(&mut self, base: u64) {
        self.bases.retain(|listed| *listed < base);
        self.bases.push(base);
    }

    /// Adds a segment after the last one.
    pub(super) fn push(&mut self, base: u64) {
        self.bases.push(base);
    }

    /// Adds the segments of another listing that start in `range`, where this table has none. Returns whether there are any.
    pub(super) fn add_missing(&mut self, listed: &Self, range: Range<u64>) -> bool {
        let is_new = |base: &&u64| range.contains(base) && self.bases.binary_search(base).is_err();
        let new: Vec<u64> = listed.bases.iter().filter(is_new).copied().collect();
        self.bases.extend(&new);
        self.bases.sort_unstable();
        !new.is_empty()
    }

    /// Returns the base of the segment that contains `offset`, and the base of the next one; `u64::MAX` after the last
    /// one. Before the first segment, the range starts at the first offset of the log and has no file.
    pub(super) fn neighbours(&self, offset: u64) -> (Option<u64>, u64) {
        let after = self.bases.partition_point(|base| *base <= offset);
        let base = after.checked_sub(1).and_then(|at| self.bases.get(at)).copied();
        (base, self.bases.get(after).copied().unwrap_or(u64::MAX))
    }
}

/// Returns the path of the segment that starts at `base`, in the folder of its log.
pub(super) fn segment_path(folder: &Path, base: u64) -> PathBuf {
    folder.join(segment_file_name(base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_lies_in_the_segment_that_starts_last_before_it() {
        let mut table = SegmentTable { bases: vec![100, 200, 300], ..SegmentTable::default() };
        assert_eq!(table.neighbours(99), (None, 100));
        assert_eq!(table.neighbours(100), (Some(100), 200));
        assert_eq!(table.neighbours(299), (Some(200), 300));
        assert_eq!(table.neighbours(1000), (Some(300), u64::MAX));
        assert_eq!(
            [100, 101, 300, 1000].map(|offset| table.base_before(offset)),
            [None, Some(100), Some(200), Some(300)]
        );
        assert_eq!([0, 100, 101, 301].map(|offset| table.base_from(offset)), [Some(100), Some(100), Some(200), None]);
        table.start_at(200);
        assert_eq!((table.bases(), table.leftover()), ([200, 300].as_slice(), [100].as_slice()));
        let listed = SegmentTable { bases: vec![100, 200, 250, 300, 400], ..SegmentTable::default() };
        assert!(!table.add_missing(&listed, 260..300));
        assert!(table.add_missing(&listed, 210..300));
        assert_eq!(table.bases(), [200, 250, 300]);
        table.exclude(250);
        table.exclude(300);
        table.push(400);
        assert_eq!((table.bases(), table.last()), ([200, 400].as_slice(), Some(400)));
    }
}
