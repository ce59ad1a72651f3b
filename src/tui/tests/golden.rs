//! Golden screens, in `snapshots/`.

use std::time::Duration;

use insta::Settings;

use super::repairs::{choice, history};
use super::{Bench, damaged};
use crate::tui::effect::Lane;
use crate::tui::keys::Key;
use crate::tui::message::{Appended, Message, News, Told};

const SIZES: [(u16, u16); 4] = [(120, 40), (80, 24), (60, 15), (20, 5)];

fn golden(name: &str, bench: &mut Bench, sizes: &[(u16, u16)]) {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("../../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (width, height) in sizes {
        bench.resize(*width, *height);
        settings.bind(|| insta::assert_snapshot!(format!("tui__{name}_{width}x{height}"), bench.screen()));
    }
}

fn bench() -> Bench {
    let mut bench = Bench::new(&damaged(), (120, 40));
    bench.scan();
    bench
}

#[test]
fn events_of_a_damaged_log() {
    let mut bench = bench();
    bench.press(&[Key::Char('e')]);
    golden("events", &mut bench, &SIZES);
}

#[test]
fn first_page_before_any_scan() {
    let mut bench = Bench::new(&damaged(), (120, 40));
    golden("unscanned", &mut bench, &[(120, 40)]);
}

#[test]
fn an_event_in_each_view() {
    let mut bench = bench();
    bench.press(&[Key::Char('j'), Key::Char('j')]);
    golden("json", &mut bench, &SIZES[..1]);
    bench.press(&[Key::Char(']')]);
    golden("hex", &mut bench, &SIZES[..2]);
    bench.press(&[Key::Tab, Key::Tab]);
    golden("hex_alone", &mut bench, &SIZES[2..]);
    bench.resize(120, 40);
    bench.press(&[Key::Char(']')]);
    golden("frame", &mut bench, &SIZES[..2]);
    bench.press(&[Key::Char(']')]);
    golden("aggregate", &mut bench, &SIZES[..2]);
}

#[test]
fn the_other_tabs() {
    let mut bench = bench();
    bench.press(&[Key::Char('3'), Key::Char('j')]);
    golden("findings", &mut bench, &SIZES);
    bench.press(&[Key::Char('2')]);
    golden("aggregates", &mut bench, &SIZES[..2]);
    bench.press(&[Key::Char('4')]);
    golden("index", &mut bench, &SIZES);
}

#[test]
fn a_choice_among_candidates() {
    let mut bench = bench();
    bench.press(&[Key::Char('e')]);
    let finding = bench.model.scan.findings[0].clone();
    bench.send(Message::News(News::Found(Box::new(choice(finding)))));
    bench.press(&[Key::Char('3')]);
    golden("choice", &mut bench, &SIZES[..2]);
    bench.press(&[Key::Char(']')]);
    golden("choice_hex", &mut bench, &SIZES[..2]);
    bench.resize(120, 40);
    bench.press(&[Key::Char('z'), Key::Tab]);
    golden("choice_hex_alone", &mut bench, &SIZES);
}

#[test]
fn a_plan_and_the_repairs() {
    let mut bench = bench();
    bench.press(&[Key::Char('X')]);
    let offer = bench.take_offer();
    let plan = offer.plan.clone();
    bench.plan_comes(offer);
    golden("plan", &mut bench, &SIZES);
    bench.press(&[Key::Esc, Key::Char('5')]);
    golden("never_repaired", &mut bench, &SIZES[..2]);
    let generation = bench.model.generations.next(Lane::Repairs);
    let notices = vec!["/logs/accounts.log.repairs/0009-gap.journal: the journal of another log".to_owned()];
    bench.send(Message::Answer(Lane::Repairs, generation, Told::Records(history(&plan), notices)));
    golden("repairs", &mut bench, &SIZES);
}

#[test]
fn help_and_palette() {
    let mut bench = bench();
    bench.press(&[Key::Char('?')]);
    golden("help", &mut bench, &SIZES);
    bench.press(&[Key::Esc, Key::Char(':')]);
    bench.type_in("scan");
    golden("palette", &mut bench, &SIZES[1..]);
}

#[test]
fn the_append_form_and_its_question() {
    let mut bench = bench();
    bench.press(&[Key::Char('a')]);
    golden("append", &mut bench, &SIZES);
    bench.press(&[Key::Enter]);
    golden("append_question", &mut bench, &SIZES);
    // What came of it, with times that are the same in every run.
    bench.press(&[Key::Esc]);
    let generation = bench.model.generations.next(Lane::Write);
    let times = [3u64, 5, 5, 9, 130].map(Duration::from_micros).to_vec();
    let done = Appended { first: 12_345, last: 13_000, bytes: 840, synced: true, times, ..Appended::default() };
    bench.send(Message::Answer(Lane::Write, generation, Told::Appended(Box::new(done))));
    golden("appended", &mut bench, &SIZES[..2]);
}
