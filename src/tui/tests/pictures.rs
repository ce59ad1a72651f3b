//! The pictures of the README: the program's own screens over a damaged log, drawn as SVG in `assets/`.
//!
//! A picture that is out of date is written anew, and its test fails so that somebody looks at it.

use std::fs;
use std::path::Path;

use super::repairs::choice;
use super::svg::svg;
use super::{Bench, damaged};
use crate::tui::keys::Key;
use crate::tui::message::{Message, News};

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
    let mut bench = bench();
    bench.press(&[Key::Char('e'), Key::Char('3'), Key::Char(']'), Key::Tab, Key::Char('z')]);
    let finding = bench.model.scan.findings[0].clone();
    bench.send(Message::News(News::Found(Box::new(choice(finding)))));
    picture("choice", &mut bench);
}
