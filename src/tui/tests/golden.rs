//! Compares whole screens, drawn as text, with the snapshots in `snapshots/`.

use std::time::Duration;

use insta::Settings;

use super::repairs::{ambiguous_fix, sample_records};
use super::{TestScreen, clean_log, damaged_log};
use crate::file::Durability;
use crate::tui::keys::Key;
use crate::tui::message::{AppendResult, BackgroundUpdate, Message, Response};
use crate::tui::request::WorkerKind;
use crate::tui::theme::Theme;

pub(super) const SIZES: [(u16, u16); 4] = [(120, 40), (80, 24), (60, 15), (20, 5)];

pub(super) fn assert_golden(name: &str, screen: &mut TestScreen, sizes: &[(u16, u16)]) {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("../../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (width, height) in sizes {
        screen.resize(*width, *height);
        settings.bind(|| insta::assert_snapshot!(format!("tui__{name}_{width}x{height}"), screen.screen_text()));
    }
}

fn damaged_screen() -> TestScreen {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.run_scan();
    screen
}

#[test]
fn events_of_a_damaged_log() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('e')]);
    assert_golden("events", &mut screen, &SIZES);
}

/// The styles are a part of this screen, because the selected row, matches and damage differ in nothing else.
#[test]
fn events_with_a_match_in_mono() {
    let mut screen = damaged_screen();
    screen.model.theme = Theme::Mono;
    screen.press(&[Key::Char('/')]);
    screen.type_text("created");
    screen.press(&[Key::Enter]);
    screen.resize(80, 24);
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("../../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_debug_snapshot!("tui__events_mono_80x24", screen.render()));
}

#[test]
fn events_in_their_columns() {
    let mut screen = TestScreen::new(&clean_log(60), (200, 60));
    screen.run_scan();
    assert_golden("list", &mut screen, &[(200, 60), (120, 40), (80, 24), (60, 15)]);
    screen.press(&[Key::Char('c')]);
    screen.press(&[Key::Char(' '), Key::Char('j'), Key::Char('a')]);
    screen.type_text("amount");
    assert_golden("columns", &mut screen, &SIZES);
}

#[test]
fn first_page_before_the_scan() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    assert_golden("unscanned", &mut screen, &[(120, 40)]);
}

#[test]
fn event_in_each_detail_view() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('j'), Key::Char('j')]);
    assert_golden("json", &mut screen, &SIZES[..1]);
    screen.press(&[Key::Char(']')]);
    assert_golden("hex", &mut screen, &SIZES[..2]);
    screen.press(&[Key::Tab]);
    assert_golden("hex_alone", &mut screen, &SIZES[2..]);
    screen.resize(120, 40);
    screen.press(&[Key::Char(']')]);
    assert_golden("frame", &mut screen, &SIZES[..2]);
    screen.press(&[Key::Char(']')]);
    assert_golden("aggregate", &mut screen, &SIZES[..2]);
}

#[test]
fn findings_aggregates_and_index_tabs() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('3'), Key::Char('j')]);
    assert_golden("findings", &mut screen, &SIZES);
    screen.press(&[Key::Char('2')]);
    assert_golden("aggregates", &mut screen, &SIZES[..2]);
    screen.press(&[Key::Char('4')]);
    assert_golden("index", &mut screen, &SIZES);
    screen.press(&[Key::Char('6')]);
    assert_golden("statistics", &mut screen, &SIZES);
}

#[test]
fn findings_tab_of_a_clean_log_shows_when_it_was_read() {
    let mut screen = TestScreen::new(&clean_log(5), (80, 24));
    screen.model.now_ms = 1_795_165_371_113;
    screen.run_scan();
    screen.press(&[Key::Char('3')]);
    assert_golden("no_findings", &mut screen, &SIZES[1..2]);
}

#[test]
fn choice_among_candidates() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('e')]);
    let finding = screen.model.scan.findings[0].clone();
    screen.send(Message::Background(BackgroundUpdate::Finding(Box::new(ambiguous_fix(finding)))));
    screen.press(&[Key::Char('3')]);
    assert_golden("choice", &mut screen, &SIZES[..2]);
    screen.press(&[Key::Char(']')]);
    assert_golden("choice_hex", &mut screen, &SIZES[..2]);
    screen.resize(120, 40);
    screen.press(&[Key::Char('z'), Key::Tab]);
    assert_golden("choice_hex_alone", &mut screen, &SIZES);
}

#[test]
fn plan_dialog_and_repairs_tab() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('X')]);
    let preview = screen.take_shown_plan();
    let plan = preview.plan.clone();
    screen.deliver_plan(preview);
    assert_golden("plan", &mut screen, &SIZES);
    screen.press(&[Key::Esc, Key::Char('5')]);
    assert_golden("never_repaired", &mut screen, &SIZES[..2]);
    let notices = vec!["/logs/accounts.log.repairs/0009-gap.journal: the journal of another log".to_owned()];
    screen.respond(
        WorkerKind::Repairs,
        Response::RepairHistory { records: sample_records(&plan), removals: Vec::new(), notices },
    );
    assert_golden("repairs", &mut screen, &SIZES);
}

#[test]
fn help_screen_and_palette() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('?')]);
    assert_golden("help", &mut screen, &SIZES);
    screen.press(&[Key::Esc, Key::Char(':')]);
    screen.type_text("scan");
    assert_golden("palette", &mut screen, &SIZES[1..]);
}

#[test]
fn append_form_and_its_dialog() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('a')]);
    assert_golden("append", &mut screen, &SIZES);
    screen.press(&[Key::Enter]);
    assert_golden("append_question", &mut screen, &SIZES);
    // The result of an append has fixed latencies, so that the screen is the same in every run.
    screen.press(&[Key::Esc]);
    let latencies = [3u64, 5, 5, 9, 130].map(Duration::from_micros).to_vec();
    let result = AppendResult {
        first_offset: 12_345,
        last_offset: 13_000,
        bytes: 840,
        durability: Durability::Synced,
        latencies,
        recovery_notes: Vec::new(),
        stop_reason: None,
    };
    screen.respond(WorkerKind::Write, Response::Appended(Box::new(result)));
    assert_golden("appended", &mut screen, &SIZES[..2]);
}
