//! The Compare tab: the differences from a backup, their places in the log, and the repair that takes events from it.

use std::fs;
use std::path::Path;

use super::golden::assert_golden;
use super::{TestScreen, clean_log, damaged_log, frame_starts};
use crate::EventLog;
use crate::tui::keys::Key;
use crate::tui::message::{RequestFailure, Response};
use crate::tui::model::{ComparePane, CompareState, DetailView, DifferenceMeaning, Tab};
use crate::tui::request::{PlanRequest, WorkerKind};

const SIZES: [(u16, u16); 4] = [(120, 40), (80, 24), (60, 15), (20, 5)];

/// Opens a log, and compares it with a backup of these bytes.
fn compared_screen(log: &[u8], backup: &[u8]) -> TestScreen {
    let mut screen = TestScreen::new(log, (120, 40));
    screen.run_scan();
    fs::write(screen.path.with_file_name("backup.log"), backup).unwrap();
    compare_with(&mut screen, "backup.log");
    screen
}

/// Types the command that compares the log with a file in its folder.
pub(super) fn compare_with(screen: &mut TestScreen, name: &str) {
    let path = screen.path.with_file_name(name);
    screen.press(&[Key::Char('C')]);
    screen.type_text(path.to_str().unwrap());
    screen.press(&[Key::Enter]);
}

/// Returns a backup of the log that [`damaged_log`] damages: it ends earlier, has damage of its own, and one event that
/// differs.
fn older_backup() -> Vec<u8> {
    let mut bytes = clean_log(50);
    let starts = frame_starts(&bytes);
    bytes[starts[20] + 60] ^= 0x01;
    let other = clean_log_with_other_payload();
    bytes[starts[30]..starts[31]].copy_from_slice(&other[starts[30]..starts[31]]);
    bytes
}

/// Returns a log like [`clean_log`] whose payloads have another name of the same length.
fn clean_log_with_other_payload() -> Vec<u8> {
    let bytes = clean_log(50);
    let starts = frame_starts(&bytes);
    let mut out = bytes[..16].to_vec();
    for (number, start) in starts.iter().enumerate() {
        let end = starts.get(number + 1).copied().unwrap_or(bytes.len());
        let payload = String::from_utf8(bytes[start + 4..end - 4].to_vec()).unwrap();
        crate::format::frame::encode(payload.replace("Juan", "Anna").as_bytes(), &mut out);
    }
    out
}

fn meanings(screen: &TestScreen) -> Vec<DifferenceMeaning> {
    screen.model.compare.differences().iter().map(DifferenceMeaning::of).collect()
}

#[test]
fn the_tab_says_what_to_do_before_a_backup_is_compared() {
    let mut screen = TestScreen::new(&clean_log(5), (120, 40));
    screen.press(&[Key::Char('7')]);
    screen.assert_shows("`:compare FILE`");
    assert_golden("compare_none", &mut screen, &SIZES[1..3]);
    screen.press(&[Key::Char('x')]);
    screen.assert_shows("no backup was compared yet");
    screen.press(&[Key::Char('v')]);
    assert!(!screen.model.overlays.is_empty(), "the key that compares again asks for the backup");
}

#[test]
fn a_damaged_log_and_an_older_backup_that_is_damaged_too() {
    let mut screen = compared_screen(&damaged_log(), &older_backup());
    assert_eq!(screen.model.tab, Tab::Compare);
    let names: Vec<&str> = meanings(&screen).into_iter().map(DifferenceMeaning::name).collect();
    let expected = ["lost here", "lost here", "lost here", "lost here", "only here", "differs", "only here"];
    assert_eq!(names, expected);
    screen.assert_shows("4 lost here, 1 differing");
    screen.assert_shows("The backup is older: it ends 2.0 KiB before this log, its last event");
    screen.assert_shows("The backup is damaged itself");
    assert_golden("compare", &mut screen, &SIZES);
    screen.resize(120, 40);
    screen.press(&[Key::Char('j'); 5]);
    screen.assert_shows("~ payload.name: \"Juan\" → \"Anna\"");
    assert_golden("compare_differs", &mut screen, &SIZES[..2]);
    screen.resize(60, 15);
    screen.press(&[Key::Tab]);
    assert_golden("compare_differs_alone", &mut screen, &SIZES[2..]);
}

#[test]
fn an_identical_backup() {
    let mut screen = compared_screen(&clean_log(40), &clean_log(40));
    screen.assert_shows("backup.log is identical to this log, byte for byte");
    assert_golden("compare_identical", &mut screen, &SIZES[..3]);
    // The same damage in both is not a difference, and is not hidden either.
    let screen = compared_screen(&damaged_log(), &damaged_log());
    screen.assert_shows("4 damaged ranges of this log: the backup has the same bytes");
}

#[test]
fn an_unrelated_log() {
    let mut other = clean_log_with_other_payload();
    other[10] ^= 1;
    let mut screen = compared_screen(&clean_log(40), &other);
    screen.assert_shows("These are not copies of one log");
    assert_golden("compare_unrelated", &mut screen, &SIZES[..3]);
    screen.press(&[Key::Char('x')]);
    screen.assert_shows("no difference is selected");
}

#[test]
fn enter_goes_to_the_place_and_shows_both_copies() {
    let mut screen = compared_screen(&damaged_log(), &clean_log(60));
    let start = screen.model.compare.differences()[1].start;
    screen.press(&[Key::Char('j'), Key::Enter]);
    assert_eq!((screen.model.tab, screen.model.list.selected_offset()), (Tab::Events, start));
    assert_eq!(screen.model.detail.shown_view(), DetailView::Backup);
    screen.assert_shows("backup.log: Created");
    screen.assert_shows("this log: damaged");
    // The view is offered only where the copies differ.
    screen.press(&[Key::Char('g')]);
    assert_ne!(screen.model.detail.shown_view(), DetailView::Backup);
    // Going back leads to the tab and the difference.
    screen.press(&[Key::Ctrl('o'), Key::Ctrl('o')]);
    assert_eq!((screen.model.tab, screen.model.compare.cursor.line), (Tab::Compare, 1));
}

fn donors(screen: &TestScreen) -> Vec<String> {
    match screen.plan_dialog().unwrap().request() {
        PlanRequest::Repair { options, .. } => {
            options.donors.iter().map(|donor| donor.file_name().unwrap().to_str().unwrap().to_owned()).collect()
        }
        _ => panic!("an undo"),
    }
}

#[test]
fn x_takes_one_range_and_capital_x_all_of_them() {
    let clean = clean_log(60);
    let mut screen = compared_screen(&damaged_log(), &clean);
    screen.press(&[Key::Char('j'), Key::Char('x')]);
    assert_eq!(donors(&screen), ["backup.log"]);
    assert!(screen.plan_dialog().unwrap().title.contains(" from "), "{}", screen.plan_dialog().unwrap().title);
    assert_eq!(screen.shown_plan().unwrap().plan.steps.len(), 1);
    screen.press(&[Key::Esc, Key::Char('X')]);
    assert_eq!(donors(&screen), ["backup.log"]);
    screen.press(&[Key::BackTab, Key::Enter]);
    // The unfinished last event is set aside: nothing shows that the log has lost it.
    let last = frame_starts(&clean)[59];
    assert!(fs::read(&screen.path).unwrap() == clean[..last], "the events of the backup are in the log");
    // The copies are compared again, because the log has changed.
    assert_eq!(screen.model.tab, Tab::Compare);
    screen.assert_shows("backup.log: 1 after the end of this log");
    screen.press(&[Key::Char('u')]);
    screen.press(&[Key::Tab, Key::Tab, Key::Enter]);
    assert!(fs::read(&screen.path).unwrap() == damaged_log(), "the undo restores the log");
    screen.assert_shows("lost here");
}

#[test]
fn the_backup_is_the_donor_where_its_view_is_shown_and_nowhere_else() {
    let mut screen = compared_screen(&damaged_log(), &clean_log(60));
    screen.press(&[Key::Enter, Key::Char('x')]);
    assert_eq!(donors(&screen), ["backup.log"]);
    screen.press(&[Key::Esc, Key::Char(']'), Key::Char('x')]);
    assert_eq!(donors(&screen), [""; 0]);
}

#[test]
fn differences_without_a_lost_event_say_why_nothing_is_taken() {
    let mut screen = compared_screen(&damaged_log(), &older_backup());
    screen.press(&[Key::Char('j'); 4]);
    screen.press(&[Key::Char('x')]);
    screen.assert_shows("the backup has no event here");
    screen.press(&[Key::Char('j'), Key::Char('x')]);
    screen.assert_shows("a repair changes no valid event");
    // A gap of an earlier repair hides what was there.
    let mut screen = compared_screen(&damaged_log(), &clean_log(60));
    screen.press(&[Key::Char('1'), Key::Char('X'), Key::BackTab, Key::Enter, Key::Char('7')]);
    assert!(meanings(&screen).contains(&DifferenceMeaning::Lost));
    screen.press(&[Key::Char('x')]);
    let gap_row = screen.model.compare.differences().iter().position(|found| found.a.name() == "gap").unwrap();
    for _ in 0..gap_row {
        screen.press(&[Key::Char('j')]);
    }
    screen.press(&[Key::Char('x')]);
    screen.assert_shows("an earlier repair wrote a gap here");
}

#[test]
fn a_comparison_can_be_stopped_and_started_again() {
    let mut screen = TestScreen::new(&clean_log(30), (120, 40));
    screen.run_scan();
    fs::write(screen.path.with_file_name("backup.log"), clean_log(30)).unwrap();
    screen.press(&[Key::Char('C')]);
    screen.type_text(screen.path.with_file_name("backup.log").to_str().unwrap());
    screen.press_unhandled(Key::Enter);
    assert!(screen.has_job(WorkerKind::Compare));
    screen.assert_shows("Comparing with backup.log… Esc stops");
    screen.press_unhandled(Key::Esc);
    assert!(!screen.has_job(WorkerKind::Compare));
    screen.assert_shows("Stopped; v compares again");
    screen.press(&[Key::Char('v')]);
    screen.assert_shows("is identical to this log");
}

#[test]
fn a_file_that_cannot_be_compared_is_reported_in_the_tab() {
    let mut screen = TestScreen::new(&clean_log(30), (120, 40));
    compare_with(&mut screen, "missing.log");
    assert!(matches!(screen.model.compare.state, CompareState::Failed(_)));
    screen.assert_shows("missing.log");
    compare_with(&mut screen, "accounts.log");
    screen.assert_shows("this is the log itself");
    fs::write(screen.path.with_file_name("text.log"), "no log").unwrap();
    compare_with(&mut screen, "text.log");
    assert!(matches!(screen.model.compare.state, CompareState::Failed(_)));
    screen.respond(WorkerKind::Compare, Response::Failed(RequestFailure::Cancelled));
    fs::write(screen.path.with_file_name("backup.log"), clean_log(30)).unwrap();
    compare_with(&mut screen, "backup.log");
    screen.assert_shows("is identical to this log");
}

#[test]
fn a_log_that_lost_its_end_sees_what_the_backup_has_after_it() {
    let clean = clean_log(60);
    let cut = frame_starts(&clean)[55];
    let mut screen = compared_screen(&clean[..cut], &clean);
    assert_eq!(meanings(&screen), [DifferenceMeaning::BackupContinues]);
    screen.assert_shows("5 after the end of this log");
    screen.press(&[Key::Char('x')]);
    screen.assert_shows("nothing shows that this");
}

#[test]
fn the_plan_for_a_lost_end_of_which_the_index_is_left_says_that_it_is_lost() {
    let clean = clean_log(60);
    let cut = frame_starts(&clean)[55];
    let make = |path: &Path| {
        fs::write(path, &clean).unwrap();
        EventLog::open_read_only(path).unwrap().save_index().unwrap();
        fs::write(path, &clean[..cut]).unwrap();
    };
    let mut screen = TestScreen::of_log((120, 40), make, |_| {});
    screen.run_scan();
    fs::write(screen.path.with_file_name("backup.log"), &clean).unwrap();
    compare_with(&mut screen, "backup.log");
    screen.press(&[Key::Char('x')]);
    assert!(!screen.shows("nothing shows that this"), "{}", screen.screen_text());
    screen.assert_shows("has lost its end");
}

#[test]
fn tab_completes_the_path_of_a_backup() {
    let mut screen = TestScreen::new(&clean_log(3), (120, 40));
    let folder = screen.path.parent().unwrap().to_owned();
    fs::create_dir(folder.join("copies")).unwrap();
    fs::write(folder.join("copies/old.log"), clean_log(3)).unwrap();
    screen.press(&[Key::Char(':')]);
    screen.type_text(&format!("compare {}/co", folder.display()));
    screen.assert_shows("> copies/");
    screen.press(&[Key::Tab, Key::Tab]);
    screen.press(&[Key::Enter]);
    assert_eq!(screen.model.compare.path, Some(folder.join("copies/old.log")));
    screen.assert_shows("old.log is identical to this log");
    // Enter takes what is marked: first the folder, then the file in it.
    screen.model.compare = ComparePane::default();
    screen.press(&[Key::Char(':')]);
    screen.type_text(&format!("compare {}/co", folder.display()));
    screen.press(&[Key::Enter]);
    screen.assert_shows("> old.log");
    screen.press(&[Key::Enter]);
    assert_eq!(screen.model.compare.path, Some(folder.join("copies/old.log")));
}

#[test]
fn a_word_without_its_path_asks_for_one() {
    let mut screen = TestScreen::new(&clean_log(3), (120, 40));
    for word in ["compare", "screenshot"] {
        screen.press(&[Key::Char(':')]);
        screen.type_text(&format!("{word} "));
        screen.press(&[Key::Enter]);
        screen.assert_shows(&format!("expected the path of a file after `{word}`"));
        screen.press(&[Key::Esc]);
    }
}

#[test]
fn the_copy_keys_copy_the_compared_event_and_not_the_row_of_the_list() {
    let clean = clean_log(60);
    let mut screen = compared_screen(&damaged_log(), &clean);
    let start = screen.model.compare.differences()[1].start;
    let backup = screen.path.with_file_name("backup.log");
    screen.press(&[Key::Char('j'), Key::Char('y'), Key::Char('o'), Key::Char('y'), Key::Char('c')]);
    assert_eq!(screen.copied_texts(), [start.to_string(), format!("chronicle show {} {start}", backup.display())]);
    screen.unhandled_effects.clear();
    screen.press(&[Key::Char('y'), Key::Char('j'), Key::Char('y'), Key::Char('p')]);
    let copied = screen.copied_texts().into_iter().map(str::to_owned).collect::<Vec<_>>();
    let next = frame_starts(&clean).into_iter().find(|next| *next as u64 > start).unwrap();
    assert_eq!(copied[0].as_bytes(), &clean[start as usize + 4..next - 4], "the event of the backup, as stored");
    assert!(copied[0].contains(&copied[1]) && copied[1].starts_with("{\"name\":\"Juan\""), "{copied:?}");
    screen.press(&[Key::Char('y')]);
    screen.assert_shows("the whole frame is not read here");
    // Where only the log has an event, its parts are copied.
    let mut screen = compared_screen(&clean, &damaged_log());
    screen.press(&[Key::Char('y'), Key::Char('c'), Key::Char('y'), Key::Char('j')]);
    let copied = screen.copied_texts();
    assert!(copied[0].starts_with("chronicle show /logs/accounts.log ") && copied[1].contains("Juan"), "{copied:?}");
}

#[test]
fn the_copy_keys_of_other_tabs_copy_their_lines_and_never_the_row_of_the_events() {
    let mut screen = TestScreen::new(&clean_log(60), (120, 40));
    screen.run_scan();
    screen.press(&[Key::Char('G'), Key::Char('f')]);
    screen.type_text("-type:Created");
    screen.press(&[Key::Enter, Key::Char('2'), Key::Char('j'), Key::Char('y'), Key::Char('c')]);
    screen.press(&[Key::Char('y'), Key::Char('o'), Key::Char('4'), Key::Char('y'), Key::Char('c')]);
    screen.press(&[Key::Char('6'), Key::Char('y'), Key::Char('c'), Key::Char('y'), Key::Char('o')]);
    let first = frame_starts(&clean_log(60))[1];
    assert_eq!(
        screen.copied_texts(),
        [
            "chronicle cat /logs/accounts.log --filter agg:1",
            &first.to_string(),
            "chronicle index status /logs/accounts.log",
            "chronicle stats /logs/accounts.log --by type --filter=-type:Created",
        ]
    );
    screen.assert_shows("the lines of Stats have none");
    screen.press(&[Key::Char('2'), Key::Char('@')]);
    assert_eq!((screen.model.tab, screen.model.list.filter.text()), (Tab::Events, "-type:Created agg:1"));
}
