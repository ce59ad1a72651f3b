//! Findings and index states in words: one sentence each that an engineer can act on.
//!
//! The words may hold what a log says of itself, so whoever draws them makes them safe first, as with all text.

use std::time::Duration;

use serde::Deserialize;

use crate::format::{DamageKind, Evidence, Finding};
use crate::index::IndexState;
use crate::repair::TailBackup;

use super::units::{format_count, format_duration, format_number, format_size};

/// Characters of a log's own words that a sentence quotes.
const MAX_QUOTE_CHARS: usize = 160;

/// What a finding means and what follows from it, in one sentence.
pub fn finding_sentence(finding: &Finding) -> String {
    let seen = &finding.evidence;
    let bytes = format_size(finding.end - finding.start);
    match finding.kind {
        DamageKind::Zeros => {
            format!(
                "{bytes} of zeros where frames should stand: space was reserved or lost its data{}",
                resume_clause(seen)
            )
        }
        DamageKind::Checksum => format!(
            "checksum differs{}, so this one event cannot be trusted; {}{}",
            checksum_clause(seen),
            payload_clause(seen),
            resume_clause(seen)
        ),
        DamageKind::Length => format!(
            "only the length field is damaged: {}, so the payload itself is whole{}",
            length_clause(seen),
            resume_clause(seen)
        ),
        DamageKind::TornTail => format!(
            "the last frame was never finished{}: its writer was stopped; opening a log of version 1 for append sets it aside",
            seen.bytes_missing.filter(|n| *n > 0).map(|n| format!(", {} missing", format_size(n))).unwrap_or_default()
        ),
        DamageKind::Garbage => {
            format!(
                "{bytes} that are no frames: overwritten, inserted, or left over from something else{}",
                resume_clause(seen)
            )
        }
        DamageKind::Truncated => truncated_sentence(finding),
        DamageKind::Header => format!(
            "the header is damaged: {}{}; the events behind it are not affected",
            seen.reason.as_deref().unwrap_or("its bytes are not what they should be"),
            header_clause(seen)
        ),
        DamageKind::InvalidEvent => format!(
            "the bytes are as they were written and are no event{}{}: look at the program that wrote them",
            seen.reason.as_deref().map(|why| format!(", {why}")).unwrap_or_default(),
            seen.bad_byte_offset.map(|at| format!(" at offset {at}")).unwrap_or_default()
        ),
        DamageKind::Gap => gap_sentence(finding, &bytes),
        DamageKind::Clock => format!(
            "the event's time lies {}before that of the event before it: a clock was set back; offsets give the order",
            clock_clause(seen)
        ),
        DamageKind::Unreadable => {
            format!("the device refuses to read {bytes}: copy what can be read to another disk before anything else")
        }
    }
}

/// What a repair of this program notes in a gap.
#[derive(Deserialize)]
struct GapNote<'a> {
    repair: &'a str,
    kind: &'a str,
    start: u64,
    end: u64,
}

fn gap_sentence(gap: &Finding, bytes: &str) -> String {
    let content = gap.evidence.content.as_deref();
    let ours = content.and_then(|content| serde_json::from_str(content).ok());
    let Some(GapNote { repair, kind, start, end }) = ours else {
        let noted = content.map(|said| format!(" and noted {}", quote_shortened(said))).unwrap_or_default();
        return format!("an earlier repair fenced {bytes} off{noted}; nothing to do");
    };
    // A long range is filled by a chain of gaps.
    let of = if (start, end) == (gap.start, gap.end) { String::new() } else { format!(", of {start}..{end}") };
    format!(
        "an earlier repair, {}, fenced {bytes} off ({}{of}); nothing to do",
        quote_shortened(repair),
        quote_shortened(kind)
    )
}

/// The state of an index in its own word with its number: `fresh`, `BEHIND 12 MiB, 4 201 events`.
///
/// `events` is how many events a `behind` index has not seen, or an `ahead` one alone has, where that is known.
pub fn index_line(state: &IndexState, events: Option<u64>) -> String {
    let number = |what: &str| events.map(|n| format!(", {}{what}", format_count(n, "event"))).unwrap_or_default();
    match state {
        IndexState::Fresh | IndexState::Missing => state.name().into(),
        IndexState::Behind { bytes } => format!("BEHIND {}{}", format_size(*bytes), number("")),
        IndexState::Ahead { bytes } => format!("AHEAD {}{}", format_size(*bytes), number(" missing")),
        IndexState::Unsupported { version } => format!("UNSUPPORTED version {version}"),
        IndexState::Corrupt { .. } | IndexState::Foreign { .. } => state.name().to_uppercase(),
    }
}

/// Why an index is in its state, where the state has a reason of its own.
pub fn index_reason(state: &IndexState) -> Option<&str> {
    match state {
        IndexState::Corrupt { reason } | IndexState::Foreign { reason } => Some(reason),
        _ => None,
    }
}

/// What an index's state means and what follows from it, in one sentence.
pub const fn index_meaning(state: &IndexState) -> &'static str {
    match state {
        IndexState::Missing => "there is no index file; building one reads the whole log once",
        IndexState::Unsupported { .. } => {
            "a newer version of Chronicle wrote the index; it is not used, and replaced only when asked for"
        }
        IndexState::Corrupt { .. } => "the index file is broken and is not used; rebuilding reads the whole log once",
        IndexState::Foreign { .. } => {
            "the index describes another log and is not used; rebuilding reads the whole log once"
        }
        IndexState::Ahead { .. } => {
            "events that the index has seen are missing from the log's end, and it is their only witness: look for a \
             backup of the log; appending is refused"
        }
        IndexState::Fresh => "the index covers the whole log",
        IndexState::Behind { .. } => {
            "the log has grown since the index was saved; catching up reads the new bytes only"
        }
    }
}

/// What opening for append has set aside, in one sentence.
pub fn set_aside_line(aside: &TailBackup) -> String {
    let finding = &aside.finding;
    format!(
        "set aside: {} at offset {}..{} ({}) was kept in {} and cut from the log",
        finding.kind.name(),
        finding.start,
        finding.end,
        format_size(finding.end - finding.start),
        aside.journal.display()
    )
}

fn resume_clause(evidence: &Evidence) -> String {
    match evidence.resumes_at {
        Some(at) => format!("; events go on at offset {at}"),
        None => "; no valid frame follows".into(),
    }
}

fn checksum_clause(evidence: &Evidence) -> String {
    match (evidence.stored_checksum, evidence.computed_checksum) {
        (Some(stored), Some(computed)) => format!(" (stored {stored:08x}, its bytes give {computed:08x})"),
        _ => String::new(),
    }
}

fn payload_clause(evidence: &Evidence) -> String {
    match (&evidence.reason, evidence.bad_byte_offset) {
        (Some(reason), Some(at)) => format!("its payload is no event ({reason} at offset {at})"),
        (Some(reason), None) => format!("its payload is no event ({reason})"),
        (None, _) => "its payload still reads as an event: a value in it, or the checksum, was changed".into(),
    }
}

fn length_clause(evidence: &Evidence) -> String {
    let by = if evidence.stored_checksum.is_some() { "the checksum proves" } else { "the payload implies" };
    match (evidence.length_found, evidence.length_implied) {
        (Some(found), Some(implied)) => format!("found {found}, {by} {implied}"),
        (None, Some(implied)) => format!("{by} {implied}"),
        _ => "the checksum proves another".into(),
    }
}

fn truncated_sentence(finding: &Finding) -> String {
    let seen = &finding.evidence;
    let once = seen.log_end_offset.map(|end| format!(" {end} bytes")).unwrap_or_default();
    let missing = seen.bytes_missing.map_or_else(|| "its end".into(), format_size);
    let events = match (seen.events_missing, seen.aggregates_missing) {
        (Some(events), Some(aggregates)) => {
            format!(" with {} of {}", format_count(events, "event"), format_count(aggregates, "aggregate"))
        }
        (Some(events), None) => format!(" with {}", format_count(events, "event")),
        _ => String::new(),
    };
    format!("the log once had{once}, as its index has seen: {missing}{events} missing; look for a backup of the log")
}

fn header_clause(evidence: &Evidence) -> String {
    match (&evidence.header_found, &evidence.header_expected) {
        (Some(found), Some(expected)) => format!(" (found {found}, expected {expected})"),
        _ => String::new(),
    }
}

fn clock_clause(evidence: &Evidence) -> String {
    match (evidence.previous_time_ms, evidence.time_ms) {
        (Some(before), Some(now)) => {
            let ms = before.saturating_sub(now);
            // Beyond a century the number says more than hours do.
            if ms > 100 * 366 * 86_400_000 {
                format!("{} ms ", format_number(ms))
            } else {
                format!("{} ", format_duration(Duration::from_millis(ms)))
            }
        }
        _ => String::new(),
    }
}

fn quote_shortened(text: &str) -> String {
    let mut short: String = text.chars().take(MAX_QUOTE_CHARS).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence_of(kind: DamageKind, evidence: Evidence) -> String {
        finding_sentence(&Finding::new(kind, 1000..1228).with_evidence(evidence))
    }

    #[test]
    fn a_verdict_says_what_its_evidence_knows() {
        let on = Some(1228);
        let cases = [
            (
                sentence_of(
                    DamageKind::Checksum,
                    Evidence {
                        stored_checksum: Some(0xAABB),
                        computed_checksum: Some(0x1122),
                        resumes_at: on,
                        ..Evidence::default()
                    },
                ),
                "checksum differs (stored 0000aabb, its bytes give 00001122), so this one event cannot be trusted; its \
                 payload still reads as an event: a value in it, or the checksum, was changed; events go on at offset \
                 1228",
            ),
            (
                sentence_of(
                    DamageKind::Length,
                    Evidence {
                        stored_checksum: Some(1),
                        length_found: Some(4321),
                        length_implied: Some(220),
                        resumes_at: on,
                        ..Evidence::default()
                    },
                ),
                "only the length field is damaged: found 4321, the checksum proves 220, so the payload itself is whole; \
                 events go on at offset 1228",
            ),
            (
                sentence_of(DamageKind::TornTail, Evidence { bytes_missing: Some(40), ..Evidence::default() }),
                "the last frame was never finished, 40 B missing: its writer was stopped; opening a log of version 1 for append \
                 sets it aside",
            ),
            (
                sentence_of(
                    DamageKind::Truncated,
                    Evidence {
                        log_end_offset: Some(5000),
                        bytes_missing: Some(3772),
                        events_missing: Some(12),
                        aggregates_missing: Some(1),
                        ..Evidence::default()
                    },
                ),
                "the log once had 5000 bytes, as its index has seen: 3.7 KiB with 12 events of 1 aggregate missing; look \
                 for a backup of the log",
            ),
            (
                sentence_of(
                    DamageKind::Clock,
                    Evidence { time_ms: Some(1000), previous_time_ms: Some(62_000), ..Evidence::default() },
                ),
                "the event's time lies 1 min 01 s before that of the event before it: a clock was set back; offsets give \
                 the order",
            ),
        ];
        for (said, expected) in cases {
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn a_gap_says_in_words_what_a_repair_of_this_program_noted_in_it_and_quotes_anybody_else() {
        let gap =
            |said: &str| sentence_of(DamageKind::Gap, Evidence { content: Some(said.into()), ..Evidence::default() });
        for (said, expected) in [
            (
                r#"{"repair":"b1a66b75","kind":"garbage","start":1000,"end":1228}"#,
                "an earlier repair, b1a66b75, fenced 228 B off (garbage); nothing to do",
            ),
            (
                r#"{"repair":"b1a66b75","kind":"zeros+checksum","start":900,"end":9000}"#,
                "an earlier repair, b1a66b75, fenced 228 B off (zeros+checksum, of 900..9000); nothing to do",
            ),
            (r#"{"by":"drill"}"#, r#"an earlier repair fenced 228 B off and noted {"by":"drill"}; nothing to do"#),
            ("[]", "an earlier repair fenced 228 B off and noted []; nothing to do"),
        ] {
            assert_eq!(gap(said), expected);
        }
    }

    #[test]
    fn every_kind_has_a_sentence_even_without_evidence() {
        for kind in DamageKind::ALL {
            let said = sentence_of(kind, Evidence::default());
            assert!(said.len() > 30 && !said.contains("  ") && !said.ends_with('.'), "{}: {said}", kind.name());
        }
    }

    #[test]
    fn an_index_says_its_word_and_its_number() {
        let behind = IndexState::Behind { bytes: 12 << 20 };
        let ahead = IndexState::Ahead { bytes: 700 };
        let cases = [
            (index_line(&behind, Some(4201)), "BEHIND 12 MiB, 4 201 events"),
            (index_line(&behind, None), "BEHIND 12 MiB"),
            (index_line(&ahead, Some(3)), "AHEAD 700 B, 3 events missing"),
            (index_line(&IndexState::Fresh, None), "fresh"),
            (index_line(&IndexState::Unsupported { version: 7 }, None), "UNSUPPORTED version 7"),
            (index_line(&IndexState::Foreign { reason: "another".into() }, None), "FOREIGN"),
        ];
        for (said, expected) in cases {
            assert_eq!(said, expected);
        }
    }
}
