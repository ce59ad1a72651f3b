//! What follows from keys, answers and news, without a terminal.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::time::Duration;

use ratatui::style::Color as Ink;

use super::{Bench, clean, damaged, starts};
use crate::index::Verified;
use crate::query::What;
use crate::tui::actions;
use crate::tui::effect::{Effect, Lane};
use crate::tui::keys::Key;
use crate::tui::message::{Change, Message, Moment, News, Told};
use crate::tui::model::{Follow, Lost, ScanState, Tab, View};
use crate::tui::theme::Theme;
use crate::tui::update;

#[test]
fn nothing_panics_from_1x1_to_130x45_whatever_is_open() {
    let mut bench = Bench::new(&damaged(), (120, 40));
    bench.scan();
    let open: [&[Key]; 12] = [
        &[],
        &[Key::Char('e'), Key::Tab, Key::Char(']')],
        &[Key::Char(']')],
        &[Key::Char(']')],
        &[Key::Char('2')],
        &[Key::Char('3')],
        &[Key::Char('4')],
        &[Key::Char('5'), Key::Tab],
        &[Key::Char('X')],
        &[Key::Esc, Key::Char('u')],
        &[Key::Char('?')],
        &[Key::Esc, Key::Char('1'), Key::Char('a'), Key::Enter],
    ];
    let sizes = (1..=130u16).step_by(9).flat_map(|w| (1..=45u16).step_by(4).map(move |h| (w, h)));
    let small = (1..=12u16).flat_map(|w| (1..=12u16).map(move |h| (w, h)));
    let sizes: Vec<_> = sizes.chain(small).collect();
    for keys in open {
        bench.resize(120, 40);
        bench.press(keys);
        for (width, height) in &sizes {
            bench.resize(*width, *height);
            assert!(!bench.screen().is_empty());
        }
    }
}

#[test]
fn every_key_and_every_action_is_survived_at_every_kind_of_size() {
    for size in [(120, 40), (80, 24), (40, 10), (20, 5), (3, 1)] {
        let mut bench = Bench::new(&damaged(), size);
        bench.scan();
        for action in actions::table() {
            for key in action.keys {
                bench.press(&[*key]);
                bench.screen();
            }
            update::act(&mut bench.model, action.id);
            bench.answer();
            bench.screen();
            bench.press(&[Key::Esc, Key::Esc, Key::Esc]);
        }
    }
}

#[test]
fn a_damaged_range_is_a_row_with_its_verdict() {
    let mut bench = Bench::new(&damaged(), (160, 40));
    bench.scan();
    let screen = bench.screen();
    assert!(screen.contains("[proven: correct bits]"), "{screen}");
    assert!(screen.lines().any(|line| line.contains('×') && line.contains("checksum differs")), "{screen}");
    assert!(screen.contains("× 4 damaged"), "{screen}");
}

#[test]
fn no_filter_hides_damage_unasked_and_the_place_is_kept() {
    let mut bench = Bench::new(&damaged(), (120, 40));
    bench.scan();
    bench.press(&[Key::Char('G'), Key::Char('k'), Key::Char('k')]);
    let place = bench.model.list.offset();
    bench.press(&[Key::Char('@')]);
    assert_eq!(bench.model.list.offset(), place);
    let damaged =
        |bench: &Bench| bench.model.list.rows.iter().filter(|row| matches!(row.what, What::Finding(_))).count();
    assert_eq!(damaged(&bench), 4);
    bench.press(&[Key::Char('f')]);
    bench.type_in(" -is:damaged");
    bench.press(&[Key::Enter]);
    assert_eq!(damaged(&bench), 0, "{}", bench.model.list.filter.text());
    bench.press(&[Key::Backspace, Key::Backspace]);
    assert!(bench.model.list.filter.is_empty());
    assert_eq!(bench.model.list.offset(), place);
}

#[test]
fn a_bad_filter_says_why_and_stays_to_be_corrected() {
    let mut bench = Bench::new(&clean(3), (80, 24));
    bench.press(&[Key::Char('f')]);
    bench.type_in("agg:x");
    bench.press(&[Key::Enter]);
    assert!(bench.screen().contains("! `agg:x`"), "{}", bench.screen());
    bench.press(&[Key::Backspace; 5]);
    bench.type_in("tpye:Updated after:2026-01-01 before:2026-01-02");
    bench.press(&[Key::Enter]);
    let screen = bench.screen();
    assert!(screen.contains("the nearest is `type`") && screen.contains("payload.PATH"), "{screen}");
    bench.press(&[Key::Esc]);
    assert!(bench.model.layers.is_empty() && bench.model.list.filter.is_empty());
}

#[test]
fn every_way_to_jump_leads_there() {
    let bytes = clean(60);
    let starts = starts(&bytes);
    let mut bench = Bench::new(&bytes, (120, 40));
    for (typed, expected) in [
        (starts[30].to_string(), starts[30]),
        (format!("0x{:x}", starts[7]), starts[7]),
        ("#12".to_owned(), starts[11]),
        ("0%".to_owned(), 0),
    ] {
        bench.press(&[Key::Char(':')]);
        bench.type_in(&typed);
        bench.press(&[Key::Enter]);
        assert_eq!(bench.model.list.offset(), expected as u64, "{typed}");
    }
}

#[test]
fn a_jump_behind_the_end_says_so() {
    let bytes = clean(60);
    let last = starts(&bytes)[59] as u64;
    let mut bench = Bench::new(&bytes, (120, 40));
    for (typed, told) in [
        ("#9999999", "there are not so many events"),
        ("99999999999", "the log ends at"),
        ("2037-01-01", "no event is of that time or later"),
    ] {
        bench.press(&[Key::Char('g'), Key::Char(':')]);
        bench.type_in(typed);
        bench.press(&[Key::Enter]);
        assert!(bench.screen().contains(told), "{typed}: {}", bench.screen());
        assert_eq!(bench.model.list.offset(), last, "{typed}");
    }
    bench.press(&[Key::Char('/')]);
    bench.type_in("no such text");
    bench.press(&[Key::Enter]);
    assert!(bench.screen().contains("no such text: nowhere in the log"), "{}", bench.screen());
}

#[test]
fn a_search_goes_on_and_back_and_marks_what_it_found() {
    let bytes = clean(60);
    let starts = starts(&bytes);
    let mut bench = Bench::new(&bytes, (120, 40));
    bench.press(&[Key::Char('/')]);
    bench.type_in("\"n\":4");
    bench.press(&[Key::Enter]);
    assert_eq!(bench.model.list.offset(), starts[4] as u64);
    bench.press(&[Key::Char('n')]);
    assert_eq!(bench.model.list.offset(), starts[40] as u64);
    bench.press(&[Key::Char('N')]);
    assert_eq!(bench.model.list.offset(), starts[4] as u64);
    bench.press(&[Key::Char('N')]);
    assert!(bench.screen().contains("nothing more that way"));
}

#[test]
fn a_late_answer_is_dropped() {
    let mut bench = Bench::new(&clean(5), (120, 40));
    let rows = bench.model.list.rows.clone();
    let late = || Message::Answer(Lane::List, 0, Told::Window(crate::query::Page::default(), 0));
    bench.send(Message::Drawn(Moment(bench.clock)));
    bench.send(late());
    assert_eq!(bench.model.list.rows, rows);
    assert!(!bench.model.stale, "and nothing is drawn for it");
    bench.press(&[Key::Esc]);
    bench.send(late());
    assert!(bench.model.stale, "what a key has changed is still to be drawn");
}

#[test]
fn the_end_is_followed_until_one_moves_up() {
    let bytes = clean(40);
    let starts = starts(&bytes);
    let mut bench = Bench::new(&bytes[..starts[30]], (120, 40));
    bench.press(&[Key::Char('F')]);
    for n in 31..40 {
        let mut file = OpenOptions::new().append(true).open(&bench.path).unwrap();
        file.write_all(&bytes[starts[n - 1]..starts[n]]).unwrap();
        bench.look();
        assert_eq!(bench.model.list.offset(), starts[n - 1] as u64);
    }
    bench.press(&[Key::Char('k')]);
    assert_eq!(bench.model.follow, Follow::No);
    assert!(bench.screen().contains("following no more"));
}

#[test]
fn a_log_that_was_cut_or_replaced_is_told_and_survived() {
    let mut bench = Bench::new(&clean(40), (120, 40));
    bench.press(&[Key::Char('G')]);
    fs::write(&bench.path, &clean(40)[..3000]).unwrap();
    let facts = Box::new(bench.shared.facts().unwrap());
    bench.send(Message::News(News::Changed(facts, Change::Shrunk(9000))));
    assert!(bench.screen().contains("the log was cut: 9000 bytes before, 3000 now"), "{}", bench.screen());
    assert!(bench.model.list.offset() < 3000);
    bench.send(Message::News(News::Lost(Lost::Gone)));
    assert!(bench.screen().contains("removed or renamed"));
    bench.press(&[Key::Char('j')]);
    assert!(bench.screen().lines().next().unwrap().contains("GONE"), "{}", bench.screen());
}

#[test]
fn esc_leaves_search_then_filter_then_zoom_and_never_quits() {
    let mut bench = Bench::new(&clean(9), (120, 40));
    bench.press(&[Key::Char('/')]);
    bench.type_in("Juan");
    bench.press(&[Key::Enter, Key::Char('@'), Key::Char('z'), Key::Tab]);
    bench.press(&[Key::Esc]);
    assert!(bench.model.search.is_none() && !bench.model.list.filter.is_empty());
    bench.press(&[Key::Esc]);
    assert!(bench.model.list.filter.is_empty());
    bench.press(&[Key::Esc; 10]);
    assert!(!bench.wishes.iter().any(|wish| matches!(wish, Effect::Quit)));
    bench.press(&[Key::Char('q')]);
    assert!(bench.wishes.iter().any(|wish| matches!(wish, Effect::Quit)));
}

#[test]
fn esc_stops_the_job_one_started_and_not_the_scan() {
    let mut bench = Bench::new(&clean(9), (120, 40));
    // Asked, and not yet answered.
    bench.model.jobs.push(crate::tui::model::Job {
        lane: Lane::Jump,
        name: "going".into(),
        done: (0, 0),
        started: Moment::default(),
        esc: crate::tui::model::Esc::Stops,
    });
    assert!(bench.waits_for(Lane::Jump));
    bench.press(&[Key::Esc]);
    assert!(!bench.waits_for(Lane::Jump));
    assert!(bench.wishes.iter().any(|wish| matches!(wish, Effect::Cancel(Lane::Jump))));
    assert_eq!(bench.model.scan.state, ScanState::Running);
    assert!(!bench.wishes.iter().any(|wish| matches!(wish, Effect::StopScan)));
}

#[test]
fn a_filter_that_was_stopped_is_none() {
    let mut bench = Bench::new(&clean(9), (120, 40));
    let rows = bench.model.list.rows.clone();
    bench.press(&[Key::Char('f')]);
    bench.type_in("agg:1");
    // Asked, and not yet answered: the wish is taken out before it is granted.
    update::update(&mut bench.model, Message::Key(Key::Enter, Moment(bench.clock)));
    bench.model.effects.clear();
    assert!(bench.waits_for(Lane::List) && !bench.model.list.filter.is_empty());
    bench.press(&[Key::Esc]);
    assert!(bench.model.list.filter.is_empty());
    assert_eq!(bench.model.list.rows, rows);
}

#[test]
fn copies_are_shown_and_wished_for() {
    let bytes = clean(9);
    let mut bench = Bench::new(&bytes, (120, 40));
    bench.press(&[Key::Char('j'), Key::Char('y'), Key::Char('p')]);
    let copied = |bench: &Bench| {
        bench.wishes.iter().rev().find_map(|wish| match wish {
            Effect::Copy(text) => Some(text.clone()),
            _ => None,
        })
    };
    assert_eq!(copied(&bench).unwrap(), r#"{"name":"Juan","n":0,"amount":0.50,"tags":["a","b"]}"#);
    bench.press(&[Key::Char('y'), Key::Char('c')]);
    assert!(copied(&bench).unwrap().ends_with("--from 16 --limit 1"));
    bench.press(&[Key::Char('y'), Key::Char('h')]);
    assert!(copied(&bench).unwrap().starts_with("000000"));
    assert!(bench.screen().contains("copied hex"));
}

#[test]
fn the_next_damage_is_found_before_any_scan() {
    let bytes = damaged();
    let mut bench = Bench::new(&bytes, (120, 40));
    bench.press(&[Key::Char('e')]);
    assert!(matches!(bench.model.list.current().unwrap().what, What::Finding(_)));
    let first = bench.model.list.offset();
    bench.press(&[Key::Char('e')]);
    assert!(bench.model.list.offset() > first);
    bench.press(&[Key::Char('E')]);
    assert_eq!(bench.model.list.offset(), first);
}

#[test]
fn an_aggregate_leads_to_its_events_and_tells_their_story() {
    let mut bench = Bench::new(&clean(30), (120, 40));
    bench.scan();
    bench.press(&[Key::Char('2'), Key::Char('j'), Key::Enter]);
    assert_eq!((bench.model.tab, bench.model.list.filter.text()), (Tab::Events, "agg:1"));
    bench.press(&[Key::Char('j'), Key::Char('[')]);
    assert_eq!(bench.model.detail.view, View::Aggregate);
    assert!(bench.screen().contains("~ n: 1 → 6"), "{}", bench.screen());
}

#[test]
fn hostile_text_never_reaches_the_screen_raw() {
    let mut bytes = clean(1);
    let payload = "{\"write_timestamp_ms\":1,\"event_type\":\"\u{202e}evil\u{200b}\",\"namespace\":\"n\\u001b[31m\",\
                   \"schema_id\":\"S\",\"schema_version\":1,\"aggregate_id\":1,\"payload\":{\"\u{7f}k\":\"\u{9b}x\"}}";
    let mut frame = (payload.len() as u32).to_be_bytes().to_vec();
    frame.extend_from_slice(payload.as_bytes());
    let sum = crc32fast::hash(&frame);
    bytes.extend_from_slice(&frame);
    bytes.extend_from_slice(&sum.to_be_bytes());
    let mut bench = Bench::new(&bytes, (120, 40));
    bench.scan();
    bench.press(&[Key::Char('G')]);
    let screen = bench.screen();
    for (whole, token) in [("key", "\u{7f}k"), ("value", "\u{9b}x"), ("type", "\u{202e}evil\u{200b}")] {
        assert!(screen.contains(&*crate::report::safe(token)), "{whole}: {screen}");
    }
    for _ in View::ALL {
        let screen = bench.screen();
        assert!(!screen.contains(['\u{202e}', '\u{200b}', '\u{1b}', '\u{7f}', '\u{9b}']), "{screen}");
        assert!(screen.contains("U+202E") || screen.contains("‹"), "{screen}");
        bench.press(&[Key::Char(']')]);
    }
}

#[test]
fn mono_draws_no_colour_and_damage_is_red_otherwise() {
    let mut bench = Bench::new(&damaged(), (120, 40));
    bench.scan();
    let inks = |bench: &Bench| -> Vec<Ink> { bench.buffer().content.iter().map(|cell| cell.fg).collect() };
    assert!(inks(&bench).contains(&Ink::Red));
    bench.model.theme = Theme::Mono;
    assert!(inks(&bench).iter().all(|ink| *ink == Ink::Reset));
}

#[test]
fn rows_of_another_filter_step_back_until_those_of_the_new_one_have_come() {
    let mut bench = Bench::new(&clean(60), (120, 40));
    let steps_back = |bench: &Bench| (3..60).all(|x| bench.buffer()[(x, 6)].fg == Ink::DarkGray);
    assert!(!steps_back(&bench));
    bench.press(&[Key::Char('f')]);
    bench.type_in("type:Updated");
    // Typed, and not answered yet.
    bench.send(Message::Drawn(Moment(Duration::from_secs(9))));
    update::update(&mut bench.model, Message::Key(Key::Enter, Moment(Duration::from_secs(10))));
    assert!(bench.screen().contains("type:Updated, looking"), "{}", bench.screen());
    assert!(steps_back(&bench));
    bench.answer();
    assert!(!steps_back(&bench), "{}", bench.screen());
}

#[test]
fn a_click_on_the_strip_goes_there() {
    let mut bench = Bench::new(&clean(60), (120, 40));
    bench.send(Message::Click(60, 1));
    let share = bench.model.list.offset() * 100 / bench.model.facts.bytes;
    assert!((50..70).contains(&share), "{share}");
}

#[test]
fn a_scan_that_takes_a_while_says_how_fast_it_is_and_how_long_it_will_take() {
    let mut bench = Bench::new(&damaged(), (120, 40));
    let bytes = bench.model.facts.bytes;
    let mut at_second = |tenths: u64, from: u64, at: u64| {
        bench.model.now = Moment(Duration::from_millis(100 * tenths));
        bench.send(Message::News(News::Scanned { from, at, end: bytes }));
        bench.screen().lines().nth(1).unwrap().to_owned()
    };
    assert!(at_second(10, 0, 0).contains("| verified 0 %"));
    assert!(at_second(13, 0, bytes / 4 + 1).contains("| verified 25 %"));
    let said = at_second(20, bytes / 4 + 1, bytes / 2 + 1);
    assert!(said.contains("| 50 %, ") && said.contains("/s, ") && said.contains(" left"), "{said}");
    bench.send(Message::News(News::ScanStopped));
    let said = |bench: &Bench| bench.screen().lines().nth(1).unwrap().to_owned();
    assert!(said(&bench).contains("| stopped 50 %"), "{}", said(&bench));
    // What was verified earlier is read again: that is what is left then.
    bench.model.facts.index.verified = Some(Verified { to: bytes, at_ms: 0 });
    for (tenths, at) in [(30, bytes / 2 + 2), (50, bytes / 4 * 3)] {
        bench.model.now = Moment(Duration::from_millis(100 * tenths));
        bench.send(Message::News(News::Scanned { from: bytes / 2 + 1, at, end: bytes }));
    }
    assert!(said(&bench).contains("| 74 %, ") && said(&bench).contains(" left"), "{}", said(&bench));
}
