//! Things kept at a few places of the log, at most one in each cell of a grid over its bytes.
//!
//! Where there would be too many, the cells double. The grid starts at the log's first byte, so what is kept does not
//! depend on the parts a log was read in: parts that were read apart join to what one reader would have kept.

/// What becomes of a thing when its cell becomes one with the cell before.
pub(super) trait Absorb {
    /// Takes in what the next one says.
    fn absorb(&mut self, next: Self);
}

/// Things by the offset they stand at, ascending.
#[derive(Debug, Clone)]
pub(super) struct Sparse<T> {
    kept: Vec<(u64, T)>,
    /// A cell has 2 to the power of this many bytes.
    shift: u32,
    most: usize,
    /// Where the next cell starts.
    next: u64,
}

impl<T: Absorb> Sparse<T> {
    /// Nothing yet, in cells of `spacing` bytes, a power of two, and `most` things at most.
    pub(super) const fn new(spacing: u64, most: usize) -> Self {
        Self { kept: Vec::new(), shift: spacing.trailing_zeros(), most, next: 0 }
    }

    /// Takes up where a file left off.
    pub(super) fn resume(kept: Vec<(u64, T)>, spacing: u64, most: usize) -> Self {
        let mut resumed = Self { kept, ..Self::new(spacing, most) };
        resumed.find_next();
        resumed
    }

    /// What is kept.
    pub(super) fn kept(&self) -> &[(u64, T)] {
        &self.kept
    }

    /// Bytes of a cell.
    pub(super) const fn spacing(&self) -> u64 {
        1 << self.shift
    }

    /// True when nothing stands in the cell of `at`, which lies behind everything kept.
    #[inline]
    pub(super) const fn wants(&self, at: u64) -> bool {
        at >= self.next
    }

    /// The last one, when `at` lies in its cell.
    #[inline]
    pub(super) fn last_mut(&mut self) -> Option<&mut T> {
        self.kept.last_mut().map(|(_, thing)| thing)
    }

    /// The first one.
    pub(super) fn first_mut(&mut self) -> Option<&mut T> {
        self.kept.first_mut().map(|(_, thing)| thing)
    }

    /// Adds a thing that is wanted.
    pub(super) fn push(&mut self, at: u64, thing: T) {
        self.kept.push((at, thing));
        while self.kept.len() > self.most {
            self.widen(self.shift + 1);
        }
        self.find_next();
    }

    /// Adds what was kept of the part of the log behind.
    pub(super) fn join(&mut self, part: Self) {
        self.widen(self.shift.max(part.shift));
        for (at, thing) in part.kept {
            match self.kept.last_mut() {
                Some((last, known)) if *last >> self.shift == at >> self.shift => known.absorb(thing),
                _ => self.push(at, thing),
            }
        }
        self.find_next();
    }

    /// The same places with other things.
    pub(super) fn map(self, change: impl Fn(T) -> T) -> Self {
        Self { kept: self.kept.into_iter().map(|(at, thing)| (at, change(thing))).collect(), ..self }
    }

    /// Forgets what lies at `from` or behind it.
    pub(super) fn cut(&mut self, from: u64) {
        self.kept.retain(|(at, _)| *at < from);
        self.find_next();
    }

    /// Takes the last one off.
    pub(super) fn pop(&mut self) -> Option<T> {
        let last = self.kept.pop();
        self.find_next();
        last.map(|(_, thing)| thing)
    }

    fn widen(&mut self, shift: u32) {
        if shift == self.shift {
            return;
        }
        self.shift = shift;
        let mut wider: Vec<(u64, T)> = Vec::with_capacity(self.kept.len());
        for (at, thing) in self.kept.drain(..) {
            match wider.last_mut() {
                Some((last, known)) if *last >> shift == at >> shift => known.absorb(thing),
                _ => wider.push((at, thing)),
            }
        }
        self.kept = wider;
    }

    fn find_next(&mut self) {
        self.next = self.kept.last().map_or(0, |(last, _)| ((last >> self.shift) + 1) << self.shift);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Absorb for u32 {
        fn absorb(&mut self, next: Self) {
            *self += next;
        }
    }

    fn kept(places: &[u64], parts: usize) -> (Vec<(u64, u32)>, u64) {
        let mut whole = Sparse::new(16, 10);
        for chunk in places.chunks(places.len().div_ceil(parts)) {
            let mut part = Sparse::new(16, 10);
            for at in chunk {
                if part.wants(*at) {
                    part.push(*at, 1);
                } else if let Some(last) = part.last_mut() {
                    *last += 1;
                }
            }
            whole.join(part);
        }
        (whole.kept().to_vec(), whole.spacing())
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
