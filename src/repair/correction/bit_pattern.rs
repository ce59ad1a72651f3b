//! The algebra of CRC-32: finds the patterns of flipped bits that explain a checksum mismatch.
//!
//! A CRC is linear: the checksum of a damaged message differs from that of the original by the checksum of the error
//! pattern alone. Let the error be a polynomial E whose last bit is d bits before the end of the message. The difference of the
//! checksums, called the syndrome, is then S = E x^(d+32) mod G. Modulo G, x has an inverse, so that for every d exactly
//! one polynomial of at most 32 bits explains S: E = S x^-(d+32). One division by x for every bit of the frame finds all of
//! them. This is error trapping for cyclic codes (L. D. Rudolph and M. E. Mitchell, "Implementation of decoders for
//! cyclic codes", 1964; W. W. Peterson and E. J. Weldon, "Error-Correcting Codes", 1972), run backwards over the frame.
//!
//! Bits are numbered in the order in which the CRC processes them: byte by byte, the least significant bit first.

use std::ops::Range;
use std::sync::LazyLock;

use crate::format::crc::{POLYNOMIAL, times_x};
use crate::format::frame::{CHECKSUM_LEN, LENGTH_LEN};

/// Width of a window that crosses the boundary between payload and checksum field, in bits.
const BOUNDARY_BITS: usize = 16;

/// Bits of a frame that were flipped together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BitPattern {
    /// Number of bits from the first flipped one to the last, both included: 1 to 32.
    pub(super) span: u32,
    /// Index of the first flipped bit in the frame.
    first: usize,
    /// The flipped bits; bit 0 has the index `first`.
    bits: u32,
}

impl BitPattern {
    /// Returns the pattern of `bits`, whose lowest bit has index `at` in the frame; `None` when no bit is set.
    pub(super) fn from_bits(at: usize, bits: u32) -> Option<Self> {
        let zeros = bits.trailing_zeros();
        let bits = bits.checked_shr(zeros)?;
        Some(Self { span: u32::BITS - bits.leading_zeros(), first: at + zeros as usize, bits })
    }

    /// Flips the bits of the pattern. Flipping them twice restores the frame.
    pub(super) fn flip(self, frame: &mut [u8]) {
        let shifted = u64::from(self.bits) << (self.first % 8);
        for (byte, change) in frame.iter_mut().skip(self.first / 8).zip(shifted.to_le_bytes()) {
            *byte ^= change;
        }
    }

    /// Returns the range of bytes of the frame that the pattern changes.
    pub(super) fn byte_range(self) -> Range<usize> {
        self.first / 8..(self.first + self.span as usize - 1) / 8 + 1
    }
}

/// Returns every pattern with a span of at most `max_span` (at most 32) that explains `syndrome`, by ascending span.
///
/// The length field of the frame is never changed, because the length of the frame is correct.
pub(super) fn find_patterns(frame: &[u8], syndrome: u32, max_span: u32) -> Vec<BitPattern> {
    let message_bits = 8 * frame.len().saturating_sub(CHECKSUM_LEN);
    let mut found = find_in_payload(message_bits, syndrome, max_span);
    // Damage to the checksum field alone: the flipped bits are the syndrome itself. The field is big-endian.
    found.extend(BitPattern::from_bits(message_bits, syndrome.swap_bytes()));
    found.extend(find_across_boundary(message_bits, syndrome));
    found.retain(|pattern| pattern.span <= max_span);
    found.sort_unstable();
    found.dedup();
    found
}

/// Returns the patterns within the payload, which ends after `message_bits` bits of the frame.
fn find_in_payload(message_bits: usize, syndrome: u32, max_span: u32) -> Vec<BitPattern> {
    let first = 8 * LENGTH_LEN;
    let mut found = Vec::new();
    let mut error = (0..32).fold(syndrome, |error, _| divide_by_x(error));
    // These bits are zero in every pattern of at most `max_span` bits.
    let outside = 0x7FFF_FFFFu32.checked_shr(max_span.saturating_sub(1)).unwrap_or(0);
    for end in (first..message_bits).rev() {
        // The coefficient of x^0 is the last bit of the pattern. When it is 0, the pattern is found at another position.
        if error & (0x8000_0000 | outside) == 0x8000_0000 {
            // The trailing zeros are the highest powers. Without them, the pattern starts later and still ends at `end`.
            let start = (end + 1).checked_sub(u32::BITS as usize - error.trailing_zeros() as usize);
            let bits = error >> error.trailing_zeros();
            found.extend(start.filter(|start| *start >= first).and_then(|start| BitPattern::from_bits(start, bits)));
        }
        error = divide_by_x(error);
    }
    found
}

/// Returns the patterns that change bits on both sides of the boundary, in windows of [`BOUNDARY_BITS`] bits.
///
/// The checksum field is big-endian, so that division by x does not continue across the boundary. Each window is a system
/// of linear equations instead, solved by elimination.
fn find_across_boundary(message_bits: usize, syndrome: u32) -> impl Iterator<Item = BitPattern> {
    static WINDOWS: LazyLock<Vec<BoundaryWindow>> =
        LazyLock::new(|| (1..BOUNDARY_BITS).map(BoundaryWindow::new).collect());
    WINDOWS.iter().filter_map(move |window| {
        let start = message_bits - window.payload_bits;
        let bits = window.solve(syndrome)?;
        let pattern = BitPattern::from_bits(start, bits)?;
        let payload_mask = (1 << window.payload_bits) - 1;
        (bits & payload_mask != 0 && bits & !payload_mask != 0 && pattern.first >= 8 * LENGTH_LEN).then_some(pattern)
    })
}

/// A window across the boundary, with its linear system in reduced form. The columns are independent, so the system has
/// at most one solution.
#[derive(Debug)]
struct BoundaryWindow {
    /// Number of the window's bits that belong to the payload.
    payload_bits: usize,
    /// Sums of columns, by descending highest bit, each with the window's bits whose columns were added.
    basis: Vec<(u32, u32)>,
}

impl BoundaryWindow {
    fn new(payload_bits: usize) -> Self {
        let mut window = Self { payload_bits, basis: Vec::new() };
        let mut power = (0..32).fold(0x8000_0000, |power, _| times_x(power));
        for bit in (0..payload_bits).rev() {
            window.add_column(power, 1 << bit);
            power = times_x(power);
        }
        for position in 0..BOUNDARY_BITS - payload_bits {
            window.add_column((1u32 << position).swap_bytes(), 1 << (payload_bits + position));
        }
        window
    }

    fn add_column(&mut self, column: u32, bit: u32) {
        let reduced = self.reduce(column, bit);
        self.basis.push(reduced);
        self.basis.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// Subtracts from `value` every sum that makes it smaller. Returns the rest, and `bits` with the bits of these sums.
    fn reduce(&self, value: u32, bits: u32) -> (u32, u32) {
        self.basis.iter().fold((value, bits), |(value, bits), (sum, sum_bits)| {
            if value ^ sum < value { (value ^ sum, bits ^ sum_bits) } else { (value, bits) }
        })
    }

    /// Returns the bits of the window that explain `syndrome`; `None` when no bits do.
    fn solve(&self, syndrome: u32) -> Option<u32> {
        let (rest, bits) = self.reduce(syndrome, 0);
        (rest == 0).then_some(bits)
    }
}

/// Divides a polynomial by x modulo the generator: the inverse of [`times_x`].
const fn divide_by_x(a: u32) -> u32 {
    // A mask instead of a branch: the bits are practically random, so a branch would often be mispredicted.
    let odd = a >> 31;
    ((a ^ (POLYNOMIAL & 0u32.wrapping_sub(odd))) << 1) | odd
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{crc, frame};

    fn frame_of(payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        frame::encode(payload, &mut bytes);
        bytes
    }

    fn syndrome(frame: &[u8]) -> u32 {
        let (message, field) = frame.split_at(frame.len() - 4);
        crc::checksum(message) ^ u32::from_be_bytes(field.try_into().unwrap_or_default())
    }

    #[test]
    fn division_by_x_is_the_inverse_of_multiplication() {
        let mut a = 0x1234_5678u32;
        for _ in 0..1000 {
            assert_eq!(divide_by_x(times_x(a)), a);
            a = a.wrapping_mul(0x9E37_79B9) ^ 0x4d;
        }
    }

    #[test]
    fn every_burst_is_found_and_every_pattern_explains_the_checksum() {
        let good = frame_of(&(0..40).collect::<Vec<u8>>());
        let bits = 8 * good.len();
        for first in 32..bits {
            for (burst, span) in [(1u32, 1usize), (0b1001, 4), (0b1010_0110_1011, 12), (0xA5A5_0001, 32)] {
                let last = first + span - 1;
                let crosses_boundary = (first < bits - 32) && (last >= bits - 32);
                if last >= bits || (crosses_boundary && span > BOUNDARY_BITS) {
                    continue;
                }
                let mut bad = good.clone();
                let planted = BitPattern::from_bits(first, burst).unwrap();
                assert_eq!(planted.span as usize, span);
                planted.flip(&mut bad);
                let found = find_patterns(&bad, syndrome(&bad), 32);
                assert!(found.contains(&planted), "{span} bits from bit {first}");
                for pattern in found {
                    let mut tried = bad.clone();
                    pattern.flip(&mut tried);
                    assert_eq!(syndrome(&tried), 0, "{pattern:?} for {span} bits from bit {first}");
                }
            }
        }
    }

    #[test]
    fn a_window_across_the_boundary_has_at_most_one_solution() {
        for window in (1..BOUNDARY_BITS).map(BoundaryWindow::new) {
            assert_eq!(window.basis.len(), BOUNDARY_BITS);
            assert!(window.basis.iter().all(|(sum, _)| *sum != 0), "{} bits in the payload", window.payload_bits);
        }
    }

    #[test]
    fn no_damage_within_a_byte_has_the_syndrome_of_a_single_bit() {
        // A single bit and a burst of up to 8 bits at distance d have the same syndrome when x^d or x^-d is a polynomial
        // of degree 7 or less. The bits of the checksum field are x^0 to x^31 with their bytes reversed, which adds no
        // other distance.
        let (mut up, mut down) = (0x8000_0000, 0x8000_0000);
        for distance in 1..8 * (LENGTH_LEN + super::super::MAX_DISTANCE_4_PAYLOAD + CHECKSUM_LEN) {
            (up, down) = (times_x(up), divide_by_x(down));
            assert!(distance < 8 || up & 0x00FF_FFFF != 0, "x^{distance} = {up:08x}");
            assert!(down & 0x00FF_FFFF != 0, "x^-{distance} = {down:08x}");
        }
    }

    #[test]
    fn patterns_of_the_shortest_frames_never_change_their_length() {
        for payload in [&b"1"[..], b"{}"] {
            let good = frame_of(payload);
            for bit in 32..8 * good.len() {
                let mut bad = good.clone();
                bad[bit / 8] ^= 1 << (bit % 8);
                let found = find_patterns(&bad, syndrome(&bad), 32);
                assert_eq!(found.first(), BitPattern::from_bits(bit, 1).as_ref());
                assert!(found.iter().all(|pattern| pattern.byte_range().start >= LENGTH_LEN), "{found:?}");
            }
        }
    }
}
