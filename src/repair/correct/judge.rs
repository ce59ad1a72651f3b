//! Which of the patterns leave something that could have been written: an event, or a gap.

use std::ops::Range;

use super::pattern::Pattern;
use crate::format::frame::{CHECKSUM_LEN, LENGTH_LEN};
use crate::format::{EventView, Version, crc, gap};

/// Random patterns that are tried to tell how many would pass.
const SAMPLES: u32 = 256;

/// A frame under trial: its bytes are changed and changed back.
#[derive(Debug)]
pub(super) struct Trial {
    frame: Vec<u8>,
    /// Bytes of the frame of which a pattern has to change one: no event holds what stands there.
    foreign: Vec<Range<usize>>,
    /// Bytes judged so far.
    pub(super) judged: u64,
}

impl Trial {
    pub(super) fn of(frame: &[u8]) -> Self {
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
        Self { frame: frame.to_vec(), foreign, judged: 0 }
    }

    /// True when the frame, changed by `pattern`, holds an event or a gap.
    pub(super) fn passes(&mut self, pattern: &Pattern) -> bool {
        let bytes = pattern.bytes();
        let touches = |foreign: &Range<usize>| foreign.start < bytes.end && bytes.start < foreign.end;
        if !self.foreign.iter().all(touches) {
            return false;
        }
        pattern.flip(&mut self.frame);
        let passes = reads_on(&self.frame, &bytes) && {
            self.judged += self.frame.len() as u64;
            holds_something(&self.frame)
        };
        pattern.flip(&mut self.frame);
        passes
    }

    /// The frame, changed by `pattern`.
    pub(super) fn corrected(&self, pattern: &Pattern) -> Vec<u8> {
        let mut frame = self.frame.clone();
        pattern.flip(&mut frame);
        frame
    }
}

/// The share of random patterns of `span` bits that would pass as well, in a frame that does: (hits + 1) / (n + 1). The
/// frame's own bytes are the seed, so that the same frame has the same answer.
pub(super) fn share_that_passes(corrected: &[u8], span: u32) -> f64 {
    let mut trial = Trial::of(corrected);
    let mut state = u64::from(crc::of(corrected)) << 32 | u64::from(span);
    let mut random = move || {
        // SplitMix64, after G. L. Steele, D. Lea and C. H. Flood, 2014.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    };
    let (first, span) = (8 * LENGTH_LEN, span as usize);
    let places = (8 * corrected.len()).saturating_sub(first + span - 1).max(1) as u64;
    let mut hits = 0;
    for _ in 0..SAMPLES {
        let start = first + (random() % places) as usize;
        let inner = random();
        let bits = (0..span).filter(|n| *n == 0 || *n == span - 1 || inner >> (n % 64) & 1 != 0);
        let bits = bits.map(|n| start + n).collect();
        hits += u32::from(trial.passes(&Pattern { span: span as u32, bits }));
    }
    f64::from(hits + 1) / f64::from(SAMPLES + 1)
}

/// When the event in a frame was written.
pub(super) fn time_of(frame: &[u8]) -> Option<u64> {
    EventView::parse(payload(frame), Version::V1).ok().map(|event| event.write_timestamp_ms())
}

fn payload(frame: &[u8]) -> &[u8] {
    frame.get(LENGTH_LEN..frame.len().saturating_sub(CHECKSUM_LEN)).unwrap_or_default()
}

fn holds_something(frame: &[u8]) -> bool {
    let payload = payload(frame);
    EventView::parse(payload, Version::V1).is_ok() || gap::is_gap(payload)
}

/// A look at the changed bytes alone, which turns most patterns away before all of the frame is read.
fn reads_on(frame: &[u8], changed: &Range<usize>) -> bool {
    let payload = payload(frame);
    let from = changed.start.saturating_sub(LENGTH_LEN).min(payload.len());
    let to = changed.end.saturating_sub(LENGTH_LEN).min(payload.len());
    let text = payload.get(from..to).unwrap_or_default();
    if text.iter().any(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) {
        return false;
    }
    // From the start of the character that the change begins in, to a byte that starts another.
    let goes_on = |at: usize| payload.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
    let start = (from.saturating_sub(3)..=from).rev().find(|at| !goes_on(*at));
    let end = (to..to + 4).find(|at| !goes_on(*at));
    match (start, end) {
        (Some(start), Some(end)) => {
            payload.get(start..end.min(payload.len())).is_none_or(|text| std::str::from_utf8(text).is_ok())
        }
        _ => false,
    }
}
