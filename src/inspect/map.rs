//! The health map: shows for each part of the file whether it is verified, damaged or a gap, in a bounded number of cells.

use std::ops::Range;

use crate::format::{DamageKind, Finding};

/// Largest number of cells. When more are needed, pairs of adjacent cells are merged.
const MAX_CELLS: usize = 4096;
/// Number of bytes per cell of a new map.
const INITIAL_CELL_BYTES: u64 = 4096;

/// The health of a part of the file. Several fields can be true at once, because damage of any size marks its whole cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HealthCell {
    /// True when the whole part was read and verified.
    pub verified: bool,
    /// True when the part contains damage.
    pub damaged: bool,
    /// True when the part contains a gap or some of one.
    pub gap: bool,
}

/// The health of a file, in cells of equal size that start with its first byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthMap {
    cells: Vec<HealthCell>,
    bytes_per_cell: u64,
    /// The verified ranges, ascending and not adjacent.
    verified: Vec<Range<u64>>,
}

impl Default for HealthMap {
    fn default() -> Self {
        Self { cells: Vec::new(), bytes_per_cell: INITIAL_CELL_BYTES, verified: Vec::new() }
    }
}

impl HealthMap {
    /// Marks a range as verified. Adjacent and overlapping ranges are merged.
    pub fn mark_verified(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let mut merged = range;
        self.verified.retain(|known| {
            let is_separate = known.end < merged.start || merged.end < known.start;
            if !is_separate {
                merged = known.start.min(merged.start)..known.end.max(merged.end);
            }
            is_separate
        });
        self.verified.push(merged);
        self.verified.sort_unstable_by_key(|range| range.start);
    }

    /// Marks a range as damaged.
    pub(crate) fn mark_damaged(&mut self, range: Range<u64>) {
        self.mark(range, |cell| cell.damaged = true);
    }

    /// Marks a range as a gap.
    pub(crate) fn mark_gap(&mut self, range: Range<u64>) {
        self.mark(range, |cell| cell.gap = true);
    }

    /// Marks the range of a finding as damaged or as a gap, by its kind; a lost range is marked as a gap. A `clock` finding marks nothing.
    pub fn mark_finding(&mut self, finding: &Finding) {
        match finding.kind {
            DamageKind::Gap | DamageKind::Lost => self.mark_gap(finding.range()),
            DamageKind::Clock => {}
            DamageKind::Zeros
            | DamageKind::Checksum
            | DamageKind::Length
            | DamageKind::TornTail
            | DamageKind::Garbage
            | DamageKind::Truncated
            | DamageKind::Header
            | DamageKind::InvalidEvent
            | DamageKind::Unreadable => self.mark_damaged(finding.range()),
        }
    }

    /// Returns the number of verified bytes. All bytes before `earlier` are counted as verified.
    pub fn verified_bytes(&self, earlier: u64) -> u64 {
        earlier + self.verified.iter().map(|range| range.end.saturating_sub(range.start.max(earlier))).sum::<u64>()
    }

    /// Returns the health of a range.
    pub fn range_health(&self, range: Range<u64>) -> HealthCell {
        let first = (range.start / self.bytes_per_cell) as usize;
        let last = (range.end.saturating_sub(1) / self.bytes_per_cell) as usize;
        let cells = self.cells.get(first..self.cells.len().min(last + 1)).unwrap_or_default();
        HealthCell {
            verified: self.verified.iter().any(|known| known.start <= range.start && range.end <= known.end),
            damaged: cells.iter().any(|cell| cell.damaged),
            gap: cells.iter().any(|cell| cell.gap),
        }
    }

    fn mark(&mut self, range: Range<u64>, set: impl Fn(&mut HealthCell)) {
        while range.end.div_ceil(self.bytes_per_cell) as usize > MAX_CELLS {
            self.halve_resolution();
        }
        let first = (range.start / self.bytes_per_cell) as usize;
        // An empty range is the position of a lost end. It marks the cell at that position.
        let last = (range.end.max(range.start + 1) - 1) / self.bytes_per_cell;
        let last = (last as usize).max(first);
        if self.cells.len() <= last {
            self.cells.resize(last + 1, HealthCell::default());
        }
        self.cells.get_mut(first..=last).unwrap_or_default().iter_mut().for_each(set);
    }

    fn halve_resolution(&mut self) {
        let merge = |pair: &[HealthCell]| HealthCell {
            verified: false,
            damaged: pair.iter().any(|cell| cell.damaged),
            gap: pair.iter().any(|cell| cell.gap),
        };
        self.cells = self.cells.chunks(2).map(merge).collect();
        self.bytes_per_cell *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_stays_visible_however_far_the_file_grows() {
        let mut map = HealthMap::default();
        map.mark_damaged(100..101);
        map.mark_gap(1 << 20..(1 << 20) + 10);
        map.mark_damaged(1 << 40..(1 << 40) + 1);
        assert!(map.range_health(0..4096).damaged);
        assert!(map.range_health((1 << 40) - 5..(1 << 40) + 1).damaged);
        assert!(!map.range_health(1 << 39..(1 << 39) + (1 << 30)).damaged);
        assert!(map.range_health(0..1 << 30).gap);
    }

    #[test]
    fn a_part_is_verified_when_all_of_it_is() {
        let mut map = HealthMap::default();
        map.mark_verified(0..1000);
        map.mark_verified(2000..3000);
        assert!(map.range_health(0..1000).verified);
        assert!(!map.range_health(500..2500).verified);
        map.mark_verified(900..2100);
        assert!(map.range_health(0..3000).verified);
        assert_eq!((map.verified_bytes(0), map.verified_bytes(100), map.verified_bytes(5000)), (3000, 3000, 5000));
    }
}
