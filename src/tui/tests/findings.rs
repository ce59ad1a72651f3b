//! The list of findings while the scan changes it.

use super::{TestScreen, damaged_log};
use crate::format::Finding;
use crate::repair::ProposedFix;
use crate::tui::keys::Key;
use crate::tui::message::BackgroundUpdate;
use crate::tui::model::{Pane, ScanProgress, ScanState};

#[test]
fn the_cursor_of_the_findings_stays_on_its_finding_while_the_log_is_read_again() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.run_scan();
    screen.press(&[Key::Char('3'), Key::Char('j'), Key::Char('j')]);
    let selected = |screen: &TestScreen| screen.model.scan.findings[screen.model.findings.line].start;
    let start = selected(&screen);
    assert_eq!(screen.model.findings.line, 2);
    screen.press(&[Key::Tab, Key::Char('V')]);
    assert!(screen.model.scan.findings.is_empty() && screen.model.focus == Pane::Detail, "the pane keeps the focus");
    screen.run_scan();
    assert_eq!((selected(&screen), screen.model.focus), (start, Pane::Detail));
    // A finding before it is found later.
    let earlier = Finding { start: 100, end: 110, ..screen.model.scan.findings[0].clone() };
    let earlier = ProposedFix { finding: earlier, fix: None };
    screen.send_update(BackgroundUpdate::Finding(Box::new(earlier.clone())));
    assert_eq!((selected(&screen), screen.model.findings.line), (start, 3));
    // A cursor that was not moved stays on the first line.
    let mut untouched = TestScreen::new(&damaged_log(), (120, 40));
    untouched.run_scan();
    untouched.send_update(BackgroundUpdate::Finding(Box::new(earlier.clone())));
    assert_eq!((selected(&untouched), untouched.model.findings.line), (100, 0));
    // The user moves while the log is read again.
    screen.press(&[Key::Tab, Key::Char('V')]);
    screen.run_scan();
    screen.press(&[Key::Char('k')]);
    let moved_to = selected(&screen);
    assert!(moved_to < start);
    screen.send_update(BackgroundUpdate::ScanDone);
    assert_eq!(selected(&screen), moved_to);
}

#[test]
fn a_repair_is_suggested_only_where_one_finding_has_a_fix() {
    let suggested = |has_fix: bool| {
        let mut screen = TestScreen::new(&damaged_log(), (120, 40));
        screen.run_scan();
        let finding = screen.model.scan.findings[0].clone();
        let fix = screen.model.scan.fix_for(&finding).cloned().filter(|_| has_fix);
        screen.model.scan = ScanProgress::new(ScanState::Running);
        (screen.model.has_suggested_keys, screen.model.notice) = (false, None);
        screen.send_update(BackgroundUpdate::Finding(Box::new(ProposedFix { finding, fix })));
        screen.send_update(BackgroundUpdate::ScanDone);
        screen
    };
    suggested(true).assert_shows("1 damaged so far: e to look, X to repair, all undoable with u");
    suggested(false).assert_shows("1 damaged so far: e to look, 3 lists the findings, ? lists all keys");
}

#[test]
fn a_narrow_list_has_the_start_the_kind_and_the_fix_of_each_finding() {
    let mut screen = TestScreen::new(&damaged_log(), (40, 20));
    screen.run_scan();
    screen.press(&[Key::Char('3')]);
    let text = screen.screen_text();
    let row = text.lines().find(|line| line.starts_with('>')).unwrap();
    for expected in [" 646  ", "checksum", "→ correct bits"] {
        assert!(row.contains(expected), "{expected}: {text}");
    }
    screen.resize(60, 20);
    screen.assert_shows("646..856");
}
