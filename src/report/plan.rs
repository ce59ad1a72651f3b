//! Plans, fixes and the medical record in words: what a repair would do, what it did, and what takes it back.
//!
//! The words may hold paths and what a plan file says, so whoever draws them makes them safe first, as with all text.

use std::path::Path;

use crate::repair::{
    Action, Candidate, Certainty, Change, Fix, Left, Loss, Plan, Record, RecordState, Recovered, Step, Write,
};

use super::units::{Zone, count, duration, exact, minute, size};

/// Aggregates that a line names.
const AGGREGATES: usize = 5;
/// Bytes of a change that a line shows.
const BYTES: usize = 12;
/// Changes, and candidates, that a line shows.
const SHOWN: usize = 3;

/// The plan, a line each: what it does in all, then step by step, what it leaves and why, and how it is taken back.
///
/// `folder` is where the journal will stand.
pub fn plan_lines(plan: &Plan, folder: &Path) -> Vec<String> {
    let mut lines = vec![headline(plan)];
    for step in &plan.steps {
        lines.push(step_line(step, plan.undoes.is_some()));
        offers("also possible", &step.also_possible, &mut lines);
    }
    for left in &plan.left {
        lines.push(left_line(left));
        offers("possible", &left.also_possible, &mut lines);
    }
    lines.extend(plan.notes.iter().map(|note| format!("note: {note}")));
    if let Some(end) = plan.forgets {
        let lost = if plan.forgotten.is_none() { String::new() } else { format!("; {}", loss(&plan.forgotten)) };
        lines.push(format!("forgotten: that the log once had {end} bytes; their offsets go to new events{lost}"));
    }
    if !plan.is_empty() {
        let kept = match plan.bytes_kept() {
            0 => "no old bytes are replaced; the plan is".into(),
            bytes => format!("the old bytes ({}) are", count(bytes, "byte")),
        };
        let back = if plan.undoes.is_none() { "; `chronicle undo` takes it back" } else { "" };
        lines.push(format!("{kept} kept in {}{back}", folder.display()));
        let held = duration(std::time::Duration::from_millis(plan.lock_ms));
        lines.push(format!("the writer's lock is held for about {held}"));
    }
    lines
}

/// What can be done about a finding, in one line: `correct_bits, proven: 1 byte at offset 8090, 6f -> 6e`.
pub fn fix_line(fix: &Fix) -> String {
    let mut line = format!("{}{}", fix.action.name(), certainty(fix));
    match fix.candidates.as_slice() {
        [] => line.push_str(match fix.action {
            Action::SetAsideTail => ": kept in the journal and cut off the end",
            Action::Gap => ": fenced off, so that every later offset stays; nothing is restored",
            _ => "",
        }),
        [only] => {
            let choice = fix.certainty == Some(Certainty::Choice);
            line.push_str(if choice { ", the truth may be another: " } else { ": " });
            line.push_str(&changes(&only.changes));
        }
        several => {
            let shown: Vec<String> =
                several.iter().take(SHOWN).enumerate().map(|(i, of)| format!("{}: {}", i + 1, candidate(of))).collect();
            line.push_str(", the truth may be none of them: ");
            line.push_str(&with_rest(&shown, several.len(), "; "));
        }
    }
    if let Some(what) = &fix.unsearched {
        line.push_str("; not searched: ");
        line.push_str(what);
    }
    line
}

/// The same in three words: `likely: correct bits`.
pub fn fix_short(fix: &Fix) -> String {
    let action = fix.action.name().replace('_', " ");
    match (fix.certainty, fix.candidates.len()) {
        (Some(how), several @ 2..) => format!("{} of {several}: {action}", how.name()),
        (Some(how), _) => format!("{}: {action}", how.name()),
        (None, _) => action,
    }
}

/// One entry of the medical record: number, when, what was done, how it stands.
pub fn record_line(record: &Record) -> String {
    let Record { number, begun_ms, plan, .. } = record;
    let did = match plan.undoes {
        Some(undone) => format!("undo of {undone}"),
        None => format!("{}: {}, {}", actions(plan), restored(plan.restored()), loss(&plan.given_up())),
    };
    format!("{number:>4}  {}  {}; {did}", minute(*begun_ms, Zone::Utc), standing(record))
}

/// What became of a repair that was killed, in one sentence.
pub fn recovered_line(recovered: &Recovered) -> String {
    let Recovered { number, journal, completed } = recovered;
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
        let nothing = if plan.left.is_empty() { "nothing to repair" } else { "nothing is repaired" };
        return format!("{path}: {nothing}");
    }
    let (ranges, bytes) = (count(plan.steps.len() as u64, "range"), count(plan.bytes_changed(), "byte"));
    if let Some(number) = plan.undoes {
        return format!("undo of repair {number} of {path}: {ranges}, {bytes} changed");
    }
    let (events, lost) = (restored(plan.restored()), loss(&plan.given_up()));
    format!("repair of {path}: {ranges}, {events}, {lost}, {bytes} changed")
}

fn step_line(step: &Step, back: bool) -> String {
    let kinds: Vec<&str> = step.pieces.iter().map(|piece| piece.kind.as_str()).collect();
    let how = match step.certainty {
        _ if back => " taken back".to_owned(),
        Some(how) => format!(", {}", how.name()),
        None => String::new(),
    };
    let place = format!("{}..{}", step.start, step.end.max(step.new_end));
    let mut line =
        format!("{place} {}: {}{how}: {}", with_rest(&kinds, kinds.len(), ", "), step.action.name(), does(step));
    if step.restored > 0 {
        line = format!("{line}; {}", restored(step.restored));
    }
    if !step.given_up.is_none() {
        line = format!("{line}; {}", loss(&step.given_up));
    }
    line
}

fn does(step: &Step) -> String {
    let bytes = size(step.end.max(step.new_end) - step.start);
    match &step.write {
        Write::Edits(edits) => changes(edits),
        Write::Gap { header: None, .. } => format!("{bytes} fenced off, every later offset stays"),
        Write::Gap { header: Some(_), .. } => format!("the header written anew and the rest of {bytes} fenced off"),
        Write::Taken { from } => format!("{bytes} as in {}", from.display()),
        Write::Cut => format!("{bytes} cut off the end"),
    }
}

fn left_line(left: &Left) -> String {
    let piece = &left.piece;
    format!("left: {}..{} {}: {}", piece.start, piece.end, piece.kind, left.why)
}

/// What could be done, a line each; where there is something to choose from, each with the option that chooses it.
fn offers(how: &str, fixes: &[Fix], lines: &mut Vec<String>) {
    let choices: usize = fixes.iter().filter(|fix| fix.choose.is_some()).map(|fix| fix.candidates.len().max(1)).sum();
    for fix in fixes {
        match (fix.choose, fix.candidates.as_slice()) {
            (Some((start, first)), several @ [_, _, ..]) => {
                let what = fix.action.name();
                lines.push(format!("  {how}: {what}{}, the truth may be none of them", certainty(fix)));
                let line = |(n, of)| format!("    --choose {start}={n}  {}", candidate(of));
                lines.extend((first..).zip(several).map(line));
            }
            (Some((start, n)), _) if choices > 1 || fix.action == Action::TakeFromDonor => {
                lines.push(format!("  {how}: {} (--choose {start}={n})", fix_line(fix)));
            }
            _ => lines.push(format!("  {how}: {}", fix_line(fix))),
        }
    }
}

fn certainty(fix: &Fix) -> String {
    match (fix.certainty, fix.candidates.as_slice()) {
        (Some(how), [_, _, ..]) => format!(", {} of {}", how.name(), fix.candidates.len()),
        (Some(how), [only]) if fix.is_undecided() => format!(", {}{}", how.name(), accidents(only.expected)),
        (Some(how), _) => format!(", {}", how.name()),
        (None, _) => String::new(),
    }
}

/// What a candidate changes, in words, and how likely an accident looks like it.
pub fn candidate(of: &Candidate) -> String {
    format!("{}{}", changes(&of.changes), accidents(of.expected))
}

/// How many accidents look like it, in brackets; nothing where none is expected at all.
fn accidents(expected: f64) -> String {
    match expected {
        0.0 => String::new(),
        0.01.. => format!(" ({expected:.2} accidents expected)"),
        _ => format!(" ({expected:.1e} accidents expected)"),
    }
}

fn changes(all: &[Change]) -> String {
    let shown: Vec<String> = all.iter().take(SHOWN).map(change).collect();
    with_rest(&shown, all.len(), " and ")
}

fn change(of: &Change) -> String {
    let bytes = count(of.after.len() as u64, "byte");
    let words = match (text(&of.before), text(&of.after)) {
        (Some(before), Some(after)) => format!(", {before:?} -> {after:?}"),
        _ => String::new(),
    };
    format!("{bytes} at offset {}, {} -> {}{words}", of.offset, hex(&of.before), hex(&of.after))
}

/// Bytes that are letters to whoever has to tell the truth from an accident.
fn text(bytes: &[u8]) -> Option<&str> {
    let plain = bytes.len() <= BYTES && bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    std::str::from_utf8(bytes).ok().filter(|_| plain)
}

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect();
    if bytes.len() > BYTES { format!("{digits}…") } else { digits }
}

/// What is shown of a list of `total`, and how many more there are.
fn with_rest<T: AsRef<str>>(shown: &[T], total: usize, between: &str) -> String {
    let list = shown.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(between);
    if total > shown.len() { format!("{list}{between}{} more", total - shown.len()) } else { list }
}

fn restored(events: u64) -> String {
    if events == 0 { "no event restored".into() } else { format!("{} restored", count(events, "event")) }
}

fn loss(of: &Loss) -> String {
    let events = match (of.at_least, of.at_most) {
        (_, 0) => return "none given up".into(),
        (least, most) if least == most => count(most, "event"),
        (0, most) => format!("at most {}", count(most, "event")),
        (least, most) => format!("{} to {}", exact(least), count(most, "event")),
    };
    let ids: Vec<String> = of.aggregates.iter().take(AGGREGATES).map(u64::to_string).collect();
    let whose = match of.aggregates.len() {
        0 => String::new(),
        1 => format!(" (aggregate {})", with_rest(&ids, 1, ", ")),
        many => format!(" (aggregates {})", with_rest(&ids, many, ", ")),
    };
    format!("{events} given up{whose}")
}

/// `2 correct_bits, 1 gap`, in the order of the actions.
fn actions(plan: &Plan) -> String {
    let of = |action: Action| plan.steps.iter().filter(|step| step.action == action).count();
    let named = Action::ALL.iter().map(|row| (of(row.0), row.1)).filter(|(number, _)| *number > 0);
    let mut did: Vec<String> = named.map(|(number, name)| format!("{} {name}", exact(number as u64))).collect();
    if plan.forgets.is_some() {
        did.push("the index's word dropped".into());
    }
    did.join(", ")
}

fn standing(record: &Record) -> String {
    match (record.state, record.undone_by) {
        (RecordState::Applied, Some(by)) => format!("undone by {by}"),
        (RecordState::Applied, None) => "applied".into(),
        (RecordState::Unfinished, _) => "its journal breaks off: never begun, or damaged since".into(),
        (RecordState::Pending, _) => {
            "PENDING: opening for append, `repair` and `undo` complete it or take it back".into()
        }
        (RecordState::RolledBack, _) => "taken back when it was not completed".into(),
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::repair::kept_in;
    use crate::repair::{Certainty, LogIdentity, PLAN_VERSION, Piece};

    fn edit(offset: u64, before: &[u8], after: &[u8]) -> Change {
        Change { offset, before: before.to_vec(), after: after.to_vec() }
    }

    fn fix(certainty: Certainty, expected: &[f64]) -> Fix {
        let candidate = |(i, expected): (usize, &f64)| Candidate {
            expected: *expected,
            changes: vec![edit(8090 + i as u64, &[0x6f], &[0x6e])],
        };
        let candidates = expected.iter().enumerate().map(candidate).collect();
        Fix {
            action: Action::CorrectBits,
            certainty: Some(certainty),
            candidates,
            unsearched: None,
            choose: Some((8090, 1)),
        }
    }

    fn step(action: Action, range: Range<u64>, kind: &str, write: Write) -> Step {
        Step {
            action,
            certainty: action.restores().then_some(Certainty::Proven),
            start: range.start,
            end: range.end,
            new_end: range.end,
            pieces: vec![Piece { kind: kind.into(), start: range.start, end: range.end }],
            write,
            restored: u64::from(action.restores()),
            given_up: Loss::default(),
            also_possible: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
            neighbours: Vec::new(),
        }
    }

    fn plan(steps: Vec<Step>) -> Plan {
        let log = LogIdentity {
            path: "/logs/a.log".into(),
            header: Vec::new(),
            first_checksum: None,
            file: None,
            bytes: 5000,
        };
        let (left, forgotten) = (Vec::new(), Loss::default());
        Plan {
            plan: PLAN_VERSION,
            id: "ab".into(),
            undoes: None,
            log,
            steps,
            left,
            notes: Vec::new(),
            forgets: None,
            forgotten,
            lock_ms: 3,
        }
    }

    fn gap(range: Range<u64>) -> Step {
        step(Action::Gap, range, "garbage", Write::Gap { says: "{}".into(), header: None })
    }

    fn record(number: u32, plan: Plan) -> Record {
        let journal = format!("/logs/a.log.repairs/{number:04}.journal").into();
        let state = RecordState::Applied;
        Record { number, journal, begun_ms: 1_767_225_600_000, state, undone_by: None, plan }
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
            (fix_short(&choice).as_str(), fix_short(&fix(Certainty::Likely, &[0.0])).as_str()),
            ("choice of 4: correct bits", "likely: correct bits")
        );
        let old = fix(Certainty::Likely, &[0.0]);
        assert_eq!(
            fix_line(&old),
            "correct_bits, likely: 1 byte at offset 8090, 6f -> 6e, \"o\" -> \"n\"",
            "no figure, no word of it"
        );
        let tail = Fix {
            action: Action::SetAsideTail,
            certainty: None,
            candidates: Vec::new(),
            unsearched: None,
            choose: Some((8090, 1)),
        };
        assert_eq!(fix_short(&tail), "set aside tail");
        assert_eq!(fix_line(&tail), "set_aside_tail: kept in the journal and cut off the end");
    }

    #[test]
    fn many_bytes_are_shown_by_their_first() {
        let long = edit(16, &[0; 40], &[255; 40]);
        let said = change(&long);
        assert_eq!(said, format!("40 bytes at offset 16, {}… -> {}…", "00".repeat(12), "ff".repeat(12)));
        let six: Vec<Change> = (0..6).map(|i| edit(i, &[0], &[1])).collect();
        assert!(changes(&six).ends_with("1 byte at offset 2, 00 -> 01 and 3 more"), "{}", changes(&six));
    }

    #[test]
    fn a_plan_says_what_it_does_what_it_leaves_and_how_to_take_it_back() {
        let mut fenced = gap(320..630);
        fenced.given_up = Loss { at_least: 0, at_most: 1, aggregates: vec![42] };
        fenced.also_possible = vec![fix(Certainty::Choice, &[0.25, 0.5])];
        let bits = step(Action::CorrectBits, 16..320, "checksum", Write::Edits(vec![edit(90, &[0x6f], &[0x6e])]));
        let mut plan = plan(vec![bits, fenced, step(Action::SetAsideTail, 4900..5000, "torn_tail", Write::Cut)]);
        let donor =
            Fix { certainty: Some(Certainty::Choice), choose: Some((8090, 2)), ..Fix::plain(Action::TakeFromDonor) };
        plan.left = vec![Left {
            piece: Piece { kind: "invalid_event".into(), start: 700, end: 800 },
            why: "a writer's fault".into(),
            also_possible: vec![fix(Certainty::Likely, &[0.005]), donor],
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
        let piece = Piece { kind: "unreadable".into(), start: 16, end: 512 };
        plan.left = vec![Left { piece, why: "the device refuses".into(), also_possible: Vec::new() }];
        let said = plan_lines(&plan, folder);
        assert_eq!(said, ["/logs/a.log: nothing is repaired", "left: 16..512 unreadable: the device refuses"]);
    }

    #[test]
    fn what_is_forgotten_and_what_is_undone_is_said() {
        let mut forgetting = plan(Vec::new());
        forgetting.forgets = Some(6000);
        forgetting.forgotten = Loss { at_least: 2, at_most: 12, aggregates: (1..=8).collect() };
        let said = plan_lines(&forgetting, Path::new("x"));
        assert_eq!(
            said[1],
            "forgotten: that the log once had 6000 bytes; their offsets go to new events; 2 to 12 events given up \
             (aggregates 1, 2, 3, 4, 5, 3 more)"
        );
        assert_eq!(said[2], "no old bytes are replaced; the plan is kept in x; `chronicle undo` takes it back");
        let mut undo = plan(vec![step(Action::Gap, 16..320, "garbage", Write::Taken { from: "j".into() })]);
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
        let journal = |records: &[Record], range| kept_in(records, range).map(|path| path.display().to_string());
        assert_eq!(journal(&records, 16..320).as_deref(), Some("/logs/a.log.repairs/0002.journal"));
        assert_eq!(journal(&records, 100..200).as_deref(), Some("/logs/a.log.repairs/0002.journal"), "one of a chain");
        assert_eq!(journal(&records, 300..400), None);
        records[1].undone_by = Some(3);
        assert_eq!(journal(&records, 16..320).as_deref(), Some("/logs/a.log.repairs/0001.journal"));
        records[0].state = RecordState::RolledBack;
        assert_eq!(journal(&records, 16..320), None);
    }
}
