//! Golden screens, in `snapshots/`.

use std::time::Duration;

use insta::Settings;

use super::repairs::{ambiguous_fix, sample_records};
use super::{TestScreen, damaged_log};
use crate::file::Durability;
use crate::tui::keys::Key;
use crate::tui::message::{AppendResult, BackgroundUpdate, Message, Response};
use crate::tui::request::WorkerKind;

const SIZES: [(u16, u16); 4] = [(120, 40), (80, 24), (60, 15), (20, 5)];

fn assert_golden(name: &str, bench: &mut TestScreen, sizes: &[(u16, u16)]) {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("../../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (width, height) in sizes {
        bench.resize(*width, *height);
        settings.bind(|| insta::assert_snapshot!(format!("tui__{name}_{width}x{height}"), bench.screen_text()));
    }
}

fn damaged_screen() -> TestScreen {
    let mut bench = TestScreen::new(&damaged_log(), (120, 40));
    bench.run_scan();
    bench
}

#[test]
fn events_of_a_damaged_log() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('e')]);
    assert_golden("events", &mut bench, &SIZES);
}

#[test]
fn first_page_before_any_scan() {
    let mut bench = TestScreen::new(&damaged_log(), (120, 40));
    assert_golden("unscanned", &mut bench, &[(120, 40)]);
}

#[test]
fn an_event_in_each_view() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('j'), Key::Char('j')]);
    assert_golden("json", &mut bench, &SIZES[..1]);
    bench.press(&[Key::Char(']')]);
    assert_golden("hex", &mut bench, &SIZES[..2]);
    bench.press(&[Key::Tab, Key::Tab]);
    assert_golden("hex_alone", &mut bench, &SIZES[2..]);
    bench.resize(120, 40);
    bench.press(&[Key::Char(']')]);
    assert_golden("frame", &mut bench, &SIZES[..2]);
    bench.press(&[Key::Char(']')]);
    assert_golden("aggregate", &mut bench, &SIZES[..2]);
}

#[test]
fn the_other_tabs() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('3'), Key::Char('j')]);
    assert_golden("findings", &mut bench, &SIZES);
    bench.press(&[Key::Char('2')]);
    assert_golden("aggregates", &mut bench, &SIZES[..2]);
    bench.press(&[Key::Char('4')]);
    assert_golden("index", &mut bench, &SIZES);
}

#[test]
fn a_choice_among_candidates() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('e')]);
    let finding = bench.model.scan.findings[0].clone();
    bench.send(Message::Background(BackgroundUpdate::Finding(Box::new(ambiguous_fix(finding)))));
    bench.press(&[Key::Char('3')]);
    assert_golden("choice", &mut bench, &SIZES[..2]);
    bench.press(&[Key::Char(']')]);
    assert_golden("choice_hex", &mut bench, &SIZES[..2]);
    bench.resize(120, 40);
    bench.press(&[Key::Char('z'), Key::Tab]);
    assert_golden("choice_hex_alone", &mut bench, &SIZES);
}

#[test]
fn a_plan_and_the_repairs() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('X')]);
    let offer = bench.take_shown_plan();
    let plan = offer.plan.clone();
    bench.deliver_plan(offer);
    assert_golden("plan", &mut bench, &SIZES);
    bench.press(&[Key::Esc, Key::Char('5')]);
    assert_golden("never_repaired", &mut bench, &SIZES[..2]);
    let notices = vec!["/logs/accounts.log.repairs/0009-gap.journal: the journal of another log".to_owned()];
    bench.respond(WorkerKind::Repairs, Response::RepairHistory { records: sample_records(&plan), notices });
    assert_golden("repairs", &mut bench, &SIZES);
}

#[test]
fn help_and_palette() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('?')]);
    assert_golden("help", &mut bench, &SIZES);
    bench.press(&[Key::Esc, Key::Char(':')]);
    bench.type_text("scan");
    assert_golden("palette", &mut bench, &SIZES[1..]);
}

#[test]
fn the_append_form_and_its_question() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('a')]);
    assert_golden("append", &mut bench, &SIZES);
    bench.press(&[Key::Enter]);
    assert_golden("append_question", &mut bench, &SIZES);
    // What came of it, with times that are the same in every run.
    bench.press(&[Key::Esc]);
    let times = [3u64, 5, 5, 9, 130].map(Duration::from_micros).to_vec();
    let done = AppendResult {
        first_offset: 12_345,
        last_offset: 13_000,
        bytes: 840,
        durability: Durability::Synced,
        latencies: times,
        recovery_notes: Vec::new(),
        stop_reason: None,
    };
    bench.respond(WorkerKind::Write, Response::Appended(Box::new(done)));
    assert_golden("appended", &mut bench, &SIZES[..2]);
}
