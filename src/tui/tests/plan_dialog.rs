//! The dialog of a plan: its table, the decisions, the bytes of a range, and the mouse.

use std::fs;

use ratatui::layout::Position;

use super::golden::assert_golden;
use super::repairs::{damaged_screen, full_plan};
use super::{TestScreen, clean_log, damaged_log};
use crate::repair::{FindingSelector, Plan, RepairAction, RepairOptions, StepPart, StepWrite};
use crate::report::PlanRowState;
use crate::tui::effect::Effect;
use crate::tui::keys::Key;
use crate::tui::message::{Message, RequestFailure, Response, WheelDirection};
use crate::tui::model::{LineChange, PlanFocus, PlanLine, PlanPage, PlanPreview};
use crate::tui::request::{PlanRequest, Request, WorkerKind};

const SIZES: [(u16, u16); 4] = [(120, 40), (80, 24), (60, 15), (20, 5)];

/// Returns the position of the first character of a text on the screen.
fn position_of(screen: &TestScreen, text: &str) -> Position {
    let shown = screen.screen_text();
    let found = shown.lines().enumerate().find_map(|(y, line)| {
        let byte = line.find(text)?;
        Some(Position::new(line[..byte].chars().count() as u16, y as u16))
    });
    found.unwrap_or_else(|| panic!("{text} is not on the screen:\n{shown}"))
}

fn options_of(screen: &TestScreen) -> RepairOptions {
    match screen.plan_dialog().unwrap().request() {
        PlanRequest::Repair { options, .. } => options.clone(),
        _ => panic!("an undo"),
    }
}

/// Shows a plan as if it had been made for these options.
fn show_plan(screen: &mut TestScreen, options: RepairOptions, plan: Plan) {
    let mut preview = PlanPreview::new(PlanRequest::Repair { options, undecided: Vec::new() }, plan);
    preview.plan.log.path = "/logs/accounts.log".into();
    screen.deliver_plan(preview);
}

#[test]
fn tab_leads_to_cancel_first_and_a_mark_shows_the_row() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('X'), Key::Down]);
    screen.assert_shows(">[x] 1906..2116");
    screen.press(&[Key::Tab, Key::Enter]);
    assert!(screen.plan_dialog().is_none() && !screen.path.with_extension("log.repairs").exists());
    screen.press(&[Key::Char('X'), Key::Tab, Key::Tab]);
    assert_eq!(screen.plan_dialog().unwrap().focus, PlanFocus::Confirm);
}

#[test]
fn a_range_that_is_taken_out_is_left_by_the_plan_and_by_the_command() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('X'), Key::Char('j'), Key::Char(' ')]);
    let dialog = screen.plan_dialog().unwrap();
    assert_eq!((dialog.preview.plan.steps.len(), dialog.preview.plan.unrepaired.len()), (3, 1));
    assert_eq!(dialog.selected_row().unwrap().state, PlanRowState::Excluded);
    assert_eq!(options_of(&screen).except, [FindingSelector::Start(1906)]);
    for text in ["--except 1906", "[ ] 1906..2116", "total: 3 of 4"] {
        screen.assert_shows(text);
    }
    // The plan is the one that the command makes, and it is applied as shown.
    screen.press(&[Key::Right, Key::Enter]);
    screen.assert_shows("Repair 1 done");
    let repaired = fs::read(&screen.path).unwrap();
    assert_eq!(repaired[1906..2116], damaged_log()[1906..2116]);
    assert_ne!(repaired[646..856], damaged_log()[646..856]);
}

#[test]
fn a_range_is_taken_in_again_and_the_plan_is_the_first_one() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('X')]);
    let first = screen.shown_plan().unwrap().plan.clone();
    screen.press(&[Key::Char(' ')]);
    assert_ne!(screen.shown_plan().unwrap().plan.digest, first.digest);
    screen.press(&[Key::Char(' ')]);
    let again = screen.shown_plan().unwrap().plan.clone();
    assert_eq!((again.digest, again.id), (first.digest, first.id));
    assert!(options_of(&screen).except.is_empty());
    // Without any range, there is nothing to confirm, and every range can be taken in again.
    screen.press(&[Key::Char(' '), Key::Down, Key::Char(' '), Key::Down, Key::Char(' '), Key::Down, Key::Char(' ')]);
    assert!(screen.shown_plan().unwrap().plan.is_empty());
    screen.press(&[Key::Right]);
    assert_eq!(screen.plan_dialog().unwrap().focus, PlanFocus::Cancel);
    screen.press(&[Key::Up, Key::Char(' ')]);
    assert_eq!(screen.shown_plan().unwrap().plan.steps.len(), 1);
}

#[test]
fn decisions_are_shown_before_their_plan_arrives_and_nothing_else_is_confirmed() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('X')]);
    for key in [Key::Char(' '), Key::Down, Key::Char(' ')] {
        assert!(screen.requests_of_key(key).len() <= 1);
    }
    screen.assert_shows("--except 646 --except 1906");
    screen.assert_shows("[ ] 646..856");
    screen.press(&[Key::Right]);
    assert!(screen.requests_of_key(Key::Enter).is_empty());
    screen.assert_shows("not ready yet");
    // A plan that cannot be made leaves the earlier plan and its decisions.
    let failure = RequestFailure::Error("the log was changed".into());
    screen.respond(WorkerKind::Write, Response::Failed(failure));
    screen.assert_shows("the log was changed");
    screen.assert_shows("[x] 646..856");
    assert!(options_of(&screen).except.is_empty());
    // Esc closes the dialog and stops the planning.
    let requests = screen.requests_of_key(Key::Char(' '));
    assert!(matches!(requests.as_slice(), [Request::Plan(_)]), "{requests:?}");
    screen.press(&[Key::Esc]);
    assert!(screen.model.overlays.is_empty() && !screen.has_job(WorkerKind::Write));
    assert!(screen.has_effect(|effect| matches!(effect, Effect::Cancel(WorkerKind::Write))));
}

#[test]
fn the_bytes_of_each_range_are_those_that_the_repair_writes() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('X')]);
    let rows = screen.plan_dialog().unwrap().rows.clone();
    let mut shown = Vec::new();
    for _ in &rows {
        screen.press(&[Key::Enter]);
        let dialog = screen.plan_dialog().unwrap();
        let lines = dialog.page_lines(80, 16).into_iter().filter_map(|line| match line {
            PlanLine::Bytes(line) => Some(line),
            _ => None,
        });
        shown.push(lines.collect::<Vec<_>>());
        screen.press(&[Key::Esc, Key::Down]);
    }
    screen.press(&[Key::Right, Key::Enter]);
    let (before, after) = (damaged_log(), fs::read(&screen.path).unwrap());
    assert_ne!(before, after);
    for (row, lines) in rows.iter().zip(&shown) {
        assert!(lines.iter().any(|line| line.change == LineChange::Before), "{row:?}");
        for line in lines {
            let bytes: Vec<u8> = line.bytes.iter().map(|byte| byte.value).collect();
            let log = if line.change == LineChange::After { &after } else { &before };
            let start = line.offset as usize;
            assert_eq!(log.get(start..start + bytes.len()), Some(bytes.as_slice()), "{row:?}, {line:?}");
        }
    }
    // A range that the plan leaves has its bytes once.
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('X'), Key::Char(' '), Key::Enter]);
    screen.assert_shows("leaves these bytes as they are");
    let lines = screen.plan_dialog().unwrap().page_lines(80, 16);
    assert!(lines.iter().all(|line| !matches!(line, PlanLine::Bytes(line) if line.change != LineChange::Kept)));
}

#[test]
fn an_undo_has_a_table_and_bytes_and_no_range_can_be_taken_out() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('X'), Key::Right, Key::Enter, Key::Char('u')]);
    let plan = screen.shown_plan().unwrap().plan.clone();
    screen.press(&[Key::Char(' ')]);
    screen.assert_shows("as a whole");
    assert_eq!(screen.shown_plan().unwrap().plan, plan);
    screen.press(&[Key::Enter]);
    let PlanPage::Bytes(bytes) = &screen.plan_dialog().unwrap().page else { panic!() };
    let parts = bytes.parts.clone().unwrap().unwrap();
    let log = damaged_log();
    assert!(parts.iter().all(|part| log[part.offset as usize..].starts_with(&part.after)), "{parts:?}");
}

#[test]
fn words_are_explained_and_the_command_is_copied() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('X'), Key::Char('?')]);
    for text in ["proven: ", "torn_tail: ", "given up"] {
        screen.assert_shows(text);
    }
    screen.press(&[Key::Char('?'), Key::Char('y')]);
    screen.assert_shows("Sent command");
    let command = "chronicle repair /logs/accounts.log --yes";
    assert!(screen.has_effect(|effect| matches!(effect, Effect::CopyToClipboard(text) if text == command)));
}

#[test]
fn the_mouse_presses_buttons_selects_rows_and_toggles_checkboxes() {
    let mut screen = damaged_screen();
    let drawn =
        |screen: &mut TestScreen| screen.send(Message::Drawn(crate::tui::session_time::SessionTime(screen.clock)));
    screen.press(&[Key::Char('X')]);
    drawn(&mut screen);
    let checkbox = position_of(&screen, "[x] 2960..");
    screen.send(Message::Click(Position { x: checkbox.x + 6, ..checkbox }));
    assert_eq!((screen.plan_dialog().unwrap().cursor.line, options_of(&screen).except.len()), (2, 0));
    screen.send(Message::Click(checkbox));
    assert_eq!(options_of(&screen).except, [FindingSelector::Start(2960)]);
    screen.send(Message::Wheel(checkbox, WheelDirection::Down));
    assert!(screen.plan_dialog().unwrap().cursor.line > 2);
    let cancel = position_of(&screen, "Cancel");
    screen.send(Message::Click(cancel));
    assert!(screen.model.overlays.is_empty());
    screen.press(&[Key::Char('X')]);
    let button = position_of(&screen, "Repair  ]");
    // A click from before the dialog was drawn has no effect.
    screen.send(Message::Click(button));
    assert!(screen.shown_plan().is_some());
    drawn(&mut screen);
    screen.send(Message::Click(button));
    screen.assert_shows("Repair 1 done");
    // The buttons of other dialogs take clicks too.
    screen.press(&[Key::Char('R')]);
    drawn(&mut screen);
    screen.send(Message::Click(position_of(&screen, "Cancel")));
    assert!(screen.model.overlays.is_empty() && !screen.has_job(WorkerKind::Write));
}

/// Repeats the steps of a plan until it has `count` of them, at ascending offsets.
fn long_plan(count: u64) -> Plan {
    let mut plan = full_plan();
    let steps = plan.steps.clone();
    plan.steps = (0..count)
        .zip(steps.iter().cycle())
        .map(|(number, step)| {
            let mut step = step.clone();
            let start = 1000 + number * 4000;
            (step.end, step.new_end) = (start + step.end - step.start, start + step.end - step.start);
            step.start = start;
            step.pieces.iter_mut().for_each(|piece| piece.start = start);
            step
        })
        .collect();
    plan
}

#[test]
fn goldens_of_the_dialog() {
    let mut screen = damaged_screen();
    show_plan(&mut screen, RepairOptions::new(), long_plan(50));
    assert_golden("plan_long", &mut screen, &SIZES[..3]);
    screen.model.overlays.clear();

    screen.resize(120, 40);
    screen.press(&[Key::Char('X'), Key::Char(' ')]);
    let out = screen.take_shown_plan();
    screen.deliver_plan(out);
    assert_golden("plan_out", &mut screen, &SIZES[..3]);
    screen.press(&[Key::Char('j'), Key::Enter]);
    assert_golden("plan_bytes", &mut screen, &SIZES);
    screen.press(&[Key::Esc, Key::Char('?')]);
    assert_golden("plan_words", &mut screen, &SIZES[..3]);
    screen.model.overlays.clear();

    let mut donor = full_plan();
    let copy = std::path::PathBuf::from("/backup/accounts.log");
    donor.steps[2].action = RepairAction::TakeFromDonor;
    donor.steps[2].certainty = donor.steps[0].certainty;
    donor.steps[2].restored_events = 2;
    donor.steps[2].loss = crate::repair::Loss::default();
    let (middle, end) = (donor.steps[2].start + 211, donor.steps[2].end);
    donor.steps[2].write = StepWrite::Parts {
        description: "{}".into(),
        parts: vec![StepPart { end: middle, from: Some(copy.clone()) }, StepPart { end, from: None }],
        header: None,
    };
    donor.notes.push("the donor /backup/accounts.log has 630 bytes after the end of this log".into());
    show_plan(&mut screen, RepairOptions::new().donor(copy), donor);
    assert_golden("plan_donor", &mut screen, &SIZES[..3]);

    let mut screen = TestScreen::new(&clean_log(5), (120, 40));
    let plan = Plan { steps: Vec::new(), ..full_plan() };
    show_plan(&mut screen, RepairOptions::new(), plan);
    assert_golden("plan_empty", &mut screen, &SIZES[..3]);
}
