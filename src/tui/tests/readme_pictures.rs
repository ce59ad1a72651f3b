//! The pictures of the README and docs: screens of the program over a damaged log, rendered as SVG in `assets/`.
//!
//! A test whose picture is out of date writes the new picture and fails, so that the change is reviewed.

use std::fs;
use std::path::{Path, PathBuf};

use super::{TestScreen, clean_log, damaged_log, frame_starts};
use crate::format::frame;
use crate::repair::StepWrite;
use crate::tui::keys::Key;
use crate::tui::svg::render_svg;

const SIZE: (u16, u16) = (108, 30);

fn assert_picture(name: &str, screen: &mut TestScreen) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(format!("{name}.svg"));
    let picture = render_svg(&screen.render());
    if fs::read_to_string(&path).ok().as_deref() != Some(picture.as_str()) {
        fs::write(&path, picture).unwrap();
        panic!("assets/{name}.svg was out of date and was rewritten: review it, then run this test again");
    }
}

fn damaged_screen() -> TestScreen {
    let mut screen = TestScreen::new(&damaged_log(), SIZE);
    screen.run_scan();
    screen
}

#[test]
fn picture_of_a_damaged_log() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('e'), Key::Char(']')]);
    assert_picture("screen", &mut screen);
}

#[test]
fn picture_of_an_aggregate() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('j'), Key::Char('j'), Key::Char('@'), Key::Char('['), Key::Char('j'), Key::Char('j')]);
    assert_picture("aggregate", &mut screen);
}

#[test]
fn picture_of_a_filter() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('f')]);
    screen.type_text("type:Updated payload.n>=3");
    screen.press(&[Key::Enter, Key::Char('j')]);
    assert_picture("filter", &mut screen);
}

#[test]
fn picture_of_the_index() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('4')]);
    assert_picture("index", &mut screen);
}

#[test]
fn picture_of_the_append_form() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('a')]);
    assert_picture("append", &mut screen);
}

#[test]
fn picture_of_a_plan() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('e'), Key::Char('X')]);
    let preview = screen.take_shown_plan();
    screen.deliver_plan(preview);
    assert_picture("plan", &mut screen);
}

#[test]
fn picture_of_a_choice() {
    let mut screen = TestScreen::new(&undecided_log(), SIZE);
    screen.run_scan();
    screen.press(&[Key::Char('e'), Key::Char(']')]);
    assert_picture("choice", &mut screen);
}

#[test]
fn picture_of_the_findings() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('3'), Key::Char('j')]);
    assert_picture("findings", &mut screen);
}

#[test]
fn picture_of_the_repair_history() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('X'), Key::Right, Key::Enter, Key::Char('u'), Key::Right, Key::Enter, Key::Char('5')]);
    // The times and paths of the repairs differ from run to run.
    for record in &mut screen.model.repairs.records {
        record.begun_ms = 1_795_168_800_000 + 60_000 * u64::from(record.number);
        record.plan.log.path = screen.model.log_info.path.clone();
        record.journal = PathBuf::from("/logs/accounts.log.repairs").join(record.journal.file_name().unwrap());
        for step in &mut record.plan.steps {
            if let StepWrite::CopyFrom { from } = &mut step.write {
                *from = PathBuf::from("/logs/accounts.log.repairs").join(from.file_name().unwrap());
            }
        }
    }
    screen.model.notice = None;
    assert_picture("repairs", &mut screen);
}

/// Returns a log in which four letters of a long event were changed, so that correction offers only a choice.
pub(super) fn undecided_log() -> Vec<u8> {
    let mut bytes = clean_log(6);
    let start = frame_starts(&bytes)[5];
    let payload = String::from_utf8(bytes[start + 4..bytes.len() - 4].to_vec()).unwrap();
    let long_payload = payload.replace("Juan", &format!("Juan {}", "de la Cruz y ".repeat(22)));
    let last_frame = bytes.split_off(start);
    frame::encode(long_payload.as_bytes(), &mut bytes);
    bytes.extend_from_slice(&last_frame);
    let name = start + bytes[start..].windows(4).position(|text| text == b"Juan").unwrap();
    // The changed bytes are still text, so that the frame still holds an event.
    bytes[name..name + 4].copy_from_slice(b"Kvbo");
    bytes
}
