//! Parses the numbers that users type: offsets in decimal or hexadecimal, sizes, and whole numbers without a sign.

use std::str::FromStr;

/// Parses a file offset: decimal, or hexadecimal after `0x`. A sign is refused.
pub(crate) fn parse_offset(text: &str) -> Option<u64> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = hex.map_or((text, 10), |hex| (hex, 16));
    // `from_str_radix` accepts a leading `+`.
    let digits = Some(digits).filter(|digits| digits.chars().all(|c| c.is_digit(radix)))?;
    u64::from_str_radix(digits, radix).ok()
}

/// Parses a whole number in decimal. A sign is refused.
pub(super) fn parse_whole_number<N: FromStr>(text: &str) -> Option<N> {
    text.parse().ok().filter(|_| !text.starts_with('+'))
}

/// The units of sizes, with their bytes. A unit comes before its own suffixes.
const SIZE_UNITS: [(&str, u64); 8] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
    ("", 1),
];

/// Parses a size in bytes, such as `500`, `500B`, `16KiB` or `2MB`. A sign and a fraction are refused.
pub(super) fn parse_size_input(text: &str) -> Option<u64> {
    let (digits, bytes) = SIZE_UNITS.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes)))?;
    parse_whole_number::<u64>(digits)?.checked_mul(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit_or_is_in_bytes() {
        assert_eq!(["500", "500B", "16KiB", "2MB"].map(parse_size_input), [500, 500, 16 << 10, 2_000_000].map(Some));
        assert_eq!(["", "KiB", "+1", "1.5KiB", "1k", "99999999999GiB"].map(parse_size_input), [None; 6]);
    }
}
