//! The checksum CRC-32/ISO-HDLC, and the computation of the checksum of any range from prefix checksums.
//!
//! A CRC is the remainder of a polynomial over GF(2). Appending n bytes multiplies by x^(8n), so `crc(AB) = crc(A) *
//! x^(8|B|) + crc(B)`, and the checksum of B alone follows from those of A and AB. Source of the algorithm: Mark
//! Adler's `crc32_combine` in zlib. Polynomials are stored reflected, like the CRC itself: bit 31 is the coefficient of
//! x^0.

/// The generator polynomial, reflected, without the term x^32.
pub(crate) const POLYNOMIAL: u32 = 0xEDB8_8320;
/// The polynomial x^0 in reflected form.
const ONE: u32 = 0x8000_0000;

/// Computes the CRC of `bytes`.
#[inline]
pub fn checksum(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// Computes the CRC of some bytes followed by `bytes`, where `before` is the CRC of the bytes that come first.
#[inline]
pub fn extend(before: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(before);
    hasher.update(bytes);
    hasher.finalize()
}

/// Computes the CRC of some bytes followed by the eight bytes of `value`, the most significant one first. `before` is the CRC
/// of the bytes that come first.
///
/// Each of the eight bytes contributes independently of the others, so the cost is eight look-ups that do not wait for each
/// other. A call of [`extend`] processes so few bytes one after the other.
#[inline]
pub fn extend_by_u64(before: u32, value: u64) -> u32 {
    let bytes = (value ^ u64::from((!before).swap_bytes()) << u32::BITS).to_be_bytes();
    let terms =
        BYTE_TERMS.iter().zip(bytes).map(|(terms, byte)| terms.get(usize::from(byte)).copied().unwrap_or_default());
    !terms.fold(0, |sum, term| sum ^ term)
}

/// What a byte contributes to the CRC of eight bytes: one table for each place of the byte, the first place first.
static BYTE_TERMS: [[u32; 256]; 8] = [
    byte_terms(7),
    byte_terms(6),
    byte_terms(5),
    byte_terms(4),
    byte_terms(3),
    byte_terms(2),
    byte_terms(1),
    byte_terms(0),
];

/// Computes what each byte contributes to a CRC when `following` bytes follow it.
const fn byte_terms(following: u32) -> [u32; 256] {
    let mut terms = [0; 256];
    let mut rest: &mut [u32] = &mut terms;
    let mut byte = 0;
    while let [term, others @ ..] = rest {
        *term = byte;
        let mut bits = (following + 1) * u8::BITS;
        while bits > 0 {
            *term = times_x(*term);
            bits -= 1;
        }
        byte += 1;
        rest = others;
    }
    terms
}

/// Multiplies two polynomials modulo the generator.
const fn multiply(a: u32, mut b: u32) -> u32 {
    let mut product = 0;
    let mut bit = ONE;
    while bit != 0 {
        // A mask instead of a branch: the bits are close to random, so a branch would often be mispredicted.
        product ^= b & 0u32.wrapping_sub((a & bit != 0) as u32);
        b = times_x(b);
        bit >>= 1;
    }
    product
}

/// Multiplies a polynomial by x, modulo the generator.
pub(crate) const fn times_x(a: u32) -> u32 {
    (a >> 1) ^ (POLYNOMIAL & 0u32.wrapping_sub(a & 1))
}

/// Computes the CRC of the bytes that come before the last `tail_len` bytes, where `tail` is the CRC of these last bytes and
/// `whole` is the CRC of all bytes.
pub(crate) fn prefix_checksum(tail: u32, whole: u32, tail_len: u64) -> u32 {
    // The powers of x repeat after 2^32 - 1, because the generator is primitive.
    let period = u64::from(u32::MAX);
    let (mut exponent, mut square, mut factor) = (period - tail_len % period * 8 % period, times_x(ONE), ONE);
    while exponent > 0 {
        if exponent & 1 == 1 {
            factor = multiply(factor, square);
        }
        square = multiply(square, square);
        exponent >>= 1;
    }
    multiply(whole ^ tail, factor)
}

/// Returns the four bytes that have to follow bytes with the CRC `before`, so that all of them have the CRC `after`.
pub(crate) fn last_bytes(before: u32, after: u32) -> [u8; 4] {
    let mut state = !after;
    for _ in 0..u32::BITS {
        state = divide_by_x(state);
    }
    (state ^ !before).to_le_bytes()
}

/// Divides a polynomial by x, modulo the generator.
const fn divide_by_x(a: u32) -> u32 {
    let carry = a >> 31;
    ((a ^ (POLYNOMIAL & 0u32.wrapping_sub(carry))) << 1) | carry
}

/// The factors x^(8n) for n below 2^24, from three tables of 256 entries. A lookup costs two multiplications.
#[derive(Debug)]
pub(crate) struct CrcShiftTable {
    tables: [[u32; 256]; 3],
}

impl CrcShiftTable {
    /// Computes the three tables.
    pub(crate) fn new() -> Self {
        let mut unit = ONE;
        for _ in 0..8 {
            unit = times_x(unit);
        }
        let mut tables = [[ONE; 256]; 3];
        for table in &mut tables {
            let mut power = ONE;
            for entry in table.iter_mut() {
                *entry = power;
                power = multiply(power, unit);
            }
            unit = power;
        }
        Self { tables }
    }

    /// Computes the factor x^(8n).
    fn shift_factor(&self, n: u32) -> u32 {
        let [low, middle, high] = &self.tables;
        let lookup = |table: &[u32; 256], shift: u32| table.get((n >> shift & 0xFF) as usize).copied().unwrap_or(ONE);
        multiply(multiply(lookup(low, 0), lookup(middle, 8)), lookup(high, 16))
    }

    /// Computes the CRC of B from the CRCs of A and of A followed by B, where B has `n` bytes.
    pub(crate) fn suffix_checksum(&self, of_a: u32, of_ab: u32, n: u32) -> u32 {
        of_ab ^ multiply(of_a, self.shift_factor(n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_is_the_standard_one() {
        assert_eq!(checksum(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn eight_bytes_of_a_number_extend_a_checksum_like_eight_bytes() {
        let single_bytes = (0..8).flat_map(|place| (0..256).map(move |byte| byte << (place * 8)));
        let others = [0x0123_4567_89AB_CDEF, u64::MAX, u64::MAX - 1, 1 << 63, 0xFFFF_FFFF];
        for value in single_bytes.chain(others) {
            for before in [0, 1, checksum(b"0123456789abcdef"), u32::MAX] {
                assert_eq!(extend_by_u64(before, value), extend(before, &value.to_be_bytes()), "{before:x} {value:x}");
            }
        }
    }

    #[test]
    fn four_bytes_can_give_any_checksum() {
        for (start, wanted) in [(b"".as_slice(), 0), (b"0123456789ab", 0xDEAD_BEEF), (b"x", 1)] {
            let last = last_bytes(checksum(start), wanted);
            assert_eq!(checksum(&[start, &last].concat()), wanted);
        }
    }

    #[test]
    fn the_checksum_of_a_suffix_follows_from_two_prefixes() {
        let shift = CrcShiftTable::new();
        let bytes: Vec<u8> = (0..200_000u32).map(|i| (i.wrapping_mul(i) >> 3) as u8).collect();
        for (from, to) in [(0, 1), (1, 2), (3, 260), (255, 511), (256, 66_000), (7, 200_000), (9, 9)] {
            let suffix = shift.suffix_checksum(checksum(&bytes[..from]), checksum(&bytes[..to]), (to - from) as u32);
            assert_eq!(suffix, checksum(&bytes[from..to]), "{from}..{to}");
            assert_eq!(extend(checksum(&bytes[..from]), &bytes[from..to]), checksum(&bytes[..to]));
            let prefix = prefix_checksum(checksum(&bytes[from..to]), checksum(&bytes[..to]), (to - from) as u64);
            assert_eq!(prefix, checksum(&bytes[..from]), "{from}..{to}");
        }
    }
}
