//! Things kept at a few places of the log, at most one in each cell of a grid over its bytes.
//!
//! Where there would be too many, the cells double. The grid starts at the log's first byte, so what is kept does not
//! depend on the parts a log was read in: parts that were read apart join to what one reader would have kept.

/// What becomes of a thing when its cell becomes one with the cell before.
pub(super) trait Coalesce {
    /// Takes in what the next one says.
    fn coalesce(&mut self, next: Self);
}

/// Things by the offset they stand at, ascending.
#[derive(Debug, Clone)]
pub(super) struct SparseGrid<T> {
    entries: Vec<(u64, T)>,
    /// A cell has 2 to the power of this many bytes.
    cell_shift: u32,
    max_len: usize,
    /// Where the next cell starts.
    next_cell: u64,
}

impl<T: Coalesce> SparseGrid<T> {
    /// Nothing yet, in cells of `spacing` bytes, a power of two, and `most` things at most.
    pub(super) const fn new(spacing: u64, most: usize) -> Self {
        Self { entries: Vec::new(), cell_shift: spacing.trailing_zeros(), max_len: most, next_cell: 0 }
    }

    /// Takes up where a file left off.
    pub(super) fn from_entries(kept: Vec<(u64, T)>, spacing: u64, most: usize) -> Self {
        let mut resumed = Self { entries: kept, ..Self::new(spacing, most) };
        resumed.update_next_cell();
        resumed
    }

    /// What is kept.
    pub(super) fn entries(&self) -> &[(u64, T)] {
        &self.entries
    }

    /// Bytes of a cell.
    pub(super) const fn spacing(&self) -> u64 {
        1 << self.cell_shift
    }

    /// True when nothing stands in the cell of `at`, which lies behind everything kept.
    #[inline]
    pub(super) const fn is_cell_free(&self, at: u64) -> bool {
        at >= self.next_cell
    }

    /// The last one, when `at` lies in its cell.
    #[inline]
    pub(super) fn last_mut(&mut self) -> Option<&mut T> {
        self.entries.last_mut().map(|(_, thing)| thing)
    }

    /// The first one.
    pub(super) fn first_mut(&mut self) -> Option<&mut T> {
        self.entries.first_mut().map(|(_, thing)| thing)
    }

    /// Adds a thing that is wanted.
    pub(super) fn push(&mut self, at: u64, thing: T) {
        self.entries.push((at, thing));
        while self.entries.len() > self.max_len {
            self.widen_cells(self.cell_shift + 1);
        }
        self.update_next_cell();
    }

    /// Adds what was kept of the part of the log behind.
    pub(super) fn append(&mut self, part: Self) {
        self.widen_cells(self.cell_shift.max(part.cell_shift));
        for (at, thing) in part.entries {
            match self.entries.last_mut() {
                Some((last, known)) if *last >> self.cell_shift == at >> self.cell_shift => known.coalesce(thing),
                _ => self.push(at, thing),
            }
        }
        self.update_next_cell();
    }

    /// The same places with other things.
    pub(super) fn map_values(self, change: impl Fn(T) -> T) -> Self {
        Self { entries: self.entries.into_iter().map(|(at, thing)| (at, change(thing))).collect(), ..self }
    }

    /// Forgets what lies at `from` or behind it.
    pub(super) fn truncate(&mut self, from: u64) {
        self.entries.retain(|(at, _)| *at < from);
        self.update_next_cell();
    }

    /// Takes the last one off.
    pub(super) fn pop(&mut self) -> Option<T> {
        let last = self.entries.pop();
        self.update_next_cell();
        last.map(|(_, thing)| thing)
    }

    fn widen_cells(&mut self, shift: u32) {
        if shift == self.cell_shift {
            return;
        }
        self.cell_shift = shift;
        let mut wider: Vec<(u64, T)> = Vec::with_capacity(self.entries.len());
        for (at, thing) in self.entries.drain(..) {
            match wider.last_mut() {
                Some((last, known)) if *last >> shift == at >> shift => known.coalesce(thing),
                _ => wider.push((at, thing)),
            }
        }
        self.entries = wider;
    }

    fn update_next_cell(&mut self) {
        self.next_cell = self.entries.last().map_or(0, |(last, _)| ((last >> self.cell_shift) + 1) << self.cell_shift);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Coalesce for u32 {
        fn coalesce(&mut self, next: Self) {
            *self += next;
        }
    }

    fn kept(places: &[u64], parts: usize) -> (Vec<(u64, u32)>, u64) {
        let mut whole = SparseGrid::new(16, 10);
        for chunk in places.chunks(places.len().div_ceil(parts)) {
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
    fn parts_join_to_what_one_reader_keeps() {
        let places: Vec<u64> = (0..500u64).map(|n| n * n / 3 + n).collect();
        let (whole, spacing) = kept(&places, 1);
        assert!(whole.len() <= 10 && spacing.is_power_of_two() && spacing > 16);
        assert_eq!(whole.iter().map(|(_, n)| n).sum::<u32>(), 500, "what goes is taken in by what stays");
        for parts in [2, 3, 7, 50, 500] {
            assert_eq!(kept(&places, parts), (whole.clone(), spacing), "{parts} parts");
        }
    }
}
