//! Plans, fixes and the medical record in words: what a repair would do, what it did, and what takes it back.
//!
//! The words may hold paths and what a plan file says, so whoever draws them makes them safe first, as with all text.

use std::path::Path;

use crate::format::hex;
use crate::repair::{
    ByteChange, Candidate, Certainty, Fix, Loss, Plan, RecoveryOutcome, RepairAction, RepairRecord, RepairState,
    RepairStep, StepWrite, UnrepairedRange,
};

use super::units::{DisplayZone, format_count, format_duration, format_minute, format_number, format_size};

/// Aggregates that a line names.
const MAX_AGGREGATES_SHOWN: usize = 5;
/// Bytes of a change that a line shows.
const MAX_BYTES_SHOWN: usize = 12;
/// Changes, and candidates, that a line shows.
const MAX_CHANGES_SHOWN: usize = 3;

/// The plan, a line each: what it does in all, then step by step, what it leaves and why, and how it is taken back.
///
/// `folder` is where the journal will stand.
pub fn plan_lines(plan: &Plan, folder: &Path) -> Vec<String> {
    let mut lines = vec![headline(plan)];
    for step in &plan.steps {
        lines.push(step_line(step, plan.undoes.is_some()));
        push_fix_lines("also possible", &step.alternatives, &mut lines);
    }
    for left in &plan.unrepaired {
        lines.push(unrepaired_line(left));
        push_fix_lines("possible", &left.alternatives, &mut lines);
    }
    lines.extend(plan.notes.iter().map(|note| format!("note: {note}")));
    if let Some(end) = plan.forgotten_index_end {
        let lost = if plan.forgotten_loss.is_zero() {
            String::new()
        } else {
            format!("; {}", loss_text(&plan.forgotten_loss))
        };
        lines.push(format!("forgotten: that the log once had {end} bytes; their offsets go to new events{lost}"));
    }
    if !plan.is_empty() {
        let kept = match plan.journaled_bytes() {
            0 => "no old bytes are replaced; the plan is".into(),
            bytes => format!("the old bytes ({}) are", format_count(bytes, "byte")),
        };
        let back = if plan.undoes.is_none() { "; `chronicle undo` takes it back" } else { "" };
        lines.push(format!("{kept} kept in {}{back}", folder.display()));
        let held = format_duration(std::time::Duration::from_millis(plan.estimated_lock_ms));
        lines.push(format!("the writer's lock is held for about {held}"));
    }
    lines
}

/// What can be done about a finding, in one line: `correct_bits, proven: 1 byte at offset 8090, 6f -> 6e`.
pub fn fix_line(fix: &Fix) -> String {
    let mut line = format!("{}{}", fix.action.name(), certainty_suffix(fix));
    match fix.candidates.as_slice() {
        [] => line.push_str(match fix.action {
            RepairAction::SetAsideTail => ": kept in the journal and cut off the end",
            RepairAction::Gap => ": fenced off, so that every later offset stays; nothing is restored",
            _ => "",
        }),
        [only] => {
            let choice = fix.certainty == Some(Certainty::Choice);
            line.push_str(if choice { ", the truth may be another: " } else { ": " });
            line.push_str(&changes_text(&only.changes));
        }
        several => {
            let shown: Vec<String> = several
                .iter()
                .take(MAX_CHANGES_SHOWN)
                .enumerate()
                .map(|(i, of)| format!("{}: {}", i + 1, candidate_line(of)))
                .collect();
            line.push_str(", the truth may be none of them: ");
            line.push_str(&join_with_rest(&shown, several.len(), "; "));
        }
    }
    if let Some(what) = &fix.unsearched {
        line.push_str("; not searched: ");
        line.push_str(what);
    }
    line
}

/// The same in three words: `likely: correct bits`.
pub fn fix_label(fix: &Fix) -> String {
    let action = fix.action.name().replace('_', " ");
    match (fix.certainty, fix.candidates.len()) {
        (Some(how), several @ 2..) => format!("{} of {several}: {action}", how.name()),
        (Some(how), _) => format!("{}: {action}", how.name()),
        (None, _) => action,
    }
}

/// One entry of the medical record: number, when, what was done, how it stands.
pub fn record_line(record: &RepairRecord) -> String {
    let RepairRecord { number, begun_ms, plan, .. } = record;
    let did = match plan.undoes {
        Some(undone) => format!("undo of {undone}"),
        None => format!(
            "{}: {}, {}",
            action_counts(plan),
            restored_text(plan.restored_events()),
            loss_text(&plan.total_loss())
        ),
    };
    format!("{number:>4}  {}  {}; {did}", format_minute(*begun_ms, DisplayZone::Utc), record_state_text(record))
}

/// What became of a repair that was killed, in one sentence.
pub fn recovered_line(recovered: &RecoveryOutcome) -> String {
    let RecoveryOutcome { number, journal, completed } = recovered;
    let became = if *completed {
        "all of it stood in the log, and it was completed"
    } else {
        "it was taken back, and the log is as it was before it"
    };
    format!("repair {number} was killed before it was done: {became} ({})", journal.display())
}

fn headline(plan: &Plan) -> String {
    let path = plan.log.path.display();
    if plan.is_empty() {
        let nothing = if plan.unrepaired.is_empty() { "nothing to repair" } else { "nothing is repaired" };
        return format!("{path}: {nothing}");
    }
    let (ranges, bytes) = (format_count(plan.steps.len() as u64, "range"), format_count(plan.changed_bytes(), "byte"));
    if let Some(number) = plan.undoes {
        return format!("undo of repair {number} of {path}: {ranges}, {bytes} changed");
    }
    let (events, lost) = (restored_text(plan.restored_events()), loss_text(&plan.total_loss()));
    format!("repair of {path}: {ranges}, {events}, {lost}, {bytes} changed")
}

fn step_line(step: &RepairStep, is_undo: bool) -> String {
    let kinds: Vec<&str> = step.pieces.iter().map(|piece| piece.kind.as_str()).collect();
    let how = match step.certainty {
        _ if is_undo => " taken back".to_owned(),
        Some(how) => format!(", {}", how.name()),
        None => String::new(),
    };
    let place = format!("{}..{}", step.start, step.end.max(step.new_end));
    let mut line = format!(
        "{place} {}: {}{how}: {}",
        join_with_rest(&kinds, kinds.len(), ", "),
        step.action.name(),
        describe_write(step)
    );
    if step.restored_events > 0 {
        line = format!("{line}; {}", restored_text(step.restored_events));
    }
    if !step.loss.is_zero() {
        line = format!("{line}; {}", loss_text(&step.loss));
    }
    line
}

fn describe_write(step: &RepairStep) -> String {
    let bytes = format_size(step.end.max(step.new_end) - step.start);
    match &step.write {
        StepWrite::Edits(edits) => changes_text(edits),
        StepWrite::Gap { header: None, .. } => format!("{bytes} fenced off, every later offset stays"),
        StepWrite::Gap { header: Some(_), .. } => format!("the header written anew and the rest of {bytes} fenced off"),
        StepWrite::CopyFrom { from } => format!("{bytes} as in {}", from.display()),
        StepWrite::Truncate => format!("{bytes} cut off the end"),
    }
}

fn unrepaired_line(left: &UnrepairedRange) -> String {
    let piece = &left.piece;
    format!("left: {}..{} {}: {}", piece.start, piece.end, piece.kind, left.reason)
}

/// What could be done, a line each; where there is something to choose from, each with the option that chooses it.
fn push_fix_lines(prefix: &str, fixes: &[Fix], lines: &mut Vec<String>) {
    let choices: usize = fixes.iter().filter(|fix| fix.choice.is_some()).map(|fix| fix.candidates.len().max(1)).sum();
    for fix in fixes {
        match (fix.choice, fix.candidates.as_slice()) {
            (Some((start, first)), several @ [_, _, ..]) => {
                let what = fix.action.name();
                lines.push(format!("  {prefix}: {what}{}, the truth may be none of them", certainty_suffix(fix)));
                let line = |(n, of)| format!("    --choose {start}={n}  {}", candidate_line(of));
                lines.extend((first..).zip(several).map(line));
            }
            (Some((start, n)), _) if choices > 1 || fix.action == RepairAction::TakeFromDonor => {
                lines.push(format!("  {prefix}: {} (--choose {start}={n})", fix_line(fix)));
            }
            _ => lines.push(format!("  {prefix}: {}", fix_line(fix))),
        }
    }
}

fn certainty_suffix(fix: &Fix) -> String {
    match (fix.certainty, fix.candidates.as_slice()) {
        (Some(how), [_, _, ..]) => format!(", {} of {}", how.name(), fix.candidates.len()),
        (Some(how), [only]) if fix.is_undecided() => {
            format!(", {}{}", how.name(), accidents_suffix(only.expected_false_positives))
        }
        (Some(how), _) => format!(", {}", how.name()),
        (None, _) => String::new(),
    }
}

/// What a candidate changes, in words, and how likely an accident looks like it.
pub fn candidate_line(candidate: &Candidate) -> String {
    format!("{}{}", changes_text(&candidate.changes), accidents_suffix(candidate.expected_false_positives))
}

/// How many accidents look like it, in brackets; nothing where none is expected at all.
fn accidents_suffix(expected: f64) -> String {
    match expected {
        0.0 => String::new(),
        0.01.. => format!(" ({expected:.2} accidents expected)"),
        _ => format!(" ({expected:.1e} accidents expected)"),
    }
}

fn changes_text(changes: &[ByteChange]) -> String {
    let shown: Vec<String> = changes.iter().take(MAX_CHANGES_SHOWN).map(change_text).collect();
    join_with_rest(&shown, changes.len(), " and ")
}

fn change_text(change: &ByteChange) -> String {
    let bytes = format_count(change.after.len() as u64, "byte");
    let words = match (printable_text(&change.before), printable_text(&change.after)) {
        (Some(before), Some(after)) => format!(", {before:?} -> {after:?}"),
        _ => String::new(),
    };
    format!(
        "{bytes} at offset {}, {} -> {}{words}",
        change.offset,
        hex_prefix(&change.before),
        hex_prefix(&change.after)
    )
}

/// Bytes that are letters to whoever has to tell the truth from an accident.
fn printable_text(bytes: &[u8]) -> Option<&str> {
    let plain = bytes.len() <= MAX_BYTES_SHOWN && bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    std::str::from_utf8(bytes).ok().filter(|_| plain)
}

fn hex_prefix(bytes: &[u8]) -> String {
    let digits = hex::encode(bytes.get(..MAX_BYTES_SHOWN).unwrap_or(bytes));
    if bytes.len() > MAX_BYTES_SHOWN { format!("{digits}…") } else { digits }
}

/// What is shown of a list of `total`, and how many more there are.
fn join_with_rest<T: AsRef<str>>(shown: &[T], total: usize, between: &str) -> String {
    let list = shown.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(between);
    if total > shown.len() { format!("{list}{between}{} more", total - shown.len()) } else { list }
}

fn restored_text(events: u64) -> String {
    if events == 0 { "no event restored".into() } else { format!("{} restored", format_count(events, "event")) }
}

fn loss_text(loss: &Loss) -> String {
    let events = match (loss.at_least, loss.at_most) {
        (_, 0) => return "none given up".into(),
        (least, most) if least == most => format_count(most, "event"),
        (0, most) => format!("at most {}", format_count(most, "event")),
        (least, most) => format!("{} to {}", format_number(least), format_count(most, "event")),
    };
    let ids: Vec<String> = loss.aggregates.iter().take(MAX_AGGREGATES_SHOWN).map(u64::to_string).collect();
    let whose = match loss.aggregates.len() {
        0 => String::new(),
        1 => format!(" (aggregate {})", join_with_rest(&ids, 1, ", ")),
        many => format!(" (aggregates {})", join_with_rest(&ids, many, ", ")),
    };
    format!("{events} given up{whose}")
}

/// `2 correct_bits, 1 gap`, in the order of the actions.
fn action_counts(plan: &Plan) -> String {
    let of = |action: RepairAction| plan.steps.iter().filter(|step| step.action == action).count();
    let named = RepairAction::ALL.iter().map(|row| (of(row.0), row.1)).filter(|(number, _)| *number > 0);
    let mut did: Vec<String> = named.map(|(number, name)| format!("{} {name}", format_number(number as u64))).collect();
    if plan.forgotten_index_end.is_some() {
        did.push("the index's word dropped".into());
    }
    did.join(", ")
}

fn record_state_text(record: &RepairRecord) -> String {
    match (record.state, record.undone_by) {
        (RepairState::Applied, Some(by)) => format!("undone by {by}"),
        (RepairState::Applied, None) => "applied".into(),
        (RepairState::Unfinished, _) => "its journal breaks off: never begun, or damaged since".into(),
        (RepairState::Pending, _) => {
            "PENDING: opening for append, `repair` and `undo` complete it or take it back".into()
        }
        (RepairState::RolledBack, _) => "taken back when it was not completed".into(),
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::repair::find_gap_journal;
    use crate::repair::{Certainty, LogIdentity, PLAN_VERSION, PlannedPiece};

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
            choice: Some((8090, 1)),
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
            header: Vec::new(),
            first_checksum: None,
            file: None,
            bytes: 5000,
        };
        let (left, forgotten) = (Vec::new(), Loss::default());
        Plan {
            layout_version: PLAN_VERSION,
            id: "ab".into(),
            undoes: None,
            log,
            steps,
            unrepaired: left,
            notes: Vec::new(),
            forgotten_index_end: None,
            forgotten_loss: forgotten,
            estimated_lock_ms: 3,
        }
    }

    fn gap(range: Range<u64>) -> RepairStep {
        step(RepairAction::Gap, range, "garbage", StepWrite::Gap { description: "{}".into(), header: None })
    }

    fn record(number: u32, plan: Plan) -> RepairRecord {
        let journal = format!("/logs/a.log.repairs/{number:04}.journal").into();
        let state = RepairState::Applied;
        RepairRecord { number, journal, begun_ms: 1_767_225_600_000, state, undone_by: None, plan }
    }

    #[test]
    fn a_fix_says_its_bytes_and_how_certain_it_is() {
        assert_eq!(
            fix_line(&fix(Certainty::Proven, &[0.0])),
            "correct_bits, proven: 1 byte at offset 8090, 6f -> 6e, \"o\" -> \"n\""
        );
        assert_eq!(
            fix_line(&fix(Certainty::Likely, &[0.00123])),
            "correct_bits, likely (1.2e-3 accidents expected): 1 byte at offset 8090, 6f -> 6e, \"o\" -> \"n\""
        );
        let mut choice = fix(Certainty::Choice, &[0.02, 0.2, 0.4, 0.8]);
        choice.unsearched = Some("patterns over 24 bits".into());
        assert_eq!(
            fix_line(&choice),
            "correct_bits, choice of 4, the truth may be none of them: 1: 1 byte at offset 8090, 6f -> 6e, \"o\" -> \"n\" (0.02 \
             accidents expected); 2: 1 byte at offset 8091, 6f -> 6e, \"o\" -> \"n\" (0.20 accidents expected); 3: 1 byte at offset \
             8092, 6f -> 6e, \"o\" -> \"n\" (0.40 accidents expected); 1 more; not searched: patterns over 24 bits"
        );
        assert_eq!(
            (fix_label(&choice).as_str(), fix_label(&fix(Certainty::Likely, &[0.0])).as_str()),
            ("choice of 4: correct bits", "likely: correct bits")
        );
        let old = fix(Certainty::Likely, &[0.0]);
        assert_eq!(
            fix_line(&old),
            "correct_bits, likely: 1 byte at offset 8090, 6f -> 6e, \"o\" -> \"n\"",
            "no figure, no word of it"
        );
        let tail = Fix {
            action: RepairAction::SetAsideTail,
            certainty: None,
            candidates: Vec::new(),
            unsearched: None,
            choice: Some((8090, 1)),
        };
        assert_eq!(fix_label(&tail), "set aside tail");
        assert_eq!(fix_line(&tail), "set_aside_tail: kept in the journal and cut off the end");
    }

    #[test]
    fn many_bytes_are_shown_by_their_first() {
        let long = edit(16, &[0; 40], &[255; 40]);
        let said = change_text(&long);
        assert_eq!(said, format!("40 bytes at offset 16, {}… -> {}…", "00".repeat(12), "ff".repeat(12)));
        let six: Vec<ByteChange> = (0..6).map(|i| edit(i, &[0], &[1])).collect();
        assert!(changes_text(&six).ends_with("1 byte at offset 2, 00 -> 01 and 3 more"), "{}", changes_text(&six));
    }

    #[test]
    fn a_plan_says_what_it_does_what_it_leaves_and_how_to_take_it_back() {
        let mut fenced = gap(320..630);
        fenced.loss = Loss { at_least: 0, at_most: 1, aggregates: vec![42] };
        fenced.alternatives = vec![fix(Certainty::Choice, &[0.25, 0.5])];
        let bits =
            step(RepairAction::CorrectBits, 16..320, "checksum", StepWrite::Edits(vec![edit(90, &[0x6f], &[0x6e])]));
        let mut plan =
            plan(vec![bits, fenced, step(RepairAction::SetAsideTail, 4900..5000, "torn_tail", StepWrite::Truncate)]);
        let donor = Fix {
            certainty: Some(Certainty::Choice),
            choice: Some((8090, 2)),
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
16..320 checksum: correct_bits, proven: 1 byte at offset 90, 6f -> 6e, \"o\" -> \"n\"; 1 event restored
320..630 garbage: gap: 310 B fenced off, every later offset stays; at most 1 event given up (aggregate 42)
  also possible: correct_bits, choice of 2, the truth may be none of them
    --choose 8090=1  1 byte at offset 8090, 6f -> 6e, \"o\" -> \"n\" (0.25 accidents expected)
    --choose 8090=2  1 byte at offset 8091, 6f -> 6e, \"o\" -> \"n\" (0.50 accidents expected)
4900..5000 torn_tail: set_aside_tail: 100 B cut off the end
left: 700..800 invalid_event: a writer's fault
  possible: correct_bits, likely (5.0e-3 accidents expected): 1 byte at offset 8090, 6f -> 6e, \"o\" -> \"n\" (--choose 8090=1)
  possible: take_from_donor, choice (--choose 8090=2)
note: its header is another
the old bytes (714 bytes) are kept in /logs/a.log.repairs; `chronicle undo` takes it back
the writer's lock is held for about 3.0 ms";
        assert_eq!(plan_lines(&plan, Path::new("/logs/a.log.repairs")).join("\n"), expected);
    }

    #[test]
    fn a_plan_that_does_nothing_says_only_that_and_why() {
        let mut plan = plan(Vec::new());
        let folder = Path::new("x");
        assert_eq!(plan_lines(&plan, folder), ["/logs/a.log: nothing to repair"]);
        let piece = PlannedPiece { kind: "unreadable".into(), start: 16, end: 512 };
        plan.unrepaired =
            vec![UnrepairedRange { piece, reason: "the device refuses".into(), alternatives: Vec::new() }];
        let said = plan_lines(&plan, folder);
        assert_eq!(said, ["/logs/a.log: nothing is repaired", "left: 16..512 unreadable: the device refuses"]);
    }

    #[test]
    fn what_is_forgotten_and_what_is_undone_is_said() {
        let mut forgetting = plan(Vec::new());
        forgetting.forgotten_index_end = Some(6000);
        forgetting.forgotten_loss = Loss { at_least: 2, at_most: 12, aggregates: (1..=8).collect() };
        let said = plan_lines(&forgetting, Path::new("x"));
        assert_eq!(
            said[1],
            "forgotten: that the log once had 6000 bytes; their offsets go to new events; 2 to 12 events given up \
             (aggregates 1, 2, 3, 4, 5, 3 more)"
        );
        assert_eq!(said[2], "no old bytes are replaced; the plan is kept in x; `chronicle undo` takes it back");
        let mut undo =
            plan(vec![step(RepairAction::Gap, 16..320, "garbage", StepWrite::CopyFrom { from: "j".into() })]);
        undo.undoes = Some(3);
        let said = plan_lines(&undo, Path::new("x"));
        assert_eq!(said[0], "undo of repair 3 of /logs/a.log: 1 range, 304 bytes changed");
        assert_eq!(said[1], "16..320 garbage: gap taken back: 304 B as in j");
        assert_eq!(said[2], "the old bytes (304 bytes) are kept in x");
    }

    #[test]
    fn the_record_says_when_what_and_how_it_stands() {
        let mut first = record(1, plan(vec![gap(16..320), gap(400..500)]));
        let said = record_line(&first);
        assert_eq!(said, "   1  2026-01-01 00:00Z  applied; 2 gap: no event restored, none given up");
        first.undone_by = Some(2);
        assert!(record_line(&first).contains("  undone by 2; "));
        let mut undo = plan(Vec::new());
        undo.undoes = Some(1);
        assert!(record_line(&record(2, undo)).ends_with("  applied; undo of 1"));
    }

    #[test]
    fn a_gap_is_kept_by_the_last_repair_that_made_it_and_stands() {
        let mut records = vec![record(1, plan(vec![gap(16..320)])), record(2, plan(vec![gap(16..320), gap(400..500)]))];
        let journal =
            |records: &[RepairRecord], range| find_gap_journal(records, range).map(|path| path.display().to_string());
        assert_eq!(journal(&records, 16..320).as_deref(), Some("/logs/a.log.repairs/0002.journal"));
        assert_eq!(journal(&records, 100..200).as_deref(), Some("/logs/a.log.repairs/0002.journal"), "one of a chain");
        assert_eq!(journal(&records, 300..400), None);
        records[1].undone_by = Some(3);
        assert_eq!(journal(&records, 16..320).as_deref(), Some("/logs/a.log.repairs/0001.journal"));
        records[0].state = RepairState::RolledBack;
        assert_eq!(journal(&records, 16..320), None);
    }
}
