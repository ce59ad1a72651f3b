//! Ranges of which no segment is left and which a repair has given up: in the list, the findings and the Segments tab, and the
//! plans that give them up.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use super::TestScreen;
use super::segments::{files, scanned_screen};
use crate::log::OpenOptions;
use crate::repair::{ApplyOptions, RepairOptions, apply, plan_repair};
use crate::tui::keys::Key;

/// Removes the third segment.
fn lose_segment(path: &Path) {
    fs::remove_file(&files(path)[2]).unwrap();
}

/// Removes the third segment, and gives its range up.
fn give_up_segment(path: &Path) {
    lose_segment(path);
    let log = OpenOptions::new().open_read_only(path).unwrap();
    let plan = plan_repair(log.view(), &RepairOptions::new(), &mut |_| ControlFlow::Continue(())).unwrap();
    drop(log);
    apply(&OpenOptions::new().log_paths(path).unwrap(), &plan, ApplyOptions::new()).unwrap();
}

fn assert_hides(screen: &mut TestScreen, text: &str) {
    let shown = screen.screen_text();
    assert!(!shown.contains(text), "{text}: {shown}");
}

#[test]
fn a_range_that_was_given_up_is_shown_as_lost_and_not_as_damage() {
    for size in [(120, 40), (80, 24)] {
        let mut screen = scanned_screen(size, give_up_segment);
        screen.assert_shows("▒ lost");
        screen.assert_shows("1 lost range");
        assert_hides(&mut screen, "× missing");
        assert_hides(&mut screen, "missing range");
        screen.press(&[Key::Char('3')]);
        screen.assert_shows("lost");
        screen.assert_shows("no segment has these");
        assert_hides(&mut screen, "gap");
        assert_hides(&mut screen, "×");
        screen.press(&[Key::Char('1'), Key::Char('g')]);
        let start = screen.model.scan.findings[0].start;
        screen.press(&[Key::Char(':')]);
        screen.type_text(&start.to_string());
        screen.press(&[Key::Enter]);
        screen.assert_shows(&format!("{start}  lost to "));
    }
}

#[test]
fn the_plan_of_a_missing_segment_says_that_its_range_is_recorded_as_lost() {
    for size in [(120, 40), (80, 24)] {
        let mut screen = scanned_screen(size, lose_segment);
        screen.assert_shows("× missing");
        screen.press(&[Key::Char('3')]);
        screen.assert_shows("→ record as lost");
        screen.press(&[Key::Char('x')]);
        screen.assert_shows("recorded as l");
        assert_hides(&mut screen, "gap");
    }
}
