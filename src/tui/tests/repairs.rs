//! Repairs on the screen: planned and shown, applied only after a yes, told, taken back.

use std::fs;

use super::golden::golden;
use super::{Bench, damaged, starts};
use crate::format::frame;
use crate::tui::effect::{Effect, Lane};
use crate::tui::keys::Key;
use crate::tui::message::{Message, Moment, Planned, Told};
use crate::tui::model::{Access, Choice, Layer, Tab};

fn bench(bytes: &[u8]) -> Bench {
    let mut bench = Bench::new(bytes, (120, 40));
    bench.scan();
    bench
}

/// The scan that a repair has asked to start over.
fn scan_again(bench: &mut Bench) {
    assert!(bench.wishes.iter().any(|wish| matches!(wish, Effect::RestartScan)), "the scan starts over");
    bench.wishes.clear();
    bench.scan();
}

fn question(bench: &Bench) -> Option<(&str, Choice)> {
    match bench.model.layers.last() {
        Some(Layer::Question(question)) => Some((question.go, question.choice)),
        _ => None,
    }
}

/// A log in which four letters of a long event were changed, too many to say how they were.
pub(super) fn undecided() -> Vec<u8> {
    let mut bytes = super::clean(6);
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

#[test]
fn a_plan_is_shown_and_nothing_is_written_before_a_yes() {
    let bytes = damaged();
    let mut bench = bench(&bytes);
    bench.press(&[Key::Char('X')]);
    assert_eq!(question(&bench), Some(("Repair", Choice::Cancel)), "{}", bench.screen());
    let screen = bench.screen();
    for said in [
        "restore_length, proven",
        "correct_bits, proven",
        "given up",
        "accounts.log.repairs",
        "chronicle repair /logs/accounts.log",
    ] {
        assert!(screen.contains(said), "{said} in {screen}");
    }
    // It opens on Cancel.
    bench.press(&[Key::Enter]);
    assert_eq!(question(&bench), None);
    assert_eq!(fs::read(&bench.path).unwrap(), bytes);
    assert!(!bench.path.with_extension("log.repairs").exists());
}

#[test]
fn neither_a_paste_nor_a_key_typed_before_it_was_drawn_confirms_a_plan() {
    let bytes = damaged();
    let mut bench = bench(&bytes);
    let before = bench.clock;
    bench.press(&[Key::Char('X')]);
    for key in [Key::Tab, Key::Enter] {
        bench.send(Message::Key(key, Moment(before)));
    }
    bench.send(Message::Paste("\t\r\ny".into()));
    assert_eq!(question(&bench), Some(("Repair", Choice::Cancel)));
    assert_eq!(fs::read(&bench.path).unwrap(), bytes);
}

#[test]
fn everything_is_repaired_told_and_taken_back() {
    let bytes = damaged();
    let mut bench = bench(&bytes);
    bench.press(&[Key::Char('r')]);
    bench.press(&[Key::Char('X'), Key::Tab, Key::Enter]);
    let screen = bench.screen();
    assert!(screen.contains("index caught up") || screen.contains("u takes it back"), "{screen}");
    scan_again(&mut bench);
    assert_eq!(bench.model.scan.damaged(), 0, "{}", bench.screen());
    assert_ne!(fs::read(&bench.path).unwrap(), bytes);
    bench.press(&[Key::Char('5')]);
    assert!(bench.screen().contains("applied"), "{}", bench.screen());
    bench.press(&[Key::Char('u')]);
    assert_eq!(question(&bench), Some(("Undo", Choice::Cancel)), "{}", bench.screen());
    bench.press(&[Key::Tab, Key::Enter]);
    assert_eq!(fs::read(&bench.path).unwrap(), bytes);
    bench.press(&[Key::Char('5')]);
    assert!(bench.screen().contains("undone by 2"), "{}", bench.screen());
}

#[test]
fn the_place_under_the_cursor_is_repaired_alone() {
    let bytes = damaged();
    let mut bench = bench(&bytes);
    let place = starts(&super::clean(60))[3];
    bench.press(&[Key::Char('x')]);
    assert!(bench.screen().contains("no damage is under the cursor"), "{}", bench.screen());
    bench.press(&[Key::Char('e'), Key::Char('x'), Key::Tab, Key::Enter]);
    let mut expected = bytes.clone();
    expected[place + 40] ^= 0x01;
    assert_eq!(fs::read(&bench.path).unwrap(), expected, "{}", bench.screen());
    assert!(bench.screen().contains("1 range repaired, 1 event restored"), "{}", bench.screen());
}

#[test]
fn a_choice_is_made_in_the_plan_and_a_gap_only_when_asked_for() {
    let bytes = undecided();
    let mut bench = bench(&bytes);
    bench.press(&[Key::Char('e'), Key::Char('x')]);
    let (go, _) = question(&bench).unwrap();
    assert_eq!(go, "", "nothing by itself: {}", bench.screen());
    assert!(bench.screen().contains("the truth may be none of them"), "{}", bench.screen());
    bench.press(&[Key::Tab, Key::Char('g')]);
    assert!(bench.screen().contains("--fence-undecided") && bench.screen().contains(": gap"), "{}", bench.screen());
    bench.press(&[Key::Char('g'), Key::Char('1')]);
    assert_eq!(question(&bench), Some(("Repair", Choice::Cancel)), "{}", bench.screen());
    assert!(bench.screen().contains("--choose"), "{}", bench.screen());
    bench.press(&[Key::Tab, Key::Enter]);
    assert_ne!(fs::read(&bench.path).unwrap(), bytes);
}

#[test]
fn what_cannot_be_repaired_here_says_why() {
    let mut bench = bench(&damaged());
    bench.press(&[Key::Char('e')]);
    bench.model.access = Access::ReadOnly;
    for key in ['x', 'X', 'u'] {
        bench.press(&[Key::Char(key)]);
        assert!(bench.screen().contains("--read-only"), "{key}");
    }
    bench.model.access = Access::ReadWrite;
    bench.press(&[Key::Char('u')]);
    assert!(bench.screen().contains("no repair in"), "{}", bench.screen());
    bench.model.facts.writer = crate::file::Seen::Open(812);
    bench.press(&[Key::Char('x')]);
    assert!(bench.screen().contains("pid 812"), "{}", bench.screen());
}

#[test]
fn a_plan_that_is_late_is_not_shown() {
    let mut bench = bench(&damaged());
    let generation = bench.model.generations.next(Lane::Write);
    bench.press(&[Key::Char('X')]);
    let Some(Layer::Question(shown)) = bench.model.layers.pop() else { unreachable!("a question") };
    let crate::tui::model::Then::Apply(planned) = shown.then else { unreachable!("a plan") };
    let Planned { plan, wishes } = *planned;
    let late = Told::Planned(Box::new(Planned { plan, wishes }));
    bench.send(Message::Answer(Lane::Write, generation, late));
    assert_eq!(question(&bench), None);
}

#[test]
fn golden_screens_of_repairs() {
    const SIZES: [(u16, u16); 4] = [(120, 40), (80, 24), (60, 15), (20, 5)];
    let mut bench = bench(&damaged());
    bench.press(&[Key::Char('5')]);
    golden("repairs_none", &mut bench, &SIZES[..2]);
    bench.press(&[Key::Char('3'), Key::Char('X')]);
    golden("plan", &mut bench, &SIZES);
    bench.press(&[Key::Esc, Key::Char('1'), Key::Char('g'), Key::Char('e'), Key::Char(']')]);
    golden("hex_fix", &mut bench, &SIZES[..2]);
    let mut bench = self::bench(&undecided());
    bench.press(&[Key::Char('e'), Key::Char(']')]);
    golden("hex_choice", &mut bench, &SIZES[..3]);
    bench.press(&[Key::Char('x')]);
    golden("plan_choice", &mut bench, &SIZES[..2]);
    assert_eq!(bench.model.tab, Tab::Events);
}
