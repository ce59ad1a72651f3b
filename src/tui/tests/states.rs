//! Golden screens of every tab in the states of a log, and of every tab, view and dialog in the theme without colours.

use std::fs;
use std::time::Duration;

use insta::Settings;
use ratatui::style::Modifier;

use super::follow::FollowedLog;
use super::golden::SIZES;
use super::{TestScreen, clean_log, damaged_log, frame_starts};
use crate::tui::keys::Key;
use crate::tui::message::{BackgroundUpdate, LogChange, RequestFailure, Response};
use crate::tui::model::{LogUnavailable, Tab};
use crate::tui::request::WorkerKind;
use crate::tui::theme::Theme;

/// The size at which the tabs other than the events are compared.
const TAB_SIZE: (u16, u16) = (60, 15);

fn assert_screens(name: &str, screens: &str) {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("../../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(format!("tui__{name}"), screens));
}

fn captioned(caption: &str, text: &str) -> String {
    format!("== {caption}\n{text}\n")
}

/// Compares the events at four sizes, and the other tabs at a small one, with one snapshot.
fn assert_state(name: &str, mut screen: TestScreen) {
    screen.normalize_paths();
    let mut screens = String::new();
    for (width, height) in SIZES {
        screen.resize(width, height);
        screens += &captioned(&format!("{name}, {width}x{height}"), &screen.screen_text());
    }
    screen.resize(TAB_SIZE.0, TAB_SIZE.1);
    let tabs: Vec<(usize, Tab)> = screen.model.offered_tabs().skip(1).collect();
    for (number, tab) in tabs {
        screen.press(&[Key::Char(char::from_digit(number as u32, 10).unwrap())]);
        screens += &captioned(&format!("{name}, {}", tab.name()), &screen.screen_text());
    }
    assert_screens(&format!("state_{name}"), &screens);
}

/// Writes other bytes to the log, and reads its properties as the watcher does.
fn change_log(screen: &mut TestScreen, bytes: &[u8]) {
    fs::write(&screen.path, bytes).unwrap();
    screen.poll_log();
    screen.model.notice = None;
    // The time at which the index was built differs from run to run.
    let mark = screen.model.log_info.index.verification.as_mut().unwrap();
    mark.verified_at_ms = 1_795_165_500_000;
}

fn scanned(bytes: &[u8]) -> TestScreen {
    let mut screen = TestScreen::new(bytes, (120, 40));
    screen.run_scan();
    screen
}

#[test]
fn a_log_without_damage_and_one_without_events() {
    assert_state("clean", scanned(&clean_log(5)));
    assert_state("empty", scanned(&clean_log(0)));
}

#[test]
fn a_log_that_grew_or_was_cut_after_its_index() {
    let bytes = clean_log(40);
    let start = frame_starts(&bytes)[30];
    let mut screen = scanned(&bytes[..start]);
    screen.press(&[Key::Char('r')]);
    change_log(&mut screen, &bytes);
    assert_state("behind", screen);
    let mut screen = scanned(&bytes);
    screen.press(&[Key::Char('r')]);
    change_log(&mut screen, &bytes[..start]);
    assert_state("ahead", screen);
}

#[test]
fn a_log_that_is_followed_and_one_whose_follow_is_paused() {
    let grown = || {
        let mut log = FollowedLog::open(20);
        log.append(10, Duration::from_secs(10));
        log
    };
    assert_state("following", grown().screen);
    let mut paused = grown();
    paused.screen.press(&[Key::Char('k')]);
    paused.append(10, Duration::from_secs(11));
    assert_state("paused", paused.screen);
}

#[test]
fn a_log_that_is_gone_and_one_that_was_written_again() {
    let mut screen = scanned(&damaged_log());
    screen.send_update(BackgroundUpdate::LogUnavailable(LogUnavailable::Missing));
    assert_state("gone", screen);
    let mut screen = scanned(&damaged_log());
    let info = Box::new(screen.shared.log_info().unwrap());
    screen.send_update(BackgroundUpdate::LogChanged(info, LogChange::Written));
    assert_state("written_again", screen);
}

#[test]
fn a_row_that_cannot_be_read_and_a_filter_without_hits() {
    let mut screen = scanned(&damaged_log());
    screen.press_unhandled(Key::Char('j'));
    screen.model.effects.clear();
    screen.respond(WorkerKind::Detail, Response::Failed(RequestFailure::Error("the device refuses".into())));
    assert_state("unreadable_row", screen);
    let mut screen = scanned(&damaged_log());
    screen.press(&[Key::Char('f')]);
    screen.type_text("type:Updated payload.n=1000");
    screen.press(&[Key::Enter]);
    assert_state("no_hits", screen);
}

/// Returns the screen as text, with a second line below each line that has attributes: `b` bold, `d` dim, `r` reversed,
/// `u` underlined, `i` italic, and `R` for bold and reversed.
fn text_with_attributes(screen: &TestScreen) -> String {
    let buffer = screen.render();
    let letter = |modifier: Modifier| match modifier {
        modifier if modifier.contains(Modifier::BOLD | Modifier::REVERSED) => 'R',
        modifier if modifier.contains(Modifier::REVERSED) => 'r',
        modifier if modifier.contains(Modifier::BOLD) => 'b',
        modifier if modifier.contains(Modifier::UNDERLINED) => 'u',
        modifier if modifier.contains(Modifier::ITALIC) => 'i',
        modifier if modifier.contains(Modifier::DIM) => 'd',
        _ => ' ',
    };
    let mut out = String::new();
    for (y, line) in (0..).zip(screen.screen_text().lines()) {
        let letters: String = (0..buffer.area.width).map(|x| letter(buffer[(x, y)].modifier)).collect();
        out = out + line + "\n";
        if !letters.trim().is_empty() {
            out = out + letters.trim_end() + "\n";
        }
    }
    out
}

#[test]
fn tabs_views_and_dialogs_without_colours() {
    const TAB: Key = Key::Tab;
    let char = Key::Char;
    let scenes: [(&str, &[Key]); 16] = [
        ("events", &[char('e')]),
        ("aggregates", &[char('2')]),
        ("findings", &[char('3')]),
        ("index", &[char('4')]),
        ("repairs", &[char('5')]),
        ("statistics", &[char('6')]),
        ("finding", &[char('e'), TAB]),
        ("json", &[char('j'), TAB, char('j')]),
        ("hex", &[char('j'), TAB, char(']')]),
        ("frame", &[char('j'), TAB, char(']'), char(']')]),
        ("aggregate", &[char('j'), TAB, char(']'), char(']'), char(']')]),
        ("filter", &[char('f'), char('t'), char('y')]),
        ("columns", &[char('c')]),
        ("append", &[char('a')]),
        ("palette", &[char(':'), char('s')]),
        ("help", &[char('?')]),
    ];
    let mut screens = String::new();
    for (name, keys) in scenes {
        let mut screen = scanned(&damaged_log());
        screen.model.theme = Theme::Mono;
        screen.resize(TAB_SIZE.0, TAB_SIZE.1);
        screen.press(keys);
        screens += &captioned(name, &text_with_attributes(&screen));
    }
    let mut screen = scanned(&damaged_log());
    screen.model.theme = Theme::Mono;
    screen.press(&[char('X')]);
    let preview = screen.take_shown_plan();
    screen.deliver_plan(preview);
    screen.resize(TAB_SIZE.0, TAB_SIZE.1);
    screens += &captioned("plan", &text_with_attributes(&screen));
    screen.press(&[Key::Esc, char('R')]);
    screens += &captioned("question", &text_with_attributes(&screen));
    assert_screens("mono_60x15", &screens);
}
