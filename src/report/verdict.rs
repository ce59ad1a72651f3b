//! Describes findings and index states in one sentence each: the facts and their consequence.
//!
//! A sentence can quote bytes of a log. The caller must make it safe for a terminal before printing it.

use std::time::Duration;

use serde::Deserialize;

use crate::StorageError;
use crate::format::gap::ErasedRecord;
use crate::format::header::MAX_HEADER_LEN;
use crate::format::{DamageKind, Evidence, Finding, HEADER_LEN};
use crate::index::{IndexState, SeenEnd};
use crate::inspect::{LogView, UnrecordedFrames};
use crate::repair::TailBackup;

use super::safe_path_text;
use super::units::{DisplayZone, format_count, format_duration, format_number, format_size, format_timestamp};

/// The next steps for a log that has lost its end.
pub(crate) const LOST_END_STEPS: &str =
    "take them from a backup with `repair --donor BACKUP`, or give them up with `repair --forget`";
/// Maximum number of characters of a gap's content that a sentence quotes.
const MAX_QUOTE_CHARS: usize = 160;

/// Describes a finding in one sentence without its full stop: the damage, its evidence and its consequence.
pub(crate) fn finding_sentence(finding: &Finding) -> String {
    let evidence = &finding.evidence;
    let bytes = format_size(finding.end - finding.start);
    match finding.kind {
        DamageKind::Zeros => {
            format!(
                "{bytes} of zeros where frames should be: space was allocated but not written, or its data was lost{}",
                resume_clause(evidence)
            )
        }
        DamageKind::Checksum => format!(
            "checksum mismatch{}: this event cannot be trusted; {}{}",
            checksum_clause(evidence),
            payload_clause(evidence),
            resume_clause(evidence)
        ),
        DamageKind::Length => format!(
            "only the length field is damaged: {}; the payload is intact{}",
            length_clause(evidence),
            resume_clause(evidence)
        ),
        DamageKind::TornTail => format!(
            "the last frame is incomplete{}: its writer was interrupted",
            evidence
                .bytes_missing
                .filter(|n| *n > 0)
                .map(|n| format!(", {} missing", format_size(n)))
                .unwrap_or_default()
        ),
        DamageKind::Garbage if evidence.excess_bytes.is_some() => {
            format!("{}; they are no part of the log", evidence.reason.as_deref().unwrap_or("the file is too long"))
        }
        DamageKind::Garbage if evidence.reason.is_some() => format!(
            "{bytes} that are not a complete frame: {}; without the index this cannot be decided",
            evidence.reason.as_deref().unwrap_or_default()
        ),
        DamageKind::Garbage => {
            format!(
                "{bytes} that are not frames: overwritten, inserted or left over from other data{}",
                resume_clause(evidence)
            )
        }
        DamageKind::Truncated => truncated_sentence(finding),
        DamageKind::Header if finding.end < HEADER_LEN => {
            format!("{}: every event is lost", evidence.reason.as_deref().unwrap_or("the header is cut off"))
        }
        DamageKind::Header if finding.end - finding.start < MAX_HEADER_LEN as u64 && finding.start > 0 => {
            evidence.reason.clone().unwrap_or_else(|| "the header is cut off".into())
                + "; events after it can be lost, and appends are refused"
        }
        DamageKind::Header => format!(
            "the header is damaged: {}{}; the events after it are not affected",
            evidence.reason.as_deref().unwrap_or("its bytes are not as expected"),
            header_clause(evidence)
        ),
        DamageKind::InvalidEvent => format!(
            "the frame is intact, but its payload is not a valid event{}{}; check the program that wrote it",
            evidence.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default(),
            evidence.bad_byte_offset.map(|at| format!(" at offset {at}")).unwrap_or_default()
        ),
        DamageKind::Gap => gap_sentence(finding, &bytes),
        DamageKind::Lost => lost_sentence(finding, &bytes),
        DamageKind::Clock => format!(
            "the event's time is {}before the time of the previous event: a clock was set back; offsets give the order",
            clock_clause(evidence)
        ),
        DamageKind::Unreadable => {
            format!(
                "the device fails to read {bytes}: copy what is readable to another disk with `chronicle salvage` first"
            )
        }
    }
}

/// Formats a range that no segment has and that a repair gave up, with the time.
fn lost_sentence(finding: &Finding, bytes: &str) -> String {
    let at = finding.evidence.given_up_at_ms;
    let at = at.map(|ms| format!(" on {}", format_timestamp(ms, DisplayZone::Utc))).unwrap_or_default();
    format!(
        "no segment has these {bytes}, and a repair gave them up{at}; `repair --donor COPY` brings them back from a copy"
    )
}

/// The content that this program's repairs write into a gap.
#[derive(Deserialize)]
struct GapNote<'a> {
    repair: &'a str,
    kind: &'a str,
    start: u64,
    end: u64,
}

fn gap_sentence(gap: &Finding, bytes: &str) -> String {
    let content = gap.evidence.content.as_deref();
    if let Some(ErasedRecord { at_ms, reason }) = content.and_then(ErasedRecord::from_content) {
        let at = at_ms.map(|ms| format!(" at {}", format_timestamp(ms, DisplayZone::Utc))).unwrap_or_default();
        let why = reason.map(|reason| format!(", because: {}", quote_shortened(&reason))).unwrap_or_default();
        return format!("an event of {bytes} was erased{at}{why}");
    }
    let note = content.and_then(|content| serde_json::from_str(content).ok());
    let Some(GapNote { repair, kind, start, end }) = note else {
        let quote = content.map(|content| format!(" and noted {}", quote_shortened(content))).unwrap_or_default();
        return format!("an earlier repair replaced {bytes} with a gap{quote}; nothing to do");
    };
    // A range longer than the largest frame is replaced with a chain of gaps.
    let part = if (start, end) == (gap.start, gap.end) { String::new() } else { format!(", part of {start}..{end}") };
    format!(
        "an earlier repair, {}, replaced {bytes} with a gap ({}{part}); nothing to do",
        quote_shortened(repair),
        quote_shortened(kind)
    )
}

/// Formats an index state with its number: `fresh`, `BEHIND 12 MiB, 4 201 events`.
///
/// `events` is the number of events that a `behind` index does not cover, or of events that an `ahead` index covers and
/// the log lacks; `None` if it is unknown.
pub(crate) fn index_line(state: &IndexState, events: Option<u64>) -> String {
    let number = |suffix: &str| events.map(|n| format!(", {}{suffix}", format_count(n, "event"))).unwrap_or_default();
    match state {
        IndexState::Fresh | IndexState::Missing => state.name().into(),
        IndexState::Behind { bytes } => format!("BEHIND {}{}", format_size(*bytes), number("")),
        IndexState::Ahead { bytes } => format!("AHEAD {}{}", format_size(*bytes), number(" missing")),
        IndexState::Unsupported { version } => format!("UNSUPPORTED version {version}"),
        IndexState::Untrusted { .. }
        | IndexState::Unreadable { .. }
        | IndexState::Corrupt { .. }
        | IndexState::Foreign { .. } => state.name().to_uppercase(),
    }
}

/// Returns the reason of an `untrusted`, `unreadable`, `corrupt` or `foreign` state: the expected and the found value.
pub(crate) fn index_reason(state: &IndexState) -> Option<&str> {
    match state {
        IndexState::Untrusted { found } => Some(&found.reason),
        IndexState::Unreadable { reason } | IndexState::Corrupt { reason } | IndexState::Foreign { reason } => {
            Some(reason)
        }
        _ => None,
    }
}

/// Explains an index state in one sentence without its full stop: its meaning and its consequence.
pub(crate) const fn index_meaning(state: &IndexState) -> &'static str {
    match state {
        IndexState::Missing => "there is no index file; building it reads the whole log once",
        IndexState::Untrusted { .. } => {
            "users who cannot write the log can have written the index; it is neither used nor replaced: correct its \
             owner and mode, move it away, or name another index with --index"
        }
        IndexState::Unreadable { .. } => "the system refuses to read the index file",
        IndexState::Unsupported { .. } => {
            "a newer version of Chronicle wrote the index; it is not used, and is replaced only on request"
        }
        IndexState::Corrupt { .. } => "the index file is damaged and not used; rebuilding reads the whole log once",
        IndexState::Foreign { .. } => {
            "the index belongs to another log and is not used; rebuilding reads the whole log once"
        }
        IndexState::Ahead { .. } => {
            "the index covers events that are missing from the end of the log, and is the only record of them; appends \
             are refused until a backup restores them or `chronicle repair LOG --forget` gives them up"
        }
        IndexState::Fresh => "the index covers the whole log",
        IndexState::Behind { .. } => {
            "the log has grown since the index was saved; catching up reads only the new bytes"
        }
    }
}

/// Describes in one sentence what the index records about the end of a log of `bytes` bytes; `None` when it agrees with the
/// log, and when the line about the state of the index says the same.
pub(crate) fn seen_end_sentence(seen_end: &SeenEnd, state: &IndexState, bytes: u64) -> Option<String> {
    match seen_end {
        SeenEnd::Unknown { remedy, .. } => Some(format!(
            "not judged: without the index it is not known whether the log has lost its end, and appends and repairs are \
             refused. {remedy}"
        )),
        SeenEnd::Offset(end) if *end > bytes && !matches!(state, IndexState::Ahead { .. }) => Some(format!(
            "lost: the header of the index is intact and has recorded the log up to offset {end}, {} more than it has; \
             {LOST_END_STEPS}",
            format_size(end - bytes)
        )),
        _ => None,
    }
}

/// Returns the line about the end of a log that `verify` and `index status` print after the state of the index.
///
/// # Errors
/// `Io` when the size of the log cannot be read.
pub(crate) fn seen_end_line(view: &LogView) -> Result<Option<String>, StorageError> {
    let sentence = seen_end_sentence(view.seen_end(), view.index_state(), view.log().len()?);
    Ok(sentence.map(|sentence| format!("end of the log {sentence}")))
}

/// Reports in one sentence the tail that opening for append has set aside.
pub(crate) fn set_aside_line(backup: &TailBackup) -> String {
    let finding = &backup.finding;
    format!(
        "set aside: {} at offset {}..{} ({}) was saved in {} and cut from the log",
        finding.kind.name(),
        finding.start,
        finding.end,
        format_size(finding.end - finding.start),
        safe_path_text(&backup.journal)
    )
}

/// Reports valid frames that are not those that the index has recorded, with the next step.
pub(crate) fn unrecorded_frames_line(frames: &UnrecordedFrames) -> String {
    format!("{}; compare the log with a backup: `chronicle diff LOG BACKUP`", frames.describe())
}

/// Returns the clauses about the cause of the damage and about the events after it.
fn resume_clause(evidence: &Evidence) -> String {
    let second_log = evidence.second_header_at.map(|at| format!("; the header of another log starts at offset {at}"));
    let text_mode = evidence
        .text_mode_bytes
        .map(|added| format!("; a text-mode transfer added {} (0a became 0d 0a)", format_count(added, "byte")));
    let resumes = match evidence.resumes_at {
        Some(at) => format!("; events resume at offset {at}"),
        None => "; no valid frame follows".into(),
    };
    [second_log, text_mode, Some(resumes)].into_iter().flatten().collect()
}

fn checksum_clause(evidence: &Evidence) -> String {
    match (evidence.stored_checksum, evidence.computed_checksum) {
        (Some(stored), Some(computed)) => format!(" (stored {stored:08x}, computed {computed:08x})"),
        _ => String::new(),
    }
}

fn payload_clause(evidence: &Evidence) -> String {
    if let Some(original) = evidence.copy_of {
        return format!("it is a copy of the frame at offset {original}, and the event that was here is lost");
    }
    if evidence.is_version_1 {
        return "its checksum is that of version 1: a program that knows only version 1 wrote it".into();
    }
    match (&evidence.reason, evidence.bad_byte_offset) {
        (Some(reason), Some(at)) => format!("its payload is not a valid event ({reason} at offset {at})"),
        (Some(reason), None) => format!("its payload is not a valid event ({reason})"),
        (None, _) => "its payload is still a valid event: a value in it, or the checksum, was changed".into(),
    }
}

fn length_clause(evidence: &Evidence) -> String {
    let by = if evidence.stored_checksum.is_some() { "the checksum proves" } else { "the payload implies" };
    match (evidence.length_found, evidence.length_implied) {
        (Some(found), Some(implied)) => format!("found {found}, {by} {implied}"),
        (None, Some(implied)) => format!("{by} {implied}"),
        _ => "the checksum proves another length".into(),
    }
}

fn truncated_sentence(finding: &Finding) -> String {
    let evidence = &finding.evidence;
    if let Some(reason) = &evidence.reason {
        return format!(
            "{reason}; `repair --donor COPY` brings them back from a copy, and `repair` alone gives them up"
        );
    }
    let covered = evidence.log_end_offset.map(|end| format!(" ({end} bytes)")).unwrap_or_default();
    let missing = evidence.bytes_missing.map_or_else(|| "the end".into(), format_size);
    let events = match (evidence.events_missing, evidence.aggregates_missing) {
        (Some(events), Some(aggregates)) => {
            format!(" with {} of {}", format_count(events, "event"), format_count(aggregates, "aggregate"))
        }
        (Some(events), None) => format!(" with {}", format_count(events, "event")),
        _ => String::new(),
    };
    // A log that was copied before its index ends with a whole frame, because the index was saved after more appends.
    let (place, cause) = if finding.range().is_empty() {
        let cause = "; the events are lost, or log and index were copied in that order (copy the index first)";
        ("the log ends at a frame boundary, before the end that its index has recorded", cause)
    } else {
        ("the log was cut inside a frame, before the end that its index has recorded", "")
    };
    format!("{place}{covered}: {missing}{events} missing{cause}; {LOST_END_STEPS}")
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
            // A difference of more than a century is a damaged value: its milliseconds help more than its hours.
            if ms > 100 * 366 * 86_400_000 {
                format!("{} ms ", format_number(ms))
            } else {
                format!("{} ", format_duration(Duration::from_millis(ms)))
            }
        }
        _ => String::new(),
    }
}

/// Returns at most [`MAX_QUOTE_CHARS`] characters of `text`.
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
    fn a_sentence_includes_the_evidence() {
        let resumes_at = Some(1228);
        let cases = [
            (
                sentence_of(
                    DamageKind::Checksum,
                    Evidence {
                        stored_checksum: Some(0xAABB),
                        computed_checksum: Some(0x1122),
                        resumes_at,
                        ..Evidence::default()
                    },
                ),
                "checksum mismatch (stored 0000aabb, computed 00001122): this event cannot be trusted; its payload is \
                 still a valid event: a value in it, or the checksum, was changed; events resume at offset 1228",
            ),
            (
                sentence_of(
                    DamageKind::Length,
                    Evidence {
                        stored_checksum: Some(1),
                        length_found: Some(4321),
                        length_implied: Some(220),
                        resumes_at,
                        ..Evidence::default()
                    },
                ),
                "only the length field is damaged: found 4321, the checksum proves 220; the payload is intact; events \
                 resume at offset 1228",
            ),
            (
                sentence_of(DamageKind::TornTail, Evidence { bytes_missing: Some(40), ..Evidence::default() }),
                "the last frame is incomplete, 40 B missing: its writer was interrupted",
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
                "the log was cut inside a frame, before the end that its index has recorded (5000 bytes): 3.7 KiB with 12 events of 1 \
                 aggregate missing; take them from a backup with `repair --donor BACKUP`, or give them up with `repair --forget`",
            ),
            (
                finding_sentence(&Finding::new(DamageKind::Truncated, 1228..1228)),
                "the log ends at a frame boundary, before the end that its index has recorded: the end missing; the \
                 events are lost, or log and index were copied in that order (copy the index first); take them from a \
                 backup with `repair --donor BACKUP`, or give them up with `repair --forget`",
            ),
            (
                sentence_of(
                    DamageKind::Clock,
                    Evidence { time_ms: Some(1000), previous_time_ms: Some(62_000), ..Evidence::default() },
                ),
                "the event's time is 1 min 01 s before the time of the previous event: a clock was set back; offsets \
                 give the order",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn a_gap_of_this_program_is_described_and_any_other_content_is_quoted() {
        let gap = |content: &str| {
            sentence_of(DamageKind::Gap, Evidence { content: Some(content.into()), ..Evidence::default() })
        };
        for (content, expected) in [
            (
                r#"{"repair":"b1a66b75","kind":"garbage","start":1000,"end":1228}"#,
                "an earlier repair, b1a66b75, replaced 228 B with a gap (garbage); nothing to do",
            ),
            (
                r#"{"repair":"b1a66b75","kind":"zeros+checksum","start":900,"end":9000}"#,
                "an earlier repair, b1a66b75, replaced 228 B with a gap (zeros+checksum, part of 900..9000); nothing to do",
            ),
            (
                r#"{"by":"drill"}"#,
                r#"an earlier repair replaced 228 B with a gap and noted {"by":"drill"}; nothing to do"#,
            ),
            ("[]", "an earlier repair replaced 228 B with a gap and noted []; nothing to do"),
        ] {
            assert_eq!(gap(content), expected);
        }
    }

    #[test]
    fn every_kind_has_a_sentence_without_evidence() {
        for kind in DamageKind::ALL {
            let sentence = sentence_of(kind, Evidence::default());
            assert!(
                sentence.len() > 30 && !sentence.contains("  ") && !sentence.ends_with('.'),
                "{}: {sentence}",
                kind.name()
            );
        }
    }

    #[test]
    fn an_index_line_has_the_state_and_its_number() {
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
        for (text, expected) in cases {
            assert_eq!(text, expected);
        }
    }
}
