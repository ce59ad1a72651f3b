//! Which bits, changed, would explain a checksum that differs: the algebra of CRC-32.
//!
//! A CRC is linear: the checksum of a damaged message differs from that of the true one by the checksum of the error
//! alone. With the error written as a polynomial E whose last bit stands d bits before the end of the message, that
//! difference, the syndrome, is S = E x^(d+32) mod G. x has an inverse modulo G, so for every d there is exactly one
//! polynomial of at most 32 bits that explains S: E = S x^-(d+32). One division by x for every bit of the frame finds
//! them all. This is error trapping for cyclic codes (L. D. Rudolph and M. E. Mitchell, "Implementation of decoders for
//! cyclic codes", 1964; W. W. Peterson and E. J. Weldon, "Error-Correcting Codes", 1972), run backwards over the frame.
//!
//! Bits are counted in the order in which the CRC takes them: byte by byte, the least significant first.

use crate::format::crc::{POLYNOMIAL, times_x};
use crate::format::frame::{CHECKSUM_LEN, LENGTH_LEN};

/// Bits of a window over the border between payload and checksum field.
const BORDER: usize = 16;
/// Bits of the checksum field.
const FIELD: usize = 8 * CHECKSUM_LEN;
/// Solutions of one window that are looked at: by far more than were ever seen.
const SOLUTIONS: u32 = 16;

/// Bits of a frame that were changed together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pattern {
    /// Bits from the first changed one to the last, both counted.
    pub(super) span: u32,
    /// Which bits: counted from the frame's first, ascending.
    pub(super) bits: Vec<usize>,
}

impl Pattern {
    fn of(mut bits: Vec<usize>) -> Option<Self> {
        bits.sort_unstable();
        let span = bits.last()? - bits.first()? + 1;
        Some(Self { span: span as u32, bits })
    }

    /// Changes those bits, or changes them back.
    pub(super) fn flip(&self, frame: &mut [u8]) {
        for bit in &self.bits {
            if let Some(byte) = frame.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
        }
    }

    /// The first byte it changes, and behind the last.
    pub(super) fn bytes(&self) -> std::ops::Range<usize> {
        let byte = |bit: Option<&usize>| bit.map_or(0, |bit| bit / 8);
        byte(self.bits.first())..byte(self.bits.last()) + 1
    }
}

/// Every pattern of at most `longest` bits, 32 at most, that explains the checksum of `frame`, by ascending span; the
/// length field is not touched.
pub(super) fn patterns(frame: &[u8], syndrome: u32, longest: u32) -> Vec<Pattern> {
    let message = 8 * frame.len().saturating_sub(CHECKSUM_LEN);
    let mut found = in_payload(message, syndrome, longest);
    found.extend(in_field(message, syndrome));
    found.extend(over_the_border(message, syndrome));
    found.retain(|pattern| pattern.span <= longest);
    found.sort();
    found.dedup();
    found
}

/// Those that lie in the payload, which ends with the message's last bit.
fn in_payload(message: usize, syndrome: u32, longest: u32) -> Vec<Pattern> {
    let first = 8 * LENGTH_LEN;
    let mut found = Vec::new();
    let mut error = (0..32).fold(syndrome, |error, _| over_x(error));
    for end in (first..message).rev() {
        // The coefficient of x^0 is the bit that the pattern ends with; without it the pattern is another one's.
        if error & 0x8000_0000 != 0 {
            let span = 32 - error.trailing_zeros();
            if span <= longest && end + 1 >= first + span as usize {
                let bits = (0..span as usize).filter(|degree| error << degree & 0x8000_0000 != 0);
                found.extend(Pattern::of(bits.map(|degree| end - degree).collect()));
            }
        }
        error = over_x(error);
    }
    found
}

/// The checksum field alone: its own bits differ as the checksums do.
fn in_field(message: usize, syndrome: u32) -> Option<Pattern> {
    let bits = (0..FIELD).filter(|position| syndrome & field_bit(*position) != 0);
    Pattern::of(bits.map(|position| message + position).collect())
}

/// Those that change bits on both sides of the border, in windows of [`BORDER`] bits. The field is big-endian, so no
/// division by x walks over the border: each window is a linear system, solved by elimination.
fn over_the_border(message: usize, syndrome: u32) -> Vec<Pattern> {
    let mut of_payload = 0x8000_0000;
    for _ in 0..32 {
        of_payload = times_x(of_payload);
    }
    let mut columns = Vec::new();
    for distance in 0..BORDER - 1 {
        columns.push((message.wrapping_sub(distance + 1), of_payload));
        of_payload = times_x(of_payload);
    }
    let mut found = Vec::new();
    for in_payload in 1..BORDER {
        let payload = columns.iter().take(in_payload).copied();
        let field = (0..BORDER - in_payload).map(|position| (message + position, field_bit(position)));
        let window: Vec<(usize, u32)> = payload.chain(field).filter(|column| column.0 >= 8 * LENGTH_LEN).collect();
        for chosen in solve(&window, syndrome) {
            let bits: Vec<usize> =
                window.iter().enumerate().filter(|(n, _)| chosen >> n & 1 != 0).map(|(_, column)| column.0).collect();
            let both = bits.iter().any(|bit| *bit < message) && bits.iter().any(|bit| *bit >= message);
            found.extend(Pattern::of(bits).filter(|_| both));
        }
    }
    found
}

/// Every choice of columns whose sum is `goal`, as masks: Gaussian elimination over GF(2).
fn solve(columns: &[(usize, u32)], goal: u32) -> Vec<u32> {
    // Reduced columns with their highest bit, and which of the columns they are sums of.
    let mut basis: Vec<(u32, u32)> = Vec::new();
    let mut empty: Vec<u32> = Vec::new();
    let reduce = |basis: &[(u32, u32)], mut value: u32, mut chosen: u32| {
        for (column, of) in basis {
            if value ^ column < value {
                (value, chosen) = (value ^ column, chosen ^ of);
            }
        }
        (value, chosen)
    };
    for (n, (_, column)) in columns.iter().enumerate() {
        let (value, chosen) = reduce(&basis, *column, 1 << n);
        if value == 0 {
            empty.push(chosen);
        } else {
            basis.push((value, chosen));
            basis.sort_unstable_by(|a, b| b.cmp(a));
        }
    }
    let (rest, chosen) = reduce(&basis, goal, 0);
    if rest != 0 {
        return Vec::new();
    }
    let all = 1u32.checked_shl(empty.len() as u32).unwrap_or(SOLUTIONS).min(SOLUTIONS);
    let sums = (0..all).map(|mask| {
        let added = empty.iter().enumerate().filter(|(n, _)| mask >> n & 1 != 0);
        added.fold(chosen, |chosen, (_, of)| chosen ^ of)
    });
    sums.collect()
}

/// The bit of the checksum that stands at a position of its field, which is big-endian.
const fn field_bit(position: usize) -> u32 {
    1u32 << (24 - 8 * (position / 8) + position % 8)
}

/// A polynomial divided by x modulo the generator: what [`times_x`] undoes.
const fn over_x(a: u32) -> u32 {
    if a & 0x8000_0000 != 0 { ((a ^ POLYNOMIAL) << 1) | 1 } else { a << 1 }
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
        crc::of(message) ^ u32::from_be_bytes(field.try_into().unwrap_or_default())
    }

    #[test]
    fn dividing_undoes_multiplying() {
        let mut a = 0x1234_5678u32;
        for _ in 0..1000 {
            assert_eq!(over_x(times_x(a)), a);
            a = a.wrapping_mul(0x9E37_79B9) ^ 0x4d;
        }
    }

    #[test]
    fn every_burst_in_a_frame_is_among_the_patterns_and_every_pattern_explains_the_checksum() {
        let good = frame_of(&(0..40).collect::<Vec<u8>>());
        let bits = 8 * good.len();
        for first in 32..bits {
            for (burst, span) in [(1u32, 1usize), (0b1001, 4), (0b1010_0110_1011, 12), (0xA5A5_0001, 32)] {
                let last = first + span - 1;
                let border = (first < bits - 32) && (last >= bits - 32);
                if last >= bits || (border && span > BORDER) {
                    continue;
                }
                let mut bad = good.clone();
                let planted: Vec<usize> = (0..span).filter(|n| burst >> n & 1 != 0).map(|n| first + n).collect();
                let planted = Pattern::of(planted).unwrap();
                planted.flip(&mut bad);
                let found = patterns(&bad, syndrome(&bad), 32);
                assert!(found.contains(&planted), "{span} bits from bit {first}");
                for pattern in found {
                    let mut tried = bad.clone();
                    pattern.flip(&mut tried);
                    assert_eq!(syndrome(&tried), 0, "{pattern:?} for {span} bits from bit {first}");
                }
            }
        }
    }
}
