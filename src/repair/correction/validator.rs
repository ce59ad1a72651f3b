//! Validates bit patterns: finds those that turn a damaged frame into one with a valid event or a gap.

use std::ops::Range;

use memchr::{memchr, memchr2};

use super::bit_pattern::BitPattern;
use crate::format::frame::{CHECKSUM_LEN, LENGTH_LEN};
use crate::format::{EventView, Version, crc, gap};

/// Number of random patterns that are validated to estimate the share of valid ones.
const SAMPLES: u32 = 256;
/// Largest total size of the frames that are validated for that estimate, in bytes.
const MAX_SAMPLED_BYTES: u64 = 256 << 20;

/// A damaged frame, in which patterns are flipped, validated and flipped back.
#[derive(Debug)]
pub(super) struct FrameValidator<'a> {
    frame: &'a mut [u8],
    /// Ranges of the frame that no event can contain. A pattern has to change a byte of each of them.
    invalid_ranges: Vec<Range<usize>>,
    /// Total size of the frames validated so far, in bytes.
    pub(super) validated_bytes: u64,
}

/// The evidence for a valid pattern, and the bytes of its correction.
#[derive(Debug)]
pub(super) struct PatternEvidence {
    /// The estimated share of random patterns of its span that would be valid as well.
    pub(super) pass_rate: f64,
    /// Time of the corrected event; `None` for a gap.
    pub(super) time: Option<u64>,
    /// The bytes from the first changed one to the last, before the change.
    pub(super) old_bytes: Vec<u8>,
    /// The same bytes after the change.
    pub(super) new_bytes: Vec<u8>,
}

impl<'a> FrameValidator<'a> {
    pub(super) fn new(frame: &'a mut [u8]) -> Self {
        let payload = payload(frame);
        let mut invalid_ranges = Vec::new();
        let mut add = |from: usize, to: usize| invalid_ranges.push(LENGTH_LEN + from..LENGTH_LEN + to);
        let is_control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
        for at in [payload.iter().position(is_control), payload.iter().rposition(is_control)].into_iter().flatten() {
            add(at, at + 1);
        }
        if let Err(error) = std::str::from_utf8(payload) {
            // The damaged byte may be the first byte of a character, which determines the number of bytes that follow.
            let at = error.valid_up_to();
            add(at.saturating_sub(3), at + 4);
        }
        Self { frame, invalid_ranges, validated_bytes: 0 }
    }

    /// True when the frame has a valid event or a gap after the bits of `pattern` are flipped.
    pub(super) fn is_valid_with(&mut self, pattern: BitPattern) -> bool {
        let bytes = pattern.byte_range();
        let is_changed = |range: &Range<usize>| range.start < bytes.end && bytes.start < range.end;
        if !self.invalid_ranges.iter().all(is_changed) {
            return false;
        }
        pattern.flip(self.frame);
        let is_valid = has_plausible_bytes(self.frame, &bytes) && {
            self.validated_bytes += self.frame.len() as u64;
            is_event_or_gap(self.frame)
        };
        pattern.flip(self.frame);
        is_valid
    }

    /// Collects the evidence for a pattern that [`is_valid_with`](Self::is_valid_with) accepts.
    pub(super) fn evaluate(&mut self, pattern: BitPattern) -> PatternEvidence {
        let old_bytes = self.bytes_of(pattern);
        pattern.flip(self.frame);
        let pass_rate = estimate_pass_rate(self.frame, pattern.span);
        let event = EventView::parse(payload(self.frame), Version::V1).ok();
        let time = event.map(|event| event.write_timestamp_ms());
        let new_bytes = self.bytes_of(pattern);
        pattern.flip(self.frame);
        PatternEvidence { pass_rate, time, old_bytes, new_bytes }
    }

    /// The bytes from the first to the last that `pattern` changes, as they are now.
    fn bytes_of(&self, pattern: BitPattern) -> Vec<u8> {
        self.frame.get(pattern.byte_range()).unwrap_or_default().to_vec()
    }
}

/// Estimates the share of random patterns of `span` bits that keep `frame` valid, as (valid + 1) / (tried + 1).
///
/// `frame` must be valid. The seed is a checksum of its bytes, so the result is deterministic.
fn estimate_pass_rate(frame: &mut [u8], span: u32) -> f64 {
    let mut state = u64::from(crc::checksum(frame)) << 32 | u64::from(span);
    let mut random = move || {
        // SplitMix64, after G. L. Steele, D. Lea and C. H. Flood, 2014.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    };
    let strings = find_string_ranges(frame);
    let (first, ends) = (8 * LENGTH_LEN, 1 | 1 << (span - 1));
    let positions = (8 * frame.len()).saturating_sub(first + span as usize - 1).max(1) as u64;
    let (mut valid, mut validated_bytes) = (0, 0);
    for _ in 0..SAMPLES {
        let start = first + (random() % positions) as usize;
        let inner = random() as u32 & (u32::MAX >> (u32::BITS - span));
        let Some(pattern) = BitPattern::from_bits(start, inner | ends) else { continue };
        let bytes = pattern.byte_range();
        pattern.flip(frame);
        let is_valid = has_plausible_bytes(frame, &bytes)
            && (is_string_text(frame, &bytes, &strings) || validated_bytes >= MAX_SAMPLED_BYTES || {
                // After the limit, every plausible pattern counts as valid, which can only make the evidence weaker.
                validated_bytes += frame.len() as u64;
                is_event_or_gap(frame)
            });
        pattern.flip(frame);
        valid += u32::from(is_valid);
    }
    f64::from(valid + 1) / f64::from(SAMPLES + 1)
}

/// Returns the ranges of text in the strings of an event's `payload`, without escapes and quotes; none for other frames.
///
/// Any other text in these ranges is valid too, so most patterns are validated without reading the whole frame.
fn find_string_ranges(frame: &[u8]) -> Vec<Range<usize>> {
    let Ok(event) = EventView::parse(payload(frame), Version::V1) else { return Vec::new() };
    let value = event.payload();
    let mut at = LENGTH_LEN + (value.as_ptr().addr() - event.json().as_ptr().addr());
    let (mut strings, mut rest, mut is_inside) = (Vec::new(), value.as_bytes(), false);
    loop {
        let next = if is_inside { memchr2(b'"', b'\\', rest) } else { memchr(b'"', rest) };
        let Some((run, [special, after @ ..])) = next.and_then(|next| rest.split_at_checked(next)) else {
            return strings;
        };
        if is_inside {
            strings.push(at..at + run.len());
        }
        let escape_len = match after {
            _ if *special == b'"' => 0,
            [b'u', ..] => 5,
            _ => 1,
        };
        is_inside = escape_len > 0 || !is_inside;
        at += run.len() + 1 + escape_len;
        rest = after.get(escape_len..).unwrap_or_default();
    }
}

/// True when the changed bytes are in one of `strings`, and contain no quote, backslash or control character.
fn is_string_text(frame: &[u8], changed: &Range<usize>, strings: &[Range<usize>]) -> bool {
    let at = strings.partition_point(|string| string.end < changed.end);
    let mut bytes = frame.get(changed.clone()).unwrap_or_default().iter();
    strings.get(at).is_some_and(|string| string.start <= changed.start)
        && bytes.all(|byte| *byte >= 0x20 && !matches!(byte, b'"' | b'\\'))
}

fn payload(frame: &[u8]) -> &[u8] {
    frame.get(LENGTH_LEN..frame.len().saturating_sub(CHECKSUM_LEN)).unwrap_or_default()
}

fn is_event_or_gap(frame: &[u8]) -> bool {
    let payload = payload(frame);
    EventView::parse(payload, Version::V1).is_ok() || gap::is_gap(payload)
}

/// Checks only the changed bytes, which rejects most invalid patterns before the whole frame is validated.
fn has_plausible_bytes(frame: &[u8], changed: &Range<usize>) -> bool {
    let payload = payload(frame);
    let from = changed.start.saturating_sub(LENGTH_LEN).min(payload.len());
    let to = changed.end.saturating_sub(LENGTH_LEN).min(payload.len());
    let text = payload.get(from..to).unwrap_or_default();
    if text.iter().any(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) {
        return false;
    }
    // The checked text starts with the character before the change, whose last bytes may be changed, and ends before the
    // first character after the change.
    let is_continuation = |at: usize| payload.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
    let start = if from == 0 { Some(0) } else { (from.saturating_sub(4)..from).rev().find(|at| !is_continuation(*at)) };
    let end = (to..to + 4).find(|at| !is_continuation(*at));
    match (start, end) {
        (Some(start), Some(end)) => {
            payload.get(start..end.min(payload.len())).is_none_or(|text| std::str::from_utf8(text).is_ok())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::frame;

    /// An event with everything that limits text: escapes, quotes, other alphabets, and a required key.
    const EVENT: &str = r#"{"write_timestamp_ms":1766718274106,"event_type":"Updated","namespace":"accounts","schema_id":"Person","schema_version":1,"aggregate_id":42,"payload":{"na\nme":"Žof\u0069e \"x\" \\","n":12,"":[true,"日本"]}}"#;

    #[test]
    fn the_fast_checks_agree_with_full_validation() {
        let mut frame = Vec::new();
        frame::encode(EVENT.as_bytes(), &mut frame);
        let strings = find_string_ranges(&frame);
        let found: Vec<&[u8]> = strings.iter().map(|string| &frame[string.clone()]).collect();
        let expected: [&[u8]; 10] =
            [b"na", b"me", "Žof".as_bytes(), b"e ", b"x", b" ", b"", b"n", b"", "日本".as_bytes()];
        assert_eq!(found, expected);
        let mut accepted = 0;
        for first in 32..8 * (frame.len() - 4) {
            for bits in (1..512).step_by(2).chain([0x8101, 0x0001_0001, 0x8040_2011]) {
                let pattern = BitPattern::from_bits(first, bits).unwrap();
                let bytes = pattern.byte_range();
                pattern.flip(&mut frame);
                if has_plausible_bytes(&frame, &bytes) && is_string_text(&frame, &bytes, &strings) {
                    assert!(is_event_or_gap(&frame), "{pattern:?}: {}", frame.escape_ascii());
                    accepted += 1;
                }
                // A pattern that the check of the changed bytes rejects must never be valid.
                assert!(has_plausible_bytes(&frame, &bytes) || !is_event_or_gap(&frame), "{pattern:?}");
                pattern.flip(&mut frame);
            }
        }
        assert!(accepted > 1000, "{accepted}");
    }
}
