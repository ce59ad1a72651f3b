//! Parses the numbers that users type: offsets in decimal or hexadecimal, ranges, and whole numbers without a sign.

use std::ops::Range;
use std::str::FromStr;

/// Parses a file offset: decimal, or hexadecimal after `0x`. A sign is refused.
pub(crate) fn parse_offset(text: &str) -> Option<u64> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = hex.map_or((text, 10), |hex| (hex, 16));
    // `from_str_radix` accepts a leading `+`.
    let digits = Some(digits).filter(|digits| digits.chars().all(|c| c.is_digit(radix)))?;
    u64::from_str_radix(digits, radix).ok()
}

/// Parses a range such as `1000..2000`, with an exclusive end. Either side may be omitted. A single offset is a range of
/// one byte.
pub(super) fn parse_offset_range(text: &str) -> Option<Range<u64>> {
    let Some((start, end)) = text.split_once("..") else {
        let start = parse_offset(text)?;
        return Some(start..start.saturating_add(1));
    };
    let start = if start.is_empty() { 0 } else { parse_offset(start)? };
    let end = if end.is_empty() { u64::MAX } else { parse_offset(end)? };
    (start <= end).then_some(start..end)
}

/// Parses a whole number in decimal. A sign is refused.
pub(super) fn parse_whole_number<N: FromStr>(text: &str) -> Option<N> {
    text.parse().ok().filter(|_| !text.starts_with('+'))
}
