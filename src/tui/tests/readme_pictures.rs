//! The pictures of the README: the program's own screens over a damaged log, drawn as SVG in `assets/`.
//!
//! A picture that is out of date is written anew, and its test fails so that somebody looks at it.

use std::fs;
use std::path::{Path, PathBuf};

use super::svg::render_svg;
use super::{TestScreen, clean_log, damaged_log, frame_starts};
use crate::format::frame;
use crate::repair::StepWrite;
use crate::tui::keys::Key;

const SIZE: (u16, u16) = (108, 30);

fn assert_picture(name: &str, bench: &mut TestScreen) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(format!("{name}.svg"));
    let drawn = render_svg(&bench.render());
    if fs::read_to_string(&path).ok().as_deref() != Some(drawn.as_str()) {
        fs::write(&path, drawn).unwrap();
        panic!("assets/{name}.svg was out of date and is written anew: look at it, then run this again");
    }
}

fn damaged_screen() -> TestScreen {
    let mut bench = TestScreen::new(&damaged_log(), SIZE);
    bench.run_scan();
    bench
}

#[test]
fn a_damaged_log_in_its_picture() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('e'), Key::Char(']')]);
    assert_picture("screen", &mut bench);
}

#[test]
fn one_aggregate_in_its_picture() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('j'), Key::Char('j'), Key::Char('@'), Key::Char('['), Key::Char('j'), Key::Char('j')]);
    assert_picture("aggregate", &mut bench);
}

#[test]
fn a_filter_in_its_picture() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('f')]);
    bench.type_text("type:Updated payload.n>=3");
    bench.press(&[Key::Enter, Key::Char('j')]);
    assert_picture("filter", &mut bench);
}

#[test]
fn the_index_in_its_picture() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('4')]);
    assert_picture("index", &mut bench);
}

#[test]
fn the_append_form_in_its_picture() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('a')]);
    assert_picture("append", &mut bench);
}

#[test]
fn a_plan_in_its_picture() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('e'), Key::Char('X')]);
    let offer = bench.take_shown_plan();
    bench.deliver_plan(offer);
    assert_picture("plan", &mut bench);
}

#[test]
fn a_choice_in_its_picture() {
    let mut bench = TestScreen::new(&undecided_log(), SIZE);
    bench.run_scan();
    bench.press(&[Key::Char('e'), Key::Char(']')]);
    assert_picture("choice", &mut bench);
}

#[test]
fn the_findings_in_their_picture() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('3'), Key::Char('j')]);
    assert_picture("findings", &mut bench);
}

#[test]
fn the_medical_record_in_its_picture() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('X'), Key::Tab, Key::Enter, Key::Char('u'), Key::Tab, Key::Enter, Key::Char('5')]);
    // When and where it was done is another in every run.
    for record in &mut bench.model.repairs.records {
        record.begun_ms = 1_795_168_800_000 + 60_000 * u64::from(record.number);
        record.plan.log.path = bench.model.log_info.path.clone();
        record.journal = PathBuf::from("/logs/accounts.log.repairs").join(record.journal.file_name().unwrap());
        for step in &mut record.plan.steps {
            if let StepWrite::CopyFrom { from } = &mut step.write {
                *from = PathBuf::from("/logs/accounts.log.repairs").join(from.file_name().unwrap());
            }
        }
    }
    bench.model.notice = None;
    assert_picture("repairs", &mut bench);
}

/// A log in which four letters of a long event were changed, too many to say how they were.
fn undecided_log() -> Vec<u8> {
    let mut bytes = clean_log(6);
    let start = frame_starts(&bytes)[5];
    let payload = String::from_utf8(bytes[start + 4..bytes.len() - 4].to_vec()).unwrap();
    let long = payload.replace("Juan", &format!("Juan {}", "de la Cruz y ".repeat(22)));
    let last = bytes.split_off(start);
    frame::encode(long.as_bytes(), &mut bytes);
    bytes.extend_from_slice(&last);
    let name = start + bytes[start..].windows(4).position(|text| text == b"Juan").unwrap();
    // Text into text, so that it still reads as an event.
    bytes[name..name + 4].copy_from_slice(b"Kvbo");
    bytes
}
