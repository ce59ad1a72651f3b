//! The pictures of the README: the program's own screens over a damaged log, drawn as SVG in `assets/`.
//!
//! A picture that is out of date is written anew, and its test fails so that somebody looks at it.

use std::fs;
use std::path::{Path, PathBuf};

use super::svg::svg;
use super::{Bench, clean, damaged, starts};
use crate::format::frame;
use crate::repair::Write;
use crate::tui::keys::Key;

const SIZE: (u16, u16) = (108, 30);

fn picture(name: &str, bench: &mut Bench) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(format!("{name}.svg"));
    let drawn = svg(&bench.buffer());
    if fs::read_to_string(&path).ok().as_deref() != Some(drawn.as_str()) {
        fs::write(&path, drawn).unwrap();
        panic!("assets/{name}.svg was out of date and is written anew: look at it, then run this again");
    }
}

fn bench() -> Bench {
    let mut bench = Bench::new(&damaged(), SIZE);
    bench.scan();
    bench
}

#[test]
fn a_damaged_log_in_its_picture() {
    let mut bench = bench();
    bench.press(&[Key::Char('e'), Key::Char(']')]);
    picture("screen", &mut bench);
}

#[test]
fn one_aggregate_in_its_picture() {
    let mut bench = bench();
    bench.press(&[Key::Char('j'), Key::Char('j'), Key::Char('@'), Key::Char('['), Key::Char('j'), Key::Char('j')]);
    picture("aggregate", &mut bench);
}

#[test]
fn a_filter_in_its_picture() {
    let mut bench = bench();
    bench.press(&[Key::Char('f')]);
    bench.type_in("type:Updated payload.n>=3");
    bench.press(&[Key::Enter, Key::Char('j')]);
    picture("filter", &mut bench);
}

#[test]
fn the_index_in_its_picture() {
    let mut bench = bench();
    bench.press(&[Key::Char('4')]);
    picture("index", &mut bench);
}

#[test]
fn the_append_form_in_its_picture() {
    let mut bench = bench();
    bench.press(&[Key::Char('a')]);
    picture("append", &mut bench);
}

#[test]
fn a_plan_in_its_picture() {
    let mut bench = bench();
    bench.press(&[Key::Char('e'), Key::Char('X')]);
    let offer = bench.take_offer();
    bench.plan_comes(offer);
    picture("plan", &mut bench);
}

#[test]
fn a_choice_in_its_picture() {
    let mut bench = Bench::new(&undecided(), SIZE);
    bench.scan();
    bench.press(&[Key::Char('e'), Key::Char(']')]);
    picture("choice", &mut bench);
}

#[test]
fn the_findings_in_their_picture() {
    let mut bench = bench();
    bench.press(&[Key::Char('3'), Key::Char('j')]);
    picture("findings", &mut bench);
}

#[test]
fn the_medical_record_in_its_picture() {
    let mut bench = bench();
    bench.press(&[Key::Char('X'), Key::Tab, Key::Enter, Key::Char('u'), Key::Tab, Key::Enter, Key::Char('5')]);
    // When and where it was done is another in every run.
    for record in &mut bench.model.repairs.records {
        record.begun_ms = 1_795_168_800_000 + 60_000 * u64::from(record.number);
        record.plan.log.path = bench.model.facts.path.clone();
        record.journal = PathBuf::from("/logs/accounts.log.repairs").join(record.journal.file_name().unwrap());
        for step in &mut record.plan.steps {
            if let Write::Taken { from } = &mut step.write {
                *from = PathBuf::from("/logs/accounts.log.repairs").join(from.file_name().unwrap());
            }
        }
    }
    bench.model.notice = None;
    picture("repairs", &mut bench);
}

/// A log in which four letters of a long event were changed, too many to say how they were.
fn undecided() -> Vec<u8> {
    let mut bytes = clean(6);
    let start = starts(&bytes)[5];
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
