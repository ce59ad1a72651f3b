//! Correction of a damaged frame by its checksum: finds the bits that make the checksum match when they are flipped.
//!
//! For every position in a frame there is exactly one pattern of up to 32 bits that explains a checksum mismatch (see
//! `bit_pattern`). The existence of a pattern is therefore no evidence, but a short span is: of the 2^32 possible
//! mismatches, patterns of at most s bits explain about (bits of the frame) * 2^(s-1) by chance. Only a share of these
//! chance patterns results in a valid event, and is a false positive. A candidate's `expected_false_positives` is the
//! expected number of them at its own span. A value far below 1 is evidence for the candidate; a value of 1 is none.
//!
//! CRC-32 has Hamming distance 4 for frames with up to 11 446 bytes of payload (P. Koopman, "32-Bit Cyclic Redundancy
//! Codes for Internet Applications", 2002). Up to that size, two damaged bits never have the checksum mismatch of one
//! bit, so a single bit is proven. Damage within one byte never has it either; a test of `bit_pattern` checks every case.
//! Other damage can, at a rate of at most (bits of the frame) / 2^32; `benches/correction` measures it.

mod bit_pattern;
mod validator;

use crate::format::FrameFormat;
use crate::format::byte_layout::u32_at;
use crate::format::frame::{CHECKSUM_LEN, LENGTH_LEN};
use crate::repair::types::{Candidate, Certainty, diff_bytes};

use bit_pattern::find_patterns;
use validator::FrameValidator;

/// The longest payload in which CRC-32 has Hamming distance 4, in bytes.
const MAX_DISTANCE_4_PAYLOAD: usize = 11_446;
/// The largest number of candidates that the user is asked to choose from.
const MAX_CANDIDATES: usize = 16;
/// Largest expected number of chance patterns of the span up to which patterns are searched. The estimated share of them
/// that results in a valid event is at least 1 in 257, so patterns of a longer span would never be offered.
const MAX_CHANCE_PATTERNS: f64 = 257.0;
/// Largest total size of the frames that are validated in one search, in bytes.
const MAX_VALIDATED_BYTES: u64 = 256 << 20;
/// Number of possible checksums.
const CHECKSUM_COUNT: f64 = 4_294_967_296.0;

/// The result of a search over one frame. The offsets of its changes count from the first byte of the frame.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Correction {
    /// The certainty of the candidates; `None` when there are none.
    pub certainty: Option<Certainty>,
    /// The candidates, best first: one when it is proven or likely, otherwise up to 16 to choose from.
    pub candidates: Vec<Candidate>,
    /// Description of the patterns that were not searched, when the search reached a limit.
    pub unsearched: Option<String>,
}

/// The times of the readable events next to a frame, in milliseconds since the Unix epoch. They only rank candidates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NeighbourTimes {
    /// Time of the event before the frame.
    pub before: Option<u64>,
    /// Time of the event after the frame.
    pub after: Option<u64>,
}

impl NeighbourTimes {
    /// True unless `time` is earlier than the event before the frame, or later than the one after it.
    fn is_plausible(self, time: u64) -> bool {
        self.before.is_none_or(|before| before <= time) && self.after.is_none_or(|after| time <= after)
    }
}

/// A pattern whose correction results in a valid event or a gap.
struct PatternMatch {
    /// Number of bits from the first changed one to the last.
    span: u32,
    /// True when the event's time is between those of its neighbours.
    is_time_plausible: bool,
    candidate: Candidate,
}

/// Searches for the damaged bits of `frame`, a whole frame of version 1 with a correct length and a checksum mismatch.
///
/// The result depends only on the bytes and the times. The cost is one pass over the bits of the frame, validation of at
/// most 256 MiB of frames, and as much again for each of up to 16 candidates.
pub fn find_correction(frame: &[u8], times: NeighbourTimes) -> Correction {
    find_correction_in_place(&mut frame.to_vec(), FrameFormat::V1, 0, times)
}

/// Searches for the damaged bits of `frame`, which is at `offset` in a log of this format, like [`find_correction`], without
/// a copy of the frame: bits are flipped in it, and flipped back.
pub(crate) fn find_correction_in_place(
    frame: &mut [u8],
    format: FrameFormat,
    offset: u64,
    times: NeighbourTimes,
) -> Correction {
    let payload_len = frame.len().saturating_sub(LENGTH_LEN + CHECKSUM_LEN);
    let message_len = LENGTH_LEN + payload_len;
    let (Some(message), Some(stored)) = (frame.get(..message_len), u32_at(frame, message_len)) else {
        return Correction::default();
    };
    let syndrome = format.checksum(offset, message) ^ stored;
    if syndrome == 0 || payload_len == 0 {
        return Correction::default();
    }
    let frame_len = frame.len();
    let expected_chance_patterns = |span: u32| 8.0 * frame_len as f64 * f64::from(span - 1).exp2() / CHECKSUM_COUNT;
    let max_span = (1..=32).rev().find(|span| expected_chance_patterns(*span) <= MAX_CHANCE_PATTERNS).unwrap_or(0);
    let patterns = find_patterns(frame, syndrome, max_span);
    let (mut validator, mut matches) = (FrameValidator::new(frame), Vec::<PatternMatch>::new());
    for pattern in patterns {
        let span = pattern.span;
        // Patterns of a longer span do not weaken a match that is the only one of its span or shorter.
        let are_all_shorter = matches.iter().all(|found| found.span < span);
        if let Some(certainty) = rate_certainty(&matches, payload_len).filter(|_| are_all_shorter) {
            return build_correction(certainty, matches, None);
        }
        if validator.validated_bytes >= MAX_VALIDATED_BYTES {
            let unsearched = format!("patterns of {span} bits and more: the limit of work was reached");
            return rank_choices(matches, Some(unsearched));
        }
        if !validator.is_valid_with(pattern) {
            continue;
        }
        if matches.len() == MAX_CANDIDATES {
            let unsearched = Some(format!("patterns of {span} bits and more: more than {MAX_CANDIDATES} fit"));
            // When all matches so far are offered, this one would be offered too, and the list would be incomplete.
            let are_all_offered = matches.iter().all(|found| found.candidate.expected_false_positives <= 1.0);
            return rank_choices(if are_all_offered { Vec::new() } else { matches }, unsearched);
        }
        let evidence = validator.evaluate(pattern);
        let start = pattern.byte_range().start as u64;
        let changes = diff_bytes(start, &evidence.old_bytes, &evidence.new_bytes);
        let expected_false_positives = expected_chance_patterns(span) * evidence.pass_rate;
        matches.push(PatternMatch {
            span,
            is_time_plausible: evidence.time.is_some_and(|time| times.is_plausible(time)),
            candidate: Candidate { expected_false_positives, changes },
        });
    }
    match rate_certainty(&matches, payload_len) {
        Some(certainty) => build_correction(certainty, matches, None),
        None => rank_choices(matches, None),
    }
}

/// Rates the certainty of a single match; `None` when there are no or several matches, or when chance can explain it.
fn rate_certainty(matches: &[PatternMatch], payload_len: usize) -> Option<Certainty> {
    match matches {
        [only] if only.span == 1 && payload_len <= MAX_DISTANCE_4_PAYLOAD => Some(Certainty::Proven),
        [only] if only.candidate.expected_false_positives < 0.01 => Some(Certainty::Likely),
        _ => None,
    }
}

/// Ranks the matches with at most one expected false positive, as candidates for the user to choose from.
fn rank_choices(mut matches: Vec<PatternMatch>, unsearched: Option<String>) -> Correction {
    matches.retain(|found| found.candidate.expected_false_positives <= 1.0);
    matches.sort_by(|a, b| {
        let by_time = b.is_time_plausible.cmp(&a.is_time_plausible);
        by_time.then(a.candidate.expected_false_positives.total_cmp(&b.candidate.expected_false_positives))
    });
    build_correction(Certainty::Choice, matches, unsearched)
}

fn build_correction(certainty: Certainty, matches: Vec<PatternMatch>, unsearched: Option<String>) -> Correction {
    let candidates: Vec<Candidate> = matches.into_iter().map(|found| found.candidate).collect();
    Correction { certainty: (!candidates.is_empty()).then_some(certainty), candidates, unsearched }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::frame;

    const EVENT: &str = r#"{"write_timestamp_ms":1766718274106,"event_type":"Updated","namespace":"accounts","schema_id":"Person","schema_version":1,"aggregate_id":42,"payload":{"name":"Žofie","n":12}}"#;

    fn frame_of(payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        frame::encode(payload, &mut bytes);
        bytes
    }

    /// Applies a candidate to a frame, and checks that its `before` bytes are those of the frame.
    fn apply_candidate(frame: &[u8], candidate: &Candidate) -> Vec<u8> {
        let mut frame = frame.to_vec();
        for change in &candidate.changes {
            let at = change.offset as usize;
            assert_eq!(frame[at..at + change.before.len()], change.before);
            frame[at..at + change.after.len()].copy_from_slice(&change.after);
        }
        frame
    }

    fn has_candidate(found: &Correction, bad: &[u8], good: &[u8]) -> bool {
        found.candidates.iter().any(|candidate| apply_candidate(bad, candidate) == good)
    }

    #[test]
    fn a_single_flipped_bit_anywhere_is_proven_and_corrected() {
        let good = frame_of(EVENT.as_bytes());
        for bit in 32..8 * good.len() {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let found = find_correction(&bad, NeighbourTimes::default());
            assert_eq!(found.certainty, Some(Certainty::Proven), "bit {bit}");
            assert_eq!(found.candidates.len(), 1, "bit {bit}");
            assert!(has_candidate(&found, &bad, &good), "bit {bit}");
            assert!(
                found.candidates[0].expected_false_positives < 1e-6,
                "bit {bit}: {}",
                found.candidates[0].expected_false_positives
            );
        }
    }

    #[test]
    fn a_damaged_byte_always_has_a_candidate_and_a_proven_one_is_right() {
        let good = frame_of(EVENT.as_bytes());
        let (mut proven, mut likely) = (0, 0);
        for at in 4..good.len() {
            for delta in [1u8, 3, 0x28, 0x81, 0xff] {
                let mut bad = good.clone();
                bad[at] ^= delta;
                let found = find_correction(&bad, NeighbourTimes::default());
                let right = has_candidate(&found, &bad, &good);
                assert!(right, "byte {at} ^ {delta:02x}: {found:?}");
                proven += u32::from(found.certainty == Some(Certainty::Proven));
                likely += u32::from(found.certainty == Some(Certainty::Likely));
            }
        }
        assert!(proven > 0 && likely > proven, "{proven} proven, {likely} likely");
    }

    #[test]
    fn two_flipped_bits_are_never_proven_as_one() {
        let good = frame_of(EVENT.as_bytes());
        let bits = 8 * good.len();
        for n in 0..4000 {
            let (one, other) = (32 + n * 7919 % (bits - 32), 32 + n * 104_729 % (bits - 32));
            if one == other {
                continue;
            }
            let mut bad = good.clone();
            bad[one / 8] ^= 1 << (one % 8);
            bad[other / 8] ^= 1 << (other % 8);
            let found = find_correction(&bad, NeighbourTimes::default());
            assert_ne!(found.certainty, Some(Certainty::Proven), "bits {one} and {other}");
            let near = one.abs_diff(other) < 8 && (one < bits - 32) == (other < bits - 32);
            assert!(!near || has_candidate(&found, &bad, &good), "bits {one} and {other}: {found:?}");
        }
    }

    #[test]
    fn a_change_of_both_payload_and_checksum_is_found() {
        let good = frame_of(EVENT.as_bytes());
        let border = good.len() - 4;
        let mut bad = good.clone();
        bad[border - 1] ^= 0x80;
        bad[border] ^= 0x01;
        let found = find_correction(&bad, NeighbourTimes::default());
        assert!(has_candidate(&found, &bad, &good), "{found:?}");
    }

    #[test]
    fn neighbour_times_rank_candidates_and_exclude_none() {
        // A payload of digits, in which many patterns leave a valid event.
        let event = EVENT.replace("\"n\":12", &format!("\"n\":{}", "1234567890".repeat(400)));
        let good = frame_of(event.as_bytes());
        let time = 1_766_718_274_106;
        let at = good.windows(4).position(|window| window == b"1766").unwrap() + 4;
        let mut bad = good.clone();
        bad[at] ^= 0x05;
        bad[at + 1] ^= 0x03;
        let near = NeighbourTimes { before: Some(time), after: Some(time) };
        let (with_times, without) = (find_correction(&bad, near), find_correction(&bad, NeighbourTimes::default()));
        assert_eq!(with_times.candidates.len(), without.candidates.len());
        if with_times.certainty == Some(Certainty::Choice) {
            assert!(apply_candidate(&bad, &with_times.candidates[0]) == good, "{with_times:?}");
        }
        assert!(has_candidate(&with_times, &bad, &good), "{with_times:?}");
    }

    #[test]
    fn noise_has_no_candidate_and_the_result_is_deterministic() {
        let good = frame_of(EVENT.as_bytes());
        let mut bad = good.clone();
        for (n, byte) in bad[60..90].iter_mut().enumerate() {
            *byte = byte.wrapping_mul(7).wrapping_add(131 + n as u8);
        }
        assert_eq!(find_correction(&bad, NeighbourTimes::default()), Correction::default());
        let mut bad = good.clone();
        bad[70] ^= 0x13;
        assert_eq!(find_correction(&bad, NeighbourTimes::default()), find_correction(&bad, NeighbourTimes::default()));
        assert_eq!(find_correction(&good, NeighbourTimes::default()), Correction::default(), "an intact frame");
    }

    #[test]
    fn the_largest_frame_is_searched_and_reports_what_was_not() {
        let text = "x".repeat((16 << 20) - 400);
        let good = frame_of(EVENT.replace("Žofie", &text).as_bytes());
        let mut bad = good.clone();
        bad[5_000_000] ^= 0x06;
        let found = find_correction(&bad, NeighbourTimes::default());
        assert_ne!(found.certainty, Some(Certainty::Proven));
        assert!(found.certainty.is_some() || found.unsearched.is_some(), "{found:?}");
    }

    #[test]
    fn only_a_single_match_is_certain_and_one_that_chance_explains_is_not_offered() {
        let found = |span: u32, expected_false_positives: f64, is_time_plausible: bool| {
            let candidate = Candidate { expected_false_positives, changes: Vec::new() };
            PatternMatch { span, is_time_plausible, candidate }
        };
        assert_eq!(rate_certainty(&[found(1, 1e-9, true)], MAX_DISTANCE_4_PAYLOAD), Some(Certainty::Proven));
        assert_eq!(rate_certainty(&[found(1, 1e-9, true)], MAX_DISTANCE_4_PAYLOAD + 1), Some(Certainty::Likely));
        assert_eq!(rate_certainty(&[found(2, 0.0099, true)], 200), Some(Certainty::Likely));
        assert_eq!(rate_certainty(&[found(2, 0.01, true)], 200), None);
        assert_eq!(rate_certainty(&[found(2, 1e-9, true), found(2, 1e-9, true)], 200), None);
        let ranked = |matches| {
            let result = rank_choices(matches, None);
            (result.certainty, result.candidates.iter().map(|one| one.expected_false_positives).collect::<Vec<_>>())
        };
        let several = vec![found(9, 0.5, false), found(9, 1.01, true), found(10, 0.75, true), found(11, 1.0, true)];
        assert_eq!(ranked(several), (Some(Certainty::Choice), vec![0.75, 1.0, 0.5]));
        assert_eq!(ranked(vec![found(20, 1.01, true)]), (None, Vec::new()));
    }
}
