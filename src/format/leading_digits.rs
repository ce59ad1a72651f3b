//! Parses up to eight decimal digits at once.
//!
//! A loop over the digits of a number of unknown length ends with a branch that the processor cannot predict. Here, the steps
//! are the same for any number of digits. The values of pairs, fours and eights of digits are combined in one word, as
//! Johnny Lee and Daniel Lemire describe ("Quickly parsing eight digits", 2018).

#![expect(clippy::inline_always, reason = "measured: a twentieth of the time to parse an event")]

/// The powers of ten from 0 to 8.
const POWERS_OF_TEN: [u64; 9] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The decimal digits with which eight bytes start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LeadingDigits {
    /// The number that the digits are; 0 when there are none.
    pub(super) value: u64,
    /// The number of digits, at most eight.
    pub(super) len: usize,
}

impl LeadingDigits {
    /// Parses the digits at the start of `bytes`.
    #[inline(always)]
    pub(super) const fn of(bytes: [u8; 8]) -> Self {
        // A digit becomes its value, any other byte becomes 10 or more.
        let values = u64::from_le_bytes(bytes) ^ 0x3030_3030_3030_3030;
        // Adding 76 hex sets the highest bit of a byte from 10 to 7f hex. Its carry changes only bytes after it, which do not
        // count.
        let not_digits = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
        let len = not_digits.trailing_zeros() / u8::BITS;
        // Zeros before the digits make eight of them.
        let eight = if len == 0 { 0 } else { values << (u64::BITS - len * u8::BITS) };
        let pairs = eight.wrapping_mul(10).wrapping_add(eight >> 8) & 0x00FF_00FF_00FF_00FF;
        let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_FFFF_0000_FFFF;
        let value = fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xFFFF_FFFF;
        Self { value, len: len as usize }
    }

    /// The power of ten by which a number grows when the digits are appended to it.
    #[inline(always)]
    pub(super) fn scale(self) -> u64 {
        POWERS_OF_TEN.get(self.len).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_before_any_other_byte_are_parsed() {
        for digits in ["", "0", "7", "00", "42", "901", "1999", "80808", "123456", "9999999", "0000001"] {
            for next in (0..=255u8).filter(|byte| !byte.is_ascii_digit()) {
                for rest in [b'0', b'9', b',', 0xFF] {
                    let mut bytes = [rest; 8];
                    bytes[..digits.len()].copy_from_slice(digits.as_bytes());
                    bytes[digits.len()] = next;
                    let value = if digits.is_empty() { 0 } else { digits.parse().expect("a number") };
                    let expected = LeadingDigits { value, len: digits.len() };
                    assert_eq!(LeadingDigits::of(bytes), expected, "{}", bytes.escape_ascii());
                }
            }
        }
    }

    #[test]
    fn eight_digits_are_parsed() {
        for number in [0u64, 1, 10_000_000, 12_345_678, 87_654_321, 99_999_999, 10_101_010, 9_090_909] {
            let bytes: [u8; 8] = format!("{number:08}").into_bytes().try_into().expect("eight digits");
            let digits = LeadingDigits::of(bytes);
            assert_eq!((digits.value, digits.len, digits.scale()), (number, 8, 100_000_000));
        }
    }
}
