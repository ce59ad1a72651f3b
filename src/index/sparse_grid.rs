//! A sparse list of entries by log offset: at most one entry in each cell of a grid over the bytes of the log.
//!
//! When there are too many entries, the size of the cells doubles and entries that fall into one cell are joined. The
//! grid starts at the first byte of the log, so the result does not depend on how the log was split into parts: parts
//! that were built separately join to the same entries as one pass over the whole log.

/// An entry that can be joined with the next entry when their cells are joined.
pub(super) trait Coalesce {
    /// Joins `next`, the entry that follows, into this one.
    fn coalesce(&mut self, next: &Self);
}

/// Entries by ascending offset, at most one per cell.
#[derive(Debug, Clone)]
pub(super) struct SparseGrid<T> {
    entries: Vec<(u64, T)>,
    /// The base-2 logarithm of the cell size in bytes.
    cell_shift: u32,
    max_len: usize,
    /// The start of the first cell after the last entry.
    next_cell: u64,
}

impl<T: Coalesce> SparseGrid<T> {
    /// Creates an empty grid with cells of `spacing` bytes, a power of two, and at most `max_len` entries.
    pub(super) const fn new(spacing: u64, max_len: usize) -> Self {
        Self { entries: Vec::new(), cell_shift: spacing.trailing_zeros(), max_len, next_cell: 0 }
    }

    /// Creates a grid from entries that were read from a file.
    pub(super) fn from_entries(entries: Vec<(u64, T)>, spacing: u64, max_len: usize) -> Self {
        let mut grid = Self { entries, ..Self::new(spacing, max_len) };
        grid.update_next_cell();
        grid
    }

    /// The entries with their offsets, ascending.
    pub(super) fn entries(&self) -> &[(u64, T)] {
        &self.entries
    }

    /// The size of a cell, in bytes.
    pub(super) const fn spacing(&self) -> u64 {
        1 << self.cell_shift
    }

    /// True when the cell of `at` has no entry. `at` must not precede the last entry.
    #[inline]
    pub(super) const fn is_cell_free(&self, at: u64) -> bool {
        at >= self.next_cell
    }

    /// The last entry, for changing it.
    #[inline]
    pub(super) fn last_mut(&mut self) -> Option<&mut T> {
        self.entries.last_mut().map(|(_, entry)| entry)
    }

    /// The first entry, for changing it.
    pub(super) fn first_mut(&mut self) -> Option<&mut T> {
        self.entries.first_mut().map(|(_, entry)| entry)
    }

    /// Adds an entry at offset `at`, whose cell must be free.
    pub(super) fn push(&mut self, at: u64, entry: T) {
        self.entries.push((at, entry));
        while self.entries.len() > self.max_len {
            self.widen_cells(self.cell_shift + 1);
        }
        self.update_next_cell();
    }

    /// Appends the entries of the following part of the log.
    pub(super) fn append(&mut self, part: Self) {
        self.widen_cells(self.cell_shift.max(part.cell_shift));
        for (at, entry) in part.entries {
            match self.entries.last_mut() {
                Some((last, known)) if *last >> self.cell_shift == at >> self.cell_shift => known.coalesce(&entry),
                _ => self.push(at, entry),
            }
        }
        self.update_next_cell();
    }

    /// Replaces each entry with the result of `change`.
    pub(super) fn map_values(self, change: impl Fn(T) -> T) -> Self {
        Self { entries: self.entries.into_iter().map(|(at, entry)| (at, change(entry))).collect(), ..self }
    }

    /// Removes the entries at offset `from` and later.
    pub(super) fn truncate(&mut self, from: u64) {
        self.entries.retain(|(at, _)| *at < from);
        self.update_next_cell();
    }

    /// Removes the last entry and returns it.
    pub(super) fn pop(&mut self) -> Option<T> {
        let last = self.entries.pop();
        self.update_next_cell();
        last.map(|(_, entry)| entry)
    }

    /// Sets the cell size to `1 << shift` bytes and joins the entries that fall into one cell.
    fn widen_cells(&mut self, shift: u32) {
        if shift == self.cell_shift {
            return;
        }
        self.cell_shift = shift;
        self.entries.dedup_by(|(at, entry), (last, known)| {
            let is_joined = *last >> shift == *at >> shift;
            if is_joined {
                known.coalesce(entry);
            }
            is_joined
        });
    }

    fn update_next_cell(&mut self) {
        self.next_cell = self.entries.last().map_or(0, |(last, _)| ((last >> self.cell_shift) + 1) << self.cell_shift);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Coalesce for u32 {
        fn coalesce(&mut self, next: &Self) {
            *self += next;
        }
    }

    fn grid_of_parts(offsets: &[u64], parts: usize) -> (Vec<(u64, u32)>, u64) {
        let mut whole = SparseGrid::new(16, 10);
        for chunk in offsets.chunks(offsets.len().div_ceil(parts)) {
            let mut part = SparseGrid::new(16, 10);
            for at in chunk {
                if part.is_cell_free(*at) {
                    part.push(*at, 1);
                } else if let Some(last) = part.last_mut() {
                    *last += 1;
                }
            }
            whole.append(part);
        }
        (whole.entries().to_vec(), whole.spacing())
    }

    #[test]
    fn parts_join_to_the_same_entries_as_one_pass() {
        let offsets: Vec<u64> = (0..500u64).map(|n| n * n / 3 + n).collect();
        let (whole, spacing) = grid_of_parts(&offsets, 1);
        assert!(whole.len() <= 10 && spacing.is_power_of_two() && spacing > 16);
        assert_eq!(whole.iter().map(|(_, n)| n).sum::<u32>(), 500, "a joined entry counts in the entry that stays");
        for parts in [2, 3, 7, 50, 500] {
            assert_eq!(grid_of_parts(&offsets, parts), (whole.clone(), spacing), "{parts} parts");
        }
    }
}
