//! Erasing events, undoing it, making it final, and compaction on the screen: the plans, their labels, what is written, and
//! why an action is not available.

use std::fs;

use super::{TestScreen, clean_log, damaged_log};
use crate::tui::keys::Key;
use crate::tui::model::{PlanFocus, Tab};

fn screen(log: &[u8]) -> TestScreen {
    let mut screen = TestScreen::new(log, (120, 40));
    screen.run_scan();
    screen
}

/// Types a line in the palette, and presses Enter.
fn run(screen: &mut TestScreen, line: &str) {
    screen.press(&[Key::Char(':')]);
    screen.type_text(line);
    screen.press(&[Key::Enter]);
}

#[test]
fn the_selected_event_is_erased_after_its_plan_was_confirmed_and_undone() {
    let log = clean_log(20);
    let mut screen = screen(&log);
    screen.press(&[Key::Char('j')]);
    run(&mut screen, "erase request 17");
    for text in ["Erase the event at 16?", "1 event in 1 range", "destroys them", "not reached", "--reason"] {
        screen.assert_shows(text);
    }
    assert_eq!(screen.plan_dialog().unwrap().focus, PlanFocus::Rows);
    screen.press(&[Key::Char(' ')]);
    screen.assert_shows("Only the ranges of a repair can be left out");
    assert_eq!(fs::read(&screen.path).unwrap(), log, "nothing is written before it is confirmed");
    screen.press(&[Key::Right, Key::Enter]);
    screen.assert_shows("Erasure 1 done; u undoes it until a purge");
    let erased = fs::read(&screen.path).unwrap();
    assert!(erased.len() == log.len() && memchr::memmem::find(&erased, b"request 17").is_some());
    screen.press(&[Key::Char('g'), Key::Char('j')]);
    screen.assert_shows("an event of ");
    screen.assert_shows("was erased at");
    run(&mut screen, "erase");
    screen.assert_shows("no event is selected");
    screen.press(&[Key::Char('u'), Key::Right, Key::Enter]);
    assert_eq!(fs::read(&screen.path).unwrap(), log);
}

#[test]
fn an_aggregate_is_erased_and_made_final() {
    let log = clean_log(30);
    let mut screen = screen(&log);
    run(&mut screen, "purge");
    screen.assert_shows("no erasure is in effect");
    screen.press(&[Key::Esc, Key::Char('2'), Key::Char('j')]);
    run(&mut screen, "erase");
    for text in ["Erase all events of aggregate 1?", "6 events in 6 ranges", "1 aggregate loses all its events (1)"] {
        screen.assert_shows(text);
    }
    screen.press(&[Key::Right, Key::Enter]);
    screen.assert_shows("Erasure 1 done");
    screen.run_scan();
    screen.press(&[Key::Char('1'), Key::Char('2')]);
    assert_eq!(screen.model.aggregates.total, 4, "{}", screen.screen_text());
    screen.press(&[Key::Char('5')]);
    assert_eq!(screen.model.tab, Tab::Repairs);
    run(&mut screen, "purge");
    for text in ["Make erasure 1 final?", "erasure 1 becomes final", "nothing brings the events back"] {
        screen.assert_shows(text);
    }
    screen.press(&[Key::Right, Key::Enter]);
    screen.assert_shows("Purge 2 done");
    screen.assert_shows("final");
    let folder = screen.path.parent().unwrap().join("accounts.log.repairs");
    for file in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(memchr::memmem::find(&bytes, b"Juan").is_none());
    }
    screen.press(&[Key::Char('u')]);
    screen.assert_shows("cannot be undone");
}

#[test]
fn an_erasure_needs_an_event_and_a_log_that_can_be_written() {
    let mut screen = screen(&damaged_log());
    screen.press(&[Key::Char('e')]);
    run(&mut screen, "erase why");
    screen.assert_shows("erase: no event is selected");
    screen.press(&[Key::Char('g'), Key::Char('j')]);
    // The event that is selected on another tab is out of sight.
    for tab in ['3', '4', '5', '6', '7'] {
        screen.press(&[Key::Char(tab)]);
        run(&mut screen, "erase why");
        screen.assert_shows("erase: no event is selected");
        assert!(screen.plan_dialog().is_none(), "tab {tab}");
    }
}

#[test]
fn the_latest_events_are_copied_into_a_new_log_and_no_file_is_replaced() {
    let mut screen = screen(&clean_log(30));
    let path = screen.path.parent().unwrap().join("new.log");
    let line = format!("compact {}", path.display());
    run(&mut screen, &line);
    screen.assert_shows("5 events, 25 dropped");
    let written = fs::read(&path).unwrap();
    run(&mut screen, &line);
    screen.assert_shows("exists");
    assert_eq!(fs::read(&path).unwrap(), written);
    // Under a filter, only the latest events that it shows.
    screen.press(&[Key::Char('f')]);
    screen.type_text("agg:1,2");
    screen.press(&[Key::Enter]);
    run(&mut screen, &format!("compact {}", path.with_extension("two.log").display()));
    screen.assert_shows("2 events, 28 dropped");
    let log = fs::read(&screen.path).unwrap();
    let line = format!("compact {}", screen.path.display());
    run(&mut screen, &line);
    assert_eq!(fs::read(&screen.path).unwrap(), log);
}

#[test]
fn the_aggregate_view_erases_all_events_of_the_aggregate() {
    let mut screen = screen(&clean_log(30));
    // The second event belongs to aggregate 1, and the view has the focus.
    screen.press(&[Key::Char('j'), Key::Char('j'), Key::Tab, Key::Char(']'), Key::Char(']'), Key::Char(']')]);
    assert_eq!(screen.model.detail.shown_view(), crate::tui::model::DetailView::Aggregate);
    run(&mut screen, "erase request 17");
    screen.assert_shows("Erase all events of aggregate 1?");
    screen.assert_shows("--aggregate 1 --reason");
    screen.press(&[Key::Esc, Key::Esc, Key::Char('1')]);
    run(&mut screen, "erase");
    screen.assert_shows("Erase the event at");
}

#[test]
fn after_a_change_without_an_index_no_aggregates_of_the_log_before_are_shown() {
    let mut screen = screen(&clean_log(30));
    screen.press(&[Key::Char('2'), Key::Char('j'), Key::Char('j')]);
    assert_eq!((screen.model.aggregates.total, screen.model.aggregates.cursor.line), (5, 2));
    run(&mut screen, "erase");
    screen.press(&[Key::Right, Key::Enter]);
    screen.assert_shows("Erasure 1 done");
    assert_eq!((screen.model.aggregates.total, screen.model.aggregates.rows.len()), (0, 0), "{}", screen.screen_text());
    screen.assert_shows("It is ready when the scan is done");
    screen.run_scan();
    // The cursor waits at its line.
    assert_eq!((screen.model.aggregates.total, screen.model.aggregates.cursor.line), (4, 2));
}
