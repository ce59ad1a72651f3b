//! Formats plans and fixes as text.
//!
//! The text can contain paths and text from a plan file. The caller must make it safe for a terminal before printing
//! it.

use std::ops::Range;
use std::path::Path;

use crate::format::{hex, segment_file_name};
use crate::repair::{
    ByteChange, Candidate, CandidateChoice, Certainty, Fix, Loss, Plan, RepairAction, RepairStep, StepSection,
    StepWrite, UnrepairedRange,
};

use super::erasure::{
    erased_text, erasure_closing_lines, erasure_headline, purge_headline, purged_journal_lines, shown_steps,
};
use super::safe_path_text;
use super::units::{format_count, format_duration, format_number, format_size};

/// Maximum number of aggregates that a line lists.
const MAX_AGGREGATES_SHOWN: usize = 5;
/// Maximum number of bytes of a change that a line shows.
const MAX_BYTES_SHOWN: usize = 12;
/// Maximum number of changes, and of candidates, that a line shows.
const MAX_CHANGES_SHOWN: usize = 3;

/// Formats a plan as lines: the totals, each step, each unrepaired range with the reason, and the command that undoes
/// the repair.
///
/// `folder` is the journal folder.
pub(crate) fn plan_lines(plan: &Plan, folder: &Path) -> Vec<String> {
    let mut lines = vec![plan_headline(plan)];
    let (steps, omitted) = shown_steps(plan);
    for step in steps {
        lines.push(if plan.undoes.is_some() { undo_step_line(step) } else { step_line(step) });
        push_fix_lines("alternative", &step.alternatives, &mut lines);
    }
    lines.extend(omitted);
    for range in &plan.unrepaired {
        lines.push(unrepaired_line(range));
        push_fix_lines("possible", &range.alternatives, &mut lines);
    }
    lines.extend(plan_closing_lines(plan, folder));
    lines
}

/// Formats the other fixes that are offered for the ranges of a plan, each after the range that it is for.
pub(super) fn plan_fix_lines(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    let steps = plan.steps.iter().map(|step| (step_location(step), "alternative", &step.alternatives));
    let unrepaired = plan.unrepaired.iter().map(|range| (piece_location(range), "possible", &range.alternatives));
    for (location, prefix, fixes) in steps.chain(unrepaired).filter(|(_, _, fixes)| !fixes.is_empty()) {
        lines.push(format!("{location}:"));
        push_fix_lines(prefix, fixes, &mut lines);
    }
    lines
}

/// Formats what a plan contains besides its ranges: notes, the lost end, the place of the replaced bytes, and the time
/// that the lock is held.
pub(crate) fn plan_closing_lines(plan: &Plan, folder: &Path) -> Vec<String> {
    let mut lines: Vec<String> = plan.notes.iter().map(|note| format!("note: {note}")).collect();
    if let Some(end) = plan.forgotten_index_end {
        let lost = if plan.forgotten_loss.is_zero() {
            String::new()
        } else {
            format!("; {}", loss_text(&plan.forgotten_loss))
        };
        lines.push(format!("lost end dropped: new events reuse the offsets up to {end}{lost}"));
    }
    lines.extend(plan.purges.iter().flat_map(purged_journal_lines));
    if !plan.is_empty() && plan.purges.is_none() {
        let saved = match plan.journaled_bytes() {
            0 => "no bytes are replaced; the plan is saved".into(),
            bytes => format!("replaced bytes ({}) are saved", format_count(bytes, "byte")),
        };
        let undo = match (plan.undoes, &plan.erases) {
            (Some(_), _) => "",
            (None, Some(erasure)) if erasure.is_final => " until they are destroyed",
            (None, Some(_)) => "; undo with `chronicle undo LOG`, until `chronicle purge LOG` destroys them",
            (None, None) => "; undo with `chronicle undo LOG`",
        };
        lines.push(format!("{saved} in {}{undo}", safe_path_text(folder)));
        let duration = format_duration(std::time::Duration::from_millis(plan.estimated_lock_ms));
        lines.push(format!("the writer's lock is held for about {duration}"));
    }
    lines.extend(likely_line(plan));
    lines.extend(erasure_closing_lines(plan));
    lines
}

/// Reports how many events `--accept likely` would restore more than the plan; `None` when it would restore none.
fn likely_line(plan: &Plan) -> Option<String> {
    let restores_event =
        |fix: &Fix| fix.certainty == Some(Certainty::Likely) && fix.action != RepairAction::RebuildHeader;
    let is_likely = |range: &&UnrepairedRange| range.is_selected() && range.alternatives.iter().any(restores_event);
    let more = plan.unrepaired.iter().filter(is_likely).count() as u64;
    (more > 0).then(|| {
        let restored = plan.restored_events();
        format!(
            "this plan restores {}; with `--accept likely` it would restore {}",
            format_count(restored, "event"),
            format_number(restored + more)
        )
    })
}

/// Formats the fix of a finding as one line: `correct_bits, proven: 1 byte at offset 8090, 6f → 6e`.
pub(crate) fn fix_line(fix: &Fix) -> String {
    let mut line = format!("{}{}", fix.action.name(), certainty_suffix(fix));
    match fix.candidates.as_slice() {
        [] => line.push_str(match fix.action {
            RepairAction::SetAsideTail => {
                ": the end is saved in the journal and cut from the log; opening for append does the same"
            }
            RepairAction::Gap => ": the range is replaced with a gap; later offsets stay, nothing is restored",
            RepairAction::GiveUp => ": the range is recorded as lost; later offsets stay, nothing is restored",
            RepairAction::CutExcess => ": the bytes are saved in the journal and cut from the file",
            RepairAction::Erase => ": the event is replaced with a gap; later offsets stay",
            _ => "",
        }),
        [only] => {
            let choice = fix.certainty == Some(Certainty::Choice);
            line.push_str(if choice { ", may not be the original bytes: " } else { ": " });
            line.push_str(&changes_text(&only.changes));
        }
        several => {
            let shown: Vec<String> = several
                .iter()
                .take(MAX_CHANGES_SHOWN)
                .enumerate()
                .map(|(i, candidate)| format!("{}: {}", i + 1, candidate_line(candidate)))
                .collect();
            line.push_str(", maybe none is right: ");
            line.push_str(&join_with_rest(&shown, several.len(), "; "));
        }
    }
    if let Some(unsearched) = &fix.unsearched {
        line.push_str("; not searched: ");
        line.push_str(unsearched);
    }
    line
}

/// Formats a fix as a short label for lists: `likely: correct bits`, `replace with a gap`.
pub(crate) fn fix_label(fix: &Fix) -> String {
    let action = match fix.action {
        RepairAction::Gap => "replace with a gap".into(),
        RepairAction::SetAsideTail => "set aside".into(),
        RepairAction::GiveUp => "record as lost".into(),
        RepairAction::CutExcess => "cut from the file".into(),
        action => action.name().replace('_', " "),
    };
    match (fix.certainty, fix.candidates.len()) {
        (Some(certainty), several @ 2..) => format!("{} of {several}: {action}", certainty.name()),
        (Some(certainty), _) => format!("{}: {action}", certainty.name()),
        (None, _) => action,
    }
}

/// Formats the totals of a plan as one sentence.
pub(crate) fn plan_headline(plan: &Plan) -> String {
    let path = safe_path_text(&plan.log.path);
    if let Some(erasure) = &plan.erases {
        return erasure_headline(plan, erasure);
    }
    if let Some(purge) = &plan.purges {
        return purge_headline(plan, purge);
    }
    if plan.is_empty() {
        return match plan.unrepaired.len() as u64 {
            0 => format!("{path}: nothing to repair"),
            ranges => format!("{path}: no repair planned, {} left as is", format_count(ranges, "range")),
        };
    }
    let (ranges, bytes) = (format_count(plan.steps.len() as u64, "range"), format_count(plan.changed_bytes(), "byte"));
    if let Some(number) = plan.undoes {
        return format!("undo of repair {number} of {path}: {ranges}, {bytes} changed");
    }
    let (events, lost) = (restored_text(plan.restored_events()), loss_text(&plan.total_loss()));
    format!("repair of {path}: {ranges}, {events}, {lost}, {bytes} changed")
}

fn undo_step_line(step: &RepairStep) -> String {
    format!("{}: {} undone: {}", step_location(step), step.action.name(), describe_write(step))
}

fn step_line(step: &RepairStep) -> String {
    let certainty = step.certainty.map(|certainty| format!(", {}", certainty.name())).unwrap_or_default();
    let mut line = format!("{}: {}{certainty}: {}", step_location(step), step.action.name(), describe_write(step));
    if step.restored_events > 0 {
        line = format!("{line}; {}", restored_text(step.restored_events));
    }
    if !step.loss.is_zero() {
        let lost =
            if step.action == RepairAction::Erase { erased_text(step.loss.at_most) } else { loss_text(&step.loss) };
        line = format!("{line}; {lost}");
    }
    line
}

/// Formats the range of a step and the kinds of damage in it.
fn step_location(step: &RepairStep) -> String {
    let kinds: Vec<&str> = step.pieces.iter().map(|piece| piece.kind.as_str()).collect();
    let Range { start, end } = step.affected_range();
    format!("{start}..{end} {}", kinds.join(", "))
}

/// Formats the bytes that a step writes.
pub(super) fn describe_write(step: &RepairStep) -> String {
    let bytes = format_size(step.max_end() - step.start);
    match &step.write {
        StepWrite::Edits(edits) => changes_text(edits),
        StepWrite::Gap { header: None, .. } => {
            format!("{bytes} replaced with a gap, later offsets stay{}", growth_suffix(step))
        }
        StepWrite::Gap { header: Some(_), .. } => {
            format!("the header rewritten, the rest of {bytes} replaced with a gap{}", growth_suffix(step))
        }
        StepWrite::Parts { parts, .. } if step.action == RepairAction::Erase => {
            format!("{bytes} replaced with {}, later offsets stay", format_count(parts.len() as u64, "gap"))
        }
        StepWrite::Parts { header, .. } => {
            let sections = join_with_rest(&section_texts(step), step.sections().len(), "; ");
            match header {
                Some(_) if sections.is_empty() => format!("the header of {bytes} written"),
                Some(_) => format!("the header rewritten; {sections}"),
                None => sections,
            }
        }
        StepWrite::CopyFrom { from } => format!("{bytes} copied from {}", safe_path_text(from)),
        StepWrite::Truncate => format!("{bytes} cut from the end"),
        StepWrite::Segment(_) => {
            let sources = join_with_rest(&section_texts(step), step.sections().len(), "; ");
            let sources = if sources.is_empty() { String::new() } else { format!(": {sources}") };
            format!("{bytes} written again as segment {}{sources}", segment_file_name(step.start))
        }
        StepWrite::RemoveSegment { .. } => format!("{bytes} removed: segment {}", segment_file_name(step.start)),
        StepWrite::GiveUp(lost) => format!(
            "{} recorded as lost in log.json, later offsets stay{}",
            format_size(lost.end - step.start),
            lost.next.as_ref().map(|_| format!("; new events go to a segment at {}", lost.end)).unwrap_or_default()
        ),
        StepWrite::TakeBack(lost) => {
            format!("{} no longer recorded as lost in log.json", format_size(lost.end - step.start))
        }
        StepWrite::CutExcess(excess) => {
            format!("{} cut from the end of segment {}", format_size(excess.bytes), segment_file_name(excess.base))
        }
        StepWrite::WriteExcess(excess) => {
            format!("{} written after the end of segment {}", format_size(excess.bytes), segment_file_name(excess.base))
        }
    }
}

/// Formats the first sections of a step that fills its range from several sources.
fn section_texts(step: &RepairStep) -> Vec<String> {
    let text = |section: StepSection| {
        let Range { start, end } = section.range;
        match section.from {
            Some(from) => format!("{start}..{end} copied from {}", safe_path_text(from)),
            None => format!("{start}..{end} filled with a gap"),
        }
    };
    step.sections().into_iter().take(MAX_CHANGES_SHOWN).map(text).collect()
}

/// Formats how much a step adds to the size of the log; empty when it adds nothing.
fn growth_suffix(step: &RepairStep) -> String {
    match step.new_end.saturating_sub(step.end) {
        0 => String::new(),
        growth => format!("; the log grows by {}", format_size(growth)),
    }
}

fn unrepaired_line(range: &UnrepairedRange) -> String {
    format!("not repaired: {}: {}", piece_location(range), range.reason)
}

/// Formats the range and the kind of an unrepaired finding.
fn piece_location(range: &UnrepairedRange) -> String {
    let piece = &range.piece;
    format!("{}..{} {}", piece.start, piece.end, piece.kind)
}

/// Adds one line per fix. A fix that the user can choose is listed with the option that chooses it.
fn push_fix_lines(prefix: &str, fixes: &[Fix], lines: &mut Vec<String>) {
    let choices: usize = fixes.iter().filter(|fix| fix.choice.is_some()).map(|fix| fix.candidates.len().max(1)).sum();
    for fix in fixes {
        match (fix.choice, fix.candidates.as_slice()) {
            (Some(first), several @ [_, _, ..]) => {
                let action = fix.action.name();
                lines.push(format!("  {prefix}: {action}{}, maybe none is right", certainty_suffix(fix)));
                let line =
                    |(n, candidate)| format!("    --choose {}={n}  {}", first.finding_start, candidate_line(candidate));
                lines.extend((first.candidate_number..).zip(several).map(line));
            }
            (Some(choice), _) if choices > 1 || fix.action == RepairAction::TakeFromDonor => {
                let CandidateChoice { finding_start, candidate_number } = choice;
                lines.push(format!("  {prefix}: {} (--choose {finding_start}={candidate_number})", fix_line(fix)));
            }
            _ => lines.push(format!("  {prefix}: {}", fix_line(fix))),
        }
    }
}

fn certainty_suffix(fix: &Fix) -> String {
    match (fix.certainty, fix.candidates.as_slice()) {
        (Some(certainty), [_, _, ..]) => format!(", {} of {}", certainty.name(), fix.candidates.len()),
        (Some(certainty), [only]) if fix.is_undecided() => {
            format!(", {}{}", certainty.name(), chance_suffix(only.expected_false_positives))
        }
        (Some(certainty), _) => format!(", {}", certainty.name()),
        (None, _) => String::new(),
    }
}

/// Formats a candidate: the bytes it changes, and the number of such candidates that chance alone would offer.
pub(crate) fn candidate_line(candidate: &Candidate) -> String {
    format!("{}{}", changes_text(&candidate.changes), chance_suffix(candidate.expected_false_positives))
}

/// Formats the expected number of wrong candidates in parentheses; empty if the number is unknown or zero.
fn chance_suffix(expected: f64) -> String {
    match expected {
        0.0 => String::new(),
        0.01.. => format!(" (chance alone would offer {expected:.2}: check by eye)"),
        _ => format!(" (chance alone would offer {expected:.1e})"),
    }
}

fn changes_text(changes: &[ByteChange]) -> String {
    let shown: Vec<String> = changes.iter().take(MAX_CHANGES_SHOWN).map(change_text).collect();
    join_with_rest(&shown, changes.len(), " and ")
}

fn change_text(change: &ByteChange) -> String {
    let bytes = format_count(change.after.len() as u64, "byte");
    let text = match (printable_text(&change.before), printable_text(&change.after)) {
        (Some(before), Some(after)) => format!(", {before:?} → {after:?}"),
        _ => String::new(),
    };
    format!("{bytes} at offset {}, {} → {}{text}", change.offset, hex_prefix(&change.before), hex_prefix(&change.after))
}

/// Returns the bytes as text if they are few and printable. The text helps the user to compare candidates.
fn printable_text(bytes: &[u8]) -> Option<&str> {
    let printable = bytes.len() <= MAX_BYTES_SHOWN && bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    std::str::from_utf8(bytes).ok().filter(|_| printable)
}

fn hex_prefix(bytes: &[u8]) -> String {
    let digits = hex::encode(bytes.get(..MAX_BYTES_SHOWN).unwrap_or(bytes));
    if bytes.len() > MAX_BYTES_SHOWN { format!("{digits}…") } else { digits }
}

/// Joins the shown items of a list of `total` items, and appends the number of items that are not shown.
fn join_with_rest<T: AsRef<str>>(shown: &[T], total: usize, separator: &str) -> String {
    let list = shown.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(separator);
    if total > shown.len() { format!("{list}{separator}{} more", total - shown.len()) } else { list }
}

pub(super) fn restored_text(events: u64) -> String {
    if events == 0 { "no events restored".into() } else { format!("{} restored", format_count(events, "event")) }
}

pub(super) fn loss_text(loss: &Loss) -> String {
    let events = match (loss.at_least, loss.at_most) {
        (_, 0) => return "no events given up".into(),
        (least, most) if least == most => format_count(most, "event"),
        (0, most) => format!("at most {}", format_count(most, "event")),
        (least, most) => format!("{} to {}", format_number(least), format_count(most, "event")),
    };
    let ids: Vec<String> = loss.aggregates.iter().take(MAX_AGGREGATES_SHOWN).map(u64::to_string).collect();
    let aggregates = match loss.aggregates.len() {
        0 => String::new(),
        1 => format!(" (aggregate {})", join_with_rest(&ids, 1, ", ")),
        many => format!(" (aggregates {})", join_with_rest(&ids, many, ", ")),
    };
    format!("{events} given up{aggregates}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repair::{
        Certainty, ChangesInLog, LogIdentity, PLAN_VERSION, PlannedPiece, RepairRecord, RepairState, StepPart,
        find_gap_journal,
    };
    use crate::report::record_line;

    fn edit(offset: u64, before: &[u8], after: &[u8]) -> ByteChange {
        ByteChange { offset, before: before.to_vec(), after: after.to_vec() }
    }

    fn fix(certainty: Certainty, expected: &[f64]) -> Fix {
        let candidate = |(i, expected): (usize, &f64)| Candidate {
            expected_false_positives: *expected,
            changes: vec![edit(8090 + i as u64, &[0x6f], &[0x6e])],
        };
        let candidates = expected.iter().enumerate().map(candidate).collect();
        Fix {
            action: RepairAction::CorrectBits,
            certainty: Some(certainty),
            candidates,
            unsearched: None,
            choice: Some(CandidateChoice::new(8090, 1)),
        }
    }

    fn step(action: RepairAction, range: Range<u64>, kind: &str, write: StepWrite) -> RepairStep {
        RepairStep {
            action,
            certainty: action.can_restore().then_some(Certainty::Proven),
            start: range.start,
            end: range.end,
            new_end: range.end,
            pieces: vec![PlannedPiece { kind: kind.into(), start: range.start, end: range.end }],
            write,
            restored_events: u64::from(action.can_restore()),
            loss: Loss::default(),
            alternatives: Vec::new(),
            before_sha256: Vec::new(),
            after_sha256: Vec::new(),
            neighbours: Vec::new(),
        }
    }

    fn plan(steps: Vec<RepairStep>) -> Plan {
        let log = LogIdentity {
            path: "/logs/a.log".into(),
            format: crate::format::FrameFormat::V1,
            header: Vec::new(),
            first_checksum: None,
            file: None,
            bytes: 5000,
            short_segments: Vec::new(),
        };
        Plan {
            layout_version: PLAN_VERSION,
            id: "ab".into(),
            digest: String::new(),
            undoes: None,
            cut_segments: Vec::new(),
            settings: None,
            erases: None,
            purges: None,
            log,
            steps,
            unrepaired: Vec::new(),
            notes: Vec::new(),
            forgotten_index_end: None,
            replaced_loss: Loss::default(),
            forgotten_loss: Loss::default(),
            estimated_lock_ms: 3,
        }
    }

    fn gap(range: Range<u64>) -> RepairStep {
        step(RepairAction::Gap, range, "garbage", StepWrite::Gap { description: "{}".into(), header: None })
    }

    fn record(number: u32, plan: Plan) -> RepairRecord {
        let journal = format!("/logs/a.log.repairs/{number:04}.journal").into();
        let state = RepairState::Applied;
        RepairRecord {
            number,
            journal,
            begun_ms: 1_767_225_600_000,
            state,
            undone_by: None,
            in_log: ChangesInLog::All,
            plan,
        }
    }

    #[test]
    fn a_fix_line_has_its_certainty_and_its_bytes() {
        assert_eq!(
            fix_line(&fix(Certainty::Proven, &[0.0])),
            "correct_bits, proven: 1 byte at offset 8090, 6f → 6e, \"o\" → \"n\""
        );
        assert_eq!(
            fix_line(&fix(Certainty::Likely, &[0.00123])),
            "correct_bits, likely (chance alone would offer 1.2e-3): 1 byte at offset 8090, 6f → 6e, \"o\" → \"n\""
        );
        let mut choice = fix(Certainty::Choice, &[0.02, 0.2, 0.4, 0.8]);
        choice.unsearched = Some("patterns over 24 bits".into());
        assert_eq!(
            fix_line(&choice),
            "correct_bits, choice of 4, maybe none is right: 1: 1 byte at offset 8090, 6f → 6e, \"o\" → \"n\" (chance alone \
             would offer 0.02: check by eye); 2: 1 byte at offset 8091, 6f → 6e, \"o\" → \"n\" (chance alone would offer \
             0.20: check by eye); 3: 1 byte at offset 8092, 6f → 6e, \"o\" → \"n\" (chance alone would offer 0.40: check \
             by eye); 1 more; not searched: patterns over 24 bits"
        );
        assert_eq!(
            (fix_label(&choice).as_str(), fix_label(&fix(Certainty::Likely, &[0.0])).as_str()),
            ("choice of 4: correct bits", "likely: correct bits")
        );
        let without_expectation = fix(Certainty::Likely, &[0.0]);
        assert_eq!(
            fix_line(&without_expectation),
            "correct_bits, likely: 1 byte at offset 8090, 6f → 6e, \"o\" → \"n\"",
            "no number, no parentheses"
        );
        let tail = Fix {
            action: RepairAction::SetAsideTail,
            certainty: None,
            candidates: Vec::new(),
            unsearched: None,
            choice: Some(CandidateChoice::new(8090, 1)),
        };
        assert_eq!(fix_label(&tail), "set aside");
        assert_eq!(
            fix_line(&tail),
            "set_aside_tail: the end is saved in the journal and cut from the log; opening for append does the same"
        );
    }

    #[test]
    fn long_changes_show_their_first_bytes() {
        let long = edit(16, &[0; 40], &[255; 40]);
        let expected = format!("40 bytes at offset 16, {}… → {}…", "00".repeat(12), "ff".repeat(12));
        assert_eq!(change_text(&long), expected);
        let six: Vec<ByteChange> = (0..6).map(|i| edit(i, &[0], &[1])).collect();
        assert!(changes_text(&six).ends_with("1 byte at offset 2, 00 → 01 and 3 more"), "{}", changes_text(&six));
    }

    #[test]
    fn plan_lines_list_steps_unrepaired_ranges_and_the_undo_command() {
        let mut filled = gap(320..630);
        filled.loss = Loss { at_least: 0, at_most: 1, aggregates: vec![42] };
        filled.alternatives = vec![fix(Certainty::Choice, &[0.25, 0.5])];
        let bits =
            step(RepairAction::CorrectBits, 16..320, "checksum", StepWrite::Edits(vec![edit(90, &[0x6f], &[0x6e])]));
        let mut plan =
            plan(vec![bits, filled, step(RepairAction::SetAsideTail, 4900..5000, "torn_tail", StepWrite::Truncate)]);
        let donor = Fix {
            certainty: Some(Certainty::Choice),
            choice: Some(CandidateChoice::new(8090, 2)),
            ..Fix::without_candidates(RepairAction::TakeFromDonor)
        };
        plan.unrepaired = vec![UnrepairedRange {
            piece: PlannedPiece { kind: "invalid_event".into(), start: 700, end: 800 },
            reason: "a writer's fault".into(),
            alternatives: vec![fix(Certainty::Likely, &[0.005]), donor],
        }];
        plan.notes = vec!["its header is another".into()];
        let expected = "\
repair of /logs/a.log: 3 ranges, 1 event restored, at most 1 event given up (aggregate 42), 411 bytes changed
16..320 checksum: correct_bits, proven: 1 byte at offset 90, 6f → 6e, \"o\" → \"n\"; 1 event restored
320..630 garbage: gap: 310 B replaced with a gap, later offsets stay; at most 1 event given up (aggregate 42)
  alternative: correct_bits, choice of 2, maybe none is right
    --choose 8090=1  1 byte at offset 8090, 6f → 6e, \"o\" → \"n\" (chance alone would offer 0.25: check by eye)
    --choose 8090=2  1 byte at offset 8091, 6f → 6e, \"o\" → \"n\" (chance alone would offer 0.50: check by eye)
4900..5000 torn_tail: set_aside_tail: 100 B cut from the end
not repaired: 700..800 invalid_event: a writer's fault
  possible: correct_bits, likely (chance alone would offer 5.0e-3): 1 byte at offset 8090, 6f → 6e, \"o\" → \"n\" (--choose 8090=1)
  possible: take_from_donor, choice (--choose 8090=2)
note: its header is another
replaced bytes (714 bytes) are saved in /logs/a.log.repairs; undo with `chronicle undo LOG`
the writer's lock is held for about 3.0 ms
this plan restores 1 event; with `--accept likely` it would restore 2";
        assert_eq!(plan_lines(&plan, Path::new("/logs/a.log.repairs")).join("\n"), expected);
    }

    #[test]
    fn the_line_about_likely_fixes_counts_only_findings_that_the_options_select() {
        let mut plan = plan(Vec::new());
        let range = |start, reason: &str| UnrepairedRange {
            piece: PlannedPiece { kind: "checksum".into(), start, end: start + 100 },
            reason: reason.into(),
            alternatives: vec![fix(Certainty::Likely, &[0.005])],
        };
        plan.unrepaired = vec![range(700, UnrepairedRange::NOT_SELECTED), range(900, "you have not chosen yet")];
        let line = "this plan restores 0 events; with `--accept likely` it would restore 1";
        assert_eq!(likely_line(&plan).as_deref(), Some(line));
        plan.unrepaired.truncate(1);
        assert_eq!(likely_line(&plan), None);
    }

    #[test]
    fn the_text_of_a_segment_begins_with_what_is_done_to_it() {
        let write = StepWrite::RemoveSegment { old_log_end: None };
        let mut removed = step(RepairAction::RestoreSegment, 2048..4096, "truncated", write);
        assert_eq!(describe_write(&removed), "2.0 KiB removed: segment 00000000000000002048.log");
        removed.write = StepWrite::Segment(crate::repair::NewSegment {
            header: "00".repeat(64),
            old_log_end: None,
            description: String::new(),
            parts: vec![StepPart { end: 4096, from: Some("b".into()) }],
        });
        let text = "2.0 KiB written again as segment 00000000000000002048.log: 2112..4096 copied from b";
        assert_eq!(describe_write(&removed), text);
    }

    #[test]
    fn a_part_without_frames_of_a_donor_is_filled_with_a_gap() {
        let parts = vec![StepPart { end: 500, from: Some("b.log".into()) }, StepPart { end: 700, from: None }];
        let write = StepWrite::Parts { description: "{}".into(), parts, header: None };
        let text = describe_write(&step(RepairAction::TakeFromDonor, 320..700, "truncated", write));
        assert_eq!(text, "320..500 copied from b.log; 500..700 filled with a gap");
    }

    #[test]
    fn an_empty_plan_lists_its_unrepaired_ranges() {
        let mut plan = plan(Vec::new());
        let folder = Path::new("x");
        assert_eq!(plan_lines(&plan, folder), ["/logs/a.log: nothing to repair"]);
        let piece = PlannedPiece { kind: "unreadable".into(), start: 16, end: 512 };
        plan.unrepaired =
            vec![UnrepairedRange { piece, reason: "the device refuses".into(), alternatives: Vec::new() }];
        assert_eq!(
            plan_lines(&plan, folder),
            [
                "/logs/a.log: no repair planned, 1 range left as is",
                "not repaired: 16..512 unreadable: the device refuses"
            ]
        );
    }

    #[test]
    fn a_dropped_end_and_an_undo_have_their_own_lines() {
        let mut dropping_end = plan(Vec::new());
        dropping_end.forgotten_index_end = Some(6000);
        dropping_end.forgotten_loss = Loss { at_least: 2, at_most: 12, aggregates: (1..=8).collect() };
        let lines = plan_lines(&dropping_end, Path::new("x"));
        assert_eq!(
            lines[1],
            "lost end dropped: new events reuse the offsets up to 6000; 2 to 12 events given up (aggregates 1, 2, 3, 4, 5, 3 more)"
        );
        assert_eq!(lines[2], "no bytes are replaced; the plan is saved in x; undo with `chronicle undo LOG`");
        let mut undo =
            plan(vec![step(RepairAction::Gap, 16..320, "garbage", StepWrite::CopyFrom { from: "j".into() })]);
        undo.undoes = Some(3);
        let lines = plan_lines(&undo, Path::new("x"));
        assert_eq!(lines[0], "undo of repair 3 of /logs/a.log: 1 range, 304 bytes changed");
        assert_eq!(lines[1], "16..320 garbage: gap undone: 304 B copied from j");
        assert_eq!(lines[2], "replaced bytes (304 bytes) are saved in x");
    }

    #[test]
    fn a_record_line_has_number_time_state_and_steps() {
        let mut first = record(1, plan(vec![gap(16..320), gap(400..500)]));
        assert_eq!(
            record_line(&first),
            "   1  2026-01-01 00:00Z  applied; 2 gap: no events restored, no events given up"
        );
        first.in_log = ChangesInLog::None;
        assert!(record_line(&first).contains("  no longer in the log: another file was put in its place"));
        first.undone_by = Some(2);
        assert!(record_line(&first).contains("  undone by 2; "));
        let mut undo = plan(Vec::new());
        undo.undoes = Some(1);
        assert!(record_line(&record(2, undo)).ends_with("  applied; undo of repair 1"));
    }

    #[test]
    fn the_journal_of_a_gap_belongs_to_the_last_repair_in_effect() {
        let mut records = vec![record(1, plan(vec![gap(16..320)])), record(2, plan(vec![gap(16..320), gap(400..500)]))];
        let journal = |records: &[RepairRecord], range| find_gap_journal(records, range).map(safe_path_text);
        assert_eq!(journal(&records, 16..320).as_deref(), Some("/logs/a.log.repairs/0002.journal"));
        assert_eq!(journal(&records, 100..200).as_deref(), Some("/logs/a.log.repairs/0002.journal"), "one of a chain");
        assert_eq!(journal(&records, 300..400), None);
        records[1].undone_by = Some(3);
        assert_eq!(journal(&records, 16..320).as_deref(), Some("/logs/a.log.repairs/0001.journal"));
        records[0].state = RepairState::RolledBack;
        assert_eq!(journal(&records, 16..320), None);
    }
}
