//! Which of the patterns leave something that could have been written: an event, or a gap.

use std::ops::Range;

use memchr::{memchr, memchr2};

use super::bit_pattern::BitPattern;
use crate::format::frame::{CHECKSUM_LEN, LENGTH_LEN};
use crate::format::{EventView, Version, crc, gap};

/// Random patterns that are tried to tell how many would pass.
const SAMPLES: u32 = 256;
/// Bytes of events that are judged to tell how many would pass.
const MAX_SAMPLED_BYTES: u64 = 256 << 20;

/// A frame under trial: its bytes are changed and changed back.
#[derive(Debug)]
pub(super) struct FrameValidator {
    frame: Vec<u8>,
    /// Bytes of the frame of which a pattern has to change one: no event holds what stands there.
    invalid_ranges: Vec<Range<usize>>,
    /// Bytes judged so far.
    pub(super) validated_bytes: u64,
}

/// What speaks for a pattern that passes, and what it makes of the bytes it changes.
#[derive(Debug)]
pub(super) struct PatternEvidence {
    /// The share of random patterns of its span that would pass as well.
    pub(super) pass_rate: f64,
    /// When the event that it leaves was written; a gap has no time.
    pub(super) time: Option<u64>,
    /// The bytes from the first changed one to the last.
    pub(super) new_bytes: Vec<u8>,
}

impl FrameValidator {
    pub(super) fn new(frame: &[u8]) -> Self {
        let payload = payload(frame);
        let mut foreign = Vec::new();
        let mut say = |from: usize, to: usize| foreign.push(LENGTH_LEN + from..LENGTH_LEN + to);
        let control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
        for at in [payload.iter().position(control), payload.iter().rposition(control)].into_iter().flatten() {
            say(at, at + 1);
        }
        if let Err(error) = std::str::from_utf8(payload) {
            // The byte that is wrong may be the one that announced fewer, or more, than follow it.
            let at = error.valid_up_to();
            say(at.saturating_sub(3), at + 4);
        }
        Self { frame: frame.to_vec(), invalid_ranges: foreign, validated_bytes: 0 }
    }

    /// True when the frame, changed by `pattern`, holds an event or a gap.
    pub(super) fn is_valid_with(&mut self, pattern: BitPattern) -> bool {
        let bytes = pattern.byte_range();
        let touches = |foreign: &Range<usize>| foreign.start < bytes.end && bytes.start < foreign.end;
        if !self.invalid_ranges.iter().all(touches) {
            return false;
        }
        pattern.flip(&mut self.frame);
        let passes = has_plausible_bytes(&self.frame, &bytes) && {
            self.validated_bytes += self.frame.len() as u64;
            is_event_or_gap(&self.frame)
        };
        pattern.flip(&mut self.frame);
        passes
    }

    /// What the frame is with `pattern`, which passes, changed in it.
    pub(super) fn evaluate(&mut self, pattern: BitPattern) -> PatternEvidence {
        pattern.flip(&mut self.frame);
        let share = estimate_pass_rate(&mut self.frame, pattern.span);
        let event = EventView::parse(payload(&self.frame), Version::V1).ok();
        let time = event.map(|event| event.write_timestamp_ms());
        let after = self.frame.get(pattern.byte_range()).unwrap_or_default().to_vec();
        pattern.flip(&mut self.frame);
        PatternEvidence { pass_rate: share, time, new_bytes: after }
    }
}

/// The share of random patterns of `span` bits that would pass as well, in a frame that does: (hits + 1) / (n + 1). The
/// frame's own bytes are the seed, so that the same frame has the same answer.
fn estimate_pass_rate(frame: &mut [u8], span: u32) -> f64 {
    let mut state = u64::from(crc::checksum(frame)) << 32 | u64::from(span);
    let mut random = move || {
        // SplitMix64, after G. L. Steele, D. Lea and C. H. Flood, 2014.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    };
    let texts = find_string_ranges(frame);
    let (first, ends) = (8 * LENGTH_LEN, 1 | 1 << (span - 1));
    let places = (8 * frame.len()).saturating_sub(first + span as usize - 1).max(1) as u64;
    let (mut hits, mut judged) = (0, 0);
    for _ in 0..SAMPLES {
        let start = first + (random() % places) as usize;
        let inner = random() as u32 & (u32::MAX >> (u32::BITS - span));
        let Some(pattern) = BitPattern::from_bits(start, inner | ends) else { continue };
        let bytes = pattern.byte_range();
        pattern.flip(frame);
        let passes = has_plausible_bytes(frame, &bytes)
            && (is_string_text(frame, &bytes, &texts) || judged >= MAX_SAMPLED_BYTES || {
                // Past the bound of work it counts as one that passes: that makes evidence weaker, never stronger.
                judged += frame.len() as u64;
                is_event_or_gap(frame)
            });
        pattern.flip(frame);
        hits += u32::from(passes);
    }
    f64::from(hits + 1) / f64::from(SAMPLES + 1)
}

/// Where text stands in strings of an event's `payload`, escapes and quotes left out: none where there is no event.
/// Other text there is as good, so that most patterns are judged without reading all of the frame.
fn find_string_ranges(frame: &[u8]) -> Vec<Range<usize>> {
    let Ok(event) = EventView::parse(payload(frame), Version::V1) else { return Vec::new() };
    let value = event.payload();
    let mut at = LENGTH_LEN + (value.as_ptr().addr() - event.json().as_ptr().addr());
    let (mut texts, mut rest, mut inside) = (Vec::new(), value.as_bytes(), false);
    loop {
        let next = if inside { memchr2(b'"', b'\\', rest) } else { memchr(b'"', rest) };
        let Some((run, [special, behind @ ..])) = next.and_then(|next| rest.split_at_checked(next)) else {
            return texts;
        };
        if inside {
            texts.push(at..at + run.len());
        }
        let escape = match behind {
            _ if *special == b'"' => 0,
            [b'u', ..] => 5,
            _ => 1,
        };
        inside = escape > 0 || !inside;
        at += run.len() + 1 + escape;
        rest = behind.get(escape..).unwrap_or_default();
    }
}

/// True when bytes that were changed stand in one of `texts` and are text still, which ends nowhere.
fn is_string_text(frame: &[u8], changed: &Range<usize>, texts: &[Range<usize>]) -> bool {
    let text = texts.partition_point(|text| text.end < changed.end);
    let mut bytes = frame.get(changed.clone()).unwrap_or_default().iter();
    texts.get(text).is_some_and(|text| text.start <= changed.start)
        && bytes.all(|byte| *byte >= 0x20 && !matches!(byte, b'"' | b'\\'))
}

fn payload(frame: &[u8]) -> &[u8] {
    frame.get(LENGTH_LEN..frame.len().saturating_sub(CHECKSUM_LEN)).unwrap_or_default()
}

fn is_event_or_gap(frame: &[u8]) -> bool {
    let payload = payload(frame);
    EventView::parse(payload, Version::V1).is_ok() || gap::is_gap(payload)
}

/// A look at the changed bytes alone, which turns most patterns away before all of the frame is read.
fn has_plausible_bytes(frame: &[u8], changed: &Range<usize>) -> bool {
    let payload = payload(frame);
    let from = changed.start.saturating_sub(LENGTH_LEN).min(payload.len());
    let to = changed.end.saturating_sub(LENGTH_LEN).min(payload.len());
    let text = payload.get(from..to).unwrap_or_default();
    if text.iter().any(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) {
        return false;
    }
    // From the start of the character before the change, which may have lost its end, to a byte that starts another.
    let goes_on = |at: usize| payload.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
    let start = if from == 0 { Some(0) } else { (from.saturating_sub(4)..from).rev().find(|at| !goes_on(*at)) };
    let end = (to..to + 4).find(|at| !goes_on(*at));
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

    /// Text with everything that ends it: escapes, quotes, other alphabets, and a key that has to be there.
    const EVENT: &str = r#"{"write_timestamp_ms":1766718274106,"event_type":"Updated","namespace":"accounts","schema_id":"Person","schema_version":1,"aggregate_id":42,"payload":{"na\nme":"Žof\u0069e \"x\" \\","n":12,"":[true,"日本"]}}"#;

    #[test]
    fn the_short_way_of_judging_says_what_the_long_one_says() {
        let mut frame = Vec::new();
        frame::encode(EVENT.as_bytes(), &mut frame);
        let texts = find_string_ranges(&frame);
        let found: Vec<&[u8]> = texts.iter().map(|text| &frame[text.clone()]).collect();
        let expected: [&[u8]; 10] =
            [b"na", b"me", "Žof".as_bytes(), b"e ", b"x", b" ", b"", b"n", b"", "日本".as_bytes()];
        assert_eq!(found, expected);
        let mut short = 0;
        for first in 32..8 * (frame.len() - 4) {
            for bits in (1..512).step_by(2).chain([0x8101, 0x0001_0001, 0x8040_2011]) {
                let pattern = BitPattern::from_bits(first, bits).unwrap();
                let bytes = pattern.byte_range();
                pattern.flip(&mut frame);
                if has_plausible_bytes(&frame, &bytes) && is_string_text(&frame, &bytes, &texts) {
                    assert!(is_event_or_gap(&frame), "{pattern:?}: {}", frame.escape_ascii());
                    short += 1;
                }
                // What the look at the changed bytes turns away is nothing.
                assert!(has_plausible_bytes(&frame, &bytes) || !is_event_or_gap(&frame), "{pattern:?}");
                pattern.flip(&mut frame);
            }
        }
        assert!(short > 1000, "{short}");
    }
}
