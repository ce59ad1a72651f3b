//! What the checksum of a frame that stands in its place says about the damage in it.
//!
//! For every place in a frame there is one pattern of up to 32 bits that would explain a checksum that differs (see
//! `pattern`), so that one exists says nothing. How short it is does: among the 2^32 checksums, patterns of at most s bits
//! explain about (bits of the frame) 2^(s-1) by accident, and of those accidents only the share counts that leaves a valid
//! event behind. A candidate's `expected` is that number for its own span: far below 1, it is evidence; at 1, it is none.
//!
//! CRC-32 has Hamming distance 4 for frames with up to 11 446 bytes of payload (P. Koopman, "32-Bit Cyclic Redundancy
//! Codes for Internet Applications", 2002): no damage to two bits can look like damage to one, so there a single bit is
//! proven. Nor can damage within one byte, which a test of `pattern` goes through. Other damage to more bits can, at a rate
//! of at most (bits of the frame) / 2^32: `benches/correction` measures it.

mod bit_pattern;
mod validator;

use crate::format::byte_layout::u32_at;
use crate::format::crc;
use crate::format::frame::{CHECKSUM_LEN, LENGTH_LEN};
use crate::repair::types::{Candidate, Certainty, diff_bytes};

use bit_pattern::find_patterns;
use validator::FrameValidator;

/// The longest payload in which CRC-32 has Hamming distance 4, in bytes.
const MAX_DISTANCE_4_PAYLOAD: usize = 11_446;
/// Candidates that somebody may be asked to choose from.
const MAX_CANDIDATES: usize = 16;
/// More accidents than this by span alone are not weighed down by the share that passes, which is 1 in 257 at least.
const MAX_FALSE_POSITIVES: f64 = 257.0;
/// Bytes of events that are judged for one frame.
const MAX_VALIDATED_BYTES: u64 = 256 << 20;
/// Checksums.
const CHECKSUM_COUNT: f64 = 4_294_967_296.0;

/// What a search over one frame has found. Offsets of changes count from the frame's first byte.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Correction {
    /// How certain the candidates are; `None` where nothing is offered.
    pub certainty: Option<Certainty>,
    /// What could have happened, best first: one where it is proven or likely, up to 16 to choose from.
    pub candidates: Vec<Candidate>,
    /// What was not searched, in words.
    pub unsearched: Option<String>,
}

/// The times of the readable events next to a frame, milliseconds since the epoch: they rank candidates, and exclude
/// none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NeighbourTimes {
    /// Of the event before it.
    pub before: Option<u64>,
    /// Of the event behind it.
    pub after: Option<u64>,
}

impl NeighbourTimes {
    /// True for a time that does not lie outside of what is known.
    fn is_plausible(self, time: u64) -> bool {
        self.before.is_none_or(|before| before <= time) && self.after.is_none_or(|after| time <= after)
    }
}

/// A pattern that leaves an event or a gap.
struct PatternMatch {
    span: u32,
    /// True when the event's time does not contradict its neighbours'.
    is_time_plausible: bool,
    candidate: Candidate,
}

/// Searches for what was changed in `frame`: length, payload and checksum field of version 1, of which the length is
/// right and the checksum differs.
///
/// The answer depends on the bytes alone: the same frame has the same answer. Costs one pass over the frame's bits,
/// judging at most 256 MiB of events, and as much again for each of up to 16 candidates.
pub fn find_correction(frame: &[u8], times: NeighbourTimes) -> Correction {
    let payload = frame.len().saturating_sub(LENGTH_LEN + CHECKSUM_LEN);
    let covered = LENGTH_LEN + payload;
    let (Some(message), Some(stored)) = (frame.get(..covered), u32_at(frame, covered)) else {
        return Correction::default();
    };
    let syndrome = crc::checksum(message) ^ stored;
    if syndrome == 0 || payload == 0 {
        return Correction::default();
    }
    let accidents = |span: u32| 8.0 * frame.len() as f64 * f64::from(span - 1).exp2() / CHECKSUM_COUNT;
    let longest = (1..=32).rev().find(|span| accidents(*span) <= MAX_FALSE_POSITIVES).unwrap_or(0);
    let (mut trial, mut passed) = (FrameValidator::new(frame), Vec::<PatternMatch>::new());
    for pattern in find_patterns(frame, syndrome, longest) {
        let span = pattern.span;
        // What is longer says nothing against the only one that is as short.
        if let Some(certainty) = rate_certainty(&passed, payload).filter(|_| passed.iter().all(|one| one.span < span)) {
            return build_correction(certainty, passed, None);
        }
        if trial.validated_bytes >= MAX_VALIDATED_BYTES {
            let unsearched = format!("patterns of {span} bits and more: the bound of work was reached");
            return rank_choices(passed, Some(unsearched));
        }
        if !trial.is_valid_with(pattern) {
            continue;
        }
        if passed.len() == MAX_CANDIDATES {
            let unsearched = Some(format!("patterns of {span} bits and more: more than {MAX_CANDIDATES} fit"));
            // The one that was too many is not weighed: it counts where those before it do.
            let too_many = passed.iter().all(|one| one.candidate.expected_false_positives <= 1.0);
            return rank_choices(if too_many { Vec::new() } else { passed }, unsearched);
        }
        let weight = trial.evaluate(pattern);
        let (expected, at) = (accidents(span) * weight.pass_rate, pattern.byte_range());
        let changes = diff_bytes(at.start as u64, frame.get(at).unwrap_or_default(), &weight.new_bytes);
        let in_time = weight.time.is_some_and(|time| times.is_plausible(time));
        passed.push(PatternMatch {
            span,
            is_time_plausible: in_time,
            candidate: Candidate { expected_false_positives: expected, changes },
        });
    }
    match rate_certainty(&passed, payload) {
        Some(certainty) => build_correction(certainty, passed, None),
        None => rank_choices(passed, None),
    }
}

/// How certain the only pattern of its span or shorter is, where there is just one.
fn rate_certainty(passed: &[PatternMatch], payload: usize) -> Option<Certainty> {
    match passed {
        [one] if one.span == 1 && payload <= MAX_DISTANCE_4_PAYLOAD => Some(Certainty::Proven),
        [one] if one.candidate.expected_false_positives < 0.01 => Some(Certainty::Likely),
        _ => None,
    }
}

/// What is left to choose from: nothing that as many accidents as one are expected to look like.
fn rank_choices(mut passed: Vec<PatternMatch>, unsearched: Option<String>) -> Correction {
    passed.retain(|one| one.candidate.expected_false_positives <= 1.0);
    passed.sort_by(|a, b| {
        let by_time = b.is_time_plausible.cmp(&a.is_time_plausible);
        by_time.then(a.candidate.expected_false_positives.total_cmp(&b.candidate.expected_false_positives))
    });
    build_correction(Certainty::Choice, passed, unsearched)
}

fn build_correction(certainty: Certainty, passed: Vec<PatternMatch>, unsearched: Option<String>) -> Correction {
    let candidates: Vec<Candidate> = passed.into_iter().map(|one| one.candidate).collect();
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

    /// The frame with a candidate's changes, after a look that what it would change is what stands there.
    fn with(frame: &[u8], candidate: &Candidate) -> Vec<u8> {
        let mut frame = frame.to_vec();
        for change in &candidate.changes {
            let at = change.offset as usize;
            assert_eq!(frame[at..at + change.before.len()], change.before);
            frame[at..at + change.after.len()].copy_from_slice(&change.after);
        }
        frame
    }

    fn offers(found: &Correction, bad: &[u8], good: &[u8]) -> bool {
        found.candidates.iter().any(|candidate| with(bad, candidate) == good)
    }

    #[test]
    fn a_single_bit_anywhere_is_proven_and_right() {
        let good = frame_of(EVENT.as_bytes());
        for bit in 32..8 * good.len() {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let found = find_correction(&bad, NeighbourTimes::default());
            assert_eq!(found.certainty, Some(Certainty::Proven), "bit {bit}");
            assert_eq!(found.candidates.len(), 1, "bit {bit}");
            assert!(offers(&found, &bad, &good), "bit {bit}");
            assert!(
                found.candidates[0].expected_false_positives < 1e-6,
                "bit {bit}: {}",
                found.candidates[0].expected_false_positives
            );
        }
    }

    #[test]
    fn a_damaged_byte_is_always_found_and_never_proven_wrongly() {
        let good = frame_of(EVENT.as_bytes());
        let (mut proven, mut likely) = (0, 0);
        for at in 4..good.len() {
            for delta in [1u8, 3, 0x28, 0x81, 0xff] {
                let mut bad = good.clone();
                bad[at] ^= delta;
                let found = find_correction(&bad, NeighbourTimes::default());
                let right = offers(&found, &bad, &good);
                assert!(right, "byte {at} ^ {delta:02x}: {found:?}");
                proven += u32::from(found.certainty == Some(Certainty::Proven));
                likely += u32::from(found.certainty == Some(Certainty::Likely));
            }
        }
        assert!(proven > 0 && likely > proven, "{proven} proven, {likely} likely");
    }

    #[test]
    fn two_bits_are_never_taken_for_one() {
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
            assert!(!near || offers(&found, &bad, &good), "bits {one} and {other}: {found:?}");
        }
    }

    #[test]
    fn a_change_over_the_border_of_payload_and_checksum_is_found() {
        let good = frame_of(EVENT.as_bytes());
        let border = good.len() - 4;
        let mut bad = good.clone();
        bad[border - 1] ^= 0x80;
        bad[border] ^= 0x01;
        let found = find_correction(&bad, NeighbourTimes::default());
        assert!(offers(&found, &bad, &good), "{found:?}");
    }

    #[test]
    fn the_time_between_its_neighbours_ranks_a_candidate_and_excludes_none() {
        // Digits only, so that many patterns leave a valid event.
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
            assert!(with(&bad, &with_times.candidates[0]) == good, "{with_times:?}");
        }
        assert!(offers(&with_times, &bad, &good), "{with_times:?}");
    }

    #[test]
    fn noise_is_offered_nothing_and_the_same_frame_has_the_same_answer() {
        let good = frame_of(EVENT.as_bytes());
        let mut bad = good.clone();
        for (n, byte) in bad[60..90].iter_mut().enumerate() {
            *byte = byte.wrapping_mul(7).wrapping_add(131 + n as u8);
        }
        assert_eq!(find_correction(&bad, NeighbourTimes::default()), Correction::default());
        let mut bad = good.clone();
        bad[70] ^= 0x13;
        assert_eq!(find_correction(&bad, NeighbourTimes::default()), find_correction(&bad, NeighbourTimes::default()));
        assert_eq!(find_correction(&good, NeighbourTimes::default()), Correction::default(), "nothing is wrong");
    }

    #[test]
    fn the_largest_frame_is_searched_and_says_what_was_not() {
        let text = "x".repeat((16 << 20) - 400);
        let good = frame_of(EVENT.replace("Žofie", &text).as_bytes());
        let mut bad = good.clone();
        bad[5_000_000] ^= 0x06;
        let found = find_correction(&bad, NeighbourTimes::default());
        assert_ne!(found.certainty, Some(Certainty::Proven));
        assert!(found.certainty.is_some() || found.unsearched.is_some(), "{found:?}");
    }

    #[test]
    fn only_what_stands_alone_is_certain_and_what_accidents_explain_is_not_offered() {
        let passed = |span: u32, expected: f64, in_time: bool| {
            let candidate = Candidate { expected_false_positives: expected, changes: Vec::new() };
            PatternMatch { span, is_time_plausible: in_time, candidate }
        };
        assert_eq!(rate_certainty(&[passed(1, 1e-9, true)], MAX_DISTANCE_4_PAYLOAD), Some(Certainty::Proven));
        assert_eq!(rate_certainty(&[passed(1, 1e-9, true)], MAX_DISTANCE_4_PAYLOAD + 1), Some(Certainty::Likely));
        assert_eq!(rate_certainty(&[passed(2, 0.0099, true)], 200), Some(Certainty::Likely));
        assert_eq!(rate_certainty(&[passed(2, 0.01, true)], 200), None);
        assert_eq!(rate_certainty(&[passed(2, 1e-9, true), passed(2, 1e-9, true)], 200), None);
        let of = |passed| {
            let found = rank_choices(passed, None);
            (found.certainty, found.candidates.iter().map(|one| one.expected_false_positives).collect::<Vec<_>>())
        };
        let several = vec![passed(9, 0.5, false), passed(9, 1.01, true), passed(10, 0.75, true), passed(11, 1.0, true)];
        assert_eq!(of(several), (Some(Certainty::Choice), vec![0.75, 1.0, 0.5]));
        assert_eq!(of(vec![passed(20, 1.01, true)]), (None, Vec::new()));
    }
}
