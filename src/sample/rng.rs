//! Pseudorandom numbers from a seed: `SplitMix64` (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators,
//! 2014). The numbers are the same on every machine, and are not suitable for secrets.

/// A pseudorandom number generator.
#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    /// Creates a generator; equal seeds give equal numbers.
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns the next number.
    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Returns a number from 0 up to but excluding `n`; 0 if `n` is 0.
    pub(super) const fn next_below(&mut self, n: u64) -> u64 {
        ((self.next() as u128 * n as u128) >> 64) as u64
    }

    /// Returns one of the items; `None` if there are none.
    pub(super) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> Option<&'a T> {
        from.get(self.next_below(from.len() as u64) as usize).copied()
    }

    /// Returns bytes from 80 to FF hexadecimal, which cannot be ASCII text or the start of a length field.
    pub(super) fn noise(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| 0x80 | self.next() as u8).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_match_the_reference_implementation() {
        let mut rng = Rng::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| rng.next()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn next_below_covers_its_range_evenly() {
        let mut rng = Rng::new(1);
        let mut seen = [0; 7];
        (0..7000).for_each(|_| seen[rng.next_below(7) as usize] += 1);
        assert!(seen.iter().all(|count| (800..1200).contains(count)), "{seen:?}");
        assert_eq!(rng.next_below(0), 0);
    }
}
